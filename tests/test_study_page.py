"""The page of the NHANES study, driven as a visitor drives it; training runs in the page."""

from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rdata
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from rnnviz.data import nhanes
from rnnviz.data.sandbox import Sandbox
from rnnviz.data.uploads import store
from rnnviz.errors import RunError
from rnnviz.exchange.keras_files import write_h5
from rnnviz.runs.run import Run
from rnnviz.study import script, tables
from rnnviz.study.attributed import account, attributed, checked
from rnnviz.study.saved import stored_of_run
from rnnviz.study.settings import AS_WRITTEN, CORRECTED
from rnnviz.study.verdict import sentence, splits_of
from rnnviz.study.written import summary
from rnnviz.ui import common, server, session, studying

SMALL = {"study_people": "40", "study_days": "2", "splits": "2", "epochs_written": "3"}
SMALL |= {"epochs_corrected": "4"}
BOTH = 2  # halves of the page
REAL = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "nhanes" / "MINdata.rda"


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(helpers=1) as running:
        yield running


@pytest.fixture(autouse=True)
def home(shared_home: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Path:
    """The app for one visitor, training inline."""
    st.cache_resource.clear()
    monkeypatch.setenv("RNNVIZ_RUNNER", "inline")
    monkeypatch.setenv("RNNVIZ_HOME", str(shared_home))
    monkeypatch.setattr(common, "owner", lambda: "me")
    monkeypatch.setattr(common, "sandbox", lambda: sandbox)
    # AppTest would read through all installed packages for components; rnnviz registers its own
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", lambda *_: [])
    return shared_home


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def opened(at: str = "study", **address: str) -> AppTest:
    """A page as it is opened by a link."""
    app = AppTest.from_file(server.MAIN, default_timeout=120)
    app.query_params.update(address)
    if at != "train":  # the first page
        app.switch_page(f"../../pages/{at}.py")
    return sound(app.run())


def press(app: AppTest, key: str) -> AppTest:
    return sound(app.button(key=f"do_{key}").click().run())


@pytest.fixture(scope="module")
def ids() -> dict[str, str]:
    """The runs of both studies, once they are trained."""
    return {}


@pytest.fixture
def trained(ids: dict[str, str]) -> AppTest:
    """The page with both studies run, on few people."""
    if not ids:
        app = press(press(opened(**SMALL), "study_written"), "study_corrected")
        ids.update({name: app.query_params[name] for name in ("written", "corrected")})
        return app
    return opened(**SMALL, **ids)


def words(app: AppTest) -> str:
    kinds = ("markdown", "caption", "text", "code", "info", "warning", "error")
    said = [str(element.value) for kind in kinds for element in app.get(kind)]
    return "\n".join([*said, *(bar.text for bar in app.get("progress"))]).replace("\\", "")


def cells(frame: pd.DataFrame) -> list[list[str]]:
    """A table as it stands on the page, without what keeps Markdown off and numbers whole."""
    rows = zip(frame.index, frame.to_numpy().tolist(), strict=True)
    plain = str.maketrans({"\\": "", "\N{NO-BREAK SPACE}": " "})
    return [[str(cell).translate(plain) for cell in (name, *row)] for name, row in rows]


def test_before_anything_is_run_every_step_stands_with_its_code() -> None:
    app = opened(**SMALL)
    code = [element.value for element in app.code]
    steps = (*script.as_written(3), *script.corrected(4, 2))
    assert [text for text in code if text != summary()] == [step.code for step in steps]
    said = words(app)
    for step in steps:
        assert step.title in said
    assert code.count(summary()) == 1  # the network is known before it is trained
    assert said.count("Not run yet.") == 2
    assert not app.error
    assert [button.label for button in app.main.button] == ["Run as written", "Run corrected"]


def test_the_numbers_are_those_of_the_runs(trained: AppTest, ids: dict[str, str]) -> None:
    home = common.home()
    written, mended = (Run.open(home, ids[name]).view() for name in ("written", "corrected"))
    assert (written.status, mended.status) == ("finished", "finished")
    splits = splits_of(mended)
    expected = [tables.written_scores(written), tables.scorecard(splits), tables.by_group(splits)]
    assert [cells(t.value) for t in trained.table] == [[list(r) for r in e.rows] for e in expected]
    said, found = words(trained), script.known(written)
    assert found is not None
    unit = "(kg/m²)²"
    for line in (
        *tables.findings(found, script.moved(written), unit),
        tables.against_mean(written, found, unit),
        sentence(splits, unit),
        *(step.result(written) for step in script.as_written(3)),
        *(step.result(mended) for step in script.corrected(4, 2)),
    ):
        assert line, "every step has a result"
        assert line in said
    # the loss, predicted against true, the hours of a group and of a person
    assert len(trained.get("bidi_component")) == 4
    assert len(written.epochs) == 3
    assert len(splits) == 2
    assert max(ended.epoch for ended in mended.epochs) <= 2 * 4


def test_a_chosen_person_s_hours_add_up(trained: AppTest, ids: dict[str, str]) -> None:
    known = attributed(Run.open(common.home(), ids["corrected"]).view())
    who, group = trained.selectbox(key="study_person"), trained.selectbox(key="study_group")
    assert [*group.options, *who.options] == list(known)
    assert all(name.startswith("person ") for name in who.options)
    assert group.value == "mean over all"
    assert account(known["mean over all"], "kg/m²") in words(trained)
    person, mean = who.options[-1], group.options[-1]
    app = sound(who.set_value(person).run())
    said = words(sound(app.selectbox(key="study_group").set_value(mean).run()))
    assert account(known[person], "kg/m²") in said
    assert account(known[mean], "kg/m²") in said
    people = [day for about, day in known.items() if about.startswith("person ")]
    assert checked(people, "kg/m²") in said


def prepared(app: AppTest) -> AppTest:
    """The page once the file is written, or has failed to be."""
    app = press(sound(app.run()), "prepare_study")  # drawn anew: a button keeps what it calls
    wait([app.session_state["_prepared"][1]], timeout=60)
    return app.run()


def test_the_trained_network_is_given_as_a_file(
    trained: AppTest, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = common.home()
    data = write_h5(stored_of_run(Run.open(home, ids["written"])))
    assert not trained.get("download_button")
    # the process that writes it has a test of its own
    asked = {(ids["written"], ".h5", home): data}
    monkeypatch.setattr(studying, "saved", lambda *what: asked[what])
    app = prepared(trained)
    assert not app.error
    (button,) = app.get("download_button")
    assert button.proto.label == "Download study.h5"
    assert f"A file of {len(data):,} bytes" in words(app)


def test_a_file_that_cannot_be_written_is_told(
    trained: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bytes:
        raise RunError("the model cannot be written (No space left); make room, then try again")

    monkeypatch.setattr(studying, "saved", fail)
    app = prepared(trained)
    assert [error.value.replace("\\", "") for error in app.error] == [
        "the model cannot be written (No space left); make room, then try again"
    ]
    assert not app.get("download_button")
    assert app.button(key="do_prepare_study").label == "Prepare study.h5"


def test_settings_stand_in_the_address_and_in_the_code() -> None:
    app = opened(splits="7", epochs_written="12", epochs_corrected="3")
    code = [element.value for element in app.code]
    assert sum("epochs = 12," in text for text in code) == 1
    assert sum("range(7)" in text for text in code) == 1
    assert sum("epochs=3, patience" in text for text in code) == 1
    app = sound(app.number_input(key="splits").set_value(9).run())
    assert "trains it on 9 splits" in words(app)
    for wrong in ("1", "21", "x", "inf"):
        app = opened(splits=wrong, epochs_written=wrong, study_people=wrong)
        assert app.number_input(key="splits").value == 5


def test_a_link_finds_both_runs_again(trained: AppTest, ids: dict[str, str]) -> None:
    again = opened(**SMALL, **ids)
    assert "**finished** · All splits are done." in words(again)
    assert [cells(t.value) for t in again.table] == [cells(t.value) for t in trained.table]
    assert "other data" not in words(again)
    other = opened(**{**SMALL, "study_people": "50"}, **ids)
    assert words(other).count("with other settings than those chosen above") == BOTH
    other = opened(**{**SMALL, "splits": "3"}, **ids)
    assert words(other).count("with other settings than those chosen above") == 1


def test_a_run_of_one_study_is_not_taken_for_the_other(
    trained: AppTest, ids: dict[str, str]
) -> None:
    assert not trained.error
    app = opened(**SMALL, written=ids["corrected"], corrected="0" * 20)
    assert words(app).count("Not run yet.") == 2
    titles = {name: Run.open(common.home(), ids[name]).title for name in ids}
    assert titles == {"written": AS_WRITTEN, "corrected": CORRECTED}


def test_the_studies_leave_the_current_run_alone(trained: AppTest, ids: dict[str, str]) -> None:
    assert "No run yet" in words(trained)
    assert "run" not in trained.query_params
    assert not session.my_runs()
    app = opened("train", **ids)
    assert "Nothing is trained yet" in words(app)


def test_a_file_is_asked_for_and_then_studied() -> None:
    app = opened(study_source="my own file")
    assert "Give a file to go on" in words(app)
    assert app.button(key="do_study_written").disabled
    if not REAL.is_file():
        pytest.skip("the real data are not here")
    app = opened(study_source="my own file", epochs_written="1")
    sent = (REAL.name, REAL.read_bytes(), "")
    app = press(sound(app.file_uploader[0].set_value(sent).run()), "study_written")
    said = words(app)
    assert "292 rows of 292 people." in said
    assert "0 of 82 test rows (0.0 %) belong to people who are also in training" in said
    assert "Copying" not in said
    assert "Each person has one row here, so there is nothing to copy" in said


def given(frame: pd.DataFrame, name: str = "days.csv", **address: str) -> AppTest:
    """The page with a table of one's own."""
    data = frame.to_csv(index=False).encode()
    upload = store(data, name, common.home(), common.sandbox())
    return opened(study_source="my own file", file=upload.id, epochs_written="1", **address)


def people(rows: int) -> pd.DataFrame:
    """Days of activity with two numbers and a word to predict."""
    made = nhanes.simulate(rows, 1, seed=5)
    frame = pd.DataFrame(made.minutes, columns=[f"MIN{k}" for k in range(1, 1441)])
    words = np.where(made.target > 25, "high", "low")
    return frame.assign(SEQN=made.ids, BMI=made.target, waist=made.target * 3, level=words)


def test_another_target_of_a_file_is_studied() -> None:
    app = given(people(40), target="waist")
    assert app.selectbox(key="target").value == "waist"
    app = press(app, "study_written")
    run = Run.open(common.home(), app.query_params["written"])
    assert run.config.data.target == "waist"
    assert run.view().started.unit == ""
    app = sound(app.selectbox(key="target").set_value("level").run())
    (error,) = app.error
    assert "level holds classes, and the study predicts a number" in error.value
    assert app.button(key="do_study_written").disabled


def test_a_table_of_a_file_is_chosen(home: Path, tmp_path: Path, sandbox: Sandbox) -> None:
    frame = people(40).drop(columns=["SEQN", "level", "waist"]).astype(np.float64)
    path = tmp_path / "two.rda"
    rdata.write_rda(path, {"first": frame, "second": frame.assign(BMI=frame["BMI"] + 50)})
    upload = store(path.read_bytes(), path.name, home, sandbox)
    address = {"study_source": "my own file", "file": upload.id, "epochs_written": "1"}
    app = opened(**address)
    app = press(sound(app.selectbox(key="table").set_value("second").run()), "study_written")
    run = Run.open(common.home(), app.query_params["written"])
    assert run.config.data.table == "second"
    assert run.trace(1)[1].targets.min() > 60


def test_what_holds_no_days_is_told() -> None:
    frame = pd.DataFrame({"day": range(200), "sales": np.sin(np.arange(200.0))})
    app = given(frame, "sales.csv")
    (error,) = app.error
    assert "the study reads days of activity, and this table is something else" in error.value
    assert app.button(key="do_study_corrected").disabled
    assert not any(box.key == "blocks" for box in app.selectbox)


def test_data_that_cannot_be_studied_are_told_in_one_sentence(home: Path, sandbox: Sandbox) -> None:
    frame = pd.DataFrame(0.0, index=range(40), columns=[f"MIN{k}" for k in range(1, 1441)])
    frame["MIN9"], frame["BMI"] = range(40), [20.0 + k for k in range(40)]
    upload = store(frame.to_csv(index=False).encode(), "flat.csv", home, sandbox)
    app = press(opened(study_source="my own file", file=upload.id), "study_written")
    (error,) = app.error
    assert "MIN1, the one column that the script" in error.value.replace("\\", "")
    assert app.button(key="do_study_written").label == "Run as written"
