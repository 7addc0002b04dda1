"""One sentence on the Sentiment page: what is said of it, which words did that, and what if not."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from jaxtyping import Float

from rnnviz.data.dataset import SequenceDataset
from rnnviz.data.reviews import meaning
from rnnviz.figures.sentence import after_each, without_each
from rnnviz.figures.theme import Quantity
from rnnviz.inside.attributions import Asked, Integrated, log_odds
from rnnviz.inside.network import Network, Pass, Sequence
from rnnviz.inside.readout import softmax
from rnnviz.trace import ReadoutTrace
from rnnviz.ui import attributing, controls, sentences, widgets
from rnnviz.ui.components.plot import Clicked, plot
from rnnviz.ui.components.tokens import coloured_tokens
from rnnviz.ui.layout import pair
from rnnviz.ui.looking import Looking
from rnnviz.ui.sentences import Sentence, one_hot
from rnnviz.ui.whatif import signed
from rnnviz.ui.words import number


@dataclass(frozen=True, kw_only=True)
class Read:
    """A sentence that the network has read, as it is in the data and as it stands now."""

    seen: Looking
    sentence: Sentence
    place: int  # of the class whose score is looked at
    before: Pass
    now: Pass
    asked: Asked

    @property
    def name(self) -> str:
        """Of that class."""
        return self.seen.dataset.classes[self.place]

    @property
    def integral(self) -> Integrated:
        """What each word did to the score."""
        return attributing.integral(self.mark, self.asked)

    @property
    def word(self) -> int:
        """The selected word; at first the one that did most."""
        if self.sentence.selected is not None:
            return self.sentence.selected
        return int(np.abs(self.integral.steps).argmax())

    @property
    def mark(self) -> tuple[object, ...]:
        """What names the network, the sentence and the class."""
        return (*attributing.mark_of(self.seen), self.sentence.now.tokens, self.place)

    def score(self, done: Pass) -> float:
        """The log-odds of the class [nats]."""
        return float(self.asked.score.of(done.read.outputs)[0])


def run_on(network: Network, inputs: Float[np.ndarray, "T F"]) -> Pass:
    """The network on a sentence whose classes nobody needs to know."""
    steps = len(inputs) if network.readout.every_step else 1
    targets = np.zeros(steps, dtype=np.int64)
    return network.run(
        Sequence(inputs=inputs, covariates=unknown(network.readout), targets=targets)
    )


def unknown(readout: ReadoutTrace) -> Float[np.ndarray, " C"]:
    """Covariates of a sentence, of whose writer nothing is known."""
    return np.zeros(readout.covariates.shape[1])


def read(seen: Looking, sentence: Sentence) -> Read:
    """Runs both sentences."""
    data = seen.dataset
    network = attributing.network(attributing.mark_of(seen), seen.trace)
    indices = data.inputs[sentence.row, : data.lengths[sentence.row]]
    before = run_on(network, one_hot(indices, data))
    inputs = one_hot(sentence.now.indices, data)
    now = run_on(network, inputs)
    place = _class(data, int(now.outputs[0].argmax()))
    asked = Asked(
        network=network,
        inputs=inputs,
        covariates=unknown(network.readout),
        score=log_odds(place),
    )
    return Read(seen=seen, sentence=sentence, place=place, before=before, now=now, asked=asked)


def _class(data: SequenceDataset, likeliest: int) -> int:
    """The class whose score is looked at: of two the second, as 0 parts them; of more a choice."""
    if len(data.classes) == 2:
        return 1
    names = list(data.classes)
    widgets.forget_unless("score_of", ["", *names])
    options = ["", *names]
    chosen = st.selectbox(
        "Explain the score of",
        options,
        key="score_of",
        bind="query-params",
        format_func=lambda name: name or f"what is predicted ({names[likeliest]})",
    )
    return names.index(chosen) if chosen else likeliest


# --- what is said ---------------------------------------------------------------------------------


def outcome(it: Read) -> None:
    """What the network says, before and now, beside what is true."""
    data, sentence = it.seen.dataset, it.sentence
    true = data.classes[int(data.targets[sentence.row])]
    shown = [("Says now" if sentence.edited else "Says", _said(data, it.now), "")]
    if sentence.edited:
        shown.append(("Said before", _said(data, it.before), ""))
    moved = it.score(it.now) - it.score(it.before)
    shown.append(
        (
            f"Log-odds of {it.name} [nats]",
            number(it.score(it.now), 3),
            f"{signed(moved)} by the change" if sentence.edited else "",
        )
    )
    shown.append((f"True {data.outputs[0].name}", _truth(it, true), ""))
    for place, (name, value, delta) in zip(st.columns(len(shown)), shown, strict=True):
        place.metric(
            controls.escaped(name),
            controls.escaped(value),
            delta or None,
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
        )


def _said(data: SequenceDataset, done: Pass) -> str:
    place = int(done.outputs[0].argmax())
    return f"{data.classes[place]} {done.outputs[0, place]:.1%}"


def _truth(it: Read, true: str) -> str:
    """By the data, or by the rule that made them; nobody knows it of other edited sentences."""
    if not it.sentence.edited:
        return true
    if it.seen.dataset.whose != "reviews":
        return f"was {true}"
    good = meaning(" ".join(it.sentence.now.tokens))
    return "none by the rule" if good is None else f"{it.seen.dataset.classes[good]} by the rule"


# --- its words ------------------------------------------------------------------------------------


def words(it: Read) -> None:
    """The words by integrated gradients, beside them by attention; a click selects one."""
    data, steps = it.seen.dataset, it.integral.steps
    limit = float(np.abs(steps).max()) or 1.0
    weights = it.now.read.weights
    left, right = pair("words") if weights is not None else (st.container(), st.container())
    with left:
        st.markdown("##### By integrated gradients")
        _coloured(it, steps, -limit, limit, f"share in the log-odds of {it.name}",
                  Quantity.ATTRIBUTION, "by_gradients")  # fmt: skip
        against = next(n for n in data.classes if n != it.name) if len(data.classes) == 2 else ""
        against = f"for {against}" if against else f"against {it.name}"
        st.caption(
            controls.escaped(
                f"Above 0 a word speaks for {it.name}, below {against}; in nats. "
                + attributing.completeness(
                    it.integral, f"the log-odds of {it.name}", it.asked.score.unit
                )
            )
        )
    with right:
        if weights is None:
            st.caption("This network has no attention; with one, its weights stand here as well.")
        else:
            st.markdown("##### By attention")
            _coloured(it, weights[0], 0.0, float(weights[0].max()), "weight α",
                      Quantity.ATTENTION, "by_attention")  # fmt: skip
            st.caption(
                f"Weights after the softmax; over the {len(steps)} steps they add up to "
                f"{weights[0].sum():.4f}, and equal ones would be {1 / len(steps):.3f}. "
                + attributing.WHY
            )


def _coloured(
    it: Read,
    values: Float[np.ndarray, " T"],
    low: float,
    high: float,
    name: str,
    quantity: Quantity,
    key: str,
) -> None:
    coloured_tokens(
        it.sentence.now.tokens,
        values,
        low=low,
        high=high,
        dark=it.seen.look.dark,
        key=key,
        name=name,
        quantity=quantity,
        selected=it.word,
        on_click=sentences.open_word,
    )


def pictures(it: Read) -> None:
    """The score without each word, and after each; both by sentences that are really run."""
    runs = attributing.runs(it.mark, it.asked)
    if runs is None:
        st.caption(
            f"Sentences of more than {attributing.MOST_RUN} steps are not run once more for each "
            "of their words: it would take too long."
        )
        return
    tokens, dark, word = it.sentence.now.tokens, it.seen.look.dark, it.word
    left, right = pair("runs")

    def click(clicked: Clicked) -> None:
        if not isinstance(clicked.x, str):
            sentences.open_word(min(max(round(clicked.x) - 1, 0), len(tokens) - 1))

    with left:
        if len(tokens) > 1:
            whole = it.score(it.now)
            figure = without_each(runs.without, whole, tokens, name=it.name, chosen=word, dark=dark)
            plot(figure, key="without", on_click=click)
        else:
            st.caption("There is one word only: nothing is left without it.")
    with right:
        begun = softmax(runs.begun)[:, it.place]
        even = 1 / len(it.seen.dataset.classes)
        figure = after_each(begun, tokens, name=it.name, even=even, chosen=word, dark=dark)
        plot(figure, key="after_each", on_click=click)


def numbers(it: Read) -> None:
    """All of it as a table."""
    runs, tokens, done = attributing.runs(it.mark, it.asked), it.sentence.now.tokens, it.now.read
    columns: dict[str, object] = {
        "word": [f"{k + 1}: {token}" for k, token in enumerate(tokens)],
        "integrated gradients": it.integral.steps,
    }
    if runs is not None:
        columns |= {
            "gradient × input": runs.gradient,
            "less when blanked": runs.occluded,
            "log-odds without it": runs.without,
            f"P({it.name}) up to it": softmax(runs.begun)[:, it.place],
        }
    if done.scores is not None and done.weights is not None:
        columns["score e"], columns["weight α"] = done.scores[0], done.weights[0]
    frame = pd.DataFrame(columns)
    form = {name: st.column_config.NumberColumn(format="%.3f") for name in frame.columns[1:]}
    with st.expander("Every number"):
        st.dataframe(frame, width="stretch", hide_index=True, column_config=form)
        st.caption(
            controls.escaped(
                f"Of the log-odds ln p/(1 − p) of {it.name}, in nats. Blanked: how much the score "
                "falls when zeros are read in the word's place. Without it: the score of the "
                "sentence that is one word shorter. Up to it: the probability if the sentence "
                "ended there."
            )
        )
