"""A text whose tokens are coloured by a value each; a click names the token."""

from collections.abc import Callable
from typing import Any

import numpy as np
import orjson
import streamlit as st
from jaxtyping import Float

from rnnviz.errors import TraceError
from rnnviz.figures.colours import to_rgb
from rnnviz.figures.theme import Quantity, colours
from rnnviz.ui.components import mount


def coloured_tokens(
    tokens: tuple[str, ...],
    values: Float[np.ndarray, " N"],
    *,
    low: float,
    high: float,
    dark: bool,
    key: str,
    name: str = "value",
    quantity: Quantity = Quantity.STATE,
    selected: int | None = None,
    on_click: Callable[[int], None] | None = None,
) -> int | None:
    """Show tokens in their order, white space made visible, each on its value's colour.

    Args:
        tokens: characters or words; shown as they are, never read as markup.
        values: one per token; NaN leaves a token without colour.
        low, high: values at the ends of the colour scale.
        dark: for a dark page.
        key: names the view within its page.
        name: what the values are, for the legend and the hover text.
        quantity: whose colour scale is used.
        selected: the token that is framed.
        on_click: called with the index before the rerun that a click causes.

    Returns:
        The index of the token whose click caused this rerun, else None.

    Raises:
        TraceError: there are not as many values as tokens.
    """
    count = len(tokens)

    def report() -> None:
        clicked = read_index(st.session_state[key].get("clicked"), count)
        if clicked is not None and on_click is not None:
            on_click(clicked)

    sent = message(
        tokens, values, low=low, high=high, dark=dark, name=name, quantity=quantity,
        selected=selected,
    )  # fmt: skip
    result = mount("tokens", css=True, key=key, data=sent, on_clicked_change=report)
    return read_index(result.clicked, count)


def message(
    tokens: tuple[str, ...],
    values: Float[np.ndarray, " N"],
    *,
    low: float,
    high: float,
    dark: bool,
    name: str,
    quantity: Quantity,
    selected: int | None,
) -> bytes:
    """What travels to the browser, as JSON.

    Raises:
        TraceError: there are not as many values as tokens.
    """
    if len(tokens) != len(values):
        raise TraceError(f"{len(values)} values were given for {len(tokens)} tokens; give one each")
    content = {
        "tokens": tokens,
        "values": values.astype(np.float32),  # NaN becomes null
        "low": low,
        "high": high,
        "name": name,
        "dark": dark,
        "stops": [to_rgb(colour) for colour in colours(quantity, dark)],
        "selected": read_index(selected, len(tokens)),
    }
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)


def read_index(sent: Any, count: int) -> int | None:
    """What a browser sent, as the index of one of so many tokens; None where it is none."""
    whole = isinstance(sent, int) and not isinstance(sent, bool)
    return sent if whole and 0 <= sent < count else None
