"""Numbers that say how near predictions come. No torch, no files."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int
from sklearn import metrics


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
    loss = float(class_losses(true, probabilities).mean(dtype=np.float64))
    return {
        "loss": loss,
        "accuracy": float((probabilities.argmax(axis=1) == true).mean()),
        "perplexity": float(np.exp(loss)),
    }


def class_losses(
    true: Int[np.ndarray, " N"], probabilities: Float[np.ndarray, "N K"]
) -> Float[np.ndarray, " N"]:
    """Cross-entropy of each row [nats]; of a probability of 0 that of the smallest float32."""
    of_true = probabilities[np.arange(len(true)), true]
    return -np.log(np.maximum(of_true, np.finfo(np.float32).tiny))


def difference_error(gains: Float[np.ndarray, " N"], whose: Int[np.ndarray, " N"]) -> float:
    """Standard error of a mean difference, such as that in loss between two predictors.

    Rows that are one's count together (a cluster-robust error), since they are not independent.

    Args:
        gains: the difference on each row.
        whose: equal for rows that hang together, such as those of one person.

    Returns:
        The error in the gains' unit; infinite where all rows are one's.
    """
    _, one = np.unique(whose, return_inverse=True)
    sums = np.bincount(one, gains - gains.mean(dtype=np.float64))
    count = len(sums)
    if count < 2:
        return float("inf")
    return float(np.sqrt((sums**2).sum() * count / (count - 1)) / len(gains))
