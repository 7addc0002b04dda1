"""Select and match: what is searched for, and what the page does."""

import math
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from jaxtyping import Float16

from rnnviz.figures import VIEWS
from rnnviz.figures.clock import Clock
from rnnviz.figures.data import activity
from rnnviz.figures.matching import (
    MOST_LINES,
    chosen_units,
    mark_span,
)
from rnnviz.figures.unrolled import naming
from rnnviz.states.match import (
    MOST_UNITS,
    OnUnit,
    units_on,
)
from rnnviz.states.store import States
from rnnviz.ui import widgets
from rnnviz.ui.components.plot import Spanned, plot
from rnnviz.ui.layout import pair
from rnnviz.ui.looking import Looking
from rnnviz.ui.words import number

FEW = 4  # units that are on at first


@dataclass(frozen=True, kw_only=True)
class Marked:
    """What is searched for."""

    symbol: str  # of the state, h or c
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


def state(seen: Looking) -> str:
    """The state that is searched in: h, or the memory c of a cell that has one."""
    known = list(seen.layer.state_names)
    widgets.forget_unless("match_state", known)
    if len(known) == 1:
        return known[0]
    picked = st.segmented_control(
        "State that is searched in",
        known,
        default=widgets.held("match_state", known[0]),
        key="match_state",
        help="h is what a step gives on; c is the memory, of which a gate shows a part in h.",
        bind="query-params",
    )
    return str(picked or known[0])


def choose(seen: Looking, states: States, symbol: str = "h") -> Marked | None:
    """The span, the threshold and the units; None where no unit is on there, which is said."""
    layer = seen.layer
    way = states.way(layer.layer, reverse=layer.reverse)
    h = _of_row(seen, states, way)
    clock = seen.look.clock_for(h.shape[1])
    left, right = pair("marking")
    with left:
        start, stop = _span(h.shape[1], seen)
    with right:
        threshold = _threshold(h, start, stop, symbol)
    _maps(seen, clock, start, stop, symbol)
    on = units_on(h, start, stop, threshold)
    if not on:
        st.info(
            "No unit is on throughout this span: mark a shorter one, or lower the threshold "
            f"(the largest |{symbol}| there is {number(float(np.abs(h[:, start:stop]).max()), 3)})."
        )
        return None
    units = _units(on)
    if not units:
        st.info("Choose at least one unit.")
        return None
    least = _least(len(units))
    _lines(seen, h, units, threshold, clock, (start, stop), symbol)
    return Marked(
        symbol=symbol,
        way=way,
        start=start,
        stop=stop,
        threshold=threshold,
        units=units,
        least=least,
    )


def _maps(seen: Looking, clock: Clock, start: int, stop: int, symbol: str) -> None:
    """What was read and every unit's state, with the span on both; dragging marks another."""
    dark = seen.look.dark
    if not seen.is_text:
        strip = activity(seen.dataset, seen.row, dark=dark)
        plot(mark_span(strip, Clock.of(seen.dataset), start, stop, dark=dark), key="day")
    heat = VIEWS["gates"].draw(seen.trace, replace(seen.look, name=symbol, marked_unit=None))
    mark_span(heat, clock, start, stop, dark=dark)
    plot(heat, key="heat", on_span=lambda dragged: _dragged(dragged, clock))
    st.caption("Drag over the map to mark a span.")


def _least(units: int) -> int:
    if units == 1:
        return 1
    widgets.keep_within("match_least", 1, units)
    label = "How many of them must be on at once"
    return st.slider(label, 1, units, value=units, key="match_least")


def _lines(
    seen: Looking,
    h: Float16[np.ndarray, "H T"],
    units: tuple[OnUnit, ...],
    threshold: float,
    clock: Clock,
    span: tuple[int, int],
    symbol: str,
) -> None:
    """The units that are searched for, over the sequence."""
    shown = units[:MOST_LINES]
    names = tuple(f"unit {one.unit + 1}, {_side(one)}" for one in shown)
    rows = np.stack([h[one.unit].astype(np.float64) for one in shown])
    figure = chosen_units(
        rows, names, threshold, symbol=symbol, span=span, clock=clock, dark=seen.look.dark
    )
    plot(figure, key="chosen_units")


def _of_row(seen: Looking, states: States, way: int) -> Float16[np.ndarray, "H T"]:
    place = states.place(seen.row)
    assert place is not None, "traced sequences are of the test part, which is kept first"
    return states.h[way][:, place, : states.lengths[place]]


def _side(one: OnUnit) -> str:
    return "on above" if one.sign > 0 else "on below"


def _span(steps: int, seen: Looking) -> tuple[int, int]:
    """First step, and the step after the last; the widget counts from 1 and includes both."""
    usual = (max(1, round(steps * 0.5)), min(steps, round(steps * 0.5) + max(1, steps // 12)))
    held = widgets.held("match_span", usual)
    if not 1 <= held[0] <= held[1] <= steps:
        widgets.mark("match_span", usual)
        held = usual
    first, last = st.slider(
        f"Span, in steps from 1 to {steps}", 1, steps, value=held, key="match_span"
    )
    if seen.dataset.time_unit == "min":
        begins = (*naming(seen.dataset).steps, "24:00")
        st.caption(f"From {begins[first - 1]} to before {begins[last]}.")
    return first - 1, last


def _threshold(h: Float16[np.ndarray, "H T"], start: int, stop: int, symbol: str) -> float:
    """At first so low that a few units are on throughout the span."""
    reach = max(float(np.abs(h).max()), 0.05)
    throughout = np.sort(np.abs(h[:, start:stop]).min(axis=1).astype(np.float64))
    usual = float(throughout[-min(FEW, len(throughout))])
    note = (
        f"A unit is on where {symbol} is at least this, or at most minus this: the side of the "
        "span."
    )
    if reach <= 1.0:
        key, begin = "match_threshold", min(0.95, max(0.05, math.floor(usual * 20) / 20))
        level = widgets.held(key, begin)
        return st.slider(
            f"Threshold of |{symbol}|", 0.05, 0.95, level, step=0.05, key=key, help=note
        )
    key = "match_threshold_wide"
    return st.number_input(
        f"Threshold of |{symbol}|, which reaches {number(reach, 3)}",
        min_value=0.01,
        max_value=1000.0,
        value=widgets.held(key, max(0.01, round(usual, 2))),
        key=key,
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


def about() -> None:
    """What is done here, and whose idea it is."""
    with st.expander("About this page"):
        st.markdown(
            "After LSTMVis (Strobelt, Gehrmann, Pfister and Rush, 2018, *IEEE TVCG* 24). A unit is "
            "**on** at a step where $h$ passes the threshold on the side that it has in the marked "
            "span. Units that are on throughout the span are ranked by how little they are on in "
            "the rest of the sequence. A match is a longest run of steps at which enough of the "
            "chosen units are on at once; runs as long as the marked span come first.\n\n"
            "It searches in the state h, or in the memory c of an LSTM, which h shows only a part "
            "of: what is kept for later can be seen there first. "
            "States are kept as 16-bit numbers (3 digits), and the comparison is exact for those. "
            "That units agree says what the network has in common at two places, not why."
        )
