"""The log of a run: one line per event, appended with one write, never changed.

A reader takes whole lines only, so that a line torn by a crash does not exist for anybody; the
next writer cuts it off.
"""

import os
from pathlib import Path
from typing import NamedTuple, Self

from rnnviz.events import Event, RunView
from rnnviz.runs.codec import NumberedEvent, decode, encode


class Cursor(NamedTuple):
    """How far a log has been read."""

    offset: int = 0  # [bytes]


class Reading(NamedTuple):
    """What is known of a run, and how far its log was read for that."""

    view: RunView = RunView()
    cursor: Cursor = Cursor()


class EventLog:
    """The writer of a log; a run has one at a time."""

    def __init__(self, path: Path) -> None:
        """Opens the log, or begins it, and cuts off a torn last line.

        Raises:
            OSError: the file cannot be written.
        """
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        data = path.read_bytes()
        self._end = data.rfind(b"\n") + 1
        self._n = data.count(b"\n")
        if self._end < len(data):
            os.ftruncate(self._file, self._end)

    def append(self, event: Event) -> NumberedEvent:
        """Writes one event.

        Raises:
            OSError: there is no room; the log is as it was.
        """
        line = encode(event, self._n + 1)
        try:
            if os.write(self._file, line) < len(line):  # a full disk takes a part
                raise OSError(28, "No space left on device")
        except OSError:
            os.ftruncate(self._file, self._end)
            raise
        self._n += 1
        self._end += len(line)
        return NumberedEvent(self._n, event)

    @property
    def count(self) -> int:
        """Events in the log."""
        return self._n

    def sync(self) -> None:
        """Waits until all events are on the disk.

        Raises:
            OSError: the disk refuses.
        """
        os.fsync(self._file)

    def close(self) -> None:
        """Ends the writing."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_lines(path: Path, cursor: Cursor) -> tuple[list[bytes], Cursor]:
    """The whole lines after the cursor, and the cursor after them.

    A log without news costs one question for its size.
    """
    try:
        size = os.stat(path).st_size
        if size == cursor.offset:
            return [], cursor
        with open(path, "rb") as file:
            # shorter than what was read: somebody put another log there, and folding it anew
            # does no harm
            start = cursor.offset if size > cursor.offset else 0
            file.seek(start)
            data = file.read()
    except FileNotFoundError:
        return [], cursor
    whole = data[: data.rfind(b"\n") + 1]
    return whole.splitlines(), Cursor(start + len(whole))


def read_events(path: Path, cursor: Cursor) -> tuple[tuple[NumberedEvent, ...], Cursor]:
    """The events after the cursor, and the cursor after them; unknown ones are left out."""
    lines, cursor = read_lines(path, cursor)
    found = (decode(line) for line in lines)
    return tuple(numbered for numbered in found if numbered is not None), cursor
