"""One training step with its numbers, as an epoch draws it: for the page. NumPy only.

The example is the epoch's own (which words were kept, how far the window reached, which negatives
were drawn); the weights are those at the end of the epoch before, so the step is the one that it
would make as the epoch's first.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Shaped

from rnnviz.vectors.corpus import Corpus
from rnnviz.vectors.objectives import Scored, glove_weight, scored
from rnnviz.vectors.training import SQUARES, Arrays, Drawn, Entries, Windows, after_step
from rnnviz.vectors.windows import NOBODY

AROUND = 12  # words shown on each side of the centre, or more where the window reaches farther
_OF_GLOVE = ("word", "context", "word_bias", "context_bias")
GLOVE = (*_OF_GLOVE, *(SQUARES + name for name in _OF_GLOVE))


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word of the text around the centre."""

    text: str
    role: str  # "centre", "neighbour", "beyond" the window, "left out" by subsampling
    example: int  # of a neighbour the number of its pair, else -1; of CBOW all have the same


@dataclass(frozen=True, kw_only=True)
class Row:
    """One word that is told apart from others, or of GloVe the one that stands beside."""

    word: str
    label: int  # 1 of the true word, 0 of a drawn one
    dot: float
    sigmoid: float
    gradient: float  # of the loss by the dot product
    loss: float
    skipped: bool  # drawn, but it is the true word
    after: float  # the dot product after the step


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step of a method of word2vec."""

    given: tuple[str, ...]  # the centre, or of CBOW its neighbours
    vector: Float[np.ndarray, " D"]  # the centre's, or the neighbours' mean
    rows: tuple[Row, ...]
    gradient: Float[np.ndarray, " D"]  # of the loss by that vector
    rate: float
    loss: float
    after: float  # the loss once more, after the step


def occurrences(corpus: Corpus, word: str) -> Int[np.ndarray, " O"]:
    """Where the word stands in the text."""
    return np.flatnonzero(corpus.tokens == corpus.place(word))


def around(corpus: Corpus, drawn: Drawn, position: int) -> tuple[Word, ...]:
    """The text around a place, and what the epoch takes of it; nothing where it leaves it out."""
    place = int(np.searchsorted(drawn.kept.positions, position))
    if place >= len(drawn.kept.positions) or drawn.kept.positions[place] != position:
        return ()
    number = _numbers(drawn, place)
    low = max(0, min((position - AROUND, *number)))
    high = min(len(corpus.tokens), max((position + AROUND, *number)) + 1)
    return tuple(
        _word(corpus, drawn, k, position, number)
        for k in range(low, high)
        if corpus.paragraphs[k] == corpus.paragraphs[position]
    )


def _numbers(drawn: Drawn, place: int) -> dict[int, int]:
    """The examples of the word kept at this place, by the position of the neighbour."""
    there = drawn.contexts != NOBODY
    columns = np.flatnonzero(there[place])
    sides = np.where(columns % 2, 1, -1) * (columns // 2 + 1)
    positions = [int(p) for p in drawn.kept.positions[place + sides]]
    if drawn.given.ndim > 1:  # CBOW: one example of all neighbours
        number = int(there[:place].any(axis=1).sum())
        return dict.fromkeys(positions, number)
    first = int(there[:place].sum())
    return {position: first + k for k, position in enumerate(positions)}


def _word(corpus: Corpus, drawn: Drawn, k: int, centre: int, number: dict[int, int]) -> Word:
    role = "centre" if k == centre else "neighbour" if k in number else _unused(drawn, k)
    text = corpus.words[corpus.tokens[k]]
    return Word(text=text, role=role, example=number.get(k, NOBODY))


def _unused(drawn: Drawn, k: int) -> str:
    """Why a place of the text is no neighbour; of what lies in another part nothing is known."""
    kept = drawn.kept.positions
    at = min(int(np.searchsorted(kept, k)), len(kept) - 1)
    inside = kept[0] <= k <= kept[-1]
    return "left out" if inside and kept[at] != k else "beyond"


def step(
    weights: Mapping[str, Shaped[np.ndarray, "..."]],
    lesson: Windows,
    drawn: Drawn,
    example: int,
    rate: float,
) -> Step:
    """What one example of the epoch does to weights, as if it were a batch of its own."""
    words = lesson.corpus.words
    given, targets = (values[example : example + 1] for values in (drawn.given, drawn.targets))
    before = {name: weights[name].astype(np.float64) for name in ("word", "context")}
    after = {name: values.copy() for name, values in before.items()}
    after_step(after, lesson.learn(before, given, targets), rate)
    found, again = (_scored(now, given, targets) for now in (before, after))
    return Step(
        given=tuple(words[k] for k in np.atleast_1d(given[0]) if k != NOBODY),
        vector=_vector(before, given),
        rows=tuple(
            Row(
                word=words[target],
                label=int(k == 0),
                dot=float(found.scores[0, k]),
                sigmoid=float(found.sigmoids[0, k]),
                gradient=float(found.gradients[0, k]),
                loss=float(found.losses[0, k]),
                skipped=bool(k and target == targets[0, 0]),
                after=float(again.scores[0, k]),
            )
            for k, target in enumerate(targets[0])
        ),
        gradient=found.gradients[0] @ before["context"][targets[0]],
        rate=rate,
        loss=float(found.losses.sum()),
        after=float(again.losses.sum()),
    )


def _vector(weights: Arrays, given: Int[np.ndarray, "1 ..."]) -> Float[np.ndarray, " D"]:
    """The centre's vector, or the mean of the neighbours'."""
    some = np.atleast_1d(given[0])
    return weights["word"][some[some != NOBODY]].mean(axis=0)


def _scored(
    weights: Arrays, given: Int[np.ndarray, "1 ..."], targets: Int[np.ndarray, "1 K"]
) -> Scored:
    return scored(_vector(weights, given)[None], weights["context"][targets], targets)


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A step of GloVe on one entry of X."""

    count: float  # X
    dot: float  # w . w~
    biases: tuple[float, float]  # b of the word, b~ of the neighbour
    away: float  # w . w~ + b + b~ - ln X
    weight: float  # f(X)
    loss: float
    gradient: Float[np.ndarray, " D"]  # of the loss by w
    step: Float[np.ndarray, " D"]  # that AdaGrad makes of it
    after: float  # the loss once more, after the step


