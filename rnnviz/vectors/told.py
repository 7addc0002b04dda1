"""What a run of word vectors has said, as curves and as a space of one epoch. No torch."""

import math
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Shaped

from rnnviz.events import Found, RunView
from rnnviz.vectors.corpus import Corpus
from rnnviz.vectors.space import Space
from rnnviz.vectors.training import vectors_of

ABOUT = "epoch "  # of the events of epochs, before the number
LOSS, BY_CHANCE, SHARE = "loss", "by chance", "share"
SOLVED, NEAREST, REACH = "solved: ", "nearest: ", "reach: "  # before a relation's or map's name

Curve = tuple[list[int], list[float]]  # epochs and values


def epochs_of(view: RunView) -> list[Found]:
    """What was said of each epoch, in order."""
    return sorted((f for f in view.found if f.about.startswith(ABOUT)), key=lambda f: f.epoch)


def curve(view: RunView, name: str) -> Curve:
    """One number over epochs, where it was said."""
    said = [(f.epoch, f.numbers[name]) for f in epochs_of(view) if name in f.numbers]
    return [epoch for epoch, _ in said], [value for _, value in said]


def parts(view: RunView) -> tuple[list[float], list[float]]:
    """The loss of each part of the text: where in the epochs it ends, and the loss."""
    count = view.started.batches if view.started else 1
    return [b.step / count for b in view.batches], [b.loss for b in view.batches]


def curves(view: RunView, begin: str) -> dict[str, Curve]:
    """All numbers whose names begin so, over epochs, by the rest of the name."""
    last = epochs_of(view)[-1:]
    names = [name for found in last for name in found.numbers if name.startswith(begin)]
    return {name.removeprefix(begin): curve(view, name) for name in names}


def mean(several: Mapping[str, Curve]) -> Curve:
    """The mean of curves over the same epochs."""
    if not several:
        return [], []
    epochs = next(iter(several.values()))[0]
    values = np.mean([values for _, values in several.values()], axis=0)
    return epochs, values.tolist()


def untaught(negatives: int) -> float:
    """The loss of a pair whose scores are all 0: ln 2 for each word that is told apart [nats]."""
    return (negatives + 1) * math.log(2)


def solved(view: RunView, epoch: int, begin: str = SOLVED) -> dict[str, float]:
    """The share of each relation's analogies that were solved after an epoch."""
    found = next((f for f in epochs_of(view) if f.epoch == epoch), None)
    numbers: Mapping[str, float] = found.numbers if found else {}
    return {k.removeprefix(begin): v for k, v in numbers.items() if k.startswith(begin)}


def reach(view: RunView, name: str) -> float:
    """How far a map goes from its middle, over all epochs that are kept."""
    return max(curve(view, REACH + name)[1], default=1.0) or 1.0


def space_of(corpus: Corpus, arrays: Mapping[str, Shaped[np.ndarray, "..."]], method: str) -> Space:
    """The words with their vectors, of a Snapshot."""
    return Space(corpus.words, vectors_of(arrays, method))


def map_of(arrays: Mapping[str, Shaped[np.ndarray, "..."]], name: str) -> Float[np.ndarray, "N 2"]:
    """A map of a Snapshot; its rows are the most frequent words."""
    return arrays[name]
