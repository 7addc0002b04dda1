"""What the columns of a data frame are: minutes, person, targets, covariates. pandas only."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnnviz.data import people
from rnnviz.data.days import MINUTES
from rnnviz.errors import DataError

MOST_LEVELS = 20  # of a text column that is used as a covariate or as classes

_CLOCK = re.compile(r"x?([01]?\d|2[0-4])[:.h]([0-5]\d)(?:[:.]00)?", re.IGNORECASE)
_NUMBERED = re.compile(r"(.*?)[ ._-]?(\d+)")


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What the columns of a data frame are."""

    minutes: tuple[str, ...]  # 1440, from midnight on
    targets: tuple[str, ...]  # what can be predicted
    target: str  # the one that is meant unless another is chosen; "" where none stands out
    person: str | None  # None: every row is its own person
    covariates: tuple[str, ...]  # the target among them is left out when it is chosen
    left_out: tuple[str, ...]  # a sentence for each column that is not used
    people: int
    rows: int

    @property
    def summary(self) -> str:
        """One line for people."""
        who = f"{self.people} people"
        if self.rows > self.people:
            who = f"{self.rows} days of {who}"
        covariates = len([c for c in self.covariates if c != self.target])
        return (
            f"{who} × {len(self.minutes)} minutes, {self.minutes[0]} … {self.minutes[-1]}, "
            f"{f'target {self.target}' if self.target else 'target to be chosen'}, "
            f"{f'id {self.person}' if self.person else 'each row its own person'}, "
            f"{covariates} covariate{'' if covariates == 1 else 's'}"
        )


def recognise(frame: pd.DataFrame) -> Layout:
    """Finds the minutes, the person and what can be predicted.

    Raises:
        DataError: no 1440 columns that number the minutes of a day.
    """
    columns = [str(c) for c in frame.columns]
    minutes = _minute_columns(columns)
    others = [c for c in columns if c not in set(minutes)]
    person = people.find_column(others, people.PERSON_NAMES)
    covariates, targets, left_out = [], [], []
    for column in others:
        if column == person:
            continue
        why = why_unusable(people.decoded(frame[column]))
        if why:
            left_out.append(f"{column} is left out: {why}")
        else:
            covariates.append(column)
            targets.append(column)
    return Layout(
        minutes=minutes,
        targets=tuple(targets),
        target=people.find_column(targets, people.BMI_NAMES) or "",
        person=person,
        covariates=tuple(covariates),
        left_out=tuple(left_out),
        people=len(frame) if person is None else int(frame[person].nunique()),
        rows=len(frame),
    )


def _minute_columns(columns: list[str]) -> tuple[str, ...]:
    """The 1440 columns of one series, in time's order.

    Raises:
        DataError: there is no such series, or there are several.
    """
    series: dict[str, dict[int, str]] = {}
    for column in columns:
        if clock := _CLOCK.fullmatch(column):
            series.setdefault("hh:mm", {})[int(clock[1]) * 60 + int(clock[2])] = column
        elif match := _NUMBERED.fullmatch(column):
            series.setdefault(match[1].lower(), {})[int(match[2])] = column
    whole = [s for s in series.values() if _is_day(s)]
    if len(whole) == 1:
        return tuple(whole[0][k] for k in sorted(whole[0]))
    if whole:
        first = ", ".join(min(s.items())[1] for s in whole)
        raise DataError(
            f"the table holds {len(whole)} series of {MINUTES} minutes (from {first}); "
            "keep one of them"
        )
    longest = max(series.values(), key=len, default={})
    found = (
        f"the longest series has {len(longest)}, {longest[min(longest)]} to {longest[max(longest)]}"
        if len(longest) > 1
        else "no numbered columns are there"
    )
    raise DataError(
        f"the table has no minute columns: exactly {MINUTES} numbered ones are needed, such as "
        f"MIN1 to MIN{MINUTES} or 00:00 to 23:59 ({found}); give one row per person or day, with "
        "one column per minute"
    )


def _is_day(numbered: dict[int, str]) -> bool:
    """Exactly 1440 numbers in a row, from 0 or from 1."""
    if len(numbered) != MINUTES:
        return False
    first, last = min(numbered), max(numbered)
    return first in (0, 1) and last - first == MINUTES - 1


def is_words(values: pd.Series) -> bool:
    """Text, a factor or yes/no: what is used by its levels."""
    kinds = pd.api.types
    return (
        isinstance(values.dtype, pd.CategoricalDtype)
        or kinds.is_string_dtype(values)
        or kinds.is_bool_dtype(values)
        or kinds.is_object_dtype(values)
    )


def why_unusable(values: pd.Series) -> str:
    """Why a column can be neither predicted nor used as a covariate; "" if it can."""
    known = values.dropna()
    different = known.nunique()
    if different == 0:
        return "it holds nothing"
    if different == 1:
        return f"all its values are {known.iloc[0]}"
    if is_words(values):
        return f"{different} different texts, more than {MOST_LEVELS}" * (different > MOST_LEVELS)
    if not pd.api.types.is_numeric_dtype(values):
        return "dates and times are not used"
    return "" if np.isfinite(known.to_numpy(float)).all() else "it holds infinite values"
