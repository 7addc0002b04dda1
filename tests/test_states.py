"""States of all sequences are the network's; what is found in them is right."""

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mutual_info_score

from rnnviz.batches import prepare
from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.data.sandbox import Sandbox
from rnnviz.data.sources import load
from rnnviz.data.uploads import store as store_upload
from rnnviz.errors import RunError
from rnnviz.events import Finished, Found, Started, Traced
from rnnviz.exchange import own
from rnnviz.states import store
from rnnviz.states.asked import stored_of_trace
from rnnviz.states.collect import collect_memory, collect_stored
from rnnviz.states.properties import (
    follows_on,
    inside_brackets,
    inside_quotes,
    place_in_line,
    properties_of,
)
from rnnviz.states.store import digest, fitting, open_states
from rnnviz.states.units import (
    Property,
    best_threshold,
    counted,
    entropy,
    mutual_information,
    ranked,
)
from rnnviz.train import fit

NHANES = DataConfig(people=40)
TEXT = DataConfig(source="text", window=32)


def trained(data, tmp_path, **model):
    config = RunConfig(
        data=data,
        model=ModelConfig(hidden_size=6, **{"attention": "none", **model}),
        training=TrainingConfig(epochs=1, batch_size=64),
    )
    dataset = load(data, tmp_path)
    traces = [e.trace for e in fit(config, dataset) if isinstance(e, Traced)]
    return config, dataset, traces[-1]


@pytest.mark.parametrize(
    ("data", "model"),
    [
        (NHANES, {"cell": "gru", "layers": 2, "bidirectional": True}),
        (NHANES, {"cell": "lstm-hard", "attention": "additive", "covariates": True}),
        (TEXT, {"cell": "lstm"}),
        (TEXT, {"cell": "rnn-relu", "attention": "general"}),
    ],
)
def test_what_is_kept_are_the_states_of_the_trace(data, model, tmp_path):
    config, dataset, trace = trained(data, tmp_path, **model)
    given = own.save(stored_of_trace(trace, config.model, dataset))
    events = list(collect_stored(config, tmp_path, given))
    assert isinstance(events[0], Started)
    assert isinstance(events[-1], Finished)
    counts = [e.numbers["count"] for e in events if isinstance(e, Found)]
    assert counts[-1] == len(dataset.ids)
    states = open_states(tmp_path, digest(given, data))
    np.testing.assert_array_equal(states.rows, np.arange(len(dataset.ids)))
    for layer in trace.layers:
        mine = states.h[states.way(layer.layer, reverse=layer.reverse)]
        for b, row in enumerate(trace.sequences):
            theirs = layer.state("h")[b].T
            np.testing.assert_allclose(mine[:, states.place(int(row))], theirs, atol=1e-3)
    again = list(collect_stored(config, tmp_path, given))
    assert not [e for e in again if isinstance(e, Found)]  # they were there


@pytest.mark.parametrize(
    ("data", "model"),
    [
        (NHANES, {"cell": "lstm", "layers": 2, "bidirectional": True}),
        (NHANES, {"cell": "lstm-hard", "attention": "additive"}),
        (TEXT, {"cell": "lstm-relu"}),
    ],
)
def test_the_memory_is_kept_beside_the_state(data, model, tmp_path):
    config, dataset, trace = trained(data, tmp_path, **model)
    given = own.save(stored_of_trace(trace, config.model, dataset))
    assert isinstance(list(collect_memory(config, tmp_path, given))[-1], Finished)
    assert open_states(tmp_path, digest(given, data)) is None  # h has another name
    states = open_states(tmp_path, digest(given, data, "c"))
    for layer in trace.layers:
        mine = states.h[states.way(layer.layer, reverse=layer.reverse)]
        for b, row in enumerate(trace.sequences):
            theirs = layer.state("c")[b].T
            near = 2e-3 * max(1.0, np.abs(theirs).max())
            np.testing.assert_allclose(mine[:, states.place(int(row))], theirs, atol=near)


