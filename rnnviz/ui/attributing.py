"""Attributions for the pages that show them: computed once, kept by run, epoch and sequence."""

from typing import NamedTuple

import numpy as np
import streamlit as st
from jaxtyping import Float

from rnnviz.data.dataset import Task
from rnnviz.figures.sentence import attribution_over_time
from rnnviz.figures.theme import Quantity
from rnnviz.inside.attributions import (
    Asked,
    Integrated,
    gradient_times_input,
    integrated,
    left_out,
    occluded,
    prefixes,
    score_of,
)
from rnnviz.inside.network import Network, sequence_of
from rnnviz.trace import Trace
from rnnviz.ui import controls, session
from rnnviz.ui.components.plot import plot
from rnnviz.ui.components.tokens import coloured_tokens
from rnnviz.ui.looking import Looking
from rnnviz.ui.words import number

WHY = (
    "They can differ: a weight says which states the context was taken from, and a state knows of "
    "all steps before its own; integrated gradients say how much each step itself moved the score, "
    "on every way there is, past attention as well. Neither says what would be true outside of "
    "this model."
)

MOST_RUN = 200  # steps of a sequence that is run once more for each of them


def mark_of(seen: Looking) -> tuple[object, ...]:
    """What names the weights that are looked at."""
    return seen.run.id, seen.trace.epoch, seen.trace.step


@st.cache_resource(show_spinner=False, max_entries=6)
def network(mark: tuple[object, ...], _trace: Trace) -> Network:
    """The network of a trace.

    Raises:
        TraceError: the trace is of an earlier version.
    """
    del mark  # names the trace
    return Network.of(_trace)


class Runs(NamedTuple):
    """What other ways of asking say, each by runs of its own."""

    gradient: Float[np.ndarray, " T"]  # gradient x input
    occluded: Float[np.ndarray, " T"]  # how much higher the score is with the step than with zeros
    without: Float[np.ndarray, " T"]  # the score of the sequence that lacks the step
    begun: Float[np.ndarray, "T K"]  # what the head says after each step, if it were the last


@st.cache_resource(show_spinner="Integrating gradients …", max_entries=24)
def integral(mark: tuple[object, ...], _asked: Asked) -> Integrated:
    """The integrated gradients of a score.

    Args:
        mark: names the network, the sequence, the output and the query.
    """
    del mark
    return integrated(_asked)


@st.cache_resource(show_spinner="Running the shorter sentences …", max_entries=24)
def runs(mark: tuple[object, ...], _asked: Asked) -> Runs | None:
    """What is found by changing the sequence; None where it is too long for that.

    Args:
        mark: names the network, the sequence and the output.
    """
    del mark
    if len(_asked.inputs) > MOST_RUN:
        return None
    return Runs(gradient_times_input(_asked), occluded(_asked), left_out(_asked), prefixes(_asked))


def completeness(found: Integrated, score: str, unit: str) -> str:
    """The sum that integrated gradients have to come to, and by how much they miss it."""
    unit = f" {unit}" if unit else ""
    moved = found.score - found.baseline
    return (
        f"Integrated gradients add up to {number(float(found.steps.sum()))}{unit}: {score} is "
        f"{number(found.score)}{unit} here and {number(found.baseline)}{unit} for as many empty "
        f"steps (all inputs zero), {number(moved)} apart; they miss that by "
        f"{number(found.error, 2)} ({found.points} points of the integral)."
    )


def beside_attention(seen: Looking) -> None:
    """Integrated gradients of what is said at the selected query, on the same steps."""
    query, trace, b = seen.look.query, seen.trace, seen.chosen.sequence
    st.markdown("##### Beside it: integrated gradients")
    if trace.readout is None:
        st.caption(
            "This run was made by an earlier version, which kept less of the network; train it "
            "once more to see them."
        )
        return
    net, sequence = network(mark_of(seen), trace), sequence_of(trace, b)
    said = trace.outputs[b, query]
    place = int(said.argmax()) if net.readout.probabilities else 0
    name = _name(seen, place)
    asked = Asked(
        network=net,
        inputs=sequence.inputs,
        covariates=sequence.covariates,
        score=score_of(net.readout, place),
        query=query if net.readout.every_step else None,
    )
    kept = (*mark_of(seen), seen.row, place, query)
    found = integral(kept, asked)
    unit = asked.score.unit or seen.dataset.outputs[0].unit
    _draw(seen, found, name, unit)
    st.caption(controls.escaped(completeness(found, name, unit)))
    st.caption(WHY)


def _name(seen: Looking, place: int) -> str:
    data = seen.dataset
    if data.task.numeric:
        return f"the predicted {data.outputs[place].name}"
    of = repr(data.vocabulary[place]) if data.task is Task.NEXT_TOKEN else data.classes[place]
    return f"the log-odds of {of}"


def _draw(seen: Looking, found: Integrated, name: str, unit: str) -> None:
    if seen.is_text:
        limit = float(np.abs(found.steps).max()) or 1.0
        coloured_tokens(
            seen.tokens,
            found.steps,
            low=-limit,
            high=limit,
            dark=seen.look.dark,
            key="attributed_text",
            name=f"share in {name} [{unit}]",
            quantity=Quantity.ATTRIBUTION,
            selected=seen.chosen.t,
            on_click=lambda t: session.select(t=t),
        )
        return
    figure = attribution_over_time(
        found.steps,
        title=f"Share of each step in {name}",
        unit=unit,
        clock=seen.look.clock_for(len(found.steps)),
        chosen=seen.chosen.t,
        dark=seen.look.dark,
    )
    plot(figure, key="attributed", on_click=seen.click)
