"""How a language model came to speak: a sample after each epoch, and what it expects of a text."""

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz.figures.language import read_along
from rnnviz.figures.theme import Quantity
from rnnviz.inside.sampling import Plan, Spoken
from rnnviz.ui import session, widgets
from rnnviz.ui.components.plot import Clicked, plot
from rnnviz.ui.components.tokens import coloured_tokens
from rnnviz.ui.looking import Looking
from rnnviz.ui.prompting import written
from rnnviz.ui.speaking import Experiment, mark_of, speaker_of, spoken
from rnnviz.ui.words import number

LISTED = 60  # tokens of each sample in the list
BITS = 1.0 / np.log(2.0)
STEPS = {True: 40, False: 12}  # of a sequence that are shown at once: of characters, of others


def samples(done: Experiment) -> None:
    """The same prefix and luck, said by the network as it was after each kept epoch."""
    st.markdown("##### The same sample, epoch by epoch")
    traced = done.seen.view.traced
    if len(traced) < 2:
        st.caption("Only one epoch is kept by now.")
        return
    names = [*(str(epoch) for epoch in traced), "latest"]
    widgets.forget_unless("say_epoch", names)
    chosen = st.select_slider(
        "After epoch",
        names,
        value=widgets.held("say_epoch", "latest"),
        key="say_epoch",
        help="0 is before training. Prefix, shaping and seed are those above; nothing is forced.",
    )
    epoch = traced[-1] if chosen == "latest" else int(chosen)
    found = _sample(done, epoch, replace(done.plan, forced=()))
    if found is not None:
        vocabulary = done.dataset.vocabulary
        coloured_tokens(
            tuple(vocabulary[int(token)] for token in found.tokens),
            found.bits,
            low=0.0,
            high=float(np.log2(len(vocabulary))),
            dark=done.seen.look.dark,
            key="epoch_text",
            name=f"surprise, to the network after epoch {epoch} [bits]",
            quantity=Quantity.LOSS,
        )
    st.dataframe(  # it shows texts as they are, where a table would read them as Markdown
        _list(done, listed(traced)),
        width="stretch",
        hide_index=True,
        column_config={"sample": st.column_config.TextColumn(width="large")},
    )


def listed(traced: tuple[int, ...]) -> tuple[int, ...]:
    """Some kept epochs, about a doubling apart, so that a longer training changes none of them."""
    wanted = [0, *(2**k for k in range(14))]
    some = {min(traced, key=lambda epoch: (abs(epoch - one), epoch)) for one in wanted}
    return tuple(sorted(some | {traced[-1]}))


def _sample(done: Experiment, epoch: int, plan: Plan) -> Spoken | None:
    trace = session.trace_at(done.seen.run, done.seen.view, epoch)
    if trace is None:
        return None
    mark = mark_of(done.seen.run.id, trace)
    return spoken(mark, plan, speaker_of(mark, trace))


@st.cache_resource(show_spinner=False, max_entries=64)
def _line(mark: tuple[object, ...], plan: Plan, epoch: int, _done: Experiment) -> tuple[str, float]:
    """A short sample in one line, and its surprise a token [bits]."""
    del mark
    found = _sample(_done, epoch, plan)
    if found is None:
        return "", float("nan")
    said = written(found.tokens[found.given :].tolist(), _done.dataset)
    line = said.replace("\n", "↵").replace("\t", "⇥")
    return line, -found.total * BITS / plan.length


def _list(done: Experiment, epochs: tuple[int, ...]) -> pd.DataFrame:
    plan = replace(done.plan, forced=(), length=min(LISTED, done.plan.length))
    validated = {one.epoch: one.validation.metrics for one in done.seen.view.epochs}
    rows = []
    for epoch in epochs:
        said, bits = _line((done.seen.run.id, repr(plan)), plan, epoch, done)
        loss = validated.get(epoch, {}).get("loss", float("nan"))
        rows.append(
            {
                "epoch": epoch,
                "validation perplexity": number(float(np.exp(loss))),
                "its own surprise [bits per token]": number(bits, 3),
                "sample": said,
            }
        )
    return pd.DataFrame(rows)


def reading(seen: Looking) -> None:
    """The likeliest next tokens at each step of the sequence that is chosen in the sidebar."""
    st.markdown("##### As the text is read")
    b, names = seen.chosen.sequence, seen.dataset.vocabulary
    length, step = int(seen.trace.lengths[b]), seen.chosen.t
    count = STEPS[max(map(len, names)) == 1]
    first = step // count * count
    part = slice(first, min(first + count, length))
    figure = read_along(
        seen.trace.outputs[b, part].astype(np.float64),
        seen.tokens[part],
        seen.trace.targets[b, part],
        names,
        first=first,
        step=step,
        dark=seen.look.dark,
    )
    plot(figure, key="read_along", on_click=_choose)
    st.caption(
        "Sequence and step are those of the sidebar; no token of this text was trained on. Bold: "
        "the token that came. Click a column to choose its step."
    )


def _choose(clicked: Clicked) -> None:
    if not isinstance(clicked.x, str):
        session.select(t=max(round(clicked.x) - 1, 0))
