"""Skip-gram, CBOW and GloVe on a batch: each example's loss, and the gradient of their sum.

Every word has two vectors: one as itself (row of "word") and one as a neighbour (row of "context").
With sigma the logistic function and label 1 for the true word and 0 for k drawn ones, both methods
of word2vec have the score's gradient g = sigma(score) - label:

    skip-gram   score = v_c . u_o                 centre c, neighbour o   (Mikolov et al. 2013b)
    CBOW        score = mean(v of neighbours) . u_c                       (Mikolov et al. 2013a)
    GloVe       f(X) (w . w~ + b + b~ - ln X)^2                           (Pennington et al. 2014)

A drawn word that is the true one is left out, as in word2vec. Only rows that a batch uses have a
gradient. NumPy only, in whatever precision the weights come.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from rnnviz.vectors.windows import NOBODY

Weights = Mapping[str, Float[np.ndarray, "V ..."]]


class Rows(NamedTuple):
    """A gradient that is zero in all rows but these, which ascend."""

    rows: Int[np.ndarray, " R"]
    values: Float[np.ndarray, "R ..."]


class Learned(NamedTuple):
    """What a batch gives."""

    losses: Float[np.ndarray, " B"]
    gradients: Mapping[str, Rows]


class Scored(NamedTuple):
    """One vector of each example against the true word's and the drawn ones'."""

    scores: Float[np.ndarray, "B K"]
    sigmoids: Float[np.ndarray, "B K"]
    gradients: Float[np.ndarray, "B K"]  # by the scores; 0 where a drawn word is left out
    losses: Float[np.ndarray, "B K"]


def summed(rows: Int[np.ndarray, " N"], values: Float[np.ndarray, "N ..."]) -> Rows:
    """Values of the same row added up."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=NOBODY - 1))
    return Rows(ordered[starts], np.add.reduceat(values[order], starts, axis=0))


def softplus(x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """ln(1 + e^x), without overflow: minus the logarithm of sigma(-x)."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def sigmoid(x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """1 / (1 + e^-x), without overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def scored(
    vectors: Float[np.ndarray, "B D"],
    others: Float[np.ndarray, "B K D"],
    targets: Int[np.ndarray, "B K"],
) -> Scored:
    """Scores and what follows from them; of each row of targets the first is the true word."""
    scores = (others @ vectors[:, :, None])[:, :, 0]
    probabilities = sigmoid(scores)
    gradients, losses = probabilities.copy(), softplus(scores)
    gradients[:, 0] -= 1
    losses[:, 0] -= scores[:, 0]  # ln(1 + e^-s) = ln(1 + e^s) - s
    again = targets == targets[:, :1]
    again[:, 0] = False
    gradients[again] = losses[again] = 0
    return Scored(scores, probabilities, gradients, losses)


def skip_gram(
    weights: Weights, centres: Int[np.ndarray, " B"], targets: Int[np.ndarray, "B K"]
) -> Learned:
    """A centre's vector against a neighbour's and those of drawn words.

    Args:
        weights: "word" and "context".
        centres: c.
        targets: o, then the drawn words.
    """
    vectors, others = weights["word"][centres], weights["context"][targets]
    found = scored(vectors, others, targets)
    back = (found.gradients[:, None] @ others)[:, 0]
    return Learned(
        found.losses.sum(axis=1),
        {"word": summed(centres, back), "context": _outer(found, vectors, targets)},
    )


def cbow(
    weights: Weights, contexts: Int[np.ndarray, "B C"], targets: Int[np.ndarray, "B K"]
) -> Learned:
    """The mean of the neighbours' vectors against the centre's and those of drawn words.

    The gradient is that of the mean, so each neighbour gets its share; word2vec's program gives
    the whole to each.

    Args:
        weights: "word" of the neighbours and "context" of what is to be foretold.
        contexts: neighbours, NOBODY where there are fewer; at least one each.
        targets: the centre, then the drawn words.
    """
    there = contexts != NOBODY
    shares = there / there.sum(axis=1, keepdims=True).astype(weights["word"].dtype)
    mean = (shares[:, None] @ weights["word"][contexts])[:, 0]
    others = weights["context"][targets]
    found = scored(mean, others, targets)
    back = (found.gradients[:, None] @ others)[:, 0]
    each = (shares[:, :, None] * back[:, None])[there]
    return Learned(
        found.losses.sum(axis=1),
        {"word": summed(contexts[there], each), "context": _outer(found, mean, targets)},
    )


def _outer(
    found: Scored, vectors: Float[np.ndarray, "B D"], targets: Int[np.ndarray, "B K"]
) -> Rows:
    values = found.gradients[:, :, None] * vectors[:, None]
    return summed(targets.ravel(), values.reshape(-1, vectors.shape[1]))


def glove_weight(counts: Float[np.ndarray, " B"], x_max: float) -> Float[np.ndarray, " B"]:
    """f(x) = min(1, (x / x_max)^.75)."""
    return np.minimum(1.0, (counts / x_max) ** 0.75)


def glove(
    weights: Weights,
    words: Int[np.ndarray, " B"],
    contexts: Int[np.ndarray, " B"],
    counts: Float[np.ndarray, " B"],
    x_max: float,
) -> Learned:
    """The weighted square of how far w . w~ + b + b~ is from ln X, of entries of X.

    Args:
        weights: "word", "context", "word_bias" and "context_bias".
        words, contexts: where the entries stand.
        counts: the entries, greater than 0.
        x_max: from which count on an entry weighs no more.
    """
    w, u = weights["word"][words], weights["context"][contexts]
    kind = w.dtype
    scores = (w * u).sum(axis=1) + weights["word_bias"][words] + weights["context_bias"][contexts]
    away = scores - np.log(counts).astype(kind)
    weight = glove_weight(counts, x_max).astype(kind)
    slope = 2 * weight * away
    return Learned(
        weight * away**2,
        {
            "word": summed(words, slope[:, None] * u),
            "context": summed(contexts, slope[:, None] * w),
            "word_bias": summed(words, slope),
            "context_bias": summed(contexts, slope),
        },
    )
