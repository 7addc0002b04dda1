"""The clipping wall: a loss over two weights as a heat map, and the paths of descent on it."""

import numpy as np
import plotly.graph_objects as go

from rnnviz.figures.frame import frame, note
from rnnviz.figures.heat import decimal
from rnnviz.figures.theme import Quantity, colour_scale, palette
from rnnviz.inside.wall import Descent, Surface

PATHS = ("without clipping", "with clipping")


def loss_surface(
    surface: Surface,
    paths: dict[str, Descent],
    *,
    title: str,
    axes: tuple[str, str],
    unit: str = "loss",
    dark: bool = False,
) -> go.Figure:
    """The loss in colours, and every path with its start as a ring and its end as a cross.

    Paths may leave the picture: it keeps the surface's ends.
    """
    p = palette(dark)
    figure = frame(title, dark=dark, plot_height=380, keeps=title, legend=list(paths))
    finite = surface.loss[np.isfinite(surface.loss)]
    if not finite.size:
        return note(figure, "No loss is finite here.")
    figure.add_trace(_heat(surface, finite, axes, unit, dark))
    colours = {PATHS[0]: p.roles["test"], PATHS[1]: p.roles["network"]}
    for name, path in paths.items():
        figure.add_trace(_path(name, path, colours.get(name, p.text), p.page))
    figure.update_xaxes(title_text=axes[0], range=[surface.x[0], surface.x[-1]], autorange=False)
    figure.update_yaxes(
        title_text=axes[1], range=[surface.y[0], surface.y[-1]], autorange=False, showgrid=False
    )
    return figure


def _heat(
    surface: Surface, finite: np.ndarray, axes: tuple[str, str], unit: str, dark: bool
) -> go.Heatmap:
    low, high = float(finite.min()), float(np.quantile(finite, 0.98))
    return go.Heatmap(
        x=surface.x,
        y=surface.y,
        z=surface.loss.astype(np.float32),
        zmin=low,
        zmax=high if high > low else low + 1.0,
        colorscale=colour_scale(Quantity.LOSS, dark),
        colorbar={
            "title": {"text": unit, "side": "top", "font": {"size": 12}},
            "tickfont": {"size": 11},
            "thickness": 12,
            "outlinewidth": 0,
        },
        hovertemplate=f"{axes[0]} %{{x:.3f}}, {axes[1]} %{{y:.3f}}<br>{unit} %{{z:.4~g}}"
        "<extra></extra>",
        showlegend=False,
    )


def _path(name: str, path: Descent, colour: str, page: str) -> go.Scatter:
    count = len(path.points)
    symbols = ["circle-open", *["circle"] * max(0, count - 2), "x"][:count]
    sizes = [12, *[5] * max(0, count - 2), 10][:count]
    lengths = np.append(path.lengths, np.nan)
    return go.Scatter(
        x=path.points[:, 0],
        y=path.points[:, 1],
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": 3.2 if name == PATHS[0] else 1.6},
        marker={"color": colour, "symbol": symbols, "size": sizes, "line": {"color": page}},
        customdata=np.stack((np.arange(count), lengths), axis=1),
        hovertemplate=f"{name}, step %{{customdata[0]:.0f}}<br>gradient's norm "
        "%{customdata[1]:.3~g}<extra></extra>",
    )


def path_words(name: str, path: Descent, loss: float) -> str:
    """What became of a path."""
    steps = len(path.lengths)
    if path.fell_off:
        return f"**{name}**: after {steps} steps the numbers are no longer finite."
    longest = float(path.lengths.max(initial=0.0))
    far = float(np.linalg.norm(np.diff(path.points, axis=0), axis=1).max(initial=0.0))
    cut = f", {path.clipped} of {steps} steps shortened" if path.clipped else ""
    return (
        f"**{name}**: loss {decimal(loss)} after {steps} steps; longest gradient "
        f"{decimal(longest)}, longest step {decimal(far)}{cut}."
    )
