"""The page of word vectors: what is trained, and how it goes."""

from functools import partial
from typing import Any

import streamlit as st

from rnnviz.config import CORPORA, METHODS, RunConfig, VectorsConfig
from rnnviz.data.uploads import store_text
from rnnviz.events import RunView
from rnnviz.figures import vectors as figures
from rnnviz.runs.run import Run
from rnnviz.ui import common, controls, given, live, session, side, widgets
from rnnviz.ui.components.plot import plot
from rnnviz.ui.layout import pair
from rnnviz.ui.words import State
from rnnviz.vectors import grammar, told
from rnnviz.vectors.settings import EPOCHS, MOST_EPOCHS, RATES, TITLE, settings

NAME = "vectors"  # of the run in the address
EVERY = 0.5  # between two looks at the run [s]
OF_METHOD = {  # settings that matter beside those of all methods
    "skipgram": ("negatives", "subsample"),
    "cbow": ("negatives", "subsample"),
    "glove": ("x_max",),
}
OF_ALL = ("dimensions", "context", "min_count")
WHAT = {  # the vertical axis of the loss
    "skipgram": "loss of a pair [nats]",
    "cbow": "loss of a word [nats]",
    "glove": "loss of an entry",
}


def choose() -> RunConfig | None:
    """The settings; None where there is no text yet, which is said."""
    st.markdown(
        "Words become vectors by the company they keep. **Train** learns them in view from the "
        "text that is chosen; below, every step can be looked at."
    )
    rules = controls.named(VectorsConfig)
    row = st.container(horizontal=True)
    values: dict[str, Any] = {}
    with row:
        values["corpus"] = controls.widget(rules["corpus"])
        if values["corpus"] == "grammar":
            values["text_words"] = controls.widget(rules["text_words"])
        values["method"] = controls.widget(rules["method"], on_change=_suit)
    method = values["method"]
    file = _own_text() if values["corpus"] == "own" else ""
    with st.container(horizontal=True):
        for name in (*OF_ALL, *OF_METHOD[method]):
            values[name] = controls.widget(rules[name])
    training = _training(method)
    if values["corpus"] == "own" and not file:
        st.info("Paste a text to go on: some thousand words, better more.")
        return None
    return settings(VectorsConfig(**values), **training, file=file)


def _training(method: str) -> dict[str, Any]:
    more: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}
    row = st.container(horizontal=True)
    epochs = row.number_input(
        "Epochs", 1, MOST_EPOCHS, EPOCHS[method], key="vectors_epochs",
        help="Passes over the text; of GloVe, over its table of counts.", **more,
    )  # fmt: skip
    rate = row.number_input(
        "Learning rate", 0.0001, 10.0, RATES[method], 0.01, format="%g", key="vectors_rate",
        help="Size of a step. With skip-gram and CBOW it falls to nothing by the last epoch.",
        **more,
    )  # fmt: skip
    seed = row.number_input(
        "Seed", 0, 2**31 - 1, 0, key="vectors_seed",
        help="Decides the first vectors and every draw.", **more,
    )  # fmt: skip
    return {"epochs": int(epochs), "rate": float(rate), "seed": int(seed)}


def _suit() -> None:
    """Another method begins with the epochs and the rate that suit it."""
    method = str(st.session_state["method"])
    widgets.suggest({"vectors_epochs": EPOCHS[method], "vectors_rate": RATES[method]})


def _own_text() -> str:
    """The id of a pasted text, that of the Data page as well; "" while there is none."""
    pasted = st.text_area(
        "Paste a text", key="vectors_pasted", height=160, persist_state="session",
        help="At most 2 MB. It stays on this computer. Empty lines end a paragraph; windows do "
        "not reach over them.",
    )  # fmt: skip
    if pasted.strip():
        given.uploaded("text", store_text(pasted, common.home()))
    return given.upload_id("text")


def train(config: RunConfig | None) -> tuple[Run | None, RunView]:
    """The run's buttons and its curves; gives what is known of it."""
    run = session.side_run(TITLE, NAME)
    seen = live.look(run) if run else None
    side.buttons(TITLE, NAME, "Train", config, run, seen)
    if run is None or seen is None:
        st.info(
            "**Train** takes half a minute for the invented text. Loss, neighbours, analogies "
            "and maps follow here, epoch by epoch."
        )
        return None, RunView()
    if run.config != config:
        st.caption(f"What is shown below has other settings: {described(run.config)}.")
    kept = seen[0].snapshots

    def once(view: RunView, state: State) -> None:
        if view.snapshots != kept and (not kept or _follows()):
            st.rerun()  # the views below show the new epoch
        side.status(state)
        st.markdown(controls.escaped(said(view)))
        _curves(run, view)

    live.ticking(once, run, seen, every=EVERY, name=NAME)
    return run, seen[0]


def _follows() -> bool:
    """Whether the views show the latest epoch, whichever that is."""
    return widgets.held("vectors_epoch", "latest") == "latest"


def described(config: RunConfig) -> str:
    """A run's settings in short."""
    v, t = config.vectors, config.training
    return (
        f"{METHODS[v.method]}, {v.dimensions} dimensions, {v.context} neighbours on each side, "
        f"{controls.escaped(CORPORA[v.corpus])}, {t.epochs} epochs, rate {t.learning_rate:g}, "
        f"seed {t.seed}"
    )


def said(view: RunView) -> str:
    """How many analogies are solved, beside what chance and the nearest word alone do."""
    known = told.epochs_of(view)
    if not known:
        return "The vectors are at their first epoch."
    last = known[-1]
    shares = told.solved(view, last.epoch)
    if not shares:
        loss = last.numbers.get(told.LOSS)
        return (
            f"After epoch {last.epoch}: loss {loss:.4g}." if loss is not None else "No epoch yet."
        )
    mean, nearest = (
        sum(told.solved(view, last.epoch, begin).values()) / len(shares)
        for begin in (told.SOLVED, told.NEAREST)
    )
    return (
        f"After epoch {last.epoch}, {mean:.1%} of the list's analogies are solved. The word "
        f"nearest to c alone solves {nearest:.1%}, a word drawn by chance "
        f"{last.numbers[told.BY_CHANCE]:.2%}."
    )


def _curves(run: Run, view: RunView) -> None:
    dark, epochs, vectors = widgets.dark(), run.config.training.epochs, run.config.vectors
    untaught = None if vectors.method == "glove" else told.untaught(vectors.negatives)
    draw_loss = partial(
        figures.losses, told.curve(view, told.LOSS), told.parts(view), epochs=epochs,
        what=WHAT[vectors.method], untaught=untaught, dark=dark,
    )  # fmt: skip
    chances = told.curve(view, told.BY_CHANCE)[1]
    draw_solved = partial(
        figures.solved, told.curves(view, told.SOLVED), told.mean(told.curves(view, told.NEAREST)),
        chances[0] if chances else 0.0, epochs=epochs, titles=titles(), dark=dark,
    )  # fmt: skip
    mark = (run.id, dark, view.step, len(view.found))
    both = (("vectors_loss", draw_loss), ("vectors_solved", draw_solved))
    for place, (key, draw) in zip(pair(NAME), both, strict=True):
        with place:
            plot(widgets.kept_figure(key, mark, draw), key=key)


def titles() -> dict[str, str]:
    """Of the relations of the invented text."""
    return {name: relation.title for name, relation in grammar.RELATIONS.items()}
