"""What the columns beside the minutes are: person, targets, covariates. pandas only."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rnnviz.config import NOBODY, DataConfig
from rnnviz.data import people
from rnnviz.data.arranged import Arranged
from rnnviz.errors import DataError

MOST_LEVELS = 20  # of a text column that is used as a covariate or as classes
FEWEST_PEOPLE = 5  # to train, validate and test on different ones
_ROW_NAMES = ("column 1", "x", "unnamed: 0", "index", "row", "rownames", "row_names")
_MOST_NAMED = 3  # columns that are left out for one reason
BETWEEN = "|"  # names of covariates, in the settings


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What an arranged table is, as it was recognised or as it was chosen."""

    name: str  # in LAYOUTS
    shape: str  # the steps in words
    targets: tuple[str, ...]  # what can be predicted
    target: str  # the one that is meant unless another is chosen; "" where none stands out
    person: str | None  # None: every row is its own person
    covariates: tuple[str, ...]  # the target is not among them
    flags: tuple[str, ...]  # what says whether a day is to be trusted
    left_out: tuple[str, ...]  # a sentence for each column that is not used
    people: int
    rows: int

    @property
    def summary(self) -> str:
        """One line for people."""
        who = f"{self.people} people"
        if self.rows > self.people:
            who = f"{self.rows} days of {who}"
        count = len(self.covariates)
        return (
            f"{who} × {self.shape}, "
            f"{f'target {self.target}' if self.target else 'target to be chosen'}, "
            f"{f'id {self.person}' if self.person else 'each row its own person'}, "
            f"{count} covariate{'' if count == 1 else 's'}"
        )


def recognise(table: Arranged, choices: DataConfig | None = None) -> Layout:
    """Finds the person, what can be predicted and what is known besides.

    Args:
        table: the days.
        choices: whose target, person and covariate_columns go before what is recognised.

    Raises:
        DataError: a column that is chosen cannot serve, or there is only one row.
    """
    choices = choices or DataConfig()
    frame = table.others
    if len(frame) < 2:
        raise DataError(
            f"the table holds {'one row' if len(frame) else 'no rows'}; at least {FEWEST_PEOPLE} "
            "people are needed, so give one row per person or day"
        )
    columns = [str(c) for c in frame.columns]
    person = _person(table, columns, choices)
    flags = tuple(c for c in columns if c.lower() in people.FLAGS)
    usable: list[str] = []
    unusable: dict[str, list[str]] = {}
    for column in columns:
        if column == person or column in flags or column.lower() in people.DAY_NAMES:
            continue
        why = why_unusable(people.decoded(frame[column])) or _why_no_fact(column, frame[column])
        if why:
            unusable.setdefault(why, []).append(column)
        else:
            usable.append(column)
    target = _target(table, usable, choices.target)
    return Layout(
        name=table.layout,
        shape=table.shape_words,
        targets=tuple(usable),
        target=target,
        person=person,
        covariates=_covariates(usable, target, choices.covariate_columns),
        flags=flags,
        left_out=tuple(_left_out(unusable)),
        people=len(frame) if person is None else int(frame[person].nunique()),
        rows=len(frame),
    )


def _why_no_fact(name: str, values: pd.Series) -> str:
    """What R and pandas write before the first column tells nothing; "" for anything else."""
    if name.lower() not in _ROW_NAMES or not pd.api.types.is_numeric_dtype(values):
        return ""
    steps = np.diff(values.to_numpy(float, na_value=np.nan))
    return "it numbers the rows" if values.iloc[0] in (0, 1) and (steps == 1).all() else ""


def _left_out(unusable: dict[str, list[str]]) -> Iterator[str]:
    """A sentence for each column, or one for many of one reason."""
    for why, columns in unusable.items():
        if len(columns) > _MOST_NAMED:
            yield f"{len(columns)} columns, such as {columns[0]}, are left out: {why}"
        else:
            yield from (f"{column} is left out: {why}" for column in columns)


def _person(table: Arranged, columns: list[str], choices: DataConfig) -> str | None:
    """The column that names the person, or None.

    Raises:
        DataError: the one that is chosen is absent, a minute or the target.
    """
    person = choices.person
    if not person:
        return people.find_column(columns, people.PERSON_NAMES)
    if person == NOBODY:
        return None
    if person in table.steps or person == choices.target:
        what = "the target" if person == choices.target else "one of the minutes"
        raise DataError(f"{person} is {what} and cannot name people as well; choose another column")
    if person not in columns:
        raise DataError(
            f"the person's column {person} is not in the table; choose the one whose values name "
            "people, or none for one row per person"
        )
    return person


def options_in_words(names: tuple[str, ...] | list[str]) -> str:
    """The first names of a list, for a message."""
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


def _target(table: Arranged, usable: list[str], chosen: str) -> str:
    """The column to predict; "" where none is chosen and none is a BMI.

    Raises:
        DataError: the one that is chosen is absent, a minute, or cannot be predicted.
    """
    if not chosen:
        return people.find_column(usable, people.BMI_NAMES) or ""
    options = options_in_words(usable)
    if chosen in table.steps:
        raise DataError(
            f"{chosen} cannot be the target: it is one of the minutes that are learned from; "
            f"choose one of {options}"
        )
    if chosen not in table.others.columns:
        raise DataError(
            f"the target {chosen} is not a column of the table; choose one of {options}"
        )
    if chosen not in usable:
        why = why_unusable(people.decoded(table.others[chosen])) or "it names the person or the day"
        raise DataError(f"{chosen} cannot be the target: {why}; choose one of {options}")
    return chosen


def _covariates(usable: list[str], target: str, chosen: str) -> tuple[str, ...]:
    """The columns of the setting, or all that can serve.

    Raises:
        DataError: one of the setting's cannot serve.
    """
    if not chosen:
        return tuple(c for c in usable if c != target)
    names = tuple(name.strip() for name in chosen.split(BETWEEN) if name.strip())
    if NOBODY in names:
        return ()
    for name in names:
        if name not in usable or name == target:
            raise DataError(
                f"{name} cannot be a covariate: it is the target, names the person, cannot be used "
                f"or is not in the table; choose among {options_in_words(usable)}"
            )
    return names


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
