"""Tables with one row per person and minute, brought to one row per day. pandas, no files."""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from rnnviz.data import people
from rnnviz.data.arranged import Arranged, Values, finite
from rnnviz.data.steps import DAY, PARTS
from rnnviz.errors import DataError

MOST_CELLS = 60_000_000  # of the days that come out, as gaps in time become cells

_HOURS = ("paxhour", "hour", "hr", "hh")
_MINUTES = ("paxminut", "paxminute", "minute", "min", "mm")
_MINUTES_OF_DAY = ("minute_of_day", "minuteofday", "minute", "min", "time", "mod")
_MOMENTS = ("timestamp", "datetime", "date_time", "time", "clock", "time_of_day", "timeofday")
_DAYS = ("paxdaym", "date", "day", "day_number", "daynumber")
_VALUES = (
    *("paxinten", "paxmtsm", "activity", "counts", "count", "intensity", "mims", "mims_unit"),
    *("value", "act", "vm", "vector_magnitude", "enmo", "axis1"),
)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d(?:\.\d+)?)?")
_FEWEST_ROWS = 24  # of each person on average


class _Clock(NamedTuple):
    """When each row happened."""

    minutes: Float[np.ndarray, " R"]  # from midnight on, NaN where unknown [min]
    columns: tuple[str, ...]
    date: pd.Series | None = None


