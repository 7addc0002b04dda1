"""The person-days that both studies read. No torch."""

from pathlib import Path

import numpy as np

from rnnviz.config import DataConfig
from rnnviz.data import nhanes, reading
from rnnviz.data.days import Days
from rnnviz.errors import DataError

RACE = "race"


def load_days(config: DataConfig, home: Path) -> Days:
    """The simulated days or those of an uploaded file, whose target must be a number.

    Raises:
        DataError: they cannot be used for the study.
    """
    if config.source == "text":
        raise DataError("the study reads days of activity; choose the simulator or a file of days")
    if config.source == "nhanes":
        return nhanes.load(config, home / "cache")
    days = reading.load(config, home)
    if days.classes:
        raise DataError(
            f"{days.target_name.name} holds classes, and the study predicts a number; choose one "
            "such as BMI"
        )
    return days


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
