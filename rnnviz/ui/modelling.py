"""The parts of the Models page: save the current run's model, load one, look inside it."""

from dataclasses import replace
from functools import partial

import pandas as pd
import streamlit as st

from rnnviz.config import RunConfig, TrainingConfig
from rnnviz.errors import RnnvizError
from rnnviz.estimate import TRACED_SEQUENCES, check_memory
from rnnviz.events import RunView
from rnnviz.exchange.describe import keras_weights, parts, predicts
from rnnviz.exchange.fits import check_fits, suggested
from rnnviz.exchange.kept import MOST_GIVEN, Kept, keep
from rnnviz.exchange.reading import APPLYING, ENDINGS
from rnnviz.exchange.saving import KINDS, saved
from rnnviz.exchange.stored import Stored
from rnnviz.runs.run import Run
from rnnviz.ui import common, controls, given, live, session, widgets
from rnnviz.ui.data_settings import choose_source, settings_of_source
from rnnviz.ui.scorecard import scorecard
from rnnviz.ui.training import judged, said
from rnnviz.ui.words import State, summary
from rnnviz.ui.written import offer

EVERY = 1.0  # between two looks at the run [s]


def save(run: Run | None) -> None:
    """The current run's model as a file of a chosen kind."""
    st.markdown("##### Save the current run's model")
    if run is None:
        st.caption("There is no run yet. Train one on the **Train** page, or load a model below.")
        return
    row = st.container(horizontal=True, vertical_alignment="bottom")
    kinds = list(KINDS)
    kind = row.segmented_control("File", kinds, default=kinds[0], key="model_kind") or kinds[0]
    st.caption(KINDS[kind])
    mark = (run.id, kind, len(session.view(run).epochs))
    write = partial(saved, run.id, kind, common.home())
    name = f"{run.config.model.cell}-{run.id[:6]}{kind}"
    offer(row, mark, write, name=name, label="Prepare the file", key="")


def give() -> Kept | None:
    """The model that was given last; None while there is none."""
    st.markdown("##### Load a model")
    sent = st.file_uploader(
        "Of Keras (.keras, .h5), PyTorch (.pt, .pth) or rnnviz (.safetensors)",
        type=list(ENDINGS),
        key=f"model_{given.uploads()}",
        max_upload_size=MOST_GIVEN // 1_000_000,
        help="A network of RNN, GRU or LSTM layers with dense layers after them. It is read in a "
        "process of its own, nothing in it is run, and it stays on this computer.",
    )
    if sent is not None:
        _take(sent.name, sent.getvalue())
    model_id = given.upload_id("model")
    if not model_id:
        return None
    try:
        return common.model(model_id)
    except RnnvizError as wrong:  # another can be given
        st.error(controls.escaped(str(wrong)))
        return None


def _take(name: str, data: bytes) -> None:
    """Keep the model, forget the bytes."""
    try:
        with st.spinner("Reading the model …"):
            model_id = keep(data, name, common.home(), common.model_sandbox())
    except RnnvizError as wrong:
        widgets.notice(str(wrong))
    else:
        given.uploaded("model", model_id)
        widgets.suggest(suggested(common.model(model_id).stored, widgets.blocks()))
    given.next_upload()
    st.rerun()


def choose_data() -> RunConfig | None:
    """What the model is to read; None while that is missing or cannot be used, which is said."""
    st.markdown("##### The data that it reads")
    try:
        data = settings_of_source(choose_source())
        seed = controls.widget(controls.named(TrainingConfig)["seed"])
        if data is None:
            return None
        # as many sequences at once as are recorded with their gradients
        config = RunConfig(
            data=data, training=TrainingConfig(batch_size=TRACED_SEQUENCES, seed=seed)
        )
        st.caption(controls.escaped(summary(config, common.dataset(data))))
    except RnnvizError as wrong:
        st.error(controls.escaped(str(wrong)))
        return None
    return config


def look_inside(kept: Kept | None, config: RunConfig | None) -> None:
    """The button that applies the model to the data; off where that is done or cannot be."""
    if kept is None:
        return
    fitting = None if config is None else _fitting(kept.stored, config)
    if fitting is not None and session.is_applied(kept, fitting):
        fitting = None  # it is shown below: whoever clicks twice must not start another

    def pressed() -> None:
        if fitting is None:
            return
        try:
            session.apply(kept, fitting)
        except RnnvizError as wrong:
            widgets.notice(str(wrong))

    st.button(
        "Look inside on these data",
        key="do_look_inside",
        on_click=pressed,
        type="primary",
        disabled=fitting is None,
    )


def _fitting(stored: Stored, config: RunConfig) -> RunConfig | None:
    """The settings with this model; None where it does not fit, which is said."""
    config = replace(config, model=stored.config)
    try:
        dataset = common.dataset(config.data)
        check_fits(stored, dataset, config.data.scale)
        check_memory(config, dataset)
    except RnnvizError as wrong:
        st.error(controls.escaped(str(wrong)))
        return None
    return config


def described(kept: Kept | None) -> None:
    """What the file holds, and what of it was assumed or changed."""
    if kept is None:
        st.info(
            "Give a model's file to see its layers here. Then choose data, and the pages "
            "**Inside**, **Gates** and **Attention** show what happens inside it."
        )
        return
    stored = kept.stored
    st.markdown(f"##### {controls.escaped(kept.name)}")
    st.caption(controls.escaped(f"From {stored.origin}; predicts {predicts(stored)}."))
    rows = [
        (p.name, p.kind, f"{p.reads:,}", f"{p.gives:,}", f"{p.weights:,}") for p in parts(stored)
    ]
    head = ("part", "kind", "reads", "gives", "weights")
    st.table(pd.DataFrame(rows, columns=head).set_index("part"))
    st.caption(weights(stored.parameters, keras_weights(stored)))
    for note in stored.notes:
        st.caption("• " + controls.escaped(note))


def weights(ours: int, theirs: int) -> str:
    """Both counts where they differ."""
    total = f"{ours:,} weights"
    if ours == theirs:
        return f"{total}."
    return f"{total}; Keras counts {theirs:,}, as it has one bias where torch has two."


def outcome(run: Run | None) -> None:
    """What came of a model that was applied, if that is the current run."""
    if run is None or run.program != APPLYING:
        return
    seen = live.look(run)
    dataset = common.dataset(run.config.data)
    st.markdown(f"##### {controls.escaped(run.title)}")

    def draw(view: RunView, state: State) -> None:
        if state.kind == "failed":
            st.error(controls.escaped(state.text))
        else:
            st.progress(state.done, text=said(state))
        judged(run, view, dataset)

    live.ticking(draw, run, seen, every=EVERY, name="applied")
    if seen[1].kind == "finished":
        st.caption(
            "A model's file does not say what it was trained on: this test part may be among it."
        )
        attends = run.config.model.attention != "none"
        pages = "**Inside**, **Gates** and **Attention**" if attends else "**Inside** and **Gates**"
        st.caption(f"It is the current run: {pages} show it now.")
    scorecard(seen[0])
