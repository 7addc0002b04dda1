"""R's random numbers: the same seed draws here what it draws in R, so that a split can be repeated.

Mersenne Twister with R's own way from a seed to a state, uniform numbers, and `sample` of R >= 3.6.
NumPy only. For nothing else than repeating what an R script drew.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

_WORDS = 624  # of the twister's state
_SCRAMBLES = 50  # steps of R's congruential generator before the first word is taken
_STEP, _PAST_32_BITS = 69_069, 2**32
_UNIT = 2.3283064365386963e-10  # 2^-32, as R writes it
_LEAST = 2.328306437080797e-10 / 2  # what stands for 0, and 1 minus this for 1
_MANY = 200  # more likely values than these, and R draws by aliases
_LIKELY = 0.1  # of an even share: what R counts as a likely value


class RRandom:
    """What R draws after set.seed(seed), in the same order."""

    def __init__(self, seed: int) -> None:
        words, word = [], seed % _PAST_32_BITS
        for taken in range(_SCRAMBLES + 1 + _WORDS):
            word = (_STEP * word + 1) % _PAST_32_BITS
            if taken > _SCRAMBLES:  # the first one is the position, which R overwrites
                words.append(word)
        self._bits = np.random.MT19937()
        self._bits.state = {
            "bit_generator": "MT19937",
            "state": {"key": np.array(words, dtype=np.uint32), "pos": _WORDS},
        }

    def runif(self, n: int, low: float = 0.0, high: float = 1.0) -> Float[np.ndarray, " {n}"]:
        """runif(n, low, high): uniform numbers, never one of the ends."""
        raw = np.asarray(self._bits.random_raw(n), dtype=np.float64)
        return low + (high - low) * np.clip(raw * _UNIT, _LEAST, 1.0 - _LEAST)

    def sample(self, values: int, size: int, *, replace: bool = False) -> Int[np.ndarray, " M"]:
        """sample(values, size, replace): numbers from 1 to `values`, all alike likely.

        Raises:
            ValueError: more are wanted than there are.
        """
        if replace:
            return np.array([self._below(values) + 1 for _ in range(size)], dtype=np.int64)
        if size > values:
            raise ValueError(f"{size} of {values} values cannot be drawn without replacement")
        left, drawn = list(range(1, values + 1)), []
        for _ in range(size):
            place = self._below(len(left))
            drawn.append(left[place])
            left[place] = left[-1]
            left.pop()
        return np.array(drawn, dtype=np.int64)

    def sample_weighted(self, size: int, prob: Sequence[float]) -> Int[np.ndarray, " {size}"]:
        """sample(length(prob), size, replace = TRUE, prob = prob): numbers from 1 on.

        Raises:
            ValueError: a probability is negative or not finite, or all are 0.
        """
        chances = np.asarray(prob, dtype=np.float64)
        if not (np.isfinite(chances).all() and (chances >= 0).all() and chances.sum() > 0):
            raise ValueError("probabilities must be finite, at least 0, and not all 0")
        chances = chances / chances.sum()
        if (len(chances) * chances > _LIKELY).sum() > _MANY:
            return self._by_alias(size, chances)
        order = _descending(chances.tolist())
        # a draw takes the first value up to which the chances sum to as much; the last takes the
        # rest, so that rounding of the sum does no harm
        upto = np.cumsum(chances[order])[:-1]
        return np.array(order)[np.searchsorted(upto, self.runif(size), side="left")] + 1

    def _below(self, values: int) -> int:
        """A whole number below `values`, by drawing bits until they give one."""
        bits = math.ceil(math.log2(values))
        while True:
            number = 0
            for _ in range(bits // 16 + 1):  # 16 bits of each draw
                number = number << 16 | int(self.runif(1)[0] * 65_536)
            number &= (1 << bits) - 1
            if number < values:
                return number

    def _by_alias(self, size: int, chances: Float[np.ndarray, " V"]) -> Int[np.ndarray, " {size}"]:
        """Walker (1977): each value shares its even part with one other, its alias."""
        n = len(chances)
        own, alias = _aliases(chances * n)
        drawn = []
        for _ in range(size):
            place = self._below(n)
            drawn.append(place if self.runif(1)[0] < own[place] else alias[place])
        return np.array(drawn, dtype=np.int64) + 1


def _aliases(parts: Float[np.ndarray, " V"]) -> tuple[np.ndarray, np.ndarray]:
    """How much of each even part is its value's own, and whose the rest is.

    Args:
        parts: chances as multiples of an even share.
    """
    own, n = parts.copy(), len(parts)
    alias = np.zeros(n, dtype=np.int64)
    poor, rich = np.flatnonzero(own < 1), np.flatnonzero(own >= 1)[::-1]
    queue, giver = np.concatenate((poor, rich)), len(poor)
    if not len(poor) or not len(rich):
        return own, alias
    for taker in queue[: n - 1]:
        giving = queue[giver]
        alias[taker] = giving
        own[giving] += own[taker] - 1  # gives what the taker lacks
        giver += bool(own[giving] < 1)  # has less than its part now: takes in its turn
        if giver >= n:
            break
    return own, alias


def _descending(values: list[float]) -> list[int]:
    """Places from the largest value to the smallest, equal ones in the order of R's heap sort."""
    heap = list(range(len(values)))

    def sink(place: int, item: int, end: int) -> None:
        """Puts an item where no smaller one is below it; the least comes to the top."""
        while (child := 2 * place + 1) < end:
            if child + 1 < end and values[heap[child]] > values[heap[child + 1]]:
                child += 1
            if values[item] <= values[heap[child]]:
                break
            heap[place] = heap[child]
            place = child
        heap[place] = item

    for place in reversed(range(len(heap) // 2)):
        sink(place, heap[place], len(heap))
    for end in reversed(range(1, len(heap))):
        last = heap[end]
        heap[end] = heap[0]  # the least of those left
        sink(0, last, end)
    return heap
