"""What language models cost: training beside a bare loop of torch, and cutting a text into tokens.

`rnnviz bench language` prints these rows; a new one is a line in TIMED.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from rnnviz.bench.core import BATCH, CLIP, Row, alone, beside, pairs_of
from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.data import logbook, pieces
from rnnviz.data.dataset import SequenceDataset, split_of
from rnnviz.data.text import indices_of, load, tokenise, vocabulary_of
from rnnviz.train import Stream, fit

UNITS, STEPS = 128, 64
SAMPLE = "program"
EPOCHS = 12
TURN = 5  # batches
LEAST = 0.9  # times as fast as the bare loop
CHARACTERS = 400_000  # of the text that is cut
PIECES = 512


class Plain(nn.Module):
    """What one writes by hand: one-hot characters, a batch first LSTM, and a linear head."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.lstm = nn.LSTM(size, UNITS, batch_first=True)
        self.head = nn.Linear(UNITS, size)

    def forward(
        self, tokens: Tensor, state: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """From [B T] to scores [B T V], and the state after."""
        states, state = self.lstm(one_hot(tokens, self.size).float(), state)
        return self.head(states), state


def plain_loop(dataset: SequenceDataset, rate: float) -> Iterator[float]:
    """The bare loop without end: each batch's loss. Windows in order, or shuffled."""
    model = Plain(len(dataset.vocabulary))
    weights = list(model.parameters())
    optimiser = torch.optim.Adam(weights, lr=rate)
    train = split_of(dataset, 0).train
    inputs = torch.from_numpy(dataset.inputs[train])
    targets = torch.from_numpy(dataset.targets[train])
    count = len(train) // BATCH
    in_order = torch.arange(count * BATCH).reshape(BATCH, count).T.reshape(-1)
    while True:
        state = None
        order = in_order if dataset.carried else torch.randperm(len(train))
        for rows in order.split(BATCH):
            scores, after = model(inputs[rows], state)
            state = tuple(part.detach() for part in after) if dataset.carried else None
            loss = cross_entropy(scores.reshape(-1, scores.shape[2]), targets[rows].reshape(-1))
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(weights, CLIP)
            optimiser.step()
            yield loss.item()


def fit_in_turns(config: RunConfig, home: Path, state: bytes | None) -> Stream:
    """A run's program: fit, with a turn of the bare loop after every few batches."""
    dataset = load(config.data)
    plain = plain_loop(dataset, config.training.learning_rate)
    yield from beside(fit(config, dataset, state), plain, TURN, home)


def training(name: str, *, carried: bool) -> Row:
    """fit with its events taken as the app takes them, beside the bare loop."""
    config = RunConfig(
        data=DataConfig(source="text", sample=SAMPLE, window=STEPS, carried=carried),
        model=ModelConfig(hidden_size=UNITS, attention="none"),
        training=TrainingConfig(epochs=EPOCHS, batch_size=BATCH, clip_norm=CLIP),
    )
    pairs = pairs_of(config, f"{__name__}:fit_in_turns")
    count = TURN * BATCH * STEPS
    ours, rival = (count / float(np.median(seconds)) for seconds in pairs)
    return pairs.row(name, LEAST, f"{ours:,.0f} against {rival:,.0f} characters/s")


def cutting(name: str) -> Row:
    """A long text as numbers of characters, words and pieces; pieces learned from it."""
    text, told = logbook.write(CHARACTERS), []
    for kind in ("characters", "words"):
        began = time.perf_counter()
        tokens = tokenise(text, kind)
        indices_of(tokens, vocabulary_of(tokens, kind)[0], kind)
        told.append(f"{kind} {CHARACTERS / (time.perf_counter() - began) / 1e6:.1f}")
    began = time.perf_counter()
    merges = pieces.learn(text, PIECES)
    learned = time.perf_counter() - began
    pieces.cut(text[:100], merges)  # what is made once for all texts
    began = time.perf_counter()
    pieces.cut(text, merges)
    told.append(f"pieces {CHARACTERS / (time.perf_counter() - began) / 1e6:.1f}")
    return Row(
        name=name,
        value=f"{', '.join(told)} million characters/s; {PIECES} pieces learned in {learned:.1f} s",
    )


TIMED: Mapping[str, Callable[[str], Row]] = {
    "language: fit of a char model beside a bare torch loop": partial(training, carried=False),
    "language: the same with the state carried on": partial(training, carried=True),
    "language: a text of 400,000 characters cut": cutting,
}
ROWS: Mapping[str, Callable[[str], Row]] = dict.fromkeys(TIMED, partial(alone, where=__name__))
