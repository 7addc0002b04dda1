"""Weights as torch.nn names them (rnn.weight_ih_l0, fc.bias) to a Stored, and back. NumPy only."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rnnviz.cells import CELLS
from rnnviz.config import CELL_NAMES, ModelConfig
from rnnviz.errors import DataError
from rnnviz.exchange.keras_layers import PARTS, Array, Head, top_of
from rnnviz.exchange.stored import Stored

RECURRENT = re.compile(r"(.*?)((?:weight|bias)_(?:ih|hh|hr))_l(\d{1,3})(_reverse)?")
CELLS_BY_BLOCKS: Mapping[int, str] = {4: "lstm", 3: "gru", 1: "rnn"}
MOST_LAYERS = 16
TABLE = "embedding.weight"  # of the nn.Embedding, by the name that we write; others are unknown
ALLOWED = "weights of nn.RNN, nn.GRU, nn.LSTM and nn.Linear, and of an nn.Embedding `embedding`"
UNSAID = "The file holds weights only, so its outputs are taken as numbers."
TANH = "A plain RNN is taken to have tanh; the file does not say."
EMBEDDED = "Its table `embedding` is taken to stand before the first layer."
NOTHING_BETWEEN = "Nothing is taken to stand between its linear layers; the file does not say."


class Place(NamedTuple):
    """Where an array belongs."""

    module: str
    layer: int
    way: int


def from_names(arrays: Mapping[str, Array], origin: str) -> Stored:
    """The model whose state_dict this is, or the inner part of.

    Raises:
        DataError, ConfigError: these are not a chain of recurrent layers and linear ones.
    """
    recurrent, rest = _sorted(arrays)
    if not recurrent:
        raise DataError(f"it has no recurrent layer; allowed are {ALLOWED}")
    layers = _layers(recurrent)
    reads = layers[0][0][0].shape[1]
    table = _embedding(rest, reads)
    cell, ways = _cell(layers), len(layers[0])
    sizes = tuple(directions[0][1].shape[1] for directions in layers)
    heads = tuple(_heads(rest, tuple(arrays)))
    _check_chain(layers, heads, sizes[-1] * ways)
    top = top_of(heads, width=sizes[-1] * ways, every_step=False)
    weights = {
        f"layers.{k}.{way}.rnn.{part}": np.ascontiguousarray(array)
        for k, directions in enumerate(layers)
        for way, found in enumerate(directions)
        for part, array in zip(PARTS, found, strict=True)
    }
    if table is not None:
        weights[TABLE] = np.ascontiguousarray(table)
    said = {
        EMBEDDED: table is not None,
        UNSAID: bool(heads),
        TANH: cell == "rnn",
        NOTHING_BETWEEN: len(heads) > 1,
    }
    return Stored(
        config=ModelConfig(
            cell=cell,
            hidden_size=max(sizes),
            layers=len(sizes),
            bidirectional=ways == 2,
            attention="none",
            embedding=0 if table is None else reads,
        ),
        task=top.task,
        inputs=reads if table is None else len(table),
        outputs=len(top.weights["head.bias"]),
        sizes=sizes,
        dense=top.dense,
        weights=weights | top.weights,
        origin=origin,
        notes=(*top.notes, *(note for note, holds in said.items() if holds)),
    )


def _sorted(
    arrays: Mapping[str, Array],
) -> tuple[dict[Place, dict[str, Array]], dict[str, Array]]:
    """Arrays of recurrent layers by place and part, and all others by name."""
    recurrent: dict[Place, dict[str, Array]] = {}
    rest: dict[str, Array] = {}
    for name, array in arrays.items():
        found = RECURRENT.fullmatch(name)
        if found is None:
            rest[name] = array
            continue
        module, part, layer, reverse = found.groups()
        if part.endswith("hr"):
            raise DataError("its LSTM has projections (proj_size); allowed is one without")
        place = Place(module, int(layer), 1 if reverse else 0)
        recurrent.setdefault(place, {})[f"{part}_l0"] = array
    return recurrent, rest


def _embedding(rest: dict[str, Array], reads: int) -> Array | None:
    """Takes the table of an embedding out of the arrays that are of no recurrent layer."""
    table = rest.pop(TABLE, None)
    if table is not None and (table.ndim != 2 or table.shape[1] != reads):
        raise DataError(
            f"its embedding is shaped {' x '.join(map(str, table.shape))}, and its first layer "
            f"reads {reads} numbers; allowed is a table as wide as that"
        )
    return table


Directions = list[tuple[Array, ...]]  # of each: W, U, b_W, b_U


def _layers(recurrent: Mapping[Place, Mapping[str, Array]]) -> list[Directions]:
    """The layers in order: those of a module by number, modules as they stand in the file."""
    layers: list[Directions] = []
    for module in dict.fromkeys(place.module for place in recurrent):
        count = 1 + max(place.layer for place in recurrent if place.module == module)
        for layer in range(min(count, MOST_LAYERS)):
            ways = [way for way in (0, 1) if Place(module, layer, way) in recurrent]
            if ways[:1] != [0]:
                raise DataError(f"its module {module[:60]!r} lacks layer {layer}; save it whole")
            layers.append([_direction(recurrent[Place(module, layer, way)]) for way in ways])
    if len({len(directions) for directions in layers}) > 1:
        raise DataError("some of its layers are bidirectional; allowed are all or none")
    return layers


def _direction(found: Mapping[str, Array]) -> tuple[Array, ...]:
    w, u = found.get(PARTS[0]), found.get(PARTS[1])
    if w is None or u is None or w.ndim != 2 or u.ndim != 2 or u.shape[0] != w.shape[0]:
        raise DataError(f"a recurrent layer lacks weights or has odd ones; allowed are {ALLOWED}")
    none = np.zeros(len(w), np.float32)
    return w, u, found.get(PARTS[2], none), found.get(PARTS[3], none)


def _cell(layers: list[Directions]) -> str:
    kinds = {u.shape[0] / max(1, u.shape[1]) for layer in layers for _, u, _, _ in layer}
    cell = CELLS_BY_BLOCKS.get(int(blocks := kinds.pop()), "")
    if kinds or not cell or blocks != int(blocks):
        raise DataError(
            "its recurrent layers are of different kinds or of none that is known; allowed are "
            "nn.RNN, nn.GRU or nn.LSTM, one kind in a model"
        )
    return cell


def _heads(rest: Mapping[str, Array], order: tuple[str, ...]) -> Iterator[Head]:
    """The linear layers, in the order of the file."""
    last = max(k for k, name in enumerate(order) if RECURRENT.fullmatch(name))
    known: set[str] = set()
    for name, array in rest.items():
        if not name.endswith("weight") or array.ndim != 2:
            continue
        module = name.removesuffix("weight")
        bias = rest.get(f"{module}bias")
        if bias is None and order.index(name) < last:
            continue  # as an embedding would stand there
        known |= {name, f"{module}bias"}
        label = module.rstrip(".") or "linear"
        yield Head(
            name=label, activation="linear", weights=(array.T,) if bias is None else (array.T, bias)
        )
    for name in rest:
        if name not in known:
            raise DataError(f"it holds {name[:80]!r}, which is none of the {ALLOWED}")


def _check_chain(layers: list[Directions], heads: tuple[Head, ...], top: int) -> None:
    ways = len(layers[0])
    for k, (below, above) in enumerate(pairwise(layers)):
        gives, reads = below[0][1].shape[1] * ways, above[0][0].shape[1]
        if gives != reads:
            raise DataError(
                f"its recurrent layer {k + 2} reads {reads} numbers and the one below gives "
                f"{gives}; allowed are layers that each read the one before"
            )
    width = top
    for head in heads:
        reads, gives = head.weights[0].shape
        if reads != width:
            raise DataError(
                f"its layer {head.name[:60]!r} reads {reads} numbers and the one before gives "
                f"{width}; allowed are layers that each read the one before"
            )
        width = gives


def to_names(stored: Stored) -> dict[str, Array]:
    """The state_dict of a module with an nn.LSTM (or its kin) `rnn`, nn.Linear `head`, and so on.

    Layers that differ in size become modules of their own, rnn1, rnn2 and so on.

    Raises:
        DataError: torch has no layers for this model.
    """
    config = stored.config
    if CELLS[config.cell].fused is None:
        raise DataError(
            f"torch.nn has no {CELL_NAMES[config.cell]}; save it as .safetensors or .keras"
        )
    if config.attention != "none" or stored.covariates:
        raise DataError(
            "the model has attention or reads covariates, which no layer of torch.nn stands for; "
            "save it as .safetensors"
        )
    alike, names = len(set(stored.sizes)) == 1, {}
    for name, array in stored.weights.items():
        if not name.startswith("layers."):
            names[name] = array
            continue
        _, layer, way, _, part = name.split(".")
        module, number = ("rnn", layer) if alike else (f"rnn{int(layer) + 1}", "0")
        reverse = "_reverse" if way == "1" else ""
        names[f"{module}.{part.removesuffix('_l0')}_l{number}{reverse}"] = array
    return names
