"""Back through time: the clipping wall, of the classic unit and of one's own network."""

from typing import NamedTuple

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.figures.wall import PATHS, loss_surface, path_words
from rnnviz.inside import wall
from rnnviz.inside.plane import Plane, length_of, plane_losses, points_for
from rnnviz.inside.prove import differ
from rnnviz.ui import backward_kept as kept
from rnnviz.ui import widgets
from rnnviz.ui.backward_about import about
from rnnviz.ui.backward_proof import prove
from rnnviz.ui.components.plot import plot
from rnnviz.ui.looking import Looking

W_ENDS, B_ENDS = (3.6, 6.0), (-3.0, -1.0)


class Descending(NamedTuple):
    """How a path goes down."""

    start: tuple[float, float]
    rate: float
    clip: float
    steps: int


def classic() -> None:
    """The unit that everybody can look at."""
    _classic()
    about("wall")


def walls(seen: Looking) -> None:
    """Both surfaces."""
    which = st.segmented_control(
        "Loss of",
        ["the classic unit", "your network"],
        default="the classic unit",
        key="wall",
        bind="query-params",
    )
    if which == "your network":
        _own(seen)
    else:
        _classic()
    about("wall")


def _classic() -> None:
    row = st.container(horizontal=True)
    w = row.number_input("Start w", *W_ENDS, 4.8, step=0.1, key="wall_w", bind="query-params")
    b = row.number_input("Start b", *B_ENDS, -2.2, step=0.1, key="wall_b", bind="query-params")
    how = _how(row, (w, b), rate=0.1, clip=0.5, steps=100, key="wall")
    paths = {
        name: wall.descend(wall.unit_gradient, how.start, rate=how.rate, clip=clip, steps=how.steps)
        for name, clip in zip(PATHS, (0.0, how.clip), strict=True)
    }
    figure = loss_surface(
        wall.unit_surface(W_ENDS, B_ENDS),
        paths,
        title="The clipping wall: one unit over 50 steps",
        axes=("w", "b"),
        dark=widgets.dark(),
    )
    plot(figure, key="wall_classic")
    for name, path in paths.items():
        loss = wall.unit_loss(path.points[-1:, 0], path.points[-1:, 1])
        st.markdown("- " + path_words(name, path, float(loss[0])))
    start = np.array(how.start)
    prove(
        "wall",
        r"\partial L / \partial w \text{ at the start}",
        lambda: differ(
            lambda by: float(wall.unit_loss(start[:1] + by, start[1:])[0]),
            float(wall.unit_gradient(start)[0]),
        ),
    )


def _own(seen: Looking) -> None:
    now = kept.done(seen)
    length, count = length_of(now.network), points_for(now.network, len(now.forward.top))
    row = st.container(horizontal=True)
    share = row.number_input(
        "Reach, share of ‖θ‖", 0.01, 5.0, 0.5, key="plane_reach",
        bind="query-params", help=f"All weights of the recurrent layers have norm {length:.3g}.",
    )  # fmt: skip
    seed = row.number_input("Seed of direction y", 0, 10_000, 0, key="plane_seed")
    x = row.number_input("Start x, share", -5.0, 5.0, 0.3, step=0.1, key="plane_x")
    y = row.number_input("Start y, share", -5.0, 5.0, 0.3, step=0.1, key="plane_y")
    how = _how(row, (x * length, y * length), rate=1.0, clip=0.1, steps=15, key="plane")
    surface = kept.surface(seen, int(seed), share * length, count)
    paths = {
        name: kept.descent(seen, int(seed), how.start, rate=how.rate, clip=clip, steps=how.steps)
        for name, clip in zip(PATHS, (0.0, how.clip), strict=True)
    }
    figure = loss_surface(
        surface,
        paths,
        title="The loss of this sequence around your network",
        axes=("x: along the gradient", "y: at right angles"),
        dark=seen.look.dark,
    )
    plot(figure, key="wall_own")
    plane = kept.plane(seen, int(seed))
    for name, path in paths.items():
        end = path.points[-1:]
        loss = plane_losses(plane, now.sequence, end[:, 0], end[:, 1])
        st.markdown("- " + path_words(name, path, float(loss[0])))
    _prove_own(now, plane, how)
    best = surface.loss[np.isfinite(surface.loss)].min()
    st.caption(
        f"{count} x {count} points, all run at once; the centre is the network of epoch "
        f"{seen.trace.epoch} with loss {now.forward.loss:.4g}, the lowest point has {best:.4g}."
    )


def _prove_own(now: kept.Done, plane: Plane, how: Descending) -> None:
    """The plane's slope along its first direction, where the path starts."""
    x, y = (np.array([place]) for place in how.start)
    prove(
        "plane",
        r"\partial L / \partial x \text{ at the start}",
        lambda: differ(
            lambda by: float(plane_losses(plane, now.sequence, x + by, y)[0]),
            float(plane.slope(now.sequence, np.array(how.start))[0]),
        ),
    )


def _how(
    row: DeltaGenerator,
    start: tuple[float, float],
    *,
    rate: float,
    clip: float,
    steps: int,
    key: str,
) -> Descending:
    """The controls that both share."""
    chosen_rate = row.number_input(
        "Learning rate", 0.001, 10.0, rate, format="%g", key=f"{key}_rate", bind="query-params"
    )
    chosen_clip = row.number_input(
        "Clip at norm", 0.001, 100.0, clip, format="%g", key=f"{key}_clip", bind="query-params"
    )
    most = 300 if key == "wall" else 40
    chosen_steps = row.number_input("Steps", 1, most, steps, key=f"{key}_steps")
    return Descending(start, chosen_rate, chosen_clip, int(chosen_steps))
