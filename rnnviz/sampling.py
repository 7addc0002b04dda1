"""What a network writes, token by token: the sample that a training gives after each epoch. Torch.

A token is drawn by one number u in [0, 1): it is the first whose cumulated probability exceeds u.
Probabilities are the softmax of scores / temperature in float64, and the numbers follow from seed
and epoch alone; so whoever has the same scores draws the same text.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from rnnviz.attention import Attention
from rnnviz.batches import Prepared
from rnnviz.config import TOKENS
from rnnviz.data.text import decode
from rnnviz.denormals import flushed
from rnnviz.model import SequenceModel

LENGTH = 200  # tokens of a sample; of other data than texts as many as a sequence has
PREFIX = 8  # tokens that it goes on from: the first of the test part; of other data one
TEMPERATURE = 1.0  # as the network says


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A text that a network wrote."""

    prefix: str  # given
    text: str  # written
    temperature: float


def numbers(seed: int, epoch: int, count: int) -> Float[np.ndarray, " L"]:
    """The numbers that draw a sample, uniform in [0, 1)."""
    return np.random.default_rng([seed, epoch]).random(count)


def sample(model: SequenceModel, prepared: Prepared, *, seed: int, epoch: int) -> Sample:
    """So many tokens after the first of the test part; the same for the same seed and epoch."""
    dataset = prepared.dataset
    is_text = f"{dataset.features[0].unit}s" in TOKENS
    given, count = (PREFIX, LENGTH) if is_text else (1, dataset.steps)
    first = dataset.inputs[prepared.split.test[0], :given].astype(np.int64)
    written = write(model, first, numbers(seed, epoch, count), TEMPERATURE)
    prefix = decode(first, dataset)
    whole = decode(np.concatenate((first, written)), dataset)
    text = whole[len(prefix) :] if whole.startswith(prefix) else decode(written, dataset)
    return Sample(prefix=prefix, text=text, temperature=TEMPERATURE)


def write(
    model: SequenceModel,
    first: Int[np.ndarray, " P"],
    drawn: Float[np.ndarray, " L"],
    temperature: float,
) -> Int[np.ndarray, " L"]:
    """The tokens that these numbers draw after the first ones; from states of zeros.

    Covariates are none: texts have none.
    """
    kernels = [model.ways(layer)[0].rnn for layer in range(len(model.layers))]
    states: list[Any] = [None] * len(kernels)  # None: zeros
    seen: list[Tensor] = []  # the top layer's states, where attention looks back at them
    tokens, found = torch.from_numpy(first)[:, None], []
    # in line, as it is done for each of many tokens
    with torch.no_grad(), flushed():
        table = model.encode(torch.arange(model.input_size)[:, None])[:, 0]
        for number in drawn:
            x = table[tokens]
            for layer, kernel in enumerate(kernels):
                x, states[layer] = kernel(x, states[layer])
            top = x[-1:]
            if model.attention is not None:
                seen.append(x)
                top = torch.cat((top, _context(model.attention, torch.cat(seen))), dim=-1)
            scores = model.say(top)[0, 0]
            found.append(draw(scores.double().numpy() / temperature, float(number)))
            tokens = torch.tensor([[found[-1]]])
    return np.array(found, dtype=np.int64)


def draw(scores: Float[np.ndarray, " V"], number: float) -> int:
    """The token that a number in [0, 1) draws, by scores that are divided by the temperature."""
    shares = np.exp(scores - scores.max())
    sums = np.cumsum(shares)
    return int(np.searchsorted(sums, number * sums[-1], side="right").clip(max=len(sums) - 1))


def _context(attention: Attention, top: Float[Tensor, "T 1 D"]) -> Float[Tensor, "1 1 D"]:
    """What attention sees from the last state on all up to it."""
    states = top.transpose(0, 1)
    allowed = torch.ones(1, 1, len(top), dtype=torch.bool)
    return attention(states[:, -1:], states, allowed).context
