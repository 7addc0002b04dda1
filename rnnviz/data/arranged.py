"""A table with one row per person or day, whatever layout it came in. No files."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from rnnviz.data.steps import PARTS
from rnnviz.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Arranged:
    """Values of every day side by side, and beside them what else the table holds."""

    layout: str  # a name in LAYOUTS
    values: Float[np.ndarray, "N S"]  # float32 from midnight on, NaN where missing; S may be 0
    said: str  # what the values were called, such as "MIN1 … MIN1440"
    steps: tuple[str, ...] = ()  # the columns that they stood in, where they had one each
    others: pd.DataFrame  # N rows
    wear: Bool[np.ndarray, "N S"] | None = None  # where the table itself says when it was worn
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert len(self.values) == len(self.others)

    @property
    def shape_words(self) -> str:
        """The steps in words, such as "1440 minutes, MIN1 … MIN1440"."""
        count = self.values.shape[1]
        return f"{count} {PARTS[count]}, {self.said}" if count else "no minutes"


def first_to_last(names: tuple[str, ...]) -> str:
    """A run of names by its ends."""
    return f"{names[0]} … {names[-1]}"


class Values(NamedTuple):
    """Numbers side by side, and what was done to make them so."""

    values: Float[np.ndarray, "N S"]  # float32, finite or NaN
    notes: tuple[str, ...]


def numbers(frame: pd.DataFrame, columns: tuple[str, ...]) -> Values:
    """The columns side by side, NaN where missing or infinite.

    Raises:
        DataError: they are not numbers.
    """
    part = frame[list(columns)]
    for column, dtype in zip(part.columns, part.dtypes, strict=True):
        if not pd.api.types.is_numeric_dtype(dtype) and part[column].notna().any():
            value = part[column].dropna().iloc[0]
            raise DataError(
                f"minute column {column} holds {str(value)[:40]!r}, which is not a number; minutes "
                "are numbers, or NA or empty where missing, so mend the column"
            )
    return finite(part.to_numpy(dtype=np.float32, na_value=np.nan), columns)


def finite(values: Float[np.ndarray, "N S"], names: tuple[str, ...]) -> Values:
    """The values with NaN in place of infinity, and a note that says so."""
    infinite = np.isinf(values)
    if not infinite.any():
        return Values(values, ())
    name = names[int(np.flatnonzero(infinite.any(axis=0))[0])]
    note = f"{infinite.sum():,} infinite values, the first in {name}, taken as missing"
    return Values(np.where(infinite, np.float32(np.nan), values), (note,))
