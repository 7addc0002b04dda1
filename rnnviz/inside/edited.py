"""Interventions on what is read, and on single weights."""

from dataclasses import dataclass, replace

import numpy as np

from rnnviz.errors import TraceError
from rnnviz.inside.staging import (
    MOST_STEPS,
    AtAllSteps,
    AtStep,
    Names,
    OverSteps,
    Place,
    Stage,
    checked_span,
    checked_value,
    said,
)
from rnnviz.trace import DenseTrace

PARTS = {  # of a direction's weights: the field of inside.steps.Weights
    "W": "input",
    "U": "recurrent",
    "bW": "input_bias",
    "bU": "recurrent_bias",
}


def _numbers(stage: Stage) -> None:
    if stage.measured.tokens:
        raise TraceError("this sequence is a text; replace or mask tokens instead")


def _features(stage: Stage, feature: int | None) -> slice | list[int]:
    count = stage.measured.features
    if feature is None:
        return slice(0, count)
    if feature >= count:
        raise TraceError(f"there is no input {feature + 1}; choose one from 1 to {count}")
    return [feature]


def _edited(
    stage: Stage, first: int, last: int, feature: int | None, value: float, *, add: bool
) -> Stage:
    _numbers(stage)
    stage.span(first, last)
    columns, inputs = _features(stage, feature), stage.sequence.inputs.copy()
    values = stage.measured.values(inputs[first : last + 1])
    values[:, columns] = values[:, columns] + value if add else value
    # only what is changed goes through the scales, so that all else stays as it is to the bit
    inputs[first : last + 1, columns] = stage.measured.inputs(values)[:, columns]
    return stage.reads(inputs)


@dataclass(frozen=True, kw_only=True)
class SetInput(OverSteps):
    """The network reads a value of somebody's choice."""

    feature: int | None = None  # None: all that are measured
    value: float  # as measured

    def __post_init__(self) -> None:
        checked_span(self.first, self.last)
        checked_value(self.value)

    def sentence(self, names: Names) -> str:
        """Such as 'the input is 500 counts/min from 08:00 to 12:00'."""
        return (
            f"{names.feature(self.feature)} is {names.amount(self.value)} "
            f"{names.span(self.first, self.last)}"
        )

    def on(self, stage: Stage) -> Stage:
        """The value in place of what was measured."""
        return _edited(stage, self.first, self.last, self.feature, self.value, add=False)


@dataclass(frozen=True, kw_only=True)
class AddInput(OverSteps):
    """The network reads so much more than was measured; counts do not fall below 0."""

    feature: int | None = None
    value: float

    def __post_init__(self) -> None:
        checked_span(self.first, self.last)
        checked_value(self.value)

    def sentence(self, names: Names) -> str:
        """Such as 'the input is 500 counts/min higher from 08:00 to 12:00'."""
        way = "higher" if self.value >= 0 else "lower"
        return (
            f"{names.feature(self.feature)} is {names.amount(abs(self.value))} {way} "
            f"{names.span(self.first, self.last)}"
        )

    def on(self, stage: Stage) -> Stage:
        """The sum in place of what was measured."""
        return _edited(stage, self.first, self.last, self.feature, self.value, add=True)


@dataclass(frozen=True, kw_only=True)
class Mask(OverSteps):
    """Nothing is read in a part: no counts and no wear, the mean, or no token."""

    def __post_init__(self) -> None:
        checked_span(self.first, self.last)

    def sentence(self, names: Names) -> str:
        """Such as 'the part from 08:00 to 12:00 is masked (0 counts/min)'."""
        where = names.span(self.first, self.last)
        return f"the part {where} is masked ({names.nothing})"

    def on(self, stage: Stage) -> Stage:
        """What is measured where nothing is, in place of what was."""
        stage.span(self.first, self.last)
        inputs = stage.sequence.inputs.copy()
        nothing = stage.measured.nothing
        inputs[self.first : self.last + 1] = (
            0.0 if stage.measured.tokens else stage.measured.inputs(nothing)
        )
        return stage.reads(inputs)


@dataclass(frozen=True, kw_only=True)
class Shift(OverSteps):
    """A part moves in time, and what it moves over takes its place: nothing is lost or invented.

    Time is a ring: after the last step comes the first.
    """

    by: int  # steps; below 0 is earlier

    def __post_init__(self) -> None:
        checked_span(self.first, self.last)
        if abs(self.by) >= MOST_STEPS:
            raise TraceError(f"a part cannot be moved by {self.by} steps; move it by fewer")

    def sentence(self, names: Names) -> str:
        """Such as 'the part from 00:00 to 06:00 is moved 2 h later'."""
        return f"the part {names.span(self.first, self.last)} is moved {names.moved(self.by)}"

    def on(self, stage: Stage) -> Stage:
        """A rotation of the part and of the steps that it moves over."""
        stage.span(self.first, self.last)
        steps, length = stage.steps, self.last + 1 - self.first
        most = steps if length == steps else steps - length
        if abs(self.by) > most:
            raise TraceError(
                f"a part of {length} of {steps} steps can be moved by at most {most}, not {self.by}"
            )
        reach = steps if length == steps else length + abs(self.by)
        begin = self.first + (min(self.by, 0) if length < steps else 0)
        ring = np.arange(begin, begin + reach) % steps
        inputs = stage.sequence.inputs.copy()
        inputs[ring] = np.roll(stage.sequence.inputs[ring], self.by, axis=0)
        return stage.reads(inputs)


