"""Files of Keras: .h5 of Keras 1 to 3, .weights.h5, and .keras, read without Keras and written.

Reading is for the sandbox's child. Keras' own loader is never used: it runs what a file names.
"""

import io
import re
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np

from rnnviz.errors import DataError
from rnnviz.exchange.hdf5 import Contents, opened
from rnnviz.exchange.keras_config import WRITTEN_AS, Step, config_of, layers_of, read_config
from rnnviz.exchange.keras_layers import (
    Array,
    Head,
    Kind,
    Recurrent,
    embedded,
    keras_arrays,
    refuse_what_keras_lacks,
    to_stored,
)
from rnnviz.exchange.stored import Stored

LARGEST = {"config.json": 4_000_000, "metadata.json": 100_000, "model.weights.h5": 500_000_000}
MOST_RATIO, SMALL = 100, 10_000_000  # larger members may not unpack to more than that many times
MOST_ARRAYS = 6  # of a layer: kernel, recurrent kernel and bias, of two directions
LAYERS = ("layers", "_layer_checkpoint_dependencies")  # Keras 3, and what came before it
VERSION = re.compile(r'"keras_version": *"([^"]{1,40})"')
BLOCKS = {1: "SimpleRNN", 3: "GRU", 4: "LSTM"}
GUESSED = (
    "The file holds weights only: tanh, sigmoid and a linear head are assumed, as is usual in "
    "Keras; save the whole model to be sure."
)

Filled = Sequence[tuple[Step, Sequence[Array]]]  # layers with their arrays, in order


def read_h5(path: Path, name: str, into: Path) -> Stored:  # noqa: ARG001 - every reader has it
    """A model, or weights alone, that Keras saved as HDF5.

    Raises:
        DataError: it is no such file, leads elsewhere, or holds what is not known.
    """
    with opened(path, name) as contents:
        root = "model_weights" if contents.has("model_weights") else "/"
        config = contents.texts("/", "model_config")
        version = _first(contents.texts("/", "keras_version"))
        version = version or _first(contents.texts(root, "keras_version")) or "1"
        if config:
            steps = read_config(config[0])
            return _stored([(s, _legacy(contents, root, s.name)) for s in steps], version)
        layers = contents.texts(root, "layer_names")
        if layers:
            found = [(layer, _legacy(contents, root, layer)) for layer in dict.fromkeys(layers)]
        else:
            found = list(_numbered(contents))
        filled = _guessed([(label, arrays) for label, arrays in found if arrays])
        if not filled:
            raise DataError(
                f"{name} holds no model of Keras; save it by model.save() and give that file"
            )
        return _stored(filled, version, notes=(GUESSED,))


def read_keras(path: Path, name: str, into: Path) -> Stored:
    """A model that Keras saved as .keras.

    Raises:
        DataError: it is no such file, is too large, leads elsewhere, or holds what is not known.
    """
    weights = into / "weights.h5"
    try:
        with zipfile.ZipFile(path) as archive:
            config = _member(archive, "config.json", name).decode("utf-8", "replace")
            metadata = _member(archive, "metadata.json", name).decode("utf-8", "replace")
            _unpack(archive, "model.weights.h5", name, weights)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError):
        raise DataError(
            f"{name} is no .keras file, or is cut off or damaged; save the model again and give "
            "that file"
        ) from None
    stated = VERSION.search(metadata)
    with opened(weights, name) as contents:
        filled = [(step, _placed(contents, step.place)) for step in read_config(config)]
        stored = _stored(filled, stated[1] if stated else "3")
    weights.unlink()
    return stored


# -- containers ------------------------------------------------------------------------------------


def _info(archive: zipfile.ZipFile, member: str, name: str) -> zipfile.ZipInfo:
    try:
        info = archive.getinfo(member)
    except KeyError:
        raise DataError(
            f"{name} lacks {member}, which every .keras file has; save the model again with Keras"
        ) from None
    size, packed = info.file_size, info.compress_size
    if size > LARGEST[member] or (size > SMALL and size > MOST_RATIO * packed):
        raise DataError(
            f"{name} holds {member} that unpacks from {packed / 1e6:,.1f} to {size / 1e6:,.0f} MB; "
            f"at most {LARGEST[member] / 1e6:,.1f} MB and {MOST_RATIO} times are read"
        )
    return info


