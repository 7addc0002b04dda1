"""The parts of the page Select and match."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from jaxtyping import Float, Float16

from rnnviz.data.dataset import Split, Task, split_of
from rnnviz.figures import VIEWS
from rnnviz.figures.clock import Clock
from rnnviz.figures.data import activity
from rnnviz.figures.matching import (
    MOST_LINES,
    aligned,
    beginnings,
    chosen_units,
    mark_span,
)
from rnnviz.figures.theme import Quantity
from rnnviz.figures.values import Range
from rnnviz.states.match import (
    MOST_UNITS,
    OnUnit,
    Spans,
    find_spans,
    strength,
    units_on,
)
from rnnviz.states.store import States
from rnnviz.ui import controls, widgets
from rnnviz.ui.components.plot import Spanned, plot
from rnnviz.ui.components.tokens import coloured_tokens
from rnnviz.ui.layout import pair
from rnnviz.ui.looking import Looking
from rnnviz.ui.words import number, target_words

SHOWN = 25  # matches that are drawn under each other
BESIDE = 1.0  # of the marked span's length, shown before and after it
MOST_BESIDE = 60  # steps
FEW = 4  # units that are on at first
DAY = 1440  # [min]
CONTEXT = 24  # tokens shown before and after a match


@dataclass(frozen=True, kw_only=True)
class Marked:
    """What is searched for."""

    way: int
    start: int
    stop: int  # the step after the last
    threshold: float
    units: tuple[OnUnit, ...]
    least: int

    @property
    def signed(self) -> tuple[tuple[int, int], ...]:
        """Units with their signs."""
        return tuple((one.unit, one.sign) for one in self.units)


def choose(seen: Looking, states: States) -> Marked | None:
    """The span, the threshold and the units; None where no unit is on there, which is said."""
    layer = seen.layer
    way = states.way(layer.layer, reverse=layer.reverse)
    h = _of_row(seen, states, way)
    clock = seen.look.clock_for(h.shape[1])
    left, right = pair("marking")
    with left:
        start, stop = _span(h.shape[1], clock)
    with right:
        threshold = _threshold(h, start, stop)
    heat = VIEWS["gates"].draw(seen.trace, replace(seen.look, name="h", marked_unit=None))
    mark_span(heat, clock, start, stop, dark=seen.look.dark)
    if not seen.is_text:
        strip = activity(seen.dataset, seen.row, dark=seen.look.dark)
        plot(mark_span(strip, Clock.of(seen.dataset), start, stop, dark=seen.look.dark), key="day")
    plot(heat, key="heat", on_span=lambda dragged: _dragged(dragged, clock))
    st.caption("Drag over the map to mark a span.")
    on = units_on(h, start, stop, threshold)
    if not on:
        st.info(
            "No unit is on throughout this span: mark a shorter one, or lower the threshold "
            f"(the largest |h| there is {number(float(np.abs(h[:, start:stop]).max()), 3)})."
        )
        return None
    units = _units(on)
    if not units:
        st.info("Choose at least one unit.")
        return None
    least = len(units)
    if len(units) > 1:
        widgets.keep_within("match_least", 1, len(units))
        least = st.slider(
            "How many of them must be on at once",
            1,
            len(units),
            value=len(units),
            key="match_least",
        )
    shown = units[:MOST_LINES]
    names = tuple(f"unit {one.unit + 1}, {_side(one)}" for one in shown)
    rows = np.stack([h[one.unit].astype(np.float64) for one in shown])
    plot(
        chosen_units(rows, names, threshold, span=(start, stop), clock=clock, dark=seen.look.dark),
        key="chosen_units",
    )
    return Marked(way=way, start=start, stop=stop, threshold=threshold, units=units, least=least)


def _of_row(seen: Looking, states: States, way: int) -> Float16[np.ndarray, "H T"]:
    place = states.place(seen.row)
    assert place is not None, "traced sequences are of the test part, which is kept first"
    return states.h[way][:, place, : states.lengths[place]]


def _side(one: OnUnit) -> str:
    return "on above" if one.sign > 0 else "on below"


def _span(steps: int, clock: Clock) -> tuple[int, int]:
    """First step, and the step after the last; the widget counts from 1 and includes both."""
    usual = (max(1, round(steps * 0.5)), min(steps, round(steps * 0.5) + max(1, steps // 12)))
    held = widgets.marked("match_span")
    if held is None or not 1 <= held[0] <= held[1] <= steps:
        widgets.mark("match_span", usual)
    # what the session holds decides how many ends it has
    both: Any = st.slider(f"Span, in steps from 1 to {steps}", 1, steps, key="match_span")
    first, last = both
    if clock.unit == "min":
        st.caption(
            f"From {_minute(clock.times[first - 1])} to before {_minute_after(clock, last)}."
        )
    return first - 1, last


def _minute(minute: float) -> str:
    return f"{int(minute) // 60 % 24:02d}:{int(minute) % 60:02d}"


def _minute_after(clock: Clock, step: int) -> str:
    """When a step, counted from 1, is over."""
    ends = np.append(clock.times[1:], 2 * clock.times[-1] - clock.times[-2])
    return _minute(ends[step - 1]) if ends[step - 1] < DAY else "24:00"


def _threshold(h: Float16[np.ndarray, "H T"], start: int, stop: int) -> float:
    """At first so low that a few units are on throughout the span."""
    reach = max(float(np.abs(h).max()), 0.05)
    throughout = np.sort(np.abs(h[:, start:stop]).min(axis=1).astype(np.float64))
    usual = float(throughout[-min(FEW, len(throughout))])
    note = "A unit is on where h is at least this, or at most minus this: the side of the span."
    if reach <= 1.0:
        widgets.begin("match_threshold", min(0.95, max(0.05, math.floor(usual * 20) / 20)))
        return st.slider(
            "Threshold of |h|", 0.05, 0.95, step=0.05, key="match_threshold", help=note
        )
    widgets.begin("match_threshold_wide", max(0.01, round(usual, 2)))
    return st.number_input(
        f"Threshold of |h|, which reaches {number(reach, 3)}",
        min_value=0.01,
        max_value=1000.0,
        key="match_threshold_wide",
        help=note,
    )


def _dragged(dragged: Spanned, clock: Clock) -> None:
    first, last = sorted(clock.step_at(x) for x in dragged.x)
    widgets.mark("match_span", (first + 1, last + 1))


def _units(on: tuple[OnUnit, ...]) -> tuple[OnUnit, ...]:
    """Those that are searched for: at first the four that are on elsewhere least."""
    by_name = {
        f"{one.unit + 1} {_side(one)} ({one.elsewhere:.0%} elsewhere)": one
        for one in on[:MOST_UNITS]
    }
    widgets.forget_unless_all("match_units", list(by_name))
    picked = st.pills(
        "Units on throughout the span, and how much of the rest of the sequence they are on",
        list(by_name),
        selection_mode="multi",
        default=list(by_name)[:FEW],
        key="match_units",
    )
    return tuple(by_name[name] for name in picked)


# -- what is found ---------------------------------------------------------------------------------


def found(seen: Looking, states: States, marked: Marked) -> None:
    """All other sequences in which the same units are on."""
    h = states.h[marked.way]
    place = states.place(seen.row)
    spans = find_spans(
        h,
        states.lengths,
        marked.signed,
        marked.threshold,
        least=marked.least,
        like=marked.stop - marked.start,
        without=place,
    )
    others = len(states.rows) - 1
    st.markdown(
        f"##### {spans.total:,} spans in {len(spans.within):,} of {others:,} other sequences"
    )
    if not spans.total:
        st.info("Choose fewer units, a lower threshold, or let fewer of them be on at once.")
        return
    best = _first(spans, min(SHOWN, len(spans.places)))
    if seen.is_text:
        _texts(seen, states, marked, best)
    else:
        _pictures(seen, states, marked, best)
    _table(seen, states, marked, spans)
    left, right = pair("match")
    with left:
        clock = Clock.of(seen.dataset)
        plot(beginnings(spans.beginning, clock=clock, dark=seen.look.dark), key="beginnings")
    with right:
        _labels(seen, states, spans)


def _first(spans: Spans, count: int) -> Spans:
    return replace(
        spans,
        places=spans.places[:count],
        starts=spans.starts[:count],
        stops=spans.stops[:count],
    )


def _pictures(seen: Looking, states: States, marked: Marked, best: Spans) -> None:
    like = marked.stop - marked.start
    beside = min(MOST_BESIDE, max(2, round(like * BESIDE)))
    signed = sum(sign * states.h[marked.way][unit, best.places].astype(np.float32)
                 for unit, sign in marked.signed) / len(marked.units)  # fmt: skip
    limit = max(1.0, float(np.abs(signed).max()))
    titles = tuple(_title(seen, states, best, k) for k in range(len(best.places)))
    step = _per_step(seen)
    pictures = (
        (
            "match_states",
            signed,
            "The same units in other sequences: mean h, turned to the side that is on",
            "h",
            Range(quantity=Quantity.STATE, low=-limit, high=limit),
        ),
        (
            "match_inputs",
            np.asarray(seen.dataset.inputs[states.rows[best.places], :, 0]),
            f"What was read there: {seen.dataset.features[0].name}",
            "input",
            _input_range(seen),
        ),
    )
    for (key, values, title, symbol, span), where in zip(pictures, pair("aligned"), strict=True):
        with where:
            cut = _cut(values, best, states, beside, like)
            plot(
                aligned(
                    cut,
                    titles,
                    before=beside,
                    like=like,
                    title=title,
                    symbol=symbol,
                    span=span,
                    per_step=step,
                    dark=seen.look.dark,
                ),
                key=key,
            )


def _input_range(seen: Looking) -> Range:
    values = seen.dataset.inputs[:200, :, 0]
    low, high = float(values.min()), float(np.quantile(values, 0.995))
    if low < 0:
        high = max(abs(low), abs(high))
        return Range(quantity=Quantity.STATE, low=-high, high=high)
    return Range(quantity=Quantity.ACTIVITY, low=0.0, high=high if high > 0 else 1.0)


def _cut(
    values: Float[np.ndarray, "M T"], best: Spans, states: States, beside: int, like: int
) -> Float[np.ndarray, "M W"]:
    """Each row from `beside` steps before its span to as many after the marked one's length."""
    width = 2 * beside + like
    found = np.full((len(values), width), np.nan)
    for k, (start, place) in enumerate(zip(best.starts, best.places, strict=True)):
        first = int(start) - beside
        steps = np.arange(first, first + width)
        inside = (steps >= 0) & (steps < states.lengths[place])
        found[k, inside] = values[k, steps[inside]]
    return found


