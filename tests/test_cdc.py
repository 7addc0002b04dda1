"""The real data: fetched from a server of this computer, broken off, refused, converted."""

import hashlib
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from files_server import PLACE, RAW, TABLES, Site, serving, with_cdc_files, zipped

from rnnviz.data import cdc, download
from rnnviz.data.cdc import DAYS_OBJECT, MEANS_OBJECT, WEEKS_OBJECT, Study, prepare
from rnnviz.data.download import Progress, fetch, receipt
from rnnviz.data.paxraw import MINUTES, Filters, days_of
from rnnviz.data.wear import VALID_DAY, worn
from rnnviz.errors import DataError

CYCLE = ("2003-2004",)


@pytest.fixture
def site() -> Iterator[Site]:
    """A server of files on this computer."""
    with serving() as made:
        yield made


@pytest.fixture
def cdc_site(site: Site) -> Site:
    """The CDC's files of three people."""
    return with_cdc_files(site)


def study(folder: Path, site: Site, days: int = 3) -> Study:
    *_, last = prepare(folder, address=site.url, cycles=CYCLE, filters=Filters(days=days))
    assert isinstance(last, Study)
    return last


def drained(url: str, path: Path, begins: bytes = b"") -> list[Progress]:
    return list(fetch(url, path, begins=begins))


# ---- downloads --------------------------------------------------------------------------------


