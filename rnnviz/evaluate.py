"""How well a network predicts, and how well those do that know less: the baselines.

Every number is in the target's unit (or nats), on the parts of one split by person.
"""

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from rnnviz.batches import Prepared
from rnnviz.data.dataset import PARTS, Known, Task
from rnnviz.data.text import tokens_of
from rnnviz.events import Score
from rnnviz.metrics import class_losses, class_metrics, regression_metrics
from rnnviz.model import SequenceModel
from rnnviz.paired import errors
from rnnviz.record import outputs_in_unit
from rnnviz.ridge import Features, ridge_path
from rnnviz.stepwise import evaluate_steps, step_baselines
from rnnviz.trace import Survey

ROWS = 128  # sequences evaluated at once
MOST_SURVEYED = 512  # sequences whose attention and prediction are kept for the pictures
MOST_CLASSED = 4096  # the same where classes are predicted,
MOST_NUMBERS = 2**17  # and together they hold no more probabilities and weights than this
PENALTIES = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5)  # of ridge; the validation part chooses


def evaluate(model: SequenceModel, prepared: Prepared, part: str) -> tuple[Score, Survey | None]:
    """The network's score on a part, and a survey of its first sequences (not of tokens)."""
    if prepared.dataset.task.every_step:
        return evaluate_steps(model, prepared, part)
    rows = prepared.part(part)
    pieces, attention, most = [], [], _most_surveyed(prepared)
    with torch.no_grad():
        for start in range(0, len(rows), ROWS):
            batch = prepared.batch(rows[start : start + ROWS])
            readout = model(batch)
            outputs = outputs_in_unit(readout.outputs, model.task, prepared.target_scaler)
            pieces.append(outputs[:, 0])
            if readout.attended is not None and start < most:
                attention.append(readout.attended.weights[:, 0].numpy())
    found = np.concatenate(pieces)
    score = _score("network", part, prepared, found)
    told = errors(prepared, rows, *_judged(prepared, rows, found))
    return replace(score, errors=told), _survey(prepared, rows[:most], found, attention)


def _judged(
    prepared: Prepared, rows: Int[np.ndarray, " N"], found: Float[np.ndarray, "N K"]
) -> tuple[np.ndarray, Float[np.ndarray, " N"]]:
    """The target of each row, and the network's loss at it."""
    true = prepared.dataset.targets[rows]
    if prepared.dataset.task is Task.CLASSIFICATION:
        return true, class_losses(true, found)
    return true, ((true - found.astype(np.float64)) ** 2).mean(axis=1)


def _most_surveyed(prepared: Prepared) -> int:
    """How many sequences a survey holds: of short texts all there usually are."""
    dataset = prepared.dataset
    if dataset.task is not Task.CLASSIFICATION:
        return MOST_SURVEYED
    fitting = MOST_NUMBERS // (dataset.steps + len(dataset.classes))
    return min(MOST_CLASSED, max(MOST_SURVEYED, fitting))


def _survey(
    prepared: Prepared,
    rows: Int[np.ndarray, " S"],
    found: Float[np.ndarray, "N K"],
    attention: list[np.ndarray],
) -> Survey:
    most = len(rows)
    classes = prepared.dataset.task is Task.CLASSIFICATION
    kept = found[:most]
    predictions = kept.argmax(axis=1) if classes else kept[:, 0]
    targets = prepared.dataset.targets[rows]
    return Survey(
        sequences=rows,
        targets=(targets if classes else targets[:, 0]).astype(np.float32),
        predictions=predictions.astype(np.float32),
        attention=np.concatenate(attention)[:most] if attention else None,
        probabilities=kept.astype(np.float32) if classes else None,
    )


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
    """Scores of those that know less, on every part, and of what is known beforehand."""
    every_step = prepared.dataset.task.every_step
    fitted = step_baselines(prepared) if every_step else _end_baselines(prepared)
    return fitted + _known(prepared)


def _known(prepared: Prepared) -> tuple[Score, ...]:
    """The answers that are known because the rule is that makes the data."""
    dataset = prepared.dataset
    # scores are means over all steps that count, whichever sequence they belong to
    weights = np.ones(len(dataset.ids))
    if dataset.task.every_step:
        weights = dataset.judged.sum(axis=1).astype(np.float64)
    return tuple(
        Score(predictor=known.name, part=part, metrics=_metrics_of(known, rows, weights[rows]))
        for known in dataset.known
        for part in PARTS
        if len(rows := prepared.part(part))
    )


def _metrics_of(
    known: Known, rows: Int[np.ndarray, " M"], weights: Float[np.ndarray, " M"]
) -> Mapping[str, float]:
    value = float(np.average(known.expected[rows], weights=weights))
    found = {known.metric: value, **known.others}
    return found | ({"perplexity": math.exp(value)} if known.metric == "loss" else {})


def _end_baselines(prepared: Prepared) -> tuple[Score, ...]:
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
    return tuple(
        _score("mean", part, prepared, np.tile(prepared.constant, (len(prepared.part(part)), 1)))
        for part in PARTS
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
    shares = prepared.constant
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
