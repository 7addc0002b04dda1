"""Select and match: what was found in other sequences."""

import math
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st
from jaxtyping import Float

from rnnviz.data.dataset import Split, Task, split_of
from rnnviz.figures.clock import Clock
from rnnviz.figures.matching import aligned, beginnings
from rnnviz.figures.theme import Quantity
from rnnviz.figures.unrolled import naming
from rnnviz.figures.values import Range
from rnnviz.states.match import Spans, find_spans, strength
from rnnviz.states.store import States
from rnnviz.ui import controls
from rnnviz.ui.components.plot import plot
from rnnviz.ui.components.tokens import coloured_tokens
from rnnviz.ui.layout import pair
from rnnviz.ui.looking import Looking
from rnnviz.ui.matching import Marked
from rnnviz.ui.words import number, target_words

SHOWN = 25  # matches that are drawn under each other
BESIDE = 1.0  # of the marked span's length, shown before and after it
MOST_BESIDE = 60  # steps
CONTEXT = 24  # tokens shown before and after a match


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


class Shown(NamedTuple):
    """One of the pictures of spans under each other."""

    key: str  # of its view
    values: Float[np.ndarray, "M T"]  # of the sequences that hold the spans
    title: str
    symbol: str
    span: Range


def _pictures(seen: Looking, states: States, marked: Marked, best: Spans) -> None:
    like = marked.stop - marked.start
    beside = min(MOST_BESIDE, max(2, round(like * BESIDE)))
    signed = sum(sign * states.h[marked.way][unit, best.places].astype(np.float32)
                 for unit, sign in marked.signed) / len(marked.units)  # fmt: skip
    limit = max(1.0, float(np.abs(signed).max()))
    titles = tuple(_title(seen, states, best, k) for k in range(len(best.places)))
    states_of = Shown(
        key="match_states",
        values=signed,
        title=f"The same units elsewhere: mean {marked.symbol}, turned to the side that is on",
        symbol=marked.symbol,
        span=Range(quantity=Quantity.STATE, low=-limit, high=limit),
    )
    inputs_of = Shown(
        key="match_inputs",
        values=np.asarray(seen.dataset.inputs[states.rows[best.places], :, 0]),
        title=f"What was read there: {seen.dataset.features[0].name}",
        symbol="input",
        span=_input_range(seen),
    )
    around = partial(
        aligned,
        titles=titles,
        before=beside,
        like=like,
        per_step=_per_step(seen),
        dark=seen.look.dark,
    )
    for shown, where in zip((states_of, inputs_of), pair("aligned"), strict=True):
        cut = _cut(shown.values, best, states, beside, like)
        figure = around(cut, title=shown.title, symbol=shown.symbol, span=shown.span)
        with where:
            plot(figure, key=shown.key)


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
    name = naming(seen.dataset).steps[step]
    return name if seen.dataset.time_unit == "min" else f"step {name}"


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
    limit = max(1.0, float(np.nanmax(np.abs(values))))
    coloured_tokens(
        tuple(tokens),
        np.array(values),
        low=-limit,
        high=limit,
        dark=seen.look.dark,
        key="match_texts",
        name=f"mean {marked.symbol} of the units, turned to the side that is on",
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
        f"mean |{marked.symbol}|": strength(states.h[marked.way], marked.signed, spans).round(3),
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
