"""From the top layer's states of one sequence to its outputs and loss, and back. NumPy only.

The equations of attention stand in rnnviz.attention; here is their derivative as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from rnnviz.trace import ReadoutTrace

_QUERIES_AT_ONCE = 64  # additive attention holds as many times T x D numbers


class Squash(NamedTuple):
    """A dense layer's squash, and its slope by what it gives."""

    of: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]


SQUASHES: Mapping[str, Squash] = {  # by the names of rnnviz.config.ACTIVATIONS
    "linear": Squash(lambda z: z, np.ones_like),
    "relu": Squash(lambda z: np.maximum(z, 0.0), lambda y: (y > 0) * 1.0),
    "tanh": Squash(np.tanh, lambda y: 1.0 - y * y),
    "sigmoid": Squash(lambda z: 0.5 * (1.0 + np.tanh(0.5 * z)), lambda y: y * (1.0 - y)),
}


@dataclass(frozen=True, kw_only=True)
class Read:
    """What the readout made of one sequence."""

    at: Int[np.ndarray, "Q W"]  # of each direction the step whose state asks
    queries: Float[np.ndarray, "Q D"]
    scores: Float[np.ndarray, "Q T"] | None  # -inf where masked
    weights: Float[np.ndarray, "Q T"] | None  # rows sum to 1
    layers: tuple[Float[np.ndarray, "Q _"], ...]  # what each dense layer read; then what came out

    @property
    def outputs(self) -> Float[np.ndarray, "Q K"]:
        """What the head says: scaled numbers, or what a softmax makes probabilities of."""
        return self.layers[-1]


class ReadBack(NamedTuple):
    """What losses give by the top states, and by the readout's weights in place of each."""

    top: Float[np.ndarray, "T N D"]
    readout: ReadoutTrace


def asking(readout: ReadoutTrace, steps: int, ways: int) -> Int[np.ndarray, "Q W"]:
    """Whose states ask: those of every step, or of the last that each direction reads."""
    if readout.every_step:
        return np.repeat(np.arange(steps)[:, None], ways, axis=1)
    return np.array([[steps - 1, 0][:ways]])


def read(
    readout: ReadoutTrace,
    top: Float[np.ndarray, "T D"],
    covariates: Float[np.ndarray, " C"],
    at: Int[np.ndarray, "Q W"],
    *,
    causal: bool,
) -> Read:
    """The outputs of every query.

    Args:
        causal: whether a query sees the steps up to its own only.
    """
    size = top.shape[1] // at.shape[1]
    queries = np.concatenate(
        [top[steps, w * size : (w + 1) * size] for w, steps in enumerate(at.T)], axis=1
    )
    parts, scores, weights = [queries], None, None
    if readout.attention != "none":
        scores = _scores(readout, queries, top)
        if causal:
            scores = np.where(np.arange(len(top)) <= at[:, :1], scores, -np.inf)
        weights = softmax(scores)
        parts.append(weights @ top)
    parts.append(np.broadcast_to(covariates, (len(at), len(covariates))))
    layers = [np.concatenate(parts, axis=1)]
    for dense in readout.dense:
        layers.append(SQUASHES[dense.activation].of(layers[-1] @ dense.weights.T + dense.bias))
    return Read(at=at, queries=queries, scores=scores, weights=weights, layers=tuple(layers))


def softmax(scores: Float[np.ndarray, "*rows K"]) -> Float[np.ndarray, "*rows K"]:
    """exp(e) / sum exp(e) over the last axis."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def _scores(
    readout: ReadoutTrace, queries: Float[np.ndarray, "Q D"], top: Float[np.ndarray, "T D"]
) -> Float[np.ndarray, "Q T"]:
    if readout.attention == "dot":
        return queries @ top.T
    assert readout.keys is not None
    keys = top @ readout.keys.T
    if readout.attention == "general":
        return queries @ keys.T
    assert readout.queries is not None
    assert readout.score is not None
    asked = queries @ readout.queries.T
    rows = [
        np.tanh(some[:, None] + keys) @ readout.score
        for some in np.array_split(asked, -(-len(asked) // _QUERIES_AT_ONCE))
    ]
    return np.concatenate(rows)


def losses(
    readout: ReadoutTrace,
    outputs: Float[np.ndarray, "Q K"],
    targets: Float[np.ndarray, "Q K"] | Int[np.ndarray, " Q"],
) -> Float[np.ndarray, " Q"]:
    """Of each query: mean squared error of scaled numbers, or cross-entropy [nats]."""
    if not readout.probabilities:
        return ((outputs - targets) ** 2).mean(axis=1)
    top = outputs.max(axis=1)
    total = np.log(np.exp(outputs - top[:, None]).sum(axis=1)) + top
    return total - outputs[np.arange(len(outputs)), targets]


def by_outputs(
    readout: ReadoutTrace,
    outputs: Float[np.ndarray, "Q K"],
    targets: Float[np.ndarray, "Q K"] | Int[np.ndarray, " Q"],
) -> Float[np.ndarray, "Q K"]:
    """The derivative of each query's loss by its outputs; for classes p - onehot."""
    if not readout.probabilities:
        return 2.0 * (outputs - targets) / outputs.shape[1]
    slope = softmax(outputs)
    slope[np.arange(len(outputs)), targets] -= 1.0
    return slope


