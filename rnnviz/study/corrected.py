"""The study as it should have been, over several splits by person: a stream of events. Torch.

All minutes of the day as a sequence, covariates one-hot and joined after the recurrent layer, and
beside the LSTM all that knows less.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int

from rnnviz.batches import prepare
from rnnviz.config import RunConfig
from rnnviz.data.dataset import SequenceDataset, Split
from rnnviz.data.days import Days, as_sequences
from rnnviz.evaluate import ROWS
from rnnviz.events import (
    BatchEnded,
    Checkpointed,
    EpochEnded,
    Event,
    Failed,
    Finished,
    Found,
    Score,
    Started,
)
from rnnviz.metrics import regression_metrics
from rnnviz.record import outputs_in_unit
from rnnviz.study.as_written import Stream, told
from rnnviz.study.attributed import GROUP, Attributed, mean_of
from rnnviz.study.attribution import attribute, chosen_rows
from rnnviz.study.days import groups_of, load_days
from rnnviz.study.rivals import Features, features, predictions
from rnnviz.study.settings import SPLITS
from rnnviz.study.verdict import LSTM, SPLIT, TEST
from rnnviz.train import best_model
from rnnviz.train import fit as train

FEWEST = 5  # people of a group in the test part, for it to be scored


def fit_stored(config: RunConfig, home: Path, state: bytes | None = None) -> Stream:
    """The study corrected, on the data that the settings name.

    Raises:
        DataError: the data cannot be used for it.
    """
    yield from fit(config, load_days(config.data, home), state, splits=SPLITS)


def fit(
    config: RunConfig,
    days: Days,
    state: bytes | None = None,
    *,
    splits: int,
    clock: Callable[[], float] = time.perf_counter,
) -> Stream:
    """Score every predictor on several splits by person, whose seeds follow each other.

    One Found for each split. What is broken off is taken up again at the beginning of a split.

    Args:
        splits: how many.

    Raises:
        DataError: the data cannot be used for it.
    """
    yield from _Corrected(config, days, splits, clock).stream(state)


class _Corrected:
    """The locals of fit: the data, and how many splits are done."""

    def __init__(
        self, config: RunConfig, days: Days, splits: int, clock: Callable[[], float]
    ) -> None:
        self.config, self.days, self.splits, self.clock = config, days, splits, clock
        self.dataset = as_sequences(days, config.data)
        self.features, self.groups = features(days), groups_of(days)
        self.done, self.batches = 0, 0

    def stream(self, state: bytes | None) -> Stream:
        if state is not None:
            self.done = int(json.loads(state)["done"])
            yield self._checkpoint()
        while self.done < self.splits:
            settings = replace(self.config.training, seed=self.config.training.seed + self.done)
            config = replace(self.config, training=settings)
            trained = b""
            for event in train(config, self.dataset, clock=self.clock):
                if isinstance(event, Checkpointed):
                    trained = event.state
                    continue
                if (known := self._placed(event)) is not None:
                    yield from told(known, self._checkpoint)
                if isinstance(event, Failed):
                    return
            scores = score_split(config, self.dataset, self.features, self.groups, trained)
            looked_at = () if self.done else self._attributed(config, trained)
            self.done += 1
            for one in looked_at:
                yield from told(one.to_event(*self._position()), self._checkpoint)
            yield from told(self._found(scores), self._checkpoint)
            yield from told(self._checkpoint(), self._checkpoint)
        step, epoch = self._position()
        yield Finished(step=step, epoch=epoch, reason="All splits are done.", scorecard=())

    def _position(self) -> tuple[int, int]:
        """Step and epoch at the beginning of the split that is next."""
        epochs = self.done * self.config.training.epochs
        return epochs * self.batches, epochs

    def _placed(self, event: Event) -> Event | None:
        """An event of one training as one of the whole study; None for those without a place."""
        if isinstance(event, Started):
            self.batches = event.batches
            whole = replace(event, epochs=event.epochs * self.splits, baselines=(), trace_stride=0)
            return whole if not self.done else None
        if not isinstance(event, BatchEnded | EpochEnded | Failed):
            return None
        step, epoch = self._position()
        return replace(event, step=event.step + step, epoch=event.epoch + epoch)

    def _attributed(self, config: RunConfig, trained: bytes) -> tuple[Attributed, ...]:
        """The hours of some test people of this split, and the means over their groups."""
        prepared = prepare(self.dataset, config.training.seed)
        rows = chosen_rows(prepared)
        people = attribute(best_model(config, prepared, trained), prepared, rows)
        means = [mean_of(f"{GROUP}all", people)]
        for name, labels in self.groups.items():
            for label in sorted({labels[row] for row in rows}):
                group = [one for one, r in zip(people, rows, strict=True) if labels[r] == label]
                if len(group) >= FEWEST:
                    means.append(mean_of(f"{GROUP}{name}: {label}", group))
        return (*means, *people)

    def _found(self, scored: "Scored") -> Found:
        step, epoch = self._position()
        return Found(
            step=step,
            epoch=epoch,
            about=f"{SPLIT}{self.done}",
            numbers=scored.numbers,
            scores=scored.scores,
        )

    def _checkpoint(self) -> Checkpointed:
        step, epoch = self._position()
        state = json.dumps({"done": self.done}).encode()
        return Checkpointed(step=step, epoch=epoch, state=state)


class Scored(NamedTuple):
    """One split's scores, and of how many rows and people they are."""

    numbers: dict[str, float]
    scores: tuple[Score, ...]


