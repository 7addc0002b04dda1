"""A network that translates as a run: training as a stream of events, for the worker. Torch.

Like rnnviz.train.fit: every draw is a function of the seed and the step, so a run that goes on
from a checkpoint gives the same numbers as one that never stopped. What the page looks into are the
weights after an epoch, kept as Snapshots by the names of the network's state_dict.
"""

import math
import time
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
from jaxtyping import Int

from rnnviz.checkpoint import packed, unpacked
from rnnviz.config import RunConfig
from rnnviz.data.dataset import PARTS
from rnnviz.data.parallel import ParallelText, load
from rnnviz.events import (
    BatchEnded,
    Checkpointed,
    EpochEnded,
    Event,
    Failed,
    Finished,
    ForcingChanged,
    RateChanged,
    Score,
    Snapshot,
    Started,
)
from rnnviz.health import DivergedError
from rnnviz.translation.batches import batch_of
from rnnviz.translation.learning import Learner, copy
from rnnviz.translation.model import Translator
from rnnviz.translation.scores import baselines, score
from rnnviz.translation.settings import check_cost, stride
from rnnviz.wishes import Wishes

Stream = Generator[Event, Wishes | None, None]


def fit_stored(config: RunConfig, home: Path, state: bytes | None = None) -> Stream:
    """fit with the pairs that the settings name; `home` is where uploads are kept.

    Raises:
        RnnvizError: the pairs or the settings cannot be used.
    """
    yield from fit(config, load(config, home), state)


