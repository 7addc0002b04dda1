"""Where attention lies. Trace or survey in, figure out: no torch, no files, no clock."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float

from rnnviz.errors import TraceError
from rnnviz.figures.clock import Clock, clock_axis
from rnnviz.figures.frame import frame, stack
from rnnviz.figures.groups import band_and_line
from rnnviz.figures.heat import heat_trace, mark, number_axis, number_edges, of_blocks
from rnnviz.figures.order import in_order, named
from rnnviz.figures.reduce import envelope, to_pixels
from rnnviz.figures.theme import Quantity, faint, palette, plain
from rnnviz.figures.values import Range, length_of
from rnnviz.trace import Survey, Trace

STAGES = ("scores", "softmax", "weighted values")
_MOST_BARS = 120  # more steps are drawn as one outlined area
_CELLS = 45_000  # attention travels as float32: thousandths would hide 1/T of a long sequence


def _weights(trace: Trace, sequence: int) -> Float[np.ndarray, "Q T"]:
    if trace.attention is None:
        raise TraceError(
            "this network has no attention; train one with attention to see where it looks"
        )
    length = length_of(trace, sequence)
    weights = trace.attention[sequence]
    queries = weights.shape[0]
    # a network that answers at every step has one query for each real step
    return weights[: length if queries == trace.attention.shape[2] > 1 else queries, :length]


def attention_heatmap(
    trace: Trace,
    sequence: int = 0,
    *,
    clock: Clock | None = None,
    step: int | None = None,
    query: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """Attention of every query over the steps; for a single query as an area under its input.

    Colours and heights go from 0 to the largest weight of the whole trace.

    Raises:
        TraceError: the network has no attention, or the trace no such sequence.
    """
    weights = _weights(trace, sequence)
    queries, steps = weights.shape
    clock = (clock or Clock.steps(steps)).first(steps)
    largest = float(trace.attention.max())  # type: ignore[union-attr]
    if queries == 1:
        return _single(trace, sequence, weights[0], clock, largest, step, dark)
    pixels = to_pixels(weights, columns=360, cells=_CELLS)
    title = f"Attention, each row a query{of_blocks(pixels, clock).replace('units', 'queries')}"
    figure = frame(
        title,
        dark=dark,
        plot_height=min(420, max(160, 9 * queries)),
        keeps=f"attention {queries} {steps}",
    )
    figure.add_trace(
        heat_trace(
            pixels,
            Range(quantity=Quantity.ATTENTION, low=0.0, high=largest),
            x=clock.edges,
            y=number_edges(queries),
            symbol="weight",
            hover=f"query %{{y:.0f}} looks at {clock.hover}<br>weight {{z}}",
            dark=dark,
            form=".3~g",
            exact=True,
        )
    )
    figure.update_xaxes(**clock_axis(clock))
    figure.update_yaxes(**number_axis(queries, "query"))
    mark(figure, clock, step=step, unit=query, dark=dark)
    return figure


def _reach(values: Float[np.ndarray, " N"]) -> list[float]:
    """An axis that holds all values and 0, with a little room beyond."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    room = 0.05 * (high - low or 1.0)
    return [low - room * (low < 0), high + room]


def _read(clock: Clock, values: Float[np.ndarray, " T"], axis: str, colour: str) -> go.Scatter:
    return go.Scatter(
        x=clock.middles,
        y=values,
        yaxis=axis,
        name="input",
        mode="lines",
        line={"color": colour, "width": 1.4},
        hovertemplate="input %{y:.3~g}<extra></extra>",
    )


