"""What each step of a sequence did to a score: integrated gradients, and simpler ways beside them.

A score is any number made of what the head says, with its slope: of classes and tokens the log-odds
of one, of numbers the number itself. Everything is computed on the closed-form network. NumPy only.

Integrated gradients (Sundararajan, Taly and Yan 2017), with zero inputs (no word at all) as the
baseline x':

    IG_t = sum_i (x_ti - x'_ti) integral_0^1 ds(x' + a (x - x')) / dx_ti da

They are complete: over all steps they add up to s(x) - s(x'). What is left of that, because the
integral is a sum over finitely many points, is the error that is given along with them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from rnnviz.inside.many import by_inputs, narrowed, run_many
from rnnviz.inside.network import Network
from rnnviz.inside.readout import softmax
from rnnviz.trace import ReadoutTrace

POINTS = (32, 128, 512)  # of the integral, by Gauss and Legendre: more where the error asks for it
TOLERANCE = 1e-3  # of what the score moves, or of 1 where it moves less
MOST_STEPS = 200_000  # of all points together; a long sequence gets fewer points
AT_ONCE = 4_000_000  # numbers that the states of a stack of sequences may take


class Score(NamedTuple):
    """A number made of what the head says, and its slope by that."""

    of: Callable[[Float[np.ndarray, "N K"]], Float[np.ndarray, " N"]]
    slope: Callable[[Float[np.ndarray, "N K"]], Float[np.ndarray, "N K"]]
    unit: str  # "nats", or "" for the target's own


def score_of(readout: ReadoutTrace, place: int) -> Score:
    """The log-odds of a class or token, or a number in the target's unit.

    Args:
        place: of the output.
    """
    return log_odds(place) if readout.probabilities else _number(readout, place)


def log_odds(place: int) -> Score:
    """ln p/(1 - p) of one class against all others [nats]; of two classes z_1 - z_0."""

    def others(outputs: Float[np.ndarray, "N K"]) -> Float[np.ndarray, "N J"]:
        return np.delete(outputs, place, axis=1)

    def value(outputs: Float[np.ndarray, "N K"]) -> Float[np.ndarray, " N"]:
        rest = others(outputs)
        top = rest.max(axis=1)
        return outputs[:, place] - top - np.log(np.exp(rest - top[:, None]).sum(axis=1))

    def slope(outputs: Float[np.ndarray, "N K"]) -> Float[np.ndarray, "N K"]:
        return np.insert(-softmax(others(outputs)), place, 1.0, axis=1)

    return Score(value, slope, "nats")


def _number(readout: ReadoutTrace, place: int) -> Score:
    sd, mean = float(readout.sd[place]), float(readout.mean[place])
    one = np.zeros(len(readout.sd))
    one[place] = sd
    return Score(
        lambda outputs: outputs[:, place] * sd + mean,
        lambda outputs: np.broadcast_to(one, outputs.shape),
        "",
    )


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A score of one sequence that a network read."""

    network: Network
    inputs: Float[np.ndarray, "T F"]  # as the network reads them
    covariates: Float[np.ndarray, " C"]  # they stay as they are
    score: Score
    query: int | None = None  # the step that asks; None: the last


@dataclass(frozen=True, kw_only=True)
class Integrated:
    """What each step did to a score, from the baseline on."""

    steps: Float[np.ndarray, " T"]
    score: float  # of the sequence
    baseline: float  # of as many zero inputs
    points: int  # of the integral

    @property
    def error(self) -> float:
        """By how much the steps miss the difference that they should add up to."""
        return abs(float(self.steps.sum()) - (self.score - self.baseline))

    @property
    def tolerated(self) -> float:
        """The error that asks for no more points."""
        return TOLERANCE * max(1.0, abs(self.score - self.baseline))


