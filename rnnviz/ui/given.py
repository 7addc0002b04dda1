"""What a visitor gives and takes: uploads, files that are being prepared, the fetching job."""

import subprocess
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import streamlit as st

from rnnviz.ui import common


def upload_id(kind: str) -> str:
    """The id of this visitor's last "file", "model" or pasted "text", or ""."""
    known = st.session_state.get(f"_{kind}") or st.query_params.get(kind, "")
    if known and st.query_params.get(kind) != known:
        st.query_params[kind] = known  # a change of pages empties the address
    return known


def uploaded(kind: str, upload_id: str) -> None:
    """Remember an upload; its id stands in the address, so that a reload finds it."""
    st.session_state[f"_{kind}"] = upload_id
    st.query_params[kind] = upload_id


@st.cache_resource(show_spinner=False)
def _writers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1)  # of this server; whoever comes second waits


def prepared(mark: tuple[object, ...]) -> Future[bytes] | None:
    """The file that is being prepared for this mark, if that was asked for last."""
    before, data = st.session_state.get("_prepared", (None, None))
    return data if before == mark else None


def prepare(mark: tuple[object, ...], write: Callable[[], bytes]) -> None:
    """Begin to prepare a file, unless that is going on; one at a time, as it may be large."""
    before, data = st.session_state.get("_prepared", (None, None))
    if data is not None:
        if before == mark and not data.done():
            return
        data.cancel()  # where it has not begun
    st.session_state["_prepared"] = (mark, _writers().submit(write))


def uploads() -> int:
    """Changes after each upload, so that the widget forgets the bytes it holds."""
    return st.session_state.get("_uploads", 0)


def next_upload() -> None:
    """Empty the upload widget."""
    st.session_state["_uploads"] = uploads() + 1


@st.cache_resource(show_spinner=False)
def _jobs() -> dict[str, subprocess.Popen[bytes]]:
    return {}  # of this server: one fetch is for all visitors


def fetch(begin: Callable[[], subprocess.Popen[bytes]]) -> None:
    """Begin to fetch, unless that is going on."""
    with common.one_at_a_time():
        if fetching() is None:
            _jobs()["nhanes"] = begin()


def fetching() -> subprocess.Popen[bytes] | None:
    """The process that fetches, also when it has just ended."""
    return _jobs().get("nhanes")


def fetching_is_over() -> None:
    """Forget it."""
    job = _jobs().pop("nhanes", None)
    if job is not None and job.stdin is not None:
        job.stdin.close()
