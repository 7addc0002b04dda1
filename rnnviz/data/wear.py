"""When a device was worn, told from its counts alone. NumPy only."""

import numpy as np
from jaxtyping import Bool, Float, Int

SHORTEST_NONWEAR = 60  # [min]
LONGEST_INTERRUPTION = 2  # [min]
INTERRUPTION_COUNTS = 100  # [counts/min]
VALID_DAY = 600  # worn minutes that make a day count in the study [min]

_ROWS_AT_ONCE = 512  # keeps the working memory near 20 MB however many days there are


def worn(minutes: Float[np.ndarray, "N 1440"]) -> Bool[np.ndarray, "N 1440"]:
    """Minutes in which the device was worn, by the rule of Troiano et al. (2008).

    Not worn is a stretch of at least 60 minutes that begins and ends with a zero and holds only
    zeros and interruptions: 1 or 2 minutes in a row above 0 and at most 100 counts. A third such
    minute in a row, or one minute above 100, ends the stretch; the number of interruptions is
    free, as in the programs that the National Cancer Institute published for NHANES. Each day is
    judged by itself, so 59 zeros after midnight are worn even if the evening before was not.
    A missing minute (NaN) is not worn and counts as a zero within a stretch.

    Source: Troiano RP et al., Physical activity in the United States measured by accelerometer,
    Med Sci Sports Exerc 40(1):181-188, 2008.

    Args:
        minutes: days by the minute [counts/min].
    """
    result = np.empty(minutes.shape, dtype=bool)
    for start in range(0, len(minutes), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        result[rows] = _worn(minutes[rows])
    return result


def _worn(minutes: Float[np.ndarray, "N 1440"]) -> Bool[np.ndarray, "N 1440"]:
    n, length = minutes.shape
    missing = np.isnan(minutes)
    # A busy minute on either side of each day keeps its stretches from reaching into the next.
    counts = np.full((n, length + 2), INTERRUPTION_COUNTS + 1.0, dtype=minutes.dtype)
    counts[:, 1:-1] = np.where(missing, 0, minutes)
    flat = counts.ravel()
    quiet = flat <= 0
    begin, end = _runs(~quiet)
    busy = np.concatenate(([0], np.cumsum(flat > INTERRUPTION_COUNTS)))
    short = (end - begin <= LONGEST_INTERRUPTION) & (busy[end] == busy[begin])
    quiet |= _cover(flat.size, begin[short], end[short])
    begin, end = _runs(quiet)
    long = end - begin >= SHORTEST_NONWEAR
    nonwear = _cover(flat.size, begin[long], end[long]).reshape(counts.shape)[:, 1:-1]
    return ~(nonwear | missing)


def _runs(mask: Bool[np.ndarray, " M"]) -> tuple[Int[np.ndarray, " R"], Int[np.ndarray, " R"]]:
    """First index of every run of True, and the index after its last."""
    padded = np.concatenate(([False], mask, [False]))
    edges = np.flatnonzero(padded[1:] != padded[:-1])
    return edges[::2], edges[1::2]


def _cover(
    size: int, begin: Int[np.ndarray, " R"], end: Int[np.ndarray, " R"]
) -> Bool[np.ndarray, " M"]:
    """True from each begin up to its end; the stretches do not touch."""
    steps = np.zeros(size + 1, dtype=np.int8)
    steps[begin] = 1
    steps[end] = -1
    return np.cumsum(steps[:-1], dtype=np.int8).astype(bool)
