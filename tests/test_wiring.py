"""Facts about the wiring of cells: the drawing, computed, is the cell; and what a browser gets."""

import json
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from test_equations import T, layer_trace
from test_unrolled import names, network, text_trace, values

from rnnviz.cells import CELLS
from rnnviz.errors import TraceError
from rnnviz.figures.cell import MOST_FLOATS, Block, blocks, cell_scene, sent_nodes
from rnnviz.figures.currents import evaluate
from rnnviz.figures.unrolled import scene
from rnnviz.figures.wiring import GRAPHS, HEIGHT, Kind, asks
from rnnviz.trace import LayerTrace, Trace
from rnnviz.ui.components.cell import message
from rnnviz.ui.components.places import Asked, Order, read_asked

PUT = {
    Kind.TIMES: 2,
    Kind.PLUS: 2,
    Kind.SQUASH: 1,
    Kind.ONE_MINUS: 1,
    Kind.LINEAR: 1,
    Kind.STATE: 1,
}
START = Order(t=0, unit=0, layer=0, reverse=False, number=0, answered=False)


def test_every_cell_has_a_drawing():
    assert set(GRAPHS) == set(CELLS)


@pytest.mark.parametrize("name", CELLS)
def test_every_gate_and_state_is_drawn_once_and_asked_about(name):
    nodes = Counter((node.kind, node.symbol) for node in GRAPHS[name].nodes)
    for gate in CELLS[name].gates:
        assert nodes[Kind.GATE, gate.symbol] == 1
        assert asks(name, gate.symbol).endswith("?")
    for state in CELLS[name].states:
        assert nodes[Kind.STATE, state] == 1
        assert sum(n.kind is Kind.BEFORE and n.like == state for n in GRAPHS[name].nodes) == 1
        assert asks(name, state)


@pytest.mark.parametrize("name", CELLS)
def test_wires_lead_from_what_is_known_to_what_needs_it(name):
    graph, known = GRAPHS[name], set()
    for node in graph.nodes:
        wires = graph.into(node.id)
        assert {wire.source for wire in wires} <= known, node
        if node.kind is Kind.GATE:
            parts = sorted(wire.part for wire in wires)
            assert parts in (["h", "x"], ["recurred", "x"])
        elif node.kind in PUT:
            assert len(wires) == PUT[node.kind]
        else:
            assert wires == ()
        known.add(node.id)
    leaving = {wire.source for wire in graph.wires}
    assert all(node.id in leaving or node.kind is Kind.STATE for node in graph.nodes)


