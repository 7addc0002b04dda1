"""Texts with a label each, such as reviews with their sentiment, as sequences of tokens.

NumPy and pandas; no files, no torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Int

from rnnviz.config import DataConfig
from rnnviz.data import pieces
from rnnviz.data.dataset import SequenceDataset, Source, Task, Variable
from rnnviz.data.layout import MOST_LEVELS, is_words
from rnnviz.data.pieces import Merges
from rnnviz.data.text import PIECES, cleaned, indices_of, tokenise, vocabulary_of
from rnnviz.errors import DataError

_FEWEST_ROWS = 20  # so many make a table one of texts unless it is called one
_MOST_COLUMNS = 10  # of a table that is not called one
_USUAL_LENGTH = 20  # characters; half of the texts are longer
_USUAL_BLANKS = 3  # half of the texts have as many
_LABEL_NAMES = (
    *("label", "sentiment", "class", "target", "polarity", "category", "rating", "stars"),
    *("score", "y"),
)


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Texts, and of each the index of its class."""

    texts: tuple[str, ...]
    labels: Int[np.ndarray, " N"]
    classes: tuple[str, ...]
    text: str  # the column of the texts
    target: str  # that of the labels
    targets: tuple[str, ...]  # columns that could be taken instead
    source: Source
    missing: int = 0  # rows without text or label, which are left out
    notes: tuple[str, ...] = ()

    @property
    def layout(self) -> str:
        """Its name among the kinds of tables."""
        return "labelled"

    @property
    def rows(self) -> int:
        """How many texts there are."""
        return len(self.texts)

    @property
    def mean(self) -> None:
        """Words have none."""
        return None

    @property
    def summary(self) -> str:
        """One line for people."""
        counts = np.bincount(self.labels, minlength=len(self.classes))
        shares = ", ".join(f"{n} {name}" for n, name in zip(counts, self.classes, strict=True))
        return f"{self.rows} texts in {self.text}, label {self.target} ({shares})"

    @property
    def examples(self) -> tuple[str, ...]:
        """None: its pictures say more."""
        return ()

    @property
    def settings(self) -> Mapping[str, Any]:
        """The settings that matter for it, and what they begin with."""
        return {"tokens": "words", "window": 64}

    def as_sequences(self, config: DataConfig) -> SequenceDataset:
        """See sequences."""
        return sequences(self, config)


# --- sequences ------------------------------------------------------------------------------------


def sequences(labelled: Labelled, config: DataConfig) -> SequenceDataset:
    """The first `config.window` tokens of each text, and its class; shorter texts are padded.

    Words are taken in lower case. The vocabulary is that of all texts, whichever part they fall
    into, and capped by count; it knows no labels. Texts that are alike share an id, so that no
    split puts one into two parts.
    """
    kind, made = config.tokens, _cut(labelled.texts, config)
    counts = np.minimum(made.lengths, config.window)
    inputs = np.zeros((len(counts), max(1, int(counts.max()))), dtype=np.int32)
    inputs[np.arange(inputs.shape[1]) < counts[:, None]] = made.flat
    notes = list(made.notes)
    cut = int((made.lengths > config.window).sum())
    if cut:
        notes.append(f"Of {cut:,} longer texts the first {config.window} {kind} are read.")
    ids = _ids(labelled.texts)
    if repeated := len(ids) - len(set(ids)):
        notes.append(f"{repeated:,} texts repeat an earlier one; no split cuts through them.")
    unit = kind.removesuffix("s")
    return SequenceDataset(
        name=f"{labelled.source.title}, by {unit}",
        inputs=inputs,
        targets=labelled.labels,
        # a text of nothing but a byte order mark has no tokens, and still a last step
        lengths=np.maximum(counts, 1),
        times=np.arange(inputs.shape[1], dtype=np.float64),
        time_unit="step",
        features=(Variable("token", unit),),
        outputs=(Variable(labelled.target),),
        classes=labelled.classes,
        vocabulary=made.vocabulary,
        merges=made.merges,
        ids=ids,
        whose="texts",
        covariates=np.zeros((len(ids), 0), dtype=np.float32),
        groups={},
        task=Task.CLASSIFICATION,
        source=labelled.source,
        notes=(
            *labelled.notes,
            "The vocabulary is that of all texts, those of the test part too: "
            f"{len(made.vocabulary):,} {kind}.",
            *notes,
        ),
    )


class _Cut(NamedTuple):
    """Texts as numbers of tokens."""

    flat: Int[np.ndarray, " L"]  # the first tokens of each text, one text after the other
    lengths: Int[np.ndarray, " N"]  # of the whole texts
    vocabulary: tuple[str, ...]
    notes: list[str]
    merges: Merges = ()


