"""Model files made to do harm: each gives one plain sentence and reads nothing."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from model_files import draw, make_model

from rnnviz.data.sandbox import Sandbox
from rnnviz.errors import DataError
from rnnviz.exchange.build import stored_of
from rnnviz.exchange.keras_files import write_h5, write_keras
from rnnviz.exchange.reading import model_sandbox, read_model

CANARY = 1234.5  # what stands in the file that nobody may read
STORED = stored_of(make_model(hidden_size=4))
H5, KERAS = write_h5(STORED), write_keras(STORED)
LEADS = "which leads elsewhere; only files that hold all of their weights are read"
KERNEL = "model_weights/recurrent_1/recurrent_1/cell/vars/0"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with model_sandbox() as running:
        running.start()
        before = running.pids()
        yield running
        assert running.pids() == before  # whatever came, the helper lived on


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file beside the upload, of the shape that the model's kernel has."""
    path = tmp_path / "secret.h5"
    with h5py.File(path, "w") as file:
        file["kernel"] = np.full((3, 16), CANARY, np.float32)
    (tmp_path / "secret.raw").write_bytes(np.full((3, 16), CANARY, np.float32).tobytes())
    return path


def refused(sandbox: Sandbox, tmp_path: Path, data: bytes, name: str, message: str) -> None:
    """One sentence that begins with the name, nothing of the secret, and nothing left behind."""
    path, into = tmp_path / "upload", tmp_path / "into"
    path.write_bytes(data)
    into.mkdir()
    with pytest.raises(DataError, match=message) as caught:
        sandbox.read(path, name, into)
    text = str(caught.value)
    assert text.startswith(name)
    assert "\n" not in text
    assert "Traceback" not in text
    assert str(CANARY) not in text
    assert str(tmp_path) not in text
    assert not (into / "model.safetensors").exists()


def changed(change) -> bytes:
    """The good file with something done to it."""
    buffer = io.BytesIO(H5)
    with h5py.File(buffer, "r+") as file:
        change(file)
    return buffer.getvalue()


def instead(path: str, make) -> bytes:
    """The good file with something else in the place of one of its objects."""

    def change(file: h5py.File) -> None:
        del file[path]
        make(file, path)

    return changed(change)


def test_the_good_files_are_read(sandbox: Sandbox, tmp_path: Path) -> None:
    for data, name in ((H5, "good.h5"), (KERAS, "good.keras")):
        (tmp_path / name).write_bytes(data)
        assert read_model(tmp_path / name, name, sandbox).parameters == STORED.parameters


# -- what leads elsewhere --------------------------------------------------------------------------


def external_link(file: h5py.File, path: str, secret: Path) -> None:
    file[path] = h5py.ExternalLink(str(secret), "kernel")


def soft_link(file: h5py.File, path: str, secret: Path) -> None:  # noqa: ARG001 - as the others
    file[path] = h5py.SoftLink("/model_weights/head/head/vars/0")


def virtual(file: h5py.File, path: str, secret: Path) -> None:
    layout = h5py.VirtualLayout(shape=(3, 16), dtype="f4")
    layout[:] = h5py.VirtualSource(str(secret), "kernel", shape=(3, 16))
    file.create_virtual_dataset(path, layout)


def external_storage(file: h5py.File, path: str, secret: Path) -> None:
    raw = str(secret.with_suffix(".raw"))
    file.create_dataset(path, (3, 16), "f4", external=[(raw, 0, 3 * 16 * 4)])


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (external_link, "an external link"),
        (soft_link, "a soft link"),
        (virtual, "a virtual data set"),
        (external_storage, "a data set stored in another file"),
    ],
)
@pytest.mark.parametrize("place", [KERNEL, "model_weights/head/elsewhere", "optimizer/x"])
def test_what_leads_elsewhere_is_refused_wherever_it_stands(
    sandbox: Sandbox, tmp_path: Path, secret: Path, make, what: str, place: str
) -> None:
    def change(file: h5py.File) -> None:
        if place in file:
            del file[place]
        make(file, place, secret)

    refused(sandbox, tmp_path, changed(change), "m.h5", f"holds {what} at .*{LEADS}")


def test_the_same_inside_of_a_keras_file(sandbox: Sandbox, tmp_path: Path, secret: Path) -> None:
    weights = io.BytesIO(member(KERAS, "model.weights.h5"))
    with h5py.File(weights, "r+") as file:
        del file["layers/lstm/cell/vars/0"]
        external_link(file, "layers/lstm/cell/vars/0", secret)
    data = with_members({"model.weights.h5": weights.getvalue()})
    refused(sandbox, tmp_path, data, "m.keras", f"holds an external link at .*{LEADS}")


