"""What a network writes after each epoch: its own distribution, drawn by seed and epoch alone."""

from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
import torch
from training_samples import make_config, make_dataset, of, pump

from rnnviz.batches import prepare
from rnnviz.cells import CELLS
from rnnviz.config import DataConfig, ModelConfig
from rnnviz.data import worlds
from rnnviz.data.dataset import Task
from rnnviz.data.text import decode, load
from rnnviz.events import MOST_SAMPLES, EpochEnded, RunView, Sampled, Traced
from rnnviz.inside.network import Network
from rnnviz.inside.speaking import Speaker
from rnnviz.model import Batch, SequenceModel
from rnnviz.record import record
from rnnviz.runs.codec import decode as read_line
from rnnviz.runs.codec import encode as written_line
from rnnviz.sampling import LENGTH, PREFIX, draw, numbers, sample, write
from rnnviz.train import fit
from rnnviz.ui.components.samples import message

V = 7


def network(cell="lstm", **settings):
    config = ModelConfig(cell=cell, hidden_size=5, **{"attention": "none", **settings})
    model = SequenceModel(config, inputs=V, outputs=V, covariates=0, task=Task.NEXT_TOKEN)
    with torch.no_grad():
        for weights in model.parameters():
            weights *= 3  # so that some tokens are likelier than others
    return model


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "settings", [{}, {"layers": 2, "attention": "additive"}, {"attention": "dot", "embedding": 3}]
)
def test_each_token_is_drawn_from_what_the_network_says_after_all_before(cell, settings):
    model = network(cell, **settings)
    first, drawn = np.array([1, 4, 2]), numbers(3, 1, 12)
    found = write(model, first, drawn, 0.8)
    whole = torch.tensor(np.concatenate((first, found)))[:, None]
    nothing = torch.zeros(1, 0)
    outputs = model(Batch(whole, None, nothing, whole.T)).outputs[0].detach()
    for k, (token, number) in enumerate(zip(found, drawn, strict=True)):
        shares = torch.softmax(outputs[len(first) - 1 + k].double() / 0.8, dim=0).numpy()
        sums = np.cumsum(shares)
        assert sums[token] - shares[token] - 1e-6 <= number <= sums[token] + 1e-6


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"layers": 2, "embedding": 3},
        {"attention": "additive"},
        {"cell": "gru-before", "attention": "dot"},
    ],
)
def test_the_speaker_that_the_language_page_has_would_draw_the_same(settings):
    model = network(**settings)
    first, drawn = np.array([1, 4, 2]), numbers(5, 2, 60)
    batch = Batch(torch.zeros(4, 1).long(), None, torch.zeros(1, 0), torch.zeros(1, 4).long())
    speaker = Speaker.of(Network.of(record(model, batch, np.arange(1))))
    stream, tokens = speaker.begin(), first.tolist()
    for token in first[:-1]:
        stream.read(int(token))
    for number in drawn:
        tokens.append(draw(stream.read(tokens[-1]) / 0.8, float(number)))
    np.testing.assert_array_equal(write(model, first, drawn, 0.8), tokens[len(first) :])


def test_tokens_come_as_often_as_they_are_likely():
    scores = np.log([0.5, 0.3, 0.2, 1e-300])
    found = [draw(scores, number) for number in np.linspace(0, 1, 1000, endpoint=False)]
    np.testing.assert_allclose(np.bincount(found) / 1000, [0.5, 0.3, 0.2], atol=0.002)
    assert draw(np.array([0.0, 0.0]), 1 - 1e-17) == 1
    assert draw(np.array([5.0, 5.0, -np.inf]), 0.9999999) == 1


def test_a_low_temperature_takes_the_likeliest():
    model = network()
    first = np.array([0])
    found = write(model, first, numbers(0, 0, 30), 1e-6)
    whole = torch.tensor(np.concatenate((first, found)))[:, None]
    outputs = model(Batch(whole, None, torch.zeros(1, 0), whole.T)).outputs[0]
    np.testing.assert_array_equal(outputs.argmax(dim=1)[:-1], found)


def test_the_draw_follows_from_seed_and_epoch():
    np.testing.assert_array_equal(numbers(1, 2, 9), numbers(1, 2, 9))
    assert numbers(1, 2, 9)[0] != numbers(1, 3, 9)[0] != numbers(2, 2, 9)[0]
    np.testing.assert_array_equal(numbers(1, 2, 9)[:4], numbers(1, 2, 4))


