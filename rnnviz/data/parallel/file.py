"""People's own pairs, from an uploaded table."""

from pathlib import Path

from rnnviz.config import RunConfig
from rnnviz.data import kinds
from rnnviz.data.pairs import Pairs
from rnnviz.data.parallel.task import Texts
from rnnviz.errors import DataError

MOST_PAIRS = 20_000


def make(config: RunConfig, home: Path) -> Texts:
    """The pairs of the table that the settings name, the first 20,000 of them.

    Raises:
        DataError: there is no file, or it holds no pairs.
    """
    if not config.data.file:
        raise DataError("no pairs are given; upload a table with two columns of texts")
    found = kinds.find(config.data, home)
    if not isinstance(found, Pairs):
        raise DataError(
            "the table holds no pairs of texts; upload one with two columns of texts, such as a "
            "sentence and its translation, or set its layout to pairs"
        )
    notes = found.notes
    if found.rows > MOST_PAIRS:
        notes = (*notes, f"Only the first {MOST_PAIRS:,} of {found.rows:,} pairs are read.")
    return Texts(
        found.source_texts[:MOST_PAIRS],
        found.target_texts[:MOST_PAIRS],
        found.source,
        config.data.tokens,
        notes,
    )
