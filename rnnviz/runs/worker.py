"""The process that pumps runs: `python -m rnnviz.runs.worker [DIRECTORY]`.

With a directory it pumps that run until it ends or holds. Without one it imports ahead what
programs need, then takes one JSON line per run from standard input and answers each with one; it
ends within 2 s of the end of that input, so that no worker outlives its server.
"""

import argparse
import faulthandler
import json
import os
import pkgutil
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rnnviz.errors import RnnvizError
from rnnviz.runs.lock import wipe_mark
from rnnviz.runs.pump import Outcome, pump
from rnnviz.runs.run import Run

GRACE = 1.5  # for a step to end once nobody is there any more [s]
NICE = 10
LOG_BYTES = 1_000_000  # a longer worker.log begins anew


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; gives the exit status."""
    options = _options(arguments)
    worker = _Worker(options.lease, options.hold)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.end())
    if options.directory is None:
        os.nice(NICE)
        worker.serve(options.warm)
        return 0
    outcome = worker.work(options.directory)
    print(outcome.message or outcome.kind)
    return 0 if outcome.kind in ("finished", "paused", "closed") and not outcome.message else 1


class _Worker:
    """Pumps one run after the other."""

    def __init__(self, lease: float | None, hold: float) -> None:
        self.lease, self.hold = lease, hold
        self.closing = threading.Event()
        self.orders: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.at_work: Path | None = None

    def end(self) -> None:
        """Pauses the run at its next event and takes no other."""
        self.closing.set()
        self.orders.put(None)

    def work(self, directory: Path) -> Outcome:
        """Pumps one run."""
        try:
            run = Run.at(directory)
            self.at_work = run.directory
            return pump(
                run,
                clock=time.time,
                lease=self.lease,
                hold=self.hold,
                closing=self.closing,
            )
        except RnnvizError as refused:
            return Outcome(kind="busy", message=str(refused))
        finally:
            self.at_work = None

    def serve(self, warm: Sequence[str]) -> None:
        """Pumps what standard input names, until that ends."""
        answers = _private_output()
        threading.Thread(target=self._listen, daemon=True).start()
        for name in warm:
            with suppress(Exception):  # a run that needs it says what is wrong, to its owner
                pkgutil.resolve_name(name)
        _answer(answers, {"ready": os.getpid()})
        while not self.closing.is_set() and (order := self.orders.get()) is not None:
            directory = Path(order["run"])
            with _noise_to(directory / "worker.log"):
                outcome = self.work(directory)
            done = {
                "kind": outcome.kind,
                "seen": outcome.seen,
                "message": outcome.message,
            }
            _answer(answers, {"done": str(directory), **done})

    def _listen(self) -> None:
        """Passes orders on; at the end of the input, ends the process, whatever it is doing."""
        with suppress(OSError, ValueError):
            for line in sys.stdin.buffer:
                self.orders.put(json.loads(line))
        self.end()
        # only a daemon thread waits here: a main thread that comes to its end takes it along
        threading.Event().wait(GRACE)
        with suppress(OSError):
            if self.at_work is not None:
                wipe_mark(self.at_work)  # it was not the run that killed this process
        os._exit(0)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="rnnviz.runs.worker", description="Pumps runs.")
    parser.add_argument("directory", type=Path, nargs="?", help="pump this run, then end")
    parser.add_argument("--warm", nargs="*", default=[], help="modules to import ahead")
    parser.add_argument("--lease", type=float, help="pause a run unwatched for so long [s]")
    parser.add_argument("--hold", type=float, default=0.0, help="keep a held run at hand [s]")
    return parser.parse_args(arguments)


def _private_output() -> int:
    """Standard output for answers alone: what libraries print goes to standard error."""
    answers = os.dup(1)
    os.dup2(2, 1)
    return answers


def _answer(answers: int, message: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):  # the end of the input says the same
        os.write(answers, json.dumps(message).encode() + b"\n")


@contextmanager
def _noise_to(path: Path) -> Iterator[None]:
    """What a program prints, and where it crashed, goes to the file, from C code too."""
    kept = os.dup(2)
    try:
        with suppress(OSError):  # no run there, or no room: standard error then
            noise = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            if os.fstat(noise).st_size > LOG_BYTES:
                os.ftruncate(noise, 0)
            os.dup2(noise, 1)
            os.dup2(noise, 2)
            os.close(noise)
        faulthandler.enable(file=2)
        yield
    finally:
        faulthandler.disable()
        os.dup2(kept, 1)
        os.dup2(kept, 2)
        os.close(kept)


if __name__ == "__main__":
    sys.exit(main())
