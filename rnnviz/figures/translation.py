"""How a translation run goes, and where it is right. Numbers in, figure out."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import plotly.graph_objects as go

from rnnviz.events import RunView
from rnnviz.figures.frame import frame, note
from rnnviz.figures.theme import DASHES, palette, visible

_HEIGHT = 222  # [px]; of the loss beside it as well
_SHARES = {
    "exact": "whole outputs",
    "tokens": "tokens, each after the true ones",
}  # metrics of a score, as they are called


def shares(view: RunView, *, dark: bool = False) -> go.Figure:
    """The share of validation outputs, and of their tokens, that are right, over the epochs."""
    figure = frame(
        "Right on validation", dark=dark, plot_height=_HEIGHT, keeps="exact",
        legend=list(_SHARES.values()), right=24, left=72,
    )  # fmt: skip
    if not view.epochs:
        return note(figure, "The curves begin with the first epoch.")
    colours = {"exact": palette(dark).role("network"), "tokens": palette(dark).faint_text}
    for metric, name in _SHARES.items():
        points = [e for e in view.epochs if metric in e.validation.metrics]
        figure.add_trace(
            go.Scatter(
                x=[e.epoch for e in points],
                y=[100 * e.validation.metrics[metric] for e in points],
                name=name,
                mode="lines+markers" if len(points) <= 60 else "lines",
                line={
                    "color": colours[metric],
                    "width": 2,
                    "dash": "solid" if metric == "exact" else DASHES["test"],
                },
                marker={"size": 5},
                hovertemplate=f"{name}: %{{y:.1f}} %<extra></extra>",
            )
        )
    started = view.started
    epochs, per = (started.epochs, max(1, started.batches)) if started else (1, 1)
    for change in view.forcings:
        _mark_forcing(figure, change.step / per, change.teacher_forcing, dark)
    figure.update_xaxes(title_text="epoch", range=[0, max(epochs, 1)], minallowed=0)
    figure.update_yaxes(title_text="right [%]", range=[0, 104], tickvals=[0, 25, 50, 75, 100])
    figure.update_layout(hovermode="x unified")
    return figure


def _mark_forcing(figure: go.Figure, x: float, share: float, dark: bool) -> None:
    """A mark where teacher forcing was changed by hand."""
    faint = palette(dark).faint_text
    line = {"color": faint, "width": 1, "dash": "dot"}
    figure.add_shape(type="line", x0=x, x1=x, y0=0, y1=1, yref="paper", line=line)
    figure.add_annotation(
        text=f"forcing {share:.2g}", x=x, y=0, yref="paper", yanchor="bottom", xanchor="left",
        xshift=3, font={"size": 11, "color": faint},
    )  # fmt: skip


class Share(NamedTuple):
    """Sources of some lengths; shares in [0, 1]."""

    low: int
    high: int
    sentences: int
    share: float
    below: float  # ends of the 95 % interval
    above: float

    @property
    def label(self) -> str:
        """Such as 7 or 7–9."""
        return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"


def by_length(curves: Mapping[str, Sequence[Share]], unit: str, *, dark: bool = False) -> go.Figure:
    """Exact match by the source's length, a curve for each run.

    Args:
        curves: by name; the first is this run's.
        unit: what a length counts, such as characters.
    """
    figure = frame(
        "Right by length of the source", dark=dark, plot_height=270, keeps="lengths",
        legend=list(curves), right=24,
    )  # fmt: skip
    if not any(curves.values()):
        return note(figure, "There are no held-out sentences.")
    inks = (palette(dark).role("network"), palette(dark).role("validation"))
    for k, (name, some) in enumerate(curves.items()):
        figure.add_trace(
            go.Scatter(
                x=[(one.low + one.high) / 2 for one in some],
                y=[100 * one.share for one in some],
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [100 * (one.above - one.share) for one in some],
                    "arrayminus": [100 * (one.share - one.below) for one in some],
                    "thickness": 1.2,
                    "width": 3,
                },
                name=name,
                mode="lines+markers",
                line={"color": inks[k % 2], "width": 2, "dash": ("solid", "dash")[k % 2]},
                marker={"size": 7, "symbol": ("circle", "diamond")[k % 2]},
                customdata=[(one.label, one.sentences) for one in some],
                hovertemplate=f"{name}<br>%{{customdata[0]}} {unit}: %{{y:.1f}} % of "
                "%{customdata[1]}<extra></extra>",
            )
        )
    figure.update_xaxes(title_text=f"length of the source [{unit}]", nticks=12)
    figure.update_yaxes(title_text="right [%]", range=[-3, 104], tickvals=[0, 25, 50, 75, 100])
    return figure


def chances(
    probabilities: Mapping[str, float], chosen: str, title: str, *, dark: bool = False
) -> go.Figure:
    """The likeliest tokens of one step as bars; the written one stands out."""
    figure = frame(
        title, dark=dark, plot_height=24 * max(len(probabilities), 2), keeps="chances", right=70
    )
    names = [visible(token) for token in probabilities]
    p = palette(dark)
    figure.add_trace(
        go.Bar(
            x=[100 * share for share in probabilities.values()],
            y=list(range(len(names))),
            orientation="h",
            marker={"color": [p.role("network") if t == chosen else p.axis for t in probabilities]},
            text=[f"{share:.1%}" for share in probabilities.values()],
            textposition="outside",
            hovertemplate="%{x:.2f} %<extra></extra>",
        )
    )
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.5, -0.5]
    )
    figure.update_xaxes(title_text="probability [%]", range=[0, 112])
    return figure
