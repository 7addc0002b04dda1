"""Pairs as tensors, a batch at a time, no longer than its longest. Torch; no network."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from rnnviz.data.parallel import ParallelText


class Batch(NamedTuple):
    """Some pairs, time first, padded with PAD."""

    sources: Int[Tensor, "S B"]
    lengths: Int[Tensor, " B"]  # of the sources
    targets: Int[Tensor, "T B"]


def batch_of(pairs: ParallelText, rows: Int[np.ndarray, " B"]) -> Batch:
    """The pairs of some rows."""
    lengths = pairs.source_lengths[rows]
    longest = pairs.target_lengths[rows].max()
    return Batch(
        _time_first(pairs.sources[rows, : lengths.max()]),
        torch.from_numpy(lengths.astype(np.int64)),
        _time_first(pairs.targets[rows, :longest]),
    )


def _time_first(tokens: Int[np.ndarray, "B L"]) -> Int[Tensor, "L B"]:
    return torch.from_numpy(np.ascontiguousarray(tokens.T))
