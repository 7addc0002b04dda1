"""What the pages say of a run: its state, its verdict, its numbers."""

import dataclasses
import math

import numpy as np
import pytest
from training_samples import make_dataset

from rnnviz.config import DataConfig, RunConfig
from rnnviz.data.dataset import Known, SequenceDataset, Split, Task
from rnnviz.events import BatchEnded, EpochEnded, Failed, Finished, Paused, RunView, Score, Started
from rnnviz.ui.answers import answers, floor_error, leak
from rnnviz.ui.live import BADGES
from rnnviz.ui.words import (
    amount,
    duration,
    number,
    of_part,
    state_of,
    summary,
    time_left,
    verdict,
)

REFERENCES = {
    Task.REGRESSION: "mean",
    Task.CLASSIFICATION: "class shares",
    Task.NEXT_TOKEN: "unigram",
    Task.TAGGING: "class shares",
    Task.TRACKING: "mean",
}


def score(
    predictor: str, value: float, metric: str = "mse", part: str = "test", **errors: float
) -> Score:
    return Score(predictor=predictor, part=part, metrics={metric: value}, errors=errors)


def began(base: float = 50.0, task: Task = Task.REGRESSION) -> Started:
    metric, unit = ("mse", "(kg/m²)²") if task is Task.REGRESSION else ("loss", "nats")
    return Started(
        step=0,
        epoch=0,
        parameters=9,
        sizes={"train": 40, "validation": 10, "test": 12},
        people={"train": 40, "validation": 10, "test": 12},
        batches=10,
        epochs=4,
        metric=metric,
        unit=unit,
        baselines=(score(REFERENCES[task], base, metric), score("ridge", 1.0, metric)),
        trace_stride=1,
    )


def batch(step: int, seconds: float = 0.1) -> BatchEnded:
    epoch = 1 + (step - 1) // 10
    return BatchEnded(step=step, epoch=epoch, loss=1.0, gradient_norm=1.0, seconds=seconds)


def epoch(number: int, test: float, metric: str = "mse", **errors: float) -> EpochEnded:
    return EpochEnded(
        step=10 * number,
        epoch=number,
        train_loss=1.0,
        validation=score("network", test, metric, "validation"),
        test=score("network", test, metric, **errors),
        gradient_norm=1.0,
        clipped=0,
        learning_rate=0.01,
        seconds=1.0,
    )


def view_of(*events) -> RunView:
    view = RunView()
    for event in events:
        view = view.after(event)
    return view


FINISHED = Finished(step=40, epoch=4, reason="All epochs are done.", scorecard=())
FAILED = Failed(step=7, epoch=1, message="The loss became nan.", where="layer 1")
HELD = Paused(step=7, epoch=1, reason="step 7 is done")


@pytest.mark.parametrize(
    ("events", "place", "worked_on", "free", "kind", "active", "text"),
    [
        ((), 2, False, True, "starting", True, "warming up"),
        ((), 2, False, False, "queued", True, "Queued: 2 in line"),
        ((), 0, True, True, "starting", True, "reading the data"),
        ((), None, False, True, "interrupted", False, "Press Resume"),
        ((began(), batch(7)), 0, True, True, "running", True, "Epoch 1 of 4, step 7 of 40"),
        ((began(), batch(7)), None, True, True, "running", True, "Epoch 1 of 4, step 7 of 40"),
        ((began(), batch(7)), None, False, True, "interrupted", False, "nothing is lost"),
        ((began(), batch(7), HELD), None, False, True, "paused", False, "Step 7 is done"),
        ((began(), batch(7), HELD), 0, True, True, "paused", True, "Step 7 is done"),
        ((began(), batch(7), HELD), 1, False, False, "queued", True, "Queued: 1 in line"),
        ((began(), FINISHED), None, False, True, "finished", False, "All epochs are done."),
        ((began(), FAILED), 1, True, True, "failed", False, "The loss became nan."),
    ],
)
def test_a_run_stands_in_one_of_seven_ways(
    events: tuple, place: int | None, worked_on: bool, free: bool, kind: str, active: bool, text
) -> None:
    state = state_of(view_of(*events), place, worked_on=worked_on, free=free)
    assert (state.kind, state.active) == (kind, active)
    assert text in state.text
    assert state.kind in BADGES


def test_what_is_done_is_the_share_of_all_steps() -> None:
    def done(*events) -> float:
        return state_of(view_of(*events), 0, worked_on=True, free=True).done

    assert done() == 0.0
    assert done(began(), batch(10)) == pytest.approx(0.25)
    assert done(began(), batch(10), HELD) == pytest.approx(0.25)
    stopped = dataclasses.replace(FINISHED, step=10, reason="stopped by hand")
    assert done(began(), batch(10), stopped) == pytest.approx(0.25)
    early = dataclasses.replace(FINISHED, step=10, scorecard=(score("network", 1.0),))
    assert done(began(), batch(10), early) == 1.0


def test_what_a_worker_could_not_write_is_said() -> None:
    state = state_of(view_of(began()), None, worked_on=False, free=True, trouble="the disk is full")
    assert (state.kind, state.text) == ("interrupted", "Interrupted: the disk is full")


