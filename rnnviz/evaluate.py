"""How well a network predicts, and how well those do that know less: the baselines.

Every number is in the target's unit (or nats), on the parts of one split by person.
"""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from sklearn import metrics
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from rnnviz.batches import Prepared
from rnnviz.data.dataset import PARTS, Task
from rnnviz.data.text import tokens_of
from rnnviz.events import Score
from rnnviz.model import SequenceModel
from rnnviz.record import outputs_in_unit
from rnnviz.ridge import Features, ridge_path
from rnnviz.trace import Survey

ROWS = 128  # sequences evaluated at once
MOST_SURVEYED = 512  # sequences whose attention and prediction are kept for the pictures
PENALTIES = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)  # of ridge; the validation part chooses


def evaluate(model: SequenceModel, prepared: Prepared, part: str) -> tuple[Score, Survey | None]:
    """The network's score on a part, and a survey of its first sequences (many-to-one only)."""
    rows = prepared.part(part)
    pieces, attention = [], []
    with torch.no_grad():
        for start in range(0, len(rows), ROWS):
            batch = prepared.batch(rows[start : start + ROWS])
            readout = model(batch)
            outputs = outputs_in_unit(readout.outputs, model.task, prepared.target_scaler)
            if model.task is Task.NEXT_TOKEN:
                pieces.append(_token_losses(outputs, batch.targets.numpy()))
                continue
            pieces.append(outputs[:, 0])
            if readout.attended is not None and start < MOST_SURVEYED:
                attention.append(readout.attended.weights[:, 0].numpy())
    found = np.concatenate(pieces)
    if model.task is Task.NEXT_TOKEN:
        return Score(predictor="network", part=part, metrics=_token_metrics(found)), None
    return _score("network", part, prepared, found), _survey(prepared, rows, found, attention)


def _survey(
    prepared: Prepared,
    rows: Int[np.ndarray, " N"],
    found: Float[np.ndarray, "N K"],
    attention: list[np.ndarray],
) -> Survey:
    kept = rows[:MOST_SURVEYED]
    classes = prepared.dataset.task is Task.CLASSIFICATION
    predictions = found.argmax(axis=1) if classes else found[:, 0]
    targets = prepared.dataset.targets[kept]
    return Survey(
        sequences=kept,
        targets=(targets if classes else targets[:, 0]).astype(np.float32),
        predictions=predictions[:MOST_SURVEYED].astype(np.float32),
        attention=np.concatenate(attention)[:MOST_SURVEYED] if attention else None,
    )


def regression_metrics(
    true: Float[np.ndarray, " N"], predicted: Float[np.ndarray, " N"]
) -> Mapping[str, float]:
    """MSE, MAE, R2 and Pearson's r; r is NaN where either side does not vary."""
    vary = np.ptp(true) > 0 and np.ptp(predicted) > 0
    return {
        "mse": float(metrics.mean_squared_error(true, predicted)),
        "mae": float(metrics.mean_absolute_error(true, predicted)),
        "r2": float(metrics.r2_score(true, predicted)) if len(true) > 1 else float("nan"),
        "r": float(np.corrcoef(true, predicted)[0, 1]) if vary else float("nan"),
    }


def class_metrics(
    true: Int[np.ndarray, " N"], probabilities: Float[np.ndarray, "N K"]
) -> Mapping[str, float]:
    """Cross-entropy [nats], accuracy, and perplexity = exp(cross-entropy)."""
    of_true = probabilities[np.arange(len(true)), true]
    loss = float(-np.log(np.maximum(of_true, np.finfo(np.float32).tiny)).mean(dtype=np.float64))
    return {
        "loss": loss,
        "accuracy": float((probabilities.argmax(axis=1) == true).mean()),
        "perplexity": float(np.exp(loss)),
    }


def _token_losses(
    probabilities: Float[np.ndarray, "B T V"], targets: Int[np.ndarray, "B T"]
) -> Float[np.ndarray, "M 2"]:
    """Of every token its loss [nats] and whether it was the likeliest."""
    of_true = np.take_along_axis(probabilities, targets[..., None], axis=2)[..., 0]
    losses = -np.log(np.maximum(of_true, np.finfo(np.float32).tiny))
    hits = probabilities.argmax(axis=2) == targets
    return np.stack((losses.ravel(), hits.ravel()), axis=1).astype(np.float64)


def _token_metrics(found: Float[np.ndarray, "M 2"]) -> Mapping[str, float]:
    loss, accuracy = (float(value) for value in found.mean(axis=0))
    return {"loss": loss, "accuracy": accuracy, "perplexity": float(np.exp(loss))}


def _score(predictor: str, part: str, prepared: Prepared, found: np.ndarray) -> Score:
    true = prepared.dataset.targets[prepared.part(part)]
    if prepared.dataset.task is Task.REGRESSION:
        values = regression_metrics(
            true[:, 0].astype(np.float64), found.reshape(len(true), -1)[:, 0].astype(np.float64)
        )
    else:
        values = class_metrics(true, found)
    return Score(predictor=predictor, part=part, metrics=values)


