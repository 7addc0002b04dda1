"""A series becomes windows split by time, and nobody foretells a random walk."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnnviz.batches import prepare
from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.data.dataset import PARTS, Source, Task, split_of, subset
from rnnviz.data.kinds import find
from rnnviz.data.sandbox import Sandbox
from rnnviz.data.series import WALK_STEPS, Series, find_series, random_walk, windows
from rnnviz.data.show import show
from rnnviz.data.sources import load
from rnnviz.data.uploads import store
from rnnviz.errors import DataError
from rnnviz.evaluate import baselines
from rnnviz.figures.data import targets_over_time
from rnnviz.train import fit
from rnnviz.ui.words import summary, verdict


def config(window: int = 20, horizon: int = 1, foretold: str = "value") -> DataConfig:
    return DataConfig(source="series", window=window, horizon=horizon, foretold=foretold)


def ramp(length: int) -> Series:
    """Each value is its own place."""
    moments = tuple(f"step {k}" for k in range(length))
    return Series(
        values=np.arange(float(length)), name="x", moments=moments, source=Source(title="ramp")
    )


def monthly(rows: int = 60) -> pd.DataFrame:
    months = pd.date_range("2001-01-01", periods=rows, freq="MS").strftime("%Y-%m-%d")
    return pd.DataFrame({"month": months, "sold": np.arange(rows) % 12 + 0.5})


# --- windows --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("window", "horizon"), [(8, 1), (20, 1), (8, 12), (25, 10)])
def test_the_target_comes_horizon_steps_after_the_window(window: int, horizon: int) -> None:
    dataset = windows(ramp(300), config(window, horizon))
    inputs, targets = dataset.inputs[:, :, 0], dataset.targets[:, 0]
    assert (np.diff(inputs, axis=1) == 1).all()
    np.testing.assert_array_equal(targets, inputs[:, -1] + horizon)
    np.testing.assert_array_equal(dataset.persistence[:, 0], inputs[:, -1])
    assert dataset.ids[:2] == (f"step {window - 1 + horizon}", f"step {window + horizon}")
    changed = windows(ramp(300), config(window, horizon, "difference"))
    assert (changed.targets == horizon).all()
    assert not changed.persistence.any()


@pytest.mark.parametrize(("window", "horizon"), [(8, 1), (20, 1), (8, 12), (25, 10)])
def test_parts_follow_each_other_in_time_and_share_no_value(window: int, horizon: int) -> None:
    dataset = windows(ramp(300), config(window, horizon))
    split = split_of(dataset, seed=3)
    spans = []
    for part in PARTS:
        rows = getattr(split, part)
        values = np.concatenate((dataset.inputs[rows, :, 0], dataset.targets[rows]), axis=1)
        spans += [values.min(), values.max()]
    assert (np.diff(spans) > 0).all()
    assert spans[0] == 0
    assert spans[-1] == 299
    straddling = 300 - window - horizon + 1 - len(dataset.ids)
    assert straddling == 2 * (window + horizon - 1)
    assert f"{straddling} windows that would straddle two parts" in dataset.notes[-1]


def test_the_split_by_time_takes_no_chance_and_outlives_a_subset() -> None:
    dataset = windows(random_walk(), config())
    for part in PARTS:
        first, second = (getattr(split_of(dataset, seed), part) for seed in (0, 1))
        np.testing.assert_array_equal(first, second)
    tests = subset(dataset, split_of(dataset, 0).test)
    assert set(tests.parts) == {"test"}
    assert len(tests.persistence) == len(tests.ids)


@pytest.mark.parametrize(("length", "window"), [(222, 64), (50, 8), (3, 8)])
def test_a_series_too_short_says_how_long_it_must_be(length: int, window: int) -> None:
    with pytest.raises(DataError, match=rf"holds {length} values; windows of {window} .* need"):
        windows(ramp(length), config(window))


def test_the_longest_window_that_is_named_does_fit() -> None:
    with pytest.raises(DataError, match="set the window to at most 35") as wrong:
        windows(random_walk(), config(64))
    assert "\n" not in str(wrong.value)
    assert set(windows(random_walk(), config(35)).parts) == set(PARTS)


def test_a_series_that_does_not_vary_is_refused() -> None:
    flat = Series(
        values=np.ones(99), name="x", moments=("",) * 99, source=Source(title="flat"), notes=()
    )
    with pytest.raises(DataError, match="x is 1 all the time"):
        windows(flat, config(8))


def test_the_parts_are_drawn_one_after_the_other() -> None:
    dataset = windows(ramp(300), config())
    figure = targets_over_time(dataset, split_of(dataset, 0))
    assert [line.name.split()[0] for line in figure.data] == list(PARTS)
    ends = [(line.x[0], line.y[0], line.x[-1], line.y[-1]) for line in figure.data]
    assert ends == [(1, 20, 172, 191), (173, 212, 200, 239), (201, 260, 240, 299)]


# --- the random walk ------------------------------------------------------------------------------


def persistence_of(seed: int) -> float:
    dataset = windows(random_walk(seed), config())
    rows = split_of(dataset, 0).test
    return float(((dataset.targets - dataset.persistence)[rows] ** 2).mean())


def test_persistence_misses_a_random_walk_by_the_variance_of_a_step() -> None:
    errors = [persistence_of(seed) for seed in range(200)]
    assert np.mean(errors) == pytest.approx(108, abs=4 * np.std(errors) / np.sqrt(200))
    assert np.std(errors) / np.sqrt(200) < 2


def test_the_built_in_walk_is_the_same_each_time_and_within_its_reach(tmp_path: Path) -> None:
    walk = random_walk()
    assert len(walk.values) == WALK_STEPS
    assert np.abs(np.diff(walk.values)).max() <= 18
    first, second = load(config(), tmp_path), load(config(), tmp_path)
    np.testing.assert_array_equal(first.inputs, second.inputs)
    assert "expected squared error of 108" in first.notes[0]
    assert first.source.simulated
    assert first.task is Task.REGRESSION


def test_the_baselines_hold_persistence_in_the_unit_of_the_target() -> None:
    for foretold in ("value", "difference"):
        prepared = prepare(windows(random_walk(), config(foretold=foretold)), seed=0)
        found = {(s.predictor, s.part): s.metrics["mse"] for s in baselines(prepared)}
        assert {name for name, _ in found} == {"mean", "ridge", "persistence"}
        assert found["persistence", "test"] == pytest.approx(persistence_of(1), rel=1e-4)


def test_no_verdict_says_that_a_random_walk_is_foretold_better_than_by_persistence() -> None:
    from rnnviz.events import RunView

    run = RunConfig(
        data=config(),
        model=ModelConfig(hidden_size=8, attention="none"),
        training=TrainingConfig(epochs=3, batch_size=16),
    )
    dataset = windows(random_walk(), run.data)
    view = RunView()
    for event in fit(run, dataset):
        view = view.after(event)
        said = verdict(view, dataset.task, whose=dataset.whose)
        assert "beats persistence" not in said
    assert "persistence, the last value once more" in said.lower()
    assert f"{len(split_of(dataset, 0).test)} windows" in said
    assert "windows, 20 steps of 1 value; position 1 step later" in summary(run, dataset)


# --- tables ---------------------------------------------------------------------------------------


def test_a_column_of_time_and_one_of_numbers_are_a_series() -> None:
    found = find_series(monthly(), DataConfig(), "sales")
    assert found is not None
    assert found.summary == (
        "a series of 60 values of sold, time month, from 2001-01-01 to 2005-12-01"
    )
    assert found.notes == ()
    assert found.settings["window"] == 9  # validation holds 10 values


@pytest.mark.parametrize(
    "frame",
    [
        monthly().assign(more=1.0),
        monthly().rename(columns={"month": "id"}),
        monthly().head(19),
        pd.DataFrame({"sex": ["a", "b"] * 20, "BMI": np.arange(40.0)}),
        pd.DataFrame({"a": np.arange(40.0) ** 2, "b": np.arange(40.0)}),
    ],
    ids=["two columns of numbers", "people", "too short", "groups", "no time"],
)
def test_other_tables_are_no_series(frame: pd.DataFrame) -> None:
    assert find_series(frame, DataConfig(), "t") is None


def test_a_table_that_is_called_a_series_may_hold_more_columns() -> None:
    frame = monthly().assign(price=np.arange(60.0) ** 2, shop="here")
    called = DataConfig(layout="series")
    found = find_series(frame, called, "t")
    assert found is not None
    assert (found.target, found.targets) == ("sold", ("sold", "price"))
    price = find_series(frame, DataConfig(layout="series", target="price"), "t")
    assert price is not None
    np.testing.assert_array_equal(price.values, np.arange(60.0) ** 2)
    with pytest.raises(DataError, match="shop cannot be foretold; choose one of sold, price"):
        find_series(frame, DataConfig(layout="series", target="shop"), "t")
    with pytest.raises(DataError, match="no column of numbers"):
        find_series(frame[["shop"]], called, "t")


def test_rows_are_put_into_the_order_of_time_and_gaps_are_filled() -> None:
    frame = monthly()
    frame.loc[10, "sold"] = np.nan
    mixed = find_series(frame.sample(frac=1, random_state=1), DataConfig(), "t")
    plain = find_series(monthly(), DataConfig(), "t")
    assert mixed is not None
    assert plain is not None
    np.testing.assert_array_equal(mixed.values, plain.values)  # 10.5 lies between 9.5 and 11.5
    assert mixed.moments == plain.moments
    assert mixed.notes == (
        "The rows are put into the order of month.",
        "1 missing values taken from the line between their neighbours.",
    )
    assert mixed.missing == 1


@pytest.mark.parametrize(
    "times",
    [
        pd.date_range("2001-01-01", periods=60, freq="D", tz="Europe/Berlin"),
        pd.date_range("2001-01-01", periods=60, freq="h"),
        np.arange(60, dtype=np.uint8)[::-1],
        pd.array([*range(59), None], dtype="Int64"),
        [np.inf, *range(59)],
        [f"week {k}" for k in range(60)],
    ],
    ids=["with a zone", "hours", "backwards", "with a gap", "with an infinity", "words"],
)
def test_times_of_any_type_do(times: object) -> None:
    found = find_series(pd.DataFrame({"time": times, "x": np.arange(60.0)}), DataConfig(), "t")
    assert found is not None
    assert found.time == "time"
    assert len(found.values) == len(set(found.moments)) >= 59


def test_uneven_times_and_rows_without_time_are_said() -> None:
    frame = monthly().drop(index=[5, 6, 7])
    frame.loc[20, "month"] = None
    found = find_series(frame, DataConfig(), "t")
    assert found is not None
    assert found.rows == 56
    assert "1 rows without month left out." in found.notes
    assert any("not evenly spaced" in note for note in found.notes)


@pytest.fixture(scope="module")
def sandbox() -> "Sandbox":
    with Sandbox(helpers=1) as running:
        yield running


def csv(frame: pd.DataFrame) -> bytes:
    out = io.StringIO()
    frame.to_csv(out, index=False)
    return out.getvalue().encode()


def test_a_file_of_a_series_is_recognised_shown_and_kept(tmp_path: Path, sandbox: Sandbox) -> None:
    upload = store(csv(monthly(222)), "sales.csv", tmp_path, sandbox)
    given = DataConfig(source="file", file=upload.id, window=20)
    said, shown = show(given, tmp_path)
    assert said.startswith("a series of 222 values of sold, time month")
    assert (shown.rows, shown.steps, shown.target, shown.layout) == (222, 0, "sold", "series")
    first, again = load(given, tmp_path), load(given, tmp_path)
    assert first.parts == again.parts
    assert again.whose == "windows"
    np.testing.assert_array_equal(first.persistence, again.persistence)
    assert first.source.title == "sales.csv"


def test_a_single_column_of_numbers_is_a_series(tmp_path: Path, sandbox: Sandbox) -> None:
    upload = store(csv(monthly(222)[["sold"]]), "sales.csv", tmp_path, sandbox)
    found = find(DataConfig(source="file", file=upload.id), tmp_path)
    assert found is not None
    assert found.summary == (
        "a series of 222 values of sold, no column of time, from step 1 to step 222"
    )


def test_a_table_called_what_it_is_not_is_refused(tmp_path: Path, sandbox: Sandbox) -> None:
    upload = store(b"a,b\nx,y\nz,w\n", "words.csv", tmp_path, sandbox)
    with pytest.raises(DataError, match="no column of numbers"):
        find(DataConfig(source="file", file=upload.id, layout="series"), tmp_path)
