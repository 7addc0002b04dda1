"""From what a network says of the next token to the token: temperature, top-k, top-p, a draw.

In the usual order: the scores are divided by the temperature, then the k likeliest are kept, then
of these the fewest that hold the share p (the nucleus of Holtzman et al. 2020). Each is a function
of its own. A draw is a function of the seed and the position alone. NumPy.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from rnnviz.errors import ConfigError
from rnnviz.inside.readout import softmax

HOTTEST = 5.0
_SLACK = 1e-12  # by which a sum of probabilities may miss a share that it reaches


@dataclass(frozen=True, kw_only=True)
class Shaping:
    """How a distribution is changed before a token is drawn from it."""

    temperature: float = 1.0  # 0: the likeliest token, always
    top_k: int = 0  # 0: all
    top_p: float = 1.0

    def __post_init__(self) -> None:
        bounds = (
            ("temperature", self.temperature, 0.0, HOTTEST),
            ("top_k", self.top_k, 0, 1_000_000),
            ("top_p", self.top_p, 0.0, 1.0),
        )
        for name, value, low, high in bounds:
            if not low <= value <= high:
                raise ConfigError(f"{name} is {value!r}; it must lie in [{low:g}, {high:g}]")


class Choice(NamedTuple):
    """What may come next, before and after shaping, by token; likeliest first in `order`."""

    order: Int[np.ndarray, " V"]
    plain: Float[np.ndarray, " V"]  # what the network says
    tempered: Float[np.ndarray, " V"]
    shaped: Float[np.ndarray, " V"]  # what is drawn from; 0 where it is cut, sums to 1
    after_k: int  # so many of the order are kept by top-k
    after_p: int  # and so many of these by top-p


def tempered(scores: Float[np.ndarray, " V"], temperature: float) -> Float[np.ndarray, " V"]:
    """softmax(scores / temperature); at 0 its limit, all on the likeliest token."""
    if temperature == 0:
        only = np.zeros(len(scores))
        only[scores.argmax()] = 1.0
        return only
    with np.errstate(over="ignore"):
        return softmax((scores - scores.max()) / temperature)


def top_k(p: Float[np.ndarray, " V"], k: int) -> Float[np.ndarray, " V"]:
    """The k likeliest, of equal ones the first; their probabilities sum to 1 again. 0: all."""
    return _kept(p, _first(p)[: k or None])


def top_p(p: Float[np.ndarray, " V"], share: float) -> Float[np.ndarray, " V"]:
    """The fewest of the likeliest that together hold the share, at least one; they sum to 1."""
    order = _first(p)
    return _kept(p, order[: nucleus(p[order], share)])


def nucleus(falling: Float[np.ndarray, " K"], share: float) -> int:
    """How many of some falling probabilities hold a share of their sum."""
    if share >= 1:
        return len(falling)
    held = falling.cumsum()
    return min(int(np.searchsorted(held, share * held[-1] - _SLACK)) + 1, len(falling))


def choice(scores: Float[np.ndarray, " V"], shaping: Shaping) -> Choice:
    """Both distributions, and who was cut by what."""
    order = np.argsort(-scores, kind="stable")
    hot = tempered(scores, shaping.temperature)
    after_k = min(shaping.top_k or len(order), len(order))
    after_p = nucleus(hot[order[:after_k]], shaping.top_p)
    shaped = _kept(hot, order[:after_p])
    return Choice(order, softmax(scores), hot, shaped, after_k, after_p)


def draw(chosen: Choice, luck: float) -> int:
    """The token at whose stretch of the unit interval the luck lies; the likeliest lies first."""
    order = chosen.order[: chosen.after_p]
    place = np.searchsorted(chosen.shaped[order].cumsum(), luck, side="right")
    last = int(np.count_nonzero(chosen.shaped[order])) - 1  # rounding leaves a sum below 1
    return int(order[min(int(place), last)])


def luck(seed: int, count: int) -> Float[np.ndarray, " N"]:
    """Numbers in [0, 1), one for each position: the first ones are the same for any count."""
    return np.random.default_rng(seed).random(count)


def _first(p: Float[np.ndarray, " V"]) -> Int[np.ndarray, " V"]:
    return np.argsort(-p, kind="stable")


def _kept(p: Float[np.ndarray, " V"], tokens: Int[np.ndarray, " K"]) -> Float[np.ndarray, " V"]:
    kept = np.zeros_like(p)
    kept[tokens] = p[tokens]
    return kept / kept.sum()
