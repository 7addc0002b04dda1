"""The network of a trace, run on one sequence and differentiated in closed form. NumPy, float64."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float, Int

from rnnviz.cells import CELLS, Cell
from rnnviz.errors import TraceError
from rnnviz.inside.readout import Read, asking, back, by_outputs, losses, read, softmax
from rnnviz.inside.steps import (
    Back,
    Between,
    Hands,
    Replay,
    Weights,
    backward,
    by_input,
    by_weights,
    run,
)
from rnnviz.trace import DenseTrace, ReadoutTrace, Trace

Targets = Float[np.ndarray, "Q K"] | Int[np.ndarray, " Q"]


@dataclass(frozen=True, kw_only=True)
class Way:
    """One direction of one layer."""

    cell: Cell
    layer: int
    reverse: bool
    weights: Weights


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """What the first layer's input weights W E are made of; also what a loss gives by that."""

    table: Float[np.ndarray, "V D"]  # E: a token's row is what stands for it
    weights: tuple[Float[np.ndarray, "G H D"], ...]  # W of each way of the first layer

    @classmethod
    def of(cls, trace: Trace) -> Self | None:
        """Of a trace, float64; None where its network has no embedding."""
        if trace.embedding is None:
            return None
        weights = [layer.embedded_weights for layer in trace.layers]
        return cls(
            table=trace.embedding.astype(np.float64),
            weights=tuple(own.astype(np.float64) for own in weights if own is not None),
        )

    def gradients(self, folded: tuple[Float[np.ndarray, "G H V"], ...]) -> Self:
        """From what a loss gives by each W E: dE = sum of d(WE)' W over ways, and dW = d(WE) E."""
        table = np.zeros_like(self.table)
        for by, own in zip(folded, self.weights, strict=True):
            table += np.einsum("ghv,ghd->vd", by, own)
        return replace(self, table=table, weights=tuple(by @ self.table for by in folded))

    def folded(self, place: int) -> Float[np.ndarray, "G H V"]:
        """W E of one way of the first layer."""
        return self.weights[place] @ self.table.T


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """What a network is run on: one sequence, up to its length."""

    inputs: Float[np.ndarray, "T F"]  # as the network saw them
    covariates: Float[np.ndarray, " C"]
    targets: Targets  # scaled numbers, or indices
    counted: Bool[np.ndarray, " Q"] | None = None  # queries with a target; None: all are


@dataclass(frozen=True, kw_only=True)
class Pass:
    """A forward pass: every number of it."""

    inputs: tuple[Float[np.ndarray, "T _"], ...]  # of each layer, on real time
    steps: tuple[Replay, ...]  # of each way, in its own reading order, with a batch of one
    top: Float[np.ndarray, "T D"]
    read: Read
    outputs: Float[np.ndarray, "Q K"]  # target's unit, or probabilities
    losses: Float[np.ndarray, " Q"]  # of each query
    shares: Float[np.ndarray, " Q"]  # of each query's loss in the sequence's; they sum to 1

    @property
    def loss(self) -> float:
        """The sequence's loss: the mean over the queries that count."""
        return float(self.losses @ self.shares)


class Gradients(NamedTuple):
    """What the sequence's loss gives by everything."""

    ways: tuple[Back, ...]  # in each way's own reading order, with a batch of one
    weights: tuple[Weights, ...]  # of each way
    readout: ReadoutTrace  # in place of each weight its gradient
    inputs: Float[np.ndarray, "T F"]
    embedding: Embedded | None = None  # in place of W and E their gradients


