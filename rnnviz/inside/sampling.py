"""A text, generated: a prefix, then draws, some forced; and its state at every place. NumPy.

Where a token is forced the text branches: what stands before is untouched, because each draw is a
function of the seed and its position, and what follows is drawn anew with the same luck.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from rnnviz.errors import ConfigError
from rnnviz.inside.shaping import Choice, Shaping, choice, draw, luck
from rnnviz.inside.speaking import Mark, Speaker, Stream

LONGEST = 600  # tokens of one text that are generated
MOST_PREFIX = 400  # tokens
EVERY = 16  # tokens between two marks: so many are read again, at most, to be at any place


class Forced(NamedTuple):
    """A token that is put at a place, whatever the draw says."""

    position: int  # of the generated tokens, from 0
    token: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that decides a text, but for the network."""

    prefix: tuple[int, ...]
    length: int  # tokens that are generated
    shaping: Shaping
    seed: int
    forced: tuple[Forced, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.prefix) <= MOST_PREFIX:
            raise ConfigError(
                f"the prefix holds {len(self.prefix)} tokens; it must hold 1 to {MOST_PREFIX}"
            )
        if not 1 <= self.length <= LONGEST:
            raise ConfigError(f"length is {self.length}; it must lie in [1, {LONGEST}]")


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """A text with what the network said of each of its tokens; places count from the prefix on."""

    plan: Plan
    speaker: Speaker
    tokens: Int[np.ndarray, " N"]  # the prefix and what was generated
    log_p: Float[np.ndarray, " N"]  # of each token, as the network says [nats]; NaN of the first
    luck: Float[np.ndarray, " N"]  # that was drawn with; NaN of the prefix
    marks: tuple[Mark, ...]  # after 0, EVERY, 2 EVERY, ... tokens

    @property
    def given(self) -> int:
        """Tokens of the prefix."""
        return len(self.plan.prefix)

    @property
    def bits(self) -> Float[np.ndarray, " N"]:
        """How surprising each token was: -log2 p."""
        return -self.log_p / np.log(2.0)

    @property
    def total(self) -> float:
        """The log-probability of what was generated, given the prefix [nats]."""
        return float(self.log_p[self.given :].sum())

    @property
    def perplexity(self) -> float:
        """Of what was generated: as if the network chose among so many equally likely tokens."""
        return float(np.exp(-self.total / self.plan.length))

    def at(self, place: int) -> Stream:
        """The network when it has read the tokens before a place."""
        stream = self.speaker.begin(self.marks[min(place // EVERY, len(self.marks) - 1)])
        for token in self.tokens[stream.seen : place]:
            stream.read(int(token))
        return stream

    def scores_at(self, place: int) -> Float[np.ndarray, " V"]:
        """What the head said of the token at a place from 1 on, before the softmax."""
        assert place >= 1, "before the first token nothing is said"
        return self.at(place - 1).read(int(self.tokens[place - 1]))

    def choices(self) -> Iterator[Choice]:
        """What might have stood at each place, from the second on."""
        stream = self.speaker.begin()
        for token in self.tokens[:-1]:
            yield choice(stream.read(int(token)), self.plan.shaping)


def speak(speaker: Speaker, plan: Plan) -> Spoken:
    """The text that a plan makes of a network."""
    forced = dict(plan.forced)
    given, lucky = len(plan.prefix), luck(plan.seed, plan.length)
    tokens, log_p = list(plan.prefix), [np.nan]
    stream, marks = speaker.begin(), []
    for place in range(given + plan.length - 1):
        if place % EVERY == 0:
            marks.append(stream.mark())
        scores = stream.read(tokens[place])
        position = place + 1 - given
        if position >= 0:
            tokens.append(
                forced[position]
                if position in forced
                else draw(choice(scores, plan.shaping), lucky[position])
            )
        log_p.append(_log_p(scores, tokens[place + 1]))
    return Spoken(
        plan=plan,
        speaker=speaker,
        tokens=np.array(tokens),
        log_p=np.array(log_p),
        luck=np.concatenate([np.full(given, np.nan), lucky]),
        marks=tuple(marks),
    )


def _log_p(scores: Float[np.ndarray, " V"], token: int) -> float:
    highest = scores.max()
    return float(scores[token] - highest - np.log(np.exp(scores - highest).sum()))
