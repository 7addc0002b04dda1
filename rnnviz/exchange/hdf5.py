"""HDF5 files of strangers: arrays of floats and texts, and nothing that leads elsewhere.

A link or a data set in such a file can point to any other file of the machine. So every link is
looked at before anything is opened through it, every data set before it is read, and the file is
refused as a whole if anything in it leads outside. Called in the sandbox's child only.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5s, h5t, h5z
from jaxtyping import Float32

from rnnviz.errors import DataError
from rnnviz.exchange.stored import MOST_WEIGHTS

MOST_OBJECTS, MOST_DEPTH = 20_000, 16
MOST_TEXTS, MOST_TEXT_BYTES = 20_000, 4_000_000
MOST_RATIO, SMALL = 100, 1_000_000  # numbers in memory to what is stored of them; bytes
FILTERS = (h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32)  # others are plugins


@contextmanager
def opened(path: Path, name: str) -> Iterator["Contents"]:
    """An HDF5 file, after all of its links and data sets were looked at.

    Raises:
        DataError: it is no such file, or something in it leads elsewhere.
    """
    try:
        file = h5py.File(path, "r", locking=False)
    except OSError:
        raise DataError(
            f"{name} is no HDF5 file, or is cut off or damaged; save the model again and give "
            "that file"
        ) from None
    with file:
        _look_through(file, name)
        yield Contents(file=file, name=name)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """A file that was looked through; what is asked of it is checked once more, and read."""

    file: h5py.File
    name: str

    def has(self, path: str) -> bool:
        """Whether a group or data set of this path is there."""
        return path in self.file

    def groups(self, path: str) -> tuple[str, ...]:
        """Names inside of a group; empty where there is none."""
        group = self.file.get(path)
        return tuple(group) if isinstance(group, h5py.Group) else ()

    def array(self, path: str) -> Float32[np.ndarray, "..."]:
        """The numbers of a data set, as float32.

        Raises:
            DataError: there is none, or it is not a dense block of finite numbers.
        """
        dataset = self.file.get(path)
        if not isinstance(dataset, h5py.Dataset):
            raise DataError(f"{self.name} lacks the weights {path}; save the model again, whole")
        _check_numbers(dataset, path, self.name)
        values = np.asarray(dataset[()], dtype=np.float32)
        if not np.isfinite(values).all():
            raise DataError(
                f"{self.name} holds a weight in {path} that is not finite, so the model has "
                "diverged; train it again with a lower learning rate"
            )
        return values

    def texts(self, path: str, key: str) -> tuple[str, ...]:
        """An attribute of a group as texts, also where Keras has cut it into numbered parts."""
        group = self.file.get(path)
        if not isinstance(group, h5py.Group):
            return ()
        if key in group.attrs:
            return _texts(group, key, self.name)
        parts: list[str] = []
        while (part := f"{key}{len(parts)}") in group.attrs and len(parts) < MOST_TEXTS:
            parts.append(part)
        return tuple(text for part in parts for text in _texts(group, part, self.name))


def _look_through(file: h5py.File, name: str) -> None:
    """Every link and data set of the file.

    Raises:
        DataError: one leads elsewhere, or there are too many.
    """
    waiting, seen = [(file["/"], "", 0)], 0
    while waiting:
        group, path, depth = waiting.pop()
        for key in group:
            seen += 1
            if seen > MOST_OBJECTS or depth > MOST_DEPTH:
                raise DataError(
                    f"{name} holds more than {MOST_OBJECTS} objects or goes deeper than "
                    f"{MOST_DEPTH} levels, which no model does; save the model again"
                )
            inner = f"{path}/{key}".lstrip("/")
            item = _through_hard_link(group, key, inner, name)
            if isinstance(item, h5py.Group):
                waiting.append((item, inner, depth + 1))
            else:
                _check_storage(item, inner, name)


def _through_hard_link(group: h5py.Group, key: str, path: str, name: str) -> Any:
    link = group.get(key, getlink=True)
    if not isinstance(link, h5py.HardLink):
        kind = "an external link" if isinstance(link, h5py.ExternalLink) else "a soft link"
        raise _elsewhere(name, path, kind)
    return group[key]


def _check_storage(item: Any, path: str, name: str) -> None:
    if not isinstance(item, h5py.Dataset):
        raise DataError(f"{name} holds a named type at {path}, which no model needs; save it again")
    properties = item.id.get_create_plist()
    if properties.get_layout() == h5d.VIRTUAL:
        raise _elsewhere(name, path, "a virtual data set")
    if properties.get_external_count():
        raise _elsewhere(name, path, "a data set stored in another file")


def _elsewhere(name: str, path: str, kind: str) -> DataError:
    return DataError(
        f"{name} holds {kind} at {path[:80]}, which leads elsewhere; only files that hold all of "
        "their weights are read, so save the model again with Keras"
    )


def _check_numbers(dataset: h5py.Dataset, path: str, name: str) -> None:
    """Nothing of the data is touched before this has passed."""
    number, shape = dataset.id.get_type(), dataset.shape
    if number.get_class() != h5t.FLOAT or number.get_size() not in (2, 4, 8):
        raise DataError(f"{name} holds no floating point numbers in {path}; weights are such")
    simple = dataset.id.get_space().get_simple_extent_type() == h5s.SIMPLE
    if not simple or not 1 <= len(shape) <= 3:
        raise DataError(f"{name} holds no array of 1 to 3 dimensions in {path}; weights are such")
    count = 1
    for length in shape:
        count *= int(length)
    if not 1 <= count <= MOST_WEIGHTS:
        raise DataError(
            f"{name} holds {count:,} numbers in {path}; from 1 to {MOST_WEIGHTS:,} are read, so "
            "take a smaller model"
        )
    whole, stored = count * number.get_size(), dataset.id.get_storage_size()
    if not stored or whole > max(SMALL, MOST_RATIO * stored):
        raise DataError(
            f"{name} stores next to nothing of the {count:,} numbers in {path}; save the model "
            "again, whole"
        )
    properties = dataset.id.get_create_plist()
    for k in range(properties.get_nfilters()):
        if properties.get_filter(k)[0] not in FILTERS:
            raise DataError(f"{name} is compressed in a way that is not read; save it without")


def _texts(group: h5py.Group, key: str, name: str) -> tuple[str, ...]:
    attribute = group.attrs.get_id(key)
    if 0 in attribute.shape:
        return ()  # an empty list, to which Keras gives the type of numbers
    count = int(np.prod(attribute.shape, dtype=np.float64))
    kind = attribute.get_type()
    bytes_each = 1 if kind.get_class() == h5t.STRING and kind.is_variable_str() else kind.get_size()
    fits = count <= MOST_TEXTS and count * bytes_each <= MOST_TEXT_BYTES
    if kind.get_class() != h5t.STRING or not fits:
        raise DataError(f"{name} has an unusual attribute {key}; save the model again with Keras")
    values = group.attrs[key]
    found = [values] if isinstance(values, str | bytes) else np.asarray(values).ravel().tolist()
    return tuple(v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in found)
