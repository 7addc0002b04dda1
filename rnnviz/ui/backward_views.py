"""The views of Back through time, as a table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from rnnviz.ui import (
    backward,
    backward_health,
    backward_lockstep,
    backward_wall,
    backward_weights,
    session,
)
from rnnviz.ui.looking import Looking, looking


@dataclass(frozen=True, kw_only=True)
class View:
    """One view: a picture or two that answer one question.

    Attributes:
        draw: of a run that is looked at; None where there is nothing to see of one.
        alone: draws it where no run is looked at; None where it needs one.
    """

    question: str
    draw: Callable[[Looking], None] | None = None
    alone: Callable[[], None] | None = None


VIEWS: Mapping[str, View] = {
    "Over time": View(
        question="How much of the loss's gradient reaches the state of each step?",
        draw=backward.over_time,
    ),
    "Matrix": View(question="Which loss reaches which state?", draw=backward.matrix),
    "Jacobians": View(
        question="What arrives of a nudge some steps back, and what could at most?",
        draw=backward.jacobians,
    ),
    "Weights": View(
        question="Which gate's weights does the sequence want to change?",
        draw=backward_weights.weights,
    ),
    "Truncate and clip": View(
        question="What is lost when the gradient is followed fewer steps, or shortened?",
        draw=backward_weights.limits,
    ),
    "The wall": View(
        question="Why are gradients clipped?",
        draw=backward_wall.walls,
        alone=backward_wall.classic,
    ),
    "Health": View(
        question="Is a layer dead, saturated, or cut off from the loss?",
        draw=backward_health.health,
    ),
    "Lockstep": View(
        question="Whose gradient still reaches far back, and who learns the task?",
        alone=backward_lockstep.lockstep,
    ),
}


def choose() -> View:
    """Which view is shown."""
    first = next(iter(VIEWS))
    name = st.segmented_control(
        "View",
        list(VIEWS),
        default=first,
        key="back_view",
        label_visibility="collapsed",
        bind="query-params",
        persist_state="session",
    )
    view = VIEWS[name or first]
    st.markdown(f"**{view.question}**")
    return view


def show(view: View) -> None:
    """The view, of the current run where it is of one."""
    if view.alone is not None and (view.draw is None or session.current() is None):
        view.alone()
    elif (seen := looking()) and view.draw is not None:
        view.draw(seen)
