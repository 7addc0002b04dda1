"""What the data look like before any network sees them. Dataset in, figure out."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float, Int

from rnnviz.data.dataset import SequenceDataset, Split, Task
from rnnviz.errors import DataError
from rnnviz.figures.clock import Clock, clock_axis
from rnnviz.figures.colours import with_alpha
from rnnviz.figures.frame import frame, note
from rnnviz.figures.groups import band_and_line
from rnnviz.figures.order import in_order, named
from rnnviz.figures.reduce import envelope
from rnnviz.figures.series import checked_row, curves, groups_of
from rnnviz.figures.theme import (
    DASHES,
    Quantity,
    colours,
    faint,
    palette,
    plain,
    visible,
)


def _simulated(dataset: SequenceDataset) -> str:
    return " (simulated)" if dataset.source.simulated else ""


def _ink(dark: bool) -> str:
    """The activity scale's colour for lines."""
    return colours(Quantity.ACTIVITY, dark)[12]


def activity(
    dataset: SequenceDataset, row: int, *, step: int | None = None, dark: bool = False
) -> go.Figure:
    """A row's curve as a strip that lines up with every picture over time below it.

    Raises:
        DataError: there is no such row, or the sequences are tokens.
    """
    figure = day_curve(dataset, row, dark=dark, plot_height=90)
    # a strip has no room for the axis' name: it goes into the title
    figure.layout.title.text += f": {figure.layout.yaxis.title.text}"
    figure.update_xaxes(title_text=None)
    figure.update_yaxes(title_text=None)
    figure.update_layout(margin_b=24, height=figure.layout.height - 20)
    if step is not None:
        x = float(Clock.of(dataset).middles[step])
        line = {"color": palette(dark).mark, "width": 1.2}
        figure.add_shape(type="line", x0=x, x1=x, y0=0, y1=1, yref="paper", line=line)
    return figure


def _wear_area(dataset: SequenceDataset, row: int, dark: bool) -> go.Scatter:
    """Grey behind the steps in which the device was not worn; half-worn steps half as high."""
    assert dataset.wear is not None
    absent = 1 - dataset.wear[row, : dataset.lengths[row]]
    clock = Clock.of(dataset).first(len(absent))
    return go.Scatter(
        x=np.repeat(clock.edges, 2)[1:-1],
        y=np.repeat(absent, 2).astype(np.float32),
        yaxis="y2",
        name="not worn",
        mode="none",
        fill="tozeroy",
        fillcolor=with_alpha(palette(dark).faint_text, 0.22),
        hoverinfo="skip",
    )


def day_curve(
    dataset: SequenceDataset, row: int, *, dark: bool = False, plot_height: int = 220
) -> go.Figure:
    """One row over time, with the time in which the device was not worn in grey.

    Args:
        dataset: days, or other sequences of numbers.
        row: from 0.
        dark: for a dark page.
        plot_height: of the area inside the axes [px].

    Raises:
        DataError: there is no such row, or the sequences are tokens.
    """
    checked_row(dataset, row)
    found = curves(dataset, np.array([row]))
    steps = int(dataset.lengths[row]) * len(found.clock.times) // dataset.steps
    values, clock = found.values[0, :steps], found.clock.first(steps)
    worn = dataset.wear is not None and bool((dataset.wear[row] < 1).any())
    figure = frame(
        f"{dataset.ids[row]}{_simulated(dataset)}",
        dark=dark,
        plot_height=plot_height,
        keeps=f"time {steps} day",
        legend=("value", "not worn") if worn else (),
    )
    if worn:
        figure.add_trace(_wear_area(dataset, row, dark))
        figure.update_layout(yaxis2={"overlaying": "y", "range": [0, 1], "visible": False})
    kept = envelope(values)
    ink = _ink(dark)
    figure.add_trace(
        go.Scatter(
            x=clock.middles[kept],
            y=values[kept].astype(np.float32),
            name="value",
            mode="lines",
            line={"color": ink, "width": 1.3},
            showlegend=False,
            hovertemplate=f"{clock.hover}<br>%{{y:.3~g}}<extra></extra>",
        )
    )
    figure.update_xaxes(**clock_axis(clock))
    figure.update_yaxes(title_text=found.label, rangemode="tozero", nticks=5, selector=0)
    return figure


