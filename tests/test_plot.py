"""What goes to the browser with a figure, and what may come back."""

import datetime
import math

import numpy as np
import orjson
import pandas as pd
import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from rnnviz.ui.components.plot import Clicked, Spanned, label, message, read_click, read_span
from rnnviz.ui.server import PLOTLY_PATH


def sent(figure, **options):
    return orjson.loads(message(figure, **{"height": 300, "clickable": False, **options}))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "float32", "float64"])
def test_arrays_travel_as_bytes(dtype):
    z = np.arange(6, dtype=dtype).reshape(2, 3)
    found = sent(go.Figure(go.Heatmap(z=z)))["figure"]["data"][0]["z"]
    assert set(found) == {"dtype", "bdata", "shape"}
    assert found["shape"] == "2, 3"


def test_a_large_heat_map_is_hardly_longer_than_its_base64():
    z = np.random.default_rng(0).integers(-128, 128, (256, 1440), dtype=np.int8)
    plain = len(message(go.Figure(), height=300, clickable=False))
    assert len(message(go.Figure(go.Heatmap(z=z)), height=300, clickable=False)) < (
        plain + z.nbytes * 4 / 3 + 200
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, math.nan, 3.0], [1.0, None, 3.0]),
        ([datetime.date(2020, 1, 2)], ["2020-01-02"]),
        (np.array(["2020-01-02T03:04"], dtype="datetime64[m]"), ["2020-01-02T03:04:00"]),
        (pd.Series(pd.to_datetime(["2020-01-02"])), ["2020-01-02T00:00:00"]),
        (np.array(["a", None], dtype=object), ["a", None]),
        (np.array([2**40]), [2**40]),
    ],
)
def test_what_has_no_typed_array_travels_as_a_list(values, expected):
    assert sent(go.Figure(go.Scatter(x=values)))["figure"]["data"][0]["x"] == expected


def test_the_same_figure_gives_the_same_bytes():
    figures = [go.Figure(go.Scatter(y=[1, 2]), {"title": "A"}) for _ in range(2)]
    first, second = (message(figure, height=300, clickable=True) for figure in figures)
    assert first == second
    assert first != message(figures[0], height=301, clickable=True)


def test_options_travel_with_the_figure():
    figure = go.Figure(layout={"title": {"text": "Loss"}})
    assert sent(figure, height=123, clickable=True)["options"] == {
        "height": 123,
        "clickable": True,
        "spannable": False,
        "label": "Loss",
        "script": PLOTLY_PATH,
    }


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Loss", "Loss"),
        ("Gate <b>f</b> of<br>unit 3", "Gate f of unit 3"),
        ("a &lt;b&gt; &amp; c", "a <b> & c"),
        (None, "Figure"),
    ],
)
def test_the_title_is_read_out_as_plain_words(title, expected):
    assert label(go.Figure(layout={"title": {"text": title}})) == expected


def test_a_click_on_a_line():
    came = {"x": "2000-01-01 12:30", "y": 0.25, "curve": 1, "point": [7]}
    assert read_click(came, 2) == Clicked(x="2000-01-01 12:30", y=0.25, curve=1, point=(7,))


def test_a_click_on_a_heat_map():
    came = {"x": 3, "y": 4.0, "curve": 0, "point": [4, 3]}
    assert read_click(came, 1) == Clicked(x=3, y=4.0, curve=0, point=(4, 3))


GOOD = {"x": 1.0, "y": 2.0, "curve": 0, "point": [3]}


@pytest.mark.parametrize(
    "came",
    [
        None,
        "click",
        [1, 2],
        {},
        GOOD | {"x": None},
        GOOD | {"x": math.nan},
        GOOD | {"y": math.inf},
        GOOD | {"y": True},
        GOOD | {"x": "a" * 201},
        GOOD | {"x": {"$": 1}},
        GOOD | {"curve": 1},
        GOOD | {"curve": -1},
        GOOD | {"curve": 0.0},
        GOOD | {"curve": False},
        GOOD | {"point": [-1]},
        GOOD | {"point": [1, 2, 3]},
        GOOD | {"point": 3},
        GOOD | {"point": ["3"]},
    ],
)
def test_anything_else_is_no_click(came):
    assert read_click(GOOD, 1) is not None
    assert read_click(came, 1) is None


def page():
    import plotly.graph_objects as go
    import streamlit as st

    from rnnviz.ui.components.plot import plot

    figure = go.Figure(go.Scatter(y=[1, 2]), {"title": "Line", "height": 222})
    st.text(repr(plot(figure, key="line")))


def test_a_page_shows_the_figure_without_an_install():
    at = AppTest.from_function(page).run()
    assert not at.exception
    assert at.text[0].value == "None"
    (drawn,) = at.get("bidi_component")
    assert drawn.proto.component_name == "rnnviz.plot"
    assert drawn.proto.js_source_path == "plot.js"
    assert drawn.proto.css_source_path == "plot.css"
    assert orjson.loads(drawn.proto.bytes)["options"]["height"] == 222


def test_a_dragged_range_keeps_its_two_ends():
    came = {"x": ["2000-01-01 12:30", "2000-01-01 09:00"], "y": [0.5, 3]}
    assert read_span(came) == Spanned(x=("2000-01-01 12:30", "2000-01-01 09:00"), y=(0.5, 3))


@pytest.mark.parametrize(
    "came",
    [
        None,
        "x",
        {"x": [1, 2]},
        {"x": [1], "y": [1, 2]},
        {"x": [1, None], "y": [1, 2]},
        {"x": [1, float("nan")], "y": [1, 2]},
        {"x": ["1" * 300, "2"], "y": [1, 2]},
        {"x": {"0": 1}, "y": [1, 2]},
    ],
)
def test_anything_else_is_no_range(came):
    assert read_span(came) is None
