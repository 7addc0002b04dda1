"""How sure a difference in loss is: against closed forms, and against all rows gone through."""

import dataclasses
from collections import defaultdict

import numpy as np
import pytest
import torch
from training_samples import make_dataset

from rnnviz.batches import prepare
from rnnviz.config import ModelConfig
from rnnviz.data.dataset import Task
from rnnviz.evaluate import baselines, evaluate
from rnnviz.metrics import difference_error
from rnnviz.model import SequenceModel
from rnnviz.record import outputs_in_unit

EACH = np.arange(4)
# constant 2: squared errors 1, 0, 1, 4; network: 0, 1, 4, 0; gains 1, -1, -3, 4, on average 1/4
FOUR = np.array([1.0, -1.0, -3.0, 4.0])


def test_the_error_of_a_difference_is_that_of_the_mean_gain():
    assert difference_error(FOUR, EACH) == pytest.approx(np.std(FOUR, ddof=1) / 2)


def test_rows_of_one_person_count_together():
    # a: 0.75 - 1.25 - 3.25 = -3.75, b: 3.75, of two people and four rows
    by_hand = np.sqrt((3.75**2 + 3.75**2) * 2 / 1) / 4
    assert difference_error(FOUR, np.array([7, 7, 7, 3])) == pytest.approx(by_hand)


def test_the_same_days_twice_bring_no_certainty():
    once = difference_error(FOUR, EACH)
    assert difference_error(np.tile(FOUR, 2), np.tile(EACH, 2)) == pytest.approx(once)


def test_a_network_that_says_the_mean_has_no_error_of_difference():
    assert difference_error(np.zeros(3), EACH[:3]) == 0.0


def test_of_one_person_no_error_is_known():
    assert difference_error(FOUR, np.zeros(4, np.int64)) == float("inf")


def setup(task, rows=2):
    """An untrained network, on two rows a person."""
    dataset = make_dataset(task, n=80, t=6, rows=rows)
    prepared = prepare(dataset, seed=0)
    model = SequenceModel(
        ModelConfig(hidden_size=4, attention="none"),
        inputs=dataset.input_size,
        outputs=dataset.output_size,
        covariates=dataset.covariates.shape[1],
        task=task,
    )
    return prepared, model


def losses_of_each(prepared, model):
    """(row, the network's loss, the loss of whoever knows no inputs), a target after the other."""
    dataset, train, rows = prepared.dataset, prepared.split.train, prepared.split.test
    task = dataset.task
    with torch.no_grad():
        outputs = model(prepared.batch(rows)).outputs
    outputs = outputs_in_unit(outputs, task, prepared.target_scaler)
    seen = dataset.targets[train][dataset.judged[train]] if task.every_step else None
    seen = dataset.targets[train] if seen is None else seen
    if task.numeric:
        known = seen.astype(np.float64).mean(axis=0)
    else:
        known = np.bincount(seen, minlength=dataset.output_size) + 1.0
        known /= known.sum()
    for k, row in enumerate(rows):
        for t in np.flatnonzero(dataset.judged[row]) if task.every_step else [0]:
            true = dataset.targets[row, t] if task.every_step else dataset.targets[row]
            said = outputs[k, t]
            if task.numeric:
                yield row, ((said - true) ** 2).mean(), ((known - true) ** 2).mean()
            else:
                yield row, -np.log(said[true]), -np.log(known[true])


@pytest.mark.parametrize("task", Task)
def test_the_network_and_its_reference_are_compared_target_by_target(task):
    prepared, model = setup(task)
    score, _ = evaluate(model, prepared, "test")
    gains = defaultdict(list)
    for row, ours, theirs in losses_of_each(prepared, model):
        gains[prepared.dataset.ids[row]].append(float(theirs - ours))
    every = np.concatenate(list(gains.values()))
    metric = "mse" if task.numeric else "loss"
    base = next(
        one.metrics[metric]
        for one in baselines(prepared)
        if (one.predictor, one.part) == (task.reference, "test")
    )
    assert base - score.metrics[metric] == pytest.approx(every.mean(), abs=1e-5 * base)
    people = len(gains)
    assert 2 * people == len(prepared.split.test)
    sums = [np.sum(np.array(one) - every.mean()) for one in gains.values()]
    by_hand = np.sqrt(people / (people - 1) * np.square(sums).sum()) / len(every)
    assert score.errors == {task.reference: pytest.approx(by_hand, rel=1e-4)}


def test_persistence_has_an_error_where_enough_rows_stand_alone():
    prepared, model = setup(Task.REGRESSION, rows=1)
    repeated = prepared.dataset.targets + np.float32(1.5)
    dataset = dataclasses.replace(prepared.dataset, persistence=repeated)
    none, _ = evaluate(model, prepare(dataset, seed=0), "test")  # 16 people
    assert set(none.errors) == {"mean"}
    some, _ = evaluate(model, prepare(dataset, seed=0), "train")
    rows = prepared.split.train
    with torch.no_grad():
        outputs = model(prepared.batch(rows)).outputs
    ours = outputs_in_unit(outputs, Task.REGRESSION, prepared.target_scaler)[:, 0, 0]
    gains = 1.5**2 - (ours - dataset.targets[rows, 0]) ** 2
    by_hand = np.std(gains, ddof=1) / np.sqrt(len(gains))
    assert some.errors["persistence"] == pytest.approx(by_hand, rel=1e-4)


def test_windows_that_share_values_are_one():
    dataset = dataclasses.replace(make_dataset(n=12, t=5), whose="windows")
    assert dataset.independent.tolist() == [0] * 5 + [1] * 5 + [2] * 2
    days = make_dataset(n=6, rows=3)
    assert days.independent.tolist() == [0, 0, 0, 1, 1, 1]