def _member(archive: zipfile.ZipFile, member: str, name: str) -> bytes:
    with archive.open(_info(archive, member, name)) as packed:
        return packed.read(LARGEST[member])


def _unpack(archive: zipfile.ZipFile, member: str, name: str, target: Path) -> None:
    with archive.open(_info(archive, member, name)) as packed, target.open("wb") as out:
        shutil.copyfileobj(packed, out)


def _first(texts: tuple[str, ...]) -> str:
    return texts[0][:40] if texts else ""


def _legacy(contents: Contents, root: str, layer: str) -> list[Array]:
    """A layer's arrays in a file of the first kind, which names them in order."""
    place = f"{root}/{layer}"
    return _arrays(contents, place, contents.texts(place, "weight_names"))


def _placed(contents: Contents, place: str) -> list[Array]:
    """A layer's arrays in a file of the second kind, which numbers them."""
    arrays = []
    for root in LAYERS:
        for inner in ("forward_layer/cell/", "backward_layer/cell/", "cell/", ""):
            group = f"{root}/{place}/{inner}vars"
            arrays += _arrays(contents, group, sorted(contents.groups(group), key=_number))
    return arrays


def _arrays(contents: Contents, place: str, names: Sequence[str]) -> list[Array]:
    if len(names) > MOST_ARRAYS:
        raise DataError(
            f"{contents.name} has {len(names)} arrays in {place}; a layer that is read has at most "
            f"{MOST_ARRAYS}"
        )
    return [contents.array(f"{place}/{name}") for name in names]


def _numbered(contents: Contents) -> Iterator[tuple[str, list[Array]]]:
    """Every layer of a file of the second kind: recurrent ones first, each kind by number."""
    places = {place for root in LAYERS for place in contents.groups(root)}
    dense = {place for place in places if place.startswith(("dense", "time_distributed"))}
    for place in (*sorted(places - dense, key=_number), *sorted(dense, key=_number)):
        inner = f"{place}/layer" if place.startswith("time_distributed") else place
        yield place, _placed(contents, inner)


def _number(label: str) -> int:
    digits = re.search(r"(\d{1,9})$", label)
    return int(digits[1]) if digits else 0


def _guessed(found: Sequence[tuple[str, Sequence[Array]]]) -> Filled:
    """Layers by the shapes of their arrays alone."""
    filled: list[tuple[Step, Sequence[Array]]] = []
    for label, arrays in found:
        kind = None
        if len(arrays) in (3, 6) and arrays[1].ndim == 2:
            blocks = arrays[1].shape[1] // max(1, arrays[1].shape[0])
            layer = BLOCKS.get(blocks, "SimpleRNN")
            gate = "" if layer == "SimpleRNN" else "sigmoid"
            kind = Kind(layer, "tanh", gate, arrays[2].ndim == 2 if layer == "GRU" else None)
        if kind is not None and filled and filled[-1][0].kind is None:
            raise DataError(f"its layer {label!r} reads one that is not recurrent; save it whole")
        ways = 2 if len(arrays) == 6 else 1
        step = Step(name=label, place=label, kind=kind, ways=ways, activation="linear")
        filled.append((step, arrays))
    return filled


def _stored(filled: Filled, version: str, notes: tuple[str, ...] = ()) -> Stored:
    """The model of these layers, wherever they were read."""
    layers, heads = [], []
    if len(filled) > 1 and filled[0][0].embeds:
        (_, table), (first, arrays), *rest = filled
        filled = [(first, embedded(_arrays_of(table, 1)[0], arrays, first.ways)), *rest]
        notes += ("Its embedding is folded into the first layer, which reads tokens one-hot.",)
    for step, arrays in filled:
        if step.kind is None:
            heads.append(Head(name=step.name, activation=step.activation, weights=tuple(arrays)))
            continue
        half = len(arrays) // step.ways
        layers.append(
            Recurrent(
                name=step.name,
                kind=step.kind,
                every_step=step.every_step,
                ways=tuple(tuple(arrays[k * half : (k + 1) * half]) for k in range(step.ways)),
            )
        )
    return to_stored(
        layers,
        heads,
        origin=f"Keras {version}",
        old_hard_sigmoid=version.split(".")[0] in ("0", "1", "2"),
        notes=notes,
    )


