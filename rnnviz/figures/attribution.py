"""What each hour of a day did to a prediction. Hours in, figure out."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from rnnviz.figures.clock import Clock, clock_axis
from rnnviz.figures.frame import frame, stack
from rnnviz.figures.theme import palette, plain

_LABELS = ("integrated gradients", "occlusion: the mean day's hour instead", "attention")


def by_hour(
    hours: Float[np.ndarray, " 24"],
    occluded: Float[np.ndarray, " 24"],
    attention: Float[np.ndarray, " 24"],
    *,
    title: str,
    unit: str,
    dark: bool = False,
) -> go.Figure:
    """Both attributions over the clock, and attention below; above 0 an hour raised what is said.

    Args:
        hours: by integrated gradients, in the target's unit.
        occluded: by how much the prediction falls without the hour.
        attention: share of each hour.
        title: whose day it is.
        unit: of the target.
        dark: for a dark page.
    """
    figure = frame(title, dark=dark, plot_height=300, keeps="attribution", legend=_LABELS, right=24)
    clock = Clock(times=np.arange(24) * 60.0, unit="min")
    ink = palette(dark)
    hover = f"{clock.hover}<br>%{{y:+.3~f}} {plain(unit)}<extra></extra>"
    share = f"{clock.hover}<br>attention %{{y:.1%}}<extra></extra>"
    figure.add_trace(_bars(clock, hours, _LABELS[0], ink.roles["network"], hover))
    figure.add_trace(
        go.Scatter(
            x=clock.middles,
            y=occluded.astype(np.float32),
            name=_LABELS[1],
            mode="markers",
            marker={"color": ink.roles["validation"], "size": 8, "symbol": "diamond"},
            hovertemplate=hover,
        )
    )
    figure.add_trace(_bars(clock, attention, _LABELS[2], ink.role("attention"), share, "y2"))
    stack(figure, (2, 1))
    figure.update_xaxes(**clock_axis(clock))
    figure.layout.yaxis.update(title_text=f"effect [{plain(unit)}]" if unit else "effect")
    figure.layout.yaxis2.update(title_text="attention", tickformat=".0%", rangemode="tozero")
    return figure


def _bars(
    clock: Clock,
    values: Float[np.ndarray, " 24"],
    name: str,
    colour: str,
    hover: str,
    axis: str | None = None,
) -> go.Bar:
    return go.Bar(
        x=clock.middles,
        y=values.astype(np.float32),
        width=0.86 * np.diff(clock.edges),
        name=name,
        yaxis=axis,
        marker={"color": colour},
        hovertemplate=hover,
    )
