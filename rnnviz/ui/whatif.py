"""The What if page: a run as it was, the same as it would have been, and their pictures."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from rnnviz.errors import TraceError
from rnnviz.figures import whatif as figures
from rnnviz.figures.gates import words
from rnnviz.figures.values import difference_range, names_of, one_sequence
from rnnviz.inside.interventions import Applied, Stack, apply, misfits, read
from rnnviz.inside.measured import Measured
from rnnviz.inside.network import Network, Pass, Sequence, sequence_of
from rnnviz.inside.retraced import retraced
from rnnviz.inside.staging import Names
from rnnviz.trace import LayerTrace, Trace
from rnnviz.ui import controls, session, widgets
from rnnviz.ui.components.plot import Spanned, plot
from rnnviz.ui.components.tokens import coloured_tokens
from rnnviz.ui.layout import pair
from rnnviz.ui.looking import Looking
from rnnviz.ui.words import number

MASKED = "∅"  # in place of a token that is masked


@dataclass(frozen=True, kw_only=True)
class Untouched:
    """A sequence of a trace, ready to be run, and run as it is."""

    network: Network
    sequence: Sequence
    done: Pass


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What is looked at, what is done to it, and what comes of it."""

    seen: Looking
    measured: Measured
    names: Names
    before: Untouched
    stack: Stack
    reasons: tuple[str, ...]  # why each of the stack is left out; "" where it is not
    applied: Applied
    after: Pass

    @property
    def fitting(self) -> Stack:
        """What of the stack is done."""
        return _fitting(self.stack, self.reasons)

    @property
    def steps(self) -> int:
        """Of the sequence."""
        return len(self.before.sequence.inputs)

    @property
    def touched(self) -> tuple[tuple[int, int], ...]:
        """The parts that the stack acts on; the whole sequence is no part."""
        whole = (0, self.steps - 1)
        marked = [it.marked for it in self.fitting if it.marked is not None]
        return tuple(part for part in marked if part != whole)

    @property
    def layers(self) -> tuple[LayerTrace, LayerTrace]:
        """The chosen layer before and after."""
        place = self.seen.chosen.layer
        return (
            retraced(self.before.network, self.before.done, place),
            retraced(self.applied.network, self.after, place),
        )

    @property
    def broken_at(self) -> int | None:
        """The first step at which a number is no longer finite; None where all are."""
        first = []
        for way, steps in zip(self.applied.network.ways, self.after.steps, strict=True):
            for part in (*steps.states, *steps.gates):
                bad = np.flatnonzero(~np.isfinite(part).all(axis=(1, 2)))
                if len(bad):  # in the order of reading
                    first.append(self.steps - 1 - int(bad[0]) if way.reverse else int(bad[0]))
        if first:
            return min(first)
        return None if np.isfinite(self.after.read.outputs).all() else self.steps - 1


@st.cache_resource(show_spinner=False, max_entries=4)
def _untouched(mark: tuple[object, ...], _trace: Trace, row: int) -> Untouched:
    del mark  # names the trace
    network, sequence = Network.of(_trace), sequence_of(_trace, row)
    return Untouched(network=network, sequence=sequence, done=network.run(sequence))


@st.cache_resource(show_spinner=False, max_entries=4)
def _changed(
    mark: tuple[object, ...], row: int, text: str, _before: Untouched, _measured: Measured
) -> tuple[Stack, tuple[str, ...], Applied, Pass]:
    del mark, row
    stack = read(text)
    network, sequence = _before.network, _before.sequence
    reasons = misfits(network, sequence, stack, _measured)
    with np.errstate(all="ignore"):  # what is forced may grow without bound
        done = apply(network, sequence, _fitting(stack, reasons), _measured)
        return stack, reasons, done, done.network.run(done.sequence, done.hands)


def _fitting(stack: Stack, reasons: tuple[str, ...]) -> Stack:
    return tuple(it for it, reason in zip(stack, reasons, strict=True) if not reason)


def experiment(seen: Looking) -> Experiment:
    """The chosen sequence, run as it is and with the interventions of the address."""
    widgets.keep_part()
    mark = (seen.run.id, seen.trace.epoch, seen.trace.step)
    row = seen.chosen.sequence
    before = _untouched(mark, seen.trace, row)
    measured, text = Measured.of(seen.trace, seen.dataset), widgets.noted("whatif")
    try:
        stack, reasons, applied, after = _changed(mark, row, text, before, measured)
    except TraceError as wrong:  # a link that somebody wrote
        st.warning(controls.escaped(f"What the link would do is left out: {wrong}"))
        widgets.note("whatif", "")
        stack, reasons, applied, after = _changed(mark, row, "", before, measured)
    return Experiment(
        seen=seen,
        measured=measured,
        names=Names.of(seen.dataset),
        before=before,
        stack=stack,
        reasons=reasons,
        applied=applied,
        after=after,
    )


