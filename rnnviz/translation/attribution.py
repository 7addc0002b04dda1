"""What each source token did for each token that was written: by the gradient, and by occlusion.

Beside attention, which says where the context was taken from and not what made the prediction: an
annotation knows of all tokens that were read before it, and the decoder's first state of the whole
source.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from rnnviz.data.parallel.text import START
from rnnviz.inside.readout import softmax
from rnnviz.inside.steps import Replay, backward, by_input, run
from rnnviz.translation.attention import weights_of
from rnnviz.translation.decoding import NO_ROWS, Rows
from rnnviz.translation.network import Encoded, Network, padded

OCCLUDED_AT_ONCE = 64


class Pass(NamedTuple):
    """One source and one output, all steps at once; directions as they read."""

    vectors: Float[np.ndarray, "S E"]
    encoder: tuple[tuple[Replay, ...], ...]  # of each layer its directions
    annotations: Float[np.ndarray, "S H"]
    decoder: tuple[Replay, ...]
    weights: Float[np.ndarray, "T S"] | None
    logits: Float[np.ndarray, "T V"]


class Attributed(NamedTuple):
    """Of ln p of each token that was written, given those before it, by each source token."""

    gradient: Float[np.ndarray, "T S"]  # gradient times input
    vectors: Float[np.ndarray, "T S E"]  # the gradient by what stands for each source token


def forward(
    network: Network,
    vectors: Float[np.ndarray, "S E"],
    tokens: Sequence[int],
    rows: Rows = NO_ROWS,
) -> Pass:
    """What the decoder says of each of the given tokens, all steps of a layer at once."""
    below, encoder = vectors, []
    lasts: list[list[Float[np.ndarray, " H"]]] = []
    for ways in network.encoder:
        done = []
        for way, weights in enumerate(ways):
            turn = -1 if network.reads_backwards(way) else 1
            read = padded(below, weights)[::turn]
            done.append(run(network.cell, weights, read[:, None]))
        halves = [
            replay.states[0][:: -1 if network.reads_backwards(way) else 1, 0]
            for way, replay in enumerate(done)
        ]
        below = np.concatenate(halves, axis=1)
        ends = zip(*([state[-1, 0] for state in replay.states] for replay in done), strict=True)
        lasts.append([np.concatenate(parts) for parts in ends])
        encoder.append(tuple(done))
    annotations = below
    told = np.repeat(lasts[-1][0][None], len(tokens), axis=0)
    read = network.decoder_inputs(np.array([START, *tokens[:-1]]), told)
    decoder = []
    for weights, last in zip(network.decoder, lasts, strict=True):
        start = tuple(state[None] for state in last)
        decoder.append(run(network.cell, weights, padded(read, weights)[:, None], start=start))
        read = decoder[-1].states[0][:, 0]
    weights_, parts = _attended(network, annotations, read, rows), [read]
    if weights_ is not None:
        parts.append(weights_ @ annotations)
    logits = np.concatenate(parts, axis=1) @ network.head.weights.T + network.head.bias
    return Pass(vectors, tuple(encoder), annotations, tuple(decoder), weights_, logits)


def _attended(
    network: Network,
    annotations: Float[np.ndarray, "S H"],
    queries: Float[np.ndarray, "T H"],
    rows: Rows,
) -> Float[np.ndarray, "T S"] | None:
    if network.attention is None:
        return None
    keyed = np.broadcast_to(
        network.attention.keyed(annotations), (len(queries), *annotations.shape)
    )
    allowed = np.ones(keyed.shape[:2], dtype=bool)
    weights = weights_of(network.attention.scores(queries, keyed, allowed))
    for t, row in rows.items():
        if t < len(weights):
            weights[t] = row
    return weights


def gradients(
    network: Network,
    source: Int[np.ndarray, " S"],
    tokens: Sequence[int],
    rows: Rows = NO_ROWS,
) -> Attributed:
    """Gradient times input in closed form, of all tokens in one scan back through both networks.

    What was written before a token counts as given, and so does a row of weights somebody set.

    Args:
        source: tokens, without padding.
        tokens: that were written.
    """
    done = forward(network, network.source_vectors(source), tokens, rows)
    count, size = len(tokens), done.annotations.shape[1]
    by_logits = -softmax(done.logits)
    by_logits[np.arange(count), list(tokens)] += 1.0
    by_parts = by_logits @ network.head.weights
    by_query = by_parts[:, :size].copy()
    by_annotations = np.zeros((len(source), count, size))  # [S N H]
    if done.weights is not None:
        _attention_back(network, done, by_parts[:, size:], by_query, by_annotations, rows)
    ends = _decoder_back(network, done, by_query)
    found = _encoder_back(network, done, by_annotations, ends).swapaxes(0, 1)
    return Attributed(np.einsum("tse,se->ts", found, done.vectors), found)


def _attention_back(
    network: Network,
    done: Pass,
    by_context: Float[np.ndarray, "N H"],
    by_query: Float[np.ndarray, "N H"],
    by_annotations: Float[np.ndarray, "S N H"],
    rows: Rows,
) -> None:
    """Adds to by_query and by_annotations what comes by way of the contexts."""
    attention, weights, held = network.attention, done.weights, done.annotations
    assert attention is not None
    assert weights is not None
    by_annotations += weights.T[:, :, None] * by_context
    by_weights = by_context @ held.T
    by_scores = weights * (by_weights - (weights * by_weights).sum(axis=1, keepdims=True))
    by_scores[[t for t in rows if t < len(by_scores)]] = 0.0
    queries = done.decoder[-1].states[0][:, 0]
    keyed = attention.keyed(held)
    if attention.kind == "additive":
        assert attention.score is not None
        assert attention.queries is not None
        bent = attention.bent(queries, np.broadcast_to(keyed, (len(queries), *keyed.shape)))
        inner = by_scores[:, :, None] * attention.score * (1.0 - bent * bent)  # [N S H]
        by_query += inner.sum(axis=1) @ attention.queries
        by_keyed = inner.swapaxes(0, 1)
    else:
        by_query += by_scores @ keyed
        by_keyed = by_scores.T[:, :, None] * queries
    by_annotations += by_keyed if attention.keys is None else by_keyed @ attention.keys


Ends = list[list[Float[np.ndarray, "N H"]]]  # of each layer of the encoder, by its last states


def _decoder_back(network: Network, done: Pass, by_query: Float[np.ndarray, "N H"]) -> Ends:
    """What reaches the encoder's last states, of every loss by itself."""
    count, size = by_query.shape
    outer = np.zeros((count, count, size))
    outer[np.arange(count), np.arange(count)] = by_query  # the loss of a step asks its own state
    ends: Ends = []
    told = np.zeros((count, size))
    for weights, replay in zip(network.decoder[::-1], done.decoder[::-1], strict=True):
        back = backward(network.cell, weights, replay, outer)
        ends.insert(0, list(back.start))
        outer = by_input(weights, back)
    if network.reads == "all":
        first = network.target_vectors(np.array([START])).shape[1]
        told = outer[:, :, first : first + size].sum(axis=0)
    ends[-1][0] = ends[-1][0] + told
    return ends


