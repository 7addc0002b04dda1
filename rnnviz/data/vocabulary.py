"""What a vocabulary holds: every token with its number and how often it stands in the text; and
the merges that made its pieces. No files, no torch."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from rnnviz.data import pieces
from rnnviz.data.dataset import SequenceDataset


class Entry(NamedTuple):
    """One token."""

    token: str
    id: int  # its place in the vocabulary, from 0 as tokenizers count
    times: int  # that it is read
    share: float  # of all tokens


class Merge(NamedTuple):
    """Two pieces that were joined."""

    rank: int  # 1 was the first
    left: str
    right: str
    made: str


def entries(dataset: SequenceDataset) -> tuple[Entry, ...]:
    """Every token, the most frequent first; those that never stand there last."""
    counts = token_counts(dataset)
    total = max(1, int(counts.sum()))
    order = np.argsort(-counts, kind="stable").tolist()
    return tuple(
        Entry(dataset.vocabulary[k], k, int(counts[k]), float(counts[k] / total)) for k in order
    )


def token_counts(dataset: SequenceDataset) -> Int[np.ndarray, " V"]:
    """How often each token is read."""
    inside = np.arange(dataset.steps) < dataset.lengths[:, None]
    return np.bincount(dataset.inputs[inside], minlength=len(dataset.vocabulary))


def merges_of(dataset: SequenceDataset) -> tuple[Merge, ...]:
    """The merges in their order; none where tokens are no pieces."""
    names, raw = dataset.vocabulary, pieces.bytes_of(dataset.merges)
    place = {piece: number for number, piece in enumerate(raw)}
    return tuple(
        Merge(rank, names[left], names[right], names[place[raw[left] + raw[right]]])
        for rank, (left, right) in enumerate(dataset.merges, start=1)
    )
