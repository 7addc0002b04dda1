"""The equations of the network that is looked at, their source, and mistakes often met with.

Texts only; a page with a method of its own says so beside it.
"""

from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st


class About(NamedTuple):
    """Equations, and where they are from."""

    latex: tuple[str, ...]
    words: str


_SUM = r"W_{%s} x_t + b_{W%s} + U_{%s} h_{t-1} + b_{U%s}"


def _gate(symbol: str, squash: str) -> str:
    return rf"{symbol}_t = {squash}({_SUM % ((symbol,) * 4)})"


def _lstm(content: str, gate: str, words: str) -> About:
    return About(
        (
            *(_gate(symbol, gate) for symbol in "ifo"),
            _gate("g", content),
            r"c_t = f_t \odot c_{t-1} + i_t \odot g_t",
            rf"h_t = o_t \odot {content}(c_t)",
        ),
        "Hochreiter and Schmidhuber (1997), with the forget gate of Gers, Schmidhuber and Cummins "
        f"(2000). {words}",
    )


def _gru(new: str, gate: str, words: str) -> About:
    return About(
        (
            *(_gate(symbol, gate) for symbol in "rz"),
            new,
            r"h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}",
        ),
        "Cho et al. (2014). " + words,
    )


_SIGMA, _TANH, _RELU = r"\sigma", r"\tanh", r"\mathrm{ReLU}"
_HARD = r"\mathrm{hard}\,\sigma"
_AFTER = r"n_t = \tanh(W_n x_t + b_{Wn} + r_t \odot (U_n h_{t-1} + b_{Un}))"
_BEFORE = r"n_t = \tanh(W_n x_t + b_{Wn} + U_n (r_t \odot h_{t-1}) + b_{Un})"
_OF_H = r"Some sheets leave out the last tanh; without it h has no bound."
_OF_Z = "The cheat sheet's u is 1 − z: it multiplies the new content, and z what stays."
_OF_R = " The reset acts after the matrix product, as in PyTorch and Keras."
_OF_R_BEFORE = " The reset acts before the matrix product, as in the paper and on the cheat sheet."

CELLS: Mapping[str, About] = {
    "rnn": About((_gate("a", _TANH), "h_t = a_t"), "Elman (1990)."),
    "rnn-relu": About(
        (_gate("a", _RELU), "h_t = a_t"),
        "Elman (1990), with ReLU; started from the identity after Le, Jaitly and Hinton (2015).",
    ),
    "gru": _gru(_AFTER, _SIGMA, _OF_Z + _OF_R),
    "gru-before": _gru(_BEFORE, _SIGMA, _OF_Z + _OF_R_BEFORE),
    "gru-before-hard": _gru(_BEFORE, _HARD, _OF_Z + _OF_R_BEFORE),
    "lstm": _lstm(_TANH, _SIGMA, _OF_H),
    "lstm-relu": _lstm(_RELU, _HARD, "As in Keras with activation relu."),
    "lstm-relu-sigmoid": _lstm(_RELU, _SIGMA, "As in Keras with activation relu."),
    "lstm-hard": _lstm(_TANH, _HARD, _OF_H),
}
ATTENTIONS: Mapping[str, About] = {
    "dot": About((r"e_{qt} = s_q \cdot h_t",), "Luong, Pham and Manning (2015)."),
    "general": About((r"e_{qt} = s_q \cdot (W h_t)",), "Luong, Pham and Manning (2015)."),
    "additive": About(
        (r"e_{qt} = v \cdot \tanh(W_s s_q + W_h h_t)",), "Bahdanau, Cho and Bengio (2015)."
    ),
}
_WEIGHTS = (
    r"\alpha_{qt} = \frac{\exp e_{qt}}{\sum_k \exp e_{qk}},\quad \sum_t \alpha_{qt} = 1",
    r"c_q = \sum_t \alpha_{qt} h_t",
)


def cell(name: str, more: str = "") -> None:
    """The equations of a cell.

    Args:
        name: key of CELLS.
        more: what else the page shows, in one or two sentences.
    """
    _expander(CELLS[name], more)


def attention(kind: str) -> None:
    """The equations of attention; nothing where the network has none."""
    if kind in ATTENTIONS:
        one = ATTENTIONS[kind]
        _expander(
            About((*one.latex, *_WEIGHTS), one.words),
            "A weight says where the context was taken from, not why the prediction came out: the "
            "states that are averaged know of all steps before, and a gradient or an occlusion can "
            "disagree. See **What if** and the study's hours.",
        )


def _expander(about: About, more: str) -> None:
    with st.expander("About this page: equations and source"):
        for line in about.latex:
            st.latex(line)
        st.markdown(f"{about.words} {more}".strip())
