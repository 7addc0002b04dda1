"""Translate: attention beside what the gradient and an occlusion say of each source token."""

from collections.abc import Mapping

import numpy as np
import streamlit as st
from jaxtyping import Float

from rnnviz.figures.alignment import ATTENTION, Tokens, alignment, compared
from rnnviz.figures.values import difference_range
from rnnviz.translation.attribution import gradients, occlusions
from rnnviz.ui import controls
from rnnviz.ui.components.plot import Clicked, plot
from rnnviz.ui.layout import pair
from rnnviz.ui.translating_about import about
from rnnviz.ui.translating_hands import choose_step
from rnnviz.ui.translating_outcome import linked
from rnnviz.ui.translating_sentence import Looked
from rnnviz.ui.words import number

ATTENTION_WEIGHT = "attention"
KEYS = {
    ATTENTION_WEIGHT: "attention",
    "gradient × input": "gradient",
    "fall of ln p without it": "occlusion",
}
Ways = Mapping[str, Float[np.ndarray, "T S"]]  # by name, of each output and source token


def attributed(seen: Looked) -> None:
    """Three answers to the same question, for the chosen token and as pictures of all."""
    linked(seen)
    tokens, rows = seen.output.tokens, seen.output.rows
    ways = {
        "gradient × input": gradients(seen.network, seen.source, tokens, rows).gradient,
        "fall of ln p without it": occlusions(seen.network, seen.source, tokens, rows),
    }
    if seen.output.weights is not None:
        ways = {ATTENTION_WEIGHT: seen.output.weights, **ways}
    figure = compared(
        {name: values[seen.step] for name, values in ways.items()},
        seen.source_tokens,
        title=f"For output token {seen.step + 1}: {seen.output_tokens[seen.step]}",
        dark=seen.dark,
    )
    plot(figure, key="translate_compared")
    st.markdown(_words(seen, ways))
    _pictures(seen, ways)
    st.markdown(
        "They can differ: a weight says where the context was taken from, and each state there "
        "knows of its neighbours as well; the decoder also begins with the encoder's last state, "
        "which no weight shows. The gradient asks for a very small change of a token's vector, an "
        "occlusion takes the whole vector away. Where p is nearly 1, ln p can hardly rise, and its "
        "gradient is nearly 0."
    )
    about("attribution")


def _pictures(seen: Looked, ways: Ways) -> None:
    """A heat map of each; the weights alone in their own row."""
    names = Tokens(source=seen.source_tokens, output=seen.output_tokens)

    def click(at: Clicked) -> None:
        if not isinstance(at.y, str):
            choose_step(min(max(round(float(at.y)) - 1, 0), len(seen.output.tokens) - 1))

    first = st.container()
    places = iter(pair("attributed"))
    for name, values in ways.items():
        weight = name == ATTENTION_WEIGHT
        figure = alignment(
            values,
            names,
            title=name[:1].upper() + name[1:] + ("" if weight else " [nats]"),
            symbol=name,
            span=ATTENTION if weight else difference_range(values),
            step=seen.step,
            form=".3f" if weight else ".3~g",
            unit="weight" if weight else "nats",
            dark=seen.dark,
        )
        with first if weight else next(places):
            plot(figure, key=f"translate_by_{KEYS[name]}", on_click=click)


def _words(seen: Looked, ways: Ways) -> str:
    """Which source token each of them puts first, for the chosen output token."""
    t = seen.step
    token = controls.escaped(seen.output_tokens[t])
    firsts = {name: int(values[t].argmax()) for name, values in ways.items()}
    parts = [
        f"{name} at {controls.escaped(seen.source_tokens[s])} (source token {s + 1}, "
        f"{number(float(ways[name][t, s]), 3)})"
        for name, s in firsts.items()
    ]
    agree = "They agree" if len(set(firsts.values())) == 1 else "They do not agree"
    return f"For output token {t + 1}, **{token}**, largest are {', '.join(parts)}. {agree} here."
