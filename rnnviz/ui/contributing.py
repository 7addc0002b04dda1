"""Why this token: what each earlier one did for its log-probability, by two methods."""

import numpy as np
import streamlit as st
from jaxtyping import Float

from rnnviz.figures.values import difference_range
from rnnviz.inside.contributing import (
    Asked,
    gradient_times_input,
    rivals,
    with_others,
    without_each,
)
from rnnviz.inside.shaping import choice
from rnnviz.inside.speaking import Speaker
from rnnviz.ui import controls, widgets
from rnnviz.ui.components.tokens import coloured_tokens
from rnnviz.ui.layout import pair
from rnnviz.ui.speaking import Experiment, look_at
from rnnviz.ui.words import number

MOST = 80  # earlier tokens that are looked at
LIKELIEST = 12  # tokens that can be asked for
REMOVED = {"nothing": "nothing is read", "rival": "the likeliest other token is read"}
BITS = 1.0 / np.log(2.0)
DIFFER = (
    "Both can differ. The first is a slope at the token that was read: it misses what a gate that "
    "is nearly shut or open would do if it moved. The second is a change that was made and run: "
    "but the network never read nothing in training, another token brings news of its own, and of "
    "two tokens that say the same neither seems to matter. Neither adds up to the whole "
    "log-probability."
)


def why(done: Experiment) -> None:
    """The earlier tokens, coloured by their contribution, by both methods."""
    st.markdown("##### Why this token")
    place = done.place
    if place < 1:
        st.caption("The first token is given. Choose a later one in the text above.")
        return
    target = _target(done)
    first = max(0, place - MOST)
    kind = st.segmented_control(
        "Removed means: at its step",
        list(REMOVED),
        default="nothing",
        format_func=REMOVED.__getitem__,
        key="say_removed",
        bind="query-params",
    )
    asked = Asked(done.spoken.tokens[:place], target)
    mark = (done.mark, tuple(asked.tokens.tolist()), target)
    slope, removed = _found(mark, kind or "nothing", first, done.speaker, asked)
    _sentence(done, target, first)
    titles = ("Gradient × input", f"Occlusion: {REMOVED[kind or 'nothing']}")
    _side_by_side(done, first, titles, (slope, removed))
    st.caption(DIFFER)


def _side_by_side(
    done: Experiment,
    first: int,
    titles: tuple[str, str],
    both: tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]],
) -> None:
    """The earlier tokens twice, on one scale."""
    names, span = done.dataset.vocabulary, difference_range(np.concatenate(both))
    tokens = tuple(names[int(token)] for token in done.spoken.tokens[first : done.place])
    keys = ("why_slope", "why_removed")
    for place, title, values, key in zip(pair("why"), titles, both, keys, strict=True):
        with place:
            st.markdown(f"**{title}**")
            coloured_tokens(
                tokens,
                values,
                low=span.low,
                high=span.high,
                dark=done.seen.look.dark,
                key=key,
                name="contribution [bits]",
                quantity=span.quantity,
                on_click=lambda index: look_at(first + index),
            )
            st.caption(_strongest(tokens, values))


def _target(done: Experiment) -> int:
    """Whose probability is explained: the token that stands there, or one that might have."""
    place, names = done.place, done.dataset.vocabulary
    here = int(done.spoken.tokens[place])
    found = choice(done.spoken.scores_at(place), done.plan.shaping)
    options = [here, *(int(t) for t in found.order[:LIKELIEST] if int(t) != here)]
    key = f"say_why_{place}_{here}"  # another place begins with the token there
    widgets.forget_unless(key, options)
    return st.selectbox(
        f"Explain, at token {place + 1}",
        options,
        key=key,
        format_func=lambda token: (
            f"{names[token]!r}  {100 * found.plain[token]:.3g} %"
            + (" (the one there)" if token == here else "")
        ),
    )


def _sentence(done: Experiment, target: int, first: int) -> None:
    place, name = done.place, done.dataset.vocabulary[target]
    found = choice(done.spoken.scores_at(place), done.plan.shaping)
    p = float(found.plain[target])
    said = (
        f"{name!r} at token {place + 1} has probability {number(p, 3)}: {number(-np.log2(p), 3)} "
        "bits. Orange tokens made it likelier, blue ones less likely, by so many bits."
    )
    if first:
        said += f" The last {MOST} tokens before it are looked at."
    st.markdown(controls.escaped(said))


def _strongest(tokens: tuple[str, ...], values: Float[np.ndarray, " M"]) -> str:
    """The three that did most, in numbers."""
    order = np.argsort(-np.abs(values), kind="stable")[:3]
    back = len(tokens)
    parts = (
        f"{tokens[k]!r} {back - k} back: {signed_bits(float(values[k]))}" for k in map(int, order)
    )
    return controls.escaped("Strongest: " + ", ".join(parts) + ".")


def signed_bits(value: float) -> str:
    """Such as '+0.31 bits'."""
    return f"{value:+.3g} bits".replace("-", "−")


@st.cache_resource(show_spinner="Running without each token …", max_entries=32)
def _found(
    mark: tuple[object, ...], kind: str, first: int, _speaker: Speaker, _asked: Asked
) -> tuple[Float[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    """Slope and removal of each token from `first` on [bits]."""
    del mark
    slope = gradient_times_input(_speaker.network, _asked)[first:]
    if kind == "nothing":
        removed = without_each(_speaker, _asked, first)
    else:
        others = rivals(_speaker, _asked.tokens)[first:]
        removed = with_others(_speaker, _asked, others, first)
    return slope * BITS, removed * BITS
