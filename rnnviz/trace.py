"""What a model did on a few sequences, as arrays. NumPy only: no torch, no files, no clock.

Axes: B sequence of the trace, T time step, F input feature, G gate, S state, H unit, Q query step,
K output. A direction of a layer is a LayerTrace of its own.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from rnnviz.errors import TraceError


@dataclass(frozen=True, kw_only=True)
class LayerTrace:
    """One direction of one recurrent layer, on real time for both directions."""

    cell: str  # key of CELLS
    layer: int  # 0 is the layer that reads the inputs
    reverse: bool  # reads from the end: the state after step t has seen the steps t..T
    gate_names: tuple[str, ...]
    state_names: tuple[str, ...]  # the first is h, the layer's output
    inputs: Float[np.ndarray, "B T I"]  # what the layer read: the inputs, or the layer below
    gates: Float[np.ndarray, "B T G H"]  # squashed: the values that moved the state
    preactivations: Float[np.ndarray, "B T G H"]  # before the squash
    states: Float[np.ndarray, "B T S H"]  # after step t
    state_grads: Float[np.ndarray, "B T S H"] | None  # dL/dh_t, dL/dc_t: all paths from there on
    input_weights: Float[np.ndarray, "G H I"]
    recurrent_weights: Float[np.ndarray, "G H H"]
    input_bias: Float[np.ndarray, "G H"]
    recurrent_bias: Float[np.ndarray, "G H"]
    # W itself where tokens are embedded: then input_weights are W E, and inputs one-hot
    embedded_weights: Float[np.ndarray, "G H D"] | None = None

    @property
    def title(self) -> str:
        """Such as 'layer 1, backward'."""
        return f"layer {self.layer + 1}" + (", backward" if self.reverse else "")

    def gate(self, name: str) -> Float[np.ndarray, "B T H"]:
        """The values of one gate.

        Raises:
            TraceError: the cell has no such gate.
        """
        return self.gates[:, :, _index(name, self.gate_names, "gate")]

    def state(self, name: str) -> Float[np.ndarray, "B T H"]:
        """The values of one state after every step.

        Raises:
            TraceError: the cell has no such state.
        """
        return self.states[:, :, _index(name, self.state_names, "state")]

    def state_before(self, name: str) -> Float[np.ndarray, "B T H"]:
        """The state each step started from: zero at the first step that is read."""
        after = self.state(name)
        before = np.zeros_like(after)
        if self.reverse:
            before[:, :-1] = after[:, 1:]  # steps beyond a sequence's length hold zeros
        else:
            before[:, 1:] = after[:, :-1]
        return before


@dataclass(frozen=True, kw_only=True)
class DenseTrace:
    """One dense layer: squash(W x + b)."""

    weights: Float[np.ndarray, "K D"]
    bias: Float[np.ndarray, " K"]
    activation: str  # one of rnnviz.config.ACTIVATIONS


@dataclass(frozen=True, kw_only=True)
class ReadoutTrace:
    """How outputs follow from the top layer's states: attention, covariates, dense layers, head."""

    attention: str  # one of rnnviz.config.ATTENTIONS
    keys: Float[np.ndarray, "D D"] | None  # general and additive attention
    queries: Float[np.ndarray, "D D"] | None  # additive attention
    score: Float[np.ndarray, " D"] | None  # likewise
    covariates: Float[np.ndarray, "B C"]  # as the network saw them; none where it did not
    dense: tuple[DenseTrace, ...]  # the last is the head
    every_step: bool  # outputs at each step, attention over the steps up to it
    probabilities: bool  # outputs pass a softmax; else they are scaled numbers
    mean: Float[np.ndarray, " K"]  # of the target: number = scaled * sd + mean, 0 and 1 else
    sd: Float[np.ndarray, " K"]


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """How the inputs follow from the data set's: (x - mean) / sd."""

    mean: Float[np.ndarray, " F"]
    sd: Float[np.ndarray, " F"]


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A model's forward and backward pass over a few sequences, at one moment of training."""

    epoch: int
    step: int  # optimiser steps taken before
    sequences: Int[np.ndarray, " B"]  # rows of the dataset
    lengths: Int[np.ndarray, " B"]
    inputs: Float[np.ndarray, "B T F"]  # as the network saw them: scaled, or one-hot tokens
    outputs: Float[np.ndarray, "B Q K"]  # target's unit; for classes and tokens: probabilities
    targets: Float[np.ndarray, "B Q K"] | Int[np.ndarray, "B Q"]
    loss: Float[np.ndarray, " B"]  # the loss that was minimised, of each sequence
    layers: tuple[LayerTrace, ...]
    scores: Float[np.ndarray, "B Q T"] | None  # attention before the softmax; -inf is masked
    attention: Float[np.ndarray, "B Q T"] | None  # after the softmax: rows sum to 1
    counted: Bool[np.ndarray, "B Q"] | None = None  # outputs that a target is for; None: all are
    readout: ReadoutTrace | None = None  # None in what earlier versions kept
    scaling: Scaling | None = None  # of the inputs; None: they are the data set's own, or tokens
    embedding: Float[np.ndarray, "V D"] | None = None  # a token's row is what stands for it

    def layer(self, layer: int, *, reverse: bool = False) -> LayerTrace:
        """One direction of one layer.

        Raises:
            TraceError: the network has no such layer.
        """
        for candidate in self.layers:
            if (candidate.layer, candidate.reverse) == (layer, reverse):
                return candidate
        raise TraceError(f"the trace has no layer {layer + 1}{', backward' if reverse else ''}")

    @property
    def top(self) -> tuple[LayerTrace, ...]:
        """The directions of the last layer, forward first."""
        last = max(layer.layer for layer in self.layers)
        return tuple(layer for layer in self.layers if layer.layer == last)


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What a model predicts for many test sequences, and where its attention lies on each."""

    sequences: Int[np.ndarray, " N"]  # rows of the dataset
    targets: Float[np.ndarray, " N"]  # target's unit, or the class
    predictions: Float[np.ndarray, " N"]
    attention: Float[np.ndarray, "N T"] | None  # many-to-one models only
    # of every class; None where numbers are predicted, and in what earlier versions kept
    probabilities: Float[np.ndarray, "N K"] | None = None


def telling_step(layer: LayerTrace, *, sequence: int, length: int) -> int:
    """The step at which a layer's state h changes most: there something happens.

    The length of h_t - h_(t-1) over all units says how much. The step that is read first does not
    count, as all of its state is new; of equal ones the earliest is taken.

    Args:
        layer: the direction of the layer.
        sequence: of the trace.
        length: steps of that sequence.
    """
    if length < 2:
        return 0
    h = layer.state_names[0]
    after, before = (state[sequence, :length] for state in (layer.state(h), layer.state_before(h)))
    change = np.square(after.astype(np.float64) - before).sum(axis=1)
    change[-1 if layer.reverse else 0] = -1.0
    return int(change.argmax())


def _index(name: str, names: tuple[str, ...], kind: str) -> int:
    if name not in names:
        raise TraceError(f"there is no {kind} {name!r}; choose one of {', '.join(names)}")
    return names.index(name)
