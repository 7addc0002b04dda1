"""What pairs of texts look like before any network reads them. Pairs in, figure out."""

import numpy as np
import plotly.graph_objects as go

from rnnviz.data.pairs import Pairs
from rnnviz.figures.frame import frame
from rnnviz.figures.theme import faint, palette, plain

_BINS = 40


def pair_lengths(pairs: Pairs, *, dark: bool = False) -> go.Figure:
    """How long sources and targets are [characters], as shares of all pairs."""
    sides = {
        f"source {pairs.given}": np.array([len(text) for text in pairs.source_texts]),
        f"target {pairs.target}": np.array([len(text) for text in pairs.target_texts]),
    }
    longest = max(int(lengths.max()) for lengths in sides.values())
    width = max(1, -(-longest // _BINS))  # whole characters
    edges = np.arange(-width, longest + 2 * width, width) + 0.5  # begins and ends at nothing
    names = [plain(name, 24) for name in sides]
    figure = frame(
        "Length of the texts", dark=dark, plot_height=220, keeps="pairs", legend=names, right=24
    )
    for name, lengths, colour in zip(names, sides.values(), palette(dark).groups, strict=False):
        counts, _ = np.histogram(lengths, bins=edges)
        figure.add_trace(
            go.Scatter(
                x=(edges[1:] + edges[:-1]) / 2,
                y=counts / len(lengths),
                name=name,
                mode="lines",
                line={"color": colour, "width": 2, "shape": "hvh"},
                fill="tozeroy",
                fillcolor=faint(colour, dark),
                hovertemplate=f"{name}: %{{y:.1%}}<extra></extra>",
            )
        )
    figure.update_xaxes(title_text="length [characters]", rangemode="tozero")
    figure.update_yaxes(title_text="share of pairs", tickformat=".0%", rangemode="tozero", nticks=5)
    figure.update_layout(hovermode="x unified")
    return figure
