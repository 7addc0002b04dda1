"""The empty figure that all others start from: title, margins, legend room, message."""

from collections.abc import Sequence

import plotly.graph_objects as go

from rnnviz.figures.theme import palette, plain, template

LEFT, RIGHT, BOTTOM = 66, 84, 44  # [px]; fixed, so that figures above each other line up
_TITLE, _LEGEND_ROW = 34, 20  # [px]
_NARROWEST = 600 - LEFT - RIGHT  # [px] of a plot's width, for which legends leave room


def legend_rows(labels: Sequence[str]) -> int:
    """Rows that a legend on top takes in the narrowest figure."""
    widest = max((len(label) for label in labels), default=0)
    per_row = max(1, _NARROWEST // (6 * widest + 46))
    return -(-len(labels) // per_row)


def top_margin(labels: Sequence[str] = ()) -> int:
    """Room for the title and a legend of these labels [px]."""
    return _TITLE + _LEGEND_ROW * legend_rows(labels)


def frame(
    title: str,
    *,
    dark: bool,
    plot_height: int,
    keeps: str,
    legend: Sequence[str] = (),
    right: int = RIGHT,
    left: int = LEFT,
) -> go.Figure:
    """A figure without traces.

    Args:
        title: one short line; it is shown as plain text.
        dark: for a dark page.
        plot_height: of the area inside the axes [px].
        keeps: zoom and pan survive a redraw for as long as this stays the same.
        legend: the labels that the legend on top will hold; none for no legend.
        right: room beside the axes [px].
        left: room for the vertical axis [px].
    """
    top = top_margin(legend)
    title_place = {
        "text": plain(title, 110),
        "y": 1,
        "yref": "container",
        "yanchor": "top",
        "pad": {"t": 9},
        "automargin": False,
    }
    return go.Figure(
        layout={
            "template": template(dark),
            "title": title_place,
            "height": top + plot_height + BOTTOM,
            "margin": {"l": left, "r": right, "t": top, "b": BOTTOM, "autoexpand": False},
            "showlegend": bool(legend),
            "uirevision": keeps,
            # opaque: Plotly draws the hover line on a ground that it takes from here
            "plot_bgcolor": palette(dark).page,
        }
    )


def note(figure: go.Figure, text: str) -> go.Figure:
    """The figure with one plain sentence in its middle, for when there is nothing to draw yet."""
    figure.add_annotation(text=plain(text, 120), x=0.5, y=0.5, xref="paper", yref="paper")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure


def stack(figure: go.Figure, heights: Sequence[float], gap: float = 0.06) -> tuple[str, ...]:
    """Vertical axes above each other on one horizontal axis; their names, from the top.

    Args:
        figure: gets the axes' places.
        heights: relative heights from the top.
        gap: between two, as a share of the whole.
    """
    free = 1.0 - gap * (len(heights) - 1)
    total, top, names = sum(heights), 1.0, []
    for k, height in enumerate(heights):
        bottom = max(0.0, top - free * height / total)
        names.append("y" if k == 0 else f"y{k + 1}")
        figure.layout["yaxis" + names[-1][1:]] = {"domain": [bottom, top], "anchor": "x"}
        top = bottom - gap
    figure.update_xaxes(anchor=names[-1])
    return tuple(names)
