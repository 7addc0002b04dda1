"""How often an output is right, by how long its source is."""

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from rnnviz.data.parallel.text import UNKNOWN
from rnnviz.translation.decoding import write_many
from rnnviz.translation.errors import Pairs
from rnnviz.translation.network import Network

MOST_BINS = 8


class Bin(NamedTuple):
    """Sources of some lengths, both ends included."""

    low: int
    high: int
    sentences: int
    right: int

    @property
    def share(self) -> float:
        """In [0, 1]."""
        return self.right / self.sentences

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share (Wilson 1927)."""
        n, p, z = self.sentences, self.share, 1.959964
        middle = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, middle - float(half)), min(1.0, middle + float(half))


def right_of(
    network: Network,
    pairs: Pairs,
    longest: int,
    seconds: float = math.inf,
    clock: Callable[[], float] = time.perf_counter,
) -> Bool[np.ndarray, " M"]:
    """Whether the greedy output is the true answer, token by token and END included.

    Args:
        seconds: after which no more are begun; the first ones are always done.
    """
    began, found = clock(), [np.zeros(0, dtype=bool)]
    for first in range(0, len(pairs.sources), network.rows_at_once):
        some = pairs.rows(first, first + network.rows_at_once)
        encoded = network.encode(some.sources, some.source_lengths)
        written = write_many(network, encoded, longest=longest)
        wide = np.zeros((len(written), max(written.shape[1], some.targets.shape[1])), dtype=int)
        given = wide.copy()
        wide[:, : written.shape[1]] = written
        given[:, : some.targets.shape[1]] = some.targets
        # a token that stands for others is never what was wanted
        found.append(((wide == given) & (given != UNKNOWN)).all(axis=1))
        if clock() - began >= seconds:
            break
    return np.concatenate(found)


def by_length(
    lengths: Int[np.ndarray, " N"], right: Bool[np.ndarray, " N"], edges: Int[np.ndarray, " E"]
) -> tuple[Bin, ...]:
    """Shares between the edges; bins without a sentence are left out.

    Args:
        edges: of edges_of; the first length of each bin, and one past the last.
    """
    found = []
    for low, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        inside = (lengths >= low) & (lengths < end)
        if inside.any():
            found.append(Bin(low, end - 1, int(inside.sum()), int(right[inside].sum())))
    return tuple(found)


def edges_of(lengths: Int[np.ndarray, " N"]) -> Int[np.ndarray, " E"]:
    """A bin for each length, or fewer about equally full ones where there are many."""
    there = np.unique(lengths)
    if len(there) > MOST_BINS:
        shares = np.linspace(0, 1, MOST_BINS + 1)[:-1]
        there = np.unique(np.quantile(lengths, shares, method="lower"))
    return np.append(there, lengths.max() + 1)
