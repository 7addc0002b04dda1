"""Back through time by hand: every gradient of the network, as published and corrected.

    dL/dy = p - onehot(c)
    dL/dWhy = dL/dy h_n^T,  dL/dby = dL/dy,  dL/dh_n = Why^T dL/dy
    for t = n, ..., 1:  temp = (1 - h_t^2) * dL/dh_t
        dL/dbh += temp,  dL/dWxh += temp x_t^T,  dL/dWhh += temp h_{t-1}^T
        dL/dh_{t-1} = Whh^T temp      (published without the transpose: Whh temp)

NumPy only; no torch, no files.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from rnnviz.scratch.network import Forward, Weights

Matrices = Float[np.ndarray, "N H H"]

# How a gradient goes one step back: the matrix that multiplies temp.
BACKPROPS: Mapping[str, Callable[[Matrices], Matrices]] = {
    "published": lambda Whh: Whh,
    "corrected": lambda Whh: Whh.swapaxes(1, 2),
}


@dataclass(frozen=True, kw_only=True)
class Gradients:
    """Of the loss, summed over the phrases of each network."""

    weights: Weights
    y: Float[np.ndarray, "N B K"]
    temp: Float[np.ndarray, "N B T H"]  # of step t = 1, ..., n: of what is inside the tanh
    h: Float[np.ndarray, "N B T+1 H"]  # dL/dh_0, ..., dL/dh_n, by all paths from there on


def backward(
    weights: Weights,
    passed: Forward,
    labels: Int[np.ndarray, "N B"],
    backprops: Sequence[str],
) -> Gradients:
    """Every gradient.

    Args:
        backprops: of each network, a key of BACKPROPS.
    """
    back = _back(weights.Whh, backprops).swapaxes(1, 2)  # vectors lie in rows here
    dy = passed.p - (labels[..., None] == np.arange(passed.p.shape[2]))
    dh, temp = np.zeros_like(passed.h), np.zeros_like(passed.h[:, :, 1:])
    dh[:, :, -1] = dy @ weights.Why
    slope = (1 - passed.h[:, :, 1:] ** 2) * passed.reads[..., None]
    for t in reversed(range(temp.shape[2])):
        temp[:, :, t] = slope[:, :, t] * dh[:, :, t + 1]
        dh[:, :, t] = temp[:, :, t] @ back
    flat = _rows(temp).swapaxes(1, 2)
    sums = Weights(
        Wxh=flat @ _rows(passed.x),
        Whh=flat @ _rows(passed.h[:, :, :-1]),
        Why=dy.swapaxes(1, 2) @ passed.h[:, :, -1],
        bh=temp.sum(axis=(1, 2)),
        by=dy.sum(axis=1),
    )
    return Gradients(weights=sums, y=dy, h=dh, temp=temp)


def _back(Whh: Matrices, backprops: Sequence[str]) -> Matrices:
    """What multiplies temp in each network; no copy where it is alike in all."""
    if len(kinds := set(backprops)) == 1:
        return BACKPROPS[kinds.pop()](Whh)
    return np.concatenate([BACKPROPS[b](Whh[n : n + 1]) for n, b in enumerate(backprops)])


def _rows(values: Float[np.ndarray, "N B T A"]) -> Float[np.ndarray, "N R A"]:
    n, b, steps, size = values.shape
    return values.reshape(n, b * steps, size)
