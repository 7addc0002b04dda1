"""What is made of an upload is kept beside it, mapped into memory, and made anew if damaged."""

import dataclasses
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rnnviz.batches import prepare
from rnnviz.config import DataConfig
from rnnviz.data import stored
from rnnviz.data.dataset import Scaler, SequenceDataset, Source, Variable
from rnnviz.data.days import Days, as_sequences
from rnnviz.data.quality import clean


def days(n: int = 12) -> Days:
    rng = np.random.default_rng(0)
    return Days(
        name="t",
        minutes=rng.integers(0, 900, (n, 1440)).astype(np.float32),
        unit="counts/min",
        ids=tuple(f"p{k // 2}" for k in range(n)),
        target=rng.normal(27, 4, n),
        target_name=Variable("BMI", "kg/m²"),
        classes=(),
        covariates=rng.normal(size=(n, 2)),
        covariate_names=(Variable("age", "years"), Variable("sex: ü")),
        groups={"sex": ("a", "b") * (n // 2)},
        wear=np.ones((n, 1440), dtype=np.float32),
        source=Source(title="t"),
        quality=clean(np.ones((n, 1440)), None, (), DataConfig()).quality,
        notes=("one note",),
    )


CONFIG = DataConfig(source="file", blocks="1440x1", mask=True)


def made() -> SequenceDataset:
    return as_sequences(days(), CONFIG)


def never() -> SequenceDataset:
    raise AssertionError


def equal(first: SequenceDataset, second: SequenceDataset) -> None:
    for field in dataclasses.fields(SequenceDataset):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
        else:
            assert one == other


def test_what_was_made_is_mapped_and_the_same(tmp_path: Path) -> None:
    first = stored.kept(tmp_path, CONFIG, made)
    again = stored.kept(tmp_path, CONFIG, never)
    for found in (first, again):
        equal(found, made())
        assert isinstance(found.inputs, np.memmap)
        assert isinstance(found.wear, np.memmap)
        assert not found.inputs.flags.writeable
    assert not list(tmp_path.glob("*.part"))


def test_other_settings_are_another_set_and_a_few_are_kept(tmp_path: Path) -> None:
    for k in range(stored.MOST_KEPT + 2):
        stored.kept(tmp_path, DataConfig(source="file", target=f"t{k}"), made)
    assert len(list(tmp_path.glob("set-*.json"))) == stored.MOST_KEPT
    assert len(list(tmp_path.glob("set-*.inputs.npy"))) == stored.MOST_KEPT


@pytest.mark.parametrize("harm", [Path.unlink, lambda f: f.write_bytes(f.read_bytes()[:99])])
def test_what_is_damaged_is_made_anew(tmp_path: Path, harm: Callable[[Path], object]) -> None:
    stored.kept(tmp_path, CONFIG, made)
    for file in list(tmp_path.iterdir()):
        harm(file)
        equal(stored.kept(tmp_path, CONFIG, made), made())


def test_a_folder_that_cannot_be_written_costs_memory_only(tmp_path: Path) -> None:
    equal(stored.kept(tmp_path / "gone", CONFIG, made), made())


def test_preparing_copies_no_whole_set(tmp_path: Path) -> None:
    config = DataConfig(source="file", blocks="1440x1")
    found = stored.kept(tmp_path, config, lambda: as_sequences(days(16_000), config))
    tracemalloc.start()
    prepared = prepare(found, 0)
    for start in range(0, 320, 32):
        prepared.batch(np.arange(start, start + 32))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < found.inputs.nbytes


def test_scaling_by_portions_is_scaling_at_once() -> None:
    found = made()
    lengths = np.full(12, 1440)
    lengths[3] = 700
    rows = np.array([1, 3, 8])
    inside = np.concatenate([found.inputs[row, : lengths[row]] for row in rows])
    one, other = Scaler.fit(inside), Scaler.fit_rows(found.inputs, rows, lengths)
    np.testing.assert_allclose(other.mean, one.mean, rtol=1e-12)
    np.testing.assert_allclose(other.sd, one.sd, rtol=1e-12)
