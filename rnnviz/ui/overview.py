"""The parts of the Data page."""

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz.config import DataConfig, RunConfig, TrainingConfig
from rnnviz.data.dataset import MappingType, SequenceDataset, Task, split_of
from rnnviz.data.pairs import EXAMPLES, Pairs
from rnnviz.data.text import decode, tokens_of
from rnnviz.figures import data as figures
from rnnviz.figures.pairs import pair_lengths
from rnnviz.figures.sequence import drawn_by_step, points, sequence
from rnnviz.ui import common, controls, vocabulary, widgets
from rnnviz.ui.components.plot import plot
from rnnviz.ui.layout import pair
from rnnviz.ui.mappings import to_translate
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
    "phrases": "One phrase.",
    "reviews": "One review.",
    "sentences": "One sentence.",
}


def described(config: DataConfig) -> None:
    """What the data are, where they come from, and what was done to them."""
    dataset = common.dataset(config)
    source = dataset.source
    st.markdown(f"##### {controls.escaped(source.title)}")
    if source.simulated:
        st.badge("simulated", color="orange")
    st.text(f"{summary(RunConfig(data=config), dataset)} ({dataset.mapping})")
    parts = [source.authors, source.year, source.licence]
    st.caption(controls.escaped(". ".join(part for part in parts if part)))
    counted = dataset.quality.notes(config) if dataset.quality else ()
    for note in dataset.notes:
        if note not in counted:  # the table says it
            st.caption("• " + controls.escaped(note))


def counted(config: DataConfig) -> None:
    """What is remarkable about a file's values: how often, which share, what is done about it."""
    quality = common.dataset(config).quality
    if quality is None:
        return
    counts = quality.counts(config)
    columns = {
        "count": ["unknown" if c.number is None else f"{c.number:,}" for c in counts],
        "share": [share(c.number or 0, c.of) for c in counts],
        "what is done": ["–" if c.number == 0 else controls.escaped(c.done) for c in counts],
    }
    st.table(pd.DataFrame(columns, [controls.escaped(c.what) for c in counts]))


def share(count: int, of: int) -> str:
    """Such as '12.0 %', in one piece; never 0 % where there is one."""
    if not count:
        return "–"
    told = "< 0.1 %" if count < of / 1000 else f"{100 * count / of:.1f} %"
    return told.replace(" ", "\N{NO-BREAK SPACE}")


def pairs(found: Pairs) -> None:
    """Pairs of texts: what they are, how long, and one after the other."""
    st.markdown(f"##### {controls.escaped(found.source.title)}")
    st.text(found.summary)
    for note in found.notes:
        st.caption("• " + controls.escaped(note))
    to_translate("file", label="Train a network that translates on these pairs")
    plot(pair_lengths(found, dark=widgets.dark()), key="pair_lengths")
    last = max(1, found.rows - EXAMPLES + 1)
    first = st.slider("Row", 1, last, key="row") - 1 if last > 1 else 0
    some = slice(first, first + EXAMPLES)
    columns = {found.given: found.source_texts[some], found.target: found.target_texts[some]}
    rows = range(first + 1, first + 1 + len(columns[found.given]))
    shown = {controls.escaped(k): list(map(controls.escaped, v)) for k, v in columns.items()}
    st.table(pd.DataFrame(shown, index=[str(row) for row in rows]))


def glance(config: DataConfig) -> None:
    """One sequence as the network will read it, and what is to be predicted from it."""
    dataset, dark = common.dataset(config), widgets.dark()
    if drawn_by_step(dataset):
        if dataset.mapping is MappingType.ONE_TO_ONE:
            split = split_of(dataset, widgets.seed(TrainingConfig().seed))
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
    dataset, dark = common.dataset(config), widgets.dark()
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
    split = split_of(dataset, widgets.seed(TrainingConfig().seed))
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
    split = split_of(dataset, widgets.seed(TrainingConfig().seed))
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
        split = split_of(dataset, widgets.seed(TrainingConfig().seed))
        plot(figures.target_histogram(dataset, split, dark=dark), key="targets")
        row = st.slider("Row", 1, len(dataset.ids), key="row", help=ROW.get(dataset.whose)) - 1
        said = target_words(dataset, float(dataset.targets[row]))
        st.markdown(f"##### {controls.escaped(f'{dataset.ids[row]}, {said}')}")
    else:
        st.markdown("##### The first sequence")
    st.text(_read(dataset, row))
    if dataset.task is Task.NEXT_TOKEN:
        last = dataset.vocabulary[int(dataset.targets[row, -1])]
        st.caption(f"The last target, after the last step: {controls.escaped(repr(last))}")
    vocabulary.shown(dataset, dark=dark)


def _read(dataset: SequenceDataset, row: int) -> str:
    """What stands in a sequence; words with a blank between them, whatever they are."""
    if dataset.merges:
        return decode(dataset.inputs[row, : dataset.lengths[row]], dataset)
    joint = "" if max(map(len, dataset.vocabulary)) == 1 else " "
    return joint.join(tokens_of(dataset, row))
