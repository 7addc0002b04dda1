"""Facts about the equations with numbers: they add up, and they give what the trace recorded."""

import dataclasses
import math

import numpy as np
import pytest

from rnnviz.cells import CELLS, recur_with, split_gates
from rnnviz.errors import TraceError
from rnnviz.figures.equations import FORMS, HARD_SIGMA, SIGMA, SQUASHES, equations
from rnnviz.trace import LayerTrace

B, T, IN, H = 2, 6, 3, 4


def layer_trace(name: str, *, reverse: bool = False, dtype: type = np.float64) -> LayerTrace:
    """A cell with random weights run step by step, in NumPy."""
    cell, rng = CELLS[name], np.random.default_rng(7)
    gates = len(cell.gates)
    w, u = rng.normal(0, 0.7, (gates, H, IN)), rng.normal(0, 0.7, (gates, H, H))
    b_w, b_u = rng.normal(0, 0.3, (2, gates, H))
    x = rng.normal(0, 1, (B, T, IN))
    w, u, b_w, b_u, x = (array.astype(dtype) for array in (w, u, b_w, b_u, x))
    recur = recur_with(u, b_u)
    values, pre = np.zeros((2, B, T, gates, H), dtype)
    states = np.zeros((B, T, len(cell.states), H), dtype)
    now = tuple(np.zeros((B, H), dtype) for _ in cell.states)
    for t in reversed(range(T)) if reverse else range(T):
        projected = split_gates(x[:, t] @ w.reshape(-1, IN).T + b_w.reshape(-1), gates)
        result = cell.activate(projected, recur, now)
        now = cell.advance(result.values, now)
        pre[:, t] = np.stack(result.preactivations, axis=1)
        values[:, t] = np.stack(result.values, axis=1)
        states[:, t] = np.stack(now, axis=1)
    return LayerTrace(
        cell=name,
        layer=0,
        reverse=reverse,
        gate_names=tuple(gate.symbol for gate in cell.gates),
        state_names=cell.states,
        inputs=x,
        gates=values,
        preactivations=pre,
        states=states,
        state_grads=None,
        input_weights=w,
        recurrent_weights=u,
        input_bias=b_w,
        recurrent_bias=b_u,
    )


def test_every_cell_has_its_equations():
    assert set(FORMS) == set(CELLS)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", CELLS)
def test_the_numbers_give_what_was_recorded(name, reverse, dtype):
    layer = layer_trace(name, reverse=reverse, dtype=dtype)
    near = {"rel": 1e-10, "abs": 1e-12} if dtype is np.float64 else {"rel": 1e-5, "abs": 1e-6}
    for t in range(T):  # the first step, read from zero states, is among them
        for unit in range(H):
            for equation in equations(layer, sequence=1, t=t, unit=unit):
                assert equation.value == pytest.approx(equation.recorded, **near)
                if equation.symbol in layer.gate_names:
                    row = layer.gate_names.index(equation.symbol)
                    before_squash = layer.preactivations[1, t, row, unit]
                    assert equation.total == pytest.approx(before_squash, **near)


@pytest.mark.parametrize("name", CELLS)
def test_terms_multiply_and_add_up(name):
    for equation in equations(layer_trace(name), sequence=0, t=3, unit=2):
        for term in equation.terms:
            assert len(term.factors) == len(term.factor_names)
            assert term.product == math.prod(term.factors)
        assert equation.total == pytest.approx(sum(term.product for term in equation.terms))
        assert equation.value == SQUASHES[equation.squash](equation.total)


def test_every_weight_and_both_biases_are_there():
    layer = layer_trace("lstm")
    forget = equations(layer, sequence=0, t=2, unit=1)[1]
    assert len(forget.terms) == IN + 1 + H + 1
    expected = layer.input_weights[1, 1] * layer.inputs[0, 2]
    assert [term.product for term in forget.terms[:IN]] == pytest.approx(list(expected))
    expected = layer.recurrent_weights[1, 1] * layer.states[0, 1, 0]
    assert [term.product for term in forget.terms[IN + 1 : -1]] == pytest.approx(list(expected))
    biases = (forget.terms[IN].product, forget.terms[-1].product)
    assert biases == (layer.input_bias[1, 1], layer.recurrent_bias[1, 1])


