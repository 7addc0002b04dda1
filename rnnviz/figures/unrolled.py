"""The unrolled network as numbers that a browser can draw. No Plotly, no pages.

The whole sequence is handed over at once, so that moving through time needs no server: at most
MOST_CELLS units over all layers and directions, float32. With the two states of an LSTM that is
48 * 2 * 1440 * 4 bytes = 0.55 MB for a day of minutes, and 0.1 MB for inputs and outputs.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from rnnviz.data.dataset import SequenceDataset, Task
from rnnviz.errors import TraceError
from rnnviz.figures.theme import Quantity
from rnnviz.figures.values import Range
from rnnviz.trace import LayerTrace, Trace

MOST_UNITS = 16  # of one row
MOST_CELLS = 48  # of all rows
MOST_INPUTS = 8
MOST_CHOICES = 3  # classes or tokens shown of each output
MOST_OUTPUTS = 4  # numbers shown of each output
MOST_ATTENTION = 512 * 512  # weights that are sent; 1 MB
CONTENT_GATES = ("g", "n", "a")  # whose weights carry the new content, in any cell


@dataclass(frozen=True, kw_only=True)
class Naming:
    """What the steps, inputs and outputs of one sequence are called."""

    steps: tuple[str, ...]  # clock or number of each step
    inputs: tuple[str, ...]  # features; for tokens the vocabulary
    outputs: tuple[str, ...]  # numbers, classes, or the vocabulary
    output_unit: str = ""
    tokens: bool = False  # inputs are one-hot
    probabilities: bool = False  # outputs are probabilities of classes or tokens
    given: int | None = None  # the first steps, which carry an input; None: all do


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One quantity of the units shown, over all steps."""

    symbol: str
    range: Range
    values: Float[np.ndarray, "T U"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One direction of one layer."""

    title: str
    cell: str
    layer: int
    reverse: bool
    size: int  # units that there are
    units: tuple[int, ...]  # those shown, ascending
    below: tuple[int, ...]  # columns of W of what is shown below (tokens: the vocabulary)
    lanes: tuple[Lane, ...]  # what was asked for first
    gate: str  # whose weights the edges are
    recurrent: Float[np.ndarray, "U U"]  # to, from
    inputs: Float[np.ndarray, "U S"]  # to, from what is shown below


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What the network read."""

    names: tuple[str, ...]  # of the features shown
    size: int  # features that there are
    range: Range
    values: Float[np.ndarray, "T I"]  # of the features shown; none for tokens
    tokens: tuple[str, ...]  # one per step, or empty
    token_ids: Int[np.ndarray, " T"] | None  # likewise
    given: int  # the first steps, which carry an input


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """What the head said: numbers, or the most probable choices."""

    every_step: bool
    counted: tuple[bool, ...] | None  # whether each output has a target; None: all do
    unit: str
    names: tuple[str, ...]  # K shown numbers; or the choices that occur
    values: Float[np.ndarray, "Q K"]  # numbers, or probabilities, the largest first
    choices: Int[np.ndarray, "Q K"] | None  # index into names of each probability
    truth: Float[np.ndarray, "Q K"] | Int[np.ndarray, " Q"]  # numbers, or index into names
    truth_probability: Float[np.ndarray, " Q"] | None


@dataclass(frozen=True, kw_only=True)
class Scene:
    """All that the view of the unrolled network shows of one sequence."""

    quantity: str
    steps: tuple[str, ...]
    inputs: Inputs
    rows: tuple[Row, ...]  # the lowest layer first, forward before backward
    outputs: Outputs
    attention: Float[np.ndarray, "Q T"] | None
    heaviest_recurrent: float  # largest |weight| of the edges shown, over all rows
    heaviest_input: float
    notes: tuple[str, ...]  # what is left out, one sentence each


def naming(dataset: SequenceDataset) -> Naming:
    """The names that a dataset gives: clock times for minutes, else the steps' numbers."""
    clock = dataset.time_unit == "min"
    steps = tuple(
        f"{int(m) // 60 % 24:02d}:{int(m) % 60:02d}" if clock else f"{k + 1}"
        for k, m in enumerate(dataset.times)
    )
    next_token = dataset.task is Task.NEXT_TOKEN
    numbers = dataset.task.numeric
    names = tuple(variable.name for variable in dataset.outputs)
    return Naming(
        steps=steps,
        inputs=dataset.vocabulary or tuple(feature.name for feature in dataset.features),
        outputs=dataset.vocabulary if next_token else names if numbers else dataset.classes,
        output_unit=dataset.outputs[0].unit if numbers else "",
        tokens=bool(dataset.vocabulary),
        probabilities=not numbers,
        given=dataset.given,
    )


def quantities(trace: Trace) -> tuple[str, ...]:
    """What `scene` can colour the units by: the states, then the gates."""
    return (*trace.layers[0].state_names, *trace.layers[0].gate_names)


def scene(
    trace: Trace,
    *,
    sequence: int,
    quantity: str,
    naming: Naming,
    always: tuple[int, ...] = (),
    counted: Bool[np.ndarray, " T"] | None = None,
) -> Scene:
    """What the view shows of one sequence.

    Of each row those units are shown whose quantity varies most over the sequence.

    Args:
        sequence: row of the trace.
        quantity: one of `quantities`; where it is a state, the cell's other states come along.
        always: units that are shown however little they vary, such as the selected one.
        counted: the steps whose output has a target, where there is one at every step; None: all.

    Raises:
        TraceError: there is no such sequence or quantity, or too few names.
    """
    _check(trace, sequence, quantity, naming)
    length = int(trace.lengths[sequence])
    inputs, columns = _inputs(trace, sequence, length, naming)
    rows = _rows(trace, sequence, length, quantity, columns, always)
    outputs = _outputs(trace, sequence, length, naming, counted)
    attention, notes = _attention(trace, sequence, length, every_step=outputs.every_step)
    return Scene(
        quantity=quantity,
        steps=naming.steps[:length],
        inputs=inputs,
        rows=rows,
        outputs=outputs,
        attention=attention,
        heaviest_recurrent=max(float(np.abs(row.recurrent).max()) for row in rows),
        heaviest_input=max(float(np.abs(row.inputs).max()) for row in rows),
        notes=notes,
    )


def _rows(
    trace: Trace,
    sequence: int,
    length: int,
    quantity: str,
    columns: tuple[int, ...],
    always: tuple[int, ...],
) -> tuple[Row, ...]:
    """All rows; `columns` are the inputs shown, which the lowest layer reads."""
    states = trace.layers[0].state_names
    names = dict.fromkeys((quantity, *states)) if quantity in states else (quantity,)
    ranges = {name: lane_range(trace, name) for name in names}
    share = min(MOST_UNITS, MOST_CELLS // len(trace.layers))
    rows: list[Row] = []
    for layer in trace.layers:
        units = _most_varied(_values(layer, quantity)[sequence, :length], share, always)
        lanes = tuple(
            Lane(
                symbol=name,
                range=range_,
                values=_values(layer, name)[sequence, :length][:, units].astype(np.float32),
            )
            for name, range_ in ranges.items()
        )
        below = _columns_of(rows, layer.layer - 1) if layer.layer else columns
        rows.append(_row(layer, lanes, units, below))
    return tuple(rows)


def _columns_of(rows: list[Row], layer: int) -> tuple[int, ...]:
    """Where the units shown of a layer stand in what the layer above reads."""
    return tuple(
        unit + (row.size if row.reverse else 0)
        for row in rows
        if row.layer == layer
        for unit in row.units
    )


def _check(trace: Trace, sequence: int, quantity: str, naming: Naming) -> None:
    if not 0 <= sequence < len(trace.lengths):
        last = len(trace.lengths) - 1
        raise TraceError(f"sequence {sequence} is not in the trace; it must lie in [0, {last}]")
    if quantity not in quantities(trace):
        allowed = ", ".join(quantities(trace))
        raise TraceError(f"the trace has no quantity {quantity!r}; choose one of {allowed}")
    for what, names, needed in (
        ("steps", naming.steps, int(trace.lengths[sequence])),
        ("inputs", naming.inputs, trace.inputs.shape[2]),
        ("outputs", naming.outputs, trace.outputs.shape[2]),
    ):
        if len(names) < needed:
            raise TraceError(f"{len(names)} names were given for {needed} {what}; name each")


def _inputs(
    trace: Trace, sequence: int, length: int, naming: Naming
) -> tuple[Inputs, tuple[int, ...]]:
    """The inputs shown, and their columns in the weights."""
    values = trace.inputs[sequence, :length]
    size = values.shape[1]
    ids: Int[np.ndarray, " T"] | None = None
    tokens: tuple[str, ...] = ()
    columns: tuple[int, ...] = ()
    if naming.tokens:
        ids = values.argmax(axis=1)
        tokens = tuple(naming.inputs[k] for k in ids)
    else:
        columns = _most_varied(values, MOST_INPUTS, ())
    low, high = float(trace.inputs.min()), float(trace.inputs.max())
    shown = Inputs(
        names=tuple(naming.inputs[k] for k in columns),
        size=size,
        range=Range(quantity=Quantity.ACTIVITY, low=low, high=high if high > low else low + 1),
        values=values[:, columns].astype(np.float32),
        tokens=tokens,
        token_ids=ids,
        given=length if naming.given is None else min(length, naming.given),
    )
    return shown, columns or tuple(range(size))


def _most_varied(
    values: Float[np.ndarray, "T H"], count: int, always: tuple[int, ...]
) -> tuple[int, ...]:
    """Columns with the largest variance over time, ascending, and those always wanted."""
    variance = values.astype(np.float64).var(axis=0)
    kept = [k for k in dict.fromkeys(always) if 0 <= k < len(variance)][:count]
    variance[kept] = np.inf
    return tuple(sorted(int(k) for k in np.argsort(-variance, kind="stable")[:count]))


def _values(layer: LayerTrace, name: str) -> Float[np.ndarray, "B T H"]:
    return layer.state(name) if name in layer.state_names else layer.gate(name)


def lane_range(trace: Trace, name: str) -> Range:
    """Gates from 0 to 1; all else around 0, to 1 or to what the whole trace needs."""
    layer = trace.layers[0]
    if name in layer.gate_names and name not in CONTENT_GATES:
        return Range(quantity=Quantity.GATE, low=0.0, high=1.0)
    largest = max(float(np.abs(_values(layer, name)).max()) for layer in trace.layers)
    limit = _round_up(largest) if largest > 1.0 else 1.0
    return Range(quantity=Quantity.STATE, low=-limit, high=limit)


def _round_up(value: float) -> float:
    """The next of ..., 1, 1.5, 2, 3, 4, 5, 6, 8, 10, ..."""
    if not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    steps = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
    return next((s * power for s in steps if s * power >= value), 10.0 * power)


def _row(
    layer: LayerTrace, lanes: tuple[Lane, ...], units: tuple[int, ...], below: tuple[int, ...]
) -> Row:
    content = next(name for name in layer.gate_names if name in CONTENT_GATES)
    gate = lanes[0].symbol if lanes[0].symbol in layer.gate_names else content
    block = layer.gate_names.index(gate)
    return Row(
        title=layer.title,
        cell=layer.cell,
        layer=layer.layer,
        reverse=layer.reverse,
        size=layer.gates.shape[3],
        units=units,
        below=below,
        lanes=lanes,
        gate=gate,
        recurrent=layer.recurrent_weights[block][np.ix_(units, units)].astype(np.float32),
        inputs=layer.input_weights[block][np.ix_(units, below)].astype(np.float32),
    )


def _outputs(
    trace: Trace,
    sequence: int,
    length: int,
    naming: Naming,
    counted: Bool[np.ndarray, " T"] | None,
) -> Outputs:
    values = trace.outputs[sequence]
    every_step = len(values) > 1 and len(values) == trace.inputs.shape[1]
    # outputs beyond a sequence's length mean nothing
    count = length if every_step else len(values)
    values, targets = values[:count], trace.targets[sequence][:count]
    some = every_step and counted is not None and not counted[:count].all()
    told = tuple(bool(one) for one in counted[:count]) if some and counted is not None else None
    if naming.probabilities:
        found = _choices(values, targets.astype(np.int64), naming, every_step=every_step)
        return replace(found, counted=told)
    return Outputs(
        every_step=every_step,
        counted=told,
        unit=naming.output_unit,
        names=naming.outputs[:MOST_OUTPUTS],
        values=values[:, :MOST_OUTPUTS].astype(np.float32),
        choices=None,
        truth=targets[:, :MOST_OUTPUTS].astype(np.float32),
        truth_probability=None,
    )


def _choices(
    values: Float[np.ndarray, "Q K"],
    targets: Int[np.ndarray, " Q"],
    naming: Naming,
    *,
    every_step: bool,
) -> Outputs:
    best = np.argsort(-values, axis=1, kind="stable")[:, :MOST_CHOICES]
    used, index = np.unique(np.concatenate([best.ravel(), targets]), return_inverse=True)
    return Outputs(
        every_step=every_step,
        counted=None,
        unit="",
        names=tuple(naming.outputs[k] for k in used),
        values=np.take_along_axis(values, best, axis=1).astype(np.float32),
        choices=index[: best.size].reshape(best.shape),
        truth=index[best.size :],
        truth_probability=values[np.arange(len(targets)), targets].astype(np.float32),
    )


def _attention(
    trace: Trace, sequence: int, length: int, *, every_step: bool
) -> tuple[Float[np.ndarray, "Q T"] | None, tuple[str, ...]]:
    if trace.attention is None:
        return None, ()
    weights = trace.attention[sequence, :, :length]
    weights = weights[:length] if every_step else weights
    if weights.size > MOST_ATTENTION:
        return None, (f"Attention is not drawn: {len(weights)} x {length} weights are too many.",)
    return weights.astype(np.float32), ()
