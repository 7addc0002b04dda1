"""Beam search as a tree: what was looked at, what was kept, what ended, what was cut off.

At each step every output in the making is continued by every token; of all these candidates the B
with the highest ln P(y_1..y_t | x) are kept. One that is kept and ends in END is done and keeps its
place, so the beam narrows and the search ends after B ends at the latest (Sutskever, Vinyals and Le
2014; the cs230 cheat sheet). All candidates of a step are equally long, so length normalisation,
1/Ty^alpha, changes nothing in the search: it decides between what ended, and can be changed after.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from rnnviz.data.parallel.text import END, START
from rnnviz.translation.decoding import NO_ROWS, Rows
from rnnviz.translation.network import Encoded, Network, States

WIDEST = 10  # beam of the page; the search itself takes any
KEPT, ENDED, CUT = "kept", "ended", "cut"


class Node(NamedTuple):
    """A token at the end of an output in the making.

    total: ln P of all tokens up to here [nats]; fate: KEPT, ENDED (kept, and END) or CUT.
    """

    step: int  # 0 is START
    token: int
    log_probability: float  # of the token [nats]
    total: float
    parent: int  # its place among the nodes; -1 of START
    fate: str


class Hypothesis(NamedTuple):
    """A whole output, and what it is ranked by."""

    node: int
    tokens: tuple[int, ...]  # without START; END where it ended
    log_probability: float  # ln P(y | x) [nats]
    score: float  # ln P(y | x) / Ty^alpha
    ended: bool


@dataclass(frozen=True, kw_only=True)
class Tree:
    """All that one search looked at; of the candidates that were cut only the best are in it."""

    nodes: tuple[Node, ...]
    width: int
    longest: int

    def tokens(self, node: int) -> tuple[int, ...]:
        """From the first token to this one."""
        found: list[int] = []
        while self.nodes[node].parent >= 0:
            found.append(self.nodes[node].token)
            node = self.nodes[node].parent
        return tuple(found[::-1])

    @property
    def steps(self) -> int:
        """How many tokens the longest branch has."""
        return max(node.step for node in self.nodes)

    def ranking(self, alpha: float) -> tuple[Hypothesis, ...]:
        """What came out, best first; what found no END within the length stands behind.

        Args:
            alpha: 0 compares ln P itself, 1 its mean per token.
        """
        last = self.longest
        found = [
            Hypothesis(
                node=place,
                tokens=self.tokens(place),
                log_probability=node.total,
                score=normalised(node.total, node.step, alpha),
                ended=node.fate == ENDED,
            )
            for place, node in enumerate(self.nodes)
            if node.fate == ENDED or (node.fate == KEPT and node.step == last)
        ]
        return tuple(sorted(found, key=lambda it: (not it.ended, -it.score)))

    def alive(self, step: int) -> frozenset[int]:
        """The nodes that lead to something that is still kept, or has ended, after a step."""
        found: set[int] = set()
        for place, node in enumerate(self.nodes):
            here = node.step == step and node.fate == KEPT
            if here or (node.fate == ENDED and node.step <= step):
                while place >= 0 and place not in found:
                    found.add(place)
                    place = self.nodes[place].parent
        return frozenset(found)


def normalised(log_probability: float, length: int, alpha: float) -> float:
    """ln P(y | x) / Ty^alpha, with END counted in Ty."""
    return log_probability / length**alpha


def search(
    network: Network,
    encoded: Encoded,
    *,
    width: int,
    longest: int,
    given: Sequence[int] = (),
    rows: Rows = NO_ROWS,
    cut: int = 0,
) -> tuple[Tree, ...]:
    """A tree for each source.

    Args:
        width: B, how many outputs in the making are kept.
        longest: tokens at most, END among them.
        given: what every output begins with.
        rows: attention weights that replace the computed ones, by output step from 0.
        cut: how many of the candidates that are cut stand in the tree, at each step.
    """
    beams = [_Beam(width) for _ in range(len(encoded.allowed))]
    of = np.arange(len(beams))  # of each output in the making its source
    states, tokens = encoded.last, np.full(len(beams), START)
    for t in range(longest):
        if not len(of):
            break
        step = network.step(encoded.take(of), states, tokens, rows.get(t))
        if t < len(given):
            best = np.full((len(of), 1), given[t])
        else:
            best = _best(step.log_probabilities, width + cut)
        chances = np.take_along_axis(step.log_probabilities, best, axis=1)
        parents = _grown(beams, of, best, chances, cut)
        of, tokens = of[parents], np.array([beam.token(k) for beam in beams for k in beam.live])
        states = _of(step.states, parents)
    return tuple(Tree(nodes=tuple(b.nodes), width=width, longest=longest) for b in beams)


@dataclass
class _Beam:
    """One source's tree in the making."""

    left: int  # places that no output that ended has taken
    nodes: list[Node] = field(default_factory=lambda: [Node(0, START, 0.0, 0.0, -1, KEPT)])
    live: list[int] = field(default_factory=lambda: [0])

    def token(self, place: int) -> int:
        return self.nodes[place].token

    def grow(
        self, tokens: Int[np.ndarray, "L K"], chances: Float[np.ndarray, "L K"], cut: int
    ) -> list[int]:
        """One step; gives of each output that goes on its place among those before."""
        before = [self.nodes[place] for place in self.live]
        totals = np.array([node.total for node in before])[:, None] + chances
        order = np.argsort(-totals, axis=None, kind="stable")[: self.left + cut]
        places, live, step = [], [], before[0].step + 1
        kept = self.left
        for rank, candidate in enumerate(order.tolist()):
            parent, k = divmod(candidate, chances.shape[1])
            node = Node(
                step=step,
                token=int(tokens[parent, k]),
                log_probability=float(chances[parent, k]),
                total=float(totals[parent, k]),
                parent=self.live[parent],
                fate=CUT,
            )
            if rank < kept:
                node = node._replace(fate=ENDED if node.token == END else KEPT)
            if node.fate == KEPT:
                places.append(parent)
                live.append(len(self.nodes))
            self.left -= node.fate == ENDED
            self.nodes.append(node)
        self.live = live
        return places


def _grown(
    beams: Sequence[_Beam],
    of: Int[np.ndarray, " N"],
    tokens: Int[np.ndarray, "N K"],
    chances: Float[np.ndarray, "N K"],
    cut: int,
) -> Int[np.ndarray, " M"]:
    """All beams grow by a step; gives of what goes on its place among the N before."""
    starts = np.searchsorted(of, np.arange(len(beams) + 1))
    parents: list[int] = []
    for beam, first, end in zip(beams, starts[:-1], starts[1:], strict=True):
        if end > first:
            places = beam.grow(tokens[first:end], chances[first:end], cut)
            parents += [int(first) + place for place in places]
    return np.array(parents, dtype=int)


def _best(chances: Float[np.ndarray, "N V"], count: int) -> Int[np.ndarray, "N K"]:
    """Of each row the likeliest tokens, best first; of equal ones the first, as argmax has it."""
    if count >= chances.shape[1]:
        return np.argsort(-chances, axis=1, kind="stable")
    some = np.sort(np.argpartition(-chances, count - 1, axis=1)[:, :count], axis=1)
    order = np.argsort(-np.take_along_axis(chances, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)


def _of(states: Iterable[States], places: Int[np.ndarray, " M"]) -> tuple[States, ...]:
    return tuple(tuple(state[places] for state in layer) for layer in states)