def score_split(
    config: RunConfig,
    dataset: SequenceDataset,
    known: Features,
    groups: dict[str, tuple[str, ...]],
    state: bytes,
) -> Scored:
    """Every predictor on the test part of the split of the settings' seed, and on its groups.

    Args:
        state: of the last Checkpointed of the LSTM's training.
    """
    prepared = prepare(dataset, config.training.seed)
    split, y = prepared.split, dataset.targets[:, 0].astype(np.float64)
    people = np.array(dataset.ids)
    parts = {TEST: np.arange(len(split.test)), **_parts(groups, split, people)}
    numbers = {
        "train rows": float(len(split.train)),
        "test rows": float(len(split.test)),
        **{f"people, {part}": _people(people, split, rows) for part, rows in parts.items()},
    }
    model = best_model(config, prepared, state)
    said = [*predictions(known, y, split)]
    outputs = []
    with torch.no_grad():
        for start in range(0, len(split.test), ROWS):
            readout = model(prepared.batch(split.test[start : start + ROWS]))
            found = outputs_in_unit(readout.outputs, model.task, prepared.target_scaler)
            outputs.append(found[:, 0, 0].astype(np.float64))
    said.append((LSTM, np.concatenate(outputs)))
    true = y[split.test]
    return Scored(numbers, tuple(_scores(said, true, parts)))


def _parts(
    groups: dict[str, tuple[str, ...]], split: Split, people: np.ndarray
) -> dict[str, Int[np.ndarray, " R"]]:
    """Places in the test part of each group that holds enough people."""
    found = {}
    for name, labels in groups.items():
        of_test = np.array(labels)[split.test]
        for label in sorted(set(labels)):
            rows = np.flatnonzero(of_test == label)
            if _people(people, split, rows) >= FEWEST:
                found[f"{name}: {label}"] = rows
    return found


def _people(people: np.ndarray, split: Split, rows: Int[np.ndarray, " R"]) -> float:
    return float(len(set(people[split.test[rows]])))


def _scores(
    said: list[tuple[str, Float[np.ndarray, " M"]]],
    true: Float[np.ndarray, " M"],
    parts: dict[str, Int[np.ndarray, " R"]],
) -> Iterator[Score]:
    for predictor, found in said:
        for part, rows in parts.items():
            metrics = regression_metrics(true[rows], found[rows])
            yield Score(predictor=predictor, part=part, metrics=metrics)
