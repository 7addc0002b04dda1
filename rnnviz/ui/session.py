"""One visitor's runs, and what of them is selected.

Session state is read and written here, in given.py and in widgets.py alone.
"""

import hashlib
import re
import time
from dataclasses import dataclass
from itertools import count

import streamlit as st

from rnnviz.config import RunConfig, source_name
from rnnviz.errors import RunError
from rnnviz.events import Checkpointed, RunView
from rnnviz.exchange import own
from rnnviz.exchange.kept import Kept
from rnnviz.exchange.reading import APPLYING
from rnnviz.exchange.stored import Stored
from rnnviz.lockstep.settings import PROGRAMS as OF_LOCKSTEP
from rnnviz.runs.base import Runner
from rnnviz.runs.index import RunSummary, delete, list_runs
from rnnviz.runs.log import Reading
from rnnviz.runs.run import Run
from rnnviz.scratch.settings import PROGRAMS as OF_SCRATCH
from rnnviz.states import asked
from rnnviz.study.settings import PROGRAMS as OF_STUDY
from rnnviz.trace import LayerTrace, Survey, Trace, telling_step
from rnnviz.translation.settings import PROGRAMS as OF_TRANSLATION
from rnnviz.ui import common, widgets
from rnnviz.vectors.settings import PROGRAMS as OF_VECTORS

PROGRAM = "rnnviz.train:fit_stored"


# runs that a page starts for itself, by title; they never become the current one
PROGRAMS = {
    **OF_STUDY,
    **OF_SCRATCH,
    **OF_LOCKSTEP,
    **OF_TRANSLATION,
    **OF_VECTORS,
    **asked.PROGRAMS,
}


MOST_READINGS = 4  # runs of which what is known is kept: the current one, and those of a page


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
    whose = common.owner()  # a secret, so that such an id cannot be guessed either
    for attempt in count():
        of_what = repr((whose, kept.id, config, attempt))
        run_id = hashlib.sha256(of_what.encode()).hexdigest()[:20]
        try:
            failed = Run.open(common.home(), run_id, owner=whose).view().status == "failed"
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
        run = Run.open(common.home(), run_id, owner=common.owner())
    except RunError:
        return None
    if run.title != title:
        return None
    st.session_state[f"_{name}"] = run_id
    if st.query_params.get(name) != run_id:
        st.query_params[name] = run_id  # a change of pages empties the address
    return run


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
    whose, where, hands = common.owner(), common.home(), common.runner()
    with common.one_at_a_time():  # nothing in here looks at the session
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
    _runs_of.clear(common.owner())
    st.session_state["_run"] = run_id
    for key in ("epoch", "_begun", *PLACES):
        st.session_state.pop(key, None)
    widgets.note("pins", "")  # they are of the other run


def current() -> Run | None:
    """The run that this visitor looks at: the one chosen last, or the one in the address."""
    named = st.session_state.get("_run") or st.query_params.get("run", "")
    if not named:
        return None
    try:
        run = Run.open(common.home(), named, owner=common.owner())
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
    found = list_runs(common.home(), of_whom)  # a second for 500 runs: not at every drawing
    return tuple(summary for summary in found if summary.title not in PROGRAMS)


def my_runs() -> tuple[RunSummary, ...]:
    """The runs of this visitor, newest first, as they were at most 10 s ago."""
    return _runs_of(common.owner())


PLACES = ("sequence", "layer", "unit", "t")  # the selection's widgets besides the epoch
_PLACE = re.compile(r"[0-9]{1,6}")


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
    trace, found = (None, None) if epoch is None else common.trace(run.id, epoch)
    return None if trace is None else (trace, found)


def survey(run: Run, run_view: RunView) -> Survey | None:
    """The newest survey, whatever is selected."""
    epoch = latest(run_view)
    return None if epoch is None else common.trace(run.id, epoch)[1]


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


def begin(run: Run, trace: Trace) -> None:
    """The first time that somebody looks into a run: at the place that the address names, else at
    a telling step. From then on the session knows the place, and the address holds none."""
    if st.session_state.get("_begun") == run.id:
        return
    st.session_state["_begun"] = run.id
    named = {
        name: text for name in PLACES if _PLACE.fullmatch(text := st.query_params.get(name, ""))
    }
    for name, text in named.items():
        st.session_state[name] = int(text)
        st.query_params.pop(name)
    if "t" in named or st.session_state.get("t", 1) != 1:
        return
    chosen = selection(trace)
    length = int(trace.lengths[chosen.sequence])
    step = telling_step(trace.layers[chosen.layer], sequence=chosen.sequence, length=length)
    select(t=step)


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
    return common.trace(run.id, epoch)[0] if epoch in run_view.traced else None
