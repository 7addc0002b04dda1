"""The command `rnnviz model` shows and turns models' files, and tells mistakes in one sentence."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from model_files import draw, make_model, predict

from rnnviz.applying import apply
from rnnviz.cli import main
from rnnviz.config import DataConfig, Dense, ModelConfig, RunConfig, TrainingConfig
from rnnviz.data.dataset import Task, Variable
from rnnviz.data.sandbox import Sandbox
from rnnviz.data.sources import load as load_data
from rnnviz.events import Checkpointed
from rnnviz.exchange import reading
from rnnviz.exchange.build import model_of, stored_of
from rnnviz.exchange.describe import keras_weights, lines, parts, predicts
from rnnviz.exchange.keras_files import write_h5
from rnnviz.exchange.own import load, save
from rnnviz.exchange.reading import model_sandbox
from rnnviz.exchange.stored import Meaning
from rnnviz.runs.inline import InlineRunner
from rnnviz.runs.run import Run
from rnnviz.study import script
from rnnviz.study.settings import AS_WRITTEN, PROGRAMS, as_written_on
from rnnviz.study.written import SAVED


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with model_sandbox() as running:
        yield running


@pytest.fixture(autouse=True)
def shared_by_all(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command starts one of its own each time, which takes a second."""
    monkeypatch.setattr(reading, "model_sandbox", lambda: nullcontext(sandbox))


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]):
    """Status, output, complaints."""

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            status = main(["model", *map(str, arguments)])
        except SystemExit as ended:  # argparse's way
            status = int(ended.code or 0)
        return status, *capsys.readouterr()

    return run


def study():
    """The study's model: 265,225 weights as Keras counts them."""
    return stored_of(
        make_model(
            inputs=1, outputs=1, cell="lstm-relu", hidden_size=256, dense=(Dense(4, "linear"),)
        ),
        meaning=Meaning(outputs=(Variable("BMI", "kg/m²"),)),
    )


def test_show_counts_the_weights_of_the_study(tmp_path: Path, said) -> None:
    path = tmp_path / "study.h5"
    path.write_bytes(write_h5(study()))
    status, out, err = said("show", path)
    assert (status, err) == (0, "")
    assert [" ".join(line.split()) for line in out.splitlines()[1:4]] == [
        "layer 1 LSTM with ReLU and hard sigmoid 1 -> 256 265,216 weights",
        "dense 1 dense, linear 256 -> 4 1,028 weights",
        "head dense, linear 4 -> 1 5 weights",
    ]
    assert "266,249 weights; 265,225 as Keras counts" in out
    assert "from Keras 3.0.0" in out
    assert "predicts 1 number after the last step" in out


