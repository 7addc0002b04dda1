"""Pinned vectors: kept in the session and in the address, compared below the drawing."""

import pandas as pd
import streamlit as st

from rnnviz.figures.pins import (
    LETTERS,
    MOST_PINS,
    Pin,
    Pinned,
    pairs,
    pinned,
    read_pins,
    strips,
    write_pins,
)
from rnnviz.figures.unrolled import naming
from rnnviz.trace import Trace
from rnnviz.ui import session, widgets
from rnnviz.ui.components.plot import plot
from rnnviz.ui.controls import escaped
from rnnviz.ui.looking import Looking
from rnnviz.ui.words import number


def pin(seen: Looking, *, layer: int, symbol: str, t: int) -> None:
    """Pin the vector of all units at a step; in a callback."""
    pins = read_pins(widgets.noted("pins"))
    new = Pin(seen.trace.epoch, seen.chosen.sequence, layer, symbol, t)
    if new in pins:
        return
    if len(pins) == MOST_PINS:
        widgets.notice(f"{MOST_PINS} vectors are pinned; remove one to pin another.")
        return
    widgets.note("pins", write_pins((*pins, new)))


def _remove(pins: tuple[Pin, ...], gone: Pin) -> None:
    widgets.note("pins", write_pins([pin for pin in pins if pin != gone]))


def compared(seen: Looking) -> None:
    """What is pinned, on one scale, and how every two differ."""
    pins = read_pins(widgets.noted("pins"))
    names = naming(seen.dataset).steps
    found = [pinned(one, _trace(seen, one), lambda t: step_name(names, t)) for one in pins]
    shown = [one for one in found if one is not None]
    if len(shown) < len(pins):  # of another run, or of an epoch that is no longer kept
        widgets.note("pins", write_pins([one.pin for one in shown]))
    st.markdown("##### Pinned vectors")
    if not shown:
        st.caption(
            "Nothing is pinned. **Pin** above keeps the vector that is looked at, at its step: "
            "h, c or a gate, of all units. Up to five are compared here."
        )
        return
    for k, one in enumerate(shown):
        _row(LETTERS[k], one, tuple(other.pin for other in shown))
    plot(strips(shown, unit=seen.chosen.unit, dark=seen.look.dark), key="pins")
    if len(shown) > 1:
        st.table(_differences(shown).set_index("vectors"))


def _trace(seen: Looking, pin: Pin) -> Trace | None:
    return session.trace_at(seen.run, seen.view, pin.epoch)


def step_name(names: tuple[str, ...], t: int) -> str:
    """Such as 'step 57 (09:20)'."""
    told = names[t] if t < len(names) else ""
    return f"step {t + 1}" + ("" if told in ("", str(t + 1)) else f" ({told})")


def _row(letter: str, one: Pinned, pins: tuple[Pin, ...]) -> None:
    line = st.container(horizontal=True, vertical_alignment="center", key=f"pin_{letter}")
    line.markdown(f"**{letter}**: {escaped(one.title)}", width="content")
    line.button("Go there", key=f"pin_go_{letter}", on_click=_go, args=(one.pin,))
    line.button("Remove", key=f"pin_off_{letter}", on_click=_remove, args=(pins, one.pin))


def _go(pin: Pin) -> None:
    session.select(sequence=pin.sequence, layer=pin.layer, t=pin.t)
    widgets.suggest({"epoch": str(pin.epoch)})


def _differences(shown: list[Pinned]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "vectors": f"{LETTERS[pair.first]} and {LETTERS[pair.second]}",
                "cosine similarity": number(pair.cosine, 4),
                "distance": number(pair.distance, 4),
                "differ most in": f"unit {pair.unit + 1}: {number(pair.difference, 4)}",
            }
            for pair in pairs([one.values for one in shown])
        ]
    )
