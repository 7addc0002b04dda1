"""Who learns in lockstep, and what: tables. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig

TITLE = "Four cells in lockstep"  # of the run
PROGRAMS = {TITLE: "rnnviz.lockstep.race:fit_stored"}

RUNNERS: Mapping[str, Mapping[str, Any]] = {  # by name, settings of the network
    "RNN": {"cell": "rnn"},
    "ReLU RNN from I": {"cell": "rnn-relu", "recurrent_start": "identity"},
    "GRU": {"cell": "gru"},
    "LSTM": {"cell": "lstm"},
}


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is learned.

    Attributes:
        title: in the list of tasks.
        data: the world.
        distance: from the step of the loss back to the step that decides it; None: it varies.
        what: what stands at that distance.
    """

    title: str
    data: DataConfig
    distance: int | None
    what: str = ""


def _world(world: str, **settings: Any) -> DataConfig:
    return DataConfig(source="world", world=world, **settings)


TASKS: Mapping[str, Task] = {
    "names8": Task(
        title="Jane ... John, 8 words back",
        data=_world("names", delay=8, sequences=1000),
        distance=7,  # the answer comes after the last word that is read
        what="the name",
    ),
    "names25": Task(
        title="Jane ... John, 25 words back",
        data=_world("names", delay=25, sequences=1000),
        distance=24,
        what="the name",
    ),
    "adding": Task(
        title="The adding problem, 30 steps",
        data=_world("adding", window=30, sequences=1000),
        distance=None,
    ),
    "echo": Task(
        title="The echo, 8 steps delayed",
        data=_world("echo", window=32, delay=8, sequences=500),
        distance=8,
        what="the bit",
    ),
}


def race_on(task: str, *, units: int, epochs: int, rate: float, seed: int) -> RunConfig:
    """The settings that all runners share."""
    return RunConfig(
        data=TASKS[task].data,
        model=ModelConfig(hidden_size=units, attention="none"),
        training=TrainingConfig(epochs=epochs, learning_rate=rate, seed=seed),
    )


def of_runner(config: RunConfig, name: str) -> RunConfig:
    """One runner's settings."""
    return replace(config, model=replace(config.model, **RUNNERS[name]))


def task_of(config: RunConfig) -> Task | None:
    """The task that a run's data are of."""
    return next((task for task in TASKS.values() if task.data == config.data), None)