def _single(
    trace: Trace,
    sequence: int,
    weights: Float[np.ndarray, " T"],
    clock: Clock,
    largest: float,
    step: int | None,
    dark: bool,
) -> go.Figure:
    steps = len(weights)
    tokens = bool(clock.labels)  # which stand below the axis, and have no size
    figure = frame(
        "Where attention lies" if tokens else "What goes in, and where attention lies",
        dark=dark,
        plot_height=180 if tokens else 280,
        keeps=f"time {steps} attention",
        legend=("attention", "uniform") if tokens else ("input", "attention", "uniform"),
    )
    *above, bottom = stack(figure, [1.0] if tokens else [1.0, 1.4], gap=0.08)
    for top in above:
        seen = trace.inputs[sequence, :steps].mean(axis=-1)
        figure.add_trace(_read(clock, seen, top, palette(dark).faint_text))
        figure.layout.yaxis.update(title={"text": "input, scaled"}, nticks=4)
    figure.add_trace(
        _area(
            clock, np.arange(steps), weights, name="attention", hover="weight %{y:.3~g}",
            dark=dark, axis=bottom,
        )
    )  # fmt: skip
    figure.add_trace(uniform(clock, _evenly(np.ones((1, steps), dtype=bool)), dark, bottom))
    figure.update_xaxes(**clock_axis(clock))
    figure.layout[f"yaxis{bottom[1:]}"].update(
        title={"text": "weight"}, range=[0, 1.05 * largest], tickformat=".2~g", nticks=5
    )
    figure.update_layout(hovermode="x unified", hoversubplots="axis")
    mark(figure, clock, step=step, unit=None, dark=dark)
    return figure


def uniform(
    clock: Clock, level: Float[np.ndarray, " T"], dark: bool, axis: str = "y"
) -> go.Scatter:
    """What attention would be that prefers no step, at the steps that it may see."""
    seen = np.flatnonzero(level)
    # a constant line needs its ends only; past the last seen step there is none
    turns = np.flatnonzero(~np.isclose(level[seen][1:], level[seen][:-1]))
    steps = seen[np.unique(np.concatenate([[0], turns, turns + 1, [len(seen) - 1]]))]
    return go.Scatter(
        x=clock.middles[steps],
        y=level[steps],
        yaxis=axis,
        name="uniform",
        mode="lines",
        line={"color": palette(dark).text, "width": 1.2, "dash": "dot"},
        hoverinfo="skip",
    )


def _evenly(seen: Bool[np.ndarray, "M T"]) -> Float[np.ndarray, " T"]:
    """The mean over rows of 1/n, at the n steps that each row may see."""
    return (seen / np.maximum(seen.sum(axis=1, keepdims=True), 1)).mean(axis=0)


def _allowed(
    trace: Trace, sequence: int, weights: Float[np.ndarray, "Q T"]
) -> Bool[np.ndarray, "Q T"]:
    """Which steps each query may see. A masked score is minus infinity."""
    if trace.scores is None:
        return weights > 0
    return np.isfinite(trace.scores[sequence, : weights.shape[0], : weights.shape[1]])


def _area(
    clock: Clock,
    steps: np.ndarray,
    values: np.ndarray,
    *,
    name: str,
    hover: str,
    dark: bool,
    axis: str = "y",
) -> go.Scatter | go.Bar:
    """Values at the given steps: bars where there are few, else one outlined area."""
    colour = palette(dark).groups[5]
    shared: dict[str, Any] = {
        "name": name,
        "yaxis": axis,
        "hovertemplate": hover + "<extra></extra>",
    }
    if len(values) <= _MOST_BARS:
        width = 0.82 * np.diff(clock.edges)[steps]
        bars = {"marker": {"color": colour}, "width": width}
        return go.Bar(x=clock.middles[steps], y=values.astype(np.float32), **bars, **shared)
    kept = envelope(values)
    return go.Scatter(
        x=clock.middles[steps][kept],
        y=values[kept].astype(np.float32),
        mode="lines",
        line={"color": colour, "width": 1.2, "shape": "hvh"},
        fill="tozeroy",
        fillcolor=faint(colour, dark),
        **shared,
    )


