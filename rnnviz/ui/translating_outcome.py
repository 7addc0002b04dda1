"""Translate: what is written beside the true answer, and the links between both texts."""

from typing import Literal

import numpy as np
import streamlit as st

from rnnviz.data.parallel.text import UNKNOWN
from rnnviz.ui import controls
from rnnviz.ui.components.links import Linked, links
from rnnviz.ui.translating_hands import choose_step, give_row, no_hands, undo_row
from rnnviz.ui.translating_sentence import Looked
from rnnviz.ui.words import number


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
        on_row=lambda row: give_row(seen.output.rows, row),
    )
    if seen.touched:
        _undo(seen)


def _undo(seen: Looked) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    if seen.output.rows:
        row.button(
            "Undo last row", key="do_translate_undo", on_click=undo_row, args=(seen.output.rows,)
        )
    row.button("Undo all", key="do_translate_none", on_click=no_hands)
    said = []
    if seen.output.given:
        said.append(f"the first {seen.output.given} tokens are given (underlined)")
    if seen.output.rows:
        steps = ", ".join(str(step + 1) for step in sorted(seen.output.rows))
        said.append(f"the weights of output token {steps} were set by hand")
    row.caption("; ".join(said).capitalize() + ". The address holds it.")
