"""What the tests of runs ask: waiting for conditions, what a run told, a disk that gets full."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from rnnviz.events import BatchEnded, EpochEnded, Event, Failed, Finished, Paused, Traced
from rnnviz.runs.run import Run

SOON = 4.0  # the two seconds that a worker may take to end, on a busy machine [s]


def until(true: Callable[[], bool], within: float = 10.0) -> None:
    """Waits for a condition; fails where it does not come true in time [s]."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.005)


@contextmanager
def a_small_disk(folder: Path) -> Iterator[Path]:
    """A folder with room for 512 KiB."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", folder]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only the superuser may make a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> Path:
    """Takes all the room that is left, with a file."""
    stuffing = disk / "stuffing"
    with open(stuffing, "wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    return stuffing


def gone(pid: int) -> bool:
    """Whether a process has ended, be it that nobody has asked for its status yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def told(run: Run) -> dict[tuple[str, int, int], Event]:
    """What a run's program said, each thing once: what a crash repeats must be the same again."""
    said: dict[tuple[str, int, int], Event] = {}
    for _, event in run.events():
        if isinstance(event, EpochEnded | BatchEnded | Traced | Finished | Failed):
            key = (type(event).__name__, event.step, event.epoch)
            assert said.get(key, event) == event
            said[key] = event
    return said


def reasons(run: Run) -> list[str]:
    """Why the run paused, each time."""
    return [e.reason for _, e in run.events() if isinstance(e, Paused)]
