"""The parts of the NHANES study page: the script as written on one side, corrected on the other."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz.config import DataConfig, RunConfig
from rnnviz.data.dataset import Variable
from rnnviz.events import RunView
from rnnviz.figures import attribution, history
from rnnviz.runs.run import Run
from rnnviz.study import script, tables
from rnnviz.study.attributed import PERSON, account, attributed, checked
from rnnviz.study.settings import AS_WRITTEN, CORRECTED, SPLITS, as_written_on, corrected_on
from rnnviz.study.verdict import sentence, splits_of
from rnnviz.trace import Survey
from rnnviz.ui import controls, live, session, side
from rnnviz.ui.components.plot import plot
from rnnviz.ui.words import State

# name, least, to begin with, most: a week of each makes at most as many days as are simulated
SIZES = (("people", 30, 300, 2_800), ("days", 1, 7, 7))
EVERY = 1.0  # between two looks at a run [s]
NAMES = {AS_WRITTEN: "written", CORRECTED: "corrected"}  # in the address, and of buttons
EMPTY = np.zeros(0, dtype=np.float32)
NOBODY = Survey(
    sequences=np.zeros(0, dtype=np.int64), targets=EMPTY, predictions=EMPTY, attention=None
)


def choose_data() -> DataConfig | None:
    """Whose days are studied; None while a file is still missing, which is said."""
    st.markdown(
        "BMI from a day of activity: the R script that this project grew from, **as written**, and "
        "beside it the same question **as it should have been asked**."
    )
    place = st.container(horizontal=True)
    source = place.radio(
        "Days of",
        ["simulated people", "my own file"],
        key="study_source",
        bind="query-params",
        persist_state="session",
        horizontal=True,
    )
    if source == "my own file":
        upload_id = session.upload_id("file")
        if not upload_id:
            st.info("Give a file on the **Data** page (Data: My own file), then come back.")
            return None
        return DataConfig(source="file", file=upload_id)
    people, days = (
        place.number_input(
            controls.LABELS[name],
            min_value=least,
            max_value=most,
            value=begin,
            key=f"study_{name}",
            bind="query-params",
            persist_state="session",
            help="The study had about 1,980 people with 7 days each.",
        )
        for name, least, begin, most in SIZES
    )
    return DataConfig(people=people, days=days)


def as_written(data: DataConfig | None) -> None:
    """The script's steps with their results, and what is wrong with them."""
    st.markdown("#### As written")
    _panel(AS_WRITTEN, None if data is None else as_written_on(data), _written)


def corrected(data: DataConfig | None) -> None:
    """What has to be changed, and the scorecard."""
    st.markdown("#### Corrected")
    view = _panel(CORRECTED, None if data is None else corrected_on(data), _corrected)
    _hours(view)


Draw = Callable[[Run | None, RunView], None]


def _panel(title: str, config: RunConfig | None, draw: Draw) -> RunView:
    """A run's buttons and state, and under it what is drawn from it; gives what is known of it."""
    run = session.side_run(title, NAMES[title])
    seen = live.look(run) if run else None
    name = NAMES[title]
    label = f"Run {name if name == 'corrected' else 'as written'}"
    side.buttons(title, name, label, config, run, seen)
    if run is None or seen is None:
        st.caption("Not run yet.")
        draw(None, RunView())
        return RunView()
    if config is not None and run.config.data != config.data:
        st.caption("What is shown below is of other data than those chosen above.")

    def once(view: RunView, state: State) -> None:
        side.status(state)
        draw(run, view)

    live.ticking(once, run, seen, every=EVERY, name=f"study_{name}")
    return seen[0]


# -- as written ------------------------------------------------------------------------------------


