"""Parses files that people upload, in a limited child process and never in this one.

A helper interpreter (sandbox_child) is started with subprocess, keeps the readers imported, and
forks once per file; what a file does to its reader ends with that fork. Results come back as Arrow
files. No reader of a foreign file format is imported here.
"""

import dataclasses
import json
import os
import queue
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import rnnviz
from rnnviz.errors import DataError

RESULT = "parsed.json"
TABLES = "rnnviz.data.sandbox_child"  # the program that reads R files and text tables
_START_SECONDS = 120.0  # importing the readers on a machine that is busy
_GRACE_SECONDS = 10.0  # what the helper may need beyond the wall clock limit to say so


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one parse may use."""

    memory_bytes: int = 1 << 30  # address space beyond that of the idle helper
    cpu_seconds: int = 20  # of all readers together
    wall_seconds: float = 30.0
    file_bytes: int = 1 << 30  # of any file written
    open_files: int = 64
    cells: int = 60_000_000  # rows x columns of one table
    unpacked_bytes: int = 500_000_000
    unpack_ratio: int = 1000  # times its own size, for files that unpack to over 100 MB


LIMITS = Limits()


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """An object of a file that was not read, and why; "name why" is a sentence."""

    name: str
    why: str


@dataclass(frozen=True, kw_only=True)
class ParsedTable:
    """A table of a file, now in an Arrow file of ours (frames.read_frame)."""

    name: str
    kind: str  # "data frame", "matrix" or "text table"
    rows: int
    columns: int
    types: str  # in words, such as "1443 number columns, 2 factors"
    path: Path


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """What a file holds."""

    reader: str  # "rdata", "pyreadr" or "csv"
    tables: tuple[ParsedTable, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()  # how it was read, such as the delimiter

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON; tables by their file's name alone."""
        values = dataclasses.asdict(self)
        for table in values["tables"]:
            table["path"] = table["path"].name
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any], folder: Path) -> Self:
        """The inverse of to_dict, for tables in the folder.

        Raises:
            KeyError, TypeError, ValueError: these are not such values.
        """
        tables = []
        for table in values["tables"]:
            path = folder / Path(str(table["path"])).name
            tables.append(ParsedTable(**{**table, "path": path}))
        return cls(
            reader=str(values["reader"]),
            tables=tuple(tables),
            skipped=tuple(Skipped(**s) for s in values["skipped"]),
            notes=tuple(str(note) for note in values["notes"]),
        )


class Sandbox:
    """Parses files in helpers that start when first needed; safe to share between threads.

    A helper that died is replaced. All end when closed, or with this process.
    """

    def __init__(self, *, limits: Limits = LIMITS, helpers: int = 2, program: str = TABLES) -> None:
        """With so many files parsed at a time; a further one waits.

        Args:
            program: the module that a helper runs, which says what it reads.
        """
        self.limits = limits
        # Last in, first out: a second helper is started only while the first one is busy.
        self._idle: queue.LifoQueue[_Helper] = queue.LifoQueue()
        self._helpers = tuple(_Helper(program) for _ in range(helpers))
        for helper in self._helpers:
            self._idle.put(helper)

    def start(self) -> None:
        """Starts a helper now, so that the first parse need not wait for it."""
        helper = self._idle.get()
        try:
            helper.start()
        finally:
            self._idle.put(helper)

    def parse(self, path: Path, name: str, into: Path) -> Parsed:
        """The tables of a file, written as Arrow files into an existing, empty folder.

        Args:
            path: the uploaded file.
            name: the name that it came with; its ending says what it promises to be.
            into: where results go. After a DataError leftovers may lie there.

        Raises:
            DataError: the file cannot be read, with the reason in one sentence.
        """
        self.read(path, name, into)
        try:
            return Parsed.from_dict(json.loads((into / RESULT).read_text("utf-8")), into)
        except (OSError, KeyError, TypeError, ValueError):
            raise DataError(f"{name} could not be read; save it again and upload that") from None

    def read(self, path: Path, name: str, into: Path) -> None:
        """Has a file read, as in parse; what comes of it lies in the folder, as the program says.

        Raises:
            DataError: the file cannot be read, with the reason in one sentence.
        """
        request = {
            "path": str(path.resolve()),
            "name": name,
            "into": str(into.resolve()),
            "limits": dataclasses.asdict(self.limits),
        }
        helper = self._idle.get()
        try:
            answer = helper.ask(request, self.limits.wall_seconds + _GRACE_SECONDS)
        finally:
            self._idle.put(helper)
        if answer is None:
            raise DataError(f"{name} made its reader fail; check the file or save it again")
        if "error" in answer:
            raise DataError(str(answer["error"]))

    def pids(self) -> tuple[int, ...]:
        """Process ids of the helpers that run."""
        return tuple(h.process.pid for h in self._helpers if h.process is not None)

    def close(self) -> None:
        """Ends the helpers, after what they are parsing."""
        taken = [self._idle.get() for _ in self._helpers]
        for helper in taken:
            helper.close()
            self._idle.put(helper)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class _Helper:
    """One helper process; used by one thread at a time."""

    def __init__(self, program: str) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the process unless it runs."""
        if self.process is not None and self.process.poll() is None:
            return
        self.close()
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", self.program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the server, which then ends it
        )
        if self._line(_START_SECONDS) != b"ready":
            self.close()
            raise DataError("files cannot be read now: the reading process does not start")

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """The answer to a request, or None if the helper died of it or kept silent."""
        for _ in range(2):  # the first may find a helper that died while it was idle
            self.start()
            process = self.process
            assert process is not None
            assert process.stdin is not None
            try:
                process.stdin.write(json.dumps(request).encode() + b"\n")
                process.stdin.flush()
            except BrokenPipeError:
                self.close()
                continue
            line = self._line(seconds)
            if line:
                answer = json.loads(line)
                return answer if isinstance(answer, dict) else None
            self.close()
            if line is None:
                break
        return None

    def _line(self, seconds: float) -> bytes | None:
        """The next line from the process; empty if it ended, None if the time is over."""
        assert self.process is not None
        assert self.process.stdout is not None
        stream, until, line = self.process.stdout, time.monotonic() + seconds, b""
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, until - time.monotonic())):
                    return None
                piece = os.read(stream.fileno(), 65536)
                if not piece:
                    return b""
                line += piece
        return line.strip()

    def close(self) -> None:
        """Ends the process and whatever it forked."""
        process, self.process = self.process, None
        if process is None:
            return
        for stream in (process.stdin, process.stdout):
            try:
                if stream is not None:
                    stream.close()
            except BrokenPipeError:
                pass
        try:
            process.wait(timeout=2)  # it ends with its stdin, and takes its fork along
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # a session of its own: itself and its fork
            process.wait()


def _environment() -> dict[str, str]:
    """One thread per library, as a process with more must not fork, and no secrets."""
    kept = {k: os.environ[k] for k in ("PATH", "LANG", "LC_ALL", "TMPDIR") if k in os.environ}
    root = str(Path(rnnviz.__file__).resolve().parents[1])
    return kept | {
        "PYTHONPATH": root,
        "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
        # Arrow's own allocators reserve address space and start a thread.
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
    }
