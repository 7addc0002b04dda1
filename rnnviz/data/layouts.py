"""LAYOUTS: every way in which a table of days may be laid out, and how it is brought into one.

A layout is one line in the table. pandas and NumPy, no files.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from rnnviz.data import people
from rnnviz.data.arranged import Arranged, first_to_last, numbers
from rnnviz.data.long import from_long
from rnnviz.data.steps import DAY, Series, find_series, longest
from rnnviz.data.transposed import from_transposed
from rnnviz.errors import DataError

_FEWEST_STEPS = 24  # so many numbered columns are meant to be a day, and others are not
_WEAR_STEMS = ("wear", "worn", "flag", "flags", "wearflag", "wear_flag", "valid")


class TableLayout(NamedTuple):
    """One way to lay out a table."""

    words: str  # what stands in it, for people
    arrange: Callable[[pd.DataFrame], Arranged | None]  # None: the table is laid out otherwise


def arrange(frame: pd.DataFrame, layout: str = "auto") -> Arranged:
    """The table by the layout that is named, or by the first one that fits.

    Raises:
        DataError: the layout does not fit, none does, or the values are no numbers.
    """
    if layout != "auto":
        found = LAYOUTS[layout].arrange(frame)
        if found is None:
            raise DataError(
                f"the table cannot be read as {layout}: {LAYOUTS[layout].words}; choose another "
                "layout, or auto to have it recognised"
            )
        return found
    for each in LAYOUTS.values():
        if (found := each.arrange(frame)) is not None:
            return found
    raise DataError(no_minutes(frame))


def no_minutes(frame: pd.DataFrame) -> str:
    """What is said of a table without the parts of a day."""
    run = longest([str(c) for c in frame.columns])
    found = (
        f"the longest series has {len(run)}, {run[0]} to {run[-1]}"
        if len(run) > 1
        else "no numbered columns are there"
    )
    return (
        f"the table has no minute columns: exactly {DAY} numbered ones are needed, such as "
        f"MIN1 to MIN{DAY} or 00:00 to 23:59, or 24 for hours and 96 for quarter-hours "
        f"({found}); give one row per person or day, with one column per minute"
    )


def _columns(frame: pd.DataFrame, layout: str) -> Arranged | None:
    """One column for each part of the day."""
    names = [str(c) for c in frame.columns]
    found = find_series(names)
    if not found:
        return None
    finest = [s for s in found if len(s.names) == len(found[0].names)]
    flags = [s for s in finest if _are_flags(frame, s)] if len(finest) > 1 else []
    series = [s for s in finest if s not in flags]
    if len(series) != 1 or len(flags) > 1:
        first = ", ".join(s.names[0] for s in finest)
        raise DataError(
            f"the table holds {len(finest)} series of {len(finest[0].names)} {finest[0].parts} "
            f"(from {first}); keep one of them"
        )
    (chosen,) = series
    values, notes = numbers(frame, chosen.names)
    used = {name for s in (*series, *flags) for name in s.names}
    return Arranged(
        layout=layout,
        values=values,
        said=first_to_last(chosen.names),
        steps=chosen.names,
        others=frame[[c for c in names if c not in used]],
        wear=numbers(frame, flags[0].names).values == 1 if flags else None,
        notes=(
            *notes,
            *(f"{first_to_last(s.names)} tell when the device was worn" for s in flags),
        ),
    )


def _are_flags(frame: pd.DataFrame, series: Series) -> bool:
    """Named after wear, and holding 0 and 1 only."""
    if series.stem.rstrip(" ._-") not in _WEAR_STEMS:
        return False
    values = numbers(frame, series.names).values
    return bool(((values == 0) | (values == 1) | np.isnan(values)).all())


def _wide(frame: pd.DataFrame) -> Arranged | None:
    return _columns(frame, "wide")


def _person_days(frame: pd.DataFrame) -> Arranged | None:
    person = people.find_column([str(c) for c in frame.columns], people.PERSON_NAMES)
    if person is None or frame[person].dropna().is_unique:
        return None
    return _columns(frame, "person-days")


def _physionet(frame: pd.DataFrame) -> Arranged | None:
    if not {"PAXDAYM", "PAXDAYWM"} <= set(frame.columns):
        return None
    found = _columns(frame, "physionet")
    if found is None:
        return None
    note = "a minute without a value is one in which the device was not worn"
    return Arranged(
        layout=found.layout,
        values=found.values,
        said=found.said,
        steps=found.steps,
        others=found.others,
        wear=~np.isnan(found.values),
        notes=(*found.notes, note),
    )


def _people(frame: pd.DataFrame) -> Arranged | None:
    names = [str(c) for c in frame.columns]
    if (
        people.find_column(names, people.PERSON_NAMES) is None
        or len(longest(names)) >= _FEWEST_STEPS
    ):
        return None
    return Arranged(
        layout="people",
        values=np.zeros((len(frame), 0), dtype=np.float32),
        said="",
        others=frame.set_axis(names, axis=1),
        notes=("there are no minutes in it: it can be joined to a table that has them",),
    )


LAYOUTS: Mapping[str, TableLayout] = {  # the first that fits is taken
    "physionet": TableLayout(
        "days with PAXDAYM and PAXDAYWM, one column per minute, and NA where it was not worn",
        _physionet,
    ),
    "person-days": TableLayout(
        "one row per day, several of each person, and one column per minute, quarter or hour",
        _person_days,
    ),
    "wide": TableLayout("one row per person, and one column per minute, quarter or hour", _wide),
    "long": TableLayout("one row per person and minute", from_long),
    "transposed": TableLayout("one row per minute, and one column per person", from_transposed),
    "people": TableLayout("one row per person, without minutes", _people),
}
