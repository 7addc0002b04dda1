"""A group's mean over time with its standard error, drawn the same way everywhere."""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from rnnviz.figures.clock import Clock
from rnnviz.figures.reduce import to_pixels
from rnnviz.figures.theme import faint

GROUP_DASHES = ("solid", "dash", "dot", "dashdot", "6px,2px", "2px,2px")


def band_and_line(
    values: Float[np.ndarray, "M T"], label: str, k: int, colour: str, clock: Clock, dark: bool
) -> list[go.Scatter]:
    """The k-th group's band of one standard error, from two members on, and its mean.

    Past 720 steps both are block means: a screen has no more columns.
    """
    mean = values.mean(axis=0, dtype=np.float64)
    many = len(values) > 1
    spread = values.std(axis=0, ddof=1, dtype=np.float64) if many else np.zeros_like(mean)
    pixels = to_pixels(np.stack([mean, spread / np.sqrt(len(values))]))
    edges = clock.edges[pixels.column_edges]
    x = (edges[1:] + edges[:-1]) / 2
    mean, error = pixels.values
    band = go.Scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([mean + error, (mean - error)[::-1]]).astype(np.float32),
        fill="toself",
        fillcolor=faint(colour, dark),
        mode="none",
        hoverinfo="skip",
        showlegend=False,
        legendgroup=label,
    )
    line = go.Scatter(
        x=x,
        y=mean.astype(np.float32),
        name=label,
        legendgroup=label,
        mode="lines",
        line={"color": colour, "width": 2, "dash": GROUP_DASHES[k % len(GROUP_DASHES)]},
        hovertemplate=f"{label}: %{{y:.3~g}}<extra></extra>",
    )
    return [band, line] if many else [line]
