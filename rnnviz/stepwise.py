"""How well something is said at every step: scores and baselines over the steps that count.

Every number is in the target's unit (or nats). No files, no training.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int

from rnnviz.batches import Prepared
from rnnviz.data.dataset import PARTS, SequenceDataset, Task
from rnnviz.data.streams import scoring_streams, streams
from rnnviz.events import Score
from rnnviz.metrics import class_losses, regression_metrics
from rnnviz.model import Readout, SequenceModel, first_of
from rnnviz.paired import errors
from rnnviz.record import outputs_in_unit
from rnnviz.trace import Survey

ROWS = 128  # sequences evaluated at once
MOST_SURVEYED = 2048  # steps whose prediction is kept for the pictures
MOST_TAGGED = 2**13  # the same where classes are predicted,
MOST_NUMBERS = 2**17  # and together they hold no more probabilities than this


class Said(NamedTuple):
    """What is said of the steps that count, of some sequences one after the other."""

    rows: Int[np.ndarray, " M"]  # of the dataset
    true: Float[np.ndarray, "M K"] | Int[np.ndarray, " M"]
    # numbers; or of classes the loss [nats], whether the likeliest is the true one, the likeliest
    found: Float[np.ndarray, "M K"]
    probabilities: Float[np.ndarray, "S C"]  # of tags, of the first steps; else there are none


def evaluate_steps(
    model: SequenceModel, prepared: Prepared, part: str
) -> tuple[Score, Survey | None]:
    """The network's score on a part, and a survey of its first steps (not of tokens)."""
    dataset, rows, pieces, room = prepared.dataset, prepared.part(part), [], _room(prepared)
    for some, found in _readouts(model, prepared, rows):
        outputs = outputs_in_unit(found.outputs, model.task, prepared.target_scaler)
        pieces.append(_said(dataset, some, outputs, room))
        room -= len(pieces[-1].probabilities)
    said = Said(*(np.concatenate(values) for values in zip(*pieces, strict=True)))
    told = errors(prepared, said.rows, said.true, _losses_of(said, dataset.task))
    metrics = _metrics(said, dataset.task)
    score = Score(predictor="network", part=part, metrics=metrics, errors=told)
    return score, _survey(said, dataset.task)


def _readouts(
    model: SequenceModel, prepared: Prepared, rows: Int[np.ndarray, " N"]
) -> Iterator[tuple[Int[np.ndarray, " B"], Readout]]:
    """What the network says of all rows, some at once; states are carried on as in training."""
    carried = prepared.dataset.carried
    if carried:
        batches = streams(rows, scoring_streams(len(rows)))
    else:
        batches = [rows[start : start + ROWS] for start in range(0, len(rows), ROWS)]
    states = model.zeros(len(batches[0])) if carried else ()
    for some in batches:
        with torch.no_grad():
            before = first_of(states, len(some)) if carried else None
            readout = model(prepared.batch(some), None, before)
        states = readout.after
        yield some, readout


def step_baselines(prepared: Prepared) -> tuple[Score, ...]:
    """Scores of those that know less, on every part."""
    return _BASELINES[prepared.dataset.task](prepared)


def _said(
    dataset: SequenceDataset,
    rows: Int[np.ndarray, " B"],
    outputs: Float[np.ndarray, "B T K"],
    room: int = 0,
) -> Said:
    judged = dataset.judged[rows]
    true, said = dataset.targets[rows][judged], outputs[judged]
    found = said if dataset.task.numeric else _losses(said, true)
    return Said(rows[np.nonzero(judged)[0]], true, found, said[:room])


