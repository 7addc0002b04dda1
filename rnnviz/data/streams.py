"""Windows that go on where others end, read in parallel streams. NumPy only."""

import numpy as np
from jaxtyping import Int

MOST_STREAMS = 32  # in which a part is scored
FEWEST_WINDOWS = 8  # of a stream, where there are so many: each begins with a state of zeros


def streams(rows: Int[np.ndarray, " N"], count: int) -> list[Int[np.ndarray, " B"]]:
    """The rows that are read together, step by step; the k-th of each goes on with its stream.

    Rows are cut into `count` stretches of nearly one length, the longer ones first. So every row
    is read once, and the last step may have fewer streams: the first ones.
    """
    stretches = np.array_split(rows, min(count, len(rows)))
    return [
        np.array([stretch[k] for stretch in stretches if k < len(stretch)])
        for k in range(len(stretches[0]))
    ]


def scoring_streams(windows: int) -> int:
    """In how many streams a part of so many windows is scored: few enough to be long."""
    return min(MOST_STREAMS, max(1, windows // FEWEST_WINDOWS))
