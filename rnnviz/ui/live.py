"""What moves while a run goes on: poll its directory, fold, draw. Nothing here trains or sleeps."""

from collections.abc import Callable, Mapping
from typing import Literal

import streamlit as st

from rnnviz.events import RunView
from rnnviz.runs.run import Run
from rnnviz.ui import common, controls, session
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


Look = tuple[RunView, State]


def look(run: Run) -> Look:
    """The run as it stands now."""
    view, runner = session.view(run), common.runner()
    place = runner.place(run)
    on = place is None and run.worked_on_by() is not None
    free, trouble = runner.has_room(run.owner), runner.trouble(run)
    return view, state_of(view, place, worked_on=on, free=free, trouble=trouble)


def badge(state: State) -> None:
    """The state as one coloured word."""
    colour, word = BADGES[state.kind]
    st.badge(word, color=colour)


def ticking(
    draw: Callable[[RunView, State], None], run: Run, before: Look, *, every: float, name: str
) -> None:
    """Draw now and, until the run has ended, again at intervals; the whole page at a new state.

    The drawing must always make the same number of elements, and holds no controls.

    before: the look by which the rest of the page was drawn.
    """

    def once() -> None:
        now = look(run)
        if _decides(now) != _decides(before):
            st.rerun()  # buttons and pages depend on it
        draw(*now)

    st.fragment(once, run_every=_every(before[1], every), key=f"{name}_{run.id}")()


def _every(state: State, fast: float) -> float | None:
    """Between two looks [s]; none at what has ended. What holds may be let go by another tab."""
    if state.active:
        return fast
    return SLOW if state.kind in ("paused", "interrupted") else None


def _decides(seen: Look) -> tuple[object, ...]:
    """What the buttons were drawn for; a run that holds may have done its one step meanwhile."""
    view, state = seen
    held = (view.step, len(view.epochs)) if state.kind == "paused" else None
    return state.kind, state.active, held


def status(run: Run, *, follows_trace: bool) -> None:
    """The run in the sidebar; with follows_trace the page is drawn again at each new trace."""
    before = look(run)
    shown = session.latest(before[0])

    def draw(view: RunView, state: State) -> None:
        badge(state)
        st.caption(controls.escaped(run.title))  # a file's name may be part of it
        st.progress(state.done, text=_short(view, state))
        latest = st.session_state.get("epoch", "latest") == "latest"
        if follows_trace and latest and session.latest(view) != shown:
            st.rerun()

    ticking(draw, run, before, every=SLOW, name="status")


def _short(view: RunView, state: State) -> str:
    if view.started and not view.started.epochs:
        return "not trained here" if view.ended else "applying the model"
    if state.kind in ("running", "paused", "finished", "failed", "interrupted") and view.started:
        return f"epoch {min(view.epoch, view.started.epochs)} of {view.started.epochs}"
    return state.text
