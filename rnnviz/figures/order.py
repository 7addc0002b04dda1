"""The order in which groups are listed, the same in every figure."""

import re
from collections.abc import Sequence

NOT_KNOWN = "not known"
_LADDER = ("underweight", "normal", "overweight", "obese")


def named(labels: Sequence[str]) -> list[str]:
    """Labels as shown: an empty one becomes 'not known'."""
    return [label.strip() or NOT_KNOWN for label in labels]


def _place(label: str) -> tuple[int, float, bool, str]:
    if label == NOT_KNOWN:
        return 3, 0.0, False, label
    if label.lower() in _LADDER:
        return 0, float(_LADDER.index(label.lower())), False, label
    number = re.search(r"\d+(?:\.\d+)?", label)
    if number is None:
        return 2, 0.0, False, label
    # "under 18.5" stands before "18.5 to 25"
    return 1, float(number.group()), number.start() == 0, label


def in_order(labels: Sequence[str]) -> list[str]:
    """Each label once: weights from light to heavy, then by first number, then by the alphabet."""
    return sorted(set(labels), key=_place)
