"""What is stored is read back; ids cannot lead elsewhere; the real study files come through."""

import gzip
import os
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from rnnviz.config import DataConfig
from rnnviz.data import reading, uploads
from rnnviz.data.days import Days
from rnnviz.data.frames import read_frame, write_table
from rnnviz.data.sandbox import Sandbox
from rnnviz.errors import DataError

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real data are not here")
GOOD = b"a,b\n1,x\n2,y\n3,\n"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(helpers=1) as running:
        yield running


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def keep(path: Path, home: Path, sandbox: Sandbox) -> uploads.Upload:
    return uploads.store(path.read_bytes(), path.name, home, sandbox)


def days_of(upload: uploads.Upload, home: Path, **settings: str) -> Days:
    return reading.load(DataConfig(source="file", file=upload.id, **settings), home)


def test_the_same_bytes_are_stored_once(home: Path, sandbox: Sandbox) -> None:
    first = uploads.store(GOOD, "t.csv", home, sandbox)
    again = uploads.store(GOOD, "other.csv", home, sandbox)
    assert first == again == uploads.open_upload(home, first.id)
    assert len(first.id) == 20
    assert uploads.read_table(first, "t")["a"].tolist() == [1, 2, 3]
    folder = home / "uploads" / first.id
    assert sorted(p.name for p in folder.iterdir()) == ["0.arrow", "parsed.json", "upload.json"]
    assert list((home / "uploads.tmp").iterdir()) == []


def test_what_cannot_be_read_leaves_nothing_behind(tmp_path: Path, sandbox: Sandbox) -> None:
    with pytest.raises(DataError, match="ragged"):
        uploads.store(b"a,b\n1,2\n3\n", "t.csv", tmp_path, sandbox)
    assert list((tmp_path / "uploads").iterdir()) == []
    assert list((tmp_path / "uploads.tmp").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("C:\\data\\my file.csv", "my file.csv"),
        ("a\x00b\n.csv", "ab.csv"),
        ("x" * 300 + ".csv", "x" * 116 + ".csv"),
    ],
)
def test_names_are_for_people_and_never_paths(
    tmp_path: Path, sandbox: Sandbox, name: str, shown: str
) -> None:
    upload = uploads.store(GOOD, name, tmp_path, sandbox)
    assert upload.name == shown
    assert [p.name for p in (tmp_path / "uploads").iterdir()] == [upload.id]


@pytest.mark.parametrize("bad", ["", "..", "../x", "A" * 20, "a" * 19, "/etc/passwd", "a" * 20])
def test_an_id_that_is_not_ours_is_gone(home: Path, bad: str) -> None:
    with pytest.raises(DataError, match="upload it again"):
        uploads.open_upload(home, bad)
    with pytest.raises(DataError, match="upload it again"):
        uploads.read_text(home, bad)
    with pytest.raises(DataError, match="upload it again"):
        reading.load(DataConfig(source="file", file=bad), home)


def test_a_table_that_is_not_there_is_named(home: Path, sandbox: Sandbox) -> None:
    upload = uploads.store(GOOD, "t.csv", home, sandbox)
    with pytest.raises(DataError, match="holds no table named q; choose one of t"):
        uploads.read_table(upload, "q")


