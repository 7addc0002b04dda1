"""Letters in the order of the alphabet: what is said first may stand anywhere."""

from pathlib import Path

from rnnviz.config import RunConfig
from rnnviz.data.parallel import letters
from rnnviz.data.parallel.task import Texts

TITLE = "Letters, sorted"
ALPHABET = "abcdefghijkl"
NOTES = (
    f"{letters.SHORTEST} to {letters.LONGEST_DRAWN} of {len(ALPHABET)} letters, drawn one by one; "
    "what is wanted is the same in the order of the alphabet. A letter that stands there twice is "
    "wanted twice.",
)


def make(config: RunConfig, home: Path) -> Texts:  # noqa: ARG001  a rule needs no files
    """Pairs of letters."""
    return letters.pairs(config, TITLE, ALPHABET, _in_order, NOTES)


def answer(text: str) -> str:
    """The letters in the order of the alphabet.

    Raises:
        DataError: the text holds something else than these letters, or too many.
    """
    return _in_order(letters.checked(text, ALPHABET))


def _in_order(source: str) -> str:
    return "".join(sorted(source))