def mean_day(dataset: SequenceDataset, by: str = "", *, dark: bool = False) -> go.Figure:
    """The mean curve over all rows, or of each group, with a band of one standard error.

    The standard error takes the rows as independent, which several days of one person are not.

    Raises:
        DataError: there is no such grouping, or the sequences are tokens.
    """
    found = curves(dataset)
    of = np.array(named(groups_of(dataset, by)) if by else ["all"] * len(dataset.ids))
    legend = {
        group: f"{plain(group, 24)} (n = {(of == group).sum():,})"
        for group in in_order(of.tolist())
    }
    what = "day" if dataset.time_unit == "min" else "sequence"
    title = f"Mean {what}{f' by {by}' if by else ''}, ± 1 standard error{_simulated(dataset)}"
    steps = found.values.shape[1]
    figure = frame(
        title,
        dark=dark,
        plot_height=280,
        keeps=f"time {steps} mean",
        legend=list(legend.values()),
    )
    p = palette(dark)
    for k, (group, label) in enumerate(legend.items()):
        colour = p.groups[k % len(p.groups)] if by else _ink(dark)
        for line in band_and_line(found.values[of == group], label, k, colour, found.clock, dark):
            figure.add_trace(line)
    figure.update_xaxes(**clock_axis(found.clock))
    figure.update_yaxes(title_text=found.label, rangemode="tozero")
    figure.update_layout(hovermode="x unified")
    return figure


def _parts(split: Split | None, rows: int) -> Mapping[str, Int[np.ndarray, " M"]]:
    if split is None:
        return {"all": np.arange(rows)}
    return {"train": split.train, "validation": split.validation, "test": split.test}


def target_histogram(
    dataset: SequenceDataset, split: Split | None = None, *, dark: bool = False
) -> go.Figure:
    """How the target is distributed: shares of all rows, or of each part of a split.

    Raises:
        DataError: the target is a token, or there are several targets.
    """
    if dataset.task is Task.NEXT_TOKEN:
        raise DataError("a text has no single target; look at its token frequencies")
    variable = dataset.outputs[0]
    parts = _parts(split, len(dataset.ids))
    labels = {name: f"{name} (n = {len(rows):,})" for name, rows in parts.items()}
    targets, parts = _single_targets(dataset, parts)
    figure = frame(
        f"{variable.name}{_simulated(dataset)}",
        dark=dark,
        plot_height=220,
        keeps="target",
        legend=list(labels.values()),
        right=24,
    )
    for name, rows in parts.items():
        figure.add_trace(_distribution(dataset, targets, rows, name, labels[name], dark))
    unit = f" [{plain(variable.unit)}]" if variable.unit else ""
    figure.update_xaxes(title_text=f"{plain(variable.name)}{unit}")
    if not dataset.classes:
        figure.update_xaxes(unifiedhovertitle={"text": f"%{{x:.4~g}} {plain(variable.unit)}"})
    of = "share of steps" if dataset.task.every_step else "share of rows"
    figure.update_yaxes(title_text=of, tickformat=".0%", rangemode="tozero", nticks=5)
    figure.update_layout(hovermode="x unified", barmode="group")
    return figure


def _single_targets(
    dataset: SequenceDataset, parts: Mapping[str, Int[np.ndarray, " _"]]
) -> tuple[np.ndarray, Mapping[str, Int[np.ndarray, " _"]]]:
    """All targets in one row, and where those of each part stand in it."""
    every_step = dataset.task.every_step
    targets = dataset.targets[dataset.judged] if every_step else dataset.targets
    if every_step:
        owner = np.nonzero(dataset.judged)[0]
        parts = {name: np.flatnonzero(np.isin(owner, rows)) for name, rows in parts.items()}
    return (targets if dataset.classes else targets[:, 0]), parts


def _distribution(
    dataset: SequenceDataset,
    targets: np.ndarray,
    rows: Int[np.ndarray, " M"],
    name: str,
    label: str,
    dark: bool,
) -> go.Bar | go.Scatter:
    """Classes as bars, numbers as the outline of a histogram; one set of bins for all parts."""
    p = palette(dark)
    colour = p.role(name) if name in p.roles else _ink(dark)
    hover = f"{name}: %{{y:.1%}}<extra></extra>"
    size = max(1, len(rows))
    if dataset.classes:
        counts = np.bincount(targets[rows], minlength=len(dataset.classes))
        names = [plain(c, 24) for c in dataset.classes]
        return go.Bar(
            x=names, y=counts / size, name=label, marker={"color": colour}, hovertemplate=hover
        )
    finite = targets[np.isfinite(targets)]
    bins = np.histogram_bin_edges(finite, bins=40 if len(finite) > 400 else 20)
    width = bins[1] - bins[0]
    edges = np.concatenate([[bins[0] - width], bins, [bins[-1] + width]])  # ends at nothing
    counts, _ = np.histogram(targets[rows], bins=edges)
    return go.Scatter(
        x=(edges[1:] + edges[:-1]) / 2,
        y=counts / size,
        name=label,
        mode="lines",
        line={"color": colour, "width": 2, "shape": "hvh", "dash": DASHES.get(name)},
        fill="tozeroy" if name in ("all", "train") else None,
        fillcolor=faint(colour, dark),
        hovertemplate=hover,
    )


