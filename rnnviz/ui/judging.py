"""All test sentences: how often the network is right, how sure it is, and its worst mistakes."""

import numpy as np
import streamlit as st
from jaxtyping import Float, Int

from rnnviz.calibration import BINS, brier, interval, reliability, worst
from rnnviz.data.dataset import SequenceDataset
from rnnviz.data.text import tokens_of
from rnnviz.data.typed import as_text
from rnnviz.figures.calibration import reliability_diagram
from rnnviz.figures.predictions import confusion
from rnnviz.trace import Survey
from rnnviz.ui import controls, sentences
from rnnviz.ui.components.plot import plot
from rnnviz.ui.layout import pair
from rnnviz.ui.looking import Looking
from rnnviz.ui.words import number

MISTAKES = 10  # that are listed
EARLIER = (
    "This run was made by an earlier version, which kept no probabilities, so that there is no "
    "calibration and no list of mistakes; train it once more."
)


def mistakes_of(survey: Survey | None) -> dict[int, str]:
    """The worst mistakes by their rows, the worst first, with what marks them in a list."""
    if survey is None or survey.probabilities is None:
        return {}
    true = np.rint(survey.targets).astype(int)
    places = worst(survey.probabilities, true, MISTAKES)
    return {int(survey.sequences[k]): "✗ " for k in places}


def all_sentences(seen: Looking) -> None:
    """The confusion matrix, calibration, and the worst mistakes."""
    survey, data = seen.survey, seen.dataset
    if survey is None:
        return
    st.markdown("#### All test sentences")
    judged(seen, survey, data.whose)
    left, right = pair("judged")
    with left:
        figure = confusion(survey, data.classes, shares=True, dark=seen.look.dark)
        plot(figure, key="confusion")
    if survey.probabilities is None:
        st.info(EARLIER)
        return
    true = np.rint(survey.targets).astype(int)
    with right:
        calibrated(survey.probabilities, true, dark=seen.look.dark)
    mistakes(data, survey, survey.probabilities, true)


def judged(seen: Looking, survey: Survey, whose: str) -> None:
    """The share that is right, with its interval, and of how many."""
    right = int((np.rint(survey.targets) == np.rint(survey.predictions)).sum())
    of = len(survey.targets)
    low, high = interval(right, of)
    started = seen.view.started
    total = of if started is None else started.sizes["test"]
    part = f"the first {of:,} of {total:,} test {whose}" if of < total else f"{of:,} test {whose}"
    st.markdown(
        f"**{right / of:.1%} right**: {right:,} of {part}, after epoch {seen.trace.epoch}; 95 % "
        f"interval {low:.1%} to {high:.1%} (Wilson)."
    )


def calibrated(
    probabilities: Float[np.ndarray, "N K"], true: Int[np.ndarray, " N"], *, dark: bool
) -> None:
    """The reliability diagram, and two numbers."""
    found = reliability(probabilities, true)
    plot(reliability_diagram(found, dark=dark), key="calibration")
    classes = probabilities.shape[1]
    even = (classes - 1) / classes
    st.caption(
        f"Expected calibration error {found.error:.2%} over {BINS} bins: the mean gap between how "
        "sure the network was and how often it was right. Brier score "
        f"{number(brier(probabilities, true), 3)}: 0 is best, {number(even, 3)} comes of even "
        "chances for every class."
    )


def mistakes(
    data: SequenceDataset,
    survey: Survey,
    probabilities: Float[np.ndarray, "N K"],
    true: Int[np.ndarray, " N"],
) -> None:
    """A button for each of the worst mistakes; it opens the sentence."""
    wrong = int((probabilities.argmax(axis=1) != true).sum())
    st.markdown("##### The worst mistakes")
    if not wrong:
        st.caption(
            "There is none: every test sentence is told rightly. An earlier epoch, "
            "on the left, has some."
        )
        return
    st.caption(
        f"Of {wrong:,} mistake{'s' if wrong > 1 else ''}, those that the network was surest of. A "
        "click opens the sentence above."
    )
    for k in worst(probabilities, true, MISTAKES):
        row, said = int(survey.sequences[k]), int(probabilities[k].argmax())
        text = as_text(tokens_of(data, row), data)
        text = text if len(text) <= 120 else text[:119] + "…"
        st.button(
            controls.escaped(
                f"{data.classes[said]} {probabilities[k, said]:.1%}, but {data.classes[true[k]]}: "
                f"{text}"
            ),
            key=f"do_open_{row}",
            on_click=sentences.open_row,
            args=(row,),
        )