# -- what is no block of numbers -------------------------------------------------------------------


def endless(file: h5py.File, path: str) -> None:
    file[path] = file["model_weights"]  # a group that holds itself


def deep(file: h5py.File, path: str) -> None:
    file.create_group(path + "/x" * 20)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda f, p: f.create_dataset(p, data=["a"]), "no floating point numbers"),
        (lambda f, p: f.create_dataset(p, data=np.zeros((3, 16), int)), "no floating point"),
        (lambda f, p: f.create_dataset(p, (3,), h5py.ref_dtype), "no floating point numbers"),
        (lambda f, p: f.create_dataset(p, (3,), h5py.vlen_dtype("f4")), "no floating point"),
        (lambda f, p: f.create_dataset(p, (3,), [("a", "f4")]), "no floating point numbers"),
        (lambda f, p: f.create_dataset(p, data=np.zeros((1, 1, 3, 16), "f4")), "1 to 3 dimensions"),
        (lambda f, p: f.create_dataset(p, data=np.float32(1)), "1 to 3 dimensions"),
        (lambda f, p: f.create_dataset(p, data=h5py.Empty("f4")), "1 to 3 dimensions"),
        (lambda f, p: f.create_dataset(p, (0, 16), "f4"), "holds 0 numbers"),
        (
            lambda f, p: f.create_dataset(p, (10**6, 10**6), "f4", chunks=(9, 9)),
            "1,000,000,000,000",
        ),
        (lambda f, p: f.create_dataset(p, (10**4, 10**3), "f4", chunks=(9, 9)), "next to nothing"),
        (lambda f, p: f.create_dataset(p, (10**4, 10**3), "f4"), "next to nothing"),
        (
            lambda f, p: f.create_dataset(
                p, data=np.zeros((10**4, 10**3), "f4"), compression="gzip", compression_opts=9
            ),
            "next to nothing",
        ),
        (lambda f, p: f.create_dataset(p, data=draw(3, 16), compression="lzf"), "in a way that"),
        (lambda f, p: f.create_dataset(p, data=np.full((3, 16), np.nan)), "not finite"),
        (lambda f, p: f.create_dataset(p, data=draw(3, 15)), "not those of a LSTM"),
        (lambda f, p: f.create_group(p), "lacks the weights"),
        (lambda f, p: f.create_dataset(p, (3, 16), "f4"), "next to nothing"),
        (endless, "goes deeper than 16 levels"),
        (deep, "goes deeper than 16 levels"),
        (lambda f, p: f.__setitem__(p, np.dtype("f4")), "holds a named type"),
    ],
)
def test_what_is_no_block_of_numbers_is_refused(
    sandbox: Sandbox, tmp_path: Path, make, message: str
) -> None:
    refused(sandbox, tmp_path, instead(KERNEL, make), "m.h5", message)


def test_numbers_read_over_and_over_are_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        file["model_weights/head"].attrs["weight_names"] = [b"head/vars/0"] * 1000

    refused(sandbox, tmp_path, changed(change), "m.h5", "has 1000 arrays in model_weights/head")


# -- files and descriptions ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"", "m.h5", "no HDF5 file, or is cut off"),
        (b"secret\n" * 99, "m.h5", "no HDF5 file, or is cut off"),
        (H5[:500], "m.h5", "cut off or damaged"),
        (H5[: len(H5) // 2], "m.h5", "cut off or damaged"),
        (H5[:-100], "m.h5", "cut off or damaged"),
        (KERAS, "m.h5", "no HDF5 file"),
        (b"", "m.keras", r"no \.keras file, or is cut off"),
        (H5, "m.keras", r"no \.keras file, or is cut off"),
        (KERAS[:500], "m.keras", r"no \.keras file, or is cut off"),
        (KERAS[:-30], "m.keras", r"no \.keras file, or is cut off"),
        (b"x", "m.pickle", r"endings that are read are \.safetensors"),
        (H5, "m.safetensors", "no safetensors file"),
    ],
)
def test_files_that_are_none_are_told(
    sandbox: Sandbox, tmp_path: Path, data: bytes, name: str, message: str
) -> None:
    refused(sandbox, tmp_path, data, name, message)


