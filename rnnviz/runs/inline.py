"""Pumps in the caller until the run ends or holds: for tests and scripts. No process, no thread."""

import time
from collections.abc import Callable
from pathlib import Path

from rnnviz.runs.base import Runner
from rnnviz.runs.pump import pump
from rnnviz.runs.run import Run


class InlineRunner(Runner):
    """submit() comes back when the run has ended or holds."""

    def __init__(self, home: Path | None = None, *, clock: Callable[[], float] = time.time) -> None:
        """home is not needed: a run knows its own."""
        del home
        self._clock = clock
        self._troubles: dict[str, str] = {}

    def warm(self) -> None:
        """Does nothing."""

    def submit(self, run: Run) -> None:
        """Pumps the run.

        Raises:
            RunError: another process works on the run.
        """
        self._troubles[run.id] = pump(run, clock=self._clock).message

    def place(self, run: Run) -> int | None:  # noqa: ARG002
        """None: whoever asks is the worker."""
        return None

    def trouble(self, run: Run) -> str:
        """What could not be written to the run itself."""
        return self._troubles.get(run.id, "")

    def has_room(self, owner: str) -> bool:  # noqa: ARG002
        """Always: a run is worked on by whoever submits it."""
        return True

    def close(self) -> None:
        """Does nothing."""
