"""The Inside page: levels, gates, one update, folding, pins; driven without a browser."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import streamlit as st
from driven import SMALL, complaints, opened, page, press, read, selected, sound, trace_of, words
from streamlit.testing.v1 import AppTest

from rnnviz.events import RateChanged
from rnnviz.runs.run import Run
from rnnviz.ui.moving import rate_at
from rnnviz.ui.words import number


@pytest.mark.parametrize("level", ["cell", "gate"])
def test_the_levels_open_in_the_session_that_has_just_trained(level: str) -> None:
    """The settings of the Train page come along to every other page."""
    app = page(press(opened(**SMALL), "train"), "unrolled")
    app.session_state["_level"] = level
    assert not app.run().exception


@pytest.mark.parametrize("name", ["lstm with attention", "relu"])
def test_all_gates_are_those_of_the_selected_step(name: str, trained: Callable[[str], Run]) -> None:
    run = trained(name)
    app = opened("unrolled", run=run.id)
    step = min(31, trace_of(run, 1).inputs.shape[1])
    app.sidebar.slider(key="t").set_value(step)
    app.sidebar.slider(key="unit").set_value(3)
    app.sidebar.selectbox(key="sequence").set_value(2)
    app = sound(app.sidebar.select_slider(key="epoch").set_value("1").run())
    layer = trace_of(run, 1).layers[0]
    lines = app.table[0].value
    names = (*layer.gate_names, *layer.state_names[::-1])
    values = [*layer.gates[1, step - 1, :, 2], *layer.states[1, step - 1, ::-1, 2]]
    assert list(lines.index) == list(names)
    assert list(lines["in the trace"]) == [number(float(value), 5) for value in values]
    sums = [number(float(value), 5) for value in layer.preactivations[1, step - 1, :, 2]]
    assert all(told for told in lines["what"])
    for told, value in zip(lines["sum"], sums, strict=False):
        assert read(told) == pytest.approx(read(value), rel=1e-3, abs=1e-6)
    assert f"Unit 3 of layer 1 at step {step}: all gates" in words(app)


def test_the_backward_layer_can_be_chosen(trained: Callable[[str], Run]) -> None:
    run = trained("gru of two ways")
    app = opened("unrolled", run=run.id)
    assert app.sidebar.selectbox(key="layer").options == [
        "layer 1",
        "layer 1, backward",
        "layer 2",
        "layer 2, backward",
    ]
    app.sidebar.slider(key="t").set_value(1)
    app = sound(app.sidebar.selectbox(key="layer").set_value(4).run())
    layer = trace_of(run, 2).layers[3]
    last = float(layer.states[0, 0, 0, 0])
    assert app.table[0].value["in the trace"]["h"] == number(last, 5)


def component(app: AppTest, name: str) -> list:
    return [part for part in app.get("bidi_component") if name in part.proto.component_name]


@pytest.mark.parametrize("name", ["lstm with attention", "gru of two ways", "characters"])
@pytest.mark.parametrize(
    ("level", "drawn"),
    [("network", "unrolled"), ("cell", "cell"), ("gate", "cell"), ("x", "unrolled")],
)
def test_a_link_opens_a_level(
    name: str, level: str, drawn: str, trained: Callable[[str], Run]
) -> None:
    app = opened("unrolled", run=trained(name).id, level=level, gate="z")
    assert complaints(app) == []
    assert len(component(app, f"rnnviz.{drawn}")) == 1
    assert len(component(app, "rnnviz.unrolled")) + len(component(app, "rnnviz.cell")) == 1
    assert app.query_params.get("level", "network") == (level if level != "x" else "network")


def test_the_level_stays_when_one_comes_back(trained: Callable[[str], Run]) -> None:
    app = opened("unrolled", run=trained("relu").id, level="gate", gate="a")
    app = page(page(app, "gates"), "unrolled")
    assert (app.query_params["level"], app.query_params["gate"]) == ("gate", "a")
    assert len(component(app, "rnnviz.cell")) == 1


def test_the_colour_of_the_nodes_stays_while_one_is_further_down(
    trained: Callable[[str], Run],
) -> None:
    app = opened("unrolled", run=trained("relu").id, node_colour="a")
    for level in ("cell", ""):
        app.session_state["_level"] = level
        app = sound(app.run())
        assert app.query_params.get("level", "") == level
    assert app.button_group(key="node_colour").value == "a"


@pytest.mark.parametrize("name", ["lstm with attention", "gru of two ways", "characters", "relu"])
def test_one_update_is_played_in_place_of_the_drawing(
    name: str, trained: Callable[[str], Run]
) -> None:
    run = trained(name)
    app = opened("unrolled", run=run.id)
    assert component(app, "rnnviz.motion") == []
    app = sound(app.toggle(key="motion").set_value(True).run())
    assert complaints(app) == []
    assert len(component(app, "rnnviz.motion")) == 1
    assert component(app, "rnnviz.unrolled") == []
    told = words(app)
    assert "A plain step on this one test sequence" in told
    assert ("The run learns by Adam" in told) == (run.config.training.optimiser == "adam")
    other = opened("unrolled", run=run.id, motion="true")
    assert len(component(other, "rnnviz.motion")) == 1


@pytest.mark.parametrize("name", ["lstm with attention", "gru of two ways", "characters"])
def test_every_network_that_reads_steps_is_folded(name: str, trained: Callable[[str], Run]) -> None:
    assert component(opened("unrolled", run=trained(name).id), "rnnviz.fold") == []
    app = opened("unrolled", run=trained(name).id, fold="true")
    assert len(component(app, "rnnviz.fold")) == 1
    assert ("Drawn is the lowest layer" in words(app)) == (name == "gru of two ways")


def test_the_step_has_the_rate_of_its_time(trained: Callable[[str], Run]) -> None:
    run = trained("lstm with attention")
    trace = trace_of(run, 1)
    view = run.view()
    later, before = (
        RateChanged(step=trace.step + moved, epoch=1, learning_rate=rate)
        for moved, rate in ((1, 0.5), (0, 0.25))
    )
    rates = {(): run.config.training.learning_rate, (before,): 0.25, (before, later): 0.25}
    for changed, expected in rates.items():
        assert rate_at(dataclasses.replace(view, rates=changed), trace.step, run.config) == expected


def test_pins_of_a_link_are_compared_and_can_be_removed(trained: Callable[[str], Run]) -> None:
    run = trained("lstm with attention")
    app = opened("unrolled", run=run.id, pins="1.1.1.h.57_2.2.1.f.100_2.1.1.h.999_x")
    assert app.query_params["pins"] == "1.1.1.h.57_2.2.1.f.100"
    first = trace_of(run, 1).layers[0].state("h")[0, 56].astype(float)
    second = trace_of(run, 2).layers[0].gate("f")[1, 99].astype(float)
    (line,) = app.table[1].value.itertuples(index=False)
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    assert read(line[0]) == pytest.approx(cosine, rel=1e-3)
    assert read(line[1]) == pytest.approx(np.linalg.norm(first - second), rel=1e-3)
    told = words(app).replace("\\", "")
    assert "A**: h of layer 1, step 57 (09:20), sequence 1, epoch 1" in told
    app = sound(app.button(key="pin_go_A").click().run())
    assert selected(app)[:2] == ("1", 1)
    assert selected(app)[3] == 57
    app = sound(app.button(key="pin_off_A").click().run())
    assert app.query_params["pins"] == "2.2.1.f.100"
    app = sound(app.button(key="pin_off_A").click().run())
    assert "pins" not in app.query_params
    assert "Nothing is pinned" in words(app)


def test_pins_are_of_one_run(trained: Callable[[str], Run]) -> None:
    first, second = trained("lstm with attention"), trained("relu")
    app = opened("unrolled", run=first.id, pins="1.1.1.h.57")
    assert "pin_off_A" in [button.key for button in app.button]
    st.cache_resource.clear()  # the list may be 10 s old
    app = sound(sound(app.run()).button(key=f"open_{second.id}").click().run())
    assert "Nothing is pinned" in words(app)
