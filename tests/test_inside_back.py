"""Back through time: the matrix, the Jacobians and the truncated gradients equal autograd."""

import dataclasses

import numpy as np
import pytest
import torch
from test_inside import FORMS, one
from test_record import B, F, H, T, make_model

from rnnviz.cells import CELLS, split_gates
from rnnviz.data.dataset import Task
from rnnviz.errors import TraceError
from rnnviz.inside.jacobians import products, step_jacobians
from rnnviz.inside.matrix import loss_matrix, loss_steps
from rnnviz.inside.network import Network, sequence_of
from rnnviz.inside.plane import plane_losses, plane_of
from rnnviz.inside.truncated import truncations
from rnnviz.model import Batch, loss_of
from rnnviz.record import record

ROW = 1
ONE_WAY = pytest.mark.parametrize(
    ("task", "outputs", "settings"),
    [
        (Task.REGRESSION, 1, {"layers": 2, "attention": "additive"}),
        (Task.REGRESSION, 2, {}),
        (Task.CLASSIFICATION, 3, {"attention": "dot"}),
        (Task.CLASSIFICATION, 3, {"attention": "general", "layers": 2}),
        (Task.NEXT_TOKEN, F, {"layers": 2}),
        (Task.NEXT_TOKEN, F, {"attention": "additive"}),
        (Task.NEXT_TOKEN, F, {"attention": "general"}),
    ],
)


def counted_steps(task):
    """As make_batch has them."""
    return list(range(0, T, 3 if task.every_step else 1))


def looked_at(cell, task, outputs, settings):
    model, batch, trace, _ = one(cell, task, outputs, settings, b=ROW)
    network, sequence = Network.of(trace), sequence_of(trace, ROW)
    return model, batch, trace, network, sequence, network.run(sequence)


def states_of(way, x):
    """All states of one direction, under autograd: [steps][states] of [1 H]."""
    cell, rnn, size = way.cell, way.rnn, way.rnn.weight_hh_l0.shape[1]

    def recur(state):
        both = torch.nn.functional.linear(state, rnn.weight_hh_l0, rnn.bias_hh_l0)
        return split_gates(both, len(cell.gates))

    now, found = tuple(torch.zeros(1, size, dtype=x.dtype) for _ in cell.states), []
    for step in torch.nn.functional.linear(x, rnn.weight_ih_l0, rnn.bias_ih_l0).unbind(0):
        found.append(
            now := cell.advance(
                cell.activate(split_gates(step, len(cell.gates)), recur, now).values, now
            )
        )
    return found


def loss_by_loss(model, batch, s):
    """L_s of one sequence and every layer's states, whose gradients are asked for."""
    x, kept = model.encode(batch.inputs[: s + 1, ROW : ROW + 1]), []
    for layer in range(len(model.layers)):
        found = states_of(model.ways(layer)[0], x)
        for states in found:
            for state in states:
                state.retain_grad()
        kept.append(found)
        x = torch.stack([states[0] for states in found])
    every = model.task is Task.NEXT_TOKEN
    targets = batch.targets[ROW : ROW + 1]
    asked = Batch(
        batch.inputs[: s + 1, ROW : ROW + 1], None, batch.covariates[ROW : ROW + 1], targets
    )
    outputs = model.read(x, asked).outputs
    if every:
        return torch.nn.functional.cross_entropy(outputs[0, -1:], targets[0, s : s + 1]), kept
    return loss_of(outputs, asked, model.task)[0], kept


@pytest.mark.parametrize("cell", CELLS)
@ONE_WAY
def test_every_loss_reaches_every_state_as_autograd_has_it(cell, task, outputs, settings):
    model, batch, _, network, sequence, done = looked_at(cell, task, outputs, settings)
    matrix = loss_matrix(network, sequence, done)
    assert matrix.losses.tolist() == counted_steps(task)
    for row, s in enumerate(matrix.losses):
        loss, kept = loss_by_loss(model, batch, s)
        loss.backward()
        assert matrix.values[row] == pytest.approx(loss.item(), abs=1e-9)
        for layer, found in enumerate(kept):
            for k in range(len(CELLS[cell].states)):
                theirs = [states[k].grad for states in found]
                theirs = [0.0 if g is None else g.norm().item() for g in theirs]
                mine = matrix.norms[layer][k][row]
                np.testing.assert_allclose(mine[: s + 1], theirs, atol=1e-9)
                assert (mine[s + 1 :] == 0).all()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("attention", ["none", "additive"])
