"""Whose vectors are looked at: those trained on the page, or those of the current run's network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Float, Int

from rnnviz.config import RunConfig
from rnnviz.data.dataset import SequenceDataset
from rnnviz.events import RunView
from rnnviz.figures.wordmap import Group
from rnnviz.runs.run import Run
from rnnviz.ui import common, live, session, widgets
from rnnviz.vectors import grammar, told
from rnnviz.vectors.corpus import Corpus
from rnnviz.vectors.settings import MOST_MAPPED, corpus_of
from rnnviz.vectors.space import Space, principal, turned
from rnnviz.vectors.trained import vectors_in
from rnnviz.vectors.training import Entries, Windows, lesson

HERE, NETWORK = "here", "network"
OF = {HERE: "trained on this page", NETWORK: "of the current run's network"}


@dataclass(frozen=True, kw_only=True)
class Flat:
    """A map of the most frequent words.

    Attributes:
        places: of the words.
        reach: how far the map goes at any epoch.
        share: of the variance that the plane holds; None where that means nothing.
    """

    places: Float[np.ndarray, "N 2"]
    reach: float
    share: float | None = None


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Words with vectors, at one epoch.

    Attributes:
        space: the words, the most frequent ones first.
        counts: how often each stands in the text.
        mark: names the vectors and the epoch.
        what: a sentence on what they are.
        groups: of the words that are of one.
        maps: by name, each with how it is made.
        run, view, corpus: of vectors trained here; None of a network's.
    """

    space: Space
    counts: Int[np.ndarray, " V"]
    epoch: int
    mark: tuple[Any, ...]
    what: str
    groups: Mapping[str, Group]
    maps: Mapping[str, Callable[[], Flat]]
    run: Run | None = None
    view: RunView | None = None
    corpus: Corpus | None = None

    @property
    def listed(self) -> bool:
        """Whether there is a list of analogies."""
        return bool(self.groups)


@st.cache_resource(show_spinner="Counting words …", max_entries=3)
def corpus(config: RunConfig) -> Corpus:
    """The words of a run's text.

    Raises:
        DataError: the text is gone.
    """
    return corpus_of(config, common.home())


@st.cache_resource(show_spinner="Counting which words stand beside each other …", max_entries=2)
def learned_from(config: RunConfig) -> Windows | Entries:
    """What a run's method learns from.

    Raises:
        DataError: the text is gone.
    """
    training = config.training
    return lesson(corpus(config), config.vectors, seed=training.seed, size=training.batch_size)


def trained_here(run: Run, view: RunView) -> Subject:
    """The vectors of a run of this page at the epoch that is chosen."""
    epoch = _epoch(view)
    arrays, words = common.arrays(run.id, epoch), corpus(run.config)
    listed = run.config.vectors.corpus == "grammar"

    def flat(name: str) -> Flat:
        share = float(arrays[told.SHARE]) if name == "pca" else None
        return Flat(places=told.map_of(arrays, name), reach=told.reach(view, name), share=share)

    return Subject(
        space=told.space_of(words, arrays, run.config.vectors.method),
        counts=words.counts,
        epoch=epoch,
        mark=(run.id, epoch),
        what=f"{len(words.words):,} words with a vector each, after epoch {epoch}.",
        groups=groups() if listed else {},
        maps={"t-SNE": lambda: flat("tsne"), "PCA": lambda: flat("pca")},
        run=run,
        view=view,
        corpus=words,
    )


def _epoch(view: RunView) -> int:
    kept = [*map(str, view.snapshots), "latest"]
    widgets.forget_unless("vectors_epoch", kept)
    last = view.snapshots[-1]
    chosen = st.select_slider(
        "Vectors after epoch",
        kept,
        value=widgets.held("vectors_epoch", "latest"),
        key="vectors_epoch",
        format_func=lambda name: f"latest: {last}" if name == "latest" else name,
        help="0 is before training. Arrow keys go from epoch to epoch.",
    )
    return last if chosen == "latest" else int(chosen)


def groups() -> Mapping[str, Group]:
    """The words of the invented text that have a counterpart."""
    colours = {name: k for k, name in enumerate(grammar.RELATIONS)}
    return {
        word: Group(
            title=f"{grammar.RELATIONS[name].title}: {grammar.RELATIONS[name].sides[side]}",
            colour=colours[name],
            side=side,
        )
        for word, (name, side) in grammar.groups().items()
    }


def of_network() -> Subject | None:
    """The vectors of the current run's network; where there are none, says so and gives None."""
    run = session.current()
    if run is None:
        st.info(
            "There is no current run. Train a network on a text on the **Train** page: a language "
            "model, or phrases, good or bad. What its first layer reads of each token shows here."
        )
        return None
    view, state = live.look(run)
    found = session.trace_of(run, view)
    if found is None:
        st.info(f"Nothing is recorded yet. {state.text}")
        return None
    dataset = common.dataset(run.config.data)
    trace = found[0]
    learned = vectors_in(trace, len(dataset.vocabulary))
    if learned is None:
        st.info(
            "The current run's network reads no tokens, so there are no vectors of words in it. "
            "Train one on a text on the **Train** page."
        )
        return None
    order, counts = _by_count(dataset)
    vectors = learned.vectors[order]
    some = vectors[:MOST_MAPPED]

    def flat() -> Flat:
        made = principal(some)
        places = turned(made.places, _last_map(run, view, order))
        reach = float(np.abs(places).max()) or 1.0
        return Flat(places=places, reach=reach, share=made.share)

    return Subject(
        space=Space(tuple(dataset.vocabulary[k] for k in order), vectors),
        counts=counts,
        epoch=trace.epoch,
        mark=(run.id, trace.epoch),
        what=f"{learned.said} Epoch {trace.epoch}: choose another one in the sidebar.",
        groups={},
        maps={"PCA": flat},
    )


def _by_count(dataset: SequenceDataset) -> tuple[list[int], Int[np.ndarray, " V"]]:
    """Tokens by falling count, and the counts."""
    read = np.concatenate(
        [row[:n] for row, n in zip(dataset.inputs, dataset.lengths, strict=True)]
    ).astype(np.int64)
    counts = np.bincount(read, minlength=len(dataset.vocabulary))
    order = np.argsort(-counts, kind="stable")
    return [int(k) for k in order], counts[order]


def _last_map(run: Run, view: RunView, order: Sequence[int]) -> Float[np.ndarray, "N 2"] | None:
    """The map of the last epoch, which all others are turned to."""
    last = session.latest(view)
    trace = session.trace_at(run, view, last) if last is not None else None
    learned = vectors_in(trace, len(order)) if trace is not None else None
    return None if learned is None else principal(learned.vectors[order][:MOST_MAPPED]).places
