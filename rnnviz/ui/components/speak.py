"""A text that was generated, told token by token, beside what might have stood at each place.

The browser gets the distributions of all places at once, so stepping, playing and looking at a
place need no server. What comes back is checked here: a place, or another token for a place.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Float, Int

from rnnviz.figures.theme import Quantity, palette
from rnnviz.figures.values import Range
from rnnviz.inside.sampling import Spoken
from rnnviz.ui.components import mount
from rnnviz.ui.components.packing import Packing, scale
from rnnviz.ui.components.places import Order
from rnnviz.ui.components.tokens import read_index

MOST = 15  # likeliest tokens of a place that are shown; the one that stands there always is
ROWS = MOST + 1
_NOWHERE = Order(t=0, unit=0, layer=0, reverse=False, number=0, answered=False)


@dataclass(frozen=True, kw_only=True)
class Said:
    """A text with the likeliest tokens of each place from the second on."""

    tokens: tuple[str, ...]
    given: int  # tokens of the prefix
    forced: tuple[int, ...]  # places whose token was put there
    bits: Float[np.ndarray, " N"]  # -log2 p of each token; NaN of the first
    luck: Float[np.ndarray, " N"]  # NaN of the prefix
    ids: Int[np.ndarray, "M 16"]  # M = N - 1; the last is the token there where it is no other's
    plain: Float[np.ndarray, "M 16"]  # probabilities as the network says
    shaped: Float[np.ndarray, "M 16"]  # and as they were drawn from
    ranks: Int[np.ndarray, "M"]  # of the token there, from 0
    stretch: Float[np.ndarray, "M 2"]  # where its stretch of the unit interval begins and ends
    kept: Int[np.ndarray, "M 2"]  # tokens after top-k, and after top-p as well
    names: dict[int, str]  # of all ids


@dataclass(frozen=True, kw_only=True)
class Other:
    """Somebody wants another token at a place."""

    place: int
    token: int


def said(spoken: Spoken, vocabulary: tuple[str, ...]) -> Said:
    """What is shown of a text."""
    count = len(spoken.tokens) - 1
    shape = (count, ROWS)
    ids, plain, shaped = np.full(shape, -1), np.zeros(shape), np.zeros(shape)
    ranks, kept, stretch = np.zeros(count, int), np.zeros((count, 2), int), np.zeros((count, 2))
    for k, found in enumerate(spoken.choices()):
        token = int(spoken.tokens[k + 1])
        rank = int(np.flatnonzero(found.order == token)[0])
        rows = found.order[:MOST]
        if rank >= MOST:
            rows = np.append(rows, token)
        ids[k, : len(rows)] = rows
        plain[k, : len(rows)], shaped[k, : len(rows)] = found.plain[rows], found.shaped[rows]
        ranks[k], kept[k] = rank, (found.after_k, found.after_p)
        ends = found.shaped[found.order].cumsum()
        stretch[k] = ends[rank] - found.shaped[token], ends[rank]
    used = [int(token) for token in np.unique(ids) if token >= 0]
    return Said(
        tokens=tuple(vocabulary[int(token)] for token in spoken.tokens),
        given=spoken.given,
        forced=tuple(spoken.given + one.position for one in spoken.plan.forced),
        bits=spoken.bits,
        luck=spoken.luck,
        ids=ids,
        plain=plain,
        shaped=shaped,
        ranks=ranks,
        stretch=stretch,
        kept=kept,
        names={token: vocabulary[token] for token in used},
    )


def speak(
    text: Said,
    *,
    place: int,
    vocabulary: int,
    dark: bool,
    key: str,
    on_place: Callable[[int], None],
    on_other: Callable[[Other], None],
    on_more: Callable[[], None],
) -> None:
    """Show a text that was generated.

    Args:
        text: with what might have stood at each place.
        place: that is looked at.
        vocabulary: how many tokens there are; the colours end at log2 of it.
        dark: for a dark page.
        key: names the view within its page.
        on_place: called with a place before the rerun that its choice causes.
        on_other: called with another token for a place likewise.
        on_more: called where one token more is asked for.
    """

    def moved() -> None:
        found = read_index(st.session_state[key].get("place"), len(text.tokens))
        if found is not None:
            on_place(found)

    def other() -> None:
        found = read_other(st.session_state[key].get("other"), text)
        if found is not None:
            on_other(found)

    mount(
        "speak",
        css=True,
        key=key,
        data=message(text, place=place, vocabulary=vocabulary, dark=dark, key=key),
        on_place_change=moved,
        on_other_change=other,
        on_more_change=on_more,
    )


def read_other(sent: Any, text: Said) -> Other | None:
    """What a browser sent, as another token for a generated place; None where it is none."""
    if not isinstance(sent, dict):
        return None
    place = read_index(sent.get("place"), len(text.tokens))
    row = read_index(sent.get("row"), ROWS)
    if place is None or row is None or place < text.given or text.ids[place - 1, row] < 0:
        return None
    return Other(place=place, token=int(text.ids[place - 1, row]))


def message(text: Said, *, place: int, vocabulary: int, dark: bool, key: str) -> bytes:
    """What travels to the browser; its id follows the text and not the place."""
    packing, p = Packing(), palette(dark)
    aside = packing.aside
    order = list(text.names)
    index = np.full(max(order) + 2, -1.0)  # the last stands for none, -1
    index[order] = np.arange(len(order))
    highest = float(np.log2(vocabulary)) if vocabulary > 1 else 1.0
    picture = {
        "dark": dark,
        "tokens": text.tokens,
        "given": text.given,
        "forced": text.forced,
        "names": [text.names[token] for token in order],
        "vocabulary": vocabulary,
        "bits": aside(text.bits),
        "luck": aside(text.luck),
        "ids": aside(index[text.ids]),
        "plain": aside(text.plain),
        "shaped": aside(text.shaped),
        "ranks": aside(text.ranks.astype(float)),
        "stretch": aside(text.stretch),
        "kept": aside(text.kept.astype(float)),
        "scale": scale(Range(quantity=Quantity.LOSS, low=0.0, high=highest), dark),
        "colours": {"plain": p.axis, "shaped": p.roles["network"], "mark": p.roles["test"]},
    }
    return packing.message(picture, _NOWHERE, key, place=place)