def test_the_last_row_is_the_gradient_of_the_trace(cell, attention):
    _, _, trace, network, sequence, done = looked_at(
        cell, Task.REGRESSION, 1, {"layers": 2, "attention": attention}
    )
    matrix = loss_matrix(network, sequence, done, most=3)
    assert len(matrix.losses) == 3
    assert matrix.losses[-1] == T - 1
    for layer, norms in zip(trace.layers, matrix.norms, strict=True):
        for k, found in enumerate(norms):
            theirs = np.linalg.norm(layer.state_grads[ROW, :, k], axis=-1)
            np.testing.assert_allclose(found[-1], theirs, atol=1e-12)


def test_blocks_of_losses_change_nothing(monkeypatch):
    from rnnviz.inside import matrix as at

    *_, network, sequence, done = looked_at("lstm", Task.NEXT_TOKEN, F, {"layers": 2})
    whole = loss_matrix(network, sequence, done)
    monkeypatch.setattr(at, "_BLOCK_BYTES", 1)
    parts = loss_matrix(network, sequence, done)
    for a, b in zip(whole.norms, parts.norms, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=0)


def test_a_network_of_both_directions_has_no_matrix():
    *_, network, sequence, done = looked_at("gru", Task.REGRESSION, 1, {"bidirectional": True})
    with pytest.raises(TraceError, match="reads in both directions"):
        loss_matrix(network, sequence, done)


def test_large_networks_are_asked_for_fewer_losses():
    *_, network, sequence, _ = looked_at("lstm", Task.REGRESSION, 1, {})
    longer = dataclasses.replace(sequence, inputs=np.zeros((300, F)))
    found = loss_steps(network, network.run(longer))
    assert found.tolist() == sorted({*found.tolist()})
    assert (len(found), found[-1]) == (200, 299)


@pytest.mark.parametrize("task", [Task.TAGGING, Task.TRACKING], ids=lambda task: task.value)
def test_steps_without_a_target_are_no_losses(task):
    model = make_model("gru", task=task, outputs=3)
    rng = torch.Generator().manual_seed(0)
    targets = torch.randn(B, T, 3, generator=rng, dtype=torch.double)
    counted = torch.arange(T).expand(B, T) >= 4
    batch = Batch(
        torch.randn(T, B, F, generator=rng, dtype=torch.double),
        None,
        torch.zeros(B, 0, dtype=torch.double),
        targets if task.numeric else targets.argmax(dim=2),
        counted,
    )
    trace = record(model, batch, np.arange(B))
    network, sequence = Network.of(trace), sequence_of(trace, ROW)
    done = network.run(sequence)
    assert done.loss == pytest.approx(loss_of(model(batch).outputs, batch, task)[ROW].item())
    matrix = loss_matrix(network, sequence, done)
    assert matrix.losses.tolist() == list(range(4, T))
    grads = network.gradients(done, sequence.targets).ways[0].states[0][:, 0]
    np.testing.assert_allclose(grads, trace.layers[0].state_grads[ROW, :, 0], atol=1e-12)
    found = truncations(network, done, sequence.targets)
    assert found.cosines[-1] == pytest.approx(1.0)
    plane = plane_of(network, sequence, 0)
    assert plane_losses(plane, sequence, np.zeros(1), np.zeros(1))[0] == pytest.approx(done.loss)


# -- Jacobians -------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
def test_step_jacobians_equal_autograd(cell):
    model, batch, _, network, _, done = looked_at(cell, Task.REGRESSION, 1, {})
    way, steps = network.ways[0], done.steps[0]
    mine = step_jacobians(way.cell, way.weights, steps, 0, T)
    rnn, count = model.ways(0)[0].rnn, len(way.cell.states)

    def recur(state):
        both = torch.nn.functional.linear(state, rnn.weight_hh_l0, rnn.bias_hh_l0)
        return split_gates(both, len(way.cell.gates))

    for t in range(T):
        x = torch.nn.functional.linear(batch.inputs[t, ROW], rnn.weight_ih_l0, rnn.bias_ih_l0)
        parts = split_gates(x, len(way.cell.gates))

        def step(*before, parts=parts):
            return way.cell.advance(way.cell.activate(parts, recur, before).values, before)

        before = tuple(torch.from_numpy(state[t, 0].copy()) for state in steps.before)
        theirs = torch.autograd.functional.jacobian(step, before)
        theirs = np.block([[part.numpy() for part in row] for row in theirs])
        assert mine[t].shape == (count * H, count * H)
        np.testing.assert_allclose(mine[t], theirs, atol=1e-9)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("t", [0, 1, T - 1])
