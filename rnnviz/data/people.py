"""What columns about people mean by their names: units, codes of NHANES, groups to look at apart.

NumPy and pandas only, no files.
"""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float

BMI_NAMES = ("bmi", "bmxbmi", "body_mass_index")
AGE_NAMES = ("age", "ridageyr", "age_years", "ageyears")
SEX_NAMES = ("gender", "sex", "riagendr")
PERSON_NAMES = (
    *("seqn", "id", "person", "person_id", "personid", "subject", "subject_id", "subjectid"),
    *("participant", "participant_id", "participantid", "pid", "eid", "respondent", "usubjid"),
    *("subj", "patient", "patient_id", "patientid", "user_id", "userid", "record_id"),
)
WEEKDAY_NAMES = ("paxday", "paxdaywm", "weekday", "day_of_week", "dayofweek", "wday", "dow")
DAY_NAMES = ("paxdaym", "day", "date", "day_number", "daynumber")
FLAGS: Mapping[str, float] = {"paxcal": 1, "paxstat": 1}  # what each says of a day to be trusted
UNITS: Mapping[str, str] = {
    **dict.fromkeys(BMI_NAMES, "kg/m²"),
    **dict.fromkeys(AGE_NAMES, "years"),
}

_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

# Codes of the study's public files that are names and no quantities.
CODES: Mapping[str, Mapping[int, str]] = {
    **{key: dict(enumerate(_WEEKDAYS, start=1)) for key in ("paxday", "paxdaywm")},
    "weekday": {k: f"weekday {k}" for k in range(1, 8)},  # who wrote it may begin on any day
    "riagendr": {1: "Male", 2: "Female"},
    "ridreth1": {
        1: "Mexican American",
        2: "Other Hispanic",
        3: "Non-Hispanic White",
        4: "Non-Hispanic Black",
        5: "Other race, multi-racial included",
    },
}

_AGE_BANDS = ((6, 11), (12, 19), (20, 39), (40, 59), (60, 85))
_BMI_CLASSES = ((18.5, "underweight"), (25.0, "normal"), (30.0, "overweight"))
_ADULT = 20  # younger people's classes depend on age and sex
UNKNOWN = "unknown"


def find_column(columns: list[str], names: tuple[str, ...]) -> str | None:
    """The column with one of the names, the first name first; upper or lower case."""
    by_lower = {column.lower(): column for column in reversed(columns)}
    return next((by_lower[name] for name in names if name in by_lower), None)


def unit_of(column: str) -> str:
    """The unit that the column's name tells, or ""."""
    return UNITS.get(column.lower(), "")


def decoded(values: pd.Series) -> pd.Series:
    """The column with the study's codes replaced by their words, if it is one that has codes."""
    codes = CODES.get(str(values.name).lower())
    if codes is None or not pd.api.types.is_numeric_dtype(values):
        return values
    if not set(values.dropna().unique()) <= set(codes):
        return values
    levels = [codes[k] for k in sorted(codes)]
    return values.map(codes).astype(pd.CategoricalDtype(levels))


def is_bmi(name: str, values: Float[np.ndarray, " N"]) -> bool:
    """Whether the column is a body mass index in kg/m2, and not, say, a standardised one."""
    words = [w for w in re.split(r"[^a-z]+", name.lower()) if w]
    named = any(word in BMI_NAMES for word in words)
    return named and bool(((values > 5) & (values < 200)).all())


def bmi_classes(
    bmi: Float[np.ndarray, " N"], age: Float[np.ndarray, " N"] | None
) -> tuple[str, ...]:
    """The World Health Organization's classes for adults; "under 20" where the age says so."""
    edges = [edge for edge, _ in _BMI_CLASSES]
    words = np.array([word for _, word in _BMI_CLASSES] + ["obese"])
    labels = words[np.digitize(bmi, edges)].tolist()
    if age is None:
        return tuple(labels)
    return tuple(
        f"under {_ADULT}" if years < _ADULT else label
        for years, label in zip(age, labels, strict=True)
    )


def age_bands(age: Float[np.ndarray, " N"]) -> tuple[str, ...]:
    """Bands of whole years, both ends included."""
    return tuple(_age_band(years) for years in age)


def _age_band(years: float) -> str:
    if np.isnan(years):
        return UNKNOWN
    first, last = _AGE_BANDS[0][0], _AGE_BANDS[-1][1]
    if years < first:
        return f"under {first}"
    for low, high in _AGE_BANDS:
        if years < high + 1:
            return f"{low}-{high}"
    return f"over {last}"


def thirds(values: Float[np.ndarray, " N"]) -> tuple[str, ...]:
    """Lowest, middle and highest third of the values; equal values stay together."""
    edges = np.quantile(values, (1 / 3, 2 / 3))
    words = np.array(["lowest third", "middle third", "highest third"])
    return tuple(words[np.searchsorted(edges, values, side="left")].tolist())


def labels_of(values: pd.Series) -> tuple[str, ...]:
    """The column's values as labels."""
    words = decoded(values)
    known = words.notna()
    return tuple(str(w) if ok else UNKNOWN for w, ok in zip(words, known, strict=True))
