"""One unit at one step: every equation with its numbers put in. NumPy only; no drawing, no pages.

Notation of the texts: steps, units and inputs count from 1; x is what the layer reads, at the
step itself; h and c with the other step in brackets are the state the step started from.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from rnnviz.errors import TraceError
from rnnviz.trace import LayerTrace


@dataclass(frozen=True, kw_only=True)
class Term:
    """One summand: the product of its factors."""

    label: str  # such as "U_i[3,7] h₇(56)"
    factor_names: tuple[str, ...]
    factors: tuple[float, ...]
    product: float


@dataclass(frozen=True, kw_only=True)
class Equation:
    """value = squash(total), and total is the sum of the terms' products."""

    symbol: str  # the gate's or state's name
    formula: str  # plain text with unicode subscripts
    latex: str
    terms: tuple[Term, ...]
    total: float
    squash: str  # key of SQUASHES; "" leaves the total as it is
    value: float
    recorded: float  # what the trace holds; equal to value up to its rounding


SIGMA = "\N{GREEK SMALL LETTER SIGMA}"
HARD_SIGMA = f"hard {SIGMA}"
ONE_MINUS = "1 \N{MINUS SIGN}"


def _sigmoid(z: float) -> float:
    return (1.0 + math.tanh(z / 2)) / 2  # does not overflow for any z


SQUASHES: Mapping[str, Callable[[float], float]] = {
    SIGMA: _sigmoid,
    HARD_SIGMA: lambda z: min(max(z / 6 + 0.5, 0.0), 1.0),
    "tanh": math.tanh,
    "relu": lambda z: max(z, 0.0),
    "": lambda z: z,
}
_LATEX_SQUASH = {
    SIGMA: r"\sigma",
    HARD_SIGMA: r"\operatorname{hard\,\sigma}",
    "tanh": r"\tanh",
    "relu": r"\operatorname{relu}",
    "": "",
}


class GateForm(NamedTuple):
    """squash(W x + b + U h + b); `reset` names the gate that scales the recurrent part."""

    symbol: str
    squash: str
    reset: str = ""
    reset_first: bool = False  # the reset multiplies h, not the finished U h + b


class Factor(NamedTuple):
    """One factor of a state's equation: wrap(the symbol's value)."""

    symbol: str
    wrap: str = ""  # a squash, or ONE_MINUS
    before: bool = False  # the state that the step started from


class StateForm(NamedTuple):
    """A state is the sum of products of factors; forms come in the order of computing."""

    symbol: str
    terms: tuple[tuple[Factor, ...], ...]


class CellForm(NamedTuple):
    """The structure of a cell's equations."""

    gates: tuple[GateForm, ...]
    states: tuple[StateForm, ...]


def _lstm(gate: str, content: str) -> CellForm:
    gates = tuple(GateForm(symbol, content if symbol == "g" else gate) for symbol in "ifgo")
    cell = StateForm("c", ((Factor("f"), Factor("c", before=True)), (Factor("i"), Factor("g"))))
    return CellForm(gates, (cell, StateForm("h", ((Factor("o"), Factor("c", content)),))))


def _gru(gate: str, *, reset_first: bool) -> CellForm:
    gates = (GateForm("r", gate), GateForm("z", gate), GateForm("n", "tanh", "r", reset_first))
    new, old = (Factor("z", ONE_MINUS), Factor("n")), (Factor("z"), Factor("h", before=True))
    return CellForm(gates, (StateForm("h", (new, old)),))


def _rnn(content: str) -> CellForm:
    return CellForm((GateForm("a", content),), (StateForm("h", ((Factor("a"),),)),))


FORMS: Mapping[str, CellForm] = {
    "lstm": _lstm(SIGMA, "tanh"),
    "lstm-relu": _lstm(HARD_SIGMA, "relu"),
    "lstm-relu-sigmoid": _lstm(SIGMA, "relu"),
    "lstm-hard": _lstm(HARD_SIGMA, "tanh"),
    "gru": _gru(SIGMA, reset_first=False),
    "gru-before": _gru(SIGMA, reset_first=True),
    "gru-before-hard": _gru(HARD_SIGMA, reset_first=True),
    "rnn": _rnn("tanh"),
    "rnn-relu": _rnn("relu"),
}