def test_the_norm_of_the_product_stays_below_its_bounds(cell, t):
    *_, network, _, done = looked_at(cell, Task.REGRESSION, 1, {})
    way, steps = network.ways[0], done.steps[0]
    found = products(way.cell, way.weights, steps, t)
    assert found.unreached == 0
    assert len(found.norm) == t + 1
    each = step_jacobians(way.cell, way.weights, steps, 0, T)
    product = np.eye(each.shape[1])
    for d in range(t + 1):
        assert 10 ** found.norm[d] == pytest.approx(np.linalg.norm(product, 2), rel=1e-9)
        product = product @ each[t - d]
    assert (found.norm <= found.bound + 1e-9).all()
    assert (found.slope_bound is None) == (not cell.startswith("rnn"))
    if found.slope_bound is not None:
        assert (found.bound <= found.slope_bound + 1e-9).all()


def test_the_product_of_gates_is_that_of_the_trace():
    *_, trace, network, _, done = looked_at("lstm", Task.REGRESSION, 1, {})
    found = products(network.ways[0].cell, network.ways[0].weights, done.steps[0], T - 1)
    gates = trace.layers[0].gate("f")[ROW].astype(float)
    expected = [np.log10(gates[T - d :].prod(axis=0)) for d in range(T)]
    assert found.kept_gate == "f"
    np.testing.assert_allclose(found.kept, expected, atol=1e-9)


def test_products_that_no_float_holds_are_still_told():
    *_, network, _, done = looked_at("rnn", Task.REGRESSION, 1, {})
    way = network.ways[0]
    small = way.weights._replace(recurrent=way.weights.recurrent * 1e-60)
    found = products(way.cell, small, done.steps[0], T - 1)
    assert np.isfinite(found.norm).all()
    assert found.norm[-1] < -400


def test_jacobians_that_are_not_finite_do_no_harm():
    *_, network, _, done = looked_at("rnn", Task.REGRESSION, 1, {})
    way = network.ways[0]
    broken = way.weights._replace(recurrent=np.full_like(way.weights.recurrent, np.inf))
    with np.errstate(invalid="ignore"):
        found = products(way.cell, broken, done.steps[0], T - 1)
    assert (found.bound[1:] == np.inf).all()


# -- truncation ------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
@FORMS
def test_followed_all_the_way_it_is_the_full_gradient(cell, task, outputs, settings):
    *_, network, sequence, done = looked_at(cell, task, outputs, settings)
    found = truncations(network, done, sequence.targets)
    assert found.lengths == tuple(range(1, T + 1))
    full = network.gradients(done, sequence.targets).weights
    norm = np.sqrt(sum((part**2).sum() for way in full for part in way))
    assert found.norms[-1] == pytest.approx(norm, abs=1e-12)
    assert found.cosines[-1] == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("task", [Task.REGRESSION, Task.NEXT_TOKEN], ids=lambda t: t.value)
def test_a_truncated_gradient_equals_autograd_with_states_cut(cell, task):
    outputs = F if task is Task.NEXT_TOKEN else 1
    model, batch, _, network, sequence, done = looked_at(cell, task, outputs, {})
    found = truncations(network, done, sequence.targets)
    way = model.ways(0)[0]
    for k in (1, 3, T - 1):
        model.zero_grad()
        for s in counted_steps(task) if task.every_step else (T - 1,):
            cut_loss(model, batch, s, k).backward()
        theirs = np.sqrt(sum((w.grad.numpy() ** 2).sum() for w in way.rnn.parameters()))
        assert found.norms[k - 1] == pytest.approx(theirs, abs=1e-9)


def cut_loss(model, batch, s, k):
    """What step s adds to the loss, its gradient followed k steps back: earlier states are cut."""
    way = model.ways(0)[0]
    x = model.encode(batch.inputs[:, ROW : ROW + 1])
    first = max(0, s + 1 - k)
    with torch.no_grad():
        before = states_of(way, x[:first])[-1] if first else None
    rnn, gates = way.rnn, len(way.cell.gates)

    def recur(state):
        both = torch.nn.functional.linear(state, rnn.weight_hh_l0, rnn.bias_hh_l0)
        return split_gates(both, gates)

    now = before or tuple(torch.zeros(1, H, dtype=x.dtype) for _ in way.cell.states)
    for step in torch.nn.functional.linear(x[first : s + 1], rnn.weight_ih_l0, rnn.bias_ih_l0):
        now = way.cell.advance(way.cell.activate(split_gates(step, gates), recur, now).values, now)
    outputs = model.head(now[0])
    if model.task is Task.NEXT_TOKEN:
        return torch.nn.functional.cross_entropy(outputs, batch.targets[ROW, s : s + 1]) / len(
            counted_steps(model.task)
        )
    return ((outputs - batch.targets[ROW : ROW + 1]) ** 2).mean()


def test_there_are_several_sequences():
    assert ROW < B