def attention_bars(
    trace: Trace,
    sequence: int = 0,
    query: int = 0,
    stage: str = "softmax",
    *,
    clock: Clock | None = None,
    step: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """One query's attention on its way: scores, their softmax, the weighted states.

    "weighted values" is the Euclidean length of weight x state for each step: how much each one
    adds to the context. All three keep one scale over the queries of the sequence.

    Raises:
        TraceError: no attention, no such sequence, query or stage.
    """
    weights = _weights(trace, sequence)
    queries, steps = weights.shape
    if stage not in STAGES:
        raise TraceError(f"there is no stage {stage!r}; choose one of {', '.join(STAGES)}")
    if not 0 <= query < queries:
        raise TraceError(f"there is no query {query + 1}; choose one from 1 to {queries}")
    clock = (clock or Clock.steps(steps)).first(steps)
    matrix, allowed = _stage(trace, sequence, stage, weights), _allowed(trace, sequence, weights)
    figure = frame(
        _TITLES[stage] + (f", query {query + 1}" if queries > 1 else ""),
        dark=dark,
        plot_height=200,
        keeps=f"time {steps} {stage}",
        legend=("weight", "uniform") if stage == "softmax" else (),
    )
    seen, label = np.flatnonzero(allowed[query]), _LABELS[stage]
    hover = f"{label} %{{y:.3~g}}"
    figure.add_trace(_area(clock, seen, matrix[query, seen], name="weight", hover=hover, dark=dark))
    if stage == "softmax":
        figure.add_trace(uniform(clock, _evenly(allowed[[query]]), dark))
    figure.update_yaxes(title_text=label, range=_reach(matrix[allowed]), tickformat=".3~g")
    figure.update_xaxes(**clock_axis(clock))
    figure.update_layout(hovermode="x unified")
    mark(figure, clock, step=step, unit=None, dark=dark)
    return figure


_TITLES = {
    "scores": "Attention scores, before the softmax",
    "softmax": "Attention weights, after the softmax",
    "weighted values": "What each step adds to the context",
}
_LABELS = {"scores": "score", "softmax": "weight", "weighted values": "‖weight · state‖"}


def _stage(
    trace: Trace, sequence: int, stage: str, weights: Float[np.ndarray, "Q T"]
) -> Float[np.ndarray, "Q T"]:
    queries, steps = weights.shape
    if stage == "softmax":
        return weights
    if stage == "scores":
        if trace.scores is None:
            raise TraceError("this trace holds no scores; look at the softmax")
        return trace.scores[sequence, :queries, :steps]
    squares = [(way.state("h")[sequence, :steps] ** 2).sum(axis=-1) for way in trace.top]
    return weights * np.sqrt(np.sum(squares, axis=0))


def attention_by_group(
    survey: Survey,
    labels: Sequence[str],
    *,
    clock: Clock | None = None,
    dark: bool = False,
) -> go.Figure:
    """Mean attention over time of each group of sequences, with a band of one standard error.

    The standard error takes the sequences as independent, which several days of one person are
    not. The dotted line is what attention would be that prefers no step.

    Args:
        survey: many sequences, with their attention.
        labels: the group of each, in the survey's order.
        clock: of the dataset; None numbers the steps.
        dark: for a dark page.

    Raises:
        TraceError: the survey holds no attention, or not one label for each sequence.
    """
    if survey.attention is None:
        raise TraceError(
            "the survey holds no attention; train a network with attention that answers once"
        )
    count, steps = survey.attention.shape
    if len(labels) != count:
        raise TraceError(f"there are {len(labels)} labels for {count} sequences; give one for each")
    clock = (clock or Clock.steps(steps)).first(steps)
    of = np.array(named(labels))
    groups = in_order(of.tolist())
    legend = [f"{plain(group, 24)} (n = {(of == group).sum():,})" for group in groups]
    figure = frame(
        "Mean attention of each group, ± 1 standard error",
        dark=dark,
        plot_height=280,
        keeps=f"time {steps} groups",
        legend=[*legend, "uniform"],
    )
    colours = palette(dark).groups
    for k, (group, label) in enumerate(zip(groups, legend, strict=True)):
        colour = colours[k % len(colours)]
        members = survey.attention[of == group]
        for line in band_and_line(members, label, k, colour, clock, dark):
            figure.add_trace(line)
    # a sequence may see every step up to the last one that has any weight
    seen = np.cumsum(survey.attention[:, ::-1], axis=1)[:, ::-1] > 0
    figure.add_trace(uniform(clock, _evenly(seen), dark))
    figure.update_xaxes(**clock_axis(clock))
    figure.update_yaxes(title_text="weight", tickformat=".3~g", rangemode="tozero")
    figure.update_layout(hovermode="x unified")
    return figure
