"""Models with drawn weights and batches for them, which the tests of model files share."""

import numpy as np
import torch

from rnnviz.config import ModelConfig
from rnnviz.data.dataset import Task
from rnnviz.model import Batch, SequenceModel
from rnnviz.record import outputs_in_unit


def make_model(task=Task.REGRESSION, *, inputs=3, outputs=2, columns=0, seed=1, **settings):
    """A SequenceModel; `sizes` and `dense` go to the model, other settings to its config."""
    beyond = {name: settings.pop(name) for name in ("sizes", "dense") if name in settings}
    config = ModelConfig(**{"hidden_size": 5, "attention": "none", **settings})
    return SequenceModel(
        config,
        inputs=inputs,
        outputs=outputs,
        covariates=columns,
        task=task,
        seed=seed,
        **beyond,
    )


def draw(*shape, seed=0):
    """Standard normal numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def predict(model, inputs, covariates=None):
    """What a model makes of inputs [B T F]: numbers, or probabilities of the classes."""
    covariates = np.zeros((len(inputs), 0), np.float32) if covariates is None else covariates
    x = torch.from_numpy(np.ascontiguousarray(inputs.swapaxes(0, 1)))
    batch = Batch(x, None, torch.from_numpy(covariates), torch.zeros(len(inputs), 1))
    with torch.no_grad():
        outputs = outputs_in_unit(model(batch).outputs, model.task, None)
    return outputs if model.task is Task.NEXT_TOKEN else outputs[:, 0]


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def replayed(model, x):
    """The LSTM's gates and states [H T] of one sequence [T F], by the equations."""
    w, u, b, b_too = (p.detach().numpy() for p in model.layers[0][0].rnn.parameters())
    h = c = np.zeros(u.shape[1])
    steps = []
    for x_t in x:
        i, f, g, o = np.split(w @ x_t + u @ h + b + b_too, 4)
        i, f, g, o = _sigmoid(i), _sigmoid(f), np.tanh(g), _sigmoid(o)
        c = f * c + i * g
        h = o * np.tanh(c)
        steps.append((i, f, g, o, h, c))
    return dict(zip("ifgohc", np.array(steps).transpose(1, 2, 0), strict=True))
