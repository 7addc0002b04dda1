"""The parts of the Inside page: the network, one cell of it, one gate of that cell."""

from typing import cast

import pandas as pd
import streamlit as st

from rnnviz.figures.cell import CellScene, blocks, cell_scene
from rnnviz.figures.equations import Equation, equations
from rnnviz.figures.gates import WORDS
from rnnviz.figures.unrolled import Naming, Scene, naming, quantities, scene
from rnnviz.figures.wiring import asks
from rnnviz.ui import moving, session, widgets
from rnnviz.ui.components.cell import cell
from rnnviz.ui.components.places import LEVELS, Asked, Level, Place
from rnnviz.ui.components.unrolled import unrolled
from rnnviz.ui.looking import Looking
from rnnviz.ui.pinning import pin
from rnnviz.ui.words import number


def drawing(seen: Looking) -> None:
    """The level that is chosen, with its player."""
    level, symbol = chosen_level(seen)
    names = naming(seen.dataset)
    if level == "network":
        _network(seen, names)
    else:
        _cell(seen, names, level, symbol)


def chosen_level(seen: Looking) -> tuple[Level, str]:
    """The level, and the gate or state that is looked at below the network."""
    level, symbol = widgets.noted("level") or "network", widgets.noted("gate")
    if level not in LEVELS:
        widgets.note("level", "")
        level = "network"
    known = (*seen.layer.gate_names, *seen.layer.state_names)
    return cast(Level, level), symbol if symbol in known else "h"


def _network(seen: Looking, names: Naming) -> None:
    """The interactive drawing of the whole network."""
    known = quantities(seen.trace)
    if st.session_state.get("node_colour", known[0]) not in known:
        del st.session_state["node_colour"]
    above = st.container()  # the way between levels stands in one place at all of them
    if moving.wanted():
        moving.update(seen, _scene(seen, names, "h"), _place(seen), above)
        return
    picked = st.segmented_control(
        "Colour of the nodes",
        known,
        default=known[0],
        key="node_colour",
        help="What the cells of each node show, for every unit drawn.",
        bind="query-params",
        persist_state="session",  # it is not on the page while somebody is further down
    )
    place = _place(seen)
    with above:
        unrolled(
            _scene(seen, names, picked or known[0]),
            t=place.t,
            unit=place.unit,
            layer=place.layer,
            reverse=place.reverse,
            key="unrolled",
            dark=seen.look.dark,
            on_move=lambda moved: _moved(seen, moved),
            on_ask=lambda asked: _asked(seen, asked),
        )


def _cell(seen: Looking, names: Naming, level: Level, symbol: str) -> None:
    """The wiring of one cell, or one of its gates."""
    cell(
        _cell_scene(seen, names),
        _scene(seen, names, "h"),
        place=_place(seen),
        level=level,
        symbol=symbol,
        key="wiring",
        dark=seen.look.dark,
        on_move=lambda moved: _moved(seen, moved),
        on_ask=lambda asked: _asked(seen, asked),
    )


def _scene(seen: Looking, names: Naming, quantity: str) -> Scene:
    chosen = seen.chosen
    return scene(
        seen.trace,
        sequence=chosen.sequence,
        quantity=quantity,
        naming=names,
        always=(chosen.unit,),
        counted=seen.dataset.judged[seen.row],
    )


def _cell_scene(seen: Looking, names: Naming) -> CellScene:
    """The same until another block of numbers is needed."""
    chosen, layer = seen.chosen, seen.layer
    where = {"sequence": chosen.sequence, "t": chosen.t, "unit": chosen.unit}

    def draw() -> CellScene:
        return cell_scene(seen.trace, layer, **where, naming=names)

    length = int(seen.trace.lengths[chosen.sequence])
    tokens = names.tokens and layer.layer == 0
    parts = blocks(layer, length=length, t=chosen.t, unit=chosen.unit, tokens=tokens)
    mark = (seen.run.id, seen.trace.epoch, chosen.sequence, chosen.layer, *parts)
    return widgets.kept_figure("cell", mark, draw)


def _place(seen: Looking) -> Place:
    layer = seen.layer
    return Place(t=seen.chosen.t, unit=seen.chosen.unit, layer=layer.layer, reverse=layer.reverse)


def _moved(seen: Looking, moved: Place) -> None:
    session.select(t=moved.t, unit=moved.unit, layer=_index(seen, moved))


def _index(seen: Looking, place: Place) -> int:
    places = [(layer.layer, layer.reverse) for layer in seen.trace.layers]
    return places.index((place.layer, place.reverse))


def _asked(seen: Looking, asked: Asked) -> None:
    """Go to another level, or pin a vector; the place counts as well."""
    _moved(seen, asked)
    if asked.what == "pin":
        pin(seen, layer=_index(seen, asked), symbol=asked.symbol, t=asked.t)
        return
    widgets.note("level", asked.level if asked.level != "network" else "")
    widgets.note("gate", asked.symbol if asked.level != "network" else "")


def all_gates(seen: Looking) -> None:
    """Every gate and state of the chosen unit at the chosen step, a line each."""
    chosen = seen.chosen
    st.markdown(
        f"##### Unit {chosen.unit + 1} of {seen.layer.title} at step {chosen.t + 1}: all gates"
    )
    found = equations(seen.layer, sequence=chosen.sequence, t=chosen.t, unit=chosen.unit)
    lines = [_line(seen.layer.cell, equation) for equation in found]
    st.table(pd.DataFrame(lines).set_index("symbol"))
    with st.expander("The equations"):
        for equation in found:
            st.latex(equation.latex)
    st.download_button(
        "Every term as CSV",
        lambda: _terms(found).to_csv(index=False).encode(),
        f"unit_{chosen.unit + 1}_step_{chosen.t + 1}.csv",
        "text/csv",
        on_click="ignore",
    )


def _line(cell_name: str, equation: Equation) -> dict[str, str]:
    what = WORDS[equation.symbol].removesuffix(f" {equation.symbol}")
    return {
        "symbol": equation.symbol,
        "what": f"{what}: {asks(cell_name, equation.symbol)}",
        "sum": number(equation.total, 5),
        "squash": equation.squash,
        "value": number(equation.value, 5),
        "in the trace": number(equation.recorded, 5),
    }


def _terms(found: tuple[Equation, ...]) -> pd.DataFrame:
    """Every term of every equation; a row each, and nothing rounded."""
    return pd.DataFrame(
        [
            {
                "equation": equation.formula,
                "term": term.label,
                "factors": " * ".join(repr(value) for value in term.factors),
                "product": term.product,
            }
            for equation in found
            for term in equation.terms
        ]
    )
