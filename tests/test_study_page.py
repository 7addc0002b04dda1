"""The page of the NHANES study, driven as a visitor drives it; training runs in the page."""

from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from rnnviz.data.sandbox import Sandbox
from rnnviz.data.uploads import store
from rnnviz.runs.run import Run
from rnnviz.study import corrected, script, tables
from rnnviz.study.attributed import account, attributed, checked
from rnnviz.study.settings import AS_WRITTEN, CORRECTED
from rnnviz.study.verdict import sentence, splits_of
from rnnviz.study.written import summary
from rnnviz.ui import server, session

SMALL = {"study_people": "40", "study_days": "2"}
REAL = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "nhanes" / "MINdata.rda"


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def home(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The app for one visitor, training inline, with two splits for the corrected study."""
    st.cache_resource.clear()
    monkeypatch.setenv("RNNVIZ_RUNNER", "inline")
    monkeypatch.setenv("RNNVIZ_HOME", str(shared_home))
    monkeypatch.setattr(session, "owner", lambda: "me")
    monkeypatch.setattr(corrected, "SPLITS", 2)
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
    """A table as it stands on the page, without the signs that keep Markdown off."""
    rows = zip(frame.index, frame.to_numpy().tolist(), strict=True)
    return [[str(cell).replace("\\", "") for cell in (name, *row)] for name, row in rows]


def test_before_anything_is_run_every_step_stands_with_its_code() -> None:
    app = opened(**SMALL)
    code = [element.value for element in app.code]
    steps = (*script.AS_WRITTEN, *script.CORRECTED)
    assert [text for text in code if text != summary()] == [step.code for step in steps]
    said = words(app)
    for step in steps:
        assert step.title in said
    assert code.count(summary()) == 1  # the network is known before it is trained
    assert said.count("Not run yet.") == 2
    assert not app.error
    assert [button.label for button in app.main.button] == ["Run as written", "Run corrected"]


def test_the_numbers_are_those_of_the_runs(trained: AppTest, ids: dict[str, str]) -> None:
    home = session.home()
    written, mended = (Run.open(home, ids[name]).view() for name in ("written", "corrected"))
    assert (written.status, mended.status) == ("finished", "finished")
    splits = splits_of(mended)
    expected = [tables.written_scores(written), tables.scorecard(splits), tables.by_group(splits)]
    assert [cells(t.value) for t in trained.table] == [[list(r) for r in e.rows] for e in expected]
    said, found = words(trained), script.known(written)
    assert found is not None
    unit = "(kg/m²)²"
    for line in (
        *tables.findings(found, written.found[-1], unit),
        tables.against_mean(written, found, unit),
        sentence(splits, unit),
        *(step.result(written) for step in script.AS_WRITTEN),
        *(step.result(mended) for step in script.CORRECTED),
    ):
        assert line, "every step has a result"
        assert line in said
    assert len(trained.get("bidi_component")) == 3  # the loss, predicted against true, the hours


def test_a_chosen_person_s_hours_add_up(trained: AppTest, ids: dict[str, str]) -> None:
    known = attributed(Run.open(session.home(), ids["corrected"]).view())
    who = trained.selectbox(key="study_who")
    assert who.options == list(known)
    assert who.value == "mean over all"
    assert account(known["mean over all"], "kg/m²") in words(trained)
    person = who.options[-1]
    assert person.startswith("person ")
    said = words(sound(who.set_value(person).run()))
    assert account(known[person], "kg/m²") in said
    people = [day for about, day in known.items() if about.startswith("person ")]
    assert checked(people, "kg/m²") in said


def test_a_link_finds_both_runs_again(trained: AppTest, ids: dict[str, str]) -> None:
    again = opened(**SMALL, **ids)
    assert "**finished** · All splits are done." in words(again)
    assert [cells(t.value) for t in again.table] == [cells(t.value) for t in trained.table]
    assert "other data" not in words(again)
    other = opened(study_people="50", study_days="2", **ids)
    assert words(other).count("of other data than those chosen above") == 2


def test_a_run_of_one_study_is_not_taken_for_the_other(
    trained: AppTest, ids: dict[str, str]
) -> None:
    assert not trained.error
    app = opened(**SMALL, written=ids["corrected"], corrected="0" * 20)
    assert words(app).count("Not run yet.") == 2
    titles = {name: Run.open(session.home(), ids[name]).title for name in ids}
    assert titles == {"written": AS_WRITTEN, "corrected": CORRECTED}


def test_the_studies_leave_the_current_run_alone(trained: AppTest, ids: dict[str, str]) -> None:
    assert "No run yet" in words(trained)
    assert "run" not in trained.query_params
    assert not session.my_runs()
    app = opened("train", **ids)
    assert "Nothing is trained yet" in words(app)


def test_a_file_is_asked_for_and_then_studied(home: Path) -> None:
    app = opened(study_source="my own file")
    assert "Give a file on the **Data** page" in words(app)
    assert app.button(key="do_study_written").disabled
    if not REAL.is_file():
        pytest.skip("the real data are not here")
    with Sandbox(helpers=1) as sandbox:
        upload = store(REAL.read_bytes(), REAL.name, home, sandbox)
    app = press(opened(study_source="my own file", file=upload.id), "study_written")
    said = words(app)
    assert "292 rows of 292 people." in said
    assert "0 of 82 test rows (0.0 %) belong to people who are also in training" in said
    assert "Copying" not in said


def test_data_that_cannot_be_studied_are_told_in_one_sentence(home: Path) -> None:
    frame = pd.DataFrame(0.0, index=range(40), columns=[f"MIN{k}" for k in range(1, 1441)])
    frame["MIN9"], frame["BMI"] = range(40), [20.0 + k for k in range(40)]
    with Sandbox(helpers=1) as sandbox:
        upload = store(frame.to_csv(index=False).encode(), "flat.csv", home, sandbox)
    app = press(opened(study_source="my own file", file=upload.id), "study_written")
    (error,) = app.error
    assert "MIN1, the one column that the script" in error.value.replace("\\", "")
    assert app.button(key="do_study_written").label == "Run as written"
