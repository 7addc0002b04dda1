"""Every picture of a trace: it draws, its values are the trace's, its ranges are fixed."""

import dataclasses

import numpy as np
import plotly.graph_objects as go
import pytest
from figures_samples import BMI, days, survey, trace

from rnnviz.cells import CELLS
from rnnviz.errors import TraceError
from rnnviz.figures import HAVING, VIEWS, Look
from rnnviz.figures.attention import (
    STAGES,
    attention_bars,
    attention_by_group,
    attention_heatmap,
)
from rnnviz.figures.clock import Clock
from rnnviz.figures.flow import gradient_flow
from rnnviz.figures.frame import LEFT, RIGHT
from rnnviz.figures.gates import gate_heatmap, saturation, unit_lines, unit_spread
from rnnviz.figures.order import in_order, named
from rnnviz.figures.theme import palette, template
from rnnviz.figures.values import names_of

TRACES = {
    **{cell: lambda cell=cell: trace(cell, steps=24) for cell in CELLS},
    "bidirectional": lambda: trace("lstm", steps=24, layers=2, bidirectional=True),
    "one query": lambda: trace("gru", steps=24, attention="one"),
    "every step attends": lambda: trace("lstm", steps=24, attention="every"),
    "minutes": lambda: trace("lstm", steps=1440, units=32, attention="one"),
    "short": lambda: trace("gru", steps=24, lengths=(10, 24), attention="every"),
    "one step": lambda: trace("gru", steps=1, units=1, attention="one"),
    "no gradients": lambda: trace("rnn", steps=24, gradients=False),
}


@pytest.fixture(scope="module", params=TRACES)
def sample(request):
    return TRACES[request.param]()


def numbers(figure):
    """All arrays of numbers that a figure holds."""
    for part in figure.data:
        for key in ("x", "y", "z", "customdata", "base", "width"):
            values = getattr(part, key, None)
            if values is not None:
                array = np.asarray(values)
                if array.dtype.kind in "fiu":
                    yield key, array


def hollow(figure):
    """Arrays with NaN or infinity."""
    return [key for key, array in numbers(figure) if not np.isfinite(array).all()]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_every_view_draws_what_fits(view, sample, dark):
    if not view.fits(sample):
        with pytest.raises(TraceError, match=r"attention|gradients"):
            view.draw(sample)
        return
    figure = view.draw(sample, Look(dark=dark, step=0, marked_unit=0))
    assert isinstance(figure, go.Figure)
    assert figure.layout.template == template(dark)
    assert figure.layout.plot_bgcolor == palette(dark).page
    assert figure.layout.uirevision
    assert hollow(figure) == []
    figure.to_json()


def test_views_need_what_can_be_checked():
    assert all(view.needs <= HAVING.keys() for view in VIEWS.values())
    assert not VIEWS["attention"].fits(trace("rnn", steps=4))
    assert VIEWS["attention"].fits(trace("rnn", steps=4, attention="one"))


def test_every_name_of_every_layer_draws(sample):
    for layer in sample.layers:
        for name in names_of(layer):
            look = Look(layer=layer.layer, reverse=layer.reverse, name=name)
            assert hollow(VIEWS["gates"].draw(sample, look)) == []
            assert hollow(VIEWS["spread"].draw(sample, look)) == []


# ---- heat maps --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["f", "h", "c", "pre o"])
def test_a_heatmap_shows_the_traces_values(name):
    found = trace("lstm", steps=144)
    layer = found.layers[0]
    heat = gate_heatmap(layer, name, sequence=1).data[0]
    if name.startswith("pre"):
        expected = layer.preactivations[1, :, 3].T
    else:
        expected = (layer.gate(name) if name == "f" else layer.state(name))[1].T
    np.testing.assert_array_equal(heat.z, expected)


