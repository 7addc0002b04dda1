"""The corrected study: rivals, splits by person, intervals, and a sentence that says no more."""

import dataclasses
import math

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from rnnviz.config import DataConfig, StudyConfig
from rnnviz.data import nhanes
from rnnviz.data.dataset import Scaler, split_by_id
from rnnviz.data.days import Days
from rnnviz.events import Checkpointed, Failed, Finished, Found, RunView, Score, Started
from rnnviz.runs.codec import encode
from rnnviz.runs.inline import InlineRunner
from rnnviz.runs.run import Run
from rnnviz.study import corrected, rivals, verdict
from rnnviz.study.attributed import attributed
from rnnviz.study.rivals import boosting, features, predictions, ridge
from rnnviz.study.settings import CORRECTED, PROGRAMS, corrected_on
from rnnviz.study.tables import by_group, lines, scorecard, shown, shown_interval
from rnnviz.study.verdict import (
    BOOSTING_PERSON,
    LSTM,
    MEAN,
    RIDGE_BOTH,
    RIDGE_PERSON,
    Interval,
    difference,
    interval,
    sentence,
    splits_of,
)
from rnnviz.wishes import Wishes

PEOPLE = 60


@pytest.fixture(scope="module")
def days() -> Days:
    return nhanes.simulate(PEOPLE, 2, seed=3)


def small():
    config = corrected_on(DataConfig(people=PEOPLE, days=2))
    return dataclasses.replace(
        config,
        model=dataclasses.replace(config.model, hidden_size=4),
        training=dataclasses.replace(config.training, epochs=2),
    )


@pytest.fixture(scope="module")
def events(days: Days) -> list:
    return list(corrected.fit(small(), days, splits=2))


@pytest.fixture(scope="module")
def view(events: list) -> RunView:
    found = RunView()
    for event in events:
        found = found.after(event)
    return found


# -- rivals ----------------------------------------------------------------------------------------