# -- what comes out --------------------------------------------------------------------------------


def outcome(done: Experiment) -> None:
    """The prediction before and after, and the difference."""
    if done.broken_at is not None:
        st.warning(
            f"At step {done.broken_at + 1} the changed run holds numbers larger than a "
            "computer can hold, so nothing of it is shown. Choose smaller values, or undo."
        )
        return
    if done.before.network.readout.probabilities:
        _chances(done)
    else:
        _number(done)


def _number(done: Experiment) -> None:
    query, output = done.seen.look.query, done.seen.dataset.outputs[0]
    before, after = (float(it.outputs[query, 0]) for it in (done.before.done, done.after))
    readout = done.before.network.readout
    true = float(done.before.sequence.targets[query, 0] * readout.sd[0] + readout.mean[0])
    unit = f" [{output.unit}]" if output.unit else ""
    st.markdown(f"##### {controls.escaped(f'Predicted {output.name}{unit}')}")
    shown = (
        ("Before", number(before)),
        ("After", number(after)),
        ("Difference", signed(after - before)),
        ("True", number(true)),
    )
    for place, (label, value) in zip(st.columns(len(shown)), shown, strict=True):
        place.metric(label, value, border=True)


def signed(value: float) -> str:
    """With its sign, also above zero; three digits."""
    return "0" if abs(value) < 1e-9 else f"{value:+.3g}".replace("-", "−")


def _chances(done: Experiment) -> None:
    seen, query = done.seen, done.seen.look.query
    names = seen.dataset.classes or seen.dataset.vocabulary
    before, after = (it.outputs[query] for it in (done.before.done, done.after))
    true = int(done.before.sequence.targets[query])
    every_step = done.before.network.readout.every_step
    what = (
        f"of what follows step {query + 1}" if every_step else f"of {seen.dataset.outputs[0].name}"
    )
    st.markdown(f"##### {controls.escaped(f'Prediction {what}')}")
    places = st.columns(3)
    for place, label, values in zip(places, ("before", "after"), (before, after), strict=False):
        top = int(values.argmax())
        said = repr(names[top]) if every_step else names[top]
        place.metric(f"Likeliest {label}: {values[top]:.1%}", controls.escaped(said), border=True)
    losses = [it.loss for it in (done.before.done, done.after)]
    places[2].metric("Loss difference [nats]", signed(losses[1] - losses[0]), border=True)
    figure = figures.chances(
        before,
        after,
        names,
        true=true,
        tokens=every_step,
        title=f"Probabilities {what}",
        dark=seen.look.dark,
    )
    plot(figure, key="chances")


# -- pictures --------------------------------------------------------------------------------------


def pictures(done: Experiment) -> None:
    """What is read, what the units do, attention and losses: each before and after."""
    if done.seen.is_text:
        _tokens(done)
    else:
        _inputs(done)
    if done.broken_at is not None:
        return
    name = _choose(done)
    _units(done, name)
    _attention(done)
    _losses(done)


def _inputs(done: Experiment) -> None:
    seen = done.seen
    before, after = (
        done.measured.values(it.inputs) for it in (done.before.sequence, done.applied.sequence)
    )
    figure = figures.inputs(
        seen.dataset,
        seen.row,
        before,
        after,
        chosen=widgets.chosen_part(done.steps),
        step=seen.chosen.t,
        dark=seen.look.dark,
    )
    plot(figure, key="whatif_inputs", on_click=seen.click, on_span=partial(_choose_part, done))
    st.caption("Drag over the picture to choose a part, click it to choose a step.")


def _choose_part(done: Experiment, spanned: Spanned) -> None:
    widgets.choose_part(*done.seen.look.clock_for(done.steps).steps_between(*spanned.x))


def _tokens(done: Experiment) -> None:
    seen, names = done.seen, done.seen.dataset.vocabulary
    inputs = done.applied.sequence.inputs
    tokens = tuple(names[int(row.argmax())] if row.any() else MASKED for row in inputs)
    if tokens != seen.tokens:
        st.caption("What was read before:")
        between = "" if seen.dataset.features[0].unit == "character" else " "
        st.code(between.join(map(_in_line, seen.tokens)), language=None, wrap_lines=True)
    name = _shown(done)
    before, after = (one_sequence(layer, name, 0)[seen.chosen.unit] for layer in done.layers)
    difference = after - before if done.broken_at is None else np.zeros(done.steps)
    span = difference_range(difference)
    st.caption(
        controls.escaped(
            f"What is read now, coloured by how much {name} of unit {seen.chosen.unit + 1} "
            f"changed. Click a token to choose its step."
        )
    )
    coloured_tokens(
        tokens,
        difference,
        low=span.low,
        high=span.high,
        dark=seen.look.dark,
        key="whatif_tokens",
        name=f"Δ{name}, unit {seen.chosen.unit + 1}",
        quantity=span.quantity,
        selected=seen.chosen.t,
        on_click=lambda t: session.select(t=t),
    )


