"""PyTorch's weights give the same outputs here; what is more than weights is refused."""

import io
import os
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from model_files import draw, make_model, predict
from safetensors.torch import save as save_tensors
from torch import nn

from rnnviz.config import Dense
from rnnviz.data.dataset import Task
from rnnviz.data.sandbox import Sandbox
from rnnviz.errors import DataError
from rnnviz.exchange.build import model_of, stored_of
from rnnviz.exchange.reading import model_sandbox, read_model
from rnnviz.exchange.torch_files import read_pt, write_pt
from rnnviz.exchange.torch_layout import NOTHING_BETWEEN, TANH, UNSAID


class Theirs(nn.Module):
    """What people write: a recurrent module, then linear ones on its last state."""

    def __init__(self, kind, *widths, ways=1, **settings):
        super().__init__()
        settings = {"hidden_size": 5, "bidirectional": ways == 2, **settings}
        self.rnn = getattr(nn, kind)(3, batch_first=True, **settings)
        sizes = (5 * ways, *widths)
        self.fc = nn.Sequential(*(nn.Linear(a, b) for a, b in zip(sizes, widths, strict=False)))

    def forward(self, x):
        states = self.rnn(x)[0]
        last = states[:, -1]
        if self.rnn.bidirectional:
            last = torch.cat((states[:, -1, :5], states[:, 0, 5:]), dim=-1)
        return self.fc(last)


def saved(held) -> bytes:
    buffer = io.BytesIO()
    torch.save(held, buffer)
    return buffer.getvalue()


def read(data: bytes, tmp_path: Path):
    (tmp_path / "m.pt").write_bytes(data)
    return read_pt(tmp_path / "m.pt", "m.pt", tmp_path)


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize(
    "form",
    [
        ((2,), {}),
        ((4, 1), {"num_layers": 3, "ways": 2}),
        ((1,), {"bias": False, "num_layers": 2}),
        ((), {}),
    ],
    ids=["one", "deep, both ways", "no bias", "no head"],
)
def test_every_module_comes_over(tmp_path, kind, form):
    widths, settings = form
    torch.manual_seed(1)
    theirs, x = Theirs(kind, *widths, **settings), draw(4, 9, 3)
    stored = read(saved(theirs.state_dict()), tmp_path)
    with torch.no_grad():
        expected = theirs(torch.from_numpy(x)).numpy()
    assert np.abs(predict(model_of(stored), x) - expected).max() <= 1e-6
    assert (UNSAID in stored.notes) == bool(widths)
    assert (TANH in stored.notes) == (kind == "RNN")
    assert (NOTHING_BETWEEN in stored.notes) == (len(widths) > 1)


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
def test_weights_inside_of_a_checkpoint_are_found(tmp_path, key):
    theirs = Theirs("GRU", 1)
    held = {"epoch": 3, "optimizer": torch.optim.Adam(theirs.parameters()).state_dict()}
    stored = read(saved(held | {key: theirs.state_dict()}), tmp_path)
    assert np.array_equal(stored.weights["head.bias"], theirs.fc[0].bias.detach().numpy())


def test_half_and_double_precision_become_float32(tmp_path):
    for kind in (torch.float64, torch.float16, torch.bfloat16):
        theirs = Theirs("LSTM", 1).to(kind)
        stored = read(saved(theirs.state_dict()), tmp_path)
        expected = theirs.rnn.weight_ih_l0.detach().float().numpy()
        assert np.array_equal(stored.weights["layers.0.0.rnn.weight_ih_l0"], expected)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize(
    "form",
    [{}, {"layers": 2, "bidirectional": True}, {"layers": 2, "sizes": (6, 4), "hidden_size": 6}],
    ids=["one", "deep, both ways", "sizes"],
)
def test_what_is_written_comes_back_bit_for_bit(tmp_path, cell, form):
    model = make_model(cell=cell, **form)
    again = read(write_pt(stored_of(model)), tmp_path)
    assert again.config == model.config
    for name, weights in model.state_dict().items():
        assert np.array_equal(again.weights[name], weights.numpy())


