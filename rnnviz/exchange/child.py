"""The process that reads models of strangers: python -m rnnviz.exchange.child, by a Sandbox.

Whatever the file was, what comes out is a file of our own kind beside it, which is read with all
of its checks once more.
"""

from collections.abc import Callable, Mapping
from pathlib import Path, PurePath

import numpy as np
from jaxtyping import Shaped

from rnnviz.data.sandbox import Limits
from rnnviz.data.sandbox_serve import Task, serve
from rnnviz.errors import DataError, RnnvizError
from rnnviz.exchange import own
from rnnviz.exchange.keras_files import read_h5, read_keras
from rnnviz.exchange.keras_layers import Array
from rnnviz.exchange.reading import RESULT
from rnnviz.exchange.stored import Stored
from rnnviz.exchange.torch_layout import from_names


def _read_safetensors(path: Path, name: str, into: Path) -> Stored:  # noqa: ARG001 - as all
    data = path.read_bytes()
    settings, arrays = own.read_safetensors(data, name)
    if settings is None:
        return from_names(_floats(arrays), "a .safetensors file")
    return own.load(data, name)


def _floats(arrays: Mapping[str, Shaped[np.ndarray, "..."]]) -> dict[str, Array]:
    strange = [name for name, array in arrays.items() if array.dtype.kind != "f"]
    if strange:
        raise DataError(f"it holds {strange[0][:80]!r} in whole numbers; weights are floats")
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def _read_pt(path: Path, name: str, into: Path) -> Stored:
    from rnnviz.exchange.torch_files import read_pt  # two seconds, which the others need not

    return read_pt(path, name, into)


TORCH = (".pt", ".pth")
READERS: Mapping[str, Callable[[Path, str, Path], Stored]] = {
    ".safetensors": _read_safetensors,
    ".h5": read_h5,
    ".hdf5": read_h5,
    ".keras": read_keras,
    **dict.fromkeys(TORCH, _read_pt),
}
CAUSES = {  # why a reader came to no verdict, the most telling first
    "disk": "{name} cannot be kept now: the server's disk is full; try again later",
    "wall": "{name} takes longer than {wall_seconds:g} s to read, the most that is allowed; take a "
    "smaller model",
    "memory": "{name} needs more memory than the {memory} that reading a file may use; take a "
    "smaller model",
    "cpu": "{name} takes more than {cpu_seconds} s of computing to read, the most that is allowed; "
    "take a smaller model",
    "crash": "{name} makes its reader crash, so it is damaged or made to do harm; save the model "
    "again and give that file",
    "damage": "{name} is cut off or damaged, or holds what no reader knows; save the model again "
    "and give that file",
}


def main() -> None:
    """Reads models."""
    serve(Task(readers=readers, parse=parse, causes=CAUSES))


def readers(name: str) -> tuple[str, ...]:
    """The reader of a file with this name.

    Raises:
        DataError: no model's file ends so.
    """
    ending = PurePath(name).suffix.lower()
    if ending not in READERS:
        raise DataError(
            f"{name} does not end as a model's file; endings that are read are {', '.join(READERS)}"
        )
    if ending in TORCH:
        import rnnviz.exchange.torch_files  # noqa: F401 - here, so that the fork need not
    return (ending,)


def parse(path: Path, into: Path, name: str, reader: str, limits: Limits) -> dict[str, str]:  # noqa: ARG001
    """Reads the file and writes it as one of ours.

    Raises:
        DataError: it cannot be read.
    """
    try:
        stored = READERS[reader](path, name, into)
    except RnnvizError as wrong:
        text = str(wrong)
        raise DataError(text if text.startswith(name) else f"{name}: {text}") from None
    (into / RESULT).write_bytes(own.save(stored))
    return {}


if __name__ == "__main__":
    main()
