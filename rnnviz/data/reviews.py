"""Short reviews, good or bad, from a grammar of our own: negations, intensifiers and contrasts.

What a review says is computed along with its words, each part's meaning from those of its parts:

1. An opinion word is good or bad. "very", "really" and "truly" leave it as it is.
2. Every turning word before it in its clause turns it, however far away: "not", "never", "nobody",
   and the weakening "barely", "hardly" and "scarcely". Two of them turn it twice.
3. Of two clauses that contradict each other the main one counts: "X, but Y" says what Y says,
   "although X, Y" too, and "X, although Y" says what X says. "X, and Y" says what both say.

`meaning` reads the same rule off any words, without knowing how they were made. No files, no torch.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from rnnviz.config import DataConfig
from rnnviz.data.dataset import SequenceDataset, Source
from rnnviz.data.labelled import Labelled, sequences

CLASSES = ("bad", "good")
SOURCE = Source(title="Reviews, good or bad", authors="A grammar of our own", licence="MIT")
SEED = 1  # of the draw, the same for everybody

GOOD = ("good", "lovely", "clever", "warm", "fresh", "charming")
BAD = ("bad", "dull", "clumsy", "cold", "stale", "awful")
TURNING = ("not", "never", "nobody", "barely", "hardly", "scarcely")
STRONGER, WEAKER = ("very", "really", "truly"), ("barely", "hardly", "scarcely")
THINGS = ("film", "plot", "cast", "music", "ending", "story", "meal", "room", "garden", "service")
VERBS = ("was", "seemed", "felt")
FAR = ("at all", "in any way", "for one minute", "from first to last")  # after "not"
PLAINLY = ("we found that", "they told us that", "in the end", "this time")
DENYING = ("nobody would say that", "it is not true that", "we never found that")
BUT, ALTHOUGH, AND = "but", "although", "and"

TURNS = (0.45, 0.40, 0.15)  # shares of clauses that turn their word never, once, twice
KINDS = {"one": 0.5, BUT: 0.15, "although first": 0.1, "although last": 0.15, AND: 0.1}


class Said(NamedTuple):
    """Words with what they say."""

    text: str
    good: bool

    @property
    def label(self) -> int:
        """Its place in CLASSES."""
        return int(self.good)


def meaning(text: str) -> bool | None:
    """Whether some words say something good, by the rule; None where they say nothing, or both.

    Args:
        text: in lower case, its tokens with blanks between them.
    """
    said = {_of_clause(clause) for clause in _deciding(text.split())} - {None}
    return said.pop() if len(said) == 1 else None


def _deciding(words: list[str]) -> list[list[str]]:
    """The clauses that count."""
    if words[:1] == [ALTHOUGH]:
        words = words[words.index(",") + 1 :] if "," in words else []
    elif BUT in words:
        words = words[words.index(BUT) + 1 :]
    elif ALTHOUGH in words:
        words = words[: words.index(ALTHOUGH)]
    clauses: list[list[str]] = [[]]
    for word in words:
        if word == AND:
            clauses.append([])
        else:
            clauses[-1].append(word)
    return clauses


def _of_clause(words: list[str]) -> bool | None:
    turned, said = False, set()
    for word in words:
        turned ^= word in TURNING
        if word in GOOD or word in BAD:
            said.add((word in GOOD) is not turned)
    return said.pop() if len(said) == 1 else None


# --- making them ----------------------------------------------------------------------------------


def reviews(count: int, seed: int = SEED) -> tuple[Said, ...]:
    """So many different reviews, every second one good."""
    rng = np.random.default_rng(seed)
    found: dict[str, bool] = {}
    while len(found) < count:
        good = len(found) % 2 == 1
        text = review(rng, good).text
        found.setdefault(text, good)
    return tuple(Said(text, good) for text, good in found.items())


def review(rng: np.random.Generator, good: bool) -> Said:
    """One that says good or bad."""
    kind = list(KINDS)[rng.choice(len(KINDS), p=list(KINDS.values()))]
    main = clause(rng, good)
    if kind == "one":
        return main
    if kind == AND:
        return both(main, clause(rng, good))
    aside = clause(rng, not good)
    if kind == BUT:
        return but(aside, main)
    return although_first(aside, main) if kind == "although first" else although_last(main, aside)


def but(first: Said, second: Said) -> Said:
    """The second counts."""
    return Said(f"{first.text} , {BUT} {second.text}", second.good)


def although_first(aside: Said, main: Said) -> Said:
    """The main clause counts."""
    return Said(f"{ALTHOUGH} {aside.text} , {main.text}", main.good)


def although_last(main: Said, aside: Said) -> Said:
    """The main clause counts."""
    return Said(f"{main.text} , {ALTHOUGH} {aside.text}", main.good)


def both(first: Said, second: Said) -> Said:
    """They agree."""
    assert first.good is second.good
    return Said(f"{first.text} , {AND} {second.text}", first.good)


def clause(rng: np.random.Generator, good: bool) -> Said:
    """One thing and an opinion of it, turned never, once or twice."""
    turns = int(rng.choice(len(TURNS), p=TURNS))
    word = Said(_one(rng, GOOD if good is (turns % 2 == 0) else BAD), good is (turns % 2 == 0))
    thing, verb = _one(rng, THINGS), _one(rng, VERBS)
    opens, inside = _ways(rng, turns)
    said = opinion(rng, word, inside)
    parts = (opens, f"the {thing} {verb}", said.text)
    return Said(" ".join(part for part in parts if part), said.good is not (opens in DENYING))


def _ways(rng: np.random.Generator, turns: int) -> tuple[str, bool]:
    """How a clause opens, and whether its opinion is turned once more inside."""
    denied = turns == 2 or (turns == 1 and rng.random() < 0.25)
    opens = _one(rng, DENYING) if denied else _one(rng, ("", "", *PLAINLY))
    return opens, turns - denied == 1


def opinion(rng: np.random.Generator, word: Said, turned: bool) -> Said:
    """An opinion word, stronger or as it is; or turned, near or far."""
    strong = _one(rng, ("", "", *STRONGER))
    if not turned:
        return Said(f"{strong} {word.text}".strip(), word.good)
    ways = (
        f"not {strong} {word.text}",
        f"never {word.text}",
        f"not {_one(rng, FAR)} {word.text}",
        f"{_one(rng, WEAKER)} {word.text}",
    )
    return Said(" ".join(_one(rng, ways).split()), not word.good)


def _one(rng: np.random.Generator, words: tuple[str, ...]) -> str:
    return words[rng.integers(len(words))]


def dataset(config: DataConfig) -> SequenceDataset:
    """The reviews as sequences of words with a class each."""
    made = reviews(config.sequences)
    labelled = Labelled(
        texts=tuple(said.text for said in made),
        labels=np.array([said.label for said in made]),
        classes=CLASSES,
        text="review",
        target="verdict",
        targets=("verdict",),
        source=SOURCE,
        notes=(RULE,),
    )
    plain = replace(config, tokens="words", window=64)
    ids = tuple(f"review {row + 1}" for row in range(len(made)))
    return replace(sequences(labelled, plain), name=SOURCE.title, ids=ids, whose="reviews")


RULE = (
    "The rule: each of not, never, nobody, barely, hardly and scarcely turns the opinion words "
    "after it in its clause; of two clauses that contradict each other the one after but counts, "
    "or the one without although."
)
