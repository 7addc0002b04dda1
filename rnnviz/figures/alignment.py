"""Output tokens by source tokens: attention, gradients, occlusions. Arrays in, figure out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from rnnviz.figures.frame import frame, note
from rnnviz.figures.heat import heat_trace, number_edges
from rnnviz.figures.reduce import to_pixels
from rnnviz.figures.theme import Quantity, colour_scale, palette, plain, visible
from rnnviz.figures.values import Range

ATTENTION = Range(quantity=Quantity.ATTENTION, low=0.0, high=1.0)
_MOST_LABELS = 60  # tokens along an axis; of more every second, third, ... is named
PANELS_IN_A_ROW = 4


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """The two sides of a picture."""

    source: Sequence[str]
    output: Sequence[str]


def alignment(
    values: Float[np.ndarray, "T S"],
    tokens: Tokens,
    *,
    title: str,
    symbol: str,
    span: Range = ATTENTION,
    step: int | None = None,
    form: str = ".3f",
    unit: str = "",
    dark: bool = False,
) -> go.Figure:
    """One row for each output token, one column for each source token.

    Args:
        values: what is coloured.
        title: of the picture.
        symbol: what a value is, in the hover text.
        span: the ends of the colours.
        step: the output token that is marked, from 0.
        form: how a value is written.
        unit: over the colour bar; else the symbol stands there.
        dark: for a dark page.
    """
    rows, columns = values.shape
    height = min(520, max(150, 22 * rows))
    figure = frame(
        title, dark=dark, plot_height=height, keeps=f"alignment {rows} {columns} {symbol}"
    )
    trace = heat_trace(
        to_pixels(values, rows=max(rows, 1), columns=max(columns, 1)),
        span,
        x=number_edges(columns),
        y=number_edges(rows),
        symbol=symbol,
        hover=f"%{{customdata[0]}} by %{{customdata[1]}}<br>{symbol} {{z}}",
        dark=dark,
        form=form,
        exact=True,
    )
    trace.customdata = _names(tokens)
    trace.colorbar.title.text = unit or symbol
    figure.add_trace(trace)
    slanted = any(len(token) > 1 for token in tokens.source)
    figure.update_xaxes(**_axis(tokens.source, "source"), range=[0.5, columns + 0.5])
    figure.update_xaxes(tickangle=-40 if slanted else 0)
    figure.update_yaxes(**_axis(tokens.output, "output"), range=[rows + 0.5, 0.5])
    if step is not None:
        line = {"color": palette(dark).mark, "width": 1.4}
        figure.add_shape(
            type="rect", x0=0.5, x1=columns + 0.5, y0=step + 0.5, y1=step + 1.5, line=line
        )
    return figure


def _names(tokens: Tokens) -> np.ndarray:
    """Of each cell the output's and the source's token, for hovering."""
    output = [f"{k}. {visible(token)}" for k, token in enumerate(tokens.output, start=1)]
    source = [f"{k}. {visible(token)}" for k, token in enumerate(tokens.source, start=1)]
    return np.stack(np.meshgrid(output, source, indexing="ij"), axis=-1)


def _axis(tokens: Sequence[str], title: str) -> dict[str, Any]:
    every = -(-len(tokens) // _MOST_LABELS)
    places = list(range(1, len(tokens) + 1, every))
    return {
        "title": {"text": title},
        "tickvals": places,
        "ticktext": [visible(tokens[place - 1]) for place in places],
        "autorange": False,
        "showgrid": False,
    }


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The same pair at one epoch."""

    title: str
    weights: Float[np.ndarray, "T S"]
    chosen: bool = False


