"""One cell as a wiring diagram, and one of its gates as a sum; moving about needs no server."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import streamlit as st

from rnnviz.figures.cell import Block, CellScene, Sum
from rnnviz.figures.gates import WORDS
from rnnviz.figures.unrolled import Scene
from rnnviz.figures.wiring import Kind, Node, Wire, asks
from rnnviz.ui.components import mount
from rnnviz.ui.components.packing import Packing, scale
from rnnviz.ui.components.places import (
    Asked,
    Level,
    Moved,
    Order,
    Place,
    order_for,
    read_asked,
    read_move,
)
from rnnviz.ui.components.unrolled import inputs_of


def cell(
    drawn: CellScene,
    scene: Scene,
    *,
    place: Place,
    level: Level,
    symbol: str,
    key: str,
    dark: bool,
    on_move: Callable[[Moved], None],
    on_ask: Callable[[Asked], None],
) -> None:
    """Show a cell's wiring, or one gate, with the player.

    Args:
        drawn: what to show.
        scene: of the network that the cell is part of.
        place: the page's selection.
        level, symbol: where the view begins; from then on it says itself where it goes.
        key: names the view within its page.
        dark: for a dark page.
        on_move: called before the rerun that a move causes; it should store the selection.
        on_ask: likewise with what somebody wants: another level, another gate, a pin.
    """
    widget = st.session_state.get(key)
    order = order_for(place, widget.get("moved") if widget is not None else None, scene)

    def report() -> None:
        moved = read_move(st.session_state[key].get("moved"), scene)
        if moved is not None:
            on_move(moved)

    def answer() -> None:
        asked = read_asked(st.session_state[key].get("asked"), scene)
        if asked is not None:
            on_ask(asked)

    mount(
        "cell",
        css=True,
        key=key,
        data=message(drawn, scene, order, key, dark, level=level, symbol=symbol),
        on_moved_change=report,
        on_asked_change=answer,
    )


def message(
    drawn: CellScene,
    scene: Scene,
    order: Order,
    key: str,
    dark: bool,
    *,
    level: Level,
    symbol: str,
) -> bytes:
    """What travels to the browser; its id follows the picture and not where one is in it."""
    packing = Packing()
    picture = _picture(drawn, scene, dark, packing)
    return packing.message(picture, order, key, level=level, symbol=symbol)


def _picture(drawn: CellScene, scene: Scene, dark: bool, packing: Packing) -> dict[str, Any]:
    aside, layer = packing.aside, drawn.layer
    return {
        "dark": dark,
        "steps": scene.steps,
        "inputs": inputs_of(scene.inputs, dark, packing),
        "title": layer.title,
        "cell": layer.cell,
        "layer": layer.layer,
        "reverse": layer.reverse,
        "size": layer.states.shape[-1],
        "height": drawn.graph.height,
        "graphNotes": drawn.graph.notes,
        "nodes": [_node(node, drawn, dark) for node in drawn.graph.nodes],
        "wires": [_wire(wire) for wire in drawn.graph.wires],
        "units": _block(drawn.units),
        "stretch": _block(drawn.stretch),
        "values": {name: aside(array) for name, array in drawn.values.items()},
        "sums": {one.symbol: _sum(one, packing) for one in drawn.sums},
        "inputNames": drawn.input_names,
        "inputSize": layer.inputs.shape[2],
        "tokenIds": None if drawn.token_ids is None else drawn.token_ids.tolist(),
        "x": aside(drawn.x),
        "h": aside(drawn.h),
        "scaledBy": aside(drawn.scale),
    }


def _node(node: Node, drawn: CellScene, dark: bool) -> dict[str, Any]:
    named = node.kind in (Kind.GATE, Kind.STATE)
    return {
        **node._asdict(),
        "name": WORDS[node.symbol].removesuffix(f" {node.symbol}") if named else "",
        "question": asks(drawn.layer.cell, node.symbol) if named else "",
        "scale": scale(drawn.ranges[node.id], dark),
    }


def _wire(wire: Wire) -> dict[str, Any]:
    return {**wire._asdict(), "bends": [list(bend) for bend in wire.bends]}


def _sum(one: Sum, packing: Packing) -> dict[str, Any]:
    aside = packing.aside
    return {
        "inputWeights": aside(one.input_weights),
        "recurrentWeights": aside(one.recurrent_weights),
        "inputBias": aside(one.input_bias),
        "recurrentBias": aside(one.recurrent_bias),
        "beforeSquash": aside(one.before_squash),
    }


def _block(block: Block) -> dict[str, int]:
    return asdict(block)
