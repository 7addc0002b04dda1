"""An arranged table -> Days, with everything that was noticed and done said.

NumPy and pandas only; where tables come from is no concern here.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from rnnviz.config import DataConfig
from rnnviz.data import people
from rnnviz.data.arranged import Arranged
from rnnviz.data.dataset import Source, Variable
from rnnviz.data.days import Days
from rnnviz.data.join import person_labels
from rnnviz.data.layout import FEWEST_PEOPLE, MOST_LEVELS, Layout, is_words, options_in_words
from rnnviz.data.layouts import no_minutes
from rnnviz.data.quality import clean
from rnnviz.errors import DataError


def to_days(table: Arranged, layout: Layout, config: DataConfig, *, name: str) -> Days:
    """The table's rows as days, from what `recognise` found in it.

    Rows without target, person or any minute, and those that a flag of the study calls unreliable,
    are left out. `notes` says so, with numbers.

    Args:
        table: the days.
        layout: what recognise(table, config) gave.
        config: what is done about missing and saturated minutes.
        name: what the data are called.

    Raises:
        DataError: no target is chosen, there are no minutes, or too few people are left.
    """
    if not table.values.shape[1]:
        raise DataError(no_minutes(table.others))
    target = _needed_target(layout)
    keep, notes = kept_rows(table, layout, target)
    ids = ids_of(table.others.loc[keep], layout.person)
    flags = None if table.wear is None else table.wear[keep]
    cleaned = clean(table.values[keep], flags, ids, config)
    frame = table.others.loc[keep].loc[cleaned.keep]
    ids = tuple(i for i, kept in zip(ids, cleaned.keep, strict=True) if kept)
    _check_people(ids, frame[target], target)
    outcome = _target(frame[target])
    covariates = _covariates(frame, [c for c in layout.covariates if c != target])
    quality = cleaned.quality
    return Days(
        name=name,
        minutes=cleaned.values,
        unit=_unit(table, cleaned.values),
        ids=ids,
        target=outcome.values,
        target_name=Variable(target, people.unit_of(target)),
        classes=outcome.classes,
        covariates=covariates.values,
        covariate_names=covariates.names,
        groups=_groups(frame, target, outcome),
        wear=cleaned.wear,
        source=Source(title=name),
        quality=quality,
        notes=(
            *notes,
            *quality.notes(config),
            *table.notes,
            *covariates.notes,
            *layout.left_out,
        ),
    )


def _needed_target(layout: Layout) -> str:
    """The layout's target, or the only one that there can be.

    Raises:
        DataError: there is none, or there are several and none is chosen.
    """
    if not layout.targets:
        raise DataError(
            "the table has no column that can be predicted beside the minutes; add one such as "
            "BMI, with at least two different values, or join a file that has one"
        )
    target = layout.target or (layout.targets[0] if len(layout.targets) == 1 else "")
    if not target:
        raise DataError(
            "no target is chosen and no column is named BMI; choose one of "
            f"{options_in_words(layout.targets)}"
        )
    return target


def kept_rows(
    table: Arranged, layout: Layout, target: str
) -> tuple[Bool[np.ndarray, " N"], list[str]]:
    """Rows that can be used, and a note for each reason why others cannot."""
    frame = table.others
    reasons = [(np.isnan(table.values).all(axis=1), "without a single minute")]
    if target:
        reasons.insert(0, (frame[target].isna().to_numpy(bool), f"without {target}"))
    if layout.person is not None:
        reasons.append((frame[layout.person].isna().to_numpy(bool), f"without {layout.person}"))
    for flag in layout.flags:
        good = people.FLAGS[flag.lower()]
        wrong = (frame[flag] != good).to_numpy(bool)
        reasons.append((wrong, f"whose {flag} is not {good:g}"))
    keep = np.ones(len(frame), dtype=bool)
    notes = []
    for lost, words in reasons:
        lost = lost & keep
        if n := int(lost.sum()):
            notes.append(f"{n:,} row{'s' * (n > 1)} {words} left out")
        keep &= ~lost
    return keep, notes


def ids_of(frame: pd.DataFrame, person: str | None) -> tuple[str, ...]:
    """Who each row is of."""
    if person is None:
        return tuple(f"row {k + 1}" for k in range(len(frame)))
    return tuple(person_labels(frame[person]).fillna("").tolist())


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


def _unit(table: Arranged, minutes: Float[np.ndarray, "N S"]) -> str:
    """Counts, unless the steps' names or the values' range say otherwise."""
    if "mims" in table.said.lower() or "paxmtsm" in table.said.lower():
        return "MIMS/min"
    return "counts/min" if minutes.max() > 1 and minutes.min() >= 0 else ""


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
    weekday = people.find_column(columns, people.WEEKDAY_NAMES)
    if weekday and frame[weekday].nunique() <= MOST_LEVELS:
        groups.setdefault("weekday", people.labels_of(frame[weekday]))
    return groups
