"""Embedded tokens: the network of torch, the trace that folds them, and files that hold them."""

import dataclasses

import numpy as np
import pytest
import torch
from model_files import make_model as drawn
from model_files import predict
from test_exchange_keras import keras, said  # noqa: F401  a fixture
from test_record import B, H, T, make_batch, make_model
from training_samples import make_config, make_dataset, of, pump

from rnnviz.allowed import check_allowed
from rnnviz.config import ModelConfig
from rnnviz.data.dataset import Task
from rnnviz.errors import ConfigError, DataError
from rnnviz.estimate import estimate
from rnnviz.events import EpochEnded, Started, Traced
from rnnviz.exchange import own
from rnnviz.exchange.build import model_of, stored_of
from rnnviz.exchange.describe import lines, parts
from rnnviz.exchange.keras_files import read_h5, read_keras, write_h5, write_keras
from rnnviz.exchange.stored import shapes_of
from rnnviz.exchange.torch_files import read_pt, write_pt
from rnnviz.inside.network import Network, sequence_of
from rnnviz.inside.update import updated
from rnnviz.model import Batch, loss_of
from rnnviz.record import record
from rnnviz.runs.arrays import load_trace, save_trace
from rnnviz.states.asked import stored_of_trace
from rnnviz.train import fit

V, D = 11, 4
FORMS = pytest.mark.parametrize(
    ("task", "outputs", "settings"),
    [
        (Task.NEXT_TOKEN, V, {}),
        (Task.NEXT_TOKEN, V, {"layers": 2, "attention": "dot"}),
        (Task.CLASSIFICATION, 3, {"bidirectional": True, "attention": "additive"}),
        (Task.TAGGING, 3, {"bidirectional": True, "layers": 2}),
    ],
)


def tokens_read(task, outputs, settings, cell="lstm"):
    """A network that embeds, a batch of tokens, its trace."""
    model = make_model(cell, task=task, outputs=outputs, inputs=V, embedding=D, **settings)
    batch = make_batch(model, outputs=outputs)
    rng = torch.Generator().manual_seed(5)
    batch = batch._replace(inputs=torch.randint(V, (T, B), generator=rng))
    return model, batch, record(model, batch, np.arange(B))


@pytest.mark.parametrize("cell", ["lstm", "gru", "gru-before"])
@FORMS
def test_replay_and_all_gradients_equal_autograd(cell, task, outputs, settings):
    model, batch, trace = tokens_read(task, outputs, settings, cell)
    network, sequence = Network.of(trace), sequence_of(trace, 1)
    done = network.run(sequence)
    loss = loss_of(model(batch).outputs, batch, task)[1]
    assert done.loss == pytest.approx(loss.item(), abs=1e-12)
    found = network.gradients(done, sequence.targets)
    loss.backward()
    assert found.embedding is not None
    np.testing.assert_allclose(found.embedding.table, model.embedding.weight.grad, atol=1e-12)
    for way, mine in zip(model.ways(0), found.embedding.weights, strict=True):
        theirs = way.rnn.weight_ih_l0.grad.numpy()
        np.testing.assert_allclose(mine.reshape(theirs.shape), theirs, atol=1e-12)


@FORMS
def test_a_step_equals_torchs(task, outputs, settings):
    model, batch, trace = tokens_read(task, outputs, settings)
    found = updated(Network.of(trace), sequence_of(trace, 1), rate=0.3, threshold=0.05)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.3)
    loss_of(model(batch).outputs, batch, task)[1].backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.05)
    optimiser.step()
    assert found.norm == pytest.approx(norm.item(), rel=1e-9)
    assert found.matrices[0].shape == (V, D)
    assert (found.matrices[0].symbol, found.matrices[0].part) == ("E", "embedding")
    after = loss_of(model(batch).outputs, batch, task)[1].item()
    assert found.after.loss == pytest.approx(after, abs=1e-12)
    np.testing.assert_allclose(
        found.network.embedding.table, model.embedding.weight.detach(), atol=1e-12
    )


