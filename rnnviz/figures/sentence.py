"""Scores of a sentence: without each of its words, after each of them, and made up of them.

Arrays in, figures out: no torch, no Streamlit.
"""

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from rnnviz.figures.clock import Clock, clock_axis
from rnnviz.figures.frame import frame
from rnnviz.figures.heat import mark
from rnnviz.figures.theme import Quantity, colours, palette, plain

_MOST_BARS = 200  # more are drawn as an area
_HEIGHT = 210  # [px]


def tokens_clock(tokens: tuple[str, ...]) -> Clock:
    """Steps that are named by what is read."""
    return Clock(times=np.arange(len(tokens), dtype=np.float64), unit="step", labels=tokens)


def without_each(
    scores: Float[np.ndarray, " T"],
    whole: float,
    tokens: tuple[str, ...],
    *,
    name: str,
    chosen: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """The log-odds of a class when each word is left out: bars from the whole sentence's to those.

    Args:
        scores: without each word [nats]; NaN where nothing would be left.
        whole: of the sentence as it is [nats].
        tokens: its words.
        name: of the class.
        chosen: the word that is marked.
        dark: for a dark page.
    """
    clock, p = tokens_clock(tokens), palette(dark)
    figure = frame(
        f"Log-odds of {name} when a word is left out",
        dark=dark,
        plot_height=_HEIGHT,
        keeps=f"without {len(tokens)}",
        legend=("whole sentence", "even chances"),
        right=24,
    )
    moved = scores - whole
    figure.add_trace(
        go.Bar(
            x=clock.middles,
            y=moved.astype(np.float32),
            base=whole,
            width=0.7,
            showlegend=False,
            marker={"color": _sides(moved, dark), "line": {"width": 0}},
            customdata=np.stack((scores, moved), axis=1),
            text=[plain(token, 24) for token in tokens],
            textposition="none",
            hovertemplate="without “%{text}”: %{customdata[0]:.3f} nats<br>"
            "moved by %{customdata[1]:+.3f}<extra></extra>",
        )
    )
    ends = clock.edges[[0, -1]]
    _level(figure, ends, whole, "whole sentence", p.text, "solid")
    _level(figure, ends, 0.0, "even chances", p.faint_text, "dot")
    figure.update_xaxes(**clock_axis(clock))
    figure.update_yaxes(title_text="ln p/(1 − p) [nats]", nticks=6)
    mark(figure, clock, step=chosen, unit=None, dark=dark)
    return _tilted(figure, clock)


def after_each(
    probabilities: Float[np.ndarray, " T"],
    tokens: tuple[str, ...],
    *,
    name: str,
    even: float,
    chosen: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """The probability of a class if the sentence ended after each word.

    Args:
        probabilities: one after each word.
        tokens: the words.
        name: of the class.
        even: one over the number of classes.
        chosen: the word that is marked.
        dark: for a dark page.
    """
    clock, p = tokens_clock(tokens), palette(dark)
    figure = frame(
        f"Probability of {name} after each word",
        dark=dark,
        plot_height=_HEIGHT,
        keeps=f"after {len(tokens)}",
        legend=("probability", "even chances"),
        right=24,
    )
    figure.add_trace(
        go.Scatter(
            x=clock.middles,
            y=probabilities.astype(np.float32),
            name="probability",
            mode="lines+markers" if len(tokens) <= _MOST_BARS else "lines",
            line={"color": p.role("network"), "width": 2},
            marker={"size": 7},
            text=[plain(token, 24) for token in tokens],
            hovertemplate="up to “%{text}”: %{y:.2%}<extra></extra>",
        )
    )
    _level(figure, clock.edges[[0, -1]], even, "even chances", p.faint_text, "dot")
    figure.update_xaxes(**clock_axis(clock))
    figure.update_yaxes(title_text="probability", range=[-0.03, 1.03], tickformat=".0%", nticks=6)
    mark(figure, clock, step=chosen, unit=None, dark=dark)
    return _tilted(figure, clock)


def attribution_over_time(
    steps: Float[np.ndarray, " T"],
    *,
    title: str,
    unit: str,
    clock: Clock,
    chosen: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """What each step did to a score, above zero for it and below against it.

    Args:
        steps: shares of the score, in its unit.
        title: of the figure, which names the score.
        unit: of the score; "" for none.
        clock: when each step happens.
        chosen: the step that is marked.
        dark: for a dark page.
    """
    p = palette(dark)
    figure = frame(title, dark=dark, plot_height=170, keeps=f"attribution {len(steps)}", right=84)
    said = f"share %{{y:+.3~g}}{' ' + plain(unit) if unit else ''}"
    hover = f"{clock.hover}<br>{said}<extra></extra>"
    values = steps.astype(np.float32)
    if len(steps) <= _MOST_BARS:
        figure.add_trace(
            go.Bar(
                x=clock.middles,
                y=values,
                width=0.8 * np.diff(clock.edges),
                marker={"color": _sides(steps, dark), "line": {"width": 0}},
                hovertemplate=hover,
            )
        )
    else:
        line = {"color": p.role("network"), "width": 1}
        figure.add_trace(
            go.Scatter(
                x=clock.middles, y=values, mode="lines", fill="tozeroy", line=line,
                hovertemplate=hover,
            )
        )  # fmt: skip
    figure.update_xaxes(**clock_axis(clock))
    figure.update_yaxes(title_text=f"share [{plain(unit)}]" if unit else "share", nticks=5)
    mark(figure, clock, step=chosen, unit=None, dark=dark)
    return figure


def _sides(values: Float[np.ndarray, " T"], dark: bool) -> list[str]:
    """The two ends of the scale of attributions, by the side of zero."""
    scale = colours(Quantity.ATTRIBUTION, dark)
    return [scale[-4] if value > 0 else scale[3] for value in values]


def _level(
    figure: go.Figure, x: Float[np.ndarray, " 2"], y: float, name: str, colour: str, dash: str
) -> None:
    line = {"color": colour, "width": 1.3, "dash": dash}
    figure.add_trace(
        go.Scatter(x=x, y=np.full(2, y), name=name, mode="lines", line=line, hoverinfo="skip")
    )


def _tilted(figure: go.Figure, clock: Clock) -> go.Figure:
    """Words below the axis, slanted where they would run into each other."""
    letters = sum(len(label) + 2 for label in clock.labels)
    if letters > 60 and len(clock.labels) > 6:
        figure.update_xaxes(tickangle=-50, title_text="")
        figure.update_layout(height=figure.layout.height + 34, margin_b=figure.layout.margin.b + 34)
    return figure
