"""A series of numbers in the order of time, cut into windows that foretell what comes after them.

NumPy and pandas; no files, no torch.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from rnnviz.config import DataConfig
from rnnviz.data import people
from rnnviz.data.dataset import (
    PARTS,
    TEST_SHARE,
    VALIDATION_SHARE,
    SequenceDataset,
    Source,
    Task,
    Variable,
)
from rnnviz.errors import DataError

WALK_STEPS = 222
WALK_REACH = 18.0  # a step of the walk is uniform in [-18, 18], so its variance is 36^2 / 12 = 108
_WALK_SEED = 1
_FEWEST_ROWS = 20  # so many make a table a series unless it is called one
_USUAL_WINDOW = 20
_TIME_NAMES = (
    *("time", "date", "datetime", "date_time", "timestamp", "year", "quarter", "month", "week"),
    *("day", "hour", "minute", "period", "t", "step", "index", "row", "unnamed: 0", "column 1"),
)


@dataclass(frozen=True, kw_only=True)
class Series:
    """Values at equal distances in time, without gaps, and what was found on the way to them."""

    values: Float[np.ndarray, " L"]
    name: str
    source: Source
    moments: tuple[str, ...]  # when each value was taken, one for each
    time: str | None = None  # the column that says so
    targets: tuple[str, ...] = ()  # columns that could be taken instead
    missing: int = 0  # values that were not there and stand on the line between their neighbours
    notes: tuple[str, ...] = ()

    @property
    def layout(self) -> str:
        """Its name among the kinds of tables."""
        return "series"

    @property
    def target(self) -> str:
        """The column that is foretold."""
        return self.name

    @property
    def rows(self) -> int:
        """How many values there are."""
        return len(self.values)

    @property
    def mean(self) -> float | None:
        """Of all values."""
        return float(self.values.mean())

    @property
    def summary(self) -> str:
        """One line for people."""
        when = f"time {self.time}" if self.time else "no column of time"
        return (
            f"a series of {self.rows} values of {self.name}, {when}, "
            f"from {self.moments[0]} to {self.moments[-1]}"
        )

    @property
    def examples(self) -> tuple[str, ...]:
        """None: its pictures say more."""
        return ()

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings that matter for it, and what they begin with."""
        fitting = max(8, longest_window(self.rows, 1))
        return {"window": min(_USUAL_WINDOW, fitting), "horizon": 1, "foretold": "value"}

    def as_sequences(self, config: DataConfig) -> SequenceDataset:
        """See windows."""
        return windows(self, config)


def random_walk(seed: int = _WALK_SEED) -> Series:
    """The series of guru99's lesson: 222 sums of steps that are uniform in [-18, 18].

    The next step knows nothing of the ones before, so the last value is the best forecast that
    there can be; its expected squared error is the variance of a step, 108.
    """
    steps = np.random.default_rng(seed).uniform(-WALK_REACH, WALK_REACH, WALK_STEPS)
    return Series(
        values=np.cumsum(steps),
        name="position",
        moments=_numbered(WALK_STEPS),
        source=Source(title="A random walk", authors="the rnnviz authors", simulated=True),
        notes=(
            f"Each of {WALK_STEPS} steps is drawn from [-{WALK_REACH:g}, {WALK_REACH:g}], whatever "
            "came before: nothing can foretell the next position better than the last one does, "
            f"with an expected squared error of {(2 * WALK_REACH) ** 2 / 12:g}.",
        ),
    )


# --- windows --------------------------------------------------------------------------------------


def longest_window(values: int, horizon: int) -> int:
    """The longest window of which every part of so many values holds one; may be 0 or less."""
    return min(end - begin for begin, end in _bounds(values)) - horizon


