"""Words with a tag each, coloured by its kind; wrong ones are framed, a click names the word."""

from collections.abc import Callable
from typing import NamedTuple

import orjson
import streamlit as st

from rnnviz.figures.colours import contrast
from rnnviz.figures.theme import palette
from rnnviz.ui.components import mount
from rnnviz.ui.components.tokens import read_index

OUTSIDE = "O"


class Tagged(NamedTuple):
    """A word with its tags."""

    token: str
    tag: str  # as it is predicted
    truth: str | None  # None where nobody knows it
    hint: str  # shown on hover

    @property
    def wrong(self) -> bool:
        """Whether the tag is known to be wrong."""
        return self.truth is not None and self.truth != self.tag


def tagged_words(
    words: tuple[Tagged, ...],
    classes: tuple[str, ...],
    *,
    dark: bool,
    key: str,
    selected: int | None = None,
    on_click: Callable[[int], None] | None = None,
) -> int | None:
    """Show words in their order; what they hold is shown as it is, never read as markup.

    Args:
        words: at least one.
        classes: all tags; B-X and I-X are of one kind, X.
        dark: for a dark page.
        key: names the view within its page.
        selected: the word that is framed.
        on_click: called with the index before the rerun that a click causes.

    Returns:
        The index of the word whose click caused this rerun, else None.
    """

    def report() -> None:
        clicked = read_index(st.session_state[key].get("clicked"), len(words))
        if clicked is not None and on_click is not None:
            on_click(clicked)

    sent = message(words, classes, dark=dark, selected=selected)
    result = mount("tags", css=True, key=key, data=sent, on_clicked_change=report)
    return read_index(result.clicked, len(words))


def kind_of(tag: str) -> str:
    """X of B-X and I-X; any other tag is its own kind."""
    return tag[2:] if tag[:2] in ("B-", "I-") else tag


def message(
    words: tuple[Tagged, ...], classes: tuple[str, ...], *, dark: bool, selected: int | None
) -> bytes:
    """What travels to the browser, as JSON."""
    kinds = list(dict.fromkeys(map(kind_of, classes)))
    content = {
        "words": [
            {
                "token": word.token,
                "tag": "" if word.tag == OUTSIDE else word.tag,
                "truth": word.truth or "",
                "wrong": word.wrong,
                "kind": kinds.index(kind_of(word.tag)),
                "hint": word.hint,
            }
            for word in words
        ],
        "kinds": [_kind(name, place, dark) for place, name in enumerate(kinds)],
        "selected": read_index(selected, len(words)),
    }
    return orjson.dumps(content)


def _kind(name: str, place: int, dark: bool) -> dict[str, str]:
    p = palette(dark)
    colour = p.grid if name == OUTSIDE else p.groups[(place - 1) % len(p.groups)]
    ink = max((p.page, p.text), key=lambda it: contrast(colour, it))
    return {"name": "outside" if name == OUTSIDE else name, "colour": colour, "ink": ink}
