"""One sequence with what is asked of it, step by step. Dataset in, figure out."""

import numpy as np
import plotly.graph_objects as go

from rnnviz.data.dataset import SequenceDataset, Split, Task
from rnnviz.errors import DataError
from rnnviz.figures.clock import Clock, clock_axis
from rnnviz.figures.frame import frame
from rnnviz.figures.series import checked_row
from rnnviz.figures.theme import Quantity, colours, palette, plain

MOST_LINES = 4  # inputs that are drawn as lines of their own
_COLOURS = (0, 0, 2, 5)  # of the palette's groups, for the second input on
_SYMBOLS = ("circle", "diamond", "square", "x")


def sequence(
    dataset: SequenceDataset,
    row: int,
    *,
    step: int | None = None,
    dark: bool = False,
    plot_height: int = 220,
) -> go.Figure:
    """What is read at each step, and the targets of the steps that have one.

    Tokens stand on the axis below their step. Inputs after the given ones are left out.

    Args:
        dataset: sequences of tokens, or of few numbers at each step.
        row: from 0.
        step: is marked, from 0.
        dark: for a dark page.
        plot_height: of the area inside the axes [px].

    Raises:
        DataError: there is no such row, or too many inputs for a line each.
    """
    checked_row(dataset, row)
    if not dataset.vocabulary and len(dataset.features) > MOST_LINES:
        raise DataError(f"{len(dataset.features)} inputs are too many for a line each")
    lines = [] if dataset.vocabulary else _inputs(dataset, row, dark)
    lines += _targets(dataset, row, dark)
    steps = int(dataset.lengths[row])
    figure = frame(
        dataset.ids[row],
        dark=dark,
        plot_height=plot_height,
        keeps=f"sequence {dataset.name} {steps}",
        legend=[line.name for line in lines],
    )
    for line in lines:
        figure.add_trace(line)
    clock = Clock.of(dataset, row if dataset.vocabulary else None).first(steps)
    figure.update_xaxes(**clock_axis(clock))
    if dataset.task.names_classes:
        names = [plain(name, 24) for name in dataset.classes]
        ticks = {"tickvals": list(range(len(names))), "ticktext": names}
        figure.update_yaxes(title_text=plain(dataset.outputs[0].name, 40), **ticks)
        figure.update_yaxes(range=[-0.5, len(names) - 0.5])
    else:
        figure.update_yaxes(title_text="value", nticks=6)
    if step is not None:
        x, line = float(clock.middles[step]), {"color": palette(dark).mark, "width": 1.2}
        figure.add_shape(type="line", x0=x, x1=x, y0=0, y1=1, yref="paper", line=line)
    return figure


def drawn_by_step(dataset: SequenceDataset) -> bool:
    """Whether a sequence is best drawn with its targets: few numbers, or labels at every step."""
    if dataset.vocabulary:
        return dataset.task is Task.TAGGING
    return bool(dataset.known) and len(dataset.features) <= MOST_LINES


def _inputs(dataset: SequenceDataset, row: int, dark: bool) -> list[go.Scatter]:
    steps, groups = int(dataset.read[row]), palette(dark).groups
    first = colours(Quantity.ACTIVITY, dark)[12]
    middles, hover = Clock.of(dataset).middles, Clock.of(dataset).hover
    found = []
    for k, feature in enumerate(dataset.features):
        name = plain(feature.name, 40) + (f" [{plain(feature.unit)}]" if feature.unit else "")
        colour = first if k == 0 else groups[_COLOURS[k]]
        found.append(
            go.Scatter(
                x=middles[:steps],
                y=dataset.inputs[row, :steps, k],
                name=f"read: {name}",
                mode="lines+markers" if steps <= 100 else "lines",
                line={"color": colour, "width": 1.4},
                marker={"size": 5, "symbol": _SYMBOLS[k % len(_SYMBOLS)]},
                hovertemplate=f"{hover}<br>{name}: %{{y:.4~g}}<extra></extra>",
            )
        )
    return found


def _targets(dataset: SequenceDataset, row: int, dark: bool) -> list[go.Scatter]:
    """A line over the steps that count, or a mark at the end."""
    if dataset.vocabulary and not dataset.task.every_step:
        return []
    steps = np.flatnonzero(dataset.judged[row])
    if not dataset.task.every_step:
        steps = steps[-1:]
    values = dataset.targets[row][steps] if dataset.task.every_step else dataset.targets[row]
    values = np.atleast_1d(values).reshape(len(steps), -1)[:, 0]
    shown = [plain(dataset.classes[k], 24) for k in values] if dataset.classes else values
    output, clock = dataset.outputs[0], Clock.of(dataset)
    name = plain(output.name, 40) + (f" [{plain(output.unit)}]" if output.unit else "")
    stepped = dataset.task.names_classes
    return [
        go.Scatter(
            x=clock.middles[steps],
            y=values,
            text=[f"{value}" if stepped else f"{value:.4g}" for value in shown],
            name=f"asked for: {name}",
            mode="lines+markers",
            line={"color": palette(dark).role("target"), "width": 2, "dash": "dot"}
            | ({"shape": "hvh"} if stepped else {}),
            marker={"size": 8, "symbol": "diamond"},
            hovertemplate=f"{clock.hover}<br>{name}: %{{text}}<extra></extra>",
        )
    ]


def points(dataset: SequenceDataset, split: Split, *, dark: bool = False) -> go.Figure:
    """The target of every row over its single input.

    Raises:
        DataError: there is more than one step, input or number.
    """
    if dataset.steps > 1 or dataset.input_size > 1 or not dataset.task.numeric:
        raise DataError("only one input and one number a row can be drawn over each other")
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    labels = {name: f"{name} (n = {len(rows):,})" for name, rows in parts.items()}
    feature, output, p = dataset.features[0], dataset.outputs[0], palette(dark)
    figure = frame(
        f"{output.name} over {feature.name}",
        dark=dark,
        plot_height=280,
        keeps="points",
        legend=list(labels.values()),
    )
    for name, rows in parts.items():
        figure.add_trace(
            go.Scatter(
                x=dataset.inputs[rows, 0, 0],
                y=dataset.targets[rows, 0],
                name=labels[name],
                mode="markers",
                marker={"size": 5, "color": p.role(name), "symbol": _MARKS[name]},
                hovertemplate=f"{name}: %{{x:.3~g}} → %{{y:.3~g}}<extra></extra>",
            )
        )
    unit = f" [{plain(feature.unit)}]" if feature.unit else ""
    figure.update_xaxes(title_text=plain(feature.name) + unit)
    figure.update_yaxes(title_text=plain(output.name))
    return figure


_MARKS = {"train": "circle", "validation": "diamond", "test": "x"}
