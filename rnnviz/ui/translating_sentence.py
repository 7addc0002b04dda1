"""One sentence on the Translate page: which one, what is written, what somebody does to it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import streamlit as st
from jaxtyping import Float, Int

from rnnviz.data.parallel import PARALLEL, ParallelText
from rnnviz.data.parallel.text import END, UNKNOWN, cut
from rnnviz.errors import DataError, RnnvizError, TraceError
from rnnviz.events import RunView
from rnnviz.runs.run import Run
from rnnviz.translation.decoding import Output, Rows, write
from rnnviz.translation.hands import given_text, read_given, read_rows, rows_text
from rnnviz.translation.network import Encoded, Network
from rnnviz.ui import controls, widgets
from rnnviz.ui import translating_kept as kept
from rnnviz.ui.components.links import Linked, Row, links
from rnnviz.ui.words import number

HELD_OUT, TYPED = "held out", "my own"
GIVEN, ROWS, STEP = "translate_given", "translate_rows", "translate_t"  # in the address
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
    whose = row.segmented_control(
        "Sentence", [HELD_OUT, TYPED], default=HELD_OUT, key=_WHOSE, required=True,
        bind="query-params", on_change=_afresh,
    )  # fmt: skip
    if whose == TYPED:
        source_text, truth = _typed(run, row)
    else:
        source_text, truth = _held_out(run, view, row)
    epoch = _epoch(view, row)
    network = kept.network(run, epoch)
    source = text.encode(source_text)
    encoded = network.encode(source[None], np.array([len(source)]))
    most = kept.longest(text)
    plain = write(network, encoded, longest=most)
    output = _with_hands(network, encoded, text, most)
    steps = len(output.tokens)
    widgets.keep_within(STEP, 1, steps)
    step = row.number_input(
        "Output token", 1, steps, 1, key=STEP, bind="query-params", width=112,
        help="Also by a click on it, or with the arrow keys once the drawing has the focus.",
    )  # fmt: skip
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
        plain=plain,
        output=output,
        step=int(step) - 1,
        dark=widgets.dark(),
    )


def _answer(text: ParallelText, truth: str) -> tuple[int, ...]:
    place = {token: k for k, token in enumerate(text.target_vocabulary)}
    return (*(place.get(token, UNKNOWN) for token in cut(truth, text.tokens)), END)


# -- which sentence --------------------------------------------------------------------------------


def _afresh() -> None:
    """Another sentence: what was done to the one before is of no use."""
    widgets.note(GIVEN, "")
    widgets.note(ROWS, "")
    widgets.suggest({STEP: 1})


def _held_out(run: Run, view: RunView, row: st.delta_generator.DeltaGenerator) -> tuple[str, str]:
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


def _typed(run: Run, row: st.delta_generator.DeltaGenerator) -> tuple[str, str]:
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


def _epoch(view: RunView, row: st.delta_generator.DeltaGenerator) -> int:
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


# -- hands -----------------------------------------------------------------------------------------


def _with_hands(network: Network, encoded: Encoded, text: ParallelText, most: int) -> Output:
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


def give_row(seen: Looked, row: Row) -> None:
    """Put weights in the place of computed ones, in a callback."""
    rows: dict[int, Float[np.ndarray, " S"]] = dict(seen.output.rows)
    rows.pop(row.step, None)  # the last one given is the first to be undone
    rows[row.step] = np.array(row.weights)
    _keep(rows)


def undo_row(seen: Looked) -> None:
    """Take back the last row that was given, in a callback."""
    _keep(dict(list(seen.output.rows.items())[:-1]))


def no_hands() -> None:
    """Take back all tokens and rows, in a callback."""
    widgets.note(GIVEN, "")
    widgets.note(ROWS, "")


def _keep(rows: Rows) -> None:
    try:
        widgets.note(ROWS, rows_text(rows))
    except RnnvizError as wrong:
        widgets.notice(str(wrong))


# -- what comes of it ------------------------------------------------------------------------------


def outcome(seen: Looked) -> None:
    """The output beside the true answer, right or wrong."""
    written = seen.text_of(seen.output.tokens)
    chance = float(seen.output.chosen.sum())
    verdict = _verdict(seen, seen.output.tokens)
    row = st.container(horizontal=True)
    said = "Written" if not seen.touched else "Written, with your changes"
    with row.container(width="stretch"):
        st.caption(f"{said} (greedy), after epoch {seen.epoch}")
        st.code(written or "(nothing)", language=None)
    with row.container(width="stretch"):
        st.caption("True answer" if seen.truth else "True answer: not known")
        st.code(seen.truth or "–", language=None)
    with row.container(width=190):
        st.caption(f"ln P(y | x) = {number(chance, 4)}: P = {_percent(chance)}")
        st.badge(verdict[1], color=verdict[0], icon=None)
        if not seen.output.ended:
            st.caption("No END within the length.")
    unknown = [t for t, k in zip(seen.source_tokens, seen.source, strict=True) if k == UNKNOWN]
    if unknown:
        several = ", ".join(dict.fromkeys(unknown))
        st.caption(controls.escaped(f"The network has never seen {several}; it reads unknown."))


def _verdict(seen: Looked, tokens: tuple[int, ...]) -> tuple[Literal["gray", "green", "red"], str]:
    if not seen.truth:
        return "gray", "not judged"
    return ("green", "✓ right") if seen.right(tokens) else ("red", "✗ wrong")


def _percent(log_probability: float) -> str:
    share = float(np.exp(log_probability))
    return f"{share:.1%}" if share >= 0.001 else f"{100 * share:.1e} %".replace("-", "−")


def linked(seen: Looked, *, editable: bool = False) -> None:
    """Source and output with their links; with editable the chosen row can be changed."""
    weights = seen.output.weights
    before = None if seen.plain.tokens == seen.output.tokens else seen.named(seen.plain.tokens)
    links(
        Linked(
            source=seen.source_tokens,
            output=seen.output_tokens,
            weights=weights,
            computed=None if seen.output.computed is None else seen.output.computed[seen.step],
            step=seen.step,
            given=seen.output.given,
            changed=sorted(seen.output.rows),
            before=before,
        ),
        key="translate_links",
        dark=seen.dark,
        editable=editable,
        on_step=choose_step,
        on_row=lambda row: give_row(seen, row),
    )
    if seen.touched:
        _undo(seen)


def _undo(seen: Looked) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    if seen.output.rows:
        row.button("Undo last row", key="do_translate_undo", on_click=undo_row, args=(seen,))
    row.button("Undo all", key="do_translate_none", on_click=no_hands)
    said = []
    if seen.output.given:
        said.append(f"the first {seen.output.given} tokens are given (underlined)")
    if seen.output.rows:
        steps = ", ".join(str(step + 1) for step in sorted(seen.output.rows))
        said.append(f"the weights of output token {steps} were set by hand")
    row.caption("; ".join(said).capitalize() + ". The address holds it.")
