"""Source and output as two rows of tokens, and links as wide as attention; rows can be changed."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson
import streamlit as st
from jaxtyping import Float

from rnnviz.figures.theme import Quantity, colours
from rnnviz.ui.components import mount
from rnnviz.ui.components.tokens import read_index


class Row(NamedTuple):
    """Weights that somebody wants at an output step, from 0; they sum to 1."""

    step: int
    weights: tuple[float, ...]


class Linked(NamedTuple):
    """What is drawn.

    Attributes:
        weights: of attention; None where the network has none.
        computed: what the network itself would have at the chosen step.
        step: the chosen output token.
        given: how many of the first output tokens somebody gave.
        changed: output steps whose weights somebody gave.
        before: the output as it was without anybody's hands; None where it is the same.
    """

    source: Sequence[str]
    output: Sequence[str]
    weights: Float[np.ndarray, "T S"] | None
    computed: Float[np.ndarray, " S"] | None
    step: int
    given: int = 0
    changed: Sequence[int] = ()
    before: Sequence[str] | None = None


def links(
    linked: Linked,
    *,
    key: str,
    dark: bool,
    editable: bool = False,
    on_step: Callable[[int], None],
    on_row: Callable[[Row], None] | None = None,
) -> None:
    """Show the links.

    Args:
        key: names the view within its page.
        dark: for a dark page.
        editable: whether the weights of the chosen step can be changed.
        on_step: called before the rerun with the output token that was chosen.
        on_row: likewise with weights that somebody gave.
    """
    steps, places = len(linked.output), len(linked.source)

    def chosen() -> None:
        step = read_index(st.session_state[key].get("step"), steps)
        if step is not None:
            on_step(step)

    def given() -> None:
        row = read_row(st.session_state[key].get("row"), steps, places)
        if row is not None and on_row is not None:
            on_row(row)

    mount(
        "links",
        css=True,
        key=key,
        data=message(linked, dark=dark, editable=editable and linked.weights is not None),
        on_step_change=chosen,
        on_row_change=given,
    )


def message(linked: Linked, *, dark: bool, editable: bool) -> bytes:
    """What travels to the browser, as JSON."""
    content = {
        **linked._asdict(),
        "editable": editable,
        "ink": colours(Quantity.ATTENTION, dark)[12],
        "label": f"{len(linked.source)} source tokens above {len(linked.output)} output tokens",
    }
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY, default=list)


def read_row(sent: Any, steps: int, places: int) -> Row | None:
    """What a browser sent, as a row of weights; None where it is none."""
    if not isinstance(sent, dict):
        return None
    step, weights = read_index(sent.get("step"), steps), sent.get("weights")
    if step is None or not isinstance(weights, list) or len(weights) != places:
        return None
    if not all(_is_weight(weight) for weight in weights):
        return None
    total = math.fsum(weights)
    return Row(step, tuple(weight / total for weight in weights)) if total > 0 else None


def _is_weight(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 <= value <= 1
