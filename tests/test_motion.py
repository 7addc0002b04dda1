"""Facts about one update as it is played: the numbers are the core's, the message is bounded."""

import json
from dataclasses import replace

import numpy as np
import pytest
from test_inside import UNIT
from test_record import B, F, make_batch, make_model

from rnnviz.cells import CELLS
from rnnviz.data.dataset import Task
from rnnviz.figures.motion import motion
from rnnviz.figures.theme import DECADES
from rnnviz.figures.unrolled import MOST_CELLS, Naming, scene
from rnnviz.inside.network import Network, sequence_of
from rnnviz.inside.update import updated
from rnnviz.record import record
from rnnviz.ui.components.motion import message
from rnnviz.ui.components.places import Place

START = Place(t=0, unit=0, layer=0, reverse=False)
FORMS = pytest.mark.parametrize(
    ("task", "outputs", "settings"),
    [
        (Task.REGRESSION, 1, {"bidirectional": True, "layers": 2, "attention": "additive"}),
        (Task.REGRESSION, 2, {}),
        (Task.CLASSIFICATION, 3, {}),
        (Task.NEXT_TOKEN, F, {"layers": 2}),
        (Task.TRACKING, 2, {}),
    ],
)


def played(cell: str, task: Task, outputs: int, settings: dict, *, rate=0.1, row=1):
    """The scene, the update and what is played of it."""
    model = make_model(cell, task=task, outputs=outputs, **settings)
    batch = make_batch(model, outputs=outputs)
    unit = UNIT if (task, outputs) == (Task.REGRESSION, 1) else None
    trace = record(model, batch, np.arange(B), target=unit)
    steps = tuple(str(k + 1) for k in range(trace.inputs.shape[1]))
    names = Naming(
        steps=steps,
        inputs=tuple(f"x{k}" for k in range(trace.inputs.shape[2])),
        outputs=tuple(f"y{k}" for k in range(trace.outputs.shape[2])),
        tokens=task is Task.NEXT_TOKEN,
        probabilities=not task.numeric,
        output_unit="kg" if task.numeric else "",
    )
    drawn = scene(trace, sequence=row, quantity="h", naming=names)
    network, sequence = Network.of(trace), sequence_of(trace, row)
    update = updated(network, sequence, rate=rate, threshold=0.05)
    return trace, drawn, network, update, motion(drawn, network, sequence, update)


@pytest.mark.parametrize("cell", CELLS)
@FORMS
def test_rows_show_the_gradients_and_changes_of_their_units(cell, task, outputs, settings):
    trace, drawn, network, update, found = played(cell, task, outputs, settings)
    assert len(found.rows) == len(drawn.rows) == len(trace.layers)
    for layer, row, moved, old, new in zip(
        trace.layers, drawn.rows, found.rows, network.ways, update.network.ways, strict=True
    ):
        assert [lane.symbol for lane in row.lanes] == list(old.cell.states)
        for lane, shown in zip(row.lanes, moved.gradients, strict=True):
            place = layer.state_names.index(lane.symbol)
            kept = np.abs(layer.state_grads[1, : len(shown), place][:, list(row.units)])
            np.testing.assert_allclose(10.0**shown, kept, rtol=1e-4, atol=1e-12)
        block = layer.gate_names.index(row.gate)
        change = (new.weights.recurrent - old.weights.recurrent)[block]
        np.testing.assert_allclose(
            moved.recurrent, change[np.ix_(row.units, row.units)], rtol=1e-5, atol=1e-9
        )
        change = (new.weights.input - old.weights.input)[block]
        np.testing.assert_allclose(
            moved.inputs, change[np.ix_(row.units, row.below)], rtol=1e-5, atol=1e-9
        )
        assert moved.recurrent.shape == row.recurrent.shape
        assert moved.inputs.shape == row.inputs.shape
        np.testing.assert_array_equal(
            row.inputs, layer.input_weights[block][np.ix_(row.units, row.below)].astype("f4")
        )


@FORMS
def test_the_loss_is_the_mean_of_what_is_shown_of_each_output(task, outputs, settings):
    trace, _, _, update, found = played("gru", task, outputs, settings)
    assert found.losses @ found.shares == pytest.approx(found.loss_before, rel=1e-6)
    assert found.loss_before == pytest.approx(float(trace.loss[1]), rel=1e-6)
    assert found.loss_after == update.after.loss
    assert found.loss_unit == ("SD² of the target" if task.numeric else "nats")