@pytest.mark.parametrize("tokens", ["characters", "words", "pieces"])
def test_a_sample_goes_on_from_the_test_part(tokens):
    dataset = load(DataConfig(source="text", tokens=tokens, pieces=300, window=8))
    prepared = prepare(dataset, seed=1)
    size = len(dataset.vocabulary)
    config = ModelConfig(hidden_size=4, attention="none")
    model = SequenceModel(config, inputs=size, outputs=size, covariates=0, task=Task.NEXT_TOKEN)
    found = sample(model, prepared, seed=1, epoch=2)
    first = dataset.inputs[prepared.split.test[0], :PREFIX]
    assert found.prefix == decode(first, dataset)
    written = write(model, first.astype(np.int64), numbers(1, 2, LENGTH), found.temperature)
    assert len(written) == LENGTH
    if tokens == "characters":
        assert found.text == decode(written, dataset)
    elif tokens == "words":
        assert (found.prefix + found.text).split()[:3] == found.prefix.split()[:3]
        assert found.text.split()


# -- as events -------------------------------------------------------------------------------------


def run(config, dataset):
    return pump(fit(config, dataset))


def test_there_is_one_before_training_and_one_after_each_epoch():
    events = run(make_config(epochs=3), make_dataset(Task.NEXT_TOKEN))
    told = [event for event in events if isinstance(event, EpochEnded | Sampled | Traced)]
    kinds = [(type(event).__name__, event.epoch) for event in told]
    after = [(name, k) for k in (1, 2, 3) for name in ("EpochEnded", "Sampled", "Traced")]
    assert kinds == [("Sampled", 0), ("Traced", 0), *after]
    assert all(len(event.text) == 12 for event in of(events, Sampled))  # as the sequences
    assert all(len(event.prefix) == 1 for event in of(events, Sampled))
    assert len({event.text for event in of(events, Sampled)}) == 4


def test_same_seed_same_samples_and_another_seed_others():
    dataset = make_dataset(Task.NEXT_TOKEN)
    first, again = (of(run(make_config(epochs=2), dataset), Sampled) for _ in range(2))
    assert first == again
    other = of(run(make_config(epochs=2, seed=1), dataset), Sampled)
    assert [event.text for event in other] != [event.text for event in first]
    assert {event.seed for event in other} == {1}


@pytest.mark.parametrize("task", [task for task in Task if task is not Task.NEXT_TOKEN])
def test_who_does_not_predict_tokens_writes_nothing(task):
    assert of(run(make_config(epochs=1), make_dataset(task)), Sampled) == []


@pytest.mark.parametrize(("world", "writes"), [("brackets", True), ("echo", False)])
def test_worlds_are_written_where_every_step_has_a_target(world, writes):
    dataset = worlds.load(DataConfig(source="world", world=world, sequences=50, window=12))
    assert dataset.writable == writes
    assert bool(of(run(make_config(epochs=1), dataset), Sampled)) == writes


def test_a_view_keeps_the_newest_and_an_even_choice_of_the_others():
    def event(epoch):
        return Sampled(step=epoch, epoch=epoch, prefix="a", text="b", temperature=1.0, seed=0)

    view = reduce(RunView.after, map(event, range(1000)), RunView())
    epochs = [one.epoch for one in view.samples]
    assert len(epochs) <= MOST_SAMPLES
    assert epochs[-1] == 999
    assert epochs == sorted(set(epochs))
    assert max(np.diff(epochs)) <= 64
    assert view.after(event(5)).samples == view.samples  # told again after a crash


def test_an_event_and_its_view_keep_any_text():
    hostile = "</script><b>\u202e\x00\x1b[31m\U0001f600\n"
    event = Sampled(step=4, epoch=1, prefix="<i>", text=hostile, temperature=1.0, seed=0)
    assert read_line(written_line(event, 7)).event == event
    newest = replace(event, epoch=2, text="new")
    import json

    sent = json.loads(message((event, newest)))
    assert [one["title"] for one in sent] == ["after epoch 2", "after epoch 1"]
    assert (sent[1]["prefix"], sent[1]["text"]) == ("<i>", hostile)
