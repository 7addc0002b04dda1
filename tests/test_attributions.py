"""Attributions: many sequences at once are each of them alone, and parts add up to the whole."""

from functools import partial

import numpy as np
import pytest
import torch
from captum.attr import InputXGradient, IntegratedGradients, Occlusion

from rnnviz.cells import CELLS
from rnnviz.data.dataset import Scaler, Task
from rnnviz.inside import attributions
from rnnviz.inside.attributions import (
    Asked,
    gradient_times_input,
    integrated,
    left_out,
    log_odds,
    occluded,
    prefixes,
    score_of,
)
from rnnviz.inside.many import by_inputs, narrowed, run_many
from rnnviz.inside.network import Network, Sequence, sequence_of
from rnnviz.inside.readout import softmax
from rnnviz.model import Batch, SequenceModel
from rnnviz.record import record
from tests.test_record import B, F, T, make_batch, make_model

LENGTHS = np.array([9, 4, 1])
FORMS = {
    "plain": {},
    "both ways, additive": {"bidirectional": True, "attention": "additive", "layers": 2},
    "dot": {"attention": "dot"},
    "general, two layers": {"attention": "general", "layers": 2},
}


def traced(cell: str = "lstm", task: Task = Task.CLASSIFICATION, **settings):
    model = make_model(cell, task=task, outputs=3, **settings)
    lengths = torch.from_numpy(LENGTHS)
    trace = record(model, make_batch(model, lengths=lengths, outputs=3), np.arange(B))
    return model, trace


def asked_of(trace, row: int = 0, place: int = 1, query: int | None = None) -> Asked:
    network, sequence = Network.of(trace), sequence_of(trace, row)
    score = score_of(network.readout, place)
    return Asked(
        network=network,
        inputs=sequence.inputs,
        covariates=sequence.covariates,
        score=score,
        query=query,
    )


def torch_score(model: SequenceModel, place: int, query: int, inputs, *_):
    """The log-odds by torch; inputs batch first."""
    b = len(inputs)
    batch = Batch(inputs.transpose(0, 1), None, torch.zeros(b, 0), torch.zeros(b, dtype=torch.long))
    z = model(batch).outputs[:, query]
    rest = torch.cat((z[:, :place], z[:, place + 1 :]), dim=1)
    return z[:, place] - torch.logsumexp(rest, dim=1)


# --- many at once ---------------------------------------------------------------------------------


WAYS = [
    *((cell, "both ways, additive", Task.CLASSIFICATION) for cell in CELLS),
    *(("gru", form, task) for form in FORMS for task in (Task.CLASSIFICATION, Task.TAGGING)),
]


@pytest.mark.parametrize(("cell", "form", "task"), WAYS)
def test_padded_sequences_are_read_as_each_alone(cell, form, task):
    _, trace = traced(cell, task, **FORMS[form])
    network = Network.of(trace)
    padded = np.random.default_rng(0).normal(size=(B, T, F))  # garbage where nothing is to be read
    for row, length in enumerate(LENGTHS):
        padded[row, :length] = sequence_of(trace, row).inputs
    done = run_many(network, padded, LENGTHS, np.zeros(0))
    slope = np.random.default_rng(1).normal(size=(B, 3))
    found = by_inputs(network, done, slope)
    for row, length in enumerate(LENGTHS):
        alone = network.run(sequence_of(trace, row))
        np.testing.assert_allclose(done.outputs[row], alone.read.outputs[-1], atol=1e-12)
        one = run_many(network, padded[row : row + 1, :length], LENGTHS[row : row + 1], np.zeros(0))
        mine = by_inputs(network, one, slope[row : row + 1])[0]
        np.testing.assert_allclose(found[row, :length], mine, atol=1e-12)
        assert not found[row, length:].any()
        if network.readout.attention != "none":
            assert done.reads[row].weights.shape == (1, length)
            np.testing.assert_allclose(done.reads[row].weights.sum(axis=1), 1, atol=1e-12)


def test_only_the_features_that_occur_are_needed():
    _, trace = traced()
    network, sequence = Network.of(trace), sequence_of(trace, 0)
    inputs = np.zeros_like(sequence.inputs)
    inputs[:, 1] = sequence.inputs[:, 1]
    narrow, read = narrowed(network, inputs)
    assert read.shape == (9, 1)
    assert all(way.weights.input.shape[2] == 1 for way in narrow.ways)
    whole = run_many(network, inputs[None], LENGTHS[:1], np.zeros(0))
    again = run_many(narrow, read[None], LENGTHS[:1], np.zeros(0))
    np.testing.assert_allclose(whole.outputs, again.outputs, atol=1e-12)


# --- scores ---------------------------------------------------------------------------------------


def test_log_odds_are_those_of_the_probability_and_have_their_slope():
    z = np.random.default_rng(0).normal(size=(4, 5)) * 3
    for place in range(5):
        score = log_odds(place)
        p = softmax(z)[:, place]
        np.testing.assert_allclose(score.of(z), np.log(p / (1 - p)), atol=1e-12)
        slope = score.slope(z)
        for k in range(5):
            moved = z.copy()
            moved[:, k] += 1e-6
            np.testing.assert_allclose(
                (score.of(moved) - score.of(z)) / 1e-6, slope[:, k], atol=1e-5
            )
    two = z[:, :2]
    np.testing.assert_allclose(log_odds(1).of(two), two[:, 1] - two[:, 0])
    assert np.isfinite(log_odds(0).of(np.array([[900.0, -900.0, 0.0]]))).all()


