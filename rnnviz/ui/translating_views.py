"""The views of the Translate page, as a table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from rnnviz.errors import RnnvizError
from rnnviz.events import RunView
from rnnviz.runs.run import Run
from rnnviz.ui import (
    controls,
    translating_attention,
    translating_attribution,
    translating_beam,
    translating_errors,
    translating_lengths,
)
from rnnviz.ui.translating_outcome import outcome
from rnnviz.ui.translating_sentence import Looked, looked


@dataclass(frozen=True, kw_only=True)
class View:
    """A picture or two that answer one question of the sentence, or of the held-out ones."""

    question: str
    draw: Callable[[Looked], None]


VIEWS: Mapping[str, View] = {
    "Step by step": View(
        question="How does one output token come about, number by number?",
        draw=translating_attention.step_by_step,
    ),
    "Alignment": View(
        question="Which source tokens does each output token read?",
        draw=translating_attention.picture,
    ),
    "Change weights": View(
        question="What would be written if it looked elsewhere?",
        draw=translating_attention.overwriting,
    ),
    "While it learned": View(
        question="How did attention form, epoch by epoch?",
        draw=translating_attention.formation,
    ),
    "Why this token": View(
        question="Do attention, gradient and occlusion name the same source token?",
        draw=translating_attribution.attributed,
    ),
    "Beam search": View(
        question="Which outputs were weighed, which kept, and which cut?",
        draw=translating_beam.beams,
    ),
    "Errors and BLEU": View(
        question="Whose fault is a wrong output, the search's or the network's?",
        draw=translating_errors.errors,
    ),
    "By length": View(
        question="What does attention do for long sources?",
        draw=translating_lengths.lengths,
    ),
}


def show(run: Run, view: RunView) -> None:
    """One sentence of a run, and the view that is chosen."""
    st.markdown("#### Inside: one sentence")
    try:
        seen = looked(run, view)
    except RnnvizError as wrong:
        st.error(controls.escaped(str(wrong)))
        return
    outcome(seen)
    first = next(iter(VIEWS))
    name = st.segmented_control(
        "View",
        list(VIEWS),
        default=first,
        key="translate_view",
        label_visibility="collapsed",
        bind="query-params",
        persist_state="session",
    )
    chosen = VIEWS[name or first]
    st.markdown(f"**{chosen.question}**")
    chosen.draw(seen)
