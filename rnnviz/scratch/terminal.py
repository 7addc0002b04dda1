"""The networks from scratch in a terminal, line by line. NumPy only."""

from collections.abc import Iterator, Sequence

import numpy as np

from rnnviz.data.phrases import phrases
from rnnviz.scratch import check
from rnnviz.scratch.gradients import backward
from rnnviz.scratch.lockstep import Encoded, after_epoch, encoded, scores
from rnnviz.scratch.network import NOTHING, Weights, forward
from rnnviz.scratch.settings import BACKPROP_NAMES, RATE

TELL = 50  # a line after so many epochs


def told(
    seeds: Sequence[int], backprops: Sequence[str], *, hidden: int, epochs: int
) -> Iterator[str]:
    """Trains a network for each seed and each way back, then checks the gradients of the first.

    Args:
        backprops: keys of BACKPROPS.
    """
    data = encoded()
    train, n = data.train_rows, len(seeds)
    every = [seed for _ in backprops for seed in seeds]
    ways = [name for name in backprops for _ in seeds]
    weights = Weights.first(every, hidden=hidden, words=int(data.words.max()) + 1)
    yield f"{train} phrases to learn from, {len(data.labels) - train} to test, 18 words"
    yield f"{weights.count:,} weights, {n} seed{'s' if n > 1 else ''}"
    for epoch in range(1, epochs + 1):
        weights = after_epoch(weights, data, seeds=every, backprops=ways, epoch=epoch, rate=RATE)
        if epoch % TELL == 0 or epoch == epochs:
            yield from _lines(weights, data, epoch, backprops, n)
    yield from _check(weights.one(0), data)


def _lines(
    weights: Weights, data: Encoded, epoch: int, backprops: Sequence[str], seeds: int
) -> Iterator[str]:
    found = scores(weights, data)
    for k, name in enumerate(backprops):
        rows = slice(k * seeds, (k + 1) * seeds)
        loss, test = found["train"].loss[rows], found["test"].accuracy[rows]
        right = f", all right in {int((test == 1).sum())} of {seeds}" if seeds > 1 else ""
        yield (
            f"epoch {epoch}, {name}: train loss {loss.mean():.4f} nats, "
            f"train accuracy {found['train'].accuracy[rows].mean():.1%}, "
            f"test accuracy {test.mean():.1%}{right}"
        )


def _check(weights: Weights, data: Encoded) -> Iterator[str]:
    """Both formulas on the same weights, on the longest phrase."""
    row = int((data.words != NOTHING).sum(axis=1).argmax())
    words, label = data.words[row], int(data.labels[row])
    moved = check.numerical(weights, words, label).arrays()
    through = forward(weights, words[None, None])
    yield f"gradient check, largest relative error over all weights, on '{phrases()[row].text}':"
    for name in BACKPROP_NAMES:
        shown = backward(weights, through, np.array([[label]]), (name,)).weights.arrays()
        worst = max(check.relative_error(shown[each], moved[each]) for each in shown)
        yield f"  {name}: {worst:.1e}"
