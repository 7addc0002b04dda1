"""A cell as a wiring diagram: what is multiplied with what, as data that a browser can draw.

GRAPHS has a graph for every cell. figures/currents.py puts a trace's numbers through it, which is
how a test knows that the drawing is the cell. No numbers here.

Places are in shares of the width, and in pixels from the top. A wire leaves the middle of its
source and arrives at the middle of its target; a drawing cuts off what lies inside of either.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from rnnviz.cells import CELLS
from rnnviz.errors import TraceError
from rnnviz.figures.equations import FORMS, CellForm
from rnnviz.trace import LayerTrace


class Kind(StrEnum):
    """What a node does with what comes in."""

    INPUT = "input"  # x, as the layer read it
    BEFORE = "before"  # a state that the step starts from
    GATE = "gate"  # squash(W x + b + U h + b), or + what comes instead of U h + b
    LINEAR = "linear"  # U h + b
    TIMES = "times"
    PLUS = "plus"
    SQUASH = "squash"
    ONE_MINUS = "one minus"
    STATE = "state"  # what comes in is the state after the step


class Node(NamedTuple):
    """A node and its place."""

    id: str
    kind: Kind
    x: float  # of the width
    y: float  # of the middle, from the top [px]
    symbol: str  # of a gate or state; else its formula
    like: str  # the gate, state or "pre" whose range and colours its values take
    squash: str = ""  # key of SQUASHES
    note: str = ""  # what is peculiar to the cell, in a few words


class Bend(NamedTuple):
    """A corner of a wire."""

    x: float  # of the width
    y: float  # [px]
    shift: float = 0.0  # to the right [px]


class Wire(NamedTuple):
    """A vector on its way; `part` says as what a gate takes it."""

    source: str
    target: str
    bends: tuple[Bend, ...] = ()
    part: str = ""  # of a gate: "x", "h", or "recurred" for what stands for U h + b
    shift: float = 0.0  # of both ends along the target's edge [px]
    label: int = -1  # the stretch that carries the number; -1: none


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The wiring of one cell.

    Attributes:
        nodes: in an order in which they can be computed.
        height: of the drawing [px].
        notes: what tells this cell from its relatives, a sentence each.
    """

    nodes: tuple[Node, ...]
    wires: tuple[Wire, ...]
    height: int
    notes: tuple[str, ...]

    def into(self, target: str) -> tuple[Wire, ...]:
        """The wires that arrive at a node."""
        return tuple(wire for wire in self.wires if wire.target == target)

    def node(self, id: str) -> Node:
        """A node by its id."""
        return next(node for node in self.nodes if node.id == id)


BEFORE = "(t\N{MINUS SIGN}1)"
AWAY = 30.0  # of the x and h wires from a gate's middle [px]
TIMES, H_BUS, X_BUS = "\N{CIRCLED DOT OPERATOR}", 446.0, 526.0
TOP, MIDDLE, GATES = 50.0, 148.0, 330.0  # heights of the rows [px]
LEFT, RIGHT, HEIGHT = 0.058, 0.942, 572


def _before(state: str, y: float) -> Node:
    return Node(f"{state} before", Kind.BEFORE, LEFT, y, f"{state}{BEFORE}", state)


def _input(y: float) -> Node:
    return Node("x", Kind.INPUT, LEFT, y, "x", "x")


def _state(symbol: str, y: float) -> Node:
    return Node(symbol, Kind.STATE, RIGHT, y, symbol, symbol)


def _gate(form: CellForm, symbol: str, x: float, note: str = "") -> Node:
    squash = next(gate.squash for gate in form.gates if gate.symbol == symbol)
    return Node(symbol, Kind.GATE, x, GATES, symbol, symbol, squash, note)


def _x_into(gate: Node) -> Wire:
    """x from its line below into a gate."""
    return Wire("x", gate.id, (Bend(gate.x, X_BUS, AWAY),), "x", AWAY)


def _h_into(gate: Node, *, down: tuple[Bend, ...] = ()) -> Wire:
    """h from its line below into a gate; `down` leads to that line."""
    return Wire("h before", gate.id, (*down, Bend(gate.x, H_BUS, -AWAY)), "h", -AWAY)


def _lstm(form: CellForm) -> Graph:
    f, i, g, o = (
        _gate(form, symbol, x)
        for symbol, x in zip("figo", (0.185, 0.378, 0.571, 0.764), strict=True)
    )
    content = g.squash
    kept = Node("kept", Kind.TIMES, f.x, TOP, f"f {TIMES} c{BEFORE}", "c")
    new = Node("new", Kind.TIMES, g.x, MIDDLE, f"i {TIMES} g", "c")
    sum_ = Node("sum", Kind.PLUS, g.x, TOP, "c", "c")
    memory = Node("memory", Kind.SQUASH, o.x, 106.0, f"{content}(c)", "g", content)
    shown = Node("shown", Kind.TIMES, o.x, 204.0, f"o {TIMES} {content}(c)", "h")
    c, h = _state("c", TOP), _state("h", 204.0)
    before_h, before_c, x = _before("h", H_BUS), _before("c", TOP), _input(X_BUS)
    nodes = (x, before_h, before_c, i, f, g, o, kept, new, sum_, c, memory, shown, h)
    wires = (
        *(_h_into(gate) for gate in (f, i, g, o)),
        *(_x_into(gate) for gate in (f, i, g, o)),
        Wire("c before", "kept"),
        Wire("f", "kept", label=0),
        Wire("i", "new", (Bend(i.x, MIDDLE),), label=0),
        Wire("g", "new", label=0),
        Wire("kept", "sum", label=0),
        Wire("new", "sum", label=0),
        Wire("sum", "c"),
        Wire("sum", "memory", (Bend(o.x, TOP),)),
        Wire("memory", "shown", label=0),
        Wire("o", "shown", label=0),
        Wire("shown", "h"),
    )
    notes = ("c is the memory: it passes from step to step with one product and one sum.",)
    return Graph(nodes=nodes, wires=wires, height=HEIGHT, notes=notes)


