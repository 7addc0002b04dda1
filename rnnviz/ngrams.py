"""Unigram, bigram, trigram: the shares of tokens after none, one and two others. NumPy only.

The unigram adds one to every count. The others are interpolated as Witten and Bell (1991) do it:
  p(w | h) = (c(h w) + t(h) p(w | h')) / (c(h) + t(h)),
c counts, t(h) is how many different tokens follow h, and h' is h without its first token. So what
was seen after more different tokens leaves more to those that were never seen after it.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

NOTHING = -1  # in a context: there is no token


class Told(NamedTuple):
    """What is said of some targets."""

    shares: Float[np.ndarray, " M"]  # the probability of each target
    likeliest: Int[np.ndarray, " M"]  # the token with the largest one


class Unigram:
    """Of each token its share, whatever is before."""

    def __init__(self, targets: Int[np.ndarray, " M"], size: int) -> None:
        counts = np.bincount(targets, minlength=size) + 1.0
        self.shares: Float[np.ndarray, " V"] = counts / counts.sum()

    def tell(self, contexts: Int[np.ndarray, "M 2"], targets: Int[np.ndarray, " M"]) -> Told:
        """Contexts count for nothing."""
        return Told(self.shares[targets], np.full(len(contexts), self.shares.argmax()))


class Bigram:
    """Given the token before."""

    def __init__(
        self, below: Unigram, contexts: Int[np.ndarray, "M 2"], targets: Int[np.ndarray, " M"]
    ) -> None:
        size = len(below.shares)
        pairs = np.bincount(contexts[:, 1] * size + targets, minlength=size * size)
        pairs = pairs.reshape(size, size)
        kinds = (pairs > 0).sum(axis=1, keepdims=True)
        seen = kinds[:, 0] > 0
        total = pairs.sum(axis=1, keepdims=True) + kinds
        self.shares: Float[np.ndarray, "V V"] = np.tile(below.shares, (size, 1))
        self.shares[seen] = (pairs[seen] + kinds[seen] * below.shares) / total[seen]
        self.likeliest = self.shares.argmax(axis=1)

    def tell(self, contexts: Int[np.ndarray, "M 2"], targets: Int[np.ndarray, " M"]) -> Told:
        """The last token of each context counts."""
        before = contexts[:, 1]
        return Told(self.shares[before, targets], self.likeliest[before])


class Trigram:
    """Given the two before; where the first of them is NOTHING, as the bigram has it."""

    def __init__(
        self, below: Bigram, contexts: Int[np.ndarray, "M 2"], targets: Int[np.ndarray, " M"]
    ) -> None:
        self.below, self.size = below, len(below.shares)
        whole = contexts[:, 0] != NOTHING
        written = self._code(contexts[whole]) * self.size + targets[whole]
        self.known, counts = np.unique(written, return_counts=True)  # (first, second, target)
        of, followers = self.known // self.size, self.known % self.size
        self.contexts, starts, self.kinds = np.unique(of, return_index=True, return_counts=True)
        self.totals = np.add.reduceat(counts, starts) if len(starts) else counts
        place = np.repeat(np.arange(len(starts)), self.kinds)
        lower = below.shares[of % self.size, followers]
        total = (self.totals + self.kinds)[place]
        self.shares = (counts + self.kinds[place] * lower) / total
        self.likeliest = self._best(place, followers)

    def _code(self, contexts: Int[np.ndarray, "M 2"]) -> Int[np.ndarray, " M"]:
        return contexts[:, 0] * self.size + contexts[:, 1]

    def _best(
        self, place: Int[np.ndarray, " K"], followers: Int[np.ndarray, " K"]
    ) -> Int[np.ndarray, " C"]:
        """Of each context: among its followers the one with the largest share, unless the best of
        the bigram, never seen here, has a larger one."""
        order = np.lexsort((self.shares, place))
        last = order[np.cumsum(self.kinds) - 1]
        second = self.contexts % self.size
        rival = self.below.likeliest[second]
        left = self.kinds / (self.totals + self.kinds)
        unseen = left * self.below.shares[second, rival]
        return np.where(self.shares[last] >= unseen, followers[last], rival)

    def tell(self, contexts: Int[np.ndarray, "M 2"], targets: Int[np.ndarray, " M"]) -> Told:
        """Both tokens of each context count."""
        lower = self.below.tell(contexts, targets)
        code = self._code(contexts)
        there, place = _find(self.contexts, code)
        there &= contexts[:, 0] != NOTHING
        met, entry = _find(self.known, code * self.size + targets)
        shares, likeliest = lower.shares.copy(), lower.likeliest.copy()
        kinds, totals = self.kinds[place[there]], self.totals[place[there]]
        shares[there] *= kinds / (kinds + totals)
        shares[met & there] = self.shares[entry[met & there]]
        likeliest[there] = self.likeliest[place[there]]
        return Told(shares, likeliest)


def _find(
    known: Int[np.ndarray, " K"], wanted: Int[np.ndarray, " M"]
) -> tuple[np.ndarray, Int[np.ndarray, " M"]]:
    """Whether each is among the sorted ones, and where."""
    if not len(known):
        return np.zeros(len(wanted), dtype=bool), np.zeros(len(wanted), dtype=np.int64)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return known[place] == wanted, place
