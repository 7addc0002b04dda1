"""Tagged words on the Sentiment page: what each is said to be, why, and how often that is right."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from jaxtyping import Float

from rnnviz.calibration import interval
from rnnviz.figures.predictions import confusion
from rnnviz.figures.theme import Quantity
from rnnviz.inside.attributions import Asked, log_odds
from rnnviz.inside.network import Pass
from rnnviz.spans import Found, are_bio, by_entity, by_tag
from rnnviz.trace import Survey
from rnnviz.ui import attributing, controls, judging, sentences
from rnnviz.ui.components.plot import plot
from rnnviz.ui.components.tags import OUTSIDE, Tagged, tagged_words
from rnnviz.ui.components.tokens import coloured_tokens
from rnnviz.ui.layout import pair
from rnnviz.ui.looking import Looking
from rnnviz.ui.sentences import Sentence, one_hot
from rnnviz.ui.sentiment import run_on, unknown

MOST_SAID = 3  # tags of a word that are named on hover


def marks_of(survey: Survey | None) -> dict[int, str]:
    """Sentences with a wrong tag, those with the most of them first."""
    if survey is None:
        return {}
    wrong = survey.sequences[np.rint(survey.targets) != np.rint(survey.predictions)]
    rows, counts = np.unique(wrong, return_counts=True)
    order = np.argsort(-counts, kind="stable")[: judging.MISTAKES]
    return {int(rows[k]): "✗ " for k in order}


def sentence(seen: Looking, chosen: Sentence) -> None:
    """The words with their tags; the selected one can be changed, and is explained."""
    data = seen.dataset
    network = attributing.network(attributing.mark_of(seen), seen.trace)
    inputs = one_hot(chosen.now.indices, data)
    done = run_on(network, inputs)
    truth, at = _truth(seen, chosen), _word(chosen, done, data.classes)
    tagged_words(
        tuple(
            _tagged(token, done.outputs[t], true, data.classes)
            for t, (token, true) in enumerate(zip(chosen.now.tokens, truth, strict=True))
        ),
        data.classes,
        dark=seen.look.dark,
        key="tagged",
        selected=at,
        on_click=sentences.open_word,
    )
    if chosen.edited:
        st.caption("The sentence was changed, so nobody says which tags are true now.")
    sentences.edit(chosen, data, at)
    said = int(done.outputs[at].argmax())
    asked = Asked(
        network=network,
        inputs=inputs,
        covariates=unknown(network.readout),
        score=log_odds(said),
        query=at,
    )
    _why(seen, chosen, done, said, at, asked)
    _numbers(chosen, done, truth, data.classes)


def _truth(seen: Looking, chosen: Sentence) -> list[str | None]:
    """The true tags; of steps that are not judged, and of changed sentences, none."""
    data, count = seen.dataset, len(chosen.now.tokens)
    if chosen.edited:
        return [None] * count
    judged = data.judged[chosen.row, :count]
    tags = data.targets[chosen.row, :count]
    return [data.classes[int(k)] if it else None for k, it in zip(tags, judged, strict=True)]


def _tagged(
    token: str, chances: Float[np.ndarray, " K"], true: str | None, classes: Sequence[str]
) -> Tagged:
    order = np.argsort(-chances, kind="stable")[:MOST_SAID]
    told = ", ".join(f"{classes[k]} {chances[k]:.1%}" for k in order)
    hint = f"{told}" + ("" if true is None else f"; true: {true}")
    return Tagged(token, classes[order[0]], true, hint)


def _word(chosen: Sentence, done: Pass, classes: Sequence[str]) -> int:
    """The selected word; at first the first one that is something."""
    if chosen.selected is not None:
        return chosen.selected
    something = np.array([classes[k] for k in done.outputs.argmax(axis=1)]) != OUTSIDE
    return int(something.argmax())


def _why(seen: Looking, chosen: Sentence, done: Pass, said: int, at: int, asked: Asked) -> None:
    """Which words made the selected word's tag, by gradients and by attention."""
    data, tokens = seen.dataset, chosen.now.tokens
    tag, word = data.classes[said], tokens[at]
    mark = (*attributing.mark_of(seen), tokens, said, at)
    found = attributing.integral(mark, asked)
    sure = f"{done.outputs[at, said]:.1%}"
    st.markdown(f"##### {controls.escaped(f'Why “{word}” is {tag}')} ({sure})")
    weights = done.read.weights
    left, right = pair("why") if weights is not None else (st.container(), st.container())
    limit = float(np.abs(found.steps).max()) or 1.0
    with left:
        coloured_tokens(
            tokens,
            found.steps,
            low=-limit,
            high=limit,
            dark=seen.look.dark,
            key="why_gradients",
            name=f"share in the log-odds of {tag} [nats]",
            quantity=Quantity.ATTRIBUTION,
            selected=at,
            on_click=sentences.open_word,
        )
        name = f"the log-odds of {tag}"
        st.caption(controls.escaped(attributing.completeness(found, name, asked.score.unit)))
    if weights is None:
        return
    with right:
        mine = weights[at]
        coloured_tokens(
            tokens,
            mine,
            low=0.0,
            high=float(mine.max()),
            dark=seen.look.dark,
            key="why_attention",
            name=f"weight α when “{word}” is tagged",
            quantity=Quantity.ATTENTION,
            selected=at,
            on_click=sentences.open_word,
        )
        st.caption(f"The weights add up to {mine.sum():.4f}. {attributing.WHY}")


