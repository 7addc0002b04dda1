"""One step of training with its numbers, at the place of the text that is chosen."""

import numpy as np
import pandas as pd
import streamlit as st
from jaxtyping import Float

from rnnviz.runs.run import Run
from rnnviz.ui import common, controls, widgets
from rnnviz.ui.vectors_reading import NUMBERS, word_of
from rnnviz.ui.vectors_subject import Subject, learned_from
from rnnviz.ui.words import number
from rnnviz.vectors import worked
from rnnviz.vectors.training import Entries, Windows, rate_at
from rnnviz.vectors.worked import Fitted, Step, Word

MOST_BESIDE = 40  # entries of X that can be chosen
_SHOWN = {  # how a word of the text is written, by its role
    "centre": ":orange-background[**{}**]",
    "neighbour": ":blue-background[{}]",
    "left out": "~~{}~~",
    "beyond": ":gray[{}]",
}


def one_step(subject: Subject) -> None:
    """The step of the method that the vectors were trained by."""
    run = subject.run
    assert run is not None
    word = word_of(subject, "vectors_word", "Centre word")
    learn = learned_from(run.config)
    if isinstance(learn, Entries):
        _of_glove(subject, run, learn, word)
    else:
        _of_windows(subject, run, learn, word)


def _of_windows(subject: Subject, run: Run, learn: Windows, word: str) -> None:
    epochs = run.config.training.epochs
    epoch = min(subject.epoch + 1, epochs)  # the one that would come next
    places = worked.occurrences(learn.corpus, word)
    row = st.container(horizontal=True)
    widgets.keep_within("vectors_place", 1, len(places))
    which = row.number_input(
        f"Which of its {len(places):,} places in the text", 1, len(places), key="vectors_place"
    )
    position = int(places[int(which) - 1])
    drawn = learn.drawn(epoch, learn.part_of(position))
    words = worked.around(learn.corpus, drawn, position)
    if not words:
        st.info(
            f"At this place epoch {epoch} leaves the word out: it is frequent, and subsampling "
            "drew so. Choose another place."
        )
        return
    st.markdown(" ".join(_SHOWN[w.role].format(controls.escaped(w.text)) for w in words))
    st.caption(
        f"As epoch {epoch} reads it: the centre, its neighbours within the window that was drawn "
        "for it, words beyond (grey), and words that subsampling left out (struck through)."
    )
    near = [w for w in words if w.role == "neighbour"]
    if not near:
        st.info("No neighbour is left in this paragraph; choose another place.")
        return
    with row:
        example = _pair(near) if run.config.vectors.method == "skipgram" else near[0].example
    rate = rate_at(
        run.config.training.learning_rate, (epoch - 1) / epochs, run.config.vectors.method
    )
    weights = common.arrays(run.id, subject.epoch)
    _told(worked.step(weights, learn, drawn, example, rate), run.config.vectors.method)


def _pair(near: list[Word]) -> int:
    labels = {w.example: w.text for w in near}
    options = list(range(len(near)))
    widgets.forget_unless("vectors_pair", options)
    chosen = st.selectbox(
        "Neighbour", options, key="vectors_pair", format_func=lambda k: list(labels.values())[k]
    )
    return list(labels)[int(chosen)]


