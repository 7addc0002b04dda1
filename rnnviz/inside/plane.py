"""A trained network's loss over a plane of its recurrent weights: theta + x d1 + y d2.

The weights of a point are linear in x and y, so U h of all points is three products that they
share: a whole grid runs as one batch, without a weight matrix for each point.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from rnnviz.cells import Parts, split_gates
from rnnviz.inside.network import Network, Sequence, Way, shares_of
from rnnviz.inside.readout import asking, losses, read
from rnnviz.inside.steps import Weights
from rnnviz.inside.wall import Surface

Directions = tuple[Weights, ...]  # one for each way
_MOST_WORK = 7e9  # of one surface, counted as multiplications: under two seconds
_MOST_BYTES = 64e6  # of the states of all points
_BENT = 80  # a squash costs as much as so many multiplications
FINEST, COARSEST = 25, 5  # points along a side


@dataclass(frozen=True, kw_only=True)
class Plane:
    """Two directions at right angles through a network's recurrent weights, each of length 1."""

    network: Network
    first: Directions
    second: Directions

    def at(self, point: Float[np.ndarray, " 2"]) -> Network:
        """The network at a point."""
        x, y = point
        ways = tuple(
            replace(way, weights=_moved(way.weights, x, one, y, two))
            for way, one, two in zip(self.network.ways, self.first, self.second, strict=True)
        )
        return replace(self.network, ways=ways)

    def slope(self, sequence: Sequence, point: Float[np.ndarray, " 2"]) -> np.ndarray:
        """The loss's gradient by x and y at a point."""
        network = self.at(point)
        with np.errstate(over="ignore", invalid="ignore"):  # far out a network may explode
            found = network.gradients(network.run(sequence), sequence.targets).weights
        return np.array([_dot(found, self.first), _dot(found, self.second)])


def _moved(weights: Weights, x: float, one: Weights, y: float, two: Weights) -> Weights:
    parts = zip(weights, one, two, strict=True)
    return Weights(*(w + x * a + y * b for w, a, b in parts))


def plane_of(network: Network, sequence: Sequence, seed: int) -> Plane:
    """Along the loss's gradient, and along a random direction at right angles to it."""
    gradient = network.gradients(network.run(sequence), sequence.targets).weights
    rng = np.random.default_rng(seed)
    first = _unit(gradient if _dot(gradient, gradient) > 0 else _random(gradient, rng))
    second = _random(gradient, rng)
    along = _dot(second, first)
    second = tuple(_moved(b, -along, a, 0.0, a) for b, a in zip(second, first, strict=True))
    return Plane(network=network, first=first, second=_unit(second))


def _random(like: Directions, rng: np.random.Generator) -> Directions:
    return tuple(Weights(*(rng.standard_normal(part.shape) for part in way)) for way in like)


def length_of(network: Network) -> float:
    """The norm of all recurrent layers' weights: a plane's natural unit."""
    ways = tuple(way.weights for way in network.ways)
    return float(np.sqrt(_dot(ways, ways)))


def points_for(network: Network, steps: int) -> int:
    """Points along a side for which there is time; odd, so that the network itself is one."""
    ways = network.ways
    weights = sum(
        3 * w.weights.recurrent.size + _BENT * w.weights.recurrent_bias.size for w in ways
    )
    states = sum(w.weights.recurrent.shape[1] for w in ways)
    side = int(min(_MOST_WORK / (steps * weights), _MOST_BYTES / (8 * steps * states)) ** 0.5)
    odd = (side - 1) // 2 * 2 + 1
    return max(COARSEST, min(FINEST, odd))


def plane_surface(plane: Plane, sequence: Sequence, reach: float, count: int) -> Surface:
    """The sequence's loss on a grid of count x count points within +- reach."""
    ends = np.linspace(-reach, reach, count)
    across, up = (part.ravel() for part in np.meshgrid(ends, ends))
    found = plane_losses(plane, sequence, across, up)
    return Surface(ends, ends, found.reshape(count, count))


