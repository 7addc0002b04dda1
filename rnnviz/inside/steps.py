"""One direction of one layer, time first, in the order in which it reads: forward and backward.

Forward, h of all steps is known or comes from a step loop. Backward in time, everything but U acts
on each unit alone: a cell's local derivatives come for all steps at once, and one scan carries
dL/dh and dL/dc from the last step to the first. No cell is known by name.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from rnnviz.cells import Cell, Gates, Local, Slopes, as_it_is, recur_with, split_gates


class Weights(NamedTuple):
    """A direction's weights, one block per gate; also what a loss gives by them."""

    input: Float[np.ndarray, "G H I"]
    recurrent: Float[np.ndarray, "G H H"]
    input_bias: Float[np.ndarray, "G H"]
    recurrent_bias: Float[np.ndarray, "G H"]


class Replay(NamedTuple):
    """What happened at every step."""

    x: Float[np.ndarray, "T B G H"]  # W x + b_W
    before: tuple[Float[np.ndarray, "T B H"], ...]
    preactivations: tuple[Float[np.ndarray, "T B H"], ...]
    gates: tuple[Float[np.ndarray, "T B H"], ...]
    states: tuple[Float[np.ndarray, "T B H"], ...]


class Back(NamedTuple):
    """What a loss gives by everything at every step; N losses where the replay is one sequence."""

    states: tuple[Float[np.ndarray, "T N H"], ...]  # the whole dL/dh_t, dL/dc_t
    by_x: Float[np.ndarray, "T N G H"]  # dL/d(W x + b_W)
    by_recurred: Float[np.ndarray, "T N G H"]  # dL/d(U s + b_U)
    start: tuple[Float[np.ndarray, "N H"], ...] = ()  # by the states before the first step


Change = Callable[[int, tuple[np.ndarray, ...]], tuple[np.ndarray, ...]]  # step, states
Held = Callable[[int, int, np.ndarray], np.ndarray]  # step, gate, its values


class Hands(NamedTuple):
    """Where somebody reaches into a step loop; steps count in reading order."""

    before: Change = lambda _, states: states  # the states that a step starts from
    gate: Held = lambda _, __, values: values
    carried: Change = lambda _, states: states  # all but h, before h is made of them
    after: Change = lambda _, states: states  # the states that a step ends with


def project(weights: Weights, x: Float[np.ndarray, "T B I"]) -> Float[np.ndarray, "T B GH"]:
    """W x + b_W of all gates and steps."""
    gates, size, inputs = weights.input.shape
    projected = x @ weights.input.reshape(gates * size, inputs).T
    projected += weights.input_bias.reshape(-1)
    return projected


def replay(
    cell: Cell,
    weights: Weights,
    x: Float[np.ndarray, "T B I"],
    h: Float[np.ndarray, "T B H"],
) -> Replay:
    """All gates and states where every h is known; only what else is carried is looped over."""
    gates, size, _ = weights.input.shape
    projected = project(weights, x)
    h_before = shifted(h)
    recur = recur_with(weights.recurrent, weights.recurrent_bias)
    z, values = cell.activate(split_gates(projected, gates), recur, (h_before,))
    states = _scan(cell, values, h)
    before = (h_before, *(shifted(state) for state in states[1:]))
    return Replay(projected.reshape(*h.shape[:2], gates, size), before, z, values, states)


def _scan(
    cell: Cell, gates: tuple[np.ndarray, ...], h: Float[np.ndarray, "T B H"]
) -> tuple[np.ndarray, ...]:
    """All states of all steps; h is known, what else the cell carries is stepped through."""
    if len(cell.states) == 1:
        return (h,)
    carried = tuple(np.empty_like(h) for _ in cell.states[1:])
    now = tuple(np.zeros_like(h[0]) for _ in cell.states)
    for t, step in enumerate(zip(*gates, strict=True)):
        now = (h[t], *cell.carry(step, now))
        for kept, state in zip(carried, now[1:], strict=True):
            kept[t] = state
    return (h, *carried)


