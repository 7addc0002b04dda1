"""Which sentence is looked at, and as what it stands now: chosen, typed, or edited word by word."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from jaxtyping import Int

from rnnviz.data.dataset import SequenceDataset
from rnnviz.data.text import tokens_of
from rnnviz.data.typed import Typed, as_text, read_typed
from rnnviz.errors import DataError
from rnnviz.ui import controls, widgets
from rnnviz.ui.looking import Looking

ROW, TEXT, WORD = "sentence", "edited", "word"  # in the session and in the address
FIELD = "sentence_text"  # the key of the text field
SHOWN = 400  # sentences to choose from
MOST_CHARACTERS = 4000
LABEL = 90  # characters of a sentence in a list
NEGATION = "not"


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A sentence of the data, and what was made of it."""

    row: int  # of the data set
    original: tuple[str, ...]
    now: Typed
    selected: int | None  # the word that somebody clicked

    @property
    def edited(self) -> bool:
        """Whether it is no longer the one of the data."""
        return self.now.tokens != self.original


def choose(seen: Looking, marks: dict[int, str]) -> Sentence | None:
    """The sentence that is looked at; None where what is typed cannot be read, which is said.

    Args:
        marks: what stands before some rows in the list.
    """
    if widgets.turned("sentence_beside", (seen.run.id, seen.chosen.sequence)):
        open_row(-1)  # the sidebar chose another one
    rows = _rows(seen, marks)
    row = _row(seen, rows)
    data = seen.dataset
    left, right = st.columns([2, 3])
    widgets.put("sentence_chosen", row)  # told at every drawing: a click elsewhere may choose it
    with left:
        st.selectbox(
            "Test sentence",
            rows,
            key="sentence_chosen",
            format_func=lambda k: marks.get(k, "") + label(data, k),
            on_change=lambda: open_row(st.session_state["sentence_chosen"]),
            help="Sentences that were not trained on; those with ✗ are told wrong. Type to search.",
        )
    original = tokens_of(data, row)
    changed = widgets.noted(TEXT)[:MOST_CHARACTERS]
    widgets.put(FIELD, (changed or as_text(original, data))[:MOST_CHARACTERS])
    with right:
        st.text_input(
            "As it stands now: change it, or type your own",
            key=FIELD,
            max_chars=MOST_CHARACTERS,
            on_change=lambda: _typed(as_text(original, data)),
        )
    return _read(data, row, original, changed)


def _read(
    data: SequenceDataset, row: int, original: tuple[str, ...], changed: str
) -> Sentence | None:
    as_it_is = data.inputs[row, : data.lengths[row]].astype(np.int64)
    try:
        # pieces that a window's end cut apart would not be cut the same way again
        now = read_typed(changed, data) if changed else Typed(original, as_it_is, ())
    except DataError as wrong:
        st.warning(controls.escaped(str(wrong)))
        _back()
        return None
    if now.strange:
        shown = ", ".join(now.strange[:8])
        st.caption(
            controls.escaped(
                f"Never seen, and read as the stand-in for all rare words: {shown}"
                f"{' …' if len(now.strange) > 8 else ''}."
            )
        )
    return Sentence(row=row, original=original, now=now, selected=_word(len(now.tokens)))


def _rows(seen: Looking, marks: dict[int, str]) -> list[int]:
    """Those to choose from: the marked ones, and those of the trace, among them."""
    survey = seen.survey
    of_trace = [int(row) for row in seen.trace.sequences]
    known = [] if survey is None else [int(row) for row in np.unique(survey.sequences)]
    wanted = [*marks, *of_trace, *known[:SHOWN]]
    return list(dict.fromkeys(wanted))


def _row(seen: Looking, rows: list[int]) -> int:
    noted = widgets.noted(ROW)
    row = int(noted) if noted.isascii() and noted.isdigit() and len(noted) < 10 else seen.row
    if row in rows:
        return row
    if seen.survey is not None and row in seen.survey.sequences:
        rows.append(row)  # of the test part, and beyond what is listed
        return row
    widgets.note(ROW, "")
    return seen.row


def _word(count: int) -> int | None:
    noted = widgets.noted(WORD)
    if not (noted.isascii() and noted.isdigit() and len(noted) < 5):
        return None
    return min(max(int(noted) - 1, 0), count - 1)


def label(data: SequenceDataset, row: int) -> str:
    """A sentence in a list."""
    text = as_text(tokens_of(data, row), data)
    return f"{data.ids[row]}: {text if len(text) <= LABEL else text[: LABEL - 1] + '…'}"


def open_row(row: int) -> None:
    """Look at another sentence, in a callback; -1: the one that the sidebar names."""
    widgets.note(ROW, str(row) if row >= 0 else "")
    widgets.note(TEXT, "")
    widgets.note(WORD, "")


def open_word(word: int) -> None:
    """Select a word, in a callback; counts from 0."""
    widgets.note(WORD, str(word + 1))


def _typed(original: str) -> None:
    text = st.session_state[FIELD]
    widgets.note(TEXT, "" if text == original else text)


def _edit(sentence: Sentence, data: SequenceDataset, tokens: tuple[str, ...], word: int) -> None:
    same = tokens == sentence.original
    widgets.note(TEXT, "" if same else as_text(tokens, data))
    open_word(max(0, min(word, len(tokens) - 1)))


def _back() -> None:
    st.button("Back to the sentence of the data", key="do_back", on_click=widgets.note,
              args=(TEXT, ""))  # fmt: skip


def edit(sentence: Sentence, data: SequenceDataset, at: int) -> None:
    """What can be done to a word, by its place."""
    tokens = sentence.now.tokens
    before, after = tokens[:at], tokens[at + 1 :]
    widgets.put("word_instead", tokens[at])
    options = sorted({*data.vocabulary, tokens[at]})

    def replace() -> None:
        chosen = st.session_state["word_instead"]
        if chosen:
            _edit(sentence, data, (*before, *chosen.split(), *after), at)

    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.selectbox(
        f"Word {at + 1} of {len(tokens)}: choose or type another",
        options,
        key="word_instead",
        accept_new_options=True,
        on_change=replace,
        width=320,
    )
    row.button(
        "Leave it out",
        key="do_leave_out",
        on_click=_edit,
        args=(sentence, data, (*before, *after), at),
        disabled=len(tokens) == 1,
    )
    if NEGATION in data.vocabulary:
        row.button(
            f"“{NEGATION}” before it",
            key="do_negate",
            on_click=_edit,
            args=(sentence, data, (*before, NEGATION, tokens[at], *after), at + 1),
        )
    if sentence.edited:
        with row:
            _back()


def one_hot(indices: Int[np.ndarray, " T"], data: SequenceDataset) -> np.ndarray:
    """What the network reads of some tokens."""
    inputs = np.zeros((len(indices), len(data.vocabulary)))
    inputs[np.arange(len(indices)), indices] = 1.0
    return inputs
