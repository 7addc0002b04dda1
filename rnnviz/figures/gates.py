"""Gates and states of one layer over time. Trace in, figure out: no torch, no files, no clock."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from rnnviz.figures.clock import Clock, clock_axis
from rnnviz.figures.frame import frame, stack
from rnnviz.figures.heat import (
    decimal,
    heat_trace,
    log_axis,
    mark,
    number_axis,
    number_edges,
    of_blocks,
    range_axis,
    reduced_rows,
)
from rnnviz.figures.reduce import Pixels, to_pixels
from rnnviz.figures.theme import DASHES, Palette, Quantity, faint, palette
from rnnviz.figures.values import (
    BEFORE_SQUASH,
    Range,
    bounds_of,
    holding,
    one_sequence,
    range_of,
    unit_checked,
    values_of,
)
from rnnviz.trace import LayerTrace

WORDS = {
    "i": "input gate i",
    "f": "forget gate f",
    "o": "output gate o",
    "g": "new content g",
    "r": "reset gate r",
    "z": "update gate z",
    "n": "new content n",
    "a": "new state a",
    "h": "state h",
    "c": "memory c",
}


def words(name: str) -> str:
    """A name with what it is: 'forget gate f', 'forget gate f before its squash'."""
    gate = name.removeprefix(BEFORE_SQUASH)
    if gate != name:
        return f"{WORDS.get(gate, gate)} before its squash"
    return WORDS.get(name, f"gradient {name}" if name.startswith("dL/d") else name)


def titled(name: str, layer: LayerTrace, rest: str = "") -> str:
    """A figure's title: 'Forget gate f, layer 1'."""
    text = words(name)
    return f"{text[0].upper()}{text[1:]}, {layer.title}{rest}"


def _magnitudes(pixels: Pixels, low: float) -> Pixels:
    """log10; a magnitude too small to tell apart from nothing is drawn at the scale's low end."""
    return replace(pixels, values=np.log10(np.maximum(pixels.values, 10.0**low)))


