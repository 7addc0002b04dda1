"""The controls of the What if page: one intervention more, and those that are done."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from rnnviz.cells import Cell
from rnnviz.errors import TraceError
from rnnviz.figures.gates import words
from rnnviz.inside.edited import (
    PARTS,
    AddInput,
    Mask,
    SetInput,
    Shift,
    Token,
    Weigh,
    WeighHead,
)
from rnnviz.inside.interventions import INTERVENTIONS, MOST, apply, written
from rnnviz.inside.reaching import STATES, Cut, Freeze, Hold, Put
from rnnviz.inside.staging import LARGEST, Intervention, Place
from rnnviz.ui import controls, widgets
from rnnviz.ui.presets import HOUR, days, more
from rnnviz.ui.whatif import Experiment
from rnnviz.ui.words import number


class Control(NamedTuple):
    """What one kind of intervention asks for, and what it becomes with the answers."""

    draw: Callable[[Experiment], None]
    make: Callable[[Experiment], Intervention]


def _held_in(name: str) -> Any:
    return st.session_state[f"whatif_{name}"]


def _place(done: Experiment) -> Place:
    return Place(done.seen.layer.layer, done.seen.layer.reverse)


def _cell(done: Experiment) -> Cell:
    return done.before.network.ways[done.seen.chosen.layer].cell


def _choice(label: str, name: str, options: list[str], **more: Any) -> None:
    key = f"whatif_{name}"
    widgets.forget_unless(key, options)
    st.session_state.setdefault(key, options[0])
    st.segmented_control(label, options, key=key, required=True, **more)


def _number(label: str, name: str, value: float, low: float, high: float, step: float) -> None:
    key = f"whatif_{name}"
    st.session_state.setdefault(key, value)  # Streamlit brings it inside of another run's range
    form = "%d" if isinstance(value, int) else "%g"
    st.number_input(label, low, high, step=step, key=key, format=form)


def _pick(label: str, name: str, count: int, words_of: Callable[[int], str]) -> None:
    """One of so many, from 0."""
    st.selectbox(label, range(count), key=f"whatif_{name}", format_func=words_of)


def _part(done: Experiment) -> None:
    """The range of steps; also dragged in the picture of the input."""
    first, last = widgets.chosen_part(done.steps)
    if done.steps == 1:
        return
    where = "lines of the unit" if done.seen.is_text else "picture of what is read"
    st.slider(
        f"Part: {done.names.span(first, last)}", 1, done.steps, key=widgets.PART,
        help=f"Or drag over the {where}.",
    )  # fmt: skip


def _span(done: Experiment) -> dict[str, int]:
    first, last = widgets.chosen_part(done.steps)
    return {"first": first, "last": last}


def _step(done: Experiment) -> None:
    st.caption(
        f"{done.names.start(done.seen.chosen.t).capitalize()} (step {done.seen.chosen.t + 1}): "
        "click a picture, or use Step in the sidebar, for another."
    )


def _units(done: Experiment) -> None:
    if done.seen.layer.states.shape[-1] > 1:
        _choice("Units", "units", ["all units", "chosen unit"])
        if _held_in("units") != "all units":
            st.caption(f"Unit {done.seen.chosen.unit + 1}: the one chosen in the sidebar.")


def _of_units(done: Experiment) -> tuple[int, ...]:
    one = st.session_state.get("whatif_units") == "chosen unit"
    return (done.seen.chosen.unit,) if one else ()


def _where(done: Experiment) -> None:
    if len(done.before.network.ways) > 1:
        title = _place(done).title
        st.caption(f"{title[0].upper()}{title[1:]}: the one chosen in the sidebar.")


def _draw_hold(done: Experiment) -> None:
    gates = {gate.symbol: gate for gate in _cell(done).gates}
    _choice("Gate", "gate", list(gates))
    gate = gates[_held_in("gate")]
    st.caption(words(gate.symbol).capitalize())
    _where(done)
    _units(done)
    _part(done)
    if np.isfinite([gate.low, gate.high]).all():
        key = f"whatif_gate_{gate.low:g}"
        st.session_state.setdefault(key, 0.0)
        st.slider("Value", gate.low, gate.high, step=0.05, key=key)
    else:
        _number("Value", "gate_open", 0.0, 0.0, LARGEST, 0.1)


def _make_hold(done: Experiment) -> Intervention:
    symbol = _held_in("gate")
    gate = next(gate for gate in _cell(done).gates if gate.symbol == symbol)
    bounded = np.isfinite([gate.low, gate.high]).all()
    value = _held_in(f"gate_{gate.low:g}" if bounded else "gate_open")
    return Hold(place=_place(done), gate=symbol, value=value, units=_of_units(done), **_span(done))


def _state(done: Experiment) -> None:
    states = list(_cell(done).states)
    if len(states) > 1:
        _choice("State", "state", states, format_func=STATES.__getitem__)


def _of_state(done: Experiment) -> str:
    return _held_in("state") if len(_cell(done).states) > 1 else "h"


def _draw_freeze(done: Experiment) -> None:
    _state(done)
    _where(done)
    _units(done)
    _part(done)


def _draw_put(done: Experiment) -> None:
    _draw_freeze(done)
    _number("Value", "put", 0.0, -LARGEST, LARGEST, 0.1)


def _make_freeze(done: Experiment) -> Intervention:
    units = _of_units(done)
    return Freeze(place=_place(done), state=_of_state(done), units=units, **_span(done))


def _make_put(done: Experiment) -> Intervention:
    units, value = _of_units(done), _held_in("put")
    return Put(place=_place(done), state=_of_state(done), units=units, value=value, **_span(done))


def _draw_cut(done: Experiment) -> None:
    if len(_cell(done).states) > 1:
        _choice("State", "cut", ["c", "h", "hc"], format_func=STATES.__getitem__)
    _where(done)
    _step(done)


def _make_cut(done: Experiment) -> Intervention:
    state = _held_in("cut") if len(_cell(done).states) > 1 else "h"
    return Cut(place=_place(done), state=state, step=done.seen.chosen.t)


def _feature(done: Experiment) -> None:
    if done.measured.features > 1:
        known = ["all", *done.names.features[: done.measured.features]]
        _pick("Input", "feature", len(known), known.__getitem__)


def _of_feature(done: Experiment) -> int | None:
    place = _held_in("feature") if done.measured.features > 1 else 0
    return place - 1 if place else None


def _measured_value(done: Experiment, label: str, name: str, lowest: float) -> None:
    unit = f" [{controls.escaped(done.names.unit)}]" if done.names.unit else ""
    usual = 500.0 if days(done) else 1.0
    _number(f"{label}{unit}", name, usual, max(lowest, -LARGEST), LARGEST, usual / 5)


def _draw_set(done: Experiment) -> None:
    _feature(done)
    _part(done)
    _measured_value(done, "Value", "set", done.measured.lowest)


def _draw_add(done: Experiment) -> None:
    _feature(done)
    _part(done)
    _measured_value(done, "So much more", "add", -np.inf)


def _make_set(done: Experiment) -> Intervention:
    return SetInput(feature=_of_feature(done), value=_held_in("set"), **_span(done))


def _make_add(done: Experiment) -> Intervention:
    return AddInput(feature=_of_feature(done), value=_held_in("add"), **_span(done))


def _draw_token(done: Experiment) -> None:
    names = done.seen.dataset.vocabulary
    _pick("Token", "token", len(names), lambda k: repr(names[k]))
    _step(done)


def _make_token(done: Experiment) -> Intervention:
    return Token(token=_held_in("token"), step=done.seen.chosen.t)


def _draw_shift(done: Experiment) -> None:
    _part(done)
    if days(done):
        step = max(done.names.minutes / HOUR, 0.25)
        _number("Later by [h]", "shift_h", 1.0, -24.0, 24.0, step)
    else:
        most = max(done.steps - 1, 1)
        _number("Later by [steps]", "shift", 1, -most, most, 1)


def _make_shift(done: Experiment) -> Intervention:
    by = round(_held_in("shift_h") * HOUR / done.names.minutes) if days(done) else _held_in("shift")
    return Shift(by=by, **_span(done))


WEIGHTS = {"W": "W", "U": "U", "bW": "b of W", "bU": "b of U"}


def _draw_weight(done: Experiment) -> None:
    _choice("Weight", "part_of", list(PARTS), format_func=WEIGHTS.__getitem__)
    _choice("Gate", "gate", [gate.symbol for gate in _cell(done).gates])
    _where(done)
    st.caption(f"Of unit {done.seen.chosen.unit + 1}: the one chosen in the sidebar.")
    columns = _columns(done)
    if columns > 1:
        word = "From unit" if _held_in("part_of") == "U" else "From input"
        _number(word, "column", 1, 1, columns, 1)
        _column_words(done)
    now = _weight_now(done)
    _number(f"Value (now {number(now)})", "weight", 0.0, -LARGEST, LARGEST, 0.1)


def _column_words(done: Experiment) -> None:
    """Which input it is, where the layer reads the inputs."""
    names = [repr(token) for token in done.names.tokens] or list(done.names.features)
    if _held_in("part_of") == "W" and not done.seen.layer.layer:
        place = _held_in("column") - 1
        said = names[place] if place < len(names) else "the share worn"
        st.caption(controls.escaped(f"Input {place + 1} is {said}."))


def _columns(done: Experiment) -> int:
    weights = done.before.network.ways[done.seen.chosen.layer].weights
    values = getattr(weights, PARTS[_held_in("part_of")])
    return values.shape[2] if values.ndim == 3 else 1


def _weight_at(done: Experiment) -> tuple[int, ...]:
    symbols = [gate.symbol for gate in _cell(done).gates]
    at = (symbols.index(_held_in("gate")), done.seen.chosen.unit)
    return (*at, _held_in("column") - 1) if _columns(done) > 1 else at


def _weight_now(done: Experiment) -> float:
    weights = done.applied.network.ways[done.seen.chosen.layer].weights
    values = getattr(weights, PARTS[_held_in("part_of")])
    at = _weight_at(done)
    return float(values[at] if len(at) == values.ndim else values[at][0])


def _make_weight(done: Experiment) -> Intervention:
    at = _weight_at(done)
    return Weigh(
        place=_place(done),
        part=_held_in("part_of"),
        gate=_held_in("gate"),
        row=at[1],
        column=at[2] if len(at) > 2 else 0,
        value=_held_in("weight"),
    )


def _draw_head(done: Experiment) -> None:
    head = done.applied.network.readout.dense[-1]
    data = done.seen.dataset
    names = data.classes or data.vocabulary or tuple(out.name for out in data.outputs)
    if len(head.bias) > 1:
        _pick("Output", "row", len(head.bias), lambda k: repr(names[k]))
    options = ["bias", *(str(k + 1) for k in range(head.weights.shape[1]))]
    widgets.forget_unless("whatif_from", options)
    st.selectbox("From", options, key="whatif_from", help="The head reads the last state first.")
    row, column = _head_at(done)
    now = head.bias[row] if column is None else head.weights[row, column]
    _number(f"Value (now {number(float(now))})", "weight", 0.0, -LARGEST, LARGEST, 0.1)


def _head_at(done: Experiment) -> tuple[int, int | None]:
    row = _held_in("row") if len(done.applied.network.readout.dense[-1].bias) > 1 else 0
    where = _held_in("from")
    return row, None if where == "bias" else int(where) - 1


def _make_head(done: Experiment) -> Intervention:
    row, column = _head_at(done)
    return WeighHead(row=row, column=column, value=_held_in("weight"))


CONTROLS: Mapping[str, Control] = {  # by the keys of INTERVENTIONS
    "hold": Control(_draw_hold, _make_hold),
    "freeze": Control(_draw_freeze, _make_freeze),
    "put": Control(_draw_put, _make_put),
    "cut": Control(_draw_cut, _make_cut),
    "set": Control(_draw_set, _make_set),
    "add": Control(_draw_add, _make_add),
    "token": Control(_draw_token, _make_token),
    "mask": Control(_part, lambda done: Mask(**_span(done))),
    "shift": Control(_draw_shift, _make_shift),
    "weight": Control(_draw_weight, _make_weight),
    "head": Control(_draw_head, _make_head),
}


def add(done: Experiment) -> None:
    """One intervention more: its kind, and the controls that it needs."""
    st.markdown("##### Or do it yourself")
    wanted = "tokens" if done.seen.is_text else "numbers"
    kinds = [key for key, kind in INTERVENTIONS.items() if kind.reads in ("", wanted)]
    titles = {key: INTERVENTIONS[key].title for key in kinds}
    kind = st.selectbox(
        "What", kinds, key="whatif_kind", format_func=titles.__getitem__, bind="query-params"
    )
    CONTROLS[kind].draw(done)
    st.button(
        "Add",
        key="do_add",
        on_click=_add,
        args=(done, kind),
        type="primary",
        width="stretch",
        disabled=len(done.stack) >= MOST,
        help=f"Up to {MOST} can be stacked." if len(done.stack) >= MOST else None,
    )


def _add(done: Experiment, kind: str) -> None:
    """Callback: the widgets hold by now what was typed last."""
    try:
        it = CONTROLS[kind].make(done)
        apply(done.before.network, done.before.sequence, (*done.fitting, it), done.measured)
    except TraceError as wrong:
        widgets.notice(str(wrong))
    else:
        more(written(done.stack), (it,))


def done_by_now(done: Experiment) -> None:
    """The stack, each with a button that takes it away; and undo."""
    if not done.stack:
        st.caption("Nothing is changed yet: both runs are the same. Try one of the above.")
        return
    st.markdown(f"##### Done, in this order ({len(done.stack)})")
    for k, (it, reason) in enumerate(zip(done.stack, done.reasons, strict=True)):
        said, button = st.columns([5, 1], vertical_alignment="center")
        sentence = it.sentence(done.names)
        said.markdown(controls.escaped(f"{k + 1}. {sentence[0].upper()}{sentence[1:]}"))
        rest = written(done.stack[:k] + done.stack[k + 1 :])
        button.button(
            "✕",
            key=f"remove_{k}",
            help="Take it away",
            on_click=widgets.note,
            args=("whatif", rest),
            type="tertiary",
        )
        if reason:
            st.caption(f":orange[{controls.escaped(f'Left out: {reason}')}]")
    row = st.container(horizontal=True)
    for label, key, left in (
        ("Undo last", "undo", done.stack[:-1]),
        ("Remove all", "remove_all", ()),
    ):
        row.button(label, key=f"do_{key}", on_click=widgets.note, args=("whatif", written(left)))
    st.caption("The address of this page holds all of it: copy it to show somebody.")
