"""A program that behaves as training does, without training: same state, same events, bit for bit.

What it does besides, DataConfig.table says: "" nothing, or words such as "slow", "segv=5" (dies at
step 5, always), "mistake=5", "fault=5", "nan=5". batch_size is the number of batches of an epoch.
"""

import json
import math
import os
import signal
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import numpy as np

from rnnviz.config import DataConfig, RunConfig, TrainingConfig
from rnnviz.errors import DataError
from rnnviz.events import (
    BatchEnded,
    Checkpointed,
    EpochEnded,
    Event,
    Finished,
    RateChanged,
    Score,
    Started,
    Traced,
)
from rnnviz.trace import LayerTrace, Survey, Trace
from rnnviz.wishes import Wishes

PROGRAM = "runs_fakes:fit"
MISTAKE = "the data have 3 columns; 4 are needed; bring another file"
SLOW = 0.005  # of one step [s]
GLACIAL = 30.0


def settings(*, epochs: int = 4, batches: int = 5, does: str = "", seed: int = 0) -> RunConfig:
    """A run of epochs x batches steps."""
    training = TrainingConfig(epochs=epochs, batch_size=batches, seed=seed)
    return RunConfig(data=DataConfig(table=does), training=training)


def fit(
    config: RunConfig, home: Path, state: bytes | None = None
) -> Generator[Event, Wishes, None]:
    """Events of a chain of numbers, each made from the one before and the learning rate."""
    does = dict(word.partition("=")[::2] for word in config.data.table.split())
    batches, epochs = config.training.batch_size, config.training.epochs
    now = json.loads(state) if state else _first(config)
    wishes = yield Started(
        step=now["step"],
        epoch=now["epoch"],
        parameters=1,
        sizes={"train": batches},
        people={"train": batches},
        batches=batches,
        epochs=epochs,
        metric="mse",
        unit="",
        baselines=(_score(0.0),),
        trace_stride=2,
    )
    while True:
        if wishes.learning_rate not in (None, now["rate"]):
            now["rate"] = wishes.learning_rate
            wishes = yield RateChanged(**_at(now), learning_rate=now["rate"])
            continue
        if wishes.checkpoint:
            wishes = yield Checkpointed(**_at(now), state=json.dumps(now).encode())
            continue
        if now["step"] == now["epoch"] * batches:  # the epoch's events are still to come
            yield _epoch_ended(now)
            if now["epoch"] % 2 == 0:
                yield Traced(**_at(now), trace=trace(now["epoch"]), survey=survey())
            now["epoch"] += 1
            ended = now["epoch"] - 1
            wishes = yield Checkpointed(
                step=now["step"], epoch=ended, state=json.dumps(now).encode()
            )
            if ended == epochs:
                yield Finished(
                    step=now["step"],
                    epoch=ended,
                    reason="done",
                    scorecard=(_score(now["x"]),),
                )
                return
            continue
        _advance(now, does, home)
        wishes = yield BatchEnded(
            **_at(now), loss=_loss(now, does), gradient_norm=now["x"], seconds=0.0
        )


def _first(config: RunConfig) -> dict:
    return {
        "step": 0,
        "epoch": 1,
        "x": config.training.seed / 7 + 0.1,
        "rate": config.training.learning_rate,
    }


def _at(now: dict) -> dict:
    return {"step": now["step"], "epoch": now["epoch"]}


def _advance(now: dict, does: dict[str, str], home: Path) -> None:
    if "slow" in does:
        time.sleep(SLOW)  # stands for the work of a step
    now["step"] += 1
    now["x"] = math.fmod(3.9 * now["x"] * (1 - now["x"]) + now["rate"], 1.0)
    if str(now["step"]) == does.get("glacial"):
        (home / "asleep").touch()
        time.sleep(GLACIAL)  # a step that does not end
    if str(now["step"]) == does.get("segv"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if str(now["step"]) == does.get("mistake"):
        raise DataError(MISTAKE)
    if str(now["step"]) == does.get("fault"):
        raise KeyError("secret detail")
    if str(now["step"]) == does.get("memory"):
        raise MemoryError


def _loss(now: dict, does: dict[str, str]) -> float:
    return math.nan if str(now["step"]) == does.get("nan") else now["x"]


def _score(x: float) -> Score:
    return Score(predictor="network", part="validation", metrics={"mse": x, "r2": -math.inf})


def _epoch_ended(now: dict) -> EpochEnded:
    return EpochEnded(
        **_at(now),
        train_loss=now["x"],
        validation=_score(now["x"]),
        test=_score(now["x"]),
        gradient_norm=now["x"],
        clipped=0,
        learning_rate=now["rate"],
        seconds=0.0,
    )


def trace(epoch: int) -> Trace:
    """A small trace whose numbers depend on the epoch."""
    rng = np.random.default_rng(epoch)
    b, t, f, g, s, h = 2, 3, 1, 4, 2, 5
    layer = LayerTrace(
        cell="lstm",
        layer=0,
        reverse=False,
        gate_names=("i", "f", "g", "o"),
        state_names=("h", "c"),
        inputs=rng.random((b, t, f)),
        gates=rng.random((b, t, g, h)).astype(np.float32),
        preactivations=rng.random((b, t, g, h)),
        states=rng.random((b, t, s, h)),
        state_grads=None,
        input_weights=rng.random((g, h, f)),
        recurrent_weights=rng.random((g, h, h)),
        input_bias=rng.random((g, h)),
        recurrent_bias=rng.random((g, h)),
    )
    return Trace(
        epoch=epoch,
        step=epoch * 5,
        sequences=np.arange(b),
        lengths=np.full(b, t),
        inputs=layer.inputs,
        outputs=rng.random((b, 1, 1)),
        targets=rng.integers(0, 3, (b, 1)),
        loss=np.array([np.nan, np.inf]),
        layers=(layer, replace(layer, reverse=True, state_grads=layer.states)),
        scores=np.full((b, 1, t), -np.inf),
        attention=None,
    )


def survey() -> Survey:
    """A small survey."""
    values = np.linspace(0, 1, 4)
    return Survey(sequences=np.arange(4), targets=values, predictions=values, attention=None)
