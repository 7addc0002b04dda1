"""A run's model as a file's bytes, by a process of its own: a checkpoint needs torch to be read."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import rnnviz
from rnnviz.errors import RunError

PATIENCE = 60.0  # torch alone takes seconds to load on a busy computer [s]
KINDS: Mapping[str, str] = {  # that `rnnviz model save` writes, and what each is for
    ".safetensors": "For rnnviz: the network with its scalers and the names of what it reads and "
    "predicts, so that it can be loaded here again.",
    ".keras": "For Keras 3: keras.models.load_model reads it.",
    ".h5": "For Keras, in its older form: keras.models.load_model reads it.",
    ".pt": "For PyTorch: the weights of nn.LSTM (or its kin) and nn.Linear, a state_dict.",
}


def saved(run_id: str, kind: str, home: Path, *, patience: float = PATIENCE) -> bytes:
    """The model of a run as it was last saved, as a file of a kind.

    Args:
        run_id: of a run whose owner asks.
        kind: key of KINDS.
        home: the folder of this product's data.
        patience: for the process to end [s].

    Raises:
        RunError: there is no model yet, that kind of file cannot hold it, or it took too long.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model{kind}"
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-m", "rnnviz", "model", "save", run_id, str(path)],
                env=_environment(home),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=patience,
                check=False,
            )
            if done.returncode == 0:
                return path.read_bytes()
        except subprocess.TimeoutExpired:
            raise RunError(
                f"writing the model takes longer than {patience:g} s, the most that is allowed; "
                "try again when the computer is less busy"
            ) from None
        except OSError as wrong:
            raise RunError(
                f"the model cannot be written ({wrong.strerror}); make room, then try again"
            ) from None
    raise RunError(_told(done.stderr))


def _told(errors: str) -> str:
    """The sentence that the command ended with."""
    last = (errors.strip().splitlines() or [""])[-1]
    if last.startswith("rnnviz: "):
        return last.removeprefix("rnnviz: ")
    return "the model could not be written by a fault in rnnviz; choose another kind of file"


def _environment(home: Path) -> dict[str, str]:
    root = str(Path(rnnviz.__file__).resolve().parents[1])
    return {**os.environ, "RNNVIZ_HOME": str(home), "PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
