"""Back through time: gradients by the weights, and what truncation and clipping leave of them."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from rnnviz.cells import CELLS
from rnnviz.figures.backward_weights import (
    PARTS,
    clipping,
    gate_norms,
    truncation,
    weight_heatmap,
)
from rnnviz.figures.gates import words
from rnnviz.inside.prove import prove_weight
from rnnviz.ui import backward_kept as kept
from rnnviz.ui import session, widgets
from rnnviz.ui.backward_about import about
from rnnviz.ui.backward_proof import prove
from rnnviz.ui.components.plot import Clicked, plot
from rnnviz.ui.layout import pair
from rnnviz.ui.looking import Looking
from rnnviz.ui.words import number

ENOUGH = 0.9  # of the full norm: where the slider begins


def weights(seen: Looking) -> None:
    """Norms by gate, each gate's matrices, and one weight."""
    now, chosen = kept.done(seen), seen.chosen
    gradients = now.gradients.weights[chosen.layer]
    gates = tuple(gate.symbol for gate in CELLS[seen.layer.cell].gates)
    plot(gate_norms(gradients, gates, dark=seen.look.dark), key="gate_norms")
    gate = _gate(gates)
    part, column = _weight(gradients.input.shape[2], gradients.recurrent.shape[2])
    for place, each in zip(pair("weights"), ("recurrent", "input"), strict=True):
        at = (chosen.unit, column) if each == part else None
        figure = weight_heatmap(
            gradients, each, gate, symbol=gates[gate], at=at, dark=seen.look.dark
        )
        with place:
            plot(figure, key=f"weights_{each}", on_click=_click(each, gradients.input.shape[1]))
    symbol, unit = gates[gate], chosen.unit
    index = (gate, unit) if part == "input_bias" else (gate, unit, column)
    name = f"{PARTS[part]}_{{{symbol},{unit + 1}" + (
        "}" if part == "input_bias" else rf",{column + 1}}}"
    )
    value = float(getattr(gradients, part)[index])
    st.markdown(rf"$\partial L / \partial {name}$ = **{value:.6g}**")
    prove(
        "weight",
        rf"\partial L / \partial {name}",
        lambda: prove_weight(now.network, now.sequence, chosen.layer, part, index),
    )
    about("weights")


def _gate(gates: tuple[str, ...]) -> int:
    if len(gates) == 1:
        return 0
    if st.session_state.get("gate", gates[0]) not in gates:
        del st.session_state["gate"]
    start = "f" if "f" in gates else gates[0]
    picked = st.segmented_control(
        "Gate", gates, default=start, key="gate", format_func=words, bind="query-params"
    )
    return gates.index(picked or start)


def _weight(inputs: int, units: int) -> tuple[str, int]:
    """Which matrix and column; the row is the selected unit."""
    row = st.container(horizontal=True)
    parts = {"recurrent": "U", "input": "W", "input_bias": "b"}
    part = row.segmented_control(
        "Weight of", list(parts), default="recurrent", key="part", format_func=parts.__getitem__
    )
    part = part or "recurrent"
    most = {"recurrent": units, "input": inputs}.get(part, 1)
    if most == 1:
        return part, 0
    if st.session_state.get("column", 1) > most:
        st.session_state["column"] = most
    st.session_state.setdefault("column", 1)
    column = row.number_input("Column", 1, most, key="column", help="Or click a heat map.")
    return part, int(column) - 1


def _click(part: str, units: int) -> Callable[[Clicked], None]:
    def clicked(at: Clicked) -> None:
        if isinstance(at.x, str) or isinstance(at.y, str):
            return
        session.select(unit=min(max(round(at.y) - 1, 0), units - 1))
        widgets.suggest({"part": part, "column": max(1, round(at.x))})

    return clicked


def limits(seen: Looking) -> None:
    """Truncation length and clip norm, as controls."""
    left, right = pair("limits")
    with left:
        _truncation(seen)
    with right:
        _clipping(seen)
    about("limits")


def _truncation(seen: Looking) -> None:
    found = kept.truncated(seen)
    options = list(found.lengths)
    if st.session_state.get("k", options[-1]) not in options:
        del st.session_state["k"]
    short = int(np.argmax(found.norms >= ENOUGH * found.full))  # where it begins to be enough
    st.session_state.setdefault("k", options[short])
    length = options[0]
    if len(options) > 1:
        length = st.select_slider("Steps followed back, k", options, key="k")
    plot(truncation(found, length, dark=seen.look.dark), key="truncation")
    at = options.index(length)
    share = found.norms[at] / found.full if found.full else float("nan")
    st.markdown(
        f"Followed **{length}** steps back, the gradient by the recurrent layers is "
        f"**{share:.1%}** as long as the full one; cosine **{found.cosines[at]:.4f}**."
    )
    if len(options) > 1 and options[-1] - options[-2] > 1:
        st.caption(f"Up to {options[-2]} steps are told apart; then all {options[-1]}.")


def _clipping(seen: Looking) -> None:
    norms = kept.norms(seen.view)
    norms = norms[np.isfinite(norms) & (norms > 0)]
    if not norms.size:
        st.info("No step is recorded: this model was not trained here.")
        return
    own = seen.run.config.training.clip_norm
    clip = st.number_input(
        "Clip gradients at norm",
        0.0,
        1000.0,
        own or 1.0,
        step=0.1,
        format="%g",
        key="clip",
        bind="query-params",
        help=f"The run itself had {own:g}." if own else "The run itself did not clip.",
    )
    plot(clipping(norms, clip, dark=seen.look.dark), key="clipping")
    cut = int((norms > clip).sum()) if clip else 0
    st.markdown(
        f"At norm **{clip:g}**, **{cut}** of {len(norms):,} recorded steps would be shortened "
        f"({cut / len(norms):.1%}); the longest gradient has {number(float(norms.max()), 3)}."
        if clip
        else "At norm 0 clipping is off."
    )
    st.caption("Recorded before clipping. Clipping from the start would have changed later steps.")
