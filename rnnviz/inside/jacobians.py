"""How much of a state is left of an earlier one: step Jacobians, their product, and its bounds.

The whole state of one direction of one layer is s_t = (h_t, c_t). J_t = ds_t / ds_{t-1} is written
down in closed form from the cell's local derivatives. The product J_t ... J_{t-d+1} says how a
nudge d steps back arrives; its norm is at most the product of the steps' norms, and for the plain
RNN at most (|U| times the largest slope of the squash)^d: Pascanu, Mikolov and Bengio (2013), and
the cs224d notes. Norms are spectral, as log10: they pass what a float can hold.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rnnviz.cells import Cell
from rnnviz.inside.steps import Replay, Slope, Weights, slopes

_MOST_WORK = 4e10  # multiplications: about two seconds
_BLOCK_BYTES = 32e6  # of step Jacobians that are held at once


@dataclass(frozen=True, kw_only=True)
class Products:
    """What is left of the states d = 0, 1, ... steps before one step; all as log10."""

    norm: Float[np.ndarray, " D"]  # of the product of the Jacobians
    bound: Float[np.ndarray, " D"]  # the product of their norms
    slope_bound: Float[np.ndarray, " D"] | None  # d log10(|U| largest slope); plain RNN only
    kept: Float[np.ndarray, "D H"] | None  # of each unit the product of f (of z in a GRU)
    kept_gate: str  # "f", "z", or ""
    unreached: int  # earlier steps that were not followed, as the network is large


def step_jacobians(
    cell: Cell, weights: Weights, steps: Replay, first: int, last: int
) -> Float[np.ndarray, "D SH SH"]:
    """ds_t / ds_{t-1} of the steps first ... last - 1 of a batch of one."""
    some = _cut(steps, first, last)
    return _jacobians(cell, weights, some, slopes(cell, weights, some))


def _cut(steps: Replay, first: int, last: int) -> Replay:
    here = slice(first, last)
    return Replay(steps.x[here], *(tuple(p[here] for p in parts) for parts in steps[1:]))


def _jacobians(
    cell: Cell, weights: Weights, steps: Replay, local: Slope
) -> Float[np.ndarray, "D SH SH"]:
    count, _, size = steps.states[0].shape
    states, gates = len(cell.states), len(cell.gates)
    by_h = np.stack([_by_h(cell, weights, steps, local, k) for k in range(gates)], axis=1)
    found = np.zeros((count, states, size, states, size))
    unit = np.arange(size)
    for s in range(states):
        for k in range(gates):
            found[:, s, :, 0] += local.by_gate[:, s, 0, k, :, None] * by_h[:, k]
        for r in range(states):
            found[:, s, unit, r, unit] += local.by_before[:, s, r, 0]
    for s, shown in enumerate(local.shown, start=1):
        found[:, 0] += shown[:, 0, :, None, None] * found[:, s]
    return found.reshape(count, states * size, states * size)


def _by_h(
    cell: Cell, weights: Weights, steps: Replay, local: Slope, k: int
) -> Float[np.ndarray, "D H H"]:
    """Of gate k's preactivation by the h before."""
    U = weights.recurrent
    if cell.resets is not None and cell.resets[0] == k:
        j = cell.resets[1]
        assert local.reset is not None
        gate = np.eye(len(U[k])) * steps.gates[j][:, 0, None]
        through = (steps.before[0] * local.reset)[:, 0, :, None] * U[j]
        return U[k] @ (gate + through)
    if local.scaled is None:
        return np.broadcast_to(U[k], (len(steps.x), *U[k].shape))
    return local.scaled[:, 0, k, :, None] * U[k]


def products(cell: Cell, weights: Weights, steps: Replay, t: int) -> Products:
    """From step t (in reading order, from 0) back, a distance of 0 first."""
    size = weights.recurrent.shape[1] * len(cell.states)
    reach = min(t, max(8, int(_MOST_WORK / (30 * size**3))))
    block = max(1, int(_BLOCK_BYTES / (8 * size * size)))
    product, scale = np.eye(size), 0.0
    norms, singles = [0.0], [0.0]
    for last in range(t + 1, t + 1 - reach, -block):
        first = max(last - block, t + 1 - reach)
        found = step_jacobians(cell, weights, steps, first, last)
        singles.extend(_log_norms(found)[::-1])
        for one in found[::-1]:
            product = product @ one
            length = float(np.abs(product).max())
            if length > 0:
                product, scale = product / length, scale + float(np.log10(length))
            norms.append(scale + float(_log_norms(product[None])[0]))
    kept_gate, kept = _kept(cell, steps, t, reach)
    return Products(
        norm=np.array(norms),
        bound=np.cumsum(singles),
        slope_bound=_slope_bound(cell, weights, steps, t, reach),
        kept=kept,
        kept_gate=kept_gate,
        unreached=t - reach,
    )


def _log_norms(matrices: Float[np.ndarray, "D N N"]) -> Float[np.ndarray, " D"]:
    """log10 of the largest singular value; -inf of nothing, inf where a matrix is not finite."""
    most = np.abs(matrices).max(axis=(1, 2))
    there = (most > 0) & np.isfinite(most)
    scaled = matrices[there] / most[there, None, None]
    found = np.where(np.isfinite(most), -np.inf, np.inf)
    squares = scaled.swapaxes(1, 2) @ scaled  # half the time of singular values
    found[there] = 0.5 * np.log10(np.linalg.eigvalsh(squares)[:, -1]) + np.log10(most[there])
    return found


def _slope_bound(
    cell: Cell, weights: Weights, steps: Replay, t: int, reach: int
) -> Float[np.ndarray, " D"] | None:
    if len(cell.gates) > 1:
        return None
    local = slopes(cell, weights, _cut(steps, t + 1 - reach, t + 1))
    largest = float(local.by_gate.max(initial=0.0))
    norm = float(np.linalg.norm(weights.recurrent[0], 2))
    with np.errstate(divide="ignore"):
        each = np.log10(norm * largest)
    return np.concatenate(([0.0], np.full(reach, each).cumsum()))


KEEPING = ("f", "z")  # gates that a state is multiplied by on its straight way to itself


def _kept(
    cell: Cell, steps: Replay, t: int, reach: int
) -> tuple[str, Float[np.ndarray, "D H"] | None]:
    """The product of such a gate over the steps, unit by unit."""
    for k, gate in enumerate(cell.gates):
        if gate.symbol in KEEPING:
            values = steps.gates[k][t + 1 - reach : t + 1, 0][::-1]
            with np.errstate(divide="ignore"):
                logs = np.log10(values)
            return gate.symbol, np.vstack((np.zeros(logs.shape[1]), logs.cumsum(axis=0)))
    return "", None
