"""Pictures of a run before and after: the numbers are the runs', and both share one scale."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from figures_samples import days, text, trace

from rnnviz.cells import CELLS
from rnnviz.data.dataset import MASK, Variable
from rnnviz.errors import DataError, TraceError
from rnnviz.figures.clock import Clock
from rnnviz.figures.theme import Quantity, colour_scale, palette, template
from rnnviz.figures.values import difference_range, names_of
from rnnviz.figures.whatif import chances, heat_maps, inputs, over_time, unit_lines

DARK = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


def layers(cell="lstm", **more):
    """Two runs of one layer."""
    return tuple(trace(cell, seed=seed, **{"steps": 24, **more}).layers[0] for seed in (0, 1))


def of_panel(figure, k):
    """Colours and axes of one of three heat maps."""
    drawn = figure.data[k]
    return drawn.zmin, drawn.zmax, drawn.colorscale


@DARK
@pytest.mark.parametrize("cell", CELLS)
def test_heat_maps_show_both_runs_on_one_scale_and_their_difference(cell, dark):
    before, after = layers(cell)
    for name in (n for n in names_of(before) if not n.startswith("dL/d")):
        figure = heat_maps(before, after, name, dark=dark, step=3, unit=1, touched=((2, 5),))
        z = [np.asarray(panel.z) for panel in figure.data]
        np.testing.assert_allclose(z[1] - z[0], z[2], atol=1e-5)
        assert of_panel(figure, 0) == of_panel(figure, 1)
        low, high, scale = of_panel(figure, 2)
        assert low == -high
        assert [list(stop) for stop in scale] == colour_scale(Quantity.DIFFERENCE, dark)
        assert np.abs(z[2]).max() <= high * 1.001 <= 2.51 * np.abs(z[2]).max()
        assert figure.layout.template == template(dark)
    gate = before.gate_names[0]
    shown = np.asarray(heat_maps(before, after, gate).data[0].z)
    np.testing.assert_allclose(shown, before.gate(gate)[0].T, atol=1e-6)


def test_heat_maps_line_up_in_time_and_do_not_overlap():
    figure = heat_maps(*layers(), "h")
    tops = [figure.layout[axis].domain for axis in ("yaxis", "yaxis2", "yaxis3")]
    assert all(above[0] > below[1] for above, below in pairwise(tops))
    bars = [panel.colorbar for panel in figure.data]
    assert [(bar.y, bar.y + bar.len) for bar in bars] == [pytest.approx(top) for top in tops]
    assert {panel.xaxis for panel in figure.data} == {None}  # all on the one axis


def test_two_runs_alike_say_so():
    before, _ = layers()
    figure = heat_maps(before, before, "c")
    assert not np.asarray(figure.data[2].z).any()
    assert "No difference." in [note.text for note in figure.layout.annotations]
    assert "No difference." not in [n.text for n in heat_maps(*layers(), "c").layout.annotations]


def test_long_runs_are_drawn_as_block_means():
    before, after = layers(steps=1440, units=64)
    figure = heat_maps(before, after, "h", clock=Clock(times=np.arange(1440.0), unit="min"))
    assert "means of" in figure.layout.title.text
    assert all(np.asarray(panel.z).size <= 45_000 for panel in figure.data)
    whole = np.asarray(figure.data[2].z).mean()
    assert whole == pytest.approx((after.state("h") - before.state("h"))[0].mean(), abs=1e-5)


@DARK
@pytest.mark.parametrize("cell", CELLS)
def test_lines_show_every_gate_and_state_of_the_unit(cell, dark):
    before, after = layers(cell, gain=3.0)
    figure = unit_lines(before, after, 2, dark=dark, step=0, touched=((4, 4), (4, 4), (8, 11)))
    names = [
        n
        for n in (*before.gate_names, *before.state_names)
        if (n, len(CELLS[cell].gates)) != ("a", 1)
    ]
    assert len(figure.data) == 2 * len(names)
    for k, name in enumerate(names):
        drawn = figure.data[2 * k : 2 * k + 2]
        for line, layer in zip(drawn, (before, after), strict=True):
            values = layer.gate(name) if name in layer.gate_names else layer.state(name)
            np.testing.assert_allclose(line.y, values[0, :, 2], atol=1e-6)
        axis = figure.layout["yaxis" + ("" if k == 0 else str(k + 1))]
        assert axis.title.text == name
        for line in drawn:  # none leaves its axis
            assert axis.range[0] <= np.min(line.y)
            assert np.max(line.y) <= axis.range[1]
    shaded = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert [(shape.x0, shape.x1) for shape in shaded] == [(4.5, 5.5), (8.5, 12.5)]
    assert figure.layout.dragmode is None
    dragged = unit_lines(before, after, 2, chosen=(6, 9))
    assert (dragged.layout.dragmode, dragged.layout.selectdirection) == ("select", "h")
    assert [(s.x0, s.x1) for s in dragged.layout.shapes] == [(6.5, 10.5)]
    with pytest.raises(TraceError, match="no unit 13"):
        unit_lines(before, after, 12)


def test_what_is_read_is_shown_as_it_was_measured():
    data = days(6)
    counts = np.expm1(data.inputs[2].astype(np.float64))
    data = dataclasses.replace(data, logged=(Variable("mean of 10 min", "counts/min"),))
    after = counts.copy()
    after[48:72] = 500
    figure = inputs(data, 2, counts, after, chosen=(48, 71), step=10)
    np.testing.assert_allclose(figure.data[0].y, counts[:, 0], rtol=1e-5)
    np.testing.assert_allclose(figure.data[1].y, after[:, 0], rtol=1e-5)
    assert figure.layout.yaxis.title.text == "mean of 10 min [counts/min]"
    assert (figure.layout.dragmode, figure.layout.selectdirection) == ("select", "h")
    part = figure.layout.shapes[0]
    assert (part.x0, part.x1) == (8 * 3600e3, 12 * 3600e3)
    other = inputs(data, 2, counts, after, chosen=(48, 70))
    assert figure.layout.selectionrevision != other.layout.selectionrevision
    assert figure.layout.uirevision == other.layout.uirevision


def test_hours_are_unfolded_into_minutes_also_with_a_mask():
    data = days(3, steps=24, features=60)
    values = np.arange(24 * 60, dtype=float).reshape(24, 60)
    logged = tuple(Variable(f"minute {k + 1}", "counts/min") for k in range(60))
    masked = dataclasses.replace(
        data,
        inputs=np.concatenate([data.inputs, np.ones((3, 24, 1), np.float32)], axis=2),
        features=(*data.features, MASK),
        logged=logged,
    )
    read = np.concatenate([values, np.ones((24, 1))], axis=1)
    figure = inputs(masked, 0, read, read, chosen=(1, 1))
    np.testing.assert_array_equal(figure.data[0].y, np.arange(1440))
    assert figure.layout.yaxis.title.text == "activity by the minute [counts/min]"
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].x1) == (3600e3, 7200e3)


def test_a_text_has_no_curve():
    data = text()
    with pytest.raises(DataError, match="no curve"):
        inputs(data, 0, np.zeros((8, 3)), np.zeros((8, 3)), chosen=(0, 0))


def test_numbers_over_time_begin_at_zero():
    before, after = np.full(12, 0.5), np.linspace(0.4, 0.9, 12)
    figure = over_time(before, after, "Loss", "loss [nats]", touched=((0, 11), (20, 30)), step=2)
    np.testing.assert_allclose(figure.data[0].y, before)
    np.testing.assert_allclose(figure.data[1].y, after, atol=1e-7)
    assert [line.name for line in figure.data] == ["before", "after"]
    assert figure.layout.yaxis.rangemode == "tozero"
    assert figure.layout.yaxis.title.text == "loss [nats]"


@DARK
def test_the_likeliest_are_shown_and_the_true_one_is_named(dark):
    before, after = np.full(20, 0.01), np.full(20, 0.01)
    before[3], after[7] = 0.81, 0.81
    names = [f"<b>{k}" for k in range(20)]
    figure = chances(before, after, names, true=19, dark=dark)
    labels = list(figure.layout.yaxis.ticktext)
    assert len(labels) == 8
    assert "&lt;b&gt;19 (true)" in labels
    assert {"&lt;b&gt;3", "&lt;b&gt;7"} <= set(labels)
    bars = {bar.name: dict(zip(labels, bar.x, strict=True)) for bar in figure.data}
    assert bars["before"]["&lt;b&gt;3"] == pytest.approx(0.81)
    assert bars["after"]["&lt;b&gt;3"] == pytest.approx(0.01)
    assert figure.layout.xaxis.range == (0, 1)
    assert figure.data[1].marker.color == palette(dark).faint_text


def test_blanks_among_tokens_are_visible():
    figure = chances(np.array([0.7, 0.3]), np.array([0.5, 0.5]), [" ", "\n"], tokens=True)
    assert set(figure.layout.yaxis.ticktext) == {"␣", "↵"}
    small = chances(np.array([0.04, 0.96]), np.array([0.03, 0.97]), ["a", "b"])
    assert small.layout.xaxis.range == (0, 1)


@pytest.mark.parametrize(
    ("largest", "limit"), [(0.0, 1.0), (0.3, 0.5), (1e-7, 1e-7), (1.2e-5, 2e-5), (7.0, 10.0)]
)
def test_the_range_of_a_difference_follows_it(largest, limit):
    span = difference_range(np.array([largest, -largest / 2]))
    assert (span.low, span.high) == (pytest.approx(-limit), pytest.approx(limit))
    assert span.quantity is Quantity.DIFFERENCE


@pytest.mark.parametrize(
    ("ends", "steps"),
    [
        (("1970-01-01 08:01", "1970-01-01 11:59"), (48, 71)),
        (("1970-01-01 12:00", "1970-01-01 08:00"), (48, 71)),
        (("1970-01-01 08:01", "1970-01-01 08:02"), (48, 48)),
        (("1969-12-31 08:01", "1970-01-05 08:02"), (0, 143)),
        ((-1e12, -1e11), (0, 0)),
    ],
)
def test_a_dragged_range_holds_the_steps_whose_middles_lie_in_it(ends, steps):
    clock = Clock(times=np.arange(144) * 10.0, unit="min")
    assert clock.steps_between(*ends) == steps
    with pytest.raises(TraceError, match="no place"):
        clock.steps_between("nonsense", ends[0])
