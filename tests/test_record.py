"""What is recorded is what the network did: parity with torch, ranges, gradients."""

import numpy as np
import pytest
import torch
from torch import nn

from rnnviz.cells import CELLS
from rnnviz.config import ModelConfig
from rnnviz.data.dataset import Task
from rnnviz.model import Batch, SequenceModel, loss_of
from rnnviz.record import record

T, B, F, H = 9, 3, 2, 5


def make_model(cell="lstm", *, task=Task.REGRESSION, outputs=1, covariates=0, inputs=F, **settings):
    config = ModelConfig(cell=cell, hidden_size=H, **{"attention": "none", **settings})
    model = SequenceModel(
        config, inputs=inputs, outputs=outputs, covariates=covariates, task=task, seed=1
    )
    return model.double()


def make_batch(model, *, lengths=None, seed=0, outputs=1):
    rng = torch.Generator().manual_seed(seed)
    if model.task is Task.NEXT_TOKEN:
        inputs = torch.randint(model.input_size, (T, B), generator=rng)
        targets = torch.randint(model.input_size, (B, T), generator=rng)
    else:
        inputs = torch.randn(T, B, model.input_size, generator=rng, dtype=torch.double)
        targets = torch.randn(B, outputs, generator=rng, dtype=torch.double)
    if model.task.names_classes:
        shape = (B, T) if model.task.every_step else (B,)
        targets = torch.randint(outputs, shape, generator=rng)
    if model.task is Task.TRACKING:
        targets = torch.randn(B, T, outputs, generator=rng, dtype=torch.double)
    covariates = torch.randn(B, model.covariates, generator=rng, dtype=torch.double)
    if lengths is not None:
        inside = torch.arange(T)[:, None] < lengths
        inputs = inputs * inside.reshape(T, B, *[1] * (inputs.dim() - 2))
    counted = torch.arange(T).expand(B, T) % 3 == 0 if model.task.every_step else None
    return Batch(inputs, lengths, covariates, targets, counted)


def traced(model, batch, **options):
    return record(model, batch, np.arange(B), **options)


SHAPES = pytest.mark.parametrize(
    ("layers", "bidirectional"), [(1, False), (1, True), (2, False), (4, True)]
)


@pytest.mark.parametrize("cell", CELLS)
@SHAPES
def test_recorded_states_obey_the_equations_step_by_step(cell, layers, bidirectional):
    model = make_model(cell, layers=layers, bidirectional=bidirectional)
    trace = traced(model, make_batch(model))
    assert len(trace.layers) == layers * (2 if bidirectional else 1)
    for layer in trace.layers:
        rule = CELLS[layer.cell]
        before = tuple(np.zeros((B, H)) for _ in rule.states)
        steps = range(T - 1, -1, -1) if layer.reverse else range(T)
        for t in steps:
            x = np.einsum("ghi,bi->gbh", layer.input_weights, layer.inputs[:, t])
            x = tuple(x + layer.input_bias[:, None])

            def recur(state, layer=layer):
                product = np.einsum("ghj,bj->gbh", layer.recurrent_weights, state)
                return tuple(product + layer.recurrent_bias[:, None])

            z, values = rule.activate(x, recur, before)
            before = rule.advance(values, before)
            np.testing.assert_allclose(layer.preactivations[:, t], np.stack(z, 1), atol=1e-12)
            np.testing.assert_allclose(layer.gates[:, t], np.stack(values, 1), atol=1e-12)
            np.testing.assert_allclose(layer.states[:, t], np.stack(before, 1), atol=1e-12)


@pytest.mark.parametrize("cell", [name for name, cell in CELLS.items() if cell.fused])
@SHAPES
def test_all_layers_equal_the_stacked_module_of_torch(cell, layers, bidirectional):
    model = make_model(cell, layers=layers, bidirectional=bidirectional)
    rule = CELLS[cell]
    extra = {"nonlinearity": rule.nonlinearity} if rule.nonlinearity else {}
    stacked = getattr(nn, rule.fused)(
        F, H, layers, bidirectional=bidirectional, dtype=torch.double, **extra
    )
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    with torch.no_grad():
        for number, ways in enumerate(model.layers):
            for way, suffix in zip(ways, ("", "_reverse"), strict=False):
                for name in names:
                    theirs = getattr(stacked, f"{name}_l{number}{suffix}")
                    theirs.copy_(getattr(way.rnn, f"{name}_l0"))
    batch = make_batch(model)
    expected = stacked(batch.inputs)[0].detach().transpose(0, 1).numpy()
    trace = traced(model, batch)
    top = np.concatenate([layer.state("h") for layer in trace.top], axis=-1)
    np.testing.assert_allclose(top, expected, atol=1e-10)