def plane_losses(
    plane: Plane, sequence: Sequence, x: Float[np.ndarray, " P"], y: Float[np.ndarray, " P"]
) -> Float[np.ndarray, " P"]:
    """The sequence's loss at points of the plane, all in one batch; inf where it explodes."""
    with np.errstate(over="ignore", invalid="ignore"):
        return _losses(plane, sequence, x, y)


def _losses(
    plane: Plane, sequence: Sequence, x: Float[np.ndarray, " P"], y: Float[np.ndarray, " P"]
) -> Float[np.ndarray, " P"]:
    network = plane.network
    inputs = np.broadcast_to(
        sequence.inputs[:, None], (len(sequence.inputs), 1, sequence.inputs.shape[1])
    )
    for places in network.layers:
        states = [
            _run(network.ways[k], plane.first[k], plane.second[k], inputs, x, y) for k in places
        ]
        inputs = np.concatenate(states, axis=2)
    readout = network.readout
    at = asking(readout, len(inputs), len(network.layers[-1]))
    shares, found = shares_of(len(at), sequence.counted), np.empty(len(x))
    for p in range(len(x)):
        top = np.ascontiguousarray(inputs[:, p])
        said = read(readout, top, sequence.covariates, at, causal=network.causal).outputs
        found[p] = losses(readout, said, sequence.targets) @ shares
    return found


def _run(
    way: Way,
    first: Weights,
    second: Weights,
    x: Float[np.ndarray, "T _ I"],
    across: Float[np.ndarray, " P"],
    up: Float[np.ndarray, " P"],
) -> Float[np.ndarray, "T P H"]:
    """h after every step on real time; the inputs are one batch, or one for each point."""
    gates, size, _ = way.weights.recurrent.shape
    input_ = _linear([w.input for w in (way.weights, first, second)], across, up)
    recur = _linear([w.recurrent for w in (way.weights, first, second)], across, up)
    bias, recurrent_bias = (
        _biases([getattr(w, name) for w in (way.weights, first, second)], across, up)
        for name in ("input_bias", "recurrent_bias")
    )

    def recurred(state: Float[np.ndarray, "P H"]) -> Parts:
        return split_gates(recur(state) + recurrent_bias, gates)

    now = tuple(np.zeros((len(across), size)) for _ in way.cell.states)
    found = np.empty((len(x), len(across), size))
    order = range(len(x) - 1, -1, -1) if way.reverse else range(len(x))
    for t in order:
        parts = split_gates(input_(x[t]) + bias, gates)
        now = way.cell.advance(way.cell.activate(parts, recurred, now).values, now)
        found[t] = now[0]
    return found


Apply = Callable[[np.ndarray], np.ndarray]


def _linear(parts: list[np.ndarray], across: np.ndarray, up: np.ndarray) -> Apply:
    """s -> (A + x B + y C) s for every point."""
    flat = np.ascontiguousarray(np.concatenate([p.reshape(-1, p.shape[-1]) for p in parts]).T)
    width = flat.shape[1] // 3

    def apply(state: Float[np.ndarray, "_ I"]) -> Float[np.ndarray, "P GH"]:
        base, one, two = np.split(state @ flat, [width, 2 * width], axis=1)
        return base + across[:, None] * one + up[:, None] * two

    return apply


def _biases(parts: list[np.ndarray], across: np.ndarray, up: np.ndarray) -> np.ndarray:
    base, one, two = (part.ravel() for part in parts)
    return base + across[:, None] * one + up[:, None] * two


def _dot(a: Directions, b: Directions) -> float:
    pairs = [pair for one, two in zip(a, b, strict=True) for pair in zip(one, two, strict=True)]
    return float(sum(np.vdot(p, q) for p, q in pairs))


def _unit(ways: Directions) -> Directions:
    length = np.sqrt(_dot(ways, ways))
    return tuple(Weights(*(part / length for part in way)) for way in ways)
