"""How good a network's predictions are. Survey in, figure out."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from rnnviz.data.dataset import Variable
from rnnviz.figures.colours import with_alpha
from rnnviz.figures.frame import frame, note
from rnnviz.figures.heat import colour_bar
from rnnviz.figures.theme import (
    DASHES,
    Quantity,
    colour_at,
    colour_scale,
    ink_on,
    palette,
    plain,
)
from rnnviz.figures.values import Range
from rnnviz.trace import Survey

_MOST_SHARES = 10  # classes of a confusion matrix that has room for two lines in a cell
_MOST_POINTS = 2000  # of the scatter; more are thinned evenly


def scatter(
    survey: Survey, output: Variable, r: float | None = None, *, dark: bool = False
) -> go.Figure:
    """Predicted against true, with the line of perfect prediction and the mean of the true values.

    Args:
        survey: predictions in the target's unit.
        output: the target's name and unit.
        r: the correlation as the scorecard has it, for the title.
        dark: for a dark page.
    """
    true, predicted = survey.targets, survey.predictions
    good = np.flatnonzero(np.isfinite(true) & np.isfinite(predicted))
    labels = ("a sequence", "perfect prediction", "mean of the true values")
    figure = frame(
        f"{output.name}: predicted against true"
        + ("" if r is None or math.isnan(r) else f", r = {r:.2f}".replace("-", "−")),
        dark=dark,
        plot_height=300,
        keeps="scatter",
        legend=labels,
        right=24,
    )
    if not good.size:
        return note(figure, "There are no predictions yet.")
    kept = good[np.linspace(0, len(good) - 1, min(len(good), _MOST_POINTS)).astype(int)]
    if len(kept) < len(good):
        figure.layout.title.text += f" ({len(kept):,} of {len(good):,} drawn)"
    both = np.concatenate([true[good], predicted[good]])
    room = 0.04 * (both.max() - both.min()) or 1.0
    ends = np.array([both.min() - room, both.max() + room])
    figure.add_trace(_points(survey, kept, labels[0], dark))
    _reference(figure, labels[1], ends, ends, "solid", palette(dark).text)
    level = np.full(2, true[good].mean())
    _reference(figure, labels[2], ends, level, DASHES["mean"], palette(dark).roles["mean"])
    name = plain(output.name, 40) + (f" [{plain(output.unit)}]" if output.unit else "")
    figure.update_xaxes(title_text=f"true {name}", range=ends.tolist())
    figure.update_yaxes(title_text=f"predicted {name}", range=ends.tolist())
    return figure


def _points(survey: Survey, kept: Int[np.ndarray, " P"], label: str, dark: bool) -> go.Scatter:
    colour = with_alpha(palette(dark).roles["network"], 0.55)
    return go.Scatter(
        x=survey.targets[kept].astype(np.float32),
        y=survey.predictions[kept].astype(np.float32),
        name=label,
        mode="markers",
        marker={"size": 6, "color": colour, "line": {"width": 0}},
        customdata=survey.sequences[kept] + 1,
        hovertemplate="true %{x:.4~g}, predicted %{y:.4~g}<br>row %{customdata}<extra></extra>",
    )


def _reference(
    figure: go.Figure,
    label: str,
    x: Float[np.ndarray, " 2"],
    y: Float[np.ndarray, " 2"],
    dash: str,
    colour: str,
) -> None:
    line = {"color": colour, "width": 1.4, "dash": dash}
    figure.add_trace(go.Scatter(x=x, y=y, name=label, mode="lines", line=line, hoverinfo="skip"))


def confusion(
    survey: Survey, classes: Sequence[str], *, shares: bool = False, dark: bool = False
) -> go.Figure:
    """How often each class was taken for each: colour is the share of the true class, text counts.

    Args:
        survey: targets and predictions are numbers of classes, from 0.
        classes: their names.
        shares: whether the share is written below the count.
        dark: for a dark page.
    """
    n = len(classes)
    true, predicted = np.rint(survey.targets).astype(int), np.rint(survey.predictions).astype(int)
    counts = np.zeros((n, n), dtype=np.int64)
    np.add.at(counts, (true, predicted), 1)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [plain(name, 18) for name in classes]
    correct = np.trace(counts) / max(1, counts.sum())
    figure = frame(
        f"True against predicted class, {correct:.0%} correct",
        dark=dark,
        plot_height=max(160, min(460, 44 * n)) if not shares else max(220, min(520, 54 * n)),
        keeps="confusion",
        left=40 + 8 * max(map(len, names)),
    )
    span = Range(quantity=Quantity.GATE, low=0.0, high=1.0)
    figure.add_trace(
        go.Heatmap(
            z=share.astype(np.float32),
            zmin=0,
            zmax=1,
            colorscale=colour_scale(span.quantity, dark),
            colorbar=colour_bar(span, 1, "share"),
            customdata=counts,
            text=[[f"true {row}, predicted {column}" for column in names] for row in names],
            hovertemplate="%{text}<br>%{customdata} sequences, "
            "%{z:.1%} of the true class<extra></extra>",
            xgap=2,
            ygap=2,
        )
    )
    _write_counts(figure, counts, share, dark, shares=shares and n <= _MOST_SHARES)
    places = {"tickvals": list(range(n)), "ticktext": names, "showgrid": False}
    slanted = n >= 7
    figure.update_xaxes(
        title_text="predicted", showline=False, tickangle=-40 if slanted else 0, **places
    )
    if slanted:  # names of up to 18 letters stand between the axis and its title
        room = round(4.6 * max(map(len, names)))
        figure.update_layout(
            height=figure.layout.height + room, margin_b=figure.layout.margin.b + room
        )
        figure.update_xaxes(title_standoff=room)
    figure.update_yaxes(title_text="true", autorange="reversed", **places)
    return figure


def _write_counts(
    figure: go.Figure,
    counts: Int[np.ndarray, "C C"],
    share: Float[np.ndarray, "C C"],
    dark: bool,
    *,
    shares: bool,
) -> None:
    """A number in each cell, where there is room for it."""
    for (row, column), count in np.ndenumerate(counts if len(counts) <= 16 else counts[:0]):
        behind = colour_at(Quantity.GATE, float(share[row, column]), 0, 1, dark)
        ink = {"color": ink_on(behind, dark)}
        text = f"{count:,}" + (f"<br>{share[row, column]:.1%}" if shares else "")
        figure.add_annotation(text=text, x=column, y=row, font=ink)
