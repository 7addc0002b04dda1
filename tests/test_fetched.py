"""The real NHANES becomes an upload: in a loop, as a command, as a process, from the page."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from files_server import Site, serving, with_cdc_files
from runs_checks import until

from rnnviz.cli import main
from rnnviz.config import DataConfig
from rnnviz.data import fetched, reading
from rnnviz.data.cdc import DAYS_OBJECT, MEANS_OBJECT, WEEKS_OBJECT
from rnnviz.data.fetched import Status, fetch, start, status_of, stop
from rnnviz.data.paxraw import Filters
from rnnviz.data.uploads import open_upload, read_table

CYCLE = ("2003-2004",)


@pytest.fixture
def site() -> Iterator[Site]:
    """The CDC's files of three people."""
    with serving() as made:
        yield with_cdc_files(made)


def fetched_by(site: Site, home: Path, days: int = 3) -> list[Status]:
    return list(fetch(home, address=site.url, cycles=CYCLE, filters=Filters(days=days)))


def test_what_is_fetched_is_an_upload_of_three_tables(site: Site, tmp_path: Path):
    *steps, last = fetched_by(site, tmp_path)
    assert [step.what for step in steps[:1]] == ["downloading BMX_C.xpt"]
    upload = open_upload(tmp_path, last.upload)
    assert [table.name for table in upload.tables] == [DAYS_OBJECT, MEANS_OBJECT, WEEKS_OBJECT]
    config = DataConfig(source="file", file=upload.id, table=DAYS_OBJECT)
    read, frame = reading.read_upload(config, tmp_path), read_table(upload, DAYS_OBJECT)
    minutes = [f"MIN{k}" for k in range(1, 1441)]
    np.testing.assert_array_equal(read.table.values, frame[minutes])
    assert read.layout(config).person == "SEQN"
    assert set(read.table.others) == {"SEQN", "WEEKDAY", "Race", "Gender", "Age", "BMI"}


def test_other_filters_make_another_upload_and_the_same_ones_the_same(site: Site, tmp_path: Path):
    three, seven = (fetched_by(site, tmp_path, days)[-1].upload for days in (3, 7))
    assert three != seven
    assert fetched_by(site, tmp_path, 3)[-1].upload == three


def test_the_command_tells_how_far_it_is(site, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RNNVIZ_HOME", str(tmp_path))
    order = ["data", "nhanes", "--address", site.url, "--cycles", *CYCLE, "--days", "7"]
    assert main(order) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("downloading BMX_C.xpt: ")
    assert any(line.startswith("unpacking PAXRAW_C.zip: 2 of 2 MB") for line in said)
    assert said[-1] == f"train on it: rnnviz train --file {status_of(tmp_path).upload}"
    site.status = 503
    assert main([*order[:3], site.url + "/elsewhere"]) == 2
    assert "answered 404" in capsys.readouterr().err
    assert "answered 404" in status_of(tmp_path).trouble


def test_a_process_of_its_own_tells_of_its_trouble(tmp_path: Path):
    with serving() as empty:
        job = start(tmp_path, empty.url)
        assert status_of(tmp_path).what == "starting"
        job.wait(60)
    assert status_of(tmp_path).trouble.startswith("127.0.0.1 answered 404")
    stop(job)


def test_a_stopped_process_keeps_what_it_has(site: Site, tmp_path: Path):
    site.slow_after = 400_000
    job = start(tmp_path, site.url)
    part = fetched.folder_of(tmp_path) / "BMX_C.xpt.part"
    until(lambda: part.exists() and part.stat().st_size > 0, within=60)
    began = time.monotonic()
    stop(job)
    assert time.monotonic() - began < 10
    assert part.stat().st_size > 0
    site.slow_after = None
    assert fetched_by(site, tmp_path)[-1].upload
    assert "bytes=" in next(asked for path, asked in reversed(site.asked) if "BMX" in path)


@pytest.mark.parametrize(
    ("status", "line", "share"),
    [
        (Status(what="a", done=5_000_000, total=10_000_000, unit="bytes"), "a: 5 of 10 MB", 0.5),
        (Status(what="a", done=5_000_000, unit="bytes"), "a: 5 MB", 0.0),
        (Status(what="reading days", done=1234, unit="people"), "reading days: 1,234 people", 0.0),
    ],
)
def test_a_status_in_words(status: Status, line: str, share: float):
    assert (str(status), status.share) == (line, share)
