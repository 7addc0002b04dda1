"""One cell over a whole sequence as numbers that a browser can draw. No Plotly, no pages.

Two views share them: the wiring, with the values of some units at every step, and one gate, with
every product of W x and U h of those units. So that a message stays small (MOST_FLOATS, 1.4 MB), it
holds a block of units, and the vectors that are multiplied for a stretch of steps: all of both
where the network is not large. Blocks do not overlap, so that moving about changes the message
only where a block ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from rnnviz.errors import TraceError
from rnnviz.figures.currents import Numbers, evaluate
from rnnviz.figures.equations import sub
from rnnviz.figures.theme import PREACTIVATION_LIMIT, Quantity
from rnnviz.figures.unrolled import Naming, lane_range
from rnnviz.figures.values import Range, values_of
from rnnviz.figures.wiring import Graph, Kind, Node, graph_of
from rnnviz.trace import LayerTrace, Trace

MOST_UNITS = 48
MOST_FLOATS = 360_000


@dataclass(frozen=True, kw_only=True)
class Block:
    """Numbers from `start` on."""

    start: int
    count: int

    @property
    def places(self) -> slice:
        """For an array of all of them."""
        return slice(self.start, self.start + self.count)


@dataclass(frozen=True, kw_only=True)
class Sum:
    """What a gate adds up, for the units of a block."""

    symbol: str
    input_weights: Float[np.ndarray, "U I"]
    recurrent_weights: Float[np.ndarray, "U H"]
    input_bias: Float[np.ndarray, " U"]
    recurrent_bias: Float[np.ndarray, " U"]
    before_squash: Float[np.ndarray, "T U"]  # as the trace recorded it


@dataclass(frozen=True, kw_only=True)
class CellScene:
    """All that the views of one cell show of one sequence.

    Attributes:
        values: of the nodes in `sent_nodes`, for the units of the block; of gates and states those
            that the trace recorded.
        ranges: of every node, by the quantity that it is like.
        token_ids: what was read at every step, -1 for nothing; None where it was no token.
        x: what the layer read at the steps of the stretch, None where it read tokens.
        h: the state that each step of the stretch started from.
        scale: likewise the gate that multiplies each h on its way into U, None where there is none.
    """

    layer: LayerTrace
    graph: Graph
    length: int
    units: Block
    stretch: Block
    values: Mapping[str, Float[np.ndarray, "T U"]]
    ranges: Mapping[str, Range]
    sums: tuple[Sum, ...]
    input_names: tuple[str, ...]
    token_ids: Int[np.ndarray, " T"] | None
    x: Float[np.ndarray, "V I"] | None
    h: Float[np.ndarray, "V H"]
    scale: Float[np.ndarray, "V H"] | None


def blocks(
    layer: LayerTrace, *, length: int, t: int, unit: int, tokens: bool = False
) -> tuple[Block, Block]:
    """The units and the stretch of steps around a place that one message holds."""
    graph = graph_of(layer)
    gates, size, inputs = layer.input_weights.shape
    vectors = size * (2 if _scaled(graph) else 1) + (0 if tokens else inputs)
    steps = min(length, max(1, MOST_FLOATS // (3 * vectors)))
    left = MOST_FLOATS - steps * vectors
    each = length * (len(sent_nodes(graph)) + gates) + gates * (inputs + size + 2)
    units = min(size, MOST_UNITS, max(1, left // each))
    return _around(unit, units, size), _around(t, steps, length)


def sent_nodes(graph: Graph) -> tuple[Node, ...]:
    """Nodes whose values are sent: not what is known from others, as x, or a sum that is c."""
    states = {wire.source for wire in graph.wires if graph.node(wire.target).kind is Kind.STATE}
    return tuple(
        node
        for node in graph.nodes
        if node.kind not in (Kind.INPUT, Kind.BEFORE)
        and (node.kind is Kind.GATE or node.id not in states)
    )


def _around(place: int, count: int, end: int) -> Block:
    start = place // count * count
    return Block(start=start, count=min(count, end - start))


def _scaled(graph: Graph) -> bool:
    """Whether a gate multiplies h before U does."""
    return any(graph.node(wire.source).kind is Kind.TIMES and wire.part == "h"
               for wire in graph.wires)  # fmt: skip


def cell_scene(
    trace: Trace, layer: LayerTrace, *, sequence: int, t: int, unit: int, naming: Naming
) -> CellScene:
    """What the views of a cell show of one sequence, around a place in it.

    Args:
        layer: one of the trace's.
        sequence: row of the trace.

    Raises:
        TraceError: the trace has no such sequence, or the cell no graph.
    """
    if not 0 <= sequence < len(trace.lengths):
        last = len(trace.lengths) - 1
        raise TraceError(f"sequence {sequence} is not in the trace; it must lie in [0, {last}]")
    length = int(trace.lengths[sequence])
    graph = graph_of(layer)
    tokens = naming.tokens and layer.layer == 0
    units, stretch = blocks(layer, length=length, t=t, unit=unit, tokens=tokens)
    found = evaluate(layer, sequence=sequence, length=length)
    x = layer.inputs[sequence, :length]
    return CellScene(
        layer=layer,
        graph=graph,
        length=length,
        units=units,
        stretch=stretch,
        values=_of_units(layer, found, sequence, length, units),
        ranges={node.id: _range(trace, layer, node) for node in graph.nodes},
        sums=tuple(_sum(layer, symbol, sequence, length, units) for symbol in layer.gate_names),
        input_names=_input_names(trace, layer, naming),
        token_ids=np.where(x.any(axis=1), x.argmax(axis=1), -1) if tokens else None,
        x=None if tokens else x[stretch.places].astype(np.float32),
        h=layer.state_before("h")[sequence, stretch.places].astype(np.float32),
        scale=layer.gate("r")[sequence, stretch.places].astype(np.float32)
        if _scaled(graph)
        else None,
    )


def _of_units(
    layer: LayerTrace, found: Numbers, sequence: int, length: int, units: Block
) -> dict[str, Float[np.ndarray, "T U"]]:
    def of(node: Node) -> Float[np.ndarray, "T H"]:
        if node.kind in (Kind.GATE, Kind.STATE):
            return values_of(layer, node.symbol)[sequence, :length]
        return found.values[node.id]

    nodes = sent_nodes(graph_of(layer))
    return {node.id: of(node)[:, units.places].astype(np.float32) for node in nodes}


def _sum(layer: LayerTrace, symbol: str, sequence: int, length: int, units: Block) -> Sum:
    row, places = layer.gate_names.index(symbol), units.places
    return Sum(
        symbol=symbol,
        input_weights=layer.input_weights[row, places].astype(np.float32),
        recurrent_weights=layer.recurrent_weights[row, places].astype(np.float32),
        input_bias=layer.input_bias[row, places].astype(np.float32),
        recurrent_bias=layer.recurrent_bias[row, places].astype(np.float32),
        before_squash=layer.preactivations[sequence, :length, row, places].astype(np.float32),
    )


def _range(trace: Trace, layer: LayerTrace, node: Node) -> Range:
    if node.kind is Kind.INPUT and layer.layer:
        return lane_range(trace, "h")
    if node.kind is Kind.INPUT:
        low, high = float(trace.inputs.min()), float(trace.inputs.max())
        return Range(quantity=Quantity.ACTIVITY, low=low, high=high if high > low else low + 1)
    if node.like == "pre":
        limit = PREACTIVATION_LIMIT
        return Range(quantity=Quantity.PREACTIVATION, low=-limit, high=limit)
    return lane_range(trace, node.like)


def _input_names(trace: Trace, layer: LayerTrace, naming: Naming) -> tuple[str, ...]:
    """What each column of W reads."""
    if layer.layer == 0:
        return naming.inputs[: layer.inputs.shape[2]]
    return tuple(
        f"h{sub(unit + 1)}" + (" \N{LEFTWARDS ARROW}" if below.reverse else "")
        for below in trace.layers
        if below.layer == layer.layer - 1
        for unit in range(below.states.shape[-1])
    )
