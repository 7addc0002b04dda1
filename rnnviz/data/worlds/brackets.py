"""A bracket language: strings that a small grammar with a stack writes, one symbol after the other.

What may come next depends on the stack alone: how deep it is, and which bracket lies on top. The
stack follows from the symbols so far, so the entropy of the next symbol, given all before it, is
known exactly at every step. Its mean is the least cross-entropy that can be expected of anybody; a
loss clearly below it would say that the answer has leaked.
"""

import itertools
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from rnnviz.config import DataConfig
from rnnviz.data.dataset import Known, SequenceDataset, Task, Variable
from rnnviz.data.worlds.world import (
    ENTROPY_FLOOR,
    MEMORYLESS,
    SEED,
    everywhere,
    made,
    memoryless,
)

OPENING, CLOSING, LETTERS = "([", ")]", "abc"
SYMBOLS = (*OPENING, *CLOSING, *LETTERS)
DEEPEST = 4
# probabilities to open, to close and to write a letter: outside, inside, and at the deepest
MOVES = {"outside": (0.5, 0.0, 0.5), "inside": (0.25, 0.4, 0.35), "deepest": (0.0, 0.6, 0.4)}
# of the letters: outside, in round and in square brackets
OUTSIDE = (0.1, 0.8, 0.1)
INSIDE = ((0.8, 0.1, 0.1), (0.1, 0.1, 0.8))

Stack = tuple[int, ...]  # the kinds of the brackets that are open, the innermost last


class Written(NamedTuple):
    """Strings, and what their writer knew."""

    symbols: Int[np.ndarray, "N L"]
    depths: Int[np.ndarray, "N L"]  # after each symbol
    probabilities: Float[np.ndarray, "N L"]  # of each symbol when it was written
    entropies: Float[np.ndarray, "N L"]  # of the symbol after it [nats]
    likeliest: Float[np.ndarray, "N L"]  # the largest probability of the symbol after it


def distribution(stack: Stack) -> Float[np.ndarray, " V"]:
    """The probability of every next symbol."""
    depth = len(stack)
    where = "outside" if not depth else "deepest" if depth == DEEPEST else "inside"
    opens, closes, letter = MOVES[where]
    found = np.zeros(len(SYMBOLS))
    found[: len(OPENING)] = opens / len(OPENING)
    if depth:
        found[len(OPENING) + stack[-1]] = closes
    letters = INSIDE[stack[-1]] if depth else OUTSIDE
    found[-len(LETTERS) :] = letter * np.array(letters)
    return found


def after(stack: Stack, symbol: int) -> Stack:
    """The stack once a symbol is written."""
    if symbol < len(OPENING):
        return (*stack, symbol)
    return stack[:-1] if symbol < len(OPENING) + len(CLOSING) else stack


def entropy(shares: Float[np.ndarray, " V"]) -> float:
    """In nats."""
    some = shares[shares > 0]
    return -float((some * np.log(some)).sum())


class _Rules(NamedTuple):
    """The grammar as tables over all stacks; the empty one is the first."""

    shares: Float[np.ndarray, "S V"]
    following: Int[np.ndarray, "S V"]  # the stack that comes of it; -1 where it cannot be
    depths: Int[np.ndarray, " S"]
    entropies: Float[np.ndarray, " S"]


def _rules() -> _Rules:
    kinds = range(len(OPENING))
    stacks = [s for depth in range(DEEPEST + 1) for s in itertools.product(kinds, repeat=depth)]
    place = {stack: index for index, stack in enumerate(stacks)}
    shares = np.array([distribution(stack) for stack in stacks])
    following = np.full(shares.shape, -1)
    for row, symbol in zip(*shares.nonzero(), strict=True):
        following[row, symbol] = place[after(stacks[row], int(symbol))]
    entropies = np.array([entropy(row) for row in shares])
    return _Rules(shares, following, np.array([len(stack) for stack in stacks]), entropies)


