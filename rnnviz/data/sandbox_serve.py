"""What every helper process of a Sandbox does: told on stdin what to read, it forks for each file.

It imports the readers once. The fork lowers its own limits before it looks at the file; this
process enforces the wall clock and tells a crash from a result. It ends when its standard input
does. What is read, and how, is the Task of the program that calls serve().
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
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, NoReturn

from rnnviz.data.sandbox import Limits
from rnnviz.data.unpack import MEMBER
from rnnviz.errors import DataError, RnnvizError

_LONGEST_VERDICT = 4096  # what a pipe takes in one piece
_LONGEST_SENTENCE = 900  # [characters], as a column's name may be of any length


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a helper does with files."""

    readers: Callable[[str], tuple[str, ...]]  # those to try in order, by the file's name
    # in the fork, with path, into, name and reader; {} or, of an archive, the name of its "member"
    parse: Callable[[Path, Path, str, str, Limits], dict[str, str]]
    causes: Mapping[str, str]  # why a reader came to no verdict, the most telling first


def serve(task: Task) -> None:
    """Answers each line of stdin with one line."""
    gc.freeze()  # forks then share these pages; one parse is over before garbage matters
    gc.disable()
    _answer("ready")
    buffer = b""
    while piece := os.read(0, 65536):
        buffer += piece
        while b"\n" in buffer:
            line, buffer = buffer.split(b"\n", 1)
            _answer(json.dumps(_serve(json.loads(line), task)))


def _answer(text: str) -> None:
    os.write(1, text.encode() + b"\n")


def _address_space() -> int:
    """What this process has mapped now [bytes]; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _serve(request: dict[str, Any], task: Task) -> dict[str, Any]:
    """What the readers say of a file, or of the one that an archive holds."""
    try:
        readers = task.readers(request["name"])
    except DataError as wrong:
        return {"error": str(wrong)}
    outcome = _tried(request, task, readers)
    if "member" not in outcome:
        return outcome
    member = Path(request["into"]) / MEMBER
    outcome = _serve({**request, "path": str(member), "name": outcome["member"]}, task)
    member.unlink(missing_ok=True)
    return outcome


def _tried(request: dict[str, Any], task: Task, readers: tuple[str, ...]) -> dict[str, Any]:
    """Tries each reader in a fork of its own until one gives a verdict."""
    limits = Limits(**request["limits"])
    base = _address_space()  # only now, as a task may load a reader when it is first needed
    until = time.monotonic() + limits.wall_seconds
    causes = []
    for reader in readers:
        cpu = max(1, limits.cpu_seconds // len(readers))
        outcome = _attempt(request, task, limits, reader, base=base, cpu=cpu, until=until)
        if "cause" not in outcome:
            return outcome
        causes.append(outcome["cause"])
    worst = next((cause for cause in task.causes if cause in causes), "damage")
    words = {"name": request["name"], "memory": f"{limits.memory_bytes / 2**20:,.0f} MiB"}
    return {"error": task.causes[worst].format(**words, **request["limits"])}


def _attempt(
    request: dict[str, Any],
    task: Task,
    limits: Limits,
    reader: str,
    *,
    base: int,
    cpu: int,
    until: float,
) -> dict[str, Any]:
    """One fork with one reader: {}, {"error": sentence} or {"cause": key of CAUSES}."""
    lifeline, held = os.pipe()  # carries the verdict, and closes when the fork ends
    pid = os.fork()
    if pid == 0:
        os.close(lifeline)
        _work(request, task, limits, reader, base=base, cpu=cpu, verdict=held)
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
    task: Task,
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
            outcome = task.parse(*paths, request["name"], reader, limits)
        except RnnvizError as wrong:
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
