"""One network on one phrase, and the words for its numbers. Pure: no pages, no files, no torch.

Steps count from 1 to n, units from 1; h_0 is 0. Of each array one number is shown, that of a
chosen step, unit and unit before.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from rnnviz.scratch.gradients import Gradients, backward
from rnnviz.scratch.network import Forward, Weights, forward

TERMS = 3  # of a long sum that are written out
Vector = Float[np.ndarray, " H"]


class Place(NamedTuple):
    """Which number of each array is shown; units count from 0."""

    t: int  # 1, ..., n
    i: int  # unit
    j: int  # unit of the state before


@dataclass(frozen=True, kw_only=True)
class Passed:
    """One network on one phrase, forward and back."""

    weights: Weights
    words: Int[np.ndarray, " T"]
    label: int
    forward: Forward
    back: Gradients
    backprop: str

    @property
    def steps(self) -> int:
        """Words of the phrase."""
        return len(self.words)

    @property
    def h(self) -> Float[np.ndarray, "S H"]:
        """h_0, ..., h_n."""
        return self.forward.h[0, 0]

    @property
    def dh(self) -> Float[np.ndarray, "S H"]:
        """dL/dh_0, ..., dL/dh_n."""
        return self.back.h[0, 0]

    def temp(self, t: int) -> Vector:
        """Of step t = 1, ..., n."""
        return self.back.temp[0, 0, t - 1]


@dataclass(frozen=True, kw_only=True)
class Formula:
    """One number of one gradient.

    Attributes:
        latex: the formula of the whole array.
        shapes: of its parts, and of what comes out.
        number: the name of the one that is shown.
        worked: how it comes about, as plain text.
        value: what the formula gives.
        source: a key of rnnviz.scratch.formulas.SOURCES; "" where nothing is to be proved.
        marked: whether this is where the transpose matters.
    """

    latex: str
    shapes: str
    number: str
    worked: str
    value: float
    source: str = ""
    marked: bool = False


def passed(weights: Weights, words: Int[np.ndarray, " T"], label: int, backprop: str) -> Passed:
    """One network reads a phrase (without NOTHING) and goes back."""
    through = forward(weights, words[None, None])
    back = backward(weights, through, np.array([[label]]), (backprop,))
    return Passed(
        weights=weights, words=words, label=label, forward=through, back=back, backprop=backprop
    )


def short(value: float) -> str:
    """Three significant digits, a true minus sign, brackets around what is negative."""
    text = f"{value:.3g}".replace("-", "−")
    return f"({text})" if value < 0 else text


def sub(number: int) -> str:
    """A number as unicode subscript."""
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def products(row: Vector, vector: Vector) -> str:
    """A sum of products: the largest ones, and what all others add up to."""
    each = row * vector
    order = np.argsort(-np.abs(each), kind="stable")
    shown = " + ".join(f"{short(row[k])} · {short(vector[k])}" for k in order[:TERMS])
    rest = order[TERMS:]
    return f"{shown} + {short(each[rest].sum())} (the other {len(rest)})" if rest.size else shown
