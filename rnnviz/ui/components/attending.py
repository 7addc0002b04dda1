"""One output token from its scores to its distribution, stage by stage; played in the browser."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson
import streamlit as st
from jaxtyping import Float, Int

from rnnviz.figures.theme import Quantity, colours, palette
from rnnviz.figures.values import Range
from rnnviz.ui.components import mount
from rnnviz.ui.components.packing import scale
from rnnviz.ui.components.tokens import read_index

MOST_UNITS = 16  # of a state that are drawn
MOST_CHOICES = 8  # tokens of the distribution

EQUATIONS = {
    "dot": "e = d · h",
    "general": "e = d · (W h)",
    "additive": "e = v · tanh(W_d d + W_h h)",
}


class Attending(NamedTuple):
    """What is drawn of output token `step`, which counts from 0.

    Attributes:
        computed: the network's own weights.
        weights: those that made the context; not the computed ones where somebody gave others.
        states: the encoder's, of each source token.
        query: the decoder's state after the step.
    """

    source: Sequence[str]
    output: Sequence[str]
    step: int
    token: int
    kind: str
    scores: Float[np.ndarray, " S"]
    computed: Float[np.ndarray, " S"]
    weights: Float[np.ndarray, " S"]
    states: Float[np.ndarray, "S H"]
    query: Float[np.ndarray, " H"]
    context: Float[np.ndarray, " H"]
    probabilities: Float[np.ndarray, " V"]
    vocabulary: Sequence[str]


def attending(
    seen: Attending,
    *,
    key: str,
    dark: bool,
    on_step: Callable[[int], None],
    on_token: Callable[[int], None],
) -> None:
    """Show the stages.

    Args:
        key: names the view within its page.
        dark: for a dark page.
        on_step: called before the rerun with another output token that is wanted, from 0.
        on_token: likewise with the token that is to be written in this one's place.
    """
    steps, tokens = len(seen.output), len(seen.vocabulary)

    def chosen() -> None:
        step = read_index(st.session_state[key].get("step"), steps)
        if step is not None:
            on_step(step)

    def written() -> None:
        token = read_index(st.session_state[key].get("token"), tokens)
        if token is not None:
            on_token(token)

    mount(
        "attending",
        css=True,
        key=key,
        data=message(seen, dark=dark),
        on_step_change=chosen,
        on_token_change=written,
    )


def message(seen: Attending, *, dark: bool) -> bytes:
    """What travels to the browser, as JSON."""
    places = units_shown(seen.context)
    largest = max(
        float(np.abs(part[..., places]).max()) for part in (seen.states, seen.query, seen.context)
    )
    limit = max(largest, 1.0)  # states of tanh cells lie within 1; ReLU has no bound
    best = np.argsort(-seen.probabilities, kind="stable")[:MOST_CHOICES].tolist()
    if seen.token not in best:
        best[-1] = seen.token
    content: dict[str, Any] = {
        "dark": dark,
        "source": seen.source,
        "output": seen.output,
        "step": seen.step,
        "token": seen.token,
        "equation": EQUATIONS[seen.kind],
        "scores": seen.scores,
        "computed": seen.computed,
        "weights": seen.weights,
        "changed": not np.array_equal(seen.computed, seen.weights),
        "states": seen.states[:, places],
        "query": seen.query[places],
        "context": seen.context[places],
        "places": places + 1,
        "shown": len(places),
        "units": len(seen.context),
        "chance": float(seen.probabilities[seen.token]),
        "choices": [
            {"token": seen.vocabulary[k], "index": k, "p": float(seen.probabilities[k])}
            for k in best
        ],
        "scale": scale(Range(quantity=Quantity.STATE, low=-limit, high=limit), dark),
        "ink": colours(Quantity.ATTENTION, dark)[12],
        "accent": palette(dark).role("network"),
    }
    return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY, default=_plain)


def units_shown(context: Float[np.ndarray, " H"]) -> Int[np.ndarray, " U"]:
    """Evenly spaced units, and among them the one whose context is largest."""
    count = len(context)
    if count <= MOST_UNITS:
        return np.arange(count)
    places = np.linspace(0, count - 1, MOST_UNITS).round().astype(int)
    largest = int(np.abs(context).argmax())
    places[np.abs(places - largest).argmin()] = largest
    return places


def _plain(value: Any) -> Any:
    """What orjson does not take: arrays that are not contiguous, and tuples of named parts."""
    return value.tolist() if isinstance(value, np.ndarray) else list(value)
