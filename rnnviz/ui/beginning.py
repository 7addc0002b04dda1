"""What the pages of language say where there is nothing to show, and the run that they begin."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import streamlit as st

from rnnviz.config import OF_GRAMMAR, WORLD_NAMES, RunConfig, with_settings
from rnnviz.data.dataset import SequenceDataset, Task
from rnnviz.data.worlds import WORLDS
from rnnviz.errors import RnnvizError
from rnnviz.runs.run import new_id
from rnnviz.ui import common, session, widgets
from rnnviz.ui.data_settings import enter, enter_grammar


class Beginning(NamedTuple):
    """A run that a page begins by itself."""

    label: str
    config: RunConfig


BEGINNINGS: Mapping[str, Beginning] = {
    "reviews": Beginning(
        "Train a reader of reviews",
        with_settings({"source": "phrases", "grammar": "reviews", **OF_GRAMMAR["reviews"]}),
    ),
    "entities": Beginning(
        "Train a tagger of names",
        with_settings({"source": "world", "world": "entities", **WORLDS["entities"].suggested}),
    ),
}


def reads_words(data: SequenceDataset) -> bool:
    """Whether a class is said of words: at the end, or of each."""
    return bool(data.vocabulary) and data.task in (Task.CLASSIFICATION, Task.TAGGING)


def current_reads_words() -> bool:
    """Whether the current run does; else says what to do, with buttons that do it."""
    run = session.current()
    if run is None:
        offer("There is no run to look into yet.")
        return False
    if reads_words(common.dataset(run.config.data)):
        return True
    offer("The current run does not tell classes of words, so there is nothing of it to show here.")
    return False


def offer(why: str) -> None:
    """Why there is nothing, and what can be begun."""
    st.info(
        f"{why} Two trainings begin here at once, in less than a minute each: reviews that are "
        f"good or bad, with negations and contrasts, and “{WORLD_NAMES['entities']}”. On the "
        "**Train** page the same can be done with a table of your own, of texts with a label each "
        "(Data: My own file). An earlier run stands under **Other runs**, on the left."
    )
    row = st.container(horizontal=True)
    for name, beginning in BEGINNINGS.items():
        row.button(
            beginning.label,
            key=f"do_begin_{name}",
            type="primary",
            on_click=partial(_begin, name, new_id()),
        )


def _begin(name: str, run_id: str) -> None:
    """Start it, with the settings of the Train page set to the same."""
    if name == "reviews":
        enter_grammar(name)
    else:
        enter(name)
    try:
        session.start(BEGINNINGS[name].config, run_id)
    except RnnvizError as wrong:
        widgets.notice(str(wrong))
