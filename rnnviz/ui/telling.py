"""The parts of the page What units tell."""

import numpy as np
import pandas as pd
import streamlit as st
from jaxtyping import Float, Int

from rnnviz.data.text import tokens_of
from rnnviz.figures.telling import MOST_CURVES, MOST_UNITS, by_class, means, parted, shares
from rnnviz.figures.values import limit_of
from rnnviz.states.properties import follows_on, properties_of
from rnnviz.states.store import States
from rnnviz.states.units import Property, Told, counted, ranked
from rnnviz.ui import controls, widgets
from rnnviz.ui.components.plot import plot
from rnnviz.ui.components.tokens import coloured_tokens
from rnnviz.ui.layout import pair
from rnnviz.ui.looking import Looking
from rnnviz.ui.words import number

WINDOWS = 6  # sequences of a text that are shown one after another
MOST_TOKENS = 800


def ranking(seen: Looking, states: States) -> None:
    """A property, what every unit tells of it, and the unit that tells most."""
    found = {one.name: one for one in _properties(seen.run.id, seen, states)}
    if not found:
        st.info("These sequences have no property of their steps that could be told.")
        return
    widgets.forget_unless("property", list(found))
    name = st.selectbox("Property of the steps", list(found), key="property", bind="query-params")
    one = found[name]
    way = states.way(seen.layer.layer, reverse=seen.layer.reverse)
    h, values, told = _told(seen.run.id, seen.trace.epoch, way, name, states, one)
    if not told:
        st.info("All steps that count are of one class.")
        return
    _sentence(told[0], one, values)
    order = tuple(each.unit for each in told)
    left, right = pair("telling")
    with left:
        share = np.array([each.share for each in told])
        plot(shares(order, share, name, dark=seen.look.dark), key="shares")
    with right:
        some = order[:MOST_UNITS]
        averaged = _means(h[list(some)], values, len(one.classes))
        plot(
            means(
                averaged,
                some,
                one.classes,
                name=name,
                limit=limit_of(averaged),
                dark=seen.look.dark,
            ),
            key="means",
        )
    unit = _unit(order)
    _one_unit(seen, states, way, one, next(each for each in told if each.unit == unit), h, values)
    with st.expander("Every unit"):
        st.dataframe(_table(told), width="stretch", hide_index=True)


def _unit(order: tuple[int, ...]) -> int:
    names = [str(unit + 1) for unit in order]
    widgets.forget_unless("told_unit", names)
    return int(st.selectbox("Unit, the most telling first", names, key="told_unit")) - 1


def _sentence(best: Told, one: Property, values: Int[np.ndarray, " n"]) -> None:
    counts = np.bincount(values, minlength=len(one.classes))
    parts = [
        f"Unit **{best.unit + 1}** tells most: {best.share:.0%} of the entropy of "
        f"“{controls.escaped(one.name)}” ({number(best.nats, 3)} nats, over {len(values):,} steps)"
    ]
    if best.accuracy is not None and best.threshold is not None:
        parts.append(
            f"; parted at h = {number(best.threshold, 3)} it is right at {best.accuracy:.1%} of "
            f"the steps (always “{controls.escaped(one.classes[int(counts.argmax())])}”: "
            f"{counts.max() / len(values):.1%})"
        )
    st.markdown("".join(parts) + ".")
    if one.note:
        st.caption(f"{one.name}: {one.note}.")


def _one_unit(
    seen: Looking,
    states: States,
    way: int,
    one: Property,
    told: Told,
    h: Float[np.ndarray, "H n"],
    values: Int[np.ndarray, " n"],
) -> None:
    row, dark = h[told.unit], seen.look.dark
    if len(one.classes) > MOST_CURVES:
        figure = by_class(row, values, one.classes, name=one.name, unit=told.unit, dark=dark)
    else:
        figure = parted(
            row,
            values,
            one.classes,
            name=one.name,
            unit=told.unit,
            threshold=told.threshold,
            dark=dark,
        )
    plot(figure, key="parted")
    if seen.is_text:
        _text(seen, states, way, told)


def _text(seen: Looking, states: States, way: int, told: Told) -> None:
    """The text from the chosen sequence on, on the colours of the unit."""
    place = states.place(seen.row)
    assert place is not None, "traced sequences are of the test part, which is kept first"
    count = WINDOWS if follows_on(seen.dataset) else 1
    tokens: list[str] = []
    parts = []
    for k in range(place, min(place + count, len(states.rows))):
        tokens += tokens_of(seen.dataset, int(states.rows[k]))
        parts.append(states.h[way][told.unit, k, : states.lengths[k]].astype(np.float64))
    shown = np.concatenate(parts)[:MOST_TOKENS]
    coloured_tokens(
        tuple(tokens[:MOST_TOKENS]),
        shown,
        low=-1.0,
        high=1.0,
        dark=seen.look.dark,
        key="told_text",
        name=f"h, unit {told.unit + 1}",
    )
    if count > 1:
        st.caption(
            f"The text from sequence {seen.dataset.ids[seen.row]} on; the network begins each "
            f"{seen.dataset.steps} {seen.run.config.data.tokens} anew, without memory."
        )


def _means(
    h: Float[np.ndarray, "U n"], values: Int[np.ndarray, " n"], classes: int
) -> Float[np.ndarray, "U C"]:
    counts = np.maximum(np.bincount(values, minlength=classes), 1)
    return np.stack([np.bincount(values, row, minlength=classes) / counts for row in h])


def _table(told: tuple[Told, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "unit": [one.unit + 1 for one in told],
            "share of the entropy [%]": [round(100 * one.share, 2) for one in told],
            "mutual information [nats]": [round(one.nats, 4) for one in told],
        }
    )
    if told[0].accuracy is not None:
        frame["threshold of h"] = [one.threshold for one in told]
        frame["right [%]"] = [round(100 * (one.accuracy or 0.0), 2) for one in told]
    return frame


@st.cache_resource(show_spinner="Looking at what the steps are …", max_entries=6)
def _properties(run_id: str, _seen: Looking, _states: States) -> tuple[Property, ...]:
    del run_id
    return properties_of(_seen.dataset, _states.rows)


@st.cache_resource(show_spinner="Counting …", max_entries=24)
def _told(
    run_id: str, epoch: int, way: int, name: str, _states: States, _one: Property
) -> tuple[np.ndarray, np.ndarray, tuple[Told, ...]]:
    """States and classes of the steps counted, and what the units tell."""
    del run_id, epoch, name
    rows, inside = counted(_one.values, _states.lengths)
    h = np.stack([unit[rows][inside].astype(np.float64) for unit in _states.h[way]])
    values = _one.values[rows][inside]
    return h, values, ranked(h, _one, values)


def about() -> None:
    """What the numbers are."""
    with st.expander("About this page"):
        st.markdown(
            "$I(h;\\,k) = \\sum p(b, k)\\,\\log\\frac{p(b, k)}{p(b)\\,p(k)}$ over 32 bins $b$ of "
            "$h$ with as many steps each, and the classes $k$ of the property, in nats; less "
            "$(B-1)(K-1)/2n$, by which such estimates lie too high (Miller, 1955). The share is of "
            "the property's entropy: 0 % says nothing of it, 100 % all of it. At most 100,000 "
            "steps are counted, of sequences that are spread evenly.\n\n"
            "Single units that tell inside from outside of quotes were shown by Karpathy, Johnson "
            "and Li (*Visualizing and understanding recurrent networks*, 2015). That a unit tells "
            "something does not mean that the network uses it: try the page **What if**."
        )
