"""Persons, places, organisations and dates in small sentences: a tag for every word.

"Jordan called Anna", "Jordan lies on a river", "Jordan Bank hired Anna", "we flew to Jordan": what
a name is depends on the words around it, as often on those that follow as on those before. Each
pattern says at every place which words may stand there, all alike, and which tag they have there.
So whoever has read some words knows how probable each pattern is, and with it each tag: exactly, at
every step, for one who reads from the left and for one who has read all.

Tags are BIO (Ramshaw and Marcus, 1995): B begins an entity, I goes on with it, O is outside.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from rnnviz.config import DataConfig
from rnnviz.data.dataset import Known, SequenceDataset, Task, Variable
from rnnviz.data.worlds.world import (
    ENTROPY_FLOOR,
    MEMORYLESS,
    ONE_WAY,
    SEED,
    everywhere,
    made,
    memoryless,
)

TAGS = ("O", *(f"{part}-{kind}" for kind in ("PER", "LOC", "ORG", "DATE") for part in "BI"))
NAMES = ("Jordan", "Paris", "Austin", "Florence", "Lincoln", "Hudson")  # of persons, places, firms
MONTHS = ("April", "May", "June")  # of persons as well
DAYS = ("3", "7", "12", "20")  # also of what is counted


class Slot(NamedTuple):
    """Words that may stand at a place, all alike, and their tag there."""

    words: tuple[str, ...]
    tag: str = "O"


SLOTS: Mapping[str, Slot] = {
    "PERSON": Slot((*NAMES, *MONTHS, "Anna", "Paul", "Lucy"), "B-PER"),
    "SURNAME": Slot(("Miller", "Garcia", "Hudson", "Ford"), "I-PER"),
    "PLACE": Slot((*NAMES, "Oslo", "Lima", "Kyoto"), "B-LOC"),
    "LAKE": Slot(("Lake",), "B-LOC"),
    "NAMED": Slot((*NAMES, "Geneva"), "I-LOC"),
    "FIRM": Slot((*NAMES, "Ford", "Acme", "Orion"), "B-ORG"),
    "KIND": Slot(("Bank", "Airlines", "University"), "I-ORG"),
    "MONTH": Slot((*MONTHS, "July", "October"), "B-DATE"),
    "IN": Slot((*MONTHS, "July", "October"), "I-DATE"),  # the month after its day
    "DAY": Slot(DAYS, "B-DATE"),
    "ON": Slot(DAYS, "I-DATE"),  # the day after its month
    "YEAR": Slot(("1979", "1990", "2004"), "I-DATE"),
    "COUNT": Slot(DAYS),
    "called": Slot(("called", "met", "thanked")),
    "large": Slot(("large", "small", "cold")),
}
PATTERNS = (  # all alike; what is no slot stands for itself
    "PERSON called PERSON .",
    "PERSON SURNAME called PERSON in PLACE .",
    "PERSON SURNAME left FIRM KIND on MONTH ON .",
    "PERSON works for FIRM in PLACE .",
    "PERSON works for FIRM KIND .",
    "PLACE lies on a large river .",
    "PLACE is a large city near LAKE NAMED .",
    "FIRM fell by COUNT percent on MONTH ON .",
    "FIRM KIND hired PERSON on DAY IN YEAR .",
    "FIRM KIND moved from PLACE to PLACE .",
    "MONTH ON was a large day in PLACE .",
    "MONTH was large in PLACE .",
    "DAY IN YEAR was a large day .",
    "COUNT people called PERSON in PLACE .",
    "we called PERSON SURNAME in PLACE on MONTH ON .",
    "we called the people of FIRM KIND .",
    "we flew to PLACE in MONTH .",
    "we flew with FIRM to LAKE NAMED .",
    "she was born in PLACE on DAY IN YEAR .",
    "the people of PLACE called PERSON .",
)


class Grammar(NamedTuple):
    """The patterns as tables: P patterns of at most L places, V words."""

    vocabulary: tuple[str, ...]
    allowed: Bool[np.ndarray, "P L V"]  # at no place beyond a pattern's length
    tags: Int[np.ndarray, "P L"]
    lengths: Int[np.ndarray, " P"]

    @property
    def shares(self) -> Float[np.ndarray, "P L V"]:
        """The probability of each word at each place of each pattern."""
        return self.allowed / np.maximum(self.allowed.sum(axis=2, keepdims=True), 1)


def grammar() -> Grammar:
    """The tables of PATTERNS."""
    slots = [[SLOTS.get(name, Slot((name,))) for name in it.split()] for it in PATTERNS]
    vocabulary = tuple(sorted({word for row in slots for slot in row for word in slot.words}))
    lengths = np.array([len(row) for row in slots])
    shape = len(slots), int(lengths.max())
    allowed, tags = np.zeros((*shape, len(vocabulary)), bool), np.zeros(shape, np.int64)
    for p, row in enumerate(slots):
        for t, slot in enumerate(row):
            allowed[p, t] = np.isin(vocabulary, slot.words)
            tags[p, t] = TAGS.index(slot.tag)
    return Grammar(vocabulary, allowed, tags, lengths)


class Written(NamedTuple):
    """Sentences, and their tags."""

    words: Int[np.ndarray, "N L"]
    tags: Int[np.ndarray, "N L"]
    lengths: Int[np.ndarray, " N"]


def write(rules: Grammar, rng: np.random.Generator, sentences: int) -> Written:
    """Each of a pattern at random, with words at random."""
    of = rng.integers(len(rules.lengths), size=sentences)
    sums = rules.shares.cumsum(axis=2)[of]
    draws = rng.random(sums.shape[:2])
    last = len(rules.vocabulary) - 1
    words = np.minimum((draws[:, :, None] >= sums).sum(axis=2), last)
    inside = np.arange(words.shape[1]) < rules.lengths[of][:, None]
    return Written(np.where(inside, words, 0), rules.tags[of] * inside, rules.lengths[of])


def believed(
    rules: Grammar, written: Written, *, whole: bool
) -> tuple[Float[np.ndarray, "N L"], Float[np.ndarray, "N L"]]:
    """Entropy [nats] and largest probability of every tag for one who knows the patterns.

    Args:
        whole: for one who has read all words; else those up to the tag's own.
    """
    n, steps = written.words.shape
    probability = np.full((n, len(rules.lengths)), 1.0 / len(rules.lengths))
    after = np.empty((steps, *probability.shape))
    for t in range(steps):
        going = (t < written.lengths)[:, None]
        seen = rules.shares[:, t, written.words[:, t]].T
        probability = np.where(going, probability * seen, probability)
        after[t] = probability
    if whole:  # whose length is known too
        fits = rules.lengths == written.lengths[:, None]
        after[:] = after[-1] * fits
    after /= after.sum(axis=2, keepdims=True)
    of_tag = np.eye(len(TAGS))[rules.tags]  # [P L K]
    shares = np.einsum("lnp,plk->nlk", after, of_tag)
    logs = np.log(np.where(shares > 0, shares, 1.0))
    return -(shares * logs).sum(axis=2), shares.max(axis=2)


def joint(rules: Grammar) -> Float[np.ndarray, "V K"]:
    """How probably each word comes with each tag, over all words of all sentences."""
    found = np.zeros((len(rules.vocabulary), len(TAGS)))
    for p, length in enumerate(rules.lengths):
        for t in range(length):
            found[:, rules.tags[p, t]] += rules.shares[p, t]
    return found / found.sum()


def load(config: DataConfig, seed: int = SEED) -> SequenceDataset:
    """`config.sequences` sentences with a tag for each word."""
    n, rules = config.sequences, grammar()
    written = write(rules, np.random.default_rng(seed), n)
    inside = np.arange(written.words.shape[1]) < written.lengths[:, None]
    unsure, likeliest = believed(rules, written, whole=False)
    one_way = (unsure * inside).sum(axis=1) / written.lengths
    right = float(likeliest[inside].mean())
    loss, accuracy = memoryless(joint(rules))
    return made(
        title="Names, places and dates, tagged",
        inputs=written.words,
        targets=written.tags,
        lengths=written.lengths,
        task=Task.TAGGING,
        whose="sentences",
        features=(Variable("word", "word"),),
        outputs=(Variable("tag"),),
        vocabulary=rules.vocabulary,
        classes=TAGS,
        known=(
            everywhere(MEMORYLESS, n, loss, accuracy=accuracy),
            Known(name=ONE_WAY, metric="loss", expected=one_way, others={"accuracy": right}),
            everywhere(ENTROPY_FLOOR, n, 0.0, accuracy=1.0, floor=True),
        ),
        notes=(
            "What a name is depends on the words around it: Jordan called, Jordan lies on a river, "
            "Jordan Bank, we flew to Jordan.",
            f"One who sees only the word itself gets {accuracy:.1%} of the tags at most; one who "
            f"reads from the left and knows every pattern, {right:.1%} "
            f"({unsure[inside].mean():.4f} nats). Who reads from both sides can know them all.",
        ),
    )
