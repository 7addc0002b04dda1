"""Two networks trained in lockstep: loss and accuracy. Numbers in, figure out."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from rnnviz.figures.frame import frame, note
from rnnviz.figures.theme import DASHES, palette

Curves = Mapping[str, Mapping[str, Float[np.ndarray, " E"]]]
PLOT_HEIGHT = 240  # [px]
_NAMES = {"corrected": "corrected", "published": "as published"}
_FULL = 100.0  # [%]


def losses(curves: Curves, *, epochs: int, dark: bool = False) -> go.Figure:
    """Mean cross-entropy over epochs.

    Args:
        curves: by network and part, from epoch 0 on [nats].
        epochs: that are wanted.
        dark: for a dark page.
    """
    figure = _figure("Loss", "loss", curves, epochs, "%{y:.4~f} nats", dark)
    figure.update_yaxes(title_text="cross-entropy [nats]", rangemode="tozero")
    return figure


def accuracies(curves: Curves, *, epochs: int, dark: bool = False) -> go.Figure:
    """Share of phrases that are told right over epochs, with a line at 100 %.

    Args:
        curves: by network and part, from epoch 0 on; in [0, 1].
        epochs: that are wanted.
        dark: for a dark page.
    """
    percent = {
        name: {part: _FULL * values for part, values in parts.items()}
        for name, parts in curves.items()
    }
    figure = _figure("Accuracy", "accuracy", percent, epochs, "%{y:.1f} %", dark)
    if not figure.data:
        return figure
    line = {"color": palette(dark).faint_text, "width": 1, "dash": "dash"}
    figure.add_shape(type="line", x0=0, x1=1, xref="paper", y0=_FULL, y1=_FULL, line=line)
    figure.update_yaxes(title_text="accuracy [%]", range=[0, 105], tickvals=[0, 25, 50, 75, 100])
    return figure


def _figure(
    title: str, keeps: str, curves: Curves, epochs: int, hover: str, dark: bool
) -> go.Figure:
    labels = [f"{_NAMES[name]}, {part}" for name, parts in curves.items() for part in parts]
    figure = frame(title, dark=dark, plot_height=PLOT_HEIGHT, keeps=keeps, legend=labels, right=24)
    lines = [(name, part, y) for name, parts in curves.items() for part, y in parts.items()]
    if not any(len(y) > 1 for _, _, y in lines):
        return note(figure, "The curves begin with the first epoch.")
    for name, part, values in lines:
        label = f"{_NAMES[name]}, {part}"
        line = {
            "color": palette(dark).role(name),
            "width": 2,
            "dash": DASHES.get(part, "solid"),
        }
        figure.add_trace(
            go.Scatter(
                x=np.arange(len(values)),
                y=values,
                name=label,
                mode="lines",
                line=line,
                hovertemplate=f"{label}: {hover}<extra></extra>",
            )
        )
    figure.update_xaxes(title_text="epoch", range=[0, epochs], minallowed=0)
    figure.update_layout(hovermode="x unified")
    return figure
