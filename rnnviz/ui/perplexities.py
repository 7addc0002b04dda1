"""How well a language model foretells what it never saw, beside those that know less."""

import math

import pandas as pd
import streamlit as st

from rnnviz.data.dataset import PARTS, SequenceDataset, split_of
from rnnviz.events import RunView, Score
from rnnviz.ui.looking import Looking
from rnnviz.ui.prompting import written
from rnnviz.ui.words import number

LN2 = math.log(2.0)
SHOWN = ("test", "validation", "train")
CALLED = {"uniform": "uniform: all tokens alike", "network": "the network"}


def table(seen: Looking) -> None:
    """The network beside those that know less, on every part."""
    st.markdown("##### Perplexity")
    scores, size = known(seen.view), len(seen.dataset.vocabulary)
    if not scores:
        st.caption("The baselines are being fitted.")
        return
    unit = seen.dataset.features[0].unit or "token"
    each = characters_per_token(seen)
    _sentence(scores, size, unit, each)
    st.table(_table(scores, size, unit, each))
    if not seen.view.scorecard:
        st.caption("The network as it was after the last epoch; on the training part at the end.")


def known(view: RunView) -> tuple[Score, ...]:
    """All scores by now: the network's at the end, or after the last epoch, and the baselines'."""
    if view.scorecard or not view.epochs:
        return view.scores
    last = view.epochs[-1]
    return (last.validation, last.test, *view.scores)


@st.cache_resource(show_spinner=False, max_entries=12)
def _characters(run_id: str, seed: int, _dataset: SequenceDataset) -> float:
    del run_id
    rows = split_of(_dataset, seed).test
    tokens = _dataset.targets[rows][_dataset.judged[rows]]
    return len(written(tokens.tolist(), _dataset)) / max(len(tokens), 1)


def characters_per_token(seen: Looking) -> float:
    """The mean length of a token of the test part, with the blanks that belong between them."""
    if max(map(len, seen.dataset.vocabulary)) == 1:
        return 1.0
    return _characters(seen.run.id, seen.run.config.training.seed, seen.dataset)


def _sentence(scores: tuple[Score, ...], size: int, unit: str, each: float) -> None:
    found = next((s for s in scores if (s.predictor, s.part) == ("network", "test")), None)
    if found is None:
        return
    loss = found.metrics["loss"]
    of_character = f", {number(loss / LN2 / each, 3)} per character" if each != 1 else ""
    st.markdown(
        f"On the test part the network's mean cross-entropy is {number(loss)} nats per {unit}. "
        f"exp({number(loss)}) = **{number(math.exp(loss))}**: it is as unsure as if it chose among "
        f"so many equally likely tokens. In bits: {number(loss)} / ln 2 = "
        f"{number(loss / LN2, 3)} per {unit}{of_character}. Whoever knows nothing chooses among "
        f"all {size}."
    )


def _table(scores: tuple[Score, ...], size: int, unit: str, each: float) -> pd.DataFrame:
    """A row for each predictor, the best on the test part first."""
    losses: dict[str, dict[str, float]] = {}
    for score in scores:
        if "loss" in score.metrics:
            losses.setdefault(score.predictor, {})[score.part] = score.metrics["loss"]
    losses["uniform"] = dict.fromkeys(PARTS, math.log(size))
    order = sorted(losses, key=lambda name: losses[name].get("test", math.inf))
    rows = {CALLED.get(name, name): _row(losses[name], unit, each) for name in order}
    return pd.DataFrame.from_dict(rows, orient="index")


def _row(losses: dict[str, float], unit: str, each: float) -> dict[str, str]:
    test = losses.get("test", math.nan)
    row = {
        f"perplexity, {part}": number(math.exp(losses[part])) if part in losses else "–"
        for part in SHOWN
    }
    row["test [nats]"] = number(test)
    row[f"test [bits per {unit}]"] = number(test / LN2, 3)
    if each != 1:
        row["test [bits per character]"] = number(test / LN2 / each, 3)
    return row
