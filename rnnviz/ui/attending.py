"""The parts of the Attention page."""

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz.config import ATTENTIONS
from rnnviz.data.dataset import Task
from rnnviz.figures import VIEWS
from rnnviz.figures.attention import attention_by_group
from rnnviz.figures.theme import Quantity
from rnnviz.figures.unrolled import naming
from rnnviz.ui import controls, session
from rnnviz.ui.components.plot import plot
from rnnviz.ui.components.tokens import coloured_tokens
from rnnviz.ui.layout import pair
from rnnviz.ui.looking import Looking
from rnnviz.ui.words import number

FORMULAS = {
    "dot": r"e_t = s \cdot h_t",
    "general": r"e_t = s \cdot W h_t",
    "additive": r"e_t = v \cdot \tanh(W_s\, s + W_h\, h_t)",
}
STAGES = {
    "scores": "1. Scores",
    "softmax": "2. Softmax: the weights",
    "weighted values": "3. Weighted states",
}
ROWS = 12


def weights(seen: Looking) -> None:
    """The weights with what was read, on one time axis."""
    if seen.is_text:
        _text(seen)
    plot(VIEWS["attention"].draw(seen.trace, seen.look), key="weights", on_click=seen.click)


def _text(seen: Looking) -> None:
    query, (_, weights) = seen.look.query, seen.attention
    if seen.dataset.task.every_step:
        what = "the token after" if seen.dataset.task is Task.NEXT_TOKEN else "the label of"
        said = f"Weights when {what} step {query + 1} is predicted; click to choose it."
    else:
        said = f"Weights when {controls.escaped(seen.dataset.outputs[0].name)} is predicted."
    st.caption(said)
    coloured_tokens(
        seen.tokens,
        weights[seen.chosen.sequence, query, : len(seen.tokens)],
        low=0.0,
        high=float(weights.max()),
        dark=seen.look.dark,
        key="coloured_text",
        name="attention",
        quantity=Quantity.ATTENTION,
        selected=seen.chosen.t,
        on_click=lambda t: session.select(t=t),
    )


def step_by_step(seen: Looking) -> None:
    """Scores, their softmax, the weighted states, and the numbers of the steps that count most."""
    kind = seen.run.config.model.attention
    st.markdown(f"##### Step by step: {ATTENTIONS[kind]} attention")
    stage = st.segmented_control(
        "Stage",
        list(STAGES),
        default="scores",
        key="stage",
        format_func=STAGES.__getitem__,
        bind="query-params",
    )
    look = replace(seen.look, stage=stage or "scores")
    picture, formulas = pair("stages")
    with picture:
        plot(VIEWS["attention steps"].draw(seen.trace, look), key="stages", on_click=seen.click)
    with formulas:
        st.latex(FORMULAS[kind])
        st.latex(
            r"\rule{0pt}{2em} \alpha_t = \frac{\exp e_t}{\sum_k \exp e_k}"
            r"\qquad c = \sum_t \alpha_t h_t"
        )
        st.caption(closing(seen))
    found = table(seen)
    numbers = {name: st.column_config.NumberColumn(format="%.4f") for name in found.columns[1:]}
    st.dataframe(found, width="stretch", height="content", hide_index=True, column_config=numbers)


def _of_query(seen: Looking) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, weights, and the states of the top layer, of the steps that may be seen."""
    b, query = seen.chosen.sequence, seen.look.query
    scores, attention = (values[b, query] for values in seen.attention)
    states = np.concatenate([layer.state("h")[b] for layer in seen.trace.top], axis=-1)
    allowed = np.isfinite(scores)
    return scores[allowed], attention[allowed], states[allowed]


def table(seen: Looking) -> pd.DataFrame:
    """The selected step, then the steps with the largest weights: score, exp, weight, states."""
    scores, attention, states = _of_query(seen)
    first = [seen.chosen.t] if seen.chosen.t < len(scores) else []
    order = [*first, *(t for t in np.argsort(-attention) if t not in first)][:ROWS]
    names = naming(seen.dataset).steps
    unit = min(seen.chosen.unit, states.shape[1] - 1)
    shifted = np.exp(scores - scores.max())
    return pd.DataFrame(
        {
            "step": [f"{t + 1}: {seen.tokens[t]!r}" if seen.is_text else names[t] for t in order],
            "score e": scores[order],
            "exp(e − max e)": shifted[order],
            "weight α": attention[order],
            f"h, unit {unit + 1}": states[order, unit],
            f"α·h, unit {unit + 1}": attention[order] * states[order, unit],
        }
    )


def closing(seen: Looking) -> str:
    """The sums over all steps, which the table's columns add up to."""
    scores, attention, states = _of_query(seen)
    unit = min(seen.chosen.unit, states.shape[1] - 1)
    total = np.exp(scores - scores.max()).sum()
    context = attention @ states[:, unit]
    return (
        f"Over {'all ' if len(scores) > 1 else ''}{len(scores)} "
        f"step{'s' if len(scores) > 1 else ''}: exponentials add up to {total:.4f}, weights to "
        f"{attention.sum():.4f}, weighted states of unit {unit + 1} to c = "
        f"{number(float(context))}. "
        f"Equal weights would be {1 / len(scores):.4f} each."
    )


def groups(seen: Looking) -> None:
    """The mean weights of the test people, by group."""
    survey, known = seen.survey, seen.dataset.groups
    if survey is None or survey.attention is None or not known:
        return
    st.markdown("##### Averaged over people")
    by = st.selectbox("By", list(known), key="attention_by", bind="query-params")
    labels = [known[by][row] for row in survey.sequences]
    figure = attention_by_group(survey, labels, clock=seen.look.clock, dark=seen.look.dark)
    plot(figure, key="groups")
    st.caption(
        f"Mean over {len(labels)} test sequences after epoch {seen.trace.epoch}; a weight says "
        "where the context was read from, not that those hours cause the prediction."
    )
