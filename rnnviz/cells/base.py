"""What a recurrent cell is: gates from projections, the next state from gates.

Cells are written once, for any array library of the array API standard: the same lines train in
torch, replay in NumPy, and serve one step as well as all steps at once. No torch, no weights.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from jaxtyping import Float

Array = Any  # an array of NumPy or torch; all arrays of a call are of one library

Parts = tuple[Float[Array, "*batch H"], ...]  # one array per gate, in the order of Cell.gates
States = tuple[Float[Array, "*batch H"], ...]  # in the order of Cell.states; the first is h
Recur = Callable[[Float[Array, "*batch H"]], Parts]  # s -> U_k s + b_k for every gate k
Force = Callable[[int, Float[Array, "*batch H"]], Float[Array, "*batch H"]]  # gate k, its values
Slopes = tuple[Float[Array, "*batch H"] | None, ...]  # None is zero everywhere


def as_it_is(gate: int, values: Array) -> Array:  # noqa: ARG001 - a Force
    """The force that changes nothing."""
    return values


class Gate(NamedTuple):
    """A gate's symbol, the range that its squash allows, and the question it answers."""

    symbol: str
    low: float
    high: float
    question: str = ""


class Gates(NamedTuple):
    """What the gates are before and after their squash."""

    preactivations: Parts
    values: Parts


class Local(NamedTuple):
    """The derivatives of one step, each unit by itself; what a state is carried to counts apart.

    Attributes:
        by_gate: of each state by each gate's preactivation, other states of the step held.
        by_before: of each state by each state before, other than through U.
        shown: of h by each carried state of the same step.
        scaled: of each preactivation by its own U s + b_U; None is one everywhere.
        reset: of the gate that scales what U reads, by its preactivation; None where none does.
    """

    by_gate: tuple[Slopes, ...]
    by_before: tuple[Slopes, ...]
    shown: Parts
    scaled: Slopes
    reset: Float[Array, "*batch H"] | None = None


class Cell(ABC):
    """A recurrent cell. Weights follow torch: row blocks in the order of `gates`.

    Attributes:
        name: its key in CELLS.
        gates: symbols and ranges, in torch's row order.
        states: "h" first, then what else the cell carries on.
        fused: the torch.nn class that computes the same faster, None where there is none.
        nonlinearity: that class's option of the same name, "" where it has none.
        resets: (k, j) where U_k reads gate j times h instead of h; None where all read h.
    """

    name: str
    gates: tuple[Gate, ...]
    states: tuple[str, ...]
    fused: str | None = None
    nonlinearity: str = ""
    resets: tuple[int, int] | None = None

    @abstractmethod
    def activate(self, x: Parts, recur: Recur, before: States, force: Force = as_it_is) -> Gates:
        """The gates of a step (or of all steps) from W x + b_W, U and the states before.

        Args:
            force: what each gate's value is replaced by, before anything reads it.
        """

    @abstractmethod
    def carry(self, gates: Parts, before: States) -> States:
        """All states after a step but h, from the gates' values and the states before."""

    @abstractmethod
    def show(self, gates: Parts, before: States, carried: States) -> Float[Array, "*batch H"]:
        """h after a step, from the gates' values, the states before, and what carry gave."""

    @abstractmethod
    def local(self, gates: Gates, recurred: Parts, before: States, after: States) -> Local:
        """The derivatives of a step (or of all steps), in closed form.

        Args:
            recurred: U_k s + b_k of every gate, as activate had it.
        """

    def advance(self, gates: Parts, before: States) -> States:
        """The states after a step, from the gates' values and the states before."""
        carried = self.carry(gates, before)
        return (self.show(gates, before, carried), *carried)


def sigmoid(z: Array) -> Array:
    """1 / (1 + exp(-z)), by way of tanh: finite, and with a finite gradient, for every z."""
    return 0.5 * (1.0 + array_namespace(z).tanh(0.5 * z))


def tanh(z: Array) -> Array:
    """The hyperbolic tangent."""
    if isinstance(z, np.ndarray):
        return np.tanh(z)  # looking up its namespace takes longer than a small array's tanh
    return array_namespace(z).tanh(z)


def relu(z: Array) -> Array:
    """max(z, 0), with slope 0 at 0 as torch has it."""
    xp = array_namespace(z)
    return xp.where(z > 0, z, xp.zeros_like(z))


def hard_sigmoid(z: Array) -> Array:
    """clip(z / 6 + 1/2, 0, 1), as in Keras 3 (Keras 2 has clip(z / 5 + 1/2, 0, 1))."""
    return array_namespace(z).clip(z / 6.0 + 0.5, min=0, max=1)


def hard_sigmoid_of_keras_2(z: Array) -> Array:
    """clip(z / 5 + 1/2, 0, 1), as Keras 1 and 2 have it."""
    return array_namespace(z).clip(z / 5.0 + 0.5, min=0, max=1)


SLOPES: Mapping[Callable[[Array], Array], Callable[[Array], Array]] = {
    # of each squash, by what it gives; at a kink the side on which torch takes it
    sigmoid: lambda value: value * (1.0 - value),
    tanh: lambda value: 1.0 - value * value,
    relu: lambda value: (value > 0) * 1.0,
    hard_sigmoid: lambda value: ((value > 0) & (value < 1)) / 6.0,
    hard_sigmoid_of_keras_2: lambda value: ((value > 0) & (value < 1)) / 5.0,
}


def split_gates(projected: Float[Array, "*batch GH"], gates: int) -> Parts:
    """Blocks of the last axis, one per gate."""
    size = projected.shape[-1] // gates
    return tuple(projected[..., k * size : (k + 1) * size] for k in range(gates))


def recur_with(
    weights: Float[np.ndarray, "G H H"], bias: Float[np.ndarray, "G H"]
) -> Callable[[Float[np.ndarray, "*batch H"]], Parts]:
    """s -> U_k s + b_k in NumPy, for replaying a cell outside of torch."""
    gates, size, _ = weights.shape
    flat, all_bias = weights.reshape(gates * size, size).T, bias.reshape(-1)

    def recur(state: Float[np.ndarray, "*batch H"]) -> Parts:
        projected = state @ flat
        projected += all_bias
        return split_gates(projected, gates)

    return recur
