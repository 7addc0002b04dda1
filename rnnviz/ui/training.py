"""The parts of the Train page: settings, buttons, and what moves."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.allowed import check_allowed
from rnnviz.config import ModelConfig, RunConfig, TrainingConfig
from rnnviz.data.dataset import SequenceDataset, Task, split_of
from rnnviz.errors import RnnvizError
from rnnviz.estimate import check_memory, estimate
from rnnviz.events import RunView
from rnnviz.figures import history
from rnnviz.runs.run import Run, new_id
from rnnviz.ui import common, controls, live, overview, session, widgets
from rnnviz.ui.answers import answers, leak
from rnnviz.ui.components.plot import plot
from rnnviz.ui.components.samples import written
from rnnviz.ui.data_settings import choose_source, settings_of_source, suggested
from rnnviz.ui.layout import pair
from rnnviz.ui.scorecard import scorecard
from rnnviz.ui.words import State, amount, duration, network_on, number, summary, verdict

MODEL = (
    "cell",
    "hidden_size",
    "layers",
    "attention",
    "embedding",
    "dropout",
    "bidirectional",
    "covariates",
    "recurrent_start",
)
TRAINING = ("optimiser", "learning_rate", "batch_size", "epochs", "clip_norm", "patience", "seed")


def settings() -> RunConfig | None:
    """All settings of an experiment, and what they will cost; None where they cannot be used."""
    of_data, of_model, of_training = st.tabs(["Data", "Network", "Training"])
    try:
        with of_data:
            source = choose_source()
            missing = st.container()
        with of_model:
            model = ModelConfig(**_widgets(ModelConfig, MODEL, source))
        with of_training:
            training = TrainingConfig(**_widgets(TrainingConfig, TRAINING, source))
        with missing:
            data = settings_of_source(source)
        if data is None:
            return None
        config = RunConfig(data=data, model=model, training=training)
        _cost(config)
    except RnnvizError as wrong:
        st.error(controls.escaped(str(wrong)))
        return None
    return config


def _widgets(cls: type, names: tuple[str, ...], source: str) -> dict[str, Any]:
    known, begin = controls.named(cls), suggested(source)
    return {name: controls.widget(known[name], default=begin.get(name)) for name in names}


def _cost(config: RunConfig) -> None:
    dataset = common.dataset(config.data)
    check_allowed(config.model, dataset)
    check_memory(config, dataset)
    cost = estimate(config, dataset)
    st.caption(
        f"{summary(config, dataset)}. {cost.parameters:,} weights; about "
        f"{duration(cost.seconds)} per epoch on one core, {amount(cost.bytes)} of memory."
    )


def panel(config: RunConfig | None, run: Run | None) -> None:
    """Buttons, what moves, and what came out, all by one look at the run."""
    seen = live.look(run) if run else None
    _buttons(config, run, seen)
    if run is None or seen is None:
        _nothing_yet(config)
    else:
        _progress(run, seen)


def _buttons(config: RunConfig | None, run: Run | None, seen: live.Look | None) -> None:
    """Train, Pause, one step, Stop. A press says what is wanted, so twice does no harm."""
    start = partial(_start, config, new_id())
    row = st.container(horizontal=True)
    # Each has its own place: whoever clicks Train twice must not hit Pause.
    if run is None or seen is None or seen[1].kind in ("finished", "failed"):
        off = config is None
        _button(row, "Train", start, primary=True, off=off)
        _button(row, "Pause", _nothing, off=True)
        _button(row, "One batch", partial(start, until_step=1), off=off)
        _button(row, "One epoch", partial(start, until_epoch=1), off=off)
        _button(row, "Stop", _nothing, off=True)
        return
    view, state = seen
    going = state.kind in ("queued", "starting", "running")
    _button(row, "Train", _nothing, off=True)
    if going:
        _button(row, "Pause", partial(_wish, run, run.pause), primary=True)
    else:
        _button(row, "Resume", partial(_wish, run, run.resume), primary=True)
    step = partial(run.step_to, view.step + 1)
    epoch = partial(run.epoch_to, (view.epochs[-1].epoch if view.epochs else 0) + 1)
    _button(row, "One batch", partial(_wish, run, step), off=going)
    _button(row, "One epoch", partial(_wish, run, epoch), off=going)
    _button(row, "Stop", partial(_wish, run, run.stop))
    _button(row, "New run", start, off=config is None)
    _rate(run)


def _button(
    row: DeltaGenerator,
    label: str,
    act: Callable[[], object],
    *,
    primary: bool = False,
    off: bool = False,
) -> None:
    def pressed() -> None:
        try:
            act()
        except RnnvizError as wrong:
            widgets.notice(str(wrong))

    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    key = f"do_{label.lower().replace(' ', '_')}"
    row.button(label, key=key, on_click=pressed, type=kind, disabled=off)


def _nothing() -> None:
    """What a button does that is off."""


def _start(config: RunConfig | None, run_id: str, **until: int) -> None:
    if config is not None:
        session.start(config, run_id, **until)


def _wish(run: Run, wish: Callable[[], object]) -> None:
    """Say what is wanted of the run, and see to it that somebody hears it."""
    wish()
    common.runner().submit(run)


def _rate(run: Run) -> None:
    """The learning rate of the run that goes on."""
    key = f"rate_{run.id}"

    def changed() -> None:
        run.set_learning_rate(st.session_state[key])

    st.number_input(
        "Learning rate of this run, from the next step on",
        min_value=1e-6,
        max_value=10.0,
        value=run.control().learning_rate or run.config.training.learning_rate,
        step=0.001,
        format="%g",
        key=key,
        on_change=changed,
    )


def _nothing_yet(config: RunConfig | None) -> None:
    """What to do first, with a look at the data: drawing it loads what the live pictures need."""
    if config is None:
        st.info("Nothing is trained yet. What stands in the way is said on the left.")
        return
    st.info(
        "Nothing is trained yet. The settings on the left work as they are: press **Train** "
        "and watch the loss of the network beside that of the mean predictor."
    )
    overview.glance(config.data)


def _progress(run: Run, seen: live.Look) -> None:
    """What moves: progress, loss, gradients, predictions; then what came out."""
    dataset = common.dataset(run.config.data)
    dark = widgets.dark()
    clip = run.config.training.clip_norm

    def draw(view: RunView, state: State) -> None:
        failed = state.kind == "failed"
        st.progress(state.done, text=f"**{state.kind}**" if failed else said(state))
        if failed:
            st.error(controls.escaped(state.text))
        survey = session.survey(run, view)
        judged(run, view, dataset)
        now = (run.id, dark, state.kind, len(view.epochs))
        loss = partial(history.loss_curve, view, dark=dark)
        plot(widgets.kept_figure("loss", (*now, view.step), loss), key="loss")
        first, second = pair("lower")
        with first:
            if dataset.task is Task.NEXT_TOKEN or survey is None:
                _tokens(view, dataset.task)
            elif dataset.task.names_classes:
                plot(history.confusion(survey, dataset.classes, dark=dark), key="said")
            else:
                score = network_on(view, "test")
                r = score.metrics["r"] if score else None
                scatter = partial(history.scatter, survey, dataset.outputs[0], r, dark=dark)
                plot(widgets.kept_figure("said", (*now, view.traced), scatter), key="said")
        with second:
            norms = partial(history.gradient_norms, view, clip, dark=dark)
            tick = int(time.monotonic())  # drawn once a second: the others need the time more
            plot(widgets.kept_figure("norms", (*now, tick), norms), key="norms")
        if dataset.writable:
            _writing(view)

    live.ticking(draw, run, seen, every=live.FAST, name="progress")
    scorecard(seen[0])


def judged(run: Run, view: RunView, dataset: SequenceDataset) -> None:
    """Whether the network beats those that know less, and what the known answers say."""
    text = verdict(view, dataset.task, dataset.whose)
    split = split_of(dataset, run.config.training.seed)
    place = st.empty()  # there in any case, as a fragment keeps its number of elements
    if leaked := leak(view, dataset, split):
        place.warning(leaked)
    st.markdown(" ".join(part for part in (text, answers(view, dataset, split)) if part))


def said(state: State) -> str:
    """The state's sentence, after its kind where it does not begin with that itself."""
    known = state.text.lower().startswith((state.kind, "stopped"))
    return ("" if known else f"**{state.kind}** · ") + controls.escaped(state.text)


def _tokens(view: RunView, task: Task) -> None:
    """The newest scores as large numbers."""
    score = network_on(view, "test")
    last = score.metrics if score else {}
    shown = ("perplexity", "accuracy", "loss") if task is Task.NEXT_TOKEN else ()
    row = st.container(horizontal=True)
    for name in shown:
        label = {"loss": "cross-entropy [nats]"}.get(name, name)
        row.metric(f"Test {label}", number(last.get(name, float("nan")), 3))


def _writing(view: RunView) -> None:
    """What the network writes, epoch by epoch; always three elements, as a fragment has to have."""
    last = view.samples[-1:]
    told = "It writes its first text before it has learned anything."
    for one in last:
        told = (
            f"After each epoch the network goes on from “{one.prefix.strip()}” by itself, at "
            f"temperature {one.temperature:g}; the draw follows from the seed ({one.seed}) and the "
            "epoch."
        )
    st.markdown("##### What it writes")
    st.caption(controls.escaped(told))
    written(view.samples, key="written")
