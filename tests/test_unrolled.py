"""Facts about the scene of the unrolled network, and about what travels to the browser and back."""

import json

import numpy as np
import pytest

from rnnviz.cells import CELLS, recur_with, split_gates
from rnnviz.data.dataset import SequenceDataset, Source, Task, Variable
from rnnviz.errors import TraceError
from rnnviz.figures.theme import Quantity
from rnnviz.figures.unrolled import MOST_CELLS, Naming, naming, quantities, scene
from rnnviz.trace import LayerTrace, Trace
from rnnviz.ui.components import tokens
from rnnviz.ui.components.unrolled import Moved, Order, Place, message, order_for, read_move


def run_layer(
    cell_name: str, layer: int, reverse: bool, x: np.ndarray, size: int, seed: int
) -> LayerTrace:
    """A layer's direction with random weights over x [B T I], step by step in NumPy."""
    cell, rng = CELLS[cell_name], np.random.default_rng([seed, layer, reverse])
    batch, steps, width = x.shape
    gates = len(cell.gates)
    w = rng.normal(0, 1.2 / np.sqrt(width), (gates, size, width)).astype(np.float32)
    u = rng.normal(0, 1.0 / np.sqrt(size), (gates, size, size)).astype(np.float32)
    b_w, b_u = rng.normal(0, 0.3, (2, gates, size)).astype(np.float32)
    recur = recur_with(u, b_u)
    values, pre = np.zeros((2, batch, steps, gates, size), np.float32)
    states = np.zeros((batch, steps, len(cell.states), size), np.float32)
    now = tuple(np.zeros((batch, size), np.float32) for _ in cell.states)
    for t in reversed(range(steps)) if reverse else range(steps):
        projected = split_gates(x[:, t] @ w.reshape(-1, width).T + b_w.reshape(-1), gates)
        result = cell.activate(projected, recur, now)
        now = cell.advance(result.values, now)
        pre[:, t] = np.stack(result.preactivations, axis=1)
        values[:, t] = np.stack(result.values, axis=1)
        states[:, t] = np.stack(now, axis=1)
    return LayerTrace(
        cell=cell_name,
        layer=layer,
        reverse=reverse,
        gate_names=tuple(gate.symbol for gate in cell.gates),
        state_names=cell.states,
        inputs=x,
        gates=values,
        preactivations=pre,
        states=states,
        state_grads=None,
        input_weights=w,
        recurrent_weights=u,
        input_bias=b_w,
        recurrent_bias=b_u,
    )


