"""A network on many sequences at once, padded to one length, for one query each: there and back.

Network.run keeps every number of one sequence. Whoever asks for a score of many sequences that
differ little (a path of inputs, a sentence without each of its words) asks here. NumPy, float64.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from rnnviz.inside.network import Network
from rnnviz.inside.readout import Read, asking, back, read
from rnnviz.inside.steps import Replay, backward, by_input, run


@dataclass(frozen=True, kw_only=True)
class Many:
    """What N sequences became; what stands beyond a length belongs to nobody."""

    lengths: Int[np.ndarray, " N"]
    steps: tuple[Replay, ...]  # of each way, in its own reading order
    top: Float[np.ndarray, "T N D"]
    reads: tuple[Read, ...]  # of each sequence, with one query

    @property
    def outputs(self) -> Float[np.ndarray, "N K"]:
        """What the head says: scaled numbers, or what a softmax makes probabilities of."""
        return np.concatenate([done.outputs for done in self.reads])


def run_many(
    network: Network,
    inputs: Float[np.ndarray, "N T F"],
    lengths: Int[np.ndarray, " N"],
    covariates: Float[np.ndarray, " C"],
    query: int | None = None,
) -> Many:
    """A forward pass.

    Args:
        inputs: as the network reads them; what is beyond a length is not read.
        query: the step that asks, where something is said at every step; None: the last one.
    """
    x, steps = inputs.swapaxes(0, 1), []
    for places in network.layers:
        for place in places:
            way = network.ways[place]
            turned = turn(x, lengths) if way.reverse else x
            steps.append(run(way.cell, way.weights, turned))
        found = [
            turn(steps[place].states[0], lengths)
            if network.ways[place].reverse
            else steps[place].states[0]
            for place in places
        ]
        x = np.concatenate(found, axis=2)
    reads = tuple(
        _read(network, x[:length, n], covariates, query) for n, length in enumerate(lengths)
    )
    return Many(lengths=lengths, steps=tuple(steps), top=x, reads=reads)


def _read(
    network: Network,
    top: Float[np.ndarray, "L D"],
    covariates: Float[np.ndarray, " C"],
    query: int | None,
) -> Read:
    at = asking(network.readout, len(top), len(network.layers[-1]))
    if network.readout.every_step:
        at = at[[len(top) - 1 if query is None else query]]
    return read(network.readout, top, covariates, at, causal=network.causal)


def by_inputs(
    network: Network, done: Many, slope: Float[np.ndarray, "N K"]
) -> Float[np.ndarray, "N T F"]:
    """What each sequence's score gives by all that it read; zero beyond its length.

    Args:
        slope: of each score by what the head says.
    """
    outer = np.zeros_like(done.top)
    for n, (length, each) in enumerate(zip(done.lengths, done.reads, strict=True)):
        found = back(network.readout, each, done.top[:length, n], slope[n : n + 1])
        outer[:length, n] = found.top[:, 0]
    for places in reversed(network.layers):
        parts = np.split(outer, len(places), axis=2)
        outer = sum(
            (_through(network, done, k, part) for k, part in zip(places, parts, strict=True)),
            np.zeros(()),
        )
    return outer.swapaxes(0, 1)


def _through(
    network: Network, done: Many, place: int, outer: Float[np.ndarray, "T N H"]
) -> Float[np.ndarray, "T N I"]:
    """From what the scores give by a way's states to what they give by what it read."""
    way, lengths = network.ways[place], done.lengths
    turned = turn(outer, lengths) if way.reverse else outer
    found = by_input(way.weights, backward(way.cell, way.weights, done.steps[place], turned))
    return turn(found, lengths) if way.reverse else found


def turn(
    x: Float[np.ndarray, "T N I"], lengths: Int[np.ndarray, " N"]
) -> Float[np.ndarray, "T N I"]:
    """Each sequence back to front within its length; what is beyond stays where it is."""
    steps = np.arange(len(x))[:, None]
    index = np.where(steps < lengths, lengths - 1 - steps, steps)
    return np.take_along_axis(x, index[:, :, None], axis=0)


def narrowed(
    network: Network, inputs: Float[np.ndarray, "T F"]
) -> tuple[Network, Float[np.ndarray, "T f"]]:
    """The same on the features that are not zero throughout: of one-hot words those that occur."""
    used = np.flatnonzero(inputs.any(axis=0))
    if len(used) == inputs.shape[1]:
        return network, inputs
    ways = tuple(
        way
        if way.layer
        else replace(way, weights=way.weights._replace(input=way.weights.input[:, :, used]))
        for way in network.ways
    )
    return replace(network, ways=ways), inputs[:, used]
