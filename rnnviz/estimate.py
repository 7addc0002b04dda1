"""What settings will cost, before anything is built: weights, memory, seconds. No torch."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from rnnviz.cells import CELLS
from rnnviz.config import ModelConfig, RunConfig
from rnnviz.data.dataset import SequenceDataset
from rnnviz.errors import ConfigError

FLOAT = 4  # bytes
TRACE_BYTES = 128 * 2**20  # of all traces of one run, together
TRACED_SEQUENCES = 4
STEP_SECONDS: Mapping[str | None, float] = {  # fixed cost of a step of a layer, there and back
    "LSTM": 4e-5,
    "GRU": 3e-4,
    "RNN": 1e-4,
    None: 1e-3,  # a step loop under autograd
}
FLOPS = 4e10  # multiply-adds count two, of one core on small matrices
SHARE_OF_MEMORY = 0.5  # of what is free, that a run may plan to take


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What one run will need."""

    parameters: int
    bytes: int  # weights, optimiser, and the activations of one batch
    seconds: float  # of one epoch on one core; a guess within a factor of about two


@dataclass(frozen=True, kw_only=True)
class TracePlan:
    """Which traces are kept within TRACE_BYTES."""

    sequences: int
    stride: int  # every so many epochs; 0: the network is too large to be traced
    bytes: int  # of one trace


def parameters(model: ModelConfig, inputs: int, outputs: int, covariates: int) -> int:
    """Weights of the network, both biases of torch's cells counted."""
    gates, size = len(CELLS[model.cell].gates), model.hidden_size
    ways = 2 if model.bidirectional else 1
    width = size * ways
    total = inputs * model.embedding
    for layer in range(model.layers):
        reads = (model.embedding or inputs) if layer == 0 else width
        total += ways * gates * size * (reads + size + 2)
    attention = {"none": 0, "dot": 0, "general": width**2, "additive": 2 * width**2 + width}
    joined = width * (1 if model.attention == "none" else 2)
    joined += covariates if model.covariates else 0
    return total + attention[model.attention] + (joined + 1) * outputs


def estimate(config: RunConfig, dataset: SequenceDataset) -> Estimate:
    """What training these settings on this data set will need."""
    model, steps = config.model, dataset.steps
    count = parameters(model, dataset.input_size, dataset.output_size, dataset.covariates.shape[1])
    cell = CELLS[model.cell]
    ways = 2 if model.bidirectional else 1
    train = max(1, round(len(dataset.ids) * 0.64))
    batch = min(config.training.batch_size, train)
    width = model.hidden_size * ways
    per_step = ways * model.layers * model.hidden_size * (3 * len(cell.gates) + 4)
    per_step += model.embedding or dataset.input_size
    activations = batch * steps * per_step * FLOAT
    queries = steps if dataset.task.every_step else 1
    if model.attention != "none":
        inner = 3 * width if model.attention == "additive" else 2
        activations += batch * queries * steps * inner * FLOAT
    activations += batch * queries * dataset.output_size * 3 * FLOAT
    batches = math.ceil(train / batch)
    fixed = STEP_SECONDS[cell.fused] * model.layers * ways
    work = (6 * count * batch / FLOPS + fixed) * steps
    return Estimate(
        parameters=count,
        bytes=count * FLOAT * 6 + activations,
        seconds=batches * work * 1.25,  # validation and test
    )


def check_memory(config: RunConfig, dataset: SequenceDataset) -> None:
    """Refuse what cannot fit.

    Raises:
        ConfigError: the run would need more than half of the memory that is free.
    """
    need = estimate(config, dataset).bytes
    allowed = int(psutil.virtual_memory().available * SHARE_OF_MEMORY)
    if need > allowed:
        raise ConfigError(
            f"these settings need about {need / 2**30:.1f} GiB of memory; a run may take "
            f"{allowed / 2**30:.1f} GiB here. Lower hidden_size, layers, batch_size or the steps "
            "of a sequence"
        )


def trace_plan(config: RunConfig, dataset: SequenceDataset) -> TracePlan:
    """How many sequences are traced, and how often, so that a run's traces stay in bounds."""
    model = config.model
    cell, size = CELLS[model.cell], model.hidden_size
    ways = 2 if model.bidirectional else 1
    gates, states = len(cell.gates), len(cell.states)
    per_sequence = weights = 0
    for layer in range(model.layers):
        reads = dataset.input_size if layer == 0 else size * ways
        per_sequence += dataset.steps * ways * (size * 2 * (gates + states) + reads)
        weights += ways * gates * size * (reads + size + 2)
    if model.attention != "none":
        queries = dataset.steps if dataset.task.every_step else 1
        per_sequence += 2 * queries * dataset.steps
        weights += 2 * (size * ways) ** 2 + size * ways
    weights += dataset.output_size * (2 * size * ways + 1)  # the head
    weights += (dataset.input_size + ways * gates * size) * model.embedding
    per_sequence += dataset.steps * dataset.input_size
    if dataset.task.every_step:
        per_sequence += dataset.steps * dataset.output_size
    kept = config.training.epochs + 2  # before the first, each, and the last
    for sequences in range(TRACED_SEQUENCES, 0, -1):
        one = (sequences * per_sequence + weights) * FLOAT
        if one * 8 <= TRACE_BYTES or sequences == 1:
            break
    if one * 3 > TRACE_BYTES:
        return TracePlan(sequences=0, stride=0, bytes=one)
    stride = math.ceil(kept * one / TRACE_BYTES)
    if config.training.epochs // stride + 2 > TRACE_BYTES // one:
        stride += 1
    return TracePlan(sequences=sequences, stride=stride, bytes=one)
