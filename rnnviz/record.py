"""record(model, batch) -> Trace: every gate, state and gradient of a few sequences.

No step loop under autograd. The state h of all steps comes from the fused pass, so all gates of
all steps are two matrix products; only the other states need a scan. Backward in time, everything
but U acts on each unit alone: its local derivatives come for all steps at once, and one scan in
NumPy carries dL/dh and dL/dc from the last step to the first.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from rnnviz.cells import Cell, recur_with, split_gates
from rnnviz.data.dataset import Scaler, Task
from rnnviz.denormals import flushed
from rnnviz.model import Batch, Direction, SequenceModel, flip_time, loss_of
from rnnviz.trace import LayerTrace, Trace


class Replay(NamedTuple):
    """One direction of a layer in the order in which it reads, time first."""

    x: Float[np.ndarray, "T B G H"]  # W x + b_W
    before: tuple[Float[np.ndarray, "T B H"], ...]
    preactivations: tuple[Float[np.ndarray, "T B H"], ...]
    gates: tuple[Float[np.ndarray, "T B H"], ...]
    states: tuple[Float[np.ndarray, "T B H"], ...]


class Weights(NamedTuple):
    """A direction's weights, one block per gate."""

    input: Float[np.ndarray, "G H I"]
    recurrent: Float[np.ndarray, "G H H"]
    input_bias: Float[np.ndarray, "G H"]
    recurrent_bias: Float[np.ndarray, "G H"]


def record(
    model: SequenceModel,
    batch: Batch,
    sequences: Int[np.ndarray, " B"],
    *,
    epoch: int = 0,
    step: int = 0,
    target: Scaler | None = None,
    gradients: bool = True,
) -> Trace:
    """The trace of a batch, dropout off.

    Args:
        sequences: rows of the dataset that the batch holds.
        target: brings outputs and targets back to the target's unit (regression).
        gradients: whether dL/dh_t and dL/dc_t are wanted; L is a sequence's own loss.
    """
    inputs, hidden = _forward(model, batch)
    top = torch.cat(hidden[-1], dim=-1).detach().requires_grad_(gradients)
    with torch.set_grad_enabled(gradients):
        readout = model.read(top, batch)
        loss = loss_of(readout.outputs, batch, model.task)
    above = torch.autograd.grad(loss.sum(), top)[0] if gradients else None
    layers: list[LayerTrace] = []
    # a network that diverges is traced as it is: its infinities are its numbers
    with flushed(), np.errstate(over="ignore", invalid="ignore"):
        for layer in reversed(range(len(model.layers))):
            traced, above = _layer(model, layer, inputs[layer], hidden[layer], batch.lengths, above)
            layers[:0] = traced
    t = len(batch.inputs)
    lengths = np.full(len(sequences), t) if batch.lengths is None else batch.lengths.numpy()
    attended = readout.attended
    return Trace(
        epoch=epoch,
        step=step,
        sequences=np.asarray(sequences),
        lengths=lengths,
        inputs=_batch_first(inputs[0]),
        outputs=outputs_in_unit(readout.outputs.detach(), model.task, target),
        targets=_targets_in_unit(batch, target),
        loss=loss.detach().numpy(),
        layers=tuple(layers),
        scores=None if attended is None else attended.scores.detach().numpy(),
        attention=None if attended is None else attended.weights.detach().numpy(),
    )


def outputs_in_unit(
    outputs: Float[Tensor, "B Q K"], task: Task, target: Scaler | None
) -> Float[np.ndarray, "B Q K"]:
    """Predictions in the target's unit, or probabilities of the classes or tokens."""
    if not task.numeric:
        return torch.softmax(outputs, dim=-1).numpy()
    values = outputs.numpy()
    return values if target is None else target.invert(values).astype(values.dtype)


def _targets_in_unit(batch: Batch, target: Scaler | None) -> np.ndarray:
    values = batch.targets.numpy()
    if not batch.targets.is_floating_point():
        return values if values.ndim == 2 else values[:, None]
    values = values if target is None else target.invert(values).astype(values.dtype)
    return values if values.ndim == 3 else values[:, None]


def _forward(model: SequenceModel, batch: Batch) -> tuple[list[Tensor], list[tuple[Tensor, ...]]]:
    """What each layer read, and the states of its directions."""
    inputs, hidden = [], []
    with torch.no_grad():
        x = model.encode(batch.inputs)
        for layer in range(len(model.layers)):
            inputs.append(x)
            hidden.append(model.run_layer(layer, x, batch.lengths))
            x = torch.cat(hidden[-1], dim=-1)
    return inputs, hidden


Turn = Callable[[Tensor], Tensor]  # between real time and the order in which a direction reads


