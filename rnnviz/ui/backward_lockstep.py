"""Back through time: four cells learn one task in lockstep, on the same axes."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from rnnviz.config import RunConfig
from rnnviz.errors import RnnvizError
from rnnviz.events import RunView
from rnnviz.figures import lockstep as figures
from rnnviz.lockstep import told
from rnnviz.lockstep.settings import TASKS, TITLE, Task, race_on, task_of
from rnnviz.runs.run import Run, new_id
from rnnviz.ui import common, controls, live, session, widgets
from rnnviz.ui.backward_about import about
from rnnviz.ui.components.plot import plot
from rnnviz.ui.layout import pair
from rnnviz.ui.words import State, number

NAME, EVERY = "race", 1.0  # in the address; between two looks [s]
SHOWN: Mapping[str, Callable[[float], str]] = {  # numbers of a lap, and how they are written
    "validation": lambda value: number(value, 3),
    "accuracy": "{:.1%}".format,
    "gradient norm": lambda value: number(value, 3),
    "weights": "{:,.0f}".format,
}


def lockstep() -> None:
    """Task and settings, the run's buttons, and what is drawn while it goes on."""
    config = _settings()
    run = session.side_run(TITLE, NAME)
    seen = live.look(run) if run else None
    _buttons(config, run, seen)
    if run is None or seen is None:
        st.info(
            "**Race** trains an RNN, a ReLU RNN that starts from the identity, a GRU and an LSTM "
            "on one task, an epoch each in turn."
        )
    else:
        if run.config != config:
            st.caption("What is shown below has other settings than those chosen above.")
        task = task_of(run.config)

        def draw(view: RunView, state: State) -> None:
            said = controls.escaped(state.text)
            if state.kind == "failed":
                st.error(said)
            else:
                st.progress(state.done, text=f"**{state.kind}** · {said}")
            _pictures(view, task)

        live.ticking(draw, run, seen, every=EVERY, name=NAME)
    about("lockstep")


def _settings() -> RunConfig:
    task = st.selectbox(
        "Task", list(TASKS), key="race_task", format_func=lambda key: TASKS[key].title,
        bind="query-params", persist_state="session",
    )  # fmt: skip
    more: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}
    row = st.container(horizontal=True)
    units = row.number_input("Units of each", 2, 128, 24, key="race_units", **more)
    epochs = row.number_input("Epochs of each", 1, 200, 15, key="race_epochs", **more)
    rate = row.number_input(
        "Learning rate", 0.0001, 1.0, 0.01, format="%g", key="race_rate", **more
    )
    seed = row.number_input("Seed", 0, 10_000, 0, key="race_seed", **more)
    return race_on(task, units=int(units), epochs=int(epochs), rate=rate, seed=int(seed))


def _buttons(config: RunConfig, run: Run | None, seen: live.Look | None) -> None:
    row, start = st.container(horizontal=True), partial(_start, config, new_id())
    if run is None or seen is None or seen[1].kind in ("finished", "failed"):
        row.button("Race", key="do_race", on_click=_heard(start), type="primary")
        return
    going = seen[1].kind in ("queued", "starting", "running")
    wish = run.pause if going else run.resume
    label = "Pause" if going else "Resume"
    row.button(label, key="do_race_go", on_click=_heard(partial(_wish, run, wish)))
    row.button("Stop", key="do_race_stop", on_click=_heard(partial(_wish, run, run.stop)))


def _heard(act: Callable[[], object]) -> Callable[[], None]:
    """What a button does; a mistake becomes a sentence."""

    def pressed() -> None:
        try:
            act()
        except RnnvizError as wrong:
            widgets.notice(str(wrong))

    return pressed


def _start(config: RunConfig, run_id: str) -> None:
    session.start_side(TITLE, NAME, config, run_id)


def _wish(run: Run, wish: Callable[[], object]) -> None:
    wish()
    common.runner().submit(run)


def _pictures(view: RunView, task: Task | None) -> None:
    """Always the same number of elements, because it is drawn again and again."""
    found, dark = told.laps(view), widgets.dark()
    epoch = told.epoch_of(found)
    distance = task.distance if task else None
    losses = figures.losses(told.curves_of(found, "validation"), view.started, dark=dark)
    plot(losses, key="race_losses")
    left, right = pair("race")
    what = task.what if task else ""
    with left:
        by = told.by_distance(found, epoch)
        plot(figures.norms_by_distance(by, epoch, distance, what, dark=dark), key="race_distances")
    with right:
        far = distance if distance is not None else _farthest(by)
        where = what or "the first step"
        title = f"Gradient at {where}, {far} steps before the loss"
        over = told.at_distance(found, far)
        plot(figures.norms_by_epoch(over, title, dark=dark), key="race_norms")
    st.caption(
        "A line that falls to the right: the gradient vanishes on its way back. Lines that are low "
        "everywhere: the loss is small, the task is learned."
    )
    st.table(table(found))


def _farthest(curves: told.Curves) -> int:
    return max((x[-1] for x, _ in curves.values() if x), default=0)


def table(found: dict[str, list[told.Lap]]) -> pd.DataFrame:
    """The last numbers of every runner."""
    rows = []
    for some in found.values():
        latest: dict[str, float] = {}
        for lap in some:
            latest.update(lap.numbers)
        row = [SHOWN[name](latest[name]) if name in latest else "–" for name in SHOWN]
        state = (
            "left the numbers"
            if told.FAILED in latest
            else f"epoch {some[-1].epoch if some else 0}"
        )
        rows.append([*row, state])
    head = ["validation loss", "accuracy", "longest gradient", "weights", "stands at"]
    return pd.DataFrame(rows, index=list(found), columns=head)
