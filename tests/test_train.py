"""Training: the same numbers from the same seed, resumed or not; honest ends."""

import dataclasses
import io

import numpy as np
import pytest
import torch
from training_samples import make_config, make_dataset, of, pump, ticks

from rnnviz.cells import CELLS
from rnnviz.config import ModelConfig, RunConfig, TrainingConfig
from rnnviz.data.dataset import Task
from rnnviz.errors import ConfigError, DataError, RunError
from rnnviz.estimate import estimate, trace_plan
from rnnviz.events import (
    BatchEnded,
    Checkpointed,
    EpochEnded,
    Failed,
    Finished,
    RateChanged,
    Started,
    Traced,
)
from rnnviz.runs.arrays import load_trace, save_trace
from rnnviz.train import fit
from rnnviz.wishes import Wishes


def numbers(events):
    """What two runs must agree on, bit for bit."""
    kinds = (BatchEnded, EpochEnded, Finished, RateChanged, Failed)
    return [dataclasses.asdict(event) for event in events if isinstance(event, kinds)]


def run(config, dataset, state=None, wishes=None):
    return pump(fit(config, dataset, state, clock=ticks), wishes)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("task", Task)
def test_every_cell_learns_every_task(cell, task):
    model = {"hidden_size": 8, "cell": cell, "attention": "dot"}
    config = make_config(epochs=8, rate=0.02, **model)
    epochs = of(run(config, make_dataset(task)), EpochEnded)
    assert min(epoch.train_loss for epoch in epochs) < 0.9 * epochs[0].train_loss


@pytest.mark.parametrize("optimiser", ["adam", "sgd", "rmsprop"])
def test_same_seed_same_losses_and_another_seed_others(optimiser):
    config = make_config(dropout=0.3, layers=2)
    config = dataclasses.replace(
        config, training=dataclasses.replace(config.training, optimiser=optimiser)
    )
    data = make_dataset()
    assert numbers(run(config, data)) == numbers(run(config, data))
    other = dataclasses.replace(config, training=dataclasses.replace(config.training, seed=1))
    assert numbers(run(other, data)) != numbers(run(config, data))


def test_an_epoch_counts_its_steps_whose_gradient_is_clipped():
    config = make_config(epochs=3)
    norms = {e.step: e.gradient_norm for e in of(run(config, make_dataset()), BatchEnded)}
    clip = float(np.median(list(norms.values())))
    clipped = dataclasses.replace(config.training, clip_norm=clip)
    events = run(dataclasses.replace(config, training=clipped), make_dataset())
    for epoch in of(events, EpochEnded):
        batches = [e for e in of(events, BatchEnded) if e.epoch == epoch.epoch]
        assert epoch.clipped == sum(batch.gradient_norm > clip for batch in batches)
    assert 0 < sum(epoch.clipped for epoch in of(events, EpochEnded)) < len(norms)
    off = dataclasses.replace(config.training, clip_norm=0.0)
    free = run(dataclasses.replace(config, training=off), make_dataset())
    assert [epoch.clipped for epoch in of(free, EpochEnded)] == [0, 0, 0]


@pytest.mark.parametrize("task", Task)
@pytest.mark.parametrize("at", [1, 4, 7])
def test_a_run_resumed_from_a_checkpoint_equals_one_that_never_stopped(task, at):
    config, data = make_config(dropout=0.2, epochs=4), make_dataset(task)
    whole = run(config, data)
    stream = fit(config, data, clock=ticks)
    event = next(stream)
    while not (isinstance(event, BatchEnded) and event.step == at):
        event = next(stream)
    saved = stream.send(Wishes(checkpoint=True))
    stream.close()
    assert isinstance(saved, Checkpointed)
    resumed = run(config, data, saved.state)
    later = [e for e in whole if e.step > at or isinstance(e, Finished)]
    assert numbers(resumed)[-len(numbers(later)) :] == numbers(later)
    assert len(numbers(resumed)) >= len(numbers(later)) > 3


def test_a_checkpoint_taken_at_any_event_leads_to_the_same_end():
    config, data = make_config(epochs=2, patience=1), make_dataset()
    whole = run(config, data)
    for k in range(len(whole) - 1):
        saved = of(
            run(config, data, None, {k: Wishes(checkpoint=True)})[k + 1 : k + 2], Checkpointed
        )
        assert len(saved) == 1
        assert numbers(run(config, data, saved[0].state))[-1] == numbers(whole)[-1]


def test_the_learning_rate_changes_at_the_next_step_and_is_kept():
    config, data = make_config(), make_dataset()
    plain = run(config, data)
    k = plain.index(of(plain, BatchEnded)[1])
    changed = run(config, data, None, {k: Wishes(learning_rate=0.5)})
    told = changed[k + 1]
    assert told == RateChanged(step=2, epoch=1, learning_rate=0.5)
    losses = [[e.loss for e in of(events, BatchEnded)] for events in (plain, changed)]
    assert losses[0][:3] == losses[1][:3]  # the third loss is of weights made before
    assert losses[0][3] != losses[1][3]
    assert of(changed, EpochEnded)[-1].learning_rate == 0.5
    saved = run(config, data, None, {k: Wishes(learning_rate=0.5, checkpoint=True)})[k + 1]
    resumed = run(config, data, saved.state)
    assert numbers(resumed)[-1] == numbers(changed)[-1]


def test_the_stream_tells_what_it_did():
    config, data = make_config(epochs=3), make_dataset(rows=2)
    events = run(config, data)
    started = events[0]
    assert isinstance(started, Started)
    assert started.sizes == {"train": 38, "validation": 10, "test": 12}
    assert started.people == {"train": 19, "validation": 5, "test": 6}
    assert started.unit == "(kg)²"
    assert [e.epoch for e in of(events, Traced)] == [0, 1, 2, 3]
    assert len(of(events, BatchEnded)) == 3 * started.batches
    finished = events[-1]
    assert {s.part for s in finished.scorecard} == {"train", "validation", "test"}
    last = of(events, EpochEnded)[-1]
    assert finished.scorecard[2] == last.test