def test_shorter_sequences_hold_zeros_after_their_end(tmp_path):
    texts = pd.DataFrame(
        {"text": [f"word {'and so on ' * (k % 9)}{k}" for k in range(60)], "kind": ["a", "b"] * 30}
    )
    with Sandbox(helpers=1) as sandbox:
        upload = store_upload(texts.to_csv(index=False).encode(), "t.csv", tmp_path, sandbox)
    data = DataConfig(source="file", file=upload.id, target="kind", window=24)
    config, dataset, trace = trained(data, tmp_path, cell="lstm", bidirectional=True)
    given = own.save(stored_of_trace(trace, config.model, dataset))
    list(collect_memory(config, tmp_path, given))
    states = open_states(tmp_path, digest(given, data, "c"))
    assert states.lengths.min() < dataset.steps
    for c in states.h:
        for place, length in enumerate(states.lengths):
            assert not c[:, place, length:].any()
            assert c[:, place, :length].any()


def test_a_cell_without_a_memory_says_so(tmp_path):
    config, dataset, trace = trained(NHANES, tmp_path, cell="gru")
    given = own.save(stored_of_trace(trace, config.model, dataset))
    with pytest.raises(RunError, match="has no state c; search in h"):
        list(collect_memory(config, tmp_path, given))


def test_other_weights_and_other_data_have_another_name(tmp_path):
    config, dataset, trace = trained(NHANES, tmp_path)
    given = own.save(stored_of_trace(trace, config.model, dataset))
    assert digest(given, NHANES) != digest(given, replace(NHANES, people=41))
    assert digest(given, NHANES) != digest(given + b"x", NHANES)
    assert open_states(tmp_path, digest(given, NHANES)) is None


def test_what_has_no_room_is_left_out_the_test_part_last(tmp_path, monkeypatch):
    config, dataset, trace = trained(NHANES, tmp_path)
    given = own.save(stored_of_trace(trace, config.model, dataset))
    monkeypatch.setattr(store, "MOST_BYTES", 2 * dataset.steps * 6 * 10)
    list(collect_stored(config, tmp_path, given))
    states = open_states(tmp_path, digest(given, NHANES))
    assert len(states.rows) == 10
    assert all(states.place(int(row)) is not None for row in trace.sequences)


def test_the_bound_is_of_bytes():
    assert fitting(10_000, 1440, 64) == 10_000
    assert fitting(10**6, 1440, 64) * 2 * 1440 * 64 <= store.MOST_BYTES
    assert fitting(5, 10**9, 512) == 1


def test_old_states_make_room(tmp_path, monkeypatch):
    rows, way = np.arange(3), (store.WayShape(0, False, 2),)
    for when, name in enumerate(("a", "b", "c")):
        monkeypatch.setattr(store, "MOST_KEPT", 600)  # one has some 430 bytes
        with store.writing(
            tmp_path, name, rows=rows, lengths=np.full(3, 5), ways=way, steps=5
        ) as files:
            files.h[0][:] = 0.5
        os.utime(tmp_path / "states" / name / "states.json", (when, when))
    kept = [name for name in ("a", "b", "c") if open_states(tmp_path, name)]
    assert "c" in kept
    assert "a" not in kept


def test_half_written_states_are_none(tmp_path):
    with (
        pytest.raises(ZeroDivisionError),
        store.writing(
            tmp_path,
            "x",
            rows=np.arange(2),
            lengths=np.full(2, 3),
            ways=(store.WayShape(0, False, 1),),
            steps=3,
        ),
    ):
        raise ZeroDivisionError
    assert open_states(tmp_path, "x") is None
    assert not list((tmp_path / "states").iterdir())


def test_a_run_without_a_model_says_so(tmp_path):
    with pytest.raises(RunError, match="no model"):
        next(collect_stored(RunConfig(), tmp_path))


# -- mutual information ----------------------------------------------------------------------------


def test_mutual_information_equals_scikit_learns_before_the_bias_is_taken_off():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 3, 20_000)
    h = values * 0.6 + rng.normal(size=20_000)
    edges = np.quantile(h, np.linspace(0, 1, 33)[1:-1])
    expected = mutual_info_score(np.searchsorted(edges, h, side="right"), values)
    assert mutual_information(h, values) == pytest.approx(expected - 31 * 2 / 40_000, abs=1e-12)


def test_independent_units_tell_nothing_and_copies_tell_all():
    rng = np.random.default_rng(1)
    values = rng.integers(0, 2, 5_000)
    assert mutual_information(rng.normal(size=5_000), values) < 4e-3
    copied = mutual_information(values - 0.5, values)
    assert copied == pytest.approx(entropy(values), abs=0.03)