def baselines(prepared: Prepared) -> tuple[Score, ...]:
    """Scores of those that know less, on every part."""
    if prepared.dataset.task is Task.NEXT_TOKEN:
        return _token_baselines(prepared)
    covariates = prepared.covariates.numpy()
    dataset = prepared.dataset

    def flat(rows: Int[np.ndarray, " M"]) -> Float[np.ndarray, "M P"]:
        return prepared.inputs(rows).reshape(len(rows), -1)

    def known(rows: Int[np.ndarray, " M"]) -> Float[np.ndarray, "M P"]:
        return covariates[rows]

    if dataset.vocabulary:
        return _constant_class(prepared) + _bag_of_words(prepared)
    if dataset.task is Task.CLASSIFICATION:
        scores = _constant_class(prepared)
        names = ("logistic regression", "covariates only")
        fitted = _logistic
    else:
        scores = _constant(prepared) + _persistence(prepared)
        names, fitted = ("ridge", "covariates only"), _ridge
    widths = (dataset.inputs[0].size, covariates.shape[1])
    for name, x, width in zip(names, (flat, known), widths, strict=True):
        if width:
            scores += fitted(name, x, prepared)
    return scores


def _constant(prepared: Prepared) -> tuple[Score, ...]:
    mean = prepared.dataset.targets[prepared.split.train].mean()
    return tuple(
        _score("mean", part, prepared, np.full(len(prepared.part(part)), mean)) for part in PARTS
    )


def _persistence(prepared: Prepared) -> tuple[Score, ...]:
    """The last value once more, where the data have one in the target's unit."""
    repeated = prepared.dataset.persistence
    if repeated is None:
        return ()
    return tuple(
        _score("persistence", part, prepared, repeated[prepared.part(part)]) for part in PARTS
    )


def _constant_class(prepared: Prepared) -> tuple[Score, ...]:
    targets = prepared.dataset.targets[prepared.split.train]
    classes = len(prepared.dataset.classes)
    shares = (np.bincount(targets, minlength=classes) + 1.0) / (len(targets) + classes)
    return tuple(
        _score("class shares", part, prepared, np.tile(shares, (len(prepared.part(part)), 1)))
        for part in PARTS
    )


def _ridge(name: str, x: Features, prepared: Prepared) -> tuple[Score, ...]:
    y = prepared.dataset.targets[:, 0].astype(np.float64)
    fits = ridge_path(x, prepared.split.train, y, PENALTIES)
    held_out = prepared.split.validation
    errors = [np.mean((fit.predict(x, held_out) - y[held_out]) ** 2) for fit in fits]
    best = fits[int(np.argmin(errors))]
    return tuple(
        _score(name, part, prepared, best.predict(x, prepared.part(part))) for part in PARTS
    )


def _bag_of_words(prepared: Prepared) -> tuple[Score, ...]:
    """Logistic regression on the counts of tokens, weighted by their rarity; order is lost."""
    dataset = prepared.dataset

    def read(rows: Int[np.ndarray, " M"]) -> list[tuple[str, ...]]:
        return [tokens_of(dataset, int(row)) for row in rows]

    counted = TfidfVectorizer(analyzer=list, lowercase=False, vocabulary=dataset.vocabulary)
    model = LogisticRegression(max_iter=200)
    return _classifier("bag of words", read, prepared, make_pipeline(counted, model))


def _logistic(name: str, x: Features, prepared: Prepared) -> tuple[Score, ...]:
    model = LogisticRegression(C=0.01, max_iter=200)
    return _classifier(name, x, prepared, make_pipeline(StandardScaler(), model))


def _classifier(
    name: str, x: Callable[[Int[np.ndarray, " M"]], Any], prepared: Prepared, steps: Pipeline
) -> tuple[Score, ...]:
    """Fitted to what `x` gives of the training part's rows."""
    train = prepared.split.train
    seen = prepared.dataset.targets[train]
    if len(np.unique(seen)) < 2:
        return ()
    classes = len(prepared.dataset.classes)
    with warnings.catch_warnings():
        # a baseline that has not quite converged is still a baseline
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = steps.fit(x(train), seen)
    scores = []
    for part in PARTS:
        rows = prepared.part(part)
        probabilities = np.full((len(rows), classes), 1e-9)
        probabilities[:, fitted.classes_] = fitted.predict_proba(x(rows))
        scores.append(_score(name, part, prepared, probabilities))
    return tuple(scores)


def _token_baselines(prepared: Prepared) -> tuple[Score, ...]:
    """Shares of single tokens, and of tokens given the one before, each smoothed by adding one."""
    dataset = prepared.dataset
    size = len(dataset.vocabulary)
    inputs = dataset.inputs[prepared.split.train].ravel()
    targets = dataset.targets[prepared.split.train].ravel()
    single = np.bincount(targets, minlength=size) + 1.0
    single /= single.sum()
    # the bigram falls back on the single shares, with the weight of one token per context
    pairs = np.bincount(inputs * size + targets, minlength=size**2).reshape(size, size)
    given = (pairs + single) / (pairs.sum(axis=1, keepdims=True) + 1.0)
    scores = []
    for name in ("unigram", "bigram"):
        for part in PARTS:
            rows = prepared.part(part)
            before, true = dataset.inputs[rows].ravel(), dataset.targets[rows].ravel()
            if name == "unigram":
                of_true, best = single[true], np.full(len(true), single.argmax())
            else:
                of_true, best = given[before, true], given.argmax(axis=1)[before]
            found = np.stack((-np.log(of_true), best == true), axis=1)
            scores.append(Score(predictor=name, part=part, metrics=_token_metrics(found)))
    return tuple(scores)
