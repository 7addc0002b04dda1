"""A marked span, and the spans that are like it, under each other. Arrays in, figures out."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from rnnviz.figures.clock import Clock, clock_axis
from rnnviz.figures.colours import with_alpha
from rnnviz.figures.frame import frame, note
from rnnviz.figures.heat import heat_trace, number_edges
from rnnviz.figures.reduce import to_pixels
from rnnviz.figures.theme import DASHES, Quantity, palette, plain
from rnnviz.figures.values import Range

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MOST_LINES = 6


def mark_span(figure: go.Figure, clock: Clock, start: int, stop: int, *, dark: bool) -> go.Figure:
    """The figure over time with a frame around the steps from start to before stop."""
    edges = clock.edges
    figure.add_shape(
        type="rect",
        x0=float(edges[start]),
        x1=float(edges[stop]),
        y0=0,
        y1=1,
        yref="paper",
        line={"color": palette(dark).mark, "width": 1.5},
        fillcolor=with_alpha(palette(dark).mark, 0.08),
    )
    return figure


def chosen_units(
    h: Float[np.ndarray, "U T"],
    names: tuple[str, ...],
    threshold: float,
    *,
    symbol: str = "h",
    span: tuple[int, int],
    clock: Clock,
    dark: bool,
) -> go.Figure:
    """A state of the matched units over the sequence, with the threshold on both sides of zero.

    Args:
        h: of at most MOST_LINES units.
        names: such as "unit 3, on above".
        symbol: of the state.
        span: first step, and the step after the last.
    """
    p = palette(dark)
    figure = frame(
        "The units that are on there, over the whole sequence",
        dark=dark,
        plot_height=190,
        keeps=f"time {h.shape[1]}",
        legend=names,
    )
    for k, (row, name) in enumerate(zip(h, names, strict=True)):
        figure.add_trace(
            go.Scatter(
                x=clock.middles,
                y=row.astype(np.float32),
                name=name,
                mode="lines",
                line={"color": p.groups[k % len(p.groups)], "dash": _DASHES[k], "width": 1.6},
                hovertemplate=f"{clock.hover}<br>{symbol} = %{{y:.3f}}<extra>{plain(name)}</extra>",
            )
        )
    for level in (threshold, -threshold):
        figure.add_hline(y=level, line={"color": p.axis, "width": 1, "dash": DASHES["mean"]})
    figure.update_xaxes(**clock_axis(clock))
    reach = max(1.0, threshold * 1.1, float(np.abs(h).max(initial=0.0)))
    figure.update_yaxes(title_text=symbol, range=[-reach, reach], nticks=5)
    return mark_span(figure, clock, *span, dark=dark)


def aligned(
    values: Float[np.ndarray, "M W"],
    titles: tuple[str, ...],
    *,
    before: int,
    like: int,
    title: str,
    symbol: str,
    span: Range,
    per_step: str,
    dark: bool,
) -> go.Figure:
    """Spans under each other, all beginning at 0; what lies beyond a sequence's ends is empty.

    Args:
        values: NaN where there is no step.
        titles: what each row is, for the hover text.
        before: steps shown before a span begins.
        like: length of the marked span [steps].
        per_step: what a step is, such as "10 min".
    """
    figure = frame(
        title, dark=dark, plot_height=max(80, 12 * len(values)), keeps=f"aligned {values.shape}"
    )
    if not len(values):
        return note(figure, "There is no such span in any other sequence.")
    pixels = to_pixels(values, columns=values.shape[1], rows=len(values))
    trace = heat_trace(
        pixels,
        span,
        x=np.arange(values.shape[1] + 1) - before - 0.5,
        y=number_edges(len(values)),
        symbol=symbol,
        hover=f"%{{customdata}}<br>step %{{x}}: {symbol} = {{z}}",
        dark=dark,
        exact=True,
    )
    trace.customdata = [[plain(text)] * values.shape[1] for text in titles]
    figure.add_trace(trace)
    for x in (-0.5, like - 0.5):
        figure.add_vline(x=x, line={"color": palette(dark).mark, "width": 1.2})
    figure.update_xaxes(title_text=f"steps after the span's beginning ({per_step} each)", nticks=9)
    upward = {"range": [len(values) + 0.5, 0.5], "autorange": False}
    figure.update_yaxes(title_text="match", showgrid=False, nticks=8, **upward)
    return figure


def beginnings(counts: Int[np.ndarray, " T"], *, clock: Clock, dark: bool) -> go.Figure:
    """How many spans begin at each step."""
    figure = frame("When matches begin", dark=dark, plot_height=110, keeps=f"time {len(counts)}")
    edges = clock.edges
    figure.add_trace(
        go.Bar(
            x=clock.middles,
            y=counts,
            width=np.diff(edges),
            marker={"color": palette(dark).role("network"), "line": {"width": 0}},
            hovertemplate=f"{clock.hover}<br>%{{y}} spans<extra></extra>",
        )
    )
    figure.update_xaxes(**clock_axis(clock))
    figure.update_yaxes(title_text="spans", rangemode="tozero", nticks=4)
    return figure


STATE_SPAN = Range(quantity=Quantity.STATE, low=-1.0, high=1.0)
