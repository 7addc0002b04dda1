"""Tables with one row per minute and one column per person, turned round. pandas, no files."""

import numpy as np
import pandas as pd

from rnnviz.data import people
from rnnviz.data.arranged import Arranged, finite, first_to_last
from rnnviz.data.steps import find_series
from rnnviz.errors import DataError


def from_transposed(frame: pd.DataFrame) -> Arranged | None:
    """One row per person, or None where the first column does not number the parts of a day.

    Raises:
        DataError: values are no numbers.
    """
    if frame.shape[1] < 3:
        return None
    labels = [_label(v) for v in frame.iloc[:, 0]]
    found = find_series(labels)
    if len(set(labels)) < len(labels) or len(found) != 1:
        return None
    own, heads = str(frame.columns[0]), [str(c) for c in frame.columns[1:]]
    if own.lower() in people.PERSON_NAMES and not all(head.isdigit() for head in heads):
        return None  # people who are numbered from 1 on
    row_of = {label: k for k, label in enumerate(labels)}
    names = found[0].names
    body = frame.iloc[:, 1:]
    days = body.iloc[[row_of[name] for name in names]]
    rest = [label for label in labels if label not in set(names)]
    others = pd.DataFrame(
        {label: _typed(body.iloc[row_of[label]]) for label in rest}, index=range(body.shape[1])
    )
    if people.find_column(rest, people.PERSON_NAMES) is None:
        person = own if own.lower() in people.PERSON_NAMES else "person"
        others.insert(0, person, heads)
    values, notes = finite(_numbers(days).T, names)
    return Arranged(
        layout="transposed",
        values=values,
        said=first_to_last(names),
        others=others,
        notes=notes,
    )


def _label(value: object) -> str:
    """A row's name; R and CSV both may make 1.0 out of 1."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _numbers(days: pd.DataFrame) -> np.ndarray:
    """The values of all columns [S N]; a column that also holds words comes as text.

    Raises:
        DataError: one is not a number.
    """
    columns = []
    for name, column in days.items():
        values = pd.to_numeric(_with_points(column), errors="coerce")
        wrong = values.isna() & column.notna()
        if wrong.any():
            raise DataError(
                f"column {name} holds {str(column[wrong].iloc[0])[:40]!r} among its minutes, which "
                "is not a number; minutes are numbers, or NA or empty where missing"
            )
        columns.append(values.to_numpy(np.float32, na_value=np.nan))
    return np.stack(columns, axis=1)


def _with_points(column: pd.Series) -> pd.Series:
    """Text with a decimal comma as text with a point."""
    if pd.api.types.is_numeric_dtype(column):
        return column
    return column.astype("string").str.replace(",", ".", regex=False)


def _typed(row: pd.Series) -> np.ndarray:
    """One attribute of all people: numbers where all of it is, and else words."""
    plain = row.reset_index(drop=True)
    values = pd.to_numeric(_with_points(plain.astype("string")), errors="coerce")
    if (values.isna() == plain.isna()).all():
        return values.to_numpy(float, na_value=np.nan)
    return plain.astype("string").to_numpy(object, na_value=None)