def _written(run: Run | None, view: RunView) -> None:
    """Always the same number of elements, because it is drawn again and again."""
    for number, step in enumerate(script.AS_WRITTEN, 1):
        _step(number, step, view, "r")
    if run is None:
        st.info("**Run as written** trains it, and counts what is wrong with it.")
        return
    dark = session.dark()
    survey = session.survey(run, view)
    mark = (run.id, dark, view.step)
    loss = partial(history.loss_curve, view, dark=dark)
    plot(session.kept_figure("study_loss", mark, loss), key="study_loss")
    shown = partial(history.scatter, survey or NOBODY, _output(run, view), dark=dark)
    plot(session.kept_figure("study_scatter", mark, shown), key="study_scatter")
    _table(tables.written_scores(view))
    st.markdown("##### What is wrong with it")
    found = script.known(view)
    if found is None:
        st.markdown("It is counted as soon as the data are read.")
        return
    moved = view.found[-1] if len(view.found) > 1 else None
    told = (
        tables.against_mean(view, found, _unit(view)),
        *tables.findings(found, moved, _unit(view)),
    )
    st.markdown("\n".join(f"- {controls.escaped(line)}" for line in told if line))


def _output(run: Run, view: RunView) -> Variable:
    """The target's name and unit, as far as a run tells them."""
    named = run.config.data.source == "nhanes"
    return Variable("BMI" if named else "target", _output_unit(view))


def _output_unit(view: RunView) -> str:
    return _unit(view).removeprefix("(").removesuffix(")²")


def _unit(view: RunView) -> str:
    return view.started.unit if view.started else ""


# -- corrected -------------------------------------------------------------------------------------


def _corrected(run: Run | None, view: RunView) -> None:
    for number, step in enumerate(script.CORRECTED, 1):
        _step(number, step, view, "python")
    if run is None:
        st.info(f"**Run corrected** trains it on {SPLITS} splits, beside all that knows less.")
        return
    splits = splits_of(view)
    st.markdown("##### What it shows")
    told = sentence(splits, _unit(view)) if splits else "The first split is being scored."
    st.markdown(controls.escaped(told))
    _table(tables.scorecard(splits))
    st.caption(
        "Mean over the splits ± half of a 95 % interval, which allows for the people that the "
        "splits share (Nadeau and Bengio 2003)."
    )
    _table(tables.by_group(splits))
    st.caption(
        "MSE in groups of at least 5 test people; no interval where a split has fewer. Their "
        "number is that of the test part, on average."
    )


def _hours(view: RunView) -> None:
    """Which hours moved a prediction; outside of what ticks, because it holds a control."""
    known = attributed(view)
    if view.started is None:
        return
    st.markdown("##### Which hours moved the prediction")
    if not known:
        st.caption(
            "Once all splits are scored, people of the first test part are taken apart here."
        )
        return
    session.forget_unless("study_who", list(known))
    who = st.selectbox("Whose day", list(known), key="study_who", bind="query-params")
    one, unit = known[who], _output_unit(view)
    plot(
        attribution.by_hour(
            one.hours, one.occluded, one.attention, title=who, unit=unit, dark=session.dark()
        ),
        key="study_hours",
    )
    st.markdown(controls.escaped(account(one, unit)))
    people = [day for about, day in known.items() if about.startswith(PERSON)]
    st.caption(controls.escaped(checked(people, unit)))


# -- both ------------------------------------------------------------------------------------------


def _step(number: int, step: script.Step, view: RunView, language: str) -> None:
    """A step's code, and its result beside it."""
    st.markdown(f"**{number}. {controls.escaped(step.title)}**")
    st.code(step.code, language=language, wrap_lines=True)
    said = step.result(view)
    if said and "\n" in said:  # lines that were printed
        st.code(said, language=None)
    else:
        st.text(said or "…")


def _table(table: tables.Table) -> None:
    rows = [[controls.escaped(cell) for cell in row] for row in table.rows]
    head = [controls.escaped(cell) for cell in table.head]
    st.table(pd.DataFrame([row[1:] for row in rows], [row[0] for row in rows], head[1:]))
