"""A text as the words that get vectors: counted, numbered, and cut into paragraphs.

Words are lower-cased runs of letters and digits (rnnviz.data.text); signs are left out. A window
reaches over the end of a sentence, as in word2vec's own examples, but never over an empty line.
Words that are too rare are taken out before windows are, so that those beside them come nearer.
No torch.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from rnnviz.data.text import MOST_WORDS, tokenise
from rnnviz.errors import DataError

FEWEST_WORDS = 5  # different ones
FEWEST_TOKENS = 50
POWER = 0.75  # of a count, for negative samples: Mikolov et al. 2013b


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A text of L words out of V different ones."""

    words: tuple[str, ...]  # by falling count, then in code point order
    counts: Int[np.ndarray, " V"]
    tokens: Int[np.ndarray, " L"]  # places in words
    paragraphs: Int[np.ndarray, " L"]  # the number of each token's paragraph, ascending
    read: int  # words of the text, those included that get no vector
    different: int  # the same of different words

    def place(self, word: str) -> int:
        """Where the word stands.

        Raises:
            DataError: it has no vector.
        """
        if word not in self.words:
            raise DataError(f"{word!r} has no vector; choose a word that the text holds often")
        return self.words.index(word)


def read(text: str, *, min_count: int = 1, most: int = MOST_WORDS) -> Corpus:
    """The words of a text that stand there at least so often.

    Raises:
        DataError: the text is longer than 2 MB, or too short.
    """
    words, numbers = _paragraphs(tokenise(text.lower(), "words"))
    counted = Counter(words)
    ranked = sorted(counted, key=lambda word: (-counted[word], word))
    kept = [word for word in ranked[:most] if counted[word] >= min_count]
    place = {word: k for k, word in enumerate(kept)}
    found = np.array([place.get(word, -1) for word in words], dtype=np.int64)
    tokens = found[found >= 0]
    if len(kept) < FEWEST_WORDS or len(tokens) < FEWEST_TOKENS:
        raise DataError(
            f"only {len(kept)} words stand in this text at least {min_count} times, at "
            f"{len(tokens)} places; at least {FEWEST_WORDS} words at {FEWEST_TOKENS} places are "
            "needed; give a longer text, or a smaller least count"
        )
    return Corpus(
        words=tuple(kept),
        counts=np.bincount(tokens, minlength=len(kept)),
        tokens=tokens,
        paragraphs=np.array(numbers, dtype=np.int64)[found >= 0],
        read=len(words),
        different=len(counted),
    )


def _paragraphs(tokens: list[str]) -> tuple[list[str], list[int]]:
    """The words among the tokens, and the number of each one's paragraph."""
    words, numbers, paragraph, before = [], [], 0, ""
    for token in tokens:
        if token == before == "\n":
            paragraph += 1
        elif token[0].isalnum() or len(token) > 1:
            words.append(token)
            numbers.append(paragraph)
        before = token
    return words, numbers


def keep_shares(counts: Int[np.ndarray, " V"], threshold: float) -> Float[np.ndarray, " V"]:
    """How likely each word is kept at a place where it stands: min(1, sqrt(t / f)).

    With f its share of the text (Mikolov et al. 2013b); the published program keeps a little more,
    sqrt(t / f) + t / f.

    Args:
        counts: of the words.
        threshold: t; 0 keeps all.
    """
    if not threshold:
        return np.ones(len(counts))
    return np.minimum(1.0, np.sqrt(threshold * counts.sum() / counts))


def noise(counts: Int[np.ndarray, " V"]) -> Float[np.ndarray, " V"]:
    """How likely each word is a negative sample: its count to the power .75, over the sum."""
    weights = counts.astype(np.float64) ** POWER
    return weights / weights.sum()
