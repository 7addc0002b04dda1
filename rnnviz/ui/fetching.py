"""The offer to fetch the real NHANES, its progress, and what came of it."""

import streamlit as st

from rnnviz.data.cdc import ADDRESS
from rnnviz.data.fetched import NAME, start, status_of, stop
from rnnviz.data.uploads import open_upload
from rnnviz.errors import DataError
from rnnviz.ui import common, controls, given

EVERY = 1.0  # between two looks [s]


def offer() -> None:
    """What there is to fetch, a button, and how far it is."""
    told = status_of(common.home())
    open_at_first = given.fetching() is not None or bool(told.trouble)
    with st.expander(f"Get {NAME} itself", expanded=open_at_first):
        st.caption(
            "The accelerometer study of the CDC: about 0.8 GB, fetched by this computer and kept; "
            "it goes on where it broke off. Public use data: for statistics only."
        )
        if given.fetching() is not None:
            st.fragment(_progress, run_every=EVERY)()
            st.button("Stop", key="do_fetch_stop", on_click=_stop)
            return
        st.text_input(
            "Address",
            ADDRESS,
            key="fetch_address",
            persist_state="session",  # it is not drawn while a fetch goes on
            help="Where the CDC's folders by year lie.",
        )
        if told.trouble:
            st.error(controls.escaped(told.trouble))
        if told.upload and _kept(told.upload):
            st.button(
                "Use what was fetched", key="do_fetch_use", on_click=_use, args=(told.upload,)
            )
        else:
            st.button("Fetch", key="do_fetch", on_click=_start)


def _progress() -> None:
    job, told = given.fetching(), status_of(common.home())
    st.progress(told.share, text=controls.escaped(str(told)))
    if job is None or job.poll() is not None:
        given.fetching_is_over()
        if told.upload:
            _use(told.upload)
        st.rerun()


def _kept(upload_id: str) -> bool:
    try:
        open_upload(common.home(), upload_id)
    except DataError:
        return False
    return True


def _start() -> None:
    # What stands in the field now: a click that follows typing comes with it, before any drawing.
    address = st.session_state["fetch_address"]
    given.fetch(lambda: start(common.home(), address))


def _stop() -> None:
    job = given.fetching()
    if job is not None:
        stop(job)
    given.fetching_is_over()


def _use(upload_id: str) -> None:
    given.uploaded("file", upload_id)
