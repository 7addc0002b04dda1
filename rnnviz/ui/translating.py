"""The Translate page: what is trained, how it goes, and what it is about."""

from functools import partial

import streamlit as st

from rnnviz.config import RunConfig, TranslationConfig
from rnnviz.events import RunView
from rnnviz.figures import history
from rnnviz.figures.translation import shares
from rnnviz.runs.run import Run
from rnnviz.translation.settings import TITLE
from rnnviz.ui import controls, live, session, side, translating_settings, widgets
from rnnviz.ui.components.plot import plot
from rnnviz.ui.layout import pair
from rnnviz.ui.translating_about import about
from rnnviz.ui.words import State, number

NAME = "translate"  # of the run in the address
EVERY = 0.5  # between two looks at the run [s]


def choose() -> RunConfig | None:
    """What the page is for, and the settings."""
    st.markdown(
        "An **encoder** reads a text to its end, a **decoder** writes another, token by token, and "
        "**attention** lets it look back at what was read. The tasks have a rule, so every output "
        "can be judged."
    )
    return translating_settings.choose()


def train(config: RunConfig | None) -> tuple[Run | None, RunView]:
    """The run's buttons and its curves; gives what is known of it."""
    run = session.side_run(TITLE, NAME)
    seen = live.look(run) if run else None
    task = config.translation.parallel if config else "dates"
    side.buttons(TITLE, NAME, f"Train the {task} model", config, run, seen)
    if run is None or seen is None:
        st.info(
            f"**Train the {task} model** takes well under a minute on one core for the settings as "
            "they are. Attention, beam search and BLEU of every sentence follow here, from the "
            "first epoch on."
        )
        about("page")
        return None, RunView()
    if not seen[0].ended:
        _live(run)
    _whose(run, config)
    begun = bool(seen[0].snapshots)

    def once(view: RunView, state: State) -> None:
        if bool(view.snapshots) != begun:
            st.rerun()  # the sentence below can be shown now
        side.status(state)
        st.markdown(_told(view))
        with st.expander("Loss and right outputs over the epochs", expanded=state.active):
            _curves(run, view)

    live.ticking(once, run, seen, every=EVERY, name=NAME)
    about("page")
    return run, seen[0]


def _whose(run: Run, config: RunConfig | None) -> None:
    """What the run is, and whether it is what the settings above say."""
    said = controls.escaped(translating_settings.named(run.config))
    if run.config == config:
        st.caption(f"Shown: {said}.")
        return
    row = st.container(horizontal=True, vertical_alignment="center")
    row.caption(f"Shown: {said}. These are other settings than those chosen above.")
    row.button(
        "Take them over",
        key="do_translate_take",
        on_click=translating_settings.take,
        args=(run.config,),
    )


def _live(run: Run) -> None:
    """How often the decoder reads the true token, while the run goes on."""
    key, wanted = f"forcing_{run.id}", run.control().teacher_forcing

    def changed() -> None:
        run.set_teacher_forcing(float(st.session_state[key]))

    st.slider(
        "Teacher forcing of this run, from the next step on",
        0.0,
        1.0,
        run.config.translation.teacher_forcing if wanted is None else wanted,
        0.05,
        key=key,
        on_change=changed,
        width=420,
        help=controls.named(TranslationConfig)["teacher_forcing"].rule.help,
    )


def _told(view: RunView) -> str:
    """The last scores in a sentence."""
    if not view.epochs:
        return "The first epoch is not over yet."
    last = view.epochs[-1]
    parts = []
    for name, score in (("validation", last.validation), ("held out", last.test)):
        found = score.metrics
        parts.append(
            f"{name}: **{found['exact']:.1%}** of the outputs right, "
            f"{found['tokens']:.1%} of their tokens, loss {number(found['loss'], 3)} "
            f"nats per token, perplexity {number(found['perplexity'], 3)}"
        )
    return f"After epoch {last.epoch}, " + "; ".join(parts) + "."


def _curves(run: Run, view: RunView) -> None:
    dark = widgets.dark()
    mark = (run.id, dark, len(view.epochs), view.step)
    loss, right = pair(NAME)
    with loss:
        drawn = partial(history.loss_curve, view, dark=dark)
        plot(widgets.kept_figure("translate_loss", mark, drawn), key="translate_loss")
    with right:
        drawn = partial(shares, view, dark=dark)
        plot(widgets.kept_figure("translate_exact", mark, drawn), key="translate_exact")