def _in_line(token: str) -> str:
    """A token with its line ends and tabs as signs."""
    return token.replace("\n", "↵").replace("\t", "⇥")


def _shown(done: Experiment) -> str:
    """The gate or state that is looked at."""
    names = list(names_of(done.seen.layer))
    wanted = st.session_state.get("whatif_shown")
    return wanted if wanted in names else "h"


def _choose(done: Experiment) -> str:
    names = [n for n in names_of(done.seen.layer) if not n.startswith("dL/d")]
    widgets.forget_unless("whatif_shown", names)
    picked = st.segmented_control(
        "Show", names, default="h", key="whatif_shown", bind="query-params"
    )
    name = picked or "h"
    st.caption(words(name)[:1].upper() + words(name)[1:])
    return name


def _units(done: Experiment, name: str) -> None:
    seen, (before, after) = done.seen, done.layers
    clock = seen.look.clock_for(done.steps)
    common: dict[str, Any] = {
        "clock": clock,
        "step": seen.chosen.t,
        "touched": done.touched,
        "dark": seen.look.dark,
    }
    left, right = pair("units")
    with left:
        figure = figures.heat_maps(before, after, name, unit=seen.chosen.unit, **common)
        plot(figure, key="whatif_heat", on_click=seen.click_unit)
    with right:
        # a text has no picture of its input to drag over: these lines stand in for it
        chosen = widgets.chosen_part(done.steps) if seen.is_text else None
        figure = figures.unit_lines(before, after, seen.chosen.unit, chosen=chosen, **common)
        on_span = partial(_choose_part, done) if seen.is_text else None
        plot(figure, key="whatif_unit", on_click=seen.click, on_span=on_span)
        if seen.is_text:
            st.caption("Drag over the lines to choose a part.")


def _attention(done: Experiment) -> None:
    seen, query = done.seen, done.seen.look.query
    before, after = (it.read.weights for it in (done.before.done, done.after))
    if before is None or after is None:
        return
    of = f" when step {query + 1} asks" if len(before) > 1 else ""
    figure = figures.over_time(
        before[query],
        after[query],
        f"Attention{of}",
        "weight",
        clock=seen.look.clock_for(done.steps),
        step=seen.chosen.t,
        touched=done.touched,
        dark=seen.look.dark,
    )
    plot(figure, key="whatif_attention", on_click=seen.click)


def _losses(done: Experiment) -> None:
    seen, (before, after) = done.seen, (done.before.done.losses, done.after.losses)
    if len(before) == 1:
        return
    figure = figures.over_time(
        before,
        after,
        "Loss at every step",
        "loss [nats]" if done.before.network.readout.probabilities else "squared error",
        clock=seen.look.clock_for(done.steps),
        step=seen.chosen.t,
        touched=done.touched,
        dark=seen.look.dark,
    )
    plot(figure, key="whatif_losses", on_click=seen.click)


def about() -> None:
    """What is done, in equations, and what it may be taken for."""
    with st.expander("About this page"):
        st.markdown(
            "The sequence is run once more, step by step, with the weights of the chosen epoch. "
            "Your interventions are done in their order, each on what those before it left. "
            "Everything that follows from a change is computed anew: later steps, the layers "
            "above, attention, the prediction. Without interventions both runs are the same."
        )
        st.latex(
            r"\text{hold}\;\; f_t := v \qquad"
            r"\text{cut}\;\; c_{t-1} := 0 \qquad"
            r"\text{freeze}\;\; h_t := h_{t_0} \qquad"
            r"\Delta \hat y = \hat y(\text{after}) - \hat y(\text{before})"
        )
        st.markdown(
            "- **Hold a gate**: whatever the network would have it do, the gate has your value "
            "before anything in the step reads it.\n"
            "- **Freeze or set units**: a state has another value after the step. Where the "
            "memory c is changed, h is made of the changed one: h = o · tanh(c).\n"
            "- **Cut**: a step starts from zero memory. Attention still reads the states of the "
            "steps before, so a network with attention need not forget all it saw.\n"
            "- **Input**: values are given as they were measured and go through the same "
            "logarithm and scaling as in training. A part that is shifted changes places with "
            "what it moves over; after the last step comes the first.\n"
            "- **Replace a token**: only what is read changes, not what has to be predicted.\n"
            "- **Backward layers** read from the end: there the step before is the later one."
        )
        st.markdown(
            "These are causes **within this model**: what its prediction depends on. They say "
            "nothing about what would happen to a person who slept or moved differently."
        )
