"""Traces and arrays as npz files, and back without a loss. Nothing in them can name code to run."""

import dataclasses
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Shaped

from rnnviz.errors import RunError
from rnnviz.runs.files import replace_file
from rnnviz.trace import DenseTrace, LayerTrace, ReadoutTrace, Scaling, Survey, Trace

RECORDS: Mapping[str, type] = {
    kind.__name__: kind for kind in (Trace, LayerTrace, ReadoutTrace, DenseTrace, Scaling, Survey)
}
SHAPE = "shape of the record"

Arrays = dict[str, Shaped[np.ndarray, "..."]]


def save_trace(path: Path, trace: Trace | None, survey: Survey | None) -> None:
    """Writes both to one file.

    Raises:
        OSError: the file cannot be written.
    """
    arrays: Arrays = {}
    shape = {
        "trace": _taken_apart(trace, "trace", arrays),
        "survey": _taken_apart(survey, "survey", arrays),
    }
    save_arrays(path, {SHAPE: np.array(json.dumps(shape)), **arrays})


def save_arrays(path: Path, arrays: Mapping[str, Shaped[np.ndarray, "..."]]) -> None:
    """Writes arrays by name.

    Raises:
        OSError: the file cannot be written.
    """
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    replace_file(path, file.getvalue())


def load_trace(path: Path) -> tuple[Trace | None, Survey | None]:
    """Reads what save_trace wrote.

    Raises:
        RunError: there is no such file, or it cannot be read.
    """
    arrays = load_arrays(path)
    try:
        shape = json.loads(str(arrays.pop(SHAPE)))
    except (ValueError, KeyError) as wrong:
        raise _unreadable(path, wrong) from None
    return _put_together(shape["trace"], arrays), _put_together(shape["survey"], arrays)


def load_arrays(path: Path) -> Arrays:
    """Reads what save_arrays wrote; read-only.

    Raises:
        RunError: there is no such file, or it cannot be read.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except FileNotFoundError:
        raise RunError(f"no trace of epoch {_epoch(path)} is kept; choose another epoch") from None
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as wrong:
        raise _unreadable(path, wrong) from None
    for array in arrays.values():
        array.flags.writeable = False
    return arrays


def _unreadable(path: Path, wrong: Exception) -> RunError:
    return RunError(
        f"the trace of epoch {_epoch(path)} cannot be read ({type(wrong).__name__}); "
        "choose another epoch"
    )


def _epoch(path: Path) -> str:
    return path.name.partition(".")[0]


def _taken_apart(value: Any, name: str, arrays: Arrays) -> Any:
    """Plain values and names; every array goes to `arrays` under its name."""
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {"array": name}
    if dataclasses.is_dataclass(value):
        fields = {
            f.name: _taken_apart(getattr(value, f.name), f"{name}.{f.name}", arrays)
            for f in dataclasses.fields(value)
        }
        return {"record": type(value).__name__, "fields": fields}
    if isinstance(value, tuple):
        return [_taken_apart(item, f"{name}.{k}", arrays) for k, item in enumerate(value)]
    return value.item() if isinstance(value, np.generic) else value


def _put_together(value: Any, arrays: Arrays) -> Any:
    if isinstance(value, list):
        return tuple(_put_together(item, arrays) for item in value)
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    fields = {name: _put_together(item, arrays) for name, item in value["fields"].items()}
    return RECORDS[value["record"]](**fields)
