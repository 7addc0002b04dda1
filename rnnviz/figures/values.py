"""What can be looked at in a layer, by name, and the range in which each is drawn.

Names: a gate's or state's symbol ("f", "h"); "pre f" for a gate before its squash; "dL/dh" for the
gradient of the loss with respect to a state after each step.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from rnnviz.cells import CELLS
from rnnviz.errors import TraceError
from rnnviz.figures.clock import Clock
from rnnviz.figures.theme import DECADES, PREACTIVATION_LIMIT, Quantity
from rnnviz.trace import LayerTrace, Trace

BEFORE_SQUASH, GRADIENT_OF = "pre ", "dL/d"


@dataclass(frozen=True, kw_only=True)
class Look:
    """What of a trace is looked at, and how. All counts from 0."""

    sequence: int = 0  # of the trace
    layer: int = 0
    reverse: bool = False
    name: str = "h"
    unit: int = 0
    step: int | None = None  # marked
    marked_unit: int | None = None
    query: int = 0  # decoder step, or the step that attends
    stage: str = "softmax"  # of attention: scores, softmax, weighted values
    clock: Clock | None = None  # None: steps are numbered
    dark: bool = False

    def clock_for(self, steps: int) -> Clock:
        """The clock of the first steps.

        Raises:
            TraceError: the clock has fewer.
        """
        return (self.clock or Clock.steps(steps)).first(steps)


@dataclass(frozen=True, kw_only=True)
class Range:
    """The fixed ends of a colour scale or an axis."""

    quantity: Quantity
    low: float
    high: float


def names_of(layer: LayerTrace) -> tuple[str, ...]:
    """Everything that can be looked at in the layer."""
    states = tuple(s for s in layer.state_names if s not in layer.gate_names)
    before = tuple(BEFORE_SQUASH + gate for gate in layer.gate_names)
    gradients = tuple(GRADIENT_OF + s for s in layer.state_names)
    return (*layer.gate_names, *states, *before, *(() if layer.state_grads is None else gradients))


def _gradients(layer: LayerTrace, state: str) -> Float[np.ndarray, "B T H"]:
    if layer.state_grads is None:
        raise TraceError(
            "this trace holds no gradients; look at gates or states, or record it with gradients"
        )
    if state not in layer.state_names:
        known = ", ".join(GRADIENT_OF + s for s in layer.state_names)
        raise TraceError(f"there is no {GRADIENT_OF + state!r}; choose one of {known}")
    return layer.state_grads[:, :, layer.state_names.index(state)]


def values_of(layer: LayerTrace, name: str) -> Float[np.ndarray, "B T H"]:
    """The values behind a name.

    Raises:
        TraceError: the layer has nothing of that name, or no gradients.
    """
    if name.startswith(GRADIENT_OF):
        return _gradients(layer, name.removeprefix(GRADIENT_OF))
    if name in layer.gate_names:
        return layer.gate(name)
    if name in layer.state_names:
        return layer.state(name)
    gate = name.removeprefix(BEFORE_SQUASH)
    if gate != name and gate in layer.gate_names:
        return layer.preactivations[:, :, layer.gate_names.index(gate)]
    raise TraceError(
        f"{name!r} is not in {layer.title} ({layer.cell}); "
        f"choose one of {', '.join(names_of(layer))}"
    )


def one_sequence(
    layer: LayerTrace, name: str, sequence: int, length: int | None = None
) -> Float[np.ndarray, "H T"]:
    """The values of one sequence, unit by step, up to its length.

    Raises:
        TraceError: the trace has no such sequence, or the layer nothing of that name.
    """
    values = values_of(layer, name)
    if not 0 <= sequence < len(values):
        raise TraceError(f"the trace has no sequence {sequence + 1}; it holds {len(values)}")
    return values[sequence, :length].T


def bounds_of(layer: LayerTrace, name: str) -> tuple[float, float] | None:
    """The ends that the cell's equations set, None where there are none (c, and ReLU)."""
    cell = CELLS[layer.cell]
    ends = {gate.symbol: (gate.low, gate.high) for gate in cell.gates}
    ends = {symbol: end for symbol, end in ends.items() if np.isfinite(end).all()}
    if name == "h" and len(ends) == len(cell.gates):
        return -1.0, 1.0
    return ends.get(name)


