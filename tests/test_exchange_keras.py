"""Keras itself and rnnviz give the same outputs from the same file, in both directions."""

import json
import os
import tempfile

import h5py
import numpy as np
import pytest
import torch
from model_files import draw, make_model, predict

from rnnviz.config import Dense
from rnnviz.data.dataset import Task
from rnnviz.errors import RnnvizError
from rnnviz.exchange.build import model_of, stored_of
from rnnviz.exchange.keras_files import read_h5, read_keras, write_h5, write_keras
from rnnviz.exchange.keras_layers import KINDS, keras_arrays
from rnnviz.exchange.reading import model_sandbox, read_model
from rnnviz.study.network import WrittenNet
from rnnviz.study.saved import stored_of as written_as_stored

# Keras asks torch for arrays in the way of NumPy 1, each time that it saves a model.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

READERS = {"h5": read_h5, "keras": read_keras}
WRITERS = {"h5": write_h5, "keras": write_keras}
LAYERS = {
    "rnn": ("SimpleRNN", {}),
    "rnn-relu": ("SimpleRNN", {"activation": "relu"}),
    "gru": ("GRU", {}),
    "gru-before": ("GRU", {"reset_after": False}),
    "lstm": ("LSTM", {}),
    "lstm-relu": ("LSTM", {"activation": "relu", "recurrent_activation": "hard_sigmoid"}),
    "lstm-relu-sigmoid": ("LSTM", {"activation": "relu"}),
    "lstm-hard": ("LSTM", {"recurrent_activation": "hard_sigmoid"}),
    "gru-before-hard": ("GRU", {"reset_after": False, "recurrent_activation": "hard_sigmoid"}),
}


@pytest.fixture(scope="module")
def keras():
    os.environ["KERAS_BACKEND"] = "torch"
    os.environ["KERAS_HOME"] = tempfile.gettempdir()  # or it writes settings into the user's home
    return pytest.importorskip("keras", reason="Keras, a test dependency, is not installed")


@pytest.fixture(params=READERS)
def ending(request):
    return request.param


def built(keras, layers):
    """A model of Keras with drawn weights, biases too."""
    model = keras.Sequential([keras.Input((None, 3)), *layers])
    shapes = [weight.shape for weight in model.get_weights()]
    model.set_weights([draw(*shape, seed=k) * 0.4 for k, shape in enumerate(shapes)])
    return model


def brought_over(model, tmp_path, ending):
    """The model as rnnviz reads it from the file that Keras saves."""
    path = tmp_path / f"model.{ending}"
    model.save(path)
    return READERS[ending](path, path.name, tmp_path)


def said(model, x):
    return np.asarray(model(x).detach())


def assert_same(keras_model, stored, x=None):
    x = draw(4, 9, 3) if x is None else x
    assert np.abs(said(keras_model, x) - predict(model_of(stored), x)).max() <= 1e-5


# -- Keras to rnnviz -------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", KINDS)
@pytest.mark.parametrize("form", ["one", "deep", "both ways"])
def test_every_cell_comes_over(keras, tmp_path, ending, cell, form):
    kind, settings = LAYERS[cell]
    make = getattr(keras.layers, kind)
    layers = [make(6, **settings)]
    if form == "deep":
        layers = [make(6, **settings, return_sequences=True), make(4, **settings)]
    if form == "both ways":
        below, above = make(5, **settings, return_sequences=True), make(4, **settings)
        layers = [keras.layers.Bidirectional(below), keras.layers.Bidirectional(above)]
    model = built(keras, [*layers, keras.layers.Dense(2)])
    stored = brought_over(model, tmp_path, ending)
    assert (stored.config.cell, stored.task) == (cell, Task.REGRESSION)
    assert stored.origin.startswith("Keras 3.")
    assert stored.notes == ()
    assert_same(model, stored)


HEADS = {
    "study": ([4, 1], Task.REGRESSION),
    "none": ([], Task.REGRESSION),
    "relu between": ([(4, "relu"), (3, "tanh"), 1], Task.REGRESSION),
    "softmax": ([(4, "softmax")], Task.CLASSIFICATION),
    "relu at the end": ([(1, "relu")], Task.REGRESSION),
    "many sigmoids": ([(3, "sigmoid")], Task.REGRESSION),
}


