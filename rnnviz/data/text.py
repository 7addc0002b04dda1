"""Text as sequences of characters, words or pieces, each step followed by its target, the next one.

Takes text, not files: reading and decoding what people upload happens elsewhere. No torch.
"""

import re
from collections import Counter
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from rnnviz.config import DataConfig
from rnnviz.data import pieces
from rnnviz.data.builtin import SAMPLES
from rnnviz.data.dataset import (
    TEST_SHARE,
    VALIDATION_SHARE,
    SequenceDataset,
    Source,
    Task,
    Variable,
)
from rnnviz.data.pieces import Merges
from rnnviz.errors import DataError

MOST_BYTES = 2_000_000  # of UTF-8
MOST_CHARACTERS = 256  # vocabulary sizes, the stand-in for all others included
MOST_WORDS = 2_000
FEWEST_WINDOWS = 5  # a split needs so many: train, validation and test get at least one
FEWEST_OF_PIECES = 8  # the same where the first of them are learned from
LEARNED = 0.6  # of the text, from its start: what pieces are learned from

UNKNOWN = {"characters": "\ufffd", "words": "<unk>"}
PIECES = "pieces"  # every text can be cut into them, so they need no stand-in

_SURROGATE = re.compile("[\ud800-\udfff]")  # halves of characters, which nothing can write
_WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]|\n")


class Cut(NamedTuple):
    """A text as numbers of tokens."""

    indices: Int[np.ndarray, " L"]
    vocabulary: tuple[str, ...]
    notes: list[str]
    merges: Merges = ()
    learned: int = 0  # tokens, from the first on, of the text that pieces were learned from


