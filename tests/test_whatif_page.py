"""The What if page, driven as a visitor drives it, without a browser."""

import random
import string
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.inside.interventions import INTERVENTIONS, LONGEST, MOST, apply, read
from rnnviz.inside.measured import Measured
from rnnviz.inside.network import Network, sequence_of
from rnnviz.runs import RUNNERS
from rnnviz.runs.run import Run
from rnnviz.ui import common, intervening, server
from rnnviz.ui.whatif import signed
from rnnviz.ui.words import number


def settings(data: DataConfig, **model: object) -> RunConfig:
    small = {"hidden_size": 6, "attention": "none", **model}
    return RunConfig(data=data, model=ModelConfig(**small), training=TrainingConfig(epochs=1))


RUNS = {
    "days": settings(DataConfig(people=40), attention="additive"),
    "hours": settings(
        DataConfig(people=40, blocks="24x60", mask=True), cell="gru", layers=2, bidirectional=True
    ),
    "text": settings(DataConfig(source="text", window=24), attention="dot"),
    "walk": settings(DataConfig(source="series", window=20), cell="rnn-relu"),
    "relu": settings(DataConfig(people=40), cell="rnn-relu"),
}


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def known() -> dict[str, str]:
    return {}


@pytest.fixture
def run(
    homes: Path, known: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Run]:
    st.cache_resource.clear()
    monkeypatch.setenv("RNNVIZ_RUNNER", "inline")
    monkeypatch.setenv("RNNVIZ_HOME", str(homes))
    monkeypatch.setattr(common, "owner", lambda: "me")
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", lambda *_: [])

    def of(name: str) -> Run:
        if name not in known:
            made = Run.create(homes, RUNS[name], owner="me", now=time.time())
            RUNNERS["inline"](homes).submit(made)
            known[name] = made.id
        return Run.open(homes, known[name])

    return of


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def opened(run: Run, **address: str) -> AppTest:
    app = AppTest.from_file(server.MAIN, default_timeout=120)
    app.query_params.update({"run": run.id, **address})
    app.switch_page("../../pages/whatif.py")
    return sound(app.run())


def address(app: AppTest) -> str:
    found = app.query_params.get("whatif", "")
    return found if isinstance(found, str) else found[0]


def press(app: AppTest, key: str) -> AppTest:
    return sound(app.button(key=key).click().run())


def labelled(app: AppTest, label: str) -> AppTest:
    button = next(b for b in app.main.button if b.label == label)
    return sound(button.click().run())


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def figure(app: AppTest, title: str) -> dict:
    """A drawing by the beginning of its title."""
    sent = [it.proto.bytes for it in app.get("bidi_component") if it.proto.bytes]
    read_by = [orjson.loads(each) for each in sent]
    drawn = [it["figure"] for it in read_by if "figure" in it]
    return next(f for f in drawn if f["layout"]["title"]["text"].startswith(title))


def predicted(run: Run, text: str = "", row: int = 0) -> float:
    """The prediction of one sequence, by way of the core alone."""
    trace, _ = run.trace(1)
    data = common.dataset(run.config.data)
    network, sequence = Network.of(trace), sequence_of(trace, row)
    done = apply(network, sequence, read(text), Measured.of(trace, data))
    return float(done.network.run(done.sequence, done.hands).outputs[0, 0])


def said(app: AppTest) -> str:
    kinds = ("markdown", "caption", "warning", "error")
    return "\n".join(str(it.value) for kind in kinds for it in app.main.get(kind)).replace("\\", "")


def test_nothing_done_is_the_run_as_it_was_recorded(run: Callable[[str], Run]) -> None:
    trace, _ = run("days").trace(1)
    app = opened(run("days"))
    shown = metrics(app)
    assert shown["Before"] == shown["After"] == number(float(trace.outputs[0, 0, 0]))
    assert shown["Difference"] == "0"
    assert shown["True"] == number(float(trace.targets[0, 0, 0]))
    assert "Nothing is changed yet" in said(app)
    assert address(app) == ""