def _room(prepared: Prepared) -> int:
    """Of how many steps the probabilities are kept."""
    if prepared.dataset.task is not Task.TAGGING:
        return 0
    return min(MOST_TAGGED, MOST_NUMBERS // len(prepared.dataset.classes))


def _losses(
    probabilities: Float[np.ndarray, "M K"], true: Int[np.ndarray, " M"]
) -> Float[np.ndarray, "M 3"]:
    losses = class_losses(true, probabilities)
    best = probabilities.argmax(axis=1)
    return np.stack((losses, best == true, best), axis=1).astype(np.float64)


def _losses_of(said: Said, task: Task) -> Float[np.ndarray, " M"]:
    """The loss at each step."""
    if task.numeric:
        return ((said.true - said.found.astype(np.float64)) ** 2).mean(axis=1)
    return said.found[:, 0]


def _metrics(said: Said, task: Task) -> Mapping[str, float]:
    if task.numeric:
        true, found = said.true.astype(np.float64), said.found.astype(np.float64)
        return regression_metrics(true.ravel(), found.ravel())
    loss, accuracy = (float(value) for value in said.found[:, :2].mean(axis=0))
    return {"loss": loss, "accuracy": accuracy, "perplexity": float(np.exp(loss))}


def _survey(said: Said, task: Task) -> Survey | None:
    """A step of a sequence counts as a sequence of its own; `sequences` holds its row."""
    if task is Task.NEXT_TOKEN:
        return None
    tags = len(said.probabilities)
    most = _whole(said.rows, tags) if tags else MOST_SURVEYED
    targets = said.true[:, 0] if task.numeric else said.true
    predictions = said.found[:, 0] if task.numeric else said.found[:, 2]
    return Survey(
        sequences=said.rows[:most],
        targets=targets[:most].astype(np.float32),
        predictions=predictions[:most].astype(np.float32),
        attention=None,
        probabilities=said.probabilities[:most].astype(np.float32) if tags else None,
    )


def _whole(rows: Int[np.ndarray, " M"], most: int) -> int:
    """At most so many steps, and no sequence cut in two where the first one fits."""
    if len(rows) <= most:
        return len(rows)
    begins = int(np.searchsorted(rows, rows[most]))
    return begins or most


# --- baselines ------------------------------------------------------------------------------------


def _shares(prepared: Prepared, names: tuple[str, str], size: int) -> tuple[Score, ...]:
    """Shares of the targets, and of the targets given the token just read, each smoothed by adding
    one; the second falls back on the first, with the weight of one target per token."""
    dataset = prepared.dataset
    train = prepared.split.train
    seen = dataset.judged[train]
    targets = dataset.targets[train][seen]
    single = prepared.constant
    tables = {names[0]: single[None]}
    if dataset.vocabulary:
        width = len(dataset.vocabulary)
        pairs = np.bincount(dataset.inputs[train][seen] * size + targets, minlength=width * size)
        pairs = pairs.reshape(width, size)
        tables[names[1]] = (pairs + single) / (pairs.sum(axis=1, keepdims=True) + 1.0)
    return tuple(
        _share_score(name, part, prepared, table)
        for name, table in tables.items()
        for part in PARTS
    )


def _share_score(
    name: str, part: str, prepared: Prepared, table: Float[np.ndarray, "V K"]
) -> Score:
    dataset, rows = prepared.dataset, prepared.part(part)
    judged = dataset.judged[rows]
    true = dataset.targets[rows][judged]
    given = dataset.inputs[rows][judged] if len(table) > 1 else np.zeros(len(true), dtype=np.int64)
    best = table.argmax(axis=1)[given]
    found = np.stack((-np.log(table[given, true]), best == true, best), axis=1)
    said = Said(rows[np.nonzero(judged)[0]], true, found, np.zeros((0, 0)))
    return Score(predictor=name, part=part, metrics=_metrics(said, dataset.task))


def _of_tokens(prepared: Prepared) -> tuple[Score, ...]:
    return _shares(prepared, ("unigram", "bigram"), len(prepared.dataset.vocabulary))


def _of_classes(prepared: Prepared) -> tuple[Score, ...]:
    return _shares(prepared, ("class shares", "present token"), len(prepared.dataset.classes))


def _of_numbers(prepared: Prepared) -> tuple[Score, ...]:
    """One mean for all steps."""
    dataset, scores = prepared.dataset, []
    for part in PARTS:
        rows = prepared.part(part)
        said = _said(dataset, rows, np.broadcast_to(prepared.constant, dataset.targets[rows].shape))
        scores.append(Score(predictor="mean", part=part, metrics=_metrics(said, dataset.task)))
    return tuple(scores)


_BASELINES: Mapping[Task, Callable[[Prepared], tuple[Score, ...]]] = {
    Task.NEXT_TOKEN: _of_tokens,
    Task.TAGGING: _of_classes,
    Task.TRACKING: _of_numbers,
}
