"""Translate: beam search as a tree that grows, and what it ranks first."""

import pandas as pd
import streamlit as st

from rnnviz.translation.beam import WIDEST, Tree, search
from rnnviz.ui import controls
from rnnviz.ui import translating_kept as kept
from rnnviz.ui.components.tree import tree
from rnnviz.ui.translating_about import about
from rnnviz.ui.translating_hands import give, no_hands
from rnnviz.ui.translating_sentence import Looked
from rnnviz.ui.words import number

WIDTH, ALPHA = 5, 0.7  # to begin with
MOST_CUT = 5  # candidates that are cut and drawn, at each step
_ROWS = 10  # of the ranking


def choose_search() -> tuple[int, float]:
    """B and alpha; the same for all views."""
    row = st.container(horizontal=True)
    width = row.slider(
        "Beam width B", 1, WIDEST, WIDTH, key="translate_width",
        bind="query-params", width=300,
        help="So many outputs in the making are kept at each step. A beam of 1 is greedy.",
    )  # fmt: skip
    alpha = row.slider(
        "Length normalisation α", 0.0, 2.0, ALPHA, 0.05,
        key="translate_alpha", bind="query-params", width=300,
        help="Outputs are ranked by ln P(y | x) / Tyᵅ. 0: by ln P itself, which favours short "
        "ones; 1: by the mean per token. Only what has ended is ranked, so nothing is searched "
        "anew.",
    )  # fmt: skip
    return int(width), float(alpha)


def beams(seen: Looked) -> None:
    """The tree, and the ranking of what came out."""
    width, alpha = choose_search()
    most = kept.longest(seen.text)
    (searched,) = search(
        seen.network,
        seen.encoded,
        width=width,
        longest=most,
        given=seen.output.tokens[: seen.output.given],
        rows=seen.output.rows,
        cut=min(MOST_CUT, width + 1),
    )
    ranking = searched.ranking(alpha)
    tree(
        searched,
        seen.named(tuple(range(len(seen.text.target_vocabulary)))),
        winner=ranking[0].node,
        given=seen.output.given,
        key="translate_tree",
        dark=seen.dark,
        on_node=lambda node: give(searched.tokens(node)),
    )
    st.caption(
        "In each node its token and ln P of the output up to there [nats]. Dashed: cut off, or "
        "kept once and followed no further. A thick frame: ended; such an output keeps its place, "
        "so the beam narrows. Click a node to let every output begin with it."
    )
    if seen.touched:
        row = st.container(horizontal=True, vertical_alignment="center")
        row.button("Undo all", key="do_translate_none_beam", on_click=no_hands)
        row.caption("Tokens that are given, and weights set by hand, hold for the search as well.")
    _table(seen, searched, alpha)
    _beside_greedy(seen, searched, alpha)
    about("beam")


def _table(seen: Looked, searched: Tree, alpha: float) -> None:
    st.markdown(f"##### Ranked by ln P / Tyᵅ, α = {alpha:g}")
    ranking = searched.ranking(alpha)[:_ROWS]
    rows = {
        "output": [controls.escaped(seen.text_of(one.tokens)) or "(nothing)" for one in ranking],
        "ln P(y | x)": [number(one.log_probability, 4) for one in ranking],
        "Ty with END": [len(one.tokens) for one in ranking],
        "ln P / Tyᵅ": [number(one.score, 4) for one in ranking],
        "": [
            ("" if not seen.truth else "✓ right" if seen.right(one.tokens) else "✗ wrong")
            if one.ended
            else "no END"
            for one in ranking
        ],
    }
    st.table(pd.DataFrame(rows, index=range(1, len(ranking) + 1)))


def _beside_greedy(seen: Looked, searched: Tree, alpha: float) -> None:
    best = searched.ranking(alpha)[0]
    greedy, theirs = float(seen.output.chosen.sum()), best.log_probability
    if searched.width == 1:
        same = "the same output" if best.tokens == seen.output.tokens else "another output"
        st.markdown(
            f"With **B = 1** the search is greedy: it finds {same}, with ln P = {number(theirs)}."
        )
    elif best.tokens == seen.output.tokens:
        st.markdown("The beam ranks the greedy output first.")
    else:
        st.markdown(
            f"Greedy writes {controls.escaped(seen.text_of(seen.output.tokens))} with ln P = "
            f"{number(greedy)}; the beam's first has {number(theirs)}."
        )