def _cut(texts: tuple[str, ...], config: DataConfig) -> _Cut:
    """Texts by the settings; pieces are learned from all of them."""
    kind = config.tokens
    if kind == PIECES:
        plain = [cleaned(text) for text in texts]
        merges = pieces.learn("\n".join(plain), config.pieces)
        cuts = [pieces.cut(text, merges) for text in plain]
        flat = np.concatenate([some[: config.window] for some in cuts])
        lengths = np.array([len(some) for some in cuts])
        return _Cut(flat, lengths, pieces.names_of(merges), [], merges)
    read = [_tokens(text, config) for text in texts]
    first = [token for tokens in read for token in tokens[: config.window]]
    vocabulary, notes = vocabulary_of(first, kind)
    lengths = np.array([len(tokens) for tokens in read], dtype=np.int64)
    return _Cut(indices_of(first, vocabulary, kind), lengths, vocabulary, notes)


def _tokens(text: str, config: DataConfig) -> list[str]:
    return tokenise(text.lower() if config.tokens == "words" else text, config.tokens)


def _ids(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Each text by the first row that holds it."""
    first: dict[str, int] = {}
    return tuple(f"text {first.setdefault(text, row) + 1}" for row, text in enumerate(texts))


# --- tables ---------------------------------------------------------------------------------------


def find_labelled(frame: pd.DataFrame, config: DataConfig, name: str) -> Labelled | None:
    """The texts and labels that a table holds, or None where it holds something else.

    Texts stand in a column of many different strings, half of them longer than 20 characters and
    of four words or more (of any length where `config.layout` calls the table one of texts);
    labels in one of 2 to 20 different words or whole numbers.

    Args:
        config: whose target is the column of labels, where there are several.
        name: what the data are called.

    Raises:
        DataError: the table is called one of texts, and the column that is chosen cannot serve.
    """
    called = config.layout == "labelled"
    if not called and (len(frame) < _FEWEST_ROWS or len(frame.columns) > _MOST_COLUMNS):
        return None
    frame = frame.set_axis([str(c) for c in frame.columns], axis=1)
    texts = [c for c in frame.columns if _is_text(frame[c], called=called)]
    if not texts:
        return None
    labels = tuple(c for c in frame.columns if c not in texts and _is_label(frame[c]))
    if not labels:
        return None
    target = config.target or _likely(labels)
    if target not in labels:
        raise DataError(f"{target} cannot be the label: choose one of {', '.join(labels)}")
    text = max(texts, key=lambda c: frame[c].str.len().mean())
    return _labelled(frame, text, target, labels, name)


def _labelled(
    frame: pd.DataFrame, text: str, target: str, targets: tuple[str, ...], name: str
) -> Labelled:
    there = frame[text].fillna("").str.strip().ne("") & frame[target].notna()
    missing = int((~there).sum())
    kept = frame[there]
    found = _classes(kept[target])
    if len(found.names) < 2:
        raise DataError(
            f"{target} is the same for all texts; a label must vary, so choose another column"
        )
    note = f"{missing:,} rows without {text} or {target} left out."
    return Labelled(
        texts=tuple(kept[text].astype(str)),
        labels=found.of_row,
        classes=found.names,
        text=text,
        target=target,
        targets=targets,
        source=Source(title=name),
        missing=missing,
        notes=(note,) if missing else (),
    )


class _Classes(NamedTuple):
    of_row: Int[np.ndarray, " N"]
    names: tuple[str, ...]


def _classes(column: pd.Series) -> _Classes:
    """Words in their order, whole numbers in theirs."""
    words = is_words(column)
    values = column.astype(str).to_numpy(object) if words else column.to_numpy(np.int64)
    names, of_row = np.unique(values, return_inverse=True)
    return _Classes(of_row.astype(np.int64), tuple(str(name) for name in names))


def _is_text(column: pd.Series, *, called: bool) -> bool:
    if not (pd.api.types.is_string_dtype(column) or pd.api.types.is_object_dtype(column)):
        return False
    known = column.dropna()
    if not all(isinstance(value, str) for value in known.head(_FEWEST_ROWS)):
        return False
    if not called:  # a date with its time and zone is long as well, but not of four words
        long = known.str.len().median() > _USUAL_LENGTH
        if not long or known.str.count(" ").median() < _USUAL_BLANKS:
            return False
    return bool(known.nunique() > MOST_LEVELS)


def _is_label(column: pd.Series) -> bool:
    known = column.dropna()
    if not 2 <= known.nunique() <= MOST_LEVELS:
        return False
    if is_words(column):
        return True
    numeric = pd.api.types.is_numeric_dtype(column)
    return numeric and bool((known.to_numpy(np.float64) % 1 == 0).all())


def _likely(labels: tuple[str, ...]) -> str:
    """The one that is named like a label, or else the first."""
    of_name = {name.lower(): name for name in reversed(labels)}
    return next((of_name[name] for name in _LABEL_NAMES if name in of_name), labels[0])
