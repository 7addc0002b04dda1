"""Translate: tokens and rows of weights that somebody gives; the address holds them."""

import numpy as np
import streamlit as st
from jaxtyping import Float

from rnnviz.data.parallel import ParallelText
from rnnviz.errors import RnnvizError, TraceError
from rnnviz.translation.decoding import Output, Rows, write
from rnnviz.translation.hands import given_text, read_given, read_rows, rows_text
from rnnviz.translation.network import Encoded, Network
from rnnviz.ui import controls, widgets
from rnnviz.ui.components.links import Row

GIVEN, ROWS, STEP = "translate_given", "translate_rows", "translate_t"  # in the address


def with_hands(network: Network, encoded: Encoded, text: ParallelText, most: int) -> Output:
    """What is written with what the address says; what does not fit is left out, which is said."""
    given: tuple[int, ...] = ()
    rows: Rows = {}
    try:
        given = read_given(widgets.noted(GIVEN), len(text.target_vocabulary), most)
        rows = read_rows(widgets.noted(ROWS), encoded.allowed.shape[1])
        if network.attention is None and rows:
            raise TraceError("this network has no attention whose weights could be changed")
    except TraceError as wrong:  # a link that somebody wrote, or one of another sentence
        st.warning(controls.escaped(f"What the link would do is left out: {wrong}"))
        widgets.note(GIVEN, "")
        widgets.note(ROWS, "")
        given, rows = (), {}
    return write(network, encoded, longest=most, given=given, rows=rows)


def choose_step(step: int) -> None:
    """Look at another output token, in a callback; counts from 0."""
    widgets.suggest({STEP: step + 1})


def give(tokens: tuple[int, ...]) -> None:
    """Let the output begin with these tokens, in a callback."""
    widgets.note(GIVEN, given_text(tokens))


def give_row(before: Rows, row: Row) -> None:
    """Put weights in the place of computed ones, in a callback."""
    rows: dict[int, Float[np.ndarray, " S"]] = dict(before)
    rows.pop(row.step, None)  # the last one given is the first to be undone
    rows[row.step] = np.array(row.weights)
    _keep(rows)


def undo_row(before: Rows) -> None:
    """Take back the last row that was given, in a callback."""
    _keep(dict(list(before.items())[:-1]))


def no_hands() -> None:
    """Take back all tokens and rows, in a callback."""
    widgets.note(GIVEN, "")
    widgets.note(ROWS, "")


def _keep(rows: Rows) -> None:
    try:
        widgets.note(ROWS, rows_text(rows))
    except RnnvizError as wrong:
        widgets.notice(str(wrong))
