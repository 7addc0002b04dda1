"""A trace's numbers put through a cell's wiring: what is on every wire at every step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rnnviz.cells.base import hard_sigmoid, relu, sigmoid, tanh
from rnnviz.figures.equations import HARD_SIGMA, SIGMA
from rnnviz.figures.wiring import Kind, Node, Wire, graph_of
from rnnviz.trace import LayerTrace

Values = Float[np.ndarray, "T H"]
_SQUASHES: Mapping[str, Callable[[Values], Values]] = {
    SIGMA: sigmoid,
    HARD_SIGMA: hard_sigmoid,
    "tanh": tanh,
    "relu": relu,
}


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """What is on every wire, by node, and what each gate squashes."""

    values: Mapping[str, Float[np.ndarray, "T _"]]  # [T H], of x [T I]
    before_squash: Mapping[str, Float[np.ndarray, "T H"]]


def evaluate(layer: LayerTrace, *, sequence: int, length: int) -> Numbers:
    """All steps of one sequence put through the wiring, in float64.

    Every step starts from the states that were recorded; all else follows from the graph.

    Raises:
        TraceError: the cell has no graph.
    """
    graph = graph_of(layer)
    values: dict[str, np.ndarray] = {}
    sums: dict[str, np.ndarray] = {}
    for node in graph.nodes:
        if node.kind is Kind.INPUT:
            values[node.id] = layer.inputs[sequence, :length].astype(np.float64)
        elif node.kind is Kind.BEFORE:
            before = layer.state_before(node.like)[sequence, :length]
            values[node.id] = before.astype(np.float64)
        elif node.kind is Kind.GATE:
            parts = [_arriving(layer, node.id, wire, values) for wire in graph.into(node.id)]
            sums[node.id] = np.sum(parts, axis=0)
            values[node.id] = _SQUASHES[node.squash](sums[node.id])
        elif node.kind is Kind.LINEAR:
            (wire,) = graph.into(node.id)
            values[node.id] = _recurred(layer, "n", values[wire.source])
        else:
            arriving = [values[wire.source] for wire in graph.into(node.id)]
            values[node.id] = _combined(node, arriving)
    return Numbers(values=values, before_squash=sums)


def _combined(node: Node, arriving: list[Values]) -> Values:
    if node.kind is Kind.TIMES:
        return np.prod(arriving, axis=0)
    if node.kind is Kind.PLUS:
        return np.sum(arriving, axis=0)
    (only,) = arriving
    if node.kind is Kind.ONE_MINUS:
        return 1.0 - only
    return _SQUASHES[node.squash](only) if node.kind is Kind.SQUASH else only


def _arriving(layer: LayerTrace, gate: str, wire: Wire, values: Mapping[str, np.ndarray]) -> Values:
    """What a wire adds to a gate's sum."""
    if wire.part == "x":
        row = layer.gate_names.index(gate)
        weights = layer.input_weights[row].astype(np.float64)
        return values["x"] @ weights.T + layer.input_bias[row]
    if wire.part == "h":
        return _recurred(layer, gate, values[wire.source])
    return values[wire.source]


def _recurred(layer: LayerTrace, gate: str, state: Values) -> Values:
    row = layer.gate_names.index(gate)
    weights = layer.recurrent_weights[row].astype(np.float64)
    return state @ weights.T + layer.recurrent_bias[row]
