"""PARALLEL: pairs of texts to learn a translation from, most of them made by a rule.

A task is a file, and a line in the table. NumPy and pandas only.
"""

from collections.abc import Mapping
from pathlib import Path

from rnnviz.config import PARALLEL_NAMES, RunConfig
from rnnviz.data.parallel import dates, file, numbers, phrases, reversal, sorting
from rnnviz.data.parallel.task import Parallel
from rnnviz.data.parallel.text import (
    END,
    PAD,
    SPECIAL,
    START,
    UNKNOWN,
    ParallelText,
    parallel_text,
)

PARALLEL: Mapping[str, Parallel] = {  # their labels: PARALLEL_NAMES (rnnviz.config)
    "dates": Parallel(
        title=dates.TITLE,
        tokens="characters",
        make=dates.make,
        answer=dates.answer,
        example="3 May 1979",
    ),
    "numbers": Parallel(
        title=numbers.TITLE,
        tokens="characters",
        make=numbers.make,
        answer=numbers.answer,
        example="three hundred and twelve",
    ),
    "reversal": Parallel(
        title=reversal.TITLE,
        tokens="characters",
        make=reversal.make,
        answer=reversal.answer,
        example="stream",
        suggested={"epochs": 8},
    ),
    "sorting": Parallel(
        title=sorting.TITLE,
        tokens="characters",
        make=sorting.make,
        answer=sorting.answer,
        example="cabbage",
        suggested={"epochs": 8},
    ),
    "phrases": Parallel(
        title=phrases.TITLE,
        tokens="words",
        make=phrases.make,
        answer=phrases.answer,
        example="often the small red bird does not see my old boat",
        suggested={"epochs": 8},
    ),
    "file": Parallel(
        title=PARALLEL_NAMES["file"],
        tokens="",
        make=file.make,
        answer=None,
    ),
}


def load(config: RunConfig, home: Path) -> ParallelText:
    """The pairs that the settings name; `home` holds what was uploaded.

    Raises:
        DataError: they cannot be made of what is there.
    """
    return parallel_text(PARALLEL[config.translation.parallel].make(config, home))


__all__ = [
    "END",
    "PAD",
    "PARALLEL",
    "SPECIAL",
    "START",
    "UNKNOWN",
    "Parallel",
    "ParallelText",
    "load",
]