def test_said_are_numbers_in_their_unit_or_the_true_ones_probability():
    trace, drawn, _, update, found = played("lstm", Task.REGRESSION, 1, {})
    (said,) = found.said
    assert (said.name, said.unit) == ("y0", "kg")
    assert said.before == pytest.approx(float(trace.outputs[1, 0, 0]))
    assert said.truth == pytest.approx(float(trace.targets[1, 0, 0]))
    assert abs(said.after - said.truth) < abs(said.before - said.truth)
    trace, drawn, _, update, found = played("lstm", Task.CLASSIFICATION, 3, {})
    (said,) = found.said
    true = int(trace.targets[1, 0])
    assert said.name == drawn.outputs.names[drawn.outputs.truth[0]] == f"y{true}"
    assert said.before == pytest.approx(float(trace.outputs[1, 0, true]))
    assert said.after == pytest.approx(float(update.after.outputs[0, true]))
    assert np.exp(-found.loss_after) == pytest.approx(said.after)
    assert played("lstm", Task.NEXT_TOKEN, F, {})[-1].said == ()


def test_gradients_are_drawn_from_the_power_of_ten_above_the_largest():
    _, _, _, update, found = played("rnn", Task.REGRESSION, 1, {})
    largest = max(np.abs(state).max() for back in update.gradients.ways for state in back.states)
    assert 10.0**found.gradient_range.high / 10 < largest <= 10.0**found.gradient_range.high
    assert found.gradient_range.high - found.gradient_range.low == DECADES


def header(sent: bytes) -> dict:
    return json.loads(sent[4 : 4 + int.from_bytes(sent[:4], "little")])


def test_the_message_holds_the_update_and_its_id_follows_it():
    _, drawn, _, update, found = played("lstm", Task.REGRESSION, 1, {})
    sent = header(message(drawn, found, START, "x", dark=False))
    assert sent["motion"]["factor"] == update.factor < 1
    assert sent["motion"]["loss"]["after"] == update.after.loss
    assert len(sent["motion"]["matrices"]) == len(update.matrices)
    moved = header(message(drawn, found, replace(START, t=3), "x", dark=False))
    assert (moved["id"], moved["order"]["t"]) == (sent["id"], 3)
    other = header(message(drawn, replace(found, rate=0.2), START, "x", dark=False))
    assert other["id"] != sent["id"]


def test_a_step_to_no_number_travels_as_none():
    _, drawn, _, _, found = played("lstm", Task.REGRESSION, 1, {})
    lost = replace(found, loss_after=float("nan"))
    sent = header(message(drawn, lost, START, "x", dark=False))
    assert sent["motion"]["loss"]["after"] is None


def test_a_day_of_minutes_is_one_small_message():
    """At most MOST_CELLS units are drawn, so a day of minutes stays below 1.3 MB."""
    model = make_model("lstm", bidirectional=True)
    inputs = np.random.default_rng(0).normal(0, 1, (1440, 1, F))
    batch = make_batch(model)
    batch = batch._replace(
        inputs=batch.inputs.new_tensor(inputs),
        targets=batch.targets[:1],
        covariates=batch.covariates[:1],
    )
    trace = record(model, batch, np.arange(1), target=UNIT)
    names = Naming(
        steps=tuple(str(k) for k in range(1440)),
        inputs=tuple(f"x{k}" for k in range(F)),
        outputs=("y",),
    )
    drawn = scene(trace, sequence=0, quantity="h", naming=names)
    network, sequence = Network.of(trace), sequence_of(trace, 0)
    found = motion(drawn, network, sequence, updated(network, sequence, rate=0.1, threshold=1.0))
    size = len(message(drawn, found, START, "x", dark=True))
    of_a_unit = 2 * 2 * 1440 * 4  # two states and two gradients at every step, four bytes each
    rest = size - of_a_unit * sum(len(row.units) for row in drawn.rows)
    assert 0 < rest < 60_000
    assert rest + of_a_unit * MOST_CELLS < 1.3e6