@pytest.mark.parametrize("head", HEADS)
def test_every_head_comes_over(keras, tmp_path, ending, head):
    widths, task = HEADS[head]
    pairs = [(width, "linear") if isinstance(width, int) else width for width in widths]
    dense = [keras.layers.Dense(width, activation) for width, activation in pairs]
    model = built(keras, [keras.layers.LSTM(5), keras.layers.Dropout(0.3), *dense])
    stored = brought_over(model, tmp_path, ending)
    assert stored.task is task
    assert_same(model, stored)


def test_one_sigmoid_unit_becomes_two_classes(keras, tmp_path, ending):
    model = built(keras, [keras.layers.GRU(5), keras.layers.Dense(1, "sigmoid")])
    stored = brought_over(model, tmp_path, ending)
    x = draw(4, 9, 3)
    assert "two classes" in stored.notes[0]
    ours = predict(model_of(stored), x)
    assert np.abs(said(model, x)[:, 0] - ours[:, 1]).max() <= 1e-5
    assert np.allclose(ours.sum(axis=1), 1)


def test_a_softmax_at_every_step_predicts_tokens(keras, tmp_path, ending):
    layers = [
        keras.layers.LSTM(5, return_sequences=True, dropout=0.2),
        keras.layers.TimeDistributed(keras.layers.Dense(3)),
        keras.layers.Activation("softmax"),
    ]
    model = built(keras, layers)
    stored = brought_over(model, tmp_path, ending)
    assert stored.task is Task.NEXT_TOKEN
    assert_same(model, stored)


@pytest.mark.parametrize("both_ways", [False, True])
def test_an_embedding_is_folded_into_the_first_layer(keras, tmp_path, ending, both_ways):
    recurrent = keras.layers.LSTM(5)
    layers = [
        keras.Input((None,), dtype="int32"),
        keras.layers.Embedding(11, 4),
        keras.layers.Bidirectional(recurrent) if both_ways else recurrent,
        keras.layers.Dense(1, "sigmoid"),
    ]
    model = keras.Sequential(layers)
    tokens = np.random.default_rng(3).integers(0, 11, (6, 9))
    stored = brought_over(model, tmp_path, ending)
    assert (stored.inputs, stored.task) == (11, Task.CLASSIFICATION)
    assert "embedding is folded" in stored.notes[0]
    ours = predict(model_of(stored), np.eye(11, dtype=np.float32)[tokens])
    assert np.abs(said(model, tokens)[:, 0] - ours[:, 1]).max() <= 1e-5


def test_layers_without_bias_and_functional_models_come_over(keras, tmp_path, ending):
    x = keras.Input((7, 3), name="days")
    y = keras.layers.GRU(5, use_bias=False, return_sequences=True, name="a_b")(x)
    y = keras.layers.GRU(4, use_bias=False, name="z")(y)
    y = keras.layers.Dense(2, use_bias=False, name="dense_7")(keras.layers.Dropout(0.1)(y))
    model = keras.Model(x, keras.layers.Dense(1, name="a")(y))
    assert_same(model, brought_over(model, tmp_path, ending), draw(4, 7, 3))


