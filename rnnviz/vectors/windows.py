"""Which words are learned together: windows of a part of a text, negatives, and co-occurrences.

Every draw is a function of the generator that is given, so a part's pairs can be drawn once more.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from rnnviz.vectors.corpus import Corpus, keep_shares

NOBODY = -1  # in place of a word, where a context has fewer than others


class Kept(NamedTuple):
    """The words of a part that are left after subsampling, and how far each one looks."""

    positions: Int[np.ndarray, " N"]  # in the corpus
    tokens: Int[np.ndarray, " N"]
    paragraphs: Int[np.ndarray, " N"]
    reach: Int[np.ndarray, " N"]  # words on each side, drawn from 1 to the window


def kept_words(
    corpus: Corpus, part: slice, *, window: int, subsample: float, rng: np.random.Generator
) -> Kept:
    """Subsampling, then a window drawn anew for each word (Mikolov et al. 2013a and b)."""
    tokens = corpus.tokens[part]
    kept = rng.random(len(tokens)) < keep_shares(corpus.counts, subsample)[tokens]
    positions = (part.start or 0) + np.flatnonzero(kept)
    reach = rng.integers(1, window + 1, size=len(positions))
    return Kept(positions, corpus.tokens[positions], corpus.paragraphs[positions], reach)


def neighbours(kept: Kept, window: int) -> Int[np.ndarray, "N C"]:
    """The context of each word: C = 2 window places, nearest left, nearest right, and so on."""
    n = len(kept.tokens)
    found = np.full((n, 2 * window), NOBODY)
    for distance in range(1, min(window, n - 1) + 1):
        one = kept.paragraphs[:-distance] == kept.paragraphs[distance:]
        left = one & (kept.reach[distance:] >= distance)  # of the later word
        right = one & (kept.reach[:-distance] >= distance)
        found[distance:, 2 * distance - 2] = np.where(left, kept.tokens[:-distance], NOBODY)
        found[:-distance, 2 * distance - 1] = np.where(right, kept.tokens[distance:], NOBODY)
    return found


def negatives(
    cumulative: Float[np.ndarray, " V"], shape: tuple[int, ...], rng: np.random.Generator
) -> Int[np.ndarray, "..."]:
    """Words drawn by their share.

    Args:
        cumulative: sums of the shares up to each word; the last is 1.
        shape: of what is drawn.
        rng: that draws.
    """
    drawn = np.searchsorted(cumulative, rng.random(shape), side="right")
    return np.minimum(drawn, len(cumulative) - 1)  # a sum of shares may end just below 1


class Counts(NamedTuple):
    """How often words stand beside each other, each entry weighted by 1 / distance."""

    words: Int[np.ndarray, " M"]
    contexts: Int[np.ndarray, " M"]
    counts: Float[np.ndarray, " M"]


def cooccurrences(corpus: Corpus, window: int) -> Counts:
    """All entries of X that are not zero, in a fixed order (Pennington et al. 2014, section 4.2).

    X is symmetric: a neighbour d words away, on either side, adds 1 / d.
    """
    size = len(corpus.words)
    places, values = [], []
    for distance in range(1, min(window, len(corpus.tokens) - 1) + 1):
        one = corpus.paragraphs[:-distance] == corpus.paragraphs[distance:]
        left, right = corpus.tokens[:-distance][one], corpus.tokens[distance:][one]
        places += [left * size + right, right * size + left]
        values.append(np.full(2 * len(left), 1.0 / distance))
    entries, which = np.unique(np.concatenate(places), return_inverse=True)
    counts = np.bincount(which, weights=np.concatenate(values), minlength=len(entries))
    return Counts(entries // size, entries % size, counts)