def equations(layer: LayerTrace, *, sequence: int, t: int, unit: int) -> tuple[Equation, ...]:
    """Every gate, then every state, of one unit at one step, each with all of its terms.

    Args:
        layer: one direction of one layer.
        sequence: row of the trace.
        t: step on real time, 0 is the first.
        unit: 0 is the first.

    Raises:
        TraceError: an index lies outside of the trace, or the cell has no known equations.
    """
    form = _form_of(layer)
    for name, index, size in zip(
        ("sequence", "step", "unit"), (sequence, t, unit), layer.gates[:, :, 0].shape, strict=True
    ):
        if not 0 <= index < size:
            raise TraceError(f"{name} {index} is not in the trace; it must lie in [0, {size - 1}]")
    moment = _Moment(layer, sequence, t, unit)
    gates = (_gate_equation(moment, gate) for gate in form.gates)
    return (*gates, *(_state_equation(moment, state) for state in form.states))


class _Moment(NamedTuple):
    """Where the numbers are taken from."""

    layer: LayerTrace
    sequence: int
    t: int
    unit: int

    @property
    def previous(self) -> int:
        """The step read just before; outside of the sequence at the first one."""
        return self.t + 1 if self.layer.reverse else self.t - 1

    def before(self, state: str) -> Float[np.ndarray, " H"]:
        """The state the step started from: zero where none was read before."""
        values = self.layer.state(state)[self.sequence]
        inside = 0 <= self.previous < len(values)
        return values[self.previous] if inside else np.zeros_like(values[self.t])

    def gate(self, name: str) -> Float[np.ndarray, " H"]:
        """A gate's values of all units."""
        return self.layer.gate(name)[self.sequence, self.t]


def _form_of(layer: LayerTrace) -> CellForm:
    form = FORMS.get(layer.cell)
    if form is None:
        known = ", ".join(FORMS)
        raise TraceError(f"there are no equations for the cell {layer.cell!r}, only for {known}")
    if tuple(gate.symbol for gate in form.gates) != layer.gate_names:
        raise TraceError(
            f"the trace of the cell {layer.cell!r} names its gates {', '.join(layer.gate_names)}; "
            f"its equations know {', '.join(gate.symbol for gate in form.gates)}"
        )
    return form


def sub(number: int) -> str:
    """A number as unicode subscript."""
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def _at(symbol: str, unit: int, t: int) -> str:
    return f"{symbol}{sub(unit + 1)}({t + 1})"


def _latex_at(symbol: str, unit: int | str, t: int) -> str:
    index = unit + 1 if isinstance(unit, int) else unit
    return f"{symbol}_{{{index}}}^{{({t + 1})}}"


def _gate_equation(moment: _Moment, form: GateForm) -> Equation:
    layer, sequence, t, unit = moment
    row = layer.gate_names.index(form.symbol)
    terms = (*_input_terms(moment, row, form.symbol), *_recurrent_terms(moment, row, form))
    recorded = float(layer.gates[sequence, t, row, unit])
    formula, latex = _gate_texts(moment, form)
    return _equation(form.symbol, formula, latex, terms, form.squash, recorded)


def _input_terms(moment: _Moment, row: int, symbol: str) -> tuple[Term, ...]:
    layer, sequence, t, unit = moment
    weights, values = layer.input_weights[row, unit], layer.inputs[sequence, t]
    products = (
        _term((f"W_{symbol}[{unit + 1},{k + 1}]", _at("x", k, t)), (w, x))
        for k, (w, x) in enumerate(zip(weights, values, strict=True))
    )
    return (*products, _term((f"b_W{symbol}[{unit + 1}]",), (layer.input_bias[row, unit],)))


def _recurrent_terms(moment: _Moment, row: int, form: GateForm) -> tuple[Term, ...]:
    layer, _, t, unit = moment
    weights, before = layer.recurrent_weights[row, unit], moment.before("h")
    reset = moment.gate(form.reset) if form.reset else np.empty(0)
    bias_names: tuple[str, ...] = (f"b_U{form.symbol}[{unit + 1}]",)
    bias: tuple[np.floating, ...] = (layer.recurrent_bias[row, unit],)
    if form.reset and not form.reset_first:
        bias_names, bias = (_at(form.reset, unit, t), *bias_names), (reset[unit], *bias)
    terms = []
    for j, (weight, h) in enumerate(zip(weights, before, strict=True)):
        names: tuple[str, ...] = (
            f"U_{form.symbol}[{unit + 1},{j + 1}]",
            _at("h", j, moment.previous),
        )
        factors: tuple[np.floating, ...] = (weight, h)
        if form.reset:
            scaled_by = j if form.reset_first else unit
            names = (_at(form.reset, scaled_by, t), *names)
            factors = (reset[scaled_by], *factors)
        terms.append(_term(names, factors))
    return (*terms, _term(bias_names, bias))


