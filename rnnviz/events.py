"""The stream that a run is, and its fold. Frozen records of plain values: no files, no clock.

A run after a crash may say again what it said before; RunView ignores what it has seen.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from jaxtyping import Shaped

from rnnviz.trace import Survey, Trace


@dataclass(frozen=True, kw_only=True)
class Score:
    """How well one predictor does on one part of the data."""

    predictor: str  # "network", "mean", "ridge", "covariates only", "unigram", ...
    part: str  # "train", "validation", "test"
    metrics: Mapping[str, float]  # "mse", "mae", "r2", "r" or "loss", "accuracy", "perplexity"
    # standard error of the difference in "mse" or "loss" to another predictor, by its name
    errors: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened after `step` optimiser steps, in epoch `epoch` (1 is the first)."""

    step: int
    epoch: int


@dataclass(frozen=True, kw_only=True)
class Started(Event):
    """The data are split and scaled and the baselines known."""

    parameters: int
    sizes: Mapping[str, int]  # sequences of "train", "validation", "test"
    people: Mapping[str, int]
    batches: int  # of one epoch
    epochs: int
    metric: str  # the metric on the loss axis: "mse" or "loss"
    unit: str  # of that metric
    baselines: tuple[Score, ...]
    trace_stride: int  # a trace is kept every so many epochs


@dataclass(frozen=True, kw_only=True)
class BatchEnded(Event):
    """One optimiser step."""

    loss: float  # in the metric's unit
    gradient_norm: float  # before clipping
    seconds: float  # that the step took


@dataclass(frozen=True, kw_only=True)
class EpochEnded(Event):
    """One pass over the training part, and the score after it."""

    train_loss: float  # mean over the epoch's batches, in the metric's unit
    validation: Score
    test: Score
    gradient_norm: float  # largest of the epoch
    clipped: int  # steps whose gradient was longer than the clip norm
    learning_rate: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Sampled(Event):
    """What the network writes by itself, after an epoch or (epoch 0) before it has learned."""

    prefix: str  # what it goes on from
    text: str
    temperature: float
    seed: int  # of the draw; the epoch counts as well


@dataclass(frozen=True, kw_only=True)
class Traced(Event):
    """The inside of the model. On disk the arrays stand beside the events; read back, None."""

    trace: Trace | None
    survey: Survey | None


@dataclass(frozen=True, kw_only=True)
class Found(Event):
    """What a study found out about something, as numbers by name and as scores."""

    about: str
    numbers: Mapping[str, float]
    scores: tuple[Score, ...]


