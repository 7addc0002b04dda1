"""INTERVENTIONS: what can be done to a run, by name; a stack of them, done in order, and as text.

The text stands in a link: letters, digits and - . _ ~ only, which no program changes on the way.
It is read strictly; whatever else comes raises TraceError, and nothing in it names code.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from rnnviz.errors import TraceError
from rnnviz.inside.edited import (
    PARTS,
    AddInput,
    Mask,
    SetInput,
    Shift,
    Token,
    Weigh,
    WeighHead,
)
from rnnviz.inside.measured import Measured
from rnnviz.inside.network import Network, Sequence
from rnnviz.inside.reaching import STATES, Cut, Freeze, Hold, Put
from rnnviz.inside.staging import Intervention, Place, Stage
from rnnviz.inside.steps import Change, Hands, Held

MOST = 12  # interventions in a stack
LONGEST = 1500  # characters of its text
BETWEEN, WITHIN = "~", "_"  # interventions, and the parts of one

Stack = tuple[Intervention, ...]


class Field(NamedTuple):
    """One part of an intervention's text, which may hold several of its values."""

    pattern: str
    read: Callable[[str], dict[str, Any]]
    write: Callable[[Any], str]
    example: str


class Kind(NamedTuple):
    """One thing that can be done."""

    title: str
    make: Callable[..., Intervention]
    fields: tuple[Field, ...]
    reads: str = ""  # "numbers" or "tokens", where it makes sense for these inputs only


def _count(name: str) -> Field:
    """A number from 1 on."""
    return Field(
        r"[1-9]\d{0,5}",
        lambda text: {name: int(text) - 1},
        lambda it: str(getattr(it, name) + 1),
        "3",
    )


def _one_of(name: str, known: Iterable[str]) -> Field:
    options = list(known)
    return Field(
        "|".join(options), lambda text: {name: text}, lambda it: getattr(it, name), options[0]
    )


def _count_or(name: str, word: str) -> Field:
    """A number from 1 on, or a word for none."""
    return Field(
        rf"{word}|[1-9]\d{{0,5}}",
        lambda text: {name: None if text == word else int(text) - 1},
        lambda it: word if getattr(it, name) is None else str(getattr(it, name) + 1),
        word,
    )


def _number(value: float) -> str:
    """The shortest text that gives the same number back."""
    return repr(float(value)).removesuffix(".0")


def _place(text: str) -> dict[str, Any]:
    return {"place": Place(int(text.removesuffix("b")) - 1, text.endswith("b"))}


def _units(text: str) -> dict[str, Any]:
    named = () if text == "all" else tuple(int(unit) - 1 for unit in text.split("."))
    return {"units": named}


def _span(text: str) -> dict[str, Any]:
    first, _, last = text.partition("-")
    return {"first": int(first) - 1, "last": int(last or first) - 1}


def _span_of(it: Any) -> str:
    return f"{it.first + 1}" if it.first == it.last else f"{it.first + 1}-{it.last + 1}"


PLACE = Field(
    r"[1-9]\d{0,2}b?",
    _place,
    lambda it: f"{it.place.layer + 1}{'b' if it.place.reverse else ''}",
    "1",
)
UNITS = Field(
    r"all|[1-9]\d{0,5}(?:\.[1-9]\d{0,5}){0,63}",
    _units,
    lambda it: ".".join(str(unit + 1) for unit in it.units) or "all",
    "all",
)
SPAN = Field(r"[1-9]\d{0,5}(?:-[1-9]\d{0,5})?", _span, _span_of, "49-72")
GATE = Field(r"[a-z]", lambda text: {"gate": text}, lambda it: it.gate, "f")
VALUE = Field(
    r"-?\d{1,17}(?:\.\d{1,20})?(?:e-?\d{1,3})?",
    lambda text: {"value": float(text)},
    lambda it: _number(it.value),
    "0",
)
BY = Field(r"-?\d{1,6}", lambda text: {"by": int(text)}, lambda it: str(it.by), "36")
STATE, STEP = _one_of("state", ("h", "c")), _count("step")

INTERVENTIONS: Mapping[str, Kind] = {
    "hold": Kind("Hold a gate at a value", Hold, (PLACE, GATE, UNITS, SPAN, VALUE)),
    "freeze": Kind("Freeze units", Freeze, (PLACE, STATE, UNITS, SPAN)),
    "put": Kind("Set units to a value", Put, (PLACE, STATE, UNITS, SPAN, VALUE)),
    "cut": Kind("Cut the memory at a step", Cut, (PLACE, _one_of("state", STATES), STEP)),
    "set": Kind("Set the input", SetInput, (_count_or("feature", "all"), SPAN, VALUE), "numbers"),
    "add": Kind(
        "Add to the input", AddInput, (_count_or("feature", "all"), SPAN, VALUE), "numbers"
    ),
    "token": Kind("Replace a token", Token, (_count("token"), STEP), "tokens"),
    "mask": Kind("Mask a part", Mask, (SPAN,)),
    "shift": Kind("Shift a part in time", Shift, (SPAN, BY)),
    "weight": Kind(
        "Edit a weight",
        Weigh,
        (PLACE, _one_of("part", PARTS), GATE, _count("row"), _count("column"), VALUE),
    ),
    "head": Kind(
        "Edit a weight of the head", WeighHead, (_count("row"), _count_or("column", "bias"), VALUE)
    ),
}


