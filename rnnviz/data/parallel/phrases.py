"""English phrases in Marish, an invented language: nouns come first, verbs come last.

    often the small red bird does not see my old boat near a tree
    velk karmi tibi ti ulmet apu marun ornu meu saje okhan ne

A noun stands before its adjectives, their order is turned, and the article comes behind them; `a`
is not said. Adjectives and articles agree with the noun's class, of which English shows nothing.
What English puts before a place stands behind it, the place before the object, when before the
verb, the verb at the end, and `ne`, for does not, behind it. So whoever attends to what is said
goes back and forth, as from European Economic Area to zone économique européenne.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnnviz.config import RunConfig
from rnnviz.data.parallel.task import Texts, by_rule
from rnnviz.errors import DataError

TITLE = "English phrases in Marish"
NOTES = (
    "Marish is invented: the noun comes before its adjectives, the article behind them, the place "
    "before the object, and the verb last. Adjectives and articles agree with one of two classes "
    "of nouns.",
)


class Noun(NamedTuple):
    """A noun in Marish, and the ending of whatever goes with it."""

    word: str
    ending: str


NOUNS = {
    "bird": Noun("velk", "i"),
    "boat": Noun("marun", "u"),
    "child": Noun("nivel", "u"),
    "fish": Noun("perro", "i"),
    "house": Noun("hadom", "u"),
    "island": Noun("sulet", "i"),
    "lamp": Noun("brinda", "u"),
    "sailor": Noun("toskan", "i"),
    "stone": Noun("gorra", "i"),
    "tree": Noun("ulmet", "u"),
    "wolf": Noun("rakko", "u"),
    "woman": Noun("yolma", "i"),
}
ADJECTIVES = {
    **{"red": "karm", "small": "tib", "old": "orn", "green": "sev"},
    **{"white": "lum", "quiet": "nol", "big": "dag", "dark": "zur"},
}
ARTICLES = {"a": "", "the": "t", "my": "me", "every": "omn"}
VERBS = {  # by the form after does not
    **{"see": "okhan", "find": "tremen", "love": "silan", "follow": "perran"},
    **{"hear": "undan", "paint": "kolvan", "want": "esman", "know": "konan"},
}
PLACES = {"near": "apu", "under": "sot", "behind": "retru", "beside": "lat"}
TIMES = {"often": "saje", "today": "idag", "now": "nu", "again": "oter"}
NOT = "ne"


class Part(NamedTuple):
    """An article, adjectives and a noun, in English."""

    article: str
    adjectives: tuple[str, ...]
    noun: str

    @property
    def english(self) -> tuple[str, ...]:
        """In the order of English."""
        return self.article, *self.adjectives, self.noun

    @property
    def marish(self) -> tuple[str, ...]:
        """In the order of Marish, every word agreeing with the noun."""
        noun, ending = NOUNS[self.noun]
        stems = (*(ADJECTIVES[word] for word in reversed(self.adjectives)), ARTICLES[self.article])
        return noun, *(stem + ending for stem in stems if stem)


class Phrase(NamedTuple):
    """All that a phrase says; "" and None where it does not."""

    time: str
    subject: Part
    negated: bool
    verb: str
    object: Part
    place: str
    landmark: Part | None

    @property
    def english(self) -> str:
        """The phrase in English."""
        verb = ("does", "not", self.verb) if self.negated else (f"{self.verb}s",)
        where = (self.place, *self.landmark.english) if self.landmark else ()
        words = (self.time, *self.subject.english, *verb, *self.object.english, *where)
        return " ".join(word for word in words if word)

    @property
    def marish(self) -> str:
        """The phrase in Marish."""
        where = (*self.landmark.marish, PLACES[self.place]) if self.landmark else ()
        verb = (VERBS[self.verb], NOT) if self.negated else (VERBS[self.verb],)
        time = (TIMES[self.time],) if self.time else ()
        return " ".join((*self.subject.marish, *where, *self.object.marish, *time, *verb))


def make(config: RunConfig, home: Path) -> Texts:  # noqa: ARG001  a rule needs no files
    """Pairs of different phrases."""

    def draw(rng: np.random.Generator) -> tuple[str, str]:
        phrase = _drawn(rng)
        return phrase.english, phrase.marish

    return by_rule(config, title=TITLE, tokens="words", draw=draw, notes=NOTES)


def answer(text: str) -> str:
    """The phrase in Marish.

    Raises:
        DataError: a word is not among those of the pairs, or they stand in another order.
    """
    words = text.lower().split()
    strange = sorted(set(words) - _ENGLISH)
    if strange:
        raise DataError(
            f"Marish has no word for {', '.join(strange[:5])}; use only: {', '.join(_LISTED)}"
        )
    phrase = _Reader(words).phrase()
    if phrase is None:
        raise DataError(
            f"{' '.join(words)!r} has not the order of these phrases: when (if told), who, does "
            "what, whom, where (if told), and an article and at most 2 adjectives before each "
            "noun, such as: often the small red bird sees a boat near my house"
        )
    return phrase.marish


_LISTED = (
    *(*TIMES, *ARTICLES, *ADJECTIVES, *NOUNS, "does", "not"),
    *(*VERBS, *(f"{verb}s" for verb in VERBS), *PLACES),
)
_ENGLISH = frozenset(_LISTED)
MOST_ADJECTIVES = 2


def _drawn(rng: np.random.Generator) -> Phrase:
    where = rng.random() < 0.35
    return Phrase(
        time=_one(rng, TIMES) if rng.random() < 0.4 else "",
        subject=_part(rng),
        negated=bool(rng.random() < 0.3),
        verb=_one(rng, VERBS),
        object=_part(rng),
        place=_one(rng, PLACES) if where else "",
        landmark=_part(rng) if where else None,
    )


def _part(rng: np.random.Generator) -> Part:
    count = int(rng.choice(MOST_ADJECTIVES + 1, p=(0.4, 0.4, 0.2)))
    adjectives = rng.permutation(list(ADJECTIVES))[:count].tolist()
    return Part(_one(rng, ARTICLES), tuple(adjectives), _one(rng, NOUNS))


def _one(rng: np.random.Generator, words: dict) -> str:
    return list(words)[int(rng.integers(len(words)))]


class _Reader:
    """English words, taken one by one."""

    def __init__(self, words: list[str]) -> None:
        self.words = list(words)

    def phrase(self) -> Phrase | None:
        """The whole of them as a phrase; None where they are none."""
        time = self.one(TIMES)
        subject = self.part()
        negated = self.one(("does",)) == "does"
        if negated and not self.one(("not",)):
            return None
        verb = self.one(VERBS) if negated else self.one(_THIRD).removesuffix("s")
        object_ = self.part()
        place = self.one(PLACES)
        landmark = self.part() if place else None
        if self.words or not (subject and verb and object_) or bool(place) != bool(landmark):
            return None
        return Phrase(time, subject, negated, verb, object_, place, landmark)

    def one(self, of: "dict | tuple[str, ...] | frozenset[str]") -> str:
        """The next word where it is one of these, else ""."""
        return self.words.pop(0) if self.words and self.words[0] in of else ""

    def part(self) -> Part | None:
        """Article, adjectives and noun."""
        article = self.one(tuple(ARTICLES))
        adjectives: list[str] = []
        while len(adjectives) < MOST_ADJECTIVES and (word := self.one(tuple(ADJECTIVES))):
            adjectives.append(word)
        noun = self.one(tuple(NOUNS))
        return Part(article, tuple(adjectives), noun) if article and noun else None


_THIRD = frozenset(f"{verb}s" for verb in VERBS)