def integrated(asked: Asked, points: tuple[int, ...] = POINTS) -> Integrated:
    """Integrated gradients, with as many points as the error asks for.

    Args:
        points: how many to try, one after the other, within MOST_STEPS.
    """
    asked = _narrow(asked)
    ends = np.stack((asked.inputs, np.zeros_like(asked.inputs)))
    score, baseline = (float(value) for value in scores(asked, ends))
    steps = len(asked.inputs)
    affordable = [count for count in points if count * steps <= MOST_STEPS]
    for count in affordable or points[:1]:
        nodes, weights = np.polynomial.legendre.leggauss(count)
        path = (nodes + 1) / 2
        total = np.zeros(steps)
        for some in _portions(asked, count, steps):
            stack = path[some, None, None] * asked.inputs
            slopes = _gradients(asked, stack)
            total += np.einsum("n,ntf,tf->t", weights[some] / 2, slopes, asked.inputs)
        found = Integrated(steps=total, score=score, baseline=baseline, points=count)
        if found.error <= found.tolerated:
            break
    return found


def gradient_times_input(asked: Asked) -> Float[np.ndarray, " T"]:
    """The slope of the score along each step's input: the same with one point, at the end."""
    asked = _narrow(asked)
    return (_gradients(asked, asked.inputs[None])[0] * asked.inputs).sum(axis=1)


def occluded(asked: Asked) -> Float[np.ndarray, " T"]:
    """By how much the score is higher with each step than with zeros in its place."""
    asked = _narrow(asked)
    steps = len(asked.inputs)
    whole = scores(asked, asked.inputs[None])[0]
    without = np.empty(steps)
    for some in _portions(asked, steps, steps):
        stack = np.repeat(asked.inputs[None], len(some), axis=0)
        stack[np.arange(len(some)), some] = 0.0
        without[some] = scores(asked, stack)
    return whole - without


def left_out(asked: Asked) -> Float[np.ndarray, " T"]:
    """The score of the sequence without each step, which is one step shorter; NaN for the only one.

    For what is said at the end; a step's own answer would be left out with it.
    """
    asked = _narrow(asked)
    steps = len(asked.inputs)
    if steps == 1:
        return np.full(1, np.nan)
    found = np.empty(steps)
    for some in _portions(asked, steps, steps):
        kept = np.arange(steps - 1) + (np.arange(steps - 1) >= some[:, None])
        found[some] = scores(asked, asked.inputs[kept])
    return found


def prefixes(asked: Asked) -> Float[np.ndarray, "T K"]:
    """What the head says when the sequence ends after each step; each beginning is really run."""
    asked = _narrow(asked)
    steps, said = len(asked.inputs), []
    for some in _portions(asked, steps, steps):
        longest = int(some[-1]) + 1
        stack = np.repeat(asked.inputs[None, :longest], len(some), axis=0)
        done = run_many(asked.network, stack, some + 1, asked.covariates)
        said.append(done.outputs)
    return np.concatenate(said)


def scores(asked: Asked, stack: Float[np.ndarray, "N T F"]) -> Float[np.ndarray, " N"]:
    """The score of each of some sequences of one length."""
    lengths = np.full(len(stack), stack.shape[1])
    done = run_many(asked.network, stack, lengths, asked.covariates, asked.query)
    return asked.score.of(done.outputs)


def _gradients(asked: Asked, stack: Float[np.ndarray, "N T F"]) -> Float[np.ndarray, "N T F"]:
    lengths = np.full(len(stack), stack.shape[1])
    done = run_many(asked.network, stack, lengths, asked.covariates, asked.query)
    return by_inputs(asked.network, done, asked.score.slope(done.outputs))


def _narrow(asked: Asked) -> Asked:
    network, inputs = narrowed(asked.network, asked.inputs)
    return Asked(
        network=network,
        inputs=inputs,
        covariates=asked.covariates,
        score=asked.score,
        query=asked.query,
    )


def _portions(asked: Asked, count: int, steps: int) -> Iterator[Int[np.ndarray, " n"]]:
    """Places of so many sequences, as many at once as there is room for."""
    per_step = asked.inputs.shape[1] + sum(
        4 * np.prod(way.weights.recurrent.shape[:2]) for way in asked.network.ways
    )
    at_once = max(1, int(AT_ONCE // (per_step * steps)))
    for start in range(0, count, at_once):
        yield np.arange(start, min(start + at_once, count))