def _per_step(seen: Looking) -> str:
    times = seen.dataset.times
    if seen.dataset.time_unit == "min" and len(times) > 1:
        return f"{times[1] - times[0]:g} min"
    return "1 step"


def _title(seen: Looking, states: States, spans: Spans, k: int) -> str:
    row = int(states.rows[spans.places[k]])
    return f"{seen.dataset.ids[row]}, from {_time(seen, int(spans.starts[k]))}"


def _time(seen: Looking, step: int) -> str:
    if seen.dataset.time_unit != "min":
        return f"step {step + 1}"
    return _minute(seen.dataset.times[step])


def _texts(seen: Looking, states: States, marked: Marked, best: Spans) -> None:
    """The matches as lines of text under each other, coloured by the mean of the units."""
    tokens: list[str] = []
    values: list[float] = []
    spans = zip(best.places.tolist(), best.starts.tolist(), best.stops.tolist(), strict=True)
    for place, start, stop in spans:
        first, last = max(0, start - CONTEXT), min(int(states.lengths[place]), stop + CONTEXT)
        read = seen.dataset.inputs[states.rows[place], first:last]
        words = [seen.dataset.vocabulary[int(index)].replace("\n", " ") for index in read]
        missing = CONTEXT - (start - first)  # so that all spans begin under each other
        tokens += [" "] * missing + words + ["\n"]
        values += [math.nan] * missing + list(_mean_of(states, marked, place, first, last))
        values.append(math.nan)
    st.caption(f"Each line is one match, with {CONTEXT} tokens before it; line ends are blanks.")
    coloured_tokens(
        tuple(tokens),
        np.array(values),
        low=-1.0,
        high=1.0,
        dark=seen.look.dark,
        key="match_texts",
        name="mean h of the units, turned to the side that is on",
    )


