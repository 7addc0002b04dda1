"""How the gradient of the loss travels back through time. Trace in, figure out."""

import numpy as np
import plotly.graph_objects as go

from rnnviz.errors import TraceError
from rnnviz.figures.clock import Clock, clock_axis
from rnnviz.figures.frame import frame, note
from rnnviz.figures.heat import log_axis
from rnnviz.figures.theme import DECADES, palette
from rnnviz.figures.values import length_of
from rnnviz.trace import Trace


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
    norms = {
        (layer.title, state, layer.layer, layer.reverse): np.linalg.norm(
            layer.state_grads[:, :, s].astype(np.float64), axis=-1
        )
        for layer in trace.layers
        if layer.state_grads is not None
        for s, state in enumerate(layer.state_names)
    }
    if not norms:
        raise TraceError(
            "this trace holds no gradients; look at gates or states, or record it with gradients"
        )
    labels = [f"dL/d{state}, {title}" for title, state, _, _ in norms]
    figure = frame(
        "Gradient through time",
        dark=dark,
        plot_height=260,
        keeps=f"time {steps} flow",
        legend=labels,
    )
    colours = palette(dark).groups
    for label, ((_, state, layer, reverse), norm) in zip(labels, norms.items(), strict=True):
        here = norm[sequence, :steps]
        there = here > 0
        dash = ("dot" if reverse else "dash") if state != "h" else ("dashdot" if reverse else None)
        figure.add_trace(
            go.Scatter(
                x=clock.middles[there],
                y=here[there].astype(np.float32),
                name=label,
                mode="lines",
                line={"color": colours[layer % len(colours)], "width": 1.8, "dash": dash},
                hovertemplate=f"‖{label.replace(',', '‖,', 1)} = %{{y:.2~e}}<extra></extra>",
            )
        )
    largest = max(float(norm.max(initial=0.0)) for norm in norms.values())
    figure.update_xaxes(**clock_axis(clock))
    figure.update_layout(hovermode="x unified")
    if largest == 0:
        return note(figure, "Every gradient is zero.")
    top = float(np.log10(largest)) + 0.3
    figure.update_yaxes(**log_axis(top - DECADES, top), title_text="norm over units")
    return figure
