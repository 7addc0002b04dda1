"""The sidebar that all pages share: the current run, and the one selection."""

import streamlit as st

from rnnviz.data.dataset import SequenceDataset, Task
from rnnviz.errors import DataError
from rnnviz.figures.unrolled import naming
from rnnviz.runs.index import RunSummary
from rnnviz.runs.run import Run
from rnnviz.trace import Trace
from rnnviz.ui import common, controls, live, session
from rnnviz.ui.words import number, target_words

LOOKING = (
    "Inside",
    "Gates",
    "Back through time",
    "Attention",
    "What if",
    "Select and match",
    "What units tell",
    "Sentiment",
    "Language model",
)  # pages that show a trace
BEGINNING = (
    "The first look into a run is at the step at which the state h of the layer changes most from "
    "the step before."
)


def draw(page: str) -> None:
    """The run with its state, the runs of before, and the selection."""
    with st.sidebar:
        run = session.current()
        if run is None:
            st.caption("No run yet. Press **Train** on the Train page: the settings there work.")
        else:
            st.markdown("##### Run")
            live.status(run, follows_trace=page in LOOKING)
        _earlier(run)
        if run is not None:
            _selection(run, begins=page in LOOKING)


def _earlier(run: Run | None) -> None:
    runs = session.my_runs()
    others = [summary for summary in runs if run is None or summary.id != run.id]
    if not others:
        return
    with st.popover("Other runs", width="stretch"):
        for other in others[:20]:
            st.button(
                controls.escaped(named(other)),
                key=f"open_{other.id}",
                on_click=session.choose,
                args=(other.id,),
                width="stretch",
            )


def named(run: RunSummary) -> str:
    """One line in the list of runs; a model from a file has no epochs."""
    return f"{run.title} · {run.status}" + (f", {run.epochs} epochs" if run.epochs else "")


def _selection(run: Run, *, begins: bool) -> None:
    view = session.view(run)
    found = session.trace_of(run, view)
    if found is None:
        return
    trace, _ = found
    try:
        data = common.dataset(run.config.data)
    except DataError:  # such as an upload that is gone: the page says so, and must be drawn
        return
    if begins:
        session.begin(run, trace)
    chosen = session.selection(trace)
    st.markdown("##### Look at")
    epochs = [*[str(epoch) for epoch in view.traced], "latest"]
    if str(st.session_state.get("epoch", "latest")) not in epochs:
        del st.session_state["epoch"]
    st.select_slider(
        f"Epoch (shown: {trace.epoch})",
        epochs,
        # told at every drawing: a browser that sees only a second one would begin at the first
        value=str(st.session_state.get("epoch", "latest")),
        key="epoch",
        help="The state of the network after this epoch; 0 is before training.",
    )
    labels = [sequence_label(data, trace, b) for b in range(len(trace.sequences))]
    _pick("Sequence", "sequence", labels, chosen.sequence)
    st.caption(controls.escaped(outcome(data, trace, chosen.sequence)))
    if len(trace.layers) > 1:
        _pick("Layer", "layer", [layer.title for layer in trace.layers], chosen.layer)
    units = trace.layers[chosen.layer].states.shape[-1]
    if units > 1:
        _count("Unit", "unit", units, chosen.unit)
    steps = int(trace.lengths[chosen.sequence])
    _count(f"Step ({step_name(data, trace, chosen)})", "t", steps, chosen.t, BEGINNING)


def _pick(label: str, key: str, names: list[str], place: int) -> None:
    """Choose one of a few, counted from 1; it is told at every drawing, as the epoch is."""
    options, name = range(1, len(names) + 1), lambda at: names[at - 1]
    st.selectbox(label, options, place, key=key, format_func=name)


def _count(label: str, key: str, count: int, place: int, note: str | None = None) -> None:
    if count > 1:
        st.slider(label, 1, count, place + 1, key=key, help=note)


def step_name(data: SequenceDataset, trace: Trace, chosen: session.Selection) -> str:
    """Such as '08:10', or the token that is read at the step."""
    if data.vocabulary:
        row = int(trace.sequences[chosen.sequence])
        return repr(data.vocabulary[int(data.inputs[row, chosen.t])])
    return naming(data).steps[chosen.t]


def sequence_label(data: SequenceDataset, trace: Trace, b: int) -> str:
    """Such as '2. S00012, BMI 27.3'; the same at every epoch, as a widget's option must be."""
    row = int(trace.sequences[b])
    if data.task.every_step:
        return f"{b + 1}. {'window ' if data.whose == 'people' else ''}{data.ids[row]}"
    return f"{b + 1}. {data.ids[row]}, {target_words(data, float(trace.targets[b].flat[0]))}"


def outcome(data: SequenceDataset, trace: Trace, b: int) -> str:
    """What the network says of the sequence at the selected epoch."""
    if data.task is Task.TRACKING:
        judged = data.judged[int(trace.sequences[b])]
        error = float(((trace.outputs[b] - trace.targets[b])[judged] ** 2).mean())
        return f"mean squared error {number(error, 3)}"
    if data.task.every_step:
        each = "token" if data.task is Task.NEXT_TOKEN else "step"
        return f"loss {number(float(trace.loss[b]), 3)} nats per {each}"
    if data.task is Task.CLASSIFICATION:
        said = int(trace.outputs[b, 0].argmax())
        return f"predicted {data.classes[said]} ({trace.outputs[b, 0, said]:.0%})"
    unit = data.outputs[0].unit
    return f"predicted {number(float(trace.outputs[b, 0, 0]), 3)} {unit}".rstrip()
