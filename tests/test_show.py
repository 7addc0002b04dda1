"""Every layout of the tables for tests is recognised, and its values are those of the file."""

import bz2
import contextlib
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnnviz import cli
from rnnviz.config import LAYOUT_NAMES
from rnnviz.data.kinds import KINDS
from rnnviz.data.layouts import LAYOUTS
from rnnviz.data.sandbox import Sandbox

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the tables for tests are not here")
KEYS = {
    *("rows", "steps", "id", "target", "covariates", "mean", "missing", "layout", "reader"),
    *("objects", "skipped", "notes"),
}


@pytest.fixture(scope="module", autouse=True)
def one_sandbox() -> Iterator[None]:
    """The command starts one each time, which takes a second."""
    with Sandbox(helpers=1) as shared, pytest.MonkeyPatch.context() as patch:
        patch.setattr(cli.data, "sandbox", lambda: contextlib.nullcontext(shared))
        yield


class Said:
    """The command's answers."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def shown(self, path: Path, *options: str) -> dict[str, Any]:
        status = cli.main(["data", "show", str(path), "--json", *options])
        out, err = self.capsys.readouterr()
        assert (status, err) == (0, "")
        found = json.loads(out)
        assert set(found) == KEYS
        return found

    def refused(self, path: Path, *options: str) -> str:
        status = cli.main(["data", "show", str(path), *options])
        out, err = self.capsys.readouterr()
        assert (status, out) == (2, "")
        assert err.startswith("rnnviz: ")
        assert err.count("\n") == 1
        assert "Traceback" not in err
        return err


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


def minutes() -> np.ndarray:
    """The 40 days that the files v_* hold."""
    frame = pd.read_csv(DATA / "tables" / "v_min1.csv")
    return frame[[f"min{k}" for k in range(1, 1441)]].to_numpy(float)


# file: (rows, steps, id, target, covariates, layout)
AGE = ["Age", "Gender", "Race"]
TABLES: dict[str, tuple[int, int, str | None, str | None, list[str], str]] = {
    **{
        f"v_{name}": (40, 1440, "SEQN", "BMI", AGE, "wide")
        for name in (
            *("V1.csv", "X1.csv", "covariates_last.csv", "hhmm.csv", "min1.csv", "min_0001.csv"),
            *("min_1.csv", "plain_numbers.csv", "shuffled_minute_columns.csv", "tab.tsv"),
            "utf8_bom.csv",
        )
    },
    "v_lowercase_meta.csv": (40, 1440, "seqn", "bmi", ["age", "gender", "race"], "wide"),
    "v_nhanes_codes_BMXBMI.csv": (
        *(40, 1440, "SEQN", "BMXBMI"),
        ["RIDAGEYR", "RIAGENDR", "RIDRETH1"],
        "wide",
    ),
    "v_no_BMI.csv": (40, 1440, "SEQN", None, AGE, "wide"),
    "two_file_accel.csv": (40, 1440, "SEQN", None, [], "wide"),
    "v_hourly_24cols.csv": (40, 24, "SEQN", "BMI", AGE, "wide"),
    "two_file_covar_with_preamble.csv": (40, 0, "SEQN", "BMI", ["sex", "age"], "people"),
    "physionet_style_subject-info.csv": (120, 0, "SEQN", None, ["age", "gender"], "people"),
    "physionet_style_nhanes_1440_AC.csv.xz": (
        *(840, 1440, "SEQN", None),
        ["PAXDAYWM"],
        "physionet",
    ),
    "rnhanesdata_style_person_days.csv.gz": (
        *(1845, 1440, "SEQN", None),
        ["WEEKDAY", "SDDSRVYR"],
        "person-days",
    ),
    "paxraw_long_3subjects.csv": (21, 1440, "SEQN", None, ["PAXDAY"], "long"),
    "PAXRAW_C_3subjects.XPT": (21, 1440, "SEQN", None, ["PAXDAY"], "long"),
}


@needs_data
@pytest.mark.parametrize("file", TABLES)
def test_every_table_is_recognised(said: Said, file: str) -> None:
    found = said.shown(DATA / "tables" / file)
    assert TABLES[file] == tuple(
        found[key] for key in ("rows", "steps", "id", "target", "covariates", "layout")
    )
    assert found["reader"] == ("pandas" if file.endswith("XPT") else "csv")


def truth(file: str) -> np.ndarray:
    """Its values by pandas alone."""
    path = DATA / "tables" / file
    if file.endswith("XPT"):
        return pd.read_sas(path)["PAXINTEN"].round(6).to_numpy(float)
    frame = pd.read_csv(path, sep="\t" if file.endswith("tsv") else ",")
    if "PAXINTEN" in frame:
        return frame["PAXINTEN"].to_numpy(float)
    steps = TABLES[file][1]
    known = {"SEQN", "BMI", "BMXBMI", "PAXDAYM", "PAXDAYWM", "PAXCAL", "PAXSTAT", "WEEKDAY"}
    known |= {"SDDSRVYR", "Age", "Gender", "Race", "RIDAGEYR", "RIAGENDR", "RIDRETH1"}
    columns = [c for c in frame.columns if c not in known | {k.lower() for k in known}]
    assert len(columns) == steps
    return frame[columns].to_numpy(float)


@needs_data
@pytest.mark.parametrize("file", [file for file, about in TABLES.items() if about[1]])
def test_mean_and_gaps_are_those_of_the_file(said: Said, file: str) -> None:
    found, values = said.shown(DATA / "tables" / file), truth(file)
    assert found["mean"] == pytest.approx(np.nanmean(values), rel=1e-6)
    assert found["missing"] == np.isnan(values).sum()


@needs_data
@pytest.mark.parametrize(("file", "rows", "target"), [("BMX_C", 9643, "BMXBMI"), ("DEMO_C", 0, 0)])
def test_people_of_the_survey_are_people(said: Said, file: str, rows: int, target: str) -> None:
    found = said.shown(DATA / "tables" / f"{file}.XPT")
    assert (found["layout"], found["steps"], found["mean"]) == ("people", 0, None)
    assert found["rows"] == (rows or 10_122)
    assert found["target"] == (target or None)


@needs_data
def test_a_second_file_is_joined_by_the_person(said: Said) -> None:
    accel, covar = (
        DATA / "tables" / f"two_file_{name}.csv" for name in ("accel", "covar_with_preamble")
    )
    found = said.shown(accel, "--join", str(covar))
    assert (found["rows"], found["steps"], found["target"]) == (40, 1440, "BMI")
    assert found["covariates"] == ["sex", "age"]
    assert f"40 of 40 people found in {covar.name}" in found["notes"]
    swapped = said.shown(covar, "--join", str(accel))
    same = ("rows", "steps", "id", "target", "covariates", "mean", "missing")
    assert [swapped[key] for key in same] == [found[key] for key in same]


@needs_data
def test_people_of_the_survey_are_joined_to_their_minutes(said: Said) -> None:
    found = said.shown(
        DATA / "tables" / "PAXRAW_C_3subjects.XPT",
        *("--join", str(DATA / "tables" / "BMX_C.XPT"), "--covariate-columns", "PAXDAY|BMXHT"),
    )
    assert (found["target"], found["covariates"]) == ("BMXBMI", ["PAXDAY", "BMXHT"])


# --- the same 40 days, written in other ways ------------------------------------------------------


def wide() -> pd.DataFrame:
    return pd.read_csv(DATA / "tables" / "v_min_1.csv")


def stacked() -> pd.DataFrame:
    """One row per minute."""
    long = wide().melt(
        ["SEQN", "BMI", "Age", "Gender", "Race"], var_name="minute", value_name="counts"
    )
    return long.assign(minute=long["minute"].str.removeprefix("min_").astype(int))


def moments() -> pd.DataFrame:
    frame = stacked()
    start = pd.Timestamp("2005-03-01")
    return frame.assign(time=start + pd.to_timedelta(frame["minute"] - 1, "min")).drop(
        columns="minute"
    )


def quarters() -> pd.DataFrame:
    frame, sums = wide(), minutes().reshape(40, 96, 15).sum(axis=2)
    names = [f"{k // 4:02d}:{k % 4 * 15:02d}" for k in range(96)]
    return frame[["SEQN", "BMI", *AGE]].join(pd.DataFrame(sums, columns=names))


def renamed(names: list[str]) -> pd.DataFrame:
    return wide().rename(columns={f"min_{k + 1}": name for k, name in enumerate(names)})


CLOCK = [(k // 60, k % 60) for k in range(1440)]
FRAMES = {
    "hh:mm:ss": lambda: renamed([f"{h:02d}:{m:02d}:00" for h, m in CLOCK]),
    "R's own": lambda: renamed([f"X{h:02d}.{m:02d}" for h, m in CLOCK]),
    "R's own with seconds": lambda: renamed([f"X{h:02d}.{m:02d}.00" for h, m in CLOCK]),
    "hhmm": lambda: renamed([f"t{h:02d}{m:02d}" for h, m in CLOCK]),
    "from 0": lambda: renamed([f"MIN{k}" for k in range(1440)]),
    "turned round": lambda: wide().set_index("SEQN").T.rename_axis("SEQN").reset_index(),
    "turned round without names": lambda: wide().T.reset_index(),
    "a row per minute": stacked,
    "a row per moment": moments,
    "a row per clock": lambda: moments().assign(time=lambda f: f["time"].dt.strftime("%H:%M")),
}


@needs_data
@pytest.mark.parametrize("way", FRAMES)
def test_every_way_to_name_and_lay_out_minutes(said: Said, tmp_path: Path, way: str) -> None:
    path = tmp_path / "made.csv"
    FRAMES[way]().to_csv(path, index=False)
    found = said.shown(path)
    assert (found["rows"], found["steps"], found["target"]) == (40, 1440, "BMI")
    assert (found["id"], found["covariates"]) == ("SEQN", AGE)
    assert found["mean"] == pytest.approx(minutes().mean(), rel=1e-6)


@needs_data
def test_quarters_of_hours(said: Said, tmp_path: Path) -> None:
    quarters().to_csv(tmp_path / "q.csv", index=False)
    found = said.shown(tmp_path / "q.csv")
    assert (found["rows"], found["steps"], found["covariates"]) == (40, 96, AGE)
    assert found["mean"] == pytest.approx(15 * minutes().mean(), rel=1e-6)


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", b"")
        archive.writestr("folder/days.csv", data)
        archive.writestr("__MACOSX/._days.csv", b"\x00")
        archive.writestr("readme.md", b"# days")
    return out.getvalue()


COMMA = {"sep": ";", "decimal": ","}
WRITTEN = {
    "t.csv": lambda: wide().to_csv(index=False).encode(),
    "t.csv.gz": lambda: gzip.compress(wide().to_csv(index=False).encode()),
    "t.csv.bz2": lambda: bz2.compress(wide().to_csv(index=False).encode()),
    "t.csv.xz": lambda: lzma.compress(wide().to_csv(index=False).encode()),
    "t.zip": lambda: zipped(wide().to_csv(index=False).encode()),
    "semicolon.csv": lambda: wide().to_csv(index=False, **COMMA).encode(),
    "turned.csv": lambda: wide().set_index("SEQN").T.to_csv(index_label="SEQN", **COMMA).encode(),
    "bar.txt": lambda: wide().to_csv(index=False, sep="|").encode(),
    "row names.tsv": lambda: wide().to_csv(sep="\t", index_label="").encode(),
    "utf16.csv": lambda: wide().to_csv(index=False).encode("utf-16"),
    "utf16le.csv": lambda: wide().to_csv(index=False).encode("utf-16-le"),
    "utf16be.csv": lambda: wide().to_csv(index=False).encode("utf-16-be"),
    "latin.csv": lambda: wide().replace("Male", "Männlich").to_csv(index=False).encode("latin-1"),
    "preamble.csv": lambda: (
        b"Days of 40 people\nmade by hand\n\n" + wide().to_csv(index=False).encode()
    ),
}


@needs_data
@pytest.mark.parametrize("name", WRITTEN)
def test_every_way_to_write_a_table(said: Said, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(WRITTEN[name]())
    found = said.shown(tmp_path / name)
    assert (found["rows"], found["steps"], found["id"]) == (40, 1440, "SEQN")
    assert found["covariates"] == AGE
    assert found["mean"] == pytest.approx(minutes().mean(), rel=1e-6)


@needs_data
def test_parquet(said: Said, tmp_path: Path) -> None:
    frame = wide().copy().assign(lists=[[k] for k in range(40)]).astype({"Gender": "category"})
    frame.to_parquet(tmp_path / "t.parquet")
    found = said.shown(tmp_path / "t.parquet")
    assert (found["reader"], found["rows"], found["covariates"]) == ("pyarrow", 40, AGE)
    assert found["mean"] == pytest.approx(minutes().mean(), rel=1e-6)
    assert found["skipped"] == [
        {"name": "lists", "why": "is a column of a kind that cannot be read"}
    ]


# --- guesses, corrected ---------------------------------------------------------------------------


@needs_data
def test_every_guess_can_be_corrected(said: Said) -> None:
    path = DATA / "tables" / "v_min1.csv"
    options = ("--target", "Gender", "--person", "(none)", "--covariate-columns", "Age | BMI")
    found = said.shown(path, *options, "--layout", "wide")
    assert (found["target"], found["id"], found["covariates"]) == ("Gender", None, ["Age", "BMI"])


@needs_data
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--layout", "long"), "cannot be read as long: one row per person and minute; choose"),
        (("--target", "weight"), "target weight is not a column of the table; choose one of BMI"),
        (("--person", "who"), "the person's column who is not in the table"),
        (("--covariate-columns", "Age|who"), "who cannot be a covariate"),
        (("--covariate-columns", "BMI"), "BMI cannot be a covariate: it is the target"),
        (("--table", "q"), "holds no table named q; choose one of v_min1"),
        (("--join", "nowhere.csv"), "there is no file nowhere.csv"),
    ],
)
def test_what_cannot_be_chosen_is_said(said: Said, options: tuple[str, ...], message: str) -> None:
    assert message in said.refused(DATA / "tables" / "v_min1.csv", *options)


def test_words_for_people(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    hours = pd.DataFrame(np.arange(144).reshape(6, 24), columns=[f"h{k}" for k in range(24)])
    hours.assign(id=range(6), BMI=range(20, 26)).to_csv(tmp_path / "h.csv", index=False)
    assert cli.main(["data", "show", str(tmp_path / "h.csv")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "6 people × 24 hours, h0 … h23, target BMI, id id, 0 covariates"
    assert lines[1:3] == ["  read by csv", "  h: text table, 6 x 26"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("few.csv", b"a,b\n1,2\n3,4\n", "the table has no minute columns: exactly 1440"),
        ("x.parquet", b"PAR1" + bytes(40), "cut off or damaged"),
        ("x.xpt", b"HEADER RECORD*******LIBRARY HEADER" + bytes(400), "cut off or damaged"),
        ("x.zip", b"PK\x03\x04" + bytes(40), "ZIP archive that is cut off or damaged"),
        ("x.xpt", b"a,b\n1,2\n3,4\n", "named as a SAS transport file but holds plain text"),
        ("x.docx", b"", "unknown kind of name"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    said: Said, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert message in said.refused(tmp_path / name)


def test_a_file_that_is_not_there(said: Said, tmp_path: Path) -> None:
    assert "there is no file" in said.refused(tmp_path / "nowhere.csv")
    assert "there is no file" in said.refused(tmp_path)


def test_a_second_recording_on_the_same_weekday_is_another_day(said: Said, tmp_path: Path) -> None:
    clock = [(h, m) for h in range(24) for m in range(60)]
    rows = [(p, 1 + d % 7, h, m, d) for p in "ab" for d in range(9) for h, m in clock]
    frame = pd.DataFrame(rows, columns=["id", "weekday", "hour", "minute", "counts"])
    frame.to_csv(tmp_path / "t.csv", index=False)
    found = said.shown(tmp_path / "t.csv")
    assert (found["rows"], found["missing"], found["mean"]) == (18, 0, 4)


def test_two_values_at_one_time_are_refused(said: Said, tmp_path: Path) -> None:
    rows = [("a", 1, m, 5.0) for m in range(1440)] + [("a", 1, 61, 6.0)]
    frame = pd.DataFrame(rows, columns=["id", "day", "minute", "counts"])
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert "counts of id a stands 2 times at 01:01 of one day" in said.refused(tmp_path / "t.csv")


def test_what_a_long_table_lacks_is_missing(said: Said, tmp_path: Path) -> None:
    rows = [(p, 1, m, float(m)) for p in "abcdef" for m in range(1440) if m % 3]
    frame = pd.DataFrame(rows, columns=["id", "day", "minute", "counts"])
    frame.to_csv(tmp_path / "t.csv", index=False)
    found = said.shown(tmp_path / "t.csv")
    assert (found["rows"], found["steps"], found["missing"]) == (6, 1440, 6 * 480)


def test_the_readme_shows_every_layout() -> None:
    readme = (Path(__file__).resolve().parents[1] / "README.md").read_text("utf-8")
    assert [name for name in (*LAYOUTS, *KINDS) if f"\n| {name} |" not in readme] == []


def test_every_layout_has_its_name_among_the_settings() -> None:
    assert next(iter(LAYOUT_NAMES)) == "auto"
    assert set(LAYOUT_NAMES) - {"auto"} == set(LAYOUTS) | set(KINDS)


# --- damaged on purpose ---------------------------------------------------------------------------


def sound_files() -> dict[str, bytes]:
    """Small whole files, one of each form that is not R's."""
    frame = pd.DataFrame(np.arange(240).reshape(10, 24), columns=[f"h{k}" for k in range(24)])
    frame = frame.assign(id=range(10), BMI=range(20, 30), sex=["a", "b"] * 5)
    out = io.BytesIO()
    frame.to_parquet(out)
    text = frame.to_csv(index=False).encode()
    files = {"t.csv": text, "t.csv.gz": gzip.compress(text), "t.zip": zipped(text)}
    files["t.parquet"] = out.getvalue()
    sample = DATA / "tables" / "PAXRAW_C_3subjects.XPT"
    if sample.is_file():
        files["t.xpt"] = sample.read_bytes()[: 80 * 60]
    return files


def test_damaged_files_give_a_table_or_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Of each form 25 files in which one to eight bytes are others, drawn from one seed."""
    rng, refused = np.random.default_rng(0), 0
    for name, whole in sound_files().items():
        path = tmp_path / name
        for _ in range(25):
            data = np.frombuffer(whole, dtype=np.uint8).copy()
            places = rng.integers(0, len(data), rng.integers(1, 9))
            data[places] = rng.integers(0, 256, len(places))
            path.write_bytes(data.tobytes())
            status = cli.main(["data", "show", str(path)])
            out, err = capsys.readouterr()
            assert status in (0, 2)
            assert (out == "", err.count("\n")) == (status == 2, status // 2)
            refused += status == 2
    assert refused > 50
