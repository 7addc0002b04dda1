"""The parts of the NHANES study page: the script as written on one side, corrected on the other."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.config import DataConfig, RunConfig
from rnnviz.data.dataset import Variable
from rnnviz.events import RunView
from rnnviz.exchange.saving import saved
from rnnviz.figures import history
from rnnviz.runs.run import Run
from rnnviz.study import script, tables
from rnnviz.study.settings import AS_WRITTEN, CORRECTED, as_written_on, corrected_on
from rnnviz.study.verdict import FEWEST, sentence, splits_of
from rnnviz.trace import Survey
from rnnviz.ui import common, controls, live, session, side, widgets
from rnnviz.ui.components.plot import plot
from rnnviz.ui.layout import pair
from rnnviz.ui.studying_settings import number, splits
from rnnviz.ui.words import State
from rnnviz.ui.written import offer

EVERY = 1.0  # between two looks at a run [s]
NARROW = 130  # a number's widget beside a button [px]
FILE, FORM = "study.h5", ".h5"
NAMES = {AS_WRITTEN: "written", CORRECTED: "corrected"}  # in the address, and of buttons
EMPTY = np.zeros(0, dtype=np.float32)
NOBODY = Survey(
    sequences=np.zeros(0, dtype=np.int64), targets=EMPTY, predictions=EMPTY, attention=None
)


def as_written(data: DataConfig | None) -> None:
    """The script's steps with their results, and what is wrong with them."""
    st.markdown("#### As written")
    row = _row()
    epochs = number(row, "epochs_written", width=NARROW)
    chosen = as_written_on(data or DataConfig(), epochs)
    _panel(AS_WRITTEN, row, chosen, data is not None, _written)


def corrected(data: DataConfig | None) -> RunView:
    """What has to be changed, and the scorecard; gives what is known of the run."""
    st.markdown("#### Corrected")
    row = _row()
    splits_wanted = splits(row, width=NARROW)
    epochs = number(row, "epochs_corrected", width=NARROW)
    chosen = corrected_on(data or DataConfig(), epochs, splits_wanted)
    return _panel(CORRECTED, row, chosen, data is not None, _corrected)


def _row() -> DeltaGenerator:
    return st.container(horizontal=True, vertical_alignment="bottom")


Draw = Callable[[RunConfig, Run | None, RunView], None]


def _panel(title: str, row: DeltaGenerator, chosen: RunConfig, usable: bool, draw: Draw) -> RunView:
    """A run's buttons and state, and under it what is drawn from it; gives what is known of it."""
    run = session.side_run(title, NAMES[title])
    seen = live.look(run) if run else None
    name = NAMES[title]
    label = f"Run {name if name == 'corrected' else 'as written'}"
    side.buttons(title, name, label, chosen if usable else None, run, seen, row)
    if title == AS_WRITTEN and run is not None and seen and seen[1].kind == "finished":
        _file(row, run)
    if run is None or seen is None:
        st.caption("Not run yet.")
        draw(chosen, None, RunView())
        return RunView()
    if usable and run.config != chosen:
        st.caption("What is shown below was made with other settings than those chosen above.")

    def once(view: RunView, state: State) -> None:
        side.status(state)
        draw(run.config, run, view)

    live.ticking(once, run, seen, every=EVERY, name=f"study_{name}")
    return seen[0]


def _file(row: DeltaGenerator, run: Run) -> None:
    """The network's file."""
    write = partial(saved, run.id, FORM, common.home())
    offer(row, (run.id, FORM), write, name=FILE, label=f"Prepare {FILE}", key="_study")


# -- as written ------------------------------------------------------------------------------------


def _written(config: RunConfig, run: Run | None, view: RunView) -> None:
    """Always the same number of elements, because it is drawn again and again."""
    for place, step in enumerate(script.as_written(config.training.epochs), 1):
        _step(place, step, view, "r")
    if run is None:
        st.info("**Run as written** trains it, and counts what is wrong with it.")
        return
    dark = widgets.dark()
    survey = session.survey(run, view)
    mark = (run.id, dark, view.step)
    loss = partial(history.loss_curve, view, dark=dark)
    plot(widgets.kept_figure("study_loss", mark, loss), key="study_loss")
    shown = partial(history.scatter, survey or NOBODY, _output(run, view), dark=dark)
    plot(widgets.kept_figure("study_scatter", mark, shown), key="study_scatter")
    _table(tables.written_scores(view))
    st.caption(f"On the test rows.{controls.escaped(_units(view))}")
    st.markdown("##### What is wrong with it")
    found = script.known(view)
    if found is None:
        st.markdown("It is counted as soon as the data are read.")
        return
    told = (
        tables.against_mean(view, found, _unit(view)),
        *tables.findings(found, script.moved(view), _unit(view)),
    )
    st.markdown("\n".join(f"- {controls.escaped(line)}" for line in told if line))


def _output(run: Run, view: RunView) -> Variable:
    """The target's name and unit, as far as a run tells them."""
    named = run.config.data.source == "nhanes"
    chosen = run.config.data.target or "target"
    return Variable("BMI" if named else chosen, tables.unit_of_target(view))


def _units(view: RunView) -> str:
    """Those of the columns, where the target has one."""
    unit = tables.unit_of_target(view)
    return f" MSE in {_unit(view)}, MAE in {unit}." if unit else ""


def _mse(view: RunView) -> str:
    return f"MSE, in {_unit(view)}," if _unit(view) else "MSE"


def _unit(view: RunView) -> str:
    return view.started.unit if view.started else ""


# -- corrected -------------------------------------------------------------------------------------


def _corrected(config: RunConfig, run: Run | None, view: RunView) -> None:
    count = config.study.splits
    for place, step in enumerate(script.corrected(config.training.epochs, count), 1):
        _step(place, step, view, "python")
    if run is None:
        st.info(f"**Run corrected** trains it on {count} splits, beside all that knows less.")
        return
    scored = splits_of(view)
    st.markdown("##### What it shows")
    told = sentence(scored, _unit(view)) if scored else "The first split is being scored."
    st.markdown(controls.escaped(told))
    _table(tables.scorecard(scored))
    st.caption(
        "Mean over the splits ± half of a 95 % interval, which allows for the people that the "
        "splits share (Nadeau and Bengio 2003)." + controls.escaped(_units(view))
    )
    _table(tables.by_group(scored))
    st.caption(
        f"{controls.escaped(_mse(view))} in groups of at least {FEWEST} test people; no interval "
        "where a split has fewer. Their number is that of the test part, on average."
    )


# -- both ------------------------------------------------------------------------------------------


def _step(place: int, step: script.Step, view: RunView, language: str) -> None:
    """A step's code, and its result beside it where there is room."""
    st.markdown(f"**{place}. {controls.escaped(step.title)}**")
    said = step.result(view)
    printed = "\n" in said
    code, result = pair(f"{'printed' if printed else 'step'}_{language}_{place}")
    code.code(step.code, language=language, wrap_lines=True)
    if printed:
        result.code(said, language=None)
    else:
        result.text(said or "…")


def _table(table: tables.Table) -> None:
    # a number may part from its interval at the end of a line, but no sign from its number
    rows = [
        [controls.escaped(cell).replace("± ", "±\N{NO-BREAK SPACE}") for cell in row]
        for row in table.rows
    ]
    head = [controls.escaped(cell) for cell in table.head]
    st.table(pd.DataFrame([row[1:] for row in rows], [row[0] for row in rows], head[1:]))
