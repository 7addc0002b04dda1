"""Small consistent examples for the figures: traces of real cells run in NumPy, runs, datasets."""

import dataclasses

import numpy as np
from jaxtyping import Float

from rnnviz.cells import CELLS, recur_with
from rnnviz.data.dataset import SequenceDataset, Source, Task, Variable
from rnnviz.events import BatchEnded, EpochEnded, RateChanged, RunView, Score, Started
from rnnviz.trace import LayerTrace, Survey, Trace


def layer_trace(
    cell: str,
    inputs: Float[np.ndarray, "B T I"],
    units: int,
    *,
    layer: int = 0,
    reverse: bool = False,
    gain: float = 1.0,
    seed: int = 0,
) -> LayerTrace:
    """A layer whose gates really move its states; gradients shrink towards the past."""
    rng = np.random.default_rng([seed, layer, reverse])
    kind = CELLS[cell]
    b, t, i = inputs.shape
    g = len(kind.gates)
    w = rng.normal(size=(g, units, i)) * gain / np.sqrt(i)
    u = rng.normal(size=(g, units, units)) * 0.9 / np.sqrt(units)
    bias = 0.5 * rng.normal(size=(2, g, units))
    recur = recur_with(u, bias[1])
    states = tuple(np.zeros((b, units)) for _ in kind.states)
    gates, before, after = [], [], []
    for x in inputs.swapaxes(0, 1)[:: -1 if reverse else 1]:
        parts = tuple(x @ w[k].T + bias[0, k] for k in range(g))
        z, values = kind.activate(parts, recur, states)
        states = kind.advance(values, states)
        before.append(np.stack(z, axis=1))
        gates.append(np.stack(values, axis=1))
        after.append(np.stack(states, axis=1))

    def over_time(steps: list[np.ndarray]) -> np.ndarray:
        return np.stack(steps[:: -1 if reverse else 1], axis=1).astype(np.float32)

    decay = 10.0 ** -np.linspace(6 if not reverse else 0, 0 if not reverse else 6, t)
    noise = rng.normal(size=(b, t, len(kind.states), units))
    return LayerTrace(
        cell=cell,
        layer=layer,
        reverse=reverse,
        gate_names=tuple(gate.symbol for gate in kind.gates),
        state_names=kind.states,
        inputs=inputs.astype(np.float32),
        gates=over_time(gates),
        preactivations=over_time(before),
        states=over_time(after),
        state_grads=(noise * decay[None, :, None, None]).astype(np.float32),
        input_weights=w,
        recurrent_weights=u,
        input_bias=bias[0],
        recurrent_bias=bias[1],
    )


def widened(found: Trace, times: int) -> Trace:
    """The same trace with every unit so many times: many units without the work of many."""

    def wide(values: np.ndarray) -> np.ndarray:
        return np.tile(values, (1, 1, 1, times))

    layers = tuple(
        dataclasses.replace(
            layer,
            gates=wide(layer.gates),
            preactivations=wide(layer.preactivations),
            states=wide(layer.states),
            state_grads=None if layer.state_grads is None else wide(layer.state_grads),
            input_weights=np.tile(layer.input_weights, (1, times, 1)),
            recurrent_weights=np.tile(layer.recurrent_weights, (1, times, times)) / times,
            input_bias=np.tile(layer.input_bias, (1, times)),
            recurrent_bias=np.tile(layer.recurrent_bias, (1, times)),
        )
        for layer in found.layers
    )
    return dataclasses.replace(found, layers=layers)


def _softmax(scores: np.ndarray) -> np.ndarray:
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def trace(
    cell: str = "lstm",
    *,
    steps: int = 144,
    units: int = 12,
    layers: int = 1,
    bidirectional: bool = False,
    attention: str = "",
    gradients: bool = True,
    lengths: tuple[int, ...] | None = None,
    gain: float = 1.0,
    seed: int = 0,
) -> Trace:
    """A trace of two sequences; attention is "", "one" (a single query) or "every" (causal)."""
    rng = np.random.default_rng(seed)
    b = 2
    hours = np.linspace(0, 24, steps, endpoint=False)
    inputs = (np.sin((hours - 9) / 24 * 2 * np.pi)[None] + 0.4 * rng.normal(size=(b, steps)))[
        ..., None
    ].astype(np.float32)
    n = np.array(lengths or (steps,) * b)
    built: list[LayerTrace] = []
    below = inputs
    for k in range(layers):
        ways = [
            layer_trace(cell, below, units, layer=k, reverse=r, gain=gain, seed=seed)
            for r in ((False, True) if bidirectional else (False,))
        ]
        below = np.concatenate([way.state("h") for way in ways], axis=-1)
        built += ways
    if not gradients:
        built = [dataclasses.replace(layer, state_grads=None) for layer in built]
    queries = steps if attention == "every" else 1
    scores = weights = None
    if attention:
        scores = rng.normal(size=(b, queries, steps)).astype(np.float32) + inputs[:, None, :, 0]
        past = np.arange(steps)[None] <= np.arange(steps)[:, None] if queries > 1 else True
        allowed = (np.arange(steps) < n[:, None])[:, None] & past
        scores = np.where(allowed, scores, -np.inf).astype(np.float32)
        weights = _softmax(scores)
    return Trace(
        epoch=1,
        step=10,
        sequences=np.arange(b),
        lengths=n,
        inputs=inputs,
        outputs=np.full((b, queries, 1), 27.0, dtype=np.float32),
        targets=np.full((b, queries, 1), 26.0, dtype=np.float32),
        loss=np.ones(b, dtype=np.float32),
        layers=tuple(built),
        scores=scores,
        attention=weights,
    )


