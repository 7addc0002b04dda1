"""The states of all sequences, for the pages that search in them: asked for once, then kept."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from rnnviz.config import RunConfig
from rnnviz.data.dataset import SequenceDataset
from rnnviz.errors import RnnvizError
from rnnviz.events import RunView
from rnnviz.exchange import own
from rnnviz.exchange.reading import APPLYING
from rnnviz.runs.run import Run, new_id
from rnnviz.states.asked import TITLES, stored_of_trace
from rnnviz.states.store import MOST_BYTES, States, digest, fitting, open_states
from rnnviz.trace import Trace
from rnnviz.ui import common, controls, live, session, widgets
from rnnviz.ui.looking import Looking
from rnnviz.ui.words import State, amount

NAMES = {"h": "states", "c": "memories"}  # of the run that reads, in the address
EVERY = 0.5  # between two looks at it [s]


def states_of(seen: Looking, symbol: str = "h") -> States | None:
    """What is kept for the epoch that is looked at; None until it is, and says how to get it.

    Args:
        symbol: of the state, h or c.
    """
    model, names = _asked(seen.run.id, seen.trace.epoch, seen.run, seen.trace, seen.dataset)
    found = open_states(common.home(), names[symbol])
    if found is None:
        _read(seen, model, symbol)
        return None
    left_out = len(seen.dataset.ids) - len(found.rows)
    if left_out:
        st.caption(
            f"{len(found.rows):,} of {len(seen.dataset.ids):,} sequences, those of the test part "
            f"before all others: the states of one network may take {MOST_BYTES / 1e9:.0f} GB."
        )
    return found


@st.cache_resource(show_spinner=False, max_entries=12)
def _asked(
    run_id: str, epoch: int, _run: Run, _trace: Trace, _dataset: SequenceDataset
) -> tuple[bytes, Mapping[str, str]]:
    """The network as a file, and the names under which its states are kept, by their symbols."""
    del run_id, epoch  # what the others depend on
    state = _run.checkpoint() if _run.program == APPLYING else None
    if state is None:
        stored = stored_of_trace(_trace, _run.config.model, _dataset)
        state = own.save(stored)
    return state, {symbol: digest(state, _run.config.data, symbol) for symbol in TITLES}


def _read(seen: Looking, model: bytes, symbol: str) -> None:
    """A button that has them read, and how far that is."""
    units = sum(layer.states.shape[-1] for layer in seen.trace.layers)
    rows = fitting(len(seen.dataset.ids), seen.dataset.steps, units)
    size = 2.0 * rows * seen.dataset.steps * units
    title, name = TITLES[symbol], NAMES[symbol]
    run = session.side_run(title, name)
    before = live.look(run) if run else None
    if run is None or before is None or not before[1].active:
        if before is not None and before[1].kind == "failed":
            st.error(controls.escaped(before[1].text))
        st.markdown(
            f"To search in all {rows:,} sequences, the network has to read them once "
            f"(epoch {seen.trace.epoch}). Their states {symbol} are kept: {amount(size)} on the "
            "server."
        )
        st.button(
            f"Read all {rows:,} sequences",
            key="do_states",
            type="primary",
            on_click=partial(_start, title, name, seen.run.config, model, new_id()),
        )
        return

    def draw(view: RunView, state: State) -> None:
        st.progress(state.done, text=_progress(view, state))

    live.ticking(draw, run, before, every=EVERY, name="states")


def _progress(view: RunView, state: State) -> str:
    if view.started is None or not view.found:
        return state.text
    total = view.started.sizes["read"]
    return f"{view.found[-1].numbers['count']:,.0f} of {total:,} sequences are read"


def _start(title: str, name: str, config: RunConfig, model: bytes, run_id: str) -> None:
    try:
        session.start_side(title, name, config, run_id, own.load(model, "the network"))
    except RnnvizError as wrong:
        widgets.notice(str(wrong))
