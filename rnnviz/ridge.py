"""Ridge regression on more rows than memory has room for. NumPy only.

scikit-learn's Ridge gives the same numbers (a test holds them together), but copies all rows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

Features = Callable[[Int[np.ndarray, " M"]], Float[np.ndarray, "M P"]]  # of some rows
_ROWS_AT_ONCE = 2048


@dataclass(frozen=True, kw_only=True)
class Ridge:
    """y = intercept + ((x - mean) / sd) w."""

    mean: Float[np.ndarray, " P"]
    sd: Float[np.ndarray, " P"]  # 1 where a feature does not vary
    weights: Float[np.ndarray, " P"]
    intercept: float

    def predict(self, x: Features, rows: Int[np.ndarray, " M"]) -> Float[np.ndarray, " M"]:
        """The prediction for some rows."""
        parts = [(part - self.mean) / self.sd @ self.weights for _, part in _portions(x, rows)]
        return np.concatenate([*parts, np.zeros(0)]) + self.intercept


def ridge_path(
    x: Features,
    rows: Int[np.ndarray, " M"],
    y: Float[np.ndarray, " N"],
    penalties: Sequence[float],
) -> tuple[Ridge, ...]:
    """One fit for each penalty of |w|^2, on features that are standardised over the rows.

    Solves (Z'Z + a I) w = Z'(y - mean y), or the equal (ZZ' + a I) v = y - mean y, w = Z'v where
    there are fewer rows than features.

    Args:
        x: gives the features of some rows.
        rows: to fit on.
        y: of all rows.
        penalties: each above 0.
    """
    mean, sd = _scale(x, rows)
    intercept = float(y[rows].mean())
    centred = y[rows] - intercept
    scaled = (((part - mean) / sd, where) for where, part in _portions(x, rows))
    wide = len(rows) < len(mean)
    if wide:
        z = np.concatenate([part for part, _ in scaled])
        gram, right = z @ z.T, centred
    else:
        gram, right = np.zeros((len(mean), len(mean))), np.zeros(len(mean))
        for part, where in scaled:
            gram += part.T @ part
            right += part.T @ centred[where]
    fits = []
    for penalty in penalties:
        solved = np.linalg.solve(gram + penalty * np.eye(len(gram)), right)
        weights = z.T @ solved if wide else solved
        fits.append(Ridge(mean=mean, sd=sd, weights=weights, intercept=intercept))
    return tuple(fits)


def _portions(
    x: Features, rows: Int[np.ndarray, " M"]
) -> Iterator[tuple[slice, Float[np.ndarray, "M P"]]]:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        where = slice(start, start + _ROWS_AT_ONCE)
        yield where, x(rows[where]).astype(np.float64)


def _scale(
    x: Features, rows: Int[np.ndarray, " M"]
) -> tuple[Float[np.ndarray, " P"], Float[np.ndarray, " P"]]:
    mean = sum(part.sum(axis=0) for _, part in _portions(x, rows)) / len(rows)
    square = sum(((part - mean) ** 2).sum(axis=0) for _, part in _portions(x, rows))
    sd = np.sqrt(square / len(rows))
    return mean, np.where(sd > 1e-8 * np.maximum(1.0, np.abs(mean)), sd, 1.0)
