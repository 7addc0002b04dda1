"""The network unrolled over time, with a player; moving through time needs no server.

The message stays the same, byte for byte, while the browser itself moves through time, so that
Streamlit sends it once; see `Order`.
"""

from collections.abc import Callable
from typing import Any

import streamlit as st

from rnnviz.figures.theme import Quantity, colours, palette
from rnnviz.figures.unrolled import Inputs, Outputs, Row, Scene
from rnnviz.figures.values import Range
from rnnviz.ui.components import mount
from rnnviz.ui.components.packing import Packing, scale
from rnnviz.ui.components.places import (
    Asked,
    Moved,
    Order,
    Place,
    order_for,
    read_asked,
    read_move,
)


def unrolled(
    scene: Scene,
    *,
    t: int,
    unit: int,
    key: str,
    dark: bool,
    layer: int = 0,
    reverse: bool = False,
    on_move: Callable[[Moved], None],
    on_ask: Callable[[Asked], None],
) -> Moved | None:
    """Show the unrolled network with its player.

    Args:
        scene: what to show.
        t, unit, layer, reverse: the page's selection.
        key: names the view within its page.
        dark: for a dark page.
        on_move: called before the rerun that a move causes; it should store the selection, so
            that this function is next called with it. While playing: up to 4 times a second.
        on_ask: called before the rerun with what somebody wants: another level, a pin.

    Returns:
        Where the person last went, None if nowhere yet.
    """
    widget = st.session_state.get(key)
    order = order_for(
        Place(t=t, unit=unit, layer=layer, reverse=reverse),
        widget.get("moved") if widget is not None else None,
        scene,
    )

    def report() -> None:
        moved = read_move(st.session_state[key].get("moved"), scene)
        if moved is not None:
            on_move(moved)

    def answer() -> None:
        asked = read_asked(st.session_state[key].get("asked"), scene)
        if asked is not None:
            on_ask(asked)

    result = mount(
        "unrolled",
        css=True,
        key=key,
        data=message(scene, order, key, dark),
        on_moved_change=report,
        on_asked_change=answer,
    )
    return read_move(result.moved, scene)


def message(scene: Scene, order: Order, key: str, dark: bool) -> bytes:
    """What travels to the browser. The same scene and order give the same bytes."""
    packing = Packing()
    return packing.message(picture_of(scene, dark, packing), order, key)


def picture_of(scene: Scene, dark: bool, packing: Packing) -> dict[str, Any]:
    """The header without the order; arrays are put aside and referred to."""
    return {
        "dark": dark,
        "mark": palette(dark).mark,
        "steps": scene.steps,
        "notes": scene.notes,
        "inputs": inputs_of(scene.inputs, dark, packing),
        "rows": [_row(one, dark, packing) for one in scene.rows],
        "outputs": _outputs(scene.outputs, packing),
        "attention": packing.aside(scene.attention),
        "attentionColour": colours(Quantity.ATTENTION, dark)[11],
        "recurrentWeights": weights_scale(scene.heaviest_recurrent, dark),
        "inputWeights": weights_scale(scene.heaviest_input, dark),
    }


def _row(row: Row, dark: bool, packing: Packing) -> dict[str, Any]:
    lanes = [
        {
            "symbol": lane.symbol,
            "scale": scale(lane.range, dark),
            "values": packing.aside(lane.values),
        }
        for lane in row.lanes
    ]
    return {
        "title": row.title,
        "layer": row.layer,
        "reverse": row.reverse,
        "size": row.size,
        "units": row.units,
        "gate": row.gate,
        "lanes": lanes,
        "recurrent": packing.aside(row.recurrent),
        "inputs": packing.aside(row.inputs),
    }


def _outputs(outputs: Outputs, packing: Packing) -> dict[str, Any]:
    return {
        "everyStep": outputs.every_step,
        "counted": outputs.counted,
        "unit": outputs.unit,
        "names": outputs.names,
        "values": packing.aside(outputs.values),
        "choices": None if outputs.choices is None else outputs.choices.tolist(),
        "truth": outputs.truth.tolist(),
        "truthProbability": packing.aside(outputs.truth_probability),
    }


def inputs_of(inputs: Inputs, dark: bool, packing: Packing) -> dict[str, Any]:
    """What the network read, for a header."""
    return {
        "names": inputs.names,
        "size": inputs.size,
        "scale": scale(inputs.range, dark),
        "values": packing.aside(inputs.values),
        "given": inputs.given,
        "tokens": inputs.tokens,
        "tokenIds": None if inputs.token_ids is None else inputs.token_ids.tolist(),
    }


def weights_scale(heaviest: float, dark: bool) -> dict[str, Any]:
    """The colours of edges, the heaviest of which is so heavy."""
    limit = heaviest or 1.0
    return scale(Range(quantity=Quantity.STATE, low=-limit, high=limit), dark)
