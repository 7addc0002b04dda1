"""The one way in which a matrix over time becomes a heat map."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from rnnviz.figures.clock import Clock
from rnnviz.figures.reduce import Pixels, encode
from rnnviz.figures.theme import Quantity, colour_scale, palette
from rnnviz.figures.values import Range

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power(exponent: float) -> str:
    """Such as 10⁻³."""
    return "10" + f"{exponent:.0f}".translate(_SUPERSCRIPT)


def decimal(value: float) -> str:
    """Three digits with a true minus sign."""
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def log_axis(low: float, high: float) -> dict[str, Any]:
    """A logarithmic axis between two exponents of ten."""
    exponents = np.arange(np.ceil(low), np.floor(high) + 1)
    exponents = exponents[:: max(1, len(exponents) // 5)]
    return {
        "type": "log",
        "range": [low, high],
        "tickvals": (10.0**exponents).tolist(),
        "ticktext": [power(exponent) for exponent in exponents],
    }


def colour_bar(span: Range, per_unit: int, title: str) -> dict[str, Any]:
    """The key beside a heat map, with true values whatever travels."""
    if span.quantity is Quantity.GRADIENT:
        ticks = np.arange(span.low, span.high + 1, 2.0)
        texts = [power(tick) for tick in ticks]
    else:
        ticks = np.linspace(span.low, span.high, 5)
        texts = [decimal(tick) for tick in ticks]
    return {
        "title": {"text": title, "side": "top", "font": {"size": 12}},
        "tickvals": (ticks * per_unit).tolist(),
        "ticktext": texts,
        "thickness": 12,
        "len": 1.0,
        "lenmode": "fraction",
        "x": 1.0,
        "xpad": 10,
        "ypad": 0,
        "outlinewidth": 0,
        "ticks": "",
        "tickfont": {"size": 11},
    }


def heat_trace(
    pixels: Pixels,
    span: Range,
    *,
    x: Float[np.ndarray, " X"],
    y: Float[np.ndarray, " Y"],
    symbol: str,
    hover: str,
    dark: bool,
    form: str = ".3f",
    exact: bool = False,
) -> go.Heatmap:
    """A heat map in a fixed range.

    Args:
        pixels: the values, reduced.
        span: the ends of the colours.
        x: where columns begin, and the last one ends, before reduction.
        y: the same of the rows.
        symbol: over the colour bar.
        hover: a hover text with {z} where the true value goes.
        dark: for a dark page.
        form: how true values are written where they travel as they are.
        exact: never rounded to thousandths.
    """
    sent = encode(pixels.values, form, exact=exact)
    return go.Heatmap(
        z=sent.z,
        x=x[pixels.column_edges],
        y=y[pixels.row_edges],
        zmin=span.low * sent.per_unit,
        zmax=span.high * sent.per_unit,
        zauto=False,
        colorscale=colour_scale(span.quantity, dark),
        colorbar=colour_bar(span, sent.per_unit, symbol),
        meta={"per_unit": sent.per_unit},  # for who takes the numbers out
        hovertemplate=hover.replace("{z}", sent.hover) + "<extra></extra>",
    )


def number_edges(count: int) -> Float[np.ndarray, " E"]:
    """Edges of rows that are numbered from 1."""
    return np.arange(count + 1) + 0.5


def number_axis(count: int, title: str) -> dict[str, Any]:
    """A vertical axis of numbered rows, the first on top."""
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200) if count / s <= 8 or s == 200)
    first = step if step > 2 else 1  # 1, 3, 5 or 1, 5, 10: 1 and 2 would touch
    return {
        "range": [count + 0.5, 0.5],
        "autorange": False,
        "title": {"text": title},
        "tickvals": sorted({1, *range(first, count + 1, step)}),
        "showgrid": False,
    }


def range_axis(span: Range) -> dict[str, Any]:
    """A vertical axis over a fixed range, with room for a line that runs along its end."""
    room = 0.04 * (span.high - span.low)
    ticks = [span.low, (span.low + span.high) / 2, span.high]
    return {
        "range": [span.low - room, span.high + room],
        "autorange": False,
        "tickvals": ticks,
        "ticktext": [decimal(tick) for tick in ticks],
    }


def of_blocks(pixels: Pixels, clock: Clock) -> str:
    """How a reduced picture says so, such as ', means of 4 min'; empty where it is not."""
    parts = []
    if pixels.column_block > 1:
        minutes = clock.unit == "min" and len(clock.times) > 1
        width = clock.times[1] - clock.times[0] if minutes else 1
        parts.append(f"{pixels.column_block * width:g} {'min' if minutes else 'steps'}")
    if pixels.row_block > 1:
        parts.append(f"{pixels.row_block} units")
    return f", means of {' x '.join(parts)}" if parts else ""


def mark(
    figure: go.Figure, clock: Clock, *, step: int | None, unit: int | None, dark: bool
) -> None:
    """Lines around the selected step and the selected unit."""
    line = {"color": palette(dark).mark, "width": 1.2}
    if step is not None and 0 <= step < len(clock.times):
        x = float(clock.middles[step])
        figure.add_shape(type="line", x0=x, x1=x, y0=0, y1=1, yref="paper", line=line)
    if unit is not None:
        figure.add_shape(
            type="rect", x0=0, x1=1, xref="paper", y0=unit + 0.5, y1=unit + 1.5, line=line
        )


def reduced_rows(pixels: Pixels) -> str:
    """How a hover text names a row."""
    block = pixels.row_block
    return "unit %{y:.0f}" if block == 1 else f"{block} units around %{{y:.1f}}"
