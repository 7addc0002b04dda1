"""The Models page, driven as a visitor drives it; other processes write and read the models."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path
from threading import Event
from typing import NoReturn

import numpy as np
import plotly.graph_objects as go
import pytest
import streamlit as st
from model_files import make_model, predict, replayed
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from rnnviz.applying import stored_of as stored_of_run
from rnnviz.config import DataConfig, Dense, ModelConfig, RunConfig, TrainingConfig
from rnnviz.data.sandbox import Sandbox
from rnnviz.data.sources import load as load_data
from rnnviz.data.uploads import store
from rnnviz.errors import DataError, RunError
from rnnviz.exchange import kept, saving
from rnnviz.exchange.build import stored_of
from rnnviz.exchange.child import READERS
from rnnviz.exchange.describe import keras_weights, parts
from rnnviz.exchange.fits import suggested
from rnnviz.exchange.keras_files import write_h5, write_keras
from rnnviz.exchange.own import save
from rnnviz.exchange.reading import APPLYING, ENDINGS, model_sandbox
from rnnviz.exchange.writing import WRITERS
from rnnviz.model import SequenceModel
from rnnviz.runs.inline import InlineRunner
from rnnviz.runs.run import Run
from rnnviz.ui import common, gates, server

DAYS = DataConfig(people=40, blocks="24x60", scale="log1p")
ADDRESS = {"people": "40", "blocks": "24 steps of 60 minutes", "scale": "log(1 + x)"}
PAGES = ("train", "data", "unrolled", "gates", "attention", "study", "models")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with model_sandbox() as running:
        yield running


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Path:
    """The app for one visitor, training inline."""
    st.cache_resource.clear()
    monkeypatch.setenv("RNNVIZ_RUNNER", "inline")
    monkeypatch.setenv("RNNVIZ_HOME", str(tmp_path))
    monkeypatch.setattr(common, "owner", lambda: "me")
    monkeypatch.setattr(common, "model_sandbox", lambda: sandbox)
    # AppTest would read through all installed packages for components; rnnviz registers its own
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", lambda *_: [])
    return tmp_path


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def opened(at: str = "models", **address: str) -> AppTest:
    app = AppTest.from_file(server.MAIN, default_timeout=120)
    app.query_params.update(address)
    if at != "train":  # the first page
        app.switch_page(f"../../pages/{at}.py")
    return sound(app.run())


def page(app: AppTest, name: str) -> AppTest:
    return sound(app.switch_page(f"../../pages/{name}.py").run())


def give(app: AppTest, name: str, data: bytes) -> AppTest:
    return sound(app.file_uploader[0].set_value((name, data, "")).run())


def press(app: AppTest, button: str) -> AppTest:
    return sound(app.button(key=f"do_{button}").click().run())


def words(app: AppTest) -> str:
    kinds = ("markdown", "caption", "text", "info", "warning", "error")
    said = [str(element.value) for kind in kinds for element in app.get(kind)]
    return "\n".join([*said, *(bar.text for bar in app.get("progress"))]).replace("\\", "")


def complaints(app: AppTest) -> list[str]:
    return [element.value.replace("\\", "") for element in (*app.error, *app.warning)]


def foreign(**settings: object) -> SequenceModel:
    """A network that reads an hour at each of 24 steps."""
    return make_model(
        inputs=60, outputs=1, **{"sizes": (6,), "dense": (Dense(4, "tanh"),)} | settings
    )


def trained(home: Path, **settings: object) -> Run:
    config = RunConfig(
        data=DAYS,
        model=ModelConfig(**{"hidden_size": 4, "attention": "none"} | settings),
        training=TrainingConfig(epochs=1, batch_size=16),
    )
    run = Run.create(home, config, owner="me", now=0.0)
    InlineRunner().submit(run)
    return run


# -- saving ------------------------------------------------------------------------------------


def test_a_trained_run_is_saved_and_predicts_the_same_when_it_is_read_back(home: Path) -> None:
    run = trained(home)
    app = opened(run=run.id)
    assert not app.download_button
    app = prepared(app)
    assert complaints(app) == []
    assert app.download_button[0].label == f"Download lstm-{run.id[:6]}.safetensors"
    data = session_file(app)
    app = give(app, "mine.safetensors", data)
    app = press(opened(**ADDRESS, model=app.query_params["model"]), "look_inside")  # a reload
    again = Run.open(home, app.query_params["run"])
    assert again.view().scorecard == run.view().scorecard
    ours, theirs = run.trace(1)[0], again.trace(0)[0]
    assert ours is not None
    assert theirs is not None
    assert np.array_equal(ours.outputs, theirs.outputs)


def test_one_model_on_the_same_data_is_one_run_until_that_fails(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = press(
        give(opened(**ADDRESS), "a.keras", write_keras(stored_of(foreign()))), "look_inside"
    )
    first, model = app.query_params["run"], app.query_params["model"]
    address = {**ADDRESS, "model": model}
    assert opened(**address, run=first).button(key="do_look_inside").disabled
    app = press(opened(**address), "look_inside")  # a reload without the run
    assert app.query_params["run"] == first
    assert [path.name for path in (home / "runs").iterdir()] == [first]
    other = press(opened(**{**address, "people": "41"}), "look_inside")
    assert other.query_params["run"] != first
    with monkeypatch.context() as patch:
        patch.setattr(common, "owner", lambda: "you")
        assert press(opened(**address), "look_inside").query_params["run"] != first


def test_a_model_that_failed_on_the_data_can_be_tried_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> NoReturn:
        raise DataError("the disk is full; make room")

    app = give(opened(**ADDRESS), "a.keras", write_keras(stored_of(foreign())))
    with monkeypatch.context() as patch:
        patch.setattr("rnnviz.applying.check_fits", broken)
        app = press(app, "look_inside")
    failed = app.query_params["run"]
    assert complaints(app) == ["the disk is full; make room"]
    assert not app.button(key="do_look_inside").disabled
    again = press(app, "look_inside").query_params["run"]
    assert again != failed
    assert Run.open(home, again).view().status == "finished"


def prepared(app: AppTest) -> AppTest:
    """The page once the file is there, or what stands in its way."""
    app = press(app, "prepare")
    wait([app.session_state["_prepared"][1]], timeout=60)
    return sound(app.run())


def session_file(app: AppTest) -> bytes:
    """The bytes behind the download button."""
    return app.session_state["_prepared"][1].result()


def test_while_a_file_is_written_the_page_says_so_and_goes_on(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, asked = Event(), []

    def written(_: str, kind: str, __: Path) -> bytes:
        asked.append(kind)
        assert go_on.wait(60)
        return b"file"

    monkeypatch.setattr("rnnviz.ui.modelling.saved", written)
    app = press(opened(run=trained(home).id, **ADDRESS), "prepare")
    (told,) = app.status
    assert told.label.startswith("Writing lstm-")
    assert app.button(key="do_prepare").disabled
    app = sound(app.number_input(key="people").set_value(41).run())
    assert "41 people, 24 steps" in words(app)  # whatever else is done does not break it off
    assert not app.download_button
    go_on.set()
    wait([app.session_state["_prepared"][1]], timeout=60)
    app = sound(app.run())
    assert (len(app.status), len(app.download_button), asked) == (0, 1, [".safetensors"])
    assert not app.button(key="do_prepare").disabled


def test_the_file_of_another_kind_or_run_is_not_offered_as_this_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def written(run_id: str, kind: str, _: Path) -> bytes:
        asked.append((run_id, kind))
        return b"file"

    monkeypatch.setattr("rnnviz.ui.modelling.saved", written)
    run = trained(home)
    app = prepared(opened(run=run.id))
    assert len(app.download_button) == 1
    app = sound(app.button_group(key="model_kind").set_value(".keras").run())
    assert not app.download_button
    assert len(prepared(app).download_button) == 1
    assert asked == [(run.id, ".safetensors"), (run.id, ".keras")]


def test_what_cannot_be_saved_is_told_in_a_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "rnnviz: the run has saved no weights yet; let it train for an epoch\n"
    ended = subprocess.CompletedProcess([], 2, "", told)  # test_cli_model.py has the command say it
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ended)
    run = Run.create(home, RunConfig(), owner="me", now=0.0)
    app = prepared(opened(run=run.id))
    assert complaints(app) == ["the run has saved no weights yet; let it train for an epoch"]
    assert not app.download_button


def test_saving_that_takes_too_long_or_breaks_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RunError, match=r"longer than 0\.01 s, the most that is allowed"):
        saving.saved("x", ".pt", home, patience=0.01)
    for errors, told in (
        ("Traceback\nKilled", "could not be written by a fault in rnnviz"),
        ("rnnviz: no; do this\n", "^no; do this$"),
    ):
        ended = subprocess.CompletedProcess([], 2, "", errors)
        monkeypatch.setattr(subprocess, "run", lambda *_, ended=ended, **__: ended)
        with pytest.raises(RunError, match=told):
            saving.saved("x", ".pt", home)


def test_the_kinds_are_those_that_are_written_and_read() -> None:
    assert set(saving.KINDS) == {*WRITERS, ".pt"}
    assert set(ENDINGS) == set(READERS)


# -- loading -----------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [write_keras, write_h5], ids=["m.keras", "m.h5"])
def test_what_a_keras_file_holds_stands_on_the_page(write, request) -> None:
    stored = stored_of(foreign())
    app = give(opened(), request.node.callspec.id, write(stored))
    assert complaints(app) == []
    rows = [[name, *row] for name, row in app.table[0].value.iterrows()]
    assert [list(map(str, row)) for row in rows] == [
        [p.name, p.kind, str(p.reads), str(p.gives), f"{p.weights:,}"] for p in parts(stored)
    ]
    said = words(app)
    assert request.node.callspec.id in said
    assert "From Keras 3.0.0; predicts 1 number after the last step." in said
    assert f"{stored.parameters:,} weights; Keras counts {keras_weights(stored):,}" in said


def test_what_was_assumed_is_told_and_markup_stays_text() -> None:
    stored = stored_of(foreign(), origin="<b>x</b>", notes=("The [bias](http://e.test) is 0.",))
    app = give(opened(), "![i](x)<b>.safetensors", save(stored))
    for text in ("From <b>x</b>; predicts", "• The [bias](http://e.test) is 0."):
        assert text in words(app)
    for element in (*app.markdown, *app.caption):
        assert "](" not in element.value
        assert not element.allow_html


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("m.h5", b"nothing", "m.h5 is no HDF5 file, or is cut off or damaged"),
        ("m.keras", write_keras(stored_of(foreign()))[:900], "m.keras"),
        ("m.pt", b"", "m.pt"),
    ],
)
def test_a_broken_file_is_told_in_one_sentence_and_nothing_is_lost(
    home: Path, name: str, data: bytes, told: str
) -> None:
    run = trained(home)
    app = give(opened(run=run.id), "good.keras", write_keras(stored_of(foreign())))
    before = app.query_params["model"]
    app = give(app, name, data)
    assert len(complaints(app)) == 1
    assert told in complaints(app)[0]
    assert "\n" not in complaints(app)[0]
    assert app.query_params["model"] == before
    assert app.query_params["run"] == run.id
    assert "good.keras" in words(app)
    assert complaints(sound(app.run())) == []


def test_a_model_that_is_too_large_or_gone_is_told(
    home: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = save(stored_of(foreign()))
    first = kept.keep(data, "a.safetensors", home, sandbox)
    assert kept.open_kept(home, first).name == "a.safetensors"
    monkeypatch.setattr(kept, "MOST_KEPT", 0)
    kept.prune(home, most_bytes=0)
    for gone in (first, "../../x", ""):
        with pytest.raises(DataError, match=r"not here \(any more\).*give its file again"):
            kept.open_kept(home, gone)
    app = opened(model=first)
    assert len(complaints(app)) == 1
    assert app.file_uploader  # another can be given
    monkeypatch.setattr(kept, "MOST_GIVEN", 100)
    with pytest.raises(DataError, match="models of up to 0 MB can be given here"):
        kept.keep(data, "a.safetensors", home, sandbox)


# -- looking inside ----------------------------------------------------------------------------


@pytest.fixture
def applied() -> AppTest:
    """The page after a Keras file was given and applied to simulated days."""
    app = give(opened(**ADDRESS), "act.keras", write_keras(stored_of(foreign())))
    return press(app, "look_inside")


def test_the_gates_of_a_keras_file_are_those_of_the_cell_replayed(
    applied: AppTest, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert complaints(applied) == []
    assert "It is the current run: **Inside** and **Gates** show it" in words(applied)
    run = Run.open(home, applied.query_params["run"])
    assert applied.button(key="do_look_inside").disabled  # until model or data are others
    assert (run.program, run.title) == (APPLYING, "act.keras: NHANES activity (simulated)")
    drawn: dict[str, go.Figure] = {}
    monkeypatch.setattr(gates, "plot", lambda figure, key, **_: drawn.update({key: figure}))
    app = page(applied, "gates")
    app.sidebar.selectbox(key="sequence").set_value(2)
    model, data = foreign(), load_data(DAYS, home)
    trace, _ = run.trace(0)
    assert trace is not None
    row = trace.sequences[1]
    expected = replayed(model, data.inputs[row])
    for name in "ifgohc":
        sound(app.button_group(key="quantity").set_value(name).run())
        shown = np.array(drawn["heat"].data[0].z)
        assert shown == pytest.approx(expected[name], abs=2e-3), name  # sent as small numbers
    assert trace.outputs[1] == pytest.approx(predict(model, data.inputs[[row]]), abs=1e-5)


def test_a_model_without_epochs_is_at_home_on_every_page(applied: AppTest, home: Path) -> None:
    run = Run.open(home, applied.query_params["run"])
    scores = {(s.predictor, s.part): s.metrics for s in run.view().scores}
    for name in PAGES:
        app = page(applied, name)
        assert complaints(app) == [], name
        assert app.sidebar.select_slider(key="epoch").options == ["0", "latest"]
        if name in ("train", "models"):
            assert "nothing was trained" in words(app)
            assert "The network does" in words(app) or "The network beats" in words(app)
            table = next(t.value for t in app.table if "network" in t.value.index)
            assert "mean" in table.index
    app = opened("train", run=run.id, **ADDRESS)
    assert "of 0" not in words(app).replace("of 0.", "")
    assert scores["network", "test"]["mse"] > 0
    assert app.button(key="do_train").disabled is False
    app = sound(app.sidebar.select_slider(key="epoch").set_value("0").run())
    app = press(app, "one_batch")  # a training of one's own goes on beside it
    st.cache_resource.clear()  # the list may be 10 s old
    other = sound(app.run()).button(key=f"open_{run.id}")
    assert other.label.replace("\\", "") == f"{run.title} · finished"


@pytest.mark.parametrize(
    ("inputs", "blocks", "found"),
    [
        (1, "144x1", {"blocks": "144x1", "mask": False}),
        (1, "1440x1", {"blocks": "1440x1", "mask": False}),
        (2, "24x60", {"blocks": "144x1", "mask": True}),
        (61, "144x1", {"blocks": "24x60", "mask": True}),
        (7, "144x1", {}),
    ],
)
def test_data_settings_that_fit_are_suggested(inputs: int, blocks: str, found: dict) -> None:
    assert suggested(stored_of(make_model(inputs=inputs)), blocks) == found


def test_data_that_do_not_fit_are_told_before_anything_is_started() -> None:
    app = give(opened(people="40"), "act.keras", write_keras(stored_of(foreign())))
    assert complaints(app) == []
    app = sound(app.selectbox(key="blocks").set_value("144x1").run())
    assert "reads at each step 60 and the data ask for 1" in complaints(app)[0]
    assert app.button(key="do_look_inside").disabled
    assert "run" not in app.query_params


def test_a_model_of_tokens_shows_its_scores_on_the_train_page(home: Path) -> None:
    data = DataConfig(source="text", window=24)
    config = RunConfig(
        data=data,
        model=ModelConfig(hidden_size=4, attention="none"),
        training=TrainingConfig(epochs=1, batch_size=64),
    )
    run = Run.create(home, config, owner="me", now=0.0)
    InlineRunner().submit(run)
    app = give(opened(window="24"), "words.safetensors", save(stored_of_run(run)))
    app = press(app, "look_inside")
    assert complaints(app) == []
    of_run = next(s for s in run.view().scorecard if s.part == "test").metrics
    app = page(app, "train")
    assert [m.value for m in app.metric] == [
        f"{of_run[name]:.3g}" for name in ("perplexity", "accuracy", "loss")
    ]
    for name in ("unrolled", "gates", "attention"):
        assert complaints(page(app, name)) == []


def test_a_file_of_ones_own_is_read_by_a_model(home: Path) -> None:
    text = "BMI," + ",".join(f"MIN{k}" for k in range(1, 1441)) + "\n"
    rng = np.random.default_rng(0)
    for _ in range(12):
        text += ",".join(map(str, [25 + rng.integers(9), *rng.integers(0, 500, 1440)])) + "\n"
    with Sandbox(helpers=1) as tables:
        upload = store(text.encode(), "days.csv", home, tables)
    address = {**ADDRESS, "source": "My own file", "file": upload.id}
    app = give(opened(**address), "act.h5", write_h5(stored_of(foreign())))
    app = press(app, "look_inside")
    assert complaints(app) == []
    assert "act.h5: My own file" in words(app)
