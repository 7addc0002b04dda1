"""Small data sets and settings that the tests of training share."""

import numpy as np

from rnnviz.config import ModelConfig, RunConfig, TrainingConfig
from rnnviz.data.dataset import SequenceDataset, Source, Task, Variable
from rnnviz.wishes import Wishes


def make_dataset(task=Task.REGRESSION, n=60, t=12, *, lengths=None, scale=1.0, seed=0, rows=1):
    """Sequences whose target is in reach: the mean of the inputs, its sign, or the next token.

    At every step: the mean so far, or its sign; the first step has no target.
    """
    rng = np.random.default_rng(seed)
    lengths = np.full(n, t) if lengths is None else lengths
    common = {
        "name": "made for tests",
        "lengths": lengths,
        "times": np.arange(t, dtype=np.float64),
        "time_unit": "step",
        "ids": tuple(f"p{k // rows}" for k in range(n)),
        "covariates": rng.normal(size=(n, 2)).astype(np.float32),
        "covariate_names": (Variable("a"), Variable("b")),
        "groups": {},
        "task": task,
        "source": Source(title="made for tests"),
    }
    if task is Task.NEXT_TOKEN:
        tokens = (np.arange(n * t + 1) * 3 + (np.arange(n * t + 1) // 7)) % 5
        return SequenceDataset(
            **common | {"covariates": np.zeros((n, 0), np.float32), "covariate_names": ()},
            inputs=tokens[:-1].reshape(n, t),
            targets=tokens[1:].reshape(n, t),
            features=(Variable("token"),),
            outputs=(Variable("next token"),),
            vocabulary=tuple("abcde"),
        )
    inputs = rng.normal(size=(n, t, 1)).astype(np.float32) * scale
    inputs *= (np.arange(t) < lengths[:, None])[:, :, None]
    mean = inputs[:, :, 0].sum(axis=1) / lengths
    if task.every_step:
        mean = inputs[:, :, 0].cumsum(axis=1) / np.arange(1, t + 1)
        common["counted"] = np.broadcast_to(np.arange(t) > 0, (n, t)).copy()
    classes = ("low", "high") if task.names_classes else ()
    targets = (mean > 0).astype(np.int64) if classes else (20 + 30 * mean[..., None])
    return SequenceDataset(
        **common,
        inputs=inputs,
        targets=targets if classes else targets.astype(np.float32),
        features=(Variable("x"),),
        outputs=(Variable("y", "kg"),),
        classes=classes,
    )


def make_config(*, epochs=3, seed=0, rate=0.01, clip=1.0, patience=0, batch=16, **model):
    return RunConfig(
        model=ModelConfig(**{"hidden_size": 4, "attention": "none", **model}),
        training=TrainingConfig(
            epochs=epochs,
            seed=seed,
            learning_rate=rate,
            clip_norm=clip,
            patience=patience,
            batch_size=batch,
        ),
    )


def ticks():
    """A clock that needs no time."""
    return 0.0


def pump(stream, wishes=None):
    """All events; wishes[k] is sent in return for the k-th."""
    events = [next(stream)]
    while True:
        try:
            events.append(stream.send((wishes or {}).get(len(events) - 1)))
        except StopIteration:
            return events


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


__all__ = ["Wishes", "make_config", "make_dataset", "of", "pump", "ticks"]
