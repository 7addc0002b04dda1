"""Which test sequences are looked into, and which of them is seen first."""

import dataclasses

import numpy as np
import pytest
from training_samples import make_dataset

from rnnviz.batches import prepare
from rnnviz.config import DataConfig
from rnnviz.data import nhanes
from rnnviz.data.dataset import Task
from rnnviz.data.days import as_sequences
from rnnviz.traced import traced_rows


@pytest.mark.parametrize("task", Task)
@pytest.mark.parametrize("most", [1, 4, 1000])
def test_they_are_different_test_sequences_and_always_the_same(task: Task, most: int) -> None:
    prepared = prepare(make_dataset(task), 0)
    rows = traced_rows(prepared, most)
    assert len(rows) == min(most, len(prepared.split.test))
    assert len(set(rows.tolist())) == len(rows)
    assert set(rows.tolist()) <= set(prepared.split.test.tolist())
    np.testing.assert_array_equal(rows, traced_rows(prepared, most))


def test_they_are_spread_over_the_target() -> None:
    prepared = prepare(make_dataset(), 0)
    targets = prepared.dataset.targets[:, 0]
    rank = np.argsort(np.argsort(targets[prepared.split.test]))
    of_row = dict(zip(prepared.split.test.tolist(), rank.tolist(), strict=True))
    ranks = sorted(of_row[row] for row in traced_rows(prepared, 4).tolist())
    expected = np.linspace(0, len(rank) - 1, 6)[1:-1]
    assert np.abs(np.array(ranks) - expected).max() <= 0.5


def test_the_most_usual_comes_first() -> None:
    """Inputs are moved away from the mean course by hand, the further the earlier the row."""
    data = make_dataset()
    rng = np.random.default_rng(0)
    far = np.linspace(9, 1, len(data.inputs)) * rng.choice([-1, 1], len(data.inputs))
    inputs = np.ones_like(data.inputs) * far[:, None, None].astype(np.float32)
    inputs = inputs * (np.arange(data.steps) < data.lengths[:, None])[:, :, None]
    prepared = prepare(dataclasses.replace(data, inputs=inputs, standardise=False), 0)
    mean = prepared.inputs(prepared.split.test).mean(axis=0)
    away = [
        float(np.linalg.norm(prepared.inputs(np.array([row]))[0] - mean))
        for row in (traced_rows(prepared, 4).tolist())
    ]
    assert away == sorted(away)
    assert away[0] < away[-1]


def test_tokens_stay_in_the_order_of_the_data() -> None:
    rows = traced_rows(prepare(make_dataset(Task.NEXT_TOKEN), 0), 4)
    assert rows.tolist() == sorted(rows.tolist())


@pytest.mark.parametrize("seed", range(5))
def test_nobody_who_works_at_night_is_seen_first_among_simulated_days(seed: int) -> None:
    config = DataConfig(people=300)
    prepared = prepare(as_sequences(nhanes.load(config, None), config), seed)
    first = prepared.dataset.inputs[traced_rows(prepared, 4)[0], :, 0]
    by_hour = first.reshape(24, -1).mean(axis=1)
    assert by_hour[1:5].mean() < by_hour[10:18].mean() / 4