def run(
    cell: Cell,
    weights: Weights,
    x: Float[np.ndarray, "T B I"],
    hands: Hands | None = None,
    start: tuple[Float[np.ndarray, "B H"], ...] | None = None,
) -> Replay:
    """The same step by step, with somebody's hands in it or without.

    Args:
        start: all states before the first step; None is zero.
    """
    gates, size, _ = weights.input.shape
    steps, batch, _ = x.shape
    projected = project(weights, x)
    recur = recur_with(weights.recurrent, weights.recurrent_bias)
    now = start or tuple(np.zeros((batch, size), projected.dtype) for _ in cell.states)
    kept: list[tuple[tuple[np.ndarray, ...], Gates, tuple[np.ndarray, ...]]] = []
    for t in range(steps):
        force = as_it_is
        if hands is not None:
            now = hands.before(t, now)

            def force(
                gate: int, values: np.ndarray, t: int = t, hold: Held = hands.gate
            ) -> np.ndarray:
                return hold(t, gate, values)

        found = cell.activate(split_gates(projected[t], gates), recur, now, force)
        carried = cell.carry(found.values, now)
        if hands is not None:
            carried = hands.carried(t, carried)
        after = (cell.show(found.values, now, carried), *carried)
        if hands is not None:
            after = hands.after(t, after)
        kept.append((now, found, after))
        now = after
    before, found_all, states = zip(*kept, strict=True)
    return Replay(
        projected.reshape(steps, batch, gates, size),
        _over_time(before),
        _over_time([found.preactivations for found in found_all]),
        _over_time([found.values for found in found_all]),
        _over_time(states),
    )


def _over_time(steps: list | tuple) -> tuple[Float[np.ndarray, "T B H"], ...]:
    return tuple(np.stack(parts) for parts in zip(*steps, strict=True))


class Slope(NamedTuple):
    """A cell's local derivatives as whole arrays, and what of them is the same for all steps."""

    by_gate: Float[np.ndarray, "T S B G H"]
    by_before: Float[np.ndarray, "T S R B H"]
    shown: tuple[Float[np.ndarray, "T B H"], ...]
    scaled: Float[np.ndarray, "T B G H"] | None  # None: one everywhere
    reset: Float[np.ndarray, "T B H"] | None


def slopes(cell: Cell, weights: Weights, steps: Replay) -> Slope:
    """The local derivatives of all steps."""
    recur = recur_with(weights.recurrent, weights.recurrent_bias)
    gates = Gates(steps.preactivations, steps.gates)
    local = cell.local(gates, recur(steps.before[0]), steps.before, steps.states)
    like = steps.states[0]
    return Slope(
        np.stack([_filled(row, like, axis=2) for row in local.by_gate], axis=1),
        np.stack([_filled(row, like, axis=1) for row in local.by_before], axis=1),
        local.shown,
        _scaled(local, like),
        local.reset,
    )


def _filled(row: Slopes, like: np.ndarray, axis: int) -> np.ndarray:
    return np.stack([np.zeros_like(like) if part is None else part for part in row], axis=axis)


def _scaled(local: Local, like: np.ndarray) -> np.ndarray | None:
    if all(part is None for part in local.scaled):
        return None
    return np.stack([np.ones_like(like) if p is None else p for p in local.scaled], axis=2)


Between = Callable[[np.ndarray], np.ndarray]  # [N H] to [N H]


