"""Keras' description of a model as JSON: the chain of layers in it, and one for a Stored. Pure.

Only names and plain values are looked at; classes, functions and code that a description may hold
are refused by their names and never looked up.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rnnviz.errors import DataError
from rnnviz.exchange.keras_layers import KINDS, Kind
from rnnviz.exchange.stored import Stored

RECURRENT = ("SimpleRNN", "GRU", "LSTM")
SILENT = (  # layers that do nothing when a model predicts
    *("InputLayer", "Dropout", "SpatialDropout1D", "GaussianDropout", "GaussianNoise"),
    *("AlphaDropout", "ActivityRegularization"),
)
ALLOWED = "Embedding first, SimpleRNN, GRU, LSTM (each also Bidirectional), Dropout, then Dense"
WRITTEN_AS = "3.0.0"  # the version of Keras that our files say they are of


@dataclass(frozen=True, kw_only=True)
class Step:
    """A layer with weights; a dense one has no kind."""

    name: str
    place: str  # its group in a file of Keras 3, where classes are counted
    kind: Kind | None = None
    every_step: bool = False
    ways: int = 1
    activation: str = ""
    embeds: bool = False  # looks tokens up, and so comes first


def read_config(text: str) -> tuple[Step, ...]:
    """The layers with weights, from input to output.

    Raises:
        DataError: this is no chain of layers that are known.
    """
    try:
        model = json.loads(text)
        return tuple(_steps(_chain(model["class_name"], model["config"])))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, IndexError):
        raise DataError(
            "its description is not one that Keras writes; save the model again with Keras"
        ) from None


Entry = tuple[str, str, Mapping[str, Any]]  # class, place, settings


def _chain(kind: str, config: Any) -> list[Entry]:
    """The layers, each reading the one before."""
    if kind not in ("Sequential", "Functional", "Model"):
        raise DataError(
            f"it is a {kind[:60]}, whose inner order only its own code knows; allowed are "
            "Sequential and Functional models"
        )
    listed = config["layers"] if isinstance(config, dict) else config
    entries, counts = {}, dict[str, int]()
    for layer in listed:
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", layer["class_name"])
        snake = snake.lower()
        count = counts[snake] = counts.get(snake, -1) + 1
        place = f"{snake}_{count}" if count else snake
        entries[layer["config"]["name"]] = (layer["class_name"], place, layer["config"])
    if kind == "Sequential":
        return list(entries.values())
    reads = {
        layer.get("name", layer["config"]["name"]): set(_references(layer["inbound_nodes"]))
        for layer in listed
    }
    order = [name for name, sources in reads.items() if not sources]
    for _ in range(len(reads) - 1):
        order += [name for name, sources in reads.items() if sources == {order[-1]}]
    if len(order) != len(reads) or set(_references([config["output_layers"]])) != {order[-1]}:
        raise DataError(
            "its layers branch or join; allowed are models whose layers each read the one before"
        )
    return [entries[name] for name in order]


def _references(node: Any) -> Iterator[str]:
    """Names of the layers that a description of calls refers to: [name, call, output, ...]."""
    if isinstance(node, dict):
        node = list(node.values())
    if not isinstance(node, list):
        return
    if len(node) > 2 and isinstance(node[0], str) and isinstance(node[1], int):
        yield node[0]
    for inner in node:
        yield from _references(inner)


def _steps(entries: list[Entry]) -> Iterator[Step]:
    found: list[Step] = []
    for kind, place, settings in entries:
        if kind in SILENT:
            continue
        if kind == "Activation" and found and found[-1].activation == "linear":
            found[-1] = replace(found[-1], activation=_function(settings["activation"]))
            continue
        step = _step(kind, place, settings)
        if step.embeds and found:
            raise DataError(f"its layer {step.name!r} embeds what is no token; allowed is at first")
        if step.kind is not None and found and not (found[-1].kind or found[-1].embeds):
            raise DataError(
                f"its layer {step.name!r} reads a Dense; allowed are recurrent layers first, then "
                "Dense"
            )
        found.append(step)
    below = [step for step in found if step.kind is not None][:-1]
    if not all(step.every_step for step in below):
        raise DataError("a recurrent layer reads one that has no return_sequences; save it again")
    return iter(found)


def _step(kind: str, place: str, settings: Mapping[str, Any]) -> Step:
    name = str(settings["name"])
    if kind == "Dense":
        return Step(name=name, place=place, activation=_function(settings["activation"]))
    if kind == "Embedding" and not settings.get("mask_zero"):
        return Step(name=name, place=place, embeds=True)
    if kind == "TimeDistributed" and settings["layer"]["class_name"] == "Dense":
        inner = settings["layer"]["config"]["activation"]
        return Step(name=name, place=f"{place}/layer", activation=_function(inner))
    if kind in RECURRENT:
        return _recurrent(kind, name, place, settings, ways=1)
    if kind == "Bidirectional" and settings["layer"]["class_name"] in RECURRENT:
        return _bidirectional(name, place, settings)
    kind = f"{kind[:60]} with mask_zero" if kind == "Embedding" else kind[:60]
    raise DataError(f"its layer {name[:60]!r} is a {kind}; allowed are {ALLOWED}")


def _bidirectional(name: str, place: str, settings: Mapping[str, Any]) -> Step:
    forward = settings["layer"]
    backward = settings.get("backward_layer") or forward
    steps = [
        _recurrent(layer["class_name"], name, place, {**layer["config"], "go_backwards": False}, 2)
        for layer in (forward, backward)
    ]
    if settings.get("merge_mode") != "concat" or steps[0] != steps[1]:
        raise DataError(
            f"the two directions of its layer {name!r} differ or are not joined side by side; "
            "allowed is merge_mode 'concat' of two alike"
        )
    return steps[0]


def _recurrent(kind: str, name: str, place: str, settings: Mapping[str, Any], ways: int) -> Step:
    for flag in ("go_backwards", "return_state", "time_major"):
        if settings.get(flag):
            raise DataError(f"its layer {name!r} has {flag} on; allowed is off")
    gate = "" if kind == "SimpleRNN" else _function(settings["recurrent_activation"])
    reset_after = bool(settings.get("reset_after", False)) if kind == "GRU" else None
    return Step(
        name=name,
        place=place,
        kind=Kind(kind, _function(settings["activation"]), gate, reset_after),
        every_step=bool(settings.get("return_sequences", False)),
        ways=ways,
    )


def _function(value: Any) -> str:
    """A function's name, which Keras 3 sometimes wraps."""
    if isinstance(value, dict):
        value = value["config"]
    if not isinstance(value, str):
        raise DataError("it has an activation that is no function of Keras; allowed are its own")
    return value[:60]


