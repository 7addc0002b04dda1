"""What a task of pairs is: sources, their targets by a rule, and the rule itself. NumPy only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rnnviz.config import RunConfig
from rnnviz.data.dataset import Source
from rnnviz.errors import DataError

SEED = 1  # of what is drawn: a task's pairs are the same each time
_TURNS = 10  # draws for each pair that is wanted, before there are no more of them


class Texts(NamedTuple):
    """Sources and their targets as texts, one target for each source."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    source: Source
    tokens: str  # "characters" or "words"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Parallel:
    """One line of PARALLEL.

    Attributes:
        title: what the pairs are called.
        tokens: what one step is; of people's own pairs the settings decide.
        make: the pairs, from the settings and the folder of what was uploaded.
        answer: the rule itself, for a text of one's own; raises DataError with what is allowed.
            None where there is no rule that is known.
        example: such a text to begin with.
        suggested: settings of any part, with which it is learned soon.
    """

    title: str
    tokens: str
    make: Callable[[RunConfig, Path], Texts]
    answer: Callable[[str], str] | None
    example: str = ""
    suggested: Mapping[str, Any] = field(default_factory=dict)


def by_rule(
    config: RunConfig,
    *,
    title: str,
    tokens: str,
    draw: Callable[[np.random.Generator], tuple[str, str]],
    notes: tuple[str, ...],
) -> Texts:
    """As many pairs as the settings ask for, no source twice.

    Raises:
        DataError: the rule has not so many.
    """
    wanted = config.translation.pairs
    rng = np.random.default_rng(SEED)
    found: dict[str, str] = {}
    for _ in range(wanted * _TURNS):
        source, target = draw(rng)
        found[source] = target
        if len(found) == wanted:
            break
    else:
        raise DataError(
            f"{title} has no {wanted:,} different sources; choose at most {len(found):,} pairs"
        )
    made = Source(title=title, authors="Made by a rule, the same each time")
    return Texts(tuple(found), tuple(found.values()), made, tokens, notes)