def _layer(
    model: SequenceModel,
    layer: int,
    x: Float[Tensor, "T B I"],
    hidden: tuple[Float[Tensor, "T B H"], ...],
    lengths: Int[Tensor, " B"] | None,
    above: Float[Tensor, "T B D"] | None,
) -> tuple[list[LayerTrace], Tensor | None]:
    """The traces of a layer's directions, and dL/dx for the layer below."""
    traced, below = [], None
    from_above = (None,) * len(hidden) if above is None else above.chunk(len(hidden), dim=-1)
    for way, h, outer in zip(model.ways(layer), hidden, from_above, strict=True):

        def turn(values: Tensor, reverse: bool = way.reverse) -> Tensor:
            return flip_time(values, lengths) if reverse else values

        weights = weights_of(way)
        replay = _replay(way.cell, weights, turn(x).numpy(), turn(h).numpy())
        grads = None
        if outer is not None:
            back = _backward if way.cell.elementwise else _backward_by_autograd
            adjoints, dz = back(way.cell, weights, replay, turn(outer).numpy())
            adjoints = _through_output(way.cell, replay, adjoints)
            flat = weights.input.reshape(-1, x.shape[-1])
            read = turn(torch.from_numpy(dz.reshape(*dz.shape[:2], -1) @ flat))
            below = read if below is None else below + read
            grads = _real_time(turn, adjoints)
        traced.append(_layer_trace(way, layer, x, weights, replay, grads, turn, lengths))
    return traced, below


def _layer_trace(
    way: Direction,
    layer: int,
    x: Float[Tensor, "T B I"],
    weights: Weights,
    replay: Replay,
    grads: Float[np.ndarray, "B T S H"] | None,
    turn: Turn,
    lengths: Int[Tensor, " B"] | None,
) -> LayerTrace:
    return LayerTrace(
        cell=way.cell.name,
        layer=layer,
        reverse=way.reverse,
        gate_names=tuple(gate.symbol for gate in way.cell.gates),
        state_names=way.cell.states,
        inputs=_batch_first(x),
        gates=_real_time(turn, replay.gates),
        preactivations=_real_time(turn, replay.preactivations),
        states=_masked(_real_time(turn, replay.states), lengths),
        state_grads=grads,
        input_weights=weights.input,
        recurrent_weights=weights.recurrent,
        input_bias=weights.input_bias,
        recurrent_bias=weights.recurrent_bias,
    )


def weights_of(way: Direction) -> Weights:
    """Copies of a direction's weights, one block per gate."""
    gates = len(way.cell.gates)

    def block(name: str) -> np.ndarray:
        values = getattr(way.rnn, name).detach().numpy().copy()
        return values.reshape(gates, -1, *values.shape[1:])

    return Weights(
        block("weight_ih_l0"), block("weight_hh_l0"), block("bias_ih_l0"), block("bias_hh_l0")
    )


def _replay(
    cell: Cell, weights: Weights, x: Float[np.ndarray, "T B I"], h: Float[np.ndarray, "T B H"]
) -> Replay:
    gates, size, _ = weights.input.shape
    projected = x @ weights.input.reshape(gates * size, -1).T
    projected += weights.input_bias.reshape(-1)
    h_before = _shifted(h)
    recur = recur_with(weights.recurrent, weights.recurrent_bias)
    z, values = cell.activate(split_gates(projected, gates), recur, (h_before,))
    states = _scan(cell, values, h)
    before = (h_before, *(_shifted(state) for state in states[1:]))
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


