"""Interventions do what they say: beside a step loop of torch's, written here once more."""

import random
import string
import time
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from test_record import B, F, H, T, make_batch, make_model

from rnnviz.cells import CELLS
from rnnviz.config import DataConfig
from rnnviz.data.dataset import Task
from rnnviz.data.sources import load
from rnnviz.errors import TraceError
from rnnviz.inside import edited, reaching
from rnnviz.inside.interventions import (
    INTERVENTIONS,
    LONGEST,
    MOST,
    apply,
    key_of,
    misfits,
    read,
    written,
)
from rnnviz.inside.measured import Measured
from rnnviz.inside.network import Network, sequence_of
from rnnviz.inside.retraced import retraced
from rnnviz.inside.staging import Names, Place
from rnnviz.record import record
from rnnviz.trace import Scaling

ROW = 1
SETTINGS = {"layers": 2, "bidirectional": True, "attention": "additive"}
PLACES = [Place(layer, reverse) for layer in (0, 1) for reverse in (False, True)]


@cache
def sample(cell, **more):
    """A model, its batch, and the NumPy network with one sequence."""
    model = make_model(cell, **{**SETTINGS, **more})
    batch = make_batch(model, outputs=len(model.head.bias))
    trace = record(model, batch, np.arange(B))
    return model, batch, Network.of(trace), sequence_of(trace, ROW)


def changed(network, sequence, *stack, measured=None):
    done = apply(network, sequence, stack, measured)
    return done.network.run(done.sequence, done.hands)


# -- the same once more, in torch: one step after the other, one `if` for each kind ----------------


def gates_of(cell, z, u, before, force):
    """Gates and new states by the equations on paper; u[k](s) is U_k s + b_k, z[k] W_k x + b_k."""
    hard = lambda v: torch.clip(v / 6 + 0.5, 0, 1)  # noqa: E731
    squash = hard if cell in ("gru-before-hard", "lstm-relu", "lstm-hard") else torch.sigmoid
    content = torch.relu if cell in ("lstm-relu", "lstm-relu-sigmoid", "rnn-relu") else torch.tanh
    h = before[0]
    if cell.startswith("rnn"):
        a = force("a", content(z[0] + u[0](h)))
        return {"a": a}, None, a
    if cell.startswith("gru"):
        r = force("r", squash(z[0] + u[0](h)))
        k = force("z", squash(z[1] + u[1](h)))
        inner = u[2](r * h) if cell.startswith("gru-before") else r * u[2](h)
        n = force("n", torch.tanh(z[2] + inner))
        return {"r": r, "z": k, "n": n}, None, (1 - k) * n + k * h
    i = force("i", squash(z[0] + u[0](h)))
    f = force("f", squash(z[1] + u[1](h)))
    g = force("g", content(z[2] + u[2](h)))
    o = force("o", squash(z[3] + u[3](h)))
    return {"i": i, "f": f, "g": g, "o": o}, f * before[1] + i * g, lambda c: o * content(c)


