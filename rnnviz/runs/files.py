"""Files that are whole at every moment, whoever is killed. No events, no settings."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY = ".new-"


def replace_file(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Puts data in the place of what is there, at once: a reader finds the old or the new.

    durable: survives a loss of power too, for the price of two waits for the disk.

    Raises:
        OSError: the data cannot be written; what was there before still is.
    """
    temporary = path.parent / f"{TEMPORARY}{path.name}-{secrets.token_hex(4)}"
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Waits until the names in the folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path) -> None:
    """Removes what a killed writer left half written. Only the sole writer of a folder may."""
    for leftover in folder.glob(f"{TEMPORARY}*"):
        leftover.unlink(missing_ok=True)


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """One holder at a time among all processes and threads; the others wait."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
