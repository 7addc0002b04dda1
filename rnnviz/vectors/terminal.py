"""Word vectors in lines of text."""

from collections.abc import Iterator
from functools import reduce
from pathlib import Path

from rnnviz.config import RunConfig
from rnnviz.events import Event, Found, RunView, Snapshot
from rnnviz.vectors.run import fit
from rnnviz.vectors.settings import corpus_of
from rnnviz.vectors.told import LOSS, SOLVED, solved, space_of

NEIGHBOURS = 10


def told(config: RunConfig, home: Path, word: str = "") -> Iterator[str]:
    """A line for each epoch, then the neighbours of a word.

    Raises:
        DataError: the text cannot be learned from, or the word has no vector.
    """
    corpus = corpus_of(config, home)
    if word:
        corpus.place(word)
    yield (
        f"{corpus.read:,} words, {corpus.different:,} different ones; "
        f"{len(corpus.words):,} get a vector"
    )
    last: Snapshot | None = None
    for event in fit(config, corpus):
        last = event if isinstance(event, Snapshot) else last
        if isinstance(event, Found) and event.epoch:
            yield _epoch(event)
    if word and last is not None:
        near = space_of(corpus, last.arrays, config.vectors.method).neighbours(word, NEIGHBOURS)
        yield from (f"{n.word}: cosine {n.cosine:.3f}, {n.angle:.1f}°" for n in near)


def _epoch(found: Found) -> str:
    said = f"epoch {found.epoch}: loss {found.numbers[LOSS]:.4f}"
    events: list[Event] = [found]
    shares = solved(reduce(RunView.after, events, RunView()), found.epoch, SOLVED)
    if not shares:
        return said
    each = ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    return f"{said}; analogies solved {sum(shares.values()) / len(shares):.0%} ({each})"
