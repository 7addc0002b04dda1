"""Days out of data frames: what is recognised, what is done with gaps, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnnviz.config import DataConfig
from rnnviz.data.days import Days, as_sequences
from rnnviz.data.layout import recognise
from rnnviz.data.layouts import arrange
from rnnviz.data.table import to_days
from rnnviz.data.wear import worn
from rnnviz.errors import DataError

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the tables for tests are not here")

NAMES = {
    "MIN1": [f"MIN{k}" for k in range(1, 1441)],
    "min0": [f"min{k}" for k in range(1440)],
    "min_1": [f"min_{k}" for k in range(1, 1441)],
    "min_0001": [f"min_{k:04d}" for k in range(1, 1441)],
    "X1": [f"X{k}" for k in range(1, 1441)],
    "V1": [f"V{k}" for k in range(1, 1441)],
    "plain": [str(k) for k in range(1, 1441)],
    "hh:mm": [f"{k // 60:02d}:{k % 60:02d}" for k in range(1440)],
    "X00.00": [f"X{k // 60:02d}.{k % 60:02d}" for k in range(1440)],
    "act.1": [f"act.{k}" for k in range(1, 1441)],
}


def table(n: int = 8, names: list[str] | None = None, seed: int = 0) -> pd.DataFrame:
    """People with minute k of person i at a known value."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 500, (n, 1440)).astype(float)
    frame = pd.DataFrame(values, columns=names or NAMES["MIN1"])
    frame.insert(0, "SEQN", np.arange(n) + 21_005.0)
    frame.insert(1, "BMI", np.linspace(18.0, 36.0, n))
    frame["Age"] = np.linspace(8, 80, n).round()
    frame["Gender"] = pd.Categorical(["Male", "Female"] * (n // 2) + ["Male"] * (n % 2))
    return frame


def days_of(frame: pd.DataFrame, **choices: Any) -> Days:
    config, table = DataConfig(**choices), arrange(frame)
    return to_days(table, recognise(table, config), config, name="t")


@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_minutes_are_found_by_every_way_of_naming_them(names: list[str]) -> None:
    frame = table(names=names)
    shuffled = frame[np.random.default_rng(1).permutation(frame.columns)]
    found = arrange(shuffled)
    layout = recognise(found)
    assert found.steps == tuple(names)
    assert (layout.target, layout.person) == ("BMI", "SEQN")
    np.testing.assert_array_equal(days_of(shuffled).minutes, frame[names].to_numpy(np.float32))


def test_the_summary_says_what_is_there() -> None:
    assert recognise(arrange(table())).summary == (
        "8 people × 1440 minutes, MIN1 … MIN1440, target BMI, id SEQN, 2 covariates"
    )
    frame = pd.concat([table(), table(seed=1)], ignore_index=True).drop(columns=["BMI", "Gender"])
    assert recognise(arrange(frame)).summary == (
        "16 days of 8 people × 1440 minutes, MIN1 … MIN1440, target to be chosen, id SEQN, "
        "1 covariate"
    )


@pytest.mark.parametrize(("bmi", "person"), [("bmi", "id"), ("BMXBMI", "seqn"), ("Bmi", "Subject")])
def test_target_and_person_are_found_in_any_case(bmi: str, person: str) -> None:
    layout = recognise(arrange(table().rename(columns={"BMI": bmi, "SEQN": person})))
    assert (layout.target, layout.person) == (bmi, person)


def test_values_reach_the_network_unchanged() -> None:
    frame = table()
    days = days_of(frame)
    assert days.ids == tuple(str(21_005 + k) for k in range(8))
    np.testing.assert_array_equal(days.target, frame["BMI"])
    assert days.target_name == ("BMI", "kg/m²")
    assert [v.name for v in days.covariate_names] == ["Age", "Gender: Female", "Gender: Male"]
    np.testing.assert_array_equal(days.covariates[:, 0], frame["Age"])
    np.testing.assert_array_equal(days.covariates[:, 1:].sum(axis=1), 1)
    sequences = as_sequences(days, DataConfig(blocks="1440x1", scale="raw"))
    np.testing.assert_array_equal(sequences.inputs[:, :, 0], frame[NAMES["MIN1"]])


def test_missing_minutes_are_zero_and_not_worn() -> None:
    frame = table()
    frame.loc[2, ["MIN7", "MIN8"]] = np.nan
    days = days_of(frame)
    assert days.minutes[2, 6:8].tolist() == [0, 0]
    assert days.wear is not None
    assert days.wear[2, 6:8].tolist() == [0, 0]
    assert days.wear.sum() == 8 * 1440 - 2
    assert "2 of all minutes missing, taken as 0 and not worn" in days.notes


def test_infinite_minutes_are_missing() -> None:
    days = days_of(table().assign(MIN3=[np.inf, -np.inf, *range(6)]))
    assert "2 infinite values, the first in MIN3, taken as missing" in days.notes
    assert "2 of all minutes missing, taken as 0 and not worn" in days.notes
    assert np.isfinite(days.minutes).all()


def test_wear_follows_the_rule_of_the_study() -> None:
    frame = table()
    frame.loc[0, NAMES["MIN1"][:300]] = 0.0
    days = days_of(frame)
    assert days.wear is not None
    np.testing.assert_array_equal(days.wear, worn(days.minutes))
    assert days.wear[0, :300].sum() == 0


def test_rows_without_target_minutes_or_person_are_left_out_and_counted() -> None:
    frame = table(10)
    frame.loc[0, "BMI"] = np.nan
    frame.loc[[1, 2], NAMES["MIN1"]] = np.nan
    frame.loc[3, "SEQN"] = np.nan
    days = days_of(frame)
    assert len(days.minutes) == len(days.ids) == len(days.target) == 6
    assert days.ids[0] == "21009"
    assert days.notes[:3] == (
        "1 row without BMI left out",
        "2 rows without a single minute left out",
        "1 row without SEQN left out",
    )


def test_saturation_negatives_and_minutes_that_do_not_vary_are_counted() -> None:
    frame = table()
    frame.loc[:3, "MIN5"] = 32_767.0
    frame.loc[0, "MIN9"] = -2.0
    frame["MIN11"] = 0.0
    notes = days_of(frame).notes
    assert "4 of all minutes at 32767, where the device saturates" in notes
    assert "1 of all minutes negative; log(1 + x) takes them as 0" in notes
    assert "1 of the 1,440 minutes of the day the same in every row" in notes


def test_gaps_in_covariates_are_filled_and_told() -> None:
    frame = table()
    frame.loc[0, "Age"] = np.nan
    frame.loc[1, "Gender"] = None
    days = days_of(frame)
    assert days.covariates[0, 0] == pytest.approx(frame["Age"].mean())
    assert days.covariates[1, 1:].tolist() == [0, 0]
    assert "1 missing value of Age taken as the column's mean" in days.notes
    assert "1 missing value of Gender taken as no level" in days.notes
    assert np.isfinite(days.covariates).all()


def test_columns_that_cannot_serve_are_left_out_with_the_reason() -> None:
    frame = table(30)
    frame["site"] = "one"
    frame["code"] = [f"c{k}" for k in range(30)]
    frame["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(30), "D")
    frame["empty"] = np.nan
    days = days_of(frame)
    assert days.notes[-4:] == (
        "site is left out: all its values are one",
        "code is left out: 30 different texts, more than 20",
        "when is left out: dates and times are not used",
        "empty is left out: it holds nothing",
    )
    assert [v.name for v in days.covariate_names] == ["Age", "Gender: Female", "Gender: Male"]


def test_bmi_classes_age_bands_and_sex() -> None:
    frame = table(6)
    frame["BMI"] = [18.49, 18.5, 24.99, 25.0, 30.0, 40.0]
    frame["Age"] = [20.0, 85.0, 59.0, 60.0, 39.9, 19.0]
    groups = days_of(frame).groups
    assert groups["BMI class"] == (
        *("underweight", "normal", "normal", "overweight", "obese"),
        "under 20",
    )
    assert groups["age"] == ("20-39", "60-85", "40-59", "60-85", "20-39", "12-19")
    assert groups["sex"] == ("Male", "Female") * 3


def test_codes_of_the_study_become_words() -> None:
    frame = table().rename(columns={"Age": "RIDAGEYR"}).drop(columns="Gender")
    frame["RIAGENDR"] = [1.0, 2.0] * 4
    days = days_of(frame)
    assert days.groups["sex"] == ("Male", "Female") * 4
    assert "age" in days.groups
    assert [v.name for v in days.covariate_names][1:] == ["RIAGENDR: Male", "RIAGENDR: Female"]


def test_another_target_is_grouped_by_thirds() -> None:
    days = days_of(table(9), target="Age")
    assert days.groups["third of Age"] == (
        ("lowest third",) * 3 + ("middle third",) * 3 + ("highest third",) * 3
    )
    assert "BMI class" not in days.groups
    assert days.covariate_names[0].name == "BMI"


def test_a_factor_as_target_becomes_classes_in_its_own_order() -> None:
    frame = table()
    levels = pd.CategoricalDtype(["low", "mid", "high", "never"])
    frame["level"] = pd.Series(["high", "low", "mid", "low"] * 2, dtype=levels)
    days = days_of(frame, target="level")
    assert days.classes == ("low", "mid", "high")
    assert days.target.tolist() == [2, 0, 1, 0] * 2
    assert days.groups["level"][:2] == ("high", "low")
    assert as_sequences(days, DataConfig()).output_size == 3


def test_without_a_persons_column_every_row_is_its_own_person() -> None:
    days = days_of(table().drop(columns="SEQN"))
    assert days.ids == tuple(f"row {k}" for k in range(1, 9))
    assert days_of(table(), person="Age").ids[0] == "8"


@pytest.mark.parametrize(
    ("change", "target", "message"),
    [
        (lambda f: f.drop(columns="MIN7"), "", "1440 numbered ones .* has 1439, MIN1 to MIN1440"),
        (lambda f: f[["SEQN", "BMI"]], "", "no numbered columns are there"),
        (lambda f: f.assign(MIN3="x"), "", "minute column MIN3 holds 'x', which is not a number"),
        (lambda f: f.drop(columns="BMI"), "", "no target is chosen .* choose one of Age, Gender"),
        (lambda f: f[["SEQN", *NAMES["MIN1"]]], "", "no column that can be predicted"),
        (lambda f: f, "weight", "target weight is not a column .* choose one of BMI, Age, Gender"),
        (lambda f: f, "MIN3", "MIN3 cannot be the target: it is one of the minutes"),
        (lambda f: f, "SEQN", "SEQN cannot be the target: it names the person"),
        (lambda f: f.assign(BMI=22.0), "BMI", "BMI cannot be the target: all its values are 22.0"),
        (lambda f: f.assign(BMI=np.inf), "BMI", "BMI cannot be the target: all its values are inf"),
        (lambda f: f.assign(BMI=[np.inf, *range(7)]), "BMI", "it holds infinite values"),
        (lambda f: f.head(1), "BMI", "the table holds one row; at least 5"),
        (lambda f: f.head(4), "", "4 people are left .* at least 5"),
        (
            lambda f: f.assign(BMI=[20, 20, 20, 20, 20, 21, np.nan, np.nan]).assign(
                SEQN=[1, 2, 3, 4, 5, np.nan, 7, 8]
            ),
            "",
            "BMI is 20.0 in every row",
        ),
    ],
)
def test_what_cannot_be_used_is_said(
    change: Callable[[pd.DataFrame], pd.DataFrame], target: str, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        days_of(change(table()), target=target)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("person", "message"),
    [
        ("nobody", "nobody is not in the table"),
        ("BMI", "BMI is the target"),
        ("MIN3", "MIN3 is one of the minutes"),
    ],
)
def test_a_column_that_cannot_name_people_is_refused(person: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        days_of(table(), person=person, target="BMI")


def test_a_series_of_flags_beside_the_minutes_tells_the_wear() -> None:
    flags = np.ones((8, 1440), dtype=int)
    flags[3, :30] = 0
    names = [f"WEAR{k}" for k in range(1, 1441)]
    frame = pd.concat([table(), pd.DataFrame(flags, columns=names)], axis=1)
    days = days_of(frame)
    np.testing.assert_array_equal(days.wear, flags)
    assert "30 of all minutes not worn, as the table itself says" in days.notes
    assert "WEAR1 … WEAR1440 tell when the device was worn" in days.notes


def test_days_that_the_study_calls_unreliable_are_left_out() -> None:
    days = days_of(table().assign(PAXCAL=[1, 1, 2, 1, 1, 1, 1, 1], PAXSTAT=1))
    assert len(days.ids) == 7
    assert "1 row whose PAXCAL is not 1 left out" in days.notes
    assert [v.name for v in days.covariate_names] == ["Age", "Gender: Female", "Gender: Male"]


def test_row_numbers_are_no_covariate() -> None:
    frame = table()
    frame.insert(0, "column 1", np.arange(1, 9))
    assert "column 1 is left out: it numbers the rows" in recognise(arrange(frame)).left_out
    assert "Age" in recognise(arrange(frame.assign(Age=np.arange(1, 9)))).covariates


def test_two_series_of_minutes_are_refused() -> None:
    frame = pd.concat([table(), table()[NAMES["MIN1"]].set_axis(NAMES["hh:mm"], axis=1)], axis=1)
    with pytest.raises(DataError, match=r"2 series of 1440 minutes \(from MIN1, 00:00\)"):
        arrange(frame)


WIDE = ["V1", "X1", "covariates_last", "hhmm", "lowercase_meta", "min1", "min_0001", "min_1"]
WIDE += ["nhanes_codes_BMXBMI", "plain_numbers", "shuffled_minute_columns", "utf8_bom"]


@pytest.fixture(scope="module")
def expected() -> Days:
    return days_of(pd.read_csv(DATA / "tables" / "v_tab.tsv", sep="\t"))


@needs_data
@pytest.mark.parametrize("file", WIDE)
def test_every_wide_layout_gives_the_same_days(file: str, expected: Days) -> None:
    days = days_of(pd.read_csv(DATA / "tables" / f"v_{file}.csv", encoding="utf-8-sig"))
    np.testing.assert_array_equal(days.minutes, expected.minutes)
    np.testing.assert_array_equal(days.target, expected.target)
    assert days.ids == expected.ids
    assert days.groups == expected.groups