def test_what_is_written_loads_into_torchs_own_modules():
    model = make_model(layers=2, bidirectional=True)
    state = torch.load(io.BytesIO(write_pt(stored_of(model))), weights_only=True)
    theirs = nn.ModuleDict({"rnn": nn.LSTM(3, 5, 2, bidirectional=True), "head": nn.Linear(10, 2)})
    theirs.load_state_dict(state)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cell": "gru-before"}, "torch.nn has no GRU, reset before the product"),
        ({"cell": "lstm-relu"}, "torch.nn has no LSTM with ReLU and hard sigmoid"),
        ({"attention": "dot"}, "has attention or reads covariates"),
        ({"covariates": True, "columns": 2}, "has attention or reads covariates"),
    ],
)
def test_what_torch_has_no_layer_for_is_not_written(settings, message):
    with pytest.raises(DataError, match=message):
        write_pt(stored_of(make_model(**settings)))


def test_dense_layers_are_written_without_what_stands_between(tmp_path):
    model = make_model(Task.CLASSIFICATION, dense=(Dense(4, "relu"),))
    again = read(write_pt(stored_of(model)), tmp_path)
    assert again.dense == (Dense(4, "linear"),)
    assert NOTHING_BETWEEN in again.notes


# -- in the sandbox --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with model_sandbox() as running:
        running.start()
        before = running.pids()
        yield running
        assert running.pids() == before  # whatever came, the helper lived on


def refused(sandbox: Sandbox, tmp_path: Path, data: bytes, name: str, message: str) -> None:
    path, into = tmp_path / "upload", tmp_path / "into"
    path.write_bytes(data)
    into.mkdir()
    with pytest.raises(DataError, match=message) as caught:
        sandbox.read(path, name, into)
    text = str(caught.value)
    assert text.startswith(name)
    assert "\n" not in text
    assert "Traceback" not in text
    assert list(into.iterdir()) == []


STATE = Theirs("LSTM", 1).state_dict()


def test_the_sandbox_reads_pt_and_safetensors(sandbox, tmp_path):
    for data, name in ((saved(STATE), "m.pt"), (saved(STATE), "m.pth")):
        (tmp_path / name).write_bytes(data)
        assert read_model(tmp_path / name, name, sandbox).origin == "PyTorch"
    assert psutil.Process(sandbox.pids()[0]).num_threads() == 1  # with more it must not fork
    (tmp_path / "m.safetensors").write_bytes(save_tensors(dict(STATE)))
    stored = read_model(tmp_path / "m.safetensors", "m.safetensors", sandbox)
    assert stored.origin == "a .safetensors file"
    assert np.array_equal(stored.weights["head.weight"], STATE["fc.0.weight"].numpy())


class Deed:
    """A pickle that runs a command when it is read."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def archived(payload: bytes, *, packed: int = zipfile.ZIP_STORED, **members: bytes) -> bytes:
    """A .pt archive with a pickle of one's own."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packed) as archive:
        for name, data in {"data.pkl": payload, "byteorder": b"little", "version": b"3"}.items():
            archive.writestr(f"archive/{name}", data)
        for name, data in members.items():
            archive.writestr(f"archive/data/{name}", data)
    return buffer.getvalue()


def test_a_file_that_runs_a_command_runs_nothing(sandbox, tmp_path):
    witness = tmp_path / "witness"
    deed = Deed(f"touch {witness}")
    message = "holds more than weights, and so could run code"
    for k, data in enumerate(
        (archived(pickle.dumps(deed, 2)), saved(dict(STATE) | {"fc.0.bias": deed}))
    ):
        folder = tmp_path / str(k)
        folder.mkdir()
        refused(sandbox, folder, data, "m.pt", message)
    folder = tmp_path / "plain"
    folder.mkdir()
    refused(sandbox, folder, pickle.dumps(deed, 2), "m.pt", "no file of weights by PyTorch")
    assert not witness.exists()


def sparse(index: int) -> bytes:
    """A sparse tensor in the place of a weight; the index may point out of it."""
    tensor = torch.sparse_coo_tensor(
        [[0], [index]], [1.0], (20, 5), check_invariants=False, is_coalesced=True
    )
    return saved(dict(STATE) | {"rnn.weight_hh_l0": tensor})


