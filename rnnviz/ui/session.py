"""What belongs to one visitor: the current run, what is known of it, and what is selected.

The only reader and writer of st.session_state. What all visitors share (runner, sandbox, data
sets, traces) lives in Streamlit's resource cache, with a bound each.
"""

import contextlib
import gc
import hashlib
import os
import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import platformdirs
import streamlit as st
from streamlit.errors import StreamlitAPIException

from rnnviz.config import DataConfig, RunConfig, source_name
from rnnviz.data import sources
from rnnviz.data.dataset import SequenceDataset
from rnnviz.data.reading import Opened, read_upload
from rnnviz.data.sandbox import Sandbox
from rnnviz.errors import RunError
from rnnviz.events import Checkpointed, RunView
from rnnviz.exchange import own, reading
from rnnviz.exchange.kept import Kept, open_kept
from rnnviz.exchange.reading import APPLYING
from rnnviz.exchange.stored import Stored
from rnnviz.lockstep.settings import PROGRAMS as OF_LOCKSTEP
from rnnviz.runs import RUNNERS
from rnnviz.runs.arrays import Arrays
from rnnviz.runs.base import Runner
from rnnviz.runs.index import RunSummary, delete, list_runs, prune
from rnnviz.runs.log import Reading
from rnnviz.runs.run import Run
from rnnviz.scratch.settings import PROGRAMS as OF_SCRATCH
from rnnviz.states import asked
from rnnviz.study.settings import PROGRAMS as OF_STUDY
from rnnviz.trace import LayerTrace, Survey, Trace
from rnnviz.ui import server

PROGRAM = "rnnviz.train:fit_stored"
# runs that a page starts for itself, by title; they never become the current one
PROGRAMS = {**OF_STUDY, **OF_SCRATCH, **OF_LOCKSTEP, asked.TITLE: asked.PROGRAM}
Drawn = TypeVar("Drawn")
MOST_READINGS = 4  # runs of which what is known is kept: the current one, and those of a page


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
def _trace(run_id: str, epoch: int) -> tuple[Trace | None, Survey | None]:
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


# -- the current run -------------------------------------------------------------------------------


def start(
    config: RunConfig,
    run_id: str,
    *,
    until_step: int | None = None,
    until_epoch: int | None = None,
) -> None:
    """See to it that a run of this id is with the runner; it becomes the current one.

    Twice does no harm. It has to, because at a second click Streamlit calls back once more, in
    another thread, and breaks the first callback off at its next look at the session.

    Args:
        run_id: of new_id, made when the button was drawn.
        until_step, until_epoch: where it pauses by itself.

    Raises:
        RnnvizError: the run cannot be started; nothing is left of it.
    """
    _begin(config, run_id, until_step, until_epoch)
    choose(run_id)


def apply(kept: Kept, config: RunConfig) -> None:
    """The same for a model as it is: nothing is trained, what it does on the data is recorded.

    There is one such run of a visitor, a model and its data, whenever and wherever it is asked for.

    Raises:
        RnnvizError: the run cannot be started; nothing is left of it.
    """
    title = f"{kept.name}: {source_name(config.data)}"
    run_id = _applied_id(kept, config)
    _begin(config, run_id, None, None, program=APPLYING, title=title, model=kept.stored)
    choose(run_id)


def is_applied(kept: Kept, config: RunConfig) -> bool:
    """Whether the current run is of this model on these data, and has not failed."""
    run = current()
    return run is not None and run.id == _applied_id(kept, config)


def _applied_id(kept: Kept, config: RunConfig) -> str:
    """The id of this visitor's run of a model on data: one that has not failed, or is not yet."""
    whose = owner()  # a secret, so that such an id cannot be guessed either
    for attempt in count():
        of_what = repr((whose, kept.id, config, attempt))
        run_id = hashlib.sha256(of_what.encode()).hexdigest()[:20]
        try:
            failed = Run.open(home(), run_id, owner=whose).view().status == "failed"
        except RunError:
            return run_id
        if not failed:
            return run_id
    raise AssertionError("counting has no end")


