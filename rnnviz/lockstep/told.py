"""What a race has told so far: from its Found events to arrays. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rnnviz.events import Found, RunView
from rnnviz.lockstep.settings import RUNNERS

AT = ", epoch "  # between a runner's name and the epoch
DISTANCE = "norm at distance "
FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Lap:
    """One runner after one epoch; epoch 0 is before training."""

    runner: str
    epoch: int
    numbers: Mapping[str, float]  # "train", "validation", "accuracy", "gradient norm", "weights"
    norms: Float[np.ndarray, " D"]  # of dL/dh by distance; empty where no trace was taken

    def to_event(self, step: int, epoch: int) -> Found:
        """The lap as what a run says."""
        norms = {f"{DISTANCE}{d}": float(value) for d, value in enumerate(self.norms)}
        return Found(
            step=step,
            epoch=epoch,
            about=f"{self.runner}{AT}{self.epoch}",
            numbers={**self.numbers, **norms},
            scores=(),
        )


def laps(view: RunView) -> dict[str, list[Lap]]:
    """Every runner's laps, in order."""
    found: dict[str, list[Lap]] = {name: [] for name in RUNNERS}
    for event in view.found:
        runner, told, epoch = event.about.rpartition(AT)
        if not told or runner not in found:
            continue
        norms = [value for name, value in event.numbers.items() if name.startswith(DISTANCE)]
        numbers = {k: v for k, v in event.numbers.items() if not k.startswith(DISTANCE)}
        found[runner].append(
            Lap(runner=runner, epoch=int(epoch), numbers=numbers, norms=np.array(norms))
        )
    return {name: sorted(some, key=lambda lap: lap.epoch) for name, some in found.items()}


Curves = dict[str, tuple[list[int], list[float]]]  # of each runner x and y


def curves_of(found: Mapping[str, list[Lap]], number: str) -> Curves:
    """One number of each runner over the epochs."""
    return {
        name: (
            [lap.epoch for lap in some if number in lap.numbers],
            [lap.numbers[number] for lap in some if number in lap.numbers],
        )
        for name, some in found.items()
    }


def by_distance(found: Mapping[str, list[Lap]], epoch: int) -> Curves:
    """The gradient's norm of each runner at each distance, after one epoch."""
    curves: Curves = {}
    for name, some in found.items():
        norms: list[float] = next((lap.norms.tolist() for lap in some if lap.epoch == epoch), [])
        curves[name] = (list(range(len(norms))), norms)
    return curves


def at_distance(found: Mapping[str, list[Lap]], distance: int) -> Curves:
    """The gradient's norm of each runner at one distance, over the epochs."""
    curves: Curves = {}
    for name, some in found.items():
        having = [lap for lap in some if len(lap.norms) > distance]
        curves[name] = (
            [lap.epoch for lap in having],
            [float(lap.norms[distance]) for lap in having],
        )
    return curves


def epoch_of(found: Mapping[str, list[Lap]]) -> int:
    """The last epoch that every runner who goes on has ended."""
    last = [some[-1].epoch for some in found.values() if some and FAILED not in some[-1].numbers]
    return min(last, default=0)
