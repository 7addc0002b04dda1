"""Stored: a model as plain values and arrays, checked. NumPy only: no torch, no files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from jaxtyping import Shaped

from rnnviz.cells import CELLS
from rnnviz.config import ACTIVATIONS, SCALES, Dense, ModelConfig
from rnnviz.data.dataset import Scaler, Task, Variable
from rnnviz.errors import DataError

MOST_WEIGHTS = 40_000_000
MOST_WIDTH = 100_000  # numbers that a model reads or gives at a step

Weights = Mapping[str, Shaped[np.ndarray, "..."]]  # of any type before they are checked


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What the numbers at a model's ends stand for; all empty where its file does not say."""

    features: tuple[Variable, ...] = ()
    outputs: tuple[Variable, ...] = ()
    covariates: tuple[Variable, ...] = ()
    classes: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    scale: str = "raw"  # key of SCALES: what was done to the values before the scalers
    input_scaler: Scaler | None = None
    covariate_scaler: Scaler | None = None
    target_scaler: Scaler | None = None  # inverted, it brings outputs to the target's unit


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A model outside of any program: settings, widths, and weights named as SequenceModel does.

    Raises:
        DataError: these weights are not those of such a model.
    """

    config: ModelConfig
    task: Task
    inputs: int
    outputs: int
    covariates: int = 0
    sizes: tuple[int, ...]  # units of each layer
    dense: tuple[Dense, ...] = ()
    weights: Weights = field(repr=False)
    meaning: Meaning = Meaning()
    origin: str  # the program that it comes from, such as "Keras 2.2.4"
    notes: tuple[str, ...] = ()  # what was assumed or changed on the way, one sentence each

    def __post_init__(self) -> None:
        _check_widths(self)
        _check_weights(self.weights, shapes_of(self))
        _check_meaning(self)

    @property
    def parameters(self) -> int:
        """How many numbers are learned, both biases of torch's cells counted."""
        return sum(array.size for array in self.weights.values())


def shapes_of(stored: Stored) -> dict[str, tuple[int, ...]]:
    """Name and shape of every array of weights, as in SequenceModel.state_dict()."""
    config = stored.config
    gates, ways = len(CELLS[config.cell].gates), 2 if config.bidirectional else 1
    widths = (config.embedding or stored.inputs, *(size * ways for size in stored.sizes))
    shapes: dict[str, tuple[int, ...]] = {}
    if config.embedding:
        shapes["embedding.weight"] = (stored.inputs, config.embedding)
    for layer, size in enumerate(stored.sizes):
        rows = gates * size
        for way in range(ways):
            start = f"layers.{layer}.{way}.rnn."
            shapes[f"{start}weight_ih_l0"] = (rows, widths[layer])
            shapes[f"{start}weight_hh_l0"] = (rows, size)
            shapes[f"{start}bias_ih_l0"] = shapes[f"{start}bias_hh_l0"] = (rows,)
    top = widths[-1]
    for part in {"general": ("keys",), "additive": ("keys", "queries")}.get(config.attention, ()):
        shapes[f"attention.{part}.weight"] = (top, top)
    if config.attention == "additive":
        shapes["attention.score.weight"] = (1, top)
    joined = top * (1 if config.attention == "none" else 2) + stored.covariates
    steps = (joined, *(layer.units for layer in stored.dense), stored.outputs)
    names = (*(f"dense.{k}" for k in range(len(stored.dense))), "head")
    for name, (reads, gives) in zip(names, pairwise(steps), strict=True):
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (gives, reads), (gives,)
    return shapes


def _check_widths(stored: Stored) -> None:
    widths = {"inputs": stored.inputs, "outputs": stored.outputs}
    widths |= {f"units of layer {k + 1}": size for k, size in enumerate(stored.sizes)}
    widths |= {f"units of dense layer {k + 1}": d.units for k, d in enumerate(stored.dense)}
    for name, width in widths.items():
        if not 1 <= width <= MOST_WIDTH:
            raise DataError(f"{name} is {width}; it must lie in [1, {MOST_WIDTH}]")
    if len(stored.sizes) != stored.config.layers:
        raise DataError(
            f"its settings name {stored.config.layers} layers and {len(stored.sizes)} sizes; "
            "save the model again"
        )
    for layer in stored.dense:
        if layer.activation not in ACTIVATIONS:
            raise DataError(
                f"a dense layer has the activation {layer.activation!r}; "
                f"allowed are {', '.join(ACTIVATIONS)}"
            )


def _check_weights(weights: Weights, shapes: Mapping[str, tuple[int, ...]]) -> None:
    if set(weights) != set(shapes):
        lacking, foreign = sorted(set(shapes) - set(weights)), sorted(set(weights) - set(shapes))
        what = f"lack {lacking[0]}" if lacking else f"hold {foreign[0]}, which its settings do not"
        raise DataError(f"its weights {what}; save the model again, whole")
    if sum(array.size for array in weights.values()) > MOST_WEIGHTS:
        raise DataError(
            f"it has more than {MOST_WEIGHTS // 10**6} million weights, the most that is read; "
            "take a smaller model"
        )
    for name, array in weights.items():
        if array.shape != shapes[name]:
            raise DataError(
                f"{name} is shaped {_by(array.shape)}, and its settings say {_by(shapes[name])}; "
                "save the model again, whole"
            )
        if array.dtype != np.float32:
            raise DataError(f"{name} holds {array.dtype} numbers; weights are float32")
        if not np.isfinite(array).all():
            raise DataError(
                f"{name} holds a number that is not finite, so the model has diverged; "
                "train it again with a lower learning rate"
            )


def _check_meaning(stored: Stored) -> None:
    """A meaning may be absent; where it is there, its width is the model's."""
    meaning = stored.meaning
    if meaning.scale not in SCALES:
        raise DataError(f"its scale is {meaning.scale!r}; allowed are {', '.join(SCALES)}")
    widths = {
        "features": 1 if meaning.vocabulary else stored.inputs,
        "outputs": stored.outputs if stored.task.numeric else 1,
        "covariates": stored.covariates,
        "classes": stored.outputs if stored.task.names_classes else 0,
        "vocabulary": stored.inputs,
    }
    for name, width in widths.items():
        count = len(getattr(meaning, name))
        if count and count != width:
            raise DataError(f"it names {count} {name} and has {width}; save the model again")
    scalers = {
        "input": (meaning.input_scaler, stored.inputs),
        "covariate": (meaning.covariate_scaler, stored.covariates),
        "target": (meaning.target_scaler, stored.outputs),
    }
    for name, (scaler, width) in scalers.items():
        if scaler is not None and not _fits(scaler, width):
            raise DataError(
                f"its {name} scaler is not one of {width} columns with finite numbers; "
                "save the model again"
            )


def _fits(scaler: Scaler, width: int) -> bool:
    finite = np.isfinite(scaler.mean).all() and np.isfinite(scaler.sd).all()
    return bool(
        scaler.mean.shape == scaler.sd.shape == (width,) and finite and (scaler.sd > 0).all()
    )


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a single number"
