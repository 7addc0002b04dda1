"""The parts of the Data page."""

import numpy as np
import streamlit as st

from rnnviz.config import DataConfig, RunConfig, TrainingConfig
from rnnviz.data.dataset import MappingType, SequenceDataset, Task, split_of
from rnnviz.data.text import tokens_of
from rnnviz.figures import data as figures
from rnnviz.figures.sequence import drawn_by_step, points, sequence
from rnnviz.ui import controls, session
from rnnviz.ui.components.plot import plot
from rnnviz.ui.layout import pair
from rnnviz.ui.words import summary, target_words

ROW = {
    "people": "One person or day.",
    "words": "The word, once for each part.",
    "sequences": "One sequence.",
    "strings": "One string.",
    "stories": "One story.",
    "waves": "One wave.",
    "windows": "One window, named after its target's time.",
    "texts": "One text.",
}


def described(config: DataConfig) -> None:
    """What the data are, where they come from, and what was done to them."""
    dataset = session.dataset(config)
    source = dataset.source
    st.markdown(f"##### {controls.escaped(source.title)}")
    if source.simulated:
        st.badge("simulated", color="orange")
    st.text(f"{summary(RunConfig(data=config), dataset)} ({dataset.mapping})")
    parts = [source.authors, source.year, source.licence]
    st.caption(controls.escaped(". ".join(part for part in parts if part)))
    for note in dataset.notes:
        st.caption("• " + controls.escaped(note))


def glance(config: DataConfig) -> None:
    """One sequence as the network will read it, and what is to be predicted from it."""
    dataset, dark = session.dataset(config), session.dark()
    if drawn_by_step(dataset):
        if dataset.mapping is MappingType.ONE_TO_ONE:
            split = split_of(dataset, session.seed(TrainingConfig().seed))
            plot(points(dataset, split, dark=dark), key="glance")
        else:
            plot(sequence(dataset, 0, dark=dark), key="glance")
        asked = controls.escaped(dataset.outputs[0].name)
        st.caption(f"One of {len(dataset.ids)} {dataset.whose}; {asked} is asked for.")
        return
    if dataset.vocabulary:
        plot(figures.token_frequencies(dataset, dark=dark), key="glance")
        each = "predicts the next"
        if dataset.task is Task.CLASSIFICATION:
            each = f"says at the end which {controls.escaped(dataset.outputs[0].name)} it has"
        st.caption(
            f"One of {len(dataset.ids)} sequences: at every step the network reads one token and "
            f"{each}."
        )
        return
    row = np.argsort(dataset.targets.reshape(-1), kind="stable")[len(dataset.ids) // 2]
    plot(figures.day_curve(dataset, int(row), dark=dark), key="glance")
    told = f"{target_words(dataset, float(dataset.targets[row].flat[0]))} {dataset.outputs[0].unit}"
    st.caption(
        f"One of {len(dataset.ids)} sequences: the network reads it and should predict "
        f"{controls.escaped(told.strip())}."
    )


def pictures(config: DataConfig) -> None:
    """Sequences, wear, target, the mean over groups."""
    dataset, dark = session.dataset(config), session.dark()
    if drawn_by_step(dataset):
        _steps(dataset, dark)
        return
    if dataset.vocabulary:
        _text(dataset, dark)
        return
    row = st.slider("Row", 1, len(dataset.ids), key="row", help=ROW.get(dataset.whose)) - 1
    groups = [f"; {by}: {labels[row]}" for by, labels in dataset.groups.items()]
    st.caption(controls.escaped(dataset.ids[row] + "".join(groups)))
    plot(figures.day_curve(dataset, row, dark=dark), key="day")
    left, right = pair("shares")
    split = split_of(dataset, session.seed(TrainingConfig().seed))
    with left:
        plot(figures.target_histogram(dataset, split, dark=dark), key="targets")
    with right:
        if dataset.parts:
            plot(figures.targets_over_time(dataset, split, dark=dark), key="in_order")
        if dataset.wear is not None:
            plot(figures.wear_by_hour(dataset, dark=dark), key="wear")
    by = st.selectbox(
        f"Mean over {dataset.whose}, by",
        ["all together", *dataset.groups],
        key="mean_by",
        bind="query-params",
    )
    grouping = "" if by == "all together" else by
    plot(figures.mean_day(dataset, grouping, dark=dark), key="mean_day")


def _steps(dataset: SequenceDataset, dark: bool) -> None:
    """One sequence with what is asked of it, and all targets."""
    split = split_of(dataset, session.seed(TrainingConfig().seed))
    if dataset.mapping is MappingType.ONE_TO_ONE:
        plot(points(dataset, split, dark=dark), key="points")
    else:
        row = st.slider("Row", 1, len(dataset.ids), key="row", help=ROW.get(dataset.whose)) - 1
        plot(sequence(dataset, row, dark=dark), key="sequence")
    plot(figures.target_histogram(dataset, split, dark=dark), key="targets")


def _text(dataset: SequenceDataset, dark: bool) -> None:
    plot(figures.token_frequencies(dataset, dark=dark), key="token_shares")
    row = 0
    if dataset.task is Task.CLASSIFICATION:
        split = split_of(dataset, session.seed(TrainingConfig().seed))
        plot(figures.target_histogram(dataset, split, dark=dark), key="targets")
        row = st.slider("Row", 1, len(dataset.ids), key="row", help=ROW.get(dataset.whose)) - 1
        said = target_words(dataset, float(dataset.targets[row]))
        st.markdown(f"##### {controls.escaped(f'{dataset.ids[row]}, {said}')}")
    else:
        st.markdown("##### The first sequence")
    joint = "" if max(map(len, dataset.vocabulary)) == 1 else " "
    st.text(joint.join(tokens_of(dataset, row)))
    if dataset.task is Task.NEXT_TOKEN:
        last = dataset.vocabulary[int(dataset.targets[row, -1])]
        st.caption(f"The last target, after the last step: {controls.escaped(repr(last))}")
