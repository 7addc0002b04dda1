"""Between Keras' layers and a Stored: which cell is which, whose block comes where. NumPy only.

Keras has weights as (in, blocks x units), torch as (blocks x units, in). Blocks:
  LSTM       Keras i, f, c, o    torch i, f, g, o
  GRU        Keras z, r, h       torch r, z, n
A GRU that resets after the product has a bias (2, 3 units), for W x and for U h; all others one.
hard_sigmoid is clip(z / 6 + 1/2) in Keras 3 and clip(z / 5 + 1/2) in Keras 1 and 2, so the older
one of z is the newer one of 6/5 z: weights of such gates are taken times 6/5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from rnnviz.config import ACTIVATIONS, CELL_NAMES, Dense, ModelConfig
from rnnviz.data.dataset import Task
from rnnviz.errors import DataError
from rnnviz.exchange.stored import MOST_WEIGHTS, Stored

Array = Float32[np.ndarray, "..."]


class Kind(NamedTuple):
    """What Keras calls a cell."""

    layer: str
    activation: str
    gate: str = ""  # the recurrent activation
    reset_after: bool | None = None


KINDS: Mapping[str, Kind] = {
    "lstm": Kind("LSTM", "tanh", "sigmoid"),
    "lstm-relu": Kind("LSTM", "relu", "hard_sigmoid"),
    "lstm-relu-sigmoid": Kind("LSTM", "relu", "sigmoid"),
    "lstm-hard": Kind("LSTM", "tanh", "hard_sigmoid"),
    "gru": Kind("GRU", "tanh", "sigmoid", True),
    "gru-before": Kind("GRU", "tanh", "sigmoid", False),
    "gru-before-hard": Kind("GRU", "tanh", "hard_sigmoid", False),
    "rnn": Kind("SimpleRNN", "tanh"),
    "rnn-relu": Kind("SimpleRNN", "relu"),
}
ORDERS: Mapping[str, tuple[int, ...]] = {  # Keras' block of each of torch's; its own inverse
    "LSTM": (0, 1, 2, 3),
    "GRU": (1, 0, 2),
    "SimpleRNN": (0,),
}
HARD = "hard_sigmoid"
GATES: Mapping[str, tuple[int, ...]] = {"LSTM": (0, 1, 3), "GRU": (0, 1), "SimpleRNN": ()}
OLD_HARD_SIGMOID = np.float32(6 / 5)
PARTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


@dataclass(frozen=True, kw_only=True)
class Recurrent:
    """A recurrent layer as Keras has it; of each direction kernel, recurrent kernel and bias."""

    name: str
    kind: Kind
    every_step: bool  # return_sequences
    ways: tuple[tuple[Array, ...], ...]  # one or two


@dataclass(frozen=True, kw_only=True)
class Head:
    """A dense layer as Keras has it."""

    name: str
    activation: str
    weights: tuple[Array, ...]  # kernel, and bias unless it has none


def to_stored(
    layers: Sequence[Recurrent],
    heads: Sequence[Head],
    *,
    origin: str,
    old_hard_sigmoid: bool,
    notes: tuple[str, ...] = (),
) -> Stored:
    """The model of these layers, each reading the one before.

    Raises:
        DataError, ConfigError: they are not what a SequenceModel can be.
    """
    kind, every_step = _same_kind(layers), layers[-1].every_step
    ways = len(layers[0].ways)
    weights: dict[str, Array] = {}
    for k, layer in enumerate(layers):
        for way, arrays in enumerate(layer.ways):
            found = _to_torch(kind, arrays, layer.name, old=old_hard_sigmoid)
            weights |= {f"layers.{k}.{way}.rnn.{n}": v for n, v in zip(PARTS, found, strict=True)}
    sizes = tuple(layer.ways[0][1].shape[0] for layer in layers)
    top = top_of(heads, width=sizes[-1] * ways, every_step=every_step)
    if old_hard_sigmoid and kind.gate == HARD:
        notes += ("Keras 2's hard sigmoid is kept by taking the gates' weights times 6/5.",)
    return Stored(
        config=ModelConfig(
            cell=_cell(kind),
            hidden_size=max(sizes),
            layers=len(sizes),
            bidirectional=ways == 2,
            attention="none",
        ),
        task=top.task,
        inputs=layers[0].ways[0][0].shape[0],
        outputs=len(top.weights["head.bias"]),
        sizes=sizes,
        dense=top.dense,
        weights=weights | top.weights,
        origin=origin,
        notes=(*notes, *top.notes),
    )


def _same_kind(layers: Sequence[Recurrent]) -> Kind:
    if not layers:
        raise DataError("it has no recurrent layer; allowed are SimpleRNN, GRU and LSTM")
    kinds = {(layer.kind, len(layer.ways)) for layer in layers}
    if len(kinds) > 1:
        raise DataError(
            "its recurrent layers differ in more than their units; allowed are layers of one kind, "
            "with the same activations, all bidirectional or none"
        )
    return layers[0].kind


def _cell(kind: Kind) -> str:
    for cell, known in KINDS.items():
        if known == kind:
            return cell
    allowed = "; ".join(
        f"{k.layer} with {k.activation}{' and ' if k.gate else ''}{k.gate}" for k in KINDS.values()
    )
    given = f"{kind.activation}{' and ' if kind.gate else ''}{kind.gate}"
    raise DataError(f"its {kind.layer} layers have the activations {given}; allowed are {allowed}")


# -- blocks ----------------------------------------------------------------------------------------


def _to_torch(kind: Kind, arrays: Sequence[Array], name: str, *, old: bool) -> tuple[Array, ...]:
    """W, U, b_W and b_U, blocks in torch's order, rows first."""
    blocks = len(ORDERS[kind.layer])
    kernel, recurrent, bias = _checked(kind, arrays, name)
    w, u = (_turned(kind, matrix).T for matrix in (kernel, recurrent))
    input_bias = _turned(kind, bias[0] if bias.ndim == 2 else bias)
    recurrent_bias = _turned(kind, bias[1]) if bias.ndim == 2 else np.zeros_like(input_bias)
    found = (w, u, input_bias, recurrent_bias)
    if old and kind.gate == HARD:
        size = len(input_bias) // blocks
        for block in GATES[kind.layer]:
            for array in found:
                array[block * size : (block + 1) * size] *= OLD_HARD_SIGMOID
    return tuple(np.ascontiguousarray(array) for array in found)


