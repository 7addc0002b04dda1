"""A recurrent layer over texts of several lengths, each read as if it stood alone. Torch.

Only what is needed of the states: h after every step, and all states after each text's own last
step. Time first.
"""

from typing import cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from rnnviz.cells import split_gates
from rnnviz.model import Direction, StepLoop, flip_time

States = tuple[Float[Tensor, "B H"], ...]  # in the order of Cell.states; the first is h
HELD = 1e4  # a preactivation whose sigmoid is 1, and that of its negative 0, without rounding


def run(
    way: Direction,
    x: Float[Tensor, "T B I"],
    states: States | None = None,
    lengths: Int[Tensor, " B"] | None = None,
    *,
    reverse: bool = False,
) -> tuple[Float[Tensor, "T B H"], States]:
    """The state h after every step, 0 beyond a length, and the states after the last step of each.

    Args:
        states: before the first step; None is zeros.
        lengths: of each text; None: all are T long.
        reverse: each is read from its end. What is given back stands in the text's order.
    """
    if lengths is not None and bool((lengths == len(x)).all()):
        lengths = None
    if reverse:
        x = flip_time(x, lengths)
    before = _zeros(way, x) if states is None else states
    inside = None
    if lengths is not None:
        inside = torch.arange(len(x), device=x.device)[:, None, None] < lengths[:, None]
    out, after = RUNS[way.cell.fused](way, x, before, inside)
    if lengths is not None and inside is not None:
        after = (out[lengths - 1, torch.arange(out.shape[1], device=x.device)], *after[1:])
        out = out * inside
    return flip_time(out, lengths) if reverse else out, after


def _zeros(way: Direction, x: Float[Tensor, "T B I"]) -> States:
    size = way.rnn.get_parameter("weight_hh_l0").shape[1]
    return tuple(x.new_zeros(x.shape[1], size) for _ in way.cell.states)


def _one_state(
    way: Direction, x: Float[Tensor, "T B I"], states: States, inside: Tensor | None
) -> tuple[Float[Tensor, "T B H"], States]:
    """Cells whose only state is h: what comes after a length cannot change what came before."""
    del inside
    out, after = way.rnn(x, states[0][None].contiguous())
    return out, (after[0],)


def _lstm(
    way: Direction, x: Float[Tensor, "T B I"], states: States, inside: Bool[Tensor, "T B 1"] | None
) -> tuple[Float[Tensor, "T B H"], States]:
    """The fused kernel tells c after the very last step only: so beyond a length c is held.

    One more input, 1 where the text has ended, opens the forget gate and shuts the input gate:
    c = 1 c + 0 g, exactly. It is two to three times as fast as packed sequences.
    """
    before = tuple(state[None].contiguous() for state in states)
    if inside is None:
        out, after = way.rnn(x, before)
        return out, tuple(state[0] for state in after)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    reads, *others = (way.rnn.get_parameter(name) for name in names)
    size = len(reads) // 4
    column = reads.new_zeros(4 * size, 1)
    column[:size], column[size : 2 * size] = -HELD, HELD
    weights = (torch.cat((reads, column), dim=1), *others)
    held = torch.cat((x, (~inside).to(x.dtype)), dim=-1)
    training = torch.is_grad_enabled()
    out, h, c = torch.lstm(held, before, weights, True, 1, 0.0, training, False, False)
    return out, (h[0], c[0])


def _loop(
    way: Direction, x: Float[Tensor, "T B I"], states: States, inside: Bool[Tensor, "T B 1"] | None
) -> tuple[Float[Tensor, "T B H"], States]:
    """Step by step, for cells without a fused kernel; beyond a length every state is held."""
    loop = cast(StepLoop, way.rnn)
    gates = len(way.cell.gates)
    # unbind: indexing projected[t] would make the backward pass quadratic in T
    projected = nn.functional.linear(x, loop.weight_ih_l0, loop.bias_ih_l0).unbind(0)
    going = (None,) * len(projected) if inside is None else inside.unbind(0)
    hidden = []
    for step, goes in zip(projected, going, strict=True):
        values = way.cell.activate(split_gates(step, gates), loop.recur, states).values
        after = way.cell.advance(values, states)
        hidden.append(after[0])
        states = after if goes is None else _where(goes, after, states)
    return torch.stack(hidden), states


def _where(goes: Bool[Tensor, "B 1"], after: States, states: States) -> States:
    return tuple(torch.where(goes, new, old) for new, old in zip(after, states, strict=True))


RUNS = {"LSTM": _lstm, "GRU": _one_state, "RNN": _one_state, None: _loop}
