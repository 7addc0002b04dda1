"""The race: one training for each runner, an epoch each in turn. Torch, by way of train.fit.

What is said of each runner are Found events, one after each epoch; steps and epochs of the other
events count through all runners, so that the run's progress is that of the whole.
"""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from rnnviz.config import RunConfig
from rnnviz.data.dataset import SequenceDataset
from rnnviz.data.sources import load
from rnnviz.events import (
    BatchEnded,
    Checkpointed,
    EpochEnded,
    Event,
    Failed,
    Finished,
    Started,
    Traced,
)
from rnnviz.inside.matrix import go_back
from rnnviz.inside.network import Network, sequence_of
from rnnviz.lockstep.settings import RUNNERS, of_runner
from rnnviz.lockstep.told import FAILED, Lap
from rnnviz.trace import Trace
from rnnviz.train import Stream
from rnnviz.train import fit as train


def fit_stored(config: RunConfig, home: Path, state: bytes | None = None) -> Stream:
    """The race on the data that the settings name.

    Raises:
        RnnvizError: the data or the settings cannot be used.
    """
    yield from fit(config, load(config.data, home), state)


def fit(
    config: RunConfig,
    dataset: SequenceDataset,
    state: bytes | None = None,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Stream:
    """All runners learn from the same data, the same batches and the same seed.

    What is broken off is taken up again at the beginning of a runner's epoch.

    Raises:
        ConfigError: the settings do not fit the data.
    """
    yield from _Race(config, dataset, clock).stream(state)


class _Race:
    """The locals of fit: who runs, and where everybody stands."""

    def __init__(
        self, config: RunConfig, dataset: SequenceDataset, clock: Callable[[], float]
    ) -> None:
        self.config, self.dataset, self.clock = config, dataset, clock
        self.done, self.batches = 0, 0  # laps of all runners; of one epoch
        self.states: dict[str, bytes] = {}  # of each runner after its last epoch
        self.out: set[str] = set()  # runners whose numbers stopped being finite
        self.running: dict[str, Stream] = {}

    def stream(self, state: bytes | None) -> Stream:
        if state is not None:
            self._load(state)
            yield self._checkpoint()
        names = list(RUNNERS)
        while self.done < len(names) * self.config.training.epochs:
            name = names[self.done % len(names)]
            if name not in self.out:
                yield from self._lap(name)
            self.done += 1
            yield from self._say(self._checkpoint())
        step, epoch = self._position()
        yield Finished(step=step, epoch=epoch, reason="All epochs are done.", scorecard=())

    def _lap(self, name: str) -> Stream:
        """One runner's next epoch."""
        config, number = of_runner(self.config, name), self.done // len(RUNNERS) + 1
        if name not in self.running:
            known = self.states.get(name)
            self.running[name] = train(config, self.dataset, known, clock=self.clock)
            if known is not None:
                next(self.running[name])  # says where it goes on
        numbers: dict[str, float] = {}
        norms: Float[np.ndarray, " D"] = np.zeros(0)
        for event in self.running[name]:
            match event:
                case Checkpointed():
                    self.states[name] = event.state
                    break
                case Started():
                    self.batches = event.batches
                    numbers["weights"] = float(event.parameters)
                    if name == next(iter(RUNNERS)):
                        yield from self._say(self._whole(event))
                case Traced(trace=Trace() as trace, epoch=0):
                    yield from self._say(self._told(name, 0, numbers, by_distance(trace)))
                case Traced(trace=Trace() as trace):
                    norms = by_distance(trace)
                case BatchEnded():
                    yield from self._say(self._placed(event, number))
                case EpochEnded():
                    numbers = numbers_of(event)
                case Failed():
                    self.out.add(name)
                    numbers = {FAILED: 1.0}
                    break
        yield from self._say(self._told(name, number, numbers, norms))

    def _told(
        self, name: str, epoch: int, numbers: dict[str, float], norms: Float[np.ndarray, " D"]
    ) -> Event:
        step, at = self._position()
        return Lap(runner=name, epoch=epoch, numbers=numbers, norms=norms).to_event(step, at)

    def _say(self, event: Event) -> Stream:
        wishes = yield event
        if wishes is not None and wishes.checkpoint:
            yield self._checkpoint()

    def _position(self) -> tuple[int, int]:
        """Step and epoch before the lap that is next, of the whole."""
        return self.done * self.batches, self.done

    def _placed(self, event: BatchEnded, number: int) -> BatchEnded:
        """A runner's step as one of the whole."""
        within = event.step - (number - 1) * self.batches
        step, epoch = self._position()
        return replace(event, step=step + within, epoch=epoch + 1)

    def _whole(self, event: Started) -> Started:
        return replace(event, epochs=event.epochs * len(RUNNERS), trace_stride=0)

    # -- checkpoints ------------------------------------------------------------------------------

    def _checkpoint(self) -> Checkpointed:
        held = {
            "done": self.done,
            "batches": self.batches,
            "out": sorted(self.out),
            "states": {k: base64.b64encode(v).decode() for k, v in self.states.items()},
        }
        step, epoch = self._position()
        return Checkpointed(step=step, epoch=epoch, state=json.dumps(held).encode())

    def _load(self, state: bytes) -> None:
        held = json.loads(state)
        self.done, self.batches, self.out = held["done"], held["batches"], set(held["out"])
        self.states = {k: base64.b64decode(v) for k, v in held["states"].items()}


def numbers_of(event: EpochEnded) -> dict[str, float]:
    """What is told of an epoch."""
    metrics = event.validation.metrics
    kept = {name: metrics[name] for name in ("accuracy",) if name in metrics}
    metric = "mse" if "mse" in metrics else "loss"
    return {
        "train": event.train_loss,
        "validation": metrics[metric],
        "gradient norm": event.gradient_norm,
        "clipped": float(event.clipped),
        **kept,
    }


def by_distance(trace: Trace) -> Float[np.ndarray, " D"]:
    """The norm of dL/dh by the distance to the loss: the mean over the recorded sequences.

    The loss is that of the last step that has one; h is the top layer's state.
    """
    network, found = Network.of(trace), []
    for row in range(len(trace.lengths)):
        sequence = sequence_of(trace, row)
        done = network.run(sequence)
        every_step = network.readout.every_step
        last = int(np.flatnonzero(done.shares)[-1]) if every_step else len(done.top) - 1
        back = go_back(network, sequence, done, np.array([last])).ways[-1]
        found.append(np.linalg.norm(back.states[0][::-1, 0], axis=1))
    shortest = min(len(norms) for norms in found)
    return np.mean([norms[:shortest] for norms in found], axis=0)