def linear(n: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(2, 3, size=(n, p))
    return x, x[:, 0] - 0.5 * x[:, 1] + rng.normal(0, 0.1, n) + 30


@pytest.mark.parametrize(("n", "p"), [(200, 7), (40, 90)], ids=["tall", "wide"])
def test_ridge_is_that_of_scikit_learn(n: int, p: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rivals, "PENALTIES", (10.0,))
    x, y = linear(n, p)
    split = split_by_id(tuple(str(k) for k in range(n)), seed=0)
    z = Scaler.fit(x[split.train])(x).astype(np.float64)
    expected = Ridge(alpha=10.0).fit(z[split.train], y[split.train]).predict(z[split.test])
    assert ridge(x, y, split) == pytest.approx(expected, abs=1e-4)


def test_ridge_and_boosting_find_what_is_there() -> None:
    x, y = linear(400, 3)
    split = split_by_id(tuple(str(k) for k in range(400)), seed=0)
    true = y[split.test]
    assert np.mean((ridge(x, y, split) - true) ** 2) < 0.05 * true.var()
    assert np.mean((boosting(x, y, split) - true) ** 2) < 0.2 * true.var()


def test_a_constant_column_does_no_harm() -> None:
    x, y = linear(60, 3)
    x[:, 2] = 5
    split = split_by_id(tuple(str(k) for k in range(60)), seed=0)
    assert np.isfinite(ridge(x, y, split)).all()


def test_without_covariates_their_rivals_are_left_out(days: Days) -> None:
    bare = dataclasses.replace(days, covariates=days.covariates[:, :0], covariate_names=())
    split = split_by_id(bare.ids, seed=0)
    names = [name for name, _ in predictions(features(bare), bare.target, split)]
    assert len(names) == 4
    assert names[0] == MEAN


def test_hours_are_logs_of_mean_counts(days: Days) -> None:
    known = features(days)
    assert known.hours[5, 3] == pytest.approx(np.log1p(days.minutes[5, 180:240].mean()), rel=1e-5)


# -- the stream ------------------------------------------------------------------------------------


def test_each_split_scores_every_predictor_on_people_not_seen(view: RunView, days: Days) -> None:
    assert view.status == "finished"
    splits = splits_of(view)
    assert [split.about for split in splits] == ["split 1", "split 2"]
    assert verdict.predictors(splits)[0] == MEAN
    assert verdict.predictors(splits)[-1] == LSTM
    assert len(verdict.predictors(splits)) == 9
    for k, split in enumerate(splits):
        rows = split_by_id(days.ids, seed=k)
        true, mean = days.target[rows.test], days.target[rows.train].mean()
        (score,) = verdict.values([split], MEAN, "mse")
        assert score == pytest.approx(((true - mean) ** 2).mean(), rel=1e-5)
        assert split.numbers["people, test"] == 12
        assert split.numbers["test rows"] == 24
        assert not {days.ids[r] for r in rows.test} & {days.ids[r] for r in rows.train}


def test_groups_are_by_age_sex_and_race_and_hold_enough_people(view: RunView) -> None:
    splits = splits_of(view)
    groups = {part.partition(":")[0] for part in verdict.parts(splits)}
    assert {"test", "sex"} <= groups <= {"test", "age", "sex", "race"}
    for split in splits:
        told = {score.part for score in split.scores}
        assert all(split.numbers[f"people, {part}"] >= 5 for part in told)


def test_the_lstm_is_the_network_of_the_best_epoch(events: list, days: Days) -> None:
    from rnnviz.data.days import as_sequences
    from rnnviz.train import fit

    config = small()
    ended = [
        event
        for event in fit(config, as_sequences(days, config.data))
        if type(event).__name__ == "EpochEnded"
    ]
    best = min(ended, key=lambda event: event.validation.metrics["mse"])
    first = next(e for e in events if isinstance(e, Found) and e.about == "split 1")
    (mse,) = verdict.values([first], LSTM, "mse")
    assert mse == pytest.approx(best.test.metrics["mse"], rel=1e-4)


def test_the_progress_of_all_splits_is_one(events: list, view: RunView) -> None:
    started = events[0]
    assert isinstance(started, Started)
    assert started.epochs == 2 * 2
    assert view.step == started.epochs * started.batches
    assert [ended.epoch for ended in view.epochs] == [1, 2, 3, 4]
    steps = [event.step for event in events]
    assert steps == sorted(steps)


def test_what_is_broken_off_begins_its_split_again(events: list, days: Days) -> None:
    stream = corrected.fit(small(), days, splits=2)
    event = next(stream)
    while not (isinstance(event, Found) and event.about == "split 1"):
        event = stream.send(Wishes())
    checkpoint = stream.send(Wishes(checkpoint=True))
    assert isinstance(checkpoint, Checkpointed)
    rest = list(corrected.fit(small(), days, checkpoint.state, splits=2))
    assert [e.about for e in rest if isinstance(e, Found)] == ["split 2"]
    last = [e for e in events if isinstance(e, Found)][-1]
    again = next(e for e in rest if isinstance(e, Found))
    assert encode(again, 1) == encode(last, 1)  # as lines, in which NaN equals NaN
    assert isinstance(rest[-1], Finished)


def test_a_training_that_fails_ends_the_study(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Failed(step=1, epoch=1, message="the loss became nan", where="")
    monkeypatch.setattr(corrected, "train", lambda *_, **__: iter([broken]))
    assert list(corrected.fit(small(), days, splits=2)) == [broken]


def test_a_run_of_it_goes_through_the_worker_s_pump(tmp_path) -> None:
    config = dataclasses.replace(small(), study=StudyConfig(splits=2))
    run = Run.create(tmp_path, config, owner="ann", now=0.0, program=PROGRAMS[CORRECTED])
    InlineRunner(clock=lambda: 0.0).submit(run)
    assert (run.view().status, len(splits_of(run.view()))) == ("finished", 2)


def test_groups_that_are_taken_apart_stand_in_order(view: RunView) -> None:
    known = attributed(view)
    means = {about: one for about, one in known.items() if not about.startswith("person ")}
    names = [about.removeprefix("mean over ").partition(": ")[0] for about in means]
    assert names[0] == "all"
    assert {"sex", "BMI class"} <= set(names) <= {"all", "age", "sex", "race", "BMI class"}
    assert all(one.people >= 5 for one in means.values())
    assert known["mean over all"].people == len(known) - len(means)
    true = [one.true for about, one in means.items() if "BMI class" in about]
    assert true == sorted(true)
    ages = [int(about.split()[-1].split("-")[0]) for about in means if "age: " in about]
    assert ages == sorted(ages)
    sexes = [one for about, one in means.items() if "sex: " in about]
    if sum(one.people for one in sexes) == known["mean over all"].people:
        pooled = sum(one.people * one.hours for one in sexes) / known["mean over all"].people
        assert pooled == pytest.approx(known["mean over all"].hours, abs=1e-6)


# -- intervals and the sentence --------------------------------------------------------------------


def test_an_interval_counts_the_overlap_of_the_splits() -> None:
    found = interval([1.0, 2.0, 3.0], ratio=0.3)
    # qt(.975, 2) * sqrt(var(1:3) * (1/3 + .3)), by R: 3.424148
    assert (found.mean, found.half) == (2, pytest.approx(3.4241, abs=1e-3))
    assert (found.low, found.high) == (
        pytest.approx(-1.4242, abs=1e-3),
        pytest.approx(5.4242, abs=1e-3),
    )
    assert interval([4.0], 0.3) == Interval(mean=4.0, half=math.inf)
    assert math.isnan(interval([1.0, math.nan], 0.3).half)
    assert math.isnan(interval([], 0.3).mean)


def made(**mse: tuple[float, ...]) -> list[Found]:
    """Splits with these scores."""
    names = {
        "mean": MEAN,
        "person": RIDGE_PERSON,
        "trees": BOOSTING_PERSON,
        "both": RIDGE_BOTH,
        "lstm": LSTM,
    }
    count = len(next(iter(mse.values())))
    return [
        Found(
            step=0,
            epoch=0,
            about=f"split {k + 1}",
            numbers={"train rows": 64.0, "test rows": 20.0, "people, test": 20.0},
            scores=tuple(
                Score(
                    predictor=names[name],
                    part="test",
                    metrics={"mse": values[k], "mae": 1.0, "r2": 0.0, "r": math.nan},
                )
                for name, values in mse.items()
            ),
        )
        for k in range(count)
    ]


def test_the_sentence_claims_what_the_interval_allows() -> None:
    better = made(
        mean=(50.0, 51, 52), person=(40.0, 41, 42), both=(39.0, 41, 42), lstm=(44.0, 45, 46)
    )
    said = sentence(better, "(kg/m²)²")
    assert "Over 3 splits by person, the LSTM beats the mean predictor" in said
    assert "test MSE 45.00 against 51.00 (kg/m²)², difference −6.00" in said
    assert "it does worse than ridge on covariates without any activity" in said
    assert "adding activity to the latter does not lower the error beyond chance" in said
    noisy = made(mean=(50.0, 51, 52), lstm=(40.0, 55, 50))
    assert "does not beat the mean predictor beyond chance" in sentence(noisy, "")


def test_the_rival_is_the_better_one_without_activity() -> None:
    splits = made(mean=(50.0, 50), person=(44.0, 44), trees=(40.0, 40), lstm=(45.0, 45))
    splits = [
        dataclasses.replace(s, scores=(*s.scores, dataclasses.replace(s.scores[0], predictor=b)))
        for s in splits
        for b in (verdict.BOOSTING_BOTH,)
    ]
    assert "than boosting on covariates" in sentence(splits, "")
    assert difference(splits, LSTM, RIDGE_PERSON).mean == pytest.approx(1)


def test_one_split_claims_nothing() -> None:
    assert sentence(made(mean=(50.0,), lstm=(10.0,)), "").startswith("One split cannot tell")
    assert sentence([], "") == ""


# -- tables ----------------------------------------------------------------------------------------


def test_the_tables_hold_the_scores(view: RunView) -> None:
    splits = splits_of(view)
    table = scorecard(splits)
    assert table.head == ("on people not seen", "MSE", "MAE", "R²", "r")
    found = verdict.estimate(splits, MEAN, "mse")
    assert table.rows[0] == (
        MEAN,
        f"{found.mean:.2f} ± {found.half:.2f}",
        *table.rows[0][2:4],
        "–",
    )
    groups = by_group(splits)
    assert groups.head[:3] == ("MSE by group", "people", MEAN)
    assert any(row[0] == "sex: female" for row in groups.rows)
    for text in lines(table)[1:]:
        assert len(text) == len(lines(table)[0])


def test_ages_stand_in_order() -> None:
    (split,) = made(mean=(50.0,))
    (score,) = split.scores
    names = ("age: 12-19", "sex: male", "age: 6-11", "age: over 85", "test")
    parts = tuple(dataclasses.replace(score, part=name) for name in names)
    assert verdict.parts([dataclasses.replace(split, scores=parts)]) == (
        "test",
        "age: 6-11",
        "age: 12-19",
        "age: over 85",
        "sex: male",
    )


def test_numbers_have_a_true_minus_and_none_is_a_dash() -> None:
    assert shown(-1.234, 2) == "−1.23"
    assert shown(-0.0004, 3) == "0.000"
    assert shown(math.nan, 2) == "–"
    assert shown_interval(Interval(mean=1.0, half=math.inf), 1) == "1.0"