def test_time_left_follows_the_median_pace_of_the_last_batches() -> None:
    assert time_left(RunView()) == ""
    assert time_left(view_of(began())) == ""
    slow_start = (batch(1, 50.0), *(batch(step, 2.0) for step in range(2, 11)))
    # 30 steps are left, at 2 s and a quarter of it for validation and test
    assert time_left(view_of(began(), *slow_start)) == ", about 75 s left"
    last = (batch(39, 0.1), batch(40, 0.1))
    assert time_left(view_of(began(), *last)) == ", about 0.1 s left"


VERDICTS = [
    (Task.REGRESSION, 30.0, None, "The network beats the mean predictor: test MSE 30 against 50"),
    (Task.REGRESSION, 30.0, 9.9, "The network beats the mean predictor: test MSE 30 against 50"),
    (Task.REGRESSION, 30.0, 10.1, "does not beat the mean predictor beyond chance"),
    (Task.REGRESSION, 49.5, 10.0, "does not beat the mean predictor beyond chance"),
    (Task.REGRESSION, 30.0, math.inf, "cannot be told from so small a test part: test MSE 30 aga"),
    (Task.REGRESSION, 60.0, math.inf, "The network does not beat the mean predictor: test MSE 60"),
    (Task.REGRESSION, 50.5, 10.0, "The network does not beat the mean predictor: test MSE 50.5"),
    (Task.REGRESSION, 60.0, 1.0, "The network does not beat the mean predictor: test MSE 60"),
    (Task.REGRESSION, 50.0, None, "The network does not beat the mean predictor: test MSE 50"),
    (Task.REGRESSION, float("nan"), None, "The network does not beat the mean predictor"),
    (Task.CLASSIFICATION, 0.5, None, "The network beats predicting the class shares: test cross-"),
    (Task.CLASSIFICATION, 49.9, 0.2, "does not beat predicting the class shares beyond chance"),
    (Task.CLASSIFICATION, 49.9, 0.04, "The network beats predicting the class shares: test cross-"),
    (Task.TAGGING, 49.9, 0.2, "does not beat predicting the class shares beyond chance"),
    (Task.NEXT_TOKEN, 49.9, 0.2, "not beat the frequencies of single tokens beyond chance"),
    (Task.NEXT_TOKEN, 2.0, None, "The network beats the frequencies of single tokens: test cross-"),
    (Task.NEXT_TOKEN, 51.0, None, "The network does not beat the frequencies of single tokens"),
]


@pytest.mark.parametrize(("task", "ours", "error", "said"), VERDICTS)
def test_the_verdict_compares_with_the_predictor_that_knows_no_inputs(
    task: Task, ours: float, error: float | None, said: str
) -> None:
    started = began(task=task)
    errors = {} if error is None else {REFERENCES[task]: error}
    view = view_of(started, epoch(1, ours, started.metric, **errors))
    assert said in verdict(view, task)


def test_the_verdict_names_share_error_unit_and_people() -> None:
    beats = "The network beats the mean predictor: test MSE 30 against 50 (kg/m²)², "
    text = verdict(view_of(began(), epoch(1, 30.0)), Task.REGRESSION)
    assert text == beats + "40 % lower, 12 people."
    assert verdict(view_of(began(), epoch(1, 30.0, mean=15.0)), Task.REGRESSION).endswith(
        "test MSE 30 against 50 (kg/m²)²; the difference of 20 is within two standard errors "
        "(30, 12 people)."
    )


LAST = [
    (60.0, None, "It does not beat persistence"),
    (30.0, None, "one test part cannot tell"),
    (30.0, 6.7, "one test part cannot tell"),  # 20 is within three of them
    (30.0, 6.6, "It is 40 % below persistence, the last value once more: test MSE 50, more than"),
]


@pytest.mark.parametrize(("ours", "error", "said"), LAST)
def test_persistence_is_beaten_beyond_three_standard_errors_only(
    ours: float, error: float | None, said: str
) -> None:
    started = began()
    started = dataclasses.replace(
        started, baselines=(*started.baselines, score("persistence", 50.0))
    )
    errors = {} if error is None else {"persistence": error}
    text = verdict(view_of(started, epoch(1, ours, **errors)), Task.REGRESSION)
    assert said in text
    assert ("below persistence" in text) == (error == 6.6)


def test_counts_of_the_last_tokens_are_named_where_they_are_better() -> None:
    started = began(3.3, Task.NEXT_TOKEN)
    counts = (score("bigram", 2.4, "loss"), score("trigram", 2.0, "loss"))
    started = dataclasses.replace(started, baselines=(*started.baselines, *counts))

    def said(ours: float) -> str:
        return verdict(view_of(started, epoch(1, ours, "loss")), Task.NEXT_TOKEN)

    lower = " The trigram, which reads the last few tokens only, is lower: test cross-entropy 2."
    assert said(2.2).endswith(lower)
    assert said(2.2).startswith("The network beats the frequencies of single tokens")
    assert said(1.5).endswith(
        " It is also below the best that reads the last few tokens only, the trigram: "
        "test cross-entropy 2."
    )
    assert "trigram" not in verdict(view_of(began(), epoch(1, 30.0)), Task.REGRESSION)


