"""What is remarkable about the values of days, counted, and what is done about it. NumPy only."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from rnnviz.config import DataConfig
from rnnviz.data.steps import DAY, PARTS
from rnnviz.data.wear import INTERRUPTION_COUNTS, worn

SATURATION = 32_767  # the largest count that the ActiGraph AM-7164 of NHANES can store [counts/min]


class Count(NamedTuple):
    """How often something remarkable occurs, of how many, and what is done about it."""

    what: str
    number: int | None  # None: it cannot be told
    of: int
    done: str


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Counts over the days that are used, before anything is done about them."""

    rows: int
    people: int
    steps: int  # of a day
    missing: int  # cells without a value
    not_worn: int  # cells with a value in which the device was not worn
    wear_from: str  # a key of _WEAR: who says so
    saturated: int  # cells at SATURATION
    negative: int  # cells
    constant_steps: int  # steps of the day that are the same in every row
    repeated_rows: int  # rows with the person and the values of an earlier one
    repeated_people: int  # people with several rows
    filled: float = 0.0  # what saturated cells were taken as, where they were capped

    def counts(self, config: DataConfig) -> tuple[Count, ...]:
        """Everything that was looked for, also what does not occur."""
        parts, values = PARTS[self.steps], self.rows * self.steps
        worn = None if self.wear_from == "values" else self.not_worn
        found = (
            Count(f"{parts} without a value", self.missing, values, _DONE[config.missing]),
            Count(f"{parts} not worn", worn, values, _WORN[self.wear_from]),
            Count(f"counts of {SATURATION}", self.saturated, values, self._done(config)),
            Count(f"negative {parts}", self.negative, values, "taken as 0 by log(1 + x)"),
            Count(
                f"{parts} of the day alike in all rows",
                self.constant_steps,
                self.steps,
                "tell nothing; 0 where standardised",
            ),
            Count("rows that repeat another", self.repeated_rows, self.rows, "kept"),
            Count("people on several rows", self.repeated_people, self.people, "never split apart"),
        )
        return tuple(count for count in found if count.number or count.what != f"negative {parts}")

    def _done(self, config: DataConfig) -> str:
        told = {"keep": "kept", "cap": f"taken as {self.filled:g}", "missing": "taken as missing"}
        return told[config.saturation]

    def notes(self, config: DataConfig) -> tuple[str, ...]:
        """One sentence for everything that occurs, with what is done about it."""
        told = (
            (self.missing, _MISSING[config.missing]),
            (self.saturated, _SATURATED[config.saturation]),
            (self.negative, "{n} of all {parts} negative; log(1 + x) takes them as 0"),
            (self.constant_steps, "{n} of the {steps} {parts} of the day the same in every row"),
            (self.not_worn, _WEAR[self.wear_from]),
            (self.repeated_rows, "rows that repeat an earlier one of the same person: {n}; kept"),
            (self.repeated_people, "people on several rows: {n}; no split cuts through a person"),
        )
        words = {"parts": PARTS[self.steps], "steps": f"{self.steps:,}", "filled": self.filled}
        return tuple(text.format(n=f"{n:,}", **words) for n, text in told if n)


_MISSING = {
    "mask": "{n} of all {parts} missing, taken as 0 and not worn",
    "interpolate": "{n} of all {parts} missing, interpolated within the row and not worn",
    "drop": "rows with missing {parts} left out, {n} of them missing in all",
}
_SATURATED = {
    "keep": f"{{n}} of all {{parts}} at {SATURATION}, where the device saturates",
    "cap": f"{{n}} of all {{parts}} at {SATURATION}, where the device saturates, taken as "
    "{filled:g}, the largest below",
    "missing": f"{{n}} of all {{parts}} at {SATURATION}, where the device saturates, taken as "
    "missing",
}
_WEAR = {
    "flags": "{n} of all {parts} not worn, as the table itself says",
    "rule": "{n} of all {parts} not worn, by the rule of Troiano: 60 minutes of zeros, 2 forgiven",
    "values": "",
}


