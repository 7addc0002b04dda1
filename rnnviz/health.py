"""Where a network's numbers first stop being finite. Torch; no training, no data sets."""

import math

import numpy as np
import torch
from torch import nn

from rnnviz.model import Batch, SequenceModel


class DivergedError(Exception):
    """A number stopped being finite; training turns this into its last event.

    Attributes:
        what: such as "the loss became nan".
        where: the place that was first.
    """

    def __init__(self, what: str, where: str) -> None:
        super().__init__(what)
        self.what, self.where = what, where


def first_bad_layer(model: SequenceModel, batch: Batch) -> str:
    """The lowest place whose output is not finite, going forward."""
    with torch.no_grad():
        x = model.encode(batch.inputs)
        if not torch.isfinite(x).all():
            return "the inputs"
        for layer in range(len(model.layers)):
            x = torch.cat(model.run_layer(layer, x, batch.lengths), dim=-1)
            if not torch.isfinite(x).all():
                return f"layer {layer + 1}"
    return "the head"


def first_bad_gradient(model: SequenceModel) -> str:
    """The highest place whose gradient is not finite, since it comes down from the head.

    Where each is finite and only their norm is not, the place with the largest.
    """
    places: list[tuple[str, nn.Module]] = [("the head", model.head)]
    if model.attention is not None:
        places.append(("the attention", model.attention))
    for number in range(len(model.layers), 0, -1):
        places.append((f"layer {number}", model.layers[number - 1]))
    norms = []
    for name, module in places:
        gradients = [w.grad.double() for w in module.parameters() if w.grad is not None]
        norms.append(nn.utils.get_total_norm(gradients).item())
        if not math.isfinite(norms[-1]):
            return name
    return places[int(np.argmax(norms))][0]