def _backward(
    cell: Cell, weights: Weights, replay: Replay, outer: Float[np.ndarray, "T B H"]
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """dL/dstate of every step, and dL/d(W x + b_W), from what enters each h from above."""
    to_gates, to_recur, to_states = _local_derivatives(cell, replay, weights)
    steps, batch, size = outer.shape
    flat = weights.recurrent.reshape(-1, size)
    kept = tuple(np.empty_like(outer) for _ in cell.states)
    carried = [np.zeros_like(outer[0]) for _ in cell.states]
    for t in range(steps - 1, -1, -1):
        carried[0] = carried[0] + outer[t]
        for grad, value in zip(kept, carried, strict=True):
            grad[t] = value
        recurrent = _through([value[:, None] for value in carried], to_recur[t])
        carried = [_through(carried, to_states[t, :, k]) for k in range(len(carried))]
        carried[0] += recurrent.reshape(batch, -1) @ flat
    dz = sum(grad[:, :, None] * to_gates[:, k] for k, grad in enumerate(kept))
    return kept, dz


def _through(
    adjoints: list[Float[np.ndarray, "*unit"]], derivatives: Float[np.ndarray, "S *units"]
) -> Float[np.ndarray, "*units"]:
    """Sum over the states of adjoint times derivative; einsum is slower at these sizes."""
    total = adjoints[0] * derivatives[0]
    for adjoint, derivative in zip(adjoints[1:], derivatives[1:], strict=True):
        total += adjoint * derivative
    return total


def _through_output(
    cell: Cell, replay: Replay, adjoints: tuple[Float[np.ndarray, "T B H"], ...]
) -> tuple[Float[np.ndarray, "T B H"], ...]:
    """The whole dL/dc_t: what comes back through time, and by way of this step's own h."""
    if len(cell.states) == 1:
        return adjoints
    carried = tuple(_leaf(state) for state in replay.states[1:])
    gates = tuple(torch.from_numpy(np.ascontiguousarray(gate)) for gate in replay.gates)
    before = tuple(torch.from_numpy(np.ascontiguousarray(state)) for state in replay.before)
    found = torch.autograd.grad(cell.show(gates, before, carried).sum(), carried)
    rest = (a + adjoints[0] * d.numpy() for a, d in zip(adjoints[1:], found, strict=True))
    return (adjoints[0], *rest)


def _local_derivatives(
    cell: Cell, replay: Replay, weights: Weights
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """d(state s) by (W x + b_W), by (U h + b_U) and by the state before, unit by unit.

    Shapes [T S B G H], [T S B G H], [T S R B H]. Each state of a unit depends on that unit's
    values only, so the gradient of the sum over all units holds every derivative at once.
    """
    gates = len(cell.gates)
    recur = recur_with(weights.recurrent, weights.recurrent_bias)
    x = [_leaf(replay.x[..., k, :]) for k in range(gates)]
    h = [_leaf(part) for part in recur(replay.before[0])]
    before = [_leaf(state) for state in replay.before]
    values = cell.activate(tuple(x), lambda _: tuple(h), tuple(before)).values
    after = cell.advance(values, tuple(before))
    by_x, by_h, by_state = [], [], []
    for state in after:
        found = torch.autograd.grad(
            state.sum(), [*x, *h, *before], retain_graph=True, materialize_grads=True
        )
        by_x.append(torch.stack(found[:gates], dim=2))
        by_h.append(torch.stack(found[gates : 2 * gates], dim=2))
        by_state.append(torch.stack(found[2 * gates :], dim=1))
    return (
        torch.stack(by_x, dim=1).numpy(),
        torch.stack(by_h, dim=1).numpy(),
        torch.stack(by_state, dim=1).numpy(),
    )


def _backward_by_autograd(
    cell: Cell, weights: Weights, replay: Replay, outer: Float[np.ndarray, "T B H"]
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """The same for a cell whose U multiplies more than h: step by step, each by autograd."""
    gates, size, _ = weights.recurrent.shape
    flat = torch.from_numpy(weights.recurrent.reshape(-1, size))
    bias = torch.from_numpy(weights.recurrent_bias.reshape(-1))

    def recur(state: Tensor) -> tuple[Tensor, ...]:
        return split_gates(torch.nn.functional.linear(state, flat, bias), gates)

    kept = tuple(np.empty_like(outer) for _ in cell.states)
    dz = np.empty_like(replay.x)
    carried = [torch.zeros_like(torch.from_numpy(outer[0])) for _ in cell.states]
    for t in range(len(outer) - 1, -1, -1):
        carried[0] = carried[0] + torch.from_numpy(outer[t])
        for grad, value in zip(kept, carried, strict=True):
            grad[t] = value.numpy()
        x = [_leaf(replay.x[t][:, k]) for k in range(gates)]
        before = [_leaf(state[t]) for state in replay.before]
        after = cell.advance(cell.activate(tuple(x), recur, tuple(before)).values, tuple(before))
        found = torch.autograd.grad(after, [*x, *before], carried, materialize_grads=True)
        dz[t] = torch.stack(found[:gates], dim=1).numpy()
        carried = list(found[gates:])
    return kept, dz


def _leaf(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).requires_grad_()


def _shifted(state: Float[np.ndarray, "T B H"]) -> Float[np.ndarray, "T B H"]:
    before = np.zeros_like(state)
    before[1:] = state[:-1]
    return before


def _batch_first(x: Float[Tensor, "T B I"]) -> Float[np.ndarray, "B T I"]:
    return x.transpose(0, 1).contiguous().numpy()


def _real_time(turn: Turn, parts: tuple[np.ndarray, ...]) -> Float[np.ndarray, "B T P H"]:
    """Parts stacked on the axis before the last, batch first, on real time."""
    turned = [turn(torch.from_numpy(np.ascontiguousarray(part))).numpy() for part in parts]
    return np.ascontiguousarray(np.stack(turned, axis=2).swapaxes(0, 1))


def _masked(
    states: Float[np.ndarray, "B T S H"], lengths: Int[Tensor, " B"] | None
) -> Float[np.ndarray, "B T S H"]:
    if lengths is None:
        return states
    inside = np.arange(states.shape[1]) < lengths.numpy()[:, None]
    return states * inside[:, :, None, None]