def start_side(
    title: str, name: str, config: RunConfig, run_id: str, model: Stored | None = None
) -> None:
    """The same for a run of its own page, by a title of PROGRAMS; the current run stays.

    Args:
        name: under which the page finds it again, in the session and the address.
        model: what its program works on, if on any.

    Raises:
        RnnvizError: the run cannot be started; nothing is left of it.
    """
    _begin(config, run_id, None, None, program=PROGRAMS[title], title=title, model=model)
    st.session_state[f"_{name}"] = st.query_params[name] = run_id


def side_run(title: str, name: str) -> Run | None:
    """The run that start_side started, or the one in the address."""
    run_id = st.session_state.get(f"_{name}") or st.query_params.get(name, "")
    try:
        run = Run.open(home(), run_id, owner=owner())
    except RunError:
        return None
    if run.title != title:
        return None
    st.session_state[f"_{name}"] = run_id
    if st.query_params.get(name) != run_id:
        st.query_params[name] = run_id  # a change of pages empties the address
    return run


@st.cache_resource(show_spinner=False)
def _one_at_a_time() -> threading.Lock:
    return threading.Lock()


def _begin(
    config: RunConfig,
    run_id: str,
    step: int | None,
    epoch: int | None,
    *,
    program: str = PROGRAM,
    title: str = "",
    model: Stored | None = None,
) -> None:
    whose, where, hands = owner(), home(), runner()
    with _one_at_a_time():  # nothing in here looks at the session
        try:
            Run.open(where, run_id, owner=whose)
        except RunError:
            run = Run.create(
                where,
                config,
                owner=whose,
                now=time.time(),
                program=program,
                title=title,
                id=run_id,
            )
            _hand_over(run, hands, step, epoch, model)


def _hand_over(
    run: Run, hands: Runner, step: int | None, epoch: int | None, model: Stored | None
) -> None:
    try:
        if model is not None:
            _give(run, model)
        if step is not None:
            run.step_to(step)
        elif epoch is not None:
            run.epoch_to(epoch)
        hands.submit(run)
    except RunError:
        delete(run)
        raise


def _give(run: Run, model: Stored) -> None:
    """Put a model where other runs keep their checkpoint."""
    try:
        run.keep(Checkpointed(step=0, epoch=0, state=own.save(model)))
    except OSError as wrong:
        raise RunError(
            f"the model cannot be kept ({wrong.strerror}); make room on the server's disk"
        ) from None


def choose(run_id: str) -> None:
    """Make a run the current one; the list of the others is made anew."""
    _runs_of.clear(owner())
    st.session_state["_run"] = run_id
    for key in ("epoch", "t", "unit", "layer", "sequence"):
        st.session_state.pop(key, None)
    note("pins", "")  # they are of the other run


def current() -> Run | None:
    """The run that this visitor looks at: the one chosen last, or the one in the address."""
    named = st.session_state.get("_run") or st.query_params.get("run", "")
    if not named:
        return None
    try:
        run = Run.open(home(), named, owner=owner())
    except RunError:
        st.session_state.pop("_run", None)
        st.query_params.pop("run", None)
        return None
    st.session_state["_run"] = run.id
    if st.query_params.get("run") != run.id:
        st.query_params["run"] = run.id
    return run


def view(run: Run) -> RunView:
    """What is known of a run by now; looking at it keeps it going."""
    run.watch(time.time())
    readings = st.session_state.setdefault("_readings", {})
    reading = run.follow(readings.pop(run.id, Reading()))
    readings[run.id] = reading
    for forgotten in list(readings)[:-MOST_READINGS]:
        del readings[forgotten]
    return reading.view


@st.cache_resource(show_spinner=False, ttl=10, max_entries=100)
def _runs_of(of_whom: str) -> tuple[RunSummary, ...]:
    found = list_runs(home(), of_whom)  # a second for 500 runs: not at every drawing
    return tuple(summary for summary in found if summary.title not in PROGRAMS)


