"""The parts of the Gates page."""

from dataclasses import replace

import streamlit as st

from rnnviz.figures import VIEWS
from rnnviz.figures.data import activity
from rnnviz.figures.gates import words
from rnnviz.figures.sequence import drawn_by_step, sequence
from rnnviz.figures.values import names_of, one_sequence, range_in
from rnnviz.ui import session
from rnnviz.ui.components.plot import plot
from rnnviz.ui.components.tokens import coloured_tokens
from rnnviz.ui.layout import pair
from rnnviz.ui.looking import Looking


def choose(seen: Looking) -> str:
    """Which gate, state or gradient is shown."""
    names = list(names_of(seen.layer))
    start = "f" if "f" in names else names[0]
    if st.session_state.get("quantity", start) not in names:
        del st.session_state["quantity"]
    picked = st.segmented_control(
        "Show",
        names,
        default=start,
        key="quantity",
        help="Gates are shown after their squash, unless the name says before. dL/dh is the "
        "gradient of this sequence's loss by the state after each step.",
        bind="query-params",
    )
    name = picked or start
    st.caption(words(name)[:1].upper() + words(name)[1:])
    return name


def over_time(seen: Looking, name: str) -> None:
    """What was read, and the heat map of all units under it."""
    if seen.is_text:
        _text(seen, name)
    elif drawn_by_step(seen.dataset):
        strip = sequence(
            seen.dataset, seen.row, step=seen.chosen.t, dark=seen.look.dark, plot_height=110
        )
        plot(strip, key="activity", on_click=seen.click)
    else:
        strip = activity(seen.dataset, seen.row, step=seen.chosen.t, dark=seen.look.dark)
        plot(strip, key="activity", on_click=seen.click)
    look = replace(seen.look, name=name)
    plot(VIEWS["gates"].draw(seen.trace, look), key="heat", on_click=seen.click_unit)
    st.caption("Click the heat map to choose a unit and a step.")


def _text(seen: Looking, name: str) -> None:
    span = range_in(seen.trace, name)
    values = one_sequence(seen.layer, name, seen.chosen.sequence, len(seen.tokens))
    coloured_tokens(
        seen.tokens,
        values[seen.chosen.unit],
        low=span.low,
        high=span.high,
        dark=seen.look.dark,
        key="coloured_text",
        name=f"{name}, unit {seen.chosen.unit + 1}",
        quantity=span.quantity,
        selected=seen.chosen.t,
        on_click=lambda t: session.select(t=t),
    )


def one_unit(seen: Looking, name: str) -> None:
    """All gates and states of the chosen unit."""
    if seen.dataset.steps == 1:
        st.caption("There is one step only, so nothing runs over time. Inside has its numbers.")
        return
    plot(VIEWS["unit"].draw(seen.trace, replace(seen.look, name=name)), key="unit_lines")


def all_units(seen: Looking, name: str) -> None:
    """What the units have in common: mean, spread, saturation."""
    if seen.dataset.steps == 1:
        return
    look = replace(seen.look, name=name)
    for place, key in zip(pair("all"), ("spread", "saturation"), strict=True):
        with place:
            plot(VIEWS[key].draw(seen.trace, look), key=f"all_{key}")
