"""fit(config, dataset): training as a stream of events. The generator holds all state.

No files, no threads, no global random state: every draw is a function of the seed and the step,
so a run that goes on from a checkpoint gives the same numbers as one that never stopped.
"""

import dataclasses
import math
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from rnnviz.allowed import check_allowed
from rnnviz.batches import Prepared, prepare
from rnnviz.checkpoint import packed, unpacked
from rnnviz.config import RunConfig
from rnnviz.data.dataset import PARTS, SequenceDataset
from rnnviz.data.sources import load
from rnnviz.data.streams import streams
from rnnviz.denormals import flushed
from rnnviz.estimate import check_memory, trace_plan
from rnnviz.evaluate import baselines, evaluate
from rnnviz.events import (
    BatchEnded,
    Checkpointed,
    EpochEnded,
    Event,
    Failed,
    Finished,
    RateChanged,
    Sampled,
    Started,
    Traced,
)
from rnnviz.health import DivergedError, first_bad_gradient, first_bad_layer
from rnnviz.model import Batch, SequenceModel, States, first_of, loss_of
from rnnviz.record import record
from rnnviz.sampling import sample
from rnnviz.traced import traced_rows
from rnnviz.wishes import Wishes

Stream = Generator[Event, Wishes | None, None]

OPTIMISERS: Mapping[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": partial(torch.optim.Adam, fused=True),
    "sgd": partial(torch.optim.SGD, fused=True),
    "rmsprop": torch.optim.RMSprop,
}


