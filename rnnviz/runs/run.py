"""A run is a directory: settings, log, traces, checkpoint, and what is wanted of it.

Any process that can read the directory can follow the run, any that can write it can steer it, and
whoever dies leaves it readable. No torch, no Streamlit, and no thread.
"""

import json
import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any, Self

from rnnviz.config import CELL_NAMES, RunConfig, source_name
from rnnviz.errors import RunError
from rnnviz.events import Checkpointed, Event, RunView, Snapshot, Traced
from rnnviz.runs.arrays import Arrays, load_arrays, load_trace, save_arrays, save_trace
from rnnviz.runs.codec import NumberedEvent
from rnnviz.runs.control import BY_HAND, Control, change_control, read_control
from rnnviz.runs.control import FILE as CONTROL
from rnnviz.runs.files import replace_file
from rnnviz.runs.lock import holder, make_lock
from rnnviz.runs.log import Cursor, EventLog, Reading, read_events
from rnnviz.trace import Survey, Trace

ID = re.compile(r"[0-9a-f]{20}")
PROGRAM = "rnnviz.train:fit_stored"
RESERVE = 16_384  # kept back so that a full disk can still be reported [bytes]


def new_id() -> str:
    """An id that no run has."""
    return secrets.token_hex(10)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A handle on the directory home/runs/<id>; it holds no file open."""

    home: Path
    id: str
    owner: str
    title: str
    created: float  # [s since 1970]
    program: str  # "module:function" of the generator that does the work
    config: RunConfig

    @classmethod
    def create(
        cls,
        home: Path,
        config: RunConfig,
        *,
        owner: str,
        now: float,
        program: str = PROGRAM,
        title: str = "",
        id: str = "",
    ) -> Self:
        """A new run that waits for a runner; with an id of new_id where that is known ahead.

        Raises:
            RunError: the directory cannot be written.
        """
        run = cls(
            home=Path(home),
            id=id or new_id(),
            owner=owner,
            title=title or title_of(config),
            created=now,
            program=program,
            config=config,
        )
        try:
            run.directory.mkdir(parents=True, mode=0o700)
            run.traces.mkdir()
            make_lock(run.directory)
            run.keep_reserve()
            run.watch(now)
            # last, because a directory without settings is no run yet
            replace_file(run.directory / "settings.json", run._settings(), durable=True)
        except OSError as wrong:
            raise RunError(
                f"the run cannot be written to {home} ({wrong.strerror}); "
                "make room there, or start rnnviz with another folder"
            ) from None
        return run

    @classmethod
    def open(cls, home: Path, id: str, *, owner: str | None = None) -> Self:
        """The run of this id; with an owner, only if it is theirs.

        Raises:
            RunError: there is no such run.
        """
        missing = RunError("there is no such run; choose one from the list, or start a new one")
        if not ID.fullmatch(id):
            raise missing
        try:
            values = read_settings(Path(home) / "runs" / id)
            config = RunConfig.from_dict(values.pop("config"))
            run = cls(home=Path(home), id=id, config=config, **values)
        except (OSError, ValueError, KeyError, TypeError):
            raise missing from None
        if owner is not None and run.owner != owner:
            raise missing  # the same words: an id is nobody else's business
        return run

    @classmethod
    def at(cls, directory: Path) -> Self:
        """The run in this directory.

        Raises:
            RunError: there is none.
        """
        directory = Path(directory).resolve()
        return cls.open(directory.parents[1], directory.name)

    @property
    def directory(self) -> Path:
        """Where everything of the run lies."""
        return self.home / "runs" / self.id

    @property
    def traces(self) -> Path:
        """Where the traces lie, one file per epoch."""
        return self.directory / "traces"

    @property
    def log(self) -> Path:
        """The file of the events."""
        return self.directory / "events.jsonl"

    # What happened

    def events(self, after: int = 0) -> tuple[NumberedEvent, ...]:
        """All events with a number above `after`; read() does the same without reading twice."""
        return tuple(e for e in self.read(Cursor())[0] if e.n > after)

    def read(self, cursor: Cursor) -> tuple[tuple[NumberedEvent, ...], Cursor]:
        """The events after the cursor, and the cursor after them."""
        return read_events(self.log, cursor)

    def follow(self, reading: Reading) -> Reading:
        """What is known by now; the same object where nothing is new."""
        events, cursor = self.read(reading.cursor)
        if cursor == reading.cursor:
            return reading
        view = reduce(RunView.after, (numbered.event for numbered in events), reading.view)
        return Reading(view=view, cursor=cursor)

    def view(self) -> RunView:
        """The fold of all events."""
        return self.follow(Reading()).view

    def trace(self, epoch: int) -> tuple[Trace | None, Survey | None]:
        """What was recorded after an epoch; of a network too large to trace, the survey alone.

        Raises:
            RunError: nothing was recorded then, or it cannot be read.
        """
        return load_trace(self.traces / f"{int(epoch)}.npz")

    def arrays(self, epoch: int) -> Arrays:
        """The arrays of a Snapshot after an epoch.

        Raises:
            RunError: none were kept then, or they cannot be read.
        """
        return load_arrays(self.traces / f"{int(epoch)}.arrays.npz")

    def checkpoint(self) -> bytes | None:
        """All that is needed to go on, as it was last saved."""
        try:
            return (self.directory / "checkpoint.bin").read_bytes()
        except FileNotFoundError:
            return None

    def worked_on_by(self) -> int | None:
        """The process that works on the run just now, or None."""
        return holder(self.directory)

    # What is wanted

    def control(self) -> Control:
        """What is wanted now."""
        return read_control(self.directory)

    def pause(self, reason: str = BY_HAND, *, expected: int | None = None) -> Control:
        """Holds the run before its next step, with a checkpoint."""
        return self._wish(expected=expected, wanted="pause", reason=reason)

    def resume(self) -> Control:
        """Lets the run go on to its end; then give it to a runner again, which does no harm."""
        return self._wish(wanted="run", until_step=None, until_epoch=None, reason=BY_HAND)

    def step_to(self, step: int) -> Control:
        """Lets the run go on until so many optimiser steps are done since its start."""
        return self._wish(wanted="run", until_step=step, until_epoch=None, reason=BY_HAND)

    def epoch_to(self, epoch: int) -> Control:
        """Lets the run go on until this epoch has ended."""
        return self._wish(wanted="run", until_step=None, until_epoch=epoch, reason=BY_HAND)

    def stop(self) -> Control:
        """Ends the run for good."""
        return self._wish(wanted="stop")

    def set_learning_rate(self, rate: float) -> Control:
        """Sets the rate from the next optimiser step on.

        Raises:
            ConfigError: the rate is outside of its range.
        """
        checked = replace(self.config.training, learning_rate=rate)
        return self._wish(learning_rate=checked.learning_rate)

    def set_teacher_forcing(self, share: float) -> Control:
        """Sets how often a decoder reads the true token, from the next optimiser step on.

        Raises:
            ConfigError: the share is outside of its range.
        """
        checked = replace(self.config.translation, teacher_forcing=share)
        return self._wish(teacher_forcing=checked.teacher_forcing)

    def watch(self, now: float) -> None:
        """Notes that somebody looks at the run."""
        path = self.directory / "watched"
        try:
            os.utime(path, (now, now))
        except FileNotFoundError:
            path.touch()
            os.utime(path, (now, now))

    def unwatched_for(self, now: float) -> float:
        """For how long nobody has looked at the run or steered it [s]."""
        looks = [self.created]
        for name in ("watched", CONTROL):
            with suppress(FileNotFoundError):
                looks.append(os.stat(self.directory / name).st_mtime)
        return max(0.0, now - max(looks))

    # What the worker writes; only the holder of the run's lock may

    def append(self, event: Event) -> NumberedEvent:
        """Writes one event with what belongs to it; a worker keeps the log open instead.

        Raises:
            OSError: there is no room; nothing of before is lost.
        """
        with EventLog(self.log) as log:
            self.keep(event)
            return log.append(event)

    def keep(self, event: Event) -> None:
        """Saves what does not go into the log: arrays, and a checkpoint's bytes.

        Raises:
            OSError: there is no room; what was saved before still is.
        """
        if isinstance(event, Traced):
            save_trace(self.traces / f"{event.epoch}.npz", event.trace, event.survey)
        elif isinstance(event, Snapshot):
            save_arrays(self.traces / f"{event.epoch}.arrays.npz", event.arrays)
        elif isinstance(event, Checkpointed):
            replace_file(self.directory / "checkpoint.bin", event.state, durable=True)

    def keep_reserve(self) -> None:
        """Sets some room aside.

        Raises:
            OSError: there is none.
        """
        reserve = self.directory / "reserve"
        if not reserve.exists():
            replace_file(reserve, bytes(RESERVE))

    def note(self, text: str) -> None:
        """Adds to worker.log, which is for whoever mends rnnviz.

        Raises:
            OSError: there is no room.
        """
        with open(self.directory / "worker.log", "a", encoding="utf-8") as file:
            file.write(text.rstrip("\n") + "\n")

    def _wish(self, **wish: Any) -> Control:
        try:
            return change_control(self.directory, **wish)
        except FileNotFoundError:
            raise RunError("this run was deleted; start a new one") from None
        except OSError as wrong:
            raise RunError(
                f"the run cannot be steered ({wrong.strerror}); make room on the disk, then retry"
            ) from None

    def _settings(self) -> bytes:
        values = {
            "owner": self.owner,
            "title": self.title,
            "created": self.created,
            "program": self.program,
            "config": self.config.to_dict(),
        }
        return json.dumps(values, indent=1).encode()


def read_settings(directory: Path) -> dict[str, Any]:
    """The fields of a Run as they stand in its directory.

    Raises:
        OSError: there is no run.
        ValueError: its settings cannot be read.
    """
    return json.loads((directory / "settings.json").read_bytes())


def title_of(config: RunConfig) -> str:
    """Such as 'LSTM, 2 layers of 32, additive attention: NHANES activity (simulated)'."""
    model = config.model
    parts = [
        CELL_NAMES[model.cell] + (", bidirectional" if model.bidirectional else ""),
        f"{model.layers} layers of {model.hidden_size}"
        if model.layers > 1
        else f"{model.hidden_size} units",
    ]
    if model.attention != "none":
        parts.append(f"{model.attention} attention")
    return f"{', '.join(parts)}: {source_name(config.data)}"
