"""What travels: means that keep the mean, extremes that survive, bytes that fit."""

import base64

import numpy as np
import orjson
import plotly.graph_objects as go
import pytest
from figures_samples import trace, widened

from rnnviz.errors import TraceError
from rnnviz.figures import VIEWS, Look
from rnnviz.figures.clock import Clock, clock_axis
from rnnviz.figures.reduce import MOST_CELLS, encode, envelope, to_pixels, wire

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(1, 1), (7, 50), (300, 100), (256, 1440), (512, 1441)])
def test_reducing_keeps_the_mean_and_the_limits(shape):
    matrix = RNG.normal(size=shape)
    pixels = to_pixels(matrix)
    rows, columns = pixels.values.shape
    weights = np.outer(np.diff(pixels.row_edges), np.diff(pixels.column_edges))
    assert rows <= 256
    assert columns <= 720
    assert pixels.values.size <= MOST_CELLS
    assert weights.sum() == matrix.size
    assert np.average(pixels.values, weights=weights) == pytest.approx(matrix.mean())


def test_what_fits_is_left_alone():
    matrix = RNG.normal(size=(32, 144))
    pixels = to_pixels(matrix)
    np.testing.assert_array_equal(pixels.values, matrix)
    assert (pixels.row_block, pixels.column_block) == (1, 1)


def test_a_block_is_the_mean_of_its_columns():
    matrix = RNG.normal(size=(2, 10))
    pixels = to_pixels(matrix, columns=4)
    np.testing.assert_allclose(pixels.values[:, 0], matrix[:, :3].mean(axis=1))
    np.testing.assert_allclose(pixels.values[:, -1], matrix[:, 9])
    assert pixels.column_edges.tolist() == [0, 3, 6, 9, 10]


def test_a_line_keeps_its_extremes_and_its_ends():
    values = RNG.normal(size=10_000)
    values[1234], values[8765] = 50, -50
    kept = envelope(values, columns=100)
    assert len(kept) <= 202
    assert {0, 1234, 8765, 9999} <= set(kept.tolist())
    assert (np.diff(kept) > 0).all()


def test_a_short_line_is_drawn_whole():
    assert envelope(np.zeros(1440)).tolist() == list(range(1440))


def test_small_pictures_travel_as_they_are():
    values = RNG.normal(size=(32, 144))
    sent = encode(values)
    assert sent.z.dtype == np.float32
    assert sent.per_unit == 1
    np.testing.assert_array_equal(sent.z, values.astype(np.float32))


def test_large_ones_travel_in_thousandths():
    values = RNG.uniform(-8, 8, size=(256, 360))
    sent = encode(values)
    assert sent.z.dtype == np.int16
    assert np.abs(sent.z / sent.per_unit - values).max() <= 0.0005 + 1e-9


def test_what_int16_cannot_hold_is_never_wrapped():
    values = RNG.uniform(-80, 80, size=(256, 360))
    sent = encode(values)
    assert sent.z.dtype == np.float32
    assert encode(RNG.uniform(size=(256, 360)), exact=True).z.dtype == np.float32


@pytest.mark.parametrize("name", ["f", "h", "c", "pre i", "dL/dh"])
@pytest.mark.parametrize("gain", [0.02, 1.0])
def test_a_day_of_256_units_is_small_on_the_wire(name, gain):
    found = widened(trace("lstm", steps=1440, units=16, gain=gain), 16)
    figure = VIEWS["gates"].draw(found, Look(name=name))
    assert len(wire(figure)) < 300_000
    assert figure.data[0].z.shape == (256, 360)


def test_the_wire_carries_the_same_figure():
    values = (-RNG.random((20, 20)) / 100).astype(np.float32)
    figure = go.Figure(go.Heatmap(z=values), layout={"title": {"text": "a/b </script>"}})
    sent = orjson.loads(wire(figure))
    z = sent["data"][0]["z"]
    raw = np.frombuffer(base64.b64decode(z["bdata"]), dtype=np.float32)
    np.testing.assert_array_equal(raw.reshape(20, 20), values)
    assert sent == orjson.loads(figure.to_json())


# ---- the clock --------------------------------------------------------------------------------


def day(steps=144):
    return Clock(times=np.arange(steps) * 1440.0 / steps, unit="min")


def test_a_day_is_a_date_axis_from_midnight_to_midnight():
    axis = clock_axis(day())
    assert axis["range"] == [0, 24 * 3_600_000]
    assert (axis["type"], axis["tickformat"], axis["nticks"]) == ("date", "%H:%M", 6)


def test_steps_are_numbered_from_one():
    clock = Clock.steps(8)
    assert clock.middles.tolist() == list(range(1, 9))
    assert clock_axis(clock)["range"] == [0.5, 8.5]


def test_a_step_is_drawn_in_its_middle():
    assert day(24).middles[0] == 30 * 60_000
    assert day(24).edges[-1] == 1440 * 60_000


@pytest.mark.parametrize("steps", [24, 144, 1440])
def test_a_click_finds_its_step_again(steps):
    clock = day(steps)
    for t in range(0, steps, 7):
        place = clock.middles[t]
        text = str(np.datetime64(int(place), "ms")).replace("T", " ")
        assert clock.step_at(float(place)) == t
        assert clock.step_at(text) == t
    assert clock.step_at("1970-01-01") == 0
    assert clock.step_at("1970-01-01 23:59:59.9999") == steps - 1
    assert Clock.steps(8).step_at(3.0) == 2


@pytest.mark.parametrize("place", ["nonsense", float("nan"), "NaT"])
def test_a_click_from_elsewhere_is_refused(place):
    with pytest.raises(TraceError, match="no place on the time axis"):
        day().step_at(place)


def test_tokens_stand_under_the_axis_as_plain_text():
    clock = Clock(times=np.arange(3.0), unit="step", labels=("<", " ", "a"))
    axis = clock_axis(clock)
    assert axis["ticktext"] == ["&lt;", "␣", "a"]
    assert axis["tickvals"] == [1, 2, 3]


def test_a_clock_that_is_too_short_says_so():
    with pytest.raises(TraceError, match="has 8 steps and the sequence 9"):
        Clock.steps(8).first(9)


def test_more_days_are_counted():
    clock = Clock(times=np.arange(2880.0), unit="min")
    assert clock_axis(clock)["tickformat"].startswith("day %-j")