# -- done ------------------------------------------------------------------------------------------


class Applied(NamedTuple):
    """What to run: network.run(sequence, hands)."""

    network: Network
    sequence: Sequence
    hands: Mapping[int, Hands]  # by the place of a way


def apply(
    network: Network, sequence: Sequence, stack: Stack, measured: Measured | None = None
) -> Applied:
    """The network, the sequence and the hands after all of them, done in order.

    Args:
        measured: between measured values and inputs; None where they are the same.

    Raises:
        TraceError: one does not fit this network or sequence.
    """
    stage = _stage(network, sequence, measured)
    for intervention in stack:
        stage = intervention.on(stage)
    hands = {place: _joined(many) for place, many in stage.reaching.items()}
    return Applied(stage.network, stage.sequence, hands)


def misfits(
    network: Network, sequence: Sequence, stack: Stack, measured: Measured | None = None
) -> tuple[str, ...]:
    """Why each of a stack does not fit, "" where it does; those that do not are left out."""
    stage, reasons = _stage(network, sequence, measured), []
    for intervention in stack:
        try:
            stage = intervention.on(stage)
            reasons.append("")
        except TraceError as wrong:
            reasons.append(str(wrong))
    return tuple(reasons)


def _stage(network: Network, sequence: Sequence, measured: Measured | None) -> Stage:
    units = measured or Measured.as_read(sequence.inputs.shape[1])
    return Stage(network=network, sequence=sequence, measured=units, reaching={})


def _joined(many: tuple[Hands, ...]) -> Hands:
    """One pair of hands that does what all do, in order."""

    def states(changes: list[Change]) -> Change:
        def change(t: int, states: tuple[Any, ...]) -> tuple[Any, ...]:
            for each in changes:
                states = each(t, states)
            return states

        return change

    def gates(holds: list[Held]) -> Held:
        def hold(t: int, gate: int, values: Any) -> Any:
            for each in holds:
                values = each(t, gate, values)
            return values

        return hold

    return Hands(
        before=states([hands.before for hands in many]),
        gate=gates([hands.gate for hands in many]),
        carried=states([hands.carried for hands in many]),
        after=states([hands.after for hands in many]),
    )


# -- as text ---------------------------------------------------------------------------------------


def key_of(intervention: Intervention) -> str:
    """Its key in INTERVENTIONS."""
    return next(key for key, kind in INTERVENTIONS.items() if kind.make is type(intervention))


def written(stack: Stack) -> str:
    """A stack as the text of a link; read() gives the same back."""
    return BETWEEN.join(map(_written, stack))


def _written(intervention: Intervention) -> str:
    key = key_of(intervention)
    parts = (field.write(intervention) for field in INTERVENTIONS[key].fields)
    return WITHIN.join((key, *parts))


def read(text: str) -> Stack:
    """The stack that a text names.

    Raises:
        TraceError: it is no such text, or names more than may be.
    """
    if len(text) > LONGEST:
        raise TraceError(
            f"the interventions of this link take {len(text):,} characters; "
            f"at most {LONGEST:,} are allowed"
        )
    parts = text.split(BETWEEN) if text else []
    if len(parts) > MOST:
        raise TraceError(f"there are {len(parts)} interventions; at most {MOST} are allowed")
    return tuple(map(_read, parts))


def _read(text: str) -> Intervention:
    key, *parts = text.split(WITHIN)
    kind = INTERVENTIONS.get(key)
    if kind is None:
        raise TraceError(
            f"there is no intervention {key[:20]!r}; choose one of {', '.join(INTERVENTIONS)}"
        )
    fields = kind.fields
    if len(parts) != len(fields) or not all(
        re.fullmatch(field.pattern, part, re.ASCII)
        for field, part in zip(fields, parts, strict=True)
    ):
        example = WITHIN.join((key, *(field.example for field in fields)))
        raise TraceError(f"{text[:60]!r} cannot be read; it has to look like {example}")
    values: dict[str, Any] = {}
    for field, part in zip(fields, parts, strict=True):
        values |= field.read(part)
    return kind.make(**values)
