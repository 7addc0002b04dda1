"""One update in slow motion, on the Inside page: forward, loss, backward, clip, step."""

from dataclasses import asdict

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.config import OPTIMISERS, RunConfig
from rnnviz.events import RunView
from rnnviz.figures.motion import Motion, motion
from rnnviz.figures.unrolled import Scene
from rnnviz.inside.network import Network, sequence_of
from rnnviz.inside.update import updated
from rnnviz.ui import widgets
from rnnviz.ui.components import motion as component
from rnnviz.ui.components.places import Place
from rnnviz.ui.looking import Looking

TITLE = "One update in slow motion"


def wanted() -> bool:
    """The switch between looking at a sequence and seeing one update made on it."""
    return st.toggle(
        TITLE,
        key="motion",
        help="Forward, loss, backward, clip, step: one after the other on the same drawing.",
        bind="query-params",
        persist_state="session",
    )


def update(seen: Looking, scene: Scene, place: Place, above: DeltaGenerator) -> None:
    """One plain step on the selected sequence, played on the drawing, which stands `above`."""
    played = _played(seen, scene)
    with above:
        component.motion(scene, played, place=place, key="motion_view", dark=seen.look.dark)
    st.caption(" ".join(_notes(seen)))
    with st.expander("About this update"):
        _about()
    st.download_button(
        "Every matrix as CSV",
        lambda: pd.DataFrame([asdict(one) for one in played.matrices]).to_csv(index=False).encode(),
        f"update_epoch_{seen.trace.epoch}_sequence_{seen.chosen.sequence + 1}.csv",
        "text/csv",
        on_click="ignore",
    )


def _about() -> None:
    """The equations, and where they are from."""
    st.latex(r"g = \frac{\partial L}{\partial w} \qquad \lVert g \rVert = \sqrt{\sum_w g_w^2}")
    st.latex(
        r"k = \min\!\left(1, \frac{c}{\lVert g \rVert + 10^{-6}}\right) \qquad "
        r"\Delta w = -\eta \, k \, g"
    )
    st.markdown(
        "L is the loss of this sequence, w are all weights together, c is the length at which the "
        "gradient is clipped, η the learning rate. The gradient comes in closed form from the "
        "states that were kept; the loss after the step from a second forward pass with the new "
        "weights, both in double precision. Shortening a gradient that is too long, and keeping "
        "its direction, is the remedy of Pascanu, Mikolov and Bengio (2013) for gradients that "
        "explode."
    )


def _played(seen: Looking, scene: Scene) -> Motion:
    """Computed once for a sequence, an epoch and the units that are drawn."""
    config = seen.run.config
    rate, threshold = rate_at(seen.view, seen.trace.step, config), config.training.clip_norm
    units = tuple(row.units for row in scene.rows)
    mark = (seen.run.id, seen.trace.epoch, seen.chosen.sequence, rate, units)

    def compute() -> Motion:
        network = Network.of(seen.trace)
        sequence = sequence_of(seen.trace, seen.chosen.sequence)
        step = updated(network, sequence, rate=rate, threshold=threshold)
        return motion(scene, network, sequence, step)

    return widgets.kept_figure("motion", mark, compute)


def rate_at(view: RunView, step: int, config: RunConfig) -> float:
    """The learning rate that held after so many optimiser steps."""
    changed = [change.learning_rate for change in view.rates if change.step <= step]
    return changed[-1] if changed else config.training.learning_rate


def _notes(seen: Looking) -> list[str]:
    config = seen.run.config
    notes = [
        f"A plain step on this one test sequence, with the run's learning rate and clipping, from "
        f"the weights after epoch {seen.trace.epoch}; the run itself is not changed."
    ]
    optimiser = config.training.optimiser
    if optimiser != "sgd":
        notes.append(
            f"The run learns by {OPTIMISERS[optimiser]}, which also scales the step of each weight "
            "by the gradients before, and so moves the weights by other amounts."
        )
    if config.model.dropout:
        notes.append("Dropout is off here.")
    return notes