def _numbers(
    chosen: Sentence, done: Pass, truth: list[str | None], classes: tuple[str, ...]
) -> None:
    said = done.outputs.argmax(axis=1)
    columns: dict[str, object] = {
        "word": [f"{k + 1}: {token}" for k, token in enumerate(chosen.now.tokens)],
        "said": [classes[k] for k in said],
        "true": ["–" if true is None else true for true in truth],
        "probability": done.outputs.max(axis=1),
    }
    columns |= {name: done.outputs[:, k] for k, name in enumerate(classes)}
    frame = pd.DataFrame(columns)
    form = {name: st.column_config.NumberColumn(format="%.3f") for name in frame.columns[3:]}
    with st.expander("Every number"):
        st.dataframe(frame, width="stretch", hide_index=True, column_config=form)


# --- all of them ----------------------------------------------------------------------------------


def all_sentences(seen: Looking) -> None:
    """Every tag and every type of entity with precision, recall and F1; confusion; calibration."""
    survey, data = seen.survey, seen.dataset
    if survey is None:
        return
    st.markdown("#### All test sentences")
    _judged(seen, survey)
    true, said = (np.rint(v).astype(int) for v in (survey.targets, survey.predictions))
    left, right = pair("tables")
    with left:
        st.markdown("##### By tag")
        _table(by_tag(said, true, data.classes), "tag", "words")
    with right:
        if are_bio(data.classes):
            st.markdown("##### By entity")
            _table(by_entity(said, true, survey.sequences, data.classes), "type", "entities")
            st.caption(
                "An entity counts as found with exactly its span and its type. F1 is the harmonic "
                "mean of precision (of those said, the share that is right) and recall (of the "
                "true ones, the share that is found)."
            )
    left, right = pair("judged")
    with left:
        plot(confusion(survey, data.classes, shares=True, dark=seen.look.dark), key="confusion")
    with right:
        if survey.probabilities is None:
            st.info(judging.EARLIER)
        else:
            judging.calibrated(survey.probabilities, true, dark=seen.look.dark)


def _judged(seen: Looking, survey: Survey) -> None:
    """The share of right tags: words of one sentence are no independent draws, so no interval."""
    right = np.rint(survey.targets) == np.rint(survey.predictions)
    rows, place = np.unique(survey.sequences, return_inverse=True)
    whole = np.bincount(place, ~right) == 0
    started = seen.view.started
    total = len(rows) if started is None else started.sizes["test"]
    of = f"{len(rows):,} of {total:,}" if len(rows) < total else f"{len(rows):,}"
    low, high = interval(int(whole.sum()), len(rows))
    st.markdown(
        f"**{right.mean():.2%} of {len(right):,} tags right**, in {of} test {seen.dataset.whose} "
        f"after epoch {seen.trace.epoch}; {whole.mean():.1%} of them have every tag right (95 % "
        f"interval {low:.1%} to {high:.1%}, Wilson)."
    )


def _table(found: tuple[Found, ...], name: str, unit: str) -> None:
    frame = pd.DataFrame(
        {
            name: [one.name for one in found],
            "precision": [one.precision for one in found],
            "recall": [one.recall for one in found],
            "F1": [one.f1 for one in found],
            f"true {unit}": [one.true for one in found],
            f"{unit} said": [one.said for one in found],
        }
    )
    form = {n: st.column_config.NumberColumn(format="%.3f") for n in ("precision", "recall", "F1")}
    st.dataframe(frame, width="stretch", hide_index=True, column_config=form, height="content")
