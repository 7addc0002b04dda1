"""KINDS: what an uploaded table can be besides days. A kind is one line in the table."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import pandas as pd

from rnnviz.config import DataConfig
from rnnviz.data.dataset import SequenceDataset
from rnnviz.data.labelled import find_labelled
from rnnviz.data.pairs import find_pairs
from rnnviz.data.series import find_series
from rnnviz.data.uploads import Upload, open_upload, read_table
from rnnviz.errors import DataError

_MOST_COLUMNS = 40  # a table of more is one of days, and too large to be read for nothing


@runtime_checkable
class Recognised(Protocol):
    """A table of such a kind, ready to become sequences."""

    @property
    def layout(self) -> str:
        """The kind's name in KINDS."""

    @property
    def rows(self) -> int:
        """Rows that are used."""

    @property
    def target(self) -> str:
        """The column that is predicted."""

    @property
    def targets(self) -> tuple[str, ...]:
        """What could be."""

    @property
    def mean(self) -> float | None:
        """Of all numbers that are read; None where they are none."""

    @property
    def missing(self) -> int:
        """Rows without what is read."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was noticed and done."""

    @property
    def summary(self) -> str:
        """One line for people."""

    @property
    def examples(self) -> tuple[str, ...]:
        """A few rows in words, where that says more than numbers."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings that matter for it, and what they begin with."""

    def as_sequences(self, config: DataConfig) -> SequenceDataset:
        """The data set by the settings.

        Raises:
            DataError: it cannot be made of what is there.
        """


class Kind(NamedTuple):
    """One thing that a table can be."""

    words: str  # what stands in it, for people
    # None where the table is something else, unless it is called this in the settings' layout
    find: Callable[[pd.DataFrame, DataConfig, str], Recognised | None]


KINDS: Mapping[str, Kind] = {  # the first that fits is taken, before any layout of days
    "series": Kind("one row per moment, with a column of numbers", find_series),
    "labelled": Kind("one row per text, with a column of a few different labels", find_labelled),
    "pairs": Kind("one row per pair of texts, such as a sentence and its translation", find_pairs),
}


def find(config: DataConfig, home: Path) -> Recognised | None:
    """What the settings' table is, or None where it is one of days, or there are several.

    Raises:
        DataError: the file is gone, or the table is not what the settings call it.
    """
    called = config.layout in KINDS
    if config.join or not (called or config.layout == "auto"):
        return None
    upload = open_upload(home, config.file)
    name = config.table or (upload.tables[0].name if len(upload.tables) == 1 else "")
    columns = next((t.columns for t in upload.tables if t.name == name), 0)
    if not called and not 0 < columns <= _MOST_COLUMNS:
        return None
    if not name:
        names = ", ".join(table.name for table in upload.tables)
        raise DataError(f"{upload.name} holds {len(upload.tables)} tables ({names}); choose one")
    return _first(read_table(upload, name), config, _title(upload, name))


def _title(upload: Upload, table: str) -> str:
    return upload.name if len(upload.tables) == 1 else f"{upload.name}: {table}"


def _first(frame: pd.DataFrame, config: DataConfig, name: str) -> Recognised | None:
    if config.layout in KINDS:
        found = KINDS[config.layout].find(frame, config, name)
        if found is None:
            words = KINDS[config.layout].words
            raise DataError(
                f"the table cannot be read as {config.layout}: {words}; choose another layout, or "
                "auto to have it recognised"
            )
        return found
    fitting = (kind.find(frame, config, name) for kind in KINDS.values())
    return next((found for found in fitting if found is not None), None)
