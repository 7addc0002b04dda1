"""The network on one phrase as a trace, so that the pictures of other networks show it as well."""

import numpy as np

from rnnviz.scratch.worked import Passed
from rnnviz.trace import LayerTrace


def as_layer(seen: Passed) -> LayerTrace:
    """Its one layer on one sequence: inputs, states and dL/dh."""
    weights, x, h = seen.weights, seen.forward.x[0], seen.forward.h[0, :, 1:]
    inside = x @ weights.Wxh[0].T + seen.forward.h[0, :, :-1] @ weights.Whh[0].T + weights.bh
    return LayerTrace(
        cell="rnn",
        layer=0,
        reverse=False,
        gate_names=("a",),
        state_names=("h",),
        inputs=x,
        gates=h[:, :, None],
        preactivations=inside[:, :, None],
        states=h[:, :, None],
        state_grads=seen.back.h[0, :, 1:, None],
        input_weights=weights.Wxh,
        recurrent_weights=weights.Whh,
        input_bias=weights.bh,
        recurrent_bias=np.zeros_like(weights.bh),
    )
