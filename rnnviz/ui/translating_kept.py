"""What the Translate page computes more than once, in Streamlit's cache with a bound each."""

from typing import NamedTuple

import numpy as np
import streamlit as st
from jaxtyping import Bool, Int

from rnnviz.config import RunConfig
from rnnviz.data.parallel import ParallelText, load
from rnnviz.errors import RunError
from rnnviz.runs.run import Run
from rnnviz.translation.decoding import Output, write
from rnnviz.translation.errors import Pairs
from rnnviz.translation.lengths import right_of
from rnnviz.translation.network import Network
from rnnviz.ui import common

MORE = 4  # tokens that an output may have beyond the longest target
MOST_SECONDS = 3.0  # for translating them; of a large network only the first are done
MOST_HELD_OUT = 1000  # sentences that are looked at of the held-out ones


@st.cache_resource(show_spinner="Making the pairs …", max_entries=4)
def _pairs(mark: tuple[object, ...], _config: RunConfig) -> ParallelText:
    del mark
    return load(_config, common.home())


def pairs(config: RunConfig) -> ParallelText:
    """The pairs of these settings.

    Raises:
        DataError: they cannot be made.
    """
    translation = config.translation
    return _pairs((translation.parallel, translation.pairs, config.data), config)


@st.cache_resource(show_spinner=False, max_entries=16)
def _network(run_id: str, epoch: int, _run: Run) -> Network:
    del run_id
    text = pairs(_run.config)
    return Network.of(_run.arrays(epoch), _run.config, len(text.source_vocabulary))


def network(run: Run, epoch: int) -> Network:
    """A run's network after an epoch.

    Raises:
        RunError: it is gone or cannot be read.
    """
    return _network(run.id, epoch, run)


def longest(text: ParallelText) -> int:
    """Tokens of an output at most, END among them."""
    return text.targets.shape[1] + MORE


class HeldOut(NamedTuple):
    """Sentences that the network has not learned from."""

    rows: Int[np.ndarray, " N"]  # of the pairs
    pairs: Pairs


def held_out(run: Run) -> HeldOut:
    """The test part, the first of them where there are many."""
    text = pairs(run.config)
    rows = text.split(run.config.training.seed).test[:MOST_HELD_OUT]
    return HeldOut(
        rows,
        Pairs(
            text.sources[rows], text.source_lengths[rows], text.targets[rows],
            text.target_lengths[rows],
        ),
    )  # fmt: skip


@st.cache_resource(show_spinner="Translating the held-out sentences …", max_entries=32)
def _right(run_id: str, epoch: int, _run: Run) -> Bool[np.ndarray, " N"]:
    del run_id
    some, most = held_out(_run).pairs, longest(pairs(_run.config))
    return right_of(network(_run, epoch), some, most, seconds=MOST_SECONDS)


def right(run: Run, epoch: int) -> Bool[np.ndarray, " N"]:
    """Which of the first held-out sentences the greedy output has right."""
    return _right(run.id, epoch, run)


@st.cache_resource(show_spinner="Translating with the network of every epoch …", max_entries=400)
def _at_epoch(
    run_id: str, epoch: int, source: tuple[int, ...], tokens: tuple[int, ...], _run: Run
) -> tuple[Output, Output]:
    del run_id
    net = network(_run, epoch)
    encoded = net.encode(np.array([source]), np.array([len(source)]))
    most = longest(pairs(_run.config))
    return (
        write(net, encoded, longest=max(most, len(tokens)), given=tokens),
        write(net, encoded, longest=most),
    )


def at_epoch(
    run: Run, epoch: int, source: tuple[int, ...], tokens: tuple[int, ...]
) -> tuple[Output, Output]:
    """One sentence after an epoch: with given tokens, and with its own."""
    return _at_epoch(run.id, epoch, source, tokens, run)


def kept_epochs(snapshots: tuple[int, ...], most: int) -> list[int]:
    """So many of the kept epochs at most: first, last, and evenly between."""
    places = np.linspace(0, len(snapshots) - 1, min(most, len(snapshots))).round().astype(int)
    return [snapshots[place] for place in np.unique(places)]


def epoch_of(snapshots: tuple[int, ...], wanted: str) -> int:
    """The epoch that is looked at.

    Raises:
        RunError: nothing is kept yet.
    """
    if not snapshots:
        raise RunError("nothing is kept of this run yet; wait for its first epoch")
    return int(wanted) if wanted.isdigit() and int(wanted) in snapshots else snapshots[-1]
