"""Letters, back to front: the farthest letter is said first."""

from pathlib import Path
from string import ascii_lowercase

from rnnviz.config import RunConfig
from rnnviz.data.parallel import letters
from rnnviz.data.parallel.task import Texts

TITLE = "Letters, back to front"
ALPHABET = ascii_lowercase
NOTES = (
    f"{letters.SHORTEST} to {letters.LONGEST_DRAWN} letters, drawn one by one; what is wanted is "
    "the same from its end. Attention that does it well runs from the last letter to the first.",
)


def make(config: RunConfig, home: Path) -> Texts:  # noqa: ARG001  a rule needs no files
    """Pairs of letters."""
    return letters.pairs(config, TITLE, ALPHABET, _back, NOTES)


def answer(text: str) -> str:
    """The letters from the last to the first.

    Raises:
        DataError: the text holds something else than letters from a to z, or too many.
    """
    return _back(letters.checked(text, ALPHABET))


def _back(source: str) -> str:
    return source[::-1]
