"""The vocabulary on the Data page: a table, the merges of pieces, and one's own line cut live."""

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz.config import TOKENS
from rnnviz.data.dataset import SequenceDataset, Task
from rnnviz.data.text import decode, encode
from rnnviz.data.vocabulary import entries, merges_of, token_counts
from rnnviz.errors import DataError
from rnnviz.figures.theme import Quantity
from rnnviz.ui import controls
from rnnviz.ui.components.tokens import coloured_tokens
from rnnviz.ui.layout import pair

FIRST = 12  # tokens of the text that stand where a line can be typed
LONGEST = 400  # characters of a line
HEIGHT = 300  # of a table [px]


def shown(dataset: SequenceDataset, *, dark: bool) -> None:
    """What the tokens are, how often each stands in the text, and how a line is cut into them."""
    kind = f"{dataset.features[0].unit}s"
    st.markdown(f"##### The vocabulary: {len(dataset.vocabulary):,} {controls.escaped(kind)}")
    left, right = pair("vocabulary")
    with left:
        _table(dataset)
    with right:
        if dataset.merges:
            _merges(dataset)
        elif kind in TOKENS:
            _line(dataset, kind, dark)
    if dataset.merges:
        _line(dataset, kind, dark)


def _table(dataset: SequenceDataset) -> None:
    found = entries(dataset)
    columns = {
        "token": [quoted(entry.token) for entry in found],
        "id": [entry.id for entry in found],
        "count": [entry.times for entry in found],
        "share": [100 * entry.share for entry in found],
    }
    st.dataframe(
        pd.DataFrame(columns),
        width="stretch",
        height=HEIGHT,
        hide_index=True,
        column_config={"share": st.column_config.NumberColumn("share [%]", format="%.3f")},
    )


def _merges(dataset: SequenceDataset) -> None:
    found = merges_of(dataset)
    columns = {
        "merge": [merge.rank for merge in found],
        "left": [quoted(merge.left) for merge in found],
        "right": [quoted(merge.right) for merge in found],
        "piece": [quoted(merge.made) for merge in found],
    }
    st.dataframe(pd.DataFrame(columns), width="stretch", height=HEIGHT, hide_index=True)
    st.caption(
        "The merges in the order in which they were learned, and in which a text is cut: at each, "
        "the two pieces that stood beside each other most often became one."
    )


def _line(dataset: SequenceDataset, kind: str, dark: bool) -> None:
    """A line of one's own, cut as the network would read it."""
    first = decode(dataset.inputs[0, : min(FIRST, dataset.lengths[0])], dataset)
    usual = " ".join(first.split())[:LONGEST]
    line = st.text_input(
        "A line of your own, cut into tokens",
        placeholder=usual,
        max_chars=LONGEST,
        key="own_line",
    )
    if kind == "words" and dataset.task is Task.CLASSIFICATION:
        line = line.lower()  # as such texts are read
    if not line:
        st.caption(f"Type a line to see which {kind} the network would read.")
        return
    try:
        found = encode(line, dataset)
    except DataError as wrong:
        st.info(controls.escaped(str(wrong)))
        return
    if not len(found):
        st.caption("There is no token in it.")
        return
    counts = token_counts(dataset)
    with np.errstate(divide="ignore"):
        logs = np.log10(counts[found])
    coloured_tokens(
        tuple(dataset.vocabulary[int(token)] for token in found),
        np.where(counts[found] > 0, logs, np.nan),
        low=0.0,
        high=float(np.log10(max(2, counts.max()))),
        dark=dark,
        key="line_cut",
        name="how often it stands in the text, log10",
        quantity=Quantity.ACTIVITY,
    )
    per = len(line) / len(found)
    st.caption(
        f"{len(line)} characters are {len(found)} {kind}, {per:.2f} characters each; ids "
        + ", ".join(str(int(token)) for token in found[:60])
        + (" …" if len(found) > 60 else "")
    )


def quoted(token: str) -> str:
    """A token in quotes, with line ends and other signs that cannot be seen as Python writes them.

    A table would show them as blanks.
    """
    return repr(token)