BMI = ("under 18.5", "18.5 to 25", "25 to 30", "30 and over")


def days(
    people: int = 40, *, steps: int = 144, features: int = 1, seed: int = 0, wear: bool = True
) -> SequenceDataset:
    """Simulated days; people with a higher target move less."""
    rng = np.random.default_rng(seed)
    minutes = np.arange(1440)
    bmi = rng.normal(28, 5, size=people)
    shape = np.clip(np.sin((minutes - 420) / 960 * np.pi), 0, None)
    counts = rng.gamma(1.2, 1.0, size=(people, 1440)) * shape * (420 - 6 * bmi)[:, None]
    worn = np.ones((people, 1440))
    worn[:, 1380:] = 0
    worn[: people // 2, 600:660] = 0
    counts = counts * worn
    per = 1440 // steps
    blocks = counts.reshape(people, steps, per)
    inputs = blocks if features > 1 else blocks.mean(axis=2, keepdims=True)
    one = "activity" if per == 1 else f"mean of {per} min"
    names = [f"minute {k + 1}" for k in range(per)] if features > 1 else [one]
    return SequenceDataset(
        name="simulated days",
        inputs=np.log1p(inputs).astype(np.float32),
        targets=bmi.astype(np.float32)[:, None],
        lengths=np.full(people, steps),
        times=np.arange(steps, dtype=np.float64) * per,
        time_unit="min",
        features=tuple(Variable(f"log(1 + {name})", "") for name in names),
        outputs=(Variable("BMI", "kg/m²"),),
        ids=tuple(f"p{k}" for k in range(people)),
        covariates=np.zeros((people, 0), dtype=np.float32),
        groups={"BMI class": tuple(BMI[int(np.digitize(v, (18.5, 25, 30)))] for v in bmi)},
        wear=worn.reshape(people, steps, per).mean(axis=2) if wear else None,
        task=Task.REGRESSION,
        source=Source(title="a simulator", simulated=True),
    )


def text(sentence: str = "namaskar namaskar namaskar", window: int = 8) -> SequenceDataset:
    """Windows of characters that predict the next one."""
    letters = tuple(sorted(set(sentence)))
    codes = np.array([letters.index(letter) for letter in sentence])
    starts = range(0, len(codes) - window, window)
    n = len(starts)
    return SequenceDataset(
        name="text",
        inputs=np.stack([codes[s : s + window] for s in starts]),
        targets=np.stack([codes[s + 1 : s + window + 1] for s in starts]),
        lengths=np.full(n, window),
        times=np.arange(window, dtype=np.float64),
        time_unit="step",
        features=(Variable("character"),),
        outputs=(Variable("next character"),),
        vocabulary=letters,
        ids=tuple(map(str, range(n))),
        covariates=np.zeros((n, 0), dtype=np.float32),
        groups={},
        task=Task.NEXT_TOKEN,
        source=Source(title="a sentence"),
    )


def _scores(part: str) -> tuple[Score, ...]:
    mse = {"mean": 37.12, "ridge": 36.2, "covariates only": 35.6}
    return tuple(Score(predictor=k, part=part, metrics={"mse": v}) for k, v in mse.items())


def run(epochs: int = 12, *, batches: int = 16, first: float = 820.0, seed: int = 0) -> RunView:
    """A run whose first batches explode, with the learning rate changed by hand in the middle."""
    rng = np.random.default_rng(seed)
    view = RunView().after(
        Started(
            step=0,
            epoch=0,
            parameters=4513,
            sizes={"train": 512, "validation": 128, "test": 160},
            people={"train": 512, "validation": 128, "test": 160},
            batches=batches,
            epochs=epochs,
            metric="mse",
            unit="(kg/m²)²",
            baselines=_scores("validation") + _scores("test"),
            trace_stride=1,
        )
    )
    for epoch in range(1, epochs + 1):
        for k in range(1, batches + 1):
            step = (epoch - 1) * batches + k
            level = 34 + 4 / np.sqrt(step) + first * np.exp(-step / 2)
            event = BatchEnded(
                step=step,
                epoch=epoch,
                loss=float(level * rng.lognormal(0, 0.18)),
                gradient_norm=float(3 * rng.lognormal(0, 0.8) / np.sqrt(step)),
                seconds=0.02,
            )
            view = view.after(event)
        loss = 34 + 4 / np.sqrt(epoch)
        validation = Score(predictor="network", part="validation", metrics={"mse": loss + 1.2})
        test = Score(predictor="network", part="test", metrics={"mse": loss + 1.5})
        view = view.after(
            EpochEnded(
                step=epoch * batches,
                epoch=epoch,
                train_loss=loss + (first / batches if epoch == 1 else 0),
                validation=validation,
                test=test,
                gradient_norm=3.0,
                clipped=3,
                learning_rate=3e-3,
                seconds=0.4,
            )
        )
        if epoch == epochs // 2:
            view = view.after(RateChanged(step=epoch * batches, epoch=epoch, learning_rate=1e-3))
    return view


def survey(dataset: SequenceDataset, *, attention: bool = True, seed: int = 0) -> Survey:
    """Weak predictions for every row; attention follows the activity."""
    rng = np.random.default_rng([seed, 1])
    y = dataset.targets[:, 0].astype(np.float64)
    weights = _softmax(dataset.inputs.mean(axis=2) * 0.3) if attention else None
    return Survey(
        sequences=np.arange(len(y)),
        targets=y,
        predictions=y.mean() + 0.3 * (y - y.mean()) + rng.normal(size=len(y)),
        attention=weights,
    )
