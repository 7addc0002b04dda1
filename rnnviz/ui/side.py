"""A run of a page's own, beside the current one: its buttons and its state."""

from collections.abc import Callable
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.config import RunConfig
from rnnviz.errors import RnnvizError
from rnnviz.runs.run import Run, new_id
from rnnviz.ui import common, controls, live, session, widgets
from rnnviz.ui.words import State


def buttons(
    title: str,
    name: str,
    label: str,
    config: RunConfig | None,
    run: Run | None,
    seen: live.Look | None,
    row: DeltaGenerator | None = None,
) -> None:
    """Start, or pause, resume and stop.

    Args:
        title: of the run, which names its program.
        name: of the run in the session and the address, and of its buttons.
        label: of the button that starts it.
        config: what would be started; None where something is missing.
        run: the one that is shown.
        seen: how it stands.
        row: where the buttons stand; None is a row of their own.
    """
    row = row or st.container(horizontal=True)
    ended = seen is None or seen[1].kind in ("finished", "failed")
    start = partial(_start, title, name, config, new_id())
    if run is None or seen is None or ended:
        _button(row, label, f"do_study_{name}", start, off=config is None)
        return
    going = seen[1].kind in ("queued", "starting", "running")
    wish = run.pause if going else run.resume
    _button(row, "Pause" if going else "Resume", f"do_go_{name}", partial(_wish, run, wish))
    _button(row, "Stop", f"do_stop_{name}", partial(_wish, run, run.stop))


def status(state: State) -> None:
    """How it stands, as one element."""
    said = controls.escaped(state.text)
    if state.kind == "failed":
        st.error(said)
    else:
        st.progress(state.done, text=f"**{state.kind}** · {said}")


def _button(
    row: DeltaGenerator, label: str, key: str, act: Callable[[], object], *, off: bool = False
) -> None:
    def pressed() -> None:
        try:
            act()
        except RnnvizError as wrong:
            widgets.notice(str(wrong))

    row.button(label, key=key, on_click=pressed, disabled=off)


def _start(title: str, name: str, config: RunConfig | None, run_id: str) -> None:
    if config is not None:
        session.start_side(title, name, config, run_id)


def _wish(run: Run, wish: Callable[[], object]) -> None:
    wish()
    common.runner().submit(run)
