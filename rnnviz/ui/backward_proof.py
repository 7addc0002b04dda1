"""'Prove it': a shown gradient beside the finite difference of the same thing."""

from collections.abc import Callable

import streamlit as st

from rnnviz.inside.prove import Proof

GOOD = 1e-4  # relative: what a central difference of this width can promise


def prove(
    key: str, what: str, make: Callable[[], Proof], instead: Callable[[], None] | None = None
) -> None:
    """A switch; while it is on, both numbers.

    Args:
        what: the quantity, in LaTeX.
        make: computes both; runs the network twice.
        instead: selects where the gradient is largest, for when this one is too small.
    """
    if not st.toggle(
        "Prove it",
        key=f"prove_{key}",
        help="Runs the network twice, with this number moved a little up and down, and compares "
        "what the loss does with the gradient that is shown.",
    ):
        return
    proof = make()
    st.markdown(
        f"| ${what}$ | |\n|---|---|\n"
        f"| shown, in closed form | `{proof.shown:.10g}` |\n"
        f"| finite difference, ± {proof.nudge:g} | `{proof.difference:.10g}` |\n"
        f"| relative difference | `{proof.error:.1e}` |"
    )
    st.caption(verdict(proof))
    if instead is not None and not proof.conclusive:
        st.button("Go where it is largest", key=f"do_largest_{key}", on_click=instead)


def verdict(proof: Proof) -> str:
    """What the two numbers say."""
    if proof.shown == proof.difference == 0:
        return "Both are exactly zero: nothing leads from here to there."
    if not proof.conclusive:
        return (
            "This gradient is so small that the difference is mostly rounding "
            f"(about {proof.resolution:.0e}): it can be neither proved nor refuted this way."
        )
    if proof.error <= GOOD:
        return "Proved: both agree as closely as a finite difference can."
    return (
        "They differ. A squash with a kink (ReLU, hard sigmoid) may lie between the two runs; "
        "else the shown number would be wrong."
    )