def test_gradients_are_shown_as_exponents_and_zero_at_the_low_end():
    layer = trace("lstm", steps=20).layers[0]
    grads = layer.state_grads.copy()
    grads[0, 3] = 0
    layer = dataclasses.replace(layer, state_grads=grads)
    heat = gate_heatmap(layer, "dL/dh").data[0]
    np.testing.assert_allclose(heat.z[:, 5], np.log10(np.abs(grads[0, 5, 0])), rtol=1e-5)
    assert (heat.z[:, 3] == heat.zmin).all()


@pytest.mark.parametrize(("name", "ends"), [("f", (0, 1)), ("h", (-1, 1)), ("pre f", (-6, 6))])
def test_ranges_do_not_follow_the_values(name, ends):
    for gain in (0.01, 1.0, 4.0):
        heat = VIEWS["gates"].draw(trace("lstm", steps=24, gain=gain), Look(name=name)).data[0]
        assert (heat.zmin, heat.zmax) == ends


def test_every_sequence_and_layer_of_a_trace_has_one_range():
    found = trace("lstm", steps=48, layers=2, gain=5.0)
    looks = [Look(name="c", sequence=s, layer=k) for s in (0, 1) for k in (0, 1)]
    ends = {(h.zmin, h.zmax) for h in (VIEWS["gates"].draw(found, look).data[0] for look in looks)}
    assert len(ends) == 1


def test_thousandths_keep_the_range_and_say_so():
    figure = VIEWS["gates"].draw(trace("lstm", steps=1440, units=64), Look(name="f"))
    heat = figure.data[0]
    assert (heat.zmin, heat.zmax) == (0, 1000)
    assert heat.colorbar.ticktext[-1] == "1"
    assert heat.colorbar.tickvals[-1] == 1000
    assert figure.layout.separators == ".."
    assert "%{z:05,d}" in heat.hovertemplate
    assert "means of 2" in figure.layout.title.text


def test_a_sequence_is_drawn_up_to_its_length():
    found = trace("gru", steps=24, lengths=(10, 24))
    assert VIEWS["gates"].draw(found, Look(name="z")).data[0].z.shape == (12, 10)
    assert len(VIEWS["unit"].draw(found).data[0].y) == 10


def test_the_selected_step_and_unit_are_marked_where_they_are():
    clock = Clock.of(days(5))
    look = Look(name="h", clock=clock, step=36, marked_unit=4)
    line, box = VIEWS["gates"].draw(trace("lstm"), look).layout.shapes
    assert line.x0 == line.x1 == clock.middles[36] == (6 * 60 + 5) * 60_000
    assert (box.y0, box.y1) == (4.5, 5.5)


@pytest.mark.parametrize(
    ("look", "text"),
    [
        (Look(name="r"), r"'r' is not in layer 1 \(lstm\); choose one of i, f, g, o, h, c"),
        (Look(name="dL/dx"), "there is no 'dL/dx'; choose one of dL/dh, dL/dc"),
        (Look(sequence=2), "no sequence 3; it holds 2"),
        (Look(layer=1), "no layer 2"),
        (Look(reverse=True), "no layer 1, backward"),
        (Look(clock=Clock.steps(3)), "the clock has 3 steps"),
    ],
)
def test_what_is_not_there_is_named(look, text):
    with pytest.raises(TraceError, match=text):
        VIEWS["gates"].draw(trace("lstm", steps=8), look)


def test_a_missing_unit_is_named():
    with pytest.raises(TraceError, match="has no unit 13; choose one from 1 to 12"):
        VIEWS["unit"].draw(trace("lstm", steps=8), Look(unit=12))


# ---- lines ------------------------------------------------------------------------------------


def test_a_units_lines_are_its_gates_and_states():
    layer = trace("lstm", steps=50).layers[0]
    figure = unit_lines(layer, 7, 1)
    assert [line.name for line in figure.data] == ["i", "f", "g", "o", "h", "c"]
    for line in figure.data[:4]:
        np.testing.assert_array_equal(line.y, layer.gate(line.name)[1, :, 7])
    np.testing.assert_array_equal(figure.data[5].y, layer.state("c")[1, :, 7])


