"""What somebody does to an output, as a short text for the address: tokens given, rows changed.

Everything counts from 1 there: `12-5` are tokens of the vocabulary's places 12 and 5, and
`3_2.750-5.250~4_1.1000` puts 3/4 of output token 3's attention on source token 2 and the rest on 5,
and all of token 4's on source token 1.
"""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float

from rnnviz.errors import TraceError
from rnnviz.translation.decoding import Rows

LONGEST = 1500  # characters
_PARTS = 1000  # of a whole weight
_NUMBER = r"\d{1,4}"
_GIVEN = re.compile(r"\d{1,6}(-\d{1,6})*")
_ROW = re.compile(rf"({_NUMBER})_({_NUMBER}\.{_NUMBER}(?:-{_NUMBER}\.{_NUMBER})*)")


def given_text(tokens: Iterable[int]) -> str:
    """Tokens that an output begins with."""
    return "-".join(str(token + 1) for token in tokens)


def read_given(text: str, vocabulary: int, longest: int) -> tuple[int, ...]:
    """The same back.

    Raises:
        TraceError: it is no such text, or there are no such tokens.
    """
    if not text:
        return ()
    tokens = _tokens(text) if len(text) <= LONGEST and _GIVEN.fullmatch(text) else ()
    if not 0 < len(tokens) <= longest or not all(0 <= token < vocabulary for token in tokens):
        raise TraceError(f"{text[:40]!r} names no tokens that the output could begin with")
    return tokens


def _tokens(text: str) -> tuple[int, ...]:
    return tuple(int(part) - 1 for part in text.split("-"))


def rows_text(rows: Rows) -> str:
    """Rows of attention weights, in the order in which they were given.

    Raises:
        TraceError: they are too many for an address.
    """
    text = "~".join(f"{step + 1}_{_row_text(row)}" for step, row in rows.items())
    if len(text) > LONGEST:
        raise TraceError("so many changed rows do not fit into a link; undo one first")
    return text


def _row_text(row: Float[np.ndarray, " S"]) -> str:
    parts = whole_parts(row)
    return "-".join(f"{place + 1}.{part}" for place, part in enumerate(parts) if part)


def whole_parts(row: Float[np.ndarray, " S"]) -> Sequence[int]:
    """Thousandths that sum to 1000, as near to the weights as whole numbers can be."""
    exact = _PARTS * row / row.sum()
    parts = np.floor(exact).astype(int)
    most = np.argsort(parts - exact, kind="stable")[: _PARTS - int(parts.sum())]
    parts[most] += 1
    return parts.tolist()


def read_rows(text: str, places: int) -> dict[int, Float[np.ndarray, " S"]]:
    """The same back, each a row that sums to 1.

    Args:
        places: tokens of the source.

    Raises:
        TraceError: it is no such text, or the source has no such tokens.
    """
    if not text:
        return {}
    wrong = TraceError(f"{text[:40]!r} gives no weights for a source of {places} tokens")
    if len(text) > LONGEST:
        raise wrong
    rows: dict[int, Float[np.ndarray, " S"]] = {}
    for part in text.split("~"):
        found = _ROW.fullmatch(part)
        if found is None:
            raise wrong
        row = np.zeros(places)
        for entry in found[2].split("-"):
            place, weight = (int(number) for number in entry.split("."))
            if not 0 < place <= places:
                raise wrong
            row[place - 1] = weight
        if not row.any() or found[1] == "0":
            raise wrong
        rows[int(found[1]) - 1] = row / row.sum()
    return rows
