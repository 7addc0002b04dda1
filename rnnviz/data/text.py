"""Text as sequences of characters or words, each step followed by its target, the next one.

Takes text, not files: reading and decoding what people upload happens elsewhere. No torch.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from rnnviz.config import DataConfig
from rnnviz.data import logbook
from rnnviz.data.dataset import SequenceDataset, Source, Task, Variable
from rnnviz.errors import DataError

MOST_BYTES = 2_000_000  # of UTF-8
MOST_CHARACTERS = 256  # vocabulary sizes, the stand-in for all others included
MOST_WORDS = 2_000
FEWEST_WINDOWS = 5  # a split needs so many: train, validation and test get at least one

UNKNOWN = {"characters": "\ufffd", "words": "<unk>"}


class Sample(NamedTuple):
    """A built-in text."""

    title: str
    text: Callable[[], str]

    @property
    def source(self) -> Source:
        """Whose it is."""
        return Source(title=self.title, authors="the rnnviz authors", year="2026", licence="MIT")


def _lighthouse() -> str:
    return files("rnnviz.data").joinpath("samples", "lighthouse.txt").read_text(encoding="ascii")


SAMPLES: Mapping[str, Sample] = {  # their labels: SAMPLES in rnnviz.config
    "lighthouse": Sample("The Lighthouse Notebook", _lighthouse),  # a story, dense in quotes
    "log": Sample("A signal station's log", logbook.write),
}

_SURROGATE = re.compile("[\ud800-\udfff]")  # halves of characters, which nothing can write
_WORD = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]|\n")


def load(config: DataConfig, text: str | None = None) -> SequenceDataset:
    """Windows of `config.window` tokens (N x T indices), each target the token after its input.

    Windows do not overlap, so every token is a target at most once and a split by window leaks
    no target. The vocabulary is that of the whole text, as is usual for language models.
    None is the built-in one that the settings name.

    Raises:
        DataError: the text is too long, too short for 5 windows, or one token over and over.
    """
    built_in = SAMPLES[config.sample]
    source = built_in.source if text is None else Source(title="Your own text")
    tokens = tokenise(built_in.text() if text is None else text, config.tokens)
    _check(tokens, config)
    vocabulary, notes = vocabulary_of(tokens, config.tokens)
    indices = indices_of(tokens, vocabulary, config.tokens)
    n, steps = (len(indices) - 1) // config.window, config.window
    rest = len(indices) - 1 - n * steps
    if rest:
        notes.append(f"The last {_count(rest, config.tokens)} fill no window and are left out.")
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
        vocabulary=vocabulary,
        ids=tuple(str(window) for window in range(n)),
        covariates=np.zeros((n, 0), dtype=np.float32),
        groups={},
        task=Task.NEXT_TOKEN,
        source=source,
        notes=tuple(notes),
    )


def tokenise(text: str, tokens: str) -> list[str]:
    r"""Cut a text into "characters" or "words"; line ends are made \n and a leading mark is lost.

    Words are runs of letters, digits and underscores, with apostrophes inside; every other
    visible character, and every line end, is a token of its own; blanks are dropped.

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
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return list(text) if tokens == "characters" else _WORD.findall(text)


def encode(text: str, dataset: SequenceDataset) -> Int[np.ndarray, " L"]:
    """Indices of a text's tokens in the dataset's vocabulary.

    Raises:
        DataError: the text is longer than 2 MB, or holds tokens that the dataset has not and has
            no stand-in for.
    """
    tokens = _kind(dataset)
    parts = tokenise(text, tokens)
    strange = sorted(set(parts) - set(dataset.vocabulary))
    if strange and UNKNOWN[tokens] not in dataset.vocabulary:
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
    """The text of some indices: exact for characters; words get blanks as English sets them.

    Whether a quote opens or closes is counted from the first token on.
    """
    parts = [dataset.vocabulary[index] for index in tokens]
    return "".join(parts) if _kind(dataset) == "characters" else _join(parts)


def _check(tokens: list[str], config: DataConfig) -> None:
    """Raises DataError where there is too little to learn from."""
    needed = FEWEST_WINDOWS * config.window + 1  # the first token is nobody's target
    kinds = set(tokens)
    if len(tokens) < needed:
        fitting = (len(tokens) - 1) // FEWEST_WINDOWS
        shorter = f" or set the window to at most {fitting}" if fitting >= 8 else ""
        raise DataError(
            f"the text holds {_count(len(tokens), config.tokens)}; {FEWEST_WINDOWS} windows of "
            f"{config.window} need at least {needed}; give a longer text{shorter}"
        )
    if len(kinds) == 1:
        raise DataError(
            f"the text is {kinds.pop()!r} over and over; at least 2 different {config.tokens} "
            "are needed to have something to predict; give another text"
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
    unknown = place.get(UNKNOWN[kind], -1)
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
