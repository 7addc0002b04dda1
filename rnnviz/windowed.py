"""The window model: a few tokens before, embedded side by side, tanh, softmax. Torch; no data sets.

  x = (E o_1, ..., E o_n),  h = tanh(W x + b),  p = softmax(V h + c)
after Bengio et al. (2003), as the notes of cs224d have it before they come to recurrent networks:
what it cannot see is what a state is for. Trained for a few seconds at most, whatever the machine.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

READS, EMBEDDED, UNITS = 4, 16, 96
RATE, EPOCHS = 0.01, 6
PATIENCE = 2  # epochs without a lower validation loss
WORK = 4e10  # multiplications of one training, and
STEPS = 1500  # steps of it, at most: some seconds of one core
SMALLEST = 32  # batch
AT_ONCE = 8192  # contexts of one look
SEED = 0


class WindowModel(nn.Module):
    """READS tokens to the scores of the next; token `size` stands for none."""

    def __init__(self, size: int, generator: torch.Generator) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):  # torch's modules draw weights of their own
            self.table = nn.Embedding(size + 1, EMBEDDED)
            self.hidden = nn.Linear(READS * EMBEDDED, UNITS)
            self.head = nn.Linear(UNITS, size)
        with torch.no_grad():
            self.table.weight.normal_(generator=generator)
            for layer in (self.hidden, self.head):
                bound = layer.in_features**-0.5
                layer.weight.uniform_(-bound, bound, generator=generator)
                layer.bias.uniform_(-bound, bound, generator=generator)

    def forward(self, contexts: Int[Tensor, "B N"]) -> Float[Tensor, "B V"]:
        """The scores of every next token."""
        return self.head(torch.tanh(self.hidden(self.table(contexts).flatten(1))))

    def shares(self, contexts: Int[Tensor, "B N"]) -> Iterator[Float[Tensor, "P V"]]:
        """The probabilities of every next token, of some contexts after the other."""
        for some in contexts.split(AT_ONCE):
            with torch.no_grad():
                yield torch.softmax(self(some), dim=-1)


class Pairs(NamedTuple):
    """The tokens before, and the one that came."""

    contexts: Int[Tensor, "M N"]
    targets: Int[Tensor, " M"]


def train_window_model(train: Pairs, held_out: Pairs, size: int) -> WindowModel:
    """The model after the epoch of its lowest loss on what is held out.

    Args:
        train: what is learned from.
        held_out: what decides when to stop.
        size: tokens of the vocabulary.
    """
    generator = torch.Generator().manual_seed(SEED)
    model = WindowModel(size, generator)
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)
    count = len(train.targets)
    left = int(WORK / (6 * sum(w.numel() for w in (model.hidden.weight, model.head.weight))))
    left = min(left, count * EPOCHS)  # contexts that are still to be read
    size_of_batch, whole = max(SMALLEST, left // STEPS), left
    best, kept, since = float("inf"), model.state_dict(), 0
    while left > 0 and since < PATIENCE:
        order = torch.randperm(count, generator=generator)[:left]
        for rows in order.split(size_of_batch):
            for group in optimiser.param_groups:
                group["lr"] = RATE * left / whole
            left -= len(rows)
            loss = nn.functional.cross_entropy(model(train.contexts[rows]), train.targets[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        value, since = _loss(model, held_out), since + 1
        if value < best:
            best, since = value, 0
            kept = {name: weights.clone() for name, weights in model.state_dict().items()}
    model.load_state_dict(kept)
    return model


def _loss(model: WindowModel, pairs: Pairs) -> float:
    contexts, targets = pairs
    told = zip(model.shares(contexts), targets.split(AT_ONCE), strict=True)
    parts = [shares.gather(1, true[:, None]).log().sum().item() for shares, true in told]
    return -sum(parts) / max(1, len(targets))
