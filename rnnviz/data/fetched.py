"""The real NHANES as an upload: fetched, made into tables, kept; its state is a file to read."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from rnnviz.data.cdc import ADDRESS, CYCLES, Study, prepare
from rnnviz.data.download import Progress, receipt
from rnnviz.data.paxraw import Filters
from rnnviz.data.uploads import keep_tables
from rnnviz.errors import DataError

NAME = "NHANES 2003-2006"
_STATUS = "status.json"


@dataclass(frozen=True, kw_only=True)
class Status:
    """How far the fetch is."""

    what: str = ""  # such as "downloading PAXRAW_C.zip"
    done: int = 0
    total: int = 0  # 0: not known
    unit: str = ""
    upload: str = ""  # the id of what came of it, once it is done
    trouble: str = ""  # why it came to nothing, in one sentence

    @property
    def share(self) -> float:
        """Of the part that is going on; 0 where its end is not known."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    def __str__(self) -> str:
        """One line for people."""
        if self.unit != "bytes":
            return f"{self.what}: {self.done:,} {self.unit}"
        of = f" of {self.total / 1e6:,.0f}" if self.total else ""
        return f"{self.what}: {self.done / 1e6:,.0f}{of} MB"


def folder_of(home: Path) -> Path:
    """Where the CDC's files are kept."""
    return home / "nhanes"


def fetch(
    home: Path,
    *,
    address: str = ADDRESS,
    cycles: tuple[str, ...] = tuple(CYCLES),
    filters: Filters | None = None,
) -> Iterator[Status]:
    """Fetches what is missing and keeps the three tables as an upload; its id comes last.

    Raises:
        DataError: as cdc.prepare.
    """
    filters = filters or Filters()
    folder = folder_of(home)
    for step in prepare(folder, address=address, cycles=cycles, filters=filters):
        match step:
            case Progress():
                yield Status(what=step.what, done=step.done, total=step.total, unit=step.unit)
            case Study():
                mark = _mark(folder, cycles, filters)
                kept = keep_tables(step.tables, NAME, home, mark=mark, notes=step.notes)
                yield Status(what="done", upload=kept.id)


def _mark(folder: Path, cycles: tuple[str, ...], filters: Filters) -> bytes:
    """What decides the tables: the files by their checksums, and the filters."""
    receipts = (receipt(file) for file in sorted(folder.glob("*_*.[xz]*[tp]")))
    sums = [found.sha256 for found in receipts if found is not None]
    return hashlib.sha256(repr((sums, cycles, filters)).encode()).digest()


# -- as a process of its own, followed from others -------------------------------------------------


def start(home: Path, address: str) -> subprocess.Popen[bytes]:
    """Fetches in a process of its own, which ends with this one."""
    tell(home, Status(what="starting"))
    command = [sys.executable, "-P", "-m", "rnnviz", "data", "nhanes", "--follow"]
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path if entry)
    return subprocess.Popen(
        [*command, "--address", address],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "RNNVIZ_HOME": str(home), "PYTHONPATH": path},
        start_new_session=True,
    )


def stop(job: subprocess.Popen[bytes]) -> None:
    """Ends such a process; what it has fetched is kept."""
    job.terminate()
    job.wait()
    if job.stdin is not None:
        job.stdin.close()


def tell(home: Path, status: Status) -> None:
    """Write the state for others.

    Raises:
        DataError: it cannot be written.
    """
    folder = folder_of(home)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"{_STATUS}.new"
        draft.write_text(json.dumps(asdict(status)), "utf-8")
        os.replace(draft, folder / _STATUS)
    except OSError as wrong:
        raise DataError(f"{folder} cannot be written ({wrong.strerror}); make room") from None


def status_of(home: Path) -> Status:
    """The state as it was told last."""
    with suppress(OSError, ValueError, TypeError):
        return Status(**json.loads((folder_of(home) / _STATUS).read_text("utf-8")))
    return Status()