def known(name: str, value: float, *, floor: bool, spread: float = 0.0) -> Known:
    off = np.resize([spread, -spread], 12)
    expected = np.full(12, value)
    return Known(name=name, metric="mse", expected=expected, floor=floor, realised=expected + off)


def data_with(*answers: Known) -> SequenceDataset:
    return dataclasses.replace(make_dataset(n=12), known=answers)


ANSWERS = [
    (known("memoryless limit", 40.0, floor=False), 30.0, "clearly below the memoryless limit, 40:"),
    (known("memoryless limit", 32.0, floor=False), 30.0, "not clearly below the memoryless limit"),
    (known("chance", 29.0, floor=False), 30.0, "It is not clearly below chance, 29."),
    (known("noise floor", 10.0, floor=True), 30.0, "It is 20 above the noise floor, 10."),
    (known("noise floor", 31.0, floor=True, spread=3.0), 30.0, "It stands at the noise floor, 31"),
    (known("noise floor", 0.0, floor=True), 30.0, ""),
    (known("noise floor", 40.0, floor=True, spread=3.0), 30.0, ""),  # told as a leak
]


@pytest.mark.parametrize(("answer", "ours", "said"), ANSWERS)
def test_known_answers_are_told_with_their_numbers(answer: Known, ours: float, said: str) -> None:
    base = score(answer.name, float(answer.expected[0]))
    started = dataclasses.replace(began(), baselines=(base,))
    split = Split(train=np.arange(4), validation=np.arange(4, 6), test=np.arange(6, 12))
    view, dataset = view_of(started, epoch(1, ours)), data_with(answer)
    assert said in answers(view, dataset, split)
    assert bool(answers(view, dataset, split)) == bool(said)
    leaked = leak(view, dataset, split)
    assert bool(leaked) == (answer.floor and answer.expected[0] == 40.0)
    if leaked:  # six times 3 off the floor: an error of 3 sqrt(6/5) / sqrt(6)
        assert floor_error(answer, split) == pytest.approx(3 / np.sqrt(5))
        assert "lies below the noise floor of 40" in leaked


def test_tokens_have_no_people() -> None:
    view = view_of(began(task=Task.NEXT_TOKEN), epoch(1, 2.0, "loss"))
    assert "people" not in verdict(view, Task.NEXT_TOKEN)


def test_the_verdict_at_the_end_is_on_the_weights_that_are_kept() -> None:
    kept = dataclasses.replace(FINISHED, scorecard=(score("network", 20.0),))
    text = verdict(view_of(began(), epoch(1, 30.0), kept), Task.REGRESSION)
    assert "test MSE 20 against 50" in text


@pytest.mark.parametrize("events", [(), (began(),), (epoch(1, 30.0),)])
def test_there_is_no_verdict_before_the_first_epoch(events: tuple) -> None:
    assert verdict(view_of(*events), Task.REGRESSION) == ""


@pytest.mark.parametrize("task", Task)
def test_the_reference_is_the_predictor_that_knows_no_inputs(task: Task) -> None:
    assert task.reference == REFERENCES[task]
    scores = began(task=task).baselines
    assert of_part(scores, task.reference, "test") is scores[0]
    assert of_part(scores, task.reference, "train") is None


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1.23456, 4, "1.235"),
        (-1.23456, 3, "−1.23"),
        (0.0, 4, "0"),
        (-0.0, 4, "0"),
        (-1e-12, 4, "0"),
        (1e-5, 4, "1e−05"),
        (123456.0, 4, "1.235e+05"),
        (float("nan"), 4, "–"),
        (float("inf"), 4, "inf"),
        (float("-inf"), 4, "−inf"),
    ],
)
def test_numbers_have_significant_digits_and_a_true_minus(
    value: float, digits: int, text: str
) -> None:
    assert number(value, digits) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.1 s"),
        (0.31, "0.3 s"),
        (8.4, "8 s"),
        (89.4, "89 s"),
        (90.0, "2 min"),
        (5399.0, "90 min"),
        (5400.0, "1.5 h"),
        (9000.0, "2.5 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(1.4e6, "1 MB"), (999e6, "999 MB"), (2.5e9, "2.5 GB")])
def test_amounts(count: float, text: str) -> None:
    assert amount(count) == text


@pytest.mark.parametrize(
    ("rows", "source", "task", "said"),
    [
        (1, "file", Task.REGRESSION, "20 people, 12 steps of 1 value; y is predicted"),
        (4, "file", Task.REGRESSION, "20 days of 5 people, 12 steps of 1 value; y is predicted"),
        (1, "file", Task.CLASSIFICATION, "20 people, 12 steps of 1 value; y is predicted"),
        (1, "text", Task.NEXT_TOKEN, "20 sequences of 12 characters, 5 different ones; the next"),
    ],
)
def test_the_summary_counts_people_and_days(rows: int, source: str, task: Task, said: str) -> None:
    config = RunConfig(data=DataConfig(source=source))
    assert summary(config, make_dataset(task, n=20, rows=rows)).startswith(said)
