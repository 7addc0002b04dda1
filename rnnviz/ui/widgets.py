"""What widgets hold, before they are drawn and after, and what is kept between two drawings."""

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import streamlit as st
from streamlit.errors import StreamlitAPIException

from rnnviz.config import DataConfig

Drawn = TypeVar("Drawn")
Value = TypeVar("Value")


def note(name: str, text: str) -> None:
    """Keep a short text in the session and in the address; an empty one leaves the address."""
    st.session_state[f"_{name}"] = text
    if text:
        st.query_params[name] = text
    else:
        st.query_params.pop(name, None)


def noted(name: str) -> str:
    """What was kept under a name: in the session, else in the address a visitor came with."""
    there = st.query_params.get(name, "")
    text = st.session_state.setdefault(f"_{name}", there)
    if text != there:
        note(name, text)  # a change of pages empties the address
    return text


PART = "whatif_part"  # the key of the widget that chooses a part of a sequence


def keep_part() -> None:
    """Before its widget is drawn, if it is: without this, what is not drawn is forgotten."""
    if PART in st.session_state:
        st.session_state[PART] = st.session_state[PART]


def chosen_part(steps: int) -> tuple[int, int]:
    """First and last step, from 0, of the part that the next intervention is for."""
    usual = (steps // 2 + 1, max(steps * 3 // 4, steps // 2 + 1))
    first, last = st.session_state.setdefault(PART, usual)
    if last > steps:
        first, last = st.session_state[PART] = usual
    return first - 1, last - 1


def choose_part(first: int, last: int) -> None:
    """The same, in a callback; counts from 0."""
    st.session_state[PART] = (first + 1, last + 1)


def carry_over(page: str, keys: Iterable[str]) -> None:
    """Take settings along to another page; Streamlit loses there what came from the address."""
    if st.session_state.get("_page") == page:
        return
    st.session_state["_page"] = page
    for key in keys:
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]


def replaced(name: str, value: Value) -> Value | None:
    """Keep a value in the session; what was kept under the name before, None the first time."""
    before = st.session_state.get(f"_{name}")
    st.session_state[f"_{name}"] = value
    return before


def forget_unless(key: str, options: Sequence[object]) -> None:
    """The same for one widget, if what it holds is no longer to be had."""
    if key in st.session_state and st.session_state[key] not in options:
        del st.session_state[key]


def forget_unless_all(key: str, options: list[str]) -> None:
    """The same for a widget of several choices, as soon as one of them is no longer to be had."""
    if key in st.session_state and not set(st.session_state[key]) <= set(options):
        del st.session_state[key]


def keep_within(key: str, low: int, high: int) -> None:
    """Let a widget begin again where what it holds lies outside of its range."""
    if key in st.session_state and not low <= st.session_state[key] <= high:
        del st.session_state[key]


def held(key: str, usual: Value) -> Value:
    """What a widget holds, or what it holds at first.

    To be told to the widget at every drawing: a browser may miss the first one.
    """
    return st.session_state.get(key, usual)


def mark(key: str, value: tuple[int, int]) -> None:
    """Set a widget of a range, in a callback or before it is drawn."""
    st.session_state[key] = value


def keep_among(key: str, options: list[str]) -> None:
    """Take out of what a widget of several choices holds all that is no longer to be had."""
    if key in st.session_state:
        st.session_state[key] = [each for each in st.session_state[key] if each in options]


def kept_figure(key: str, mark: tuple[object, ...], draw: Callable[[], Drawn]) -> Drawn:
    """The figure or scene drawn for this mark, drawn anew only at another one."""
    before, figure = st.session_state.get(f"_figure_{key}", (None, None))
    if before != mark:
        figure = draw()
        st.session_state[f"_figure_{key}"] = (mark, figure)
    return figure


def turned(name: str, value: object) -> bool:
    """Whether something has become another since the last drawing; at the first one it has not."""
    before = st.session_state.get(f"_{name}", value)
    st.session_state[f"_{name}"] = value
    return before != value


def put(key: str, value: object) -> None:
    """Set a widget, in a callback or before it is drawn."""
    st.session_state[key] = value


def notice(text: str | None = None) -> str:
    """Leave a sentence for the next drawing, or take what was left."""
    if text is None:
        return st.session_state.pop("_notice", "")
    st.session_state["_notice"] = text
    return text


def say(key: str, value: str, words: str) -> None:
    """Set a choice in a callback, and put it into the address, whether its widget is drawn or not.

    Args:
        key: of the widget.
        value: of the choice.
        words: that people see, which stand in the address.
    """
    st.session_state[key] = value
    with contextlib.suppress(StreamlitAPIException):  # its widget is there, and does so itself
        st.query_params[key] = words


def suggest(values: Mapping[str, Any]) -> None:
    """Set widgets, in a callback or before they are drawn, whatever the address says of them."""
    st.session_state.update(values)
    for key in values:
        if key in st.query_params:
            with contextlib.suppress(StreamlitAPIException):  # its widget is there, and does so
                del st.query_params[key]


def blocks() -> str:
    """The blocks that the settings hold now, wherever their widget stands."""
    return str(st.session_state.get("blocks", DataConfig().blocks))


def source() -> str:
    """The source of data that the settings name now, wherever its widget stands."""
    return str(st.session_state.get("source", DataConfig().source))


def world() -> str:
    """The small world that the settings name now, wherever its widget stands."""
    return str(st.session_state.get("world", DataConfig().world))


def grammar() -> str:
    """The grammar of the phrases that the settings name now, wherever its widget stands."""
    return str(st.session_state.get("grammar", DataConfig().grammar))


def seed(default: int) -> int:
    """The seed that the settings hold now, wherever its widget stands."""
    return int(st.session_state.get("seed", default))


def dark() -> bool:
    """Whether the page is dark."""
    return st.context.theme.type == "dark"