def test_the_best_threshold_equals_brute_force():
    rng = np.random.default_rng(2)
    for flip in (1, -1):
        inside = rng.integers(0, 2, 60)
        h = np.round(flip * inside * 0.8 + rng.normal(0, 0.5, 60), 1)
        cut, right = best_threshold(h, inside)
        shares = [
            max(np.mean((h > c) == inside), np.mean((h < c) == inside))
            for c in np.unique(h)[:-1] + 0.05
        ]
        assert right == pytest.approx(max(shares))
        assert max(np.mean((h > cut) == inside), np.mean((h < cut) == inside)) == right


def test_units_are_ranked_by_what_they_tell():
    rng = np.random.default_rng(3)
    values = rng.integers(0, 2, 4_000)
    h = np.stack(
        [
            rng.normal(size=4_000),
            values + rng.normal(0, 0.01, 4_000),
            values * 0.2 + rng.normal(size=4_000),
        ]
    )
    some = Property(name="x", classes=("no", "yes"), values=values[None])
    told = ranked(h, some, values)
    assert told[0].unit == 1
    assert told[0].share == pytest.approx(1, abs=0.06)  # one bin lies across the cut
    assert told[0].accuracy == 1.0
    assert told[0].threshold == pytest.approx(0.5, abs=0.2)
    assert ranked(h, some, np.zeros(4_000, int)) == ()


# -- properties ------------------------------------------------------------------------------------


def test_inside_and_outside_by_hand():
    text = list('a "b" (c [d] e) f\n\n"g\n\nh')
    quoted = "".join(c for c, i in zip(text, inside_quotes(text), strict=True) if i)
    assert quoted == '"b"g\n'
    bracketed = "".join(c for c, i in zip(text, inside_brackets(text), strict=True) if i)
    assert bracketed == "(c [d] e"
    assert place_in_line(list("0123456789a\nb")).tolist() == [0] * 10 + [1, 1, 0]


def test_windows_of_a_text_are_counted_through(tmp_path):
    dataset = load(TEXT, tmp_path)
    assert follows_on(dataset)
    found = {one.name: one for one in properties_of(dataset, np.arange(len(dataset.ids)))}
    assert {"inside quotes", "inside brackets", "digit", "place in the line"} <= set(found)
    whole = [dataset.vocabulary[k] for k in dataset.inputs.ravel()]
    np.testing.assert_array_equal(found["inside quotes"].values.ravel(), inside_quotes(whole))
    some = {one.name: one for one in properties_of(dataset, np.array([3, 7]))}
    np.testing.assert_array_equal(
        some["inside brackets"].values, found["inside brackets"].values[[3, 7]]
    )


def test_days_have_hours_activity_and_groups(tmp_path):
    dataset = load(NHANES, tmp_path)
    found = {one.name: one for one in properties_of(dataset, np.arange(10))}
    hours = found["hour of the day"]
    assert hours.values[0, :7].tolist() == [0] * 6 + [1]
    assert set(dataset.groups) <= set(found)
    for one in found.values():
        assert one.values.shape == (10, dataset.steps)
        assert one.values.max() < len(one.classes)
    rows, inside = counted(hours.values, np.full(10, dataset.steps))
    assert inside.all()
    assert len(rows) == 10


@pytest.mark.slow
def test_a_unit_tells_inside_from_outside_in_the_built_in_log(tmp_path):
    """One unit's state alone says, at nearly every step, whether it is inside of quotes."""
    config = RunConfig(
        data=DataConfig(source="text", sample="log"),
        model=ModelConfig(hidden_size=32, attention="none"),
        training=TrainingConfig(epochs=16, batch_size=32, learning_rate=0.005),
    )
    dataset = load(config.data, tmp_path)
    trace = [e.trace for e in fit(config, dataset) if isinstance(e, Traced)][-1]
    given = own.save(stored_of_trace(trace, config.model, dataset))
    list(collect_stored(config, tmp_path, given))
    states = open_states(tmp_path, digest(given, config.data))
    rows = prepare(dataset, 0).split.test
    found = {one.name: one for one in properties_of(dataset, rows)}
    h = states.h[0][:, rows].reshape(32, -1).astype(np.float64)
    for name, least in (("inside quotes", 0.9), ("inside brackets", 0.93)):
        one = found[name]
        best = ranked(h, one, one.values.ravel())[0]
        assert best.accuracy > least
        assert best.share > 0.4
