"""How sure a lower loss is: standard errors of its difference to whoever knows no inputs.

Both are judged on the same rows, so the difference is taken row by row, and what all rows have in
common falls out. No files, no training.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

from rnnviz.batches import Prepared
from rnnviz.metrics import difference_error

FEWEST_INDEPENDENT = 20  # of whom an error of the difference to persistence is told at all


def constant_losses(
    prepared: Prepared, true: Float[np.ndarray, "M K"] | Int[np.ndarray, " M"]
) -> Float[np.ndarray, " M"]:
    """The loss at each target of always saying what is best without inputs.

    Squared errors in the target's unit, of several numbers their mean; or nats.
    """
    if prepared.dataset.task.numeric:
        return ((true - prepared.constant) ** 2).mean(axis=1)
    return -np.log(prepared.constant)[true]


def errors(
    prepared: Prepared,
    rows: Int[np.ndarray, " M"],
    true: Float[np.ndarray, "M K"] | Int[np.ndarray, " M"],
    losses: Float[np.ndarray, " M"],
) -> Mapping[str, float]:
    """Standard errors of the difference in loss to others, by their names among the scores.

    Infinite where all rows hang together; persistence is left out where nearly all do.

    Args:
        rows: of the dataset; one that says something at every step stands there for each of them.
        true: the target of each.
        losses: of the predictor that is compared.
    """
    dataset = prepared.dataset
    whose = dataset.independent[rows]
    gains = constant_losses(prepared, true) - losses
    found = {dataset.task.reference: difference_error(gains, whose)}
    repeated = dataset.persistence
    if repeated is not None and len(np.unique(whose)) >= FEWEST_INDEPENDENT:
        theirs = ((true - repeated[rows].astype(np.float64)) ** 2).mean(axis=1)
        found["persistence"] = difference_error(theirs - losses, whose)
    return found
