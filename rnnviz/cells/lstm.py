"""Long short-term memory, with tanh or ReLU and with sigmoid or hard sigmoid, as Keras allows."""

from collections.abc import Callable, Mapping

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
    hard_sigmoid_of_keras_2,
    relu,
    sigmoid,
    tanh,
)


class Lstm(Cell):
    """The LSTM of Hochreiter and Schmidhuber (1997) with the forget gate of Gers et al. (2000).

    i = sigmoid(W_i x + b_Wi + U_i h + b_Ui)
    f = sigmoid(W_f x + b_Wf + U_f h + b_Uf)
    g = tanh(W_g x + b_Wg + U_g h + b_Ug)
    o = sigmoid(W_o x + b_Wo + U_o h + b_Uo)
    c_t = f * c_{t-1} + i * g
    h_t = o * tanh(c_t)

    With content "relu", ReLU stands for both tanh, and with gate "hard sigmoid" that one for the
    sigmoid, as in Keras' LSTM(activation="relu", recurrent_activation="hard_sigmoid"); with gate
    "hard sigmoid of Keras 2" its older one, whose slope is 1/5 and not 1/6.
    """

    states = ("h", "c")

    def __init__(self, content: str = "tanh", gate: str = "sigmoid") -> None:
        self.name = NAMES[content, gate]
        self.fused = "LSTM" if self.name == "lstm" else None
        low, high = (-1.0, 1.0) if content == "tanh" else (0.0, float("inf"))
        self.gates = (
            Gate("i", 0.0, 1.0, "is this input worth keeping?"),
            Gate("f", 0.0, 1.0, "is the memory still worth keeping?"),
            Gate("g", low, high, "what could be remembered now?"),
            Gate("o", 0.0, 1.0, "how much of the memory shows now?"),
        )
        self._gate = SQUASHES[gate]
        self._content = tanh if content == "tanh" else relu

    def activate(self, x: Parts, recur: Recur, before: States, force: Force = as_it_is) -> Gates:
        """i, f and o by the gate's squash, g by the content's."""
        z = tuple(a + b for a, b in zip(x, recur(before[0]), strict=True))
        squashes = (self._gate, self._gate, self._content, self._gate)
        values = (
            force(k, squash(a)) for k, (squash, a) in enumerate(zip(squashes, z, strict=True))
        )
        return Gates(z, tuple(values))

    def local(self, gates: Gates, recurred: Parts, before: States, after: States) -> Local:  # noqa: ARG002
        """c by i, f, g and the memory before; h by o and by c."""
        i, f, g, o = gates.values
        slope, content = SLOPES[self._gate], SLOPES[self._content]
        memory = self._content(after[1])
        return Local(
            by_gate=(
                (None, None, None, memory * slope(o)),
                (g * slope(i), before[1] * slope(f), i * content(g), None),
            ),
            by_before=((None, None), (None, f)),
            shown=(o * content(memory),),
            scaled=(None,) * 4,
        )

    def carry(self, gates: Parts, before: States) -> States:
        """The memory: what stays of it, and what is new."""
        i, f, g, _ = gates
        return (f * before[1] + i * g,)

    def show(self, gates: Parts, before: States, carried: States) -> Float[Array, "*batch H"]:  # noqa: ARG002
        """What of the memory the output gate lets through."""
        return gates[3] * self._content(carried[0])


SQUASHES: Mapping[str, Callable[[Array], Array]] = {
    "sigmoid": sigmoid,
    "hard sigmoid": hard_sigmoid,
    "hard sigmoid of Keras 2": hard_sigmoid_of_keras_2,
}
NAMES = {
    ("tanh", "sigmoid"): "lstm",
    ("relu", "hard sigmoid"): "lstm-relu",
    ("relu", "sigmoid"): "lstm-relu-sigmoid",
    ("tanh", "hard sigmoid"): "lstm-hard",
    ("relu", "hard sigmoid of Keras 2"): "lstm-relu-keras-2",  # for the study alone, not in CELLS
}
