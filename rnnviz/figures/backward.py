"""Pictures of what travels back through time: matrix, epochs, Jacobians. Numbers in, figure out."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from rnnviz.figures.clock import Clock, clock_axis
from rnnviz.figures.frame import frame, note
from rnnviz.figures.heat import decimal, heat_trace, power
from rnnviz.figures.reduce import to_pixels
from rnnviz.figures.theme import DECADES, Quantity, palette
from rnnviz.figures.values import Range
from rnnviz.inside.jacobians import Products
from rnnviz.inside.matrix import Matrix

DEEPEST = 120.0  # decades of a product's axis below its top


def decades(values: Float[np.ndarray, "..."]) -> Range | None:
    """Eight decades below the largest value; None where there is none."""
    finite = values[np.isfinite(values)]
    largest = float(finite.max(initial=0.0))
    if largest <= 0:
        return None
    top = float(np.ceil(np.log10(largest)))
    return Range(quantity=Quantity.GRADIENT, low=top - DECADES, high=top)


def magnitudes(
    values: Float[np.ndarray, "R C"],
    span: Range,
    *,
    x: Float[np.ndarray, " X"],
    y: Float[np.ndarray, " Y"],
    symbol: str,
    hover: str,
    dark: bool,
) -> go.Heatmap:
    """A heat map of norms by their exponents; {z} in the hover text is the exponent."""
    pixels = to_pixels(values)
    logs = np.log10(np.maximum(pixels.values, 10.0**span.low))
    return heat_trace(
        replace(pixels, values=logs), span, x=x, y=y, symbol=symbol, hover=hover, dark=dark,
        form=".2f", exact=True,
    )  # fmt: skip


def matrix_heatmap(
    matrix: Matrix,
    place: int,
    state: int,
    *,
    name: str,
    clock: Clock,
    step: int | None = None,
    loss: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """‖dL_s / dh_t‖: loss step s upward, state step t to the right.

    Args:
        place: of the way in the network.
        state: its state, from 0.
        name: the state's symbol.
        clock: of the sequence's steps.
        step: state step that is marked, from 0.
        loss: loss step that is marked, from 0.
    """
    values = matrix.norms[place][state]
    clock = clock.first(values.shape[1])
    title = f"Which loss reaches which state: ‖dLₛ/d{name}ₜ‖"
    figure = frame(title, dark=dark, plot_height=360, keeps=f"matrix {values.shape}")
    span = decades(values)
    if span is None:
        return note(figure, "Every gradient is zero.")
    middles = clock.middles[matrix.losses]
    figure.add_trace(
        magnitudes(
            values,
            span,
            x=clock.edges,
            y=between(middles),
            symbol="norm",
            hover=f"loss at {clock.hover.replace('x', 'y', 1)}, state at {clock.hover}"
            f"<br>‖dLₛ/d{name}ₜ‖ = 10<sup>{{z}}</sup>",
            dark=dark,
        )
    )
    _both_axes(figure, clock, between(middles))
    _mark_step(figure, clock, step, dark)
    if loss is not None and loss < len(clock.middles):
        y, line = float(clock.middles[loss]), _line(dark)
        figure.add_shape(type="line", y0=y, y1=y, x0=0, x1=1, xref="paper", line=line)
    return figure


def _both_axes(figure: go.Figure, clock: Clock, edges: Float[np.ndarray, " E"]) -> None:
    """States to the right and losses upward, both on the sequence's clock."""
    axis = clock_axis(clock)
    what = axis["title"]["text"]
    figure.update_xaxes(**axis)
    figure.update_xaxes(title_text=f"state at {what}")
    upward = {k: v for k, v in axis.items() if k not in ("unifiedhovertitle", "minallowed")}
    figure.update_yaxes(**{**upward, "range": [float(edges[0]), float(edges[-1])]})
    figure.update_yaxes(title_text=f"loss at {what}", showgrid=False)


def _line(dark: bool) -> dict[str, Any]:
    return {"color": palette(dark).mark, "width": 1.2}


def _mark_step(figure: go.Figure, clock: Clock, step: int | None, dark: bool) -> None:
    if step is not None and step < len(clock.middles):
        x = float(clock.middles[step])
        figure.add_shape(type="line", x0=x, x1=x, y0=0, y1=1, yref="paper", line=_line(dark))


def between(middles: Float[np.ndarray, " N"]) -> Float[np.ndarray, " E"]:
    """Edges of cells around these places."""
    if len(middles) == 1:
        return np.array([middles[0] - 0.5, middles[0] + 0.5])
    inner = (middles[1:] + middles[:-1]) / 2
    first, last = middles[0] - (inner[0] - middles[0]), middles[-1] + (middles[-1] - inner[-1])
    return np.concatenate(([first], inner, [last]))


