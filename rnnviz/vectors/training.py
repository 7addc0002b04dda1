"""Training by parts of a text: what is learned from, the weights, and one part after the other.

As in the published programs, the methods of word2vec take plain steps at a rate that falls in a
straight line to a ten-thousandth of itself, and GloVe's steps are AdaGrad's (Duchi et al. 2011),
with sums of squares that begin at 1. Other than there, a batch's examples are all computed at the
same weights and their gradients added up. Every draw is a function of seed, epoch and part, so that
a training can go on from its weights.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from rnnviz.config import VectorsConfig
from rnnviz.vectors import objectives
from rnnviz.vectors.corpus import Corpus, noise
from rnnviz.vectors.objectives import Learned, Weights
from rnnviz.vectors.windows import (
    NOBODY,
    Counts,
    Kept,
    cooccurrences,
    kept_words,
    negatives,
    neighbours,
)

PART = 10_000  # words, or entries of X, between two events at most
LAST_RATE = 1e-4  # as a share of the first one
SQUARES = "squares of "  # before the name of weights: AdaGrad's sums
FIRST_SQUARES = 1.0

Arrays = dict[str, Float[np.ndarray, "V ..."]]
Batch = Callable[[Weights], Learned]


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Words with their neighbours and drawn words, for both methods of word2vec."""

    corpus: Corpus
    settings: VectorsConfig
    seed: int
    size: int  # of a batch [pairs, or words with their context]

    @property
    def parts(self) -> int:
        """Of an epoch."""
        return -(-len(self.corpus.tokens) // PART)

    def part_of(self, position: int) -> int:
        """The part in which a place of the text is learned; all are of one length, or nearly."""
        return position // _length(len(self.corpus.tokens), self.parts)

    def drawn(self, epoch: int, part: int) -> "Drawn":
        """Everything that is drawn for a part."""
        rng = np.random.default_rng([self.seed, epoch, part])
        length, window = _length(len(self.corpus.tokens), self.parts), self.settings.context
        words = slice(part * length, (part + 1) * length)
        kept = kept_words(
            self.corpus, words, window=window, subsample=self.settings.subsample, rng=rng
        )
        found = neighbours(kept, window)
        given, targets = _OF_METHOD[self.settings.method](kept.tokens, found)
        order = rng.permutation(len(targets))
        cumulative = np.cumsum(noise(self.corpus.counts))
        others = negatives(cumulative, (len(order), self.settings.negatives), rng)
        return Drawn(kept, found, given, np.column_stack([targets, others]), order)

    def batches(self, epoch: int, part: int) -> Iterator[Batch]:
        """What is learned from a part, a batch at a time."""
        every = self.drawn(epoch, part)
        for begin in range(0, len(every.order), self.size):
            some = every.order[begin : begin + self.size]
            yield partial(self.learn, given=every.given[some], targets=every.targets[some])

    def learn(
        self, weights: Weights, given: Int[np.ndarray, "B ..."], targets: Int[np.ndarray, "B K"]
    ) -> Learned:
        """Some examples on weights."""
        return _LEARN[self.settings.method](weights, given, targets)


def _length(count: int, parts: int) -> int:
    """Of a part; the last one may be shorter by less than there are parts."""
    return -(-count // parts)


class Drawn(NamedTuple):
    """A part of the text as it is learned from in one epoch: M examples."""

    kept: Kept
    contexts: Int[np.ndarray, "N C"]  # of each word that is kept
    given: Int[np.ndarray, "M ..."]  # of skip-gram a centre each, of CBOW a centre's neighbours
    targets: Int[np.ndarray, "M K"]  # the true word, then the drawn ones
    order: Int[np.ndarray, " M"]  # in which they are learned


def _centre_by_centre(
    tokens: Int[np.ndarray, " N"], found: Int[np.ndarray, "N C"]
) -> tuple[Int[np.ndarray, " M"], Int[np.ndarray, " M"]]:
    there = found != NOBODY
    return np.repeat(tokens, there.sum(axis=1)), found[there]


def _context_by_context(
    tokens: Int[np.ndarray, " N"], found: Int[np.ndarray, "N C"]
) -> tuple[Int[np.ndarray, "M C"], Int[np.ndarray, " M"]]:
    any_there = (found != NOBODY).any(axis=1)
    return found[any_there], tokens[any_there]


_OF_METHOD = {"skipgram": _centre_by_centre, "cbow": _context_by_context}
_LEARN: Mapping[str, Callable[..., Learned]] = {
    "skipgram": objectives.skip_gram,
    "cbow": objectives.cbow,
}


@dataclass(frozen=True, kw_only=True)
class Entries:
    """How often words stand beside each other, for GloVe."""

    counts: Counts
    settings: VectorsConfig
    seed: int
    size: int  # of a batch [entries]

    @property
    def parts(self) -> int:
        """Of an epoch."""
        return -(-len(self.counts.counts) // PART)

    def batches(self, epoch: int, part: int) -> Iterator[Batch]:
        """A part of all entries in an order that is drawn for the epoch, a batch at a time."""
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.counts.counts))
        length = _length(len(order), self.parts)
        rows = order[part * length : (part + 1) * length]
        for begin in range(0, len(rows), self.size):
            some = [values[rows[begin : begin + self.size]] for values in self.counts]
            yield partial(self.learn, some=Counts(*some))

    def learn(self, weights: Weights, some: Counts) -> Learned:
        """Some entries on weights."""
        return objectives.glove(weights, *some, self.settings.x_max)

    def entry(self, word: int, context: int) -> Counts:
        """One entry; none where the two never stand beside each other."""
        found = (self.counts.words == word) & (self.counts.contexts == context)
        return Counts(*(values[found] for values in self.counts))


def lesson(corpus: Corpus, settings: VectorsConfig, *, seed: int, size: int) -> Windows | Entries:
    """What the method of these settings learns from."""
    if settings.method == "glove":
        counts = cooccurrences(corpus, settings.context)
        return Entries(counts=counts, settings=settings, seed=seed, size=size)
    return Windows(corpus=corpus, settings=settings, seed=seed, size=size)


def first_weights(
    words: int, settings: VectorsConfig, seed: int, kind: type = np.float32
) -> Arrays:
    """As the published programs begin.

    word2vec: words' vectors uniform within .5 / D of 0, contexts' vectors 0. GloVe: everything
    uniform within .5 / (D + 1).
    """
    rng, d = np.random.default_rng(seed), settings.dimensions
    if settings.method != "glove":
        first = rng.uniform(-0.5, 0.5, (words, d)) / d
        return {"word": first.astype(kind), "context": np.zeros((words, d), kind)}
    shapes: dict[str, tuple[int, ...]] = {"word": (words, d), "context": (words, d)}
    shapes |= dict.fromkeys(("word_bias", "context_bias"), (words,))
    made: Arrays = {
        name: (rng.uniform(-0.5, 0.5, shape) / (d + 1)).astype(kind)
        for name, shape in shapes.items()
    }
    return made | {SQUARES + name: np.full(shapes[name], FIRST_SQUARES, kind) for name in shapes}


def vectors_of(weights: Weights, method: str) -> Float[np.ndarray, "V D"]:
    """One vector a word: of word2vec that of the word itself, of GloVe the sum of both."""
    return weights["word"] + weights["context"] if method == "glove" else weights["word"]


def rate_at(rate: float, done: float, method: str) -> float:
    """The rate once a share of all parts is done; GloVe's stays."""
    return rate if method == "glove" else rate * max(1 - done, LAST_RATE)


def after_step(weights: Arrays, learned: Learned, rate: float) -> None:
    """Moves the weights against the gradient, in place."""
    for name, (rows, values) in learned.gradients.items():
        squares = weights.get(SQUARES + name)
        if squares is not None:
            squares[rows] += values**2  # before the step, so that none is longer than the rate
            values = values / np.sqrt(squares[rows])
        weights[name][rows] -= weights[name].dtype.type(rate) * values


def after_part(
    weights: Arrays, lesson: Windows | Entries, epoch: int, part: int, rate: float
) -> tuple[float, int, float]:
    """Learns a part, in place.

    Returns:
        The sum of its losses, how many examples it had, and the norm of the gradient of the last
        batch's mean loss.
    """
    total, count, learned = 0.0, 0, None
    for batch in lesson.batches(epoch, part):
        learned = batch(weights)
        total += float(learned.losses.sum(dtype=np.float64))
        count += len(learned.losses)
        after_step(weights, learned, rate)
    return total, count, 0.0 if learned is None else _norm(learned)


def _norm(learned: Learned) -> float:
    squares = sum(float((rows.values**2).sum()) for rows in learned.gradients.values())
    return squares**0.5 / max(len(learned.losses), 1)
