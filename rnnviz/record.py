"""record(model, batch) -> Trace: every gate, state and gradient of a few sequences.

No step loop under autograd. The state h of all steps comes from the fused pass, so all gates of
all steps are two matrix products; only the other states need a scan. Gradients through time come
in closed form (rnnviz.inside.steps); autograd is asked for those of the readout alone.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from rnnviz.data.dataset import Scaler, Task
from rnnviz.denormals import flushed
from rnnviz.inside.steps import Replay, Weights, backward, by_input, replay
from rnnviz.model import Batch, Direction, SequenceModel, flip_time, loss_of
from rnnviz.trace import DenseTrace, LayerTrace, ReadoutTrace, Scaling, Trace


def record(
    model: SequenceModel,
    batch: Batch,
    sequences: Int[np.ndarray, " B"],
    *,
    epoch: int = 0,
    step: int = 0,
    target: Scaler | None = None,
    scaled: Scaler | None = None,
    gradients: bool = True,
) -> Trace:
    """The trace of a batch, dropout off.

    Args:
        sequences: rows of the dataset that the batch holds.
        target: brings outputs and targets back to the target's unit (regression).
        scaled: what the inputs went through; None where they are the data set's own.
        gradients: whether dL/dh_t and dL/dc_t are wanted; L is a sequence's own loss.
    """
    table = None if model.embedding is None else _copied(model.embedding.weight)
    inputs, hidden = _forward(model, batch)
    top = torch.cat(hidden[-1], dim=-1).detach().requires_grad_(gradients)
    with torch.set_grad_enabled(gradients):
        readout = model.read(top, batch)
        loss = loss_of(readout.outputs, batch, model.task)
    above = torch.autograd.grad(loss.sum(), top)[0] if gradients else None
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
        layers=_layers(model, batch, inputs, hidden, above, table),
        scores=None if attended is None else attended.scores.detach().numpy(),
        attention=None if attended is None else attended.weights.detach().numpy(),
        counted=None if batch.counted is None else batch.counted.numpy(),
        readout=_readout_trace(model, batch, target),
        scaling=None if scaled is None else Scaling(mean=scaled.mean, sd=scaled.sd),
        embedding=table,
    )


def _readout_trace(model: SequenceModel, batch: Batch, target: Scaler | None) -> ReadoutTrace:
    attention = model.attention
    forms = (*(form.activation for form in model.dense_layers), "linear")
    scaler = Scaler.identity(len(model.head.bias)) if target is None else target

    def weights(name: str) -> np.ndarray | None:
        layer = getattr(attention, name, None)
        return None if layer is None else _copied(layer.weight)

    score = weights("score")
    return ReadoutTrace(
        attention=model.config.attention,
        keys=weights("keys"),
        queries=weights("queries"),
        score=None if score is None else score[0],
        covariates=_copied(batch.covariates[:, : model.covariates]),
        dense=tuple(
            DenseTrace(weights=_copied(layer.weight), bias=_copied(layer.bias), activation=form)
            for layer, form in zip((*model.dense, model.head), forms, strict=True)
        ),
        every_step=model.task.every_step,
        probabilities=not model.task.numeric,
        mean=np.asarray(scaler.mean),
        sd=np.asarray(scaler.sd),
    )


def _copied(values: Tensor) -> np.ndarray:
    return values.detach().numpy().copy()


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
    """What each layer read (the first one-hot tokens), and the states of its directions."""
    inputs, hidden = [], []
    with torch.no_grad():
        x = model.encode(batch.inputs)
        for layer in range(len(model.layers)):
            inputs.append(x if layer else model.one_hot(batch.inputs))
            hidden.append(model.run_layer(layer, x, batch.lengths))
            x = torch.cat(hidden[-1], dim=-1)
    return inputs, hidden


Turn = Callable[[Tensor], Tensor]  # between real time and the order in which a direction reads


def _layers(
    model: SequenceModel,
    batch: Batch,
    inputs: list[Tensor],
    hidden: list[tuple[Tensor, ...]],
    above: Tensor | None,
    table: Float[np.ndarray, "V E"] | None,
) -> tuple[LayerTrace, ...]:
    """The traces of all layers; `above` is dL/dh of the top one, where gradients are wanted."""
    layers: list[LayerTrace] = []
    # a network that diverges is traced as it is: its infinities are its numbers
    with flushed(), np.errstate(over="ignore", invalid="ignore"):
        for layer in reversed(range(len(model.layers))):
            embedded = table if layer == 0 else None
            x, h = inputs[layer], hidden[layer]
            traced, above = _layer(model, layer, x, h, batch.lengths, above, embedded)
            layers[:0] = traced
    return tuple(layers)


def _layer(
    model: SequenceModel,
    layer: int,
    x: Float[Tensor, "T B I"],
    hidden: tuple[Float[Tensor, "T B H"], ...],
    lengths: Int[Tensor, " B"] | None,
    above: Float[Tensor, "T B D"] | None,
    table: Float[np.ndarray, "V E"] | None,
) -> tuple[list[LayerTrace], Tensor | None]:
    """The traces of a layer's directions, and dL/dx for the layer below.

    Where tokens are embedded, W (E o) = (W E) o: the layer is taken to read them one-hot.
    """
    traced, below = [], None
    from_above = (None,) * len(hidden) if above is None else above.chunk(len(hidden), dim=-1)
    for way, h, outer in zip(model.ways(layer), hidden, from_above, strict=True):

        def turn(values: Tensor, reverse: bool = way.reverse) -> Tensor:
            return flip_time(values, lengths) if reverse else values

        own = weights_of(way)
        weights = own if table is None else own._replace(input=own.input @ table.T)
        steps = replay(way.cell, weights, turn(x).numpy(), turn(h).numpy())
        grads = None
        if outer is not None:
            back = backward(way.cell, weights, steps, turn(outer).numpy())
            read = turn(torch.from_numpy(by_input(weights, back)))
            below = read if below is None else below + read
            grads = _real_time(turn, back.states)
        found = _layer_trace(way, layer, x, weights, steps, grads, turn, lengths)
        traced.append(found if table is None else replace(found, embedded_weights=own.input))
    return traced, below


def _layer_trace(
    way: Direction,
    layer: int,
    x: Float[Tensor, "T B I"],
    weights: Weights,
    steps: Replay,
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
        gates=_real_time(turn, steps.gates),
        preactivations=_real_time(turn, steps.preactivations),
        states=_masked(_real_time(turn, steps.states), lengths),
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
