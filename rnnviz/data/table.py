"""A data frame of days by the minute -> Days, with everything that was noticed and done said.

NumPy and pandas only; where frames come from is no concern here.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from rnnviz.data import people
from rnnviz.data.dataset import Source, Variable
from rnnviz.data.days import MINUTES, Days
from rnnviz.data.layout import MOST_LEVELS, Layout, is_words, recognise, why_unusable
from rnnviz.errors import DataError

__all__ = ["Layout", "recognise", "to_days"]

SATURATION = 32_767  # the largest count that the ActiGraph AM-7164 of NHANES can store [counts/min]
FEWEST_PEOPLE = 5


def to_days(frame: pd.DataFrame, layout: Layout, *, target: str, person: str, name: str) -> Days:
    """The table's rows as days, from what `recognise` found in it.

    Missing minutes become 0 and count as not worn. Rows without target, person or any minute are
    left out. `notes` says so, with numbers.

    Args:
        frame: the table.
        layout: what recognise(frame) gave.
        target: the column to predict; "" for the layout's. Text and factors become classes.
        person: the column that names the person; "" for the layout's.
        name: what the data are called.

    Raises:
        DataError: the target or the person is no column that can serve, minutes are not finite
            numbers, or too few people are left.
    """
    if len(frame) < 2:
        raise DataError(
            f"the table holds {'one row' if len(frame) else 'no rows'}; at least {FEWEST_PEOPLE} "
            "people are needed, so give one row per person or day"
        )
    target = _chosen_target(frame, layout, target)
    person_column = _chosen_person(frame, layout, person, target)
    minutes = _minutes(frame, layout)
    missing = np.isnan(minutes)
    keep, notes = _kept_rows(frame, target, person_column, missing)
    frame, minutes, missing = frame.loc[keep], minutes[keep], missing[keep]
    ids = _ids(frame, person_column)
    _check_people(ids, frame[target], target)
    outcome = _target(frame[target])
    covariates = _covariates(frame, [c for c in layout.covariates if c not in (target, person)])
    notes += _minute_notes(minutes, missing)
    minutes[missing] = 0
    return Days(
        name=name,
        minutes=minutes,
        unit=_unit(layout, minutes),
        ids=ids,
        target=outcome.values,
        target_name=Variable(target, people.unit_of(target)),
        classes=outcome.classes,
        covariates=covariates.values,
        covariate_names=covariates.names,
        groups=_groups(frame, target, outcome),
        wear=_wear(minutes, missing),
        source=Source(title=name),
        notes=(*notes, *covariates.notes, *layout.left_out),
    )


def _chosen_target(frame: pd.DataFrame, layout: Layout, target: str) -> str:
    """The column to predict.

    Raises:
        DataError: it is absent, a minute, or cannot be predicted.
    """
    options = ", ".join(layout.targets[:8]) + (", ..." if len(layout.targets) > 8 else "")
    if not layout.targets:
        raise DataError(
            "the table has no column that can be predicted beside the minutes; add one such as "
            "BMI, with at least two different values"
        )
    if not target:
        target = layout.target or (layout.targets[0] if len(layout.targets) == 1 else "")
    if not target:
        raise DataError(f"no target is chosen and no column is named BMI; choose one of {options}")
    if target not in frame.columns:
        raise DataError(
            f"the target {target} is not a column of the table; choose one of {options}"
        )
    if target not in layout.targets:
        if target in layout.minutes:
            why = "it is one of the minutes that are learned from"
        else:
            why = why_unusable(people.decoded(frame[target])) or "it names the person"
        raise DataError(f"{target} cannot be the target: {why}; choose one of {options}")
    return target


def _chosen_person(frame: pd.DataFrame, layout: Layout, person: str, target: str) -> str | None:
    """The column that names the person, or None.

    Raises:
        DataError: it is absent, a minute or the target.
    """
    if not person:
        return layout.person
    if person not in frame.columns:
        raise DataError(
            f"the person's column {person} is not in the table; choose the one whose values name "
            "people, or none for one row per person"
        )
    if person in layout.minutes or person == target:
        what = "the target" if person == target else "one of the minutes"
        raise DataError(f"{person} is {what} and cannot name people as well; choose another column")
    return person


def _minutes(frame: pd.DataFrame, layout: Layout) -> Float[np.ndarray, "N 1440"]:
    """All minutes in time's order, NaN where missing.

    Raises:
        DataError: they are not numbers, or infinite.
    """
    part = frame[list(layout.minutes)]
    for column, dtype in zip(part.columns, part.dtypes, strict=True):
        if not pd.api.types.is_numeric_dtype(dtype) and part[column].notna().any():
            value = part[column].dropna().iloc[0]
            raise DataError(
                f"minute column {column} holds {str(value)[:40]!r}, which is not a number; minutes "
                "are numbers, or NA or empty where missing, so mend the column"
            )
    values = part.to_numpy(dtype=np.float32, na_value=np.nan)
    infinite = np.isinf(values)
    if infinite.any():
        column = part.columns[int(np.flatnonzero(infinite.any(axis=0))[0])]
        raise DataError(
            f"{infinite.sum():,} minutes are infinite, the first in column {column}; minutes are "
            "finite numbers, so mend them or mark them as NA"
        )
    return values


def _kept_rows(
    frame: pd.DataFrame, target: str, person: str | None, missing: Bool[np.ndarray, "N 1440"]
) -> tuple[Bool[np.ndarray, " N"], list[str]]:
    """Rows that can be used, and a note for each reason why others cannot."""
    keep = np.ones(len(frame), dtype=bool)
    notes = []
    reasons = [
        (frame[target].isna().to_numpy(bool), f"without {target}"),
        (missing.all(axis=1), "without a single minute"),
    ]
    if person is not None:
        reasons.append((frame[person].isna().to_numpy(bool), f"without {person}"))
    for lost, words in reasons:
        lost = lost & keep
        if n := int(lost.sum()):
            notes.append(f"{n:,} row{'s' * (n > 1)} {words} left out")
        keep &= ~lost
    return keep, notes


def _ids(frame: pd.DataFrame, person: str | None) -> tuple[str, ...]:
    if person is None:
        return tuple(f"row {k + 1}" for k in range(len(frame)))
    values = frame[person]
    if pd.api.types.is_float_dtype(values) and (values % 1 == 0).all():
        values = values.astype(np.int64)  # R keeps numbers such as SEQN as doubles
    return tuple(str(v) for v in values)


def _check_people(ids: tuple[str, ...], target: pd.Series, name: str) -> None:
    """Raises DataError where too little is left to learn from."""
    n = len(set(ids))
    if n < FEWEST_PEOPLE:
        raise DataError(
            f"{n} {'person is' if n == 1 else 'people are'} left with minutes and {name}; at least "
            f"{FEWEST_PEOPLE} are needed to train, validate and test on different ones, so add rows"
        )
    if target.nunique() < 2:
        raise DataError(
            f"{name} is {target.iloc[0]} in every row that can be used; a target must vary, so "
            "choose another column"
        )


class _Outcome(NamedTuple):
    values: Float[np.ndarray, " N"] | Int[np.ndarray, " N"]
    classes: tuple[str, ...]


def _target(column: pd.Series) -> _Outcome:
    """Numbers as they are; words as indices into their levels that occur, in the levels' order."""
    column = people.decoded(column)
    if not is_words(column):
        return _Outcome(column.to_numpy(np.float64), ())
    levels = _levels(column)
    index = {level: k for k, level in enumerate(levels)}
    values = np.array([index[str(v)] for v in column], dtype=np.int64)
    return _Outcome(values, levels)


