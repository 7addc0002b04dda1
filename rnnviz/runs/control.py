"""What is wanted of a run: a small file that is replaced whole. A wish may arrive twice.

Nobody commands a worker: people and the worker's own rules change what is wanted, and the worker
compares that with where the run stands, between any two events.
"""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnviz.runs.files import folder_lock, replace_file

FILE = "control.json"
BY_HAND = "paused by hand; press Resume to go on"


@dataclass(frozen=True, kw_only=True)
class Control:
    """The wanted state. `number` grows with every change, so that a change can be noticed."""

    number: int = 0
    wanted: str = "run"  # run, pause, stop
    until_step: int | None = None  # holds once so many optimiser steps are done
    until_epoch: int | None = None  # holds once this epoch has ended
    learning_rate: float | None = None  # None: the rate of the settings
    teacher_forcing: float | None = None  # the same, of a network that translates
    reason: str = BY_HAND  # of a pause

    def hold(self, *, step: int, epochs: int) -> str:
        """Why a run holds that has done so many steps and ended so many epochs, or ""."""
        if self.wanted == "pause":
            return self.reason
        if self.until_step is not None and step >= self.until_step:
            return f"step {self.until_step} is done"
        if self.until_epoch is not None and epochs >= self.until_epoch:
            return f"epoch {self.until_epoch} is done"
        return ""


def read_control(folder: Path) -> Control:
    """What is wanted now; without a word from anybody, to run."""
    try:
        return Control(**json.loads((folder / FILE).read_bytes()))
    except (FileNotFoundError, ValueError, TypeError):
        return Control()  # a loss of power can leave an empty file: a wish is made again


def change_control(folder: Path, *, expected: int | None = None, **wish: Any) -> Control:
    """Changes what is wanted; a wish that is in force already changes nothing.

    A stop is final. expected: change nothing where the number is another by now.

    Raises:
        OSError: the file cannot be written.
    """
    with folder_lock(folder):
        before = read_control(folder)
        after = dataclasses.replace(before, **wish)
        late = expected is not None and before.number != expected
        if before.wanted == "stop" or after == before or late:
            return before
        after = dataclasses.replace(after, number=before.number + 1)
        replace_file(folder / FILE, json.dumps(dataclasses.asdict(after)).encode())
        return after