def from_long(frame: pd.DataFrame) -> Arranged | None:
    """One row per day, or None where the table is laid out otherwise.

    Raises:
        DataError: a minute of a day holds two values, or the days hold too many cells.
    """
    names = [str(c) for c in frame.columns]
    person = people.find_column(names, people.PERSON_NAMES)
    if person is None or len(frame) < _FEWEST_ROWS * frame[person].nunique():
        return None
    clock = next((found for read in _CLOCKS if (found := read(frame, names))), None)
    value = clock and _value_column(frame, [c for c in names if c not in (person, *clock.columns)])
    if not clock or not value:
        return None
    known = frame[person].notna().to_numpy(bool) & ~np.isnan(clock.minutes)
    notes = _lost_note(int((~known).sum()), person)
    frame = frame.loc[known].reset_index(drop=True)
    width = _width(clock.minutes[known])
    slots = (clock.minutes[known] // width).astype(np.int64)
    day_column = people.find_column(names, _DAYS)
    if clock.date is not None:
        day: pd.Series | None = clock.date[known].reset_index(drop=True)
    else:
        day = frame[day_column] if day_column else None
    rows = _rows(frame, person, day, slots)
    values, infinite = _grid(frame, value, rows, slots, DAY // width, person)
    first = np.unique(rows, return_index=True)[1]
    used = (person, value, *clock.columns)
    others, left_out = _of_days(frame, [c for c in names if c not in used], rows, first)
    others.insert(0, person, frame[person].to_numpy()[first])
    return Arranged(
        layout="long",
        values=values,
        said=f"{value} by {' and '.join(clock.columns)}",
        others=others,
        notes=(*notes, *infinite, *left_out),
    )


def _lost_note(lost: int, person: str) -> tuple[str, ...]:
    return (f"{lost:,} rows without {person} or time left out",) if lost else ()


# --- when a row happened --------------------------------------------------------------------------


def _hour_and_minute(frame: pd.DataFrame, names: list[str]) -> _Clock | None:
    hour, minute = people.find_column(names, _HOURS), people.find_column(names, _MINUTES)
    hours = _numbers(frame, hour, 23)
    if hour is None or hours is None:
        return None
    minutes = _numbers(frame, minute, 59)
    if minute is None or minutes is None:
        return _Clock(hours * 60, (hour,))
    return _Clock(hours * 60 + minutes, (hour, minute))


def _moment(frame: pd.DataFrame, names: list[str]) -> _Clock | None:
    column = people.find_column(names, _MOMENTS)
    if column is None:
        return None
    values = frame[column]
    if pd.api.types.is_numeric_dtype(values):
        return None
    if not pd.api.types.is_datetime64_any_dtype(values):
        clock = values.astype("string").str.extract(rf"^\s*{_CLOCK.pattern}\s*$")
        if clock[0].notna().any():
            minutes = clock[0].astype("Float64") * 60 + clock[1].astype("Float64")
            return _Clock(minutes.to_numpy(float, na_value=np.nan), (column,))
        values = pd.to_datetime(values, errors="coerce", format="ISO8601")
    if values.isna().all():
        return None
    minutes = (values.dt.hour * 60 + values.dt.minute).to_numpy(float, na_value=np.nan)
    return _Clock(minutes, (column,), values.dt.date)


def _minute_of_day(frame: pd.DataFrame, names: list[str]) -> _Clock | None:
    column = people.find_column(names, _MINUTES_OF_DAY)
    values = _numbers(frame, column, DAY)
    if column is None or values is None or np.nanmax(values, initial=0) < 60:
        return None
    from_one = np.nanmin(values) >= 1 and np.nanmax(values) == DAY
    if not from_one and np.nanmax(values) == DAY:
        return None
    return _Clock(values - from_one, (column,))


_CLOCKS: tuple[Callable[[pd.DataFrame, list[str]], _Clock | None], ...] = (
    _hour_and_minute,
    _moment,
    _minute_of_day,
)


def _numbers(frame: pd.DataFrame, column: str | None, most: int) -> Float[np.ndarray, " R"] | None:
    """Whole numbers from 0 to the most, or None."""
    if column is None or not pd.api.types.is_numeric_dtype(frame[column]):
        return None
    values = frame[column].to_numpy(float, na_value=np.nan)
    known = values[~np.isnan(values)]
    fits = known.size and (known % 1 == 0).all() and known.min() >= 0 and known.max() <= most
    return values if fits else None


def _value_column(frame: pd.DataFrame, names: list[str]) -> str | None:
    """The column of one of the known names, or the only one whose numbers are not whole."""
    named = people.find_column(names, _VALUES)
    if named and pd.api.types.is_numeric_dtype(frame[named]):
        return named
    free = [c for c in names if pd.api.types.is_float_dtype(frame[c])]
    return free[0] if len(free) == 1 else None


# --- days -----------------------------------------------------------------------------------------


def _width(minutes: Float[np.ndarray, " R"]) -> int:
    """The length of a step: the longest that tells all times apart [min]."""
    different = np.unique(minutes).astype(np.int64)
    apart = int(np.gcd.reduce(np.diff(different))) if len(different) > 1 else 1
    return max(DAY // parts for parts in PARTS if apart % (DAY // parts) == 0)


def _rows(
    frame: pd.DataFrame, person: str, day: pd.Series | None, slots: Int[np.ndarray, " R"]
) -> Int[np.ndarray, " R"]:
    """The number of the day that each row belongs to, in the order in which days begin.

    Where no column tells the day, or a weekday alone does, a time that comes back begins a new one.
    """
    weekday = people.find_column([str(c) for c in frame.columns], people.WEEKDAY_NAMES)
    told = day if day is not None else (frame[weekday] if weekday else None)
    joint = pd.factorize(frame[person])[0].astype(np.int64)
    if told is not None:
        joint = _paired(joint, pd.factorize(told)[0])
    if day is None:
        times = pd.Series(_paired(joint, slots))
        if times.duplicated().any():
            joint = _paired(joint, times.groupby(times, sort=False).cumcount().to_numpy())
    return pd.factorize(joint)[0]


def _paired(first: Int[np.ndarray, " R"], second: Int[np.ndarray, " R"]) -> Int[np.ndarray, " R"]:
    """One number for each pair; -1 in the second stands for unknown."""
    return first * (int(second.max(initial=0)) + 2) + second


def _grid(
    frame: pd.DataFrame,
    value: str,
    rows: Int[np.ndarray, " R"],
    slots: Int[np.ndarray, " R"],
    parts: int,
    person: str,
) -> Values:
    """Every value at its day and time.

    Raises:
        DataError: two stand in one place, or there are too many places.
    """
    days = int(rows.max(initial=-1)) + 1
    if days * parts > MOST_CELLS:
        raise DataError(
            f"the table holds {days:,} days x {parts:,} steps = {days * parts / 1e6:.1f} million "
            f"cells; at most {MOST_CELLS / 1e6:g} million are read, so keep fewer people or days"
        )
    cells = rows * parts + slots
    counts = np.bincount(cells, minlength=days * parts)
    if counts.max(initial=0) > 1:
        place = int(np.flatnonzero(counts[cells] > 1)[0])
        minute = int(slots[place]) * (DAY // parts)
        raise DataError(
            f"{value} of {person} {frame[person].iloc[place]} stands {counts[cells[place]]} times "
            f"at {minute // 60:02d}:{minute % 60:02d} of one day; keep one row for each minute"
        )
    values = np.full(days * parts, np.nan, dtype=np.float32)
    values[cells] = frame[value].to_numpy(np.float32, na_value=np.nan)
    return finite(values.reshape(days, parts), (value,) * parts)


def _of_days(
    frame: pd.DataFrame,
    names: list[str],
    rows: Int[np.ndarray, " R"],
    first: Int[np.ndarray, " N"],
) -> tuple[pd.DataFrame, list[str]]:
    """What is the same all day long, and a note on each column that is not."""
    kept: dict[str, pd.Series] = {}
    notes = []
    for name in names:
        codes = pd.factorize(frame[name])[0]
        if (codes == codes[first][rows]).all():
            kept[name] = frame[name].iloc[first].reset_index(drop=True)
        else:
            notes.append(f"{name} is left out: it changes within a day")
    return pd.DataFrame(kept, index=range(len(first))), notes
