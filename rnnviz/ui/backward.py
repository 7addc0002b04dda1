"""Back through time: the gradient over time and epochs, the matrix, and the Jacobians."""

import numpy as np
import streamlit as st
from jaxtyping import Float, Int

from rnnviz.figures import VIEWS
from rnnviz.figures.backward import epochs_heatmap, matrix_heatmap, product_lines, told
from rnnviz.figures.clock import Clock
from rnnviz.inside.jacobians import Products
from rnnviz.inside.matrix import Matrix
from rnnviz.inside.prove import Spot, prove_norm, prove_product, prove_state
from rnnviz.ui import backward_kept as kept
from rnnviz.ui import session, widgets
from rnnviz.ui.backward_about import about
from rnnviz.ui.backward_proof import prove
from rnnviz.ui.components.plot import Clicked, plot
from rnnviz.ui.looking import Looking
from rnnviz.ui.words import number


def state_of(seen: Looking) -> int:
    """Which state's gradient is shown, by its place; asked for where there are several."""
    names = list(seen.layer.state_names)
    if len(names) == 1:
        return 0
    if st.session_state.get("state", names[0]) not in names:
        del st.session_state["state"]
    picked = st.segmented_control(
        "Gradient by",
        names,
        default=names[0],
        key="state",
        format_func={"h": "state h", "c": "memory c"}.__getitem__,
        bind="query-params",
    )
    return names.index(picked or names[0])


def clock_of(seen: Looking) -> Clock:
    """Of the selected sequence, up to its length."""
    return seen.look.clock_for(int(seen.trace.lengths[seen.chosen.sequence]))


def over_time(seen: Looking) -> None:
    """The gradient's norm, step by step and epoch by epoch."""
    state = state_of(seen)
    name = seen.layer.state_names[state]
    plot(VIEWS["gradients"].draw(seen.trace, seen.look), key="flow", on_click=seen.click)
    found = kept.over_epochs(seen, name)
    plot(
        epochs_heatmap(
            found.norms,
            found.epochs,
            name=name,
            clock=clock_of(seen),
            epoch=seen.trace.epoch,
            step=seen.chosen.t,
            dark=seen.look.dark,
        ),
        key="over_epochs",
        on_click=seen.click,
    )
    left = f" {found.left_out} kept epochs are left out." if found.left_out else ""
    st.caption(f"{seen.layer.title.capitalize()}; epochs whose trace is kept.{left}")
    _prove_state(seen, state)
    about("time")


def _prove_state(seen: Looking, state: int) -> None:
    now, chosen = kept.done(seen), seen.chosen
    spot = Spot(place=chosen.layer, state=state, t=chosen.t)
    name = seen.layer.state_names[state]
    prove(
        "state",
        rf"\partial L / \partial {name}_{{{chosen.t + 1},\,{chosen.unit + 1}}}",
        lambda: prove_state(now.network, now.sequence, spot, chosen.unit),
        lambda: _largest(now.gradients.ways[chosen.layer].states[state], seen),
    )
    st.caption(f"Step {chosen.t + 1}, unit {chosen.unit + 1}: choose others in the sidebar.")


def _largest(grads: Float[np.ndarray, "T N H"], seen: Looking) -> None:
    """Select the step and unit of the largest gradient; a backward layer reads from the end."""
    t, _, unit = np.unravel_index(np.abs(grads).argmax(), grads.shape)
    session.select(t=len(grads) - 1 - t if seen.layer.reverse else t, unit=unit)


def matrix(seen: Looking) -> None:
    """Every loss by every state."""
    state = state_of(seen)
    name, found = seen.layer.state_names[state], kept.matrix(seen)
    loss = _loss_step(found.losses)
    now, chosen = kept.done(seen), seen.chosen

    def click(clicked: Clicked) -> None:
        at = Clock.of(seen.dataset).step_at(clicked.y)
        nearest = int(found.losses[np.abs(found.losses - at).argmin()])
        widgets.suggest({"loss_step": nearest + 1})
        seen.click(clicked)

    picture = matrix_heatmap(
        found,
        chosen.layer,
        state,
        name=name,
        clock=clock_of(seen),
        step=chosen.t,
        loss=loss,
        dark=seen.look.dark,
    )
    plot(picture, key="matrix", on_click=click)
    row = int(np.flatnonzero(found.losses == loss)[0])
    norms = found.norms[chosen.layer][state][row]
    _matrix_words(now, found, row, norms, chosen.t)
    spot = Spot(place=chosen.layer, state=state, t=chosen.t)
    prove(
        "matrix",
        rf"\lVert \partial L_{{{loss + 1}}} / \partial {name}_{{{chosen.t + 1}}} \rVert",
        lambda: prove_norm(now.network, now.sequence, spot, loss_step=loss),
        lambda: session.select(t=int(norms.argmax())),
    )
    about("matrix")