def test_lines_of_one_range_share_an_axis():
    figure = unit_lines(trace("lstm", steps=50).layers[0], 0)
    axes = {line.name: line.yaxis for line in figure.data}
    assert axes["i"] == axes["f"] == axes["o"]
    assert axes["g"] == axes["h"] != axes["i"]


def test_the_plain_cells_state_is_drawn_once():
    assert [line.name for line in unit_lines(trace("rnn", steps=9).layers[0], 0).data] == ["h"]


def test_spread_is_the_mean_and_the_deciles_of_the_units():
    layer = trace("gru", steps=30, units=40).layers[0]
    low, high, mean = unit_spread(layer, "z").data
    z = layer.gate("z")[0]
    np.testing.assert_allclose(mean.y, z.mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(low.y, np.quantile(z, 0.1, axis=1), rtol=1e-5)
    np.testing.assert_allclose(high.y, np.quantile(z, 0.9, axis=1), rtol=1e-5)


def test_saturation_counts_units_at_the_ends():
    layer = trace("gru", steps=30, units=40, gain=5.0).layers[0]
    lines = {line.hovertemplate.split(":")[0]: line for line in saturation(layer).data}
    z, h = layer.gate("z")[0], layer.state("h")[0]
    np.testing.assert_allclose(lines["z below 0.1"].y, -(z < 0.1).mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(lines["z above 0.9"].y, (z > 0.9).mean(axis=1), rtol=1e-6)
    ends = lines["h above 0.9"].y - lines["h below \N{MINUS SIGN}0.9"].y
    np.testing.assert_allclose(ends, (np.abs(h) > 0.9).mean(axis=1), atol=1e-6)


def test_relu_saturates_at_zero_only():
    layer = trace("rnn-relu", steps=12).layers[0]
    (line,) = saturation(layer).data
    np.testing.assert_allclose(-np.asarray(line.y), (layer.state("h")[0] == 0).mean(axis=1))


def test_gradient_flow_is_the_norm_over_units():
    found = trace("lstm", steps=40, layers=2)
    figure = gradient_flow(found, 1)
    assert [line.name for line in figure.data] == [
        "dL/dh, layer 1",
        "dL/dc, layer 1",
        "dL/dh, layer 2",
        "dL/dc, layer 2",
    ]
    expected = np.linalg.norm(found.layers[1].state_grads[1, :, 1], axis=-1)
    np.testing.assert_allclose(figure.data[3].y, expected, rtol=1e-5)
    assert figure.layout.yaxis.type == "log"


def test_vanished_gradients_leave_a_sentence():
    found = trace("rnn", steps=6)
    layer = found.layers[0]
    still = dataclasses.replace(layer, state_grads=np.zeros_like(layer.state_grads))
    figure = gradient_flow(dataclasses.replace(found, layers=(still,)))
    assert figure.layout.annotations[0].text == "Every gradient is zero."


# ---- attention --------------------------------------------------------------------------------


def test_attention_of_many_queries_is_a_heatmap():
    found = trace("gru", steps=24, attention="every")
    heat = attention_heatmap(found, 1).data[0]
    np.testing.assert_array_equal(heat.z, found.attention[1])
    assert heat.zmin == 0
    assert heat.zmax == pytest.approx(found.attention.max())


def test_attention_of_a_long_window_keeps_its_small_weights():
    found = trace("rnn", steps=512, units=2, attention="every")
    heat = attention_heatmap(found).data[0]
    assert heat.z.dtype == np.float32
    assert heat.z.size <= 45_000


def test_one_query_is_drawn_under_its_input():
    found = trace("gru", steps=144, attention="one")
    seen, weights, even = attention_heatmap(found, 1).data
    np.testing.assert_array_equal(seen.y, found.inputs[1, :, 0])
    np.testing.assert_array_equal(weights.y, found.attention[1, 0])
    np.testing.assert_allclose(even.y, [1 / 144] * 2)


def test_tokens_have_no_size_to_be_drawn_above_their_weights():
    found = trace("gru", steps=24, attention="one")
    clock = dataclasses.replace(Clock.steps(24), labels=tuple("abcd" * 6))
    figure = attention_heatmap(found, 1, clock=clock)
    weights, even = figure.data
    np.testing.assert_array_equal(weights.y, found.attention[1, 0])
    assert even.name == "uniform"
    assert figure.layout.title.text == "Where attention lies"


def test_stages_are_scores_weights_and_weighted_states():
    found = trace("gru", steps=24, bidirectional=True, attention="every")
    scores, weights, values = (attention_bars(found, 0, 9, stage).data[0].y for stage in STAGES)
    np.testing.assert_array_equal(scores, found.scores[0, 9, :10])
    np.testing.assert_array_equal(weights, found.attention[0, 9, :10])
    states = np.concatenate([way.state("h")[0] for way in found.top], axis=-1)
    lengths = np.linalg.norm(found.attention[0, 9, :, None] * states, axis=-1)[:10]
    np.testing.assert_allclose(values, lengths, rtol=1e-5)


def test_even_attention_counts_only_the_steps_that_a_query_may_see():
    found = trace("gru", steps=24, attention="every")
    even = attention_bars(found, 0, 9, "softmax").data[1]
    assert set(np.asarray(even.y).tolist()) == {0.1}
    assert np.asarray(even.x).max() == 10


def test_all_queries_of_a_sequence_share_a_scale():
    found = trace("gru", steps=24, attention="every")
    for stage in STAGES:
        scales = {attention_bars(found, 0, q, stage).layout.yaxis.range for q in (0, 9, 23)}
        assert len(scales) == 1


@pytest.mark.parametrize(
    ("query", "stage", "text"),
    [(0, "soft", "no stage 'soft'; choose one of scores"), (24, "softmax", "no query 25")],
)
def test_what_attention_does_not_have_is_named(query, stage, text):
    with pytest.raises(TraceError, match=text):
        attention_bars(trace("gru", steps=24, attention="every"), 0, query, stage)


def test_attention_of_groups_is_their_mean_and_standard_error():
    dataset = days(60)
    found = survey(dataset)
    labels = dataset.groups["BMI class"]
    figure = attention_by_group(found, labels, clock=Clock.of(dataset))
    lines = {line.name: line for line in figure.data if line.name}
    members = found.attention[np.array(labels) == "25 to 30"]
    name = f"25 to 30 (n = {len(members)})"
    np.testing.assert_allclose(lines[name].y, members.mean(axis=0), rtol=1e-4)
    band = next(b for b in figure.data if b.legendgroup == name and b.fill == "toself")
    error = members.std(axis=0, ddof=1) / np.sqrt(len(members))
    np.testing.assert_allclose(band.y[:144], members.mean(axis=0) + error, rtol=1e-4)
    np.testing.assert_allclose(lines["uniform"].y, [1 / 144] * 2)
    assert hollow(figure) == []


def test_attention_of_groups_needs_attention_and_labels():
    dataset = days(10)
    with pytest.raises(TraceError, match="holds no attention"):
        attention_by_group(survey(dataset, attention=False), ["a"] * 10)
    with pytest.raises(TraceError, match="3 labels for 10 sequences"):
        attention_by_group(survey(dataset), ["a"] * 3)


def test_groups_stand_in_their_natural_order():
    assert in_order(BMI[::-1]) == list(BMI)
    assert in_order(["obese", "under 20", "normal", "underweight"]) == [
        "underweight",
        "normal",
        "obese",
        "under 20",
    ]
    assert in_order(named(["b", "", "a"])) == ["a", "b", "not known"]


@pytest.mark.parametrize("key", VIEWS)
def test_pictures_over_time_line_up(key):
    clock = Clock.of(days(3))
    found = trace("lstm", attention="one")
    figure = VIEWS[key].draw(found, Look(clock=clock))
    margin = figure.layout.margin
    assert (margin.l, margin.r, margin.autoexpand) == (LEFT, RIGHT, False)
    assert figure.layout.xaxis.range == (0, 86_400_000)
    assert figure.layout.xaxis.tickformat == "%H:%M"
