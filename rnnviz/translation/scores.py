"""How well a network translates, and how well those do that never read the source. Torch."""

import math
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from jaxtyping import Float, Int
from torch.nn import functional

from rnnviz.data.dataset import PARTS, Split
from rnnviz.data.parallel import PAD, START, UNKNOWN, ParallelText
from rnnviz.denormals import flushed
from rnnviz.events import Score
from rnnviz.translation.batches import Batch, batch_of
from rnnviz.translation.model import Encoded, Translator, losses_of, true_before

ROWS = 256  # pairs scored at once


def score(model: Translator, pairs: ParallelText, rows: Int[np.ndarray, " M"], part: str) -> Score:
    """The network's score on some pairs.

    "loss" is the mean cross-entropy of a token [nats], its end counted and read after the true
    tokens before; "perplexity" its exponential; "tokens" the share of tokens that were likeliest
    then; "exact" the share of targets that the network, left on its own, says to the last token.
    """
    total = tokens = right = exact = 0.0
    with torch.no_grad(), flushed():
        for batch in _batches(pairs, rows):
            encoded = model.encode(batch.sources, batch.lengths)
            logits = model.decode(encoded, true_before(batch.targets)).logits
            counted = batch.targets != PAD
            total += losses_of(logits, batch.targets).sum(dtype=torch.float64).item()
            tokens += counted.sum().item()
            right += ((batch.targets == logits.argmax(dim=-1).T) & counted).sum().item()
            exact += _exact(model, encoded, batch)
    loss = total / tokens
    metrics = {"tokens": right / tokens, "exact": exact / len(rows)}
    return Score(predictor="network", part=part, metrics={**_of_loss(loss), **metrics})


def _of_loss(loss: float) -> Mapping[str, float]:
    # a perplexity of a network that went astray would not fit into a number
    return {"loss": loss, "perplexity": math.exp(min(loss, 700.0))}


def _batches(pairs: ParallelText, rows: Int[np.ndarray, " M"]) -> Iterator[Batch]:
    """Those of like length together, so that there is little padding."""
    order = rows[np.argsort(pairs.source_lengths[rows], kind="stable")]
    for start in range(0, len(order), ROWS):
        yield batch_of(pairs, order[start : start + ROWS])


def _exact(model: Translator, encoded: Encoded, batch: Batch) -> int:
    """How many targets the network says as they are, from the first token to the end."""
    said = model.greedy(encoded, len(batch.targets))
    missing = len(batch.targets) - len(said)
    same = functional.pad(said, (0, 0, 0, missing)) == batch.targets
    # a token that stands for others is never what was wanted
    return int((same & (batch.targets != UNKNOWN)).all(dim=0).sum())


# --- who never reads the source -------------------------------------------------------------------


def baselines(pairs: ParallelText, split: Split) -> tuple[Score, ...]:
    """Shares of the target's tokens, and the same given the token before, on every part.

    Smoothed by adding one; the second falls back on the first, with the weight of one token.
    """
    size = len(pairs.target_vocabulary)
    before, token = _before_and_token(pairs, split.train)
    single = np.bincount(token, minlength=size) + 1.0
    single[[PAD, START]] = 0.0  # nobody says these
    single /= single.sum()
    both = np.bincount(before * size + token, minlength=size * size).reshape(size, size)
    two = (both + single) / (both.sum(axis=1, keepdims=True) + 1.0)
    tables = {"unigram": np.broadcast_to(single, two.shape), "bigram": two}
    return tuple(
        Score(predictor=name, part=part, metrics=_of_table(table, pairs, getattr(split, part)))
        for name, table in tables.items()
        for part in PARTS
    )


def _before_and_token(
    pairs: ParallelText, rows: Int[np.ndarray, " M"]
) -> tuple[Int[np.ndarray, " L"], Int[np.ndarray, " L"]]:
    """Every token of some targets, with the one before it."""
    targets = pairs.targets[rows]
    before = np.concatenate((np.full_like(targets[:, :1], START), targets[:, :-1]), axis=1)
    counted = targets != PAD
    return before[counted], targets[counted]


def _of_table(
    table: Float[np.ndarray, "V V"], pairs: ParallelText, rows: Int[np.ndarray, " M"]
) -> Mapping[str, float]:
    before, token = _before_and_token(pairs, rows)
    right = table.argmax(axis=1)[before] == token
    return {**_of_loss(float(-np.log(table[before, token]).mean())), "tokens": float(right.mean())}
