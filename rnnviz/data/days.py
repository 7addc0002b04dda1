"""Days, and the ways in which a day becomes a sequence. NumPy only."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from rnnviz.config import DataConfig
from rnnviz.data.dataset import MASK, SequenceDataset, Source, Task, Variable
from rnnviz.data.quality import Quality

MINUTES = 1440
_CHUNK = 4096  # rows of which logarithms are taken at a time, so that no copy of all is made


@dataclass(frozen=True, kw_only=True)
class Days:
    """One row per person-day: a whole day in S steps, of a minute each where there are 1440."""

    name: str
    minutes: Float[np.ndarray, "N S"]  # from midnight on
    unit: str  # of the steps' values, such as "counts/min"
    ids: tuple[str, ...]
    target: Float[np.ndarray, " N"] | Int[np.ndarray, " N"]  # a number, or the class's index
    target_name: Variable
    classes: tuple[str, ...]  # empty for a number
    covariates: Float[np.ndarray, "N C"]  # factors as one column per level
    covariate_names: tuple[Variable, ...]
    groups: dict[str, tuple[str, ...]]
    wear: Float[np.ndarray, "N S"] | None  # 1 where the device was worn
    source: Source
    quality: Quality | None = None  # None: made here, without gaps
    notes: tuple[str, ...] = ()


def as_sequences(days: Days, config: DataConfig) -> SequenceDataset:
    """Days as sequences in the blocks and on the scale of the settings.

    144x1 takes the mean of each 10 minutes, 24x60 gives each hour's 60 minutes to one step. Days
    that come in hours or quarters have no more steps than that.
    log(1 + x) is taken of the blocks; standardising is left to training, which knows its part.
    """
    n, parts = days.minutes.shape
    steps = min(int(config.blocks.split("x")[0]), parts)
    per_step = parts // steps
    inputs = _blocks(days.minutes, steps, config)
    measured = _measured(days.unit, MINUTES // parts, per_step, inputs.shape[2])
    features = _logarithms(measured) if _logged(config) else measured
    wear = None if days.wear is None else days.wear.reshape(n, steps, per_step).mean(axis=2)
    if config.mask:
        mask = np.ones((n, steps), dtype=np.float32) if wear is None else wear
        inputs = np.concatenate([inputs, mask[:, :, None].astype(np.float32)], axis=2)
        features = (*features, MASK)
    return SequenceDataset(
        name=days.name,
        inputs=inputs,
        targets=_targets(days),
        lengths=np.full(n, steps),
        times=np.arange(steps, dtype=np.float64) * (MINUTES // steps),
        time_unit="min",
        features=features,
        outputs=(days.target_name,),
        classes=days.classes,
        ids=days.ids,
        covariates=days.covariates.astype(np.float32),
        covariate_names=days.covariate_names,
        groups=days.groups,
        wear=wear,
        standardise=config.scale.endswith("standard"),
        logged=measured if _logged(config) else (),
        task=Task.CLASSIFICATION if days.classes else Task.REGRESSION,
        source=days.source,
        quality=days.quality,
        notes=days.notes,
    )


def _blocks(
    minutes: Float[np.ndarray, "N S"], steps: int, config: DataConfig
) -> Float[np.ndarray, "N T F"]:
    """The values of every step, on the scale of the settings."""
    n, parts = minutes.shape
    features = parts // steps if config.blocks == "24x60" else 1
    out = np.empty((n, steps, features), dtype=np.float32)
    for start in range(0, n, _CHUNK):
        rows = slice(start, start + _CHUNK)
        blocks = minutes[rows].reshape(-1, steps, parts // steps)
        values = blocks if config.blocks == "24x60" else blocks.mean(axis=2, keepdims=True)
        out[rows] = np.log1p(np.maximum(values, 0)) if _logged(config) else values
    return out


def _logged(config: DataConfig) -> bool:
    return config.scale.startswith("log1p")


def _measured(unit: str, minutes_each: int, per_step: int, count: int) -> tuple[Variable, ...]:
    """What the values of a step are called; one of them lasts `minutes_each`."""
    label = "activity" if per_step == 1 else f"mean of {per_step * minutes_each} min"
    names = [f"minute {k * minutes_each + 1}" for k in range(count)] if count > 1 else [label]
    return tuple(Variable(name, unit) for name in names)


def _logarithms(measured: tuple[Variable, ...]) -> tuple[Variable, ...]:
    return tuple(Variable(f"log(1 + {variable.name})") for variable in measured)


def _targets(days: Days) -> Float[np.ndarray, "N 1"] | Int[np.ndarray, " N"]:
    target = np.array(days.target)
    return target if days.classes else target.astype(np.float32)[:, None]
