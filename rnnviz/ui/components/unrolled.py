"""The network unrolled over time, with a player; moving through time needs no server.

A message is: the header's length (4 bytes, little endian), the header as JSON, padding to a
multiple of 4, and all arrays as float32. The message stays the same, byte for byte, while the
browser itself moves through time, so that Streamlit sends it once; see `Order`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeGuard

import numpy as np
import orjson
import streamlit as st

from rnnviz.figures.colours import to_rgb
from rnnviz.figures.theme import Quantity, colours, palette
from rnnviz.figures.unrolled import Lane, Range, Row, Scene
from rnnviz.ui.components import mount


@dataclass(frozen=True, kw_only=True)
class Place:
    """A unit of one row at one step; all count from 0."""

    t: int
    unit: int
    layer: int
    reverse: bool


@dataclass(frozen=True, kw_only=True)
class Moved(Place):
    """Where the person went inside the view."""


@dataclass(frozen=True, kw_only=True)
class Order(Place):
    """Where Python wants the view to be.

    The browser obeys an order number once. Python gives a new number only if the page's selection
    differs from what the browser reported last, that is if something else changed it.
    """

    number: int
    answered: bool  # the browser has reported since the view was put on the page


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
) -> Moved | None:
    """Show the unrolled network with its player.

    Args:
        scene: what to show.
        t, unit, layer, reverse: the page's selection.
        key: names the view within its page.
        dark: for a dark page.
        on_move: called before the rerun that a move causes; it should store the selection, so
            that this function is next called with it. While playing: up to 4 times a second.

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

    result = mount(
        "unrolled", css=True, key=key, data=message(scene, order, key, dark), on_moved_change=report
    )
    return read_move(result.moved, scene)


def order_for(wanted: Place, sent: Any, scene: Scene) -> Order:
    """The order that brings the view to where the page wants it, given the last report."""
    wanted = _clamped(wanted, scene)
    moved, obeyed = read_move(sent, scene), _read_order(sent)
    if moved is None or obeyed is None:
        return Order(**asdict(wanted), number=0, answered=False)
    if asdict(moved) == asdict(wanted):
        return obeyed
    return Order(**asdict(wanted), number=obeyed.number + 1, answered=True)


def read_move(sent: Any, scene: Scene) -> Moved | None:
    """What a browser sent, as a place in the scene; None where it is none."""
    place = _read_place(sent)
    return None if place is None else Moved(**asdict(_clamped(place, scene)))


def _read_order(sent: Any) -> Order | None:
    order = sent.get("order") if isinstance(sent, dict) else None
    place = _read_place(order)
    if place is None or not isinstance(order, dict) or not _is_index(order.get("number")):
        return None
    return Order(**asdict(place), number=order["number"], answered=True)


def _read_place(sent: Any) -> Place | None:
    if not isinstance(sent, dict):
        return None
    t, unit, layer, reverse = (sent.get(name) for name in ("t", "unit", "layer", "reverse"))
    if not (_is_index(t) and _is_index(unit) and _is_index(layer) and isinstance(reverse, bool)):
        return None
    return Place(t=t, unit=unit, layer=layer, reverse=reverse)


def _is_index(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31


def _clamped(place: Place, scene: Scene) -> Place:
    """The nearest place that the scene has."""
    rows = {(row.layer, row.reverse): row for row in scene.rows}
    row = rows.get((place.layer, place.reverse), scene.rows[0])
    return Place(
        t=min(max(place.t, 0), len(scene.steps) - 1),
        unit=min(max(place.unit, 0), row.size - 1),
        layer=row.layer,
        reverse=row.reverse,
    )


def message(scene: Scene, order: Order, key: str, dark: bool) -> bytes:
    """What travels to the browser. The same scene and order give the same bytes."""
    arrays: list[np.ndarray] = []
    picture = _picture(scene, dark, arrays)
    body = b"".join(np.ascontiguousarray(array, "<f4").tobytes() for array in arrays)
    digest = hashlib.blake2b(orjson.dumps(picture) + body, digest_size=8).hexdigest()
    header = orjson.dumps({"id": digest, "key": key, "order": asdict(order), **picture})
    header += b" " * (-len(header) % 4)
    return len(header).to_bytes(4, "little") + header + body


def _picture(scene: Scene, dark: bool, arrays: list[np.ndarray]) -> dict[str, Any]:
    """The header without the order; arrays are put aside and referred to."""

    def aside(array: np.ndarray | None) -> dict[str, Any] | None:
        if array is None:
            return None
        at = sum(other.size for other in arrays)
        arrays.append(array)
        return {"at": at, "shape": array.shape}

    def lane(lane: Lane) -> dict[str, Any]:
        return {
            "symbol": lane.symbol,
            "scale": _scale(lane.range, dark),
            "values": aside(lane.values),
        }

    def row(row: Row) -> dict[str, Any]:
        return {
            "title": row.title,
            "layer": row.layer,
            "reverse": row.reverse,
            "size": row.size,
            "units": row.units,
            "gate": row.gate,
            "lanes": [lane(one) for one in row.lanes],
            "recurrent": aside(row.recurrent),
            "inputs": aside(row.inputs),
        }

    inputs, outputs = scene.inputs, scene.outputs
    return {
        "dark": dark,
        "mark": palette(dark).mark,
        "steps": scene.steps,
        "notes": scene.notes,
        "inputs": {
            "names": inputs.names,
            "size": inputs.size,
            "scale": _scale(inputs.range, dark),
            "values": aside(inputs.values),
            "given": inputs.given,
            "tokens": inputs.tokens,
            "tokenIds": None if inputs.token_ids is None else inputs.token_ids.tolist(),
        },
        "rows": [row(one) for one in scene.rows],
        "outputs": {
            "everyStep": outputs.every_step,
            "counted": outputs.counted,
            "unit": outputs.unit,
            "names": outputs.names,
            "values": aside(outputs.values),
            "choices": None if outputs.choices is None else outputs.choices.tolist(),
            "truth": outputs.truth.tolist(),
            "truthProbability": aside(outputs.truth_probability),
        },
        "attention": aside(scene.attention),
        "attentionColour": colours(Quantity.ATTENTION, dark)[11],
        "recurrentWeights": _weights(scene.heaviest_recurrent, dark),
        "inputWeights": _weights(scene.heaviest_input, dark),
    }


def _weights(heaviest: float, dark: bool) -> dict[str, Any]:
    limit = heaviest or 1.0
    return _scale(Range(quantity=Quantity.STATE, low=-limit, high=limit), dark)


def _scale(range_: Range, dark: bool) -> dict[str, Any]:
    stops = [to_rgb(colour) for colour in colours(range_.quantity, dark)]
    return {"low": range_.low, "high": range_.high, "stops": stops}