def forming(panels: Sequence[Panel], tokens: Tokens, *, dark: bool = False) -> go.Figure:
    """Small alignments beside each other, one for each epoch, all in the same colours."""
    lines = max(1, -(-len(panels) // PANELS_IN_A_ROW))
    figure = frame(
        "Attention of the same pair, epoch by epoch",
        dark=dark,
        plot_height=190 * lines,
        keeps=f"forming {len(panels)}",
        left=24,
    )
    if not panels:
        return note(figure, "No epoch is kept yet.")
    for k, panel in enumerate(panels):
        _panel(figure, k, panel, lines, tokens, dark)
    figure.update_layout(
        coloraxis={
            "colorscale": colour_scale(Quantity.ATTENTION, dark),
            "cmin": ATTENTION.low,
            "cmax": ATTENTION.high,
            "colorbar": {
                "title": {"text": "weight", "side": "top"},
                "thickness": 12,
                "tickvals": [0, 0.5, 1],
                "outlinewidth": 0,
            },
        }
    )
    return figure


def _panel(figure: go.Figure, k: int, panel: Panel, lines: int, tokens: Tokens, dark: bool) -> None:
    line, column = divmod(k, PANELS_IN_A_ROW)
    left, wide = column / PANELS_IN_A_ROW, 0.92 / PANELS_IN_A_ROW
    top, tall = 1 - line / lines, (150 / 190) / lines
    number = "" if k == 0 else str(k + 1)
    rows, columns = panel.weights.shape
    colour = palette(dark).mark if panel.chosen else palette(dark).axis
    axis = {"showticklabels": False, "ticks": "", "showgrid": False, "showline": True,
            "mirror": True, "linecolor": colour, "linewidth": 2 if panel.chosen else 1}  # fmt: skip
    down = top - 24 / 190 / lines
    figure.layout[f"xaxis{number}"] = {
        **axis, "domain": [left, left + wide], "anchor": f"y{number}",
        "range": [0.5, columns + 0.5],
    }  # fmt: skip
    figure.layout[f"yaxis{number}"] = {
        **axis, "domain": [max(0.0, down - tall), down], "anchor": f"x{number}",
        "range": [rows + 0.5, 0.5],
    }  # fmt: skip
    figure.add_trace(
        go.Heatmap(
            z=panel.weights.astype(np.float32),
            x=np.arange(1, columns + 1),
            y=np.arange(1, rows + 1),
            xaxis=f"x{number}",
            yaxis=f"y{number}",
            coloraxis="coloraxis",
            customdata=_names(tokens),
            name=panel.title,
            hovertemplate=f"{plain(panel.title)}<br>%{{customdata[0]}} by %{{customdata[1]}}"
            "<br>weight %{z:.3f}<extra></extra>",
        )
    )
    figure.add_annotation(
        text=plain(panel.title, 34), x=left, y=down, xref="paper", yref="paper",
        xanchor="left", yanchor="bottom", font={"size": 12},
    )  # fmt: skip


def compared(
    values: Mapping[str, Float[np.ndarray, " S"]],
    source: Sequence[str],
    *,
    title: str,
    dark: bool = False,
) -> go.Figure:
    """What several ways say of each source token, each as a share of its own largest magnitude."""
    figure = frame(
        title, dark=dark, plot_height=170, keeps="compared", legend=list(values), right=24
    )
    inks = palette(dark).groups
    for k, (name, row) in enumerate(values.items()):
        largest = float(np.abs(row).max()) or 1.0
        figure.add_trace(
            go.Bar(
                x=np.arange(1, len(row) + 1),
                y=row / largest,
                name=name,
                marker={"color": inks[k]},
                customdata=[
                    (visible(token), value) for token, value in zip(source, row, strict=True)
                ],
                hovertemplate=f"%{{customdata[0]}}<br>{name} %{{customdata[1]:.3~g}}"
                "<extra></extra>",
            )
        )
    slanted = any(len(token) > 1 for token in source)
    figure.update_xaxes(**_axis(source, "source"), range=[0.5, len(source) + 0.5])
    figure.update_xaxes(tickangle=-40 if slanted else 0)
    figure.update_yaxes(title_text="share of its largest", range=[-1.08, 1.08], nticks=5)
    figure.update_layout(barmode="group", bargap=0.25)
    return figure
