"""A network that reads one token at a time and says what may follow; its state goes on. NumPy.

A stream never runs again over what it has read: each token costs one step of every layer. What it
is after some tokens can be kept as a mark, from which other streams go on. A token is one-hot, so
W x is a column of W that is looked up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from jaxtyping import Float

from rnnviz.cells import Parts, recur_with, split_gates
from rnnviz.errors import TraceError
from rnnviz.inside.network import Network, Way
from rnnviz.inside.readout import SQUASHES, softmax
from rnnviz.trace import ReadoutTrace

_ROOM = 256  # steps that a stream with attention makes room for at once

States = tuple[
    tuple[Float[np.ndarray, " H"], ...], ...
]  # of each layer: h and what else it carries


class Mark(NamedTuple):
    """What a stream is after some tokens; nobody writes into it."""

    seen: int  # tokens
    states: States
    tops: Float[np.ndarray, "seen D"] | None  # what attention looks back on, None without it
    keys: Float[np.ndarray, "seen D"] | None  # what additive attention made of these


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """A language model, ready to read token by token."""

    network: Network
    recurs: tuple[Callable[[Float[np.ndarray, " H"]], Parts], ...]  # of each layer: U s + b_U

    @classmethod
    def of(cls, network: Network) -> Self:
        """The same network, ready to speak.

        Raises:
            TraceError: it does not say at each step which token comes next.
        """
        readout = network.readout
        if not network.causal:
            raise TraceError(
                "this network does not say what comes next at each step, or it reads in both "
                "directions; train one on a text to let it speak"
            )
        if not readout.probabilities or len(readout.dense[-1].bias) != _vocabulary(network):
            raise TraceError(
                "this network does not predict the tokens that it reads; train one on a text, "
                "where the next token is predicted, to let it speak"
            )
        recurs = tuple(
            recur_with(way.weights.recurrent, way.weights.recurrent_bias) for way in network.ways
        )
        return cls(network=network, recurs=recurs)

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return _vocabulary(self.network)

    def begin(self, mark: Mark | None = None) -> "Stream":
        """A stream that has read nothing yet, or what was read up to a mark."""
        return Stream(self, mark or self._start())

    def _start(self) -> Mark:
        states = tuple(
            tuple(np.zeros(way.weights.recurrent.shape[1]) for _ in way.cell.states)
            for way in self.network.ways
        )
        kind, width = self.network.readout.attention, len(states[-1][0])
        none = np.zeros((0, width))
        return Mark(
            seen=0,
            states=states,
            tops=None if kind == "none" else none,
            keys=none if kind == "additive" else None,
        )


class Stream:
    """Tokens being read, one after the other.

    It changes with each token: a network of a few hundred steps a page would copy what it has seen
    for attention at each of them.
    """

    def __init__(self, speaker: Speaker, mark: Mark) -> None:
        self._speaker, self._states, self.seen = speaker, mark.states, mark.seen
        self._tops, self._keys = _with_room(mark.tops), _with_room(mark.keys)
        self._covariates = np.zeros(speaker.network.readout.covariates.shape[1])

    def read(self, token: int | None) -> Float[np.ndarray, " V"]:
        """Read one token; what the head then says of the next one, before the softmax.

        Args:
            token: None is a step without an input: only the biases are left of W x + b.
        """
        below: np.ndarray | None = None
        after = []
        ways, recurs = self._speaker.network.ways, self._speaker.recurs
        for way, recur, before in zip(ways, recurs, self._states, strict=True):
            x = heard(way, token) if below is None else projected(way, below)
            found = way.cell.activate(split_gates(x, len(way.cell.gates)), recur, before)
            states = way.cell.advance(found.values, before)
            after.append(states)
            below = states[0]
        assert below is not None
        self._states = tuple(after)
        self.seen += 1
        return self._said(below)

    def mark(self) -> Mark:
        """What it is now; what is read later does not change it."""
        seen = self.seen
        tops, keys = (None if kept is None else kept[:seen] for kept in (self._tops, self._keys))
        return Mark(seen=seen, states=self._states, tops=tops, keys=keys)

    def _said(self, h: Float[np.ndarray, " H"]) -> Float[np.ndarray, " V"]:
        readout = self._speaker.network.readout
        parts = [h]
        if self._tops is not None:
            parts.append(self._context(readout, h))
        parts.append(self._covariates)
        says = np.concatenate(parts)
        for dense in readout.dense:
            says = SQUASHES[dense.activation].of(dense.weights @ says + dense.bias)
        return says

    def _context(
        self, readout: ReadoutTrace, h: Float[np.ndarray, " H"]
    ) -> Float[np.ndarray, " H"]:
        """The weighted sum of all states seen, this one included."""
        assert self._tops is not None
        if self.seen > len(self._tops):
            self._tops, self._keys = _with_room(self._tops), _with_room(self._keys)
        assert self._tops is not None
        self._tops[self.seen - 1] = h
        tops = self._tops[: self.seen]
        if readout.attention == "dot":
            scores = tops @ h
        elif readout.attention == "general":
            assert readout.keys is not None
            scores = tops @ (h @ readout.keys)  # the same as (W h_t) . s, without W for every t
        else:
            assert readout.keys is not None
            assert readout.queries is not None
            assert readout.score is not None
            assert self._keys is not None
            self._keys[self.seen - 1] = readout.keys @ h
            scores = np.tanh(readout.queries @ h + self._keys[: self.seen]) @ readout.score
        return softmax(scores) @ tops


def heard(way: Way, token: int | None) -> Float[np.ndarray, " GH"]:
    """W x + b_W of a token: the column of W that its one-hot vector picks."""
    if token is None:
        return way.weights.input_bias.reshape(-1)
    return (way.weights.input[:, :, token] + way.weights.input_bias).reshape(-1)


def projected(way: Way, x: Float[np.ndarray, "*batch I"]) -> Float[np.ndarray, "*batch GH"]:
    """W x + b_W of what a layer below says."""
    gates, size, inputs = way.weights.input.shape
    flat = way.weights.input.reshape(gates * size, inputs)
    return x @ flat.T + way.weights.input_bias.reshape(-1)


def _vocabulary(network: Network) -> int:
    return network.ways[0].weights.input.shape[2]


def _with_room(kept: Float[np.ndarray, "seen D"] | None) -> Float[np.ndarray, "room D"] | None:
    """A copy with rows to spare, so that no other stream's numbers are written over."""
    if kept is None:
        return None
    return np.concatenate([kept, np.empty((max(_ROOM, len(kept)), kept.shape[1]))])