def my_runs() -> tuple[RunSummary, ...]:
    """The runs of this visitor, newest first, as they were at most 10 s ago."""
    return _runs_of(owner())


# -- the selection ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What all pages look at. Everything counts from 0, but for the epoch (0: before training)."""

    epoch: int
    sequence: int  # of the trace
    t: int
    layer: int  # of trace.layers: directions count on their own
    unit: int


def latest(run_view: RunView) -> int | None:
    """The last epoch whose trace is kept."""
    return run_view.traced[-1] if run_view.traced else None


def epoch_of(run_view: RunView) -> int | None:
    """The epoch that is selected: the latest, unless an earlier one was chosen."""
    chosen = st.session_state.get("epoch", "latest")
    if chosen == "latest" or int(chosen) not in run_view.traced:
        return latest(run_view)
    return int(chosen)


def trace_of(run: Run, run_view: RunView) -> tuple[Trace, Survey | None] | None:
    """The trace of the selected epoch, None while there is none."""
    epoch = epoch_of(run_view)
    trace, found = (None, None) if epoch is None else _trace(run.id, epoch)
    return None if trace is None else (trace, found)


def survey(run: Run, run_view: RunView) -> Survey | None:
    """The newest survey, whatever is selected."""
    epoch = latest(run_view)
    return None if epoch is None else _trace(run.id, epoch)[1]


def selection(trace: Trace) -> Selection:
    """What is selected, brought inside of the trace.

    The widgets of the sidebar are bound to the same names; they count from 1.
    """
    layer = _within("layer", len(trace.layers))
    sequence = _within("sequence", len(trace.sequences))
    return Selection(
        epoch=trace.epoch,
        sequence=sequence,
        t=_within("t", int(trace.lengths[sequence])),
        layer=layer,
        unit=_within("unit", trace.layers[layer].states.shape[-1]),
    )


def select(**places: int) -> None:
    """Change the selection, in a callback or before the sidebar is drawn; counts from 0."""
    for name, place in places.items():
        st.session_state[name] = int(place) + 1


def _within(name: str, count: int) -> int:
    try:
        wanted = int(st.session_state.get(name, 1))
    except (TypeError, ValueError):
        wanted = 1
    inside = min(max(wanted, 1), count)
    if inside != wanted:
        st.session_state[name] = inside
    return inside - 1


def layer_of(trace: Trace, chosen: Selection) -> LayerTrace:
    """The layer and direction that is selected."""
    return trace.layers[chosen.layer]


def trace_at(run: Run, run_view: RunView, epoch: int) -> Trace | None:
    """The trace of an epoch, None where it is not kept."""
    return _trace(run.id, epoch)[0] if epoch in run_view.traced else None


def note(name: str, text: str) -> None:
    """Keep a short text in the session and in the address; an empty one leaves the address."""
    st.session_state[f"_{name}"] = text
    if text:
        st.query_params[name] = text
    else:
        st.query_params.pop(name, None)


def noted(name: str) -> str:
    """What was kept under a name: in the session, else in the address a visitor came with."""
    there = st.query_params.get(name, "")
    text = st.session_state.setdefault(f"_{name}", there)
    if text != there:
        note(name, text)  # a change of pages empties the address
    return text


PART = "whatif_part"  # the key of the widget that chooses a part of a sequence


def keep_part() -> None:
    """Before its widget is drawn, if it is: without this, what is not drawn is forgotten."""
    if PART in st.session_state:
        st.session_state[PART] = st.session_state[PART]


