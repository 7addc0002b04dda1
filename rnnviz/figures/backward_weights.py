"""Pictures of weight gradients, of truncation and of clipping. Numbers in, figure out."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from rnnviz.figures.backward import decades, magnitudes
from rnnviz.figures.frame import frame, note
from rnnviz.figures.heat import log_axis, number_axis, number_edges
from rnnviz.figures.theme import palette
from rnnviz.figures.values import Range
from rnnviz.inside.steps import Weights
from rnnviz.inside.truncated import Truncated

PARTS = {"input": "W", "recurrent": "U", "input_bias": "b"}  # of Weights


def gate_norms(gradients: Weights, gates: tuple[str, ...], *, dark: bool = False) -> go.Figure:
    """The Euclidean norm of dL/dW_k, dL/dU_k and dL/db_k for every gate k."""
    p = palette(dark)
    figure = frame("Gradient by each gate's weights", dark=dark, plot_height=230, keeps="gates")
    norms, symbols = part_norms(gradients), list(PARTS.values())
    figure.add_trace(
        go.Bar(
            x=[
                [gate for gate in gates for _ in symbols],
                [f"{symbol}<sub>{gate}</sub>" for gate in gates for symbol in symbols],
            ],
            y=norms.T.ravel(),
            marker={"color": [p.role(gate) for gate in gates for _ in symbols]},
            hovertemplate="‖dL/d%{x}‖ = %{y:.3~g}<extra></extra>",
        )
    )
    there = norms[norms > 0]
    if not there.size:
        return note(figure, "Every gradient is zero.")
    low, high = np.log10(there.min()), np.log10(there.max())
    figure.update_yaxes(**log_axis(np.floor(low - 0.3), high + 0.3), title_text="norm")
    figure.update_xaxes(title_text="weights of each gate", type="multicategory")
    return figure


def part_norms(gradients: Weights) -> Float[np.ndarray, "P G"]:
    """Norms of each part by gate, in the order of PARTS."""
    rows = []
    for part in PARTS:
        values = getattr(gradients, part)
        rows.append(np.linalg.norm(values.reshape(len(values), -1), axis=1))
    return np.array(rows)


def weight_span(gradients: Weights) -> Range | None:
    """One range of colours for W and U of all gates, so that they can be compared."""
    both = np.concatenate([np.abs(gradients.input).ravel(), np.abs(gradients.recurrent).ravel()])
    return decades(both)


def weight_heatmap(
    gradients: Weights,
    part: str,
    gate: int,
    *,
    symbol: str,
    at: tuple[int, int] | None = None,
    dark: bool = False,
) -> go.Figure:
    """|dL/dW| or |dL/dU| of one gate: the gate's unit by what it reads.

    Args:
        part: "input" or "recurrent".
        gate: its place.
        symbol: the gate's.
        at: row and column that are marked.
    """
    values, name = np.abs(getattr(gradients, part)[gate]), f"{PARTS[part]}<sub>{symbol}</sub>"
    units, columns = values.shape
    read = "input" if part == "input" else "unit before"
    figure = frame(
        f"|dL/d{PARTS[part]}| of gate {symbol}",
        dark=dark,
        plot_height=min(300, max(140, 7 * units)),
        keeps=f"weights {part} {values.shape}",
    )
    span = weight_span(gradients)
    if span is None:
        return note(figure, "Every gradient is zero.")
    figure.add_trace(
        magnitudes(
            values,
            span,
            x=number_edges(columns),
            y=number_edges(units),
            symbol=f"|dL/d{PARTS[part]}|",
            hover=f"unit %{{y:.0f}}, {read} %{{x:.0f}}<br>|dL/d{name}| = 10<sup>{{z}}</sup>",
            dark=dark,
        )
    )
    _weight_axes(figure, values.shape, read)
    if at is not None:
        row, column = at
        figure.add_shape(
            type="rect", x0=column + 0.5, x1=column + 1.5, y0=row + 0.5, y1=row + 1.5,
            line={"color": palette(dark).mark, "width": 1.6},
        )  # fmt: skip
    return figure


def _weight_axes(figure: go.Figure, shape: tuple[int, ...], read: str) -> None:
    units, columns = shape
    ticks = np.unique(np.linspace(1, columns, min(columns, 8)).round().astype(int))
    figure.update_xaxes(
        title_text=read, tickvals=ticks.tolist(), range=[0.5, columns + 0.5], autorange=False
    )
    figure.update_yaxes(**number_axis(units, "unit"))


def truncation(found: Truncated, length: int, *, dark: bool = False) -> go.Figure:
    """Length and direction of the gradient, followed only k steps back, beside the full one."""
    p, full = palette(dark), found.full
    names = ("norm / full norm", "cosine with the full gradient")
    figure = frame(
        "The gradient followed k steps back",
        dark=dark,
        plot_height=250,
        keeps="truncation",
        legend=names,
    )
    if full == 0:
        return note(figure, "The full gradient is zero.")
    curves = ((found.norms / full, p.roles["network"]), (found.cosines, p.roles["validation"]))
    for name, (values, colour) in zip(names, curves, strict=True):
        figure.add_trace(
            go.Scatter(
                x=found.lengths,
                y=values,
                name=name,
                mode="lines+markers" if len(found.lengths) < 40 else "lines",
                line={"color": colour, "width": 2},
                hovertemplate=f"{name}: %{{y:.4f}}<extra></extra>",
            )
        )
    most = float(max(1.0, (found.norms / full).max()))
    least = float(min(0.0, found.cosines.min()))
    figure.update_yaxes(range=[least - 0.05, most * 1.06], title_text="share")
    figure.update_xaxes(
        title_text="steps followed back, k",
        type="log",
        range=[0, float(np.log10(max(2, found.lengths[-1])))],
        tickvals=[k for k in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if k <= found.lengths[-1]],
        unifiedhovertitle={"text": "k = %{x}"},
    )
    figure.update_layout(hovermode="x unified")
    line = {"color": p.mark, "width": 1.2}
    figure.add_shape(type="line", x0=length, x1=length, y0=0, y1=1, yref="paper", line=line)
    return figure


def clipping(norms: Float[np.ndarray, " N"], clip: float, *, dark: bool = False) -> go.Figure:
    """Which share of the recorded steps has a longer gradient, for every clip norm."""
    p = palette(dark)
    figure = frame(
        "Steps that a clip norm would shorten", dark=dark, plot_height=250, keeps="clipping"
    )
    ordered = np.sort(norms[np.isfinite(norms) & (norms > 0)])
    if not ordered.size:
        return note(figure, "No gradient is recorded.")
    share = 1.0 - np.arange(1, len(ordered) + 1) / len(ordered)
    figure.add_trace(
        go.Scatter(
            x=np.concatenate((ordered[:1], ordered)),
            y=np.concatenate(([1.0], share)),
            mode="lines",
            line={"color": p.roles["train"], "width": 2, "shape": "hv"},
            hovertemplate="longer than %{x:.3~g}: %{y:.1%}<extra></extra>",
        )
    )
    ends = np.log10([min(ordered[0], clip or ordered[0]), max(ordered[-1], clip)])
    figure.update_xaxes(**log_axis(ends[0] - 0.2, ends[1] + 0.2), title_text="clip norm")
    figure.update_yaxes(range=[-0.02, 1.04], tickformat=".0%", title_text="steps shortened")
    if clip > 0:
        line = {"color": p.roles["test"], "width": 1.6, "dash": "dash"}
        figure.add_shape(type="line", x0=clip, x1=clip, y0=0, y1=1, yref="paper", line=line)
    return figure
