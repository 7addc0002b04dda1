"""Days of simulated people like those of NHANES 2003-2006, and their cache. No network."""

import os
import tempfile
import zlib
from dataclasses import fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from rnnviz.config import DataConfig
from rnnviz.data.dataset import Source, Variable
from rnnviz.data.days import Days
from rnnviz.data.people import age_bands, bmi_classes
from rnnviz.data.simulator import MINUTES, Simulated, races, simulate_days
from rnnviz.errors import DataError

VERSION = 3  # of the simulator: raise it whenever the same seed gives other numbers
MOST_DAYS = (
    20_000  # person-days, 230 MB as 32-bit numbers with their wear; the study itself has 14,000
)

# What reading a damaged archive can raise, header by header.
_DAMAGE = (OSError, ValueError, KeyError, EOFError, RuntimeError, BadZipFile, zlib.error)

SOURCE = Source(
    title="NHANES-like activity",
    authors="simulated by rnnviz from statistics of CDC / National Center for Health Statistics",
    year="2003-2006",
    url="https://wwwn.cdc.gov/nchs/nhanes/",
    licence="simulated; free to use",
    simulated=True,
)
NOTE = (
    "These people do not exist: they are simulated so that their minutes, age, sex, race and BMI "
    "resemble statistics of real people in NHANES 2003-2006."
)


def load(config: DataConfig, cache: Path | None, seed: int = 20_030) -> Days:
    """The simulated days of the settings, out of the cache where they lie there.

    The data have their own seed: another seed of the training must not change them.

    Args:
        config: how many people and days.
        cache: folder of the cache, made if need be; None goes without.
        seed: of the simulated people.

    Raises:
        DataError: more person-days than memory is set aside for.
    """
    _check_size(config.people, config.days)
    if cache is None:
        return simulate(config.people, config.days, seed)
    file = cache / f"nhanes-v{VERSION}-{config.people}x{config.days}-{seed}.npz"
    simulated = _read(file, config.people * config.days)
    if simulated is None:
        simulated = simulate_days(config.people, config.days, seed)
        _write(file, simulated)
    return _as_days(simulated, config.days)


def simulate(people: int, days: int, seed: int) -> Days:
    """Days of counts with BMI as the target [kg/m2]; the same arguments give the same numbers.

    Rows of one person stand together, in the order of the days. Every day is valid: worn for at
    least 600 minutes. Minutes without the device hold 0, as in the study.

    Args:
        people: how many people.
        days: days of each.
        seed: decides every number.

    Raises:
        DataError: more person-days than memory is set aside for, or none at all.
    """
    _check_size(people, days)
    return _as_days(simulate_days(people, days, seed), days)


def _check_size(people: int, days: int) -> None:
    if people < 1 or days < 1:
        raise DataError(f"{people} people with {days} days are no data; choose at least 1 of each")
    if people * days > MOST_DAYS:
        raise DataError(
            f"{people} people with {days} days are {people * days} person-days; "
            f"at most {MOST_DAYS} are allowed: choose fewer people or fewer days"
        )


def _as_days(simulated: Simulated, days: int) -> Days:
    age, female = simulated.age, simulated.female
    levels, years = races(), age.astype(np.float64)
    race = np.eye(len(levels))[simulated.race]
    person = np.arange(len(age)) // days + 1
    return Days(
        name="nhanes",
        minutes=simulated.counts.astype(np.float32),
        unit="counts/min",
        ids=tuple(f"S{number:05d}" for number in person),
        target=simulated.bmi,
        target_name=Variable("BMI", "kg/m²"),
        classes=(),
        covariates=np.column_stack([age, female, race]).astype(np.float64),
        covariate_names=(
            Variable("age", "years"),
            Variable("female"),
            *(Variable(f"race: {level}") for level in levels),
        ),
        groups={
            "BMI class": bmi_classes(simulated.bmi, years),
            "age": age_bands(years),
            "sex": tuple(np.where(female, "female", "male").tolist()),
        },
        wear=simulated.worn.astype(np.float32),
        source=SOURCE,
        notes=(NOTE,),
    )


def _read(file: Path, rows: int) -> Simulated | None:
    """What lies in the file; None where there is none or it is damaged."""
    try:
        # Opened here because NumPy leaves a file open that turns out to be no archive.
        with file.open("rb") as source, np.load(source, allow_pickle=False) as stored:
            values = {field.name: stored[field.name] for field in fields(Simulated)}
            values["worn"] = np.unpackbits(values["worn"], axis=1, count=MINUTES).astype(bool)
    except _DAMAGE:
        return None
    whole = values["counts"].shape == values["worn"].shape == (rows, MINUTES)
    whole = whole and all(len(value) == rows for value in values.values())
    return Simulated(**values) if whole else None


def _write(file: Path, simulated: Simulated) -> None:
    """Puts the file in place at once, so that no reader ever sees half of it."""
    values = {field.name: getattr(simulated, field.name) for field in fields(Simulated)}
    values["worn"] = np.packbits(simulated.worn, axis=1)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=file.parent, prefix=file.stem, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as target:
                np.savez_compressed(target, **values)
            os.replace(draft, file)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError:
        return  # a full or read-only disk costs the cache, not the data
