"""One update as numbers that a browser can play over the unrolled network. No Plotly, no pages.

Everything is handed over at once: beside the Scene as many numbers again for the gradients, and two
small matrices a row, so at most 1.3 MB for a day of minutes.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rnnviz.figures.theme import DECADES, Quantity
from rnnviz.figures.unrolled import Row, Scene
from rnnviz.figures.values import Range
from rnnviz.inside.network import Network, Sequence
from rnnviz.inside.steps import Back, Weights
from rnnviz.inside.update import Matrix, Update


@dataclass(frozen=True, kw_only=True)
class RowMotion:
    """What one update does in one direction of one layer, of the units that are shown."""

    gradients: tuple[Float[np.ndarray, "T U"], ...]  # log10 |dL/d state|, in the order of lanes
    recurrent: Float[np.ndarray, "U U"]  # change of the weights that the edges are
    inputs: Float[np.ndarray, "U S"]


@dataclass(frozen=True, kw_only=True)
class Said:
    """One output before and after the step, with what is true."""

    name: str
    before: float
    after: float
    truth: float
    unit: str = ""


@dataclass(frozen=True, kw_only=True)
class Motion:
    """One update: how much of the loss comes from where, what is clipped, what moves."""

    rows: tuple[RowMotion, ...]  # as the scene's
    gradient_range: Range
    heaviest_recurrent: float  # largest |change| of the edges shown
    heaviest_input: float
    loss_name: str
    loss_unit: str
    losses: Float[np.ndarray, " Q"]  # of each output
    shares: Float[np.ndarray, " Q"]  # of each in the loss
    loss_before: float
    loss_after: float
    said: tuple[Said, ...]  # where there is one output; of classes the true one's probability
    norm: float
    threshold: float  # 0: clipping is off
    factor: float
    rate: float
    matrices: tuple[Matrix, ...]


def motion(scene: Scene, network: Network, sequence: Sequence, update: Update) -> Motion:
    """What is played over a scene whose lanes are states.

    Args:
        scene: of the sequence.
        network: before the step.
        sequence: what the update is made on.
        update: the step.
    """
    rows = tuple(
        _row(row, way.cell.states, [gate.symbol for gate in way.cell.gates], back, slope, update.by)
        for row, way, back, slope in zip(
            scene.rows, network.ways, update.gradients.ways, update.gradients.weights, strict=True
        )
    )
    probabilities = network.readout.probabilities
    return Motion(
        rows=rows,
        gradient_range=_range(update.gradients.ways),
        heaviest_recurrent=max(float(np.abs(row.recurrent).max()) for row in rows),
        heaviest_input=max(float(np.abs(row.inputs).max()) for row in rows),
        loss_name="cross-entropy" if probabilities else "squared error",
        loss_unit="nats" if probabilities else "SD² of the target",
        losses=update.before.losses.astype(np.float32),
        shares=update.before.shares.astype(np.float32),
        loss_before=update.before.loss,
        loss_after=update.after.loss,
        said=() if scene.outputs.every_step else _said(scene, network, sequence, update),
        norm=update.norm,
        threshold=update.threshold,
        factor=update.factor,
        rate=update.rate,
        matrices=update.matrices,
    )


def _row(
    row: Row,
    states: tuple[str, ...],
    gates: list[str],
    back: Back,
    slope: Weights,
    by: float,
) -> RowMotion:
    kept = list(row.units)
    way = -1 if row.reverse else 1
    with np.errstate(divide="ignore"):  # log10 0 is minus infinity, and 10 to that is 0 again
        gradients = tuple(
            np.log10(np.abs(back.states[states.index(lane.symbol)][::way, 0][:, kept]))
            for lane in row.lanes
        )
    block = gates.index(row.gate)
    recurrent = -by * slope.recurrent[block][np.ix_(kept, kept)]
    inputs = -by * slope.input[block][np.ix_(kept, list(row.below))]
    return RowMotion(
        gradients=tuple(values.astype(np.float32) for values in gradients),
        recurrent=recurrent.astype(np.float32),
        inputs=inputs.astype(np.float32),
    )


def _range(ways: tuple[Back, ...]) -> Range:
    """From the next power of ten above all units' gradients, as many decades down as elsewhere."""
    largest = max(float(np.abs(state).max()) for back in ways for state in back.states)
    top = float(math.ceil(math.log10(largest))) if largest > 0 else 0.0
    return Range(quantity=Quantity.GRADIENT, low=top - DECADES, high=top)


def _said(scene: Scene, network: Network, sequence: Sequence, update: Update) -> tuple[Said, ...]:
    outputs, truth = scene.outputs, np.asarray(scene.outputs.truth)[-1]
    before, after = update.before.outputs[-1], update.after.outputs[-1]
    if network.readout.probabilities:
        true = int(sequence.targets[-1])  # names hold the classes that are drawn only
        name = outputs.names[int(truth)]
        return (Said(name=name, before=float(before[true]), after=float(after[true]), truth=1.0),)
    return tuple(
        Said(
            name=name,
            before=float(before[k]),
            after=float(after[k]),
            truth=float(truth[k]),
            unit=outputs.unit,
        )
        for k, name in enumerate(outputs.names)
    )
