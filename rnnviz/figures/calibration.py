"""How sure a network was, and how often it was right. Numbers in, figure out."""

import numpy as np
import plotly.graph_objects as go

from rnnviz.calibration import Reliability, interval
from rnnviz.figures.frame import frame, stack
from rnnviz.figures.theme import palette

_LABELS = ("share that is right, 95 % interval", "perfectly calibrated")


def reliability_diagram(found: Reliability, *, dark: bool = False) -> go.Figure:
    """Accuracy over confidence, bin by bin, with the number of predictions in each below.

    Args:
        found: the bins.
        dark: for a dark page.
    """
    p = palette(dark)
    figure = frame(
        f"Calibration, expected error {found.error:.1%}",
        dark=dark,
        plot_height=330,
        keeps="calibration",
        legend=_LABELS,
        right=24,
    )
    some = np.flatnonzero(found.counts)
    accuracy, counts = found.accuracy[some], found.counts[some]
    ends = np.array(
        [interval(round(a * n), int(n)) for a, n in zip(accuracy, counts, strict=True)]
    ).reshape(-1, 2)
    edges = [f"{low:.0%} to {high:.0%}" for low, high in zip(found.edges, found.edges[1:])]  # noqa: B905
    figure.add_trace(
        go.Scatter(
            x=found.confidence[some],
            y=accuracy,
            name=_LABELS[0],
            mode="markers",
            marker={"color": p.role("network"), "size": 9},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": ends[:, 1] - accuracy,
                "arrayminus": accuracy - ends[:, 0],
                "color": p.role("network"),
                "thickness": 1.4,
                "width": 4,
            },
            text=[edges[k] for k in some],
            customdata=np.column_stack((counts, ends)),
            hovertemplate="confidence %{text}, mean %{x:.1%}<br>right %{y:.1%} "
            "(%{customdata[1]:.1%} to %{customdata[2]:.1%})<br>"
            "%{customdata[0]:,} predictions<extra></extra>",
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[0, 1], y=[0, 1], name=_LABELS[1], mode="lines", hoverinfo="skip",
            line={"color": p.text, "width": 1.2, "dash": "dot"},
        )
    )  # fmt: skip
    figure.add_trace(
        go.Bar(
            x=(found.edges[1:] + found.edges[:-1]) / 2,
            y=found.counts,
            width=np.diff(found.edges) * 0.92,
            showlegend=False,
            yaxis="y2",
            text=[f"{n:,}" if n else "" for n in found.counts],
            textposition="outside",
            cliponaxis=False,
            marker={"color": p.faint_text, "line": {"width": 0}},
            hovertemplate="%{y:,} predictions<extra></extra>",
        )
    )
    stack(figure, (2.4, 1), gap=0.1)
    figure.update_xaxes(title_text="confidence: probability of what was said", tickformat=".0%")
    figure.update_xaxes(range=[-0.01, 1.02], nticks=11)
    figure.layout.yaxis.update(title_text="share right", range=[-0.03, 1.03], tickformat=".0%")
    top = float(max(1, found.counts.max())) * 1.3
    figure.layout.yaxis2.update(title_text="count", range=[0, top], nticks=3)
    return figure
