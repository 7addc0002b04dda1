"""What looking back through time computes once and keeps: by run, epoch and sequence.

Shared by all visitors, with a bound each; a trace never changes, so nothing here grows old.
"""

from typing import NamedTuple

import numpy as np
import streamlit as st
from jaxtyping import Float, Int

from rnnviz.events import RunView
from rnnviz.figures.flow import norms_of
from rnnviz.inside.health import Finding, diagnose
from rnnviz.inside.jacobians import Products, products
from rnnviz.inside.matrix import Matrix, loss_matrix
from rnnviz.inside.network import Gradients, Network, Pass, Sequence, sequence_of
from rnnviz.inside.plane import Plane, plane_of, plane_surface
from rnnviz.inside.truncated import Truncated, truncations
from rnnviz.inside.wall import Descent, Surface, descend
from rnnviz.runs.run import Run
from rnnviz.trace import Trace
from rnnviz.ui.looking import Looking

MOST_EPOCHS = 60  # rows of the picture over epochs; each has its trace read once


class Done(NamedTuple):
    """A network run on one sequence, with all gradients of its loss."""

    network: Network
    sequence: Sequence
    forward: Pass
    gradients: Gradients


Key = tuple[str, int, int]  # run, epoch, sequence


def key_of(seen: Looking) -> Key:
    """What is looked at."""
    return seen.run.id, seen.trace.epoch, seen.chosen.sequence


@st.cache_resource(show_spinner=False, max_entries=8)
def _done(key: Key, _trace: Trace) -> Done:
    network, sequence = Network.of(_trace), sequence_of(_trace, key[2])
    forward = network.run(sequence)
    return Done(network, sequence, forward, network.gradients(forward, sequence.targets))


def done(seen: Looking) -> Done:
    """The selected sequence.

    Raises:
        TraceError: the run was made by an earlier version.
    """
    return _done(key_of(seen), seen.trace)


@st.cache_resource(show_spinner="Following every loss back …", max_entries=8)
def _matrix(key: Key, _trace: Trace) -> Matrix:
    found = _done(key, _trace)
    return loss_matrix(found.network, found.sequence, found.forward)


def matrix(seen: Looking) -> Matrix:
    """Of the selected sequence.

    Raises:
        TraceError: the network reads in both directions.
    """
    return _matrix(key_of(seen), seen.trace)


@st.cache_resource(show_spinner="Multiplying Jacobians …", max_entries=16)
def _products(key: Key, place: int, t: int, _trace: Trace) -> Products:
    found = _done(key, _trace)
    way = found.network.ways[place]
    at = len(found.forward.top) - 1 - t if way.reverse else t
    return products(way.cell, way.weights, found.forward.steps[place], at)


def jacobians(seen: Looking, t: int) -> Products:
    """From step t of the selected layer back."""
    return _products(key_of(seen), seen.chosen.layer, t, seen.trace)


@st.cache_resource(show_spinner="Cutting the gradient off …", max_entries=8)
def _truncated(key: Key, _trace: Trace) -> Truncated:
    found = _done(key, _trace)
    return truncations(found.network, found.forward, found.sequence.targets)


def truncated(seen: Looking) -> Truncated:
    """Of the selected sequence."""
    return _truncated(key_of(seen), seen.trace)


@st.cache_resource(show_spinner=False, max_entries=4)
def _plane(key: Key, seed: int, _trace: Trace) -> Plane:
    found = _done(key, _trace)
    return plane_of(found.network, found.sequence, seed)


@st.cache_resource(show_spinner="Trying weights around these …", max_entries=8)
def _surface(key: Key, seed: int, reach: float, count: int, _trace: Trace) -> Surface:
    found = _done(key, _trace)
    return plane_surface(_plane(key, seed, _trace), found.sequence, reach, count)


def surface(seen: Looking, seed: int, reach: float, count: int) -> Surface:
    """The loss of the selected sequence around the network."""
    return _surface(key_of(seen), seed, reach, count, seen.trace)


@st.cache_resource(show_spinner="Descending …", max_entries=16)
def _descent(
    key: Key, seed: int, start: tuple[float, float], rate: float, clip: float, steps: int,
    _trace: Trace,
) -> Descent:  # fmt: skip
    found, plane = _done(key, _trace), _plane(key, seed, _trace)
    return descend(
        lambda point: plane.slope(found.sequence, point), start, rate=rate, clip=clip, steps=steps
    )


def descent(
    seen: Looking, seed: int, start: tuple[float, float], *, rate: float, clip: float, steps: int
) -> Descent:
    """Gradient descent within the plane."""
    return _descent(key_of(seen), seed, start, rate, clip, steps, seen.trace)


def plane(seen: Looking, seed: int) -> Plane:
    """Two directions through the network's weights."""
    return _plane(key_of(seen), seed, seen.trace)


@st.cache_resource(show_spinner=False, max_entries=8)
def _health(
    run_id: str, epoch: int, recorded: int, failed: str, _seen: Looking
) -> tuple[Finding, ...]:
    del run_id, epoch, recorded
    return diagnose(_seen.trace, _seen.run.config, norms(_seen.view), failed)


def health(seen: Looking) -> tuple[Finding, ...]:
    """Of all layers, at the selected epoch."""
    view = seen.view
    failed = (view.where or "the run") if view.status == "failed" else ""
    return _health(seen.run.id, seen.trace.epoch, len(view.batches), failed, seen)


def norms(view: RunView) -> Float[np.ndarray, " N"]:
    """The gradient's recorded norms, before clipping."""
    return np.array([batch.gradient_norm for batch in view.batches], dtype=np.float64)


class OverEpochs(NamedTuple):
    """Gradient norms of one layer's state, of each epoch whose trace is kept."""

    epochs: Int[np.ndarray, " E"]
    norms: Float[np.ndarray, "E T"]
    left_out: int  # epochs that are kept but not shown


@st.cache_resource(show_spinner="Reading the run's traces …", max_entries=400)
def _of_epoch(run_id: str, epoch: int, _run: Run) -> list[Float[np.ndarray, "B T"]]:
    del run_id
    trace, _ = _run.trace(epoch)
    if trace is None:
        return []
    return [found.values for found in norms_of(trace)]  # a few kB of a trace of MBs


def over_epochs(seen: Looking, state: str) -> OverEpochs:
    """The norms of dL/dstate over time of the selected sequence and layer, epoch by epoch.

    Raises:
        TraceError: the trace holds no gradients.
    """
    kept = np.array(seen.view.traced)
    chosen = kept[np.unique(np.linspace(0, len(kept) - 1, min(len(kept), MOST_EPOCHS)).astype(int))]
    places = [(norms.layer.title, norms.state) for norms in norms_of(seen.trace)]
    place = places.index((seen.layer.title, state))
    length, rows, epochs = int(seen.trace.lengths[seen.chosen.sequence]), [], []
    for epoch in chosen.tolist():
        found = _of_epoch(seen.run.id, epoch, seen.run)
        if found:
            rows.append(found[place][seen.chosen.sequence, :length])
            epochs.append(epoch)
    return OverEpochs(np.array(epochs), np.array(rows), len(kept) - len(chosen))
