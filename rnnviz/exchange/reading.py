"""A stranger's file in, a Stored out: what pages and commands call. No torch, no foreign parser."""

import tempfile
from pathlib import Path

from rnnviz.data.sandbox import Sandbox
from rnnviz.errors import DataError
from rnnviz.exchange import own
from rnnviz.exchange.stored import Stored

PROGRAM, RESULT = "rnnviz.exchange.child", "model.safetensors"
APPLYING = "rnnviz.applying:apply_stored"  # the program of a run that shows a model; it has torch
ENDINGS = (".safetensors", ".keras", ".h5", ".hdf5", ".pt", ".pth")  # of files that are read
MOST_BYTES = 200_000_000


def model_sandbox() -> Sandbox:
    """Where models are read; to be closed, and to be kept, since it takes seconds to start."""
    return Sandbox(helpers=1, program=PROGRAM)


def read_model(path: Path, name: str, sandbox: Sandbox) -> Stored:
    """The model in a file of any known kind.

    Args:
        path: the file.
        name: the name that it came with; its ending says what it promises to be.
        sandbox: one of model_sandbox.

    Raises:
        DataError: it cannot be read, or does not fit, with the reason in one sentence.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise DataError(
            f"{name} holds {size / 1e6:,.0f} MB; models of up to {MOST_BYTES / 1e6:.0f} MB are "
            "read, so take a smaller one"
        )
    with tempfile.TemporaryDirectory() as folder:
        sandbox.read(path, name, Path(folder))
        return own.load((Path(folder) / RESULT).read_bytes(), name)
