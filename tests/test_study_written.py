"""The study as its script has it: steps do what R and Keras do; what is wrong is counted."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
import torch
from model_files import predict

from rnnviz.checkpoint import load_weights
from rnnviz.config import DataConfig, ModelConfig
from rnnviz.data import nhanes
from rnnviz.data.dataset import Variable
from rnnviz.data.days import Days
from rnnviz.data.sandbox import Sandbox
from rnnviz.data.uploads import store
from rnnviz.errors import DataError, RunError
from rnnviz.events import Checkpointed, EpochEnded, Finished, Found, RunView, Score, Started, Traced
from rnnviz.exchange.build import model_of
from rnnviz.exchange.keras_files import write_h5
from rnnviz.runs.inline import InlineRunner
from rnnviz.runs.run import Run
from rnnviz.study import as_written, saved, script
from rnnviz.study.days import groups_of, load_days
from rnnviz.study.network import WrittenNet
from rnnviz.study.saved import kept, stored_of, stored_of_run
from rnnviz.study.settings import as_written_on
from rnnviz.study.tables import against_mean, findings, shown_tiny
from rnnviz.study.written import (
    ABOUT,
    SAVED,
    WEIGHTS,
    Findings,
    coded,
    copied,
    correlation,
    drawn,
    layers,
    prepare,
    reshaped,
    scaled,
    summary,
)
from rnnviz.wishes import Wishes

PEOPLE, DAYS = 40, 3


@pytest.fixture(scope="module")
def days() -> Days:
    return nhanes.simulate(PEOPLE, DAYS, seed=1)


def small(epochs: int = 2):
    """The script's settings with a smaller network."""
    config = as_written_on(DataConfig(people=PEOPLE, days=DAYS))
    return dataclasses.replace(
        config,
        model=ModelConfig(cell="lstm-relu", hidden_size=6, attention="none"),
        training=dataclasses.replace(config.training, epochs=epochs),
    )


# -- up to the network -----------------------------------------------------------------------------


def test_factors_become_the_number_of_their_level(days: Days) -> None:
    table = coded(days)
    assert table.names[:2] == ("MIN1", "MIN2")
    assert table.names[1440:] == ("age", "female", "race")
    levels = [name for name, _ in days.covariate_names if name.startswith("race")]
    race = table.values[:, -1].astype(int)
    assert set(race) <= set(range(1, 6))
    labels = groups_of(days)["race"]
    assert [levels[code - 1] for code in race] == [f"race: {label}" for label in labels]


def test_a_row_without_a_level_has_no_code(days: Days) -> None:
    covariates = days.covariates.copy()
    covariates[3, 2:] = 0
    table = coded(dataclasses.replace(days, covariates=covariates))
    assert np.flatnonzero(np.isnan(table.values[:, -1])).tolist() == [3]
    assert groups_of(dataclasses.replace(days, covariates=covariates))["race"][3] == "unknown"


def test_rows_are_drawn_as_r_draws_them() -> None:
    # set.seed(0); which(sample(2, 20, replace = TRUE, prob = c(.7, .3)) == 2), by R 4.2.2
    assert (np.flatnonzero(~drawn(20)) + 1).tolist() == [1, 5, 7, 8, 16, 18, 19]


def test_scaling_is_by_the_train_rows_with_n_minus_1_and_makes_constants_nan() -> None:
    values = np.array([[1.0, 5.0], [3.0, 5.0], [9.0, 6.0]], dtype=np.float32)
    found = scaled(values, np.array([True, True, False]))
    # scale(c(1, 3)) prints -0.7071068 and 0.7071068
    assert found.train[:, 0] == pytest.approx([-0.7071068, 0.7071068])
    assert found.test[:, 0] == pytest.approx([7 / math.sqrt(2)])
    assert np.isnan(found.train[:, 1]).all()
    assert np.isnan(found.test[:, 1]).all()
    assert found.constant.tolist() == [False, True]


def test_the_reshape_keeps_the_first_column_only() -> None:
    # x <- matrix(1:12, 4); array(x, dim = c(4, 1, 1)) holds 1, 2, 3, 4
    x = np.arange(1, 13, dtype=np.float32).reshape(3, 4).T
    assert reshaped(x).shape == (4, 1, 1)
    assert reshaped(x).ravel().tolist() == [1, 2, 3, 4]


def test_validation_is_the_end_of_the_train_rows(days: Days) -> None:
    prepared, findings = prepare(days)
    train = np.flatnonzero(drawn(PEOPLE * DAYS))
    kept = math.floor(len(train) * 0.8)
    assert prepared.fitted.tolist() == train[:kept].tolist()
    assert prepared.validation.tolist() == train[kept:].tolist()
    assert findings.validation_rows == len(train) - kept
    assert len(prepared.test) + len(train) == PEOPLE * DAYS


