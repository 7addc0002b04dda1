"""What all visitors share, in Streamlit's cache with a bound each: runner, data sets, traces."""

import gc
import os
import secrets
import threading
import time
from pathlib import Path

import platformdirs
import streamlit as st

from rnnviz.config import DataConfig
from rnnviz.data import sources
from rnnviz.data.dataset import SequenceDataset
from rnnviz.data.reading import Opened, read_upload
from rnnviz.data.sandbox import Sandbox
from rnnviz.exchange import reading
from rnnviz.exchange.kept import Kept, open_kept
from rnnviz.runs import RUNNERS
from rnnviz.runs.arrays import Arrays
from rnnviz.runs.base import Runner
from rnnviz.runs.index import prune
from rnnviz.runs.run import Run
from rnnviz.trace import Survey, Trace
from rnnviz.ui import server


def home() -> Path:
    """Where runs, uploads and caches are kept: RNNVIZ_HOME, or the user's data folder."""
    return Path(os.environ.get("RNNVIZ_HOME") or platformdirs.user_data_dir("rnnviz"))


@st.cache_resource(show_spinner=False)
def runner() -> Runner:
    """The one runner of this server; RNNVIZ_RUNNER names another kind (tests)."""
    made = RUNNERS[os.environ.get("RNNVIZ_RUNNER", "local")](home())
    made.warm()
    prune(home(), now=time.time())  # once a start: what is kept stays within its bound
    return made


@st.cache_resource(show_spinner=False)
def settled(page: str, drawn: bool) -> None:
    """Called after each page: the first time, sets what is loaded by then aside from collection.

    Streamlit collects garbage after every run of a script, which with all of Plotly loaded takes
    longer than the run itself.
    """
    del page, drawn  # each kind of page loads something of its own
    gc.collect()
    gc.freeze()


@st.cache_resource(show_spinner=False)
def sandbox() -> Sandbox:
    """The one place where uploaded files are parsed."""
    return Sandbox()


@st.cache_resource(show_spinner=False)
def model_sandbox() -> Sandbox:
    """The one place where uploaded models are read."""
    return reading.model_sandbox()


@st.cache_resource(show_spinner=False, max_entries=3)
def model(model_id: str) -> Kept:
    """A model that somebody gave.

    Raises:
        DataError: it is gone.
    """
    return open_kept(home(), model_id)


@st.cache_resource(show_spinner="Preparing the data …", max_entries=6)
def dataset(config: DataConfig) -> SequenceDataset:
    """The data set of these settings.

    Raises:
        DataError: it cannot be made.
    """
    return sources.load(config, home())


@st.cache_resource(show_spinner="Reading the table …", max_entries=3)
def opened(config: DataConfig) -> Opened:
    """The table of an upload, by the settings that choose it and no others.

    Raises:
        DataError: it is gone or cannot be used.
    """
    return read_upload(config, home())


@st.cache_resource(show_spinner=False, max_entries=12)
def trace(run_id: str, epoch: int) -> tuple[Trace | None, Survey | None]:
    """The trace and the survey of an epoch.

    Raises:
        RunError: they are gone.
    """
    return Run.open(home(), run_id).trace(epoch)


@st.cache_resource(show_spinner=False, max_entries=12)
def arrays(run_id: str, epoch: int) -> Arrays:
    """What a Snapshot of a run holds.

    Raises:
        RunError: it is gone.
    """
    return Run.open(home(), run_id).arrays(epoch)


def owner() -> str:
    """Who this is: the browser's cookie; without cookies, this session."""
    known = server.owner(st.context.cookies)
    return known or st.session_state.setdefault("_owner", secrets.token_hex(16))


@st.cache_resource(show_spinner=False)
def one_at_a_time() -> threading.Lock:
    """Held while a run or a job begins: a second click calls back in another thread."""
    return threading.Lock()
