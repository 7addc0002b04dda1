"""What runs there are, read from their directories each time: there is nothing to go stale."""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

from rnnviz.errors import RnnvizError, RunError
from rnnviz.events import Event, RunView, Score
from rnnviz.runs.codec import decode
from rnnviz.runs.files import TEMPORARY
from rnnviz.runs.lock import is_taken, taken
from rnnviz.runs.log import Cursor, read_lines
from rnnviz.runs.run import ID, Run, read_settings

KEEP_BYTES = 5_000_000_000  # of all runs together
FORGOTTEN = 30 * 86_400.0  # a run that has not ended counts as given up after so long [s]
PASSED_OVER = tuple(
    f'{{"type":"{kind}"'.encode() for kind in ("BatchEnded", "Checkpointed", "Sampled", "Traced")
)


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """One line in a list of runs."""

    id: str
    title: str
    created: float  # [s since 1970]
    status: str  # as in RunView
    worked_on: bool  # by a process, just now; "running" without one was broken off
    step: int
    epoch: int
    epochs: int  # that are wanted; 0 of a model from a file, which is not trained
    score: Score | None  # of the last epoch, on the validation part
    bytes: int  # on the disk


def list_runs(home: Path, owner: str) -> tuple[RunSummary, ...]:
    """An owner's runs, newest first."""
    found = []
    for directory in _directories(home):
        with suppress(OSError, ValueError, KeyError, TypeError):
            settings = read_settings(directory)
            if settings["owner"] == owner:
                found.append(_summary(directory, settings))
    return tuple(sorted(found, key=lambda summary: (-summary.created, summary.id)))


def delete(run: Run) -> None:
    """Removes a run with all that belongs to it.

    Raises:
        RunError: a process works on it, or it cannot be removed.
    """
    try:
        with taken(run.directory):
            gone = run.directory.with_name(f"{TEMPORARY}{run.id}")
            os.replace(run.directory, gone)  # whole or gone, whoever looks
        shutil.rmtree(gone)
    except OSError as wrong:
        raise RunError(
            f"the run cannot be deleted ({wrong.strerror}); see to the rights of its folder"
        ) from None


def prune(home: Path, *, now: float, keep_bytes: int = KEEP_BYTES) -> tuple[str, ...]:
    """Deletes runs, oldest first, until the rest take at most keep_bytes; gives their ids.

    Only runs that have ended, and those that nobody has looked at for 30 days. So the bound may be
    missed, by as much as runs that are still in use take.
    """
    for leftover in (Path(home) / "runs").glob(f"{TEMPORARY}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    sizes = {directory: _bytes(directory) for directory in _directories(home)}
    total, deleted = sum(sizes.values()), []
    for run in sorted(_readable(home, sizes), key=lambda run: run.created):
        if total <= keep_bytes:
            break
        if run.view().ended or run.unwatched_for(now) > FORGOTTEN:
            with suppress(RnnvizError):  # worked on just now, so in use
                delete(run)
                total -= sizes[run.directory]
                deleted.append(run.id)
    return tuple(deleted)


def _directories(home: Path) -> list[Path]:
    try:
        return [d for d in (Path(home) / "runs").iterdir() if ID.fullmatch(d.name)]
    except FileNotFoundError:
        return []


def _readable(home: Path, directories: dict[Path, int]) -> list[Run]:
    runs = []
    for directory in directories:
        with suppress(RunError):
            runs.append(Run.open(home, directory.name))
    return runs


def _summary(directory: Path, settings: dict) -> RunSummary:
    lines, _ = read_lines(directory / "events.jsonl", Cursor())
    # batches are most of a log and, but for the last, say nothing here
    telling = [line for line in lines if not line.startswith(PASSED_OVER)] + lines[-1:]
    events: list[Event] = [found.event for line in telling if (found := decode(line))]
    view = reduce(RunView.after, events, RunView())
    return RunSummary(
        id=directory.name,
        title=settings["title"],
        created=settings["created"],
        status=view.status,
        worked_on=is_taken(directory),
        step=view.step,
        epoch=view.epoch,
        epochs=view.started.epochs if view.started else settings["config"]["training"]["epochs"],
        score=view.epochs[-1].validation if view.epochs else None,
        bytes=_bytes(directory),
    )


def _bytes(directory: Path) -> int:
    total = 0
    with suppress(OSError):  # a file that goes away meanwhile
        for entry in (*os.scandir(directory), *os.scandir(directory / "traces")):
            total += entry.stat(follow_symlinks=False).st_size if entry.is_file() else 0
    return total
