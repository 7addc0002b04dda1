"""The plain recurrent cell of Elman (1990), with tanh or ReLU."""

from jaxtyping import Float

from rnnviz.cells.base import (
    SLOPES,
    Array,
    Cell,
    Force,
    Gate,
    Gates,
    Local,
    Parts,
    Recur,
    States,
    as_it_is,
    relu,
    tanh,
)


class Rnn(Cell):
    """h_t = squash(W x_t + b_W + U h_{t-1} + b_U); its one gate a is the new state itself."""

    states = ("h",)
    fused = "RNN"

    def __init__(self, nonlinearity: str) -> None:
        self.nonlinearity = nonlinearity
        self.name = "rnn" if nonlinearity == "tanh" else "rnn-relu"
        low, high = (-1.0, 1.0) if nonlinearity == "tanh" else (0.0, _INF)
        self.gates = (Gate("a", low, high, "what do input and past add up to?"),)
        self._squash = tanh if nonlinearity == "tanh" else relu

    def activate(self, x: Parts, recur: Recur, before: States, force: Force = as_it_is) -> Gates:
        """The squashed sum of both projections."""
        z = x[0] + recur(before[0])[0]
        return Gates((z,), (force(0, self._squash(z)),))

    def local(self, gates: Gates, recurred: Parts, before: States, after: States) -> Local:  # noqa: ARG002
        """The slope of the squash."""
        slope = SLOPES[self._squash](gates.values[0])
        return Local(((slope,),), ((None,),), shown=(), scaled=(None,))

    def carry(self, gates: Parts, before: States) -> States:  # noqa: ARG002 - every cell has it
        """Nothing: h is the only state."""
        return ()

    def show(self, gates: Parts, before: States, carried: States) -> Float[Array, "*batch H"]:  # noqa: ARG002
        """The state is the gate."""
        return gates[0]


_INF = float("inf")