def _checked(kind: Kind, arrays: Sequence[Array], name: str) -> tuple[Array, Array, Array]:
    blocks = len(ORDERS[kind.layer])
    if len(arrays) not in (2, 3):
        raise DataError(f"its layer {name!r} has {len(arrays)} arrays; a {kind.layer} has 2 or 3")
    kernel, recurrent = arrays[:2]
    wide = kernel.shape[-1]
    shape = (2, wide) if kind.reset_after else (wide,)
    bias = arrays[2] if len(arrays) == 3 else np.zeros(shape, np.float32)
    square = recurrent.ndim == 2 and recurrent.shape[1] == wide == blocks * recurrent.shape[0]
    if kernel.ndim != 2 or not square or bias.shape != shape:
        shapes = ", ".join("x".join(map(str, array.shape)) for array in arrays)
        raise DataError(
            f"its layer {name!r} has arrays of {shapes}, which are not those of a {kind.layer}; "
            "save the model again, whole"
        )
    return kernel, recurrent, bias


def _turned(kind: Kind, array: Array) -> Array:
    """Blocks of the last axis in the other one's order."""
    order = ORDERS[kind.layer]
    parts = np.split(array, len(order), axis=-1)
    return np.concatenate([parts[k] for k in order], axis=-1)


def keras_arrays(stored: Stored, layer: int, way: int) -> tuple[Array, Array, Array]:
    """Kernel, recurrent kernel and bias of one direction of a layer."""
    kind = KINDS[stored.config.cell]
    w, u, input_bias, recurrent_bias = (
        stored.weights[f"layers.{layer}.{way}.rnn.{part}"] for part in PARTS
    )
    both = (_turned(kind, input_bias), _turned(kind, recurrent_bias))
    bias = np.stack(both) if kind.reset_after else both[0] + both[1]
    return _turned(kind, w.T), _turned(kind, u.T), bias