def test_a_trained_model_comes_over_with_its_optimiser_beside_it(keras, tmp_path, ending):
    model = built(keras, [keras.layers.LSTM(4, dropout=0.1), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(draw(8, 5, 3), draw(8, 1), verbose=0)
    assert_same(model, brought_over(model, tmp_path, ending))


@pytest.mark.parametrize("kind", ["SimpleRNN", "GRU", "LSTM"])
def test_weights_alone_come_over_by_their_shapes(keras, tmp_path, kind):
    make = getattr(keras.layers, kind)
    layers = [keras.layers.Bidirectional(make(5, return_sequences=True)) for _ in range(2)]
    layers.append(keras.layers.Bidirectional(make(4)))
    model = built(keras, [*layers, keras.layers.Dense(4), keras.layers.Dense(1)])
    model.save_weights(tmp_path / "model.weights.h5")
    model.save(tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5") as file, h5py.File(tmp_path / "old.h5", "w") as old:
        for name in file["model_weights"]:
            file.copy(f"model_weights/{name}", old)
        old.attrs.update(file["model_weights"].attrs)
    for name in ("model.weights.h5", "old.h5"):
        stored = read_h5(tmp_path / name, name, tmp_path)
        assert "weights only" in stored.notes[0]
        assert_same(model, stored)


# -- rnnviz to Keras -------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", KINDS)
@pytest.mark.parametrize(
    "form",
    [
        {},
        {"layers": 3, "bidirectional": True},
        {
            "hidden_size": 6,
            "layers": 2,
            "sizes": (6, 4),
            "dense": (Dense(4, "relu"), Dense(3, "linear")),
        },
    ],
    ids=["one", "deep, both ways", "sizes and dense"],
)
def test_what_is_written_loads_in_keras(keras, tmp_path, ending, cell, form):
    model = make_model(cell=cell, **form)
    path = tmp_path / f"ours.{ending}"
    path.write_bytes(WRITERS[ending](stored_of(model)))
    loaded = keras.models.load_model(path, compile=False)
    assert_same(loaded, stored_of(model))
    again = READERS[ending](path, path.name, tmp_path)
    assert (again.config, again.sizes, again.dense) == (
        model.config,
        model.sizes,
        model.dense_layers,
    )
    assert_same(loaded, again)


@pytest.mark.parametrize("task", [Task.CLASSIFICATION, Task.NEXT_TOKEN])
def test_classes_and_tokens_are_written_as_softmax(keras, tmp_path, ending, task):
    model = make_model(task, outputs=3)
    path = tmp_path / f"ours.{ending}"
    path.write_bytes(WRITERS[ending](stored_of(model)))
    assert_same(keras.models.load_model(path, compile=False), stored_of(model))
    assert READERS[ending](path, path.name, tmp_path).task is task


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"attention": "dot"}, "has dot attention, which Keras has no layer for"),
        ({"covariates": True, "columns": 2}, "reads covariates beside its sequences"),
    ],
)
def test_what_keras_has_no_layer_for_is_not_written(ending, settings, message):
    with pytest.raises(RnnvizError, match=message):
        WRITERS[ending](stored_of(make_model(**settings)))


def test_the_study_s_network_predicts_the_same_in_keras(keras, tmp_path):
    net, x = WrittenNet(2), draw(9, 4, 1) * 2  # more steps than the script has: the gates matter
    path = tmp_path / "study.h5"
    path.write_bytes(write_h5(written_as_stored(net)))
    loaded = keras.models.load_model(path, compile=False)
    assert loaded.count_params() == 265_225
    ours = net(torch.from_numpy(x)).detach().numpy()
    assert np.abs(said(loaded, x)[:, 0] - ours).max() <= 1e-5


# -- Keras 1 and 2 ---------------------------------------------------------------------------------


def lstm_of_keras_2(x, kernel, recurrent, bias):
    """The last state of LSTM(activation="relu", recurrent_activation="hard_sigmoid")."""
    h = c = np.zeros((len(x), len(recurrent)))
    for t in range(x.shape[1]):
        i, f, g, o = np.split(x[:, t] @ kernel + h @ recurrent + bias, 4, axis=-1)
        i, f, o = (np.clip(0.2 * z + 0.5, 0, 1) for z in (i, f, o))
        c = f * c + i * np.maximum(g, 0)
        h = o * np.maximum(c, 0)
    return h