def back(
    readout: ReadoutTrace,
    done: Read,
    top: Float[np.ndarray, "T D"],
    slope: Float[np.ndarray, "Q K"],
    *,
    each: bool = False,
) -> ReadBack:
    """What the queries' losses give by everything before them.

    Args:
        slope: dL by the outputs.
        each: whether every query's loss counts on its own (N = Q), or all are added up (N = 1).
    """
    width, dense = done.queries.shape[1], []
    for layer, reads, gives in zip(
        readout.dense[::-1], done.layers[-2::-1], done.layers[:0:-1], strict=True
    ):
        slope = slope * SQUASHES[layer.activation].slope(gives)
        dense.append(replace(layer, weights=slope.T @ reads, bias=slope.sum(axis=0)))
        slope = slope @ layer.weights
    found = replace(readout, dense=tuple(dense[::-1]))
    by_queries = slope[:, :width].copy()
    by_top = np.zeros((len(top), len(slope) if each else 1, width), slope.dtype)
    if readout.attention != "none":
        by_context = slope[:, width : 2 * width]
        found = _attention_back(found, done, top, by_context, by_queries, by_top, each=each)
    size = width // done.at.shape[1]
    for w, steps in enumerate(done.at.T):
        part = slice(w * size, (w + 1) * size)
        losses_of = np.arange(len(steps)) if each else np.zeros(len(steps), int)
        np.add.at(by_top[:, :, part], (steps, losses_of), by_queries[:, part])
    return ReadBack(by_top, found)


def _attention_back(
    readout: ReadoutTrace,
    done: Read,
    top: Float[np.ndarray, "T D"],
    by_context: Float[np.ndarray, "Q D"],
    by_queries: Float[np.ndarray, "Q D"],
    by_top: Float[np.ndarray, "T N D"],
    *,
    each: bool,
) -> ReadoutTrace:
    """Adds to by_queries and by_top; gives the readout with the gradients of its weights."""
    weights = done.weights
    assert weights is not None
    by_weights = by_context @ top.T
    by_scores = weights * (by_weights - (weights * by_weights).sum(axis=1, keepdims=True))
    _spread(by_top, weights, by_context, each=each)
    if readout.attention == "additive":
        return _additive_back(readout, done, top, by_scores, by_queries, by_top, each=each)
    keys = readout.keys if readout.attention == "general" else None
    key_side = done.queries if keys is None else done.queries @ keys
    _spread(by_top, by_scores, key_side, each=each)
    asked = by_scores @ top  # [Q D]
    by_queries += asked if keys is None else asked @ keys.T
    return readout if keys is None else replace(readout, keys=done.queries.T @ asked)


def _spread(
    by_top: Float[np.ndarray, "T N D"],
    amounts: Float[np.ndarray, "Q T"],
    along: Float[np.ndarray, "Q D"],
    *,
    each: bool,
) -> None:
    """Adds amounts[q, t] * along[q] to step t."""
    if each:
        by_top += amounts.T[:, :, None] * along
    else:
        by_top[:, 0] += amounts.T @ along


def _additive_back(
    readout: ReadoutTrace,
    done: Read,
    top: Float[np.ndarray, "T D"],
    by_scores: Float[np.ndarray, "Q T"],
    by_queries: Float[np.ndarray, "Q D"],
    by_top: Float[np.ndarray, "T N D"],
    *,
    each: bool,
) -> ReadoutTrace:
    assert readout.keys is not None
    assert readout.queries is not None
    assert readout.score is not None
    keys, asked = top @ readout.keys.T, done.queries @ readout.queries.T
    by_keys, by_asks, by_score = (np.zeros_like(m) for m in (keys, asked, readout.score))
    for start in range(0, len(asked), _QUERIES_AT_ONCE):
        some = slice(start, start + _QUERIES_AT_ONCE)
        bent = np.tanh(asked[some, None] + keys)  # [q T D]
        by_score += np.tensordot(by_scores[some], bent, axes=2)
        inner = by_scores[some, :, None] * readout.score * (1.0 - bent * bent)
        by_asks[some] = inner.sum(axis=1)
        by_keys += inner.sum(axis=0)
        reached = inner @ readout.keys
        if each:
            by_top[:, some] += reached.swapaxes(0, 1)
        else:
            by_top[:, 0] += reached.sum(axis=0)
    by_queries += by_asks @ readout.queries
    return replace(readout, keys=by_keys.T @ top, queries=by_asks.T @ done.queries, score=by_score)
