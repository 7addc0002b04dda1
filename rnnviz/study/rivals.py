"""Predictors that the LSTM has to beat: the mean, ridge, gradient boosting. No torch.

Each is fitted on the train part; what is to be chosen is chosen on the validation part.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from sklearn.ensemble import HistGradientBoostingRegressor

from rnnviz.data.dataset import Scaler, Split
from rnnviz.data.days import Days
from rnnviz.study.verdict import (
    BOOSTING_BOTH,
    BOOSTING_HOURS,
    BOOSTING_PERSON,
    MEAN,
    RIDGE_BOTH,
    RIDGE_HOURS,
    RIDGE_MINUTES,
    RIDGE_PERSON,
)

PENALTIES = tuple(10.0**power for power in range(6))
ROUNDS = 150

Learn = Callable[[np.ndarray, np.ndarray, Split], np.ndarray]


class Features(NamedTuple):
    """What can be known of a person-day. Activity is log(1 + counts), as for the LSTM."""

    minutes: Float[np.ndarray, "N 1440"]
    hours: Float[np.ndarray, "N 24"]
    person: Float[np.ndarray, "N C"]  # covariates, factors one-hot


def features(days: Days) -> Features:
    """The features of all rows."""
    hours = days.minutes.reshape(len(days.ids), 24, 60).mean(axis=2)
    return Features(
        minutes=np.log1p(np.maximum(days.minutes, 0)),
        hours=np.log1p(np.maximum(hours, 0)),
        person=days.covariates,
    )


def predictions(
    known: Features, y: Float[np.ndarray, " N"], split: Split
) -> Iterator[tuple[str, Float[np.ndarray, " M"]]]:
    """Each rival's name and what it says of the test rows; some need covariates."""
    yield MEAN, np.full(len(split.test), y[split.train].mean())
    both = np.concatenate((known.person, known.hours), axis=1)
    plan: tuple[tuple[str, Learn, np.ndarray], ...] = (
        (RIDGE_MINUTES, ridge, known.minutes),
        (RIDGE_HOURS, ridge, known.hours),
        (BOOSTING_HOURS, boosting, known.hours),
    )
    if known.person.shape[1]:
        plan += (
            (RIDGE_PERSON, ridge, known.person),
            (BOOSTING_PERSON, boosting, known.person),
            (RIDGE_BOTH, ridge, both),
            (BOOSTING_BOTH, boosting, both),
        )
    for name, learn, x in plan:
        yield name, learn(x, y, split)


def ridge(
    x: Float[np.ndarray, "N P"], y: Float[np.ndarray, " N"], split: Split
) -> Float[np.ndarray, " M"]:
    """Ridge regression on standardised columns, of all penalties the best in validation.

    With X = U S V', beta = V (S^2 + penalty)^-1 V' X' y; where rows are fewer than columns the
    same by way of X X'.
    """
    scale = Scaler.fit(x[split.train])
    z = {p: scale(x[getattr(split, p)]).astype(np.float64) for p in ("train", "validation", "test")}
    mean = y[split.train].mean()
    centred, train = y[split.train] - mean, z["train"]
    wide = train.shape[0] < train.shape[1]
    power, axes = np.linalg.eigh(train @ train.T if wide else train.T @ train)
    along = axes.T @ (centred if wide else train.T @ centred)
    betas = []
    for penalty in PENALTIES:
        solved = axes @ (along / (np.maximum(power, 0) + penalty))
        betas.append(train.T @ solved if wide else solved)
    true = y[split.validation] - mean
    errors = [np.mean((z["validation"] @ beta - true) ** 2) for beta in betas]
    return z["test"] @ betas[int(np.argmin(errors))] + mean


def boosting(
    x: Float[np.ndarray, "N P"], y: Float[np.ndarray, " N"], split: Split
) -> Float[np.ndarray, " M"]:
    """Gradient boosting on small trees, stopped where validation is best."""
    trees = HistGradientBoostingRegressor(
        learning_rate=0.05,
        max_iter=ROUNDS,
        max_leaf_nodes=8,
        early_stopping=False,  # its own would hold out rows, not people
        random_state=0,
    ).fit(x[split.train], y[split.train])
    true = y[split.validation]
    errors = [np.mean((p - true) ** 2) for p in trees.staged_predict(x[split.validation])]
    after = int(np.argmin(errors))
    return list(trees.staged_predict(x[split.test]))[after]
