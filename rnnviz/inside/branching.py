"""Branches of a generated text: what each forces, as a tree, and as the text of a link. NumPy.

A link holds position.token for each token that was put somewhere, _ between two of them and ~
between two branches; the first branch is the one that is looked at. Positions and tokens count
from 1. No program escapes such characters. It is read strictly: whatever else comes raises
TraceError.
"""

import itertools
import re
from typing import NamedTuple

from rnnviz.errors import TraceError
from rnnviz.inside.sampling import LONGEST, Forced

MOST = 12  # branches, the trunk among them
MOST_FORCED = 24  # tokens in one
LONGEST_TEXT = 1500
BETWEEN, WITHIN, OF = "~", "_", "."
_ONE = re.compile(r"[1-9]\d{0,4}\.[1-9]\d{0,4}", re.ASCII)

Branch = tuple[Forced, ...]  # by ascending position; () is the trunk, where nothing is forced
Branches = tuple[Branch, ...]  # the first is looked at; each but once, the trunk always there
TRUNK: Branch = ()


class Node(NamedTuple):
    """A branch in its place in the tree."""

    branch: Branch
    depth: int  # choices between it and the trunk that are branches themselves


def read(text: str) -> Branches:
    """The branches that a text names.

    Raises:
        TraceError: it is no such text, or names more than may be.
    """
    if len(text) > LONGEST_TEXT:
        raise TraceError(
            f"the branches of this link take {len(text):,} characters; at most "
            f"{LONGEST_TEXT:,} are allowed"
        )
    return _tidy(tuple(_read(part) for part in text.split(BETWEEN)))


def written(branches: Branches) -> str:
    """The text that read() makes the same branches of; "" where there is the trunk alone."""
    return BETWEEN.join(
        WITHIN.join(f"{one.position + 1}{OF}{one.token + 1}" for one in branch)
        for branch in branches
        if branch or branch == branches[0]
    )


def chosen(branches: Branches, position: int, token: int) -> Branches:
    """Go on from a place with another token: a branch of what is looked at, up to that place.

    Raises:
        TraceError: there are too many by now.
    """
    kept = before(branches[0], position)
    return looked_at(branches, (*kept, Forced(position, token)))


def before(branch: Branch, position: int) -> Branch:
    """What of a branch is forced before a place."""
    return tuple(one for one in branch if one.position < position)


def looked_at(branches: Branches, branch: Branch) -> Branches:
    """The same, with this one first.

    Raises:
        TraceError: there are too many by now.
    """
    return _tidy((branch, *branches))


def undone(branches: Branches) -> Branches:
    """Without the branch that is looked at; the one that it came from is looked at instead."""
    now = branches[0]
    return _tidy((now[:-1], *(one for one in branches if one != now)))


def tree(branches: Branches) -> tuple[Node, ...]:
    """All branches, each after the one that it leaves, in the order of the places where they do."""
    ordered = sorted(branches, key=lambda branch: [(one.position, one.token) for one in branch])
    return tuple(
        Node(branch, sum(_leaves(branch, other) for other in ordered)) for branch in ordered
    )


def _leaves(branch: Branch, other: Branch) -> bool:
    return len(other) < len(branch) and branch[: len(other)] == other


def _tidy(branches: Branches) -> Branches:
    """Each once, with the trunk."""
    found = tuple(dict.fromkeys((*branches, TRUNK)))
    if len(found) > MOST:
        raise TraceError(
            f"there are {len(found)} branches; at most {MOST} are allowed: undo one, or begin anew"
        )
    if any(len(branch) > MOST_FORCED for branch in found):
        raise TraceError(
            f"a branch forces more than {MOST_FORCED} tokens; write what they say into the prefix"
        )
    return found


def _read(text: str) -> Branch:
    parts = text.split(WITHIN) if text else []
    if not all(_ONE.fullmatch(part) for part in parts):
        raise TraceError(f"{text[:60]!r} cannot be read; it has to look like 13.7_20.44")
    pairs = [tuple(int(value) - 1 for value in part.split(OF)) for part in parts]
    branch = tuple(Forced(*pair) for pair in pairs)
    places = [one.position for one in branch]
    if any(later <= earlier for earlier, later in itertools.pairwise(places)):
        raise TraceError(f"the positions of {text[:60]!r} do not ascend")
    if places and places[-1] >= LONGEST:
        raise TraceError(f"position {places[-1] + 1} is beyond the {LONGEST} tokens of a text")
    return branch
