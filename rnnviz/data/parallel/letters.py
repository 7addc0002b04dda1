"""What reversal and sorting share: sources that are letters, drawn one by one."""

from collections.abc import Callable

import numpy as np

from rnnviz.config import RunConfig
from rnnviz.data.parallel.task import Texts, by_rule
from rnnviz.data.parallel.text import LONGEST
from rnnviz.errors import DataError

SHORTEST, LONGEST_DRAWN = 3, 10  # letters
MOST = LONGEST["characters"] - 1  # of one's own text, so that lengths never seen can be tried


def pairs(
    config: RunConfig, title: str, alphabet: str, rule: Callable[[str], str], notes: tuple[str, ...]
) -> Texts:
    """Letters of all lengths and what the rule makes of them."""

    def draw(rng: np.random.Generator) -> tuple[str, str]:
        length = int(rng.integers(SHORTEST, LONGEST_DRAWN + 1))
        source = "".join(alphabet[place] for place in rng.integers(0, len(alphabet), length))
        return source, rule(source)

    return by_rule(config, title=title, tokens="characters", draw=draw, notes=notes)


def checked(text: str, alphabet: str) -> str:
    """The text without blanks around it.

    Raises:
        DataError: it holds something else than these letters, or too many of them.
    """
    given = text.strip()
    if not 0 < len(given) <= MOST or set(given) - set(alphabet):
        raise DataError(
            f"{given[:40]!r} cannot be read; give 1 to {MOST} of the letters {alphabet[0]} to "
            f"{alphabet[-1]}, without blanks (those that are learned from have {SHORTEST} to "
            f"{LONGEST_DRAWN})"
        )
    return given
