"""The program of a run that reads every sequence once and keeps its states. Torch."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from rnnviz.batches import Prepared, Scalers, prepare
from rnnviz.config import RunConfig
from rnnviz.data.sources import load
from rnnviz.denormals import flushed
from rnnviz.errors import RunError
from rnnviz.events import Event, Finished, Found, Started
from rnnviz.exchange import own
from rnnviz.exchange.build import model_of
from rnnviz.exchange.fits import check_fits
from rnnviz.inside.steps import replay
from rnnviz.model import Direction, SequenceModel, flip_time, joined
from rnnviz.record import weights_of
from rnnviz.states.store import WayShape, digest, fitting, open_states, writing

AT_ONCE = {"h": 40_000_000, "c": 4_000_000}  # numbers of one chunk; c needs all gates beside it


def collect_stored(config: RunConfig, home: Path, state: bytes | None = None) -> Iterator[Event]:
    """Started, a Found for each chunk of sequences, Finished: the state h.

    Args:
        state: the model, as a file of our own kind.

    Raises:
        RnnvizError: there is no model, it does not fit the data, or the disk has no room.
    """
    return _collect_stored(config, home, state, "h")


def collect_memory(config: RunConfig, home: Path, state: bytes | None = None) -> Iterator[Event]:
    """The same of the memory c.

    Raises:
        RnnvizError: likewise; or the cell has no memory.
    """
    return _collect_stored(config, home, state, "c")


def _collect_stored(
    config: RunConfig, home: Path, state: bytes | None, symbol: str
) -> Iterator[Event]:
    if state is None:
        raise RunError("the run has no model; look at the page again")
    stored, dataset = own.load(state, "the model"), load(config.data, home)
    check_fits(stored, dataset, config.data.scale)
    scalers = Scalers(stored.meaning.input_scaler, stored.meaning.covariate_scaler)
    prepared = prepare(dataset, config.training.seed, scalers)
    model = model_of(stored)
    if not all(symbol in way.cell.states for way in model.ways(0)):
        raise RunError(f"the cell {config.model.cell} has no state {symbol}; search in h")
    yield from _collect(model, prepared, home, digest(state, config.data, symbol), symbol)


def _collect(
    model: SequenceModel, prepared: Prepared, home: Path, name: str, symbol: str
) -> Iterator[Event]:
    ways = tuple(
        WayShape(layer, way.reverse, size)
        for layer, size in enumerate(model.sizes)
        for way in model.ways(layer)
    )
    rows = rows_kept(prepared, sum(way.units for way in ways))
    dataset = prepared.dataset
    chunk = max(1, AT_ONCE[symbol] // (dataset.steps * sum(way.units for way in ways)))
    chunks = np.array_split(rows, -(-len(rows) // chunk))
    yield _started(prepared, rows, len(chunks))
    if open_states(home, name) is None:
        with writing(
            home,
            name,
            rows=rows,
            lengths=dataset.lengths[rows],
            ways=ways,
            steps=dataset.steps,
        ) as files:
            done = 0
            for number, some in enumerate(chunks, start=1):
                found = _states(model, prepared, some, symbol)
                for file, states in zip(files.h, found, strict=True):
                    file[:, done : done + len(some)] = states
                done += len(some)
                yield Found(
                    step=number,
                    epoch=1,
                    about=f"chunk {number}",  # each is known by its own name
                    numbers={"count": float(done)},
                    scores=(),
                )
    yield Finished(
        step=len(chunks), epoch=1, reason=f"{len(rows):,} sequences were read.", scorecard=()
    )


def rows_kept(prepared: Prepared, units: int) -> Int[np.ndarray, " N"]:
    """The sequences that have room, ascending: those of the test part before all others."""
    split = prepared.split
    order = np.concatenate((split.test, split.validation, split.train))
    return np.sort(order[: fitting(len(order), prepared.dataset.steps, units)])


def _states(
    model: SequenceModel, prepared: Prepared, rows: Int[np.ndarray, " B"], symbol: str
) -> list[np.ndarray]:
    """A state of every way, [H B T] in float16; zero beyond each length."""
    batch = prepared.batch(rows)
    found: list[Tensor] = []
    with torch.no_grad(), flushed():
        x = model.encode(batch.inputs)
        for layer in range(len(model.layers)):
            hidden = model.run_layer(layer, x, batch.lengths)
            if symbol == "h":
                found += hidden
            else:
                ways = zip(model.ways(layer), hidden, strict=True)
                found += [_carried(way, x, h, batch.lengths, symbol) for way, h in ways]
            x = joined(hidden)
    return [state.permute(2, 1, 0).to(torch.float16).numpy() for state in found]


def _carried(
    way: Direction,
    x: Float[Tensor, "T B I"],
    h: Float[Tensor, "T B H"],
    lengths: Int[Tensor, " B"] | None,
    symbol: str,
) -> Float[Tensor, "T B H"]:
    """What a direction carries besides h, on real time: done over from the gates, as in a trace."""

    def turn(values: Tensor) -> Tensor:
        return flip_time(values, lengths) if way.reverse else values

    steps = replay(way.cell, weights_of(way), turn(x).numpy(), turn(h).numpy())
    state = turn(torch.from_numpy(steps.states[way.cell.states.index(symbol)]))
    if lengths is None:
        return state
    inside = torch.arange(len(state))[:, None] < lengths
    return state * inside[:, :, None]


def _started(prepared: Prepared, rows: Int[np.ndarray, " N"], chunks: int) -> Started:
    return Started(
        step=0,
        epoch=0,
        parameters=0,
        sizes={"all": len(prepared.dataset.ids), "read": len(rows)},
        people={},
        batches=chunks,
        epochs=1,
        metric="loss",
        unit="",
        baselines=(),
        trace_stride=0,
    )
