"""What looking back through time costs, beside torch doing the same loss by loss."""

import time
from collections.abc import Callable, Mapping

import numpy as np
import torch

from rnnviz.bench.core import Row
from rnnviz.config import ModelConfig
from rnnviz.data.dataset import Task
from rnnviz.inside.jacobians import products
from rnnviz.inside.matrix import loss_matrix
from rnnviz.inside.network import Network, Pass, Sequence, sequence_of
from rnnviz.inside.plane import plane_of, plane_surface, points_for
from rnnviz.inside.truncated import truncations
from rnnviz.model import Batch, SequenceModel
from rnnviz.record import record

STEPS, HIDDEN = 200, 64
MOST_SECONDS = 2.0  # of each
TURNS = 5


def _model(attention: str) -> SequenceModel:
    config = ModelConfig(cell="lstm", hidden_size=HIDDEN, attention=attention)
    return SequenceModel(config, inputs=1, outputs=1, covariates=0, task=Task.REGRESSION).double()


def _batch() -> Batch:
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(STEPS, 1, 1, generator=rng, dtype=torch.double)
    return Batch(x, None, torch.zeros(1, 0).double(), torch.ones(1, 1).double())


def _by_torch(model: SequenceModel, batch: Batch) -> np.ndarray:
    """The matrix by autograd: forward once, step by step, then backward once for each loss."""
    rnn, now, kept = model.ways(0)[0].rnn, None, []
    for step in batch.inputs:
        _, now = rnn(step[None], now)
        now[0].retain_grad()
        kept.append(now[0])
    found = np.zeros((STEPS, STEPS))
    for s, state in enumerate(kept):
        loss = ((model.head(state[0]) - batch.targets) ** 2).mean()
        for earlier in kept:
            earlier.grad = None
        loss.backward(retain_graph=True)
        grads = [np.zeros(1) if e.grad is None else e.grad.numpy() for e in kept]
        found[s] = [np.linalg.norm(grad) for grad in grads]
    return found


def matrix(name: str) -> Row:
    """The matrix in seconds, as a ratio to torch, and how far both are apart."""
    model, batch = _model("none"), _batch()
    trace = record(model, batch, np.arange(1))
    network, sequence = Network.of(trace), sequence_of(trace, 0)
    done, ours = network.run(sequence), []
    for _ in range(TURNS):
        began = time.perf_counter()
        found = loss_matrix(network, sequence, done)
        ours.append(time.perf_counter() - began)
    began = time.perf_counter()
    theirs = _by_torch(model, batch)  # once: it takes its time
    seconds = float(np.median(ours))
    ratio = (time.perf_counter() - began) / seconds
    apart = float(np.abs(found.norms[0][0] - theirs).max())
    return Row(
        name=name,
        value=f"{seconds:.2f} s, {ratio:.0f} times as fast as autograd loss by loss; at most "
        f"{apart:.0e} apart",
        target=f"less than {MOST_SECONDS:g} s, at most 1e-9 apart",
        met=seconds < MOST_SECONDS and apart < 1e-9,
    )


def other(name: str) -> Row:
    """One of OTHERS in seconds."""
    trace = record(_model("additive"), _batch(), np.arange(1))
    network, sequence = Network.of(trace), sequence_of(trace, 0)
    done, what, seconds = network.run(sequence), "", []
    for _ in range(TURNS):
        began = time.perf_counter()
        what = OTHERS[name](network, sequence, done)
        seconds.append(time.perf_counter() - began)
    middle = float(np.median(seconds))
    return Row(
        name=name,
        value=f"{middle:.2f} s; {what}",
        target=f"less than {MOST_SECONDS:g} s",
        met=middle < MOST_SECONDS,
    )


def _products(network: Network, _sequence: Sequence, done: Pass) -> str:
    way = network.ways[0]
    found = products(way.cell, way.weights, done.steps[0], STEPS - 1)
    return f"{len(found.norm) - 1} of {STEPS - 1} steps back"


def _truncations(network: Network, sequence: Sequence, done: Pass) -> str:
    return f"{len(truncations(network, done, sequence.targets).lengths)} lengths"


def _surface(network: Network, sequence: Sequence, _done: Pass) -> str:
    count = points_for(network, STEPS)
    plane_surface(plane_of(network, sequence, 0), sequence, 1.0, count)
    return f"{count} x {count} points"


MATRIX = "inside: the matrix of all losses by all states, T = 200"
OTHERS: Mapping[str, Callable[..., str]] = {
    "inside: the products of all Jacobians, T = 200": _products,
    "inside: the gradient truncated at every length, T = 200": _truncations,
    "inside: the loss surface over two directions, T = 200": _surface,
}
PARTS: Mapping[str, Callable[[str], Row]] = {MATRIX: matrix, **dict.fromkeys(OTHERS, other)}