def windows(series: Series, config: DataConfig) -> SequenceDataset:
    """Every `config.window` values in a row, and the one `config.horizon` steps after the last.

    The series is split by time: its first 64 % are for training, the next 16 % for validation,
    the last 20 % for the test. A window with its target lies within one part; those that would
    straddle two are left out, so no test window shares a value with the training part. Windows
    of one part overlap and are not independent of each other.

    Raises:
        DataError: the series is too short for such windows, or does not vary.
    """
    window, horizon, n = config.window, config.horizon, len(series.values)
    _check(series, window, horizon)
    starts = [np.arange(begin, end - window - horizon + 1) for begin, end in _bounds(n)]
    first = np.concatenate(starts)
    last = series.values[first + window - 1]
    then = series.values[first + window - 1 + horizon]
    change = config.foretold == "difference"
    inputs = np.lib.stride_tricks.sliding_window_view(series.values, window)[first]
    return SequenceDataset(
        name=f"{series.source.title}: {series.name}",
        inputs=inputs[:, :, None].astype(np.float32),
        targets=_column(then - last if change else then),
        lengths=np.full(len(first), window),
        times=np.arange(window, dtype=np.float64),
        time_unit="step",
        features=(Variable(series.name),),
        outputs=(Variable(_target_name(series.name, horizon, change=change)),),
        ids=tuple(series.moments[k] for k in first + window - 1 + horizon),
        whose="windows",
        parts=tuple(name for name, some in zip(PARTS, starts, strict=True) for _ in some),
        persistence=_column(np.zeros(len(first)) if change else last),
        covariates=np.zeros((len(first), 0), dtype=np.float32),
        groups={},
        standardise=True,
        task=Task.REGRESSION,
        source=series.source,
        notes=(
            *series.notes,
            _split_note(list(map(len, starts)), n - window - horizon + 1 - len(first)),
        ),
    )


def _bounds(values: int) -> tuple[tuple[int, int], ...]:
    """First value of each of PARTS, and the one after its last."""
    tests = round(values * TEST_SHARE)
    validations = round(values * VALIDATION_SHARE)
    begin = values - tests - validations
    return (0, begin), (begin, begin + validations), (begin + validations, values)


def _check(series: Series, window: int, horizon: int) -> None:
    n, longest = len(series.values), longest_window(len(series.values), horizon)
    if longest < window:
        shorter = f", or set the window to at most {longest}" if longest >= 8 else ""
        needed = math.ceil((window + horizon) / VALIDATION_SHARE)
        raise DataError(
            f"the series holds {n} values; windows of {window} with a horizon of {horizon} need "
            f"about {needed}, so that training, validation and test have one each; give a longer "
            f"series{shorter}"
        )
    if np.ptp(series.values) == 0:
        raise DataError(
            f"{series.name} is {series.values[0]:g} all the time; a series must vary to be "
            "foretold, so choose another column"
        )


def _column(values: Float[np.ndarray, " N"]) -> Float[np.ndarray, "N 1"]:
    return values.astype(np.float32)[:, None]


def _target_name(name: str, horizon: int, *, change: bool) -> str:
    steps = "1 step" if horizon == 1 else f"{horizon} steps"
    return f"change of {name} in {steps}" if change else f"{name} {steps} later"


def _split_note(counts: list[int], left_out: int) -> str:
    of_parts = ", ".join(f"{n} {name}" for n, name in zip(counts, PARTS, strict=True))
    return (
        f"Split by time: {of_parts}; {left_out} windows that would straddle two parts are left out."
    )


# --- tables ---------------------------------------------------------------------------------------


def find_series(frame: pd.DataFrame, config: DataConfig, name: str) -> Series | None:
    """The series that a table holds, or None where it holds something else.

    It is one without being called one in `config.layout` where it has a single column of numbers,
    at most a column of time besides, and no column that names people.

    Args:
        config: whose target is the column that is foretold, where there are several.
        name: what the data are called.

    Raises:
        DataError: the table is called a series, and the column that is chosen cannot serve.
    """
    called = config.layout == "series"
    frame = frame.set_axis([str(c) for c in frame.columns], axis=1)
    person = people.find_column(list(frame.columns), people.PERSON_NAMES)
    if not called and (person or len(frame.columns) > 2 or len(frame) < _FEWEST_ROWS):
        return None
    time = _time_column(frame)
    numeric = [c for c in frame.columns if c != time and _is_numbers(frame[c])]
    if not called and (len(numeric) != 1 or len(frame.columns) > 1 + (time is not None)):
        return None
    if not numeric:
        raise DataError("the table has no column of numbers; a series needs one")
    value = config.target or numeric[0]
    if value not in numeric:
        raise DataError(f"{value} cannot be foretold; choose one of {', '.join(numeric[:8])}")
    return _series(frame, value, time, tuple(numeric), name)


