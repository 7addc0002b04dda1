"""Scores against closed forms, and baselines that know what they may know."""

import numpy as np
import pytest
from training_samples import make_dataset

from rnnviz.batches import prepare
from rnnviz.data.dataset import Scaler, Task, split_by_id
from rnnviz.evaluate import baselines
from rnnviz.metrics import class_metrics, regression_metrics


def score(scores, predictor, part="test"):
    return next(s.metrics for s in scores if (s.predictor, s.part) == (predictor, part))


def test_the_mean_predictor_scores_the_variance_and_no_correlation():
    prepared = prepare(make_dataset(n=200), seed=0)
    targets = prepared.dataset.targets[:, 0].astype(np.float64)
    train, test = targets[prepared.split.train], targets[prepared.split.test]
    found = score(baselines(prepared), "mean")
    assert found["mse"] == pytest.approx(((test - train.mean()) ** 2).mean(), rel=1e-5)
    assert np.isnan(found["r"])
    on_train = score(baselines(prepared), "mean", "train")
    assert on_train["mse"] == pytest.approx(train.var(), rel=1e-5)
    assert on_train["r2"] == pytest.approx(0, abs=1e-6)


def test_ridge_finds_what_is_linear_and_covariates_only_know_nothing():
    scores = baselines(prepare(make_dataset(n=300), seed=0))
    assert score(scores, "ridge")["r2"] > 0.95
    assert score(scores, "covariates only")["r2"] < 0.1


def test_a_uniform_model_has_a_perplexity_of_its_classes():
    found = class_metrics(np.array([0, 3, 5]), np.full((3, 7), 1 / 7))
    assert found["perplexity"] == pytest.approx(7)
    assert found["loss"] == pytest.approx(np.log(7))


def test_perfect_prediction():
    true = np.array([1.0, 2.0, 4.0])
    found = regression_metrics(true, true)
    assert found == {"mse": 0.0, "mae": 0.0, "r2": 1.0, "r": pytest.approx(1.0)}


def test_a_bigram_knows_what_a_unigram_does_not():
    scores = baselines(prepare(make_dataset(Task.NEXT_TOKEN), seed=0))
    assert score(scores, "bigram")["loss"] < score(scores, "unigram")["loss"]
    assert score(scores, "unigram")["perplexity"] == pytest.approx(5, rel=0.05)


def test_classes_have_their_shares_and_a_linear_rival():
    scores = baselines(prepare(make_dataset(Task.CLASSIFICATION, n=200), seed=0))
    assert score(scores, "class shares")["loss"] == pytest.approx(np.log(2), rel=0.05)
    assert score(scores, "logistic regression")["accuracy"] > 0.8


@pytest.mark.parametrize("seed", range(5))
def test_no_person_stands_in_two_parts(seed):
    ids = tuple(f"p{k % 37}" for k in range(200))
    split = split_by_id(ids, seed)
    parts = [{ids[row] for row in rows} for rows in (split.train, split.validation, split.test)]
    assert sum(map(len, parts)) == 37 == len(set.union(*parts))
    rows = np.sort(np.concatenate([split.train, split.validation, split.test]))
    assert (rows == np.arange(200)).all()


def test_scaling_sees_the_training_part_only_and_guards_zero_variance():
    values = np.array([[1.0, 5.0], [3.0, 5.0], [100.0, 5.0]])
    scaler = Scaler.fit(values[:2])
    np.testing.assert_allclose(scaler(values)[:, 0], [-1, 1, 98])
    np.testing.assert_allclose(scaler(values)[:, 1], 0)
    np.testing.assert_allclose(scaler.invert(scaler(values)), values, rtol=1e-6)
