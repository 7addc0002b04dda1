"""Gated recurrent units: torch's convention, and the original one."""

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
    hard_sigmoid,
    sigmoid,
    tanh,
)


class Gru(Cell):
    """The GRU of Cho et al. (2014) in the variant of torch, and of Keras with reset_after=True.

    r = sigmoid(W_r x + b_Wr + U_r h + b_Ur)
    z = sigmoid(W_z x + b_Wz + U_z h + b_Uz)
    n = tanh(W_n x + b_Wn + r * (U_n h + b_Un))
    h_t = (1 - z) * n + z * h_{t-1}

    With reset_after=False, r acts before the product, as in the paper and on the cheat sheet:
    n = tanh(W_n x + b_Wn + U_n (r * h) + b_Un). The cheat sheet's u is 1 - z: its u multiplies
    the new content. Old files of Keras have a hard sigmoid for the sigmoid of that kind.
    """

    gates = (
        Gate("r", 0.0, 1.0, "what of the past enters the new content?"),
        Gate("z", 0.0, 1.0, "how much of the past stays?"),
        Gate("n", -1.0, 1.0, "what could the state become now?"),
    )
    states = ("h",)

    def __init__(self, *, reset_after: bool, hard: bool = False) -> None:
        self.name = ("gru" if reset_after else "gru-before") + ("-hard" if hard else "")
        self.fused = "GRU" if reset_after and not hard else None
        self.resets = None if reset_after else (2, 0)
        self._gate = hard_sigmoid if hard else sigmoid

    def activate(self, x: Parts, recur: Recur, before: States, force: Force = as_it_is) -> Gates:
        """r and z first, then n, whose preactivation is the whole argument of its tanh."""
        h_r, h_z, h_n = recur(before[0])
        z_r, z_z = x[0] + h_r, x[1] + h_z
        r, z = force(0, self._gate(z_r)), force(1, self._gate(z_z))
        z_n = x[2] + (recur(r * before[0])[2] if self.resets else r * h_n)
        return Gates((z_r, z_z, z_n), (r, z, force(2, tanh(z_n))))

    def local(self, gates: Gates, recurred: Parts, before: States, after: States) -> Local:  # noqa: ARG002
        """h by n and z; by r through n, where r acts after the product."""
        r, z, n = gates.values
        slope = SLOPES[self._gate]
        by_n = (1.0 - z) * SLOPES[tanh](n)
        by_r = None if self.resets else by_n * recurred[2] * slope(r)
        return Local(
            by_gate=((by_r, (before[0] - n) * slope(z), by_n),),
            by_before=((z,),),
            shown=(),
            scaled=(None, None, None if self.resets else r),
            reset=slope(r) if self.resets else None,
        )

    def carry(self, gates: Parts, before: States) -> States:  # noqa: ARG002 - every cell has it
        """Nothing: h is the only state."""
        return ()

    def show(self, gates: Parts, before: States, carried: States) -> Float[Array, "*batch H"]:  # noqa: ARG002
        """Between the new content and the state before, in the proportion z."""
        _, z, n = gates
        return (1.0 - z) * n + z * before[0]
