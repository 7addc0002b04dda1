"""Word vectors: their loss, the analogies that they solve, and angles. Numbers in, figure out."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from rnnviz.figures.frame import frame, note
from rnnviz.figures.theme import palette, plain, visible

PLOT_HEIGHT = 240  # of curves [px]
Curve = tuple[Sequence[int], Sequence[float]]  # epochs and values


def losses(
    curve: Curve,
    parts: tuple[Sequence[float], Sequence[float]],
    *,
    epochs: int,
    what: str,
    untaught: float | None,
    dark: bool = False,
) -> go.Figure:
    """The mean loss of each epoch, and of each part of one.

    Args:
        curve: from epoch 1 on.
        parts: where in the epochs each part ends, and its loss.
        epochs: that are wanted.
        what: title of the vertical axis, with its unit.
        untaught: the loss where all scores are 0; None where there is no such number.
        dark: for a dark page.
    """
    named = ["epoch", "part of one", *(["all scores 0"] if untaught is not None else [])]
    figure = frame("Loss", dark=dark, plot_height=PLOT_HEIGHT, keeps="loss", legend=named, right=24)
    if not parts[0]:
        return note(figure, "The curve begins with the first part of the text.")
    p = palette(dark)
    for (x, y), name, width in ((parts, named[1], 1), (curve, named[0], 2)):
        figure.add_trace(
            go.Scatter(
                x=x, y=y, name=name, mode="lines" if width == 1 else "lines+markers",
                line={"color": p.faint_text if width == 1 else p.role("train"), "width": width},
                marker={"size": 5}, hovertemplate=name + ": %{y:.4~f}<extra></extra>",
            )
        )  # fmt: skip
    if untaught is not None:
        figure.add_trace(_level("all scores 0", untaught, epochs, "dash", f"{untaught:.4g}", dark))
    figure.update_xaxes(title_text="epoch", range=[0, epochs + 0.2], minallowed=0)
    figure.update_yaxes(title_text=what, rangemode="tozero")
    return figure


def _level(name: str, value: float, epochs: int, dash: str, said: str, dark: bool) -> go.Scatter:
    return go.Scatter(
        x=[0, epochs], y=[value, value], name=name, mode="lines",
        line={"color": palette(dark).faint_text, "width": 1.5, "dash": dash},
        hovertemplate=f"{name}: {said}<extra></extra>",
    )  # fmt: skip


def solved(
    curves: Mapping[str, Curve],
    nearest: Curve,
    chance: float,
    *,
    epochs: int,
    titles: Mapping[str, str],
    epoch: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """The share of analogies that are solved, relation by relation.

    Args:
        curves: by relation, from epoch 0 on; in [0, 1].
        nearest: of all analogies, those that the word nearest to c solves alone.
        chance: of a word drawn from all.
        epochs: that are wanted.
        titles: of the relations.
        epoch: that is marked.
        dark: for a dark page.
    """
    labels = [*(titles[name] for name in curves), "nearest to c alone", "chance"]
    figure = frame(
        "Analogies solved", dark=dark, plot_height=PLOT_HEIGHT, keeps="solved", legend=labels,
        right=24,
    )  # fmt: skip
    if not curves:
        return note(figure, "This text has no list of analogies; the invented one has.")
    p = palette(dark)
    for k, (name, (x, y)) in enumerate(curves.items()):
        line = {"color": p.groups[k % len(p.groups)], "width": 2}
        said = f"{titles[name]}: %{{y:.1f}} %<extra></extra>"
        percent = [100 * value for value in y]
        figure.add_trace(
            go.Scatter(
                x=x, y=percent, name=titles[name], mode="lines", line=line, hovertemplate=said
            )
        )
    x, y = nearest
    figure.add_trace(
        go.Scatter(
            x=x, y=[100 * value for value in y], name="nearest to c alone", mode="lines",
            line={"color": p.faint_text, "width": 1.5, "dash": "dot"},
            hovertemplate="nearest to c alone: %{y:.1f} %<extra></extra>",
        )
    )  # fmt: skip
    figure.add_trace(_level("chance", 100 * chance, epochs, "dash", f"{100 * chance:.2g} %", dark))
    if epoch is not None:
        figure.add_vline(x=epoch, line={"color": p.mark, "width": 1.2})
    figure.update_xaxes(title_text="epoch", range=[0, epochs + 0.2], minallowed=0)
    figure.update_yaxes(title_text="solved [%]", range=[-3, 105], tickvals=[0, 25, 50, 75, 100])
    figure.update_layout(hovermode="x unified")
    return figure


# -- angles ----------------------------------------------------------------------------------------


LABELS = 1.4  # where the words stand, in lengths of a ray


def angles(word: str, neighbours: Sequence[tuple[str, float]], *, dark: bool = False) -> go.Figure:
    """Neighbours as rays at their true angle to a word, which lies to the right.

    Args:
        word: at 0 degrees.
        neighbours: a word and its angle [degrees], nearest first.
        dark: for a dark page.
    """
    figure = frame(
        f"Angles to {visible(word)}", dark=dark, plot_height=280, keeps="angles", right=24, left=24
    )
    _half_circle(figure, dark)
    p = palette(dark)
    rays = [(word, 0.0, p.mark)]
    rays += [(name, between, p.roles["network"]) for name, between in neighbours]
    for k, (name, between, colour) in enumerate(rays):
        _ray(figure, name, between, k / max(len(rays) - 1, 1), colour, p.text)
    figure.update_xaxes(range=[-1.2, 2.3], visible=False)
    figure.update_yaxes(range=[-0.12, 1.25], visible=False, scaleanchor="x")
    return figure


def _half_circle(figure: go.Figure, dark: bool) -> None:
    p, turn = palette(dark), np.radians(np.linspace(0, 180, 91))
    figure.add_trace(
        go.Scatter(
            x=np.cos(turn), y=np.sin(turn), mode="lines", hoverinfo="skip", showlegend=False,
            line={"color": p.grid, "width": 1.5},
        )
    )  # fmt: skip
    for degrees in (45, 90, 135, 180):
        x, y = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        figure.add_shape(type="line", x0=0, y0=0, x1=x, y1=y, line={"color": p.grid, "width": 1})
        font = {"color": p.faint_text, "size": 11}
        figure.add_annotation(x=1.09 * x, y=1.09 * y, text=f"{degrees}°", font=font)


def _ray(
    figure: go.Figure, name: str, degrees: float, height: float, colour: str, ink: str
) -> None:
    """From the middle to the circle, and on by a thin line to the word, which stands apart."""
    turn = math.radians(degrees)
    end, label = (math.cos(turn), math.sin(turn)), (LABELS, 1.15 * height)
    said = f"{plain(name)}: {degrees:.1f}°<extra></extra>"
    for x, y, width in (
        ([0, end[0]], [0, end[1]], 2),
        ([end[0], label[0]], [end[1], label[1]], 0.6),
    ):
        figure.add_trace(
            go.Scatter(
                x=x, y=y, mode="lines", showlegend=False, name=plain(name),
                line={"color": colour, "width": width}, hovertemplate=said,
            )
        )  # fmt: skip
    text = f"{visible(name)} {degrees:.0f}°"
    font = {"size": 12, "color": ink}
    figure.add_annotation(x=label[0], y=label[1], text=text, xanchor="left", font=font)


# -- analogies -------------------------------------------------------------------------------------


def arithmetic(
    names: Sequence[str], flat: Float[np.ndarray, "5 2"], *, right: bool, dark: bool = False
) -> go.Figure:
    """a, b, c, what b - a + c gives, and the word nearest to it, in the plane that fits them best.

    Args:
        names: of a, b, c and of the nearest word.
        flat: places of a, b, c, the sum, and the nearest word.
        right: whether it is the word that the list of analogies has.
        dark: for a dark page.
    """
    a, b, c, answer = (visible(name) for name in names)
    figure = frame(
        f"{b} − {a} + {c}", dark=dark, plot_height=260, keeps="arithmetic", right=24, left=24
    )
    p = palette(dark)
    arrow = {"showarrow": True, "arrowhead": 2, "arrowwidth": 2, "text": "", "axref": "x"}
    for start, end in ((0, 1), (2, 3)):
        figure.add_annotation(
            x=flat[end, 0], y=flat[end, 1], ax=flat[start, 0], ay=flat[start, 1], ayref="y",
            arrowcolor=p.roles["network"], **arrow,
        )  # fmt: skip
    found = p.roles["ridge"] if right else p.roles["validation"]
    figure.add_trace(
        go.Scatter(
            x=flat[:, 0],
            y=flat[:, 1],
            mode="markers+text",
            text=[a, b, c, "sum", answer],
            textposition=["top center"] * 3 + ["bottom center", "top center"],
            textfont={"color": p.text, "size": 13},
            showlegend=False,
            marker={
                "size": [9, 9, 9, 7, 12],
                "symbol": ["circle"] * 3 + ["x", "diamond"],
                "color": [p.text] * 3 + [p.roles["network"], found],
            },
            hovertemplate="%{text}<extra></extra>",
        )
    )
    room = 0.25 * float(np.ptp(flat, axis=0).max()) + 1e-6
    for axis, k in ((figure.update_xaxes, 0), (figure.update_yaxes, 1)):
        ends = [float(flat[:, k].min()) - room, float(flat[:, k].max()) + room]
        axis(range=ends, visible=False)
    return figure