def load(config: DataConfig, text: str | None = None) -> SequenceDataset:
    """Windows of `config.window` tokens (N x T indices), each target the token after its input.

    Windows do not overlap, so every token is a target at most once and a split by window leaks
    no target. The vocabulary is that of the whole text, as is usual for language models; pieces
    are learned from its beginning, which lies in the training part. None is the built-in one that
    the settings name.

    Raises:
        DataError: the text is too long, too short for 5 windows, or one token over and over.
    """
    built_in = SAMPLES[config.sample]
    source = built_in.source if text is None else Source(title="Your own text")
    cut = _cut(cleaned(built_in.text() if text is None else text), config)
    _check(cut, config)
    indices, notes = cut.indices, cut.notes
    n, steps = (len(indices) - 1) // config.window, config.window
    rest = len(indices) - 1 - n * steps
    if rest:
        notes.append(f"The last {_count(rest, config.tokens)} fill no window and are left out.")
    parts: tuple[str, ...] = ()
    if config.carried or cut.learned:
        parts = _parts(n, -(-cut.learned // steps))
        notes.append("The parts follow each other in the text: training, validation, test.")
    if config.carried:
        notes.append(CARRIED)
    unit = _unit(config.tokens)
    return SequenceDataset(
        name=f"{source.title}, by {unit}",
        inputs=indices[: n * steps].reshape(n, steps),
        targets=indices[1 : n * steps + 1].reshape(n, steps),
        lengths=np.full(n, steps),
        times=np.arange(steps, dtype=np.float64),
        time_unit="step",
        features=(Variable("token", unit),),
        outputs=(Variable("next token", unit),),
        vocabulary=cut.vocabulary,
        merges=cut.merges,
        ids=tuple(str(window) for window in range(n)),
        parts=parts,
        carried=config.carried,
        covariates=np.zeros((n, 0), dtype=np.float32),
        groups={},
        task=Task.NEXT_TOKEN,
        source=source,
        notes=tuple(notes),
    )


CARRIED = (
    "The state is carried on from window to window in training and in scoring. What the other "
    "pages show of a window begins with a state of zeros, so its loss is a little higher there."
)


def _cut(text: str, config: DataConfig) -> Cut:
    """A text by the settings."""
    kind = config.tokens
    if kind == PIECES:
        return _in_pieces(text, config.pieces)
    tokens = tokenise(text, kind)
    vocabulary, notes = vocabulary_of(tokens, kind)
    return Cut(indices_of(tokens, vocabulary, kind), vocabulary, notes)


def _in_pieces(text: str, size: int) -> Cut:
    first = round(len(text) * LEARNED)
    merges = pieces.learn(text[:first], size)
    parts = [pieces.cut(part, merges) for part in (text[:first], text[first:])]
    names = pieces.names_of(merges)
    notes = [
        f"{len(names):,} pieces: the 256 bytes, and {len(names) - pieces.BYTES:,} by merges that "
        f"were learned from the first {LEARNED:.0%} of the text, all of it in the training part."
    ]
    if len(names) < size:
        notes.append(f"No further two stand together often enough to make {size:,} pieces.")
    return Cut(np.concatenate(parts), names, notes, merges, len(parts[0]))


def _parts(windows: int, learned: int) -> tuple[str, ...]:
    """Of each window the part, in the order of the text; the first `learned` are for training.

    Raises:
        DataError: too few are left for validation and test.
    """
    train = windows - sum(max(1, round(windows * s)) for s in (VALIDATION_SHARE, TEST_SHARE))
    rest = windows - max(train, learned)
    tests = max(1, round(rest * TEST_SHARE / (VALIDATION_SHARE + TEST_SHARE)))
    train, validations = windows - rest, rest - tests
    if validations < 1:
        raise DataError(
            "the pieces that the beginning of the text teaches fit the rest of it so well that no "
            "window is left for validation and test; give a longer text, or shorten the window"
        )
    return ("train",) * train + ("validation",) * validations + ("test",) * tests


def cleaned(text: str) -> str:
    r"""A text as it is cut: line ends are \n, a leading mark and half characters are gone.

    Raises:
        DataError: the text is longer than 2 MB.
    """
    text = _SURROGATE.sub("\ufffd", text)
    size = len(text.encode())
    if size > MOST_BYTES:
        raise DataError(
            f"the text is {size:,} bytes long; at most {MOST_BYTES:,} (2 MB) are allowed; "
            "give a part of it"
        )
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def tokenise(text: str, tokens: str) -> list[str]:
    r"""Cut a text into "characters" or "words"; line ends are made \n and a leading mark is lost.

    Words are runs of letters, digits and underscores, with apostrophes inside; every other
    visible character, and every line end, is a token of its own; blanks are dropped.

    Raises:
        DataError: the text is longer than 2 MB.
    """
    text = cleaned(text)
    return _WORD.findall(text) if tokens == "words" else list(text)


def encode(text: str, dataset: SequenceDataset) -> Int[np.ndarray, " L"]:
    """Indices of a text's tokens in the dataset's vocabulary.

    Raises:
        DataError: the text is longer than 2 MB, or holds tokens that the dataset has not and has
            no stand-in for.
    """
    tokens = _kind(dataset)
    if tokens == PIECES:
        return pieces.cut(cleaned(text), dataset.merges)
    parts = tokenise(text, tokens)
    strange = sorted(set(parts) - set(dataset.vocabulary))
    if strange and UNKNOWN.get(tokens, "") not in dataset.vocabulary:
        shown = ", ".join(repr(token) for token in strange[:5])
        raise DataError(
            f"the network never saw {shown}{' and others' if len(strange) > 5 else ''}; "
            f"use only the {len(dataset.vocabulary)} {tokens} of the text it learned from"
        )
    return indices_of(parts, dataset.vocabulary, tokens)


def tokens_of(dataset: SequenceDataset, row: int) -> tuple[str, ...]:
    """The tokens of one sequence, up to its length."""
    read = dataset.inputs[row, : dataset.lengths[row]]
    return tuple(dataset.vocabulary[int(index)] for index in read)


def decode(tokens: Int[np.ndarray, " L"], dataset: SequenceDataset) -> str:
    """The text of some indices: exact for characters and pieces; words get blanks as in English.

    Whether a quote opens or closes is counted from the first token on. Tokens that are none of
    these, such as the symbols of a small world, are set side by side.
    """
    if dataset.merges:
        return pieces.joined(tokens, dataset.merges)
    parts = [dataset.vocabulary[index] for index in tokens]
    return _join(parts) if _kind(dataset) == "words" else "".join(parts)


def _check(cut: Cut, config: DataConfig) -> None:
    """Raises DataError where there is too little to learn from."""
    windows = FEWEST_OF_PIECES if config.tokens == PIECES else FEWEST_WINDOWS
    count = len(cut.indices)
    needed = windows * config.window + 1  # the first token is nobody's target
    if count < needed:
        fitting = (count - 1) // windows
        shorter = f" or set the window to at most {fitting}" if fitting >= 8 else ""
        raise DataError(
            f"the text holds {_count(count, config.tokens)}; {windows} windows of "
            f"{config.window} need at least {needed}; give a longer text{shorter}"
        )
    if (cut.indices == cut.indices[0]).all():
        raise DataError(
            f"the text is {cut.vocabulary[cut.indices[0]]!r} over and over; at least 2 different "
            f"{config.tokens} are needed to have something to predict; give another text"
        )


def vocabulary_of(tokens: list[str], kind: str) -> tuple[tuple[str, ...], list[str]]:
    """Tokens by falling count within the bound, in code point order, and a note on the others."""
    counts = Counter(tokens)
    most = MOST_CHARACTERS if kind == "characters" else MOST_WORDS
    unknown = UNKNOWN[kind]
    if len(counts) <= most:
        return tuple(sorted(counts)), []
    ranked = sorted(counts, key=lambda token: (-counts[token], token))
    kept = [token for token in ranked if token != unknown][: most - 1]
    lost = len(counts) - len(kept) - (unknown in counts)
    uses = len(tokens) - sum(counts[token] for token in kept)
    note = (
        f"The {lost:,} rarest of {len(counts):,} different {kind} stand as {unknown!r} "
        f"({uses:,} of {len(tokens):,} places)."
    )
    return (*sorted(kept), unknown), [note]


def indices_of(tokens: list[str], vocabulary: tuple[str, ...], kind: str) -> Int[np.ndarray, " L"]:
    """Places in the vocabulary; what is not in it takes its stand-in's, which must be there."""
    place = {token: index for index, token in enumerate(vocabulary)}
    unknown = place.get(UNKNOWN.get(kind, ""), -1)
    return np.array([place.get(token, unknown) for token in tokens], dtype=np.int64)


def _join(words: list[str]) -> str:
    """Words with a blank between them, save beside line ends, brackets, stops and in quotes."""
    text, quoted = "", False
    for word in words:
        closes = (word == '"' and quoted) or (len(word) == 1 and word in ".,;:!?%)]}\n")
        glued = not text or text[-1] in "([{\n" or (text[-1] == '"' and quoted)
        text += word if closes or glued else f" {word}"
        quoted ^= word == '"'
    return text


def _kind(dataset: SequenceDataset) -> str:
    return f"{dataset.features[0].unit}s"


def _unit(tokens: str) -> str:
    return tokens.removesuffix("s")


def _count(n: int, tokens: str) -> str:
    return f"{n:,} {_unit(tokens) if n == 1 else tokens}"
