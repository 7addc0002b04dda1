"""What truncated backpropagation through time leaves of the gradient.

A gradient of weights is a sum over paths. Each path steps back through time some number of times,
in whatever layers; followed k steps back it loses all paths that take k steps or more. One scan
finds all k at once: paths are kept apart by the steps that they took, and move up one at each.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rnnviz.inside.network import Network, Pass, Targets
from rnnviz.inside.readout import back, by_outputs
from rnnviz.inside.steps import Back, Weights, by_weights

MOST_LENGTHS = 200  # truncation lengths that are told apart
_MOST_BYTES = 256e6  # of what the scan leaves behind
_MOST_WORK = 3e10  # multiplications for the weights' gradients of all lengths


@dataclass(frozen=True, kw_only=True)
class Truncated:
    """The gradient by the recurrent layers' weights, followed k = 1, 2, ... steps; last: all."""

    lengths: tuple[int, ...]  # steps followed; the last is the sequence's length
    norms: Float[np.ndarray, " K"]
    cosines: Float[np.ndarray, " K"]  # with the full gradient; 1 where both are zero

    @property
    def full(self) -> float:
        """The norm of the full gradient."""
        return float(self.norms[-1])


def truncations(network: Network, done: Pass, targets: Targets) -> Truncated:
    """Norm and direction of the loss's gradient by all recurrent layers, for every length."""
    steps = len(done.top)
    lengths = (*range(1, _count(network, steps)), steps)
    backs = _by_steps_taken(network, done, targets, len(lengths))
    full = _flat(network.gradients(done, targets).weights)
    sums, norms, along = np.zeros_like(full), [], []
    for k in range(len(lengths)):
        sums += _flat(_weights_of(network, done, backs, k))
        norms.append(float(np.linalg.norm(sums)))
        along.append(float(sums @ full))
    found = np.array(norms)
    bottom = found * np.linalg.norm(full)
    cosines = np.divide(along, bottom, out=np.zeros(len(bottom)), where=bottom > 0)
    return Truncated(lengths=lengths, norms=found, cosines=np.clip(cosines, -1.0, 1.0))


def _count(network: Network, steps: int) -> int:
    """How many lengths there is time and memory for."""
    blocks = sum(way.weights.recurrent_bias.size for way in network.ways)
    weights = sum(sum(part.size for part in way.weights) for way in network.ways)
    room = min(_MOST_BYTES / (8 * 3 * steps * blocks), _MOST_WORK / (steps * weights))
    return max(1, min(steps, MOST_LENGTHS, int(room)))


def _by_steps_taken(network: Network, done: Pass, targets: Targets, count: int) -> tuple[Back, ...]:
    """In place of N losses: the paths that took 0, 1, ... steps back; the last holds all others."""
    slope = by_outputs(network.readout, done.read.outputs, targets) * done.shares[:, None]
    top, _ = back(network.readout, done.read, done.top, slope)
    outer = np.zeros((len(top), count, top.shape[2]))
    outer[:, :1] = top

    def one_more(taken: Float[np.ndarray, "K H"]) -> Float[np.ndarray, "K H"]:
        moved = np.zeros_like(taken)
        moved[1:] = taken[:-1]
        moved[-1] += taken[-1]
        return moved

    return network.through_layers(done, outer, one_more)


def _weights_of(
    network: Network, done: Pass, backs: tuple[Back, ...], k: int
) -> tuple[Weights, ...]:
    found = []
    for way, steps, all_of in zip(network.ways, done.steps, backs, strict=True):
        one = Back(
            tuple(state[:, k : k + 1] for state in all_of.states),
            all_of.by_x[:, k : k + 1],
            all_of.by_recurred[:, k : k + 1],
        )
        found.append(by_weights(way.cell, steps, one, network.read_by(way, done)))
    return tuple(found)


def _flat(ways: tuple[Weights, ...]) -> Float[np.ndarray, " P"]:
    return np.concatenate([part.ravel() for way in ways for part in way])
