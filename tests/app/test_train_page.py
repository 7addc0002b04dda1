"""The Train page, and every page after a training, driven without a browser."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from driven import (
    EXAMPLES,
    HOURS,
    INSIDE,
    NAMES,
    OF_WORLD,
    PAGES,
    SMALL,
    baselines_of,
    complaints,
    opened,
    page,
    pictures,
    press,
    sound,
    words,
)

from rnnviz.config import SUGGESTED, WORLD_NAMES, TrainingConfig
from rnnviz.data.worlds import WORLDS
from rnnviz.runs.run import Run
from rnnviz.ui.words import number


def test_a_text_is_coloured_up_to_its_end(trained: Callable[[str], Run]) -> None:
    run = trained("sentiment")
    started = run.view().started
    assert baselines_of(run) == {"class shares", "bag of words"}
    assert started is not None
    assert sum(started.sizes.values()) == 120
    app = page(opened(run=run.id), "attention")
    assert "Weights when sentiment is predicted." in words(app)


def test_persistence_stands_beside_the_network(trained: Callable[[str], Run]) -> None:
    app = opened(run=trained("random walk").id)
    assert "ersistence, the last value once more" in words(app)
    assert "persistence" in app.table[0].value.index


def test_the_limits_of_a_world_stand_in_its_verdict_and_its_scores(
    trained: Callable[[str], Run],
) -> None:
    app = opened(run=trained("namaskar").id, **OF_WORLD)
    assert "the memoryless limit, 0.4708" in words(app)
    table = app.table[0].value
    assert {"memoryless limit", "entropy floor"} <= set(table.index)
    assert table.loc["memoryless limit", "accuracy"] == "0.7143"
    drawn = opened(run=trained("wave").id, **OF_WORLD).table[0].value
    assert drawn.loc["noise floor"].tolist() == ["0", "–", "–", "–"]


def test_settings_of_a_link_hold_on_every_page() -> None:
    app = page(opened(**HOURS), "data")
    assert "60 people, 24 steps of 60 values" in words(app)
    app = page(page(app, "gates"), "train")
    assert "60 people, 24 steps of 60 values" in words(app)
    assert app.number_input(key="hidden_size").value == 8


def test_another_source_begins_with_what_suits_it() -> None:
    app = opened(people="60")
    app = sound(app.selectbox(key="source").set_value("text").run())
    begun = (app.number_input(key="epochs").value, app.selectbox(key="attention").value)
    assert begun == (SUGGESTED["text"]["epochs"], SUGGESTED["text"]["attention"])
    app = sound(app.selectbox(key="source").set_value("nhanes").run())
    assert app.number_input(key="epochs").value == TrainingConfig().epochs


def test_another_source_and_another_world_begin_anew_after_a_link() -> None:
    app = opened(source="Text", epochs="1")
    app = sound(app.selectbox(key="source").set_value("series").run())
    assert app.number_input(key="epochs").value == SUGGESTED["series"]["epochs"]
    app = opened(**OF_WORLD, world=WORLD_NAMES["echo"], delay="3")
    assert app.number_input(key="delay").value == 3
    app = sound(app.selectbox(key="world").set_value("names").run())
    assert app.number_input(key="delay").value == WORLDS["names"].suggested["delay"]
    assert complaints(app) == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_run_trains_to_its_end_and_every_page_draws_it(
    name: str, trained: Callable[[str], Run]
) -> None:
    run = trained(name)
    app = opened(run=run.id)
    assert "**finished** · All epochs are done\\." in words(app)
    assert "The network " in words(app)
    labels = [button.label for button in app.main.button]
    assert labels == ["Train", "Pause", "One batch", "One epoch", "Stop"]
    for table in app.table:
        assert list(table.value.index[:1]) == ["network"]
        assert set(table.value.index) == {"network", *baselines_of(run)}
    for at in PAGES:
        app = page(app, at)
        assert complaints(app) == [], at
        simulated = run.config.data.source == "nhanes" and at in INSIDE
        assert ("Simulated people" in words(app)) == simulated
        if at == "attention" and run.config.model.attention == "none":
            assert "This network has no attention" in app.info[0].value
        elif at in INSIDE:
            assert not app.info, at
            assert pictures(app) >= 1


@pytest.mark.parametrize("name", ["lstm with attention", "characters"])
def test_every_page_draws_in_the_dark(name: str, trained: Callable[[str], Run]) -> None:
    app = opened(run=trained(name).id, dark=True)
    for at in PAGES:
        assert complaints(page(app, at)) == [], at


def test_a_link_chooses_table_and_target(trained: Callable[[str], Run]) -> None:
    config = trained("classes").config.data
    assert (config.source, config.table, config.target) == ("file", "sleep", "sleeper")


def test_the_scores_are_those_of_the_run(trained: Callable[[str], Run]) -> None:
    run = trained("lstm with attention")
    assert baselines_of(run) == {"mean", "ridge", "covariates only"}
    app, view = opened(run=run.id), run.view()
    for table, part in zip(app.table, ("test", "validation", "train"), strict=True):
        scores = {score.predictor: score for score in view.scores if score.part == part}
        assert list(table.value.index) == list(scores)
        assert list(table.value.columns) == ["MSE [(kg/m²)²]", "MAE", "R²", "r"]
        for predictor, row in table.value.iterrows():
            expected = [number(v) for v in scores[str(predictor)].metrics.values()]
            assert [value.replace("\\", "") for value in row] == expected


def test_one_batch_one_epoch_resume_and_the_rate(home: Path) -> None:
    app = press(opened(**SMALL, cell="GRU"), "one_batch")
    run = Run.open(home, app.query_params["run"])
    assert (run.view().status, run.view().step) == ("paused", 1)
    assert "**paused** · Step 1 is done" in words(app)
    assert [b.label for b in app.main.button] == [
        "Train",
        "Resume",
        "One batch",
        "One epoch",
        "Stop",
        "New run",
    ]
    press(app, "one_batch")
    assert run.view().step == 2
    sound(app.number_input(key=f"rate_{run.id}").set_value(0.0125).run())
    press(app, "one_epoch")
    assert (run.view().status, len(run.view().epochs)) == ("paused", 1)
    assert [rate.learning_rate for rate in run.view().rates] == [0.0125]
    press(app, "resume")
    assert "**finished** · All epochs are done\\." in words(app)
    assert (run.view().status, len(run.view().epochs)) == ("finished", 2)
    assert run.view().epochs[-1].learning_rate == 0.0125


def test_stop_ends_a_run_for_good(home: Path) -> None:
    app = press(opened(**SMALL), "one_epoch")
    press(app, "stop")
    assert "Stopped by hand" in words(app)
    assert "The network " in words(app)  # by the scores after the last epoch
    assert app.button(key="do_train").disabled is False
    assert Run.open(home, app.query_params["run"]).view().ended


def test_a_new_run_leaves_the_old_one_in_the_list(home: Path) -> None:
    app = press(opened(**SMALL), "one_batch")
    first = app.query_params["run"]
    press(app, "new_run")
    second = app.query_params["run"]
    assert first != second
    st.cache_resource.clear()  # the list may be 10 s old
    app = sound(app.run())
    app = sound(app.button(key=f"open_{first}").click().run())
    assert app.query_params["run"] == first
    assert "**paused**" in words(app)
    assert Run.open(home, second).view().status == "finished"


def test_a_run_that_breaks_off_says_where_and_what_to_do() -> None:
    wild = {"cell": "RNN (ReLU)", "scale": "raw", "optimiser": "SGD", "clip_norm": "0"}
    app = press(opened(**HOURS, **wild, learning_rate="10"), "train")
    assert "**failed**" in words(app)
    assert len(app.error) == 1
    assert "lower the learning rate" in app.error[0].value
    for name in PAGES:
        page(app, name)


def test_settings_out_of_range_in_a_link_fall_back() -> None:
    app = opened(hidden_size="-1", epochs="1000000", cell="transformer", people="7", seed="x")
    numbers = [app.number_input(key=key).value for key in ("hidden_size", "epochs", "seed")]
    assert numbers == [32, 20, 0]
    assert app.selectbox(key="cell").value == "lstm"
    assert app.query_params == {}
    assert app.button(key="do_train").disabled is False


def test_a_network_too_large_for_the_memory_is_refused_with_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free = SimpleNamespace(available=2 * 2**30)
    monkeypatch.setattr("rnnviz.estimate.psutil.virtual_memory", lambda: free)
    huge = {"hidden_size": "512", "layers": "4", "blocks": NAMES["1440x1"]}
    app = opened(**{**SMALL, "batch_size": "1024", **huge})
    assert len(app.error) == 1
    assert "GiB of memory; a run may take 1\\.0 GiB here" in app.error[0].value
    assert app.button(key="do_train").disabled
    app = sound(app.number_input(key="hidden_size").set_value(4).run())
    assert not app.error
    assert app.button(key="do_train").disabled is False


def test_both_directions_cannot_predict_the_next_token() -> None:
    app = opened(source="Text", bidirectional="true")
    assert "has read the next token already" in app.error[0].value
    assert app.button(key="do_train").disabled
