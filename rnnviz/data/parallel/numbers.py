"""Numbers in words, and in digits: three hundred and twelve -> 312."""

import re
from pathlib import Path

import numpy as np

from rnnviz.config import RunConfig
from rnnviz.data.parallel.task import Texts, by_rule
from rnnviz.errors import DataError

TITLE = "Number words"
DIGITS = 5  # at most
ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    *("eighteen", "nineteen"),
)
TENS = (*("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"),)
NOTES = (
    f"Numbers of 1 to {DIGITS} digits, each length as often as there are such numbers left, in "
    "British words: an and before what is below a hundred. Nothing in the words stands for a 0, "
    "so where it belongs is to be learned.",
)


def words(number: int) -> str:
    """A whole number from 0 to 99,999 in British English."""
    if number < 20:
        return ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return TENS[tens] + (f"-{ONES[ones]}" if ones else "")
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        return f"{ONES[hundreds]} hundred" + (f" and {words(rest)}" if rest else "")
    thousands, rest = divmod(number, 1000)
    joint = " and " if 0 < rest < 100 else " "
    return f"{words(thousands)} thousand" + (f"{joint}{words(rest)}" if rest else "")


def make(config: RunConfig, home: Path) -> Texts:  # noqa: ARG001  a rule needs no files
    """Pairs of different numbers, of all lengths."""

    def draw(rng: np.random.Generator) -> tuple[str, str]:
        digits = int(rng.integers(1, DIGITS + 1))
        number = int(rng.integers(10 ** (digits - 1) if digits > 1 else 0, 10**digits))
        return words(number), str(number)

    return by_rule(config, title=TITLE, tokens="characters", draw=draw, notes=NOTES)


_VALUES = {
    **{word: value for value, word in enumerate(ONES)},
    **{word: 10 * value for value, word in enumerate(TENS) if word},
}


def answer(text: str) -> str:
    """The number in digits.

    Raises:
        DataError: the words are no number from zero to 99,999 as these pairs write it.
    """
    written = " ".join(text.lower().split())
    number = _value(written)
    if number is None or not 0 <= number < 10**DIGITS:
        raise DataError(
            f"{text.strip()!r} is no number in words; write one from zero to {words(99_999)}, such "
            "as three hundred and twelve"
        )
    if words(number) != written:
        raise DataError(f"{number:,} is written as {words(number)!r} here; write it so")
    return str(number)


def _value(written: str) -> int | None:
    """What the words come to, however they are joined; None where one is no word of a number."""
    total = part = 0
    for word in re.split(r"[ -]", written):
        if word in _VALUES:
            part += _VALUES[word]
        elif word == "hundred":
            part *= 100
        elif word == "thousand":
            total, part = part * 1000, 0
        elif word != "and":
            return None
    return total + part
