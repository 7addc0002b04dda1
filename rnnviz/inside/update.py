"""One plain gradient step on one sequence: what is clipped, what moves, what the loss becomes.

Plain descent, w - rate * factor * dL/dw, as torch.optim.SGD after clip_grad_norm_. Adam and RMSprop
scale the step of every weight by the gradients before, which a trace does not keep.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from rnnviz.errors import TraceError
from rnnviz.inside.network import Embedded, Gradients, Network, Pass, Sequence
from rnnviz.inside.steps import Weights
from rnnviz.trace import ReadoutTrace

_BESIDE_ZERO = 1e-6  # torch adds it to the norm before it divides
_OF_READOUT = ("keys", "queries", "score")
_OF_WAY = ("W", "U", "b_W", "b_U")


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """One matrix or vector of weights; lengths are Euclidean norms."""

    symbol: str  # W, U, b ...
    part: str  # such as 'layer 1, backward'
    shape: tuple[int, ...]
    length: float  # |w| before the step
    gradient: float  # |dL/dw|
    change: float  # |dw|


@dataclass(frozen=True, kw_only=True)
class Update:
    """A network before and after one step on one sequence."""

    rate: float
    threshold: float  # of the gradient's norm; 0: clipping is off
    norm: float  # of the gradient by all weights together
    factor: float  # what clipping multiplies the gradient by, in (0, 1]
    before: Pass
    gradients: Gradients
    network: Network  # after the step
    after: Pass
    matrices: tuple[Matrix, ...]  # the lowest layer first, the head last

    @property
    def by(self) -> float:
        """What each derivative is multiplied by; the weights move by minus this."""
        return self.rate * self.factor


def updated(network: Network, sequence: Sequence, *, rate: float, threshold: float) -> Update:
    """One step of plain gradient descent on a batch of one.

    Args:
        network: before the step.
        sequence: what the loss is of.
        rate: the learning rate.
        threshold: gradients longer than this are shortened to it; 0 is off.

    Raises:
        TraceError: the gradient is not finite, so no step can be made.
    """
    before = network.run(sequence)
    gradients = network.gradients(before, sequence.targets)
    norm = math.sqrt(sum(float(np.vdot(g, g)) for _, _, g in _named(gradients)))
    if not math.isfinite(norm):
        raise TraceError(
            "the gradient of this sequence is not finite, so no step can be made; "
            "choose an earlier epoch"
        )
    factor = factor_of(norm, threshold)
    after = moved(network, gradients, rate * factor)
    with np.errstate(over="ignore", invalid="ignore"):  # a step may be too long; it is shown
        result = after.run(sequence)
    return Update(
        rate=rate,
        threshold=threshold,
        norm=norm,
        factor=factor,
        before=before,
        gradients=gradients,
        network=after,
        after=result,
        matrices=tuple(_matrices(network, gradients, rate * factor)),
    )


def factor_of(norm: float, threshold: float) -> float:
    """What clipping multiplies a gradient by: min(1, threshold / (norm + 1e-6)), as torch does."""
    return 1.0 if threshold <= 0 else min(1.0, threshold / (norm + _BESIDE_ZERO))


def moved(network: Network, gradients: Gradients, by: float) -> Network:
    """The network with w - by * dL/dw in place of every weight w."""
    embedding = _moved_embedding(network, gradients, by)
    ways = []
    for place, (way, grads) in enumerate(zip(network.ways, gradients.weights, strict=True)):
        weights = Weights(*(w - by * g for w, g in zip(way.weights, grads, strict=True)))
        if embedding is not None and way.layer == 0:
            weights = weights._replace(input=embedding.folded(place))
        ways.append(replace(way, weights=weights))
    readout = _moved_readout(network.readout, gradients, by)
    return replace(network, ways=tuple(ways), readout=readout, embedding=embedding)


def _moved_embedding(network: Network, gradients: Gradients, by: float) -> Embedded | None:
    before, slope = network.embedding, gradients.embedding
    if before is None or slope is None:
        return None
    return Embedded(
        table=before.table - by * slope.table,
        weights=tuple(w - by * g for w, g in zip(before.weights, slope.weights, strict=True)),
    )


def _moved_readout(readout: ReadoutTrace, gradients: Gradients, by: float) -> ReadoutTrace:
    found = gradients.readout
    dense = tuple(
        replace(
            layer,
            weights=layer.weights - by * slope.weights,
            bias=layer.bias - by * slope.bias,
        )
        for layer, slope in zip(readout.dense, found.dense, strict=True)
    )
    attention = {
        name: getattr(readout, name) - by * getattr(found, name)
        for name in _OF_READOUT
        if getattr(readout, name) is not None
    }
    return replace(readout, dense=dense, **attention)


def _matrices(network: Network, gradients: Gradients, by: float) -> Iterator[Matrix]:
    both = any(way.reverse for way in network.ways)
    for (part, symbol, weights), (_, _, slope) in zip(
        _named(network), _named(gradients), strict=True
    ):
        if isinstance(part, int):
            way = network.ways[part]
            direction = (", backward" if way.reverse else ", forward") if both else ""
            part = f"layer {way.layer + 1}{direction}"
        length = float(np.linalg.norm(slope))
        yield Matrix(
            symbol=symbol,
            part=part,
            shape=weights.shape,
            length=float(np.linalg.norm(weights)),
            gradient=length,
            change=by * length,
        )


def _named(
    held: Network | Gradients,
) -> Iterator[tuple[int | str, str, Float[np.ndarray, "..."]]]:
    """All weights of a network, or all that a loss gives by them: the part, the symbol, the array.

    Parts are the places of ways, or names. All gates of a way are one matrix of G H rows. Where
    tokens are embedded, the first layer's W and the table E are two matrices, as they are learned.
    """
    weights = held.weights if isinstance(held, Gradients) else [way.weights for way in held.ways]
    own: tuple[np.ndarray, ...] = ()
    if held.embedding is not None:
        own = held.embedding.weights
        yield "embedding", "E", held.embedding.table
    for place, of_way in enumerate(weights):
        if place < len(own):
            of_way = of_way._replace(input=own[place])
        for symbol, array in zip(_OF_WAY, of_way, strict=True):
            yield place, symbol, array.reshape(-1, *array.shape[2:])
    for name in _OF_READOUT:
        array = getattr(held.readout, name)
        if array is not None:
            yield "attention", name, array
    last = len(held.readout.dense) - 1
    for k, dense in enumerate(held.readout.dense):
        part = "head" if k == last else f"dense layer {k + 1}"
        yield part, "W", dense.weights
        yield part, "b", dense.bias
