"""Trains several networks at once, each as if it were alone: one phrase at a time. NumPy only.

Stochastic gradient descent as in the article: each gradient is clipped to [-1, 1] value by value,
then w <- w - rate * gradient. The order of an epoch's phrases is a function of the network's seed
and the epoch, so a training can go on from its weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from rnnviz.data.phrases import Phrase, phrases, vocabulary
from rnnviz.scratch.gradients import backward
from rnnviz.scratch.network import NOTHING, Weights, cross_entropy, forward

CLIP = 1.0  # of every single gradient


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Phrases as numbers, all ending at the last step."""

    words: Int[np.ndarray, "M T"]
    labels: Int[np.ndarray, " M"]
    test: Bool[np.ndarray, " M"]

    @property
    def train_rows(self) -> int:
        """They come first."""
        return int((~self.test).sum())


class Scores(NamedTuple):
    """After an epoch, of each network on one part."""

    loss: Float[np.ndarray, " N"]  # mean cross-entropy [nats]
    accuracy: Float[np.ndarray, " N"]


def encoded(every: Sequence[Phrase] | None = None) -> Encoded:
    """The phrases, training part first."""
    every = phrases() if every is None else every
    place = {word: k for k, word in enumerate(vocabulary())}
    read = [[place[word] for word in phrase.text.split()] for phrase in every]
    words = np.full((len(read), max(map(len, read))), NOTHING)
    for row, found in zip(words, read, strict=True):
        row[-len(found) :] = found
    return Encoded(
        words=words,
        labels=np.array([phrase.label for phrase in every]),
        test=np.array([phrase.test for phrase in every]),
    )


def after_epoch(
    weights: Weights,
    data: Encoded,
    *,
    seeds: Sequence[int],
    backprops: Sequence[str],
    epoch: int,
    rate: float,
) -> Weights:
    """The weights after one more pass over the training phrases.

    Args:
        epoch: counts from 1; with the seed it decides the order.
    """
    count = data.train_rows
    orders = [np.random.default_rng([seed, epoch]).permutation(count) for seed in seeds]
    for rows in np.stack(orders, axis=1):
        words = data.words[rows]
        words = words[:, (words != NOTHING).any(axis=0)]
        weights = _stepped(weights, words[:, None], data.labels[rows, None], backprops, rate)
    return weights


def _stepped(
    weights: Weights,
    words: Int[np.ndarray, "N 1 T"],
    labels: Int[np.ndarray, "N 1"],
    backprops: Sequence[str],
    rate: float,
) -> Weights:
    gradients = backward(weights, forward(weights, words), labels, backprops).weights.arrays()
    new = {}
    for name, now in weights.arrays().items():
        change = gradients[name]  # nobody else holds it, so it is changed in place
        np.clip(change, -CLIP, CLIP, out=change)
        change *= rate
        new[name] = np.subtract(now, change, out=change)
    return Weights(**new)


def scores(weights: Weights, data: Encoded) -> dict[str, Scores]:
    """How well each network does on "train" and "test"."""
    n = len(weights.bh)
    passed = forward(weights, np.broadcast_to(data.words, (n, *data.words.shape)))
    labels = np.broadcast_to(data.labels, (n, len(data.labels)))
    losses = cross_entropy(passed.y, labels)
    hits = passed.y.argmax(axis=2) == labels
    parts = {"train": ~data.test, "test": data.test}
    return {
        part: Scores(losses[:, rows].mean(axis=1), hits[:, rows].mean(axis=1))
        for part, rows in parts.items()
    }
