"""What pictures of two runs share: two lines, what is touched, and what is chosen."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from rnnviz.figures.clock import Clock
from rnnviz.figures.colours import with_alpha
from rnnviz.figures.reduce import envelope
from rnnviz.figures.theme import Palette, palette

Spans = Sequence[tuple[int, int]]  # first and last step of each part, from 0

BEFORE, AFTER = "before", "after"


def shade(figure: go.Figure, clock: Clock, parts: Spans, dark: bool, *, fill: bool) -> None:
    """The parts that interventions touch: in grey behind lines, between lines on heat maps."""
    colour, edges = palette(dark).faint_text, clock.edges
    for first, last in dict.fromkeys(parts):
        if first >= len(clock.times):
            continue
        figure.add_shape(
            type="rect",
            x0=float(edges[first]),
            x1=float(edges[min(last + 1, len(edges) - 1)]),
            y0=0,
            y1=1,
            yref="paper",
            layer="below" if fill else "above",
            fillcolor=with_alpha(colour, 0.18 if fill else 0.0),
            line={"width": 0 if fill else 1, "color": colour, "dash": "dot"},
        )


def choose(figure: go.Figure, chosen: tuple[int, int]) -> None:
    """Dragging chooses a range of time; what was dragged goes as soon as the figure marks it."""
    figure.update_layout(dragmode="select", selectdirection="h", selectionrevision=str(chosen))


def lines(
    clock: Clock,
    before: Float[np.ndarray, " T"],
    after: Float[np.ndarray, " T"],
    *,
    symbol: str,
    colour: str,
    p: Palette,
    axis: str = "y",
    legend: bool = True,
) -> list[go.Scatter]:
    """Two lines: what was, dotted, and what would have been."""
    shared = {"yaxis": axis, "mode": "lines", "showlegend": legend}
    drawn = []
    for name, values, line in (
        (BEFORE, before, {"color": p.faint_text, "width": 1.6, "dash": "dot"}),
        (AFTER, after, {"color": colour, "width": 1.8}),
    ):
        kept = envelope(values)
        drawn.append(
            go.Scatter(
                x=clock.middles[kept],
                y=values[kept].astype(np.float32),
                name=name,
                legendgroup=name,
                line=line,
                hovertemplate=f"{symbol} {name} = %{{y:.4~g}}<extra></extra>",
                **shared,
            )
        )
    return drawn
