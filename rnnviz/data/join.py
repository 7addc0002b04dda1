"""A second table of what is known of people, joined to the days by the person. No files."""

from dataclasses import replace

import pandas as pd

from rnnviz.data import people
from rnnviz.data.arranged import Arranged
from rnnviz.errors import DataError


def person_labels(values: pd.Series) -> pd.Series:
    """The person's column as words; numbers such as SEQN stay whole, which R keeps as doubles."""
    if pd.api.types.is_float_dtype(values) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    return values.astype("string")


def join(days: Arranged, known: Arranged, name: str, person: str = "") -> Arranged:
    """The days with the columns of the second table beside them.

    Args:
        days: the table of days.
        known: one row per person.
        name: of the second file, for messages and notes.
        person: the column of the days that names people; "" for the one that is recognised.

    Raises:
        DataError: a table has no column that names people, the second has several rows for one,
            or none of its people is among those of the days.
    """
    left = person or people.find_column([str(c) for c in days.others.columns], people.PERSON_NAMES)
    columns = [str(c) for c in known.others.columns]
    right = left if left in columns else people.find_column(columns, people.PERSON_NAMES)
    if left not in days.others.columns or right is None:
        raise DataError(
            f"{name} cannot be joined: both files need a column that names the person, such as "
            "SEQN or id; rename it in both to the same"
        )
    keys = person_labels(known.others[right])
    other = known.others.loc[keys.notna()].drop(columns=right).set_axis(keys.dropna(), axis=0)
    if not other.index.is_unique:
        twice = other.index[other.index.duplicated()][0]
        raise DataError(
            f"{name} has several rows for {right} {twice}; what is joined needs one row per "
            "person, so keep one"
        )
    mine = person_labels(days.others[left])
    found = mine.isin(other.index)
    if not found.any():
        raise DataError(
            f"no {left} of the days is among the {len(other):,} of {name}; check that both files "
            "are of the same people and name them alike"
        )
    twice = [c for c in other.columns if c in days.others.columns]
    added = other.drop(columns=twice).reindex(mine).set_axis(days.others.index, axis=0)
    there, all_people = mine[found].nunique(), mine.nunique()
    notes = [f"{there:,} of {all_people:,} people found in {name}"]
    notes += [f"{c} of {name} is left out: the first file has its own" for c in twice]
    return replace(
        days,
        others=pd.concat([days.others, added], axis=1),
        notes=(*days.notes, *notes, *known.notes[1:]),
    )
