"""Tokens coloured by a unit's value, as records: the page makes plain text nodes of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from rnnviz.errors import TraceError
from rnnviz.figures.colours import to_rgb
from rnnviz.figures.theme import Quantity, colours

_STRONGEST = {False: 0.55, True: 0.42}  # opacity of the scale's end: text stays readable on it


@dataclass(frozen=True, kw_only=True)
class ColouredToken:
    """A token as it is, to be shown by textContent and never as markup."""

    token: str
    background: str  # "rgba(r, g, b, a)"
    value: float


def background(value: float, low: float, high: float, dark: bool) -> str:
    """Opacity says how far the value is from nothing, hue on which side of it.

    Nothing is 0 for a range around zero (diverging), else the low end (sequential).
    """
    around_zero = low < 0
    reach = max(abs(low), abs(high)) if around_zero else high - low
    share = (value if around_zero else value - low) / reach
    ends = colours(Quantity.STATE if around_zero else Quantity.GATE, dark)
    red, green, blue = to_rgb(ends[0] if share < 0 else ends[-1 if around_zero else 10])
    return f"rgba({red}, {green}, {blue}, {_STRONGEST[dark] * min(abs(share), 1.0):.3f})"


def coloured_text(
    tokens: Sequence[str],
    values: Sequence[float],
    low: float,
    high: float,
    *,
    dark: bool = False,
) -> list[ColouredToken]:
    """Each token with the colour of its value in the fixed range.

    Args:
        tokens: one for each value.
        values: of one gate or state of one unit, after each token.
        low: end of the range; below zero for what lies around zero.
        high: the other end.
        dark: for a dark page.

    Raises:
        TraceError: not one value for each token, or an empty range.
    """
    if len(tokens) != len(values):
        raise TraceError(f"there are {len(values)} values for {len(tokens)} tokens; give one each")
    if not low < high:
        raise TraceError(f"the range [{low:g}, {high:g}] is empty; its low end must be below")
    return [
        ColouredToken(
            token=token, background=background(float(value), low, high, dark), value=float(value)
        )
        for token, value in zip(tokens, values, strict=True)
    ]