def _encoder_back(
    network: Network, done: Pass, by_top: Float[np.ndarray, "S N H"], ends: Ends
) -> Float[np.ndarray, "S N E"]:
    """What reaches the vectors of the source."""
    outer = by_top
    widths = [done.vectors.shape[1], *(outer.shape[2] for _ in network.encoder[1:])]
    for ways, replays, end, width in zip(
        network.encoder[::-1], done.encoder[::-1], ends[::-1], widths[::-1], strict=True
    ):
        below, first = np.zeros((*outer.shape[:2], width)), 0
        for way, (weights, replay) in enumerate(zip(ways, replays, strict=True)):
            part = slice(first, first := first + weights.recurrent.shape[2])
            turn = -1 if network.reads_backwards(way) else 1
            last = tuple(state[:, part] for state in end)
            back = backward(network.cell, weights, replay, outer[::turn, :, part], end=last)
            below += by_input(weights, back)[::turn, :, :width]
        outer = below
    return outer


def occlusions(
    network: Network,
    source: Int[np.ndarray, " S"],
    tokens: Sequence[int],
    rows: Rows = NO_ROWS,
) -> Float[np.ndarray, "T S"]:
    """How much ln p of each written token falls where a source token's vector is 0 [nats].

    What was written before counts as given. Positive: the source token spoke for it.
    """
    vectors = network.source_vectors(source)
    steps = len(source)
    every = np.repeat(vectors[None], steps + 1, axis=0)
    every[np.arange(steps), np.arange(steps)] = 0.0  # the last one is as it was
    found = [
        _given(network, network.encode_vectors(some, np.full(len(some), steps)), tokens, rows)
        for some in np.array_split(every, -(-len(every) // OCCLUDED_AT_ONCE))
    ]
    chances = np.concatenate(found, axis=1)
    return chances[:, -1:] - chances[:, :-1]


def _given(
    network: Network, encoded: Encoded, tokens: Sequence[int], rows: Rows
) -> Float[np.ndarray, "T N"]:
    """ln p of each given token, for N sources."""
    count = len(encoded.allowed)
    states, last, found = encoded.last, START, []
    for t, token in enumerate(tokens):
        step = network.step(encoded, states, np.full(count, last), rows.get(t))
        states, last = step.states, token
        found.append(step.log_probabilities[:, token])
    return np.stack(found)