NO_ARRAYS: Mapping[str, Shaped[np.ndarray, "..."]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Snapshot(Event):
    """Arrays by name, such as all weights. On disk they stand beside; read back, there are none."""

    arrays: Mapping[str, Shaped[np.ndarray, "..."]]


@dataclass(frozen=True, kw_only=True)
class RateChanged(Event):
    """The learning rate was changed by hand."""

    learning_rate: float


@dataclass(frozen=True, kw_only=True)
class ForcingChanged(Event):
    """How often a decoder reads the true token while it trains was changed by hand."""

    teacher_forcing: float


@dataclass(frozen=True, kw_only=True)
class Checkpointed(Event):
    """All that is needed to go on from here. On disk the bytes stand beside; read back, empty."""

    state: bytes


@dataclass(frozen=True, kw_only=True)
class Paused(Event):
    """The run holds, with a checkpoint; `reason` says why in one sentence."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Resumed(Event):
    """A worker took the run up, the `attempt`-th time after a crash (0: none)."""

    attempt: int


@dataclass(frozen=True, kw_only=True)
class Finished(Event):
    """The run ended as it should; `reason` says why in one sentence."""

    reason: str
    scorecard: tuple[Score, ...]  # of the network, on every part


@dataclass(frozen=True, kw_only=True)
class Failed(Event):
    """The run ended badly; the message says what happened and what to do."""

    message: str
    where: str  # the layer's name where that is known, else ""


MOST_BATCHES = 1000  # points of the batch curve that a view keeps; thinned by halves
MOST_SAMPLES = 60  # texts that it keeps; spread evenly over the epochs, with the newest


@dataclass(frozen=True, kw_only=True)
class RunView:
    """What is known of a run: the pure fold of its events."""

    status: str = "waiting"  # waiting, running, paused, finished, failed
    step: int = 0
    epoch: int = 0
    started: Started | None = None
    batches: tuple[BatchEnded, ...] = ()
    epochs: tuple[EpochEnded, ...] = ()
    traced: tuple[int, ...] = ()  # epochs whose trace is kept, ascending
    snapshots: tuple[int, ...] = ()  # epochs whose arrays are kept, ascending
    found: tuple[Found, ...] = ()  # one about each thing
    samples: tuple[Sampled, ...] = ()  # by epoch, ascending
    rates: tuple[RateChanged, ...] = ()
    forcings: tuple[ForcingChanged, ...] = ()
    attempt: int = 0
    message: str = ""
    where: str = ""
    scorecard: tuple[Score, ...] = ()

    def after(self, event: Event) -> Self:
        """The view once the event is known."""
        change: dict[str, Any] = {}
        ended = self.status in ("finished", "failed")
        match event:
            case Started() if self.started is None:
                change = {"started": event, "status": "running"}
            case BatchEnded() if not self.batches or event.step > self.batches[-1].step:
                change = {"batches": _thinned((*self.batches, event))}
            case EpochEnded() if not self.epochs or event.epoch > self.epochs[-1].epoch:
                change = {"epochs": (*self.epochs, event)}
            case Sampled() if not self.samples or event.epoch > self.samples[-1].epoch:
                change = {"samples": _fewer((*self.samples, event))}
            case Traced() if event.epoch not in self.traced:
                change = {"traced": tuple(sorted((*self.traced, event.epoch)))}
            case Snapshot() if event.epoch not in self.snapshots:
                change = {"snapshots": tuple(sorted((*self.snapshots, event.epoch)))}
            case Found() if all(event.about != known.about for known in self.found):
                change = {"found": (*self.found, event)}
            case RateChanged() if not self.rates or event.step > self.rates[-1].step:
                change = {"rates": (*self.rates, event)}
            case ForcingChanged() if not self.forcings or event.step > self.forcings[-1].step:
                change = {"forcings": (*self.forcings, event)}
            case Paused() if not ended:
                change = {"status": "paused", "message": event.reason}
            case Resumed() if not ended:
                change = {"status": "running", "attempt": event.attempt, "message": ""}
            case Finished():
                change = {
                    "status": "finished",
                    "message": event.reason,
                    "scorecard": event.scorecard,
                }
            case Failed() if self.status != "finished":
                change = {"status": "failed", "message": event.message, "where": event.where}
        change["step"] = max(self.step, event.step)
        change["epoch"] = max(self.epoch, event.epoch)
        return dataclasses.replace(self, **change)

    @property
    def scores(self) -> tuple[Score, ...]:
        """All scores at the end: the network's, then the baselines'."""
        return (*self.scorecard, *(self.started.baselines if self.started else ()))

    @property
    def ended(self) -> bool:
        """Whether no more is to come."""
        return self.status in ("finished", "failed")


def _thinned(batches: tuple[BatchEnded, ...]) -> tuple[BatchEnded, ...]:
    return batches if len(batches) <= MOST_BATCHES else batches[::2]


def _fewer(samples: tuple[Sampled, ...]) -> tuple[Sampled, ...]:
    """The newest, and every so many epochs one: the stride doubles as there come to be more."""
    stride = 1
    while samples[-1].epoch // stride >= MOST_SAMPLES - 1:
        stride *= 2
    return (*(one for one in samples[:-1] if one.epoch % stride == 0), samples[-1])
