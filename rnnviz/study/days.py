"""The person-days that both studies read. No torch."""

from pathlib import Path

import numpy as np
import pandas as pd

from rnnviz.config import DataConfig
from rnnviz.data import nhanes, people, reading
from rnnviz.data.days import Days
from rnnviz.data.layout import is_words
from rnnviz.errors import DataError

RACE = "race"


def load_days(config: DataConfig, home: Path) -> Days:
    """The simulated days or those of an uploaded file, whose target must be a number.

    Raises:
        DataError: they cannot be used for the study.
    """
    if config.source not in ("nhanes", "file"):
        raise DataError("the study reads days of activity; choose the simulator or a file of days")
    if config.source == "nhanes":
        return nhanes.load(config, home / "cache")
    days = reading.load(config, home)
    if days.classes:
        raise _classes(days.target_name.name)
    return days


def check_target(column: pd.Series) -> None:
    """Raises DataError where load_days would refuse the target for what it holds."""
    if is_words(people.decoded(column)):
        raise _classes(str(column.name))


def _classes(target: str) -> DataError:
    return DataError(
        f"{target} holds classes, and the study predicts a number; choose one such as BMI"
    )


def groups_of(days: Days) -> dict[str, tuple[str, ...]]:
    """Labels of each row by which the study is looked at apart: age, sex and race, where known."""
    found: dict[str, tuple[str, ...]] = {}
    for name in ("age", "sex"):
        if name in days.groups:
            found[name] = days.groups[name]
    levels = {
        name.partition(": ")[2]: column
        for column, (name, _) in enumerate(days.covariate_names)
        if ": " in name and name.lower().startswith((RACE, "ridreth"))
    }
    if levels:
        one_hot = days.covariates[:, list(levels.values())]
        words = np.array([*levels, "unknown"])
        place = np.where(one_hot.any(axis=1), one_hot.argmax(axis=1), len(levels))
        found[RACE] = tuple(words[place].tolist())
    return found
