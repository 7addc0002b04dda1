"""Whether probabilities can be believed: accuracy with its interval, calibration, Brier score.

NumPy only, so that the server can use it without loading what a worker fits baselines with.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

BINS = 10
Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """How often the likeliest class was the true one, by how sure the network was of it.

    Bins are of one width; the first one begins at 0, and a probability that is an edge belongs to
    the bin above it, 1 to the last. What an empty bin holds is NaN.
    """

    edges: Float[np.ndarray, " E"]  # one more than bins
    counts: Int[np.ndarray, " M"]
    confidence: Float[np.ndarray, " M"]  # mean probability of the likeliest class
    accuracy: Float[np.ndarray, " M"]  # share of them that is right

    @property
    def error(self) -> float:
        """The expected calibration error: sum over bins of their share times the gap in them."""
        gaps = np.abs(self.accuracy - self.confidence)
        return float(np.nansum(gaps * self.counts) / max(1, self.counts.sum()))


def reliability(
    probabilities: Float[np.ndarray, "N K"], true: Int[np.ndarray, " N"], bins: int = BINS
) -> Reliability:
    """After Guo et al. (2017), "On Calibration of Modern Neural Networks".

    Args:
        true: the class of each.
    """
    sure = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == true
    place = np.minimum((sure * bins).astype(int), bins - 1)
    counts = np.bincount(place, minlength=bins)
    some = np.where(counts, counts, np.nan)
    return Reliability(
        edges=np.linspace(0.0, 1.0, bins + 1),
        counts=counts,
        confidence=np.bincount(place, sure, minlength=bins) / some,
        accuracy=np.bincount(place, right, minlength=bins) / some,
    )


def brier(probabilities: Float[np.ndarray, "N K"], true: Int[np.ndarray, " N"]) -> float:
    """Brier's (1950) score: mean over all of sum_k (p_k - y_k)^2; from 0, which is best, to 2.

    Of two classes it is twice the square that is often given, of one class's probability alone.
    """
    hot = np.zeros(probabilities.shape)
    hot[np.arange(len(true)), true] = 1.0
    return float(np.square(probabilities - hot).sum(axis=1).mean())


def interval(right: int, of: int) -> tuple[float, float]:
    """Wilson's (1927) 95 % interval of a share; it holds where all or none are right."""
    if not of:
        return 0.0, 1.0
    share, z2 = right / of, Z * Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of)) / (1 + z2 / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def worst(
    probabilities: Float[np.ndarray, "N K"], true: Int[np.ndarray, " N"], most: int
) -> Int[np.ndarray, " W"]:
    """Places of the mistakes, the one first of which the network was surest."""
    said = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(said != true)
    return wrong[np.argsort(-probabilities[wrong, said[wrong]], kind="stable")][:most]