def test_a_trace_shows_test_sequences_with_the_networks_own_predictions():
    events = run(make_config(epochs=1), data := make_dataset())
    traced = of(events, Traced)[-1]
    where = {int(row): k for k, row in enumerate(traced.survey.sequences)}
    for b, row in enumerate(traced.trace.sequences):
        assert traced.trace.targets[b, 0, 0] == pytest.approx(data.targets[row, 0], rel=1e-5)
        predicted = traced.survey.predictions[where[int(row)]]
        assert traced.trace.outputs[b, 0, 0] == pytest.approx(predicted, rel=1e-5)


@pytest.mark.parametrize("standardise", [True, False])
def test_a_trace_knows_how_its_inputs_were_scaled(standardise, tmp_path):
    data = dataclasses.replace(make_dataset(), standardise=standardise)
    traced = of(run(make_config(epochs=1), data), Traced)[-1]
    save_trace(tmp_path / "1.npz", traced.trace, None)
    trace, _ = load_trace(tmp_path / "1.npz")
    assert (trace.scaling is not None) == standardise
    mean, sd = (trace.scaling.mean, trace.scaling.sd) if standardise else (0.0, 1.0)
    np.testing.assert_allclose(
        trace.inputs * sd + mean, data.inputs[trace.sequences], rtol=1e-5, atol=1e-6
    )


def test_early_stop_keeps_the_best_weights():
    config = make_config(epochs=60, rate=0.3, patience=2)
    events = run(config, make_dataset())
    epochs = of(events, EpochEnded)
    losses = [e.validation.metrics["mse"] for e in epochs]
    best = int(np.argmin(losses))
    assert len(epochs) == best + 3 < 60
    assert f"the weights of epoch {best + 1} are kept" in events[-1].reason
    assert events[-1].scorecard[1].metrics["mse"] == losses[best]
    last = of(events, Traced)[-1]
    assert (last.epoch, last.trace.epoch) == (best + 3, best + 1)
    errors = (last.survey.predictions - last.survey.targets) ** 2
    assert errors.mean() == pytest.approx(events[-1].scorecard[2].metrics["mse"], rel=1e-4)


def test_raw_counts_in_a_relu_lstm_end_with_the_layer_named_and_good_weights():
    config = make_config(cell="lstm-relu", clip=0.0, rate=10.0, epochs=50)
    data = make_dataset(scale=3e7, t=60)
    *_, saved, failed = run(config, data)
    assert isinstance(saved, Checkpointed)
    assert isinstance(failed, Failed)
    assert failed.where == "layer 1"
    assert "Standardise the inputs, lower the learning rate" in failed.message
    assert f"In step {failed.step + 1} " in failed.message
    held = torch.load(io.BytesIO(saved.state), weights_only=True)
    assert all(torch.isfinite(weight).all() for weight in held["model"].values())


def test_an_infinite_gradient_names_the_highest_place(monkeypatch):
    from rnnviz.model import SequenceModel

    original = SequenceModel.read

    def poisoned(self, top, batch):
        readout = original(self, top, batch)
        if readout.outputs.requires_grad and top.shape[1] > 1:
            top.register_hook(lambda grad: grad * float("inf"))
        return readout

    monkeypatch.setattr(SequenceModel, "read", poisoned)
    failed = run(make_config(layers=2), make_dataset())[-1]
    assert isinstance(failed, Failed)
    assert failed.where == "layer 2"
    assert "the gradient's norm became" in failed.message


def test_a_backward_network_may_not_predict_the_next_token():
    with pytest.raises(ConfigError, match="has read the next token already"):
        run(make_config(bidirectional=True), make_dataset(Task.NEXT_TOKEN))


def test_too_few_people_are_refused():
    with pytest.raises(DataError, match="hold 4 people; at least 5"):
        run(make_config(), make_dataset(n=12, rows=3))


def test_a_giant_network_is_refused_with_the_number():
    config = RunConfig(model=ModelConfig(hidden_size=512, layers=4, bidirectional=True))
    config = dataclasses.replace(config, training=TrainingConfig(batch_size=1024))
    with pytest.raises(ConfigError, match=r"need about [\d.]+ GiB of memory; a run may take"):
        run(config, make_dataset(n=2000, t=4000))


def test_a_damaged_checkpoint_is_one_sentence():
    with pytest.raises(RunError, match="cannot be read"):
        run(make_config(), make_dataset(), b"not a checkpoint")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("attention", ["none", "dot", "general", "additive"])
def test_the_estimate_counts_every_weight(cell, attention):
    for layers, both, joined in ((1, False, False), (3, True, True)):
        config = make_config(
            cell=cell, attention=attention, layers=layers, bidirectional=both, covariates=joined
        )
        data = make_dataset()
        started = next(fit(config, data))
        assert estimate(config, data).parameters == started.parameters


def test_traces_stay_within_their_bound():
    for steps, size, epochs in ((144, 32, 500), (1440, 64, 30), (1440, 512, 5)):
        config = make_config(hidden_size=size, epochs=epochs)
        plan = trace_plan(config, make_dataset(n=10, t=steps))
        kept = 0 if not plan.stride else epochs // plan.stride + 2
        assert kept * plan.bytes <= 128 * 2**20
        if plan.stride:
            assert kept >= 3


def test_nothing_touches_the_global_random_state():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    run(make_config(dropout=0.5), make_dataset())
    assert torch.equal(torch.get_rng_state(), before)