def _levels(column: pd.Series) -> tuple[str, ...]:
    """The levels that occur; a factor's in its own order, others sorted."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return tuple(str(v) for v in column.cat.remove_unused_categories().cat.categories)
    return tuple(sorted({str(v) for v in column.dropna()}))


class _Covariates(NamedTuple):
    values: Float[np.ndarray, "N C"]
    names: tuple[Variable, ...]
    notes: list[str]


def _covariates(frame: pd.DataFrame, columns: list[str]) -> _Covariates:
    """Numbers with gaps filled by their mean; words as one column of 0 and 1 per level."""
    values: list[np.ndarray] = []
    names: list[Variable] = []
    notes: list[str] = []
    for name in columns:
        column = people.decoded(frame[name])
        gaps = int(column.isna().sum())
        if gaps == len(column):
            continue
        if is_words(column):
            words = column.astype(str)
            for level in _levels(column):
                values.append(((words == level) & column.notna()).to_numpy(np.float64))
                names.append(Variable(f"{name}: {level}"))
            filled = "no level"
        else:
            numbers = column.to_numpy(np.float64, na_value=np.nan)
            values.append(np.where(np.isnan(numbers), np.nanmean(numbers), numbers))
            names.append(Variable(name, people.unit_of(name)))
            filled = "the column's mean"
        if gaps:
            notes.append(f"{gaps:,} missing value{'s' * (gaps > 1)} of {name} taken as {filled}")
    stacked = np.stack(values, axis=1) if values else np.zeros((len(frame), 0))
    return _Covariates(stacked, tuple(names), notes)


def _minute_notes(
    minutes: Float[np.ndarray, "N 1440"], missing: Bool[np.ndarray, "N 1440"]
) -> list[str]:
    """What is remarkable about the minutes, each with its number."""
    known = np.where(missing, 0, minutes)
    counted: list[tuple[int, Callable[[str], str]]] = [
        (int(missing.sum()), lambda n: f"{n} of all minutes missing, taken as 0 and not worn"),
        (
            int((known == SATURATION).sum()),
            lambda n: f"{n} of all minutes at {SATURATION}, where the device saturates",
        ),
        (
            int((known < 0).sum()),
            lambda n: f"{n} of all minutes negative; log(1 + x) takes them as 0",
        ),
        (
            int((known == known[0]).all(axis=0).sum()),
            lambda n: f"{n} of the {MINUTES:,} minutes of the day the same in every row",
        ),
    ]
    return [say(f"{n:,}") for n, say in counted if n]


def _unit(layout: Layout, minutes: Float[np.ndarray, "N 1440"]) -> str:
    """Counts, unless the columns' names or the values' range say otherwise."""
    if "mims" in layout.minutes[0].lower():
        return "MIMS/min"
    return "counts/min" if minutes.max() > 1 and minutes.min() >= 0 else ""


def _wear(
    minutes: Float[np.ndarray, "N 1440"], missing: Bool[np.ndarray, "N 1440"]
) -> Float[np.ndarray, "N 1440"]:
    from rnnviz.data.wear import worn

    return (worn(minutes) & ~missing).astype(np.float32)


def _groups(frame: pd.DataFrame, target: str, outcome: _Outcome) -> dict[str, tuple[str, ...]]:
    """Labels by which results can be looked at apart."""
    columns = [str(c) for c in frame.columns]
    age_column = people.find_column(columns, people.AGE_NAMES)
    age = None
    if age_column and not is_words(frame[age_column]):
        age = frame[age_column].to_numpy(np.float64, na_value=np.nan)
    if outcome.classes:
        groups = {target: tuple(outcome.classes[k] for k in outcome.values)}
    elif people.is_bmi(target, outcome.values):
        groups = {"BMI class": people.bmi_classes(outcome.values, age)}
    else:
        groups = {f"third of {target}": people.thirds(outcome.values)}
    if age is not None:
        groups["age"] = people.age_bands(age)
    sex = people.find_column(columns, people.SEX_NAMES)
    if sex and frame[sex].nunique() <= MOST_LEVELS:
        groups.setdefault("sex", people.labels_of(frame[sex]))
    return groups
