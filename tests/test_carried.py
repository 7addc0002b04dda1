"""Windows with the state carried on: streams, training, scoring, and going on from a checkpoint."""

import dataclasses
import io
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from training_samples import make_config, make_dataset, of, pump, ticks

from rnnviz.allowed import check_allowed
from rnnviz.batches import prepare
from rnnviz.cells import CELLS
from rnnviz.config import DataConfig, ModelConfig
from rnnviz.data.dataset import PARTS, Task, split_of
from rnnviz.data.streams import scoring_streams, streams
from rnnviz.data.text import load
from rnnviz.errors import ConfigError, DataError
from rnnviz.evaluate import evaluate
from rnnviz.events import BatchEnded, Checkpointed, EpochEnded, Finished, Started, Traced
from rnnviz.model import CHUNK, Batch, SequenceModel
from rnnviz.train import fit
from rnnviz.wishes import Wishes


def carried_dataset(n=60, t=12):
    """Tokens in one row after the other, cut into parts in their order."""
    parts = ("train",) * (n - 22) + ("validation",) * 10 + ("test",) * 12
    return replace(make_dataset(Task.NEXT_TOKEN, n=n, t=t), parts=parts, carried=True)


@pytest.mark.parametrize(("rows", "count"), [(38, 8), (7, 3), (3, 8), (64, 1), (9, 9), (1, 1)])
def test_streams_read_every_row_once_and_each_goes_on_with_its_own(rows, count):
    given = np.arange(100, 100 + rows)
    found = streams(given, count)
    assert sorted(np.concatenate(found).tolist()) == given.tolist()
    assert len(found) == -(-rows // min(count, rows))
    for before, after in pairwise(found):
        np.testing.assert_array_equal(after, before[: len(after)] + 1)
    assert {len(step) for step in found[:-1]} <= {len(found[0])}


@pytest.mark.parametrize(("windows", "count"), [(1, 1), (7, 1), (16, 2), (256, 32), (9999, 32)])
def test_a_part_is_scored_in_few_and_long_streams(windows, count):
    assert scoring_streams(windows) == count


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
def test_windows_that_are_carried_on_are_one_long_sequence(cell, layers):
    config = ModelConfig(cell=cell, hidden_size=5, layers=layers, attention="none", embedding=3)
    model = SequenceModel(config, inputs=7, outputs=7, covariates=0, task=Task.NEXT_TOKEN).double()
    tokens = torch.randint(7, (24, 3), generator=torch.Generator().manual_seed(1))

    def read(some):
        return Batch(some, None, torch.zeros(3, 0), some.T)

    whole = model(read(tokens)).outputs
    states, pieces = model.zeros(3), []
    for window in tokens.split(8):
        readout = model(read(window), None, states)
        states = readout.after
        pieces.append(readout.outputs)
    torch.testing.assert_close(torch.cat(pieces, dim=1), whole, atol=1e-12, rtol=0)
    assert len(states) == layers
    assert all(len(of_layer) == len(CELLS[cell].states) for of_layer in states)


def test_a_window_that_is_cut_into_chunks_goes_on_as_well():
    config = ModelConfig(hidden_size=4, attention="none")
    model = SequenceModel(config, inputs=3, outputs=3, covariates=0, task=Task.NEXT_TOKEN)
    tokens = torch.randint(3, (CHUNK * 4, 1), generator=torch.Generator().manual_seed(1))
    first, rest = tokens[:100], tokens[100:]
    nothing = torch.zeros(1, 0)
    whole = model(Batch(tokens, None, nothing, tokens.T)).outputs[:, 100:]
    after = model(Batch(first, None, nothing, first.T), None, model.zeros(1)).after
    again = model(Batch(rest, None, nothing, rest.T), None, after).outputs
    torch.testing.assert_close(again, whole, atol=1e-6, rtol=0)


def bare_loop(config, dataset):
    """The losses of the same training as one writes it by hand, with one LSTM module of torch."""
    model = SequenceModel(config.model, inputs=5, outputs=5, covariates=0, task=Task.NEXT_TOKEN)
    rnn, head = model.layers[0][0].rnn, model.head
    optimiser = torch.optim.Adam(model.parameters(), lr=config.training.learning_rate)
    train, size = split_of(dataset, 0).train, config.training.batch_size
    stretches = np.array_split(train, size)
    for _ in range(config.training.epochs):
        state = None
        for k in range(len(stretches[0])):
            rows = np.array([some[k] for some in stretches if k < len(some)])
            x = torch.nn.functional.one_hot(torch.tensor(dataset.inputs[rows].T), 5).float()
            if state is not None:
                state = tuple(part[:, : len(rows)].detach() for part in state)
            states, state = rnn(x, state)
            targets = torch.tensor(dataset.targets[rows])
            loss = torch.nn.functional.cross_entropy(head(states).permute(1, 2, 0), targets)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), config.training.clip_norm)
            optimiser.step()
            yield loss.item()


def test_training_is_that_of_a_bare_loop_which_carries_its_state():
    config, dataset = make_config(epochs=2, batch=16), carried_dataset()
    events = pump(fit(config, dataset))
    losses = [event.loss for event in of(events, BatchEnded)]
    np.testing.assert_allclose(losses, list(bare_loop(config, dataset)), rtol=1e-4)
    assert of(events, Started)[0].batches == 3  # of 38 rows: 16, 16 and 6
    plain = pump(fit(config, replace(dataset, carried=False)))
    assert [event.loss for event in of(plain, BatchEnded)] != losses


