"""The What if page's presets: experiments that teach, with one press each."""

from typing import NamedTuple

import streamlit as st

from rnnviz.cells import Cell
from rnnviz.errors import TraceError
from rnnviz.inside.edited import Mask, Shift
from rnnviz.inside.interventions import Stack, read, written
from rnnviz.inside.reaching import Cut, Hold
from rnnviz.inside.staging import Place
from rnnviz.ui import widgets
from rnnviz.ui.whatif import Experiment

HOUR = 60.0  # [min]


class Preset(NamedTuple):
    """Interventions for one press; the title names what they are of this data set and cell."""

    title: str
    help: str
    stack: Stack


def days(done: Experiment) -> bool:
    """Whether steps have clock times."""
    return bool(done.names.begins)


def _at(done: Experiment, share: float) -> int:
    """The step after so much of the sequence, from 0."""
    return min(round(done.steps * share), done.steps - 1)


def _forgotten(done: Experiment) -> Preset:
    step = _at(done, 0.5)
    cuts = tuple(
        Cut(place=Place(way.layer, way.reverse), state="".join(way.cell.states), step=step)
        for way in done.before.network.ways
    )
    when = "at noon" if days(done) else "in the middle"
    return Preset(
        f"Forget everything {when}",
        "Every layer starts from zero memory there. How much of the prediction is left?",
        cuts,
    )


class _Teaching(NamedTuple):
    gate: str
    value: float
    title: str
    help: str


HELD = (  # which gates, by their symbol, teach what
    _Teaching("f", 0.0, "Forget gate held at 0", "The memory lasts one step: can it still tell?"),
    _Teaching("o", 0.0, "Output gate closed", "Nothing of the memory shows: only biases are left."),
    _Teaching("z", 0.0, "Update gate held at 0", "Every step replaces the state: the past fades."),
    _Teaching("r", 0.0, "Reset gate held at 0", "New content ignores the past."),
    _Teaching("a", 0.0, "All units silent", "The state is 0 at every step: only biases are left."),
)


def _held(done: Experiment, cell: Cell) -> list[Preset]:
    symbols = [gate.symbol for gate in cell.gates]
    layer, last = done.seen.layer, done.steps - 1
    place = Place(layer.layer, layer.reverse)
    return [
        Preset(
            each.title,
            each.help,
            (Hold(place=place, gate=each.gate, value=each.value, first=0, last=last),),
        )
        for each in HELD
        if each.gate in symbols
    ]


def _edited(done: Experiment) -> list[Preset]:
    first, last = _at(done, 0.5), done.steps - 1
    if not days(done):
        half = "The network reads nothing there. How much was it worth?"
        return [Preset("Second half masked", half, (Mask(first=first, last=last),))]
    quarter = round(6 * HOUR / done.names.minutes)
    help_shift = "The whole day is moved 6 hours later; what passes midnight comes first."
    help_mask = "From 12:00 to 18:00 the network reads nothing. How much was it worth?"
    until = min(_at(done, 0.75), done.steps) - 1
    return [
        Preset("Night shifted by 6 hours", help_shift, (Shift(by=quarter, first=0, last=last),)),
        Preset("Afternoon masked", help_mask, (Mask(first=first, last=max(until, first)),)),
    ]


def presets(done: Experiment) -> None:
    """Experiments that teach, with one press each."""
    st.markdown("##### Try")
    row = st.container(horizontal=True, gap="small")
    cell = done.before.network.ways[done.seen.chosen.layer].cell
    for k, preset in enumerate([_forgotten(done), *_held(done, cell), *_edited(done)]):
        row.button(
            preset.title,
            key=f"preset_{k}",
            help=preset.help,
            on_click=more,
            args=(written(done.stack), preset.stack),
        )


def more(before: str, more: Stack) -> None:
    """Callback: what was done when the page was drawn, and more. Twice does no harm."""
    try:
        text = written((*read(before), *more))
        read(text)  # neither too many nor too long
    except TraceError as wrong:
        widgets.notice(str(wrong))
    else:
        widgets.note("whatif", text)
