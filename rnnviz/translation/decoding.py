"""What a network writes, token by token: the likeliest each time, or what somebody wants of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from rnnviz.data.parallel.text import END, PAD, START
from rnnviz.translation.network import Encoded, Network, Step

Rows = Mapping[int, Float[np.ndarray, " S"]]  # attention weights by output step, from 0
NO_ROWS: Rows = {}


@dataclass(frozen=True, kw_only=True)
class Output:
    """One text that was written, with all that led to it; S places of the source.

    Attributes:
        tokens: END is the last one where it was written.
        steps: of each token how the network came to it, for one output in the making.
        given: how many of the first tokens were not the network's own choice.
        rows: attention weights that somebody gave.
        encoded: the source.
    """

    tokens: tuple[int, ...]
    steps: tuple[Step, ...]
    given: int
    rows: Rows
    encoded: Encoded

    @property
    def ended(self) -> bool:
        """Whether END came before there was no more room."""
        return bool(self.tokens) and self.tokens[-1] == END

    @property
    def text(self) -> tuple[int, ...]:
        """The tokens without END."""
        return self.tokens[:-1] if self.ended else self.tokens

    @cached_property
    def log_probabilities(self) -> Float[np.ndarray, "T V"]:
        """Of every token at every step [nats]."""
        return np.concatenate([step.log_probabilities for step in self.steps])

    @property
    def chosen(self) -> Float[np.ndarray, " T"]:
        """ln p of what was written at each step [nats]."""
        return self.log_probabilities[np.arange(len(self.tokens)), list(self.tokens)]

    @cached_property
    def scores(self) -> Float[np.ndarray, "T S"] | None:
        """Of attention, before the softmax."""
        return _stacked([step.scores for step in self.steps])

    @cached_property
    def computed(self) -> Float[np.ndarray, "T S"] | None:
        """Attention as the network has it."""
        return _stacked([step.computed for step in self.steps])

    @cached_property
    def weights(self) -> Float[np.ndarray, "T S"] | None:
        """Attention that made the contexts: where rows were given, those."""
        return _stacked([step.weights for step in self.steps])


def write(
    network: Network,
    encoded: Encoded,
    *,
    longest: int,
    given: Sequence[int] = (),
    rows: Rows = NO_ROWS,
) -> Output:
    """Write until END, the likeliest token each time (greedy).

    Args:
        encoded: one source.
        longest: tokens at most, END among them.
        given: what the output begins with, whatever the network would write.
        rows: attention weights that replace the computed ones, by output step from 0.
    """
    states, last = encoded.last, START
    tokens: list[int] = []
    steps: list[Step] = []
    while len(tokens) < longest and last != END:
        t = len(tokens)
        steps.append(network.step(encoded, states, np.array([last]), rows.get(t)))
        states = steps[-1].states
        last = int(given[t] if t < len(given) else steps[-1].log_probabilities[0].argmax())
        tokens.append(last)
    return Output(
        tokens=tuple(tokens),
        steps=tuple(steps),
        given=min(len(given), len(tokens)),
        rows={t: row for t, row in rows.items() if t < len(tokens)},
        encoded=encoded,
    )


def write_many(network: Network, encoded: Encoded, *, longest: int) -> Int[np.ndarray, "N T"]:
    """Greedy for N sources at once; PAD after END."""
    rows = len(encoded.allowed)
    states, last = encoded.last, np.full(rows, START)
    going = np.ones(rows, dtype=bool)
    columns: list[Int[np.ndarray, " N"]] = []
    while len(columns) < longest and going.any():
        step = network.step(encoded, states, last)
        states = step.states
        last = np.where(going, step.log_probabilities.argmax(axis=1), PAD)
        columns.append(last)
        going = going & (last != END)
    return np.stack(columns, axis=1) if columns else np.zeros((rows, 0), dtype=int)


def chances(
    network: Network, encoded: Encoded, targets: Int[np.ndarray, "N T"]
) -> Float[np.ndarray, " N"]:
    """ln P(y | x) of N given outputs, each up to its END [nats]; PAD after it counts nothing."""
    rows, steps = targets.shape
    states, last = encoded.last, np.full(rows, START)
    total, there = np.zeros(rows), np.ones(rows, dtype=bool)
    for t in range(steps):
        step = network.step(encoded, states, last)
        states, last = step.states, targets[:, t]
        total += np.where(there, step.log_probabilities[np.arange(rows), last], 0.0)
        there = there & (last != END)
    return total


def _stacked(rows: Sequence[Float[np.ndarray, "1 S"] | None]) -> Float[np.ndarray, "T S"] | None:
    some = [row for row in rows if row is not None]
    return np.concatenate(some) if some else None
