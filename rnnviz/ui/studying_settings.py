"""The settings of the NHANES study page: whose days, how often the people are split, how long."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.config import DataConfig, Knob, Setting, StudyConfig
from rnnviz.errors import DataError, RnnvizError
from rnnviz.study.days import check_target
from rnnviz.study.settings import MOST_EPOCHS
from rnnviz.study.written import EPOCHS
from rnnviz.ui import common, controls
from rnnviz.ui.data_settings import kind_of, settings_of_source

SIMULATED, FILE = "simulated people", "my own file"


class Own(NamedTuple):
    """A setting of this page alone, with its label."""

    label: str
    begin: int
    rule: Knob


_SIZE = "The study had about 1,980 people with 7 days each."
OWN: Mapping[str, Own] = {
    # a week of each makes at most as many days as are simulated
    "study_people": Own("People", 300, Knob(30, 2_800, _SIZE)),
    "study_days": Own("Days of each", 7, Knob(1, 7, _SIZE)),
    "epochs_written": Own(
        "Epochs", EPOCHS, Knob(1, 200, f"Passes over the train rows. The script has {EPOCHS}.")
    ),
    "epochs_corrected": Own(
        "Epochs, at most",
        MOST_EPOCHS,
        Knob(1, 200, "Passes over the training part, unless validation says to stop earlier."),
    ),
}


def choose_data() -> DataConfig | None:
    """Whose days are studied; None while a file is missing or cannot be used, which is said."""
    st.markdown(
        "BMI from a day of activity: the R script that this project grew from, **as written**, and "
        "beside it the same question **as it should have been asked**."
    )
    place = st.container(horizontal=True)
    source = place.radio(
        "Days of",
        [SIMULATED, FILE],
        key="study_source",
        bind="query-params",
        persist_state="session",
        horizontal=True,
    )
    if source == SIMULATED:
        people, days = (number(place, name) for name in ("study_people", "study_days"))
        return DataConfig(people=people, days=days)
    with st.container(width=720):
        try:
            return _days_of_file()
        except RnnvizError as wrong:
            st.error(controls.escaped(str(wrong)))
            return None


def _days_of_file() -> DataConfig | None:
    """The same widgets as on the Data page, without those that the study decides itself.

    Raises:
        DataError: the file holds no days with a number to predict.
    """
    data = settings_of_source("file", of_a_day=())
    if data is None:
        return None
    found = kind_of(data)
    if found is not None:
        raise DataError(
            f"the study reads days of activity, and this table is something else: {found.summary}"
        )
    check_target(common.opened(_of_table(data)).table.others[data.target])
    return data


def _of_table(data: DataConfig) -> DataConfig:
    """The settings that choose a table and no others, by which it is kept."""
    return DataConfig(
        source="file", file=data.file, table=data.table, layout=data.layout, join=data.join
    )


def number(place: DeltaGenerator, name: str, **more: Any) -> int:
    """One of OWN as a widget."""
    own = OWN[name]
    setting = Setting(name, int, own.begin, own.rule)
    with place:
        return controls.widget(setting, label=own.label, persist_state="session", **more)


def splits(place: DeltaGenerator, **more: Any) -> int:
    """How often the people are split."""
    with place:
        return controls.widget(controls.named(StudyConfig)["splits"], **more)
