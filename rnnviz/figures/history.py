"""How a run went: loss and gradients over epochs. Run in, figure out."""

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from rnnviz.events import RunView, Started
from rnnviz.figures.colours import with_alpha
from rnnviz.figures.frame import frame, note
from rnnviz.figures.heat import log_axis
from rnnviz.figures.predictions import confusion, scatter
from rnnviz.figures.theme import DASHES, palette, plain

__all__ = ["baselines_of", "confusion", "gradient_norms", "loss_curve", "loss_window", "scatter"]

_SYMBOLS = {"mse": "MSE", "mae": "MAE", "loss": "cross-entropy"}
_LOSS_HEIGHT = 222  # [px]; with title, legend and axis 320
_EMPTY_HEIGHT = 40  # the same of a model that was not trained here
_NAMES = 136  # [px] beside the axes for the baselines' names


def _axis_name(started: Started) -> str:
    unit = f" [{plain(started.unit)}]" if started.unit else ""
    return _SYMBOLS.get(started.metric, plain(started.metric)) + unit


def _height(started: Started | None) -> int:
    return _LOSS_HEIGHT if started is None or started.epochs else _EMPTY_HEIGHT


def _why_empty(started: Started | None) -> str:
    if started is not None and not started.epochs:
        return "This model was not trained here, so there is no curve."
    return "The curve begins with the first step."


def loss_window(
    batches: Float[np.ndarray, " A"],
    epochs: Float[np.ndarray, " E"],
    baselines: Float[np.ndarray, " K"],
) -> tuple[float, float]:
    """The part of the loss axis that is shown, by one rule for every run.

    Epochs count up to Tukey's outer fence (upper quartile + 3 interquartile ranges) of all epochs,
    and the last one always; batches from their lower to their upper quartile, so that neither
    their noise nor the first ones, which may be a thousand times larger, flatten the rest;
    baselines up to twice the best of them that is not 0, and 0. 6 % of room on both sides.
    """
    shown = [np.zeros(0)]
    if epochs.size:
        lower, upper = np.quantile(epochs, (0.25, 0.75))
        shown += [epochs[epochs <= upper + 3 * (upper - lower)], epochs[-1:]]
    if batches.size:
        low, high = np.quantile(batches, (0.25, 0.75))
        if epochs.size:
            high = min(high, 2 * max(float(v.max()) for v in shown if v.size))
        shown.append(np.array([low, high]))
    if baselines.size:
        some = baselines[baselines > 0]
        best = float(some.min()) if some.size else 0.0
        shown.append(baselines[baselines <= 2 * best])
    values = np.concatenate(shown)
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    return (max(0.0, low - room) if low >= 0 else low - room), high + room


def baselines_of(view: RunView, part: str) -> dict[str, float]:
    """The baselines' values on the loss axis: of the part, or of test where it has none."""
    if view.started is None:
        return {}
    metric = view.started.metric
    found = [b for b in view.started.baselines if metric in b.metrics]
    chosen = [b for b in found if b.part == part] or [b for b in found if b.part == "test"]
    return {b.predictor: b.metrics[metric] for b in chosen if np.isfinite(b.metrics[metric])}


def loss_curve(view: RunView, *, part: str = "validation", dark: bool = False) -> go.Figure:
    """Loss over epochs: batches as points, train and validation after each epoch, the baselines.

    Args:
        view: the run so far.
        part: whose baselines are drawn; what the network's validation line may be compared with.
        dark: for a dark page.
    """
    figure = frame(
        "Loss",
        dark=dark,
        plot_height=_height(view.started),
        keeps="loss",
        legend=("a batch", "train", "validation"),
        right=_NAMES,
        left=72,
    )
    started = view.started
    if started is None or not view.batches:
        return note(figure, _why_empty(started))
    for line in _loss_lines(view, started, dark):
        figure.add_trace(line)
    batches, *epochs = (np.asarray(line.y, dtype=np.float64) for line in figure.data)
    baselines = baselines_of(view, part)
    window = loss_window(batches, np.concatenate(epochs), np.array(list(baselines.values())))
    draw_baselines(figure, baselines, window, dark=dark)
    per = max(1, started.batches)
    for change in view.rates:
        mark_rate(figure, change.step / per, change.learning_rate, dark=dark)
    figure.update_xaxes(**_epoch_axis(view, started))
    figure.update_yaxes(title_text=_axis_name(started), range=list(window), tickformat=".4~g")
    figure.update_layout(hovermode="x unified")
    return figure


def _epoch_axis(view: RunView, started: Started) -> dict[str, Any]:
    last = max(1.0, float(started.epochs), view.step / max(1, started.batches))
    return {
        "title": {"text": "epoch"},
        "range": [0, last],
        "minallowed": 0,
        "unifiedhovertitle": {"text": "epoch %{x:.2~f}"},
    }


