"""A run as it was and as it would have been. Both in, figure out: no torch, no files, no clock.

Before and after share one scale everywhere; what is different has a scale of its own, around zero.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from rnnviz.data.dataset import MASK, SequenceDataset, subset
from rnnviz.figures.clock import Clock, clock_axis
from rnnviz.figures.compared import AFTER, BEFORE, Spans, choose, lines, shade
from rnnviz.figures.frame import frame, stack
from rnnviz.figures.gates import drawn_names, titled, words
from rnnviz.figures.heat import (
    heat_trace,
    mark,
    number_axis,
    number_edges,
    of_blocks,
    range_axis,
    reduced_rows,
)
from rnnviz.figures.reduce import Pixels, to_pixels
from rnnviz.figures.series import Curves, curves
from rnnviz.figures.theme import palette, plain, visible
from rnnviz.figures.values import (
    Range,
    difference_range,
    holding,
    one_sequence,
    range_of,
    unit_checked,
)
from rnnviz.trace import LayerTrace

DIFFERENCE = "after − before"
_CELLS = 45_000  # of each of three heat maps
_MOST_CHANCES = 8
_PANEL_TITLE = 18  # [px]


# -- what is read ----------------------------------------------------------------------------------


def input_curves(
    dataset: SequenceDataset,
    row: int,
    before: Float[np.ndarray, "T F"],
    after: Float[np.ndarray, "T F"],
) -> Curves:
    """Both as curves on the data set's clock, as they are measured.

    Raises:
        DataError: the sequences are tokens.
    """
    worn = (MASK,) if dataset.features[-1:] == (MASK,) else ()
    features = (*dataset.logged, *worn) if dataset.logged else dataset.features
    two = replace(
        subset(dataset, np.array([row, row])),
        inputs=_without_noise(np.stack([before, after])),
        features=features,
    )
    found = curves(two)
    return replace(found, clock=found.clock.first(found.values.shape[1]))


def _without_noise(values: Float[np.ndarray, "2 T F"]) -> Float[np.ndarray, "2 T F"]:
    """What the way back through a logarithm left of zeros is made zero again."""
    faint = np.abs(values) < 1e-6 * np.abs(values).max(initial=0.0)
    return np.where(faint, 0.0, values).astype(np.float32)


def inputs(
    dataset: SequenceDataset,
    row: int,
    before: Float[np.ndarray, "T F"],
    after: Float[np.ndarray, "T F"],
    *,
    chosen: tuple[int, int],
    step: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """What the network reads, before and after; the chosen part is shaded.

    Args:
        dataset: of numbers.
        row: of the dataset, from 0.
        before: measured values.
        after: the same after the interventions.
        chosen: first and last step of the part that the next intervention is for.
        step: marked, from 0.
        dark: for a dark page.

    Raises:
        DataError: the sequences are tokens.
    """
    found = input_curves(dataset, row, before, after)
    p, clock = palette(dark), Clock.of(dataset).first(len(before))
    figure = frame(
        f"What is read: {dataset.ids[row]}",
        dark=dark,
        plot_height=150,
        keeps=f"time {len(before)} what if",
        legend=(BEFORE, AFTER),
    )
    colour = p.roles["network"]
    for line in lines(found.clock, *found.values, symbol="input", colour=colour, p=p):
        figure.add_trace(line)
    figure.update_xaxes(**clock_axis(found.clock))
    figure.update_yaxes(title_text=found.label, nticks=5)
    figure.update_layout(hovermode="x unified")
    choose(figure, chosen)
    shade(figure, clock, [chosen], dark, fill=True)
    mark(figure, clock, step=step, unit=None, dark=dark)
    return figure


# -- what the units do -----------------------------------------------------------------------------


def heat_maps(
    before: LayerTrace,
    after: LayerTrace,
    name: str,
    *,
    clock: Clock | None = None,
    step: int | None = None,
    unit: int | None = None,
    touched: Spans = (),
    dark: bool = False,
) -> go.Figure:
    """A gate or a state of all units over time: before, after, and the difference.

    Args:
        before: one direction of one layer, of one sequence.
        after: the same of the changed run.
        name: one of names_of(before).
        clock: of the dataset; None numbers the steps.
        step: marked, from 0.
        unit: marked, from 0.
        touched: the parts that interventions act on.
        dark: for a dark page.

    Raises:
        TraceError: the layer has nothing of that name.
    """
    panels = _panels(before, after, name)
    units, steps = panels[0].values.shape
    clock = (clock or Clock.steps(steps)).first(steps)
    pixels = [to_pixels(panel.values, cells=_CELLS) for panel in panels]
    figure = frame(
        titled(name, before, of_blocks(pixels[0], clock)),
        dark=dark,
        plot_height=3 * min(180, max(110, 6 * units)) + 60,
        keeps=f"time {steps} {units} what if",
    )
    top, height = figure.layout.margin.t + _PANEL_TITLE, figure.layout.height + _PANEL_TITLE
    figure.update_layout(margin_t=top, height=height)
    axes = stack(figure, [1.0] * 3, gap=0.09)
    for panel, drawn, axis in zip(panels, pixels, axes, strict=True):
        _add_panel(figure, panel, drawn, axis=axis, clock=clock, dark=dark)
    if not panels[-1].values.any():
        _say_equal(figure, axes[-1])
    figure.update_xaxes(**clock_axis(clock))
    shade(figure, clock, touched, dark, fill=False)
    mark(figure, clock, step=step, unit=None, dark=dark)
    _mark_unit(figure, axes, unit, dark)
    return figure


class _Panel(NamedTuple):
    """One of the heat maps above each other."""

    title: str
    symbol: str  # over its colours
    called: str  # in the hover text
    values: Float[np.ndarray, "H T"]
    span: Range


def _panels(before: LayerTrace, after: LayerTrace, name: str) -> tuple[_Panel, _Panel, _Panel]:
    """Before, after, and the difference on a scale of its own."""
    was, would_be = (one_sequence(layer, name, 0) for layer in (before, after))
    shared, change = range_of(before, after, name=name), would_be - was
    return (
        _Panel(BEFORE, name, f"{name} {BEFORE}", was, shared),
        _Panel(AFTER, name, f"{name} {AFTER}", would_be, shared),
        _Panel(DIFFERENCE, f"Δ{name}", f"{name} {DIFFERENCE}", change, difference_range(change)),
    )


def _add_panel(
    figure: go.Figure, panel: _Panel, drawn: Pixels, *, axis: str, clock: Clock, dark: bool
) -> None:
    units = len(panel.values)
    place = figure.layout["yaxis" + axis[1:]]
    low, high = place.domain
    trace = heat_trace(
        drawn,
        panel.span,
        x=clock.edges,
        y=number_edges(units),
        symbol=panel.symbol,
        hover=f"{reduced_rows(drawn)} · {clock.hover}<br>{panel.called} = {{z}}",
        dark=dark,
        form=".4~g",
        exact=True,
    )
    trace.update(yaxis=axis, colorbar={"len": high - low, "y": low, "yanchor": "bottom"})
    figure.add_trace(trace)
    _panel_title(figure, panel.title, high)
    place.update(number_axis(units, "unit"))


def _say_equal(figure: go.Figure, axis: str) -> None:
    middle = figure.layout["yaxis" + axis[1:]].domain[1] / 2
    figure.add_annotation(text="No difference.", x=0.5, y=middle, xref="paper", yref="paper")


def _panel_title(figure: go.Figure, text: str, top: float) -> None:
    figure.add_annotation(
        text=text, x=0, y=top, xref="paper", yref="paper", xanchor="left", yanchor="bottom"
    )


def _mark_unit(figure: go.Figure, axes: Sequence[str], unit: int | None, dark: bool) -> None:
    if unit is None:
        return
    line = {"color": palette(dark).mark, "width": 1.2}
    for axis in axes:
        figure.add_shape(
            type="rect", x0=0, x1=1, xref="paper", y0=unit + 0.5, y1=unit + 1.5, yref=axis,
            line=line,
        )  # fmt: skip


def unit_lines(
    before: LayerTrace,
    after: LayerTrace,
    unit: int,
    *,
    clock: Clock | None = None,
    step: int | None = None,
    touched: Spans = (),
    chosen: tuple[int, int] | None = None,
    dark: bool = False,
) -> go.Figure:
    """All gates and states of one unit, before and after, each on an axis of its own.

    Args:
        before: one direction of one layer, of one sequence.
        after: the same of the changed run.
        unit: from 0.
        clock: of the dataset; None numbers the steps.
        step: marked, from 0.
        touched: the parts that interventions act on, shaded.
        chosen: first and last step of the part that the next intervention is for, between dotted
            lines; dragging then chooses another. None leaves dragging to zoom.
        dark: for a dark page.

    Raises:
        TraceError: the layer has no such unit.
    """
    unit_checked(before, unit)
    names = drawn_names(before)
    p, steps = palette(dark), before.states.shape[1]
    clock = (clock or Clock.steps(steps)).first(steps)
    figure = frame(
        f"Unit {unit + 1}, {before.title}",
        dark=dark,
        plot_height=40 + 74 * len(names),
        keeps=f"time {steps} what if lines",
        legend=(BEFORE, AFTER),
    )
    for k, (name, axis) in enumerate(zip(names, stack(figure, [1.0] * len(names)), strict=True)):
        values = [one_sequence(layer, name, 0)[unit] for layer in (before, after)]
        colour = p.role(name) if name != "h" else p.roles["network"]
        for line in lines(
            clock, *values, symbol=words(name), colour=colour, p=p, axis=axis, legend=k == 0
        ):
            figure.add_trace(line)
        span: Range = holding(range_of(before, after, name=name), values)
        figure.layout["yaxis" + axis[1:]].update({**range_axis(span), "title": {"text": name}})
    figure.update_xaxes(**clock_axis(clock))
    figure.update_layout(hovermode="x unified", hoversubplots="axis")
    shade(figure, clock, touched, dark, fill=True)
    if chosen is not None:
        choose(figure, chosen)
        shade(figure, clock, [chosen], dark, fill=False)
    mark(figure, clock, step=step, unit=None, dark=dark)
    return figure


# -- what comes out --------------------------------------------------------------------------------


def over_time(
    before: Float[np.ndarray, " T"],
    after: Float[np.ndarray, " T"],
    title: str,
    label: str,
    *,
    clock: Clock | None = None,
    step: int | None = None,
    touched: Spans = (),
    dark: bool = False,
) -> go.Figure:
    """One number of every step before and after, such as a loss or an attention weight; from 0.

    Args:
        before: of each step.
        after: the same of the changed run.
        title: one short line.
        label: of the vertical axis, with its unit.
        clock: of the dataset; None numbers the steps.
        step: marked, from 0.
        touched: the parts that interventions act on, shaded.
        dark: for a dark page.
    """
    p = palette(dark)
    clock = (clock or Clock.steps(len(before))).first(len(before))
    figure = frame(
        title,
        dark=dark,
        plot_height=150,
        keeps=f"time {len(before)} {label}",
        legend=(BEFORE, AFTER),
    )
    for line in lines(clock, before, after, symbol=plain(label), colour=p.roles["network"], p=p):
        figure.add_trace(line)
    figure.update_xaxes(**clock_axis(clock))
    figure.update_yaxes(title_text=plain(label), rangemode="tozero", nticks=5, tickformat=".3~g")
    figure.update_layout(hovermode="x unified")
    shade(figure, clock, touched, dark, fill=True)
    mark(figure, clock, step=step, unit=None, dark=dark)
    return figure


def chances(
    before: Float[np.ndarray, " K"],
    after: Float[np.ndarray, " K"],
    names: Sequence[str],
    *,
    true: int | None = None,
    tokens: bool = False,
    title: str = "Probabilities",
    dark: bool = False,
) -> go.Figure:
    """The classes or tokens that are likeliest before or after, as bars; the true one is named.

    Args:
        before: of each class; they sum to 1.
        after: the same of the changed run.
        names: of the classes.
        true: the right one, which is always among those shown.
        tokens: whether names are tokens, whose blanks get a sign.
        title: one short line.
        dark: for a dark page.
    """
    p = palette(dark)
    shown = _likeliest(before, after, true)
    called = [visible(names[k]) if tokens else plain(names[k], 24) for k in shown]
    labels = [
        name + (" (true)" if k == true else "") for name, k in zip(called, shown, strict=True)
    ]
    figure = frame(
        title,
        dark=dark,
        plot_height=30 + 34 * len(shown),
        keeps=f"chances {len(shown)}",
        legend=(BEFORE, AFTER),
        left=min(180, 30 + 7 * max(map(len, labels))),
        right=24,
    )
    figure.add_trace(_bars(AFTER, after[shown], p.roles["network"]))
    figure.add_trace(_bars(BEFORE, before[shown], p.faint_text))
    largest = difference_range(np.concatenate([before[shown], after[shown]])).high
    figure.update_xaxes(range=[0, min(largest, 1)], title_text="probability", tickformat="~%")
    figure.update_yaxes(tickvals=list(range(len(shown))), ticktext=labels, showgrid=False)
    figure.update_layout(legend_traceorder="reversed", bargap=0.25)
    return figure


def _likeliest(
    before: Float[np.ndarray, " K"], after: Float[np.ndarray, " K"], true: int | None
) -> Int[np.ndarray, " S"]:
    """The classes that are shown, the likeliest last: bars are drawn upward."""
    order = np.argsort(-np.maximum(before, after), kind="stable")[:_MOST_CHANCES]
    if true is not None and true not in order:
        order = np.append(order[:-1], true)
    return order[::-1]


def _bars(name: str, values: Float[np.ndarray, " S"], colour: str) -> go.Bar:
    return go.Bar(
        x=values.astype(np.float32),
        y=np.arange(len(values)),
        orientation="h",
        name=name,
        marker={"color": colour},
        hovertemplate=f"{name}: %{{x:.4f}}<extra></extra>",
    )
