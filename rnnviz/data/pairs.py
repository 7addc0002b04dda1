"""Pairs of texts, such as sentences with their translations, for a network that translates.

pandas only; no files, no torch. A pair has two texts and no number or class, so it is no sequence
with a target: the sequence-to-sequence network takes Pairs as they are.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import numpy as np
import pandas as pd

from rnnviz.config import DataConfig
from rnnviz.data.dataset import Source
from rnnviz.data.layout import MOST_LEVELS
from rnnviz.errors import DataError

EXAMPLES = 3
_FEWEST_ROWS = 20  # so many make a table one of pairs unless it is called one
_MOST_COLUMNS = 10  # of a table that is not called one
_LONGEST_EXAMPLE = 60  # characters
ROLES = (  # names of what is given and what is wanted
    *(("source", "target"), ("src", "tgt"), ("src", "trg"), ("input", "output")),
    *(("question", "answer"), ("prompt", "response"), ("human", "machine")),
)
_LANGUAGES = (
    "afrikaans albanian arabic armenian basque bengali bosnian bulgarian catalan chinese croatian "
    "czech danish dutch english estonian finnish french galician georgian german greek gujarati "
    "hausa hebrew hindi hungarian icelandic indonesian irish italian japanese kannada korean latin "
    "latvian lithuanian macedonian malay maltese mandarin marathi mongolian nepali norwegian "
    "persian polish portuguese punjabi romanian russian serbian slovak slovenian somali spanish "
    "swahili swedish tagalog tamil telugu thai turkish ukrainian urdu uzbek vietnamese welsh "
    "yoruba zulu "
    "ara bul ces cmn dan deu ell eng epo est fin fra ger heb hin hun ita jpn kor lat lit nld nor "
    "pol por ron rus slk slv spa swe tur ukr vie zho "
    "ar bg cs da de el en es et eu fa fi fr he hi hr hu it ja ko lt lv nl pl pt ro ru sk sl sr sv "
    "th tr uk vi zh"
)
LANGUAGES = frozenset(_LANGUAGES.split())


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Texts, and of each the text that is to come of it; both as they stand in the file."""

    source_texts: tuple[str, ...]
    target_texts: tuple[str, ...]  # one for each source
    given: str  # the column of the sources
    target: str  # that of the targets
    source: Source
    missing: int = 0  # rows without one of both, which are left out
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.source_texts) != len(self.target_texts):
            raise DataError(
                f"there are {len(self.source_texts)} sources and {len(self.target_texts)} targets; "
                "give one target for each source"
            )

    @property
    def layout(self) -> str:
        """Its name among the kinds of tables."""
        return "pairs"

    @property
    def rows(self) -> int:
        """How many pairs there are."""
        return len(self.source_texts)

    @property
    def targets(self) -> tuple[str, ...]:
        """Either column can be the target; the other one is then what is given."""
        return self.target, self.given

    @property
    def mean(self) -> None:
        """Words have none."""
        return None

    @property
    def summary(self) -> str:
        """One line for people."""
        given, wanted = _mean_length(self.source_texts), _mean_length(self.target_texts)
        return (
            f"{self.rows:,} pairs; source {self.given} {given:.1f} characters on average, "
            f"target {self.target} {wanted:.1f}"
        )

    @property
    def examples(self) -> tuple[str, ...]:
        """The first few in one line each."""
        both = zip(self.source_texts[:EXAMPLES], self.target_texts[:EXAMPLES], strict=True)
        return tuple(f"{_short(given)} → {_short(wanted)}" for given, wanted in both)

    @property
    def settings(self) -> Mapping[str, Any]:
        """None matters here: the Translate page has its own."""
        return {}

    def as_sequences(self, config: DataConfig) -> NoReturn:  # noqa: ARG002  of every kind
        """They are none; rnnviz.data.parallel takes them as they are.

        Raises:
            DataError: always.
        """
        raise DataError(
            f"{self.source.title} holds pairs of texts, which take a sequence-to-sequence network; "
            "train it on the Translate page or with rnnviz translate, or choose texts with labels, "
            "a series or days instead"
        )


def _mean_length(texts: tuple[str, ...]) -> float:
    return float(np.mean([len(text) for text in texts]))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_EXAMPLE else line[: _LONGEST_EXAMPLE - 1] + "…"


# --- tables ---------------------------------------------------------------------------------------


def find_pairs(frame: pd.DataFrame, config: DataConfig, name: str) -> Pairs | None:
    """The pairs that a table holds, or None where it holds something else.

    Two columns are pairs where they are named as such (source and target, English and French), or
    where the table has no others (any, where `config.layout` calls it one of pairs) and both hold
    many different texts. A first line that is no line of names is a pair like the others.

    Args:
        config: whose target is the column of the targets; else the one named so, or the second.
        name: what the data are called.

    Raises:
        DataError: the table is called one of pairs, and the column that is chosen cannot serve.
    """
    called = config.layout == "pairs"
    if not called and (len(frame) < _FEWEST_ROWS or len(frame.columns) > _MOST_COLUMNS):
        return None
    frame = frame.set_axis([str(c) for c in frame.columns], axis=1)
    columns = _named(frame) or _unnamed(frame, called=called)
    if columns is None:
        return None
    notes = []
    if _is_pair(frame, columns):
        frame, columns = _with_first_line(frame, columns)
        notes.append("There is no line of column names: the first line is a pair as well.")
    if config.target not in ("", *columns):
        raise DataError(f"{config.target} cannot be the target: choose one of {', '.join(columns)}")
    if config.target == columns.given:
        columns = _Columns(columns.target, columns.given)
    return _pairs(frame, columns, notes, name)


