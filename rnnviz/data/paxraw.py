"""NHANES' minutes (PAXRAW) -> days of people, by the study's filters. pandas and NumPy; no network.

The file of a survey cycle holds 70 million rows, one per minute and person, those of a person
together: it is read in chunks, and only one chunk and the days that count are ever in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from rnnviz.data.wear import VALID_DAY, worn
from rnnviz.errors import DataError

MINUTES = 1440
DAYS = 7  # that a person was asked to wear the device
CHUNK = 500_000  # rows that are in memory at once: 32 MB as pandas holds them
COLUMNS = ("SEQN", "PAXSTAT", "PAXCAL", "PAXDAY", "PAXN", "PAXHOUR", "PAXMINUT", "PAXINTEN")
_TINY = 1e-70  # pandas reads a zero of a SAS transport file as 5.4e-79


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which days and people count, as in the study unless said otherwise."""

    worn_minutes: int = VALID_DAY  # of a valid day
    days: int = DAYS  # valid days of a person: exactly so many
    reliable: bool = True  # PAXSTAT = 1: the data were judged reliable
    calibrated: bool = True  # PAXCAL = 1: the device was in calibration when it came back


@dataclass(frozen=True, kw_only=True)
class People:
    """Valid days of some people, a person's days together and in their order."""

    ids: Int[np.ndarray, " N"]  # SEQN
    weekdays: Int[np.ndarray, " N"]  # 1 is Sunday
    counts: Int[np.ndarray, "N 1440"]  # [counts/min]; 0 as well where the device was not worn
    read: int  # people read so far, valid or not


def days_of(file: Path, filters: Filters, *, chunk: int = CHUNK) -> Iterator[People]:
    """The valid days of a PAXRAW transport file, some people at a time.

    Raises:
        DataError: it is no such file, or it broke off.
    """
    kept, read = pd.DataFrame(), 0
    try:
        with pd.read_sas(file, format="xport", chunksize=chunk) as chunks:
            for rows in chunks:
                kept = pd.concat([kept, _columns(rows, file)], ignore_index=True)
                last = kept["SEQN"].iloc[-1]
                whole = kept["SEQN"].to_numpy() != last  # the last person's rows may go on
                if whole.any():
                    read += kept.loc[whole, "SEQN"].nunique()
                    yield _people(kept[whole], filters, read)
                    kept = kept[~whole]
    except (ValueError, OSError, EOFError) as wrong:
        raise DataError(
            f"{file.name} is no SAS transport file of NHANES' minutes ({wrong}); download it again"
        ) from None
    if len(kept):
        yield _people(kept, filters, read + 1)


def _columns(rows: pd.DataFrame, file: Path) -> pd.DataFrame:
    missing = [name for name in COLUMNS if name not in rows.columns]
    if missing:
        raise DataError(
            f"{file.name} has no column {', '.join(missing)}; give PAXRAW_C or PAXRAW_D of NHANES"
        )
    found = rows[list(COLUMNS)].fillna(0.0)
    return found.where(found > _TINY, 0.0).round().astype(np.int32)


def _people(rows: pd.DataFrame, filters: Filters, read: int) -> People:
    if filters.reliable:
        rows = rows[rows["PAXSTAT"] == 1]
    if filters.calibrated:
        rows = rows[rows["PAXCAL"] == 1]
    ids, person = np.unique(rows["SEQN"].to_numpy(), return_inverse=True)
    day = (rows["PAXN"].to_numpy() - 1) // MINUTES
    inside = (day >= 0) & (day < DAYS)
    place = (person * DAYS + day)[inside]
    minute = (60 * rows["PAXHOUR"] + rows["PAXMINUT"]).to_numpy()[inside]
    counts = np.full((len(ids) * DAYS, MINUTES), np.nan, dtype=np.float32)
    counts[place, minute] = rows["PAXINTEN"].to_numpy()[inside]
    weekdays = np.zeros(len(ids) * DAYS, dtype=np.int8)
    weekdays[place] = rows["PAXDAY"].to_numpy()[inside]
    valid = _valid(counts, filters).reshape(len(ids), DAYS)
    valid &= (valid.sum(axis=1) == filters.days)[:, None]
    chosen = valid.ravel()
    return People(
        ids=np.repeat(ids, DAYS)[chosen],
        weekdays=weekdays[chosen],
        counts=np.nan_to_num(counts[chosen]).astype(np.int32),
        read=read,
    )


def _valid(counts: Float[np.ndarray, "D 1440"], filters: Filters) -> np.ndarray:
    """Whole days on which the device was worn for long enough."""
    whole = ~np.isnan(counts).any(axis=1)
    valid = np.zeros(len(counts), dtype=bool)
    valid[whole] = worn(counts[whole]).sum(axis=1) >= filters.worn_minutes
    return valid