@pytest.mark.parametrize("cell", CELLS)
def test_gates_lie_within_their_ranges(cell):
    model = make_model(cell, layers=2, bidirectional=True)
    with torch.no_grad():
        for weights in model.parameters():
            weights *= 3
    for layer in traced(model, make_batch(model)).layers:
        for number, gate in enumerate(CELLS[cell].gates):
            values = layer.gates[:, :, number]
            assert values.min() >= gate.low
            assert values.max() <= gate.high
            assert np.ptp(values) > 0.1


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("lengths", [None, torch.tensor([9, 4, 1])], ids=["full", "ragged"])
@pytest.mark.parametrize(
    ("task", "outputs", "settings"),
    [
        (Task.REGRESSION, 1, {"bidirectional": True, "layers": 2, "attention": "additive"}),
        (Task.REGRESSION, 2, {"layers": 2}),
        (Task.CLASSIFICATION, 3, {"attention": "dot"}),
        (Task.NEXT_TOKEN, F, {"attention": "general", "layers": 2}),
        (Task.TAGGING, 3, {"bidirectional": True, "attention": "dot"}),
        (Task.TRACKING, 2, {"layers": 2}),
    ],
)
def test_gradients_through_time_equal_finite_differences(cell, task, outputs, settings, lengths):
    """Each state is nudged in a step loop that starts from the recorded state before."""
    model = make_model(cell, task=task, outputs=outputs, **settings)
    batch = make_batch(model, lengths=lengths, outputs=outputs)
    trace = traced(model, batch)
    top = trace.layers[-1]
    rng = np.random.default_rng(3)
    for layer in trace.layers:
        for _ in range(4):
            b = int(rng.integers(B))
            t = int(rng.integers(trace.lengths[b]))
            s, unit = int(rng.integers(len(layer.state_names))), int(rng.integers(H))
            if layer.states[b, t, s, unit] == 0:
                continue  # a ReLU's kink: no derivative there
            plus, minus = (nudged_loss(model, batch, layer, (b, t, s, unit), e) for e in EPS)
            assert layer.state_grads[b, t, s, unit] == pytest.approx(
                (plus - minus) / (EPS[0] - EPS[1]), abs=2e-8
            )
    assert np.abs(top.state_grads).max() > 0


EPS = (1e-5, -1e-5)


def nudged_loss(model, batch, nudged, where, amount):
    """The loss of one sequence, with one state changed by `amount` right after one step."""
    b, at, state, unit = where
    lengths = batch.lengths
    x = model.encode(batch.inputs)
    for number, ways in enumerate(model.layers):
        outputs = []
        for way in ways:
            mine = (nudged.layer, nudged.reverse) == (number, way.reverse)
            length = T if lengths is None else int(lengths[b])
            h = torch.zeros(T, B, H, dtype=torch.double)
            states = tuple(torch.zeros(1, H, dtype=torch.double) for _ in way.cell.states)
            order = range(length - 1, -1, -1) if way.reverse else range(length)
            for t in order:
                before = states
                gates, states = one_step(way, x[t, b : b + 1], before)
                if mine and t == at:
                    states = tuple(s.clone() for s in states)
                    states[state][0, unit] += amount
                    if state > 0:  # what is made of the memory in the same step changes as well
                        states = (way.cell.show(gates, before, states[1:]), *states[1:])
                h[t, b] = states[0][0]
            outputs.append(h)
        x = torch.cat(outputs, dim=-1).detach()
    readout = model.read(x, batch)
    return float(loss_of(readout.outputs, batch, model.task)[b].detach())


def one_step(way, x, states):
    with torch.no_grad():
        gates = len(way.cell.gates)
        rnn = way.rnn
        projected = (x @ rnn.weight_ih_l0.T + rnn.bias_ih_l0).chunk(gates, dim=-1)

        def recur(state):
            return (state @ rnn.weight_hh_l0.T + rnn.bias_hh_l0).chunk(gates, dim=-1)

        values = way.cell.activate(projected, recur, states).values
        return values, way.cell.advance(values, states)


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_equal_autograd_hooks(cell):
    model = make_model(cell, layers=2)
    batch = make_batch(model)
    below = {}
    original = model.run_layer

    def watched(layer, x, lengths):
        outputs = original(layer, x, lengths)
        for output in outputs:
            output.register_hook(lambda grad: below.__setitem__(layer, grad))
        return outputs

    model.run_layer = watched
    loss_of(model(batch).outputs, batch, model.task).sum().backward()
    del model.run_layer
    trace = traced(model, batch)
    # the hook sees what enters h_t from above; all paths add what comes back through time
    top = trace.layers[-1]
    last = top.state_grads[:, -1, 0]
    np.testing.assert_allclose(last, below[1][-1].numpy(), atol=1e-10)
    first = trace.layers[0].state_grads[:, -1, 0]
    np.testing.assert_allclose(first, below[0][-1].numpy(), atol=1e-10)


@pytest.mark.parametrize("kind", ["dot", "general", "additive"])
@pytest.mark.parametrize("task", [Task.REGRESSION, Task.NEXT_TOKEN])
def test_attention_rows_sum_to_one_and_never_see_padding(kind, task):
    lengths = torch.tensor([9, 4, 1])
    outputs = F if task is Task.NEXT_TOKEN else 1
    model = make_model(task=task, outputs=outputs, attention=kind)
    trace = traced(model, make_batch(model, lengths=lengths))
    np.testing.assert_allclose(trace.attention.sum(axis=2), 1, atol=1e-12)
    assert (trace.attention >= 0).all()
    for b, length in enumerate(lengths):
        if task is Task.REGRESSION:
            assert (trace.attention[b, :, length:] == 0).all()
        else:
            future = np.triu(np.ones((T, T), bool), 1)
            assert (trace.attention[b][future] == 0).all()
            assert (trace.attention[b, :, max(1, length) :] == 0).all()


def test_long_sequences_in_chunks_equal_one_piece():
    model = make_model("lstm")
    x = torch.randn(1000, 2, F, dtype=torch.double)
    way = model.layers[0][0]
    chunked = way(x, None)
    np.testing.assert_allclose(chunked.detach(), way.rnn(x)[0].detach(), atol=1e-12)


def test_a_state_that_the_cell_lacks_is_named():
    model = make_model("gru")
    trace = traced(model, make_batch(model))
    from rnnviz.errors import TraceError

    with pytest.raises(TraceError, match="no state 'c'; choose one of h"):
        trace.layers[0].state("c")
