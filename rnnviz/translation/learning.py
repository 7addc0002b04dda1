"""One optimiser step of a network that translates: loss, gradient, clipping. Torch; no events."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor, nn

from rnnviz.config import RunConfig
from rnnviz.data.parallel import PAD
from rnnviz.denormals import flushed
from rnnviz.health import DivergedError
from rnnviz.train import OPTIMISERS
from rnnviz.translation.batches import Batch
from rnnviz.translation.model import Translator, losses_of

COINS = 1  # sets the draws of teacher forcing apart from the others of the same seed and step


class Learner:
    """A network with its optimiser, and the last weights that were good."""

    def __init__(self, config: RunConfig, model: Translator) -> None:
        self.config, self.model = config, model
        self.weights = list(model.parameters())
        self.good = [weight.detach().clone() for weight in self.weights]
        self.rate = config.training.learning_rate
        self.forcing = config.translation.teacher_forcing
        self.optimiser = OPTIMISERS[config.training.optimiser](self.weights, lr=self.rate)

    def set_rate(self, rate: float) -> None:
        """The learning rate from the next step on."""
        self.rate = rate
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def learn(self, batch: Batch, step: int) -> tuple[float, float]:
        """One step, the `step`-th from 0: the loss before it [nats] and the gradient's norm.

        Every draw is a function of the seed and the step.

        Raises:
            DivergedError: the loss or the gradient is not finite; the weights are as they were.
        """
        with flushed():
            loss = self._loss(batch, step)
            value = loss.item()
            if not math.isfinite(value):
                raise DivergedError(f"the loss became {value}", self._first_bad_place(batch))
            self.optimiser.zero_grad()
            loss.backward()
            norm = self._clip()
            copy(self.weights, self.good)
            self.optimiser.step()
        return value, norm

    def _loss(self, batch: Batch, step: int) -> Tensor:
        """Mean cross-entropy of the batch's target tokens, their ends counted."""
        model, seed = self.model, self.config.training.seed
        dropout = None
        if self.config.model.dropout:
            dropout = torch.Generator().manual_seed(seed * 2**31 + step)
        encoded = model.encode(batch.sources, batch.lengths, dropout)
        read = model.reads(encoded, batch.targets, self._forced(batch, step))
        logits = model.decode(encoded, read, dropout=dropout).logits
        return losses_of(logits, batch.targets).sum() / (batch.targets != PAD).sum()

    def _forced(self, batch: Batch, step: int) -> Bool[Tensor, "T B"]:
        """Which tokens are read as they should have been."""
        shape = tuple(batch.targets.shape)
        if self.forcing == 1.0:
            return torch.ones(shape, dtype=torch.bool)
        rng = np.random.default_rng([self.config.training.seed, step, COINS])
        return torch.from_numpy(rng.random(shape) < self.forcing)

    def _clip(self) -> float:
        """The gradient's norm before it is clipped."""
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        value = norm.item()
        if not math.isfinite(value):
            raise DivergedError(f"the gradient's norm became {value}", self._first_bad_gradient())
        most = self.config.training.clip_norm
        if most:
            nn.utils.clip_grads_with_norm_(self.weights, most, norm)
        return value

    def _first_bad_place(self, batch: Batch) -> str:
        with torch.no_grad():
            encoded = self.model.encode(batch.sources, batch.lengths)
        for number, states in enumerate(encoded.finals, start=1):
            if not all(torch.isfinite(state).all() for state in states):
                return f"layer {number} of the encoder"
        return "the decoder or the head"

    def _first_bad_gradient(self) -> str:
        """The highest place whose gradient is not finite, since it comes down from the head."""
        places: list[tuple[str, nn.Module]] = [("the head", self.model.head)]
        if self.model.attention is not None:
            places.append(("the attention", self.model.attention))
        for name, layers in (("decoder", self.model.decoder), ("encoder", self.model.encoder)):
            for number in range(len(layers), 0, -1):
                places.append((f"layer {number} of the {name}", layers[number - 1]))
        for name, module in places:
            grads = [w.grad for w in module.parameters() if w.grad is not None]
            if not all(torch.isfinite(grad).all() for grad in grads):
                return name
        return "the sum of all squares"


def copy(source: Sequence[Tensor], into: Sequence[Tensor]) -> None:
    """Weights into other weights of the same shapes."""
    with torch.no_grad():
        torch._foreach_copy_(list(into), list(source))
