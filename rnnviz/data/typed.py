"""Sentences that people type, as the tokens of a data set that a network learned from. No files."""

from itertools import groupby
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from rnnviz.data import pieces
from rnnviz.data.dataset import SequenceDataset
from rnnviz.data.text import PIECES, UNKNOWN, cleaned, tokenise
from rnnviz.errors import DataError

MOST_TOKENS = 512  # of a typed sentence: as long as a window may be
LONGEST_WORD = 80  # characters of a word that is shown
LINE_END = "↵"  # in place of a line end, which no line can hold


class Typed(NamedTuple):
    """A sentence, and how the network reads it."""

    tokens: tuple[str, ...]  # as they were typed
    indices: Int[np.ndarray, " T"]  # in the vocabulary
    strange: tuple[str, ...]  # which of them the network never saw and reads as the stand-in


def as_text(tokens: tuple[str, ...], dataset: SequenceDataset) -> str:
    """Tokens as one line; `read_typed` makes the same tokens of it."""
    if _kind(dataset) == PIECES:
        return _joined(tokens, dataset).replace("\n", LINE_END)
    between = "" if _kind(dataset) == "characters" else " "
    return between.join(LINE_END if token == "\n" else token for token in tokens)


def _joined(tokens: tuple[str, ...], dataset: SequenceDataset) -> str:
    """Pieces by their bytes, as a letter may be in two of them; what is no piece as it is."""
    place = {token: index for index, token in enumerate(dataset.vocabulary)}
    runs = ((known, list(some)) for known, some in groupby(tokens, key=place.__contains__))
    return "".join(
        pieces.joined(np.array([place[token] for token in some]), dataset.merges)
        if known
        else "".join(some)
        for known, some in runs
    )


def read_typed(text: str, dataset: SequenceDataset) -> Typed:
    """The tokens of a typed sentence.

    A word is taken as it is written, or else in lower case or with a capital, whichever the
    vocabulary has. Its stand-in for all other words may be typed as well.

    Raises:
        DataError: there is no token, or too many, or one that the network never saw and that has no
            stand-in.
    """
    kind = _kind(dataset)
    place = {token: index for index, token in enumerate(dataset.vocabulary)}
    tokens = _cut(text, dataset)
    if kind != PIECES:
        tokens = [_known(token, place) for token in tokens]
    if not tokens:
        raise DataError(f"the sentence is empty; type at least one of the {len(place)} {kind}")
    if len(tokens) > MOST_TOKENS:
        raise DataError(
            f"the sentence has {len(tokens):,} {kind}; at most {MOST_TOKENS} are read; shorten it"
        )
    strange = tuple(dict.fromkeys(token for token in tokens if token not in place))
    stand_in = place.get(UNKNOWN.get(kind, ""))
    if strange and stand_in is None:
        raise DataError(_never_saw(strange, len(place), kind))
    indices = np.array([place.get(token, stand_in) for token in tokens], dtype=np.int64)
    return Typed(tuple(tokens), indices, strange)


def _cut(text: str, dataset: SequenceDataset) -> list[str]:
    """Whatever stands between blanks is one token where the vocabulary has it, as <unk>."""
    if _kind(dataset) == PIECES:
        read = pieces.cut(cleaned(text.replace(LINE_END, "\n")), dataset.merges)
        return [dataset.vocabulary[int(index)] for index in read]
    known = set(dataset.vocabulary)
    if "\n" in known and LINE_END not in known:
        text = text.replace(LINE_END, "\n" if _kind(dataset) == "characters" else f" {LINE_END} ")
    if _kind(dataset) == "characters":
        return list(text)
    cut = ([part] if part in known else tokenise(part, "words") for part in text.split())
    tokens = [token for some in cut for token in some]
    return ["\n" if token == LINE_END and LINE_END not in known else token for token in tokens]


def _known(token: str, place: dict[str, int]) -> str:
    forms = (token, token.lower(), token.capitalize())
    return next((form for form in forms if form in place), token)


def _never_saw(strange: tuple[str, ...], words: int, kind: str) -> str:
    shown = ", ".join(repr(token[:LONGEST_WORD]) for token in strange[:5])
    more = " and others" if len(strange) > 5 else ""
    return f"the network never saw {shown}{more}; use only its {words} {kind}"


def _kind(dataset: SequenceDataset) -> str:
    """ "characters", "pieces" or "words"; symbols and the like are each as a word."""
    kind = f"{dataset.features[0].unit}s"
    return kind if kind in ("characters", PIECES) else "words"
