"""Every predictor's score on every part, as a table."""

import pandas as pd
import streamlit as st

from rnnviz.events import RunView, Score, Started
from rnnviz.ui.words import METRICS, number

PARTS = ("test", "validation", "train")


def scorecard(view: RunView) -> None:
    """The network at the end (while it goes on: after the last epoch), and the baselines."""
    started = view.started
    if started is None:
        return
    scores = list(started.baselines)
    if view.scorecard:
        scores = [*view.scorecard, *scores]
    elif view.epochs:
        scores = [view.epochs[-1].validation, view.epochs[-1].test, *scores]
    if not scores:
        return
    with st.expander("Scores of every predictor", expanded=view.ended):
        parts = [part for part in PARTS if any(score.part == part for score in scores)]
        for part, tab in zip(
            parts, st.tabs([_title(part, started) for part in parts]), strict=True
        ):
            with tab:
                st.table(_table([s for s in scores if s.part == part], started))


def _title(part: str, started: Started) -> str:
    return f"{part} ({started.sizes[part]})"


def _table(scores: list[Score], started: Started) -> pd.DataFrame:
    """One row for each predictor."""
    rows = {
        score.predictor: {
            _heading(name, started): number(value) for name, value in score.metrics.items()
        }
        for score in scores
    }
    return pd.DataFrame.from_dict(rows, orient="index").fillna("–")  # of what is not known


def _heading(name: str, started: Started) -> str:
    unit = f" [{started.unit}]" if name == started.metric and started.unit else ""
    return METRICS[name] + unit