class _Columns(NamedTuple):
    given: str
    target: str


def _named(frame: pd.DataFrame) -> _Columns | None:
    """The columns that are named as the two sides of a pair."""
    of_name = {c.strip().lower(): c for c in reversed(frame.columns)}
    for roles in ROLES:
        if all(role in of_name for role in roles):
            found = _Columns(*(of_name[role] for role in roles))
            return found if _many(frame[found.given]) and _many(frame[found.target]) else None
    spoken = [c for c in frame.columns if _is_language(c) and _is_texts(frame[c])]
    return _Columns(*spoken) if len(spoken) == 2 else None


def _is_language(column: str) -> bool:
    """Such as French, fr, text_fr."""
    return any(word in LANGUAGES for word in re.split(r"[\W_]+", column.lower()))


def _unnamed(frame: pd.DataFrame, *, called: bool) -> _Columns | None:
    """The first two columns of texts."""
    texts = [c for c in frame.columns if _is_texts(frame[c])]
    if len(texts) < 2 or not (called or _alone(frame, texts)):
        return None
    return _Columns(*texts[:2])


def _alone(frame: pd.DataFrame, texts: list[str]) -> bool:
    """Two columns of many words, or such with the names of who wrote them, without a header."""
    if list(frame.columns) != texts or len(texts) > 3:
        return False
    if len(texts) == 3 and not _is_pair(frame, _Columns(*texts[:2])):
        return False
    blanks = [frame[c].str.count(" ").mean() for c in texts[:2]]
    return bool(min(blanks) > 0.5) or _is_pair(frame, _Columns(*texts[:2]))


def _is_texts(column: pd.Series) -> bool:
    """Many different strings, most of them with a letter, and no dates."""
    if not (pd.api.types.is_string_dtype(column) or pd.api.types.is_object_dtype(column)):
        return False
    known = column.dropna()
    if not all(isinstance(value, str) for value in known.head(_FEWEST_ROWS)) or not _many(known):
        return False
    return bool(known.str.contains(r"[^\W\d_]").mean() > 0.5)


def _many(column: pd.Series) -> bool:
    return bool(column.nunique() > min(MOST_LEVELS, len(column) // 2))


def _is_pair(frame: pd.DataFrame, columns: _Columns) -> bool:
    """Whether the names of these columns are texts themselves: sentences, or among the values."""
    if any(_is_language(c) for c in columns) or columns in _ROLES_OF:
        return False
    return any(re.search(r"\S\s+\S|[.!?,;…。？！]$", c) for c in columns) or any(
        bool((frame[c] == c).any()) for c in columns
    )


_ROLES_OF = frozenset(_Columns(*roles) for roles in ROLES)


def _with_first_line(frame: pd.DataFrame, columns: _Columns) -> tuple[pd.DataFrame, _Columns]:
    """The two columns under plain names, with their names on top."""
    plain = _Columns("column 1", "column 2")
    first = pd.DataFrame([list(columns)], columns=list(plain))
    rest = frame[list(columns)].set_axis(list(plain), axis=1)
    return pd.concat([first, rest], ignore_index=True), plain


def _pairs(frame: pd.DataFrame, columns: _Columns, notes: list[str], name: str) -> Pairs:
    both = pd.DataFrame({side: _words(frame[side]) for side in columns})
    there = (both != "").all(axis=1)
    missing = int((~there).sum())
    kept = both[there]
    if kept.empty:
        raise DataError(f"no row has both {columns.given} and {columns.target}; choose others")
    if missing:
        notes.append(f"{missing:,} rows without {columns.given} or {columns.target} left out.")
    notes += _repeats(kept, columns)
    if left := [c for c in frame.columns if c not in columns]:
        notes.append(f"Not read: {', '.join(left[:3])}{', ...' if len(left) > 3 else ''}.")
    return Pairs(
        source_texts=tuple(kept[columns.given]),
        target_texts=tuple(kept[columns.target]),
        given=columns.given,
        target=columns.target,
        source=Source(title=name),
        missing=missing,
        notes=tuple(notes),
    )


def _repeats(pairs: pd.DataFrame, columns: _Columns) -> list[str]:
    """What a split and a score will have to know."""
    notes = []
    if twice := int(pairs.duplicated().sum()):
        notes.append(f"{twice:,} pairs repeat an earlier one.")
    of_source = pairs.drop_duplicates()[columns.given].value_counts()
    if several := int((of_source > 1).sum()):
        notes.append(f"{several:,} sources have more than one target.")
    return notes


def _words(column: pd.Series) -> pd.Series:
    """As texts without blanks around them; "" where there is none."""
    if pd.api.types.is_datetime64_any_dtype(column) and (column == column.dt.normalize()).all():
        column = column.dt.strftime("%Y-%m-%d")
    elif pd.api.types.is_float_dtype(column):
        column = column.map(lambda value: f"{value:.15g}", na_action="ignore")
    return column.astype("object").where(column.notna(), "").astype(str).str.strip()