def test_a_gate_is_held_and_the_changed_prediction_read_and_undone(
    run: Callable[[str], Run],
) -> None:
    app = opened(run("days"))
    app = sound(app.segmented_control(key="whatif_gate").set_value("f").run())
    app = sound(app.slider(key="whatif_part").set_value((49, 72)).run())
    assert "Part: from 08:00 to 12:00" in [slider.label for slider in app.main.slider]
    app = press(app, "do_add")
    assert address(app) == "hold_1_f_all_49-72_0"
    assert "1. Gate f of layer 1 is held at 0 from 08:00 to 12:00" in said(app)
    before, after = predicted(run("days")), predicted(run("days"), address(app))
    assert before != after
    shown = metrics(app)
    assert (shown["Before"], shown["After"]) == (number(before), number(after))
    assert shown["Difference"] == signed(after - before)
    app = press(app, "do_undo")
    assert address(app) == ""
    assert metrics(app)["Difference"] == "0"


def test_several_stack_in_order_and_each_can_be_taken_away(run: Callable[[str], Run]) -> None:
    stack = ["mask_100-144", "cut_1_c_60", "set_all_1-10_900"]
    app = opened(run("days"), whatif="~".join(stack))
    assert metrics(app)["After"] == number(predicted(run("days"), "~".join(stack)))
    assert "2. Memory c of layer 1 is cut at 09:50" in said(app)
    assert "3. The input is 900 counts/min from 00:00 to 01:40" in said(app)
    app = press(app, "remove_1")
    assert address(app) == "mask_100-144~set_all_1-10_900"
    app = press(app, "do_undo")
    assert address(app) == "mask_100-144"
    app = press(app, "do_remove_all")
    assert address(app) == ""


def test_the_same_link_shows_the_same_and_pages_keep_it(run: Callable[[str], Run]) -> None:
    text = "hold_1_o_2.3_1-144_0.5"
    app = opened(run("days"), whatif=text)
    first = metrics(app)
    assert metrics(opened(run("days"), whatif=text)) == first
    app = sound(app.switch_page("../../pages/gates.py").run())
    app = sound(app.switch_page("../../pages/whatif.py").run())
    assert address(app) == text
    assert metrics(app) == first


PRESETS = {
    "days": {
        "Forget everything at noon": "cut_1_hc_73",
        "Forget gate held at 0": "hold_1_f_all_1-144_0",
        "Output gate closed": "hold_1_o_all_1-144_0",
        "Night shifted by 6 hours": "shift_1-144_36",
        "Afternoon masked": "mask_73-108",
    },
    "hours": {
        "Forget everything at noon": "cut_1_h_13~cut_1b_h_13~cut_2_h_13~cut_2b_h_13",
        "Update gate held at 0": "hold_1_z_all_1-24_0",
        "Reset gate held at 0": "hold_1_r_all_1-24_0",
        "Night shifted by 6 hours": "shift_1-24_6",
        "Afternoon masked": "mask_13-18",
    },
    "text": {
        "Forget everything in the middle": "cut_1_hc_13",
        "Second half masked": "mask_13-24",
    },
    "walk": {"All units silent": "hold_1_a_all_1-20_0", "Second half masked": "mask_11-20"},
}


@pytest.mark.parametrize("name", PRESETS)
def test_presets_do_what_they_say(name: str, run: Callable[[str], Run]) -> None:
    for title, text in PRESETS[name].items():
        app = labelled(opened(run(name)), title)
        assert address(app) == text
        assert not app.warning


def test_an_output_gate_that_is_closed_leaves_the_bias(run: Callable[[str], Run]) -> None:
    trace, _ = run("days").trace(1)
    readout = trace.readout
    bias = float(readout.dense[-1].bias[0] * readout.sd[0] + readout.mean[0])
    app = labelled(opened(run("days")), "Output gate closed")
    assert metrics(app)["After"] == number(bias)
    difference = figure(app, "State h")["data"][2]
    assert difference["colorbar"]["title"]["text"] == "Δh"


