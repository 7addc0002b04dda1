"""Data sets made from an upload, kept beside it: large arrays are mapped into memory, not read.

The processes that train and draw then share one copy of the values, which the system may drop and
read again. What is kept can be made again at any time; losing it costs a few seconds.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz.config import DataConfig
from rnnviz.data.dataset import SequenceDataset, Source, Task, Variable
from rnnviz.data.quality import Quality

VERSION = 2  # of what is made: raise it whenever the same settings give other values
MOST_KEPT = 4  # data sets of one upload
_MAPPED = ("inputs", "wear")
_ARRAYS = (*_MAPPED, "targets", "lengths", "times", "covariates", "persistence", "counted")
_PLAIN = ("name", "time_unit", "whose", "standardise", "given", "carried")
_VARIABLES = ("features", "outputs", "covariate_names", "logged")


def kept(folder: Path, config: DataConfig, make: Callable[[], SequenceDataset]) -> SequenceDataset:
    """The data set of these settings: what lies in the folder, or else what is made and laid there.

    Args:
        folder: of the upload.
        config: whose every field may change the values.
        make: gives the data set; may raise DataError.
    """
    text = json.dumps([VERSION, dataclasses.asdict(config)], sort_keys=True)
    stem = "set-" + hashlib.sha256(text.encode()).hexdigest()[:16]
    found = _read(folder, stem)
    if found is not None:
        return found
    made = make()
    try:
        _write(folder, stem, made)
    except OSError:
        return made  # a full disk costs memory, not the data
    return _read(folder, stem) or made


def _read(folder: Path, stem: str) -> SequenceDataset | None:
    """What lies there whole, or None."""
    try:
        plain = json.loads((folder / f"{stem}.json").read_text("utf-8"))
        os.utime(folder / f"{stem}.json")  # what is used is removed last
        values: dict[str, Any] = dict(plain["values"])
        values |= {name: _array(folder, stem, name) for name in plain["arrays"] if name in _ARRAYS}
        values |= {n: tuple(Variable(*v) for v in found) for n, found in plain["variables"].items()}
        values |= {name: tuple(words) for name, words in plain["words"].items()}
        values["quality"] = Quality(**plain["quality"]) if plain["quality"] else None
        values["merges"] = tuple((int(a), int(b)) for a, b in plain["merges"])
        values["groups"] = {name: tuple(labels) for name, labels in plain["groups"].items()}
        return SequenceDataset(**values, task=Task(plain["task"]), source=Source(**plain["source"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _array(folder: Path, stem: str, name: str) -> np.ndarray:
    path = folder / f"{stem}.{name}.npy"
    return np.load(path, mmap_mode="r" if name in _MAPPED else None, allow_pickle=False)


def _write(folder: Path, stem: str, made: SequenceDataset) -> None:
    """Arrays first: the description, which comes last, says that all is there."""
    _make_room(folder)
    arrays = [name for name in _ARRAYS if getattr(made, name) is not None]
    for name in arrays:
        _replace(folder / f"{stem}.{name}.npy", partial(np.save, arr=getattr(made, name)))
    words = ("classes", "vocabulary", "ids", "parts", "notes")
    plain: dict[str, Any] = {
        "arrays": arrays,
        "values": {name: getattr(made, name) for name in _PLAIN},
        "variables": {name: getattr(made, name) for name in _VARIABLES},
        "words": {name: getattr(made, name) for name in words},
        "merges": made.merges,
        "groups": made.groups,
        "quality": dataclasses.asdict(made.quality) if made.quality else None,
        "task": str(made.task),
        "source": dataclasses.asdict(made.source),
    }
    text = json.dumps(plain).encode("utf-8")
    _replace(folder / f"{stem}.json", lambda file: file.write(text))


def _replace(path: Path, write: Callable[[Any], object]) -> None:
    """A whole file in place at once, so that no reader ever sees half of it."""
    handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _make_room(folder: Path) -> None:
    """Removes the sets that were not used for longest; who has one mapped keeps it."""
    known = sorted(folder.glob("set-*.json"), key=lambda path: path.stat().st_mtime)
    for old in known[: max(0, len(known) - MOST_KEPT + 1)]:
        for file in (old, *folder.glob(f"{old.stem}.*.npy")):
            with contextlib.suppress(OSError):  # another process was faster
                file.unlink()