@pytest.mark.parametrize("name", CELLS)
def test_wires_run_level_or_upright_and_inside(name):
    graph = GRAPHS[name]
    width = 1000.0
    for wire in graph.wires:
        source, target = graph.node(wire.source), graph.node(wire.target)
        points = [
            (width * source.x, source.y),
            *((width * bend.x + bend.shift, bend.y) for bend in wire.bends),
            (width * target.x + wire.shift, target.y),
        ]
        for (x0, y0), (x1, y1) in pairwise(points):
            assert (abs(x0 - x1) < 1e-6) != (abs(y0 - y1) < 1e-6), wire
            assert 0 < x1 < width
            assert 0 < y1 < graph.height <= HEIGHT
        assert wire.label < len(points) - 1


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("name", CELLS)
def test_the_drawing_computed_gives_what_was_recorded(name, reverse):
    layer = layer_trace(name, reverse=reverse)
    found = evaluate(layer, sequence=1, length=T)
    for row, gate in enumerate(layer.gate_names):
        np.testing.assert_allclose(found.values[gate], layer.gates[1, :, row], atol=1e-12)
        before = layer.preactivations[1, :, row]
        np.testing.assert_allclose(found.before_squash[gate], before, atol=1e-12)
    for state in layer.state_names:
        np.testing.assert_allclose(found.values[state], layer.state(state)[1], atol=1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_the_same_in_the_precision_of_a_trace(name):
    layer = layer_trace(name, dtype=np.float32)
    found = evaluate(layer, sequence=0, length=T)
    for state in layer.state_names:
        np.testing.assert_allclose(found.values[state], layer.state(state)[0], atol=1e-6)


def test_the_two_conventions_of_the_gru_are_two_drawings():
    last, first = GRAPHS["gru"], GRAPHS["gru-before"]
    assert [node.kind for node in last.nodes].count(Kind.LINEAR) == 1
    assert [node.kind for node in first.nodes].count(Kind.LINEAR) == 0
    assert {wire.source for wire in first.into("reset")} == {"r", "h before"}
    assert {wire.source for wire in last.into("reset")} == {"r", "past"}
    assert "before the product" in first.notes[0]
    assert "after the product" in last.notes[0]
    assert all("z multiplies the old state" in graph.notes[1] for graph in (last, first))


def test_a_cell_without_a_drawing_is_refused():
    trace = network(values(5))
    with pytest.raises(TraceError, match="sequence 7 is not in the trace; it must lie in"):
        cell_scene(trace, trace.layers[0], sequence=7, t=0, unit=0, naming=names(trace))


# -- what a browser gets ---------------------------------------------------------------------------


def unpacked(trace: Trace, layer: LayerTrace, t: int = 0, unit: int = 0) -> tuple[dict, dict]:
    """The header of a message with its arrays in their places, and what was put into it."""
    naming = names(trace)
    drawn = cell_scene(trace, layer, sequence=0, t=t, unit=unit, naming=naming)
    whole = scene(trace, sequence=0, quantity="h", naming=naming)
    sent = message(drawn, whole, START, "k", False, level="cell", symbol="h")
    length = int.from_bytes(sent[:4], "little")
    floats = np.frombuffer(sent[4 + length :], "<f4")

    def resolve(part):
        if isinstance(part, dict) and "at" in part:
            return floats[part["at"] :][: np.prod(part["shape"])].reshape(part["shape"])
        if isinstance(part, dict):
            return {name: resolve(one) for name, one in part.items()}
        return part

    return resolve(json.loads(sent[4 : 4 + length])), {"bytes": len(sent), "drawn": drawn}


@pytest.mark.parametrize("name", CELLS)
def test_every_product_of_every_gate_adds_up_to_what_was_recorded(name):
    """As the browser computes it: from weights, inputs and states of the message alone."""
    trace = network(values(9, 3), cell=name, layers=2, both=True)
    for layer in trace.layers:
        sent, _ = unpacked(trace, layer)
        graph = GRAPHS[name]
        for gate in layer.gate_names:
            (wire,) = (w for w in graph.into(gate) if w.part != "x")
            sums = sent["sums"][gate]
            scale = sent["values"]["r"] if wire.part == "recurred" else np.ones((9, 12))
            h = sent["h"] * (1.0 if sent["scaledBy"] is None or gate != "n" else sent["scaledBy"])
            for unit in range(12):
                total = (sums["inputWeights"][unit] * sent["x"].astype(float)).sum(axis=1)
                total += sums["inputBias"][unit]
                recurred = (sums["recurrentWeights"][unit] * h.astype(float)).sum(axis=1)
                total += scale[:, unit] * (recurred + sums["recurrentBias"][unit])
                recorded = sums["beforeSquash"][:, unit]
                np.testing.assert_allclose(total, recorded, atol=3e-6)
        for symbol in (*layer.gate_names, *layer.state_names):
            kept = layer.gate(symbol) if symbol in layer.gate_names else layer.state(symbol)
            np.testing.assert_array_equal(sent["values"][symbol], kept[0])


@pytest.mark.parametrize(
    ("cell", "steps", "size", "features"),
    [
        ("lstm", 144, 32, 1),
        ("lstm", 1440, 32, 1),
        ("gru-before", 1440, 512, 1),
        ("gru", 24, 64, 60),
    ],
)
def test_a_message_stays_small_and_holds_where_one_is(cell, steps, size, features):
    cell_trace = blank(cell, steps, size, features)
    for t, unit in ((0, 0), (steps - 1, size - 1), (steps // 2, size // 3)):
        units, stretch = blocks(cell_trace, length=steps, t=t, unit=unit)
        assert unit in range(units.start, units.start + units.count)
        assert t in range(stretch.start, stretch.start + stretch.count)
        assert units.start + units.count <= size
        assert stretch.start + stretch.count <= steps
        vectors = stretch.count * (features + size * (2 if cell == "gru-before" else 1))
        gates = len(CELLS[cell].gates)
        inner = steps * (len(sent_nodes(GRAPHS[cell])) + gates) + gates * (features + size + 2)
        assert vectors + units.count * inner <= MOST_FLOATS


def blank(cell: str, steps: int, size: int, features: int) -> LayerTrace:
    """Zeros of these sizes, without taking their memory."""
    gates, states = len(CELLS[cell].gates), CELLS[cell].states

    def zeros(*shape: int) -> np.ndarray:
        return np.broadcast_to(np.float32(0), shape)

    return LayerTrace(
        cell=cell,
        layer=0,
        reverse=False,
        gate_names=tuple(gate.symbol for gate in CELLS[cell].gates),
        state_names=states,
        inputs=zeros(1, steps, features),
        gates=zeros(1, steps, gates, size),
        preactivations=zeros(1, steps, gates, size),
        states=zeros(1, steps, len(states), size),
        state_grads=None,
        input_weights=zeros(gates, size, features),
        recurrent_weights=zeros(gates, size, size),
        input_bias=zeros(gates, size),
        recurrent_bias=zeros(gates, size),
    )


def test_a_small_network_is_sent_whole_and_a_day_of_minutes_fits():
    trace = network(values(30), size=32)
    layer = trace.layers[0]
    units, stretch = blocks(layer, length=30, t=17, unit=9)
    assert (units, stretch) == (Block(start=0, count=32), Block(start=0, count=30))
    day = network(values(1440, batch=1), size=32)
    _, facts = unpacked(day, day.layers[0], t=900, unit=31)
    assert facts["bytes"] < 4 * (MOST_FLOATS + 1440 * 2) + 40_000


def test_blocks_of_units_and_steps_meet_without_overlap():
    layer = blank("lstm", 1440, 40, 1)
    found = {
        blocks(layer, length=1440, t=t, unit=unit) for t in range(0, 1440, 97) for unit in range(40)
    }
    units = sorted({(block.start, block.count) for block, _ in found})
    assert sum(count for _, count in units) == 40
    assert [start for start, _ in units] == list(np.cumsum([0, *(c for _, c in units)])[:-1])


def test_a_step_that_reads_nothing_has_no_token():
    trace = text_trace(vocabulary=6)
    layer = trace.layers[0]
    x = layer.inputs.copy()
    x[0, 4:] = 0.0
    naming = names(trace, tokens=True, probabilities=True)
    given = replace(layer, inputs=x)
    drawn = cell_scene(trace, given, sequence=0, t=0, unit=0, naming=naming)
    assert list(drawn.token_ids[:4]) == list(trace.inputs[0, :4].argmax(axis=1))
    assert set(drawn.token_ids[4:]) == {-1}


@pytest.mark.parametrize("reverse", [False, True])
def test_a_short_sequence_ends_where_it_ends(reverse):
    trace = network(values(9), lengths=np.array([9, 4]), both=True)
    layer = trace.layers[int(reverse)]
    # a direction that reads from the end finds zeros beyond a sequence's length
    states = layer.states.copy()
    states[1, 4:] = 0.0
    layer = replace(layer, states=states)
    drawn = cell_scene(trace, layer, sequence=1, t=3, unit=0, naming=names(trace))
    assert drawn.length == 4
    assert {array.shape for array in drawn.values.values()} == {(4, 12)}
    assert (drawn.x.shape, drawn.h.shape) == ((4, 1), (4, 12))
    first_read = 3 if reverse else 0
    assert not drawn.h[first_read].any()
    then = 3 if reverse else 1
    np.testing.assert_array_equal(drawn.h[2], states[1, then, 0])


def test_tokens_are_sent_as_tokens():
    trace = text_trace(vocabulary=6)
    naming = names(trace, tokens=True, probabilities=True)
    drawn = cell_scene(trace, trace.layers[0], sequence=1, t=3, unit=2, naming=naming)
    assert drawn.x is None
    assert list(drawn.token_ids) == list(trace.inputs[1].argmax(axis=1))
    assert drawn.sums[0].input_weights.shape == (12, 6)


def test_what_a_layer_reads_has_its_names():
    trace = network(values(5, 3), layers=2, both=True, size=2)
    read = [
        cell_scene(trace, layer, sequence=0, t=0, unit=0, naming=names(trace)).input_names
        for layer in (trace.layers[0], trace.layers[2])
    ]
    assert read == [("x0", "x1", "x2"), ("h₁", "h₂", "h₁ ←", "h₂ ←")]


# -- what comes back -------------------------------------------------------------------------------

ASKED = {"t": 2, "unit": 1, "layer": 0, "reverse": False, "what": "level", "level": "gate"}


def test_what_is_asked_for_is_brought_into_the_scene():
    trace = network(values(11))
    shown = scene(trace, sequence=0, quantity="h", naming=names(trace))
    asked = read_asked({**ASKED, "t": 99, "symbol": "f"}, shown)
    assert asked == Asked(
        t=10, unit=1, layer=0, reverse=False, what="level", level="gate", symbol="f"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"what": "run"},
        {"what": None},
        {"level": "cellar"},
        {"level": ["cell"]},
        {"symbol": 7},
        {"symbol": "<b>"},
        {"symbol": "ff"},
        {"t": -1},
    ],
)
def test_nonsense_is_not_asked_for(change):
    trace = network(values(11))
    shown = scene(trace, sequence=0, quantity="h", naming=names(trace))
    assert read_asked({**ASKED, "symbol": "h"} | change, shown) is None
