"""Which loss reaches which state: the norm of dL_s / dh_t for every loss step s and state step t.

L_s is the loss of step s where each step has one; else it is the loss as if the sequence ended at
step s: the head reads there, and attention sees the steps so far. All losses of a block go back in
one scan. The matrix is lower triangular: what comes later moves no loss before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from rnnviz.errors import TraceError
from rnnviz.inside.network import Network, Pass, Sequence, Targets
from rnnviz.inside.readout import back, by_outputs, losses, read
from rnnviz.inside.steps import Back, Replay

MOST_LOSSES = 200  # of a matrix; more than a screen shows apart
_BLOCK_BYTES = 64e6  # of what one block of losses leaves behind on its way back
_MOST_WORK = 8e9  # multiplications of one matrix: a few seconds


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Gradient norms, loss step by state step."""

    losses: Int[np.ndarray, " L"]  # the step of each loss, from 0, ascending
    values: Float[np.ndarray, " L"]  # the losses
    norms: tuple[tuple[Float[np.ndarray, "L T"], ...], ...]  # of each way, of each of its states


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some of the losses, gone back."""

    losses: Int[np.ndarray, " L"]
    values: Float[np.ndarray, " L"]
    ways: tuple[Back, ...]  # up to the last of these losses


def loss_matrix(
    network: Network, sequence: Sequence, done: Pass, *, most: int = MOST_LOSSES
) -> Matrix:
    """The norms over units of every loss by every state of every layer.

    Args:
        done: the network's pass over the sequence.
        most: losses, evenly spaced; fewer where the network is large. The last is always there.

    Raises:
        TraceError: the network reads in both directions.
    """
    chosen = loss_steps(network, done, most)
    steps = len(done.top)
    norms = tuple(
        tuple(np.zeros((len(chosen), steps)) for _ in way.cell.states) for way in network.ways
    )
    values, row = [], 0
    for block in blocks(network, sequence, done, chosen):
        rows = slice(row, row + len(block.losses))
        values.append(block.values)
        for kept, found in zip(norms, block.ways, strict=True):
            for into, grads in zip(kept, found.states, strict=True):
                into[rows, : len(grads)] = np.linalg.norm(grads, axis=-1).T
        row = rows.stop
    return Matrix(losses=chosen, values=np.concatenate(values), norms=norms)


def loss_steps(network: Network, done: Pass, most: int = MOST_LOSSES) -> Int[np.ndarray, " L"]:
    """At which steps losses are asked for: evenly spaced ones that count, the last always."""
    steps = len(done.top)
    known = np.flatnonzero(done.shares) if network.readout.every_step else np.arange(steps)
    work = steps * sum(way.weights.recurrent.size for way in network.ways)
    count = min(len(known), most, max(8, int(_MOST_WORK / work)))
    return known[np.unique(np.linspace(len(known) - 1, 0, count).round().astype(np.int64))]


def blocks(
    network: Network, sequence: Sequence, done: Pass, chosen: Int[np.ndarray, " L"]
) -> Iterator[Block]:
    """The losses of the chosen steps, as many at once as memory allows, up to their last step.

    Raises:
        TraceError: the network reads in both directions.
    """
    only_forward(network)
    size = max(len(done.top) * sum(8 * 4 * w.weights.recurrent_bias.size for w in network.ways), 1)
    count = -(-len(chosen) // max(1, int(_BLOCK_BYTES / size)))
    for some in np.array_split(chosen, count):
        yield go_back(network, sequence, done, some)


def go_back(
    network: Network, sequence: Sequence, done: Pass, chosen: Int[np.ndarray, " L"]
) -> Block:
    """One block."""
    readout, first = network.readout, upto(done, int(chosen[-1]) + 1)
    asked = read(readout, first.top, sequence.covariates, chosen[:, None], causal=True)
    targets = _targets(network, sequence, chosen)
    slope = by_outputs(readout, asked.outputs, targets)
    top = back(readout, asked, first.top, slope, each=True).top
    return Block(
        losses=chosen,
        values=losses(readout, asked.outputs, targets),
        ways=network.through_layers(first, top),
    )


def loss_at(network: Network, sequence: Sequence, done: Pass, step: int) -> float:
    """L_s of a pass, as the matrix has it."""
    at = np.array([[step]])
    asked = read(network.readout, done.top[: step + 1], sequence.covariates, at, causal=True)
    targets = _targets(network, sequence, at[0])
    return float(losses(network.readout, asked.outputs, targets)[0])


def _targets(network: Network, sequence: Sequence, chosen: Int[np.ndarray, " L"]) -> Targets:
    if network.readout.every_step:
        return sequence.targets[chosen]
    return np.repeat(sequence.targets, len(chosen), axis=0)


def only_forward(network: Network) -> None:
    """Raises TraceError where a direction reads from the end: all losses see all states there."""
    if any(way.reverse for way in network.ways):
        raise TraceError(
            "this network reads in both directions: its backward half has seen the end before the "
            "first step, so no loss comes before a state; train one without Both directions"
        )


def upto(done: Pass, steps: int) -> Pass:
    """The beginning of a pass, without what was read out of it."""

    def cut(replay: Replay) -> Replay:
        return Replay(
            replay.x[:steps],
            *(tuple(part[:steps] for part in parts) for parts in replay[1:]),
        )

    return replace(
        done,
        inputs=tuple(x[:steps] for x in done.inputs),
        steps=tuple(cut(replay) for replay in done.steps),
        top=done.top[:steps],
    )