def _mean_of(
    states: States, marked: Marked, place: int, first: int, last: int
) -> Float[np.ndarray, " n"]:
    h = states.h[marked.way]
    sided = [sign * h[unit, place, first:last].astype(np.float64) for unit, sign in marked.signed]
    return np.mean(sided, axis=0)


def _table(seen: Looking, states: States, marked: Marked, spans: Spans) -> None:
    """Every span that came back, with what is known of its sequence."""
    rows = states.rows[spans.places]
    data, part = seen.dataset, _parts(split_of(seen.dataset, seen.run.config.training.seed), rows)
    columns: dict[str, object] = {
        "sequence": [data.ids[row] for row in rows],
        "part": part,
        "from": [_time(seen, int(step)) for step in spans.starts],
        "steps": spans.stops - spans.starts,
        "mean |h|": strength(states.h[marked.way], marked.signed, spans).round(3),
    }
    if not data.task.every_step:
        columns["target"] = [target_words(data, float(data.targets[row].flat[0])) for row in rows]
    for name, labels in data.groups.items():
        columns[name] = [labels[row] for row in rows]
    with st.expander(f"The {len(rows)} spans closest in length"):
        st.dataframe(pd.DataFrame(columns), width="stretch", hide_index=True)


def _parts(split: Split, rows: np.ndarray) -> list[str]:
    of = {
        int(row): name for name in ("train", "validation", "test") for row in getattr(split, name)
    }
    return [of.get(int(row), "") for row in rows]