def fit(
    config: RunConfig,
    pairs: ParallelText,
    state: bytes | None = None,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Stream:
    """Train a network; everything that happens is an event.

    Send Wishes to change the learning rate or the share of teacher forcing (then the next event is
    RateChanged or ForcingChanged), or to have a Checkpointed as the next event. Given the state of
    a Checkpointed, goes on from there with the same numbers, bit for bit. A loss or gradient that
    is not finite ends the stream with Failed, after a Checkpointed of the last good weights.

    Args:
        clock: seconds, for the durations in the events.

    Raises:
        ConfigError: the settings do not go together, or need more memory than there is.
        DataError: the pairs cannot be split.
    """
    check_cost(config, pairs)
    yield from _Training(config, pairs, clock).stream(state)


class _Training:
    """The locals of fit: weights, optimiser, position."""

    def __init__(self, config: RunConfig, pairs: ParallelText, clock: Callable[[], float]) -> None:
        self.config, self.pairs, self.clock = config, pairs, clock
        self.split = pairs.split(config.training.seed)
        self.model = Translator(
            config.model,
            config.translation,
            source_size=len(pairs.source_vocabulary),
            target_size=len(pairs.target_vocabulary),
            seed=config.training.seed,
        )
        self.learner = Learner(config, self.model)
        self.parameters = sum(weight.numel() for weight in self.learner.weights)
        self.batches = math.ceil(len(self.split.train) / config.training.batch_size)
        self.stride = stride(config.training.epochs, self.parameters)
        self.epoch, self.batch, self.step = 1, 0, 0
        self.loss_sum, self.norm_max, self.clipped, self.seconds = 0.0, 0.0, 0, 0.0
        self.best = [weight.detach().clone() for weight in self.learner.weights]
        self.best_loss, self.best_epoch = math.inf, 0

    # -- the stream ------------------------------------------------------------------------------

    def stream(self, state: bytes | None) -> Stream:
        if state is None:
            yield from self._say(self._started())
        else:
            self._load(state)
            # so that what is wished for meanwhile is granted before the first step
            yield from self._say(self._checkpoint())
        if self.step == 0:
            yield from self._say(self._snapshot(0))
        epochs, reason = self.config.training.epochs, "All epochs are done."
        try:
            while self.epoch <= epochs:
                yield from self._one_epoch()
                if self._patience_is_over():
                    reason = self._stopped_early()
                    yield from self._say(self._checkpoint())
                    break
                self._next_epoch()
                yield from self._say(self._checkpoint())
        except DivergedError as diverged:
            copy(self.learner.good, self.learner.weights)
            yield from self._say(self._checkpoint())
            yield self._failed(diverged)
            return
        yield Finished(
            step=self.step,
            epoch=min(self.epoch, epochs),
            reason=reason,
            scorecard=tuple(self._score(part) for part in PARTS),
        )

    def _one_epoch(self) -> Stream:
        order, size = self._order(), self.config.training.batch_size
        while self.batch < self.batches:
            rows = order[self.batch * size : (self.batch + 1) * size]
            yield from self._say(self._one_batch(rows))
        yield from self._say(self._epoch_ended())
        over = self._patience_is_over()
        if over:  # what is kept is what is shown and scored
            copy(self.best, self.learner.weights)
        if over or self.epoch % self.stride == 0 or self.epoch == self.config.training.epochs:
            yield from self._say(self._snapshot(self.epoch))

    def _say(self, event: Event) -> Stream:
        """Yield an event and grant what is wished for in return."""
        pending = [event]
        while pending:
            wishes = yield pending.pop(0)
            if wishes is None:
                continue
            pending = [*self._changed(wishes), *pending]
            if wishes.checkpoint:
                pending.insert(0, self._checkpoint())

    def _changed(self, wishes: Wishes) -> list[Event]:
        """What is different from now on."""
        where, changed = {"step": self.step, "epoch": self.epoch}, list[Event]()
        rate, forcing = wishes.learning_rate, wishes.teacher_forcing
        if rate is not None and rate != self.learner.rate:
            self.learner.set_rate(rate)
            changed.append(RateChanged(**where, learning_rate=rate))
        if forcing is not None and forcing != self.learner.forcing:
            self.learner.forcing = forcing
            changed.append(ForcingChanged(**where, teacher_forcing=forcing))
        return changed

    # -- one step, one epoch ---------------------------------------------------------------------

    def _order(self) -> Int[np.ndarray, " A"]:
        rng = np.random.default_rng([self.config.training.seed, self.epoch])
        return rng.permutation(self.split.train)

    def _one_batch(self, rows: Int[np.ndarray, " B"]) -> BatchEnded:
        start = self.clock()
        value, norm = self.learner.learn(batch_of(self.pairs, rows), self.step)
        seconds = self.clock() - start
        self.step, self.batch = self.step + 1, self.batch + 1
        self.loss_sum += value * len(rows)
        self.norm_max = max(self.norm_max, norm)
        self.clipped += 0 < self.config.training.clip_norm < norm
        self.seconds += seconds
        return BatchEnded(
            step=self.step, epoch=self.epoch, loss=value, gradient_norm=norm, seconds=seconds
        )

    def _score(self, part: str) -> Score:
        return score(self.model, self.pairs, getattr(self.split, part), part)

    def _epoch_ended(self) -> EpochEnded:
        validation, test = self._score("validation"), self._score("test")
        if validation.metrics["loss"] < self.best_loss:
            self.best_loss, self.best_epoch = validation.metrics["loss"], self.epoch
            copy(self.learner.weights, self.best)
        return EpochEnded(
            step=self.step,
            epoch=self.epoch,
            train_loss=self.loss_sum / len(self.split.train),
            validation=validation,
            test=test,
            gradient_norm=self.norm_max,
            clipped=self.clipped,
            learning_rate=self.learner.rate,
            seconds=self.seconds,
        )

    def _next_epoch(self) -> None:
        self.epoch, self.batch = self.epoch + 1, 0
        self.loss_sum, self.norm_max, self.clipped, self.seconds = 0.0, 0.0, 0, 0.0

    def _patience_is_over(self) -> bool:
        patience = self.config.training.patience
        return bool(patience) and self.epoch - self.best_epoch >= patience

    def _stopped_early(self) -> str:
        patience = self.config.training.patience
        return (
            f"Stopped early: the validation loss has not fallen for {patience} "
            f"epoch{'s' if patience > 1 else ''}; the weights of epoch {self.best_epoch} are kept."
        )

    # -- events ----------------------------------------------------------------------------------

    def _started(self) -> Started:
        rows = {part: getattr(self.split, part) for part in PARTS}
        texts = self.pairs.source_texts
        return Started(
            step=0,
            epoch=0,
            parameters=self.parameters,
            sizes={part: len(found) for part, found in rows.items()},
            people={part: len({texts[i] for i in found}) for part, found in rows.items()},
            batches=self.batches,
            epochs=self.config.training.epochs,
            metric="loss",
            unit="nats",
            baselines=baselines(self.pairs, self.split),
            trace_stride=self.stride,
        )

    def _snapshot(self, epoch: int) -> Snapshot:
        state = self.model.state_dict()
        arrays = {name: weights.numpy().copy() for name, weights in state.items()}
        return Snapshot(step=self.step, epoch=epoch, arrays=arrays)

    def _failed(self, diverged: DivergedError) -> Failed:
        return Failed(
            step=self.step,
            epoch=self.epoch,
            where=diverged.where,
            message=(
                f"In step {self.step + 1} (epoch {self.epoch}) {diverged.what}; it was first seen "
                f"in {diverged.where}, and the weights of step {max(self.step - 1, 0)} are kept. "
                f"Lower the learning rate (now {self.learner.rate:g}) or clip gradients at a "
                "smaller norm."
            ),
        )

    # -- checkpoints -----------------------------------------------------------------------------

    _PLAIN = (
        *("epoch", "batch", "step", "loss_sum", "norm_max", "clipped", "seconds"),
        *("best_loss", "best_epoch", "best"),
    )
    _LEARNED = ("rate", "forcing", "good")

    def _checkpoint(self) -> Checkpointed:
        held = {name: getattr(self, name) for name in self._PLAIN}
        held |= {name: getattr(self.learner, name) for name in self._LEARNED}
        between = self.batch == 0 and self.step > 0  # the epoch before has just ended
        state = packed(self.model, self.learner.optimiser, held)
        return Checkpointed(step=self.step, epoch=self.epoch - between, state=state)

    def _load(self, state: bytes) -> None:
        held = unpacked(state, self.model, self.learner.optimiser)
        for name in self._PLAIN:
            setattr(self, name, held[name])
        for name in self._LEARNED:
            setattr(self.learner, name, held[name])