def test_the_findings_are_counted(days: Days) -> None:
    prepared, findings = prepare(days)
    train_people = {days.ids[row] for row in np.flatnonzero(drawn(len(days.ids)))}
    known = [row for row in prepared.test if days.ids[row] in train_people]
    assert findings.known_rows == len(known) > 0.9 * findings.test_rows
    assert (findings.columns, findings.columns_read, findings.levels) == (1443, 1, 5)
    assert (findings.rows, findings.people) == (PEOPLE * DAYS, PEOPLE)
    assert findings.equal_rows == len(known)  # a simulated person has one BMI
    true = days.target[prepared.test]
    mean = days.target[drawn(len(days.ids))].mean()
    copies = np.where(np.isin(prepared.test, known), true, mean)
    assert findings.copy_r == pytest.approx(np.corrcoef(copies, true)[0, 1])
    assert findings.copy_mse == pytest.approx(((copies - true) ** 2).mean())
    assert findings.mean_mse == pytest.approx(((true - mean) ** 2).mean())
    assert Findings.of(findings.to_event()) == findings


def test_copying_takes_a_train_row_of_the_same_person() -> None:
    found = copied(
        ("a", "a", "b", "a", "c"),
        np.array([20.0, 21.0, 30.0, 22.0, 40.0]),
        np.array([True, True, True, False, False]),
    )
    assert found.values.tolist() == [20, pytest.approx(71 / 3)]  # who is new gets the mean
    assert found.known.tolist() == [True, False]


def test_with_one_row_a_person_nothing_can_be_copied(days: Days) -> None:
    alone = dataclasses.replace(days, ids=tuple(str(k) for k in range(len(days.ids))))
    _, findings = prepare(alone)
    assert findings.known_rows == 0
    assert math.isnan(findings.copy_r)
    assert math.isnan(correlation(np.zeros(3), np.arange(3.0)))


def test_a_first_minute_that_does_not_vary_is_said(days: Days) -> None:
    minutes = days.minutes.copy()
    minutes[:, 0] = 0
    with pytest.raises(DataError, match=r"MIN1, the one column .* standard deviation of 0"):
        prepare(dataclasses.replace(days, minutes=minutes))
    minutes = days.minutes.copy()
    minutes[:, 5:9] = 7
    _, findings = prepare(dataclasses.replace(days, minutes=minutes))
    assert findings.constant_columns == 4 + prepare(days)[1].constant_columns


def test_too_few_rows_are_told() -> None:
    with pytest.raises(DataError, match="3 rows are too few"):
        prepare(nhanes.simulate(3, 1, seed=1))


def test_what_cannot_be_studied_is_refused(tmp_path) -> None:
    with pytest.raises(DataError, match="reads days of activity"):
        load_days(DataConfig(source="text"), tmp_path)


# -- the network -----------------------------------------------------------------------------------


def test_the_network_has_the_weights_of_the_summary() -> None:
    net = WrittenNet(0)
    assert sum(weights.numel() for weights in net.parameters()) == 265_225
    assert [layer.parameters for layer in layers()] == [264_192, 1_028, 5]
    assert summary().endswith("Total params: 265,225")


def test_weights_start_as_in_keras() -> None:
    net = WrittenNet(3)
    turned = net.recurrent.detach().double()
    assert torch.allclose(turned.T @ turned, torch.eye(256, dtype=torch.float64), atol=1e-5)
    for weights, inputs, outputs in (
        (net.kernel, 1, 1024),
        (net.dense.weight, 256, 4),
        (net.dense_1.weight, 4, 1),
    ):
        bound = math.sqrt(6 / (inputs + outputs))
        assert 0.5 * bound < weights.abs().max() <= bound
    assert net.bias[256:512].eq(1).all()
    assert net.bias.sum() == 256
    assert net.dense.bias.eq(0).all()
    assert net.dense_1.bias.eq(0).all()


def test_the_same_seed_starts_the_same_and_leaves_torch_alone() -> None:
    before = torch.random.get_rng_state()
    one, two, other = WrittenNet(5, units=4), WrittenNet(5, units=4), WrittenNet(6, units=4)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(one.recurrent, two.recurrent)
    assert not torch.equal(one.recurrent, other.recurrent)


def test_one_step_is_the_equations_of_the_cell() -> None:
    net, x = WrittenNet(1, units=5), torch.tensor([[[0.3]], [[-1.2]]])
    i, _, g, o = np.split(
        (x[:, 0] @ net.kernel.T + net.bias).detach().numpy().astype(np.float64), 4, axis=1
    )
    gate = lambda z: np.clip(z / 5 + 0.5, 0, 1)  # noqa: E731 - of Keras 2, which the script had
    h = gate(o) * np.maximum(gate(i) * np.maximum(g, 0), 0)
    dense = h @ net.dense.weight.detach().numpy().T + net.dense.bias.detach().numpy()
    expected = dense @ net.dense_1.weight.detach().numpy().T + net.dense_1.bias.detach().numpy()
    assert net(x).detach().numpy() == pytest.approx(expected[:, 0], abs=1e-6)


