"""One sentence on the Translate page: which one, what is written, what somebody does to it."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from jaxtyping import Int
from streamlit.delta_generator import DeltaGenerator

from rnnviz.data.parallel import PARALLEL, ParallelText
from rnnviz.data.parallel.text import END, UNKNOWN, cut
from rnnviz.errors import DataError
from rnnviz.events import RunView
from rnnviz.runs.run import Run
from rnnviz.translation.decoding import Output, write
from rnnviz.translation.network import Encoded, Network
from rnnviz.ui import controls, widgets
from rnnviz.ui import translating_kept as kept
from rnnviz.ui.translating_hands import STEP, choose_step, no_hands, with_hands

HELD_OUT, TYPED = "held out", "my own"
SIGNS = ("PAD", "START", "END", "UNK")  # the first tokens of every vocabulary, as people read them
_MOST_LISTED = 300  # held-out sentences in the list
_WIDEST = 24  # tokens of the sentence that is shown first
_PICK, _TEXT, _WHOSE = "translate_pick", "translate_text", "translate_whose"


@dataclass(frozen=True, kw_only=True)
class Looked:
    """A run at an epoch, a sentence, and its output with and without anybody's hands.

    Attributes:
        truth: the true answer; "" where nobody knows it.
        answer: its tokens with END; empty where it is not known.
        plain: the output as the network writes it by itself.
        output: with the tokens and the rows of weights that somebody gave.
        step: the output token that is looked at, from 0.
    """

    run: Run
    view: RunView
    epoch: int
    network: Network
    text: ParallelText
    source_text: str
    source: Int[np.ndarray, " S"]
    truth: str
    answer: tuple[int, ...]
    encoded: Encoded
    plain: Output
    output: Output
    step: int
    dark: bool

    @property
    def source_tokens(self) -> tuple[str, ...]:
        """As they were written, also where the network does not know them."""
        return tuple(cut(self.source_text, self.text.tokens))

    @property
    def output_tokens(self) -> tuple[str, ...]:
        """Of the output, END with them."""
        return self.named(self.output.tokens)

    def named(self, tokens: tuple[int, ...]) -> tuple[str, ...]:
        """Target tokens as people read them."""
        return tuple(named(self.text, token) for token in tokens)

    def text_of(self, tokens: tuple[int, ...]) -> str:
        """An output as a text."""
        return self.text.decode(tokens)

    def right(self, tokens: tuple[int, ...]) -> bool:
        """Whether an output is the true answer."""
        written = tokens[-1:] == (END,) and tokens == self.answer
        return written and UNKNOWN not in tokens

    @property
    def touched(self) -> bool:
        """Whether somebody has given tokens or rows."""
        return bool(self.output.given or self.output.rows)


def named(text: ParallelText, token: int) -> str:
    """A target token as people read it."""
    return SIGNS[token] if token < len(SIGNS) else text.target_vocabulary[token]


def looked(run: Run, view: RunView) -> Looked:
    """What is chosen, with its widgets.

    Raises:
        RnnvizError: it cannot be shown; what is wrong and what to do.
    """
    text = kept.pairs(run.config)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    source_text, truth = _sentence(run, view, row)
    epoch = _epoch(view, row)
    network = kept.network(run, epoch)
    source = text.encode(source_text)
    encoded = network.encode(source[None], np.array([len(source)]))
    most = kept.longest(text)
    output = with_hands(network, encoded, text, most)
    return Looked(
        run=run,
        view=view,
        epoch=epoch,
        network=network,
        text=text,
        source_text=source_text,
        source=source,
        truth=truth,
        answer=_answer(text, truth) if truth else (),
        encoded=encoded,
        plain=write(network, encoded, longest=most),
        output=output,
        step=_step(len(output.tokens), row),
        dark=widgets.dark(),
    )


def _step(steps: int, row: DeltaGenerator) -> int:
    """The output token that is looked at, from 0."""
    widgets.keep_within(STEP, 1, steps)
    step = row.number_input(
        "Output token", 1, steps, 1, key=STEP, bind="query-params", width=112,
        help="Also by a click on it, or with the arrow keys once the drawing has the focus.",
    )  # fmt: skip
    return int(step) - 1


def _answer(text: ParallelText, truth: str) -> tuple[int, ...]:
    place = {token: k for k, token in enumerate(text.target_vocabulary)}
    return (*(place.get(token, UNKNOWN) for token in cut(truth, text.tokens)), END)


# -- which sentence --------------------------------------------------------------------------------


def _afresh() -> None:
    """Another sentence: what was done to the one before is of no use."""
    no_hands()
    choose_step(0)


def _sentence(run: Run, view: RunView, row: DeltaGenerator) -> tuple[str, str]:
    """The source, and the true answer or ""."""
    whose = row.segmented_control(
        "Sentence", [HELD_OUT, TYPED], default=HELD_OUT, key=_WHOSE, required=True,
        bind="query-params", on_change=_afresh,
    )  # fmt: skip
    return _typed(run, row) if whose == TYPED else _held_out(run, view, row)


def _held_out(run: Run, view: RunView, row: DeltaGenerator) -> tuple[str, str]:
    text, rows = kept.pairs(run.config), kept.held_out(run).rows[:_MOST_LISTED]
    places = list(range(1, len(rows) + 1))
    widgets.forget_unless(_PICK, places)
    picked = row.selectbox(
        "Held-out sentence",
        places,
        telling(text.source_lengths[rows]),
        key=_PICK,
        format_func=lambda k: f"{k}. {text.source_texts[rows[k - 1]]}",
        bind="query-params",
        on_change=_afresh,
        width=236,
    )
    row.button(
        "Next wrong one",
        key="do_translate_wrong",
        on_click=_next_wrong,
        args=(run, view, int(picked)),
        help="The next held-out sentence that the network of the chosen epoch has wrong.",
    )
    place = int(rows[int(picked) - 1])
    return text.source_texts[place], text.target_texts[place]


def telling(lengths: Int[np.ndarray, " N"]) -> int:
    """The place of the sentence to begin with: the longest that is not too wide for a screen."""
    return int(np.where(lengths <= _WIDEST, lengths, 0).argmax())


def _next_wrong(run: Run, view: RunView, picked: int) -> None:
    epoch = kept.epoch_of(view.snapshots, str(st.session_state.get("translate_epoch", "")))
    wrong = np.flatnonzero(~kept.right(run, epoch)[:_MOST_LISTED]) + 1
    if not len(wrong):
        widgets.notice("All held-out sentences of the list are right at this epoch.")
        return
    later = wrong[wrong > picked]
    widgets.suggest({_PICK: int(later[0] if len(later) else wrong[0])})
    _afresh()


def _typed(run: Run, row: DeltaGenerator) -> tuple[str, str]:
    """A text of one's own, and the answer by the rule where there is one."""
    task = PARALLEL[run.config.translation.parallel]
    begin = task.example or kept.pairs(run.config).source_texts[0]
    typed = row.text_input(
        "Text", begin, key=_TEXT, max_chars=500, bind="query-params",
        on_change=_afresh, width=460,
    )  # fmt: skip
    if task.answer is None:
        return typed, ""
    try:
        return typed, task.answer(typed)
    except DataError as wrong:
        st.caption(controls.escaped(f"The rule has no answer: {wrong}"))
        return typed, ""


def _epoch(view: RunView, row: DeltaGenerator) -> int:
    epochs = [*map(str, view.snapshots), "latest"]
    widgets.forget_unless("translate_epoch", epochs)
    wanted = row.select_slider(
        f"Weights after epoch (latest: {view.snapshots[-1] if view.snapshots else '–'})",
        epochs,
        value="latest",
        key="translate_epoch",
        bind="query-params",
        width=200,
    )
    return kept.epoch_of(view.snapshots, str(wanted))
