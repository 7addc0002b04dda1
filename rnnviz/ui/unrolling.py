"""The parts of the Unrolled page."""

import pandas as pd
import streamlit as st

from rnnviz.figures.equations import Equation, equations, largest
from rnnviz.figures.unrolled import naming, quantities, scene
from rnnviz.ui import session
from rnnviz.ui.components.unrolled import Moved, unrolled
from rnnviz.ui.layout import cards
from rnnviz.ui.looking import Looking
from rnnviz.ui.words import number

SHOWN = 5  # terms of an equation that stand in its line


def network(seen: Looking) -> None:
    """The interactive drawing with its player."""
    names = quantities(seen.trace)
    if st.session_state.get("node_colour", names[0]) not in names:
        del st.session_state["node_colour"]
    picked = st.segmented_control(
        "Colour of the nodes",
        names,
        default=names[0],
        key="node_colour",
        help="What the cells of each node show, for every unit drawn.",
        bind="query-params",
    )
    drawn = scene(
        seen.trace,
        sequence=seen.chosen.sequence,
        quantity=picked or names[0],
        naming=naming(seen.dataset),
        always=(seen.chosen.unit,),
        counted=seen.dataset.judged[seen.row],
    )
    unrolled(
        drawn,
        t=seen.chosen.t,
        unit=seen.chosen.unit,
        layer=seen.layer.layer,
        reverse=seen.layer.reverse,
        key="unrolled",
        dark=seen.look.dark,
        on_move=lambda moved: _moved(seen, moved),
    )


def _moved(seen: Looking, moved: Moved) -> None:
    places = [(layer.layer, layer.reverse) for layer in seen.trace.layers]
    session.select(t=moved.t, unit=moved.unit, layer=places.index((moved.layer, moved.reverse)))


def arithmetic(seen: Looking) -> None:
    """Every equation of the chosen unit at the chosen step, with its numbers."""
    chosen = seen.chosen
    st.markdown(
        f"##### Unit {chosen.unit + 1} of {seen.layer.title} at step {chosen.t + 1}: the arithmetic"
    )
    found = equations(seen.layer, sequence=chosen.sequence, t=chosen.t, unit=chosen.unit)
    for place, equation in zip(cards(len(found)), found, strict=True):
        with place:
            st.latex(rf"\footnotesize {equation.latex}")
            st.code(in_numbers(equation), language=None)
    with st.expander("Every term of every equation"):
        for equation in found:
            st.text(equation.formula)
            st.dataframe(_table(equation), width="stretch", hide_index=True)


def in_numbers(equation: Equation) -> str:
    """The equation with its largest terms, the sum of the rest, the squash and the value."""
    short = largest(equation, SHOWN)
    parts = [f"{_signed(term.product)}  {term.label}" for term in short.terms if term.product]
    others = len(equation.terms) - len(parts)
    if others:
        words = "the other term" if others == 1 else f"the other {others} terms"
        parts.append(f"{_signed(short.rest)}  {words}")
    lines = [*parts, f"{'─' * 9}", f"{_signed(equation.total)}  sum"]
    if equation.squash:
        lines.append(
            f"{equation.squash}({number(equation.total, 5)}) = {number(equation.value, 5)}"
        )
    lines.append(f"{equation.symbol} = {number(equation.recorded, 5)} in the trace")
    return "\n".join(lines)


def _signed(value: float) -> str:
    return f"{value + 0.0:+9.5f}".replace("-0.00000", "+0.00000").replace("-", "−")


def _table(equation: Equation) -> pd.DataFrame:
    terms = equation.terms
    frame = pd.DataFrame(
        {
            "term": [term.label for term in terms],
            "factors": [" × ".join(number(value, 5) for value in term.factors) for term in terms],
            "product": [term.product for term in terms],
        }
    )
    frame["sum so far"] = frame["product"].cumsum()
    return frame
