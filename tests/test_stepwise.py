"""Scores at every step are means over the steps that count, and nothing else."""

import dataclasses

import numpy as np
import pytest
import torch
from training_samples import make_dataset

from rnnviz.batches import prepare
from rnnviz.config import ModelConfig
from rnnviz.data.dataset import MappingType, Task
from rnnviz.errors import DataError
from rnnviz.evaluate import baselines, evaluate
from rnnviz.model import SequenceModel, loss_of
from rnnviz.record import outputs_in_unit

EVERY_STEP = [task for task in Task if task.every_step]


def setup(task, lengths=None, **settings):
    rng = np.random.default_rng(5)
    dataset = make_dataset(task, n=60, t=8, lengths=lengths)
    counted = rng.random((60, 8)) < 0.5
    counted[:, 1] = True
    prepared = prepare(dataclasses.replace(dataset, counted=counted), seed=0)
    config = ModelConfig(hidden_size=4, **{"attention": "none", **settings})
    model = SequenceModel(
        config,
        inputs=dataset.input_size,
        outputs=dataset.output_size,
        covariates=dataset.covariates.shape[1],
        task=task,
    )
    return prepared, model


def said(prepared, model, rows):
    with torch.no_grad():
        outputs = model(prepared.batch(rows)).outputs
    return outputs_in_unit(outputs, model.task, prepared.target_scaler)


@pytest.mark.parametrize("task", EVERY_STEP)
def test_the_score_is_the_mean_over_the_steps_that_count(task):
    lengths = np.full(60, 8)
    lengths[::3] = 5
    prepared, model = setup(task, None if task is Task.NEXT_TOKEN else lengths)
    score, survey = evaluate(model, prepared, "test")
    rows = prepared.split.test
    outputs, dataset = said(prepared, model, rows), prepared.dataset
    losses = []
    for k, row in enumerate(rows):
        for t in range(int(dataset.lengths[row])):
            if not dataset.counted[row, t]:
                continue
            target = dataset.targets[row, t]
            found = outputs[k, t]
            losses.append(
                float(((found - target) ** 2).mean()) if task.numeric else -np.log(found[target])
            )
    metric = "mse" if task.numeric else "loss"
    assert score.metrics[metric] == pytest.approx(np.mean(losses), rel=1e-5)
    if task is Task.NEXT_TOKEN:
        assert survey is None
    else:
        assert len(survey.sequences) == len(losses)


@pytest.mark.parametrize("task", EVERY_STEP)
def test_what_stands_at_a_step_that_does_not_count_changes_nothing(task):
    prepared, model = setup(task)
    rows = prepared.split.train
    batch = prepared.batch(rows)
    outputs = model(batch).outputs
    plain = loss_of(outputs, batch, task)
    off = ~batch.counted
    other = batch.targets.clone()
    other[off] = 0 if not task.numeric else 1e6
    changed = loss_of(outputs, batch._replace(targets=other), task)
    torch.testing.assert_close(plain, changed)


@pytest.mark.parametrize("task", [Task.TAGGING, Task.TRACKING])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_attention_sees_what_the_state_has_seen(task, bidirectional):
    prepared, model = setup(task, attention="dot", bidirectional=bidirectional)
    weights = model(prepared.batch(prepared.split.test)).attended.weights
    future = weights[:, np.triu(np.ones((8, 8), bool), 1)]
    assert bool((future > 0).any()) == bidirectional


def test_a_label_given_the_present_token_is_counted_on_the_training_part():
    prepared, _ = setup(Task.NEXT_TOKEN)
    dataset = dataclasses.replace(
        prepared.dataset,
        task=Task.TAGGING,
        classes=("even", "odd"),
        targets=prepared.dataset.inputs % 2,
    )
    prepared = prepare(dataset, seed=0)
    scores = {(s.predictor, s.part): s.metrics for s in baselines(prepared)}
    assert set(scores) == {
        (name, part)
        for name in ("class shares", "present token")
        for part in ("train", "validation", "test")
    }
    assert scores["present token", "test"]["accuracy"] == 1
    train = prepared.split.train
    seen = dataset.targets[train][dataset.judged[train]]
    shares = (np.bincount(seen, minlength=2) + 1) / (len(seen) + 2)
    by_hand = -np.log(shares[seen]).mean()
    assert scores["class shares", "train"]["loss"] == pytest.approx(by_hand)


def test_a_sequence_without_any_target_is_refused():
    dataset = make_dataset(Task.TAGGING)
    counted = dataset.counted.copy()
    counted[3] = False
    with pytest.raises(DataError, match="a sequence has no step with a target"):
        dataclasses.replace(dataset, counted=counted)


@pytest.mark.parametrize(
    ("task", "t", "given", "mapping"),
    [
        (Task.REGRESSION, 1, None, MappingType.ONE_TO_ONE),
        (Task.TRACKING, 6, 1, MappingType.ONE_TO_MANY),
        (Task.CLASSIFICATION, 6, None, MappingType.MANY_TO_ONE),
        (Task.TAGGING, 6, None, MappingType.MANY_TO_MANY),
        (Task.NEXT_TOKEN, 6, None, MappingType.MANY_TO_MANY),
    ],
)
def test_the_mapping_follows_from_task_steps_and_inputs(task, t, given, mapping):
    assert dataclasses.replace(make_dataset(task, t=t), given=given).mapping is mapping