# -- the training ----------------------------------------------------------------------------------


def test_the_stream_tells_data_epochs_weights_and_scores(days: Days) -> None:
    events = list(as_written.fit(small(), days))
    view = RunView()
    for event in events:
        view = view.after(event)
    started = events[0]
    assert isinstance(started, Started)
    assert view.status == "finished"
    assert len(view.epochs) == 2
    assert view.step == 2 * started.batches == 2 * math.ceil(started.sizes["train"] / 32)
    assert [found.about for found in view.found] == [ABOUT, WEIGHTS, SAVED]
    findings = Findings.of(view.found[0])
    (mean,) = [s for s in started.baselines if (s.predictor, s.part) == ("mean", "test")]
    assert mean.metrics["mse"] == pytest.approx(findings.mean_mse)
    (copy,) = [s for s in started.baselines if s.predictor == "copied from train"]
    assert copy.metrics["mse"] == pytest.approx(findings.copy_mse)
    assert {score.part for score in view.scorecard} == {"train", "validation", "test"}
    survey = [event.survey for event in events if isinstance(event, Traced)][-1]
    errors = survey.predictions.astype(float) - survey.targets
    assert view.scorecard[0].metrics["mse"] == pytest.approx((errors**2).mean(), rel=1e-4)


def test_after_one_step_from_nothing_what_reads_the_past_never_learns(days: Days) -> None:
    (moved,) = [
        e for e in as_written.fit(small(4), days) if isinstance(e, Found) and e.about == WEIGHTS
    ]
    units = 6
    # kernel and bias of i, g and o (not of the forget gate), and both dense layers
    able = 3 * 2 * units + (units + 1) * 4 + 5
    assert 0 < moved.numbers["moved"] <= able
    assert moved.numbers["all"] == 4 * units * (units + 2) + (units + 1) * 4 + 5


def test_a_broken_off_study_goes_on_with_the_same_numbers(days: Days) -> None:
    whole = list(as_written.fit(small(), days))
    stream = as_written.fit(small(), days)
    event = next(stream)
    while event.step < 2:
        event = stream.send(Wishes())
    checkpoint = stream.send(Wishes(checkpoint=True))
    assert isinstance(checkpoint, Checkpointed)
    rest = list(as_written.fit(small(), days, checkpoint.state))
    assert isinstance(rest[0], Checkpointed)

    def told(events):
        ended = [e for e in events if isinstance(e, EpochEnded | Finished)]
        return [dataclasses.replace(e, seconds=0.0) if hasattr(e, "seconds") else e for e in ended]

    assert told(rest) == told(whole)


def test_a_run_of_the_study_goes_through_the_worker_s_pump(tmp_path) -> None:
    program = "rnnviz.study.as_written:fit_stored"
    run = Run.create(tmp_path, small(1), owner="ann", now=0.0, program=program)
    InlineRunner(clock=lambda: 0.0).submit(run)
    view = run.view()
    assert (view.status, view.message) == ("finished", "All epochs are done.")
    assert Findings.of(view.found[0]).rows == PEOPLE * DAYS
    _, survey = run.trace(1)
    assert len(survey.targets) == view.started.sizes["test"]


def test_a_target_s_unit_is_that_of_the_data(days: Days) -> None:
    other = dataclasses.replace(days, target_name=Variable("height", ""))
    assert next(as_written.fit(small(), other)).unit == ""


def finished(found: Findings, mse: float) -> RunView:
    """A view of a study whose network scored so."""
    score = Score(predictor="network", part="test", metrics={"mse": mse, "r": 0.04})
    return RunView(status="finished", step=60, scorecard=(score,), found=(found.to_event(),))


def test_the_network_is_compared_with_the_mean_by_its_numbers(days: Days) -> None:
    _, found = prepare(days)
    mean = found.mean_mse
    assert against_mean(finished(found, mean * 1.001), found, "").startswith(
        "It is the mean predictor: its error is 0.1 % above that of predicting the mean (test MSE"
    )
    assert "not the mean predictor: its error is 10.0 % below" in against_mean(
        finished(found, mean * 0.9), found, ""
    )
    far = against_mean(finished(found, mean * 10), found, "")
    assert "Its error is 10.0 times that of predicting the mean" in far
    assert "60 steps were too few" in far
    assert against_mean(RunView(), found, "") == ""