def old_file(path, *, version, functional=False):
    """A file as Keras 2 wrote it: the study's layers, made by hand."""
    arrays = {
        "lstm_1": [draw(3, 20), draw(5, 20, seed=1) * 0.3, draw(20, seed=2)],
        "dense_1": [draw(5, 4, seed=3), draw(4, seed=4)],
        "dense_2": [draw(4, 1, seed=5), draw(1, seed=6)],
    }
    lstm = {"units": 5, "activation": "relu", "recurrent_activation": "hard_sigmoid"}
    layers = [
        {"class_name": "LSTM", "config": {"name": "lstm_1", "return_sequences": False, **lstm}},
        {"class_name": "Dense", "config": {"name": "dense_1", "activation": "linear"}},
        {"class_name": "Dense", "config": {"name": "dense_2", "activation": "linear"}},
    ]
    config = {"class_name": "Sequential", "config": layers}  # no name, no "layers", until 2.3
    if functional:
        layers.insert(0, {"class_name": "InputLayer", "config": {"name": "in"}})
        for k, layer in enumerate(layers):
            layer["name"] = layer["config"]["name"]
            layer["inbound_nodes"] = [[[layers[k - 1]["name"], 0, 0, {}]]] if k else []
        shape = {"layers": layers, "output_layers": [["dense_2", 0, 0]]}
        config = {"class_name": "Model", "config": shape}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        root = file.create_group("model_weights")
        if version:
            file.attrs["keras_version"] = root.attrs["keras_version"] = version.encode()
        root.attrs["layer_names"] = [name.encode() for name in arrays]
        for name, found in arrays.items():
            parts = ("kernel:0", "recurrent_kernel:0", "bias:0")
            parts = parts if len(found) == 3 else parts[::2]
            group = root.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{part}".encode() for part in parts]
            for part, array in zip(parts, found, strict=True):
                group.create_dataset(f"{name}/{part}", data=array)
    return arrays


@pytest.mark.parametrize("version", ["2.2.4", "2.13.1", "2.3.0-tf", ""])
@pytest.mark.parametrize("functional", [False, True], ids=["sequential", "functional"])
def test_the_hard_sigmoid_of_keras_2_is_kept(tmp_path, version, functional):
    arrays = old_file(tmp_path / "old.h5", version=version, functional=functional)
    stored = read_h5(tmp_path / "old.h5", "old.h5", tmp_path)
    x = draw(6, 9, 3)
    state = lstm_of_keras_2(x, *arrays["lstm_1"])
    (w1, b1), (w2, b2) = arrays["dense_1"], arrays["dense_2"]
    expected = (state @ w1 + b1) @ w2 + b2
    assert np.abs(predict(model_of(stored), x) - expected).max() <= 1e-5
    assert "hard sigmoid" in stored.notes[0]
    assert stored.origin == f"Keras {version or 1}"


def test_a_gru_of_keras_2_is_kept(tmp_path):
    stored = stored_of(make_model(cell="gru-before-hard"))
    (tmp_path / "old.h5").write_bytes(write_h5(stored))
    with h5py.File(tmp_path / "old.h5", "r+") as file:
        file.attrs["keras_version"] = "2.2.4"
        text = file.attrs["model_config"].replace(', "reset_after": false', "")
        assert "reset_after" not in text  # older files do not name what they did not know
        file.attrs["model_config"] = text
    kernel, recurrent, bias = keras_arrays(stored, 0, 0)
    x, h = draw(6, 9, 3), np.zeros((6, 5))
    for t in range(9):
        z, r, n = np.split(x[:, t] @ kernel + bias, 3, axis=-1)
        u_z, u_r, u_n = np.split(recurrent, 3, axis=-1)
        z, r = (np.clip(0.2 * gate + 0.5, 0, 1) for gate in (z + h @ u_z, r + h @ u_r))
        h = z * h + (1 - z) * np.tanh(n + (r * h) @ u_n)
    expected = h @ stored.weights["head.weight"].T + stored.weights["head.bias"]
    found = read_h5(tmp_path / "old.h5", "old.h5", tmp_path)
    assert np.abs(predict(model_of(found), x) - expected).max() <= 1e-5


def test_the_hard_sigmoid_of_keras_3_is_the_other_one(tmp_path):
    arrays = old_file(tmp_path / "new.h5", version="3.4.1")
    stored = read_h5(tmp_path / "new.h5", "new.h5", tmp_path)
    assert np.array_equal(stored.weights["layers.0.0.rnn.weight_ih_l0"], arrays["lstm_1"][0].T)
    assert stored.notes == ()


# -- in the sandbox --------------------------------------------------------------------------------


def test_the_sandbox_reads_every_kind(keras, tmp_path):
    model = built(keras, [keras.layers.LSTM(5), keras.layers.Dense(1)])
    with model_sandbox() as sandbox:
        for ending in READERS:
            path = tmp_path / f"m.{ending}"
            model.save(path)
            assert_same(model, read_model(path, path.name, sandbox))
