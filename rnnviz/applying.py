"""Between models' files and runs: a file's model on one's own data, and a run's model for a file.

apply(stored, data set) gives the events of a short run.

Nothing is trained: its gates, states, gradients and scores are recorded once, by the same code as
after an epoch, so that every page shows them. The run keeps the model where others keep their
checkpoint, as a file of our own kind; its program is exchange.reading.APPLYING.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rnnviz.allowed import check_allowed
from rnnviz.batches import Prepared, Scalers, prepare
from rnnviz.config import RunConfig
from rnnviz.data.dataset import PARTS, Scaler, SequenceDataset
from rnnviz.data.sources import load
from rnnviz.errors import RunError
from rnnviz.estimate import trace_plan
from rnnviz.evaluate import baselines, evaluate
from rnnviz.events import Event, Finished, Started, Traced
from rnnviz.exchange import own
from rnnviz.exchange.build import model_of, stored_of_run
from rnnviz.exchange.fits import check_fits
from rnnviz.exchange.reading import APPLYING
from rnnviz.exchange.stored import Stored
from rnnviz.model import SequenceModel
from rnnviz.record import record
from rnnviz.runs.run import PROGRAM, Run
from rnnviz.traced import traced_rows
from rnnviz.train import Stream


def apply_stored(config: RunConfig, home: Path, state: bytes | None = None) -> Stream:
    """apply with the data set that the settings name, and with the model that the run keeps.

    Raises:
        RnnvizError: there is no model, or it does not fit the data.
    """
    if state is None:
        raise RunError("the run has no model; give the model's file again")
    yield from apply(own.load(state, "the model"), load(config.data, home), config)


def apply(stored: Stored, dataset: SequenceDataset, config: RunConfig) -> Iterator[Event]:
    """Started, Traced and Finished.

    Args:
        config: its data settings say how the values were scaled, and its seed the split.

    Raises:
        DataError: the model does not fit the data.
    """
    check_fits(stored, dataset, config.data.scale)
    check_allowed(stored.config, dataset)
    prepared, model = prepare(dataset, config.training.seed, _scalers(stored)), model_of(stored)
    config = replace(config, model=stored.config)
    yield _started(stored, prepared)
    yield _traced(model, prepared, config)
    yield Finished(
        step=0,
        epoch=0,
        reason=f"The model from {stored.origin} was applied as it is; nothing was trained.",
        scorecard=tuple(evaluate(model, prepared, part)[0] for part in PARTS),
    )


def stored_of(run: Run) -> Stored:
    """The model of a run as it was last saved.

    Raises:
        RunError: it has saved none yet, or trains something else than a SequenceModel.
        DataError: its data are gone, or a weight is not finite.
    """
    state = run.checkpoint()
    if state is None:
        raise RunError("the run has saved no weights yet; let it train for an epoch")
    if run.program == APPLYING:
        return own.load(state, "the run's model")
    if run.program != PROGRAM:
        raise RunError("the run trains no model of rnnviz's own kind; choose another run")
    return stored_of_run(run.config, load(run.config.data, run.home), state)


def _scalers(stored: Stored) -> Scalers:
    """Those that the model was trained with; a foreign one gives its numbers as they are."""
    meaning = stored.meaning
    target = meaning.target_scaler
    if target is None and stored.task.numeric:
        target = Scaler.identity(stored.outputs)
    return Scalers(meaning.input_scaler, meaning.covariate_scaler, target)


def _started(stored: Stored, prepared: Prepared) -> Started:
    dataset, regression = prepared.dataset, stored.task.numeric
    unit = dataset.outputs[0].unit
    rows = {part: prepared.part(part) for part in PARTS}
    return Started(
        step=0,
        epoch=0,
        parameters=stored.parameters,
        sizes={part: len(found) for part, found in rows.items()},
        people={p: len({dataset.ids[i] for i in found}) for p, found in rows.items()},
        batches=0,
        epochs=0,
        metric="mse" if regression else "loss",
        unit=(f"({unit})²" if unit else "") if regression else "nats",
        baselines=baselines(prepared),
        trace_stride=1,
    )


def _traced(model: SequenceModel, prepared: Prepared, config: RunConfig) -> Traced:
    _, survey = evaluate(model, prepared, "test")
    plan = trace_plan(config, prepared.dataset)
    if not plan.stride:
        return Traced(step=0, epoch=0, trace=None, survey=survey)
    rows = traced_rows(prepared, plan.sequences)
    target = prepared.target_scaler if model.task.numeric else None
    trace = record(model, prepared.batch(rows), rows, target=target, scaled=prepared.scaled)
    return Traced(step=0, epoch=0, trace=trace, survey=survey)
