"""Days of minutes, and the ways in which a day becomes a sequence. NumPy only."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from rnnviz.config import DataConfig
from rnnviz.data.dataset import SequenceDataset, Source, Task, Variable

MINUTES = 1440


@dataclass(frozen=True, kw_only=True)
class Days:
    """One row per person-day: a whole day by the minute and what is known of the person."""

    name: str
    minutes: Float[np.ndarray, "N 1440"]  # from midnight on
    unit: str  # of the minutes' values, such as "counts/min"
    ids: tuple[str, ...]
    target: Float[np.ndarray, " N"] | Int[np.ndarray, " N"]  # a number, or the class's index
    target_name: Variable
    classes: tuple[str, ...]  # empty for a number
    covariates: Float[np.ndarray, "N C"]  # factors as one column per level
    covariate_names: tuple[Variable, ...]
    groups: dict[str, tuple[str, ...]]
    wear: Float[np.ndarray, "N 1440"] | None  # 1 where the device was worn
    source: Source
    notes: tuple[str, ...] = ()


def as_sequences(days: Days, config: DataConfig) -> SequenceDataset:
    """Days as sequences in the blocks and on the scale of the settings.

    144x1 takes the mean of each 10 minutes, 24x60 gives each hour's 60 minutes to one step.
    log(1 + x) is taken of the blocks; standardising is left to training, which knows its part.
    """
    n = len(days.ids)
    steps = int(config.blocks.split("x")[0])
    per_step = MINUTES // steps
    blocks = days.minutes.reshape(n, steps, per_step)
    mean = blocks.mean(axis=2, keepdims=True)
    inputs = blocks if config.blocks == "24x60" else mean
    label = "activity" if per_step == 1 else f"mean of {per_step} min"
    names = tuple(
        Variable(f"minute {k + 1}" if inputs.shape[2] > 1 else label, days.unit)
        for k in range(inputs.shape[2])
    )
    logged = config.scale.startswith("log1p")
    if logged:
        inputs = np.log1p(np.maximum(inputs, 0))
        names = tuple(Variable(f"log(1 + {v.name})", "") for v in names)
    task = Task.CLASSIFICATION if days.classes else Task.REGRESSION
    target = np.array(days.target)
    return SequenceDataset(
        name=days.name,
        inputs=inputs.astype(np.float32),
        targets=target if days.classes else target.astype(np.float32)[:, None],
        lengths=np.full(n, steps),
        times=np.arange(steps, dtype=np.float64) * per_step,
        time_unit="min",
        features=names,
        outputs=(days.target_name,),
        classes=days.classes,
        ids=days.ids,
        covariates=days.covariates.astype(np.float32),
        covariate_names=days.covariate_names,
        groups=days.groups,
        wear=None if days.wear is None else days.wear.reshape(n, steps, per_step).mean(axis=2),
        standardise=config.scale.endswith("standard"),
        task=task,
        source=days.source,
        notes=days.notes,
    )