def _matrix_words(
    now: kept.Done, found: Matrix, row: int, norms: Float[np.ndarray, " T"], t: int
) -> None:
    """The selected cell in words, and what the rows are."""
    loss = int(found.losses[row])
    share = f", {norms[t] / norms[loss]:.2g} of what reaches its own step" if norms[loss] else ""
    st.markdown(
        f"Loss at step **{loss + 1}** ({number(float(found.values[row]), 4)}), state at step "
        f"**{t + 1}**: norm **{norms[t]:.3g}**{share}."
    )
    if not now.network.readout.every_step:
        st.caption("The network predicts at the end; a row asks what if the end were there.")
    steps, counted = len(now.forward.top), now.sequence.counted
    if counted is not None and not counted.all():
        st.caption(f"{int(counted.sum())} of {steps} steps have a target, and so a loss.")
    if len(found.losses) < (steps if counted is None else counted.sum()):
        st.caption(f"{len(found.losses)} losses are followed, evenly spaced.")


def _loss_step(losses: Int[np.ndarray, " L"]) -> int:
    """The selected loss step, from 0, among those that are followed."""
    options = (losses + 1).tolist()
    if st.session_state.get("loss_step", options[-1]) not in options:
        del st.session_state["loss_step"]
    if len(options) == 1:
        return int(losses[0])
    st.session_state.setdefault("loss_step", options[-1])
    return int(st.select_slider("Loss at step", options, key="loss_step")) - 1


def jacobians(seen: Looking) -> None:
    """What arrives of a nudge, its bounds, and the gates' product."""
    chosen, steps = seen.chosen, int(seen.trace.lengths[seen.chosen.sequence])
    first, last = (steps - 1, 0) if seen.layer.reverse else (0, steps - 1)
    t = last if chosen.t == first else chosen.t  # nothing lies before the first step that is read
    found = kept.jacobians(seen, t)
    reach = len(found.norm) - 1
    if reach == 0:
        st.info("This sequence has a single step: there is nothing to go back to.")
        about("jacobians")
        return
    if st.session_state.get("distance", 1) > reach:
        st.session_state["distance"] = reach
    distance = 1
    if reach > 1:
        st.session_state.setdefault("distance", min(10, reach))
        distance = st.slider("Distance d", 1, reach, key="distance")
    plot(
        product_lines(found, step=t, distance=distance, dark=seen.look.dark),
        key="products",
        on_click=lambda clicked: widgets.suggest(
            {"distance": int(min(max(round(float(clicked.x)), 1), reach))}
        ),
    )
    st.markdown(_product_words(found, distance))
    if t != chosen.t:
        st.caption("From the last step: nothing lies before the selected one.")
    if found.unreached:
        st.caption(f"{found.unreached} steps before these are not followed: the network is large.")
    now = kept.done(seen)
    if not now.network.ways[chosen.layer].reverse and not np.isneginf(found.norm[distance]):
        prove(
            "product",
            rf"\lVert \partial s_{{{t + 1}}} / \partial s_{{{t + 1 - distance}}} \rVert",
            lambda: prove_product(now.network, now.sequence, chosen.layer, t - distance, t),
            lambda: widgets.suggest({"distance": 1}),
        )
    about("jacobians")


def _product_words(found: Products, distance: int) -> str:
    """The numbers at one distance."""
    words = (
        f"Over **{distance}** steps the norm is **{told(found.norm[distance])}**; the product of "
        f"the norms allows {told(found.bound[distance])}"
    )
    if found.slope_bound is not None:
        words += f", the bound by ‖U‖ {told(found.slope_bound[distance])}"
    if found.kept is not None:
        gate, products = found.kept_gate, found.kept[distance]
        words += (
            f". The product of {gate} is {told(float(products.max()))} in the largest unit and "
            f"{told(float(np.median(products)))} in the middle one"
        )
    return words + "."