def _gru(form: CellForm) -> Graph:
    first = form.gates[2].reset_first
    z, r, n = (_gate(form, s, x) for s, x in zip("zrn", (0.205, 0.425, 0.805), strict=True))
    old = Node("old", Kind.TIMES, z.x, TOP, f"z {TIMES} h{BEFORE}", "h", "", "z keeps the old h")
    rest = Node("rest", Kind.ONE_MINUS, r.x, MIDDLE, "1 \N{MINUS SIGN} z", "z")
    new = Node("new", Kind.TIMES, n.x, MIDDLE, f"(1 \N{MINUS SIGN} z) {TIMES} n", "h")
    sum_ = Node("sum", Kind.PLUS, n.x, TOP, "h", "h")
    h, before, x = _state("h", TOP), _before("h", TOP), _input(X_BUS)
    reset, extra, into = _reset_first() if first else _reset_last()
    nodes = (x, before, r, z, *reset, n, old, rest, new, sum_, h)
    wires = (
        *(_h_into(gate, down=(_DOWN,)) for gate in (z, r)),
        *extra,
        *(_x_into(gate) for gate in (z, r, n)),
        Wire(into, "n", part="h" if first else "recurred", label=0),
        Wire("h before", "old"),
        Wire("z", "old", label=0),
        Wire("z", "rest", (Bend(z.x, MIDDLE),)),
        Wire("rest", "new", label=0),
        Wire("n", "new", label=0),
        Wire("old", "sum", label=0),
        Wire("new", "sum", label=0),
        Wire("sum", "h"),
    )
    return Graph(nodes=nodes, wires=wires, height=HEIGHT, notes=(_WHERE[first], _WHICH))


_WHERE = {
    True: "r acts before the product: U_n reads r \N{CIRCLED DOT OPERATOR} h, as in the first "
    "paper and on the cheat sheet.",
    False: "r acts after the product: r multiplies U_n h + b, as in PyTorch and in Keras.",
}
_WHICH = (
    "z multiplies the old state and 1 \N{MINUS SIGN} z the new content; the cheat sheet's u is "
    "1 \N{MINUS SIGN} z."
)
_ASIDE = 0.605  # where r meets the past
_DOWN = Bend(LEFT, H_BUS)  # from h, which passes on top, to the line below the gates


def _reset_first() -> tuple[tuple[Node, ...], tuple[Wire, ...], str]:
    """r times h, which then goes into U."""
    meet = Node("reset", Kind.TIMES, _ASIDE, GATES, f"r {TIMES} h{BEFORE}", "h", "", "before U")
    wires = (
        Wire("r", meet.id, label=0),
        Wire("h before", meet.id, (_DOWN, Bend(_ASIDE, H_BUS))),
    )
    return (meet,), wires, meet.id


def _reset_last() -> tuple[tuple[Node, ...], tuple[Wire, ...], str]:
    """U h + b, which r then multiplies."""
    past = Node(
        "past", Kind.LINEAR, _ASIDE, 399.0, "U\N{LATIN SUBSCRIPT SMALL LETTER N} h + b", "pre"
    )
    meet = Node("reset", Kind.TIMES, _ASIDE, GATES, f"r {TIMES} (U h + b)", "pre", "", "after U")
    wires = (
        Wire("r", meet.id, label=0),
        Wire("h before", past.id, (_DOWN, Bend(_ASIDE, H_BUS))),
        Wire(past.id, meet.id),
    )
    return (past, meet), wires, meet.id


def _rnn(form: CellForm) -> Graph:
    a = _gate(form, "a", 0.5)
    h, before, x = _state("h", GATES), _before("h", H_BUS), _input(X_BUS)
    wires = (_h_into(a), _x_into(a), Wire("a", "h"))
    lift = GATES - 92.0  # there is nothing above the gate
    return _lifted(Graph(nodes=(x, before, a, h), wires=wires, height=HEIGHT, notes=_PLAIN), lift)


_PLAIN = ("The whole state is written anew at every step: nothing is kept but through U.",)


def _lifted(graph: Graph, by: float) -> Graph:
    return Graph(
        nodes=tuple(node._replace(y=node.y - by) for node in graph.nodes),
        wires=tuple(
            wire._replace(bends=tuple(bend._replace(y=bend.y - by) for bend in wire.bends))
            for wire in graph.wires
        ),
        height=int(graph.height - by),
        notes=graph.notes,
    )


STATES: Mapping[str, str] = {
    "h": "what the cell shows, upward and to the next step",
    "c": "what the cell remembers",
}
FAMILIES: Mapping[str, Callable[[CellForm], Graph]] = {"ifgo": _lstm, "rzn": _gru, "a": _rnn}
GRAPHS: Mapping[str, Graph] = {
    name: FAMILIES["".join(gate.symbol for gate in form.gates)](form)
    for name, form in FORMS.items()
}


def asks(cell: str, symbol: str) -> str:
    """The question that a gate answers, or what a state is for."""
    questions = {gate.symbol: gate.question for gate in CELLS[cell].gates}
    return questions.get(symbol) or STATES[symbol]


def graph_of(layer: LayerTrace) -> Graph:
    """The wiring of a layer's cell.

    Raises:
        TraceError: there is none.
    """
    if layer.cell not in GRAPHS:
        known = ", ".join(GRAPHS)
        raise TraceError(f"there is no drawing of the cell {layer.cell!r}, only of {known}")
    return GRAPHS[layer.cell]