def test_a_trace_reads_one_hot_tokens_by_weights_that_hold_the_embedding():
    model, batch, trace = tokens_read(Task.NEXT_TOKEN, V, {})
    one_hot = np.eye(V)[batch.inputs.numpy().T]
    np.testing.assert_array_equal(trace.inputs, one_hot)
    layer = trace.layers[0]
    assert layer.input_weights.shape == (4, H, V)
    np.testing.assert_array_equal(trace.embedding, model.embedding.weight.detach())
    np.testing.assert_allclose(layer.input_weights, layer.embedded_weights @ trace.embedding.T)
    embedded = model.embedding(batch.inputs)
    mixed = model.encode(torch.eye(V).double()[batch.inputs])
    np.testing.assert_allclose(mixed.detach(), embedded.detach(), atol=1e-14)
    np.testing.assert_allclose(
        layer.states[:, :, 0], model.run_layer(0, embedded, None)[0].detach().transpose(0, 1)
    )


def test_a_trace_with_an_embedding_is_kept(tmp_path):
    trace = tokens_read(Task.NEXT_TOKEN, V, {})[2]
    save_trace(tmp_path / "1.npz", trace, None)
    again = load_trace(tmp_path / "1.npz")[0]
    np.testing.assert_array_equal(again.embedding, trace.embedding)
    np.testing.assert_array_equal(
        again.layers[0].embedded_weights, trace.layers[0].embedded_weights
    )


def test_without_an_embedding_nothing_has_changed():
    plain = make_model(task=Task.NEXT_TOKEN, outputs=V, inputs=V)
    assert plain.embedding is None
    assert not [name for name in plain.state_dict() if "embedding" in name]
    trace = record(plain, make_batch(plain), np.arange(B))
    assert trace.embedding is None
    assert Network.of(trace).embedding is None


def test_training_starts_from_standard_normal_rows_and_learns_them():
    dataset = make_dataset(Task.NEXT_TOKEN)
    config = make_config(epochs=10, rate=0.03, embedding=3)
    events = pump(fit(config, dataset))
    first, *_, last = (event.trace.embedding for event in of(events, Traced))
    assert first.shape == (5, 3)
    assert not np.array_equal(first, last)
    losses = [epoch.train_loss for epoch in of(events, EpochEnded)]
    assert losses[-1] < 0.9 * losses[0]
    rows = drawn(Task.NEXT_TOKEN, inputs=4000, outputs=3, embedding=8).embedding.weight
    assert rows.mean().abs() < 0.02
    assert rows.std().item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("settings", [{}, {"layers": 2, "bidirectional": True}], ids=["", "both"])
def test_the_estimate_counts_the_table(settings):
    task = Task.TAGGING if settings else Task.NEXT_TOKEN
    dataset = make_dataset(Task.NEXT_TOKEN)
    if settings:
        dataset = dataclasses.replace(
            dataset, task=task, classes=("x", "y"), targets=dataset.targets % 2
        )
    config = make_config(embedding=3, **settings)
    started = of([next(fit(config, dataset))], Started)[0]
    assert estimate(config, dataset).parameters == started.parameters


def test_numbers_are_not_embedded():
    with pytest.raises(ConfigError, match="embedding is 3, but these data are numbers and no tok"):
        check_allowed(ModelConfig(embedding=3), make_dataset())


# -- files -----------------------------------------------------------------------------------------


def embedding_model(**settings):
    return drawn(Task.CLASSIFICATION, inputs=V, outputs=3, embedding=D, **settings)


@pytest.fixture
def tokens():
    return np.random.default_rng(3).integers(0, V, (6, 9))


def answers(model, tokens):
    batch = Batch(torch.from_numpy(tokens.T.copy()), None, torch.zeros(6, 0), torch.zeros(6).long())
    with torch.no_grad():
        return torch.softmax(model(batch).outputs[:, 0], dim=-1).numpy()


