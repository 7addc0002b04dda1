"""Vectors that somebody pinned, side by side: one step's state or gate of all units each.

A pin is a place in a run, not numbers, so that it fits into an address. NumPy and Plotly only.
"""

import re
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from rnnviz.figures.frame import frame
from rnnviz.figures.heat import heat_trace, number_edges
from rnnviz.figures.reduce import Pixels
from rnnviz.figures.theme import Quantity
from rnnviz.figures.unrolled import lane_range
from rnnviz.figures.values import Range, values_of
from rnnviz.trace import Trace

MOST_PINS = 5
LETTERS = "ABCDE"
_ROW = 34  # height of a strip [px]
_TEXT = re.compile(r"(\d{1,6})\.(\d{1,4})\.(\d{1,3})\.([a-z])\.(\d{1,6})")


class Pin(NamedTuple):
    """Where a vector stands; everything counts from 0, but for the epoch (0: before training)."""

    epoch: int
    sequence: int  # of the trace
    layer: int  # of trace.layers
    symbol: str
    t: int


class Pinned(NamedTuple):
    """A pin with its vector."""

    pin: Pin
    title: str
    values: Float[np.ndarray, " H"]
    range: Range


class Pair(NamedTuple):
    """How two vectors differ."""

    first: int
    second: int
    cosine: float  # NaN where one is zero, or they are of different sizes
    distance: float
    unit: int  # where they differ most
    difference: float  # second minus first, there


def write_pins(pins: Sequence[Pin]) -> str:
    """As an address holds them; all but the epoch count from 1."""
    return "_".join(f"{p.epoch}.{p.sequence + 1}.{p.layer + 1}.{p.symbol}.{p.t + 1}" for p in pins)


def read_pins(text: str) -> tuple[Pin, ...]:
    """The pins in an address; what is none is passed over, and so are doubles."""
    found = [_TEXT.fullmatch(part) for part in text.split("_")]
    pins = [Pin(int(m[1]), int(m[2]) - 1, int(m[3]) - 1, m[4], int(m[5]) - 1) for m in found if m]
    sound = [pin for pin in pins if min(pin.sequence, pin.layer, pin.t) >= 0]
    return tuple(dict.fromkeys(sound))[:MOST_PINS]


def pinned(pin: Pin, trace: Trace | None, step_name: Callable[[int], str]) -> Pinned | None:
    """A pin's vector, None where the trace has none.

    Args:
        trace: of the pin's epoch, None where none is kept.
        step_name: gives what a step is called, such as 'step 57 (09:20)'.
    """
    if trace is None or pin.sequence >= len(trace.sequences) or pin.layer >= len(trace.layers):
        return None
    layer = trace.layers[pin.layer]
    known = pin.symbol in (*layer.gate_names, *layer.state_names)
    if not known or pin.t >= int(trace.lengths[pin.sequence]):
        return None
    values = values_of(layer, pin.symbol)[pin.sequence, pin.t].astype(np.float64)
    title = (
        f"{pin.symbol} of {layer.title}, {step_name(pin.t)}, sequence {pin.sequence + 1}, "
        f"epoch {pin.epoch}"
    )
    return Pinned(pin, title, values, lane_range(trace, pin.symbol))


def pairs(vectors: Sequence[Float[np.ndarray, " _"]]) -> tuple[Pair, ...]:
    """Every two vectors of one size."""
    return tuple(
        _pair(a, b, vectors[a], vectors[b])
        for a, b in combinations(range(len(vectors)), 2)
        if vectors[a].shape == vectors[b].shape
    )


def _pair(first: int, second: int, u: Float[np.ndarray, " H"], v: Float[np.ndarray, " H"]) -> Pair:
    lengths = float(np.linalg.norm(u) * np.linalg.norm(v))
    difference = v - u
    unit = int(np.abs(difference).argmax())
    return Pair(
        first,
        second,
        cosine=float(u @ v) / lengths if lengths > 0 else float("nan"),
        distance=float(np.linalg.norm(difference)),
        unit=unit,
        difference=float(difference[unit]),
    )


def common_range(shown: Sequence[Pinned]) -> Range:
    """One scale for all: that of gates where all are gates, else a symmetric one."""
    ranges = [one.range for one in shown]
    if all(range_.quantity is Quantity.GATE for range_ in ranges):
        return ranges[0]
    limit = max(max(abs(range_.low), abs(range_.high)) for range_ in ranges)
    return Range(quantity=Quantity.STATE, low=-limit, high=limit)


def strips(shown: Sequence[Pinned], *, unit: int, dark: bool) -> go.Figure:
    """One strip a pin, in the order of pinning, on one scale.

    Args:
        unit: marked, from 0.
    """
    size = max(len(one.values) for one in shown)
    matrix = np.full((len(shown), size), np.nan)
    for k, one in enumerate(shown):
        matrix[k, : len(one.values)] = one.values
    span, count = common_range(shown), len(shown)
    figure = frame(
        "Pinned vectors, one scale for all",
        dark=dark,
        plot_height=max(60, _ROW * count),
        keeps=f"pins {count} {size}",
    )
    figure.add_trace(
        heat_trace(
            Pixels(
                values=matrix,
                row_edges=np.arange(count + 1),
                column_edges=np.arange(size + 1),
            ),
            span,
            x=number_edges(size),
            y=number_edges(count),
            symbol="",
            hover="unit %{x:.0f}<br>{z}",
            dark=dark,
            exact=True,
        )
    )
    figure.update_xaxes(title_text="unit", range=[0.5, size + 0.5])
    places = {"tickvals": list(range(1, count + 1)), "ticktext": list(LETTERS[:count])}
    figure.update_yaxes(range=[count + 0.5, 0.5], showgrid=False, **places)
    line = {"color": "rgba(128, 128, 128, 0.9)", "width": 1.2}
    figure.add_shape(type="rect", x0=unit + 0.5, x1=unit + 1.5, y0=0, y1=1, yref="paper", line=line)
    return figure