@pytest.mark.parametrize("name", PRESETS)
def test_every_kind_that_is_offered_can_be_added(name: str, run: Callable[[str], Run]) -> None:
    text = name == "text"
    app = opened(run(name))
    offered = app.selectbox(key="whatif_kind").options
    kinds = [key for key, kind in INTERVENTIONS.items() if kind.title in offered]
    assert ("token" in kinds, "set" in kinds) == (text, not text)
    assert set(kinds) | {"token", "set", "add"} == set(INTERVENTIONS) == set(intervening.CONTROLS)
    for k, kind in enumerate(kinds):
        app = sound(app.selectbox(key="whatif_kind").set_value(kind).run())
        app = press(app, "do_add")
        assert address(app).split("~")[k].startswith(f"{kind}_"), kind
        assert not app.warning
        assert not app.error
    assert len(read(address(app))) == len(kinds)


def test_a_chosen_unit_a_state_and_a_weight(run: Callable[[str], Run]) -> None:
    app = opened(run("days"))
    app = sound(app.sidebar.slider(key="unit").set_value(4).run())
    app = sound(app.sidebar.slider(key="t").set_value(61).run())
    app = sound(app.selectbox(key="whatif_kind").set_value("freeze").run())
    app = sound(app.segmented_control(key="whatif_state").set_value("c").run())
    app = sound(app.segmented_control(key="whatif_units").set_value("chosen unit").run())
    app = press(app, "do_add")
    app = sound(app.selectbox(key="whatif_kind").set_value("cut").run())
    app = press(app, "do_add")
    app = sound(app.selectbox(key="whatif_kind").set_value("weight").run())
    app = sound(app.segmented_control(key="whatif_part_of").set_value("U").run())
    app = sound(app.number_input(key="whatif_column").set_value(6).run())
    app = sound(app.number_input(key="whatif_weight").set_value(0.75).run())
    app = press(app, "do_add")
    assert address(app) == "freeze_1_c_4_73-108~cut_1_c_61~weight_1_U_i_4_6_0.75"
    # what is shown as the present weight is the edited one
    assert "Value (now 0.75)" in [box.label for box in app.main.number_input]


def test_controls_fit_the_next_run_as_well(run: Callable[[str], Run]) -> None:
    """What was typed for one run may be out of the range of another."""
    app = opened(run("walk"))
    app = sound(app.selectbox(key="whatif_kind").set_value("set").run())
    app = sound(app.number_input(key="whatif_set").set_value(-5.0).run())
    app.session_state["_run"] = run("days").id
    app = sound(app.run())
    assert app.number_input(key="whatif_set").value == 0  # counts are not negative
    app = sound(app.selectbox(key="whatif_kind").set_value("weight").run())
    app = sound(app.segmented_control(key="whatif_part_of").set_value("U").run())
    app = sound(app.number_input(key="whatif_column").set_value(6).run())
    app.session_state["_run"] = run("text").id
    app = sound(app.run())
    app = sound(app.selectbox(key="whatif_kind").set_value("token").run())
    app = sound(app.selectbox(key="whatif_token").set_value(40).run())
    app.session_state["_run"] = run("hours").id
    app = sound(app.run())
    assert app.selectbox(key="whatif_kind").value == "hold"


def test_a_part_stays_chosen_where_it_is_not_asked_for(run: Callable[[str], Run]) -> None:
    app = opened(run("days"))
    app = sound(app.slider(key="whatif_part").set_value((49, 72)).run())
    app = sound(app.selectbox(key="whatif_kind").set_value("cut").run())
    app = sound(app.run())
    app = sound(app.selectbox(key="whatif_kind").set_value("mask").run())
    assert app.slider(key="whatif_part").value == (49, 72)


def test_hours_are_given_in_hours_and_counts_in_counts(run: Callable[[str], Run]) -> None:
    app = opened(run("days"))
    app = sound(app.selectbox(key="whatif_kind").set_value("shift").run())
    app = sound(app.number_input(key="whatif_shift_h").set_value(-1.5).run())
    app = press(app, "do_add")
    app = sound(app.selectbox(key="whatif_kind").set_value("set").run())
    assert "Value [counts/min]" in [b.label.replace("\\", "") for b in app.main.number_input]
    app = sound(app.number_input(key="whatif_set").set_value(1234.0).run())
    app = press(app, "do_add")
    assert address(app) == "shift_73-108_-9~set_all_73-108_1234"
    drawn = figure(app, "What is read")["data"][1]
    trace, _ = run("days").trace(1)
    data = common.dataset(run("days").config.data)
    done = apply(
        Network.of(trace), sequence_of(trace, 0), read(address(app)), Measured.of(trace, data)
    )
    counts = Measured.of(trace, data).values(done.sequence.inputs)[:, 0]
    np.testing.assert_allclose(counts[72:108], 1234, rtol=1e-9)
    assert drawn["name"] == "after"


