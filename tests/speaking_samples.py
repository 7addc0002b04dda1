"""Small language models of every kind, recorded, that the tests of speaking share."""

import numpy as np
import torch

from rnnviz.config import ModelConfig
from rnnviz.data.dataset import Task
from rnnviz.inside.network import Network, Sequence
from rnnviz.inside.speaking import Speaker
from rnnviz.model import Batch, SequenceModel
from rnnviz.record import record

V, H, T = 7, 5, 12


def language_model(
    cell="lstm", *, layers=1, attention="none", embedding=0, seed=1, gain=2.0, tokens=V
):
    """A model whose weights are large enough to have opinions, in float64."""
    config = ModelConfig(
        cell=cell, hidden_size=H, layers=layers, attention=attention, embedding=embedding
    )
    model = SequenceModel(
        config, inputs=tokens, outputs=tokens, covariates=0, task=Task.NEXT_TOKEN, seed=seed
    ).double()
    with torch.no_grad():
        for weights in model.parameters():
            weights *= gain
    return model


def recorded(model, tokens=None):
    """The trace of a model on one sequence."""
    tokens = np.arange(T) % V if tokens is None else tokens
    steps = torch.tensor(tokens)
    batch = Batch(steps[:, None], None, torch.zeros(1, 0).double(), steps.roll(-1)[None])
    return record(model, batch, np.arange(1))


def speaker(cell="lstm", **settings):
    """Such a model, ready to speak."""
    return Speaker.of(Network.of(recorded(language_model(cell, **settings))))


def sequence(tokens, *, blank=()):
    """Tokens as the network runs them; of the blank steps nothing is read."""
    one_hot = np.eye(V)[np.asarray(tokens)]
    one_hot[list(blank)] = 0.0
    return Sequence(inputs=one_hot, covariates=np.zeros(0), targets=np.zeros(len(tokens), int))
