"""How the gradient of the loss travels back through time. Trace in, figure out."""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from rnnviz.errors import TraceError
from rnnviz.figures.clock import Clock, clock_axis
from rnnviz.figures.frame import frame, note
from rnnviz.figures.heat import log_axis
from rnnviz.figures.theme import DECADES, palette
from rnnviz.figures.values import length_of
from rnnviz.trace import LayerTrace, Trace


@dataclass(frozen=True, kw_only=True)
class Norms:
    """The gradient's size at every step, for one state of one layer."""

    layer: LayerTrace
    state: str
    values: Float[np.ndarray, "B T"]  # Euclidean norm over the units

    @property
    def label(self) -> str:
        """Such as 'dL/dh, layer 1'."""
        return f"dL/d{self.state}, {self.layer.title}"


def norms_of(trace: Trace) -> list[Norms]:
    """Every layer's and state's norms.

    Raises:
        TraceError: the trace holds no gradients.
    """
    found = [
        Norms(
            layer=layer,
            state=state,
            values=np.linalg.norm(layer.state_grads[:, :, s].astype(np.float64), axis=-1),
        )
        for layer in trace.layers
        if layer.state_grads is not None
        for s, state in enumerate(layer.state_names)
    ]
    if not found:
        raise TraceError(
            "this trace holds no gradients; look at gates or states, or record it with gradients"
        )
    return found


_STYLES = {("h", False): "solid", ("h", True): "dashdot", ("c", False): "dash", ("c", True): "dot"}


def gradient_flow(
    trace: Trace, sequence: int = 0, *, clock: Clock | None = None, dark: bool = False
) -> go.Figure:
    """The Euclidean norm over the units of dL/dh_t and dL/dc_t, for each layer, step by step.

    The axis ends at the trace's largest norm and shows eight decades below it; a norm of exactly
    zero has no place on a logarithmic axis and is left out.

    Raises:
        TraceError: the trace holds no gradients, or no such sequence.
    """
    steps = length_of(trace, sequence)
    clock = (clock or Clock.steps(steps)).first(steps)
    found = norms_of(trace)
    figure = frame(
        "Gradient through time",
        dark=dark,
        plot_height=260,
        keeps=f"time {steps} flow",
        legend=[norms.label for norms in found],
    )
    for norms in found:
        figure.add_trace(_line(norms, sequence, clock, dark))
    largest = max(float(norms.values.max(initial=0.0)) for norms in found)
    figure.update_xaxes(**clock_axis(clock))
    figure.update_layout(hovermode="x unified")
    if largest == 0:
        return note(figure, "Every gradient is zero.")
    top = float(np.log10(largest)) + 0.3
    figure.update_yaxes(**log_axis(top - DECADES, top), title_text="norm over units")
    return figure


def _line(norms: Norms, sequence: int, clock: Clock, dark: bool) -> go.Scatter:
    here = norms.values[sequence, : len(clock.times)]
    there = here > 0
    colours = palette(dark).groups
    return go.Scatter(
        x=clock.middles[there],
        y=here[there].astype(np.float32),
        name=norms.label,
        mode="lines",
        line={
            "color": colours[norms.layer.layer % len(colours)],
            "width": 1.8,
            "dash": _STYLES.get((norms.state, norms.layer.reverse), "solid"),
        },
        hovertemplate=f"‖dL/d{norms.state}‖, {norms.layer.title} = %{{y:.2~e}}<extra></extra>",
    )
