"""The real NHANES 2003-2006, fetched from the CDC onto the user's own machine and made into tables.

The way is the study's: raw minutes, its filters, then three objects: person-days, person means,
weeks. Everything fetched is kept, so that a second time needs no network. Nothing is simulated.
"""

import fcntl
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from rnnviz.data.download import Progress, fetch
from rnnviz.data.paxraw import MINUTES, Filters, People, days_of
from rnnviz.data.people import decoded
from rnnviz.errors import DataError

ADDRESS = "https://wwwn.cdc.gov/Nchs/Data/Nhanes/Public"
ZIP, TRANSPORT = b"PK\x03\x04", b"HEADER RECORD*******LIBRARY"
DAYS_OBJECT, MEANS_OBJECT, WEEKS_OBJECT = "MINdata_1440", "MINdata_mean", "MINdata_week"
_BLOCK = 1 << 22  # [bytes]


class Cycle(NamedTuple):
    """One survey cycle: the first of its years, and the letter that its files end in."""

    year: int
    letter: str

    def url(self, address: str, name: str) -> str:
        """Where a file of this cycle lies."""
        return f"{address.rstrip('/')}/{self.year}/DataFiles/{name}"


CYCLES: Mapping[str, Cycle] = {"2003-2004": Cycle(2003, "C"), "2005-2006": Cycle(2005, "D")}
# What is fetched of each: the part before the letter, the ending, how such a file begins.
FILES = (("BMX", "xpt", TRANSPORT), ("DEMO", "xpt", TRANSPORT), ("PAXRAW", "zip", ZIP))
_PEOPLE = {"RIDRETH1": "Race", "RIAGENDR": "Gender", "RIDAGEYR": "Age", "BMXBMI": "BMI"}


@dataclass(frozen=True, kw_only=True)
class Study:
    """The three objects, by name, and what was left out on the way."""

    tables: Mapping[str, pd.DataFrame]
    notes: tuple[str, ...]


def prepare(
    folder: Path,
    *,
    address: str = ADDRESS,
    cycles: tuple[str, ...] = tuple(CYCLES),
    filters: Filters | None = None,
) -> Iterator[Progress | Study]:
    """Fetches what is missing and makes the three objects.

    Args:
        folder: where the files are kept: 0.8 GB, and 2.9 GB more while one is converted.
        address: under which the CDC's folders by year lie.
        cycles: which of CYCLES.
        filters: which days and people count; None: the study's.

    Yields:
        Progress, and the Study last.

    Raises:
        DataError: a file cannot be had or is not what it should be, no day passes the filters, or
            another process is fetching already.
    """
    unknown = [name for name in cycles if name not in CYCLES]
    if unknown or not cycles:
        raise DataError(f"there is no cycle {', '.join(unknown)!r}; choose of {', '.join(CYCLES)}")
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        for cycle in (CYCLES[name] for name in cycles):
            for start, ending, begins in FILES:
                name = f"{start}_{cycle.letter}.{ending}"
                yield from fetch(cycle.url(address, name), folder / name, begins=begins)
        found: list[People] = []
        for cycle in (CYCLES[name] for name in cycles):
            yield from _convert(folder, cycle, filters or Filters(), found)
        about = pd.concat([_about(folder, CYCLES[name]) for name in cycles])
        yield _study(found, about, filters or Filters())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataError(
                "the files are being fetched already; wait until that is done"
            ) from None
        yield


def _convert(
    folder: Path, cycle: Cycle, filters: Filters, found: list[People]
) -> Iterator[Progress]:
    """Adds the valid days of a cycle; its minutes lie unpacked on the disk meanwhile."""
    packed = folder / f"PAXRAW_{cycle.letter}.zip"
    unpacked = folder / f"paxraw_{cycle.letter.lower()}.xpt"
    try:
        yield from _unpack(packed, unpacked)
        for people in days_of(unpacked, filters):
            found.append(people)
            what = f"reading days of {packed.name}"
            yield Progress(what=what, done=people.read, total=0, unit="people")
    finally:
        unpacked.unlink(missing_ok=True)