def test_a_number_is_explained_in_the_targets_unit():
    unit = Scaler(mean=np.array([28.0]), sd=np.array([6.0]))
    model = make_model("gru", task=Task.REGRESSION, outputs=1)
    batch = make_batch(model)
    trace = record(model, batch, np.arange(B), target=unit)
    asked = asked_of(trace, place=0)
    found = integrated(asked)
    assert found.score == pytest.approx(float(trace.outputs[0, 0, 0]))
    assert found.error < 1e-6
    assert asked.score.unit == ""


# --- integrated gradients -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "form"),
    [("rnn-relu", "dot"), ("gru-before", "plain"), *(("lstm", form) for form in FORMS)],
)
def test_the_steps_add_up_to_what_the_score_moved(cell, form):
    _, trace = traced(cell, **FORMS[form])
    for row in range(B):
        found = integrated(asked_of(trace, row))
        assert found.error <= found.tolerated
        assert len(found.steps) == LENGTHS[row]


def test_more_points_are_taken_only_where_the_error_asks_for_them():
    _, trace = traced("lstm", attention="additive")
    asked = asked_of(trace)
    steep = Asked(
        network=asked.network,
        inputs=asked.inputs * 40,
        covariates=asked.covariates,
        score=asked.score,
    )
    assert integrated(asked).points == attributions.POINTS[0]
    found, coarse = integrated(steep), integrated(steep, points=(4,))
    assert coarse.error > coarse.tolerated
    assert found.error < coarse.error
    assert found.points > 4


@pytest.mark.parametrize("form", FORMS)
def test_captum_says_the_same(form):
    model, trace = traced("gru", **FORMS[form])
    asked = asked_of(trace, place=2)
    inputs = torch.from_numpy(asked.inputs)[None]
    score = partial(torch_score, model, 2, 0)
    theirs, error = IntegratedGradients(score).attribute(
        inputs, n_steps=32, return_convergence_delta=True
    )
    mine = integrated(asked, points=(32,))
    np.testing.assert_allclose(mine.steps, theirs[0].sum(dim=1).detach().numpy(), atol=1e-9)
    assert mine.error == pytest.approx(abs(float(error)), abs=1e-9)
    theirs = InputXGradient(score).attribute(inputs.requires_grad_())
    np.testing.assert_allclose(
        gradient_times_input(asked), theirs[0].sum(dim=1).detach().numpy(), atol=1e-9
    )
    theirs = Occlusion(score).attribute(inputs.detach(), sliding_window_shapes=(1, F))
    np.testing.assert_allclose(occluded(asked), theirs[0, :, 0].detach().numpy(), atol=1e-9)


def test_a_step_that_asks_is_explained_and_knows_nothing_of_what_follows():
    model, trace = traced("gru", Task.TAGGING, attention="dot")
    asked = asked_of(trace, query=3)
    found = integrated(asked, points=(32,))
    inputs = torch.from_numpy(asked.inputs)[None]
    theirs = IntegratedGradients(partial(torch_score, model, 1, 3)).attribute(inputs, n_steps=32)
    np.testing.assert_allclose(found.steps, theirs[0].sum(dim=1).detach().numpy(), atol=1e-9)
    assert not found.steps[4:].any()
    assert found.steps[:4].all()


def test_a_long_sequence_gets_fewer_points(monkeypatch):
    _, trace = traced("lstm", attention="additive")
    asked = asked_of(trace)
    monkeypatch.setattr(attributions, "TOLERANCE", -1.0)  # so that all are tried
    assert integrated(asked).points == attributions.POINTS[-1]
    monkeypatch.setattr(attributions, "MOST_STEPS", 9 * attributions.POINTS[1])
    assert integrated(asked).points == attributions.POINTS[1]
    monkeypatch.setattr(attributions, "MOST_STEPS", 1)
    assert integrated(asked).points == attributions.POINTS[0]


def test_portions_change_nothing(monkeypatch):
    _, trace = traced("lstm", bidirectional=True, attention="general")
    asked = asked_of(trace)
    ways = (lambda it: integrated(it).steps, occluded, left_out, prefixes)
    whole = [way(asked) for way in ways]
    monkeypatch.setattr(attributions, "AT_ONCE", 3000)
    for way, found in zip(ways, whole, strict=True):
        np.testing.assert_allclose(way(asked), found, atol=1e-12)


# --- what is left out, and what is read by and by -------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_shorter_sequences_are_really_run(form):
    _, trace = traced("lstm", **FORMS[form])
    network, sequence = Network.of(trace), sequence_of(trace, 0)
    asked = asked_of(trace)

    def said(inputs):
        one = Sequence(inputs=inputs, covariates=sequence.covariates, targets=sequence.targets)
        return network.run(one).read.outputs

    begun = prefixes(asked)
    for t in range(9):
        np.testing.assert_allclose(begun[t], said(sequence.inputs[: t + 1])[0], atol=1e-12)
        less = np.delete(sequence.inputs, t, axis=0)
        assert left_out(asked)[t] == pytest.approx(asked.score.of(said(less))[0], abs=1e-12)
    assert np.isnan(left_out(asked_of(trace, row=2))).all()
