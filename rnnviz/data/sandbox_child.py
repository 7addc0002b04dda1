"""The sandbox's helper process: python -m rnnviz.data.sandbox_child, told what to do on stdin.

It imports the readers once, then forks for every file. The fork lowers its own limits before it
looks at the file; this process enforces the wall clock and tells a crash from a result. It ends
when its standard input does.
"""

import errno
import gc
import json
import os
import resource
import select
import signal
import time
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pyarrow as pa

from rnnviz.data import frames, rdata
from rnnviz.data.columnar import read_parquet, read_sas
from rnnviz.data.delimited import read_delimited
from rnnviz.data.forms import FORMS, form_by_name
from rnnviz.data.sandbox import RESULT, Limits, Parsed, ParsedTable, Skipped
from rnnviz.data.unpack import MEMBER, member_of, unpack
from rnnviz.errors import DataError

_LONGEST_VERDICT = 4096  # what a pipe takes in one piece
_LONGEST_SENTENCE = 900  # [characters], as a column's name may be of any length


def main() -> None:
    """Answers each line of stdin with one line."""
    rdata.preload()
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    gc.freeze()  # forks then share these pages; one parse is over before garbage matters
    gc.disable()
    base = _address_space()
    _answer("ready")
    buffer = b""
    while piece := os.read(0, 65536):
        buffer += piece
        while b"\n" in buffer:
            line, buffer = buffer.split(b"\n", 1)
            _answer(json.dumps(_serve(json.loads(line), base)))


def _answer(text: str) -> None:
    os.write(1, text.encode() + b"\n")


def _address_space() -> int:
    """What this process has mapped now [bytes]; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _serve(request: dict[str, Any], base: int) -> dict[str, Any]:
    """Tries each reader in a fork of its own until one gives a verdict."""
    limits = Limits(**request["limits"])
    try:
        form = form_by_name(request["name"])
    except DataError as wrong:
        return {"error": str(wrong)}
    if form == "zip":
        outcome = _tried(request, limits, ("unzip",), base)
        if "member" not in outcome:
            return outcome
        member = Path(request["into"]) / MEMBER
        outcome = _serve({**request, "path": str(member), "name": outcome["member"]}, base)
        member.unlink(missing_ok=True)
        return outcome
    return _tried(request, limits, FORMS[form].readers, base)


def _tried(
    request: dict[str, Any], limits: Limits, readers: tuple[str, ...], base: int
) -> dict[str, Any]:
    """The first verdict of the readers."""
    until = time.monotonic() + limits.wall_seconds
    causes = []
    for reader in readers:
        cpu = max(1, limits.cpu_seconds // len(readers))
        outcome = _attempt(request, limits, reader, base=base, cpu=cpu, until=until)
        if "cause" not in outcome:
            return outcome
        causes.append(outcome["cause"])
    worst = next((cause for cause in CAUSES if cause in causes), "damage")
    words = {"name": request["name"], "memory": f"{limits.memory_bytes / 2**20:,.0f} MiB"}
    return {"error": CAUSES[worst].format(**words, **request["limits"])}


# Why a reader came to no verdict, the most telling first.
CAUSES = {
    "disk": "{name} cannot be kept now: the server's disk is full; try again later",
    "wall": "{name} takes longer than {wall_seconds:g} s to read, the most that is allowed; keep "
    "only the rows and columns that are needed and save it again",
    "memory": "{name} needs more memory than the {memory} that reading a file may use; keep only "
    "the rows and columns that are needed and save it again",
    "cpu": "{name} takes more than {cpu_seconds} s of computing to read, the most that is allowed; "
    "keep only the rows and columns that are needed and save it again",
    "crash": "{name} makes its reader crash, so it is damaged or made to do harm; save it again "
    "and upload the new file",
    "damage": "{name} is cut off or damaged, or holds what no reader knows; save it again and "
    "upload the new file",
}


def _attempt(
    request: dict[str, Any], limits: Limits, reader: str, *, base: int, cpu: int, until: float
) -> dict[str, Any]:
    """One fork with one reader: {}, {"error": sentence} or {"cause": key of CAUSES}."""
    lifeline, held = os.pipe()  # carries the verdict, and closes when the fork ends
    pid = os.fork()
    if pid == 0:
        os.close(lifeline)
        _work(request, limits, reader, base=base, cpu=cpu, verdict=held)
    os.close(held)
    ended = _wait(lifeline, until)
    said = os.read(lifeline, _LONGEST_VERDICT) if ended is End.ITSELF else b""
    os.close(lifeline)
    if said or ended is not End.ITSELF:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if ended is End.ALONE:
        os._exit(0)
    if ended is End.LATE:
        return {"cause": "wall"}
    if not said:
        cpu_over = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU
        return {"cause": "cpu" if cpu_over else "crash"}
    try:
        outcome = json.loads(said)
        return outcome if isinstance(outcome, dict) else {"cause": "crash"}
    except ValueError:
        return {"cause": "crash"}


class End(Enum):
    """Why waiting for a fork is over."""

    ITSELF = "the fork ended"
    LATE = "its time is over"
    ALONE = "the server is gone"


def _wait(lifeline: int, until: float) -> End:
    """Waits for the fork's end, its time's, or the server's."""
    ready, _, _ = select.select([lifeline, 0], [], [], max(0.0, until - time.monotonic()))
    if lifeline in ready:
        return End.ITSELF
    # The server says nothing while it waits for an answer, so stdin speaks only by ending.
    return End.ALONE if ready else End.LATE


