"""Tags as entities: which spans they mark, and how many of them were found. NumPy only.

BIO: B-X begins an entity of type X, I-X goes on with it, everything else is outside. An I-X that
follows nothing of type X begins an entity as well, as in conlleval (CoNLL-2000).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Int


class Span(NamedTuple):
    """An entity: its type, its first step and the one after its last."""

    kind: str
    start: int
    stop: int


def are_bio(classes: Sequence[str]) -> bool:
    """Whether tags mark entities: O, and nothing else but B- and I-."""
    marked = [name for name in classes if name != "O"]
    return (
        bool(marked) and len(marked) < len(classes) and all(n[:2] in ("B-", "I-") for n in marked)
    )


def spans(tags: Sequence[str]) -> tuple[Span, ...]:
    """The entities of one sequence."""
    found: list[Span] = []
    kind, start = "", 0
    for step, tag in enumerate((*tags, "O")):
        part, _, now = tag.partition("-") if tag[:2] in ("B-", "I-") else ("", "", "")
        if part != "I" or now != kind:
            if kind:
                found.append(Span(kind, start, step))
            kind, start = now, step
    return tuple(found)


@dataclass(frozen=True, kw_only=True)
class Found:
    """How many of one kind were right, said and true."""

    name: str
    right: int
    said: int
    true: int

    @property
    def precision(self) -> float:
        """Share of what was said that is right; NaN where nothing was said."""
        return self.right / self.said if self.said else float("nan")

    @property
    def recall(self) -> float:
        """Share of what is true that was found; NaN where there is nothing."""
        return self.right / self.true if self.true else float("nan")

    @property
    def f1(self) -> float:
        """Their harmonic mean, 2 right / (said + true); NaN where there is neither."""
        both = self.said + self.true
        return 2 * self.right / both if both else float("nan")


def by_tag(
    said: Int[np.ndarray, " M"], true: Int[np.ndarray, " M"], classes: Sequence[str]
) -> tuple[Found, ...]:
    """Each tag over all steps."""
    return tuple(
        Found(
            name=name,
            right=int(((said == k) & (true == k)).sum()),
            said=int((said == k).sum()),
            true=int((true == k).sum()),
        )
        for k, name in enumerate(classes)
    )


def by_entity(
    said: Int[np.ndarray, " M"],
    true: Int[np.ndarray, " M"],
    rows: Int[np.ndarray, " M"],
    classes: Sequence[str],
) -> tuple[Found, ...]:
    """Entities by type, then all together: right are those with the same span and the same type.

    Args:
        rows: of each step the sequence it belongs to; steps stand in their order.
    """
    pairs = []
    for row in np.unique(rows):
        of = np.flatnonzero(rows == row)
        pairs.append(tuple(set(spans([classes[k] for k in tags[of]])) for tags in (said, true)))
    kinds = sorted({name[2:] for name in classes if name != "O"})
    each = tuple(
        Found(
            name=kind,
            right=sum(len({s for s in mine & theirs if s.kind == kind}) for mine, theirs in pairs),
            said=sum(sum(s.kind == kind for s in mine) for mine, _ in pairs),
            true=sum(sum(s.kind == kind for s in theirs) for _, theirs in pairs),
        )
        for kind in kinds
    )
    total = Found(
        name="all",
        right=sum(one.right for one in each),
        said=sum(one.said for one in each),
        true=sum(one.true for one in each),
    )
    return (*each, total)