def _labels(seen: Looking, states: States, spans: Spans) -> None:
    """Whether sequences with a match differ in what is known of them."""
    data, with_match = seen.dataset, states.rows[spans.within]
    lines = []
    if data.task is Task.REGRESSION:
        of_all = data.targets[states.rows, 0].astype(np.float64)
        of_match = data.targets[with_match, 0].astype(np.float64)
        unit = f" {data.outputs[0].unit}" if data.outputs[0].unit else ""
        lines.append(
            f"Mean {data.outputs[0].name}: {number(of_match.mean())}{unit} with a match, "
            f"{number(of_all.mean())}{unit} of all."
        )
    counts = []
    for name, labels in data.groups.items():
        for label in sorted({labels[row] for row in states.rows}):
            all_of = np.array([labels[row] == label for row in states.rows])
            of_match = np.array([labels[row] == label for row in with_match])
            counts.append((f"{name}: {label}", of_match.mean(), all_of.mean(), int(of_match.sum())))
    st.markdown("##### Who they are")
    for line in lines:
        st.markdown(controls.escaped(line))
    if counts:
        frame = pd.DataFrame(counts, columns=["group", "with a match", "of all", "sequences"])
        shares = {
            name: st.column_config.NumberColumn(format="percent")
            for name in ("with a match", "of all")
        }
        st.dataframe(frame, width="stretch", hide_index=True, column_config=shares, height=210)
    if not lines and not counts:
        st.caption("Nothing is known of these sequences but what was read.")


def about() -> None:
    """What is done here, and whose idea it is."""
    with st.expander("About this page"):
        st.markdown(
            "After LSTMVis (Strobelt, Gehrmann, Pfister and Rush, 2018, *IEEE TVCG* 24). A unit is "
            "**on** at a step where $h$ passes the threshold on the side that it has in the marked "
            "span. Units that are on throughout the span are ranked by how little they are on in "
            "the rest of the sequence. A match is a longest run of steps at which enough of the "
            "chosen units are on at once; runs as long as the marked span come first.\n\n"
            "States are kept as 16-bit numbers (3 digits), and the comparison is exact for those. "
            "That units agree says what the network has in common at two places, not why."
        )
