"""Several runners on the same axes: loss by epoch, gradient norm by distance and by epoch."""

import math
from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from rnnviz.events import Started
from rnnviz.figures.frame import frame, note
from rnnviz.figures.heat import log_axis
from rnnviz.figures.history import draw_baselines
from rnnviz.figures.theme import palette

DEEPEST = 10.0  # decades that are shown below the largest norm
WHOLE = 12  # epochs of which each has a tick
_DASHES = ("solid", "dash", "solid", "dash")
Curves = Mapping[str, tuple[list[int], list[float]]]  # of each runner x and y


def losses(curves: Curves, started: Started | None, *, dark: bool = False) -> go.Figure:
    """The validation loss of every runner after each epoch, and the lines that are known."""
    figure = frame(
        "Validation loss", dark=dark, plot_height=250, keeps="lap losses", legend=list(curves),
        right=150,
    )  # fmt: skip
    values = [v for _, y in curves.values() for v in y if math.isfinite(v)]
    if started is None or not values:
        return note(figure, "The curves begin with the first epoch.")
    _draw(figure, curves, "%{y:.4~g}", dark)
    known = {
        score.predictor: score.metrics[started.metric]
        for score in started.baselines
        if started.metric in score.metrics and score.part in ("validation", "test")
    }
    top = float(np.quantile(values, 0.98))
    high = 1.08 * max([top, *(v for v in known.values() if v < 2 * top)]) or 1.0
    draw_baselines(figure, known, (0.0, high), dark=dark)
    unit = f" [{started.unit}]" if started.unit else ""
    figure.update_yaxes(title_text=started.metric + unit, range=[0.0, high])
    _epochs(figure, curves)
    return figure


def norms_by_distance(
    curves: Curves, epoch: int, mark: int | None, what: str, *, dark: bool = False
) -> go.Figure:
    """‖dL/dh‖ at each distance from the loss, of every runner after one epoch.

    Args:
        mark: the distance at which `what` was read.
    """
    figure = frame(
        f"Gradient by distance, after epoch {epoch}", dark=dark, plot_height=260,
        keeps="lap distances", legend=list(curves),
    )  # fmt: skip
    if not _log(figure, curves):
        return note(figure, "Nothing is recorded of this epoch yet.")
    _draw(figure, curves, "%{y:.2~e}", dark)
    last = max(x[-1] for x, _ in curves.values() if x)
    figure.update_xaxes(
        title_text="distance to the loss [steps]",
        range=[-0.5, last + 0.5],
        unifiedhovertitle={"text": "%{x} steps back"},
    )
    figure.update_layout(hovermode="x unified")
    if mark is not None:
        line = {"color": palette(dark).mark, "width": 1.2, "dash": "dot"}
        figure.add_shape(type="line", x0=mark, x1=mark, y0=0, y1=1, yref="paper", line=line)
        figure.add_annotation(
            text=what, x=mark, y=1, yref="paper", yanchor="top", xanchor="right", xshift=-4
        )
    return figure


def norms_by_epoch(curves: Curves, title: str, *, dark: bool = False) -> go.Figure:
    """‖dL/dh‖ at one distance, of every runner, over the epochs."""
    figure = frame(title, dark=dark, plot_height=260, keeps="lap norms", legend=list(curves))
    if not _log(figure, curves):
        return note(figure, "The curves begin with the first epoch.")
    _draw(figure, curves, "%{y:.2~e}", dark)
    _epochs(figure, curves)
    return figure


def _draw(figure: go.Figure, curves: Curves, form: str, dark: bool) -> None:
    """A line a runner, always in the same colour; what is zero has no place on a logarithm."""
    log = figure.layout.yaxis.type == "log"
    for place, (name, (x, y)) in enumerate(curves.items()):
        there = [
            (a, b) for a, b in zip(x, y, strict=True) if math.isfinite(b) and (b > 0 or not log)
        ]
        figure.add_trace(
            go.Scatter(
                x=[a for a, _ in there],
                y=[b for _, b in there],
                name=name,
                mode="lines+markers" if len(there) <= 40 else "lines",
                line={
                    "color": palette(dark).groups[place],
                    "width": 2,
                    "dash": _DASHES[place % len(_DASHES)],
                },
                marker={"size": 5},
                hovertemplate=f"{name}: {form}<extra></extra>",
            )
        )


def _log(figure: go.Figure, curves: Curves) -> bool:
    """The vertical axis of norms; whether there is any norm."""
    values = np.array([v for _, y in curves.values() for v in y if v > 0 and math.isfinite(v)])
    if not values.size:
        return False
    top = float(np.ceil(np.log10(values.max()) + 0.1))
    low = max(float(np.floor(np.log10(values.min()) - 0.1)), top - DEEPEST)
    figure.update_yaxes(**log_axis(low, top), title_text="norm of dL/dh")
    return True


def _epochs(figure: go.Figure, curves: Curves) -> None:
    last = max((1, *(x[-1] for x, _ in curves.values() if x)))
    figure.update_xaxes(
        title_text="epoch",
        range=[0, 1.01 * last],  # with the last points whole
        dtick=1 if last <= WHOLE else None,  # half an epoch is none
        unifiedhovertitle={"text": "epoch %{x}"},
    )
    figure.update_layout(hovermode="x unified")