def test_show_as_json_is_one_object(tmp_path: Path, said) -> None:
    path = tmp_path / "study.safetensors"
    path.write_bytes(save(study()))
    status, out, err = said("show", path, "--json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert (found["cell"], found["sizes"], found["task"]) == ("lstm-relu", [256], "regression")
    assert (found["weights"], found["weights_keras"]) == (266_249, 265_225)
    assert found["targets"] == ["BMI"]


def test_convert_goes_round_through_every_kind(tmp_path: Path, said) -> None:
    model = make_model(layers=2, bidirectional=True)
    names = ("a.safetensors", "b.h5", "c.keras", "d.pt", "e.safetensors")
    (tmp_path / names[0]).write_bytes(save(stored_of(model)))
    for before, after in pairwise(names):
        status, out, err = said("convert", tmp_path / before, tmp_path / after)
        assert (status, err) == (0, "")
        assert out.startswith(f"wrote {tmp_path / after}, ")
    last = load((tmp_path / names[-1]).read_bytes(), names[-1])
    x = draw(4, 9, 3)
    assert np.abs(predict(model_of(last), x) - predict(model, x)).max() <= 1e-6


@pytest.mark.parametrize(
    ("settings", "out", "message"),
    [
        ({}, "m.onnx", "endings that are written are .safetensors, .h5, .keras, .pt"),
        ({}, "in.safetensors", "is there already; give another name"),
        ({}, "nowhere/m.h5", "cannot be written (No such file or directory)"),
        ({"attention": "dot"}, "m.keras", "has dot attention, which Keras has no layer for"),
        ({"cell": "gru-before"}, "m.pt", "torch.nn has no GRU, reset before the product"),
    ],
)
def test_what_cannot_be_written_is_told(
    tmp_path: Path, said, settings: dict, out: str, message: str
) -> None:
    (tmp_path / "in.safetensors").write_bytes(save(stored_of(make_model(**settings))))
    status, printed, err = said("convert", tmp_path / "in.safetensors", tmp_path / out)
    assert (status, printed) == (2, "")
    assert message in err
    assert err.startswith("rnnviz: ")
    assert err.count("\n") == 1


def test_the_model_of_a_run_is_saved_and_scores_as_the_run_did(
    tmp_path: Path, said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RNNVIZ_HOME", str(tmp_path))
    config = RunConfig(
        data=DataConfig(people=40, blocks="24x60"),
        model=ModelConfig(hidden_size=4, attention="none"),
        training=TrainingConfig(epochs=2, batch_size=16),
    )
    run = Run.create(tmp_path, config, owner="me", now=0.0)
    assert "has saved no weights yet" in said("save", run.id, tmp_path / "m.safetensors")[2]
    InlineRunner().submit(run)
    for name in ("m.safetensors", "m.keras", "m.h5", "m.pt"):
        status, out, err = said("save", run.id, tmp_path / name)
        assert (status, err) == (0, "")
        assert out.startswith(f"wrote {tmp_path / name}, ")
    stored = load((tmp_path / "m.safetensors").read_bytes(), "m.safetensors")
    *_, finished = apply(stored, load_data(config.data, tmp_path), config)
    assert finished.scorecard == run.view().scorecard
    assert stored.meaning.outputs[0].name == "BMI"


def test_the_network_of_the_study_is_saved_for_keras(
    tmp_path: Path, said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RNNVIZ_HOME", str(tmp_path))
    config = as_written_on(DataConfig(people=40, days=1), epochs=1)
    run = Run.create(tmp_path, config, owner="me", now=0.0, program=PROGRAMS[AS_WRITTEN])
    InlineRunner().submit(run)
    status, out, err = said("save", run.id, tmp_path / "study.h5")
    assert (status, err) == (0, "")
    assert "265,225 as Keras counts" in out
    told = script.told_about(run.view(), SAVED)
    assert (tmp_path / "study.h5").stat().st_size == told.numbers["bytes"]


def test_runs_that_have_no_such_model_are_told(
    tmp_path: Path, said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RNNVIZ_HOME", str(tmp_path))
    run = Run.create(tmp_path, RunConfig(), owner="me", now=0.0, program="other:program")
    run.keep(Checkpointed(step=0, epoch=0, state=b"x"))
    for id, message in ((run.id, "trains no model of rnnviz's own kind"), ("x", "no such run")):
        status, out, err = said("save", id, tmp_path / "m.safetensors")
        assert (status, out) == (2, "")
        assert message in err
        assert err.count("\n") == 1


def test_files_that_are_none_are_told(tmp_path: Path, said) -> None:
    (tmp_path / "m.h5").write_bytes(b"nothing")
    for path, message in (
        (tmp_path / "m.h5", "rnnviz: m.h5 is no HDF5 file, or is cut off or damaged"),
        (tmp_path / "gone.h5", "rnnviz: there is no file"),
        (tmp_path, "rnnviz: there is no file"),
    ):
        status, out, err = said("show", path)
        assert (status, out) == (2, "")
        assert err.startswith(message)
        assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [(), ("bake",), ("show",), ("convert", "a")])
def test_unknown_words_are_refused(said, arguments: tuple[str, ...]) -> None:
    status, out, err = said(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("usage: rnnviz model")


def test_parts_add_up_to_the_weights() -> None:
    stored = stored_of(
        make_model(
            columns=2,
            covariates=True,
            attention="additive",
            layers=2,
            sizes=(6, 4),
            bidirectional=True,
            dense=(Dense(3, "relu"),),
        )
    )
    found = parts(stored)
    assert sum(part.weights for part in found) == stored.parameters
    assert [part.name for part in found] == ["layer 1", "layer 2", "attention", "dense 1", "head"]
    assert [part.gives for part in found] == [12, 8, 8, 3, 2]
    assert found[3].reads == 8 * 2 + 2


def test_only_the_gru_of_two_biases_counts_alike_in_keras() -> None:
    for cell, gates in (("gru", 0), ("gru-before", 3), ("lstm", 4), ("rnn", 1)):
        stored = stored_of(make_model(cell=cell))
        assert stored.parameters - keras_weights(stored) == gates * 5


def test_what_is_predicted_is_named() -> None:
    classes = Meaning(classes=tuple(f"c{k}" for k in range(10)))
    stored = stored_of(make_model(Task.CLASSIFICATION, outputs=10), meaning=classes)
    assert predicts(stored).startswith("one of 10 classes: c0, c1, ")
    assert predicts(stored).endswith("c7 and 2 more")
    assert predicts(study()) == "1 number after the last step: BMI [kg/m²]"
    tokens = stored_of(make_model(Task.NEXT_TOKEN, outputs=3))
    assert predicts(tokens) == "at every step one of 3 tokens"
    assert lines(tokens)[-1] == "predicts at every step one of 3 tokens"