def test_too_large_is_said_before_anything_is_read(
    home: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {name: form._replace(most_bytes=10) for name, form in uploads.FORMS.items()}
    monkeypatch.setattr(uploads, "FORMS", small)
    with pytest.raises(DataError, match="text tables of up to 0 MB"):
        uploads.store(GOOD, "t.csv", home, sandbox)
    with pytest.raises(DataError, match="R files of up to 0 MB"):
        uploads.store(GOOD, "t.rda", home, sandbox)


def test_text_comes_back_as_it_was(tmp_path: Path) -> None:
    text = "Dearest creature in creation\r\n  naïve café 🙂\n"
    text_id = uploads.store_text(text, tmp_path)
    assert uploads.store_text(text, tmp_path) == text_id
    assert uploads.read_text(tmp_path, text_id) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("x" * 2_000_001, "at most 2 MB"),
        ("\ud800", "cannot write"),
    ],
)
def test_text_that_cannot_be_kept(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        uploads.store_text(text, tmp_path)


def test_what_was_unused_for_longest_is_removed_first(tmp_path: Path) -> None:
    ids = [uploads.store_text(letter * 1000, tmp_path) for letter in "abc"]
    for age, text_id in zip((30, 20, 10), ids, strict=True):
        then = time.time() - age
        os.utime(tmp_path / "uploads" / text_id, (then, then))
    uploads.read_text(tmp_path, ids[0])  # used just now
    assert uploads.prune(tmp_path, 2500) == 1
    assert uploads.read_text(tmp_path, ids[0]) == "a" * 1000
    assert uploads.read_text(tmp_path, ids[2]) == "c" * 1000
    with pytest.raises(DataError, match="not here"):
        uploads.read_text(tmp_path, ids[1])
    assert uploads.prune(tmp_path, 2500) == 0
    assert uploads.prune(tmp_path, 0) == 2


def test_what_a_crash_left_behind_is_removed_in_time(tmp_path: Path) -> None:
    aside = tmp_path / "uploads.tmp"
    for name, age in (("old", 7200), ("new", 60)):
        (aside / name).mkdir(parents=True)
        os.utime(aside / name, (time.time() - age,) * 2)
    uploads.store_text("a text", tmp_path)
    assert [p.name for p in aside.iterdir()] == ["new"]


@needs_data
def test_the_study_file_is_whole(home: Path, sandbox: Sandbox) -> None:
    upload = keep(DATA / "nhanes" / "MINdata.rda", home, sandbox)
    table = upload.tables[0]
    assert (table.name, table.kind) == ("MINdata_1440", "data frame")
    assert (table.rows, table.columns) == (292, 1445)
    with gzip.open(DATA / "nhanes" / "MINdata.csv.gz") as file:
        truth = pd.read_csv(file)
    days = days_of(upload, home)
    minutes = truth[[f"MIN{k}" for k in range(1, 1441)]].to_numpy(float)
    np.testing.assert_allclose(days.minutes, minutes, rtol=1e-6)
    assert days.minutes.mean(dtype=float) == pytest.approx(minutes.mean(), rel=1e-6)
    np.testing.assert_array_equal(days.target, truth["BMI"])
    assert days.ids == tuple(truth["SEQN"].astype(str))
    assert days.groups["sex"] == tuple(truth["Gender"])
    assert len(days.covariate_names) == 1 + 2 + truth["Race"].nunique()


@needs_data
def test_the_two_forms_of_the_study_file_agree(home: Path, sandbox: Sandbox) -> None:
    from_r = days_of(keep(DATA / "nhanes" / "MINdata.rda", home, sandbox), home)
    from_csv = days_of(keep(DATA / "nhanes" / "MINdata.csv.gz", home, sandbox), home)
    np.testing.assert_allclose(from_r.minutes, from_csv.minutes, rtol=1e-6)
    assert from_r.ids == from_csv.ids
    assert from_r.groups == from_csv.groups
    np.testing.assert_array_equal(from_r.target, from_csv.target)


@needs_data
def test_one_day_keeps_whole_counts_and_tells_saturation(home: Path, sandbox: Sandbox) -> None:
    days = days_of(keep(DATA / "nhanes" / "MINdata_oneday.rda", home, sandbox), home)
    assert days.minutes.shape == (292, 1440)
    assert (days.minutes % 1 == 0).all()
    n = int((days.minutes == 32_767).sum())
    assert n > 0
    assert f"{n} of all minutes at 32767, where the device saturates" in days.notes


@needs_data
def test_full_scale(home: Path, sandbox: Sandbox) -> None:
    upload = keep(DATA / "nhanes" / "MINdata_wearfraction_14526.rda", home, sandbox)
    assert (upload.tables[0].rows, upload.tables[0].columns) == (14_526, 1445)
    days = days_of(upload, home)
    assert len(set(days.ids)) == len(days.minutes)
    assert 0 <= days.minutes.min() <= days.minutes.max() <= 1
    assert days.unit == ""


@needs_data
@pytest.mark.parametrize("file", ["V1.csv", "hhmm.csv", "tab.tsv", "utf8_bom.csv", "min_0001.csv"])
def test_layouts_through_the_whole_way(home: Path, sandbox: Sandbox, file: str) -> None:
    upload = keep(DATA / "tables" / f"v_{file}", home, sandbox)
    truth = pd.read_csv(DATA / "tables" / "v_min1.csv")
    days = days_of(upload, home)
    np.testing.assert_array_equal(days.minutes, truth[[f"min{k}" for k in range(1, 1441)]])
    np.testing.assert_array_equal(days.target, truth["BMI"])


@needs_data
def test_among_several_objects_the_studys_is_taken(home: Path, sandbox: Sandbox) -> None:
    upload = keep(DATA / "rda" / "multi_df_vec.rda", home, sandbox)
    assert [t.name for t in upload.tables] == ["MINdata_1440", "MINdata"]
    assert days_of(upload, home).name == "multi_df_vec.rda: MINdata_1440"
    with pytest.raises(DataError, match="the longest series has 3, MIN1 to MIN3"):
        days_of(upload, home, table="MINdata")


@needs_data
def test_among_several_that_fit_one_is_to_be_chosen(home: Path, sandbox: Sandbox) -> None:
    upload = keep(DATA / "rda" / "list_of_df.rda", home, sandbox)
    with pytest.raises(DataError, match=r"2 tables of minutes \(data\$count, data\$wear\)"):
        days_of(upload, home)


@needs_data
def test_settings_choose_target_and_person(home: Path, sandbox: Sandbox) -> None:
    upload = keep(DATA / "nhanes" / "MINdata.rda", home, sandbox)
    days = days_of(upload, home, target="Gender")
    assert days.classes == ("Male", "Female")
    with pytest.raises(DataError, match="target weight is not a column"):
        days_of(upload, home, target="weight")
    with pytest.raises(DataError, match="person's column who is not in the table"):
        days_of(upload, home, person="who")


def test_a_wide_table_with_gaps_is_kept_without_a_second_copy_of_it(tmp_path: Path):
    rows, columns = 6000, 1500
    values = np.random.default_rng(0).random((columns, rows))
    values[values < 0.05] = np.nan
    table = pa.table({f"x{k}": pa.array(values[k], from_pandas=True) for k in range(columns)})
    tracemalloc.start()
    write_table(table, tmp_path / "t.arrow")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < values.nbytes / 2
    np.testing.assert_array_equal(read_frame(tmp_path / "t.arrow").to_numpy(), values.T)
