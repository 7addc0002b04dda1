"""The published numbers of 'Building your RNN, step by step', through the product's own cells."""

import json

import numpy as np
import pytest
import torch

from rnnviz.cells import CELLS, split_gates


@pytest.fixture
def golden(shared):
    return json.loads((shared / "golden" / "step_by_step.json").read_text())


def draws(*shapes):
    np.random.seed(1)
    return [np.random.randn(*shape) for shape in shapes]


def softmax(z):
    e = np.exp(z - z.max(axis=0))
    return e / e.sum(axis=0)


def step(cell, x, states, w, u, b):
    """One step of a cell; arrays are (features, examples) as in the source."""
    gates = len(cell.gates)
    projected = split_gates(x.T @ w.T + b.T, gates)
    before = tuple(state.T for state in states)
    z = cell.activate(projected, lambda h: split_gates(h @ u.T, gates), before)
    return tuple(state.T for state in cell.advance(z.values, before))


def test_one_step_of_an_rnn(golden):
    x, a, waa, wax, wya, ba, by = draws((3, 10), (5, 10), (5, 5), (5, 3), (2, 5), (5, 1), (2, 1))
    (after,) = step(CELLS["rnn"], x, (a,), wax, waa, ba)
    expected = golden["rnn_cell_forward"]
    np.testing.assert_allclose(after[4], expected["a_next[4]"], atol=1e-6)
    y = softmax(wya @ after + by)
    np.testing.assert_allclose(y[1][:3], expected["yt_pred[1][:3]"], atol=1e-6)


def test_a_whole_sequence_of_an_rnn(golden):
    x, a, waa, wax, wya, ba, by = draws((3, 10, 4), (5, 10), (5, 5), (5, 3), (2, 5), (5, 1), (2, 1))
    states, outputs = [], []
    for t in range(4):
        (a,) = step(CELLS["rnn"], x[:, :, t], (a,), wax, waa, ba)
        states.append(a)
        outputs.append(softmax(wya @ a + by))
    expected = golden["rnn_forward"]
    np.testing.assert_allclose([s[4][1] for s in states], expected["a[4][1]"], atol=1e-6)
    np.testing.assert_allclose([y[1][3] for y in outputs], expected["y_pred[1][3]"], atol=1e-6)


LSTM_SHAPES = ((3, 10), (5, 10), (5, 10)) + ((5, 8), (5, 1)) * 4 + ((2, 5), (2, 1))


def lstm_weights(drawn):
    """The source's f, i, o, c blocks over [a; x] as W, U and b in the cell's order i, f, g, o."""
    wf, bf, wi, bi, wo, bo, wc, bc = drawn[3:11]
    blocks = np.concatenate([wi, wf, wc, wo])
    return blocks[:, 5:], blocks[:, :5], np.concatenate([bi, bf, bc, bo])


def test_one_step_of_an_lstm(golden):
    drawn = draws(*LSTM_SHAPES)
    x, a, c, wy, by = *drawn[:3], *drawn[11:]
    after, memory = step(CELLS["lstm"], x, (a, c), *lstm_weights(drawn))
    expected = golden["lstm_cell_forward"]
    np.testing.assert_allclose(after[4][:3], expected["a_next[4][:3]"], atol=1e-6)
    np.testing.assert_allclose(memory[2][:3], expected["c_next[2][:3]"], atol=1e-6)
    y = softmax(wy @ after + by)
    np.testing.assert_allclose(y[1][:2], expected["yt_pred[1][:2]"], atol=1e-6)


def gradients(cell, arrays, adjoints):
    """Of sum(adjoint * state) by every array, through the cell's own equations."""
    x, *states, w, u, b = (torch.tensor(array, requires_grad=True) for array in arrays)
    after = step(cell, x, states, w, u, b)
    total = sum((torch.tensor(d) * s).sum() for d, s in zip(adjoints, after, strict=True))
    return [grad.numpy() for grad in torch.autograd.grad(total, [x, *states, w, u, b])]


def test_one_step_back_through_an_rnn(golden):
    x, a, wax, waa, _, ba, _, da = draws(
        (3, 10), (5, 10), (5, 3), (5, 5), (2, 5), (5, 1), (2, 1), (5, 10)
    )
    dx, da_before, dw, du, db = gradients(CELLS["rnn"], (x, a, wax, waa, ba), (da,))
    found = [dx[1][2], da_before[2][3], dw[3][1], du[1][2], db[4][0]]
    expected = golden["rnn_cell_backward"]
    names = ["dxt[1][2]", "da_prev[2][3]", "dWax[3][1]", "dWaa[1][2]", "dba[4]"]
    np.testing.assert_allclose(found, [expected[name] for name in names], atol=1e-6)


def test_one_step_back_through_an_lstm(golden):
    drawn = draws(*LSTM_SHAPES, (5, 10), (5, 10))
    x, a, c, da, dc = *drawn[:3], *drawn[13:]
    w, u, b = lstm_weights(drawn)
    dx, da_before, dc_before, dw, du, _ = gradients(CELLS["lstm"], (x, a, c, w, u, b), (da, dc))
    whole = np.concatenate([du, dw], axis=1)  # over [a; x], rows i, f, g, o
    found = [dx[1][2], da_before[2][3], dc_before[2][3]]
    found += [whole[5 + 3][1], whole[1][2], whole[10 + 3][1], whole[15 + 1][2]]
    expected = golden["lstm_cell_backward"]
    names = ["dxt[1][2]", "da_prev[2][3]", "dc_prev[2][3]"]
    names += ["dWf[3][1]", "dWi[1][2]", "dWc[3][1]", "dWo[1][2]"]
    np.testing.assert_allclose(found, [expected[name] for name in names], atol=1e-6)
