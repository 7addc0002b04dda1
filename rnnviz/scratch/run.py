"""Both networks from scratch as a run: a stream of events, for the worker. NumPy only.

The corrected and the published network start from the same weights and read the same phrases in
the same order. Each epoch is a Found; weights are kept as Snapshots.
"""

import io
from collections.abc import Generator, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from rnnviz.config import RunConfig
from rnnviz.events import Checkpointed, Event, Finished, Found, RunView, Score, Snapshot, Started
from rnnviz.scratch.lockstep import Encoded, after_epoch, encoded, scores
from rnnviz.scratch.network import Weights
from rnnviz.scratch.settings import BACKPROP_NAMES, stride
from rnnviz.wishes import Wishes

Stream = Generator[Event, Wishes | None, None]
ABOUT = "epoch "  # of the events of epochs, before the number
PARTS = ("train", "test")


def fit_stored(config: RunConfig, home: Path, state: bytes | None = None) -> Stream:
    """Train both networks; of the home nothing is needed."""
    del home
    yield from fit(config, state)


def fit(config: RunConfig, state: bytes | None = None) -> Stream:
    """Train both networks from the first weights, or on from a checkpoint's state."""
    yield from _Pair(config).stream(state)


def curve(view: RunView, backprop: str, part: str, metric: str) -> Float[np.ndarray, " E"]:
    """One network's "loss" or "accuracy" on a part, from epoch 0 (before training) on."""
    found = sorted((f for f in view.found if f.about.startswith(ABOUT)), key=lambda f: f.epoch)
    values = [
        score.metrics[metric]
        for each in found
        for score in each.scores
        if (score.predictor, score.part) == (backprop, part)
    ]
    return np.array(values)


def first_perfect(view: RunView, backprop: str) -> int | None:
    """The first epoch after which every test phrase is told right; None where there is none."""
    accuracy = curve(view, backprop, "test", "accuracy")
    right = np.flatnonzero(accuracy == 1.0)
    return int(right[0]) if right.size else None


def told(view: RunView) -> tuple[str, ...]:
    """A sentence on each network."""
    return tuple(sentence for name in BACKPROP_NAMES if (sentence := _told(view, name)))


def _told(view: RunView, backprop: str) -> str:
    test = curve(view, backprop, "test", "accuracy")
    if len(test) < 2:
        return ""
    first, now = first_perfect(view, backprop), f"after epoch {len(test) - 1}: {test[-1]:.0%}"
    whose = "Corrected" if backprop == "corrected" else "As published"
    if first is None:
        return f"{whose}, no epoch so far has every test phrase right ({now})."
    return f"{whose}, every test phrase is right after epoch {first} for the first time ({now})."


def of_snapshot(arrays: Mapping[str, Float[np.ndarray, "..."]]) -> dict[str, Weights]:
    """A Snapshot's weights, by how the network was trained."""
    both = Weights(**arrays)
    return {name: both.one(n) for n, name in enumerate(BACKPROP_NAMES)}


class _Pair:
    """The locals of fit: both networks, and the last epoch that is done."""

    def __init__(self, config: RunConfig) -> None:
        self.training = config.training
        self.data: Encoded = encoded()
        self.weights = Weights.first(
            [self.training.seed] * len(BACKPROP_NAMES),
            hidden=config.model.hidden_size,
            words=int(self.data.words.max()) + 1,
        )
        self.epoch = 0

    def stream(self, state: bytes | None) -> Stream:
        if state is None:
            yield from self._say(self._started())
        else:
            self._load(state)
            yield self._checkpoint()
        yield from self._tell()  # after a pause once more, in case it fell between two of these
        while self.epoch < self.training.epochs:
            self.weights = after_epoch(
                self.weights,
                self.data,
                seeds=[self.training.seed] * len(BACKPROP_NAMES),
                backprops=BACKPROP_NAMES,
                epoch=self.epoch + 1,
                rate=self.training.learning_rate,
            )
            self.epoch += 1
            yield from self._tell()
        yield Finished(
            step=self._step(),
            epoch=self.epoch,
            reason="All epochs are done.",
            scorecard=self._scores(),
        )

    def _say(self, event: Event) -> Stream:
        wishes = yield event
        if wishes is not None and wishes.checkpoint:
            yield self._checkpoint()

    def _tell(self) -> Stream:
        """What is known after an epoch."""
        where = {"step": self._step(), "epoch": self.epoch}
        every = stride(self.training.epochs)
        if self.epoch % every == 0 or self.epoch == self.training.epochs:
            yield from self._say(Snapshot(**where, arrays=self.weights.arrays()))
            yield from self._say(self._checkpoint())
        yield from self._say(
            Found(**where, about=f"{ABOUT}{self.epoch}", numbers={}, scores=self._scores())
        )

    def _step(self) -> int:
        return self.epoch * self.data.train_rows

    def _scores(self) -> tuple[Score, ...]:
        found = scores(self.weights, self.data)
        return tuple(
            Score(
                predictor=name,
                part=part,
                metrics={
                    "loss": float(found[part].loss[n]),
                    "accuracy": float(found[part].accuracy[n]),
                },
            )
            for n, name in enumerate(BACKPROP_NAMES)
            for part in PARTS
        )

    def _started(self) -> Started:
        train = self.data.train_rows
        sizes = {"train": train, "validation": 0, "test": len(self.data.labels) - train}
        return Started(
            step=0,
            epoch=0,
            parameters=self.weights.count,
            sizes=sizes,
            people=sizes,
            batches=train,
            epochs=self.training.epochs,
            metric="loss",
            unit="nats",
            baselines=(),
            trace_stride=stride(self.training.epochs),
        )

    def _checkpoint(self) -> Checkpointed:
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, epoch=np.array(self.epoch), **self.weights.arrays())
        return Checkpointed(step=self._step(), epoch=self.epoch, state=file.getvalue())

    def _load(self, state: bytes) -> None:
        with np.load(io.BytesIO(state), allow_pickle=False) as held:
            arrays = {name: held[name] for name in held.files}
        self.epoch = int(arrays.pop("epoch"))
        self.weights = Weights(**arrays)