def write(rng: np.random.Generator, strings: int, length: int) -> Written:
    """Strings of one length, each from an empty stack."""
    rules = _rules()
    sums = rules.shares.cumsum(axis=1)
    sums[:, -1] = 1.0  # where rounding left a little less
    draws = rng.random((strings, length))
    symbols, stacks = np.zeros((2, strings, length), dtype=np.int64)
    probabilities = np.zeros((strings, length))
    now = np.zeros(strings, dtype=np.int64)
    for t in range(length):
        symbols[:, t] = (draws[:, t, None] >= sums[now]).sum(axis=1)
        probabilities[:, t] = rules.shares[now, symbols[:, t]]
        now = rules.following[now, symbols[:, t]]
        stacks[:, t] = now
    return Written(
        symbols=symbols,
        depths=rules.depths[stacks],
        probabilities=probabilities,
        entropies=rules.entropies[stacks],
        likeliest=rules.shares.max(axis=1)[stacks],
    )


def load(config: DataConfig, seed: int = SEED) -> SequenceDataset:
    """Strings of `config.window` symbols, each step followed by its target, the next symbol."""
    n, steps = config.sequences, config.window
    written = write(np.random.default_rng(seed), n, steps + 1)
    entropies = written.entropies[:, :-1]
    floor = Known(
        name=ENTROPY_FLOOR,
        metric="loss",
        expected=entropies.mean(axis=1),
        realised=-np.log(written.probabilities[:, 1:]).mean(axis=1),
        others={"accuracy": float(written.likeliest[:, :-1].mean())},
        floor=True,
    )
    return made(
        title="A bracket language: the next symbol",
        inputs=written.symbols[:, :-1].copy(),
        targets=written.symbols[:, 1:].copy(),
        task=Task.NEXT_TOKEN,
        whose="strings",
        features=(Variable("symbol", "symbol"),),
        outputs=(Variable("next symbol", "symbol"),),
        vocabulary=SYMBOLS,
        known=(floor,),
        notes=(
            _RULES,
            "Whoever keeps the whole stack in mind knows how uncertain the next symbol is: "
            f"{entropies.mean():.4f} nats per symbol. This entropy is the floor: nobody is below "
            "it but by chance, or because the answer has leaked.",
        ),
    )


def depth(config: DataConfig, seed: int = SEED) -> SequenceDataset:
    """The same strings; at every step the number of open brackets is asked for."""
    n, steps = config.sequences, config.window
    written = write(np.random.default_rng(seed), n, steps)
    loss, accuracy = memoryless(joint(steps))
    return made(
        title="A bracket language: how deep",
        inputs=written.symbols,
        targets=written.depths,
        task=Task.TAGGING,
        whose="strings",
        features=(Variable("symbol", "symbol"),),
        outputs=(Variable("open brackets"),),
        vocabulary=SYMBOLS,
        classes=tuple(str(level) for level in range(DEEPEST + 1)),
        known=(
            everywhere(MEMORYLESS, n, loss, accuracy=accuracy),
            everywhere(ENTROPY_FLOOR, n, 0.0, accuracy=1.0, floor=True),
        ),
        notes=(
            _RULES,
            "At every step the number of open brackets is asked for. The present symbol alone "
            f"leaves {loss:.4f} nats and is right {accuracy:.0%} of the time; whoever counts is "
            "always right.",
        ),
    )


_RULES = (
    f"Strings of two kinds of brackets, at most {DEEPEST} deep, with letters between them: mostly "
    "b outside, a in round and c in square brackets. Only the innermost bracket can be closed."
)


def joint(steps: int) -> Float[np.ndarray, "V D"]:
    """How often each symbol comes with each depth after it, over the steps of a string.

    A chain over depths is enough: given its depth, each bracket of a stack is of either kind with
    equal probability, whatever happened before.
    """
    kinds, levels = len(OPENING), DEEPEST + 1
    now, found = np.eye(levels)[0], np.zeros((len(SYMBOLS), levels))
    rules = [
        np.mean([distribution((*([0] * (level - 1)), kind)) for kind in range(kinds)], axis=0)
        if level
        else distribution(())
        for level in range(levels)
    ]
    for _ in range(steps):
        then = np.zeros(levels)
        for level, shares in enumerate(rules):
            for symbol, share in enumerate(shares):
                if share:
                    reached = len(after((0,) * level, symbol))
                    found[symbol, reached] += now[level] * share
                    then[reached] += now[level] * share
        now = then
    return found / steps