def _arrays_of(arrays: Sequence[Array], count: int) -> Sequence[Array]:
    if len(arrays) != count:
        raise DataError(f"its embedding has {len(arrays)} arrays; allowed is one")
    return arrays


# -- writing ---------------------------------------------------------------------------------------


def write_h5(stored: Stored) -> bytes:
    """The file of Keras' first kind.

    Raises:
        DataError: Keras has no layers for this model.
    """
    refuse_what_keras_lacks(stored)
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["keras_version"] = WRITTEN_AS
        file.attrs["backend"] = "torch"
        file.attrs["model_config"] = config_of(stored)
        weights = file.create_group("model_weights")
        weights.attrs["keras_version"] = WRITTEN_AS
        weights.attrs["backend"] = "torch"
        named = list(_named(stored))
        weights.attrs["layer_names"] = [name.encode() for name, _, _ in named]
        for name, _, arrays in named:
            group = weights.create_group(name)
            names = [f"{name}/{part}/{k}" for part, found in arrays for k in range(len(found))]
            group.attrs["weight_names"] = [label.encode() for label in names]
            flat = [array for _, found in arrays for array in found]
            for label, array in zip(names, flat, strict=True):
                group.create_dataset(label, data=array)
    return buffer.getvalue()


def write_keras(stored: Stored) -> bytes:
    """The file of Keras' second kind.

    Raises:
        DataError: Keras has no layers for this model.
    """
    refuse_what_keras_lacks(stored)
    weights, counts = io.BytesIO(), dict[str, int]()
    with h5py.File(weights, "w") as file:
        for _, kind, arrays in _named(stored):
            count = counts[kind] = counts.get(kind, -1) + 1
            place = f"layers/{kind}_{count}" if count else f"layers/{kind}"
            for part, found in arrays:
                for k, array in enumerate(found):
                    file.create_dataset(f"{place}/{part}/{k}".replace("//", "/"), data=array)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        members = {
            "metadata.json": f'{{"keras_version": "{WRITTEN_AS}"}}'.encode(),
            "config.json": config_of(stored).encode(),
            "model.weights.h5": weights.getvalue(),
        }
        for member, data in members.items():
            archive.writestr(zipfile.ZipInfo(member), data)
    return buffer.getvalue()


Parts = list[tuple[str, Sequence[Array]]]  # arrays by the group inside of a layer


def _named(stored: Stored) -> Iterator[tuple[str, str, Parts]]:
    """Of every layer with weights its name, its class as Keras 3 counts it, and its arrays."""
    recurrent = {"SimpleRNN": "simple_rnn", "GRU": "gru", "LSTM": "lstm"}
    layers, ways = len(stored.sizes), 2 if stored.config.bidirectional else 1
    described = layers_of(stored)[1:]
    if stored.config.embedding:
        described = described[1:]
        yield "embedding", "embedding", [("vars", (stored.weights["embedding.weight"],))]
    for k, layer in enumerate(described):
        name = layer["config"]["name"]
        if k < layers:
            arrays = [keras_arrays(stored, k, way) for way in range(ways)]
            if ways == 1:
                yield name, recurrent[layer["class_name"]], [("cell/vars", arrays[0])]
            else:
                labels = ("forward_layer/cell/vars", "backward_layer/cell/vars")
                yield name, "bidirectional", list(zip(labels, arrays, strict=True))
            continue
        key = "head" if k == len(described) - 1 else f"dense.{k - layers}"
        kernel = np.ascontiguousarray(stored.weights[f"{key}.weight"].T)
        yield name, "dense", [("vars", (kernel, stored.weights[f"{key}.bias"]))]
