"""A gradient beside the central finite difference of the same thing: run twice, slightly apart.

The difference is made by the step loop alone and shares nothing with the closed form but the
cell's equations. It cannot show what is smaller than its own rounding.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from rnnviz.inside.jacobians import step_jacobians
from rnnviz.inside.matrix import go_back, loss_at, only_forward
from rnnviz.inside.network import Network, Pass, Sequence
from rnnviz.inside.steps import Hands, Weights

NUDGE = 1e-4  # half the distance between the two runs
_ROUNDING = 4e-16  # of a loss of size one


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One number twice."""

    shown: float  # by the closed form
    difference: float  # (L(+nudge) - L(-nudge)) / (2 nudge)
    nudge: float
    resolution: float  # a difference smaller than this is rounding

    @property
    def error(self) -> float:
        """|difference - shown|, relative to the larger of both."""
        largest = max(abs(self.shown), abs(self.difference))
        return abs(self.difference - self.shown) / largest if largest else 0.0

    @property
    def conclusive(self) -> bool:
        """Whether the gradient is large enough to be seen in a difference: three digits of it."""
        return max(abs(self.shown), abs(self.difference)) > 1000 * self.resolution


def differ(loss: Callable[[float], float], shown: float, nudge: float = NUDGE) -> Proof:
    """The derivative of a function of one number at 0, beside what is shown for it."""
    up, down = loss(nudge), loss(-nudge)
    rounding = _ROUNDING * max(abs(up), abs(down), 1e-300) / nudge
    return Proof(
        shown=shown, difference=(up - down) / (2 * nudge), nudge=nudge, resolution=rounding
    )


@dataclass(frozen=True, kw_only=True)
class Spot:
    """One state of one direction after one step of real time; all counts from 0."""

    place: int  # in Network.ways
    state: int
    t: int


def nudged(
    network: Network, done: Pass, spot: Spot, along: Float[np.ndarray, " H"], by: float
) -> dict[int, Hands]:
    """Hands that move a state along a direction; what shows it in the same step follows it."""
    way, steps = network.ways[spot.place], done.steps[spot.place]
    at = len(done.top) - 1 - spot.t if way.reverse else spot.t
    gates = tuple(gate[at] for gate in steps.gates)
    before = tuple(state[at] for state in steps.before)

    def after(step: int, states: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        if step != at:
            return states
        moved = tuple(s + by * along if k == spot.state else s for k, s in enumerate(states))
        if spot.state == 0:
            return moved
        return (way.cell.show(gates, before, moved[1:]), *moved[1:])

    return {spot.place: Hands(after=after)}


def prove_state(
    network: Network, sequence: Sequence, spot: Spot, unit: int, *, loss_step: int | None = None
) -> Proof:
    """dL/dh_t (or dL/dc_t) of one unit.

    Args:
        loss_step: of which step's loss, as in the matrix; None: of the sequence's loss.

    Raises:
        TraceError: a step's loss was asked of a network that reads in both directions.
    """
    done = network.run(sequence)
    grads = state_gradient(network, sequence, done, spot, loss_step)
    along = np.eye(len(grads))[unit]
    return _along(network, sequence, done, spot, along, float(grads[unit]), loss_step)


def prove_norm(
    network: Network, sequence: Sequence, spot: Spot, *, loss_step: int | None = None
) -> Proof:
    """The norm of the same over all units: the derivative along the gradient's own direction."""
    done = network.run(sequence)
    grads = state_gradient(network, sequence, done, spot, loss_step)
    norm = float(np.linalg.norm(grads))
    along = grads / norm if norm else grads
    return _along(network, sequence, done, spot, along, norm, loss_step)


def state_gradient(
    network: Network, sequence: Sequence, done: Pass, spot: Spot, loss_step: int | None
) -> Float[np.ndarray, " H"]:
    """All units' gradient in closed form."""
    if loss_step is None:
        back = network.gradients(done, sequence.targets).ways[spot.place]
    else:
        only_forward(network)
        back = go_back(network, sequence, done, np.array([loss_step])).ways[spot.place]
    at = len(done.top) - 1 - spot.t if network.ways[spot.place].reverse else spot.t
    found = back.states[spot.state]
    return found[at, 0] if at < len(found) else np.zeros(found.shape[2])


def _along(
    network: Network,
    sequence: Sequence,
    done: Pass,
    spot: Spot,
    along: Float[np.ndarray, " H"],
    shown: float,
    loss_step: int | None,
) -> Proof:
    def loss(by: float) -> float:
        again = network.run(sequence, nudged(network, done, spot, along, by))
        return again.loss if loss_step is None else loss_at(network, sequence, again, loss_step)

    return differ(loss, shown)


def prove_weight(
    network: Network, sequence: Sequence, place: int, kind: str, index: tuple[int, ...]
) -> Proof:
    """dL by one weight.

    Args:
        kind: a field of Weights.
        index: of the number in it: gate, unit, and where there is one the column.
    """
    done = network.run(sequence)
    found = network.gradients(done, sequence.targets).weights[place]

    def loss(by: float) -> float:
        return with_weight(network, place, kind, index, by).run(sequence).loss

    return differ(loss, float(getattr(found, kind)[index]))


def with_weight(
    network: Network, place: int, kind: str, index: tuple[int, ...], by: float
) -> Network:
    """The network with one weight moved."""
    way = network.ways[place]
    moved = getattr(way.weights, kind).copy()
    moved[index] += by
    changed: Weights = way.weights._replace(**{kind: moved})
    ways = list(network.ways)
    ways[place] = replace(way, weights=changed)
    return replace(network, ways=tuple(ways))


def prove_product(
    network: Network, sequence: Sequence, place: int, earlier: int, later: int
) -> Proof:
    """The norm of the product of Jacobians: how far the state at one step moves, for a nudge of an
    earlier one along the direction that grows most. Steps of real time, forward directions.
    """
    done = network.run(sequence)
    way, steps = network.ways[place], done.steps[place]
    product = np.eye(len(way.cell.states) * way.weights.recurrent.shape[1])
    for t in range(earlier + 1, later + 1):
        product = step_jacobians(way.cell, way.weights, steps, t, t + 1)[0] @ product
    left, values, right = np.linalg.svd(product)
    parts = np.split(right[0], len(way.cell.states))

    def reached(by: float) -> float:
        def after(step: int, states: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
            if step != earlier:
                return states
            return tuple(s + by * part for s, part in zip(states, parts, strict=True))

        again = network.run(sequence, {place: Hands(after=after)}).steps[place]
        return float(np.concatenate([s[later, 0] for s in again.states]) @ left[:, 0])

    return differ(reached, float(values[0]))