def embedded(table: Array, arrays: Sequence[Array], ways: int) -> list[Array]:
    """The arrays of a layer that reads tokens one-hot, from those that read them embedded.

    W (E x) = (W E) x, where x is one-hot: looking a row of E up is a product with it.
    """
    step = len(arrays) // ways
    kernels = arrays[::step] if step else ()
    for kernel in kernels:
        if table.ndim != 2 or kernel.ndim != 2 or table.shape[1] != kernel.shape[0]:
            raise DataError(
                "its embedding does not have the width that the next layer reads; save it whole"
            )
        if len(table) * kernel.shape[1] * ways > MOST_WEIGHTS:
            raise DataError(
                f"its embedding of {len(table):,} tokens makes more than {MOST_WEIGHTS:,} weights "
                "of the first layer, the most that is read; take a smaller vocabulary"
            )
    return [table @ array if k % step == 0 else array for k, array in enumerate(arrays)]


# -- heads -----------------------------------------------------------------------------------------


class Top(NamedTuple):
    """Everything above the recurrent layers."""

    task: Task
    dense: tuple[Dense, ...]
    weights: dict[str, Array]
    notes: tuple[str, ...]


def top_of(heads: Sequence[Head], *, width: int, every_step: bool) -> Top:
    """Dense layers, the head, and what is predicted, by the last activation."""
    steps = [(*_dense_weights(head), head.activation) for head in heads]
    notes: tuple[str, ...] = ()
    last = heads[-1].activation if heads else ""
    task = Task.REGRESSION
    if last == "softmax":
        task = Task.NEXT_TOKEN if every_step else Task.CLASSIFICATION
    elif last == "sigmoid" and len(steps[-1][1]) == 1 and not every_step:
        task, (w, b, _) = Task.CLASSIFICATION, steps.pop()
        steps.append((np.concatenate((0 * w, w)), np.concatenate((0 * b, b)), "softmax"))
        notes = ("One sigmoid unit is read as two classes, the first with a score of 0.",)
    elif last != "linear":
        steps.append((*_same(len(steps[-1][1]) if steps else width), "linear"))
        notes = () if heads else ("It has no dense layer: its outputs are the last state.",)
    if every_step and task is not Task.NEXT_TOKEN:
        raise DataError(
            "it gives numbers at every step; allowed are models that give them after the last "
            "step, or at every step a token by softmax"
        )
    names = (*(f"dense.{k}" for k in range(len(steps) - 1)), "head")
    weights: dict[str, Array] = {}
    for name, (w, b, _) in zip(names, steps, strict=True):
        weights |= {f"{name}.weight": np.ascontiguousarray(w), f"{name}.bias": b}
    dense = tuple(Dense(len(b), activation) for _, b, activation in steps[:-1])
    return Top(task, dense, weights, notes)


def _dense_weights(head: Head) -> tuple[Array, Array]:
    if head.activation not in (*ACTIVATIONS, "softmax"):
        raise DataError(
            f"its layer {head.name!r} has the activation {head.activation}; allowed are "
            f"{', '.join(ACTIVATIONS)}, and softmax at the end"
        )
    kernel = head.weights[0] if head.weights else np.zeros(0, np.float32)
    bias = head.weights[1] if len(head.weights) == 2 else np.zeros(kernel.shape[-1], np.float32)
    if len(head.weights) not in (1, 2) or kernel.ndim != 2 or bias.shape != kernel.shape[1:]:
        raise DataError(
            f"its layer {head.name!r} does not have the arrays of a Dense; save the model again"
        )
    return kernel.T, bias


def _same(width: int) -> tuple[Array, Array]:
    """A layer that changes nothing."""
    return np.eye(width, dtype=np.float32), np.zeros(width, np.float32)


def refuse_what_keras_lacks(stored: Stored) -> None:
    """Raises DataError for models that are more than a chain of Keras' own layers."""
    config = stored.config
    if config.cell not in KINDS:
        raise DataError(f"Keras has no {CELL_NAMES[config.cell]}; save it as .safetensors")
    if config.attention != "none":
        raise DataError(
            f"the model has {config.attention} attention, which Keras has no layer for; save it as "
            ".safetensors, or train one without attention"
        )
    if stored.covariates:
        raise DataError(
            "the model reads covariates beside its sequences; save it as .safetensors, or train "
            "one without covariates"
        )
