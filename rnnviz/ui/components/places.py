"""Where a view of the network is, where Python wants it, and what somebody asks for in it."""

import re
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeGuard

from rnnviz.figures.unrolled import Scene

Level = Literal["network", "cell", "gate"]
LEVELS: tuple[Level, ...] = ("network", "cell", "gate")


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


@dataclass(frozen=True, kw_only=True)
class Asked(Place):
    """Another level, or the vector of a gate or state pinned, at a place."""

    what: Literal["level", "pin"]
    level: Level
    symbol: str  # of a gate or state, at the level of gates and for pins


def order_for(wanted: Place, sent: Any, scene: Scene) -> Order:
    """The order that brings the view to where the page wants it, given the last report."""
    wanted = clamped(wanted, scene)
    moved, obeyed = read_move(sent, scene), _read_order(sent)
    if moved is None or obeyed is None:
        return Order(**asdict(wanted), number=0, answered=False)
    if asdict(moved) == asdict(wanted):
        return obeyed
    return Order(**asdict(wanted), number=obeyed.number + 1, answered=True)


def read_move(sent: Any, scene: Scene) -> Moved | None:
    """What a browser sent, as a place in the scene; None where it is none."""
    place = _read_place(sent)
    return None if place is None else Moved(**asdict(clamped(place, scene)))


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


def clamped(place: Place, scene: Scene) -> Place:
    """The nearest place that the scene has."""
    rows = {(row.layer, row.reverse): row for row in scene.rows}
    row = rows.get((place.layer, place.reverse), scene.rows[0])
    return Place(
        t=min(max(place.t, 0), len(scene.steps) - 1),
        unit=min(max(place.unit, 0), row.size - 1),
        layer=row.layer,
        reverse=row.reverse,
    )


def read_asked(sent: Any, scene: Scene) -> Asked | None:
    """What a browser asked for, at a place of the scene; None where it is nothing."""
    place = _read_place(sent)
    if place is None or sent.get("what") not in ("level", "pin"):
        return None
    level, symbol = sent.get("level"), sent.get("symbol")
    if level not in LEVELS or not isinstance(symbol, str) or not re.fullmatch("[a-z]?", symbol):
        return None
    placed = asdict(clamped(place, scene))
    return Asked(**placed, what=sent["what"], level=level, symbol=symbol)
