"""The race: each runner learns as it would alone, nothing is lost, and the page tells it."""

import dataclasses

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from rnnviz.config import DataConfig, ModelConfig
from rnnviz.data.dataset import Task
from rnnviz.data.sources import load
from rnnviz.events import Checkpointed, EpochEnded, Finished, Found, RunView, Started, Traced
from rnnviz.figures import lockstep as figures
from rnnviz.lockstep import race, told
from rnnviz.lockstep.settings import RUNNERS, TASKS, of_runner, race_on, task_of
from rnnviz.model import SequenceModel
from rnnviz.train import fit
from rnnviz.wishes import Wishes

EPOCHS = 2


def small(task="names8"):
    config = race_on(task, units=6, epochs=EPOCHS, rate=0.01, seed=3)
    return dataclasses.replace(config, data=dataclasses.replace(config.data, sequences=60))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return load(small().data, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def events(dataset):
    return list(race.fit(small(), dataset, clock=lambda: 0.0))


def view_of(events):
    view = RunView()
    for event in events:
        view = view.after(event)
    return view


def test_everybody_is_told_after_every_epoch(events):
    found = told.laps(view_of(events))
    assert list(found) == list(RUNNERS)
    for laps in found.values():
        assert [lap.epoch for lap in laps] == [0, *range(1, EPOCHS + 1)]
        assert all(len(lap.norms) == len(laps[0].norms) for lap in laps)
    assert isinstance(events[-1], Finished)
    assert told.epoch_of(found) == EPOCHS


def test_laps_alternate(events):
    order = [event.about for event in events if isinstance(event, Found)]
    ended = [about for about in order if not about.endswith("epoch 0")]
    assert ended == [f"{name}, epoch {e + 1}" for e in range(EPOCHS) for name in RUNNERS]
    steps = [event.step for event in events if isinstance(event, race.BatchEnded)]
    assert steps == list(range(1, len(steps) + 1))


@pytest.mark.parametrize("name", RUNNERS)
def test_a_runner_learns_as_it_would_alone(dataset, events, name):
    alone = list(fit(of_runner(small(), name), dataset, clock=lambda: 0.0))
    ends = [event for event in alone if isinstance(event, EpochEnded)]
    laps = told.laps(view_of(events))[name]
    assert [lap.numbers["train"] for lap in laps[1:]] == [end.train_loss for end in ends]
    traces = {event.epoch: event.trace for event in alone if isinstance(event, Traced)}
    grads = traces[EPOCHS].layers[0].state_grads[:, ::-1, 0].astype(np.float64)
    expected = np.linalg.norm(grads, axis=-1).mean(axis=0)
    np.testing.assert_allclose(laps[-1].norms, expected, rtol=1e-4)


@pytest.mark.parametrize("after", [1, 5])
def test_a_race_that_is_broken_off_goes_on_with_the_same_numbers(dataset, events, after):
    stream, laps, state = race.fit(small(), dataset, clock=lambda: 0.0), 0, b""
    for event in stream:
        laps += isinstance(event, Found) and not event.about.endswith("epoch 0")
        if isinstance(event, Checkpointed) and laps == after:
            state = event.state
            break
    again = list(race.fit(small(), dataset, state, clock=lambda: 0.0))
    rest = [event for event in events if isinstance(event, Found)]
    mine = [event for event in again if isinstance(event, Found)]
    assert mine == rest[-len(mine) :]
    assert again[-1] == events[-1]


def test_a_checkpoint_is_given_when_it_is_wished_for(dataset):
    stream = race.fit(small(), dataset)
    assert isinstance(next(stream), Found | Started)
    assert isinstance(stream.send(Wishes(checkpoint=True)), Checkpointed)


def test_whoever_leaves_the_numbers_is_out_and_the_others_go_on(dataset, monkeypatch):
    from rnnviz.events import Failed

    def train(config, dataset, state=None, **more):
        if config.model.cell == "gru":
            yield Failed(step=1, epoch=1, message="nan", where="layer 1")
        else:
            yield from fit(config, dataset, state, **more)

    monkeypatch.setattr(race, "train", train)
    found = told.laps(view_of(race.fit(small(), dataset)))
    assert [lap.numbers for lap in found["GRU"]] == [{told.FAILED: 1.0}]
    assert [lap.epoch for lap in found["LSTM"]] == [0, 1, 2]


@pytest.mark.parametrize("name", TASKS)
def test_every_task_can_be_raced_on(name, tmp_path):
    task, config = TASKS[name], small(name)
    data = load(config.data, tmp_path)
    assert task_of(race_on(name, units=4, epochs=1, rate=0.01, seed=0)) is task
    if name.startswith("names"):
        row = data.inputs[0]
        answer = data.vocabulary.index(data.classes[int(data.targets[0])])
        places = np.flatnonzero(row == answer)
        assert len(row) - 1 - places[-1] == task.distance
    if name == "echo":
        bits, said = data.inputs[0], data.targets[0]
        assert (said[task.distance :] == bits[: -task.distance]).all()


@pytest.mark.parametrize("name", ["adding", "echo"])
def test_distances_count_from_the_last_loss(name, tmp_path):
    config = dataclasses.replace(
        small(name), training=dataclasses.replace(small().training, epochs=1)
    )
    data = load(config.data, tmp_path)
    found = told.laps(view_of(race.fit(config, data)))
    for laps in found.values():
        assert [len(lap.norms) for lap in laps] == [data.steps] * 2
        assert (laps[-1].norms[:2] > 0).all()


# -- the identity ----------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", ["rnn", "rnn-relu", "lstm"])
def test_a_plain_rnn_can_start_from_the_identity(cell):
    def made(start):
        config = ModelConfig(cell=cell, hidden_size=5, layers=2, recurrent_start=start)
        return SequenceModel(config, inputs=2, outputs=1, covariates=0, task=Task.REGRESSION)

    usual, other = made("uniform"), made("identity")
    for (name, a), (_, b) in zip(usual.named_parameters(), other.named_parameters(), strict=True):
        recurrent = name.rpartition(".")[2]
        if cell == "lstm" or "rnn." not in name or recurrent == "weight_ih_l0":
            assert torch.equal(a, b)
        elif recurrent == "weight_hh_l0":
            assert torch.equal(b, torch.eye(5))
        else:
            assert (b == 0).all()


# -- pictures --------------------------------------------------------------------------------------


def test_the_pictures_show_what_was_told(events):
    view = view_of(events)
    found = told.laps(view)
    losses = figures.losses(told.curves_of(found, "validation"), view.started)
    assert [line.name for line in losses.data] == list(RUNNERS)
    lstm = losses.data[-1]
    assert list(lstm.x) == [1, 2]
    assert list(lstm.y) == [lap.numbers["validation"] for lap in found["LSTM"][1:]]
    assert any("chance" in note.text for note in losses.layout.annotations)
    by = figures.norms_by_distance(told.by_distance(found, EPOCHS), EPOCHS, 7, "the name")
    np.testing.assert_allclose(by.data[0].y, found["RNN"][-1].norms)
    assert by.layout.annotations[0].text == "the name"
    over = figures.norms_by_epoch(told.at_distance(found, 7), "far")
    assert list(over.data[2].y) == [lap.norms[7] for lap in found["GRU"]]


def test_before_the_first_epoch_a_sentence_stands_there():
    nothing = told.laps(RunView())
    for figure in (
        figures.losses(told.curves_of(nothing, "validation"), None),
        figures.norms_by_distance(told.by_distance(nothing, 0), 0, None, ""),
        figures.norms_by_epoch(told.at_distance(nothing, 3), "far"),
    ):
        assert isinstance(figure, go.Figure)
        assert len(figure.data) == 0
        assert figure.layout.annotations[0].text


def test_data_of_another_kind_are_no_task():
    other = dataclasses.replace(small(), data=DataConfig())
    assert task_of(other) is None