def _series(
    frame: pd.DataFrame, value: str, time: str | None, targets: tuple[str, ...], name: str
) -> Series:
    ordered = _in_order(frame, time)
    values = ordered.frame[value].to_numpy(np.float64, na_value=np.nan)
    known = np.isfinite(values)
    if not known.any():
        raise DataError(f"{value} holds no numbers; choose another column")
    steps, missing = np.arange(len(values)), int((~known).sum())
    notes = list(ordered.notes)
    if missing:
        notes.append(f"{missing:,} missing values taken from the line between their neighbours.")
    return Series(
        values=np.interp(steps, steps[known], values[known]),
        name=value,
        source=Source(title=name),
        moments=ordered.moments,
        time=time,
        targets=targets,
        missing=missing,
        notes=tuple(notes),
    )


class _Ordered(NamedTuple):
    frame: pd.DataFrame
    moments: tuple[str, ...]
    notes: tuple[str, ...]


def _in_order(frame: pd.DataFrame, time: str | None) -> _Ordered:
    """The rows by their time, where there is one that can be compared."""
    if time is None:
        return _Ordered(frame, _numbered(len(frame)), ())
    when, notes = _as_times(frame[time]), []
    if when is None:
        return _Ordered(frame, _distinct(frame[time]), ())
    lost = int(when.isna().sum())
    if lost:
        notes.append(f"{lost:,} rows without {time} left out.")
        frame, when = frame[when.notna()], when[when.notna()]
    if not when.is_monotonic_increasing:
        notes.append(f"The rows are put into the order of {time}.")
        order = np.argsort(when.to_numpy(), kind="stable")
        frame, when = frame.iloc[order], when.iloc[order]
    apart = np.diff(when.to_numpy())
    # months differ by a tenth, and are evenly spaced nevertheless
    if len(apart) and apart.max() > 1.2 * np.median(apart):
        notes.append(f"{time} is not evenly spaced; each row counts as one step nevertheless.")
    return _Ordered(frame, _distinct(frame[time]), tuple(notes))


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"step {k + 1}" for k in range(count))


def _distinct(column: pd.Series) -> tuple[str, ...]:
    """The moments in words, numbered where two are alike."""
    if pd.api.types.is_datetime64_any_dtype(column) and (column == column.dt.normalize()).all():
        column = column.dt.strftime("%Y-%m-%d")
    labels = [str(value) for value in column]
    if len(set(labels)) == len(labels):
        return tuple(labels)
    return tuple(f"{label} (row {k + 1})" for k, label in enumerate(labels))


def _time_column(frame: pd.DataFrame) -> str | None:
    """The first column of dates, or with a name of time, or that numbers the rows."""
    names = list(frame.columns)
    for name in names:
        column = frame[name]
        dated = pd.api.types.is_datetime64_any_dtype(column)
        if dated or name.lower() in _TIME_NAMES or (not _is_numbers(column) and _dates(column)):
            return name
    if len(names) > 1 and _is_numbers(frame[names[0]]):
        steps = np.diff(frame[names[0]].to_numpy(np.float64, na_value=np.nan))
        if len(steps) and steps[0] > 0 and np.allclose(steps, steps[0]):
            return names[0]
    return None


def _is_numbers(column: pd.Series) -> bool:
    kinds = pd.api.types
    return kinds.is_numeric_dtype(column) and not kinds.is_bool_dtype(column)


def _dates(column: pd.Series) -> bool:
    when = _as_times(column)
    return when is not None and bool(when.notna().mean() > 0.95)


def _as_times(column: pd.Series) -> pd.Series | None:
    """Numbers as they are and dates in seconds, NaN where there are none; None for other words."""
    if _is_numbers(column):
        numbers = column.to_numpy(np.float64, na_value=np.nan)
        return pd.Series(np.where(np.isinf(numbers), np.nan, numbers), index=column.index)
    if not pd.api.types.is_datetime64_any_dtype(column):
        column = column.astype("string")
    when = pd.to_datetime(column, errors="coerce", format="ISO8601", utc=True)
    seconds = (when - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(seconds=1)
    return seconds if seconds.notna().any() else None