def epochs_heatmap(
    norms: Float[np.ndarray, "E T"],
    epochs: Int[np.ndarray, " E"],
    *,
    name: str,
    clock: Clock,
    epoch: int | None = None,
    step: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """‖dL/dh_t‖ over time, one row for each epoch whose trace is kept, the first on top."""
    clock = clock.first(norms.shape[1])
    figure = frame(
        f"‖dL/d{name}‖ over time and epochs",
        dark=dark,
        plot_height=min(320, max(120, 14 * len(epochs))),
        keeps=f"epochs {norms.shape[1]}",
    )
    span = decades(norms)
    if span is None:
        return note(figure, "Every gradient is zero.")
    rows = np.arange(len(epochs) + 1) - 0.5
    trace = magnitudes(
        norms,
        span,
        x=clock.edges,
        y=rows,
        symbol="norm",
        hover=f"epoch %{{customdata}} · {clock.hover}<br>‖dL/d{name}‖ = 10<sup>{{z}}</sup>",
        dark=dark,
    )
    trace.customdata = np.repeat(epochs[:, None], trace.z.shape[1], axis=1)
    figure.add_trace(trace)
    figure.update_xaxes(**clock_axis(clock))
    _epoch_axis(figure, epochs)
    _mark_step(figure, clock, step, dark)
    if epoch is not None and epoch in epochs:
        row = int(np.flatnonzero(epochs == epoch)[0])
        ends = {"x0": 0, "x1": 1, "xref": "paper", "y0": row - 0.5, "y1": row + 0.5}
        figure.add_shape(type="rect", line=_line(dark), **ends)
    return figure


def _epoch_axis(figure: go.Figure, epochs: Int[np.ndarray, " E"]) -> None:
    shown = np.unique(np.linspace(0, len(epochs) - 1, min(8, len(epochs))).round().astype(int))
    figure.update_yaxes(
        title_text="epoch",
        range=[len(epochs) - 0.5, -0.5],
        tickvals=shown.tolist(),
        ticktext=[str(epochs[k]) for k in shown],
        showgrid=False,
    )


class Curve(NamedTuple):
    """A line over distances, as exponents."""

    name: str
    values: Float[np.ndarray, " D"]
    colour: str
    dash: str
    width: float


def product_lines(
    products: Products, *, step: int, distance: int | None = None, dark: bool = False
) -> go.Figure:
    """The norm of the product of Jacobians by distance, its bounds, and the product of gates.

    Args:
        products: from step `step` back.
        step: from 0.
        distance: marked.
    """
    curves = _curves(products, dark)
    figure = frame(
        f"What of a nudge d steps back arrives at step {step + 1}",
        dark=dark,
        plot_height=300,
        keeps="products",
        legend=[curve.name for curve in curves],
    )
    for curve in curves:
        there = np.isfinite(curve.values)
        figure.add_trace(
            go.Scatter(
                x=np.flatnonzero(there),
                y=curve.values[there],
                name=curve.name,
                mode="lines",
                line={"color": curve.colour, "dash": curve.dash, "width": curve.width},
                hovertemplate=f"{curve.name}: 10<sup>%{{y:.2f}}</sup><extra></extra>",
            )
        )
    _product_axes(figure, products)
    if distance is not None:
        figure.add_shape(
            type="line", x0=distance, x1=distance, y0=0, y1=1, yref="paper", line=_line(dark)
        )
    return figure


def _curves(products: Products, dark: bool) -> list[Curve]:
    p, gate = palette(dark), products.kept_gate
    curves = [
        Curve("norm of the product", products.norm, p.roles["network"], "solid", 2.4),
        Curve("product of the norms (bound)", products.bound, p.roles["test"], "dash", 1.8),
    ]
    if products.slope_bound is not None:
        name = "(‖U‖ · largest slope)ᵈ"
        curves.append(Curve(name, products.slope_bound, p.faint_text, "dot", 1.8))
    if products.kept is not None:
        largest, middle = products.kept.max(axis=1), np.median(products.kept, axis=1)
        name = f"product of {gate}"
        curves.append(Curve(f"{name}, largest unit", largest, p.role(gate), "solid", 1.6))
        curves.append(Curve(f"{name}, middle unit", middle, p.role(gate), "dot", 1.6))
    return curves


def _product_axes(figure: go.Figure, products: Products) -> None:
    """Exponents upward, as they pass what a float can hold; the norm and its bound fit in."""
    norm, bound = (v[np.isfinite(v)] for v in (products.norm, products.bound))
    most = max(norm.max(), min(bound.max(), norm.max() + 12))
    top = float(np.ceil(most + 0.1))
    low = float(np.floor(max(norm.min() - 0.1, top - DEEPEST)))
    ticks = np.arange(low, top + 1, max(1, (top - low) // 6))
    figure.update_yaxes(
        title_text="norm", range=[low, top], tickvals=ticks, ticktext=[power(t) for t in ticks]
    )
    figure.update_xaxes(
        title_text="distance d [steps]",
        range=[0, max(1, len(products.norm) - 1)],
        unifiedhovertitle={"text": "%{x} steps back"},
    )
    figure.update_layout(hovermode="x unified")


def told(exponent: float) -> str:
    """A norm by its exponent, such as 0.0123 or 1.2 · 10⁻⁷."""
    if not np.isfinite(exponent):
        return "0" if exponent < 0 else "∞"
    if -3 <= exponent < 4:
        return decimal(10.0**exponent)
    whole = np.floor(exponent)
    return f"{10.0 ** (exponent - whole):.1f} · {power(whole)}"
