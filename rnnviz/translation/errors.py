"""Whose fault a wrong output is, the search's or the network's, over a set of sentences.

For each output that is not the true answer y*: where the network itself ranks y* above the output
that the search found, the search missed it; where it does not, the network is at fault (cs230 cheat
sheet, error analysis). Both are compared as the search ranks them: ln P(y | x) / Ty^alpha.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from rnnviz.data.parallel.text import END, UNKNOWN
from rnnviz.translation.beam import normalised, search
from rnnviz.translation.decoding import chances, write_many
from rnnviz.translation.network import Network

RIGHT, SEARCH, MODEL = "right", "search", "model"


class Pairs(NamedTuple):
    """Sources with their true answers, as tokens."""

    sources: Int[np.ndarray, "N S"]
    source_lengths: Int[np.ndarray, " N"]
    targets: Int[np.ndarray, "N T"]  # END, then PAD
    target_lengths: Int[np.ndarray, " N"]  # END counted

    def rows(self, first: int, end: int) -> "Pairs":
        """Some of them."""
        return Pairs(*(part[first:end] for part in self))

    def answer(self, row: int) -> tuple[int, ...]:
        """With its END."""
        return tuple(self.targets[row, : self.target_lengths[row]].tolist())


class Judged(NamedTuple):
    """One sentence."""

    row: int
    fault: str  # RIGHT, SEARCH or MODEL
    beam: tuple[int, ...]  # what the beam search found, END with it
    greedy: tuple[int, ...]
    greedy_right: bool
    found_score: float  # ln P / Ty^alpha of what was found
    true_score: float  # and of the true answer


def judged(
    network: Network, pairs: Pairs, *, width: int, alpha: float, longest: int
) -> Iterator[tuple[Judged, ...]]:
    """Sentences in their order, a few at a time."""
    together = max(1, network.rows_at_once // width)
    for first in range(0, len(pairs.sources), together):
        some = pairs.rows(first, first + together)
        encoded = network.encode(some.sources, some.source_lengths)
        trees = search(network, encoded, width=width, longest=longest)
        greedy = write_many(network, encoded, longest=longest)
        true = chances(network, encoded, some.targets)
        found = []
        for k, tree in enumerate(trees):
            best, answer = tree.ranking(alpha)[0], some.answer(k)
            true_score = normalised(float(true[k]), len(answer), alpha)
            plain = upto_end(greedy[k])
            sayable = UNKNOWN not in answer  # such a token stands for others
            right, missed = best.tokens == answer and sayable, true_score > best.score
            fault = RIGHT if right else SEARCH if missed else MODEL
            found.append(
                Judged(
                    row=first + k,
                    fault=fault,
                    beam=best.tokens,
                    greedy=plain,
                    greedy_right=plain == answer and sayable,
                    found_score=best.score,
                    true_score=true_score,
                )
            )
        yield tuple(found)


def within(
    parts: Iterator[tuple[Judged, ...]],
    seconds: float,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[Judged, ...]:
    """What is judged until the time is up; at least one part."""
    began = clock()
    found: list[Judged] = []
    for part in parts:
        found += part
        if clock() - began >= seconds:
            break
    return tuple(found)


class Counts(NamedTuple):
    """Of a set of sentences."""

    sentences: int
    right: int  # by beam search
    search: int
    model: int
    greedy: int  # right by greedy
    won: int  # right by beam search and wrong by greedy
    lost: int  # the other way round


def counted(found: Sequence[Judged]) -> Counts:
    """How often what."""
    faults = [one.fault for one in found]
    right = [fault == RIGHT for fault in faults]
    greedy = [one.greedy_right for one in found]
    return Counts(
        sentences=len(found),
        right=sum(right),
        search=faults.count(SEARCH),
        model=faults.count(MODEL),
        greedy=sum(greedy),
        won=sum(b and not g for b, g in zip(right, greedy, strict=True)),
        lost=sum(g and not b for b, g in zip(right, greedy, strict=True)),
    )


def upto_end(tokens: Int[np.ndarray, " T"]) -> tuple[int, ...]:
    """A row of write_many up to its END, or whole where it has none."""
    ends = np.flatnonzero(tokens == END)
    return tuple(tokens[: ends[0] + 1 if len(ends) else len(tokens)].tolist())