def _told(step: Step, method: str) -> None:
    single = method == "skipgram"
    given = ", ".join(controls.escaped(word) for word in step.given)
    whose = f"the vector of **{given}**" if single else f"the mean of the vectors of {given}"
    st.markdown(
        f"$v$ is {whose}. Its dot product with $u$ of each word below is that word's score."
    )
    plain = controls.escaped
    st.table(
        pd.DataFrame(
            {
                "word": [plain(row.word) for row in step.rows],
                "": ["true" if row.label else "drawn" for row in step.rows],
                "label y": [row.label for row in step.rows],
                "score v · u": [plain(number(row.dot)) for row in step.rows],
                "σ(score)": [plain(number(row.sigmoid)) for row in step.rows],
                "g = σ − y": [
                    "left out" if row.skipped else plain(number(row.gradient)) for row in step.rows
                ],
                "loss [nats]": [plain(number(row.loss)) for row in step.rows],
                "score after the step": [plain(number(row.after)) for row in step.rows],
            }
        ).set_index("word")
    )
    if any(row.skipped for row in step.rows):
        st.caption("Left out: the drawn word is the true one, so nothing is learned from it.")
    each = "v" if single else "each neighbour's vector, divided by how many they are,"
    st.markdown(
        f"Loss **{plain(number(step.loss))}** nats; once the step is done, "
        f"**{plain(number(step.after))}**. The gradient by $v$ is $\\sum_k g_k u_k$, that by $u_k$ "
        f"is $g_k v$. The step at rate η = {number(step.rate, 3)} takes η times the first from "
        f"{each} and η times the second from $u_k$."
    )
    rows = {
        "v": step.vector,
        "gradient by v": step.gradient,
        "v after the step" if single else "step of v, − η gradient": (
            step.vector - step.rate * step.gradient if single else -step.rate * step.gradient
        ),
    }
    _vectors(rows)


def _vectors(rows: dict[str, Float[np.ndarray, " D"]]) -> None:
    d = len(next(iter(rows.values())))
    shown = min(NUMBERS, d)
    st.table(
        pd.DataFrame(
            [[controls.escaped(number(float(v), 3)) for v in row[:shown]] for row in rows.values()],
            index=[controls.escaped(name) for name in rows],
            columns=[f"number {k}" for k in range(1, shown + 1)],
        )
    )
    exact = pd.DataFrame({name: np.asarray(row, dtype=np.float64) for name, row in rows.items()})
    st.download_button(f"All {d} numbers as CSV", exact.to_csv(index=False), "step.csv", "text/csv")


def _of_glove(subject: Subject, run: Run, learn: Entries, word: str) -> None:
    place = subject.space.places[word]
    beside = list(worked.entries_of(learn, place).items())[:MOST_BESIDE]
    if not beside:
        st.info("This word stands beside no other; choose another one.")
        return
    options = list(range(len(beside)))
    widgets.forget_unless("vectors_pair", options)
    chosen = st.selectbox(
        "Word beside it", options, key="vectors_pair",
        format_func=lambda k: f"{subject.space.words[beside[k][0]]}: X = {number(beside[k][1])}",
    )  # fmt: skip
    other = beside[int(chosen)][0]
    weights = common.arrays(run.id, subject.epoch)
    rate = run.config.training.learning_rate
    _fitted(
        worked.fitted(weights, learn, (place, other), rate), run, word, subject.space.words[other]
    )


def _fitted(step: Fitted, run: Run, word: str, other: str) -> None:
    plain, x_max = controls.escaped, run.config.vectors.x_max
    rows = [
        ("X", f"how often {other} stands beside {word}, each time as 1 / distance", step.count),
        ("ln X", "what is to be fitted", float(np.log(step.count))),
        ("w · w~", f"{word} as itself, {other} as a neighbour", step.dot),
        ("b", f"bias of {word}", step.biases[0]),
        ("b~", f"bias of {other}", step.biases[1]),
        ("w · w~ + b + b~ − ln X", "how far it is away", step.away),
        ("f(X)", f"weight: min(1, (X / {x_max:g})^0.75)", step.weight),
        ("loss", "f(X) times the square of how far it is away", step.loss),
        ("loss after the step", "of this entry, at the weights after it", step.after),
    ]
    st.table(
        pd.DataFrame(
            [[plain(what), plain(number(value))] for _, what, value in rows],
            index=[plain(name) for name, _, _ in rows],
            columns=["what it is", "value"],
        )
    )
    st.markdown(
        "The gradient by $w$ is $2 f(X) \\cdot$ away $\\cdot \\tilde w$. AdaGrad divides each of "
        "its numbers by the root of the sum of all its squares so far, this one included, and "
        f"takes η = {run.config.training.learning_rate:g} times that from $w$."
    )
    _vectors({"gradient by w": step.gradient, "step of w": step.step})
