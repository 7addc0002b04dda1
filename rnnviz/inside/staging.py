"""What every intervention shares: the stage that it changes, and the words for places on it.

Steps, layers, units, features and tokens count from 0 here and from 1 in all that people read.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np

from rnnviz.data.dataset import MASK, SequenceDataset
from rnnviz.errors import TraceError
from rnnviz.inside.measured import Measured
from rnnviz.inside.network import Network, Sequence, Way
from rnnviz.inside.steps import Hands

LARGEST = 1e6  # of a value that somebody gives
MOST_STEPS = 100_000
MOST_NAMED_UNITS = 64


class Place(NamedTuple):
    """A direction of a layer."""

    layer: int
    reverse: bool = False

    @property
    def title(self) -> str:
        """Such as 'layer 1, backward'."""
        return f"layer {self.layer + 1}" + (", backward" if self.reverse else "")


@dataclass(frozen=True, kw_only=True)
class Names:
    """The words for steps, features and tokens."""

    begins: tuple[str, ...] = ()  # the clock time at which each step begins; none: numbered
    ends: tuple[str, ...] = ()
    minutes: float = 1.0  # of a step, where there is a clock
    features: tuple[str, ...] = ()
    unit: str = ""  # of what is measured
    tokens: tuple[str, ...] = ()
    nothing: str = "nothing is read there"  # what masking means

    @classmethod
    def of(cls, dataset: SequenceDataset) -> Self:
        """Of a data set."""
        measured = dataset.logged or dataset.features
        days = dataset.time_unit == "min"
        times = dataset.times if days else np.zeros(0)
        width = float(times[1] - times[0]) if len(times) > 1 else 1440.0
        return cls(
            begins=tuple(map(_clock, times)),
            ends=tuple(_clock(time + width) for time in times),
            minutes=width,
            features=tuple(variable.name for variable in measured),
            unit=measured[0].unit,
            tokens=dataset.vocabulary,
            nothing=_nothing(dataset),
        )

    def span(self, first: int, last: int) -> str:
        """Such as 'from 08:00 to 12:00', or 'at steps 3 to 9'."""
        if last < len(self.begins):
            return f"from {self.begins[first]} to {self.ends[last]}"
        if first == last:
            return f"at step {first + 1}"
        return f"at steps {first + 1} to {last + 1}"

    def start(self, step: int) -> str:
        """Such as 'at 12:00', or 'at step 61'."""
        return f"at {self.begins[step]}" if step < len(self.begins) else f"at step {step + 1}"

    def moved(self, by: int) -> str:
        """Such as '6 h later', or '3 steps earlier'."""
        way = "later" if by >= 0 else "earlier"
        if not self.begins:
            return f"{abs(by)} step{'s' if abs(by) != 1 else ''} {way}"
        minutes = abs(by) * self.minutes
        return f"{minutes / 60:g} h {way}" if minutes % 60 == 0 else f"{minutes:g} min {way}"

    def amount(self, value: float) -> str:
        """A measured value with its unit."""
        return f"{said(value)} {self.unit}".rstrip()

    def feature(self, feature: int | None) -> str:
        """Such as 'the input', or one of several by its name."""
        if feature is None or feature >= len(self.features):
            return "the input"
        return self.features[feature]

    def token(self, token: int) -> str:
        """A token in quotes."""
        return repr(self.tokens[token]) if token < len(self.tokens) else f"token {token + 1}"


def _clock(minutes: float) -> str:
    whole = round(minutes)
    return "24:00" if whole == 1440 else f"{whole // 60 % 24:02d}:{whole % 60:02d}"


def _nothing(dataset: SequenceDataset) -> str:
    if dataset.vocabulary:
        return "no token is read"
    if dataset.time_unit != "min":
        return "it reads the mean" if dataset.standardise else "it reads 0"
    worn = ", and the device is not worn" if dataset.features[-1] == MASK else ""
    return f"0 {(dataset.logged or dataset.features)[0].unit}".rstrip() + worn


def said(value: float) -> str:
    """A number in a sentence."""
    return f"{value:.6g}".replace("-", "\N{MINUS SIGN}")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A network, a sequence, and who reaches into the step loop by now."""

    network: Network
    sequence: Sequence
    measured: Measured
    reaching: Mapping[int, tuple[Hands, ...]]  # by the place of a way in the network

    @property
    def steps(self) -> int:
        """Of the sequence."""
        return len(self.sequence.inputs)

    def way(self, place: Place) -> tuple[int, Way]:
        """A way and its place in the network.

        Raises:
            TraceError: there is none.
        """
        for k, way in enumerate(self.network.ways):
            if (way.layer, way.reverse) == (place.layer, place.reverse):
                return k, way
        known = "; ".join(Place(way.layer, way.reverse).title for way in self.network.ways)
        raise TraceError(f"there is no {place.title}; choose one of: {known}")

    def span(self, first: int, last: int) -> tuple[int, int]:
        """A range of steps of this sequence.

        Raises:
            TraceError: it reaches beyond the last step.
        """
        if last >= self.steps:
            raise TraceError(f"there is no step {last + 1}; choose steps from 1 to {self.steps}")
        return first, last

    def read_between(self, way: Way, first: int, last: int) -> tuple[int, int]:
        """The same in the way's reading order.

        Raises:
            TraceError: it reaches beyond the last step.
        """
        self.span(first, last)
        return (self.steps - 1 - last, self.steps - 1 - first) if way.reverse else (first, last)

    def reached(self, place: int, hands: Hands) -> "Stage":
        """The stage with one more pair of hands in a way."""
        before = self.reaching.get(place, ())
        return replace(self, reaching={**self.reaching, place: (*before, hands)})

    def reads(self, inputs: np.ndarray) -> "Stage":
        """The stage with other inputs."""
        return replace(self, sequence=replace(self.sequence, inputs=inputs))