def chosen_part(steps: int) -> tuple[int, int]:
    """First and last step, from 0, of the part that the next intervention is for."""
    usual = (steps // 2 + 1, max(steps * 3 // 4, steps // 2 + 1))
    first, last = st.session_state.setdefault(PART, usual)
    if last > steps:
        first, last = st.session_state[PART] = usual
    return first - 1, last - 1


def choose_part(first: int, last: int) -> None:
    """The same, in a callback; counts from 0."""
    st.session_state[PART] = (first + 1, last + 1)


# -- files -----------------------------------------------------------------------------------------


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
    with _one_at_a_time():
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


# -- what was drawn --------------------------------------------------------------------------------


def carry_over(page: str, keys: Iterable[str]) -> None:
    """Take settings along to another page; Streamlit loses there what came from the address."""
    if st.session_state.get("_page") == page:
        return
    st.session_state["_page"] = page
    for key in keys:
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]


def forget_unless(key: str, options: Sequence[object]) -> None:
    """The same for one widget, if what it holds is no longer to be had."""
    if key in st.session_state and st.session_state[key] not in options:
        del st.session_state[key]


def forget_unless_all(key: str, options: list[str]) -> None:
    """The same for a widget of several choices, as soon as one of them is no longer to be had."""
    if key in st.session_state and not set(st.session_state[key]) <= set(options):
        del st.session_state[key]


def keep_within(key: str, low: int, high: int) -> None:
    """Let a widget begin again where what it holds lies outside of its range."""
    if key in st.session_state and not low <= st.session_state[key] <= high:
        del st.session_state[key]


def begin(key: str, value: Any) -> None:
    """What a widget holds at first, where that depends on more than the widget."""
    st.session_state.setdefault(key, value)


def mark(key: str, value: tuple[int, int]) -> None:
    """Set a widget of a range, in a callback or before it is drawn."""
    st.session_state[key] = value


def marked(key: str) -> tuple[int, int] | None:
    """What such a widget holds."""
    return st.session_state.get(key)


def keep_among(key: str, options: list[str]) -> None:
    """Take out of what a widget of several choices holds all that is no longer to be had."""
    if key in st.session_state:
        st.session_state[key] = [each for each in st.session_state[key] if each in options]


def kept_figure(key: str, mark: tuple[object, ...], draw: Callable[[], Drawn]) -> Drawn:
    """The figure or scene drawn for this mark, drawn anew only at another one."""
    before, figure = st.session_state.get(f"_figure_{key}", (None, None))
    if before != mark:
        figure = draw()
        st.session_state[f"_figure_{key}"] = (mark, figure)
    return figure


def notice(text: str | None = None) -> str:
    """Leave a sentence for the next drawing, or take what was left."""
    if text is None:
        return st.session_state.pop("_notice", "")
    st.session_state["_notice"] = text
    return text


def say(key: str, value: str, words: str) -> None:
    """Set a choice in a callback, and put it into the address, whether its widget is drawn or not.

    Args:
        key: of the widget.
        value: of the choice.
        words: that people see, which stand in the address.
    """
    st.session_state[key] = value
    with contextlib.suppress(StreamlitAPIException):  # its widget is there, and does so itself
        st.query_params[key] = words


def suggest(values: Mapping[str, Any]) -> None:
    """Set widgets, in a callback or before they are drawn, whatever the address says of them."""
    st.session_state.update(values)
    for key in values:
        if key in st.query_params:
            with contextlib.suppress(StreamlitAPIException):  # its widget is there, and does so
                del st.query_params[key]


def blocks() -> str:
    """The blocks that the settings hold now, wherever their widget stands."""
    return str(st.session_state.get("blocks", DataConfig().blocks))


def source() -> str:
    """The source of data that the settings name now, wherever its widget stands."""
    return str(st.session_state.get("source", DataConfig().source))


def world() -> str:
    """The small world that the settings name now, wherever its widget stands."""
    return str(st.session_state.get("world", DataConfig().world))


def seed(default: int) -> int:
    """The seed that the settings hold now, wherever its widget stands."""
    return int(st.session_state.get("seed", default))


def dark() -> bool:
    """Whether the page is dark."""
    return st.context.theme.type == "dark"
