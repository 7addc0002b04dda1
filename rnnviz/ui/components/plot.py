"""One Plotly figure that is drawn in place and says where it was clicked.

st.plotly_chart builds its chart anew at every change, which loses the zoom and flickers; this view
keeps the element and hands the new figure to Plotly.react. What comes back from a browser is not
trusted: it is checked here before anyone sees it.
"""

import html
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import plotly.graph_objects as go
import streamlit as st
from plotly.utils import PlotlyJSONEncoder

from rnnviz.ui.components import mount
from rnnviz.ui.server import PLOTLY_PATH

DEFAULT_HEIGHT = 400  # [px]
LONGEST_TEXT = 200  # characters of a category or date that a click may name
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, kw_only=True)
class Clicked:
    """A point of a figure that somebody clicked.

    x, y: in the axes' units; a text on axes of dates or names.
    curve: the trace's index in figure.data.
    point: the point's index in its trace: (i,), or (row, column) in a heat map.
    """

    x: float | str
    y: float | str
    curve: int
    point: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Spanned:
    """A range that somebody dragged over a figure.

    x, y: both ends in the axes' units, in no order; texts on axes of dates.
    """

    x: tuple[float | str, float | str]
    y: tuple[float | str, float | str]


def plot(
    figure: go.Figure,
    *,
    key: str,
    height: int | None = None,
    clickable: bool = False,
    on_click: Callable[[Clicked], None] | None = None,
    on_span: Callable[[Spanned], None] | None = None,
) -> Clicked | None:
    """Show a figure; the same key updates the same drawing, with its zoom.

    Paper and letters take the page's colours, light or dark, unless the figure itself (not its
    template) says otherwise; when a visitor's system turns dark, the script runs again, so that the
    rest can follow. Zoom is kept until figure.layout.uirevision changes. Labels may hold Plotly's
    few tags, so names that people bring go through rnnviz.figures.theme.plain first.

    Args:
        figure: what to draw.
        key: names the drawing within its page.
        height: [px]; else the figure's own, else 400.
        clickable: report clicks; each one reruns the script.
        on_click: called with the point before that rerun; makes the figure clickable.
        on_span: called with a dragged range likewise; dragging then marks instead of zooming.

    Returns:
        The point whose click caused this rerun, else None.
    """
    clickable = clickable or on_click is not None
    pixels = int(height or figure.layout.height or DEFAULT_HEIGHT)
    curves = len(figure.data)

    def report() -> None:
        clicked = read_click(st.session_state[key].get("click"), curves)
        if clicked is not None and on_click is not None:
            on_click(clicked)

    def report_span() -> None:
        spanned = read_span(st.session_state[key].get("span"))
        if spanned is not None and on_span is not None:
            on_span(spanned)

    result = mount(
        "plot",
        css=True,
        key=key,
        height=pixels,
        data=message(figure, height=pixels, clickable=clickable, spannable=on_span is not None),
        on_click_change=report,
        on_span_change=report_span,
        on_recolour_change=_nothing,
    )
    return read_click(result.click, curves)


def _nothing() -> None:
    """The rerun is all that is wanted; Streamlit reports only what has a callback."""


def message(figure: go.Figure, *, height: int, clickable: bool, spannable: bool = False) -> bytes:
    """What travels to the browser: JSON, arrays in base64. The same figure gives the same bytes."""
    options = {
        "height": height,
        "clickable": clickable,
        "spannable": spannable,
        "label": label(figure),
        "script": PLOTLY_PATH,
    }
    # plotly's own to_json takes three times as long, and its escaping makes base64 longer.
    return orjson.dumps(
        {"figure": figure.to_dict(), "options": options},
        default=PlotlyJSONEncoder().default,
        option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY,
    )


def label(figure: go.Figure) -> str:
    """The figure's title as plain words, for those who do not see the figure."""
    title = _TAG.sub(" ", figure.layout.title.text or "")
    return " ".join(html.unescape(title).split()) or "Figure"


def read_click(sent: Any, curves: int) -> Clicked | None:
    """What a browser sent, as a point of a figure with so many curves; None where it is none."""
    if not isinstance(sent, dict):
        return None
    values: list[Any] = [sent.get(name) for name in ("x", "y", "curve", "point")]
    x, y, curve, point = values
    if not (_is_place(x) and _is_place(y) and _is_index(curve) and curve < curves):
        return None
    if not (isinstance(point, list) and len(point) <= 2 and all(map(_is_index, point))):
        return None
    return Clicked(x=x, y=y, curve=curve, point=tuple(point))


def read_span(sent: Any) -> Spanned | None:
    """What a browser sent, as a range; None where it is none."""
    if not isinstance(sent, dict):
        return None
    values: list[Any] = [sent.get(name) for name in ("x", "y")]
    if not all(isinstance(v, list) and len(v) == 2 and all(map(_is_place, v)) for v in values):
        return None
    x, y = values
    return Spanned(x=(x[0], x[1]), y=(y[0], y[1]))


def _is_place(value: Any) -> bool:
    """A finite number, or a short text."""
    if isinstance(value, str):
        return len(value) <= LONGEST_TEXT
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_index(value: Any) -> bool:
    """A whole number from zero on."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
