"""Interventions that reach into the step loop: gates held, states frozen, set or cut."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnnviz.cells import Cell
from rnnviz.errors import TraceError
from rnnviz.inside.staging import (
    AtStep,
    Names,
    OverSteps,
    Place,
    Stage,
    among,
    checked_span,
    checked_units,
    checked_value,
    of_units,
    said,
)
from rnnviz.inside.steps import Change, Hands

OneState = Callable[[int, np.ndarray], np.ndarray]  # step, values of one state
STATES = {"h": "state h", "c": "memory c", "hc": "state h and memory c"}


@dataclass(frozen=True, kw_only=True)
class Hold(OverSteps):
    """A gate has a value of somebody's choice, whatever the network would have had it do.

    Everything in the step that reads the gate reads this value: where U reads r * h, n changes
    in the same step.
    """

    place: Place
    gate: str
    value: float
    units: tuple[int, ...] = ()  # none: all

    def __post_init__(self) -> None:
        checked_span(self.first, self.last)
        checked_value(self.value)
        checked_units(self.units)

    def sentence(self, names: Names) -> str:
        """Such as 'gate f of layer 1 is held at 0 from 08:00 to 12:00'."""
        whose = f", {of_units(self.units)}," if self.units else ""
        return (
            f"gate {self.gate} of {self.place.title}{whose} is held at {said(self.value)} "
            f"{names.span(self.first, self.last)}"
        )

    def on(self, stage: Stage) -> Stage:
        """Replaces the gate's values before anything reads them."""
        place, way = stage.way(self.place)
        number = _gate(way.cell, self.gate)
        low, high = way.cell.gates[number].low, way.cell.gates[number].high
        if not low <= self.value <= high:
            raise TraceError(
                f"gate {self.gate} cannot be {said(self.value)}; it lies in "
                f"[{said(low)}, {said(high)}]"
            )
        units = among(self.units, way.weights.recurrent.shape[-1])
        begin, end = stage.read_between(way, self.first, self.last)

        def held(t: int, gate: int, values: np.ndarray) -> np.ndarray:
            if gate != number or not begin <= t <= end:
                return values
            return _with(values, units, self.value)

        return stage.reached(place, Hands(gate=held))


@dataclass(frozen=True, kw_only=True)
class Freeze(OverSteps):
    """Units keep the value that a state has after the first step of a range that is read."""

    place: Place
    state: str
    units: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        checked_span(self.first, self.last)
        checked_units(self.units)

    def sentence(self, names: Names) -> str:
        """Such as 'state h of unit 3 of layer 1 stays as it is from 08:00 to 12:00'."""
        return f"{_whose(self)} stays as it is {names.span(self.first, self.last)}"

    def on(self, stage: Stage) -> Stage:
        """Remembers the state after the first step, and puts it in place of what follows."""
        place, way = stage.way(self.place)
        number = _state(way.cell, self.state)
        units = among(self.units, way.weights.recurrent.shape[-1])
        begin, end = stage.read_between(way, self.first, self.last)
        kept: list[np.ndarray] = []

        def frozen(t: int, values: np.ndarray) -> np.ndarray:
            if t == begin:
                kept[:] = [values[:, units].copy()]
            return _with(values, units, kept[0]) if begin < t <= end else values

        return stage.reached(place, _after(number, frozen))


@dataclass(frozen=True, kw_only=True)
class Put(OverSteps):
    """A state of some units has a value of somebody's choice after each step of a range."""

    place: Place
    state: str
    value: float = 0.0
    units: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        checked_span(self.first, self.last)
        checked_value(self.value)
        checked_units(self.units)

    def sentence(self, names: Names) -> str:
        """Such as 'state h of unit 3 of layer 1 is 0 from 08:00 to 12:00'."""
        return f"{_whose(self)} is {said(self.value)} {names.span(self.first, self.last)}"

    def on(self, stage: Stage) -> Stage:
        """Replaces the state after each step; h is made of c as it is then."""
        place, way = stage.way(self.place)
        number = _state(way.cell, self.state)
        units = among(self.units, way.weights.recurrent.shape[-1])
        begin, end = stage.read_between(way, self.first, self.last)

        def changed(t: int, values: np.ndarray) -> np.ndarray:
            return _with(values, units, self.value) if begin <= t <= end else values

        return stage.reached(place, _after(number, changed))


@dataclass(frozen=True, kw_only=True)
class Cut(AtStep):
    """A step starts from a state of zero: what was read before has no way on through it."""

    place: Place
    state: str  # key of STATES

    def __post_init__(self) -> None:
        checked_span(self.step, self.step)
        if self.state not in STATES:
            raise TraceError(f"there is no state {self.state!r}; choose one of {', '.join(STATES)}")

    def sentence(self, names: Names) -> str:
        """Such as 'memory c of layer 1 is cut at 12:00'."""
        verb = "is" if len(self.state) == 1 else "are"
        return f"{STATES[self.state]} of {self.place.title} {verb} cut {names.start(self.step)}"

    def on(self, stage: Stage) -> Stage:
        """Zeros in place of the states that the step starts from."""
        place, way = stage.way(self.place)
        numbers = {_state(way.cell, state) for state in self.state}
        at, _ = stage.read_between(way, self.step, self.step)

        def before(t: int, states: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
            if t != at:
                return states
            return tuple(np.zeros_like(s) if k in numbers else s for k, s in enumerate(states))

        return stage.reached(place, Hands(before=before))


def _whose(it: Freeze | Put) -> str:
    """Such as 'memory c of unit 3 of layer 1'."""
    return f"{STATES.get(it.state, it.state)} of {of_units(it.units)} of {it.place.title}"


def _gate(cell: Cell, gate: str) -> int:
    symbols = [known.symbol for known in cell.gates]
    if gate not in symbols:
        raise TraceError(f"this cell has no gate {gate!r}; choose one of {', '.join(symbols)}")
    return symbols.index(gate)


def _state(cell: Cell, state: str) -> int:
    if state not in cell.states:
        known = ", ".join(cell.states)
        raise TraceError(f"this cell has no state {state!r}; choose one of {known}")
    return cell.states.index(state)


def _with(values: np.ndarray, units: slice | list[int], value: float | np.ndarray) -> np.ndarray:
    changed = values.copy()
    changed[:, units] = value
    return changed


def _after(number: int, change: OneState) -> Hands:
    """Hands on one state after each step; on all but h before h is made of them."""

    def on(place: int) -> Change:
        def changed(t: int, states: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
            return tuple(change(t, s) if k == place else s for k, s in enumerate(states))

        return changed

    return Hands(after=on(0)) if number == 0 else Hands(carried=on(number - 1))