def test_scores_are_those_of_one_long_sequence():
    dataset = carried_dataset(n=40)
    prepared = prepare(dataset, 0)
    config = ModelConfig(hidden_size=6, attention="none")
    model = SequenceModel(config, inputs=5, outputs=5, covariates=0, task=Task.NEXT_TOKEN)
    assert len(prepared.split.test) < 16  # so it is one stream
    score, survey = evaluate(model, prepared, "test")
    tokens = torch.tensor(dataset.inputs[prepared.split.test].ravel())[:, None]
    targets = torch.tensor(dataset.targets[prepared.split.test].ravel())
    outputs = model(Batch(tokens, None, torch.zeros(1, 0), targets[None])).outputs[0]
    loss = torch.nn.functional.cross_entropy(outputs, targets).item()
    assert score.metrics["loss"] == pytest.approx(loss, rel=1e-5)
    assert survey is None
    begun, _ = evaluate(model, replace_dataset(prepared), "test")
    assert begun.metrics["loss"] != pytest.approx(loss, rel=1e-5)


def replace_dataset(prepared):
    return replace(prepared, dataset=replace(prepared.dataset, carried=False))


@pytest.mark.parametrize(
    ("cell", "at"),
    [("lstm", 1), ("lstm", 3), ("lstm", 5), ("gru", 1), ("rnn", 5), ("gru-before", 2)],
)
def test_a_run_resumed_amid_an_epoch_equals_one_that_never_stopped(cell, at):
    config = make_config(epochs=2, batch=16, cell=cell, layers=2, dropout=0.2, embedding=3)
    dataset = carried_dataset()
    whole = pump(fit(config, dataset, clock=ticks))
    stream = fit(config, dataset, clock=ticks)
    event = next(stream)
    while not (isinstance(event, BatchEnded) and event.step == at):
        event = next(stream)
    saved = stream.send(Wishes(checkpoint=True))
    stream.close()
    assert isinstance(saved, Checkpointed)
    resumed = pump(fit(config, dataset, saved.state, clock=ticks))
    later = [e for e in whole if e.step > at or isinstance(e, Finished)]
    assert numbers(resumed)[-len(numbers(later)) :] == numbers(later)
    assert len(numbers(later)) > 2


def numbers(events):
    kinds = (BatchEnded, EpochEnded, Finished)
    return [dataclasses.asdict(event) for event in events if isinstance(event, kinds)]


def test_a_checkpoint_of_before_there_were_states_is_read():
    config, dataset = make_config(epochs=1), make_dataset(Task.NEXT_TOKEN)
    held = torch.load(
        io.BytesIO(of(pump(fit(config, dataset)), Checkpointed)[-1].state), weights_only=True
    )
    del held["states"]
    buffer = io.BytesIO()
    torch.save(held, buffer)
    assert isinstance(pump(fit(config, dataset, buffer.getvalue()))[-1], Finished)


def test_a_trace_begins_with_a_state_of_zeros():
    events = pump(fit(make_config(epochs=1), carried_dataset()))
    trace = of(events, Traced)[-1].trace
    assert not trace.layers[0].state_before("h")[:, 0].any()
    assert not trace.layers[0].state_before("c")[:, 0].any()


# -- as the text source makes them -----------------------------------------------------------------


@pytest.mark.parametrize("tokens", ["characters", "words", "pieces"])
def test_a_text_is_cut_into_its_parts_in_order(tokens):
    dataset = load(DataConfig(source="text", tokens=tokens, pieces=300, window=8, carried=True))
    assert dataset.carried
    split = split_of(dataset, seed=3)
    rows = [getattr(split, part) for part in PARTS]
    np.testing.assert_array_equal(np.concatenate(rows), np.arange(len(dataset.ids)))
    shares = np.array([len(some) for some in rows]) / len(dataset.ids)
    np.testing.assert_allclose(shares, (0.64, 0.16, 0.2), atol=0.02)
    np.testing.assert_array_equal(dataset.targets[:-1, -1], dataset.inputs[1:, 0])
    assert any("begins with a state of zeros" in note for note in dataset.notes)


def test_without_it_nothing_has_changed():
    dataset = load(DataConfig(source="text"))
    assert not dataset.carried
    assert dataset.parts == ()


def test_what_makes_no_sense_is_refused_in_one_sentence():
    dataset = carried_dataset()
    with pytest.raises(ConfigError, match="dot attention sees one window only; set attention to"):
        check_allowed(ModelConfig(attention="dot"), dataset)
    with pytest.raises(ConfigError, match="has read the next token already; switch one off"):
        check_allowed(ModelConfig(attention="none", bidirectional=True), dataset)
    with pytest.raises(ConfigError, match="dot attention sees one window only"):
        pump(fit(make_config(attention="dot"), dataset))
    for changed in ({"parts": ()}, {"lengths": np.r_[3, np.full(59, 12)]}):
        with pytest.raises(DataError, match="need parts, and one length for all"):
            replace(dataset, **changed)
    check_allowed(ModelConfig(attention="none"), dataset)