def _loss_lines(view: RunView, started: Started, dark: bool) -> list[go.Scatter]:
    """Batches, train and validation; what is not finite has no place on an axis."""
    p, per, metric = palette(dark), max(1, started.batches), started.metric
    ends = np.array([epoch.step for epoch in view.epochs]) / per
    thick = "lines+markers" if len(view.epochs) <= 60 else "lines"
    validation = [epoch.validation.metrics.get(metric, math.nan) for epoch in view.epochs]
    curves = (
        (
            "a batch",
            "circle",
            [b.step / per for b in view.batches],
            [b.loss for b in view.batches],
        ),
        ("train", "circle", ends, [epoch.train_loss for epoch in view.epochs]),
        ("validation", "diamond", ends, validation),
    )
    lines = []
    for name, symbol, x, y in curves:
        place, values = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        there = np.isfinite(values)
        batch = name == "a batch"
        faint = {"size": 4, "color": with_alpha(p.roles["train"], 0.35), "line": {"width": 0}}
        lines.append(
            go.Scatter(
                x=place[there],
                y=values[there],
                name=name,
                mode="markers" if batch else thick,
                line={"color": p.role("train" if batch else name), "width": 2.2},
                marker=faint if batch else {"size": 5, "symbol": symbol},
                hovertemplate=f"{name}: %{{y:.4~g}}<extra></extra>",
            )
        )
    return lines


def draw_baselines(
    figure: go.Figure, baselines: dict[str, float], window: tuple[float, float], *, dark: bool
) -> None:
    """Horizontal dashed lines named at their right end; one beyond the window by an arrow."""
    low, high = window
    pixels = figure.layout.height - figure.layout.margin.t - figure.layout.margin.b
    placed = float("inf")  # [px] from the bottom, of the label above
    for name, value in sorted(baselines.items(), key=lambda item: -item[1]):
        inside = low <= value <= high
        colour = palette(dark).role(name)
        wanted = (min(max(value, low), high) - low) / (high - low) * pixels
        place = min(wanted, placed - 16)
        placed = place
        arrow = "" if inside else (" ↑" if value > high else " ↓")
        figure.add_annotation(
            text=f"{plain(name)} {value:,.4g}{arrow}",
            x=1,
            xref="paper",
            xanchor="left",
            xshift=6,
            y=min(max(value, low), high),
            yref="y",
            yshift=place - wanted,
            font={"color": colour},
        )
        if inside:
            line = {"color": colour, "width": 1.6, "dash": DASHES.get(name, "longdash")}
            figure.add_shape(
                type="line", x0=0, x1=1, xref="paper", y0=value, y1=value, line=line, layer="below"
            )


def mark_rate(figure: go.Figure, x: float, rate: float, *, dark: bool) -> None:
    """A mark where the learning rate was changed by hand."""
    line = {"color": palette(dark).faint_text, "width": 1, "dash": "dot"}
    figure.add_shape(type="line", x0=x, x1=x, y0=0, y1=1, yref="paper", line=line)
    text = {"size": 11, "color": palette(dark).faint_text}
    figure.add_annotation(
        text=f"rate {rate:.2g}", x=x, y=1, yref="paper", yanchor="top", xanchor="left", xshift=3,
        font=text,
    )  # fmt: skip


def gradient_norms(view: RunView, clip_norm: float, *, dark: bool = False) -> go.Figure:
    """The gradient's norm before clipping, of the steps that were told, on a logarithmic axis.

    The title counts all steps of the epochs that have ended.

    Args:
        view: the run so far.
        clip_norm: longer gradients are shortened to this; 0 where clipping is off.
        dark: for a dark page.
    """
    p, started = palette(dark), view.started
    per = 1 if started is None else max(1, started.batches)
    x = np.array([batch.step for batch in view.batches]) / per
    norms = np.array([batch.gradient_norm for batch in view.batches], dtype=np.float64)
    there = np.isfinite(norms) & (norms > 0)
    x, norms = x[there], norms[there]
    title = "Gradient before clipping"
    if clip_norm > 0 and view.epochs and started is not None:
        clipped = sum(epoch.clipped for epoch in view.epochs)
        steps = len(view.epochs) * started.batches
        title += f": {clipped / steps:.0%} of {steps:,} steps longer than {clip_norm:g}"
    height = _height(started)
    figure = frame(title, dark=dark, plot_height=height, keeps="norms", right=_NAMES, left=72)
    if started is None or not norms.size:
        return note(figure, _why_empty(started))
    line = {"color": p.roles["train"], "width": 1.3}
    hover = "epoch %{x:.2~f}<br>norm %{y:.3~g}<extra></extra>"
    figure.add_trace(go.Scatter(x=x, y=norms, mode="lines", line=line, hovertemplate=hover))
    shown = np.log10(np.append(norms, clip_norm if clip_norm > 0 else norms[0]))
    low, high = float(np.floor(2 * shown.min()) / 2), float(np.ceil(2 * shown.max() + 0.1) / 2)
    if clip_norm > 0:
        _mark_clipping(figure, clip_norm, p.roles["test"])
    figure.update_xaxes(**_epoch_axis(view, started))
    figure.update_yaxes(**log_axis(low, max(high, low + 1)), title_text="norm")
    return figure


def _mark_clipping(figure: go.Figure, clip_norm: float, colour: str) -> None:
    line = {"color": colour, "width": 1.6, "dash": "dash"}
    figure.add_shape(type="line", x0=0, x1=1, xref="paper", y0=clip_norm, y1=clip_norm, line=line)
    figure.add_annotation(
        text=f"clipped to {clip_norm:g}",
        x=1,
        xref="paper",
        xanchor="left",
        xshift=6,
        y=math.log10(clip_norm),  # on a logarithmic axis annotations count in exponents
        font={"color": colour},
    )