class Intervention(ABC):
    """One thing that somebody does to a run."""

    @abstractmethod
    def on(self, stage: Stage) -> Stage:
        """The stage after it.

        Raises:
            TraceError: it does not fit this network or sequence.
        """

    @abstractmethod
    def sentence(self, names: Names) -> str:
        """What it does, in a few words that begin small and end without a stop."""

    @property
    @abstractmethod
    def marked(self) -> tuple[int, int] | None:
        """First and last step that it touches by itself; None where it touches all alike."""


@dataclass(frozen=True, kw_only=True)
class OverSteps(Intervention):
    """One that acts from a first step to a last one."""

    first: int
    last: int

    @property
    def marked(self) -> tuple[int, int]:
        """The steps it acts at."""
        return self.first, self.last


@dataclass(frozen=True, kw_only=True)
class AtStep(Intervention):
    """One that acts at a single step."""

    step: int

    @property
    def marked(self) -> tuple[int, int]:
        """The step it acts at, twice."""
        return self.step, self.step


class AtAllSteps(Intervention):
    """One that acts at all steps alike."""

    @property
    def marked(self) -> None:
        """No part more than another."""


def checked_span(first: int, last: int) -> None:
    """Raises TraceError where there can be no such range of steps."""
    if not 0 <= first <= last < MOST_STEPS:
        raise TraceError(
            f"steps {first + 1} to {last + 1} are no range; begin at 1 or later and end after that"
        )


def checked_value(value: float) -> None:
    """Raises TraceError where nobody needs such a value."""
    if not -LARGEST <= value <= LARGEST:
        raise TraceError(f"{value:g} is no usable value; it must lie within ±{LARGEST:,.0f}")


def checked_units(units: tuple[int, ...]) -> None:
    """Raises TraceError where these are no different units in order."""
    if (
        len(units) > MOST_NAMED_UNITS
        or list(units) != sorted(set(units))
        or min(units, default=0) < 0
    ):
        raise TraceError(
            f"name up to {MOST_NAMED_UNITS} different units in rising order, or all of them"
        )


def among(units: tuple[int, ...], size: int) -> slice | list[int]:
    """An index of these units, or of all where none is named.

    Raises:
        TraceError: there are fewer units.
    """
    if units and units[-1] >= size:
        raise TraceError(f"there is no unit {units[-1] + 1}; choose units from 1 to {size}")
    return list(units) if units else slice(None)


def of_units(units: tuple[int, ...]) -> str:
    """Such as 'all units', 'unit 3', 'units 1, 4 and 7'."""
    if not units:
        return "all units"
    if len(units) == 1:
        return f"unit {units[0] + 1}"
    numbers = [str(unit + 1) for unit in units]
    return f"units {', '.join(numbers[:-1])} and {numbers[-1]}"
