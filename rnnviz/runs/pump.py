"""Takes the events of a run's program one by one into its directory, and obeys what is wanted.

Between two events the pump compares what is wanted with where the run stands. To hold, it asks the
program for a checkpoint and then takes no further event; to stop, it closes the program. It never
interrupts a step. Knows the program by its name only: no torch.
"""

import errno
import pkgutil
import threading
import traceback
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rnnviz.config import RunConfig
from rnnviz.errors import RnnvizError
from rnnviz.events import (
    Checkpointed,
    EpochEnded,
    Event,
    Failed,
    Finished,
    ForcingChanged,
    Paused,
    RateChanged,
    Resumed,
    RunView,
    Sampled,
    Snapshot,
    Traced,
)
from rnnviz.runs.control import Control, change_control
from rnnviz.runs.files import sweep
from rnnviz.runs.lock import taken
from rnnviz.runs.log import EventLog, Reading
from rnnviz.runs.publisher import Publisher
from rnnviz.runs.run import Run
from rnnviz.wishes import Wishes

Program = Callable[[RunConfig, Path, bytes | None], Generator[Event, Wishes, None]]

LIVE = ("learning_rate", "teacher_forcing")  # of Control and Wishes: changed while a run goes on
CHANGED = (RateChanged, ForcingChanged)  # what a program says of it
TRIES = 4  # workers that may be lost between two checkpoints
LOOK = 0.05  # how often a held run looks whether it may go on [s]
SAVES = 1.0  # shortest time between two checkpoints that nobody asked for [s]
CLOSED = "rnnviz was closed; press Resume to go on"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Why a pump let a run go."""

    kind: str  # finished, failed, paused, closed, busy
    seen: int = 0  # number of the Control that led to it: a later one is still to be obeyed
    message: str = ""  # what could not be written to the run itself


def pump(
    run: Run,
    *,
    clock: Callable[[], float],
    lease: float | None = None,
    hold: float = 0.0,
    closing: threading.Event | None = None,
) -> Outcome:
    """Pumps a run until it ends or holds.

    clock: the time of day, that of Run.watch [s].
    lease: a run that nobody has looked at for so long is paused [s]; None: never.
    hold: how long a held run stays at hand, so that one more step comes at once [s].
    closing: once set, the run is paused at the next event.

    Raises:
        RunError: another process works on the run.
    """
    try:
        with taken(run.directory) as killed:
            pumping = _Pumping(run, clock, lease, hold, closing or threading.Event())
            try:
                return pumping.go(killed)
            finally:
                pumping.close()
    except OSError as wrong:
        return Outcome(kind="paused", seen=run.control().number, message=trouble(wrong))


def trouble(wrong: OSError) -> str:
    """What to tell people when a run cannot be written."""
    if wrong.errno in (errno.ENOSPC, errno.EDQUOT):
        return "the disk is full; make room, then press Resume to go on from the last checkpoint"
    why = wrong.strerror or type(wrong).__name__
    return f"the run cannot be written to disk ({why}); mend that, then press Resume"


class _Pumping:
    """One go at a run: its open log, its program once that is needed, and where it stands."""

    def __init__(
        self,
        run: Run,
        clock: Callable[[], float],
        lease: float | None,
        hold: float,
        closing: threading.Event,
    ) -> None:
        self.run, self.clock, self.lease, self.hold, self.closing = (
            run,
            clock,
            lease,
            hold,
            closing,
        )
        self.log = EventLog(run.log)
        self.publisher = Publisher(self.log, clock)
        self.program: Generator[Event, Wishes, None] | None = None
        self.control = Control()
        self.view = RunView()
        self.step = self.epoch = self.epochs = self.attempt = 0
        self.sent: dict[str, float | None] = dict.fromkeys(LIVE)  # the last that the program got
        self.last: Event | None = None  # that the program gave
        self.unsaved: Checkpointed | None = None  # given, but not worth a wait for the disk yet
        self.saved_at = clock()

    def go(self, killed: bool) -> Outcome:
        """Pumps until the run ends or holds."""
        try:
            ended = self._take_up(killed)
            while ended is None:
                ended = self._turn()
            return ended
        except OSError as wrong:
            return self._in_trouble(wrong)

    def close(self) -> None:
        """Ends the program and the log."""
        with suppress(Exception):  # a program that fails while it is closed has no more to say
            if self.program is not None:
                self.program.close()
        self.log.close()

    # One turn: look, then act

    def _turn(self) -> Outcome | None:
        self.control = self._look()
        why = self._why_not_on()
        if why and self._resumable():
            self._save()
            return self._stop() if self.control.wanted == "stop" else self._held(why)
        event = self._next(self._wishes(why))
        return self._took(event)

    def _look(self) -> Control:
        """What is wanted; a run that nobody looks at is wanted to pause."""
        control = self.run.control()
        alone = self.run.unwatched_for(self.clock()) if self.lease is not None else 0.0
        if self.lease is None or alone <= self.lease or control.wanted != "run":
            return control
        reason = f"nobody has looked at this run for {self.lease:g} s; press Resume to go on"
        return change_control(
            self.run.directory, expected=control.number, wanted="pause", reason=reason
        )

    def _why_not_on(self) -> str:
        if self.control.wanted == "stop":
            return "stopped by hand"
        if self.closing.is_set():
            return CLOSED
        return self.control.hold(step=self.step, epochs=self.epochs)

    def _resumable(self) -> bool:
        """Whether going on later is going on from just here."""
        return self.program is None or isinstance(self.last, Checkpointed)

    def _wishes(self, why: str) -> Wishes:
        """One wish at a time; none amid the events of an epoch's end, which bring a checkpoint."""
        if isinstance(self.last, EpochEnded | Sampled | Traced | Snapshot):
            return Wishes()
        if why or isinstance(self.last, CHANGED):  # what was changed is kept for good
            return Wishes(checkpoint=True)
        if self.program is None:
            return Wishes()
        wanted = {name: getattr(self.control, name) for name in LIVE}
        new = next((name for name in LIVE if wanted[name] != self.sent[name]), None)
        if new is None:
            return Wishes()
        self.sent[new] = wanted[new]
        return Wishes(**{new: wanted[new]})

    # Events of the program

    def _next(self, wishes: Wishes) -> Event:
        """The program's next event; its faults become a Failed."""
        try:
            if self.program is None:
                self.program = self._start()
                return next(self.program)
            return self.program.send(wishes)
        except RnnvizError as mistake:
            return self._failed(str(mistake))
        except StopIteration:
            return self._failed("training ended without a result; this is a fault in rnnviz")
        except MemoryError:
            return self._failed(
                "the memory was too small; choose fewer units, shorter sequences or smaller batches"
            )
        except Exception as fault:
            self.run.note(traceback.format_exc())
            return self._failed(
                f"training broke off by a fault in rnnviz ({type(fault).__name__}); "
                f"please report it with the file worker.log of run {self.run.id}"
            )

    def _start(self) -> Generator[Event, Wishes, None]:
        fit: Program = pkgutil.resolve_name(self.run.program)
        return fit(self.run.config, self.run.home, self.run.checkpoint())

    def _failed(self, message: str) -> Failed:
        return Failed(step=self.step, epoch=self.epoch, message=message, where="")

    def _took(self, event: Event) -> Outcome | None:
        """Puts the event where it belongs; an outcome if it was the last."""
        keeps_change = isinstance(self.last, CHANGED)
        self.last = event
        self.step, self.epoch = max(self.step, event.step), max(self.epoch, event.epoch)
        if isinstance(event, Checkpointed):
            self.unsaved = event
            if keeps_change or abs(self.clock() - self.saved_at) >= SAVES:
                self._save()
            return None
        if isinstance(event, EpochEnded):
            self.epochs = max(self.epochs, event.epoch)
        if isinstance(event, Finished | Failed):
            self._save()  # the last good weights
        self.run.keep(event)
        self.publisher.publish(event)
        if isinstance(event, Finished | Failed):
            self.log.sync()
            return self._outcome("finished" if isinstance(event, Finished) else "failed")
        return None

    def _save(self) -> None:
        """Puts the newest checkpoint on the disk, after all the events that led to it."""
        if self.unsaved is None:
            return
        self.publisher.flush()
        self.log.sync()
        self.run.keep(self.unsaved)
        self.log.append(self.unsaved)
        self.unsaved = None
        self.saved_at = self.clock()
        self.attempt = 0

    # Beginning, holding, ending

    def _take_up(self, killed: bool) -> Outcome | None:
        """Learns where the run stands; after a crash, counts it."""
        sweep(self.run.directory)
        sweep(self.run.traces)
        with suppress(OSError):
            self.run.keep_reserve()
        self.view = self.run.follow(Reading()).view
        self.step, self.epoch = self.view.step, self.view.epoch
        self.epochs = self.view.epochs[-1].epoch if self.view.epochs else 0
        if self.view.ended:
            return self._outcome(self.view.status)
        if killed and self.view.status != "paused":
            self.attempt = 1 + self._lost_workers()
        if self.attempt >= TRIES:
            return self._took(
                self._failed(
                    f"the worker process died {TRIES} times after step {self.step}, most often a "
                    "sign of too little memory; choose fewer units, shorter sequences or smaller "
                    "batches and start a new run"
                )
            )
        self.control = self._look()
        known = bool(self.log.count) or killed
        if known and not self._why_not_on():
            self._say(Resumed(step=self.step, epoch=self.epoch, attempt=self.attempt))
            self.log.sync()
        return None

    def _lost_workers(self) -> int:
        """Attempts since the last checkpoint that got further than the one before it."""
        furthest, attempts = -1, 0
        for _, event in self.run.events():
            if isinstance(event, Checkpointed) and event.step > furthest:
                furthest, attempts = event.step, 0
            elif isinstance(event, Resumed) and event.attempt:
                attempts = event.attempt
        return attempts

    def _held(self, why: str) -> Outcome | None:
        """Waits at hand until the run may go on; None: it may."""
        if self.view.status != "paused":
            self._say(Paused(step=self.step, epoch=self.epoch, reason=why))
        until = self.clock() + self.hold
        while self._why_not_on():
            if self.control.wanted == "stop":
                return None
            if self.closing.is_set():
                return self._outcome("closed")
            if not self.clock() < until:
                return self._outcome("paused")
            self.closing.wait(LOOK)
            self.control = self.run.control()
        self._say(Resumed(step=self.step, epoch=self.epoch, attempt=self.attempt))
        return None

    def _stop(self) -> Outcome:
        self._say(
            Finished(step=self.step, epoch=self.epoch, reason="stopped by hand", scorecard=())
        )
        return self._outcome("finished")

    def _say(self, event: Event) -> None:
        """An event of the pump's own."""
        self.publisher.publish(event)
        self.view = self.view.after(event)

    def _outcome(self, kind: str, message: str = "") -> Outcome:
        return Outcome(kind=kind, seen=self.control.number, message=message)

    def _in_trouble(self, wrong: OSError) -> Outcome:
        """Pauses as well as a disk allows that takes no more."""
        reason = trouble(wrong)
        (self.run.directory / "reserve").unlink(missing_ok=True)
        with suppress(OSError):
            self.log.append(Paused(step=self.step, epoch=self.epoch, reason=reason))
        with suppress(OSError, RnnvizError):
            self.control = self.run.pause(reason)
        return self._outcome("paused", reason)
