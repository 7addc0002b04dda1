"""What the pages that look inside share: the trace, the selection, or what to do to get one."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
from jaxtyping import Float

from rnnviz.data.dataset import SequenceDataset
from rnnviz.data.text import tokens_of
from rnnviz.errors import TraceError
from rnnviz.events import RunView
from rnnviz.figures import Look
from rnnviz.figures.clock import Clock
from rnnviz.runs.run import Run
from rnnviz.trace import LayerTrace, Survey, Trace
from rnnviz.ui import common, live, session, widgets
from rnnviz.ui.components.plot import Clicked


@dataclass(frozen=True, kw_only=True)
class Looking:
    """A run's trace and what of it is selected."""

    run: Run
    view: RunView
    dataset: SequenceDataset
    trace: Trace
    survey: Survey | None
    chosen: session.Selection
    look: Look

    @property
    def layer(self) -> LayerTrace:
        """The layer and direction that is selected."""
        return self.trace.layers[self.chosen.layer]

    @property
    def row(self) -> int:
        """The sequence's row in the dataset."""
        return int(self.trace.sequences[self.chosen.sequence])

    @property
    def is_text(self) -> bool:
        """Whether steps are tokens."""
        return bool(self.dataset.vocabulary)

    @property
    def tokens(self) -> tuple[str, ...]:
        """What was read at each step."""
        return tokens_of(self.dataset, self.row)

    @property
    def attention(self) -> tuple[Float[np.ndarray, "B Q T"], Float[np.ndarray, "B Q T"]]:
        """Scores and weights.

        Raises:
            TraceError: the network has no attention.
        """
        if self.trace.scores is None or self.trace.attention is None:
            raise TraceError("this network has no attention; choose one on the Train page")
        return self.trace.scores, self.trace.attention

    def click(self, clicked: Clicked) -> None:
        """Select the step that was clicked."""
        session.select(t=Clock.of(self.dataset).step_at(clicked.x))

    def click_unit(self, clicked: Clicked) -> None:
        """Select the step and the unit that were clicked in a heat map."""
        units = self.layer.states.shape[-1]
        if not isinstance(clicked.y, str):
            session.select(unit=min(max(int(clicked.y) - 1, 0), units - 1))  # rows count from 1
        self.click(clicked)


def looking() -> Looking | None:
    """The current run's selected trace; where there is none, says what to do and gives None."""
    run = session.current()
    if run is None:
        st.info("There is no run to look into yet. Go to **Train** and press the button there.")
        return None
    view, state = live.look(run)
    found = session.trace_of(run, view)
    if found is None:
        _missing(view, state.text)
        return None
    trace, survey = found
    data = common.dataset(run.config.data)
    chosen = session.selection(trace)
    layer = trace.layers[chosen.layer]
    row = int(trace.sequences[chosen.sequence])
    if data.source.simulated and data.whose == "people":
        st.caption("Simulated people: calibrated to NHANES 2003–06, none of them real.")
    if told := _of_text(data, trace):
        st.caption(told)
    look = Look(
        sequence=chosen.sequence,
        layer=layer.layer,
        reverse=layer.reverse,
        unit=chosen.unit,
        step=chosen.t,
        marked_unit=chosen.unit,
        query=chosen.t if trace.outputs.shape[1] > 1 else 0,
        clock=Clock.of(data, row if data.vocabulary else None),
        dark=widgets.dark(),
    )
    return Looking(
        run=run, view=view, dataset=data, trace=trace, survey=survey, chosen=chosen, look=look
    )


def _of_text(data: SequenceDataset, trace: Trace) -> str:
    """What has to be known of a text's network to read the pictures of it."""
    said = []
    if data.carried:
        said.append(
            "This window begins with a state of zeros; in training and in scoring the state is "
            "carried on from the window before."
        )
    if trace.embedding is not None:
        size = trace.embedding.shape[1]
        said.append(
            f"Tokens are embedded in {size} numbers: W of layer 1 stands here for W E, so that a "
            "token is read one-hot."
        )
    return " ".join(said)


def _missing(view: RunView, state: str) -> None:
    if view.started is not None and view.started.trace_stride == 0:
        st.warning(
            "This network is too large to be traced: the traces of one run may take 128 MB. "
            "Train one with fewer units, layers or steps to look inside."
        )
    else:
        st.info(f"Nothing is recorded yet. {state}")
