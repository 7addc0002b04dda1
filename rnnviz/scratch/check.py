"""Gradients by finite differences: the loss at weights, states and scores moved a little.

    dL/dw ~ (8 (L(w + e) - L(w - e)) - (L(w + 2e) - L(w - 2e))) / 12 e

is the central difference of fourth order: its error falls with e^4, so that e can be large enough
for the losses to differ in many digits. Nothing here knows a formula of rnnviz.scratch.gradients.
NumPy only.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from rnnviz.scratch.network import NOTHING, Weights, cross_entropy

MOVE = 1e-3  # e
STENCIL = ((1, 8), (-1, -8), (2, -1), (-2, 1))  # e times, weight of the loss there
DIVISOR = 12

Values = Float[np.ndarray, "..."]


class Moved(NamedTuple):
    """What is moved: one number of an array in each of M networks side by side.

    Attributes:
        name: of the array: a field of Weights, or "z" (inside the tanh), "h" or "y".
        i: its unit or class.
        j: its column in a matrix; of "z" and "h" the step; not read for vectors.
    """

    name: str
    i: Int[np.ndarray, " M"]
    j: Int[np.ndarray, " M"]
    by: float = 0.0


def numerical(weights: Weights, words: Int[np.ndarray, " T"], label: int) -> Weights:
    """The finite difference for every weight of one network, on one phrase."""
    found = {}
    for name, array in weights.arrays().items():
        i, j = np.indices((*array.shape[1:], 1)[:2]).reshape(2, -1)
        found[name] = _differences(weights, words, label, Moved(name, i, j)).reshape(array.shape)
    return Weights(**found)


def numerical_state(
    weights: Weights, words: Int[np.ndarray, " T"], label: int, t: int, *, name: str = "h"
) -> Float[np.ndarray, " H"]:
    """The same for each unit of h_t: the loss if the rest of the phrase went on from there.

    Args:
        t: from 0, the state before the first word.
        name: "z" for what is inside the tanh of step t instead.
    """
    units = np.arange(weights.bh.shape[1])
    return _differences(weights, words, label, Moved(name, units, np.full_like(units, t)))


def numerical_scores(
    weights: Weights, words: Int[np.ndarray, " T"], label: int
) -> Float[np.ndarray, " K"]:
    """The same for each score y_k."""
    classes = np.arange(weights.by.shape[1])
    return _differences(weights, words, label, Moved("y", classes, classes))


def relative_error(shown: Values, differences: Values) -> float:
    """The largest disagreement, as a share of the largest value of either; 0 where all are 0."""
    size = max(np.abs(shown).max(initial=0.0), np.abs(differences).max(initial=0.0))
    return float(np.abs(shown - differences).max(initial=0.0) / size) if size else 0.0


def _differences(
    weights: Weights, words: Int[np.ndarray, " T"], label: int, moved: Moved
) -> Float[np.ndarray, " M"]:
    read = words[words != NOTHING]
    total = np.zeros(len(moved.i))
    for times, factor in STENCIL:
        total += factor * _losses(weights, read, label, moved._replace(by=times * MOVE))
    return total / (DIVISOR * MOVE)


def _losses(
    weights: Weights, words: Int[np.ndarray, " T"], label: int, moved: Moved
) -> Float[np.ndarray, " M"]:
    """The forward pass of M networks that differ in one number each.

    They share their matrix products; what the moved number adds to one is put on top.
    """
    name, i, j, move = moved
    m = np.arange(len(i))
    Wxh, Whh, Why, bh, by = (array[0] for array in weights.arrays().values())
    h = np.zeros((len(bh), len(m)))
    if name == "h":
        h[i, m] += move * (j == 0)
    for t, word in enumerate(words, 1):
        z = Whh @ h + (Wxh[:, word] + bh)[:, None]
        if name == "Whh":
            z[i, m] += move * h[j, m]
        elif name == "Wxh":
            z[i, m] += move * (j == word)
        elif name == "bh":
            z[i, m] += move
        elif name == "z":
            z[i, m] += move * (j == t)
        h = np.tanh(z)
        if name == "h":
            h[i, m] += move * (j == t)
    y = Why @ h + by[:, None]
    if name == "Why":
        y[i, m] += move * h[j, m]
    elif name in ("by", "y"):
        y[i, m] += move
    return cross_entropy(y.T, np.full(len(m), label))