def entries_of(lesson: Entries, place: int) -> dict[int, float]:
    """What stands beside a word, and how often, most often first."""
    mine = np.flatnonzero(lesson.counts.words == place)
    order = mine[np.argsort(-lesson.counts.counts[mine], kind="stable")]
    return {int(lesson.counts.contexts[k]): float(lesson.counts.counts[k]) for k in order}


def fitted(
    weights: Mapping[str, Shaped[np.ndarray, "..."]],
    lesson: Entries,
    pair: tuple[int, int],
    rate: float,
) -> Fitted:
    """What the entry of a word and a neighbour does to weights, as if it were a whole batch."""
    word, context = pair
    entry = lesson.entry(word, context)
    before = {name: weights[name].astype(np.float64) for name in weights if name in GLOVE}
    after = {name: values.copy() for name, values in before.items()}
    learned, x_max = lesson.learn(before, entry), lesson.settings.x_max
    after_step(after, learned, rate)
    w, u = before["word"][word], before["context"][context]
    biases = float(before["word_bias"][word]), float(before["context_bias"][context])
    return Fitted(
        count=float(entry.counts[0]),
        dot=float(w @ u),
        biases=biases,
        away=float(w @ u) + sum(biases) - float(np.log(entry.counts[0])),
        weight=float(glove_weight(entry.counts, x_max)[0]),
        loss=float(learned.losses[0]),
        gradient=learned.gradients["word"].values[0],
        step=after["word"][word] - w,
        after=float(lesson.learn(after, entry).losses[0]),
    )