def loop(way, x, does, place):
    """The states h of one direction of one sequence, on real time, with what somebody does."""
    cell, count = way.cell.name, len(way.cell.gates)
    w = [getattr(way.rnn, name).detach().clone() for name in
         ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")]  # fmt: skip
    w_x, w_h, b_x, b_h = (values.chunk(count) for values in w)
    mine = [it for it in does if getattr(it, "place", None) == place]
    for it in mine:
        if isinstance(it, edited.Weigh):
            block = {"W": w_x, "U": w_h, "bW": b_x, "bU": b_h}[it.part]
            k = [gate.symbol for gate in way.cell.gates].index(it.gate)
            block[k].view(H, -1)[it.row, it.column] = it.value
    h, c, kept, out = torch.zeros(H).double(), torch.zeros(H).double(), {}, {}
    order = range(T - 1, -1, -1) if way.reverse else range(T)
    seen = []
    for t in order:
        for it in mine:
            if isinstance(it, reaching.Cut) and it.step == t:
                h = torch.zeros_like(h) if "h" in it.state else h
                c = torch.zeros_like(c) if "c" in it.state else c
        z = [w_x[k] @ x[t] + b_x[k] for k in range(count)]
        u = [lambda s, k=k: w_h[k] @ s + b_h[k] for k in range(count)]

        def force(name, value, t=t):
            for it in mine:
                if isinstance(it, reaching.Hold) and it.gate == name and it.first <= t <= it.last:
                    value = value.clone()
                    value[list(it.units) or slice(None)] = it.value
            return value

        def altered(name, value, t=t):
            for it in mine:
                if getattr(it, "state", "") != name or isinstance(it, reaching.Cut):
                    continue
                units = list(it.units) or slice(None)
                inside = it.first <= t <= it.last
                begin = it.last if way.reverse else it.first
                if isinstance(it, reaching.Put) and inside:
                    value = value.clone()
                    value[units] = it.value
                if isinstance(it, reaching.Freeze) and inside:
                    if t == begin:
                        kept[id(it)] = value[units].clone()
                    value = value.clone()
                    value[units] = kept[id(it)]
            return value

        gates, memory, shown = gates_of(cell, z, u, (h, c), force)
        if memory is not None:
            c = altered("c", memory)
            shown = shown(c)
        h = altered("h", shown)
        out[t] = h
        seen.append((t, gates))
    return torch.stack([out[t] for t in range(T)]), dict(seen)


def by_hand(model, batch, does, x=None):
    """The outputs of the sequence after what somebody does, and every gate of every way."""
    with torch.no_grad():
        whole = model.encode(batch.inputs).clone()
        x = whole[:, ROW] if x is None else x
        gates = {}
        for number, ways in enumerate(model.layers):
            parts = []
            for way in ways:
                place = Place(number, way.reverse)
                h, gates[place] = loop(way, x, does, place)
                parts.append(h)
            x = torch.cat(parts, dim=-1)
        top = torch.zeros(T, B, x.shape[1], dtype=torch.double)
        top[:, ROW] = x
        return model.read(top, batch).outputs[ROW].numpy(), gates


def agree(cell, *does, **more):
    """Both ways of doing it give the same, and something else than nothing done."""
    model, batch, network, sequence = sample(cell, **more)
    done = changed(network, sequence, *does)
    expected, gates = by_hand(model, batch, does)
    np.testing.assert_allclose(done.read.outputs, expected, atol=1e-10)
    for place, way in enumerate(network.ways):
        layer = retraced(network, done, place)
        for t, values in gates[Place(way.layer, way.reverse)].items():
            for name, value in values.items():
                np.testing.assert_allclose(layer.gate(name)[0, t], value, atol=1e-10)
    untouched = network.run(sequence)
    if "relu" not in cell:  # a unit that is dead stays so
        assert np.abs(done.top - untouched.top).max() > 1e-6


CELL = pytest.mark.parametrize("cell", CELLS)
PLACE = pytest.mark.parametrize("place", PLACES[::3], ids=lambda place: place.title)


@CELL
@PLACE
def test_a_gate_is_held(cell, place):
    for k, gate in enumerate(CELLS[cell].gates):
        units = (1, 4) if k % 2 else ()
        agree(cell, reaching.Hold(place=place, gate=gate.symbol, value=0.3, units=units,
                                  first=3, last=5))  # fmt: skip


@CELL
@PLACE
def test_a_state_is_frozen_set_and_cut(cell, place):
    for state in CELLS[cell].states:
        agree(cell, reaching.Freeze(place=place, state=state, units=(0, 2), first=2, last=6))
        agree(cell, reaching.Put(place=place, state=state, first=4, last=4))
        agree(cell, reaching.Put(place=place, state=state, value=0.7, units=(3,), first=1, last=7))
        agree(cell, reaching.Cut(place=place, state=state, step=4))
    if len(CELLS[cell].states) > 1:
        agree(cell, reaching.Cut(place=place, state="hc", step=4))


@CELL
@PLACE
def test_a_weight_is_edited(cell, place):
    gate = CELLS[cell].gates[-1].symbol
    for part in ("W", "U"):
        agree(cell, edited.Weigh(place=place, part=part, gate=gate, row=1, column=1, value=1.5))
    for part in ("bW", "bU"):
        agree(cell, edited.Weigh(place=place, part=part, gate=gate, row=2, value=1.5))


@CELL
def test_many_at_once_compose(cell):
    gate, state = CELLS[cell].gates[0].symbol, CELLS[cell].states[-1]
    agree(
        cell,
        edited.Weigh(place=PLACES[1], part="U", gate=gate, row=0, column=4, value=-2.0),
        reaching.Hold(place=PLACES[0], gate=gate, value=0.9, first=0, last=6),
        reaching.Hold(place=PLACES[0], gate=gate, value=0.1, units=(2,), first=4, last=8),
        reaching.Freeze(place=PLACES[3], state=state, first=1, last=3),
        reaching.Put(place=PLACES[3], state="h", value=0.2, units=(0,), first=2, last=2),
        reaching.Cut(place=PLACES[2], state="h", step=5),
    )


def test_a_reset_gate_before_the_product_changes_the_content_of_the_same_step():
    _, _, network, sequence = sample("gru-before")
    hold = reaching.Hold(place=PLACES[0], gate="r", value=0.0, first=4, last=4)
    before, after = network.run(sequence), changed(network, sequence, hold)
    np.testing.assert_array_equal(before.steps[0].gates[2][:4], after.steps[0].gates[2][:4])
    way, step = network.ways[0], after.steps[0]
    alone = np.tanh(step.x[4, 0, 2] + way.weights.recurrent_bias[2])  # U_n (0 * h) is nothing
    np.testing.assert_allclose(step.gates[2][4, 0], alone, atol=1e-12)
    assert np.abs(alone - before.steps[0].gates[2][4, 0]).max() > 1e-3


def test_a_frozen_memory_shows_in_the_state_of_the_same_step():
    _, _, network, sequence = sample("lstm")
    put = reaching.Put(place=PLACES[0], state="c", value=0.5, first=4, last=4)
    step = changed(network, sequence, put).steps[0]
    np.testing.assert_allclose(step.states[0][4], step.gates[3][4] * np.tanh(0.5), atol=1e-12)


def test_steps_before_a_cut_are_as_they_were_in_reading_order():
    _, _, network, sequence = sample("lstm", layers=1)
    untouched = network.run(sequence)
    done = changed(network, sequence, reaching.Cut(place=PLACES[1], state="hc", step=5))
    before, after = (retraced(network, it, 1).state("h")[0] for it in (untouched, done))
    np.testing.assert_array_equal(before[6:], after[6:])  # it reads from the end
    assert (np.abs(before[:6] - after[:6]).max(axis=1) > 0).all()


def test_order_matters_where_two_touch_the_same():
    _, _, network, sequence = sample("lstm")
    hold = [
        reaching.Hold(place=PLACES[0], gate="f", value=value, first=2, last=5) for value in (0, 1)
    ]
    for stack in (hold, hold[::-1]):
        step = changed(network, sequence, *stack).steps[0]
        assert (step.gates[1][2:6] == stack[-1].value).all()


def test_the_same_hands_do_the_same_twice():
    _, _, network, sequence = sample("lstm")
    freeze = reaching.Freeze(place=PLACES[0], state="c", first=2, last=5)
    done = apply(network, sequence, (freeze,))
    first, second = (done.network.run(done.sequence, done.hands) for _ in range(2))
    np.testing.assert_array_equal(first.outputs, second.outputs)


# -- what is read ----------------------------------------------------------------------------------


@CELL
def test_an_edited_sequence_is_run_as_it_is(cell):
    model, batch, network, sequence = sample(cell)
    stack = (
        edited.SetInput(feature=1, value=2.0, first=1, last=3),
        edited.AddInput(value=-0.5, first=3, last=4),
        edited.Mask(first=8, last=8),
    )
    x = batch.inputs[:, ROW].clone()
    x[1:4, 1] = 2.0
    x[3:5] -= 0.5
    x[8] = 0.0
    np.testing.assert_array_equal(apply(network, sequence, stack).sequence.inputs, x.numpy())
    expected, _ = by_hand(model, batch, (), x)
    np.testing.assert_allclose(
        changed(network, sequence, *stack).read.outputs, expected, atol=1e-10
    )


SHIFTS = [  # by, first, last -> where each step comes from
    (2, 0, 8, [7, 8, 0, 1, 2, 3, 4, 5, 6]),
    (-2, 0, 8, [2, 3, 4, 5, 6, 7, 8, 0, 1]),
    (2, 1, 3, [0, 4, 5, 1, 2, 3, 6, 7, 8]),
    (-1, 1, 3, [1, 2, 3, 0, 4, 5, 6, 7, 8]),
    (3, 7, 8, [7, 8, 2, 3, 4, 5, 6, 0, 1][:9]),
    (-2, 0, 1, [7, 8, 2, 3, 4, 5, 6, 0, 1]),
    (0, 2, 4, list(range(9))),
]


@pytest.mark.parametrize(("by", "first", "last", "order"), [s for s in SHIFTS if s[0] != 3])
def test_a_part_moves_and_nothing_is_lost(by, first, last, order):
    _, _, network, sequence = sample("rnn")
    moved = apply(network, sequence, (edited.Shift(by=by, first=first, last=last),))
    np.testing.assert_array_equal(moved.sequence.inputs, sequence.inputs[order])


def test_a_part_moves_over_the_end_to_the_beginning():
    _, _, network, sequence = sample("rnn")
    moved = apply(network, sequence, (edited.Shift(by=3, first=7, last=8),)).sequence.inputs
    # steps 8 and 9 go to 2 and 3; the three that they pass come to 8, 9 and 1
    np.testing.assert_array_equal(moved, sequence.inputs[[2, 7, 8, 3, 4, 5, 6, 0, 1]])


def test_a_part_moved_and_moved_back_is_as_before():
    _, _, network, sequence = sample("rnn")
    stack = (edited.Shift(by=4, first=1, last=3), edited.Shift(by=-4, first=5, last=7))
    np.testing.assert_array_equal(apply(network, sequence, stack).sequence.inputs, sequence.inputs)


def test_tokens_are_replaced_and_masked():
    model = make_model("gru", task=Task.NEXT_TOKEN, outputs=F)
    batch = make_batch(model)
    trace = record(model, batch, np.arange(B))
    network, sequence = Network.of(trace), sequence_of(trace, ROW)
    measured = Measured(mean=np.zeros(F), sd=np.ones(F), nothing=np.zeros(F), tokens=True)
    other = 1 - int(batch.inputs[3, ROW])
    stack = (edited.Token(token=other, step=3), edited.Mask(first=5, last=6))
    done = changed(network, sequence, *stack, measured=measured)
    x = model.encode(batch.inputs)[:, ROW].clone()
    x[3] = torch.eye(F)[other]
    x[5:7] = 0
    expected, _ = by_hand(model, batch, (), x)
    np.testing.assert_allclose(done.read.outputs, expected, atol=1e-10)
    with pytest.raises(TraceError, match="replace or mask tokens"):
        apply(network, sequence, (edited.SetInput(value=1.0, first=0, last=0),), measured)
    with pytest.raises(TraceError, match="is no text"):
        apply(network, sequence, stack)


def test_the_head_is_edited():
    model, batch, network, sequence = sample.__wrapped__("lstm")
    stack = (edited.WeighHead(row=0, column=2, value=3.0), edited.WeighHead(row=0, value=-1.0))
    with torch.no_grad():
        model.head.weight[0, 2], model.head.bias[0] = 3.0, -1.0
    expected, _ = by_hand(model, batch, ())
    np.testing.assert_allclose(
        changed(network, sequence, *stack).read.outputs, expected, atol=1e-10
    )


def test_values_are_given_as_they_are_measured():
    rng = np.random.default_rng(0)
    _, _, network, sequence = sample("lstm")
    measured = Measured(
        mean=np.array([3.0, 0.9]), sd=np.array([1.5, 0.2]), nothing=np.zeros(2),
        logged=1, worn=1, lowest=0.0,
    )  # fmt: skip
    counts, worn = rng.uniform(0, 900, T), rng.uniform(0, 1, T)
    inputs = np.stack([(np.log1p(counts) - 3.0) / 1.5, (worn - 0.9) / 0.2], axis=1)
    np.testing.assert_allclose(measured.values(inputs), np.stack([counts, worn], 1), atol=1e-9)
    sequence = replace(sequence, inputs=inputs)
    stack = (
        edited.SetInput(value=500.0, first=0, last=1),
        edited.AddInput(value=100.0, first=1, last=2),
        edited.AddInput(value=-1e5, first=3, last=3),
        edited.Mask(first=4, last=4),
    )
    edit = measured.values(apply(network, sequence, stack, measured).sequence.inputs)
    expected = [500, 600, counts[2] + 100, 0, 0, *counts[5:]]
    np.testing.assert_allclose(edit[:, 0], expected, atol=1e-6)
    np.testing.assert_allclose(edit[:, 1], [*worn[:4], 0, *worn[5:]], atol=1e-12)


def test_what_was_measured_is_known_of_real_data(tmp_path):
    data = load(DataConfig(people=30, days=1, blocks="144x1", mask=True), tmp_path)
    assert [(v.name, v.unit) for v in data.logged] == [("mean of 10 min", "counts/min")]
    model = make_model("lstm", inputs=2)
    batch = make_batch(model)
    scaling = Scaling(mean=np.array([3.0, 0.5]), sd=np.array([2.0, 0.25]))
    trace = replace(record(model, batch, np.arange(B)), scaling=scaling)
    measured = Measured.of(trace, data)
    read = (data.inputs[0].astype(np.float64) - scaling.mean) / scaling.sd
    counts = np.expm1(data.inputs[0, :, 0].astype(np.float64))
    np.testing.assert_allclose(measured.values(read)[:, 0], counts, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(measured.inputs(measured.nothing), [-1.5, -2.0])
    raw = load(DataConfig(people=30, days=1, blocks="24x60", scale="raw"), tmp_path)
    assert raw.logged == ()
    assert Names.of(raw).unit == "counts/min"


# -- what does not fit -----------------------------------------------------------------------------

AT = {"place": PLACES[0], "first": 0, "last": 1}
UNFIT = [
    (reaching.Hold(**AT, gate="f", value=1.5), r"gate f cannot be 1.5; it lies in \[0, 1\]"),
    (reaching.Hold(**AT, gate="q", value=0.5), "no gate 'q'; choose one of i, f, g, o"),
    (reaching.Hold(**AT, gate="f", value=0.5, units=(1, 5)), "no unit 6; choose units from 1 to 5"),
    (reaching.Freeze(**{**AT, "last": 9}, state="h"), "no step 10; choose steps from 1 to 9"),
    (reaching.Put(**{**AT, "place": Place(2)}, state="h"), "no layer 3; choose one of: layer 1;"),
    (edited.Weigh(place=PLACES[0], part="W", gate="i", row=0, column=2, value=1), "no weight W_i"),
    (edited.Weigh(place=PLACES[0], part="bU", gate="i", row=5, value=1), "no weight b_Ui"),
    (edited.Weigh(place=PLACES[0], part="bU", gate="i", row=0, column=1, value=1), "no weight"),
    (edited.WeighHead(row=1, value=0.0), "no weight b_V"),
    (edited.SetInput(feature=2, value=0.0, first=0, last=0), "no input 3; choose one from 1 to 2"),
    (edited.Shift(by=7, first=0, last=2), "can be moved by at most 6"),
    (edited.Token(token=0, step=0), "no text"),
]


@pytest.mark.parametrize(("it", "why"), UNFIT, ids=[why[:24] for _, why in UNFIT])
def test_what_does_not_fit_says_why_and_is_left_out(it, why):
    _, _, network, sequence = sample("lstm")
    with pytest.raises(TraceError, match=why):
        apply(network, sequence, (it,))
    good = edited.Mask(first=0, last=0)
    found = misfits(network, sequence, (good, it, good))
    assert found[0] == found[2] == ""
    assert found[1]
    assert read(written((it,))) == (it,)  # a link may hold what another network can do


def test_a_cell_without_memory_says_so():
    _, _, network, sequence = sample("gru")
    with pytest.raises(TraceError, match="no state 'c'; choose one of h"):
        apply(network, sequence, (reaching.Cut(place=PLACES[0], state="hc", step=1),))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: edited.Mask(first=3, last=2), "are no range"),
        (lambda: edited.Mask(first=-1, last=2), "are no range"),
        (lambda: edited.Mask(first=0, last=10**6), "are no range"),
        (lambda: edited.SetInput(value=float("nan"), first=0, last=0), "no usable value"),
        (lambda: edited.AddInput(value=float("inf"), first=0, last=0), "no usable value"),
        (lambda: reaching.Put(**AT, state="h", units=(2, 2)), "different units"),
        (lambda: reaching.Put(**AT, state="h", units=(-1,)), "different units"),
        (lambda: reaching.Cut(place=PLACES[0], state="x", step=0), "choose one of h, c, hc"),
        (lambda: edited.Weigh(place=PLACES[0], part="V", gate="f", row=0, value=0), "one of W, U"),
        (lambda: edited.Shift(by=10**6, first=0, last=1), "fewer"),
    ],
)
def test_what_makes_no_sense_is_refused(make, why):
    with pytest.raises(TraceError, match=why):
        make()


