"""A model from a file is looked into on one's own data, scaled as it was trained."""

from dataclasses import replace

import numpy as np
import pytest
from model_files import make_model, predict
from training_samples import make_config, make_dataset, of, pump

from rnnviz.applying import apply, apply_stored
from rnnviz.batches import prepare
from rnnviz.config import DataConfig, Dense, ModelConfig, RunConfig
from rnnviz.data.dataset import Scaler, Task, Variable
from rnnviz.errors import DataError, RunError
from rnnviz.events import Checkpointed, Finished, Started, Traced
from rnnviz.exchange.build import stored_of, stored_of_run
from rnnviz.exchange.own import load, save
from rnnviz.exchange.reading import APPLYING
from rnnviz.exchange.stored import Meaning
from rnnviz.runs.inline import InlineRunner
from rnnviz.runs.run import Run
from rnnviz.train import fit

CONFIG = make_config()


def events_of(stored, dataset, config=CONFIG):
    return list(apply(stored, dataset, config))


@pytest.mark.parametrize("task", Task)
def test_a_model_that_we_saved_scores_as_it_did_when_its_training_ended(task):
    config = make_config(covariates=task is not Task.NEXT_TOKEN, epochs=2)
    dataset = replace(make_dataset(task), standardise=True)
    trained = pump(fit(config, dataset))
    stored = stored_of_run(config, dataset, of(trained, Checkpointed)[-1].state)
    applied = events_of(load(save(stored), "m"), dataset, config)
    assert of(applied, Finished)[0].scorecard == of(trained, Finished)[0].scorecard
    ours, theirs = of(applied, Traced)[0].trace, of(trained, Traced)[-1].trace
    for a, b in zip(ours.layers, theirs.layers, strict=True):
        assert np.array_equal(a.gates, b.gates)
    assert np.array_equal(ours.outputs, theirs.outputs)


@pytest.mark.parametrize("cell", ["lstm-relu", "gru-before", "rnn"])
def test_a_foreign_models_gates_and_gradients_are_seen(cell):
    model = make_model(
        inputs=1,
        outputs=1,
        cell=cell,
        layers=2,
        sizes=(6, 4),
        bidirectional=True,
        dense=(Dense(4, "relu"),),
    )
    dataset = make_dataset()
    started, traced, finished = events_of(stored_of(model, origin="Keras 2.2.4"), dataset)
    assert isinstance(started, Started)
    trace = traced.trace
    assert [layer.gates.shape[-1] for layer in trace.layers] == [6, 6, 4, 4]
    expected = predict(model, dataset.inputs[trace.sequences])
    assert trace.outputs[:, 0] == pytest.approx(expected, abs=1e-6)  # as they are: no scaler
    assert all(np.isfinite(layer.state_grads).all() for layer in trace.layers)
    assert all(np.abs(layer.state_grads).max() > 0 for layer in trace.layers)
    assert finished.reason.startswith("The model from Keras 2.2.4 was applied as it is")


def test_the_scalers_of_the_model_count_and_not_those_of_the_data():
    dataset = replace(make_dataset(), standardise=True)
    model = make_model(inputs=1, outputs=1)
    meaning = Meaning(
        input_scaler=Scaler(mean=np.array([2.0]), sd=np.array([4.0])),
        target_scaler=Scaler(mean=np.array([10.0]), sd=np.array([3.0])),
        scale="log1p+standard",
    )
    traced = events_of(stored_of(model, meaning=meaning), dataset)[1]
    rows = traced.trace.sequences
    expected = predict(model, (dataset.inputs[rows] - 2) / 4) * 3 + 10
    assert traced.trace.outputs[:, 0] == pytest.approx(expected, abs=1e-5)
    assert traced.trace.targets[:, 0] == pytest.approx(dataset.targets[rows], abs=1e-4)


def test_scalers_that_are_not_given_are_fitted():
    dataset = replace(make_dataset(), standardise=True)
    train = dataset.inputs[prepare(dataset, 0).split.train]
    assert prepare(dataset, 0).input_scaler.mean == pytest.approx(train.mean())


@pytest.mark.parametrize(
    ("model", "meaning", "task", "message"),
    [
        ({"inputs": 3, "outputs": 1}, {}, Task.REGRESSION, "reads at each step 3 and the data ask"),
        ({"inputs": 1, "outputs": 2}, {}, Task.REGRESSION, "gives 2 and the data ask for 1"),
        (
            {"inputs": 1, "outputs": 2},
            {},
            Task.CLASSIFICATION,
            "predicts a regression and the data ask for classification",
        ),
        (
            {"inputs": 1, "outputs": 1, "covariates": True, "columns": 3},
            {},
            Task.REGRESSION,
            "reads covariates: 3 and the data ask for 2",
        ),
        (
            {"inputs": 1, "outputs": 1},
            {"input_scaler": Scaler.identity(1), "scale": "raw"},
            Task.REGRESSION,
            r"was trained on values scaled as raw and the data ask for log1p\+standard",
        ),
        (
            {"task": Task.CLASSIFICATION, "inputs": 1, "outputs": 2},
            {"classes": ("low", "tall")},
            Task.CLASSIFICATION,
            "classes and those of the data differ, such as 'tall' and 'high'",
        ),
    ],
)
def test_a_model_that_does_not_fit_the_data_is_told(model, meaning, task, message):
    stored = stored_of(make_model(**model), meaning=Meaning(**meaning))
    with pytest.raises(DataError, match=message):
        events_of(stored, make_dataset(task))


def test_a_run_holds_the_model_and_shows_it(tmp_path):
    model = make_model(inputs=1, outputs=1, cell="lstm-relu")
    stored = stored_of(model, meaning=Meaning(outputs=(Variable("BMI", "kg/m²"),)))
    config = RunConfig(
        data=DataConfig(people=40, blocks="24x60"),
        model=ModelConfig(attention="none", covariates=False),
    )
    # the days have 60 values in each of their steps, the model reads one: told as any mistake is
    for blocks, status in (("24x60", "failed"), ("144x1", "finished")):
        config = replace(config, data=replace(config.data, blocks=blocks))
        run = Run.create(tmp_path, config, owner="me", now=0.0, program=APPLYING, title="mine")
        run.keep(Checkpointed(step=0, epoch=0, state=save(stored)))
        InlineRunner().submit(run)
        assert run.view().status == status
    trace, survey = run.trace(0)
    assert trace is not None
    assert survey is not None
    assert trace.layers[0].cell == "lstm-relu"
    assert len(run.view().scorecard) == 3


def test_a_run_without_a_model_is_told(tmp_path):
    with pytest.raises(RunError, match="has no model; give the model's file again"):
        next(apply_stored(RunConfig(), tmp_path))