def gate_heatmap(
    layer: LayerTrace,
    name: str,
    *,
    sequence: int = 0,
    length: int | None = None,
    span: Range | None = None,
    clock: Clock | None = None,
    step: int | None = None,
    unit: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """A gate, a state, a preactivation or a gradient: unit by time.

    Args:
        layer: one direction of one layer.
        name: one of names_of(layer).
        sequence: of the trace, from 0.
        length: steps of that sequence; None for all.
        span: the range of the colours, of the whole trace (range_in); None: of this layer.
        clock: of the dataset; None numbers the steps.
        step: marked, from 0.
        unit: marked, from 0.
        dark: for a dark page.

    Raises:
        TraceError: the layer has nothing of that name, the trace no such sequence.
    """
    matrix = one_sequence(layer, name, sequence, length)
    span = span or range_of(layer, name=name)
    units, steps = matrix.shape
    clock = (clock or Clock.steps(steps)).first(steps)
    drawn = to_pixels(np.abs(matrix) if span.quantity is Quantity.GRADIENT else matrix)
    figure = frame(
        titled(name, layer, of_blocks(drawn, clock)),
        dark=dark,
        plot_height=min(420, max(120, 7 * units)),
        keeps=f"time {steps} {units}",
    )
    trace = _heat(drawn, span, name, units=units, clock=clock, dark=dark)
    figure.add_trace(trace)
    if trace.z.dtype == np.int16:
        figure.update_layout(separators="..")  # encode() says why
    figure.update_xaxes(**clock_axis(clock))
    figure.update_yaxes(**number_axis(units, "unit"))
    mark(figure, clock, step=step, unit=unit, dark=dark)
    return figure


def _heat(
    pixels: Pixels, span: Range, name: str, *, units: int, clock: Clock, dark: bool
) -> go.Heatmap:
    """Values as they are; of gradients the magnitudes as powers of ten."""
    logs = span.quantity is Quantity.GRADIENT
    value = f"|{name}| = 10<sup>{{z}}</sup>" if logs else f"{name} = {{z}}"
    return heat_trace(
        _magnitudes(pixels, span.low) if logs else pixels,
        span,
        x=clock.edges,
        y=number_edges(units),
        symbol=f"|{name}|" if logs else name,
        hover=f"{reduced_rows(pixels)} · {clock.hover}<br>{value}",
        dark=dark,
        form=".2f" if logs else ".3f",
    )


def _line(name: str, clock: Clock, values: np.ndarray, axis: str, colours: Palette) -> go.Scatter:
    return go.Scatter(
        x=clock.middles,
        y=values.astype(np.float32),
        name=name,
        yaxis=axis,
        mode="lines",
        line={"color": colours.role(name), "width": 1.8, "dash": DASHES.get(name, "solid")},
        hovertemplate=f"{words(name)} = %{{y:.3f}}<extra></extra>",
    )


def unit_lines(
    layer: LayerTrace,
    unit: int,
    sequence: int = 0,
    *,
    length: int | None = None,
    spans: dict[str, Range] | None = None,
    clock: Clock | None = None,
    step: int | None = None,
    dark: bool = False,
) -> go.Figure:
    """All gates and states of one unit over time, on one axis for each range.

    Args:
        layer: one direction of one layer.
        unit: from 0.
        sequence: of the trace, from 0.
        length: steps of that sequence; None for all.
        spans: the range of a name where the whole trace decides it (range_in).
        clock: of the dataset; None numbers the steps.
        step: marked, from 0.
        dark: for a dark page.

    Raises:
        TraceError: the layer has no such unit, the trace no such sequence.
    """
    unit_checked(layer, unit)
    names = drawn_names(layer)
    known = spans or {}
    of_name = {name: known.get(name) or range_of(layer, name=name) for name in names}
    panels = list(dict.fromkeys(of_name.values()))
    values = {name: one_sequence(layer, name, sequence, length)[unit] for name in names}
    steps = len(values["h"])
    clock = (clock or Clock.steps(steps)).first(steps)
    figure = frame(
        f"Unit {unit + 1}, {layer.title}",
        dark=dark,
        plot_height=60 + 110 * len(panels),
        keeps=f"time {steps} lines",
        legend=names,
    )
    axes = stack(figure, [1.0] * len(panels))
    for name in names:
        axis = axes[panels.index(of_name[name])]
        figure.add_trace(_line(name, clock, values[name], axis, palette(dark)))
    for axis, span in zip(axes, panels, strict=True):
        together = [name for name in names if of_name[name] == span]
        place = figure.layout["yaxis" + axis[1:]]
        whole = holding(span, [values[name] for name in together])
        place.update({**range_axis(whole), "title": {"text": ", ".join(together)}})
    figure.update_xaxes(**clock_axis(clock))
    figure.update_layout(hovermode="x unified", hoversubplots="axis")
    mark(figure, clock, step=step, unit=None, dark=dark)
    return figure


def drawn_names(layer: LayerTrace) -> tuple[str, ...]:
    """Gates, then states; the plain cell's one gate is its state and is drawn once."""
    gates = () if len(layer.gate_names) == 1 else layer.gate_names
    return (*gates, *layer.state_names)


def unit_spread(
    layer: LayerTrace,
    name: str,
    sequence: int = 0,
    *,
    length: int | None = None,
    span: Range | None = None,
    clock: Clock | None = None,
    dark: bool = False,
) -> go.Figure:
    """Mean over the units at each step, and the band from the 10 % to the 90 % quantile.

    Raises:
        TraceError: the layer has nothing of that name, the trace no such sequence.
    """
    matrix = one_sequence(layer, name, sequence, length)
    span = span or range_of(layer, name=name)
    logs = span.quantity is Quantity.GRADIENT
    if logs:
        matrix = np.maximum(np.abs(matrix), 10.0**span.low)
    steps = matrix.shape[1]
    clock = (clock or Clock.steps(steps)).first(steps)
    labels = ("mean over units", "10 % to 90 % of units")
    figure = frame(
        titled(name, layer), dark=dark, plot_height=220, keeps=f"time {steps} spread", legend=labels
    )
    form = ".2~e" if logs else ".3f"
    for trace in _band(matrix, clock.middles, labels, form, dark):
        figure.add_trace(trace)
    figure.update_xaxes(**clock_axis(clock))
    figure.update_layout(hovermode="x unified")
    figure.update_yaxes(**(log_axis(span.low, span.high) if logs else range_axis(span)))
    figure.update_yaxes(title_text=f"|{name}|" if logs else name)
    return figure


def _band(
    matrix: Float[np.ndarray, "H T"],
    x: Float[np.ndarray, " T"],
    labels: tuple[str, str],
    form: str,
    dark: bool,
) -> tuple[go.Scatter, go.Scatter, go.Scatter]:
    """The low end, the high end with the band down to it, and the mean."""
    low, high = np.quantile(matrix, (0.1, 0.9), axis=0).astype(np.float32)
    mean, colour = matrix.mean(axis=0).astype(np.float32), palette(dark).roles["network"]
    edge = {"mode": "lines", "line": {"width": 0}, "legendgroup": "band"}
    fill = {"fill": "tonexty", "fillcolor": faint(colour, dark)}
    line = {"mode": "lines", "line": {"color": colour, "width": 2}}
    under, over, middle = (
        f"{what}: %{{y:{form}}}<extra></extra>" for what in ("10 %", "90 %", "mean")
    )
    return (
        go.Scatter(x=x, y=low, showlegend=False, hovertemplate=under, **edge),
        go.Scatter(x=x, y=high, name=labels[1], hovertemplate=over, **edge, **fill),
        go.Scatter(x=x, y=mean, name=labels[0], hovertemplate=middle, **line),
    )


NEAR_END = 0.1  # of a sigmoid; 0.9 in magnitude for what lies in [-1, 1]


def shares(layer: LayerTrace, name: str, matrix: np.ndarray) -> tuple[tuple[str, np.ndarray], ...]:
    """Shares of units near the low and near the high end of a squash at each step, with words.

    Where ReLU sets no upper end, only the share of units at zero.
    """
    bounds = bounds_of(layer, name)
    if bounds == (0.0, 1.0):
        low, high = NEAR_END, 1 - NEAR_END
    elif bounds:
        low, high = NEAR_END - 1, 1 - NEAR_END
    else:
        return (("at 0", (matrix == 0).mean(axis=0)),)
    return (
        (f"below {decimal(low)}", (matrix < low).mean(axis=0)),
        (f"above {high:g}", (matrix > high).mean(axis=0)),
    )


def saturation(
    layer: LayerTrace,
    sequence: int = 0,
    *,
    length: int | None = None,
    clock: Clock | None = None,
    dark: bool = False,
) -> go.Figure:
    """For each gate and for h, the share of units at an end of the squash, step by step.

    Below 0.1 and above 0.9 for what lies in [0, 1]; below -0.9 and above 0.9 for what lies in
    [-1, 1]; at zero for what ReLU gives. The high end's share is drawn upwards, the low end's
    downwards.

    Raises:
        TraceError: the trace has no such sequence.
    """
    names = tuple(name for name in drawn_names(layer) if name != "c")
    steps = values_of(layer, "h")[:, :length].shape[1]
    clock = (clock or Clock.steps(steps)).first(steps)
    legend = ("near the low end (down)", "near the high end (up)")
    figure = frame(
        f"Saturated units, {layer.title}",
        dark=dark,
        plot_height=30 + 62 * len(names),
        keeps=f"time {steps} shares",
        legend=legend,
    )
    axes = stack(figure, [1.0] * len(names), gap=0.05)
    for k, (name, axis) in enumerate(zip(names, axes, strict=True)):
        found = shares(layer, name, one_sequence(layer, name, sequence, length))
        for end, (label, share) in enumerate(found):
            figure.add_trace(_share(clock, name, label, share, end, axis, dark, legend, k == 0))
        ticks = {"range": [-1, 1], "tickvals": [-0.5, 0, 0.5]}
        words_of = {"ticktext": ["50 %", "0", "50 %"], "title": {"text": name}}
        figure.layout["yaxis" + axis[1:]].update({**ticks, **words_of, "tickfont": {"size": 10}})
    if not any(np.any(area.y) for area in figure.data):
        figure.add_annotation(
            text="No unit comes near an end of its range.", x=0.5, y=0.5, xref="paper", yref="paper"
        )
    figure.update_xaxes(**clock_axis(clock))
    figure.update_layout(hovermode="x unified", hoversubplots="axis")
    return figure


def _share(
    clock: Clock,
    name: str,
    label: str,
    share: np.ndarray,
    end: int,
    axis: str,
    dark: bool,
    legend: tuple[str, str],
    first: bool,
) -> go.Scatter:
    """One end of one gate as an area, upwards or downwards."""
    pixels = to_pixels(share[None])
    x = (clock.edges[pixels.column_edges[:-1]] + clock.edges[pixels.column_edges[1:]]) / 2
    height = pixels.values[0].astype(np.float32)
    return go.Scatter(
        x=x,
        y=height if end else -height,
        yaxis=axis,
        name=legend[end],
        showlegend=first,
        mode="lines",
        line={"width": 0, "shape": "hvh"},
        fill="tozeroy",
        fillcolor=palette(dark).groups[end],
        customdata=100 * height,
        hovertemplate=f"{name} {label}: %{{customdata:.0f}} % of units<extra></extra>",
    )
