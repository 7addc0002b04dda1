"""Our own kind of file: safetensors with everything else as JSON in its metadata. No torch.

Numbers come back bit for bit: weights as they stand, and Python writes a float so that it reads
the same one again.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, Shaped
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from rnnviz.config import Dense, ModelConfig
from rnnviz.data.dataset import Scaler, Task, Variable
from rnnviz.errors import ConfigError, DataError
from rnnviz.exchange.stored import Meaning, Stored

KEY, VERSION = "rnnviz", 1
MOST_HEADER = 4_000_000  # bytes of names, shapes and settings


def save(stored: Stored) -> bytes:
    """The file of a model."""
    values = {
        f.name: getattr(stored, f.name) for f in dataclasses.fields(stored) if f.name != "weights"
    }
    text = json.dumps({"version": VERSION} | {k: _plain(v) for k, v in values.items()})
    arrays = {name: np.ascontiguousarray(array) for name, array in stored.weights.items()}
    return save_arrays(arrays, {KEY: text})


def load(data: bytes, name: str) -> Stored:
    """The model that save wrote.

    Args:
        data: the file.
        name: the file's name, for messages.

    Raises:
        DataError: this is no such file, or what it holds does not fit together.
    """
    settings, arrays = read_safetensors(data, name)
    if settings is None:
        raise DataError(
            f"{name} holds arrays without rnnviz's settings; give a model that rnnviz saved, or "
            "the .pt, .h5 or .keras file that the arrays came from"
        )
    try:
        values = json.loads(settings)
        if values.pop("version") != VERSION:
            raise DataError("it was saved by a newer rnnviz; update rnnviz")
        return Stored(weights=arrays, **_typed(values))
    except (DataError, ConfigError) as wrong:
        raise DataError(f"{name} cannot be used: {wrong}") from None
    except (KeyError, TypeError, ValueError, RecursionError, AttributeError):
        raise DataError(
            f"{name} holds settings that rnnviz does not know; save the model again with rnnviz"
        ) from None


def read_safetensors(
    data: bytes, name: str
) -> tuple[str | None, dict[str, Shaped[np.ndarray, "..."]]]:
    """Our settings, None where there are none, and the arrays of any safetensors file.

    Raises:
        DataError: it is cut off or damaged, or holds what NumPy has no type for.
    """
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > min(len(data) - 8, MOST_HEADER):
        raise _damaged(name)
    try:
        header = json.loads(data[8 : 8 + size])
        settings = header.get("__metadata__", {}).get(KEY)
        return settings, load_arrays(data)
    except (SafetensorError, ValueError, KeyError, AttributeError, RecursionError):
        raise _damaged(name) from None


def _damaged(name: str) -> DataError:
    return DataError(
        f"{name} is no safetensors file, or is cut off or damaged; save the model again and "
        "give that file"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Variable | Dense):
        return value._asdict()
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of _plain; whoever wrote the file is not trusted to have kept to the types."""
    return {
        "config": ModelConfig(**values["config"]),
        "task": Task(values["task"]),
        **{name: _whole(values[name]) for name in ("inputs", "outputs", "covariates")},
        "sizes": tuple(_whole(size) for size in values["sizes"]),
        "dense": tuple(Dense(_whole(d["units"]), str(d["activation"])) for d in values["dense"]),
        "meaning": _meaning(values["meaning"]),
        "origin": str(values["origin"]),
        "notes": tuple(str(note) for note in values["notes"]),
    }


def _meaning(values: Mapping[str, Any]) -> Meaning:
    return Meaning(
        features=_variables(values["features"]),
        outputs=_variables(values["outputs"]),
        covariates=_variables(values["covariates"]),
        classes=tuple(str(name) for name in values["classes"]),
        vocabulary=tuple(str(name) for name in values["vocabulary"]),
        scale=str(values["scale"]),
        input_scaler=_scaler(values["input_scaler"]),
        covariate_scaler=_scaler(values["covariate_scaler"]),
        target_scaler=_scaler(values["target_scaler"]),
    )


def _variables(values: Any) -> tuple[Variable, ...]:
    return tuple(Variable(str(v["name"]), str(v["unit"])) for v in values)


def _scaler(values: Mapping[str, Any] | None) -> Scaler | None:
    if values is None:
        return None
    return Scaler(mean=_column(values["mean"]), sd=_column(values["sd"]))


def _column(values: Any) -> Float[np.ndarray, " F"]:
    return np.array([float(value) for value in values], dtype=np.float64)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value
