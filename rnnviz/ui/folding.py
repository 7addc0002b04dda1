"""Fold and unfold, on the Inside page: from layers of their own to one that is used again."""

import streamlit as st

from rnnviz.figures.fold import fold
from rnnviz.figures.unrolled import naming, scene
from rnnviz.ui.components.fold import folded
from rnnviz.ui.looking import Looking


def unfolding(seen: Looking) -> None:
    """The selected sequence's first steps: feed-forward, tied, folded, unrolled."""
    place = st.expander(
        "Fold and unfold: where a recurrent network comes from", key="fold", bind="query-params"
    )
    if not place.open:  # nothing is drawn that nobody sees
        return
    with place:
        if int(seen.trace.lengths[seen.chosen.sequence]) < 2:
            st.caption("These sequences have one step only, so there is nothing to fold.")
            return
        _drawing(seen)


def _drawing(seen: Looking) -> None:
    drawn = scene(
        seen.trace,
        sequence=seen.chosen.sequence,
        quantity="h",
        naming=naming(seen.dataset),
        counted=seen.dataset.judged[seen.row],
    )
    shown = fold(drawn, seen.trace.layers[0], outputs=seen.trace.outputs.shape[2])
    folded(shown, key="fold_view", dark=seen.look.dark)
    if len(seen.trace.layers) > 1:
        st.caption("Drawn is the lowest layer, reading forward; the others unfold likewise.")
