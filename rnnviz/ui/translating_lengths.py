"""Translate: with and without attention, by how long the source is. Two runs, measured."""

from dataclasses import replace

import streamlit as st

from rnnviz.config import RunConfig
from rnnviz.events import RunView
from rnnviz.figures.translation import Share, by_length
from rnnviz.runs.run import Run
from rnnviz.translation.lengths import by_length as in_bins
from rnnviz.translation.lengths import edges_of
from rnnviz.translation.settings import TITLE
from rnnviz.ui import live, session, side
from rnnviz.ui import translating_kept as kept
from rnnviz.ui.components.plot import plot
from rnnviz.ui.translating_about import about
from rnnviz.ui.translating_sentence import Looked
from rnnviz.ui.words import State

NAME = "translate_other_run"  # of the second run in the address
EVERY = 0.5  # between two looks at it [s]
USUAL_ATTENTION = "general"  # where the run that is looked at has none


def lengths(seen: Looked) -> None:
    """Exact match by the source's length, of this run and of one that differs in attention only."""
    other_config = _other(seen.run.config)
    other = session.side_run(TITLE, NAME)
    fits = other is not None and other.config == other_config
    if not fits:
        other = None
    attends = seen.run.config.model.attention != "none"
    what = "without attention" if attends else f"with {USUAL_ATTENTION} attention"
    looked = live.look(other) if other else None
    st.markdown(
        f"Held-out sentences by their length, translated greedily by this run "
        f"({'with' if attends else 'without'} attention) after epoch {seen.epoch}. The second run "
        f"differs in this alone: it is **{what}**, with the same pairs, widths, seed and epochs."
    )
    side.buttons(TITLE, NAME, f"Train it {what}", other_config, other, looked)
    if other is None or looked is None:
        _picture(seen, None, RunView())
        about("lengths")
        return
    run = other

    def once(view: RunView, state: State) -> None:
        side.status(state)
        _picture(seen, run, view)

    live.ticking(once, run, looked, every=EVERY, name=NAME)
    about("lengths")


def _other(config: RunConfig) -> RunConfig:
    """The same with no attention; or, of one without, with attention."""
    kind = "none" if config.model.attention != "none" else USUAL_ATTENTION
    return replace(config, model=replace(config.model, attention=kind))


def _picture(seen: Looked, other: Run | None, view: RunView) -> None:
    edges = edges_of(kept.held_out(seen.run).pairs.source_lengths)

    def shares(run: Run, epoch: int) -> list[Share]:
        right = kept.right(run, epoch)
        counted = kept.held_out(run).pairs.source_lengths[: len(right)]
        return [
            Share(one.low, one.high, one.sentences, one.share, *one.interval)
            for one in in_bins(counted, right, edges)
        ]

    curves = {_name(seen.run, seen.epoch): shares(seen.run, seen.epoch)}
    if other is not None and view.snapshots:
        epoch = view.snapshots[-1]
        curves[_name(other, epoch)] = shares(other, epoch)
    plot(by_length(curves, seen.text.tokens, dark=seen.dark), key="translate_lengths")
    total = {name: sum(s.sentences for s in some) for name, some in curves.items()}
    right = {name: sum(s.share * s.sentences for s in some) for name, some in curves.items()}
    said = "; ".join(
        f"{name}: {right[name]:.0f} of {total[name]} right "
        f"({right[name] / max(1, total[name]):.1%})"
        for name in curves
    )
    st.caption(said + ". Bars: 95 % intervals (Wilson).")


def _name(run: Run, epoch: int) -> str:
    kind = run.config.model.attention
    return f"{'no' if kind == 'none' else kind} attention, epoch {epoch}"
