"""Beam search as a tree that grows step by step; played in the browser."""

import hashlib
from collections.abc import Callable, Sequence

import orjson
import streamlit as st

from rnnviz.translation.beam import ENDED, KEPT, Tree
from rnnviz.ui.components import mount
from rnnviz.ui.components.tokens import read_index


def tree(
    searched: Tree,
    vocabulary: Sequence[str],
    *,
    winner: int,
    given: int,
    key: str,
    dark: bool,
    on_node: Callable[[int], None],
) -> None:
    """Show the tree.

    Args:
        winner: the node of the output that is ranked first.
        given: how many of the first tokens somebody gave.
        key: names the view within its page.
        dark: for a dark page.
        on_node: called before the rerun with the node that somebody wants to go on from.
    """
    count = len(searched.nodes)

    def chosen() -> None:
        node = read_index(st.session_state[key].get("node"), count)
        if node:
            on_node(node)

    mount(
        "tree",
        css=True,
        key=key,
        data=message(searched, vocabulary, winner=winner, given=given, dark=dark),
        on_node_change=chosen,
    )


def message(
    searched: Tree, vocabulary: Sequence[str], *, winner: int, given: int, dark: bool
) -> bytes:
    """What travels to the browser, as JSON; its id stays while only the ranking changes."""
    rows, steps = rows_of(searched), searched.steps
    nodes = [
        {
            "step": node.step,
            "token": vocabulary[node.token],
            "chance": node.log_probability,
            "total": node.total,
            "parent": node.parent,
            "fate": node.fate,
            "row": row,
        }
        for node, row in zip(searched.nodes, rows, strict=True)
    ]
    ended = [sum(n.fate == ENDED and n.step <= t for n in searched.nodes) for t in range(steps + 1)]
    live = [sum(n.fate == KEPT and n.step == t for n in searched.nodes) for t in range(steps + 1)]
    path = [winner]
    while searched.nodes[path[-1]].parent >= 0:
        path.append(searched.nodes[path[-1]].parent)
    content = {
        "nodes": nodes,
        "steps": steps,
        "width": searched.width,
        "left": [searched.width - count for count in ended],
        "parents": [0, *live[:-1]],
        "alive": [sorted(searched.alive(t)) for t in range(steps + 1)],
        "vocabulary": len(vocabulary),
        "given": given,
        "dark": dark,
    }
    digest = hashlib.blake2b(orjson.dumps(content), digest_size=8).hexdigest()
    return orjson.dumps({**content, "id": digest, "winner": path})


def rows_of(searched: Tree) -> list[int]:
    """In which line each node stands: of a step the kept ones first, best on top."""
    rows, next_row = [], dict.fromkeys(range(searched.steps + 1), 0)
    for node in searched.nodes:  # they stand in the order of their totals
        rows.append(next_row[node.step])
        next_row[node.step] += 1
    return rows
