"""Translate: attention beside what the gradient and an occlusion say of each source token."""

import numpy as np
import streamlit as st
from jaxtyping import Float

from rnnviz.figures.alignment import Tokens, alignment, compared
from rnnviz.figures.values import difference_range
from rnnviz.translation.attribution import gradients, occlusions
from rnnviz.ui import controls
from rnnviz.ui.components.plot import Clicked, plot
from rnnviz.ui.layout import pair
from rnnviz.ui.translating_about import about
from rnnviz.ui.translating_sentence import Looked, choose_step, linked
from rnnviz.ui.words import number


def attributed(seen: Looked) -> None:
    """Three answers to the same question, as pictures and for the chosen token in words."""
    linked(seen)
    tokens = seen.output.tokens
    by_gradient = gradients(seen.network, seen.source, tokens, seen.output.rows).gradient
    by_occlusion = occlusions(seen.network, seen.source, tokens, seen.output.rows)
    names = Tokens(source=seen.source_tokens, output=seen.output_tokens)

    def click(at: Clicked) -> None:
        if not isinstance(at.y, str):
            choose_step(min(max(round(float(at.y)) - 1, 0), len(tokens) - 1))

    ways = {"gradient × input": by_gradient, "fall of ln p without it": by_occlusion}
    if seen.output.weights is not None:
        ways = {"attention": seen.output.weights, **ways}
    plot(
        compared(
            {name: values[seen.step] for name, values in ways.items()},
            seen.source_tokens,
            title=f"For output token {seen.step + 1}: {seen.output_tokens[seen.step]}",
            dark=seen.dark,
        ),
        key="translate_compared",
    )
    st.markdown(_words(seen, by_gradient, by_occlusion))
    pictures = [
        ("translate_gradient", "Gradient × input [nats]", "gradient × input", by_gradient),
        ("translate_occlusion", "Fall of ln p without it [nats]", "fall of ln p", by_occlusion),
    ]
    if seen.output.weights is not None:
        figure = alignment(
            seen.output.weights, names, title="Attention weights", symbol="weight",
            step=seen.step, dark=seen.dark,
        )  # fmt: skip
        plot(figure, key="translate_attention_beside", on_click=click)
    for place, (key, title, symbol, values) in zip(pair("attributed"), pictures, strict=True):
        figure = alignment(
            values, names, title=title, symbol=symbol, span=difference_range(values),
            step=seen.step, form=".3~g", unit="nats", dark=seen.dark,
        )  # fmt: skip
        with place:
            plot(figure, key=key, on_click=click)
    st.markdown(
        "They can differ: a weight says where the context was taken from, and each state there "
        "knows of its neighbours as well; the decoder also begins with the encoder's last state, "
        "which no weight shows. The gradient asks for a very small change of a token's vector, an "
        "occlusion takes the whole vector away. Where p is nearly 1, ln p can hardly rise, and its "
        "gradient is nearly 0."
    )
    about("attribution")


def _words(
    seen: Looked, by_gradient: Float[np.ndarray, "T S"], by_occlusion: Float[np.ndarray, "T S"]
) -> str:
    """Which source token each of the three puts first, for the chosen output token."""
    t = seen.step
    token = controls.escaped(seen.output_tokens[t])
    ways = [("gradient × input", by_gradient[t]), ("the fall without it", by_occlusion[t])]
    if seen.output.weights is not None:
        ways.insert(0, ("attention", seen.output.weights[t]))
    firsts = [int(values.argmax()) for _, values in ways]
    parts = [
        f"{name} at {controls.escaped(seen.source_tokens[s])} (source token {s + 1}, "
        f"{number(float(values[s]), 3)})"
        for (name, values), s in zip(ways, firsts, strict=True)
    ]
    agree = "They agree here." if len(set(firsts)) == 1 else "They do not agree here."
    return f"For output token {t + 1}, **{token}**, largest are {', '.join(parts)}. {agree}"
