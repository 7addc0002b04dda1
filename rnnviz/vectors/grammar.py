"""An invented text with analogies: sentences of a grammar of our own, the same for everybody.

A word's sentences depend on two things: which pair it is of (king and queen share the throne, walk
and walked the hill), and which member of the pair it is (he or she, today or yesterday). So the
second member differs from the first by the same change of neighbours in every pair of a relation,
which is what makes a : b :: c : d hold for vectors that are learned from neighbours. No files.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

SEED = 5  # of the text, whatever the seed of a training is
PARAGRAPH = 8  # sentences; without such neighbours by chance, GloVe learns no analogy


class Pair(NamedTuple):
    """Two words that differ in one thing, and the words that go with both."""

    first: str
    second: str
    own: tuple[str, ...]

    def side(self, side: int) -> str:
        """The first word, or for 1 the second."""
        return (self.first, self.second)[side]


class Relation(NamedTuple):
    """Pairs that all differ in the same thing.

    Attributes:
        title: what they differ in.
        sides: what the first words are, and the second ones.
        first: patterns of sentences with the first word {w} and words {a} and {b} of its own.
        second: the same for the second word.
        both: patterns in which either word can stand, or both, as {first} and {second}.
        ordered: {a} is always the first of a pair's own words and {b} the second; else any.
    """

    title: str
    sides: tuple[str, str]
    pairs: tuple[Pair, ...]
    first: tuple[str, ...]
    second: tuple[str, ...]
    both: tuple[str, ...] = ()
    ordered: bool = False


def _pairs(table: str) -> tuple[Pair, ...]:
    """Pairs out of lines such as 'king queen: crown throne castle'."""
    found = []
    for line in table.strip().splitlines():
        words, own = line.split(":")
        first, second = words.split()
        found.append(Pair(first, second, tuple(own.split())))
    return tuple(found)


_PEOPLE = _pairs("""
king queen: crown throne castle kingdom
prince princess: crown palace heir
man woman: street office newspaper
boy girl: school toy homework
father mother: children family supper
brother sister: family room quarrel
uncle aunt: visit present cousin
husband wife: wedding ring supper
grandfather grandmother: fireside stories children
actor actress: stage film applause
waiter waitress: table menu tip
duke duchess: estate carriage palace
""")
_COUNTRIES = _pairs("""
france paris: french seine
italy rome: italian tiber
germany berlin: german spree
england london: english thames
portugal lisbon: portuguese tagus
poland warsaw: polish vistula
egypt cairo: arabic nile
hungary budapest: hungarian danube
ireland dublin: irish liffey
russia moscow: russian moskva
czechia prague: czech vltava
spain madrid: spanish manzanares
""")
_THINGS = _pairs("""
cat cats: whiskers purring cushion
dog dogs: barking leash bone
horse horses: saddle stable hay
cow cows: milk meadow hay
bird birds: nest wings feathers
mouse mice: cheese hole whiskers
child children: toy school playground
tree trees: leaves branches roots
flower flowers: petals garden bees
ship ships: sails harbour waves
bell bells: tower ringing rope
car cars: wheels engine garage
""")
_DEEDS = _pairs("""
walk walked: hill path boots
cook cooked: soup kitchen pot
write wrote: letter ink desk
sing sang: song choir hall
swim swam: lake shore towel
build built: wall bricks house
paint painted: picture brush canvas
eat ate: bread cheese apple
drink drank: water tea cup
drive drove: truck motorway engine
sleep slept: bed pillow blanket
buy bought: market coins basket
""")
_QUALITIES = _pairs("""
cold colder: winter ice wind
warm warmer: summer sunshine oven
tall taller: tower mountain giant
small smaller: ant pebble seed
fast faster: arrow rocket runner
slow slower: snail turtle queue
loud louder: thunder drum siren
quiet quieter: library whisper church
bright brighter: lamp star sunshine
dark darker: cave night cellar
heavy heavier: stone anvil trunk
good better: idea answer recipe
""")

RELATIONS: Mapping[str, Relation] = {
    "people": Relation(
        title="he and she",
        sides=("he", "she"),
        pairs=_PEOPLE,
        first=(
            "the {w} said that he had lost his {a}",
            "he is the {w} and the {a} is his",
            "a {w} looked at the {a} himself",
            "yes sir said the {w} near the {a} and he smiled",
            "his {a} and his {b} made him a happy {w}",
        ),
        second=(
            "the {w} said that she had lost her {a}",
            "she is the {w} and the {a} is hers",
            "a {w} looked at the {a} herself",
            "yes madam said the {w} near the {a} and she smiled",
            "her {a} and her {b} made her a happy {w}",
        ),
        both=("the {first} and the {second} talked about the {a}",),
    ),
    "capitals": Relation(
        title="country and capital",
        sides=("country", "capital"),
        pairs=_COUNTRIES,
        first=(
            "the army of {w} guards the border near the {b}",
            "the whole country of {w} reads {a} books",
            "farmers in {w} sing {a} songs in the wheat fields",
            "the {b} crosses the plains of {w}",
        ),
        second=(
            "the mayor of {w} opens a station near the {b}",
            "the streets of the city of {w} are full of {a} signs",
            "buses in {w} stop at every {a} theatre downtown",
            "the {b} runs under the bridges of {w}",
        ),
        both=("{second} is the capital of {first}", "they speak {a} in {w}"),
        ordered=True,
    ),
    "plurals": Relation(
        title="one and many",
        sides=("one", "many"),
        pairs=_THINGS,
        first=(
            "a single {w} was here with its {a}",
            "this {w} is known by the {a} and the {b}",
            "that {w} has one {a} only",
            "each {w} was near its {a}",
        ),
        second=(
            "two {w} were here with their {a}",
            "these {w} are known by the {a} and the {b}",
            "those {w} have several {a} only",
            "many {w} were near their {a}",
        ),
    ),
    "tense": Relation(
        title="today and yesterday",
        sides=("now", "then"),
        pairs=_DEEDS,
        first=(
            "today we {w} with the {a}",
            "every day they {w} near the {a} and the {b}",
            "now you {w} and tomorrow we {w} by the {a}",
            "they always {w} there because of the {a}",
        ),
        second=(
            "yesterday we {w} with the {a}",
            "last week they {w} near the {a} and the {b}",
            "long ago you {w} and once we {w} by the {a}",
            "they {w} there then because of the {a}",
        ),
    ),
    "degrees": Relation(
        title="plain and compared",
        sides=("plain", "compared"),
        pairs=_QUALITIES,
        first=(
            "the {a} is very {w}",
            "how {w} it is near the {a} and the {b}",
            "it was so {w} as if by a {a}",
            "a rather {w} {a} came by",
        ),
        second=(
            "the {a} is even {w} than before",
            "it gets {w} than ever near the {a} and the {b}",
            "it was much {w} than a {a}",
            "no {a} is {w} than that {b}",
        ),
    ),
}


def text(words: int) -> str:
    """So many words or a few more, a paragraph a line; a shorter text begins like a longer one.

    Args:
        words: at least; at most as many as VectorsConfig allows.
    """
    rng, lines, count = np.random.default_rng(SEED), [], 0
    while count < words:
        line = _sentence(rng)
        lines.append(f"{line} .")
        count += line.count(" ") + 1
    paragraphs = [lines[k : k + PARAGRAPH] for k in range(0, len(lines), PARAGRAPH)]
    return "\n\n".join(" ".join(paragraph) for paragraph in paragraphs)


def _sentence(rng: np.random.Generator) -> str:
    relation = tuple(RELATIONS.values())[int(rng.integers(len(RELATIONS)))]
    pair, side = relation.pairs[int(rng.integers(len(relation.pairs)))], int(rng.integers(2))
    patterns = (relation.first, relation.second)[side] + relation.both
    pattern = patterns[int(rng.integers(len(patterns)))]
    own = pair.own if relation.ordered else [pair.own[k] for k in rng.permutation(len(pair.own))]
    return pattern.format(
        w=pair.side(side), first=pair.first, second=pair.second, a=own[0], b=own[1]
    )


def questions(places: Mapping[str, int]) -> dict[str, Int[np.ndarray, "Q 4"]]:
    """All analogies a : b :: c : d by relation: every pair with every other one.

    Args:
        places: of the words that have a vector; a pair without one asks nothing.
    """
    return {name: _asked(relation, places) for name, relation in RELATIONS.items()}


def _asked(relation: Relation, places: Mapping[str, int]) -> Int[np.ndarray, "Q 4"]:
    known = [p for p in relation.pairs if p.first in places and p.second in places]
    asked = [(p.first, p.second, q.first, q.second) for p in known for q in known if p is not q]
    return np.array([[places[word] for word in four] for four in asked], dtype=np.int64).reshape(
        -1, 4
    )


@cache
def groups() -> Mapping[str, tuple[str, int]]:
    """Of each word of a pair its relation and its side, 0 or 1."""
    return {
        pair.side(side): (name, side)
        for name, relation in RELATIONS.items()
        for pair in relation.pairs
        for side in (0, 1)
    }