def test_lstm_texts_name_steps_and_units_from_one():
    i, _, _, _, c, h = equations(layer_trace("lstm"), sequence=0, t=2, unit=1)
    assert i.formula == (
        f"i₂(3) = {SIGMA}(Σₖ W_i[2,k] xₖ(3) + b_Wi[2] + Σⱼ U_i[2,j] hⱼ(2) + b_Ui[2])"
    )
    assert i.terms[0].label == "W_i[2,1] · x₁(3)"
    assert c.formula == "c₂(3) = f₂(3) · c₂(2) + i₂(3) · g₂(3)"
    assert h.formula == "h₂(3) = o₂(3) · tanh(c₂(3))"
    assert (
        c.latex == "c_{2}^{(3)} = f_{2}^{(3)} \\cdot c_{2}^{(2)} + i_{2}^{(3)} \\cdot g_{2}^{(3)}"
    )


def test_the_backward_direction_starts_from_the_step_that_follows():
    layer = layer_trace("rnn", reverse=True)
    first_read, later = T - 1, T - 2
    term = equations(layer, sequence=0, t=later, unit=0)[0].terms[IN + 1]
    assert term.label == f"U_a[1,1] · h₁({T})"
    assert term.factors[1] == layer.states[0, first_read, 0, 0]
    start = equations(layer, sequence=0, t=first_read, unit=0)[0].terms[IN + 1 : -1]
    assert [term.factors[1] for term in start] == [0.0] * H


@pytest.mark.parametrize(
    ("name", "reset", "then"),
    [("gru", "r₁(4)", "r₁(4) · (Σⱼ"), ("gru-before", "r₂(4)", "Σⱼ U_n[1,j] rⱼ(4) hⱼ(3)")],
)
def test_the_two_places_of_the_reset_gate(name, reset, then):
    new = equations(layer_trace(name), sequence=0, t=3, unit=0)[2]
    second = new.terms[IN + 2]
    assert second.factor_names == (reset, "U_n[1,2]", "h₂(3)")
    assert then in new.formula
    assert ("r" in new.terms[-1].label) is (name == "gru")


@pytest.mark.parametrize("z", [-800.0, -3.0, 0.0, 0.5, 3.0, 800.0])
def test_squashes_stay_in_their_range(z):
    assert 0 <= SQUASHES[SIGMA](z) <= 1
    assert 0 <= SQUASHES[HARD_SIGMA](z) <= 1
    assert SQUASHES[SIGMA](z) + SQUASHES[SIGMA](-z) == pytest.approx(1)


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ({"sequence": 2}, "sequence 2 is not in the trace; it must lie in \\[0, 1\\]"),
        ({"t": 6}, "step 6 is not in the trace; it must lie in \\[0, 5\\]"),
        ({"unit": -1}, "unit -1 is not in the trace; it must lie in \\[0, 3\\]"),
    ],
)
def test_an_index_outside_is_refused(where, text):
    with pytest.raises(TraceError, match=text):
        equations(layer_trace("rnn"), **{"sequence": 0, "t": 0, "unit": 0} | where)


def test_an_unknown_cell_is_refused():
    layer = layer_trace("rnn")
    with pytest.raises(TraceError, match="no equations for the cell 'abc', only for lstm"):
        equations(dataclasses.replace(layer, cell="abc"), sequence=0, t=0, unit=0)
    with pytest.raises(TraceError, match="names its gates q; its equations know a"):
        equations(dataclasses.replace(layer, gate_names=("q",)), sequence=0, t=0, unit=0)
