"""Pure drawings: trace, history or dataset in, Plotly figure out. No torch, no Streamlit, no files.

VIEWS holds every picture that is drawn from a trace alone, by name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import plotly.graph_objects as go

from rnnviz.figures.attention import attention_bars, attention_heatmap
from rnnviz.figures.flow import gradient_flow
from rnnviz.figures.gates import gate_heatmap, saturation, unit_lines, unit_spread
from rnnviz.figures.values import Look, length_of, names_of, range_in
from rnnviz.trace import Trace

HAVING: Mapping[str, Callable[[Trace], bool]] = {
    "attention": lambda trace: trace.attention is not None,
    "gradients": lambda trace: any(layer.state_grads is not None for layer in trace.layers),
}
"""What a view may need, and whether a trace has it."""

PLAIN = Look()


@dataclass(frozen=True, kw_only=True)
class View:
    """A picture of a trace.

    Attributes:
        title: for a list of pictures.
        draw: draw(trace) or draw(trace, look) gives the figure; raises TraceError where the trace
            lacks what is looked at.
        needs: keys of HAVING.
    """

    title: str
    draw: Callable[..., go.Figure]
    needs: frozenset[str] = frozenset()

    def fits(self, trace: Trace) -> bool:
        """Whether the trace has all that the picture needs."""
        return all(HAVING[need](trace) for need in self.needs)


def _heatmap(trace: Trace, look: Look = PLAIN) -> go.Figure:
    length = length_of(trace, look.sequence)
    layer = trace.layer(look.layer, reverse=look.reverse)
    return gate_heatmap(
        layer,
        look.name,
        sequence=look.sequence,
        length=length,
        span=range_in(trace, look.name) if look.name in names_of(layer) else None,
        clock=look.clock_for(length),
        step=look.step,
        unit=look.marked_unit,
        dark=look.dark,
    )


def _lines(trace: Trace, look: Look = PLAIN) -> go.Figure:
    length = length_of(trace, look.sequence)
    layer = trace.layer(look.layer, reverse=look.reverse)
    return unit_lines(
        layer,
        look.unit,
        look.sequence,
        length=length,
        spans={name: range_in(trace, name) for name in (*layer.gate_names, *layer.state_names)},
        clock=look.clock_for(length),
        step=look.step,
        dark=look.dark,
    )


def _spread(trace: Trace, look: Look = PLAIN) -> go.Figure:
    length = length_of(trace, look.sequence)
    layer = trace.layer(look.layer, reverse=look.reverse)
    return unit_spread(
        layer,
        look.name,
        look.sequence,
        length=length,
        span=range_in(trace, look.name) if look.name in names_of(layer) else None,
        clock=look.clock_for(length),
        dark=look.dark,
    )


def _saturation(trace: Trace, look: Look = PLAIN) -> go.Figure:
    length = length_of(trace, look.sequence)
    return saturation(
        trace.layer(look.layer, reverse=look.reverse),
        look.sequence,
        length=length,
        clock=look.clock_for(length),
        dark=look.dark,
    )


def _flow(trace: Trace, look: Look = PLAIN) -> go.Figure:
    return gradient_flow(trace, look.sequence, clock=look.clock, dark=look.dark)


def _attention(trace: Trace, look: Look = PLAIN) -> go.Figure:
    return attention_heatmap(
        trace, look.sequence, clock=look.clock, step=look.step, query=look.query, dark=look.dark
    )


def _stages(trace: Trace, look: Look = PLAIN) -> go.Figure:
    return attention_bars(
        trace,
        look.sequence,
        look.query,
        look.stage,
        clock=look.clock,
        step=look.step,
        dark=look.dark,
    )


VIEWS: Mapping[str, View] = {
    "gates": View(title="Gates and states, every unit over time", draw=_heatmap),
    "unit": View(title="One unit, all of its gates and states", draw=_lines),
    "spread": View(title="Mean and spread over the units", draw=_spread),
    "saturation": View(title="Saturated units", draw=_saturation),
    "gradients": View(title="Gradient through time", draw=_flow, needs=frozenset({"gradients"})),
    "attention": View(title="Attention", draw=_attention, needs=frozenset({"attention"})),
    "attention steps": View(
        title="Attention, from scores to weighted states",
        draw=_stages,
        needs=frozenset({"attention"}),
    ),
}

__all__ = ["HAVING", "VIEWS", "Look", "View"]