def targets_over_time(dataset: SequenceDataset, split: Split, *, dark: bool = False) -> go.Figure:
    """The target of every row in the order of the data, which is that of time, part by part.

    Raises:
        DataError: the target is no number.
    """
    if dataset.vocabulary or dataset.classes:
        raise DataError("only numbers can be drawn in their order; look at the target's shares")
    targets, variable, p = dataset.targets[:, 0], dataset.outputs[0], palette(dark)
    parts = _parts(split, len(targets))
    labels = {name: f"{name} (n = {len(rows):,})" for name, rows in parts.items()}
    figure = frame(
        f"{variable.name}{_simulated(dataset)}",
        dark=dark,
        plot_height=220,
        keeps="in order",
        legend=list(labels.values()),
    )
    for name, rows in parts.items():
        kept = rows[envelope(targets[rows])]
        figure.add_trace(
            go.Scatter(
                x=kept + 1,
                y=targets[kept],
                text=[plain(dataset.ids[row], 40) for row in kept],
                name=labels[name],
                mode="lines",
                line={"color": p.role(name), "width": 1.6, "dash": DASHES.get(name)},
                hovertemplate=f"{name}: %{{text}}<br>%{{y:.4~g}}<extra></extra>",
            )
        )
    unit = f" [{plain(variable.unit)}]" if variable.unit else ""
    figure.update_xaxes(title_text=plain(dataset.whose))
    figure.update_yaxes(title_text=f"{plain(variable.name)}{unit}")
    return figure


def wear_by_hour(dataset: SequenceDataset, *, dark: bool = False) -> go.Figure:
    """In what share of the rows the device was worn, over the day; the gap to 100 % is not worn.

    Raises:
        DataError: it is not known when the device was worn.
    """
    if dataset.wear is None:
        raise DataError("these data do not say when the device was worn; there is nothing to show")
    share = dataset.wear.mean(axis=0, dtype=np.float64)
    clock = Clock.of(dataset)
    hours = np.floor(clock.times / 60).astype(int)
    of_hour = [share[hours == hour].mean() for hour in np.unique(hours)]
    starts = np.unique(hours) * 60.0
    hourly = Clock(times=starts, unit="min") if clock.unit == "min" else clock
    y = np.array(of_hour) if clock.unit == "min" else share
    figure = frame(
        f"Share of rows in which the device was worn{_simulated(dataset)}",
        dark=dark,
        plot_height=180,
        keeps="wear",
    )
    figure.add_trace(
        go.Bar(
            x=hourly.middles,
            y=y.astype(np.float32),
            width=0.86 * np.diff(hourly.edges),
            marker={"color": _ink(dark)},
            hovertemplate=f"{hourly.hover}<br>worn %{{y:.1%}}<extra></extra>",
        )
    )
    figure.update_xaxes(**clock_axis(hourly))
    figure.update_yaxes(title_text="worn", range=[0, 1], tickformat=".0%", nticks=5)
    return figure


_MOST_TOKENS = 40


def token_frequencies(dataset: SequenceDataset, *, dark: bool = False) -> go.Figure:
    """How often each token stands in the text, the most frequent first.

    Raises:
        DataError: the data are no text.
    """
    if not dataset.vocabulary:
        raise DataError("these data are no text; look at the mean day or the target")
    real = np.arange(dataset.steps)[None] < dataset.lengths[:, None]
    counts = np.bincount(dataset.inputs[real], minlength=len(dataset.vocabulary))
    order = np.argsort(-counts, kind="stable")[:_MOST_TOKENS]
    rest = len(dataset.vocabulary) - len(order)
    title = f"Frequency of the tokens{f', {rest:,} rarer ones left out' if rest else ''}"
    figure = frame(title, dark=dark, plot_height=220, keeps="tokens", right=24)
    if not counts.sum():
        return note(figure, "The text is empty.")
    names = [visible(dataset.vocabulary[k]) for k in order]
    share: Float[np.ndarray, " V"] = counts[order] / counts.sum()
    figure.add_trace(
        go.Bar(
            x=np.arange(len(order)),
            y=share,
            marker={"color": palette(dark).roles["network"]},
            customdata=counts[order],
            text=names,
            textposition="none",
            hovertemplate="%{text}: %{customdata:,} times, %{y:.2%}<extra></extra>",
        )
    )
    angle = 0 if max(map(len, names)) <= 2 else -60
    figure.update_xaxes(tickvals=list(range(len(order))), ticktext=names, tickangle=angle)
    figure.update_yaxes(title_text="share of the text", tickformat=".0%", nticks=5)
    return figure
