"""Word vectors as a run: a stream of events, for the worker. NumPy and scikit-learn.

After each part of a text comes a BatchEnded, after each epoch a Found with its mean loss and how
many analogies are solved, and the vectors of some epochs with their maps are kept as Snapshots.
"""

import io
import math
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int, Shaped

from rnnviz.config import RunConfig
from rnnviz.errors import RunError
from rnnviz.events import BatchEnded, Checkpointed, Event, Finished, Found, Score, Snapshot, Started
from rnnviz.vectors import grammar, maps
from rnnviz.vectors.corpus import Corpus
from rnnviz.vectors.settings import MOST_MAPPED, corpus_of, stride
from rnnviz.vectors.space import Space, answered
from rnnviz.vectors.told import ABOUT, BY_CHANCE, LOSS, NEAREST, REACH, SHARE, SOLVED
from rnnviz.vectors.training import (
    SQUARES,
    after_part,
    first_weights,
    lesson,
    rate_at,
    vectors_of,
)
from rnnviz.wishes import Wishes

Stream = Generator[Event, Wishes | None, None]
UNITS = {"skipgram": "nats", "cbow": "nats", "glove": ""}


def fit_stored(config: RunConfig, home: Path, state: bytes | None = None) -> Stream:
    """Learn the vectors of the words of the text that the settings name."""
    yield from fit(config, corpus_of(config, home), state)


def fit(config: RunConfig, corpus: Corpus, state: bytes | None = None) -> Stream:
    """The same of a corpus, from the first weights or on from a checkpoint's state."""
    yield from _Fit(config, corpus).stream(state)


