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
from rnnviz.ngrams import NOTHING, Bigram, Told, Trigram, Unigram
from rnnviz.paired import errors
from rnnviz.record import outputs_in_unit
from rnnviz.trace import Survey
from rnnviz.windowed import AT_ONCE, READS, Pairs, train_window_model

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


class _Read(NamedTuple):
    """The steps that count, of some rows: the tokens before each, and its target."""

    rows: Int[np.ndarray, " M"]  # of the dataset
    contexts: Int[np.ndarray, "M N"]  # the last is the token just read; NOTHING before a window
    targets: Int[np.ndarray, " M"]


def _read(prepared: Prepared, part: str) -> _Read:
    """What a predictor may look at: the window up to a step, as the network does.

    Where the state is carried on, the window before it as well.
    """
    dataset, rows = prepared.dataset, prepared.part(part)
    before = np.full((len(rows), READS - 1), NOTHING)
    if dataset.carried and dataset.steps >= READS and len(rows):
        before[1:] = dataset.inputs[rows[:-1], dataset.steps - READS + 1 :]
    whole = np.concatenate((before, dataset.inputs[rows]), axis=1)
    contexts = np.lib.stride_tricks.sliding_window_view(whole, READS, axis=1)
    judged = dataset.judged[rows]
    targets = dataset.targets[rows][judged].astype(np.int64)
    return _Read(rows[np.nonzero(judged)[0]], contexts[judged].astype(np.int64), targets)


def _of_tokens(prepared: Prepared) -> tuple[Score, ...]:
    """Unigram, bigram, trigram, and the window model, all fitted to the training part."""
    size = len(prepared.dataset.vocabulary)
    read = {part: _read(prepared, part) for part in PARTS}
    pairs = {part: some.contexts[:, -2:] for part, some in read.items()}
    targets = read["train"].targets
    one = Unigram(targets, size)
    two = Bigram(one, pairs["train"], targets)
    three = Trigram(two, pairs["train"], targets)
    told: dict[str, Mapping[str, Told]] = {
        name: {part: model.tell(pairs[part], read[part].targets) for part in PARTS}
        for name, model in (("unigram", one), ("bigram", two), ("trigram", three))
    }
    told["window model"] = _windowed(read, size)
    return tuple(
        _told_score(name, part, read[part], found)
        for name, by_part in told.items()
        for part, found in by_part.items()
    )


def _windowed(read: Mapping[str, _Read], size: int) -> Mapping[str, Told]:
    def tensors(part: str) -> Pairs:
        contexts = np.where(read[part].contexts == NOTHING, size, read[part].contexts)
        return Pairs(torch.from_numpy(contexts), torch.from_numpy(read[part].targets))

    model = train_window_model(tensors("train"), tensors("validation"), size)
    found = {}
    for part in PARTS:
        contexts, targets = tensors(part)
        shares, best = [], []
        for some, true in zip(model.shares(contexts), targets.split(AT_ONCE), strict=True):
            shares.append(some.gather(1, true[:, None])[:, 0].double().numpy())
            best.append(some.argmax(dim=1).numpy())
        found[part] = Told(np.concatenate(shares), np.concatenate(best))
    return found


def _told_score(name: str, part: str, read: _Read, told: Told) -> Score:
    losses = -np.log(np.maximum(told.shares, np.finfo(np.float32).tiny))
    right = told.likeliest == read.targets
    found = np.stack((losses, right, told.likeliest), axis=1)
    said = Said(read.rows, read.targets, found, np.zeros((0, 0)))
    return Score(predictor=name, part=part, metrics=_metrics(said, Task.NEXT_TOKEN))


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