def test_our_own_file_gives_it_back_bit_for_bit(tokens):
    model = embedding_model(layers=2, bidirectional=True)
    stored = stored_of(model)
    held = {name: tuple(weights.shape) for name, weights in model.state_dict().items()}
    assert shapes_of(stored) == held
    again = own.load(own.save(stored), "m.safetensors")
    assert again.config.embedding == D
    assert np.array_equal(answers(model_of(again), tokens), answers(model, tokens))
    first = parts(again)[0]
    assert (first.name, first.reads, first.gives, first.weights) == ("embedding", V, D, V * D)
    assert "embedding" in lines(again)[1]


def test_a_pt_file_gives_it_back_bit_for_bit(tmp_path):
    model = embedding_model()
    (tmp_path / "m.pt").write_bytes(write_pt(stored_of(model)))
    again = read_pt(tmp_path / "m.pt", "m.pt", tmp_path)
    assert (again.config.embedding, again.inputs) == (D, V)
    assert "Its table `embedding` is taken" in again.notes[0]
    for name, weights in model.state_dict().items():
        assert np.array_equal(again.weights[name], weights.numpy())


def test_a_table_that_does_not_fit_is_refused(tmp_path):
    state = {**model_state(), "embedding.weight": torch.zeros(V, D + 1)}
    torch.save(state, tmp_path / "m.pt")
    with pytest.raises(DataError, match="its embedding is shaped 11 x 5, and its first layer rea"):
        read_pt(tmp_path / "m.pt", "m.pt", tmp_path)


def model_state():
    rnn = torch.nn.LSTM(D, 5)
    return {f"rnn.{name}": weights.detach() for name, weights in rnn.named_parameters()}


@pytest.mark.parametrize("settings", [{}, {"layers": 2, "bidirectional": True}], ids=["", "both"])
@pytest.mark.parametrize(
    ("ending", "write", "read"), [("h5", write_h5, read_h5), ("keras", write_keras, read_keras)]
)
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_keras_reads_its_embedding_and_we_read_it_back_folded(
    keras,  # noqa: F811
    tmp_path,
    tokens,
    ending,
    write,
    read,
    settings,
):
    model = embedding_model(**settings)
    path = tmp_path / f"ours.{ending}"
    path.write_bytes(write(stored_of(model)))
    expected = answers(model, tokens)
    loaded = keras.models.load_model(path, compile=False)
    assert np.abs(said(loaded, tokens) - expected).max() <= 1e-5
    again = read(path, path.name, tmp_path)
    assert again.config.embedding == 0
    assert "embedding is folded" in again.notes[0]
    one_hot = np.eye(V, dtype=np.float32)[tokens]
    assert np.abs(predict(model_of(again), one_hot) - expected).max() <= 1e-5


def test_the_network_of_a_trace_is_stored_with_the_embedding_folded():
    model, batch, trace = tokens_read(Task.NEXT_TOKEN, V, {})
    trace = dataclasses.replace(
        trace,
        layers=tuple(in_float32(layer) for layer in trace.layers),
        readout=in_float32(trace.readout),
    )
    dataset = dataclasses.replace(make_dataset(Task.NEXT_TOKEN), vocabulary=tuple("abcdefghijk"))
    stored = stored_of_trace(trace, model.config, dataset)
    assert stored.config.embedding == 0
    outputs = model_of(stored)(batch._replace(covariates=torch.zeros(B, 0))).outputs
    torch.testing.assert_close(outputs, model(batch).outputs.float(), atol=1e-5, rtol=0)


def in_float32(record_of):
    """A record of a trace as training keeps it."""
    changed = {}
    for field in dataclasses.fields(record_of):
        value = getattr(record_of, field.name)
        if isinstance(value, np.ndarray) and value.dtype == np.float64:
            changed[field.name] = value.astype(np.float32)
        if field.name == "dense":
            changed[field.name] = tuple(in_float32(dense) for dense in value)
    return dataclasses.replace(record_of, **changed)