def swollen() -> torch.Tensor:
    return torch.zeros(1).expand(20, 10**6)  # one number, shown as twenty million


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no file of weights by PyTorch 1.6"),
        (b"junk" * 99, "no file of weights by PyTorch 1.6"),
        (saved(STATE)[:700], "cut off or damaged"),
        (saved(STATE)[:-40], "cut off or damaged"),
        (archived(b""), "cut off or damaged|could run code"),
        (archived(pickle.dumps(STATE["fc.0.bias"].tolist(), 2)), "no weights by name"),
        (saved({}), "no weights by name"),
        (saved([1, 2]), "no weights by name"),
        (saved(Theirs("LSTM", 1)), "holds more than weights, and so could run code"),
        (saved({"a": np.zeros(3)}), "more than weights"),
        (saved(dict(STATE) | {"note": "x"}), "holds 'note', which is no weight"),
        (saved(dict(STATE) | {7: torch.zeros(1)}), "holds 7, which is no weight"),
        (sparse(1), "no plain array of floating point numbers"),
        (sparse(10**9), "no plain array of floating|cut off or damaged"),
        (saved(dict(STATE) | {"x": torch.zeros(3, dtype=torch.int64)}), "no plain array"),
        (saved(dict(STATE) | {"x": torch.zeros(3, device="meta")}), "no plain array"),
        (saved(dict(STATE) | {"x": torch.zeros(1, 1, 1, 1)}), "no plain array"),
        (saved(dict(STATE) | {"x": torch.zeros(0)}), "does not store all of the 0 numbers"),
        (saved(dict(STATE) | {"rnn.weight_hh_l0": swollen()}), "does not store all of the 20,000"),
        (saved(dict(STATE) | {"fc.0.bias": torch.tensor([torch.nan])}), "not finite"),
        (saved(dict(STATE) | {"bn.running_mean": torch.zeros(3)}), "holds 'bn.running_mean'"),
        (saved({"emb.weight": torch.zeros(9, 3), **STATE}), "holds 'emb.weight', which is none"),
        (saved({"fc.weight": torch.zeros(9, 3)}), "no recurrent layer"),
        (saved(dict(STATE) | {"fc.0.weight": torch.zeros(1, 7)}), "reads 7 numbers and the one"),
        (saved(nn.LSTM(3, 5, proj_size=2).state_dict()), "has projections"),
        (saved({k: v for k, v in STATE.items() if "hh" not in k}), "lacks weights or has odd"),
        (saved({k.replace("l0", "l7"): v for k, v in STATE.items()}), "lacks layer 0"),
        (
            saved(dict(STATE) | {"b." + k: v for k, v in nn.GRU(5, 5).state_dict().items()}),
            "of different kinds",
        ),
        (
            saved(dict(STATE) | {"b." + k: v for k, v in nn.LSTM(4, 5).state_dict().items()}),
            "recurrent layer 2 reads 4 numbers and the one below gives 5",
        ),
    ],
)
def test_what_is_no_model_is_told(sandbox, tmp_path, data, message):
    refused(sandbox, tmp_path, data, "m.pt", message)


def test_an_archive_that_swells_is_refused(sandbox, tmp_path):
    data = archived(b"", packed=zipfile.ZIP_DEFLATED, **{"0": bytes(40_000_000)})
    refused(sandbox, tmp_path, data, "m.pt", r"unpacks from 0\.0 to 40 MB in 4 parts")


def test_a_program_is_refused(sandbox, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("m/constants.pkl", b"")
        archive.writestr("m/code/x.py", b"")
    refused(sandbox, tmp_path, buffer.getvalue(), "m.pt", "is a TorchScript program")


def test_numbers_that_are_no_floats_are_refused_in_safetensors_too(sandbox, tmp_path):
    data = save_tensors(dict(STATE) | {"n": torch.zeros(3, dtype=torch.int32)})
    refused(sandbox, tmp_path, data, "m.safetensors", "holds 'n' in whole numbers")