def _unpack(packed: Path, target: Path) -> Iterator[Progress]:
    """The one transport file of an archive; its check sum is looked at on the way."""
    try:
        with zipfile.ZipFile(packed) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".xpt")]
            if len(names) != 1:
                raise DataError(f"{packed.name} holds {len(names)} transport files instead of one")
            total = archive.getinfo(names[0]).file_size
            with archive.open(names[0]) as source, target.open("wb") as out:
                while block := source.read(_BLOCK):
                    out.write(block)
                    what = f"unpacking {packed.name}"
                    yield Progress(what=what, done=out.tell(), total=total, unit="bytes")
    except (zipfile.BadZipFile, EOFError, ValueError) as wrong:
        packed.unlink(missing_ok=True)  # it would stand in the way of a whole one
        raise DataError(
            f"{packed.name} is damaged ({wrong}); start again to fetch it anew"
        ) from None
    except OSError as wrong:
        raise DataError(f"{target.name} cannot be written ({wrong.strerror}); make room") from None


def _about(folder: Path, cycle: Cycle) -> pd.DataFrame:
    """Race, sex, age and BMI by SEQN, with words for codes."""
    parts = []
    for start, columns in (("DEMO", ("RIDRETH1", "RIAGENDR", "RIDAGEYR")), ("BMX", ("BMXBMI",))):
        file = folder / f"{start}_{cycle.letter}.xpt"
        try:
            frame = pd.read_sas(file, format="xport").set_index("SEQN")[list(columns)]
        except (KeyError, ValueError, OSError) as wrong:
            raise DataError(f"{file.name} is not NHANES' ({wrong}); fetch it again") from None
        parts.append(frame.where(frame.abs() > 1e-70, 0.0))  # SAS's zero, as pandas reads it
    joined = parts[0].join(parts[1], how="inner")
    joined.index = joined.index.astype(np.int64)
    return joined.apply(decoded).rename(columns=_PEOPLE)


def _study(found: list[People], about: pd.DataFrame, filters: Filters) -> Study:
    ids = np.concatenate([people.ids for people in found])
    known = np.isin(ids, about.index[about.notna().all(axis=1)].to_numpy())
    if not known.any():
        raise DataError(
            f"nobody has {filters.days} valid days and a known BMI, age, sex and race; ask for "
            "another number of days, or for fewer worn minutes"
        )
    counts = np.concatenate([people.counts for people in found])[known].astype(np.float32)
    weekdays = np.concatenate([people.weekdays for people in found])[known]
    left = len(np.unique(ids)) - len(np.unique(ids[known]))
    ids = ids[known]
    names = [f"MIN{k}" for k in range(1, MINUTES + 1)]
    people, first, days = np.unique(ids, return_index=True, return_counts=True)
    means = np.add.reduceat(counts, first, dtype=np.float64) / days[:, None]
    tables = {
        DAYS_OBJECT: _table(ids, counts, names, about, WEEKDAY=weekdays),
        MEANS_OBJECT: _table(people, means.astype(np.float32), names, about),
    }
    if (days == days[0]).all():
        week = counts.reshape(len(people), -1)
        of_week = [f"DAY{d + 1}_{name}" for d in range(days[0]) for name in names]
        tables[WEEKS_OBJECT] = _table(people, week, of_week, about)
    note = f"{left} people with valid days have no known BMI, age, sex or race and are left out."
    return Study(tables=tables, notes=(note,) if left else ())


def _table(
    ids: np.ndarray,
    values: np.ndarray,
    names: list[str],
    about: pd.DataFrame,
    **more: np.ndarray,
) -> pd.DataFrame:
    minutes = pd.DataFrame(values, columns=names)
    person = about.loc[ids, ["Race", "Gender", "Age", "BMI"]].reset_index(drop=True)
    first = pd.DataFrame({"SEQN": ids, **more})
    return pd.concat([first, minutes, person], axis=1)
