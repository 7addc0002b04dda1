"""The From scratch page, driven as a visitor drives it; training runs in the page."""

from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from rnnviz.data.phrases import phrases, vocabulary
from rnnviz.figures.clock import Clock
from rnnviz.runs.run import Run
from rnnviz.scratch import check
from rnnviz.scratch.formulas import formulas
from rnnviz.scratch.run import of_snapshot, told
from rnnviz.scratch.settings import BACKPROP_NAMES
from rnnviz.scratch.worked import Place, passed
from rnnviz.ui import common, proving, server, session, widgets
from rnnviz.ui.components.plot import Clicked
from rnnviz.ui.words import number

SMALL = {"scratch_hidden": "6", "scratch_epochs": "20"}
PHRASE = next(k for k, p in enumerate(phrases()) if len(p.text.split()) == 7)


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def home(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    st.cache_resource.clear()
    monkeypatch.setenv("RNNVIZ_RUNNER", "inline")
    monkeypatch.setenv("RNNVIZ_HOME", str(shared_home))
    monkeypatch.setattr(common, "owner", lambda: "me")
    # AppTest would read through all installed packages for components; rnnviz registers its own
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", lambda *_: [])
    return shared_home


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def opened(**address: str) -> AppTest:
    app = AppTest.from_file(server.MAIN, default_timeout=120)
    app.query_params.update(address)
    app.switch_page("../../pages/scratch.py")
    return sound(app.run())


@pytest.fixture(scope="module")
def ids() -> dict[str, str]:
    return {}


@pytest.fixture
def trained(ids: dict[str, str]) -> AppTest:
    """The page with a short run."""
    if not ids:
        app = sound(opened(**SMALL).button(key="do_study_scratch").click().run())
        ids["scratch"] = app.query_params["scratch"]
    return opened(**SMALL, **ids)


def words(app: AppTest) -> str:
    kinds = ("markdown", "caption", "text", "code", "info", "latex")
    said = [str(element.value) for kind in kinds for element in app.get(kind)]
    return "\n".join([*said, *(bar.text for bar in app.get("progress"))]).replace("\\", "")


def plain(cell: object) -> str:
    return str(cell).replace("\\", "").replace("\N{WORD JOINER}", "").replace("\xa0", " ")


def column(frame: pd.DataFrame, name: str) -> list[str]:
    return [plain(cell) for cell in frame[name]]


def test_before_anything_is_trained_the_page_says_what_to_do() -> None:
    app = opened()
    said = words(app)
    assert "**Train both** takes some seconds." in said
    assert "58 phrases to learn from and 20 to test, of 18 words" in said
    assert "h_t = tanh(W_{xh}, x_t + W_{hh}, h_{t-1} + b_h)" in said
    assert not app.table
    assert [button.label for button in app.main.button] == ["Train both"]


def test_the_numbers_are_those_of_the_run(trained: AppTest, ids: dict[str, str]) -> None:
    run = Run.open(common.home(), ids["scratch"])
    view = run.view()
    assert (view.status, run.config.model.hidden_size, view.epoch) == ("finished", 6, 20)
    assert all(line in words(trained) for line in told(view))
    app = sound(trained.selectbox(key="scratch_phrase").set_value(PHRASE).run())
    app = sound(app.selectbox(key="scratch_epoch").set_value("10").run())
    app = sound(app.selectbox(key="scratch_t").set_value(4).run())
    app = sound(app.number_input(key="scratch_i").set_value(3).run())
    app = sound(app.number_input(key="scratch_j").set_value(5).run())
    weights = of_snapshot(run.arrays(10))["corrected"]
    read = [vocabulary().index(word) for word in phrases()[PHRASE].text.split()]
    seen = passed(weights, pd.array(read).to_numpy(), phrases()[PHRASE].label, "corrected")
    found = formulas(seen, Place(4, 2, 4))
    backward = app.table[1].value
    assert column(backward, "number") == [one.number for one in found]
    assert column(backward, "worked out") == [one.worked for one in found]
    assert column(backward, "value") == [number(one.value) for one in found]
    assert "finite difference" not in backward.columns


@pytest.mark.parametrize("backprop", BACKPROP_NAMES)
def test_prove_it_sets_finite_differences_beside_the_values(
    trained: AppTest, ids: dict[str, str], backprop: str
) -> None:
    app = sound(trained.selectbox(key="scratch_phrase").set_value(PHRASE).run())
    app = sound(app.get("button_group")[0].set_value(backprop).run())
    app = sound(app.toggle(key="scratch_prove").set_value(True).run())
    _, backward, whole = (table.value for table in app.table)
    signs = {plain(cell)[0] for cell in backward["relative error"]}
    assert signs == ({"✓"} if backprop == "corrected" else {"✓", "✗"})
    assert ("as published" in words(app).split("dh = Whh")[1][:40]) == (backprop == "published")
    weights = of_snapshot(Run.open(common.home(), ids["scratch"]).arrays(20))[backprop]
    read = [vocabulary().index(word) for word in phrases()[PHRASE].text.split()]
    label = phrases()[PHRASE].label
    moved = check.numerical(weights, pd.array(read).to_numpy(), label).arrays()
    for by, title in (("corrected", "corrected"), ("published", "as published")):
        shown = passed(weights, pd.array(read).to_numpy(), label, by).back.weights.arrays()
        worst = [check.relative_error(shown[name], moved[name]) for name in moved]
        told_of = [float(cell.replace("−", "-")) for cell in column(whole, f"error, {title}")]
        assert told_of == pytest.approx(worst, rel=0.1)


def test_a_click_in_a_picture_chooses_step_and_unit(
    trained: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, int] = {}
    monkeypatch.setattr(widgets, "suggest", asked.update)
    clock = Clock.steps(7)
    proving._clicked(clock, 6, Clicked(x=9.0, y=70.0, curve=0, point=(2, 4)))
    assert asked == {"scratch_t": 7, "scratch_i": 6}
    proving._clicked(clock, 6, Clicked(x=5.2, y=3.0, curve=0, point=(2, 4)))
    assert asked == {"scratch_t": 5, "scratch_i": 3}
    app = sound(trained.selectbox(key="scratch_phrase").set_value(PHRASE).run())
    app.session_state["scratch_t"], app.session_state["scratch_i"] = 5, 3
    assert "temp₅[3]" in column(sound(app.run()).table[1].value, "number")


def test_another_phrase_keeps_the_step_inside_of_it(trained: AppTest) -> None:
    app = sound(trained.selectbox(key="scratch_phrase").set_value(PHRASE).run())
    app = sound(app.selectbox(key="scratch_t").set_value(7).run())
    app = sound(app.selectbox(key="scratch_phrase").set_value(0).run())
    assert app.selectbox(key="scratch_t").value == 1
    assert app.selectbox(key="scratch_t").options == [f"1: {phrases()[0].text}"]


def test_the_run_does_not_become_the_current_one(trained: AppTest) -> None:
    assert "No run yet" in words(trained)
    assert "run" not in trained.query_params
    assert not session.my_runs()


def test_a_link_finds_the_run_again_and_says_where_its_settings_differ(
    trained: AppTest, ids: dict[str, str]
) -> None:
    assert "**finished** · All epochs are done." in words(trained)
    assert "other settings" not in words(trained)
    assert "trained with other settings" in words(opened(scratch_seed="9", **SMALL, **ids))
