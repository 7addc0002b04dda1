"""The branches of a generated text: a list that is a tree, undo, and any token at all."""

import streamlit as st

from rnnviz.errors import TraceError
from rnnviz.inside import branching
from rnnviz.inside.branching import Branch, Node
from rnnviz.inside.shaping import choice
from rnnviz.ui import controls, widgets
from rnnviz.ui.components.speak import Other
from rnnviz.ui.speaking import FORCED, Experiment, branch_off, look_at
from rnnviz.ui.words import number

INDENT = "\N{EM SPACE}"


def listed(done: Experiment) -> None:
    """All branches, with what each is worth; the one that is looked at can be undone."""
    st.markdown("##### Branches")
    nodes = branching.tree(done.branches)
    if len(nodes) == 1:
        st.caption(
            "Click another token's bar: the text goes on from there, and what stands before stays. "
            "Each such choice is a branch, kept here and in the address."
        )
        return
    for k, node in enumerate(nodes):
        _row(done, node, k)
    row = st.container(horizontal=True)
    now = done.branches[0]
    row.button(
        "Undo",
        key="do_unbranch",
        help="Without the branch that is looked at.",
        on_click=_undo,
        args=(done,),
        disabled=not now,
    )
    row.button("Forget all", key="do_unbranch_all", on_click=widgets.note, args=(FORCED, ""))


def _row(done: Experiment, node: Node, k: int) -> None:
    looked_at = node.branch == done.branches[0]
    found = done.of(node.branch)
    st.button(
        INDENT * node.depth + controls.escaped(named(done, node.branch)),
        key=f"branch_{k}",
        on_click=_look,
        args=(done, node.branch),
        type="primary" if looked_at else "secondary",
        width="stretch",
    )
    st.caption(f"log-probability {number(found.total)} nats, perplexity {number(found.perplexity)}")


def named(done: Experiment, branch: Branch) -> str:
    """Such as "13: 'e' for 'a'", by its last choice and what would have been drawn there."""
    if not branch:
        return "as it was drawn"
    names, given = done.dataset.vocabulary, done.spoken.given
    last = branch[-1]
    place = given + last.position + 1
    if last.position >= done.plan.length:
        return f"{place}: {names[last.token]!r}, beyond the text"
    drawn = int(done.of(branch[:-1]).tokens[given + last.position])
    return f"{place}: {names[last.token]!r} for {names[drawn]!r}"


def _look(done: Experiment, branch: Branch) -> None:
    """Callback: look at a branch, at its last choice."""
    try:
        found = branching.looked_at(done.branches, branch)
    except TraceError as wrong:
        widgets.notice(str(wrong))
        return
    widgets.note(FORCED, branching.written(found))
    if branch:
        look_at(done.spoken.given + branch[-1].position)


def _undo(done: Experiment) -> None:
    """Callback: as if the last choice had not been made."""
    widgets.note(FORCED, branching.written(branching.undone(done.branches)))
    look_at(done.spoken.given + done.branches[0][-1].position)


def any_token(done: Experiment) -> None:
    """Go on from the chosen place with whatever token of the vocabulary."""
    place, given, names = done.place, done.spoken.given, done.dataset.vocabulary
    if place < given:
        st.caption(
            f"Token {place + 1} belongs to the prefix: to change it, write another prefix. From "
            f"token {given + 1} on, another token can be chosen."
        )
        return
    found = choice(done.spoken.scores_at(place), done.plan.shaping)
    options = [int(token) for token in found.order]
    row = st.container(horizontal=True, vertical_alignment="bottom")
    token = row.selectbox(
        f"At token {place + 1}, any token, the likeliest first",
        options,
        key=f"say_token_{place}",  # another place begins with its own likeliest
        format_func=lambda token: f"{names[token]!r}  {100 * found.plain[token]:.3g} %",
    )
    row.button(
        "Go on with it",
        key="do_branch",
        on_click=branch_off,
        args=(done, Other(place=place, token=token)),
    )
