"""Trains the network of the R script: a stream of events, for the worker. Torch."""

import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int

from rnnviz.checkpoint import packed, unpacked
from rnnviz.config import RunConfig
from rnnviz.data.days import Days
from rnnviz.denormals import flushed
from rnnviz.events import (
    BatchEnded,
    Checkpointed,
    EpochEnded,
    Event,
    Finished,
    Found,
    Score,
    Started,
    Traced,
)
from rnnviz.metrics import regression_metrics
from rnnviz.study.days import load_days
from rnnviz.study.network import WrittenNet
from rnnviz.study.written import Findings, Prepared, copied, prepare
from rnnviz.trace import Survey
from rnnviz.wishes import Wishes

Stream = Generator[Event, Wishes | None, None]
EPSILON = 1e-7  # Keras' for Adam; torch's is 1e-8
WEIGHTS = "the weights"  # of the event that says how many of them moved


def fit_stored(config: RunConfig, home: Path, state: bytes | None = None) -> Stream:
    """The study as written, on the data that the settings name.

    Raises:
        DataError: the data cannot be used for it.
    """
    yield from fit(config, load_days(config.data, home), state)


def fit(
    config: RunConfig,
    days: Days,
    state: bytes | None = None,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Stream:
    """Train as the script does; every draw is a function of the seed and the epoch.

    Raises:
        DataError: the data cannot be used for it.
    """
    prepared, findings = prepare(days)
    yield from _Written(config, days, prepared, findings, clock).stream(state)


def told(event: Event, checkpoint: Callable[[], Checkpointed]) -> Stream:
    """Say an event, and after it a checkpoint if one is wished for; rates stay as they are."""
    wishes = yield event
    if wishes is not None and wishes.checkpoint:
        yield checkpoint()


class _Written:
    """The locals of fit: weights, optimiser, position."""

    def __init__(
        self,
        config: RunConfig,
        days: Days,
        prepared: Prepared,
        findings: Findings,
        clock: Callable[[], float],
    ) -> None:
        self.settings, self.days, self.clock = config.training, days, clock
        self.prepared, self.findings = prepared, findings
        self.inputs = torch.from_numpy(prepared.inputs)
        self.targets = torch.from_numpy(prepared.targets.astype(np.float32))
        self.model = WrittenNet(self.settings.seed, units=config.model.hidden_size)
        self.first = [weight.detach().clone() for weight in self.model.parameters()]
        self.optimiser = torch.optim.Adam(
            self.model.parameters(), lr=self.settings.learning_rate, eps=EPSILON
        )
        self.batches = -(-len(prepared.fitted) // self.settings.batch_size)
        self.epoch, self.batch, self.step = 1, 0, 0
        self.loss_sum, self.norm_max, self.seconds = 0.0, 0.0, 0.0

    def stream(self, state: bytes | None) -> Stream:
        if state is None:
            yield from self._say(self._started())
            yield from self._say(self.findings.to_event())
        else:
            self._load(state)
            yield self._checkpoint()
        while self.epoch <= self.settings.epochs:
            for rows in self._left_of_epoch():
                yield from self._say(self._one_batch(rows))
            ended, survey = self._epoch_ended()
            yield from self._say(ended)
            yield from self._say(
                Traced(step=self.step, epoch=self.epoch, trace=None, survey=survey)
            )
            self._next_epoch()
            yield from self._say(self._checkpoint())
        yield from self._say(self._moved())
        yield Finished(
            step=self.step,
            epoch=self.settings.epochs,
            reason="All epochs are done.",
            scorecard=(self._score("test"), self._score("validation"), self._score("train")),
        )

    def _say(self, event: Event) -> Stream:
        yield from told(event, self._checkpoint)

    # -- one step ---------------------------------------------------------------------------------

    def _left_of_epoch(self) -> Iterator[Int[np.ndarray, " B"]]:
        rng = np.random.default_rng([self.settings.seed, self.epoch])
        order, size = rng.permutation(self.prepared.fitted), self.settings.batch_size
        for start in range(self.batch * size, len(order), size):
            yield order[start : start + size]

    def _one_batch(self, rows: Int[np.ndarray, " B"]) -> BatchEnded:
        start = self.clock()
        index = torch.from_numpy(rows)
        with flushed():
            errors = self.model(self.inputs[index]) - self.targets[index]
            loss = (errors**2).mean()
            self.optimiser.zero_grad()
            loss.backward()
            gradients = [w.grad for w in self.model.parameters() if w.grad is not None]
            norm = float(torch.nn.utils.get_total_norm(gradients))
            self.optimiser.step()
        seconds, value = self.clock() - start, loss.item()
        self.step, self.batch = self.step + 1, self.batch + 1
        self.loss_sum += value * len(rows)
        self.norm_max, self.seconds = max(self.norm_max, norm), self.seconds + seconds
        return BatchEnded(
            step=self.step, epoch=self.epoch, loss=value, gradient_norm=norm, seconds=seconds
        )

    def _next_epoch(self) -> None:
        self.epoch, self.batch = self.epoch + 1, 0
        self.loss_sum, self.norm_max, self.seconds = 0.0, 0.0, 0.0

    # -- events -----------------------------------------------------------------------------------

    def _rows(self, part: str) -> Int[np.ndarray, " M"]:
        return self.prepared.fitted if part == "train" else getattr(self.prepared, part)

    def _predicted(self, rows: Int[np.ndarray, " M"]) -> Float[np.ndarray, " M"]:
        with torch.no_grad():
            pieces = self.inputs[torch.from_numpy(rows)].split(1024)
            return torch.cat([self.model(piece) for piece in pieces]).numpy().astype(np.float64)

    def _score(self, part: str, predictor: str = "network") -> Score:
        rows = self._rows(part)
        if predictor == "mean":
            all_train = np.concatenate((self.prepared.fitted, self.prepared.validation))
            found = np.full(len(rows), self.prepared.targets[all_train].mean())
        else:
            found = self._predicted(rows)
        metrics = regression_metrics(self.prepared.targets[rows], found)
        return Score(predictor=predictor, part=part, metrics=metrics)

    def _baselines(self) -> tuple[Score, ...]:
        scores = [self._score(part, "mean") for part in ("test", "validation", "train")]
        train = np.ones(len(self.days.ids), dtype=bool)
        train[self.prepared.test] = False
        copies = copied(self.days.ids, self.prepared.targets, train)
        known = np.isfinite(copies)
        if known.any():
            true = self.prepared.targets[self.prepared.test][known]
            metrics = regression_metrics(true, copies[known])
            scores.append(Score(predictor="copied from train", part="test", metrics=metrics))
        return tuple(scores)

    def _started(self) -> Started:
        rows = {part: self._rows(part) for part in ("train", "validation", "test")}
        unit = self.days.target_name.unit
        return Started(
            step=0,
            epoch=0,
            parameters=sum(weight.numel() for weight in self.model.parameters()),
            sizes={part: len(found) for part, found in rows.items()},
            people={p: len({self.days.ids[i] for i in found}) for p, found in rows.items()},
            batches=self.batches,
            epochs=self.settings.epochs,
            metric="mse",
            unit=f"({unit})²" if unit else "",
            baselines=self._baselines(),
            trace_stride=0,
        )

    def _epoch_ended(self) -> tuple[EpochEnded, Survey]:
        test = self.prepared.test
        survey = Survey(
            sequences=test,
            targets=self.prepared.targets[test].astype(np.float32),
            predictions=self._predicted(test).astype(np.float32),
            attention=None,
        )
        ended = EpochEnded(
            step=self.step,
            epoch=self.epoch,
            train_loss=self.loss_sum / len(self.prepared.fitted),
            validation=self._score("validation"),
            test=self._score("test"),
            gradient_norm=self.norm_max,
            clipped=0,  # the script clips no gradient
            learning_rate=self.settings.learning_rate,
            seconds=self.seconds,
        )
        return ended, survey

    def _moved(self) -> Found:
        """How many weights are not what they were before the first step."""
        pairs = list(zip(self.model.parameters(), self.first, strict=True))
        moved = sum(int((now != before).sum()) for now, before in pairs)
        numbers = {"moved": float(moved), "all": float(sum(w.numel() for w, _ in pairs))}
        return Found(
            step=self.step,
            epoch=self.settings.epochs,
            about=WEIGHTS,
            numbers=numbers,
            scores=(),
        )

    # -- checkpoints ------------------------------------------------------------------------------

    _PLAIN = ("epoch", "batch", "step", "loss_sum", "norm_max", "seconds")

    def _checkpoint(self) -> Checkpointed:
        held = {name: getattr(self, name) for name in self._PLAIN}
        between = self.batch == 0 and self.step > 0  # the epoch before has just ended
        state = packed(self.model, self.optimiser, held)
        return Checkpointed(step=self.step, epoch=self.epoch - between, state=state)

    def _load(self, state: bytes) -> None:
        held = unpacked(state, self.model, self.optimiser)
        for name in self._PLAIN:
            setattr(self, name, held[name])
