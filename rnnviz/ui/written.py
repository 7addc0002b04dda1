"""A model's file that another process writes: asked for, waited for, taken."""

from collections.abc import Callable
from concurrent.futures import Future

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.errors import RnnvizError
from rnnviz.ui import controls, given

OFTEN = 0.5  # between two looks at a file that is being written [s]


def offer(
    row: DeltaGenerator,
    mark: tuple[object, ...],
    write: Callable[[], bytes],
    *,
    name: str,
    label: str,
    key: str,
) -> None:
    """A button that has the file written, and then one that gives it.

    Args:
        mark: what the file depends on.
        name: the file's.
        label: of the first button.
        key: what both buttons' keys end in.
    """
    file = given.prepared(mark)
    # Not as deferred data of the download button: what fails there is never told.
    row.button(
        label,
        key=f"do_prepare{key}",
        on_click=given.prepare,
        args=(mark, write),
        disabled=file is not None and not file.done(),
    )
    if file is None:
        return
    if file.done():
        _give(row, file, name, key)
    else:
        st.fragment(_waiting, run_every=OFTEN)(file, name)


def _waiting(file: Future[bytes], name: str) -> None:
    """What is waited for; the rest of the page goes on meanwhile."""
    if file.done():
        st.rerun()
    st.status(
        f"Writing {name}. A process of its own loads PyTorch first, which takes a few seconds; "
        "you can go on here meanwhile."
    )


def _give(row: DeltaGenerator, file: Future[bytes], name: str, key: str) -> None:
    """The file for its download, or why there is none."""
    try:
        data = file.result()
    except RnnvizError as wrong:
        st.error(controls.escaped(str(wrong)))
        return
    row.download_button(
        f"Download {name}",
        data,
        name,
        "application/octet-stream",
        key=f"download_model{key}",
        on_click="ignore",
        type="primary",
    )
