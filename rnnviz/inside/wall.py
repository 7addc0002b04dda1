"""The clipping wall: a loss surface over two weights, and gradient descent on it.

The unit is that of Pascanu, Mikolov and Bengio (2013), figure 6: x_t = w sigmoid(x_{t-1}) + b, from
x_0 over 50 steps, with the loss (sigmoid(x_50) - 0.7)^2. Where the unit tips from one resting place
into another, the loss has a wall: the gradient there is so long that one step throws the descent
far away. Clipping shortens it and keeps its direction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

STEPS, TARGET, FIRST = 50, 0.7, 0.5
Slope = Callable[[Float[np.ndarray, " 2"]], Float[np.ndarray, " 2"]]


class Surface(NamedTuple):
    """A loss over two directions."""

    x: Float[np.ndarray, " X"]
    y: Float[np.ndarray, " Y"]
    loss: Float[np.ndarray, "Y X"]


@dataclass(frozen=True, kw_only=True)
class Descent:
    """A path of gradient descent."""

    points: Float[np.ndarray, "N 2"]  # the start, then after each step
    lengths: Float[np.ndarray, " M"]  # of the gradient before each step, before clipping
    clipped: int  # steps whose gradient was shortened
    fell_off: bool  # a number stopped being finite


def unit_loss(
    w: Float[np.ndarray, "*grid"], b: Float[np.ndarray, "*grid"], steps: int = STEPS
) -> Float[np.ndarray, "*grid"]:
    """The loss of the unit with these weights."""
    return (_sigmoid(_run(w, b, steps)[-1]) - TARGET) ** 2


def unit_slope(
    w: Float[np.ndarray, "*grid"], b: Float[np.ndarray, "*grid"], steps: int = STEPS
) -> tuple[Float[np.ndarray, "*grid"], Float[np.ndarray, "*grid"]]:
    """dL/dw and dL/db: one pass backward."""
    states = _run(w, b, steps)
    last = _sigmoid(states[-1])
    adjoint = 2.0 * (last - TARGET) * last * (1.0 - last)
    by_w, by_b = np.zeros_like(adjoint), np.zeros_like(adjoint)
    for before in states[-2::-1]:
        shown = _sigmoid(before)
        by_w, by_b = by_w + adjoint * shown, by_b + adjoint
        adjoint = adjoint * w * shown * (1.0 - shown)
    return by_w, by_b


def unit_surface(
    w: tuple[float, float], b: tuple[float, float], count: int = 121, steps: int = STEPS
) -> Surface:
    """The loss on a grid."""
    x, y = np.linspace(*w, count), np.linspace(*b, count)
    across, up = np.meshgrid(x, y)
    return Surface(x, y, unit_loss(across, up, steps))


def unit_gradient(point: Float[np.ndarray, " 2"]) -> Float[np.ndarray, " 2"]:
    """dL by (w, b) at one point."""
    by_w, by_b = unit_slope(point[:1], point[1:])
    return np.concatenate((by_w, by_b))


def descend(
    slope: Slope,
    start: tuple[float, float],
    *,
    rate: float,
    clip: float,
    steps: int,
) -> Descent:
    """Gradient descent on two weights.

    Args:
        clip: longer gradients are shortened to this norm; 0 where clipping is off.
    """
    points, lengths, clipped = [np.array(start, dtype=np.float64)], [], 0
    with np.errstate(over="ignore", invalid="ignore"):  # whoever falls off is told so
        for _ in range(steps):
            gradient = slope(points[-1])
            length = float(np.linalg.norm(gradient))
            if 0 < clip < length:
                gradient, clipped = gradient * (clip / length), clipped + 1
            reached = points[-1] - rate * gradient
            if not (np.isfinite(length) and np.isfinite(reached).all()):
                break
            lengths.append(length)
            points.append(reached)
    return Descent(
        points=np.array(points),
        lengths=np.array(lengths),
        clipped=clipped,
        fell_off=len(lengths) < steps,
    )


def _run(w: np.ndarray, b: np.ndarray, steps: int) -> list[np.ndarray]:
    states = [np.broadcast_to(np.float64(FIRST), np.shape(w)).copy()]
    for _ in range(steps):
        states.append(w * _sigmoid(states[-1]) + b)
    return states


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 0.5 * (1.0 + np.tanh(0.5 * z))