def fit_stored(config: RunConfig, home: Path, state: bytes | None = None) -> Stream:
    """fit with the data set that the settings name; `home` is where uploads and caches are kept.

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
    """Train a network; everything that happens is an event.

    Send Wishes to change the learning rate (then the next event is RateChanged), or to have a
    Checkpointed as the next event. Given the state of a Checkpointed, goes on from there with the
    same numbers, bit for bit. A loss or gradient that is not finite ends the stream with Failed,
    after a Checkpointed that holds the last good weights.

    Args:
        clock: seconds, for the durations in the events.

    Raises:
        ConfigError: the settings do not fit the data, or need more memory than there is.
        DataError: the data cannot be split.
    """
    check_allowed(config.model, dataset)
    check_memory(config, dataset)
    yield from _Training(config, prepare(dataset, config.training.seed), clock).stream(state)


class _Training:
    """The locals of fit: weights, optimiser, position."""

    def __init__(self, config: RunConfig, prepared: Prepared, clock: Callable[[], float]) -> None:
        self.config, self.prepared, self.clock = config, prepared, clock
        dataset, settings = prepared.dataset, config.training
        self.model = SequenceModel(
            config.model,
            inputs=dataset.input_size,
            outputs=dataset.output_size,
            covariates=dataset.covariates.shape[1],
            task=dataset.task,
            seed=settings.seed,
        )
        self.weights = list(self.model.parameters())
        self.good = [weight.detach().clone() for weight in self.weights]
        self.best = [weight.detach().clone() for weight in self.weights]
        self.rate = settings.learning_rate
        self.optimiser = OPTIMISERS[settings.optimiser](self.weights, lr=self.rate)
        self.batches = math.ceil(len(prepared.split.train) / settings.batch_size)
        self.metric = "mse" if dataset.task.numeric else "loss"
        # the minimised loss is of scaled targets; times this it is in the target's unit, squared
        self.unit = float(np.mean(prepared.target_scaler.sd**2)) if self.metric == "mse" else 1.0
        self.plan = trace_plan(config, dataset)
        self.epoch, self.batch, self.step = 1, 0, 0
        self.loss_sum, self.norm_max, self.clipped, self.seconds = 0.0, 0.0, 0, 0.0
        self.best_loss, self.best_epoch = math.inf, 0
        self.states: tuple[States, ...] = ()  # that the next batch of an epoch goes on from

    # -- the stream ------------------------------------------------------------------------------

    def stream(self, state: bytes | None) -> Stream:
        if state is None:
            yield from self._say(self._started())
        else:
            self._load(state)
            # so that what is wished for meanwhile is granted before the first step
            yield from self._say(self._checkpoint())
        if self.step == 0:
            yield from self._sampled(0)
            yield from self._say(self._traced(0))
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
            _copy(self.good, self.weights)
            yield from self._say(self._checkpoint())
            yield self._failed(diverged)
            return
        scorecard = [evaluate(self.model, self.prepared, part)[0] for part in PARTS]
        last = min(self.epoch, epochs)
        yield Finished(
            step=self.step,
            epoch=last,
            reason=reason,
            scorecard=tuple(scorecard),
        )

    def _one_epoch(self) -> Stream:
        order = self._order()
        size = self.config.training.batch_size
        while self.batch < self.batches:
            rows = order[self.batch * size : (self.batch + 1) * size]
            yield from self._say(self._one_batch(rows))
        ended, survey = self._epoch_ended()
        yield from self._say(ended)
        yield from self._sampled(self.epoch)
        stride = self.plan.stride
        over = self._patience_is_over()
        if over:  # what is kept is what is shown and scored
            _copy(self.best, self.weights)
            survey = None
        if over or not stride or self.epoch % stride == 0 or self._is_last():
            yield from self._say(self._traced(self.epoch, survey))

    def _say(self, event: Event) -> Stream:
        """Yield an event and grant what is wished for in return."""
        pending = [event]
        while pending:
            wishes = yield pending.pop(0)
            if wishes is None:
                continue
            rate = wishes.learning_rate
            if rate is not None and rate != self.rate:
                self._set_rate(rate)
                pending.insert(0, self._rate_changed())
            if wishes.checkpoint:
                pending.insert(0, self._checkpoint())

    def _rate_changed(self) -> RateChanged:
        return RateChanged(step=self.step, epoch=self.epoch, learning_rate=self.rate)

    def _set_rate(self, rate: float) -> None:
        self.rate = rate
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    # -- one step --------------------------------------------------------------------------------

    def _one_batch(self, rows: np.ndarray) -> BatchEnded:
        start = self.clock()
        with flushed():
            value, norm = self._learn(self.prepared.batch(rows))
        seconds = self.clock() - start
        self.step, self.batch = self.step + 1, self.batch + 1
        self.loss_sum += value * len(rows)
        self.norm_max = max(self.norm_max, norm)
        self.clipped += 0 < self.config.training.clip_norm < norm
        self.seconds += seconds
        return BatchEnded(
            step=self.step,
            epoch=self.epoch,
            loss=value * self.unit,
            gradient_norm=norm,
            seconds=seconds,
        )

    def _learn(self, batch: Batch) -> tuple[float, float]:
        """One step of the optimiser; the loss before it, and the gradient's norm."""
        dropout = None
        if self.config.model.dropout:
            dropout = torch.Generator().manual_seed(self.config.training.seed * 2**31 + self.step)
        readout = self.model(batch, dropout, self._before(batch))
        loss = loss_of(readout.outputs, batch, self.model.task).mean()
        value = loss.item()
        if not math.isfinite(value):
            raise DivergedError(f"the loss became {value}", first_bad_layer(self.model, batch))
        self.optimiser.zero_grad()
        loss.backward()
        norm = self._clip()
        _copy(self.weights, self.good)
        self.optimiser.step()
        self.states = tuple(tuple(s.detach() for s in layer) for layer in readout.after)
        return value, norm

    def _before(self, batch: Batch) -> tuple[States, ...] | None:
        """The states that a batch goes on from, where they are carried on from batch to batch."""
        if not self.prepared.dataset.carried:
            return None
        count = batch.inputs.shape[1]  # the last batch of an epoch may have fewer streams
        return first_of(self.states or self.model.zeros(count), count)

    def _clip(self) -> float:
        """The gradient's norm before it is clipped."""
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        value = norm.item()
        if not math.isfinite(value):
            raise DivergedError(
                f"the gradient's norm became {value}", first_bad_gradient(self.model)
            )
        most = self.config.training.clip_norm
        if most:
            nn.utils.clip_grads_with_norm_(self.weights, most, norm)
        return value

    def _order(self) -> np.ndarray:
        """The training rows in the order of this epoch; the batches are cut from it."""
        train = self.prepared.split.train
        if self.prepared.dataset.carried:
            return np.concatenate(streams(train, self.config.training.batch_size))
        rng = np.random.default_rng([self.config.training.seed, self.epoch])
        return rng.permutation(train)

    # -- epochs ----------------------------------------------------------------------------------

    def _epoch_ended(self) -> tuple[EpochEnded, Any]:
        validation, _ = evaluate(self.model, self.prepared, "validation")
        test, survey = evaluate(self.model, self.prepared, "test")
        loss = validation.metrics[self.metric]
        if loss < self.best_loss:
            self.best_loss, self.best_epoch = loss, self.epoch
            _copy(self.weights, self.best)
        ended = EpochEnded(
            step=self.step,
            epoch=self.epoch,
            train_loss=self.loss_sum * self.unit / len(self.prepared.split.train),
            validation=validation,
            test=test,
            gradient_norm=self.norm_max,
            clipped=self.clipped,
            learning_rate=self.rate,
            seconds=self.seconds,
        )
        return ended, survey

    def _next_epoch(self) -> None:
        self.epoch, self.batch, self.states = self.epoch + 1, 0, ()
        self.loss_sum, self.norm_max, self.clipped, self.seconds = 0.0, 0.0, 0, 0.0

    def _is_last(self) -> bool:
        return self.epoch == self.config.training.epochs

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
        dataset = self.prepared.dataset
        unit = dataset.outputs[0].unit
        rows = {part: self.prepared.part(part) for part in PARTS}
        return Started(
            step=0,
            epoch=0,
            parameters=sum(weight.numel() for weight in self.weights),
            sizes={part: len(found) for part, found in rows.items()},
            people={p: len({dataset.ids[i] for i in found}) for p, found in rows.items()},
            batches=self.batches,
            epochs=self.config.training.epochs,
            metric=self.metric,
            unit=(f"({unit})²" if unit else "") if self.metric == "mse" else "nats",
            baselines=baselines(self.prepared),
            trace_stride=self.plan.stride,
        )

    def _traced(self, epoch: int, survey: Any = None) -> Traced:
        if survey is None:
            _, survey = evaluate(self.model, self.prepared, "test")
        if not self.plan.stride:
            return Traced(step=self.step, epoch=epoch, trace=None, survey=survey)
        rows = traced_rows(self.prepared, self.plan.sequences)
        trace = record(
            self.model,
            self.prepared.batch(rows),
            rows,
            epoch=self.best_epoch if self._patience_is_over() and epoch else epoch,
            step=self.step,
            target=self.prepared.target_scaler if self.metric == "mse" else None,
            scaled=self.prepared.scaled,
        )
        return Traced(step=self.step, epoch=epoch, trace=trace, survey=survey)

    def _sampled(self, epoch: int) -> Stream:
        """What the network writes by now, where it learns to write at all."""
        if not self.prepared.dataset.writable:
            return
        seed = self.config.training.seed
        with np.errstate(over="ignore", invalid="ignore"):
            found = sample(self.model, self.prepared, seed=seed, epoch=epoch)
        yield from self._say(
            Sampled(step=self.step, epoch=epoch, seed=seed, **dataclasses.asdict(found))
        )

    def _failed(self, diverged: DivergedError) -> Failed:
        kept = f"the weights of step {max(self.step - 1, 0)} are kept"
        return Failed(
            step=self.step,
            epoch=self.epoch,
            where=diverged.where,
            message=(
                f"In step {self.step + 1} (epoch {self.epoch}) {diverged.what}; it was first seen "
                f"in {diverged.where}, and {kept}. Standardise the inputs, lower the learning rate "
                f"(now {self.rate:g}) or clip gradients at a smaller norm."
            ),
        )

    # -- checkpoints -----------------------------------------------------------------------------

    _PLAIN = (
        *("rate", "epoch", "batch", "step", "loss_sum", "norm_max", "clipped", "seconds"),
        *("best_loss", "best_epoch"),
    )

    def _checkpoint(self) -> Checkpointed:
        held = {name: getattr(self, name) for name in (*self._PLAIN, "good", "best", "states")}
        between = self.batch == 0 and self.step > 0  # the epoch before has just ended
        state = packed(self.model, self.optimiser, held)
        return Checkpointed(step=self.step, epoch=self.epoch - between, state=state)

    def _load(self, state: bytes) -> None:
        held = unpacked(state, self.model, self.optimiser)
        for name in (*self._PLAIN, "good", "best"):
            setattr(self, name, held[name])
        self.states = held.get("states", ())  # earlier versions carried none on


def best_model(config: RunConfig, prepared: Prepared, state: bytes) -> SequenceModel:
    """The network of a Checkpointed, with the weights of the epoch of its lowest validation loss.

    Raises:
        RunError: the state cannot be read.
    """
    training = _Training(config, prepared, time.perf_counter)
    training._load(state)
    _copy(training.best, training.weights)
    return training.model


def _copy(source: Sequence[torch.Tensor], into: Sequence[torch.Tensor]) -> None:
    with torch.no_grad():
        torch._foreach_copy_(list(into), list(source))
