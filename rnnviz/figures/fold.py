"""A recurrent layer folded and unfolded, as a browser can draw it. No Plotly, no pages.

A feed-forward network whose layers read a step each, the same with one set of weights, one layer
with a loop, and that unrolled: four drawings of the same first steps of one sequence.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rnnviz.errors import TraceError
from rnnviz.figures.unrolled import Outputs, Scene
from rnnviz.figures.values import Range
from rnnviz.trace import LayerTrace

MOST_STEPS = 8
MOST_UNITS = 8


@dataclass(frozen=True, kw_only=True)
class Fold:
    """The first steps of one sequence in the lowest layer's forward direction."""

    cell: str
    units: int  # that there are
    inputs: int  # numbers that a step reads
    outputs: int  # numbers that are said
    steps: tuple[str, ...]  # names of those drawn
    left_out: int  # steps after them
    tokens: bool
    read: tuple[str, ...]  # what each reads; "" where it reads nothing
    said: tuple[str, ...]  # what is said at each, "" for nothing; or once, at the end
    every_step: bool
    states: Float[np.ndarray, "K U"]  # h after each
    range: Range
    of_step: int  # weights that every step needs: W and both biases
    of_state: int  # weights from one state to the next: U

    @property
    def untied(self) -> int:
        """Weights of as many layers of their own; before the first there is no state."""
        return len(self.steps) * self.of_step + (len(self.steps) - 1) * self.of_state

    @property
    def tied(self) -> int:
        """Weights of the one layer that they become."""
        return self.of_step + self.of_state


def fold(scene: Scene, layer: LayerTrace, *, outputs: int) -> Fold:
    """What is folded and unfolded.

    Args:
        scene: of the sequence; its first lane is h.
        layer: the lowest, forward.
        outputs: how many numbers the network says at once.

    Raises:
        TraceError: there is only one step, so nothing to fold.
    """
    if len(scene.steps) < 2:
        raise TraceError("this sequence has one step only, so there is nothing to fold")
    count = min(len(scene.steps), MOST_STEPS)
    lane = scene.rows[0].lanes[0]
    gates, units, inputs = layer.input_weights.shape
    return Fold(
        cell=layer.cell,
        units=units,
        inputs=inputs,
        outputs=outputs,
        steps=scene.steps[:count],
        left_out=len(scene.steps) - count,
        tokens=bool(scene.inputs.tokens),
        read=tuple(_read(scene, t) for t in range(count)),
        said=_said(scene.outputs, count),
        every_step=scene.outputs.every_step,
        states=lane.values[:count, :MOST_UNITS],
        range=lane.range,
        of_step=gates * units * (inputs + 2),
        of_state=gates * units * units,
    )


def _read(scene: Scene, t: int) -> str:
    inputs = scene.inputs
    if t >= inputs.given:
        return ""
    if inputs.tokens:
        return inputs.tokens[t]
    more = " …" if inputs.size > 1 else ""
    return f"{float(inputs.values[t, 0]):.2g}{more}".replace("-", "\N{MINUS SIGN}")


def _said(outputs: Outputs, count: int) -> tuple[str, ...]:
    """The most probable choice, or the first number, of each output that is drawn."""
    if not outputs.every_step:
        return (_output(outputs, len(outputs.values) - 1),)
    asked = outputs.counted or (True,) * len(outputs.values)
    return tuple(_output(outputs, t) if asked[t] else "" for t in range(count))


def _output(outputs: Outputs, query: int) -> str:
    if outputs.choices is not None:
        return outputs.names[int(outputs.choices[query, 0])]
    unit = f" {outputs.unit}" if outputs.unit and not outputs.every_step else ""
    return f"{float(outputs.values[query, 0]):.3g}{unit}".replace("-", "\N{MINUS SIGN}")
