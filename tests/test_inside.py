"""A recorded network done over in NumPy is the network: its outputs, and all of its gradients."""

import numpy as np
import pytest
import torch

from rnnviz.cells import CELLS
from rnnviz.config import Dense
from rnnviz.data.dataset import Scaler, Task
from rnnviz.inside.network import Network, sequence_of
from rnnviz.model import SequenceModel, loss_of
from rnnviz.record import record
from tests.test_record import B, F, H, T, make_batch, make_model

FORMS = pytest.mark.parametrize(
    ("task", "outputs", "settings"),
    [
        (Task.REGRESSION, 1, {"bidirectional": True, "layers": 2, "attention": "additive"}),
        (Task.REGRESSION, 2, {"layers": 3}),
        (Task.CLASSIFICATION, 3, {"attention": "dot", "bidirectional": True}),
        (Task.CLASSIFICATION, 3, {"attention": "general"}),
        (Task.NEXT_TOKEN, F, {"attention": "general", "layers": 2}),
        (Task.NEXT_TOKEN, F, {"attention": "additive"}),
        (Task.NEXT_TOKEN, F, {"attention": "dot"}),
        (Task.TAGGING, 3, {"attention": "additive", "bidirectional": True}),
        (Task.TRACKING, 2, {"attention": "general", "layers": 2}),
    ],
)
UNIT = Scaler(mean=np.array([28.0]), sd=np.array([6.0]))


def one(cell, task, outputs, settings, *, b=1, lengths=None):
    """A trace, the model's own loss of its sequence b, and the model."""
    model = make_model(cell, task=task, outputs=outputs, **settings)
    batch = make_batch(model, lengths=lengths, outputs=outputs)
    unit = UNIT if (task, outputs) == (Task.REGRESSION, 1) else None
    trace = record(model, batch, np.arange(B), target=unit)
    return model, batch, trace, loss_of(model(batch).outputs, batch, task)[b]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("lengths", [None, torch.tensor([9, 4, 1])], ids=["full", "ragged"])
@FORMS
def test_outputs_and_all_gradients_equal_autograd(cell, task, outputs, settings, lengths):
    model, _, trace, loss = one(cell, task, outputs, settings, lengths=lengths)
    network, sequence = Network.of(trace), sequence_of(trace, 1)
    done = network.run(sequence)
    assert done.loss == pytest.approx(loss.item(), abs=1e-12)
    shown = trace.outputs[1][: len(done.outputs)]
    np.testing.assert_allclose(done.outputs, shown, atol=1e-9)
    found = network.gradients(done, sequence.targets)
    loss.backward()
    for place, way in enumerate(w for layer in model.layers for w in layer):
        mine = found.weights[place]
        for name, values in zip(
            ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"), mine, strict=True
        ):
            theirs = getattr(way.rnn, name).grad.numpy()
            np.testing.assert_allclose(values.reshape(theirs.shape), theirs, atol=1e-9)
    np.testing.assert_allclose(
        found.readout.dense[-1].weights, model.head.weight.grad.numpy(), atol=1e-9
    )
    for name in ("keys", "queries", "score"):
        if getattr(found.readout, name) is not None:
            theirs = getattr(model.attention, name).weight.grad.numpy()
            mine = getattr(found.readout, name)
            np.testing.assert_allclose(mine.reshape(theirs.shape), theirs, atol=1e-9)


@pytest.mark.parametrize("cell", CELLS)
def test_state_gradients_equal_those_of_the_trace(cell):
    settings = {"bidirectional": True, "layers": 2, "attention": "additive"}
    lengths = torch.tensor([9, 4, 1])
    _, _, trace, _ = one(cell, Task.REGRESSION, 1, settings, lengths=lengths)
    network = Network.of(trace)
    for row in range(B):
        sequence = sequence_of(trace, row)
        found = network.gradients(network.run(sequence), sequence.targets)
        for layer, back in zip(trace.layers, found.ways, strict=True):
            mine = np.stack(back.states, axis=2)[:, 0]
            mine = mine[::-1] if layer.reverse else mine
            shown = layer.state_grads[row, : trace.lengths[row]]
            np.testing.assert_allclose(mine, shown, atol=1e-12)


def test_gradients_by_the_inputs_equal_autograd():
    model, batch, trace, _ = one("gru-before", Task.REGRESSION, 2, {"layers": 2})
    inputs = batch.inputs.clone().requires_grad_()
    loss_of(model(batch._replace(inputs=inputs)).outputs, batch, model.task)[1].backward()
    network, sequence = Network.of(trace), sequence_of(trace, 1)
    found = network.gradients(network.run(sequence), sequence.targets)
    np.testing.assert_allclose(found.inputs, inputs.grad[:, 1].numpy(), atol=1e-9)


def test_dense_layers_and_covariates_are_part_of_it():
    from rnnviz.config import ModelConfig

    config = ModelConfig(cell="lstm", hidden_size=H, attention="none", covariates=True)
    dense = (Dense(4, "tanh"), Dense(3, "relu"))
    model = SequenceModel(
        config, inputs=F, outputs=1, covariates=2, task=Task.REGRESSION, seed=1, dense=dense
    ).double()
    batch = make_batch(model)
    trace = record(model, batch, np.arange(B), target=UNIT)
    network, sequence = Network.of(trace), sequence_of(trace, 0)
    done = network.run(sequence)
    loss = loss_of(model(batch).outputs, batch, model.task)[0]
    assert done.loss == pytest.approx(loss.item(), abs=1e-12)
    loss.backward()
    found = network.gradients(done, sequence.targets)
    for mine, theirs in zip(found.readout.dense, (*model.dense, model.head), strict=True):
        np.testing.assert_allclose(mine.weights, theirs.weight.grad.numpy(), atol=1e-9)
        np.testing.assert_allclose(mine.bias, theirs.bias.grad.numpy(), atol=1e-9)


def test_every_step_is_in_the_trace_as_well():
    _, _, trace, _ = one("lstm", Task.REGRESSION, 1, {"layers": 2})
    done = Network.of(trace).run(sequence_of(trace, 2))
    for layer, steps in zip(trace.layers, done.steps, strict=True):
        assert steps.states[0].shape == (T, 1, H)
        np.testing.assert_allclose(np.stack(steps.gates, 2)[:, 0], layer.gates[2], atol=1e-12)
        np.testing.assert_allclose(np.stack(steps.states, 2)[:, 0], layer.states[2], atol=1e-12)
