"""Back through time, driven as a visitor drives it; every number it says is that of the core."""

import re

import numpy as np
import pytest
from driven import complaints, opened, sound, words

from rnnviz.inside.matrix import loss_matrix
from rnnviz.inside.network import Network, sequence_of
from rnnviz.lockstep import told
from rnnviz.lockstep.settings import RUNNERS, TITLE
from rnnviz.runs.run import Run
from rnnviz.ui.backward_views import VIEWS

EXAMPLES = (
    "lstm with attention",
    "gru of two ways",
    "relu",
    "characters",
    "words",
    "pieces",
    "echo",
    "wave",
    "angle",
)


def runs_in(at):
    folders = (at / "runs").glob("*/settings.json")
    return {path.parent.name: Run.open(at, path.parent.name) for path in folders}


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_opens(trained, example, view):
    run = trained(example)
    app = opened("gradients", run=run.id, back_view=view)
    if view == "Matrix" and run.config.model.bidirectional:
        assert "reads in both directions" in complaints(app)[0]
        return
    assert complaints(app) == []
    assert VIEWS[view].question in words(app)
    assert "About this view" in app.expander[-1].label


@pytest.mark.parametrize("view", ["Over time", "Matrix", "Jacobians", "Weights"])
@pytest.mark.parametrize("example", ["lstm with attention", "characters"])
def test_what_is_shown_can_be_proved(trained, example, view):
    app = opened("gradients", run=trained(example).id, back_view=view)
    app = sound(app.sidebar.slider(key="t").set_value(20).run())
    (switch,) = [toggle for toggle in app.toggle if toggle.label == "Prove it"]
    app = sound(switch.set_value(True).run())
    assert "finite difference, ± 0.0001" in words(app)
    error = float(re.search(r"relative difference \| `([^`]+)`", words(app))[1])
    assert error < 1e-4 or "mostly rounding" in words(app)


def test_where_a_gradient_is_too_small_there_is_a_way_to_a_larger_one(trained):
    run = trained("lstm with attention").id
    app = opened("gradients", run=run, back_view="Jacobians", t="1")
    app = sound(app.slider(key="distance").set_value(143).run())
    app = sound(app.toggle(key="prove_product").set_value(True).run())
    assert "it can be neither proved nor refuted" in words(app)
    app = sound(app.button(key="do_largest_product").click().run())
    assert app.slider(key="distance").value == 1
    assert "Proved" in words(app)


def test_the_matrix_says_its_numbers(trained):
    run = trained("characters")
    app = opened("gradients", run=run.id, back_view="Matrix")
    app = sound(app.select_slider(key="loss_step").set_value(9).run())
    app = sound(app.sidebar.slider(key="t").set_value(4).run())
    trace, _ = run.trace(run.view().traced[-1])
    network, sequence = Network.of(trace), sequence_of(trace, 0)
    matrix = loss_matrix(network, sequence, network.run(sequence))
    norm = matrix.norms[0][0][8, 3]
    assert f"norm **{norm:.3g}**" in words(app)


def test_truncation_and_clipping_follow_their_controls(trained):
    run = trained("lstm with attention")
    app = opened("gradients", run=run.id, back_view="Truncate and clip")
    app = sound(app.select_slider(key="k").set_value(144).run())
    assert "**100.0%** as long as the full one; cosine **1.0000**" in words(app)
    norms = np.array([batch.gradient_norm for batch in run.view().batches])
    middle = float(np.median(norms))
    app = sound(app.number_input(key="clip").set_value(middle).run())
    assert f"**{(norms > middle).sum()}** of {len(norms)} recorded steps" in words(app)


def test_the_wall_throws_who_does_not_clip(trained):
    app = opened("gradients", run=trained("relu").id, back_view="The wall")
    without, clipped = (line for line in words(app).splitlines() if line.startswith("- **"))
    assert float(re.search(r"longest step (\d+\.?\d*)", without)[1]) > 1
    app = sound(app.toggle(key="prove_wall").set_value(True).run())
    assert "Proved" in words(app)
    assert float(re.search(r"longest step (\d+\.?\d*)", clipped)[1]) <= 0.0501
    app = sound(app.button_group(key="wall").set_value("your network").run())
    assert "the centre is the network" in words(app)
    app = sound(app.toggle(key="prove_plane").set_value(True).run())
    assert "finite difference, ± 0.0001" in words(app)


def test_a_remedy_sets_the_train_page(trained, monkeypatch):
    from rnnviz.inside import health

    monkeypatch.setattr(health, "LIMITS", health.LIMITS._replace(vanishing=10.0))
    run = trained("relu")
    app = opened("gradients", run=run.id, back_view="Health")
    assert "⚠️" in app.table[0].value.to_string()
    app = sound(app.button(key="do_remedy_0").click().run())
    assert app.selectbox(key="cell").value == "lstm"
    assert app.number_input(key="hidden_size").value == run.config.model.hidden_size
    assert app.selectbox(key="blocks").value == run.config.data.blocks


def test_without_a_run_it_says_what_to_do():
    app = opened("gradients")
    assert "no run to look into yet" in app.info[0].value


@pytest.mark.parametrize("name", ["The wall", "Lockstep"])
def test_what_needs_no_run_is_there_without_one(name):
    app = opened("gradients", back_view=name)
    assert app.info == [] or "**Race** trains" in app.info[0].value
    assert complaints(app) == []


def test_a_race_is_run_and_told(home):
    address = {"race_units": "4", "race_epochs": "1", "race_seed": "5"}
    app = opened("gradients", back_view="Lockstep", **address)
    app = sound(app.button(key="do_race").click().run())
    assert "**finished**" in words(app)
    assert complaints(app) == []
    rows = app.table[0].value
    assert list(rows.index) == list(RUNNERS)
    assert set(rows["stands at"]) == {"epoch 1"}
    (run,) = runs_in(home).values()
    assert run.title == TITLE
    laps = told.laps(run.view())
    shown = [float(text) for text in rows["validation loss"]]
    expected = [some[-1].numbers["validation"] for some in laps.values()]
    np.testing.assert_allclose(shown, expected, rtol=0.01)
    again = opened("gradients", back_view="Lockstep", race=run.id, **address)
    assert "**finished**" in words(again)
    assert not opened("train").query_params.get("run")  # it is no current run