@dataclass(frozen=True, kw_only=True)
class Token(AtStep):
    """The network reads another token; what it has to predict stays as it was."""

    token: int

    def __post_init__(self) -> None:
        checked_span(self.step, self.step)

    def sentence(self, names: Names) -> str:
        """Such as "'q' is read at step 12"."""
        return f"{names.token(self.token)} is read {names.start(self.step)}"

    def on(self, stage: Stage) -> Stage:
        """Its one-hot vector in place of the other's."""
        if not stage.measured.tokens:
            raise TraceError("this sequence is no text; set, add to, mask or shift its values")
        stage.span(self.step, self.step)
        inputs = stage.sequence.inputs.copy()
        if not 0 <= self.token < inputs.shape[1]:
            raise TraceError(
                f"there is no token {self.token + 1}; choose one from 1 to {inputs.shape[1]}"
            )
        inputs[self.step] = 0.0
        inputs[self.step, self.token] = 1.0
        return stage.reads(inputs)


@dataclass(frozen=True, kw_only=True)
class Weigh(AtAllSteps):
    """One weight of a gate has a value of somebody's choice, at all steps."""

    place: Place
    part: str  # key of PARTS
    gate: str
    row: int  # the unit whose gate it is
    column: int = 0  # the input or the unit that it weighs; 0 for a bias
    value: float

    def __post_init__(self) -> None:
        checked_value(self.value)
        if self.part not in PARTS:
            raise TraceError(f"there is no weight {self.part!r}; choose one of {', '.join(PARTS)}")

    @property
    def symbol(self) -> str:
        """Such as 'U_f[3, 5]'."""
        letter, of = (self.part, "") if len(self.part) == 1 else ("b", self.part[1])
        column = "" if of else f", {self.column + 1}"
        return f"{letter}_{of}{self.gate}[{self.row + 1}{column}]"

    def sentence(self, names: Names) -> str:  # noqa: ARG002 - every intervention has it
        """Such as 'weight U_f[3, 5] of layer 1 is 0.7'."""
        return f"weight {self.symbol} of {self.place.title} is {said(self.value)}"

    def on(self, stage: Stage) -> Stage:
        """The network with the other weight."""
        place, way = stage.way(self.place)
        name = PARTS[self.part]
        symbols = [gate.symbol for gate in way.cell.gates]
        if self.gate not in symbols:
            raise TraceError(f"this cell has no gate {self.gate!r}; choose {', '.join(symbols)}")
        values = getattr(way.weights, name).copy()
        where = (symbols.index(self.gate), self.row, self.column)[: values.ndim]
        if not self._fits(values[where[0]]):
            raise TraceError(f"there is no weight {self.symbol}; {_sizes(values[0])}")
        values[where] = self.value
        changed = replace(way, weights=way.weights._replace(**{name: values}))
        ways = (*stage.network.ways[:place], changed, *stage.network.ways[place + 1 :])
        return replace(stage, network=replace(stage.network, ways=ways))

    def _fits(self, block: np.ndarray) -> bool:
        columns = block.shape[1] if block.ndim == 2 else 1
        return 0 <= self.row < block.shape[0] and 0 <= self.column < columns


@dataclass(frozen=True, kw_only=True)
class WeighHead(AtAllSteps):
    """One weight of the head has a value of somebody's choice; without a column, one bias."""

    row: int  # the output
    column: int | None = None
    value: float

    def __post_init__(self) -> None:
        checked_value(self.value)

    @property
    def symbol(self) -> str:
        """Such as 'V[1, 5]'."""
        if self.column is None:
            return f"b_V[{self.row + 1}]"
        return f"V[{self.row + 1}, {self.column + 1}]"

    def sentence(self, names: Names) -> str:  # noqa: ARG002 - every intervention has it
        """Such as 'weight V[1, 5] of the head is 0.7'."""
        return f"weight {self.symbol} of the head is {said(self.value)}"

    def on(self, stage: Stage) -> Stage:
        """The network with the other head."""
        *below, head = stage.network.readout.dense
        rows, columns = head.weights.shape
        if not (0 <= self.row < rows and 0 <= (self.column or 0) < columns):
            raise TraceError(f"there is no weight {self.symbol}; {_sizes(head.weights)}")
        changed = self._changed(head)
        readout = replace(stage.network.readout, dense=(*below, changed))
        return replace(stage, network=replace(stage.network, readout=readout))

    def _changed(self, head: DenseTrace) -> DenseTrace:
        weights, bias = head.weights.copy(), head.bias.copy()
        if self.column is None:
            bias[self.row] = self.value
        else:
            weights[self.row, self.column] = self.value
        return replace(head, weights=weights, bias=bias)


def _sizes(values: np.ndarray) -> str:
    """What there is."""
    size = " and ".join(f"1 to {count}" for count in values.shape)
    return f"choose {'row and column' if values.ndim == 2 else 'row'} from {size}"