# -- as text ---------------------------------------------------------------------------------------


def drawn(rng):
    """Any intervention at all."""
    first = rng.randrange(2000)
    span = {"first": first, "last": first + rng.randrange(2000)}
    place = Place(rng.randrange(9), rng.random() < 0.5)
    units = tuple(sorted(rng.sample(range(512), rng.randrange(6))))
    value = rng.choice([0.0, 1.0, -1.5, rng.uniform(-1e6, 1e6), rng.gauss(0, 1e-6), 5e-324, 1 / 3])
    state, feature = rng.choice("hc"), rng.choice([None, rng.randrange(60)])
    row, column = rng.randrange(500), rng.randrange(500)
    return rng.choice([
        reaching.Hold(place=place, gate=rng.choice("ifgorzna"), value=value, units=units, **span),
        reaching.Freeze(place=place, state=state, units=units, **span),
        reaching.Put(place=place, state=state, value=value, units=units, **span),
        reaching.Cut(place=place, state=rng.choice(["h", "c", "hc"]), step=first),
        edited.SetInput(feature=feature, value=value, **span),
        edited.AddInput(feature=feature, value=value, **span),
        edited.Mask(**span),
        edited.Shift(by=rng.randrange(-1440, 1440), **span),
        edited.Token(token=rng.randrange(900), step=first),
        edited.Weigh(place=place, part=rng.choice(["W", "U", "bW", "bU"]), gate="f", row=row,
                     column=column, value=value),
        edited.WeighHead(row=row, column=rng.choice([None, column]), value=value),
    ])  # fmt: skip


