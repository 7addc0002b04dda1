"""Who works on a run: one process at most, and anybody can see whether one does.

The kernel lets the lock go when its holder dies, however that happens. The mark inside the file is
what an orderly end wipes off: whoever finds one knows that the worker before was killed.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnnviz.errors import RunError

FILE = "lock"
BLANK = b" " * 20  # as long as any mark: on a full disk bytes can be changed but not added
TRIES = 10
PAUSE = 0.02  # between two tries [s]


def make_lock(folder: Path) -> None:
    """Makes the lock of a new run.

    Raises:
        OSError: there is no room.
    """
    (folder / FILE).write_bytes(BLANK)


@contextmanager
def taken(folder: Path) -> Iterator[bool]:
    """Holds the run; gives whether the holder before was killed.

    Raises:
        RunError: another process works on the run.
        OSError: the lock cannot be written.
    """
    handle = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle)
        killed = bool(os.pread(handle, len(BLANK), 0).strip())
        os.pwrite(handle, str(os.getpid()).encode().ljust(len(BLANK)), 0)
        try:
            yield killed
        finally:
            os.pwrite(handle, BLANK, 0)
    finally:
        os.close(handle)


def is_taken(folder: Path) -> bool:
    """Whether a process works on the run just now."""
    try:
        handle = os.open(folder / FILE, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(handle)


def holder(folder: Path) -> int | None:
    """The process that works on the run, or None."""
    try:
        return int((folder / FILE).read_text()) if is_taken(folder) else None
    except (OSError, ValueError):
        return None


def wipe_mark(folder: Path) -> None:
    """Makes an end at once an orderly one; only for the holder, just before it goes."""
    handle = os.open(folder / FILE, os.O_WRONLY)
    os.pwrite(handle, BLANK, 0)
    os.close(handle)


def _lock(handle: int) -> None:
    for _ in range(TRIES):
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # is_taken holds the lock for microseconds, and the kernel has no call that waits for
            # a lock but not for ever
            time.sleep(PAUSE)
    raise RunError(
        "another process works on this run already; wait until it ends, or close the other rnnviz"
    )