def _state_equation(moment: _Moment, form: StateForm) -> Equation:
    layer, sequence, t, unit = moment
    terms = tuple(
        _term(
            tuple(_factor_name(moment, factor) for factor in factors),
            tuple(_factor_value(moment, factor) for factor in factors),
        )
        for factors in form.terms
    )
    formula = f"{_at(form.symbol, unit, t)} = " + " + ".join(term.label for term in terms)
    sums = " + ".join(
        r" \cdot ".join(_latex_factor(moment, factor) for factor in factors)
        for factors in form.terms
    )
    latex = f"{_latex_at(form.symbol, unit, t)} = {sums}"
    recorded = float(layer.state(form.symbol)[sequence, t, unit])
    return _equation(form.symbol, formula, latex, terms, "", recorded)


def _factor_name(moment: _Moment, factor: Factor) -> str:
    name = _at(factor.symbol, moment.unit, moment.previous if factor.before else moment.t)
    if not factor.wrap:
        return name
    return f"({ONE_MINUS} {name})" if factor.wrap == ONE_MINUS else f"{factor.wrap}({name})"


def _latex_factor(moment: _Moment, factor: Factor) -> str:
    step = moment.previous if factor.before else moment.t
    name = _latex_at(factor.symbol, moment.unit, step)
    if not factor.wrap:
        return name
    return f"(1 - {name})" if factor.wrap == ONE_MINUS else f"{_LATEX_SQUASH[factor.wrap]}({name})"


def _factor_value(moment: _Moment, factor: Factor) -> float:
    if factor.before:
        values = moment.before(factor.symbol)
    elif factor.symbol in moment.layer.gate_names:
        values = moment.gate(factor.symbol)
    else:
        values = moment.layer.state(factor.symbol)[moment.sequence, moment.t]
    value = float(values[moment.unit])
    return 1.0 - value if factor.wrap == ONE_MINUS else SQUASHES[factor.wrap](value)


def _gate_texts(moment: _Moment, form: GateForm) -> tuple[str, str]:
    _, _, t, unit = moment
    s, u, now, then = form.symbol, unit + 1, t + 1, moment.previous + 1
    inputs = f"Σₖ W_{s}[{u},k] xₖ({now}) + b_W{s}[{u}]"
    latex_inputs = rf"\sum_k W^{{{s}}}_{{{u},k}}\, {_latex_at('x', 'k', t)} + b^{{W{s}}}_{{{u}}}"
    h, latex_h = f"hⱼ({then})", _latex_at("h", "j", moment.previous)
    if form.reset_first:
        h = f"{form.reset}ⱼ({now}) {h}"
        latex_h = rf"{_latex_at(form.reset, 'j', t)}\, {latex_h}"
    recurrent = f"Σⱼ U_{s}[{u},j] {h} + b_U{s}[{u}]"
    latex_recurrent = rf"\sum_j U^{{{s}}}_{{{u},j}}\, {latex_h} + b^{{U{s}}}_{{{u}}}"
    if form.reset and not form.reset_first:
        recurrent = f"{_at(form.reset, unit, t)} · ({recurrent})"
        scale = _latex_at(form.reset, unit, t)
        latex_recurrent = rf"{scale} \cdot \bigl({latex_recurrent}\bigr)"
    squash = _LATEX_SQUASH[form.squash]
    return (
        f"{_at(s, unit, t)} = {form.squash}({inputs} + {recurrent})",
        rf"{_latex_at(s, unit, t)} = {squash}\Bigl({latex_inputs} + {latex_recurrent}\Bigr)",
    )


def _term(names: tuple[str, ...], factors: tuple[float | np.floating, ...]) -> Term:
    values = tuple(float(factor) for factor in factors)
    return Term(
        label=" · ".join(names), factor_names=names, factors=values, product=math.prod(values)
    )


def _equation(
    symbol: str, formula: str, latex: str, terms: tuple[Term, ...], squash: str, recorded: float
) -> Equation:
    total = math.fsum(term.product for term in terms)
    return Equation(
        symbol=symbol,
        formula=formula,
        latex=latex,
        terms=terms,
        total=total,
        squash=squash,
        value=SQUASHES[squash](total),
        recorded=recorded,
    )