def limit_of(*values: Float[np.ndarray, "..."]) -> float:
    """A symmetric range's end: the 99.5 % quantile of the magnitudes, up to 1, 2, 5, 10, 20, ...

    Never below 1, so that a young memory looks small, and few steps of the ladder, so that the
    colours of two epochs can mostly be compared.
    """
    magnitudes = np.concatenate([np.abs(v).ravel() for v in values]) if values else np.zeros(1)
    reach = float(np.quantile(magnitudes, 0.995)) if magnitudes.size else 0.0
    if reach <= 1.0:
        return 1.0
    decade = 10.0 ** np.floor(np.log10(reach))
    return float(next(step * decade for step in (1, 2, 5, 10) if step * decade >= reach * 0.999))


def _real(
    layer: LayerTrace, name: str, lengths: Int[np.ndarray, " B"] | None
) -> Float[np.ndarray, " V"]:
    values = values_of(layer, name)
    if lengths is None:
        return values.ravel()
    return np.concatenate([v[:n].ravel() for v, n in zip(values, lengths, strict=True)])


def range_of(*layers: LayerTrace, name: str, lengths: Int[np.ndarray, " B"] | None = None) -> Range:
    """Where a name is drawn: one range for all sequences and steps of the layers given.

    Gates and bounded states have the ends of their squash; gradients eight decades of magnitude
    below the largest; all else a symmetric limit.

    Raises:
        TraceError: no layer has such a name.
    """
    having = [layer for layer in layers if name in names_of(layer)] or list(layers[:1])
    if name.startswith(BEFORE_SQUASH):
        values_of(having[0], name)
        limit = PREACTIVATION_LIMIT
        return Range(quantity=Quantity.PREACTIVATION, low=-limit, high=limit)
    values = [_real(layer, name, lengths) for layer in having]
    if name.startswith(GRADIENT_OF):
        largest = max(float(np.abs(v).max(initial=0.0)) for v in values)
        top = float(np.ceil(np.log10(largest))) if largest > 0 else 0.0
        return Range(quantity=Quantity.GRADIENT, low=top - DECADES, high=top)
    bounds = bounds_of(having[0], name)
    if bounds == (0.0, 1.0):
        return Range(quantity=Quantity.GATE, low=0.0, high=1.0)
    limit = 1.0 if bounds else limit_of(*values)
    return Range(quantity=Quantity.STATE, low=-limit, high=limit)


def range_in(trace: Trace, name: str) -> Range:
    """The same, over every layer of a whole trace.

    Raises:
        TraceError: no layer has such a name.
    """
    return range_of(*trace.layers, name=name, lengths=trace.lengths)


def holding(span: Range, values: Sequence[Float[np.ndarray, "..."]]) -> Range:
    """The range of the colours, doubled until no line leaves it."""
    reach = max(float(np.abs(v[np.isfinite(v)]).max(initial=0.0)) for v in values)
    while reach > span.high:
        span = replace(span, low=2 * span.low, high=2 * span.high)
    return span


def difference_range(values: Float[np.ndarray, "..."]) -> Range:
    """Around zero, up to the next of 1, 2, 5, 10, ... times a power of ten that holds all values.

    A difference may be of any size, so its range follows it; 1 where there is none.
    """
    reach = float(np.abs(values).max(initial=0.0))
    if reach == 0:
        return Range(quantity=Quantity.DIFFERENCE, low=-1.0, high=1.0)
    decade = 10.0 ** np.floor(np.log10(reach))
    limit = float(next(step * decade for step in (1, 2, 5, 10) if step * decade >= reach * 0.999))
    return Range(quantity=Quantity.DIFFERENCE, low=-limit, high=limit)


def unit_checked(layer: LayerTrace, unit: int) -> int:
    """The unit's number.

    Raises:
        TraceError: the layer has no such unit.
    """
    units = layer.states.shape[-1]
    if not 0 <= unit < units:
        raise TraceError(f"{layer.title} has no unit {unit + 1}; choose one from 1 to {units}")
    return unit


def length_of(trace: Trace, sequence: int) -> int:
    """Steps of one sequence.

    Raises:
        TraceError: the trace has no such sequence.
    """
    if not 0 <= sequence < len(trace.lengths):
        raise TraceError(f"the trace has no sequence {sequence + 1}; it holds {len(trace.lengths)}")
    return int(trace.lengths[sequence])
