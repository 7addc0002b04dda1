"""What a language model expects at each step of a text. Arrays in, figure out."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float, Int

from rnnviz.figures.frame import frame
from rnnviz.figures.heat import colour_bar
from rnnviz.figures.theme import Quantity, colour_scale, palette, visible
from rnnviz.figures.values import Range

LIKELIEST = 5
_SPAN = Range(quantity=Quantity.ATTENTION, low=0.0, high=1.0)
_ROW = 30  # [px]


def read_along(
    probabilities: Float[np.ndarray, "T V"],
    read: Sequence[str],
    targets: Int[np.ndarray, " T"],
    names: Sequence[str],
    *,
    first: int = 0,
    step: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """The likeliest next tokens after each token that is read, above the one that came.

    Args:
        probabilities: of every token after each step.
        read: the token that is read at each step.
        targets: the one that came next.
        names: of all tokens.
        first: number of the first step, from 0.
        step: marked, from 0.
        dark: for a dark page.
    """
    count = min(LIKELIEST, len(names))
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
    shown = np.concatenate([order, targets[:, None]], axis=1).T  # [K + 1 T]
    z = np.take_along_axis(probabilities, shown.T, axis=1).T
    figure = frame(
        "The likeliest next tokens, and the one that came",
        dark=dark,
        plot_height=_ROW * (count + 1),
        keeps=f"read along {first} {len(read)}",
    )
    x = np.arange(first + 1, first + 1 + len(read))
    said = [[visible(names[token]) for token in row] for row in shown]
    figure.add_trace(_cells(z, x, said, shown == targets, dark))
    rows = [*(f"{rank + 1}." for rank in range(count)), "came"]
    figure.update_yaxes(
        tickvals=list(range(count + 1)),
        ticktext=rows,
        range=[count + 0.5, -0.5],
        showgrid=False,
    )
    figure.update_xaxes(
        tickvals=x.tolist(),
        ticktext=[visible(token) for token in read],
        range=[x[0] - 0.5, x[-1] + 0.5],
        title_text=f"token read, steps {x[0]} to {x[-1]}",
        tickangle=0 if max(map(len, read)) == 1 else -40,
    )
    if step is not None and first <= step < first + len(read):
        line = {"color": palette(dark).mark, "width": 1.6}
        ends = {"x0": step + 0.5, "x1": step + 1.5, "y0": -0.5, "y1": count + 0.5}
        figure.add_shape(type="rect", **ends, line=line)
    return figure


def _cells(
    z: Float[np.ndarray, "K T"],
    x: Int[np.ndarray, " T"],
    said: list[list[str]],
    came: Bool[np.ndarray, "K T"],
    dark: bool,
) -> go.Heatmap:
    """A probability in each cell, with its token in an ink that can be read there."""
    return go.Heatmap(
        z=z.astype(np.float32),
        x=x,
        y=np.arange(len(z)),
        zmin=_SPAN.low,
        zmax=_SPAN.high,
        zauto=False,
        colorscale=colour_scale(_SPAN.quantity, dark),
        colorbar=colour_bar(_SPAN, 1, "p"),
        customdata=said,
        # Plotly chooses the ink of a cell's text; as many annotations would take seconds
        text=[_called(*row) for row in zip(said, came.tolist(), strict=True)],
        texttemplate="%{text}",
        textfont={"size": 13},
        hovertemplate="after step %{x}: %{customdata}, p = %{z:.4f}<extra></extra>",
        xgap=1,
        ygap=1,
    )


def _called(names: list[str], came: list[bool]) -> list[str]:
    """Bold where it came."""
    return [f"<b>{name}</b>" if bold else name for name, bold in zip(names, came, strict=True)]
