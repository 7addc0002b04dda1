"""ParallelText: pairs of texts as tokens, ready for a network that translates. NumPy only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from rnnviz.data.dataset import Source, Split, split_by_id
from rnnviz.data.parallel.task import Texts
from rnnviz.data.text import tokenise, vocabulary_of
from rnnviz.errors import DataError

PAD, START, END, UNKNOWN = range(4)
SPECIAL = ("<pad>", "<start>", "<end>", "<unk>")  # the first tokens of both vocabularies
FEWEST_SOURCES = 5  # a split needs so many: train, validation and test get at least one
LONGEST = {"characters": 120, "words": 60}  # tokens of a source, or of a target with its end


@dataclass(frozen=True, kw_only=True)
class ParallelText:
    """N sources with a target each, read-only; both are padded with PAD behind their lengths."""

    name: str
    source_texts: tuple[str, ...]
    target_texts: tuple[str, ...]
    sources: Int[np.ndarray, "N S"]
    targets: Int[np.ndarray, "N T"]  # each ends with END
    source_lengths: Int[np.ndarray, " N"]
    target_lengths: Int[np.ndarray, " N"]  # END counted in
    source_vocabulary: tuple[str, ...]  # both begin with SPECIAL
    target_vocabulary: tuple[str, ...]
    tokens: str  # "characters" or "words"
    source: Source
    notes: tuple[str, ...] = ()  # what was noticed and done, one sentence each

    def __post_init__(self) -> None:
        for array in (self.sources, self.targets, self.source_lengths, self.target_lengths):
            array.flags.writeable = False

    def encode(self, text: str) -> Int[np.ndarray, " S"]:
        """A source's tokens; those that the network never saw as UNKNOWN.

        Raises:
            DataError: the text holds no token, or more than LONGEST.
        """
        parts = cut(text, self.tokens)
        most = LONGEST[self.tokens]
        if not 0 < len(parts) <= most:
            raise DataError(
                f"the text holds {len(parts)} {self.tokens}; give a text of 1 to {most}"
            )
        return _indices(parts, self.source_vocabulary)

    def decode(self, indices: Sequence[int] | Int[np.ndarray, " T"]) -> str:
        """The text of a target's tokens, up to its first END."""
        known = [int(index) for index in indices]
        told = known[: known.index(END)] if END in known else known
        words = [self.target_vocabulary[index] for index in told if index not in (PAD, START)]
        return joined(words, self.tokens)

    def split(self, seed: int) -> Split:
        """64 % of the different sources train, 16 % validate and 20 % test; none is in two parts.

        Raises:
            DataError: fewer than 5 different sources.
        """
        different = len(set(self.source_texts))
        if different < FEWEST_SOURCES:
            raise DataError(
                f"the pairs hold {different} different source{'s' if different != 1 else ''}; at "
                f"least {FEWEST_SOURCES} are needed to train, validate and test on different ones"
            )
        return split_by_id(self.source_texts, seed)


def cut(text: str, tokens: str) -> list[str]:
    """A text's tokens, blanks at its ends lost."""
    return tokenise(text.strip(), tokens)


JOINTS: Mapping[str, str] = {"characters": "", "words": " "}


def joined(parts: Sequence[str], tokens: str) -> str:
    """The text of some tokens; words with a blank between them."""
    return JOINTS[tokens].join(parts)


def parallel_text(texts: Texts) -> ParallelText:
    """The pairs of some texts as indices; those that are too long or empty are left out.

    Raises:
        DataError: the tokens are of no known kind, or no pair is left.
    """
    tokens = texts.tokens
    if tokens not in JOINTS:
        raise DataError(
            f"pairs cannot be cut into {tokens}; choose {' or '.join(JOINTS)} as tokens"
        )
    pairs = [
        (source, target, cut(source, tokens), cut(target, tokens))
        for source, target in zip(texts.sources, texts.targets, strict=True)
    ]
    most = LONGEST[tokens]
    kept = [p for p in pairs if 0 < len(p[2]) <= most and 0 < len(p[3]) < most]
    if not kept:
        raise DataError(
            f"no pair has at most {most} {tokens} on both sides; give shorter texts, or choose "
            "words as tokens"
        )
    left = len(pairs) - len(kept)
    notes = [f"{left:,} pairs with more than {most} {tokens} on one side left out."] if left else []
    sources, of_sources = _side([p[2] for p in kept], tokens, notes, end=False)
    targets, of_targets = _side([p[3] for p in kept], tokens, notes, end=True)
    return ParallelText(
        name=texts.source.title,
        source_texts=tuple(p[0] for p in kept),
        target_texts=tuple(p[1] for p in kept),
        sources=sources,
        targets=targets,
        source_lengths=(sources != PAD).sum(axis=1),
        target_lengths=(targets != PAD).sum(axis=1),
        source_vocabulary=of_sources,
        target_vocabulary=of_targets,
        tokens=tokens,
        source=texts.source,
        notes=(*texts.notes, *notes),
    )


def _side(
    parts: list[list[str]], tokens: str, notes: list[str], *, end: bool
) -> tuple[Int[np.ndarray, "N L"], tuple[str, ...]]:
    """Indices of one side's tokens, padded, and its vocabulary."""
    known, noticed = vocabulary_of([token for part in parts for token in part], tokens)
    notes += noticed
    vocabulary = (*SPECIAL, *(token for token in known if token not in SPECIAL))
    rows = np.full((len(parts), max(map(len, parts)) + end), PAD, dtype=np.int64)
    for row, part in zip(rows, parts, strict=True):
        row[: len(part)] = _indices(part, vocabulary)
        if end:
            row[len(part)] = END
    return rows, vocabulary


def _indices(parts: list[str], vocabulary: tuple[str, ...]) -> Int[np.ndarray, " L"]:
    """Places in the vocabulary; a text that spells a special token is none."""
    place = {token: index for index, token in enumerate(vocabulary) if index >= UNKNOWN}
    return np.array([place.get(token, UNKNOWN) for token in parts], dtype=np.int64)
