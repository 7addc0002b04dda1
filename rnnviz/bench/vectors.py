"""How fast word vectors are learned, beside a plain loop in torch that does the same by autograd.

Both draw the same examples by the same code, and learn the same part of the text in turns.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding, logsigmoid

from rnnviz.bench.core import Row
from rnnviz.config import METHODS, VectorsConfig
from rnnviz.vectors.settings import RATES, corpus_of, settings
from rnnviz.vectors.training import Entries, Windows, after_part, first_weights, lesson
from rnnviz.vectors.windows import NOBODY

WORDS, TURNS = 30_000, 5
LEAST = 1.0  # of the loop's speed
Given = Mapping[str, Tensor]


def _rows(weights: Given, name: str, places: np.ndarray) -> Tensor:
    return embedding(torch.from_numpy(places), weights[name])


def _told_apart(weights: Given, vectors: Tensor, targets: np.ndarray) -> Tensor:
    scores = (_rows(weights, "context", targets) @ vectors[:, :, None])[:, :, 0]
    counted = torch.from_numpy(targets[:, 1:] != targets[:, :1])
    drawn = (logsigmoid(-scores[:, 1:]) * counted).sum()
    return -(logsigmoid(scores[:, 0]).sum() + drawn)


def _skip_gram(weights: Given, given: np.ndarray, targets: np.ndarray) -> Tensor:
    return _told_apart(weights, _rows(weights, "word", given), targets)


def _cbow(weights: Given, given: np.ndarray, targets: np.ndarray) -> Tensor:
    there = torch.from_numpy(given != NOBODY)[:, :, None].float()
    vectors = _rows(weights, "word", np.maximum(given, 0))
    return _told_apart(weights, (vectors * there).sum(1) / there.sum(1), targets)


def _glove(weights: Given, learn: Entries, rows: np.ndarray) -> Tensor:
    words, contexts, counts = (values[rows] for values in learn.counts)
    w, u = _rows(weights, "word", words), _rows(weights, "context", contexts)
    biases = _rows(weights, "word_bias", words) + _rows(weights, "context_bias", contexts)
    x = torch.from_numpy(counts).float()
    away = (w * u).sum(1) + biases[:, 0] - x.log()
    return (((x / learn.settings.x_max) ** 0.75).clamp(max=1) * away**2).sum()


def _by_torch(weights: Given, learn: Windows | Entries, optimiser: torch.optim.Optimizer) -> None:
    """The first part of the first epoch."""
    for loss in _losses(weights, learn):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()


def _losses(weights: Given, learn: Windows | Entries) -> list[Callable[[], Tensor]]:
    if isinstance(learn, Entries):
        order = np.random.default_rng([learn.seed, 1]).permutation(len(learn.counts.counts))
        rows = order[: -(-len(order) // learn.parts)]
        chunks = np.split(rows, range(learn.size, len(rows), learn.size))
        return [partial(_glove, weights, learn, rows) for rows in chunks]
    drawn, by = learn.drawn(1, 0), _skip_gram if learn.settings.method == "skipgram" else _cbow
    chunks = np.split(drawn.order, range(learn.size, len(drawn.order), learn.size))
    return [partial(by, weights, drawn.given[rows], drawn.targets[rows]) for rows in chunks]


def learned(name: str) -> Row:
    """Words, or of GloVe entries, a second, and as a ratio to the loop."""
    method = NAMES[name]
    config = settings(VectorsConfig(method=method, text_words=WORDS), epochs=1)
    corpus = corpus_of(config, Path())
    learn = lesson(corpus, config.vectors, seed=0, size=config.training.batch_size)
    ours, theirs = [], []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for _ in range(TURNS):
            weights = first_weights(len(corpus.words), config.vectors, 0)
            ours.append(_timed(partial(after_part, weights, learn, 1, 0, RATES[method])))
            given, optimiser = _rival(weights, method)
            theirs.append(_timed(partial(_by_torch, given, learn, optimiser)))
    finally:
        torch.set_num_threads(threads)
    ratio = float(np.median([b / a for a, b in zip(ours, theirs, strict=True)]))
    count = len(learn.counts.counts) if isinstance(learn, Entries) else len(corpus.tokens)
    pace = count / learn.parts / float(np.median(ours))
    what = "entries" if method == "glove" else "words"
    return Row(
        name=name,
        value=f"{pace:,.0f} {what}/s, {ratio:.1f} times as fast as a loop in torch",
        target=f"at least {LEAST:g} times",
        met=ratio >= LEAST,
    )


def _rival(
    weights: dict[str, np.ndarray], method: str
) -> tuple[dict[str, Tensor], torch.optim.Optimizer]:
    """The same weights for torch, with the optimiser that the method has."""
    names = ("word", "context", *(("word_bias", "context_bias") if method == "glove" else ()))
    given = {}
    for name in names:
        values = torch.from_numpy(weights[name].copy())
        given[name] = (values[:, None] if values.ndim == 1 else values).requires_grad_()
    if method == "glove":
        adagrad = torch.optim.Adagrad(given.values(), RATES[method], initial_accumulator_value=1.0)
        return given, adagrad
    return given, torch.optim.SGD(given.values(), RATES[method])


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


NAMES = {f"language: word vectors by {title}": key for key, title in METHODS.items()}
LEARNED: Mapping[str, Callable[[str], Row]] = dict.fromkeys(NAMES, learned)