class _Fit:
    """The locals of fit: the weights, the last maps, and where it stands."""

    def __init__(self, config: RunConfig, corpus: Corpus) -> None:
        self.vectors, self.training, self.corpus = config.vectors, config.training, corpus
        self.stride = stride(config, len(corpus.words))
        self.lesson = lesson(
            corpus, self.vectors, seed=self.training.seed, size=self.training.batch_size
        )
        self.questions = self._questions()
        self.weights = first_weights(len(corpus.words), self.vectors, self.training.seed)
        self.epoch, self.part = 0, 0  # epochs that are done; parts of the next one that are
        self.total, self.count = 0.0, 0  # of the epoch: losses, and of how many examples
        self.maps: dict[str, Float[np.ndarray, "N 2"]] = {}
        self.share = 0.0

    def stream(self, state: bytes | None) -> Stream:
        if state is None:
            self._map()
            yield from self._say(self._started())
        else:
            self._load(state)
            yield self._checkpoint()
        if self.part == 0:
            yield from self._tell()  # after a pause once more, in case it fell between two of these
        while self.epoch < self.training.epochs:
            yield from self._learn()
        score = Score(predictor=self.vectors.method, part="text", metrics={"loss": self._loss()})
        yield Finished(
            step=self._step(), epoch=self.epoch, reason="All epochs are done.", scorecard=(score,)
        )

    def _learn(self) -> Stream:
        """One part, and what is to be said at an epoch's end."""
        if self.part == 0:
            self.total, self.count = 0.0, 0
        began, epoch = time.perf_counter(), self.epoch + 1
        done = self._step() / (self.lesson.parts * self.training.epochs)
        rate = rate_at(self.training.learning_rate, done, self.vectors.method)
        total, count, norm = after_part(self.weights, self.lesson, epoch, self.part, rate)
        if not math.isfinite(total + norm):
            raise RunError(
                f"the vectors left the numbers in epoch {epoch}; choose a smaller learning rate"
            )
        self.total, self.count, self.part = self.total + total, self.count + count, self.part + 1
        ended = self.part == self.lesson.parts
        if ended:
            self.epoch, self.part = epoch, 0
            self._map()
        yield from self._say(
            BatchEnded(
                step=self._step(),
                epoch=epoch,
                loss=total / max(count, 1),
                gradient_norm=norm,
                seconds=time.perf_counter() - began,
            )
        )
        if ended:
            yield from self._tell()

    def _say(self, event: Event) -> Stream:
        wishes = yield event
        if wishes is not None and wishes.checkpoint:
            yield self._checkpoint()

    def _tell(self) -> Stream:
        """What is known after an epoch."""
        where = {"step": self._step(), "epoch": self.epoch}
        if self._keeps():
            weights = {name: values.copy() for name, values in self.weights.items()}
            arrays = {**weights, **self.maps, SHARE: np.array(self.share)}
            yield from self._say(Snapshot(**where, arrays=arrays))
            yield from self._say(self._checkpoint())
        yield from self._say(
            Found(**where, about=f"{ABOUT}{self.epoch}", numbers=self._numbers(), scores=())
        )

    def _keeps(self) -> bool:
        return self.epoch % self.stride == 0 or self.epoch == self.training.epochs

    def _map(self) -> None:
        """New maps, where the epoch is kept; they move on from the last ones."""
        if self._keeps():
            some = vectors_of(self.weights, self.vectors.method)[:MOST_MAPPED].astype(np.float64)
            flat = maps.pca(some, self.maps.get("pca"))
            self.share = flat.share
            near = maps.tsne(some, self.maps.get("tsne"), self.training.seed)
            self.maps = {"pca": flat.places.astype(np.float32), "tsne": near}

    def _numbers(self) -> dict[str, float]:
        """Of an epoch: its loss, the analogies that are solved, and how far its maps reach."""
        numbers = {LOSS: self._loss()} if self.epoch else {}
        if self._keeps():
            numbers |= {REACH + name: float(np.abs(m).max()) for name, m in self.maps.items()}
        if not self.questions:
            return numbers
        space = Space(self.corpus.words, vectors_of(self.weights, self.vectors.method))
        for name, asked in self.questions.items():
            numbers[SOLVED + name] = float(answered(space, asked).mean())
            numbers[NEAREST + name] = float(answered(space, asked, offset=False).mean())
        return numbers | {BY_CHANCE: 1 / (len(self.corpus.words) - 3)}

    def _questions(self) -> dict[str, Int[np.ndarray, "Q 4"]]:
        if self.vectors.corpus != "grammar":
            return {}
        places = {word: k for k, word in enumerate(self.corpus.words)}
        return {name: q for name, q in grammar.questions(places).items() if len(q)}

    def _loss(self) -> float:
        return self.total / max(self.count, 1)

    def _step(self) -> int:
        return self.epoch * self.lesson.parts + self.part

    def _started(self) -> Started:
        sizes = {"train": len(self.corpus.tokens), "validation": 0, "test": 0}
        return Started(
            step=0,
            epoch=0,
            parameters=sum(v.size for k, v in self.weights.items() if not k.startswith(SQUARES)),
            sizes=sizes,
            people=sizes,
            batches=self.lesson.parts,
            epochs=self.training.epochs,
            metric="loss",
            unit=UNITS[self.vectors.method],
            baselines=(),
            trace_stride=self.stride,
        )

    def _checkpoint(self) -> Checkpointed:
        file = io.BytesIO()
        place = np.array([self.epoch, self.part, self.count])
        sums = np.array([self.total, self.share])
        np.savez(
            file, allow_pickle=False, place=place, sums=sums, **self.weights, **_marked(self.maps)
        )
        return Checkpointed(step=self._step(), epoch=self.epoch, state=file.getvalue())

    def _load(self, state: bytes) -> None:
        with np.load(io.BytesIO(state), allow_pickle=False) as held:
            arrays: dict[str, Shaped[np.ndarray, ...]] = {n: held[n] for n in held.files}
        self.epoch, self.part, self.count = (int(n) for n in arrays.pop("place"))
        self.total, self.share = (float(n) for n in arrays.pop("sums"))
        found = [name for name in arrays if name.startswith(_MAP)]
        self.maps = {name.removeprefix(_MAP): arrays.pop(name) for name in found}
        self.weights = arrays


_MAP = "map "  # before a map's name in a checkpoint


def _marked(found: dict[str, Float[np.ndarray, "N 2"]]) -> dict[str, Float[np.ndarray, "N 2"]]:
    return {_MAP + name: places for name, places in found.items()}
