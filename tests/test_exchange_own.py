"""Our own model files give back the same model, bit for bit, or one sentence."""

import dataclasses
import io
import json

import numpy as np
import pytest
import torch
from model_files import draw, make_model, predict
from safetensors.numpy import save as save_arrays
from training_samples import make_config, make_dataset, of, pump

from rnnviz.batches import prepare
from rnnviz.cells import CELLS
from rnnviz.config import ATTENTIONS, Dense
from rnnviz.data.dataset import Task
from rnnviz.errors import DataError, RunError
from rnnviz.events import Checkpointed
from rnnviz.exchange.build import model_of, stored_of, stored_of_run
from rnnviz.exchange.own import KEY, load, save
from rnnviz.exchange.stored import Meaning, shapes_of
from rnnviz.train import fit

SHAPES = {
    **{cell: {"cell": cell} for cell in CELLS},
    **{f"{kind} attention": {"attention": kind} for kind in ATTENTIONS},
    "deep": {"layers": 3, "bidirectional": True, "attention": "additive", "dropout": 0.5},
    "covariates": {"covariates": True},
    "sizes": {"layers": 2, "sizes": (6, 4), "bidirectional": True, "attention": "general"},
    "dense": {"dense": (Dense(4, "relu"), Dense(3, "tanh"))},
}


@pytest.fixture(params=SHAPES.values(), ids=SHAPES)
def model(request):
    return make_model(columns=2, **request.param)


def test_a_model_comes_back_bit_for_bit(model):
    again = model_of(load(save(stored_of(model)), "m.safetensors"))
    x, covariates = draw(4, 7, 3), draw(4, 2, seed=1)
    assert np.array_equal(predict(again, x, covariates), predict(model, x, covariates))
    assert (again.config, again.task, again.sizes) == (model.config, model.task, model.sizes)


def test_names_and_shapes_are_those_of_the_model(model):
    stored = stored_of(model)
    held = {name: tuple(weights.shape) for name, weights in model.state_dict().items()}
    assert shapes_of(stored) == held
    assert stored.parameters == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("task", Task)
def test_a_run_is_kept_with_all_that_its_numbers_mean(task):
    config = make_config(covariates=True, epochs=1)
    dataset = dataclasses.replace(make_dataset(task), standardise=True)
    state = of(pump(fit(config, dataset)), Checkpointed)[-1].state
    stored = stored_of_run(config, dataset, state)
    again = load(save(stored), "m.safetensors")
    prepared = prepare(dataset, config.training.seed)
    meaning = again.meaning
    assert meaning.features == dataset.features
    assert meaning.outputs == dataset.outputs
    assert (meaning.classes, meaning.vocabulary) == (dataset.classes, dataset.vocabulary)
    assert meaning.covariates == dataset.covariate_names
    scaled = {"target_scaler": task.numeric, "input_scaler": task is not Task.NEXT_TOKEN}
    for name, kept in {**scaled, "covariate_scaler": True}.items():
        ours, theirs = getattr(meaning, name), getattr(prepared, name)
        assert (ours is not None) == kept
        if ours is not None:
            assert np.array_equal(ours.mean, theirs.mean)
            assert np.array_equal(ours.sd, theirs.sd)
    held = torch.load(io.BytesIO(state), weights_only=True)["model"]
    for name, weights in held.items():
        assert np.array_equal(again.weights[name], weights.numpy())


def test_a_checkpoint_that_is_none_is_told():
    with pytest.raises(RunError, match="the checkpoint cannot be read"):
        stored_of_run(make_config(), make_dataset(), b"no checkpoint")


def test_a_diverged_model_is_not_kept():
    model = make_model()
    with torch.no_grad():
        model.head.bias[0] = torch.nan
    with pytest.raises(DataError, match=r"head\.bias holds a number that is not finite"):
        stored_of(model)


def changed(**changes):
    """The file of a model whose settings say something else; dots go inside."""
    data = save(stored_of(make_model()))
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    settings = json.loads(header["__metadata__"][KEY])
    for path, value in changes.items():
        *places, last = path.split("__")
        inner = settings
        for place in places:
            inner = inner[place]
        inner[last] = value
    return with_settings(json.dumps(settings))


def with_settings(text, weights=None):
    weights = weights or {k: v.numpy() for k, v in make_model().state_dict().items()}
    return save_arrays(weights, {KEY: text})


GOOD = save(stored_of(make_model()))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no safetensors file, or is cut off"),
        (GOOD[:7], "no safetensors file, or is cut off"),
        (GOOD[:300], "no safetensors file, or is cut off"),
        (GOOD[:-1], "no safetensors file, or is cut off"),
        (b"\xff" * 100, "no safetensors file, or is cut off"),
        ((1 << 60).to_bytes(8, "little") + bytes(99), "no safetensors file, or is cut off"),
        (save_arrays({"a": np.zeros(3, np.float32)}), "holds arrays without rnnviz's settings"),
        (with_settings("{"), "settings that rnnviz does not know"),
        (with_settings("[" * 5000), "settings that rnnviz does not know"),
        (with_settings("[]"), "settings that rnnviz does not know"),
        (changed(version=2), "saved by a newer rnnviz"),
        (changed(config__hidden_size=0), r"hidden_size is 0; it must lie in \[1, 512\]"),
        (changed(config__cell="ntm"), "cell is 'ntm'; choose one of"),
        (changed(config__new=1), "settings that rnnviz does not know"),
        (changed(task="dance"), "settings that rnnviz does not know"),
        (changed(inputs=10**9), r"inputs is 1000000000; it must lie in \[1, 100000\]"),
        (changed(inputs=4), r"layers\.0\.0\.rnn\.weight_ih_l0 is shaped 20 x 3, .* 20 x 4"),
        (changed(inputs=3.0), "settings that rnnviz does not know"),
        (changed(sizes=[5, 5]), "name 1 layers and 2 sizes"),
        (changed(config__attention="general"), r"its weights lack attention\.keys\.weight"),
        (changed(dense=[{"units": 2, "activation": "exec"}]), "activation 'exec'; allowed are"),
        (changed(meaning__classes=["a"]), "names 1 classes and has 0"),
        (changed(meaning__scale="sqrt"), "its scale is 'sqrt'; allowed are"),
        (
            changed(meaning__input_scaler={"mean": [0.0], "sd": [1.0]}),
            "input scaler is not one of 3 columns",
        ),
        (
            changed(meaning__input_scaler={"mean": [0.0] * 3, "sd": [0.0] * 3}),
            "input scaler is not one of 3 columns with finite numbers",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(data, message):
    with pytest.raises(DataError, match=message) as caught:
        load(data, "m.safetensors")
    assert str(caught.value).startswith("m.safetensors ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("head.bias", np.zeros(2, np.float64), "holds float64 numbers; weights are float32"),
        ("head.bias", np.full(2, np.inf, np.float32), "not finite"),
        ("extra", np.zeros(2, np.float32), "hold extra, which its settings do not"),
    ],
)
def test_weights_that_do_not_fit_are_refused(name, value, message):
    weights = {k: v.numpy() for k, v in make_model().state_dict().items()} | {name: value}
    size = int.from_bytes(GOOD[:8], "little")
    text = json.loads(GOOD[8 : 8 + size])["__metadata__"][KEY]
    with pytest.raises(DataError, match=message):
        load(with_settings(text, weights), "m.safetensors")


def test_a_meaning_is_optional():
    assert load(save(stored_of(make_model())), "m").meaning == Meaning()