@dataclass(frozen=True, kw_only=True)
class Network:
    """All weights of a network, float64."""

    ways: tuple[Way, ...]  # the lowest layer first, forward before backward
    readout: ReadoutTrace
    embedding: Embedded | None = None  # what the first layer's input weights are made of

    @classmethod
    def of(cls, trace: Trace) -> Self:
        """The network that a trace was taken of.

        Raises:
            TraceError: the trace is of an earlier version, which kept no readout.
        """
        if trace.readout is None:
            raise TraceError(
                "this run was made by an earlier version, which kept less of the network; "
                "train it once more"
            )
        ways = tuple(
            Way(
                cell=CELLS[layer.cell],
                layer=layer.layer,
                reverse=layer.reverse,
                weights=Weights(
                    *(
                        values.astype(np.float64)
                        for values in (
                            layer.input_weights,
                            layer.recurrent_weights,
                            layer.input_bias,
                            layer.recurrent_bias,
                        )
                    )
                ),
            )
            for layer in trace.layers
        )
        readout = _in_float64(trace.readout)
        return cls(ways=ways, readout=readout, embedding=Embedded.of(trace))

    @property
    def layers(self) -> tuple[tuple[int, ...], ...]:
        """The places in `ways` of each layer's directions."""
        count = max(way.layer for way in self.ways) + 1
        return tuple(
            tuple(k for k, way in enumerate(self.ways) if way.layer == layer)
            for layer in range(count)
        )

    @property
    def causal(self) -> bool:
        """Whether what is said at a step comes from the steps up to it."""
        return self.readout.every_step and len(self.layers[-1]) == 1

    def run(self, sequence: Sequence, hands: Mapping[int, Hands] | None = None) -> Pass:
        """A forward pass.

        Args:
            hands: who reaches into which way, by its place in `ways`.
        """
        x, inputs, steps = sequence.inputs, [], []
        for places in self.layers:
            inputs.append(x)
            for place in places:
                way = self.ways[place]
                turned = x[::-1] if way.reverse else x
                mine = (hands or {}).get(place)
                steps.append(run(way.cell, way.weights, turned[:, None], mine))
            found = [steps[place].states[0][:, 0] for place in places]
            x = np.concatenate(
                [
                    h[::-1] if self.ways[place].reverse else h
                    for place, h in zip(places, found, strict=True)
                ],
                axis=1,
            )
        at = asking(self.readout, len(x), len(self.layers[-1]))
        done = read(self.readout, x, sequence.covariates, at, causal=self.causal)
        return Pass(
            inputs=tuple(inputs),
            steps=tuple(steps),
            top=x,
            read=done,
            outputs=self.in_unit(done.outputs),
            losses=losses(self.readout, done.outputs, sequence.targets),
            shares=shares_of(len(at), sequence.counted),
        )

    def in_unit(self, outputs: Float[np.ndarray, "Q K"]) -> Float[np.ndarray, "Q K"]:
        """Numbers in the target's unit, or probabilities."""
        if self.readout.probabilities:
            return softmax(outputs)
        return outputs * self.readout.sd + self.readout.mean

    def gradients(self, done: Pass, targets: Targets) -> Gradients:
        """Of the sequence's loss, by everything: one scan backward a direction."""
        slope = by_outputs(self.readout, done.read.outputs, targets) * done.shares[:, None]
        top, readout = back(self.readout, done.read, done.top, slope)
        backs = self.through_layers(done, top)
        weights = tuple(
            by_weights(way.cell, steps, found, self.read_by(way, done))
            for way, steps, found in zip(self.ways, done.steps, backs, strict=True)
        )
        below = self._below(backs, 0)
        embedding = None
        if self.embedding is not None:
            embedding = self.embedding.gradients(tuple(weights[k].input for k in self.layers[0]))
        return Gradients(backs, weights, readout, below[:, 0], embedding)

    def through_layers(
        self, done: Pass, top: Float[np.ndarray, "T N D"], between: Between | None = None
    ) -> tuple[Back, ...]:
        """What N losses give by every way's states, from what they give by the top's."""
        backs: dict[int, Back] = {}
        outer = top
        for layer in reversed(range(len(self.layers))):
            places = self.layers[layer]
            for place, part in zip(places, np.split(outer, len(places), axis=2), strict=True):
                way = self.ways[place]
                turned = part[::-1] if way.reverse else part
                steps = done.steps[place]
                backs[place] = backward(way.cell, way.weights, steps, turned, between)
            if layer:
                outer = self._below(backs, layer)
        return tuple(backs[place] for place in range(len(self.ways)))

    def _below(
        self, backs: Mapping[int, Back] | tuple[Back, ...], layer: int
    ) -> Float[np.ndarray, "T N I"]:
        """dL by what a layer read, on real time."""
        total = None
        for place in self.layers[layer]:
            way = self.ways[place]
            found = by_input(way.weights, backs[place])
            turned = found[::-1] if way.reverse else found
            total = turned if total is None else total + turned
        assert total is not None
        return total

    @staticmethod
    def read_by(way: Way, done: Pass) -> Float[np.ndarray, "T 1 I"]:
        """What a way read, in its own reading order."""
        x = done.inputs[way.layer]
        return (x[::-1] if way.reverse else x)[:, None]


def sequence_of(trace: Trace, row: int) -> Sequence:
    """One sequence of a trace, up to its length, float64.

    Raises:
        TraceError: the trace is of an earlier version, which kept no readout.
    """
    readout = Network.of(trace).readout
    length = int(trace.lengths[row])
    targets = trace.targets[row]
    counted = None
    if readout.every_step:
        targets = targets[:length]
        counted = None if trace.counted is None else trace.counted[row, :length]
    if not readout.probabilities:
        targets = (targets.astype(np.float64) - readout.mean) / readout.sd
    return Sequence(
        inputs=trace.inputs[row, :length].astype(np.float64),
        covariates=readout.covariates[row],
        targets=targets,
        counted=counted,
    )


def shares_of(queries: int, counted: Bool[np.ndarray, " Q"] | None) -> Float[np.ndarray, " Q"]:
    """The same for each query that counts."""
    some = np.ones(queries) if counted is None else counted.astype(np.float64)
    return some / some.sum()


def _in_float64(readout: ReadoutTrace) -> ReadoutTrace:
    def wide(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values.astype(np.float64)

    return replace(
        readout,
        keys=wide(readout.keys),
        queries=wide(readout.queries),
        score=wide(readout.score),
        covariates=readout.covariates.astype(np.float64),
        dense=tuple(
            DenseTrace(
                weights=layer.weights.astype(np.float64),
                bias=layer.bias.astype(np.float64),
                activation=layer.activation,
            )
            for layer in readout.dense
        ),
        mean=readout.mean.astype(np.float64),
        sd=readout.sd.astype(np.float64),
    )