def test_a_file_arrives_whole_with_its_receipt_and_is_fetched_once(site: Site, tmp_path: Path):
    content = bytes(range(256)) * 4000
    site.files["/a.zip"] = content
    seen = drained(site.url + "/a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == content
    assert (seen[-1].done, seen[-1].total) == (len(content), len(content))
    told = receipt(tmp_path / "a.zip")
    assert told is not None
    assert (told.size, told.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    drained(site.url + "/a.zip", tmp_path / "a.zip")
    assert len(site.asked) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "a.zip.json"]


def test_a_download_that_breaks_off_goes_on_where_it_was(site: Site, tmp_path: Path):
    content = bytes(range(256)) * 4000
    site.files["/a.zip"], site.cut_after["/a.zip"] = content, 300_000
    drained(site.url + "/a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == content
    starts = [int(re.findall(r"\d+", asked or "0")[0]) for _, asked in site.asked]
    assert len(starts) == 4
    assert starts == sorted(set(starts))


def test_what_came_before_a_closed_program_is_not_fetched_again(site: Site, tmp_path: Path):
    content = bytes(range(256)) * 8000
    site.files["/a.zip"] = content
    job = fetch(site.url + "/a.zip", tmp_path / "a.zip", begins=b"")
    next(job)
    job.close()
    have = (tmp_path / "a.zip.part").stat().st_size
    assert 0 < have < len(content)
    drained(site.url + "/a.zip", tmp_path / "a.zip")
    assert site.asked[-1] == ("/a.zip", f"bytes={have}-")
    assert (tmp_path / "a.zip").read_bytes() == content


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_that_changed_meanwhile_is_fetched_from_its_beginning(
    site: Site, tmp_path: Path, ranges: bool
):
    site.files["/a.zip"] = bytes(2_000_000)
    job = fetch(site.url + "/a.zip", tmp_path / "a.zip", begins=b"")
    next(job)
    job.close()
    site.files["/a.zip"], site.ranges = b"new" * 500_000, ranges
    drained(site.url + "/a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == b"new" * 500_000


def test_a_beginning_longer_than_the_file_is_thrown_away(site: Site, tmp_path: Path):
    site.files["/a.zip"] = b"short"
    tag = hashlib.sha256(b"short").hexdigest()[:16]
    (tmp_path / "a.zip.part").write_bytes(bytes(100))
    (tmp_path / "a.zip.part.mark").write_text(f'"{tag}"')
    drained(site.url + "/a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == b"short"


def test_a_connection_that_always_breaks_off_ends_in_a_sentence(site: Site, tmp_path: Path):
    site.files["/a.zip"] = bytes(3_000_000)
    job = fetch(site.url + "/a.zip", tmp_path / "a.zip", begins=b"")
    next(job)
    job.close()
    site.cut_after["/a.zip"] = 0
    with pytest.raises(DataError, match=r"broke off after 0 MB of a.zip; start again to go"):
        drained(site.url + "/a.zip", tmp_path / "a.zip")
    assert len(site.asked) == 1 + download.TRIES
    assert (tmp_path / "a.zip.part").stat().st_size > 0
    assert not (tmp_path / "a.zip").exists()


@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_a_refusal_names_status_and_address(site: Site, tmp_path: Path, status: int):
    site.files["/a.zip"], site.status = b"content", status
    with pytest.raises(DataError, match=rf"127.0.0.1 answered {status} .*/a.zip; look whether"):
        drained(site.url + "/a.zip", tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_a_web_page_instead_of_the_file_is_not_kept(site: Site, tmp_path: Path):
    site.files["/a.zip"] = b"<html>moved</html>" * 100
    with pytest.raises(DataError, match=r"a.zip is not the file that its name says"):
        drained(site.url + "/a.zip", tmp_path / "a.zip", cdc.ZIP)
    assert not (tmp_path / "a.zip").exists()
    site.files["/a.zip"] = zipped(b"now it is one")
    drained(site.url + "/a.zip", tmp_path / "a.zip", cdc.ZIP)
    assert (tmp_path / "a.zip").read_bytes() == site.files["/a.zip"]


def test_without_a_network_one_sentence_says_so(tmp_path: Path):
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(DataError, match=r"127.0.0.1 cannot be reached \(ConnectionError\); "):
            list(prepare(tmp_path, address=url))


# ---- minutes to days --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    if not (TABLES / RAW).is_file():
        pytest.skip(f"the real files are not here: there is no {TABLES / RAW}")
    found = pd.read_sas(TABLES / RAW, format="xport")
    return found.where(found > 1e-70, 0.0)


@pytest.mark.parametrize("chunk", [999, 10_080, 30_240, 500_000])
def test_days_are_the_same_however_the_file_is_cut(raw: pd.DataFrame, chunk: int):
    found = list(days_of(TABLES / RAW, Filters(days=3), chunk=chunk))
    ids = np.concatenate([people.ids for people in found])
    counts = np.concatenate([people.counts for people in found])
    weekdays = np.concatenate([people.weekdays for people in found])
    assert len(set(ids)) == 1
    of_person = raw[raw["SEQN"] == ids[0]]
    for row, weekday in zip(counts, weekdays, strict=True):
        day = of_person[of_person["PAXDAY"] == weekday]
        np.testing.assert_array_equal(row, day["PAXINTEN"])
    assert found[-1].read == 3


def test_only_people_with_so_many_valid_days_count(raw: pd.DataFrame):
    valid = {}
    for person, rows in raw.groupby("SEQN"):
        days = rows["PAXINTEN"].to_numpy(np.float32).reshape(7, MINUTES)
        valid[int(person)] = int((worn(days).sum(axis=1) >= VALID_DAY).sum())
    for wanted in range(1, 8):
        found = list(days_of(TABLES / RAW, Filters(days=wanted)))
        people = {int(i) for part in found for i in part.ids}
        assert people == {person for person, count in valid.items() if count == wanted}
        assert sum(len(part.ids) for part in found) == wanted * len(people)


def test_what_is_no_file_of_minutes_is_refused(tmp_path: Path):
    (tmp_path / "a.xpt").write_bytes(b"HEADER RECORD*******LIBRARY" + bytes(300))
    with pytest.raises(DataError, match=r"a.xpt is no SAS transport file"):
        list(days_of(tmp_path / "a.xpt", Filters()))
    with pytest.raises(DataError, match=r"BMX_C.XPT has no column PAXSTAT, "):
        list(days_of(TABLES / "BMX_C.XPT", Filters()))


# ---- the whole way ----------------------------------------------------------------------------


def test_the_three_objects_hold_the_minutes_of_the_raw_file(
    cdc_site: Site, tmp_path: Path, raw: pd.DataFrame
):
    made = study(tmp_path, cdc_site, days=7).tables
    days, means, weeks = made[DAYS_OBJECT], made[MEANS_OBJECT], made[WEEKS_OBJECT]
    person = int(days["SEQN"].iloc[0])
    counts = raw.loc[raw["SEQN"] == person, "PAXINTEN"].to_numpy().reshape(7, MINUTES)
    minutes = [f"MIN{k}" for k in range(1, MINUTES + 1)]
    np.testing.assert_array_equal(days[minutes], counts)
    np.testing.assert_allclose(means[minutes].iloc[0], counts.mean(axis=0), rtol=1e-6)
    np.testing.assert_array_equal(weeks.iloc[0, 1:10_081].astype(float), counts.ravel())
    assert days["WEEKDAY"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    body = pd.read_sas(TABLES / "BMX_C.XPT", format="xport").set_index("SEQN")
    people = pd.read_sas(TABLES / "DEMO_C.XPT", format="xport").set_index("SEQN")
    for table in made.values():
        assert table["BMI"].iloc[0] == body.loc[person, "BMXBMI"]
        assert table["Age"].iloc[0] == people.loc[person, "RIDAGEYR"]
        assert table["Gender"].iloc[0] == {1: "Male", 2: "Female"}[people.loc[person, "RIAGENDR"]]


def test_a_second_time_needs_no_network(cdc_site: Site, tmp_path: Path):
    first = study(tmp_path, cdc_site)
    asked = len(cdc_site.asked)
    assert asked == 3
    second = study(tmp_path, cdc_site)
    assert len(cdc_site.asked) == asked
    for name, table in first.tables.items():
        pd.testing.assert_frame_equal(table, second.tables[name])
    assert not list(tmp_path.glob("*.xpt.part"))
    assert not (tmp_path / "paxraw_c.xpt").exists()


def test_a_damaged_archive_is_fetched_anew(cdc_site: Site, tmp_path: Path):
    whole = cdc_site.files[PLACE + "PAXRAW_C.zip"]
    middle = len(whole) // 2
    cdc_site.files[PLACE + "PAXRAW_C.zip"] = whole[:middle] + bytes(64) + whole[middle + 64 :]
    with pytest.raises(DataError, match=r"PAXRAW_C.zip is damaged .*; start again"):
        study(tmp_path, cdc_site)
    cdc_site.files[PLACE + "PAXRAW_C.zip"] = whole
    assert len(study(tmp_path, cdc_site).tables[DAYS_OBJECT]) == 3


def test_filters_that_nobody_passes_are_told(cdc_site: Site, tmp_path: Path):
    with pytest.raises(DataError, match="nobody has 6 valid days and a known BMI"):
        study(tmp_path, cdc_site, days=6)


def test_two_at_once_do_not_get_in_each_others_way(cdc_site: Site, tmp_path: Path):
    first = prepare(tmp_path, address=cdc_site.url, cycles=CYCLE)
    next(first)
    with pytest.raises(DataError, match="are being fetched already"):
        study(tmp_path, cdc_site)
    first.close()
    assert study(tmp_path, cdc_site).tables


def test_a_cycle_that_does_not_exist_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"no cycle '1999-2000'; choose of 2003-2004, 2005-2006"):
        list(prepare(tmp_path, cycles=("1999-2000",)))