def _work(
    request: dict[str, Any],
    limits: Limits,
    reader: str,
    *,
    base: int,
    cpu: int,
    verdict: int,
) -> NoReturn:
    """The fork's life: limits, parse, a line that says how it went."""
    try:
        _detach()
        _restrict(limits, base, cpu)
        try:
            paths = Path(request["path"]), Path(request["into"])
            outcome = JOBS.get(reader, _parse)(*paths, request["name"], reader, limits)
        except DataError as wrong:
            outcome = {"error": str(wrong)[:_LONGEST_SENTENCE]}
        except BaseException as wrong:
            outcome = {"cause": _cause(wrong)}
        said = json.dumps(outcome, ensure_ascii=False).encode("utf-8", "replace")
        os.write(verdict, said)
        os._exit(0)
    finally:
        os._exit(1)


def _cause(wrong: BaseException) -> str:
    """The memory limit shows as one of several exceptions, according to who met it."""
    if isinstance(wrong, OSError) and wrong.errno in (errno.ENOSPC, errno.EDQUOT):
        return "disk"
    text = f"{type(wrong).__name__} {wrong}".lower()
    short = ("memoryerror", "allocat", "bad_alloc", "out of memory", "cannot mmap")
    return "memory" if any(word in text for word in short) else "damage"


def _detach() -> None:
    """Away from the helper's pipes, so that nothing a library prints is taken for an answer."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    if null > 2:
        os.close(null)


def _restrict(limits: Limits, base: int, cpu: int) -> None:
    """Lowers the limits of this process for good."""
    sizes = {
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: limits.open_files,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: cpu,
    }
    if base:
        sizes[resource.RLIMIT_AS] = base + limits.memory_bytes
    for which, most in sizes.items():
        hard = resource.getrlimit(which)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # The system kills outright at the hard limit of CPU time, and signals at the soft one.
        grace = 1 if which == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else 0
        resource.setrlimit(which, (most, most + grace))
    signal.alarm(int(limits.wall_seconds) + 2)  # should the helper be gone by then


class Content(NamedTuple):
    """What a reader found."""

    tables: tuple[rdata.RTable, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


def _read_r(path: Path, _: Path, name: str, reader: str, limits: Limits) -> Content:
    found = rdata.read_r(path, name, reader, most_cells=limits.cells)
    return Content(found.tables, found.skipped)


def _read_text(path: Path, into: Path, name: str, _: str, limits: Limits) -> Content:
    read = read_delimited(path, name, into, most_cells=limits.cells)
    return Content(_named(name, "text table", read.table), notes=read.notes)


def _read_sas(path: Path, _: Path, name: str, __: str, limits: Limits) -> Content:
    return Content(_named(name, "SAS table", read_sas(path, name, most_cells=limits.cells)))


def _read_parquet(path: Path, _: Path, name: str, __: str, limits: Limits) -> Content:
    found = read_parquet(path, name, most_cells=limits.cells)
    why = "is a column of a kind that cannot be read"
    skipped = tuple(Skipped(name=column, why=why) for column in found.lost)
    return Content(_named(name, "Parquet table", found.table), skipped)


def _named(name: str, kind: str, table: pa.Table) -> tuple[rdata.RTable, ...]:
    return (rdata.RTable(name=name.split(".")[0] or "table", kind=kind, table=table),)


READERS: Mapping[str, Callable[[Path, Path, str, str, Limits], Content]] = {
    "rdata": _read_r,
    "pyreadr": _read_r,
    "csv": _read_text,
    "pandas": _read_sas,
    "pyarrow": _read_parquet,
}


def _unzip(path: Path, into: Path, name: str, _: str, limits: Limits) -> dict[str, str]:
    """Takes the one table out of an archive; the next fork reads it."""
    bounds = {"most_bytes": limits.unpacked_bytes, "most_ratio": limits.unpack_ratio}
    return {"member": member_of(path, name, into, **bounds)}


JOBS: Mapping[str, Callable[[Path, Path, str, str, Limits], dict[str, str]]] = {"unzip": _unzip}


def _parse(path: Path, into: Path, name: str, reader: str, limits: Limits) -> dict[str, str]:
    """Reads the file and writes its tables and the list of them."""
    plain = unpack(
        path, name, into, most_bytes=limits.unpacked_bytes, most_ratio=limits.unpack_ratio
    )
    found = READERS[reader](plain, into, name, reader, limits)
    tables = []
    for k, item in enumerate(found.tables):
        target = into / f"{k}.arrow"
        frames.write_table(item.table, target)
        tables.append(
            ParsedTable(
                name=item.name,
                kind=item.kind,
                rows=item.table.num_rows,
                columns=item.table.num_columns,
                types=frames.describe_types(item.table),
                path=target,
            )
        )
    parsed = Parsed(reader=reader, tables=tuple(tables), skipped=found.skipped, notes=found.notes)
    (into / RESULT).write_text(json.dumps(parsed.to_dict()), "utf-8")
    for leftover in ("unpacked", "recoded"):
        (into / leftover).unlink(missing_ok=True)
    return {}


if __name__ == "__main__":
    main()
