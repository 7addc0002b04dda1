"""Which unit tells what: the mutual information of each unit with a property of the steps. NumPy.

I(bin of h; class) in nats, over bins of equal counts, as a share of the property's entropy: 0 says
nothing of it, 1 all of it. Plug-in estimates lie too high by about (bins - 1)(classes - 1) / 2n
(Miller 1955), which is taken off.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

BINS = 32
MOST_STEPS = 100_000  # that are counted


@dataclass(frozen=True, kw_only=True)
class Property:
    """What a step is, among a few classes."""

    name: str
    classes: tuple[str, ...]
    values: Int[np.ndarray, "N T"]  # -1: does not count
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one unit tells of one property."""

    unit: int
    share: float  # of the property's entropy
    nats: float
    threshold: float | None  # of two classes: where h parts them best
    accuracy: float | None  # of that, on the steps counted


def entropy(values: Int[np.ndarray, " n"]) -> float:
    """In nats, of the shares of what occurs."""
    counts = np.bincount(values)
    shares = counts[counts > 0] / len(values)
    return float(-(shares * np.log(shares)).sum())


def mutual_information(
    h: Float[np.ndarray, " n"], values: Int[np.ndarray, " n"], *, bins: int = BINS
) -> float:
    """In nats, with the bias of small counts taken off; never below 0."""
    edges = np.unique(np.quantile(h, np.linspace(0, 1, bins + 1)[1:-1]))
    place = np.searchsorted(edges, h, side="right")
    classes = int(values.max()) + 1
    table = np.bincount(place * classes + values, minlength=(len(edges) + 1) * classes)
    joint = table.reshape(-1, classes) / len(h)
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    some = joint > 0
    found = float((joint[some] * np.log(joint[some] / apart[some])).sum())
    used = (joint.any(axis=1).sum() - 1) * (joint.any(axis=0).sum() - 1)
    return max(0.0, found - used / (2 * len(h)))


def best_threshold(
    h: Float[np.ndarray, " n"], inside: Int[np.ndarray, " n"]
) -> tuple[float, float]:
    """Where h parts class 1 from class 0 best, either side being 1, and the share it gets right."""
    order = np.argsort(h, kind="stable")
    sorted_h, ones = h[order], np.concatenate(([0], np.cumsum(inside[order])))
    below = np.arange(len(h) + 1)
    right = (below - ones) + (ones[-1] - ones)  # zeros below the cut and ones above it
    best = np.maximum(right, len(h) - right)
    cuts = np.flatnonzero(np.diff(sorted_h) > 0) + 1  # a cut between equal values is none
    if not len(cuts):
        return float(sorted_h[0]), float(best[[0, -1]].max() / len(h))
    cut = int(cuts[np.argmax(best[cuts])])
    return float((sorted_h[cut - 1] + sorted_h[cut]) / 2), float(best[cut] / len(h))


def ranked(
    h: Float[np.ndarray, "H n"], found: Property, values: Int[np.ndarray, " n"]
) -> tuple[Told, ...]:
    """What every unit tells of a property, the most first.

    Args:
        values: of the property at the n steps counted, none of them -1.
    """
    whole = entropy(values)
    if whole == 0.0:
        return ()
    told = []
    for unit, row in enumerate(h):
        nats = mutual_information(row, values)
        parted = best_threshold(row, values) if len(found.classes) == 2 else (None, None)
        told.append(
            Told(unit=unit, share=nats / whole, nats=nats, threshold=parted[0], accuracy=parted[1])
        )
    return tuple(sorted(told, key=lambda one: -one.nats))


def counted(
    values: Int[np.ndarray, "N T"], lengths: Int[np.ndarray, " N"]
) -> tuple[Int[np.ndarray, " R"], np.ndarray]:
    """Rows, evenly chosen so that at most MOST_STEPS steps are counted, and which steps of them."""
    steps = values.shape[1]
    most = max(1, MOST_STEPS // steps)
    rows = np.unique(np.linspace(0, len(values) - 1, min(most, len(values))).round().astype(int))
    inside = (np.arange(steps) < lengths[rows][:, None]) & (values[rows] >= 0)
    return rows, inside
