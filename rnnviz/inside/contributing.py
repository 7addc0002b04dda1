"""What each earlier token did for the log-probability of a chosen one: by slope, and by removal.

Gradient times input is the slope of the log-probability by the one-hot input, taken at the token
that was read: what removing it would do, if the network were linear. Occlusion does remove it, and
runs all that follows once more: nothing is read at its step, or another token is. NumPy.
"""

import itertools
from collections import abc
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from rnnviz.cells import split_gates
from rnnviz.inside.matrix import go_back
from rnnviz.inside.network import Network, Sequence
from rnnviz.inside.readout import losses, read
from rnnviz.inside.speaking import Mark, Speaker, heard, projected


class Asked(NamedTuple):
    """Whose log-probability is explained: that of a token, after some others."""

    tokens: Int[np.ndarray, " N"]  # read before it
    target: int


def gradient_times_input(network: Network, asked: Asked) -> Float[np.ndarray, " N"]:
    """d log p(target) / d x_s . x_s of every step s [nats]; x_s is one-hot. One scan backward."""
    last = len(asked.tokens) - 1
    one_hot = np.zeros((last + 1, network.ways[0].weights.input.shape[2]))
    one_hot[np.arange(last + 1), asked.tokens] = 1.0
    sequence = Sequence(
        inputs=one_hot,
        covariates=np.zeros(network.readout.covariates.shape[1]),
        targets=np.full(last + 1, asked.target),
    )
    block = go_back(network, sequence, network.run(sequence), np.array([last]))
    picked = network.ways[0].weights.input[:, :, asked.tokens]  # [G H N]
    return -np.einsum("tgh,ght->t", block.ways[0].by_x[:, 0], picked)  # of a loss, -log p


def without_each(speaker: Speaker, asked: Asked, first: int = 0) -> Float[np.ndarray, " M"]:
    """log p(target) less what it is when nothing is read at step s, for s from `first` on [nats].

    Nothing is a step whose input is all zeros: of W x + b only b is left.
    """
    return _changed(speaker, asked, first, [None] * (len(asked.tokens) - first))


def with_others(
    speaker: Speaker, asked: Asked, others: Int[np.ndarray, " M"], first: int = 0
) -> Float[np.ndarray, " M"]:
    """The same where another token is read at step s.

    Args:
        others: that token, of each step from `first` on.
    """
    return _changed(speaker, asked, first, others.tolist())


def rivals(speaker: Speaker, tokens: Int[np.ndarray, " N"]) -> Int[np.ndarray, " N"]:
    """Of each step the token that the network thought likeliest there, other than the one that is.

    Before the first step nothing is known: there the next token of the vocabulary stands.
    """
    stream, found = speaker.begin(), [(int(tokens[0]) + 1) % speaker.vocabulary]
    for token, then in itertools.pairwise(tokens):
        scores = stream.read(int(token)).copy()
        scores[then] = -np.inf
        found.append(int(scores.argmax()))
    return np.array(found)


def _changed(
    speaker: Speaker, asked: Asked, first: int, others: abc.Sequence[int | None]
) -> Float[np.ndarray, " M"]:
    stream = speaker.begin()
    for token in asked.tokens[:first]:
        stream.read(int(token))
    found = _log_p(speaker, stream.mark(), asked.tokens[first:], others, asked.target)
    return found[0] - found[1:]


def _log_p(
    speaker: Speaker,
    mark: Mark,
    tokens: Int[np.ndarray, " M"],
    others: abc.Sequence[int | None],
    target: int,
) -> Float[np.ndarray, " B"]:
    """Of the target: as it is, then with each step changed; every step adds one to the batch."""
    network, count = speaker.network, len(tokens)
    now = [tuple(state[None] for state in states) for states in mark.states]
    tops = np.empty((count + 1, count, len(mark.states[-1][0])))
    for step, (token, other) in enumerate(zip(tokens, others, strict=True)):
        tops[step + 1, :step] = tops[0, :step]  # until now it was the unchanged one
        now = [tuple(np.concatenate([s, s[:1]]) for s in states) for states in now]
        below: np.ndarray | None = None
        for place, way in enumerate(network.ways):
            if below is None:
                x = np.tile(heard(way, int(token)), (step + 2, 1))
                x[-1] = heard(way, other)
            else:
                x = projected(way, below)
            parts = split_gates(x, len(way.cell.gates))
            found = way.cell.activate(parts, speaker.recurs[place], now[place])
            now[place] = way.cell.advance(found.values, now[place])
            below = now[place][0]
        tops[: step + 2, step] = below
    return np.array([_read_out(network, mark, top, target) for top in tops])


def _read_out(network: Network, mark: Mark, top: Float[np.ndarray, "M D"], target: int) -> float:
    seen = top if mark.tops is None else np.concatenate([mark.tops, top])
    readout = network.readout
    at = np.array([[len(seen) - 1]])
    done = read(readout, seen, np.zeros(readout.covariates.shape[1]), at, causal=True)
    return -float(losses(readout, done.outputs, np.array([target]))[0])
