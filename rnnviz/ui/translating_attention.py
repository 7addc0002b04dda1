"""Translate: attention step by step, the alignment, changed weights, and how it all came about."""

import numpy as np
import streamlit as st

from rnnviz.figures.alignment import ATTENTION, Panel, Tokens, alignment, forming
from rnnviz.figures.translation import chances
from rnnviz.figures.values import difference_range
from rnnviz.ui import controls, widgets
from rnnviz.ui import translating_kept as kept
from rnnviz.ui.components.attending import MOST_CHOICES, Attending, attending
from rnnviz.ui.components.links import Row
from rnnviz.ui.components.plot import Clicked, plot
from rnnviz.ui.translating_about import about
from rnnviz.ui.translating_hands import choose_step, give, give_row
from rnnviz.ui.translating_outcome import linked
from rnnviz.ui.translating_sentence import Looked
from rnnviz.ui.words import number

MOST_PANELS = 12
NO_ATTENTION = (
    "This network has no attention: all that the decoder knows of the source is the encoder's last "
    "state. Train one with **Attention** dot, general or additive to see where it looks."
)


def step_by_step(seen: Looked) -> None:
    """One output token, from the scores to the distribution."""
    linked(seen)
    step = seen.output.steps[seen.step]
    if seen.output.weights is None or step.context is None:
        st.info(NO_ATTENTION)
        _distribution(seen)
    else:
        assert seen.network.attention is not None
        assert seen.output.scores is not None
        assert seen.output.computed is not None
        attending(
            Attending(
                source=seen.source_tokens,
                output=seen.output_tokens,
                step=seen.step,
                token=seen.output.tokens[seen.step],
                kind=seen.network.attention.kind,
                scores=seen.output.scores[seen.step],
                computed=seen.output.computed[seen.step],
                weights=seen.output.weights[seen.step],
                states=seen.encoded.annotations[0],
                query=step.query[0],
                context=step.context[0],
                probabilities=np.exp(step.log_probabilities[0]),
                vocabulary=_vocabulary(seen),
            ),
            key="translate_attending",
            dark=seen.dark,
            on_step=choose_step,
            on_token=lambda token: _write(seen, token),
        )
    _another(seen)
    about("steps")


def _vocabulary(seen: Looked) -> tuple[str, ...]:
    return seen.named(tuple(range(len(seen.text.target_vocabulary))))


def _write(seen: Looked, token: int) -> None:
    """Another token in the chosen one's place, and on from there."""
    give((*seen.output.tokens[: seen.step], token))


def _distribution(seen: Looked) -> None:
    """What the decoder alone says, where there is no attention."""
    p = np.exp(seen.output.log_probabilities[seen.step])
    best, names = np.argsort(-p)[:MOST_CHOICES], _vocabulary(seen)
    figure = chances(
        {names[k]: float(p[k]) for k in best},
        names[seen.output.tokens[seen.step]],
        f"p(y{seen.step + 1})",
        dark=seen.dark,
    )
    plot(figure, key="translate_chances")


def _another(seen: Looked) -> None:
    """The same choice as a click in the distribution, for who has no pointer."""
    p = seen.output.log_probabilities[seen.step]
    names = _vocabulary(seen)
    best = [int(k) for k in np.argsort(-p)[: MOST_CHOICES * 2]]
    row = st.container(horizontal=True, vertical_alignment="bottom")
    widgets.forget_unless("translate_other", best)
    token = row.selectbox(
        f"Write another token at place {seen.step + 1}",
        best,
        key="translate_other",
        # no probability beside it: the browser keeps the words of a choice while the epoch changes
        format_func=lambda k: names[k],
        width=280,
    )
    row.button(
        "Write it and go on", key="do_translate_write", on_click=_write, args=(seen, int(token))
    )


# -- the whole picture -----------------------------------------------------------------------------


def picture(seen: Looked) -> None:
    """Attention of all output tokens as a heat map."""
    linked(seen)
    if seen.output.weights is None:
        st.info(NO_ATTENTION)
        about("alignment")
        return
    choices = {"weights": "weights (after softmax)", "scores": "scores (before softmax)"}
    shown = st.segmented_control(
        "Show", list(choices), default="weights", key="translate_shown", required=True,
        format_func=choices.__getitem__, bind="query-params",
    )  # fmt: skip
    tokens = Tokens(source=seen.source_tokens, output=seen.output_tokens)
    values = seen.output.weights if shown == "weights" else seen.output.scores
    assert values is not None
    raw = shown == "scores"
    figure = alignment(
        values,
        tokens,
        title=f"Attention {choices[str(shown)]}",
        symbol="score" if raw else "weight",
        span=difference_range(values) if raw else ATTENTION,
        form=".3~g" if raw else ".3f",
        step=seen.step,
        dark=seen.dark,
    )
    plot(figure, key="translate_alignment", on_click=lambda at: _clicked(seen, at))
    sums = seen.output.weights.sum(axis=1)
    st.caption(
        f"Click a cell to choose its output token. Each row of weights sums to 1 (here from "
        f"{sums.min():.6f} to {sums.max():.6f}). Dark along a straight line: word by word; a bend: "
        "the order changes."
    )
    about("alignment")


