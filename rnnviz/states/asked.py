"""The network of a trace as the model of a run that collects states. No torch, no files."""

from dataclasses import replace

import numpy as np

from rnnviz.config import Dense, ModelConfig
from rnnviz.data.dataset import SequenceDataset
from rnnviz.errors import TraceError
from rnnviz.exchange.stored import Stored
from rnnviz.trace import LayerTrace, ReadoutTrace, Trace

TITLES = {"h": "States of all sequences", "c": "Memories of all sequences"}  # of such runs
PROGRAMS = {
    TITLES["h"]: "rnnviz.states.collect:collect_stored",
    TITLES["c"]: "rnnviz.states.collect:collect_memory",
}


def stored_of_trace(trace: Trace, config: ModelConfig, dataset: SequenceDataset) -> Stored:
    """The network as it was when the trace was taken.

    Raises:
        TraceError: the trace is of an earlier version, which kept no readout.
        DataError: a weight is not finite.
    """
    readout = trace.readout
    if readout is None:
        raise TraceError(
            "this run was made by an earlier version, which kept less of the network; "
            "train it once more"
        )
    forward = [layer for layer in trace.layers if not layer.reverse]
    return Stored(
        config=replace(config, embedding=0),  # a trace has it in the first layer's weights
        task=dataset.task,
        inputs=trace.inputs.shape[2],
        outputs=len(readout.dense[-1].bias),
        covariates=readout.covariates.shape[1],
        sizes=tuple(layer.recurrent_weights.shape[1] for layer in forward),
        dense=tuple(Dense(len(layer.bias), layer.activation) for layer in readout.dense[:-1]),
        weights=_weights(trace.layers, readout),
        origin="a trace",
    )


def _weights(layers: tuple[LayerTrace, ...], readout: ReadoutTrace) -> dict[str, np.ndarray]:
    """By the names of SequenceModel."""
    found: dict[str, np.ndarray] = {}
    for layer in layers:
        start = f"layers.{layer.layer}.{int(layer.reverse)}.rnn."
        for name, values in (
            ("weight_ih_l0", layer.input_weights),
            ("weight_hh_l0", layer.recurrent_weights),
            ("bias_ih_l0", layer.input_bias),
            ("bias_hh_l0", layer.recurrent_bias),
        ):
            found[start + name] = values.reshape(-1, *values.shape[2:])
    for name in ("keys", "queries"):
        if (values := getattr(readout, name)) is not None:
            found[f"attention.{name}.weight"] = values
    if readout.score is not None:
        found["attention.score.weight"] = readout.score[None]
    names = (*(f"dense.{k}" for k in range(len(readout.dense) - 1)), "head")
    for name, dense in zip(names, readout.dense, strict=True):
        found[f"{name}.weight"], found[f"{name}.bias"] = dense.weights, dense.bias
    return {name: np.ascontiguousarray(values) for name, values in found.items()}