def test_a_stack_comes_back_from_its_text():
    rng, seen = random.Random(0), set()
    for _ in range(500):
        stack = tuple(drawn(rng) for _ in range(rng.randrange(8)))
        text = written(stack)
        assert set(text) <= set(string.ascii_letters + string.digits + "-._~")
        assert read(text) == stack
        seen |= set(map(key_of, stack))
    assert seen == set(INTERVENTIONS)


def test_the_text_is_short_and_counts_from_one():
    hold = reaching.Hold(place=PLACES[1], gate="f", value=0, first=47, last=70)
    cut = reaching.Cut(place=PLACES[0], state="hc", step=59)
    assert written((hold, cut)) == "hold_1b_f_all_48-71_0~cut_1_hc_60"


GOOD = "hold_1_f_all_48-71_0"
BAD = [
    "x", "hold", "hold_", f"{GOOD}_", f"{GOOD}~", f"~{GOOD}", f" {GOOD}", f"{GOOD}\n",
    "hold_0_f_all_48-71_0", "hold_1_f_all_71-48_0", "hold_1_f_all_0-71_0", "hold_1_f_all_48_nan",
    "hold_1_f_all_48_1e999", "hold_1_f_all_48_inf", "hold_1_f_all_48_0x1", "hold_1_f_all_48_1_0",
    "hold_1_f_2.1_48_0", "hold_1_f_1..2_48_0", "hold_1_f_all_99999999999999999999_0",
    "hold_1_F_all_48_0", "hold_1_ff_all_48_0", "hold_１_f_all_48_0", "hold_1_f_all_4٨_0",
    "cut_1_x_3", "cut_1_ch_3", "__class___1", "set_all_1_0_0", "weight_1_V_f_1_1_0", "shift_1_1e3",
    "head_1_all_0", "token_0_1", "mask_1-2-3", "mask_-1", "%s", "../../etc", "<script>", "🙂", "\0",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_anything_else_is_refused_with_what_is_allowed(text):
    assert len(read(GOOD)) == 1
    with pytest.raises(TraceError):
        read(text)


def test_too_much_is_refused():
    assert len(read("~".join(["mask_1"] * MOST))) == MOST
    with pytest.raises(TraceError, match="13 interventions; at most 12"):
        read("~".join(["mask_1"] * (MOST + 1)))
    with pytest.raises(TraceError, match="at most 1,500"):
        read("mask_1~" * 10**6)
    assert read("") == ()


def test_no_text_breaks_or_takes_long():
    """1,000 random strings, and 1,000 good ones with damage: a stack or TraceError, at once."""
    rng, began, stacks = random.Random(1), time.perf_counter(), 0
    letters = string.printable + "é１🙂\0" + "_~-.0123456789" * 4
    texts = ["".join(rng.choices(letters, k=rng.randrange(2 * LONGEST))) for _ in range(1000)]
    for _ in range(1000):
        text = list(written(tuple(drawn(rng) for _ in range(rng.randrange(1, 5)))))
        for _ in range(rng.randrange(1, 3)):
            place = rng.randrange(len(text))
            text[place : place + rng.randrange(2)] = rng.choice(letters)
        texts.append("".join(text))
    said = []
    for text in texts:
        try:
            stack = read(text)
        except TraceError as wrong:
            said.append(str(wrong))
        else:
            stacks += 1
            assert read(written(stack)) == stack
    assert max(map(len, said)) < 400
    assert 0 < stacks < 1900
    assert time.perf_counter() - began < 10


# -- in words --------------------------------------------------------------------------------------


def test_sentences_say_what_is_done():
    days = Names(
        begins=tuple(f"{k // 6:02d}:{k % 6}0" for k in range(144)),
        ends=tuple(f"{k // 6:02d}:{k % 6}0" for k in range(1, 145)),
        minutes=10, unit="counts/min", nothing="0 counts/min",
    )  # fmt: skip
    said = {
        "hold_1_f_all_49-72_0": "gate f of layer 1 is held at 0 from 08:00 to 12:00",
        "hold_1_f_3.5_49-72_0.5": (
            "gate f of layer 1, units 3 and 5, is held at 0.5 from 08:00 to 12:00"
        ),
        "freeze_2b_c_3_1-6": (
            "memory c of unit 3 of layer 2, backward stays as it is from 00:00 to 01:00"
        ),
        "put_1_h_all_73_0": "state h of all units of layer 1 is 0 from 12:00 to 12:10",
        "cut_1_c_73": "memory c of layer 1 is cut at 12:00",
        "cut_1_hc_73": "state h and memory c of layer 1 are cut at 12:00",
        "set_all_73-78_500": "the input is 500 counts/min from 12:00 to 13:00",
        "add_all_73-78_-20": "the input is 20 counts/min lower from 12:00 to 13:00",
        "mask_73-144": "the part from 12:00 to 24:00 is masked (0 counts/min)",
        "shift_1-144_36": "the part from 00:00 to 24:00 is moved 6 h later",
        "shift_1-144_-1": "the part from 00:00 to 24:00 is moved 10 min earlier",
        "weight_1_U_f_3_5_0.7": "weight U_f[3, 5] of layer 1 is 0.7",
        "weight_1_bW_f_3_1_0.7": "weight b_Wf[3] of layer 1 is 0.7",
        "head_1_bias_2": "weight b_V[1] of the head is 2",
    }
    assert {text: read(text)[0].sentence(days) for text in said} == said
    text = Names(tokens=("a", "b"))
    assert read("token_2_3")[0].sentence(text) == "'b' is read at step 3"
    assert read("mask_3-4")[0].sentence(text) == (
        "the part at steps 3 to 4 is masked (nothing is read there)"
    )