def _clicked(seen: Looked, at: Clicked) -> None:
    if not isinstance(at.y, str):
        choose_step(min(max(round(float(at.y)) - 1, 0), len(seen.output.tokens) - 1))


# -- hands -----------------------------------------------------------------------------------------


def overwriting(seen: Looked) -> None:
    """Other weights for the chosen token, and what is written then."""
    if seen.output.weights is None:
        st.info(NO_ATTENTION)
        return
    st.caption(
        f"Row {seen.step + 1} of the weights, those of output token {seen.step + 1}: drag a bar, "
        "or click a source token to give it all the weight. The others share what is left, so that "
        "the row still sums to 1. Dashes show what the network itself would do."
    )
    linked(seen, editable=True)
    _all_on(seen)
    _compared(seen)
    if seen.network.reads == "state":
        st.caption(
            "This decoder reads nothing but its own state, so other weights change their own token "
            "and none after it."
        )
    about("overwriting")


def _all_on(seen: Looked) -> None:
    """The same by a list, for who has no pointer."""
    places = list(range(1, len(seen.source_tokens) + 1))
    widgets.forget_unless("translate_place", places)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    place = row.selectbox(
        "Source token",
        places,
        key="translate_place",
        format_func=lambda k: f"{k}. {seen.source_tokens[k - 1]}",
        width=220,
    )
    one = np.zeros(len(places))
    one[int(place) - 1] = 1.0
    row.button(
        f"All weight of output token {seen.step + 1} on it",
        key="do_translate_all",
        on_click=give_row,
        args=(seen.output.rows, Row(seen.step, tuple(one.tolist()))),
    )
    even = tuple([1 / len(places)] * len(places))
    row.button(
        "The same weight on all",
        key="do_translate_even",
        on_click=give_row,
        args=(seen.output.rows, Row(seen.step, even)),
    )


def _compared(seen: Looked) -> None:
    """The output before and after, and what became of the chosen token."""
    before, after = seen.plain, seen.output
    left, right = st.columns(2)
    left.caption("Before")
    left.code(seen.text_of(before.tokens) or "(nothing)", language=None)
    right.caption("After")
    right.code(seen.text_of(after.tokens) or "(nothing)", language=None)
    if not seen.touched:
        st.markdown("Nothing is changed yet, so both are the same.")
        return
    t = seen.step
    if t < len(before.tokens) and before.tokens[:t] == after.tokens[:t]:
        token = before.tokens[t]
        name = controls.escaped(seen.named((token,))[0])
        p = [float(np.exp(out.log_probabilities[t, token])) for out in (before, after)]
        st.markdown(
            f"At output token {t + 1}, p({name}) was **{p[0]:.1%}** and is now **{p[1]:.1%}**."
        )
    total = [number(float(out.chosen.sum()), 4) for out in (before, after)]
    st.markdown(f"ln P of the whole output: {total[0]} before, {total[1]} after.")


# -- formation -------------------------------------------------------------------------------------


def formation(seen: Looked) -> None:
    """The same pair at every kept epoch."""
    linked(seen)
    if seen.output.weights is None:
        st.info(NO_ATTENTION)
        return
    tokens = seen.answer or seen.plain.tokens
    source = tuple(int(k) for k in seen.source)
    epochs = kept.kept_epochs(seen.view.snapshots, MOST_PANELS)
    panels = []
    for epoch in epochs:
        forced, own = kept.at_epoch(seen.run, epoch, source, tokens)
        assert forced.weights is not None
        mark = "" if not seen.truth else " ✓" if seen.right(own.tokens) else " ✗"
        title = f"epoch {epoch}: {seen.text_of(own.tokens)}{mark}"
        panels.append(Panel(title=title, weights=forced.weights, chosen=epoch == seen.epoch))
    names = Tokens(source=seen.source_tokens, output=seen.named(tokens))
    plot(
        forming(panels, names, dark=seen.dark),
        key="translate_forming",
        on_click=lambda at: widgets.suggest({"translate_epoch": str(epochs[at.curve])}),
    )
    read = "the true answer" if seen.answer else "the latest output"
    st.caption(
        f"Rows are output tokens, columns source tokens. At every epoch the decoder reads {read} "
        "token by token, so that the rows are the same ones; above each panel stands what that "
        "epoch's network writes by itself. Click a panel, or move the slider of epochs above, to "
        "look at that epoch everywhere on this page."
    )
    about("formation")
