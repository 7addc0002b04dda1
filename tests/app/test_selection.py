"""What all pages share: the selection, links, reloads, and visitors without a run."""

from collections.abc import Callable

import pytest
from driven import (
    INSIDE,
    PAGES,
    SMALL,
    complaints,
    opened,
    page,
    press,
    selected,
    sound,
    trace_of,
    words,
)
from streamlit.testing.v1 import AppTest

from rnnviz.runs.run import Run
from rnnviz.trace import telling_step
from rnnviz.ui import common, controls, server


@pytest.mark.parametrize("name", PAGES)
def test_without_a_run_every_page_opens_and_says_what_to_do(name: str) -> None:
    app = opened(name, **SMALL)
    assert complaints(app) == []
    if name in INSIDE:
        assert "no run to look into yet. Go to **Train**" in app.info[0].value
    elif name == "train":
        assert "Nothing is trained yet" in app.info[0].value
    assert "Press **Train**" in app.sidebar.caption[0].value


def test_the_latest_epoch_is_where_the_slider_begins_at_every_drawing() -> None:
    """A browser may get to see only the second of two drawings that follow each other at once."""
    app = press(opened(**SMALL), "train")
    for _ in range(2):
        slider = app.sidebar.select_slider(key="epoch")
        assert slider.value == "latest"
        assert list(slider.proto.default) == [len(slider.options) - 1]
        app = sound(app.run())


def select(app: AppTest) -> AppTest:
    """Sequence 2, unit 3, step 31 after epoch 1, all in the sidebar."""
    app.sidebar.select_slider(key="epoch").set_value("1")
    app.sidebar.selectbox(key="sequence").set_value(2)
    app.sidebar.slider(key="unit").set_value(3)
    app.sidebar.slider(key="t").set_value(31)
    return sound(app.run())


def test_all_pages_share_one_selection(trained: Callable[[str], Run]) -> None:
    app = select(opened("gates", run=trained("lstm with attention").id))
    for name in (*PAGES, "gates"):
        assert selected(page(app, name)) == ("1", 2, 3, 31)


def test_the_first_look_is_at_a_telling_step_and_stays_there(
    trained: Callable[[str], Run],
) -> None:
    run = trained("lstm with attention")
    app = opened(run=run.id)
    assert selected(app)[3] == 1  # no page yet that looks inside
    telling = telling_step(trace_of(run, 2).layers[0], sequence=0, length=144) + 1
    app = page(app, "gates")
    assert selected(app) == ("latest", 1, 1, telling)
    app.sidebar.slider(key="t").set_value(1)
    assert selected(page(sound(app.run()), "unrolled"))[3] == 1  # chosen by hand


def test_a_link_with_a_place_keeps_it(trained: Callable[[str], Run]) -> None:
    run = trained("gru of two ways").id
    app = opened("unrolled", run=run, t="1", unit="5", layer="2", sequence="3")
    assert selected(app) == ("latest", 3, 5, 1)
    assert app.sidebar.selectbox(key="layer").value == 2
    assert set(app.query_params) == {"run"}  # which soon would say what is not shown
    assert selected(page(app, "gates")) == ("latest", 3, 5, 1)


def test_a_step_that_was_chosen_before_the_first_look_is_kept(
    trained: Callable[[str], Run],
) -> None:
    app = opened(run=trained("lstm with attention").id)
    app = sound(app.sidebar.slider(key="t").set_value(77).run())
    assert selected(page(app, "unrolled"))[3] == 77


@pytest.mark.parametrize("name", INSIDE)
def test_selections_from_a_link_that_are_out_of_range_do_no_harm(
    name: str, trained: Callable[[str], Run]
) -> None:
    run = trained("lstm with attention").id
    wild = {"t": "99999", "unit": "-3", "epoch": "77", "sequence": "x", "layer": "9"}
    app = opened(name, run=run, **wild, quantity="q", node_colour="q", stage="q", attention_by="q")
    _, sequence, unit, t = selected(app)
    assert 1 <= sequence <= 4
    assert 1 <= unit <= 8
    assert 1 <= t <= 144
    assert complaints(app) == []


@pytest.mark.parametrize(
    ("key", "wanted", "got"),
    [
        *(("t", 99999, 144), ("t", 0, 1), ("unit", -3, 1), ("unit", 9, 8)),
        *(("sequence", 50, 4), ("sequence", "x", 1), ("layer", 9, 1), ("epoch", "77", "latest")),
    ],
)
def test_a_selection_is_brought_inside_of_the_trace(
    key: str, wanted: int | str, got: int | str, trained: Callable[[str], Run]
) -> None:
    run = trained("lstm with attention")
    app = AppTest.from_file(server.MAIN, default_timeout=300)
    app.query_params["run"] = run.id
    app.session_state[key] = wanted  # as another run may have left it
    assert sound(app.run()).session_state[key] == got
    assert complaints(page(app, "unrolled")) == []


def test_a_selection_fits_the_next_run_as_well(trained: Callable[[str], Run]) -> None:
    app = select(opened("unrolled", run=trained("lstm with attention").id))
    other = trained("relu").id
    app.session_state["_run"] = other
    app = sound(app.run())
    assert selected(app) == ("1", 2, 3, 24)  # of 24 steps
    assert app.query_params["run"] == other


def test_a_reload_finds_the_run_again(trained: Callable[[str], Run]) -> None:
    run = trained("relu")
    app = opened(run=run.id)
    assert app.query_params["run"] == run.id
    assert controls.escaped(run.title) in [caption.value for caption in app.sidebar.caption]


@pytest.mark.parametrize("name", PAGES)
def test_another_visitor_does_not_see_it(
    name: str, trained: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained("relu")
    monkeypatch.setattr(common, "owner", lambda: "somebody else")
    app = opened(name, run=run.id, **SMALL)
    assert "No run yet" in app.sidebar.caption[0].value
    assert run.title not in words(app).replace("\\", "")
    assert "run" not in app.query_params


@pytest.mark.parametrize("run", ["../../../etc/passwd", "0" * 20, "x", "%00", "<b>"])
def test_a_run_that_is_not_there_is_no_run(run: str) -> None:
    app = opened(run=run, **SMALL)
    assert "No run yet" in app.sidebar.caption[0].value
    assert "run" not in app.query_params
