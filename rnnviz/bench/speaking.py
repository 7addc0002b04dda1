"""How fast a language model speaks: one stream, one token after the other, on one core."""

import time

import numpy as np
import torch

from rnnviz.bench.core import Row
from rnnviz.config import ModelConfig
from rnnviz.data.dataset import Task
from rnnviz.inside.network import Network
from rnnviz.inside.sampling import Plan, speak
from rnnviz.inside.shaping import Shaping
from rnnviz.inside.speaking import Speaker
from rnnviz.model import Batch, SequenceModel
from rnnviz.record import record

HIDDEN, VOCABULARY, LENGTH = 128, 80, 500
LEAST = 2000  # characters a second
TURNS = 7

SPOKEN = "language: generate, LSTM 128, one stream"


def speaker() -> Speaker:
    """A network of the size that is promised, with the weights that training begins with."""
    config = ModelConfig(cell="lstm", hidden_size=HIDDEN, attention="none")
    model = SequenceModel(
        config, inputs=VOCABULARY, outputs=VOCABULARY, covariates=0, task=Task.NEXT_TOKEN
    )
    steps = torch.zeros(8, 1, dtype=torch.long)
    batch = Batch(steps, None, torch.zeros(1, 0), steps.T)
    return Speaker.of(Network.of(record(model, batch, np.arange(1))))


def spoken(name: str) -> Row:
    """Characters a second, with temperature, top-k and top-p all at work."""
    one, rates = speaker(), []
    shaping = Shaping(temperature=0.8, top_k=40, top_p=0.9)
    for seed in range(TURNS):
        plan = Plan(prefix=(0,), length=LENGTH, shaping=shaping, seed=seed)
        began = time.perf_counter()
        speak(one, plan)
        rates.append(LENGTH / (time.perf_counter() - began))
    middle = float(np.median(rates))
    return Row(
        name=name,
        value=f"{middle:,.0f} characters/s (median of {TURNS} texts of {LENGTH})",
        target=f"at least {LEAST:,}",
        met=middle >= LEAST,
    )