def backward(
    cell: Cell,
    weights: Weights,
    steps: Replay,
    outer: Float[np.ndarray, "T N H"],
    between: Between | None = None,
    end: tuple[Float[np.ndarray, "N H"], ...] | None = None,
) -> Back:
    """dL by every state and projection, from what enters each h from above.

    N is the replay's batch; or it is any number of losses where the batch is one.

    Args:
        between: what becomes of the adjoints of each state on their way to the step before.
        end: dL by all states after the last step, other than by way of outer; None is zero.
    """
    local = slopes(cell, weights, steps)
    t_all, n, size = outer.shape
    gates = len(cell.gates)
    flat = weights.recurrent.reshape(-1, size)
    kept = tuple(np.empty_like(outer) for _ in cell.states)
    by_x = np.empty((t_all, n, gates, size), outer.dtype)
    by_recurred = by_x if local.scaled is None else np.empty_like(by_x)
    carried = list(end) if end else [np.zeros_like(outer[0]) for _ in cell.states]
    for t in range(t_all - 1, -1, -1):
        carried[0] = carried[0] + outer[t]
        for s, shown in enumerate(local.shown, start=1):
            carried[s] = carried[s] + carried[0] * shown[t]
        for grad, value in zip(kept, carried, strict=True):
            grad[t] = value
        dz = _through([value[:, None] for value in carried], local.by_gate[t])
        carried = [_through(carried, local.by_before[t, :, k]) for k in range(len(carried))]
        if cell.resets is not None:
            carried[0] += _through_reset(cell.resets, weights, steps, local, t, dz)
        by_x[t] = dz
        if local.scaled is not None:
            by_recurred[t] = dz = dz * local.scaled[t]
        if cell.resets is not None:
            dz = dz.copy()
            dz[:, cell.resets[0]] = 0.0  # its way back is done
        carried[0] += dz.reshape(n, -1) @ flat
        if between is not None:
            carried = [between(value) for value in carried]
    return Back(kept, by_x, by_recurred, tuple(carried))


def _through_reset(
    resets: tuple[int, int],
    weights: Weights,
    steps: Replay,
    local: Slope,
    t: int,
    dz: Float[np.ndarray, "N G H"],
) -> Float[np.ndarray, "N H"]:
    """Through U_k (g_j * h): adds to gate j's derivative, and gives what reaches h directly."""
    k, j = resets
    assert local.reset is not None
    read = dz[:, k] @ weights.recurrent[k]
    dz[:, j] += read * steps.before[0][t] * local.reset[t]
    return read * steps.gates[j][t]


def _through(
    adjoints: list[Float[np.ndarray, "..."]], derivatives: Float[np.ndarray, "S ..."]
) -> Float[np.ndarray, "..."]:
    """Sum over the states of adjoint times derivative; einsum is slower at these sizes."""
    total = adjoints[0] * derivatives[0]
    for adjoint, derivative in zip(adjoints[1:], derivatives[1:], strict=True):
        total += adjoint * derivative
    return total


def by_weights(cell: Cell, steps: Replay, back: Back, x: Float[np.ndarray, "T B I"]) -> Weights:
    """dL by a direction's weights, summed over steps and batch; every product in one go."""
    read = [steps.before[0]] * len(cell.gates)
    if cell.resets is not None:
        k, j = cell.resets
        read[k] = steps.gates[j] * steps.before[0]
    recurrent = [
        np.tensordot(back.by_recurred[:, :, k], read[k], axes=((0, 1), (0, 1)))
        for k in range(len(cell.gates))
    ]
    return Weights(
        np.tensordot(back.by_x, x, axes=((0, 1), (0, 1))),
        np.stack(recurrent),
        back.by_x.sum(axis=(0, 1)),
        back.by_recurred.sum(axis=(0, 1)),
    )


def by_input(weights: Weights, back: Back) -> Float[np.ndarray, "T N I"]:
    """dL by what the direction read."""
    inputs = weights.input.shape[-1]
    return back.by_x.reshape(*back.by_x.shape[:2], -1) @ weights.input.reshape(-1, inputs)


def shifted(state: Float[np.ndarray, "T B H"]) -> Float[np.ndarray, "T B H"]:
    """The state before each step: zero before the first."""
    before = np.zeros_like(state)
    before[1:] = state[:-1]
    return before
