"""Pumps runs in warm processes on this machine, a bounded number at a time; the others queue.

One thread deals the runs out and hears the workers; it alone starts and buries processes. A worker
that dies is replaced, and its run goes to the head of the queue and on from its checkpoint: how
often that may happen is for the pump to judge, which knows the run's history.
"""

import json
import os
import selectors
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from rnnviz.errors import RnnvizError, RunError
from rnnviz.events import Failed
from rnnviz.runs.base import Runner
from rnnviz.runs.inline import InlineRunner
from rnnviz.runs.lock import taken
from rnnviz.runs.run import Run

LEASE = 60.0  # a run that nobody has looked at for so long is paused [s]
HOLD = 10.0  # a held run keeps its worker for so long, so that one more step comes at once [s]
ROUND = 0.5  # longest time between two looks after the workers [s]
CLOSE = 2.5  # for the workers to end by themselves [s]
STILLBORN = 4  # workers that may die in a row before they are ready

# A second thread on two busy cores makes a step many times slower.
ONE_THREAD: Mapping[str, str] = {
    f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS", "NUMEXPR")
}


class Load(NamedTuple):
    """How busy a runner is."""

    running: int
    queued: int
    slots: int


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much a runner takes on."""

    slots: int  # runs at a time
    queued: int = 60  # runs that may wait, of all people
    running_each: int = 1  # runs at a time of one owner
    queued_each: int = 3  # runs of one owner that may wait

    @classmethod
    def of_this_machine(cls) -> "Limits":
        """One core stays free for the server."""
        try:
            cores = len(os.sched_getaffinity(0))  # those that a container leaves us
        except AttributeError:  # macOS has no such call
            cores = os.cpu_count() or 1
        return cls(slots=max(1, cores - 1))


@dataclass(eq=False)
class _Worker:
    """A process and what it does; only the dealing thread changes one."""

    process: subprocess.Popen[bytes]
    run: Run | None = None
    ready: bool = False
    dead: bool = False
    heard: bytes = b""


class LocalRunner(Runner):
    """Slots, a queue, and the workers that serve them."""

    def __init__(
        self,
        home: Path,
        *,
        limits: Limits | None = None,
        lease: float | None = LEASE,
        hold: float = HOLD,
        modules: Sequence[str] = ("rnnviz.train", "torch._dynamo"),  # the first optimiser loads it
    ) -> None:
        """modules: imported by every worker ahead of its first run."""
        self.home, self.limits = Path(home), limits or Limits.of_this_machine()
        self.home.mkdir(parents=True, exist_ok=True)
        self._command = _command(lease, hold, modules)
        self._guard = threading.Lock()  # of the fields below
        self._queue: list[Run] = []
        self._workers: list[_Worker] = []
        self._troubles: dict[str, str] = {}  # by run id
        self._wanted = 0  # workers to keep ready
        self._stillborn = 0
        self._closed = False
        self._selector = selectors.DefaultSelector()
        self._bell, self._ring = socket.socketpair()
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._deal, name="rnnviz runs", daemon=True)
        self._thread.start()

    def warm(self, workers: int | None = None) -> None:
        """Starts workers ahead, one for each slot if not said otherwise."""
        with self._guard:
            self._wanted = min(workers or self.limits.slots, self.limits.slots)
        self._wake()

    def submit(self, run: Run) -> None:
        """Queues the run if it is not here yet; ends one at once that is to stop.

        Raises:
            RunError: too many runs wait already.
        """
        stops = run.control().wanted == "stop"
        with self._guard:
            if self._closed:
                raise RunError("rnnviz is closing; start it again, then press Resume")
            self._troubles.pop(run.id, None)
            if self._running(run.id):
                return
            queued = run.id in (waiting.id for waiting in self._queue)
            if stops:
                self._queue = [waiting for waiting in self._queue if waiting.id != run.id]
            elif not queued:
                self._check_room(run.owner)
                self._queue.append(run)
        if stops:
            with suppress(RunError):  # whoever else works on it obeys the stop as well
                InlineRunner().submit(run)  # writes one line; the program is not even started
        self._wake()

    def place(self, run: Run) -> int | None:
        """0: being worked on; 1, 2, ...: its place in the queue; None: not here."""
        with self._guard:
            if self._running(run.id):
                return 0
            ids = [waiting.id for waiting in self._queue]
            return ids.index(run.id) + 1 if run.id in ids else None

    def trouble(self, run: Run) -> str:
        """What could not be written to the run itself, since it was last submitted."""
        with self._guard:
            return self._troubles.get(run.id, "")

    def load(self) -> Load:
        """How busy the runner is."""
        with self._guard:
            running = sum(worker.run is not None for worker in self._workers)
            return Load(running, len(self._queue), self.limits.slots)

    def has_room(self, owner: str) -> bool:
        """Whether a slot is free, and the owner has not enough going on already."""
        load = self.load()
        with self._guard:
            return load.running < load.slots and self._of(owner) < self.limits.running_each

    def close(self) -> None:
        """Ends all workers, after checkpoints where a step allows; the queue is forgotten."""
        with self._guard:
            self._closed = True
        self._wake()
        self._thread.join()
        for worker in self._workers:
            _hang_up(worker)
        for worker in self._workers:
            _bury(worker, CLOSE)
        self._workers.clear()
        self._queue.clear()

    # Called with the guard held

    def _running(self, id: str) -> bool:
        return any(worker.run is not None and worker.run.id == id for worker in self._workers)

    def _of(self, owner: str) -> int:
        return sum(w.run is not None and w.run.owner == owner for w in self._workers)

    def _check_room(self, owner: str) -> None:
        limits = self.limits
        if len(self._queue) >= limits.queued:
            raise RunError(
                f"rnnviz is busy: {len(self._queue)} runs wait, and no more than {limits.queued} "
                "may; try again in a few minutes"
            )
        own = self._of(owner) + sum(waiting.owner == owner for waiting in self._queue)
        if own >= limits.running_each + limits.queued_each:
            raise RunError(
                f"{own} of your runs are going on or waiting, and no more than {own} may; "
                "stop one of them, or wait until one ends"
            )

    # The dealing thread

    def _wake(self) -> None:
        with suppress(OSError):
            self._ring.send(b"!")

    def _deal(self) -> None:
        while True:
            for key, _ in self._selector.select(ROUND):
                if key.data is None:
                    self._bell.recv(4096)
                else:
                    self._hear(key.data)
            with self._guard:
                if self._closed:
                    break
                self._replace_dead()
                self._start_wanted()
                self._hand_out()
        self._selector.close()
        self._bell.close()
        self._ring.close()

    def _hear(self, worker: _Worker) -> None:
        assert worker.process.stdout is not None
        said = os.read(worker.process.stdout.fileno(), 65_536)
        worker.dead = worker.dead or not said
        *lines, worker.heard = (worker.heard + said).split(b"\n")
        with self._guard:
            for line in lines:
                message = json.loads(line)
                if "ready" in message:
                    worker.ready = True
                    self._stillborn = 0
                else:
                    self._done(worker, message)

    def _done(self, worker: _Worker, message: Mapping[str, Any]) -> None:
        run, worker.run = worker.run, None
        if run is None:
            return
        if message["message"]:
            self._troubles[run.id] = message["message"]
        if message["kind"] not in ("paused", "closed"):
            return
        control = run.control()
        if control.number != message["seen"] and control.wanted != "pause":
            self._queue.insert(0, run)  # somebody pressed Resume while the worker let go

    def _replace_dead(self) -> None:
        for worker in list(self._workers):
            if not worker.dead and worker.process.poll() is None:
                continue
            assert worker.process.stdout is not None
            self._selector.unregister(worker.process.stdout)
            self._workers.remove(worker)
            _bury(worker, 0.0)
            self._stillborn += not worker.ready
            if worker.run is not None:
                self._queue.insert(0, worker.run)
        if self._stillborn >= STILLBORN:
            self._give_up()

    def _give_up(self) -> None:
        """Workers cannot even start: says so to all who wait, and tries again for the next."""
        message = (
            "the worker process cannot be started on this computer; "
            f"the file {self.home / 'workers.log'} says why"
        )
        for run in self._queue:
            with suppress(OSError, RnnvizError), taken(run.directory):
                view = run.view()
                if not view.ended:
                    failed = Failed(step=view.step, epoch=view.epoch, message=message, where="")
                    run.append(failed)
        self._queue.clear()
        self._wanted = self._stillborn = 0

    def _start_wanted(self) -> None:
        free = sum(worker.run is None for worker in self._workers)
        missing = min(len(self._queue), self.limits.slots) - free
        missing = max(missing, self._wanted - len(self._workers))
        for _ in range(min(missing, self.limits.slots - len(self._workers))):
            try:
                with open(self.home / "workers.log", "ab") as log:
                    process = subprocess.Popen(
                        self._command,
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=log,
                        env=_environment(),
                        bufsize=0,
                        start_new_session=True,  # Ctrl-C is for the server, which tells them
                    )
            except OSError:
                self._stillborn += 1
                return
            worker = _Worker(process)
            self._workers.append(worker)
            assert process.stdout is not None
            self._selector.register(process.stdout, selectors.EVENT_READ, worker)

    def _hand_out(self) -> None:
        for worker in self._workers:
            run = self._next_run() if worker.ready and not worker.dead and not worker.run else None
            if run is None:
                continue
            assert worker.process.stdin is not None
            self._queue.remove(run)
            worker.run = run
            order = json.dumps({"run": str(run.directory.resolve())}).encode() + b"\n"
            try:
                worker.process.stdin.write(order)
            except OSError:
                worker.dead = True  # the next round buries it and puts the run back
                self._wake()

    def _next_run(self) -> Run | None:
        """The first in the queue whose owner has not enough going on already."""
        each = self.limits.running_each
        return next((run for run in self._queue if self._of(run.owner) < each), None)


def _command(lease: float | None, hold: float, modules: Sequence[str]) -> list[str]:
    # -P: the folder in which rnnviz was started is no place to import from
    command = [sys.executable, "-P", "-m", "rnnviz.runs.worker", "--hold", str(hold)]
    if lease is not None:
        command += ["--lease", str(lease)]
    return [*command, "--warm", *modules]


def _environment() -> dict[str, str]:
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path if entry)
    return {**os.environ, **ONE_THREAD, "PYTHONPATH": path}


def _hang_up(worker: _Worker) -> None:
    with suppress(OSError):
        if worker.process.stdin is not None:
            worker.process.stdin.close()


def _bury(worker: _Worker, patience: float) -> None:
    """Waits for the process to end, then makes it."""
    _hang_up(worker)
    try:
        worker.process.wait(patience)
    except subprocess.TimeoutExpired:
        worker.process.kill()
        worker.process.wait()
    if worker.process.stdout is not None:
        worker.process.stdout.close()
