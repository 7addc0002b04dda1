"""The From scratch page: what is trained, how it goes, and what it is about."""

from functools import partial

import streamlit as st

from rnnviz.config import RunConfig
from rnnviz.data.phrases import phrases, vocabulary
from rnnviz.events import RunView
from rnnviz.figures import scratch as figures
from rnnviz.runs.run import Run
from rnnviz.scratch.lockstep import CLIP
from rnnviz.scratch.run import PARTS, curve, told
from rnnviz.scratch.settings import (
    BACKPROP_NAMES,
    EPOCHS,
    HIDDEN,
    MOST_EPOCHS,
    MOST_HIDDEN,
    RATE,
    TITLE,
    settings,
)
from rnnviz.ui import controls, live, session, side, widgets
from rnnviz.ui.components.plot import plot
from rnnviz.ui.layout import pair
from rnnviz.ui.words import State

NAME = "scratch"  # of the run in the address
EVERY = 0.5  # between two looks at the run [s]
# name, label, least, to begin with, most
NUMBERS = (
    ("seed", "Seed", 0, 0, 2**31 - 1),
    ("hidden", "Units", 2, HIDDEN, MOST_HIDDEN),
    ("epochs", "Epochs", 20, EPOCHS, MOST_EPOCHS),
)
SOURCE = (
    "Victor Zhou, An Introduction to Recurrent Neural Networks for Beginners, 2019: "
    "https://victorzhou.com/blog/intro-to-rnns/"
)


def choose() -> RunConfig:
    """The few settings there are."""
    st.markdown(
        "A recurrent network in plain NumPy reads a short phrase word by word and says whether it "
        "is **good** or **bad**. Two of them learn side by side, from the same first weights: one "
        "goes back through time by the **corrected** formulas, the other **as published**, with "
        "one transpose missing."
    )
    place = st.container(horizontal=True)
    values = {
        name: place.number_input(
            label,
            min_value=least,
            max_value=most,
            value=begin,
            key=f"scratch_{name}",
            bind="query-params",
            persist_state="session",
        )
        for name, label, least, begin, most in NUMBERS
    }
    return settings(**values)


def train(config: RunConfig) -> tuple[Run | None, RunView]:
    """The run's buttons and its curves; gives what is known of it."""
    run = session.side_run(TITLE, NAME)
    seen = live.look(run) if run else None
    side.buttons(TITLE, NAME, "Train both", config, run, seen)
    if run is None or seen is None:
        st.info("**Train both** takes some seconds. Loss, accuracy and every gradient follow here.")
        return None, RunView()
    if run.config != config:
        st.caption("What is shown below was trained with other settings than those chosen above.")
    begun = bool(seen[0].snapshots)

    def once(view: RunView, state: State) -> None:
        if bool(view.snapshots) != begun:
            st.rerun()  # the numbers below can be shown now
        side.status(state)
        lines = [f"- {controls.escaped(line)}" for line in told(view)]
        st.markdown("\n".join(lines) or "Both networks are at their first epoch.")
        _curves(run, view)

    live.ticking(once, run, seen, every=EVERY, name=NAME)
    return run, seen[0]


def _curves(run: Run, view: RunView) -> None:
    dark, epochs = widgets.dark(), run.config.training.epochs
    kinds = (("loss", figures.losses), ("accuracy", figures.accuracies))
    for place, (metric, draw) in zip(pair(NAME), kinds, strict=True):
        curves = {
            name: {part: curve(view, name, part, metric) for part in PARTS}
            for name in BACKPROP_NAMES
        }
        drawn = partial(draw, curves, epochs=epochs, dark=dark)
        mark = (run.id, dark, len(view.found))
        with place:
            key = f"scratch_{metric}"
            plot(widgets.kept_figure(key, mark, drawn), key=key)


def about() -> None:
    """The equations, the source, and what is corrected."""
    with st.expander("About this network"):
        every = phrases()
        test = sum(phrase.test for phrase in every)
        st.latex(
            r"h_t = \tanh(W_{xh}\, x_t + W_{hh}\, h_{t-1} + b_h), \qquad "
            r"y = W_{hy}\, h_n + b_y, \qquad p = \mathrm{softmax}(y), \qquad L = -\ln p_c"
        )
        st.markdown(
            f"- **Data:** {len(every) - test} phrases to learn from and {test} to test, of "
            f"{len(vocabulary())} words, from a grammar of our own: *{every[0].text}*, "
            f"*{every[-1].text}*. A word is one-hot: 1 at its place, 0 elsewhere.\n"
            f"- **Learning:** one phrase at a time, rate {RATE:g}; each single gradient is clipped "
            f"to ±{CLIP:g}. First weights are normal with standard deviation 1/1000, biases 0. "
            "The seed decides them, and the order of the phrases.\n"
            "- **What is corrected:** a gradient goes one step back by the transpose of Whh. The "
            "article's code leaves the transpose out. It often learns all the same, because the "
            "last step's gradient is right, but later, and less surely: with our phrases and 64 "
            "units, 20 of 20 seeds have every test phrase right after epoch 400 if corrected, 16 "
            "of 20 as published. On the article's own phrases it is 20 and 13.\n"
            f"- **Source:** {SOURCE}"
        )
