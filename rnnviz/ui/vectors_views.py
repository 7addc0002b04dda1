"""The views of the page of word vectors, as a table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from rnnviz.events import RunView
from rnnviz.runs.run import Run
from rnnviz.ui import vectors_reading, vectors_step
from rnnviz.ui.vectors_about import about
from rnnviz.ui.vectors_subject import HERE, NETWORK, OF, Subject, of_network, trained_here


@dataclass(frozen=True, kw_only=True)
class View:
    """One view: a picture or two that answer one question.

    Attributes:
        about: key of its text in vectors_about.
        only_here: whether it is of vectors trained on the page alone.
    """

    question: str
    draw: Callable[[Subject], None]
    about: str
    only_here: bool = False


VIEWS: Mapping[str, View] = {
    "Lookup": View(
        question="What is a word's vector, and what has a one-hot vector to do with it?",
        draw=vectors_reading.lookup_view,
        about="lookup",
    ),
    "One step": View(
        question="What does one step of training do, number by number?",
        draw=vectors_step.one_step,
        about="step",
        only_here=True,
    ),
    "Neighbours": View(
        question="Which words lie in nearly the same direction?",
        draw=vectors_reading.neighbours_view,
        about="neighbours",
    ),
    "Analogies": View(
        question="Is the way from one word to another the same for other pairs?",
        draw=vectors_reading.analogies_view,
        about="analogies",
    ),
    "Map": View(
        question="What lies beside what?",
        draw=vectors_reading.map_view,
        about="map",
    ),
}


def show(run: Run | None, view: RunView) -> None:
    """Whose vectors, at which epoch, in which view."""
    st.markdown("#### Look at the vectors")
    whose = st.segmented_control(
        "Vectors",
        list(OF),
        default=HERE,
        required=True,
        key="vectors_of",
        format_func=OF.__getitem__,
        bind="query-params",
        persist_state="session",
    )
    if whose == HERE and (run is None or not view.snapshots):
        st.info("There are no vectors yet: press **Train** above.")
        return
    names = [name for name, one in VIEWS.items() if whose == HERE or not one.only_here]
    first = names[0]
    name = st.segmented_control(
        "View",
        names,
        default=first,
        required=True,
        key=f"vectors_view_{whose}",
        label_visibility="collapsed",
        bind="query-params",
        persist_state="session",
    )
    chosen = VIEWS[name or first]
    st.markdown(f"**{chosen.question}**")
    subject = of_network() if whose == NETWORK or run is None else trained_here(run, view)
    if subject is None:
        return
    st.caption(subject.what)
    chosen.draw(subject)
    about(chosen.about)
