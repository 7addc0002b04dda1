"""What a world is: data made by a rule that is known, and with it the answers. NumPy only."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from rnnviz.config import DataConfig
from rnnviz.data.dataset import Known, MappingType, SequenceDataset, Source, Task, Variable

SEED = 1  # of what is drawn: a world is the same each time

MEMORYLESS = "memoryless limit"  # nobody who knows the present step only does better
ONE_WAY = "left-to-right limit"  # nobody does better who knows what came before, not what follows
ENTROPY_FLOOR = "entropy floor"  # nobody does better at all [nats]
NOISE_FLOOR = "noise floor"  # the same for numbers: the variance of what nobody can know
CHANCE = "chance"  # who knows nothing and guesses


@dataclass(frozen=True, kw_only=True)
class World:
    """One line of WORLDS."""

    make: Callable[[DataConfig], SequenceDataset]
    mapping: MappingType
    settings: tuple[str, ...]  # of the data, which matter to it
    suggested: Mapping[str, Any]  # settings of any kind, with which it is learned soon


def made(
    *,
    title: str,
    inputs: Float[np.ndarray, "N T F"] | Int[np.ndarray, "N T"],
    targets: Shaped[np.ndarray, "N ..."],
    task: Task,
    whose: str,
    outputs: tuple[Variable, ...],
    known: tuple[Known, ...],
    notes: tuple[str, ...],
    **more: Any,
) -> SequenceDataset:
    """A data set of whole sequences without covariates; those that are alike share an id."""
    n, steps = inputs.shape[:2]
    return SequenceDataset(
        **{
            "name": title,
            "inputs": inputs,
            "targets": targets,
            "lengths": np.full(n, steps),
            "times": np.arange(steps, dtype=np.float64),
            "time_unit": "step",
            "outputs": outputs,
            "ids": ids_of(inputs, whose.removesuffix("s")),
            "whose": whose,
            "covariates": np.zeros((n, 0), dtype=np.float32),
            "groups": {},
            "known": known,
            "task": task,
            "source": Source(title=title, authors="Made by a rule, the same each time"),
            "notes": notes,
            **more,
        }
    )


def ids_of(inputs: Shaped[np.ndarray, "N ..."], kind: str) -> tuple[str, ...]:
    """A name for each sequence; the same for the same sequence, as no split may cut through it."""
    flat = inputs.reshape(len(inputs), -1)
    _, first, group = np.unique(flat, axis=0, return_index=True, return_inverse=True)
    return tuple(f"{kind} {row + 1}" for row in first[group.ravel()])


def everywhere(
    name: str,
    rows: int,
    value: float,
    *,
    metric: str = "loss",
    floor: bool = False,
    **others: float,
) -> Known:
    """An answer that is the same for every sequence."""
    expected = np.full(rows, value, dtype=np.float64)
    return Known(name=name, metric=metric, expected=expected, others=others, floor=floor)


def memoryless(joint: Float[np.ndarray, "V K"]) -> tuple[float, float]:
    """Cross-entropy [nats] and accuracy of the best who knows the present token only.

    Args:
        joint: how often, or how probably, each token comes with each target.
    """
    share = joint / joint.sum()
    given = share.sum(axis=1, keepdims=True)
    some = share > 0
    loss = -float((share * np.log(np.where(some, share / np.where(given > 0, given, 1), 1))).sum())
    return max(0.0, loss), float(share.max(axis=1).sum())
