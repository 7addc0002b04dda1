"""The network of the article, in NumPy alone: weights and the forward pass. No torch, no files.

    h_t = tanh(Wxh x_t + Whh h_{t-1} + bh),  h_0 = 0
    y = Why h_n + by
    p = softmax(y),  L = -ln p_c   [nats] for a phrase of class c

after Victor Zhou, "An Introduction to Recurrent Neural Networks for Beginners", victorzhou.com,
2019. First weights are normal with standard deviation 1/1000, biases 0.

N networks are kept in one array each, so that several seeds, or two ways to go back, train in
lockstep. Axes: N network, B phrase, T step, V word, H unit, K class. Phrases end at the last step,
so that y is always read from there; before a shorter one begins the word is NOTHING and h stays 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from jaxtyping import Bool, Float, Int

SPREAD = 1e-3  # of the first weights
NOTHING = -1  # in place of a word


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The weights of N networks, or as much of anything that has their shapes."""

    Wxh: Float[np.ndarray, "N H V"]
    Whh: Float[np.ndarray, "N H H"]
    Why: Float[np.ndarray, "N K H"]
    bh: Float[np.ndarray, "N H"]
    by: Float[np.ndarray, "N K"]

    @classmethod
    def first(cls, seeds: Sequence[int], *, hidden: int, words: int, classes: int = 2) -> Self:
        """Those before training; a function of the seed alone."""
        shapes = {"Wxh": (hidden, words), "Whh": (hidden, hidden), "Why": (classes, hidden)}
        made: dict[str, list[Float[np.ndarray, ...]]] = {name: [] for name in shapes}
        for seed in seeds:
            rng = np.random.default_rng(seed)
            for name, shape in shapes.items():
                made[name].append(SPREAD * rng.standard_normal(shape))
        n = len(seeds)
        zeros = {"bh": np.zeros((n, hidden)), "by": np.zeros((n, classes))}
        return cls(**{name: np.stack(each) for name, each in made.items()}, **zeros)

    def arrays(self) -> dict[str, Float[np.ndarray, "..."]]:
        """Every array by its name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    def one(self, n: int) -> "Weights":
        """The n-th network alone."""
        return Weights(**{name: array[n : n + 1] for name, array in self.arrays().items()})

    @property
    def count(self) -> int:
        """Numbers of one network."""
        return sum(array[0].size for array in self.arrays().values())


@dataclass(frozen=True, kw_only=True)
class Forward:
    """Every intermediate of the forward pass."""

    x: Float[np.ndarray, "N B T V"]  # one-hot; zeros before a phrase begins
    reads: Bool[np.ndarray, "N B T"]  # whether there is a word
    h: Float[np.ndarray, "N B T+1 H"]  # h_0, ..., h_n
    y: Float[np.ndarray, "N B K"]  # scores
    p: Float[np.ndarray, "N B K"]  # after the softmax


def forward(weights: Weights, words: Int[np.ndarray, "N B T"]) -> Forward:
    """Reads phrases, each network its own."""
    n, b, steps = words.shape
    x = (words[..., None] == np.arange(weights.Wxh.shape[2])).astype(np.float64)
    reads = words != NOTHING
    read = (x.reshape(n, b * steps, -1) @ _T(weights.Wxh)).reshape(n, b, steps, -1)
    h = np.zeros((n, b, steps + 1, weights.bh.shape[1]))
    recurrent, bias = _T(weights.Whh), weights.bh[:, None]
    for t in range(steps):
        new = np.tanh(read[:, :, t] + h[:, :, t] @ recurrent + bias)
        h[:, :, t + 1] = new * reads[:, :, t, None]
    y = h[:, :, -1] @ _T(weights.Why) + weights.by[:, None]
    return Forward(x=x, reads=reads, h=h, y=y, p=softmax(y))


def softmax(y: Float[np.ndarray, "*rows K"]) -> Float[np.ndarray, "*rows K"]:
    """exp(y) / sum exp(y), over the last axis."""
    e = np.exp(y - y.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def cross_entropy(
    y: Float[np.ndarray, "*rows K"], labels: Int[np.ndarray, "*rows"]
) -> Float[np.ndarray, "*rows"]:
    """-ln p_c [nats], as ln(1 + sum over the other classes of exp(y_k - y_c)).

    So a loss near 0 keeps all its digits, and a finite difference of it as well.
    """
    at = labels[..., None]
    others = np.exp(y - np.take_along_axis(y, at, axis=-1))
    np.put_along_axis(others, at, 0.0, axis=-1)
    return np.log1p(others.sum(axis=-1))


def _T(matrices: Float[np.ndarray, "N A B"]) -> Float[np.ndarray, "N B A"]:  # noqa: N802
    """Each matrix transposed."""
    return matrices.swapaxes(1, 2)
