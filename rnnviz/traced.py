"""Which test sequences a trace shows."""

import math

import numpy as np
from jaxtyping import Float, Int

from rnnviz.batches import Prepared
from rnnviz.data.dataset import Task

_MOST_COMPARED = 512  # test sequences whose mean says what is usual


def traced_rows(prepared: Prepared, most: int) -> Int[np.ndarray, " B"]:
    """A few test sequences, spread evenly over the target where it is a number.

    The most usual comes first, since it is what the pages show first. Tokens have no mean: such
    sequences stay in the order of the data.

    Args:
        most: how many at most.
    """
    rows = prepared.split.test
    if prepared.dataset.task is Task.REGRESSION:
        rows = rows[np.argsort(prepared.dataset.targets[rows, 0], kind="stable")]
    count = min(most, len(rows))
    positions = np.linspace(0, len(rows) - 1, count + 2)[1:-1].round().astype(int)
    chosen = np.unique(rows[positions] if count < len(rows) else rows).astype(np.int64)
    if prepared.dataset.vocabulary:
        return chosen
    return chosen[np.argsort(_unusual(prepared, chosen), kind="stable")]


def _unusual(prepared: Prepared, rows: Int[np.ndarray, " B"]) -> Float[np.ndarray, " B"]:
    """Squared distance from the mean test sequence, over all steps and features.

    Over the steps, and not in total alone: whoever is awake all night moves as much as others do.
    """
    test = prepared.split.test
    compared = test[:: math.ceil(len(test) / _MOST_COMPARED)]
    usual = prepared.inputs(compared).mean(axis=0, dtype=np.float64)
    return np.square(prepared.inputs(rows) - usual).sum(axis=(1, 2))