def described(text: str | bytes | np.ndarray) -> bytes:
    return changed(lambda file: file.attrs.__setitem__("model_config", text))


def sequential(*layers: dict) -> str:
    return json.dumps({"class_name": "Sequential", "config": {"layers": list(layers)}})


LAMBDA = {"class_name": "Lambda", "config": {"name": "l", "function": ["code", None, None]}}
LSTM = {
    "class_name": "LSTM",
    "config": {"name": "recurrent_1", "activation": "tanh", "recurrent_activation": "sigmoid"},
}
EMBEDDING = {"class_name": "Embedding", "config": {"name": "e"}}
DENSE = {"class_name": "Dense", "config": {"name": "head", "activation": "linear"}}


def lstm(**settings) -> dict:
    return {**LSTM, "config": LSTM["config"] | settings}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "not one that Keras writes"),
        ("[]", "not one that Keras writes"),
        ("[" * 100_000, "not one that Keras writes"),
        (np.zeros(3), "unusual attribute model_config"),
        (sequential(LAMBDA), "is a Lambda; allowed are Embedding first, SimpleRNN, GRU, LSTM"),
        (sequential(LSTM, {**DENSE, "class_name": "os>system"}), "is a os>system; allowed are"),
        (sequential(DENSE), "no recurrent layer"),
        (sequential(EMBEDDING), "no recurrent layer|does not have the arrays"),
        (sequential(LSTM, EMBEDDING), "embeds what is no token"),
        (sequential({**EMBEDDING, "config": {"name": "e", "mask_zero": True}}), "with mask_zero"),
        (sequential(EMBEDDING, LSTM), "its embedding has 0 arrays"),
        (sequential(DENSE, LSTM), "reads a Dense"),
        (sequential(lstm(activation="elu")), "activations elu and sigmoid; allowed are LSTM with"),
        (sequential(lstm(activation={"config": {}})), "no function of Keras"),
        (sequential(lstm(go_backwards=True)), "has go_backwards on; allowed is off"),
        (sequential(lstm(return_sequences=True), DENSE), "gives numbers at every step"),
        (json.dumps({"class_name": "Mine", "config": {}}), "it is a Mine, whose inner order"),
    ],
)
def test_descriptions_that_are_not_known_are_told(
    sandbox: Sandbox, tmp_path: Path, config, message: str
) -> None:
    refused(sandbox, tmp_path, described(config), "m.h5", message)


def test_a_model_beyond_the_settings_is_told(sandbox: Sandbox, tmp_path: Path) -> None:
    data = write_h5(stored_of(make_model(sizes=(600,))))
    message = r"hidden_size is 600; it must lie in \[1, 512\]"
    refused(sandbox, tmp_path, data, "m.h5", message)


# -- .keras ----------------------------------------------------------------------------------------


def member(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


def with_members(members: dict[str, bytes | None], *, packed: int = zipfile.ZIP_STORED) -> bytes:
    """The good .keras file with other members, None for none."""
    names = ("metadata.json", "config.json", "model.weights.h5")
    found = {name: member(KERAS, name) for name in names} | members
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packed) as archive:
        for name, content in found.items():
            if content is not None:
                archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"config.json": None}, "lacks config.json, which every .keras file has"),
        ({"model.weights.h5": None}, "lacks model.weights.h5"),
        ({"model.weights.h5": bytes(99_000_000)}, r"unpacks from 0\.1 to 99 MB; at most 500"),
        ({"model.weights.h5": bytes(20_000_000)}, r"unpacks from 0\.0 to 20 MB"),
        ({"config.json": b" " * 5_000_000}, "unpacks from 0.0 to 5 MB; at most 4.0 MB"),
        ({"config.json": sequential(LAMBDA).encode()}, "is a Lambda; allowed are"),
        ({"model.weights.h5": b"no weights"}, "no HDF5 file"),
    ],
)
def test_members_that_do_not_fit_are_told(
    sandbox: Sandbox, tmp_path: Path, members: dict[str, bytes | None], message: str
) -> None:
    data = with_members(members, packed=zipfile.ZIP_DEFLATED)
    refused(sandbox, tmp_path, data, "m.keras", message)


def test_a_member_that_lies_about_its_size_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    data = bytearray(with_members({}, packed=zipfile.ZIP_DEFLATED))
    at = data.rfind(b"PK\x01\x02")  # the directory's entry of the weights
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    refused(sandbox, tmp_path, bytes(data), "m.keras", "cut off or damaged")