def test_the_findings_are_sentences_with_their_numbers(days: Days) -> None:
    _, found = prepare(days)
    moved = Found(step=1, epoch=1, about="", numbers={"moved": 2569.0, "all": 265225.0}, scores=())
    told = "\n".join(findings(found, moved, "(kg/m²)²"))
    assert "reads 1 number of each row" in told
    assert "1,442 of 1,443 prepared columns are dropped" in told
    share = 100 * found.known_rows / found.test_rows
    assert f"{found.known_rows} of {found.test_rows} test rows ({share:.1f} %)" in told
    assert "from a train row of the same person would score" in told
    assert f"r = {found.copy_r:.3f}, with an MSE of {found.copy_mse:.2f} (kg/m²)²" in told
    copies = f"so each of the {found.known_rows} copies is the answer itself."
    assert f"all rows of a person have the same target, {copies}" in told
    assert "2,569 of 265,225 weights moved" in told
    some = dataclasses.replace(found, equal_rows=7, known_rows=found.test_rows - 3)
    told = "".join(findings(some, None, ""))
    assert "of the same person, and the mean for the other 3, would score r = " in told
    assert "; 7 of the copies are the answer itself." in told
    nobody = dataclasses.replace(found, known_rows=0)
    assert "Nobody has rows on both sides here" in "".join(findings(nobody, None, ""))
    alone = dataclasses.replace(nobody, people=nobody.rows)
    told = "".join(findings(alone, None, ""))
    assert "Each person has one row here, so there is nothing to copy from training." in told
    assert "Copying" not in told


def test_days_of_a_file_give_a_person_s_target_away(tmp_path) -> None:
    made = nhanes.simulate(60, 7, seed=2)
    frame = pd.DataFrame(made.minutes, columns=[f"MIN{k}" for k in range(1, 1441)])
    frame = frame.assign(SEQN=made.ids, BMI=made.target)
    with Sandbox(helpers=1) as sandbox:
        upload = store(frame.to_csv(index=False).encode(), "days.csv", tmp_path, sandbox)
    of_file = load_days(DataConfig(source="file", file=upload.id), tmp_path)
    _, found = prepare(of_file)
    assert (found.rows, found.people) == (420, 60)
    assert found.copy_r > 0.99
    one_each = dataclasses.replace(of_file, ids=tuple(f"{k}" for k in range(420)))
    assert prepare(one_each)[1].known_rows == 0


# -- its file --------------------------------------------------------------------------------------


def trained(days: Days) -> WrittenNet:
    """The network after two epochs."""
    config = small()
    state = [e for e in as_written.fit(config, days) if isinstance(e, Checkpointed)][-1].state
    net = WrittenNet(0, units=6)
    load_weights(state, net)
    return net


def test_the_loaded_network_predicts_the_same(days: Days) -> None:
    view = RunView()
    for event in as_written.fit(small(), days):
        view = view.after(event)
    event = script.told_about(view, SAVED)
    data = write_h5(stored_of(trained(days)))
    assert event.numbers["bytes"] == len(data)
    assert event.numbers["weights"] == view.started.parameters
    assert event.numbers["rows"] == view.started.sizes["test"]
    assert 0 <= event.numbers["difference"] < 1e-5
    told = script.saved(view)
    assert told.startswith(f"A file of {len(data):,} bytes with ")
    assert f"difference is {shown_tiny(event.numbers['difference'])}" in told
    assert script.saved(RunView()) == ""


def test_what_comes_back_is_another_network_where_weights_are_lost(days, monkeypatch) -> None:
    net = trained(days)
    x = prepare(days)[0].inputs
    assert kept(net, x)["difference"] < 1e-5
    half = dataclasses.replace(
        stored_of(net), weights={k: v / 2 for k, v in stored_of(net).weights.items()}
    )
    monkeypatch.setattr(saved, "write_h5", lambda _: write_h5(half))
    assert kept(net, x)["difference"] > 1e-3


def test_over_many_steps_the_file_s_network_is_that_of_keras_2() -> None:
    net = WrittenNet(4, inputs=2, units=5)
    x = np.random.default_rng(1).normal(0, 2, (7, 12, 2)).astype(np.float32)
    ours = net(torch.from_numpy(x)).detach().numpy()
    with torch.no_grad():
        theirs = predict(model_of(stored_of(net)), x)[:, 0]
    assert np.abs(ours - theirs).max() < 1e-5


def test_a_run_s_network_is_the_one_that_was_trained(tmp_path) -> None:
    program = "rnnviz.study.as_written:fit_stored"
    run = Run.create(tmp_path, small(1), owner="ann", now=0.0, program=program)
    with pytest.raises(RunError, match="has saved no weights yet"):
        stored_of_run(run)
    InlineRunner(clock=lambda: 0.0).submit(run)
    x = prepare(nhanes.load(run.config.data, None))[0]
    said = predict(model_of(stored_of_run(run)), x.inputs[x.test])[:, 0]
    assert said == pytest.approx(run.trace(1)[1].predictions, abs=1e-5)
