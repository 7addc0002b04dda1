"""What units tell of a property of the steps. Arrays in, figures out."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from rnnviz.figures.frame import frame
from rnnviz.figures.heat import colour_bar
from rnnviz.figures.theme import Quantity, colour_scale, palette, plain
from rnnviz.figures.values import Range

MOST_UNITS = 16  # rows of the map of means
MOST_CURVES = 6  # classes whose spread is drawn as a curve each; of more, mean and deviation


def shares(
    units: tuple[int, ...], share: Float[np.ndarray, " U"], name: str, *, dark: bool
) -> go.Figure:
    """How much of a property's entropy each unit tells, the most first."""
    figure = frame(
        f"What the units tell of “{name}”",
        dark=dark,
        plot_height=200,
        keeps=f"shares {len(units)}",
    )
    figure.add_trace(
        go.Bar(
            x=[str(unit + 1) for unit in units],
            y=100.0 * share,
            marker={"color": palette(dark).role("network"), "line": {"width": 0}},
            hovertemplate="unit %{x}<br>%{y:.1f} % of the entropy<extra></extra>",
        )
    )
    figure.update_xaxes(title_text="unit, the most telling first", type="category", nticks=32)
    figure.update_yaxes(title_text="share of the entropy [%]", rangemode="tozero", nticks=5)
    return figure


def means(
    h: Float[np.ndarray, "U C"],
    units: tuple[int, ...],
    classes: tuple[str, ...],
    *,
    name: str,
    limit: float,
    dark: bool,
) -> go.Figure:
    """The mean of h of each unit in each class of steps."""
    span = Range(quantity=Quantity.STATE, low=-limit, high=limit)
    figure = frame(
        f"Mean state h by “{name}”",
        dark=dark,
        plot_height=max(90, 16 * len(units)),
        keeps=f"means {h.shape}",
    )
    figure.add_trace(
        go.Heatmap(
            z=h.astype(np.float32),
            x=[plain(one, 24) for one in classes],
            y=[str(unit + 1) for unit in units],
            zmin=-limit,
            zmax=limit,
            zauto=False,
            colorscale=colour_scale(span.quantity, dark),
            colorbar=colour_bar(span, 1, "mean h"),
            hovertemplate="unit %{y}, %{x}<br>mean h = %{z:.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(title_text=plain(name), **_classes(classes, most=8))  # in half a page
    figure.update_yaxes(type="category", title_text="unit", autorange="reversed", showgrid=False)
    return figure


def _classes(classes: tuple[str, ...], *, most: int) -> dict[str, Any]:
    """An axis of classes; of many, such as 24 hours, it names some, and all of them upright."""
    many = {"nticks": most, "tickangle": 0} if len(classes) > most else {}
    return {"type": "category", **many}


def by_class(
    h: Float[np.ndarray, " n"],
    values: Int[np.ndarray, " n"],
    classes: tuple[str, ...],
    *,
    name: str,
    unit: int,
    dark: bool,
) -> go.Figure:
    """Mean and standard deviation of h of one unit in each class."""
    p = palette(dark)
    figure = frame(
        f"State h of unit {unit + 1} by “{name}”: mean and standard deviation",
        dark=dark,
        plot_height=200,
        keeps=f"by class {len(classes)}",
    )
    some = [k for k in range(len(classes)) if (values == k).any()]
    mean = np.array([h[values == k].mean() for k in some])
    spread = np.array([h[values == k].std() for k in some])
    figure.add_trace(
        go.Scatter(
            x=[plain(classes[k], 24) for k in some],
            y=mean,
            error_y={"array": spread, "color": p.axis, "thickness": 1.2, "width": 3},
            customdata=spread,
            mode="markers",
            marker={"color": p.role("network"), "size": 8},
            hovertemplate="%{x}<br>h = %{y:.3f} ± %{customdata:.3f}<extra></extra>",
        )
    )
    figure.update_xaxes(title_text=plain(name), **_classes(classes, most=12))
    figure.update_yaxes(title_text="h", nticks=5)
    return figure


def parted(
    h: Float[np.ndarray, " n"],
    values: Int[np.ndarray, " n"],
    classes: tuple[str, ...],
    *,
    name: str,
    unit: int,
    threshold: float | None,
    dark: bool,
) -> go.Figure:
    """How h of one unit is spread in each of at most MOST_CURVES classes: shares of 40 bins."""
    p = palette(dark)
    figure = frame(
        f"State h of unit {unit + 1} by “{name}”",
        dark=dark,
        plot_height=200,
        keeps=f"parted {len(classes)}",
        legend=classes,
    )
    low, high = float(h.min()), float(h.max())
    edges = np.linspace(low, high if high > low else low + 1.0, 41)
    for k, one in enumerate(classes):
        mine = h[values == k]
        counts = np.histogram(mine, edges)[0] / max(1, len(mine))
        figure.add_trace(
            go.Scatter(
                x=(edges[1:] + edges[:-1]) / 2,
                y=100.0 * counts,
                name=plain(one, 24),
                mode="lines",
                line={"color": p.groups[k], "width": 1.8, "shape": "hvh"},
                hovertemplate="h around %{x:.2f}<br>%{y:.1f} % of the steps"
                f"<extra>{plain(one, 24)}</extra>",
            )
        )
    if threshold is not None:
        figure.add_vline(x=threshold, line={"color": p.mark, "width": 1.2, "dash": "dot"})
    figure.update_xaxes(title_text="h", nticks=9)
    figure.update_yaxes(title_text="share of the class' steps [%]", rangemode="tozero", nticks=5)
    return figure
