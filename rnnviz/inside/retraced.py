"""A pass as a trace of one sequence, so that whatever draws traces draws it too. NumPy only."""

import numpy as np

from rnnviz.inside.network import Network, Pass
from rnnviz.trace import LayerTrace


def retraced(network: Network, done: Pass, place: int) -> LayerTrace:
    """One way of a pass on real time.

    Args:
        place: of the way in the network.
    """
    way, steps = network.ways[place], done.steps[place]

    def over_time(parts: tuple[np.ndarray, ...]) -> np.ndarray:
        stacked = np.stack(parts, axis=2).swapaxes(0, 1)  # [1 T P H]
        return stacked[:, ::-1] if way.reverse else stacked

    return LayerTrace(
        cell=way.cell.name,
        layer=way.layer,
        reverse=way.reverse,
        gate_names=tuple(gate.symbol for gate in way.cell.gates),
        state_names=way.cell.states,
        inputs=done.inputs[way.layer][None],
        gates=over_time(steps.gates),
        preactivations=over_time(steps.preactivations),
        states=over_time(steps.states),
        state_grads=None,
        input_weights=way.weights.input,
        recurrent_weights=way.weights.recurrent,
        input_bias=way.weights.input_bias,
        recurrent_bias=way.weights.recurrent_bias,
    )