_DONE = {  # about what is missing
    "mask": "taken as 0, marked as not worn",
    "interpolate": "interpolated within the row, marked as not worn",
    "drop": "their rows are left out",
}
_WORN = {
    "flags": "marked, as the table says",
    "rule": "marked by Troiano's rule: 60 minutes of zeros, 2 forgiven",
    "values": "all taken as worn: the rule needs counts by the minute",
}


class Cleaned(NamedTuple):
    """Values without gaps, and where they were measured."""

    values: Float[np.ndarray, "M S"]
    wear: Float[np.ndarray, "M S"]  # 1 where worn
    quality: Quality
    keep: Bool[np.ndarray, " N"]  # the M rows that are used


def clean(
    values: Float[np.ndarray, "N S"],
    flags: Bool[np.ndarray, "N S"] | None,
    ids: tuple[str, ...],
    config: DataConfig,
) -> Cleaned:
    """Counts what is remarkable, and does about it what the settings say.

    Args:
        values: NaN where missing.
        flags: whether the device was worn, where the table says so.
        ids: of the rows' people.
        config: its `missing` and `saturation`.
    """
    values = values.copy()
    saturated = values == SATURATION
    filled = 0.0
    if config.saturation == "cap" and saturated.any():
        filled = float(np.nanmax(np.where(saturated, np.nan, values), initial=0))
        values[saturated] = filled
    elif config.saturation == "missing":
        values[saturated] = np.nan
    missing = np.isnan(values)
    wear_from, wear = _wear(values, flags)
    wear &= ~missing
    known = np.where(missing, 0, values)
    repeated_rows, repeated_people = _repeated(known, ids)
    quality = Quality(
        rows=len(values),
        people=len(set(ids)),
        steps=values.shape[1],
        missing=int(missing.sum()),
        not_worn=int((~wear & ~missing).sum()),
        wear_from=wear_from,
        saturated=int(saturated.sum()),
        negative=int((known < 0).sum()),
        constant_steps=int((known == known[:1]).all(axis=0).sum()) if len(known) else 0,
        repeated_rows=repeated_rows,
        repeated_people=repeated_people,
        filled=filled,
    )
    keep = ~missing.any(axis=1) if config.missing == "drop" else np.ones(len(values), dtype=bool)
    if config.missing == "interpolate":
        known = _interpolated(values)
    return Cleaned(known[keep], wear[keep].astype(np.float32), quality, keep)


def _wear(
    values: Float[np.ndarray, "N S"], flags: Bool[np.ndarray, "N S"] | None
) -> tuple[str, Bool[np.ndarray, "N S"]]:
    """Whether each minute was worn, and who says so."""
    if flags is not None:
        return "flags", flags.copy()
    # The rule is one for counts by the minute; smaller values are shares or other units.
    if values.shape[1] == DAY and np.nanmax(values, initial=0) > INTERRUPTION_COUNTS:
        return "rule", worn(values)
    return "values", np.ones(values.shape, dtype=bool)


def _repeated(values: Float[np.ndarray, "N S"], ids: tuple[str, ...]) -> tuple[int, int]:
    """Rows like an earlier one of the same person, and people with several rows."""
    if not ids:
        return 0, 0
    persons, rows = np.unique(np.asarray(ids), return_inverse=True)
    # A number that hardly two different rows share stands for all values of a row.
    weights = np.random.default_rng(0).random(values.shape[1], dtype=np.float32)
    alike = np.unique(np.stack((rows, values @ weights)), axis=1).shape[1]
    return len(rows) - alike, int((np.bincount(rows, minlength=len(persons)) > 1).sum())


def _interpolated(values: Float[np.ndarray, "N S"]) -> Float[np.ndarray, "N S"]:
    """Gaps on the line between their neighbours in the row; at an end the nearest value."""
    filled = values.copy()
    steps = np.arange(values.shape[1])
    for k in np.flatnonzero(np.isnan(values).any(axis=1)):
        known = ~np.isnan(values[k])
        filled[k] = np.interp(steps, steps[known], values[k, known]) if known.any() else 0
    return filled