def softmax(z: np.ndarray) -> np.ndarray:
    """Over the last axis."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def network(
    inputs: np.ndarray,
    *,
    cell: str = "lstm",
    size: int = 12,
    layers: int = 1,
    both: bool = False,
    attention: bool = False,
    outputs: np.ndarray | None = None,
    targets: np.ndarray | None = None,
    lengths: np.ndarray | None = None,
    seed: int = 3,
) -> Trace:
    """A whole trace of a random network over inputs [B T F]."""
    batch, steps, _ = inputs.shape
    x, traced = inputs.astype(np.float32), []
    for layer in range(layers):
        ways = [run_layer(cell, layer, way, x, size, seed) for way in ((False, True)[: 1 + both])]
        traced += ways
        x = np.concatenate([way.state("h") for way in ways], axis=2)
    if outputs is None:
        outputs = np.full((batch, 1, 1), 27.31, np.float32)
        targets = np.full((batch, 1, 1), 24.1, np.float32)
    queries = outputs.shape[1]
    scores = np.random.default_rng(seed).normal(0, 0.8, (batch, queries, steps))
    if queries == steps:  # a step attends to what came before
        scores = np.where(np.tri(steps, dtype=bool), scores, -np.inf)
    return Trace(
        epoch=1,
        step=10,
        sequences=np.arange(batch),
        lengths=np.full(batch, steps) if lengths is None else lengths,
        inputs=inputs.astype(np.float32),
        outputs=outputs,
        targets=targets,
        loss=np.zeros(batch, np.float32),
        layers=tuple(traced),
        scores=scores.astype(np.float32) if attention else None,
        attention=softmax(scores).astype(np.float32) if attention else None,
    )


def values(steps: int, features: int = 1, batch: int = 2) -> np.ndarray:
    """Random inputs [B T F]."""
    return np.random.default_rng(5).normal(0, 1, (batch, steps, features)).astype(np.float32)


def names(trace: Trace, **change: object) -> Naming:
    """Plain names for everything."""
    steps = tuple(f"{k + 1}" for k in range(trace.inputs.shape[1]))
    inputs = tuple(f"x{k}" for k in range(trace.inputs.shape[2]))
    outputs = tuple(f"y{k}" for k in range(trace.outputs.shape[2]))
    return Naming(**{"steps": steps, "inputs": inputs, "outputs": outputs} | change)


def text_trace(steps: int = 10, vocabulary: int = 5, **change: object) -> Trace:
    """One-hot tokens in, probabilities of the next token out, at every step."""
    rng = np.random.default_rng(1)
    ids = rng.integers(0, vocabulary, (2, steps + 1))
    return network(
        np.eye(vocabulary, dtype=np.float32)[ids[:, :-1]],
        outputs=softmax(rng.normal(0, 2, (2, steps, vocabulary))).astype(np.float32),
        targets=ids[:, 1:],
        **change,
    )


@pytest.mark.parametrize("name", CELLS)
def test_every_quantity_of_every_cell_has_a_scene(name):
    trace = network(values(7), cell=name)
    for quantity in quantities(trace):
        shown = scene(trace, sequence=1, quantity=quantity, naming=names(trace))
        row, layer = shown.rows[0], trace.layers[0]
        lane = row.lanes[0]
        assert lane.symbol == quantity
        state = quantity in layer.state_names
        expected = layer.state(quantity) if state else layer.gate(quantity)
        np.testing.assert_array_equal(lane.values, expected[1][:, row.units])
        assert [one.symbol for one in row.lanes[1:]] == (
            [other for other in layer.state_names if other != quantity] if state else []
        )
        assert lane.range.low <= expected.min()
        assert expected.max() <= lane.range.high


def test_the_units_that_vary_most_are_shown_in_order():
    trace = network(values(30), size=40)
    row = scene(trace, sequence=0, quantity="h", naming=names(trace)).rows[0]
    variance = trace.layers[0].state("h")[0].astype(float).var(axis=0)
    assert set(row.units) == set(np.argsort(-variance)[:16])
    assert list(row.units) == sorted(row.units)
    assert row.size == 40


def test_a_wanted_unit_is_shown_however_still_it_is():
    trace = network(values(30), size=40)
    h = trace.layers[0].state("h")[0]
    still = int(h.var(axis=0).argmin())
    plain = scene(trace, sequence=0, quantity="h", naming=names(trace))
    asked = scene(trace, sequence=0, quantity="h", naming=names(trace), always=(still, 999))
    assert still not in plain.rows[0].units
    assert still in asked.rows[0].units
    assert len(asked.rows[0].units) == 16


@pytest.mark.parametrize(("layers", "both"), [(1, False), (2, False), (2, True), (4, True)])
def test_no_more_units_than_can_be_drawn(layers, both):
    trace = network(values(9), size=20, layers=layers, both=both)
    shown = scene(trace, sequence=0, quantity="h", naming=names(trace))
    assert len(shown.rows) == layers * (1 + both)
    assert sum(len(row.units) for row in shown.rows) <= MOST_CELLS
    assert [(row.layer, row.reverse) for row in shown.rows] == [
        (layer, way) for layer in range(layers) for way in (False, True)[: 1 + both]
    ]


@pytest.mark.parametrize(("quantity", "gate"), [("h", "g"), ("c", "g"), ("f", "f"), ("o", "o")])
def test_edges_are_the_weights_between_what_is_shown(quantity, gate):
    trace = network(values(9, 20), size=20, layers=2, both=True)
    shown = scene(trace, sequence=0, quantity=quantity, naming=names(trace))
    first, backward, second = shown.rows[0], shown.rows[1], shown.rows[2]
    layer = trace.layers[2]
    block = layer.gate_names.index(gate)
    assert second.gate == gate
    for a, to in enumerate(second.units):
        for b, unit in enumerate(second.units):
            assert second.recurrent[a, b] == layer.recurrent_weights[block, to, unit]
        sources = [*first.units, *(20 + unit for unit in backward.units)]
        for b, column in enumerate(sources):
            assert second.inputs[a, b] == layer.input_weights[block, to, column]
    shown_inputs = [int(name[1:]) for name in shown.inputs.names]
    assert len(shown_inputs) == 8
    weights = trace.layers[0].input_weights[block][np.ix_(first.units, shown_inputs)]
    np.testing.assert_array_equal(first.inputs, weights)
    heaviest = max(np.abs(row.recurrent).max() for row in shown.rows)
    assert shown.heaviest_recurrent == pytest.approx(heaviest)
    heaviest = max(np.abs(row.inputs).max() for row in shown.rows)
    assert shown.heaviest_input == pytest.approx(heaviest)


def test_a_short_sequence_ends_where_it_ends():
    trace = network(values(9), lengths=np.array([9, 4]), attention=True)
    shown = scene(trace, sequence=1, quantity="h", naming=names(trace))
    assert shown.steps == ("1", "2", "3", "4")
    assert shown.inputs.values.shape == (4, 1)
    assert all(lane.values.shape[0] == 4 for row in shown.rows for lane in row.lanes)
    assert shown.attention.shape == (1, 4)


def test_numbers_come_with_their_unit_and_the_truth():
    trace = network(values(9))
    shown = scene(trace, sequence=0, quantity="h", naming=names(trace, output_unit="kg/m²"))
    assert (shown.outputs.names, shown.outputs.unit) == (("y0",), "kg/m²")
    assert shown.outputs.values == pytest.approx(27.31)
    assert shown.outputs.truth == pytest.approx(24.1)
    assert not shown.outputs.every_step


def test_tokens_and_the_most_probable_next_ones():
    trace = text_trace()
    naming = names(trace, tokens=True, probabilities=True, inputs=tuple("ab \nc"))
    naming = Naming(**{**naming.__dict__, "outputs": naming.inputs})
    shown = scene(trace, sequence=1, quantity="h", naming=naming)
    ids = trace.inputs[1].argmax(axis=1)
    assert shown.inputs.tokens == tuple("ab \nc"[k] for k in ids)
    weights = trace.layers[0].input_weights[2][list(shown.rows[0].units)]
    np.testing.assert_array_equal(shown.rows[0].inputs, weights)  # a column for every token
    outputs = shown.outputs
    assert outputs.every_step
    for t in range(10):
        probabilities = trace.outputs[1, t]
        best = np.argsort(-probabilities)[:3]
        assert [outputs.names[k] for k in outputs.choices[t]] == ["ab \nc"[k] for k in best]
        np.testing.assert_array_equal(outputs.values[t], probabilities[best])
        true = trace.targets[1, t]
        assert outputs.names[outputs.truth[t]] == "ab \nc"[true]
        assert outputs.truth_probability[t] == probabilities[true]


def test_inputs_end_with_the_steps_that_are_given():
    trace = network(values(9), lengths=np.array([9, 4]))
    for given, sequence, shown in ((None, 0, 9), (None, 1, 4), (1, 0, 1), (6, 0, 6), (6, 1, 4)):
        drawn = scene(trace, sequence=sequence, quantity="h", naming=names(trace, given=given))
        assert drawn.inputs.given == shown


@pytest.mark.parametrize("probabilities", [False, True])
def test_outputs_without_a_target_are_known_to_the_drawing(probabilities):
    trace = text_trace()
    if not probabilities:
        trace = network(values(10), outputs=values(10), targets=values(10))
    naming = names(trace, tokens=probabilities, probabilities=probabilities)
    counted = np.arange(10) > 3

    def told(counted):
        shown = scene(trace, sequence=0, quantity="h", naming=naming, counted=counted)
        assert shown.outputs.every_step
        header, _ = unpacked(message(shown, START, "k", dark=False))
        assert header["inputs"]["given"] == 10
        return shown.outputs.counted, header["outputs"]["counted"]

    assert told(counted) == (tuple(counted), counted.tolist())
    assert told(None) == (None, None)
    assert told(np.ones(10, bool)) == (None, None)


def test_one_step_is_no_every_step():
    trace = network(values(1))
    shown = scene(trace, sequence=0, quantity="h", naming=names(trace), counted=np.ones(1, bool))
    assert (shown.outputs.every_step, shown.outputs.counted) == (False, None)
    assert shown.steps == ("1",)


def test_attention_that_is_too_much_to_draw_is_left_out_and_said_so():
    trace = text_trace(600, attention=True)
    naming = names(trace, tokens=True, probabilities=True)
    shown = scene(trace, sequence=0, quantity="h", naming=naming)
    assert shown.attention is None
    assert shown.notes == ("Attention is not drawn: 600 x 600 weights are too many.",)


def test_ranges_hold_for_the_whole_trace():
    trace = network(values(20), cell="lstm-relu", size=6)
    bounds = [
        scene(trace, sequence=k, quantity="c", naming=names(trace)).rows[0].lanes[0].range
        for k in (0, 1)
    ]
    assert bounds[0] == bounds[1]
    assert bounds[0].low == -bounds[0].high
    assert bounds[0].high >= trace.layers[0].state("c").max()
    gate = scene(trace, sequence=0, quantity="f", naming=names(trace)).rows[0].lanes[0].range
    assert (gate.quantity, gate.low, gate.high) == (Quantity.GATE, 0.0, 1.0)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"sequence": 2}, "sequence 2 is not in the trace; it must lie in \\[0, 1\\]"),
        ({"quantity": "q"}, "no quantity 'q'; choose one of h, c, i, f, g, o"),
        ({"naming": Naming(steps=("1",), inputs=("x",), outputs=("y",))}, "1 names were given for"),
    ],
)
def test_what_is_not_there_is_refused(change, text):
    trace = network(values(5))
    wanted = {"sequence": 0, "quantity": "h", "naming": names(trace)} | change
    with pytest.raises(TraceError, match=text):
        scene(trace, **wanted)


def dataset(task: Task, unit: str = "min", vocabulary: tuple[str, ...] = ()) -> SequenceDataset:
    """Three sequences of four steps."""
    words = bool(vocabulary)
    return SequenceDataset(
        name="d",
        inputs=np.zeros((3, 4), int) if words else np.zeros((3, 4, 2), np.float32),
        targets=np.zeros((3, 4), int) if words else np.zeros(3, int),
        lengths=np.full(3, 4),
        times=np.array([0.0, 10, 70, 1439]),
        time_unit=unit,
        features=() if words else (Variable("a", "g"), Variable("b")),
        outputs=(Variable("BMI", "kg/m²"),),
        classes=("low", "high"),
        vocabulary=vocabulary,
        ids=("p", "q", "r"),
        covariates=np.zeros((3, 0), np.float32),
        groups={},
        task=task,
        source=Source(title="s"),
    )


def test_names_follow_from_the_dataset():
    number = naming(dataset(Task.REGRESSION))
    assert number.steps == ("00:00", "00:10", "01:10", "23:59")
    assert (number.inputs, number.outputs, number.output_unit) == (("a", "b"), ("BMI",), "kg/m²")
    assert (number.tokens, number.probabilities) == (False, False)
    chosen = naming(dataset(Task.CLASSIFICATION, "step"))
    assert (chosen.steps, chosen.outputs) == (("1", "2", "3", "4"), ("low", "high"))
    assert (chosen.output_unit, chosen.probabilities) == ("", True)
    text = naming(dataset(Task.NEXT_TOKEN, "step", ("a", "b", "c")))
    assert (text.inputs, text.outputs, text.tokens) == (("a", "b", "c"), ("a", "b", "c"), True)


def unpacked(sent: bytes) -> tuple[dict, np.ndarray]:
    """The header and the floats of a message."""
    length = int.from_bytes(sent[:4], "little")
    assert length % 4 == 0
    return json.loads(sent[4 : 4 + length]), np.frombuffer(sent[4 + length :], "<f4")


START = Order(t=0, unit=0, layer=0, reverse=False, number=0, answered=False)


def test_the_message_holds_every_array_where_it_says():
    trace = network(values(11, 3), layers=2, both=True, attention=True)
    shown = scene(trace, sequence=0, quantity="h", naming=names(trace))
    header, floats = unpacked(message(shown, START, "k", dark=True))

    def array(where: dict) -> np.ndarray:
        return floats[where["at"] :][: np.prod(where["shape"])].reshape(where["shape"])

    np.testing.assert_array_equal(array(header["inputs"]["values"]), shown.inputs.values)
    np.testing.assert_array_equal(array(header["attention"]), shown.attention)
    for sent, row in zip(header["rows"], shown.rows, strict=True):
        np.testing.assert_array_equal(array(sent["recurrent"]), row.recurrent)
        np.testing.assert_array_equal(array(sent["inputs"]), row.inputs)
        for lane_sent, lane in zip(sent["lanes"], row.lanes, strict=True):
            np.testing.assert_array_equal(array(lane_sent["values"]), lane.values)
    assert header["order"]["number"] == 0
    assert header["dark"] is True


def test_the_id_follows_the_picture_and_not_the_order():
    trace = network(values(11))
    shown = scene(trace, sequence=0, quantity="h", naming=names(trace))
    other = scene(trace, sequence=1, quantity="h", naming=names(trace))
    later = Order(t=5, unit=1, layer=0, reverse=False, number=3, answered=True)
    ids = [
        unpacked(message(*parts))[0]["id"]
        for parts in (
            (shown, START, "k", False),
            (shown, later, "k", False),
            (shown, START, "k", True),
            (other, START, "k", False),
        )
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(("steps", "layers", "both"), [(144, 4, True), (1440, 1, False)])
def test_a_day_stays_small(steps, layers, both):
    trace = network(values(steps), size=32, layers=layers, both=both, attention=True)
    shown = scene(trace, sequence=0, quantity="h", naming=names(trace))
    floats = steps * (MOST_CELLS * 2 + 1 + 1)
    assert len(message(shown, START, "k", dark=False)) < 4 * floats + 9 * steps + 40_000


def report(t: int, order: Order, unit: int = 0) -> dict:
    """What the browser sends."""
    seen = {name: getattr(order, name) for name in ("t", "unit", "layer", "reverse", "number")}
    return {"t": t, "unit": unit, "layer": 0, "reverse": False, "order": seen}


def test_orders_change_only_when_something_else_moved_the_selection():
    trace = network(values(11))
    shown = scene(trace, sequence=0, quantity="h", naming=names(trace))

    def wanted(t: int, sent: object) -> Order:
        return order_for(Place(t=t, unit=0, layer=0, reverse=False), sent, shown)

    assert wanted(4, None) == Order(t=4, unit=0, layer=0, reverse=False, number=0, answered=False)
    moved = report(7, wanted(4, None))
    kept = wanted(7, moved)  # the page took over what the browser reported
    assert (kept.t, kept.number, kept.answered) == (4, 0, True)
    assert wanted(8, report(8, kept)) == kept
    ordered = wanted(2, report(8, kept))  # another page chose step 2
    assert (ordered.t, ordered.number) == (2, 1)
    assert wanted(2, report(8, kept)) == ordered
    assert wanted(3, report(3, ordered)).number == 1


@pytest.mark.parametrize(
    "sent",
    [
        None,
        7,
        [],
        {},
        {"t": 1, "unit": 1, "layer": 0},
        {"t": "1", "unit": 1, "layer": 0, "reverse": False},
        {"t": True, "unit": 1, "layer": 0, "reverse": False},
        {"t": -1, "unit": 1, "layer": 0, "reverse": False},
        {"t": 1.5, "unit": 1, "layer": 0, "reverse": False},
        {"t": 2**40, "unit": 1, "layer": 0, "reverse": False},
        {"t": 1, "unit": 1, "layer": 0, "reverse": "no"},
    ],
)
def test_nonsense_from_a_browser_is_no_move(sent):
    trace = network(values(11))
    shown = scene(trace, sequence=0, quantity="h", naming=names(trace))
    assert read_move(sent, shown) is None


def test_a_move_is_brought_into_the_scene():
    trace = network(values(11), both=True)
    shown = scene(trace, sequence=0, quantity="h", naming=names(trace))
    far = {"t": 99, "unit": 99, "layer": 5, "reverse": True}
    assert read_move(far, shown) == Moved(t=10, unit=11, layer=0, reverse=False)
    near = {"t": 9, "unit": 3, "layer": 0, "reverse": True}
    assert read_move(near, shown) == Moved(t=9, unit=3, layer=0, reverse=True)


def tokens_message(texts: tuple[str, ...], numbers: list[float], **change: object) -> dict:
    """What is sent for a coloured text."""
    given = {"low": -1.0, "high": 1.0, "dark": False, "name": "h", "selected": None}
    given |= {"quantity": Quantity.STATE} | change
    return json.loads(tokens.message(texts, np.array(numbers, np.float32), **given))


def test_tokens_travel_as_they_are():
    hostile = ("<img src=x onerror=alert(1)>", " ", "\n", "日")
    sent = tokens_message(hostile, [0.5, np.nan, -2.0, 0.25], selected=2)
    assert tuple(sent["tokens"]) == hostile
    assert sent["values"] == [0.5, None, -2.0, 0.25]
    assert (sent["low"], sent["high"], sent["selected"]) == (-1.0, 1.0, 2)
    assert all(0 <= part <= 255 for stop in sent["stops"] for part in stop)


@pytest.mark.parametrize("sent", [None, -1, 4, 1.0, True, "1", [1]])
def test_an_index_that_is_none_of_the_tokens_is_no_click(sent):
    assert tokens.read_index(sent, 4) is None
    assert tokens.read_index(3, 4) == 3


def test_every_token_needs_a_value():
    with pytest.raises(TraceError, match="2 values were given for 3 tokens; give one each"):
        tokens_message(("a", "b", "c"), [1.0, 2.0])