# -- writing ---------------------------------------------------------------------------------------


def layers_of(stored: Stored) -> list[dict[str, Any]]:
    """The layers of a model in Keras' words, the input first."""
    layers = list(_first_layers(stored))
    for k, units in enumerate(stored.sizes):
        every_step = k + 1 < len(stored.sizes) or stored.task.every_step
        layers.append(_recurrent_layer(stored, k + 1, units, every_step))
    for k, dense in enumerate(stored.dense):
        name = f"dense_{k + 1}"
        layers.append(_dense_layer(name, dense.units, dense.activation))
    activation = "linear" if stored.task.numeric else "softmax"
    return [*layers, _dense_layer("head", stored.outputs, activation)]


def _first_layers(stored: Stored) -> Iterator[dict[str, Any]]:
    """What is read: values, or one-hot tokens; where tokens are embedded, their numbers."""
    size = stored.config.embedding
    shape, dtype = ([None, None], "int32") if size else ([None, None, stored.inputs], "float32")
    yield _described("InputLayer", name="sequence", batch_shape=shape, dtype=dtype)
    if size:
        yield _described("Embedding", name="embedding", input_dim=stored.inputs, output_dim=size)


def _recurrent_layer(stored: Stored, number: int, units: int, every_step: bool) -> dict[str, Any]:
    name = f"recurrent_{number}"
    kind = KINDS[stored.config.cell]
    settings = {"units": units, "activation": kind.activation, "return_sequences": every_step}
    if kind.gate:
        settings["recurrent_activation"] = kind.gate
    if kind.reset_after is not None:
        settings["reset_after"] = kind.reset_after
    if not stored.config.bidirectional:
        return _described(kind.layer, name=name, **settings)
    inner = _described(kind.layer, name=f"{name}_inner", **settings)
    # Keras makes a layer of this, copies it by its address and drops it; where another then comes
    # to lie at the same address, it takes the two for one. A number of its own keeps it alive.
    inner["shared_object_id"] = number
    return _described("Bidirectional", name=name, merge_mode="concat", layer=inner)


def _dense_layer(name: str, units: int, activation: str) -> dict[str, Any]:
    return _described("Dense", name=name, units=units, activation=activation)


def _described(kind: str, **config: Any) -> dict[str, Any]:
    return {
        "module": "keras.layers",
        "class_name": kind,
        "config": config,
        "registered_name": None,
    }


def config_of(stored: Stored) -> str:
    """The description of a whole model, for a file of Keras."""
    return json.dumps(
        {
            "module": "keras",
            "class_name": "Sequential",
            "config": {"name": "rnnviz", "layers": layers_of(stored)},
            "registered_name": None,
        }
    )
