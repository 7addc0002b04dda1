"""One plain step is torch's: SGD after clip_grad_norm_, weight by weight, and the loss after it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from test_inside import FORMS, UNIT, one
from test_record import B, F, H, make_batch

from rnnviz.cells import CELLS
from rnnviz.config import Dense, ModelConfig
from rnnviz.data.dataset import Task
from rnnviz.errors import TraceError
from rnnviz.inside.network import Network, sequence_of
from rnnviz.inside.update import Update, factor_of, updated
from rnnviz.model import SequenceModel, loss_of
from rnnviz.record import record

RATE = 0.3
NAMES = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


def torch_step(model, loss, threshold: float) -> float:
    """One step of SGD on the model itself; the gradient's norm before clipping."""
    optimiser = torch.optim.SGD(model.parameters(), lr=RATE)
    optimiser.zero_grad()
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), threshold or float("inf"))
    optimiser.step()
    return norm.item()


def same_weights(found: Update, model) -> None:
    """Every weight of the network after the step is the model's."""
    ways = [way for layer in model.layers for way in layer]
    for mine, way in zip(found.network.ways, ways, strict=True):
        for name, values in zip(NAMES, mine.weights, strict=True):
            theirs = getattr(way.rnn, name).detach().numpy()
            np.testing.assert_allclose(values.reshape(theirs.shape), theirs, atol=1e-9)
    for mine, theirs in zip(found.network.readout.dense, (*model.dense, model.head), strict=True):
        np.testing.assert_allclose(mine.weights, theirs.weight.detach().numpy(), atol=1e-9)
        np.testing.assert_allclose(mine.bias, theirs.bias.detach().numpy(), atol=1e-9)
    for name in ("keys", "queries", "score"):
        mine = getattr(found.network.readout, name)
        if mine is not None:
            theirs = getattr(model.attention, name).weight.detach().numpy()
            np.testing.assert_allclose(mine.reshape(theirs.shape), theirs, atol=1e-9)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("threshold", [0.0, 0.05, 1000.0], ids=["off", "clipped", "longer"])
@FORMS
def test_a_step_equals_torchs(cell, threshold, task, outputs, settings):
    model, batch, trace, loss = one(cell, task, outputs, settings)
    network, sequence = Network.of(trace), sequence_of(trace, 1)
    found = updated(network, sequence, rate=RATE, threshold=threshold)
    norm = torch_step(model, loss, threshold)
    assert found.norm == pytest.approx(norm, rel=1e-9)
    assert (found.factor < 1) == (threshold == 0.05)
    same_weights(found, model)
    after = loss_of(model(batch).outputs, batch, task)[1].item()
    assert found.before.loss == pytest.approx(loss.item(), abs=1e-9)
    assert found.after.loss == pytest.approx(after, abs=1e-9)


def test_dense_layers_and_covariates_move_as_well():
    config = ModelConfig(cell="gru", hidden_size=H, attention="none", covariates=True)
    dense = (Dense(4, "tanh"), Dense(3, "relu"))
    model = SequenceModel(
        config, inputs=F, outputs=1, covariates=2, task=Task.REGRESSION, seed=1, dense=dense
    ).double()
    batch = make_batch(model)
    trace = record(model, batch, np.arange(B), target=UNIT)
    found = updated(Network.of(trace), sequence_of(trace, 0), rate=RATE, threshold=0.1)
    torch_step(model, loss_of(model(batch).outputs, batch, model.task)[0], 0.1)
    same_weights(found, model)
    parts = [(m.part, m.symbol) for m in found.matrices]
    assert parts[4:] == [
        (part, symbol)
        for part in ("dense layer 1", "dense layer 2", "head")
        for symbol in ("W", "b")
    ]


def test_lengths_add_up_to_the_norm_and_to_the_step():
    settings = {"bidirectional": True, "layers": 2, "attention": "additive"}
    _, _, trace, _ = one("lstm", Task.REGRESSION, 1, settings)
    network = Network.of(trace)
    found = updated(network, sequence_of(trace, 0), rate=RATE, threshold=0.05)
    assert len(found.matrices) == 4 * 4 + 3 + 2
    total = sum(matrix.gradient**2 for matrix in found.matrices)
    assert total == pytest.approx(found.norm**2)
    step = np.sqrt(sum(matrix.change**2 for matrix in found.matrices))
    assert step == pytest.approx(RATE * 0.05, rel=1e-4)  # as long as the threshold lets it be
    before, after = network.ways[0].weights.input, found.network.ways[0].weights.input
    assert found.matrices[0].change == pytest.approx(np.linalg.norm(after - before))
    assert found.matrices[0].length == pytest.approx(np.linalg.norm(before))
    assert found.matrices[0].shape == (4 * H, F)
    assert found.matrices[0].part == "layer 1, forward"


@pytest.mark.parametrize("norm", [0.0, 0.5, 1.0, 3.0, 1e9])
def test_the_factor_shortens_to_the_threshold_and_never_lengthens(norm):
    assert factor_of(norm, 0.0) == 1.0
    factor = factor_of(norm, 1.0)
    assert 0 < factor <= 1
    assert factor * norm == pytest.approx(min(norm, 1.0), rel=1e-5)


def test_a_small_enough_step_goes_down_by_what_the_gradient_says():
    _, _, trace, _ = one("gru", Task.NEXT_TOKEN, F, {})
    found = updated(Network.of(trace), sequence_of(trace, 0), rate=1e-5, threshold=0.0)
    went = found.before.loss - found.after.loss
    assert went == pytest.approx(1e-5 * found.norm**2, rel=1e-3)


def test_a_step_that_is_far_too_long_is_shown_and_no_gradient_is_refused():
    _, _, trace, _ = one("rnn-relu", Task.REGRESSION, 1, {})
    network, sequence = Network.of(trace), sequence_of(trace, 0)
    found = updated(network, sequence, rate=1e200, threshold=0.0)
    assert not found.after.loss < found.before.loss
    broken = replace(sequence, inputs=sequence.inputs * np.nan)
    with pytest.raises(TraceError, match="not finite, so no step can be made; choose an earlier"):
        updated(network, broken, rate=0.1, threshold=1.0)
