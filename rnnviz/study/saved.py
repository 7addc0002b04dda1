"""The network of the R script as a file of Keras, and back from it. Torch.

The network is trained with Keras 2's hard sigmoid; our files say that they are of Keras 3, whose
hard sigmoid of 6/5 z is Keras 2's of z. So the gates' weights are written times 6/5.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from rnnviz.checkpoint import load_weights
from rnnviz.config import Dense, ModelConfig
from rnnviz.data.dataset import Task
from rnnviz.errors import RunError
from rnnviz.exchange.build import ORIGIN, model_of
from rnnviz.exchange.keras_files import read_h5, write_h5
from rnnviz.exchange.keras_layers import GATES, OLD_HARD_SIGMOID, PARTS
from rnnviz.exchange.stored import Stored
from rnnviz.model import Batch
from rnnviz.runs.run import Run
from rnnviz.study.network import WrittenNet
from rnnviz.study.written import DENSE

FILE = "study.h5"
NOTE = "Trained with Keras 2's hard sigmoid; the gates' weights are times 6/5, for that of Keras 3."


def stored_of(net: WrittenNet) -> Stored:
    """The network as a model of Keras 3: the same numbers come out.

    Raises:
        DataError: a weight is not finite.
    """
    w, u, bias = (_for_keras_3(part) for part in (net.kernel, net.recurrent, net.bias))
    arrays = (w, u, bias, np.zeros_like(bias))
    weights = {f"layers.0.0.rnn.{name}": a for name, a in zip(PARTS, arrays, strict=True)}
    for name, dense in (("dense.0", net.dense), ("head", net.dense_1)):
        weights[f"{name}.weight"], weights[f"{name}.bias"] = (
            _plain(dense.weight),
            _plain(dense.bias),
        )
    units = u.shape[1]
    return Stored(
        config=ModelConfig(cell="lstm-relu", hidden_size=units, attention="none"),
        task=Task.REGRESSION,
        inputs=w.shape[1],
        outputs=1,
        sizes=(units,),
        dense=(Dense(DENSE, "linear"),),
        weights=weights,
        origin=ORIGIN,
        notes=(NOTE,),
    )


def _plain(weights: Tensor) -> np.ndarray:
    return weights.detach().numpy().copy()


def _for_keras_3(weights: Tensor) -> np.ndarray:
    """The rows of the three gates times 6/5; the cell's content, a ReLU, stays as it is."""
    array = _plain(weights)
    blocks = np.split(array, 4)  # views
    for gate in GATES["LSTM"]:
        blocks[gate] *= OLD_HARD_SIGMOID
    return array


def kept(net: WrittenNet, inputs: Float[np.ndarray, "N T F"]) -> dict[str, float]:
    """Saves the network as HDF5, loads the file, and predicts once more with what was loaded.

    Returns:
        the file's `bytes`, its `weights` as Keras counts them, the `rows` that were predicted, and
        the largest `difference` between both predictions, in the target's unit.

    Raises:
        DataError: a weight is not finite.
    """
    data = write_h5(stored_of(net))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / FILE
        path.write_bytes(data)
        # No sandbox: this file is no stranger's, it was written a moment ago.
        loaded = model_of(read_h5(path, FILE, Path(folder)))
    x = torch.from_numpy(inputs)
    with torch.no_grad():
        before = net(x)
        after = loaded(Batch(x.transpose(0, 1), None, x[:, 0, :0], x[:, 0, :1])).outputs[:, 0, 0]
    return {
        "bytes": float(len(data)),
        "weights": float(sum(weights.numel() for weights in net.parameters())),
        "rows": float(len(inputs)),
        "difference": float((before - after).abs().max()),
    }


def stored_of_run(run: Run) -> Stored:
    """The network of a run of the study as written, as it was last saved.

    Raises:
        RunError: it has saved none yet, or it cannot be read.
        DataError: a weight is not finite.
    """
    state = run.checkpoint()
    if state is None:
        raise RunError("the run has saved no weights yet; let it train for an epoch")
    net = WrittenNet(0, units=run.config.model.hidden_size)
    load_weights(state, net)
    return stored_of(net)
