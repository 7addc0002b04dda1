"""What moves while a run goes on: poll its directory, fold, draw. Nothing here trains or sleeps."""

from collections.abc import Callable, Mapping
from typing import Literal

import streamlit as st

from rnnviz.events import RunView
from rnnviz.runs.run import Run
from rnnviz.ui import session
from rnnviz.ui.words import State, state_of

Colour = Literal["orange", "blue", "green", "red"]
FAST, SLOW = 0.2, 2.0  # between two looks: the live page, the sidebar of all others [s]
BADGES: Mapping[str, tuple[Colour, str]] = {
    "queued": ("orange", "queued"),
    "starting": ("blue", "starting"),
    "running": ("blue", "training"),
    "paused": ("orange", "paused"),
    "interrupted": ("orange", "interrupted"),
    "finished": ("green", "finished"),
    "failed": ("red", "failed"),
}


def look(run: Run) -> tuple[RunView, State]:
    """The run as it stands now."""
    view = session.view(run)
    place = session.runner().place(run)
    on = place is None and run.worked_on_by() is not None
    return view, state_of(view, place, worked_on=on, free=session.runner().has_room())


def badge(state: State) -> None:
    """The state as one coloured word."""
    colour, word = BADGES[state.kind]
    st.badge(word, color=colour)


def ticking(draw: Callable[[RunView, State], None], run: Run, *, every: float, name: str) -> None:
    """Draw now and, while the run is active, again at intervals; the whole page at a new state.

    The drawing must always make the same number of elements, and holds no controls.
    """
    _, before = look(run)

    def once() -> None:
        view, state = look(run)
        if (state.kind, state.active) != (before.kind, before.active):
            st.rerun()  # buttons and pages depend on it
        draw(view, state)

    st.fragment(once, run_every=every if before.active else None, key=f"{name}_{run.id}")()


def status(run: Run, *, follows_trace: bool) -> None:
    """The run in the sidebar; with follows_trace the page is drawn again at each new trace."""
    shown = session.latest(session.view(run))

    def draw(view: RunView, state: State) -> None:
        badge(state)
        st.caption(run.title)
        st.progress(state.done, text=_short(view, state))
        latest = st.session_state.get("epoch", "latest") == "latest"
        if follows_trace and latest and session.latest(view) != shown:
            st.rerun()

    ticking(draw, run, every=SLOW, name="status")


def _short(view: RunView, state: State) -> str:
    if state.kind in ("running", "paused", "finished", "failed", "interrupted") and view.started:
        return f"epoch {min(view.epoch, view.started.epochs)} of {view.started.epochs}"
    return state.text