def test_tokens_show_probabilities_losses_and_what_is_read(run: Callable[[str], Run]) -> None:
    app = opened(run("text"), whatif="token_5_3~mask_6-7")
    shown = metrics(app)
    trace, _ = run("text").trace(1)
    data = common.dataset(run("text").config.data)
    network, sequence = Network.of(trace), sequence_of(trace, 0)
    stack, measured = read("token_5_3~mask_6-7"), Measured.of(trace, data)
    done = apply(network, sequence, stack, measured)
    more = done.network.run(done.sequence, done.hands).loss - network.run(sequence).loss
    assert more != 0
    assert shown["Loss difference [nats]"] == signed(more)
    losses = figure(app, "Loss at every step")
    assert [line["name"] for line in losses["data"]] == ["before", "after"]
    assert "What was read before:" in said(app)
    assert "is read at step 3" in said(app)


def test_what_does_not_fit_another_run_says_why_and_stays(run: Callable[[str], Run]) -> None:
    app = opened(run("walk"), whatif="hold_1_f_all_1-20_0~mask_1-5~mask_100-144")
    assert "Left out: this cell has no gate 'f'; choose one of a" in said(app)
    assert "Left out: there is no step 144; choose steps from 1 to 20" in said(app)
    assert metrics(app)["After"] == number(predicted(run("walk"), "mask_1-5"))
    assert address(app).count("~") == 2


HOSTILE = [
    "x",
    "hold_1_f_all_1-9_1e999",
    "~" * 5000,
    "a" * 100_000,
    "<script>alert(1)</script>",
    "hold_1_f_all_999999-1_0",
    "set_all_1_" + "9" * 300,
    "mask_1~" * 400,
    "\0\n🙂",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_link_is_left_out_with_a_sentence(text: str, run: Callable[[str], Run]) -> None:
    app = opened(run("days"), whatif=text)
    assert "What the link would do is left out:" in said(app)
    assert metrics(app)["Difference"] == "0"
    assert address(app) == ""
    assert len(app.warning[0].value) < 600


def test_random_links_never_break_the_page(run: Callable[[str], Run]) -> None:
    rng = random.Random(2)
    letters = string.ascii_letters + string.digits + "_~-. %<>"
    for _ in range(12):
        text = "".join(rng.choices(letters, k=rng.randrange(1, LONGEST)))
        app = opened(run("days"), whatif=text)
        assert len(app.warning) == 1
        assert metrics(app)["Difference"] == "0"


def test_no_more_than_can_be_kept(run: Callable[[str], Run]) -> None:
    app = opened(run("days"), whatif="~".join(["mask_1"] * MOST))
    assert app.button(key="do_add").disabled
    app = labelled(app, "Afternoon masked")
    assert f"13 interventions; at most {MOST}" in app.warning[0].value
    assert len(read(address(app))) == MOST


def test_numbers_that_grow_without_bound_are_told_and_not_drawn(
    run: Callable[[str], Run],
) -> None:
    huge = "hold_1_a_all_1_1000000~weight_1_U_a_1_1_1000000"
    app = opened(run("relu"), whatif=huge)
    assert "At step 52 the changed run holds numbers larger" in app.warning[0].value
    assert metrics(app) == {}
    app = press(app, "do_undo")
    assert not app.warning
    assert metrics(app)["Before"] == number(predicted(run("relu")))


def test_about_says_that_causes_are_the_models(run: Callable[[str], Run]) -> None:
    app = opened(run("hours"))
    assert "causes **within this model**" in said(app)
    assert app.expander[0].label == "About this page"
