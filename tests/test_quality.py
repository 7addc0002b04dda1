"""What is remarkable about days is counted, and what the settings say is done about it."""

import numpy as np
import pytest

from rnnviz.batches import prepare
from rnnviz.config import DataConfig
from rnnviz.data.dataset import MASK, Source, Variable
from rnnviz.data.days import Days, as_sequences
from rnnviz.data.quality import SATURATION, clean
from rnnviz.data.wear import worn
from rnnviz.figures.series import curves

IDS = ("a", "a", "b", "c", "d")


def days(steps: int = 1440) -> np.ndarray:
    """Five busy days, of which the second repeats the first."""
    values = np.random.default_rng(0).integers(1, 900, (5, steps)).astype(np.float32)
    values[1] = values[0]
    return values


def test_what_is_whole_has_nothing_to_tell() -> None:
    values = days()
    values[1, 0] += 1
    found = clean(values, None, ("a", "b", "c", "d", "e"), DataConfig())
    np.testing.assert_array_equal(found.values, values)
    assert found.wear.all()
    assert found.quality.notes(DataConfig()) == ()


def test_everything_is_counted_before_anything_is_done() -> None:
    values = days()
    values[0, :3] = values[1, :3] = np.nan
    values[2, 5] = values[3, 6] = SATURATION
    values[4, 7] = -1
    values[:, 9] = 4
    values[3, 100:200] = 0
    quality = clean(values, None, IDS, DataConfig()).quality
    assert (quality.missing, quality.saturated, quality.negative) == (6, 2, 1)
    assert (quality.constant_steps, quality.not_worn, quality.wear_from) == (1, 100, "rule")
    assert (quality.repeated_rows, quality.repeated_people) == (1, 1)
    assert quality.notes(DataConfig()) == (
        "6 of all minutes missing, taken as 0 and not worn",
        "2 of all minutes at 32767, where the device saturates",
        "1 of all minutes negative; log(1 + x) takes them as 0",
        "1 of the 1,440 minutes of the day the same in every row",
        "100 of all minutes not worn, by the rule of Troiano: 60 minutes of zeros, 2 forgiven",
        "rows that repeat an earlier one of the same person: 1; kept",
        "people on several rows: 1; no split cuts through a person",
    )

    assert [tuple(count) for count in quality.counts(DataConfig())] == [
        ("minutes without a value", 6, 7200, "taken as 0, marked as not worn"),
        (
            "minutes not worn",
            100,
            7200,
            "marked by Troiano's rule: 60 minutes of zeros, 2 forgiven",
        ),
        ("counts of 32767", 2, 7200, "kept"),
        ("negative minutes", 1, 7200, "taken as 0 by log(1 + x)"),
        ("minutes of the day alike in all rows", 1, 1440, "tell nothing; 0 where standardised"),
        ("rows that repeat another", 1, 5, "kept"),
        ("people on several rows", 1, 4, "never split apart"),
    ]


def test_what_was_looked_for_in_vain_is_in_the_table_too() -> None:
    quality = clean(days(), None, ("a", "b", "c", "d", "e"), DataConfig()).quality
    assert [count.number for count in quality.counts(DataConfig())] == [0] * 6


@pytest.mark.parametrize(
    ("missing", "words"),
    [("interpolate", "interpolated within the row"), ("drop", "their rows are left out")],
)
def test_the_table_says_what_is_done_about_gaps(missing: str, words: str) -> None:
    values = days()
    values[2, 3] = np.nan
    config = DataConfig(missing=missing)
    count = clean(values, None, IDS, config).quality.counts(config)[0]
    assert count.number == 1
    assert count.done.startswith(words)


@pytest.mark.parametrize(
    ("saturation", "done"),
    [("keep", "kept"), ("cap", "taken as 900"), ("missing", "taken as missing")],
)
def test_the_table_says_what_is_done_about_saturation(saturation: str, done: str) -> None:
    values = np.minimum(days(), 899)
    values[3, 4], values[2, 3] = 900, SATURATION
    config = DataConfig(saturation=saturation)
    count = clean(values, None, IDS, config).quality.counts(config)[2]
    assert (count.number, count.done) == (1, done)


@pytest.mark.parametrize(
    ("missing", "filled", "rows", "words"),
    [
        ("mask", [10, 0, 0, 40], 5, "taken as 0 and not worn"),
        ("interpolate", [10, 20, 30, 40], 5, "interpolated within the row and not worn"),
        ("drop", None, 4, "rows with missing minutes left out, 2 of them missing in all"),
    ],
)
def test_gaps(missing: str, filled: list[float] | None, rows: int, words: str) -> None:
    values = days()
    values[2, 50:54] = [10, np.nan, np.nan, 40]
    config = DataConfig(missing=missing)
    found = clean(values, None, IDS, config)
    assert len(found.values) == len(found.wear) == found.keep.sum() == rows
    assert not np.isnan(found.values).any()
    assert words in found.quality.notes(config)[0]
    if filled:
        assert found.values[2, 50:54].tolist() == filled
        assert found.wear[2, 50:54].tolist() == [1, 0, 0, 1]


def test_gaps_at_the_ends_take_the_nearest_value() -> None:
    values = days(24)
    values[0, :2], values[0, 22:] = np.nan, np.nan
    found = clean(values, None, IDS, DataConfig(missing="interpolate")).values[0]
    assert (found[:2] == values[0, 2]).all()
    assert (found[22:] == values[0, 21]).all()


@pytest.mark.parametrize(
    ("saturation", "value", "worn_then", "words"),
    [
        ("keep", SATURATION, 1, "where the device saturates"),
        ("cap", 900, 1, "saturates, taken as 900, the largest below"),
        ("missing", 0, 0, "saturates, taken as missing"),
    ],
)
def test_saturation(saturation: str, value: float, worn_then: int, words: str) -> None:
    values = days()
    values[0, 3], values[4, 4] = 900, SATURATION
    config = DataConfig(saturation=saturation)
    found = clean(values, None, IDS, config)
    assert found.values[4, 4] == value
    assert found.wear[4, 4] == worn_then
    assert any(note.endswith(words) for note in found.quality.notes(config))


def test_the_table_s_own_flags_go_before_the_rule() -> None:
    values, flags = days(), np.ones((5, 1440), dtype=bool)
    values[0, :100], flags[1, :10] = 0, False
    found = clean(values, flags, IDS, DataConfig())
    assert found.wear[0].all()
    assert found.quality.not_worn == 10
    by_rule = clean(values, None, IDS, DataConfig())
    np.testing.assert_array_equal(by_rule.wear, worn(values))


@pytest.mark.parametrize("values", [days(24), days() / 900], ids=["hours", "shares"])
def test_the_rule_is_for_counts_by_the_minute(values: np.ndarray) -> None:
    values[0] = 0
    found = clean(values, None, IDS, DataConfig())
    assert found.quality.wear_from == "values"
    assert found.quality.counts(DataConfig())[1].number is None
    assert found.wear.all()


def sequences(config: DataConfig, steps: int = 1440):
    values, wear = days(steps), np.ones((5, steps), dtype=np.float32)
    wear[0, : steps // 4] = 0
    made = Days(
        name="t",
        minutes=values,
        unit="counts/min",
        ids=tuple("abcde"),
        target=np.arange(5.0),
        target_name=Variable("y"),
        classes=(),
        covariates=np.zeros((5, 0)),
        covariate_names=(),
        groups={},
        wear=wear,
        source=Source(title="t"),
    )
    return as_sequences(made, config)


@pytest.mark.parametrize("blocks", ["144x1", "24x60", "1440x1"])
def test_the_mask_is_one_more_feature(blocks: str) -> None:
    plain = sequences(DataConfig(blocks=blocks))
    masked = sequences(DataConfig(blocks=blocks, mask=True))
    assert masked.features == (*plain.features, MASK)
    np.testing.assert_array_equal(masked.inputs[:, :, :-1], plain.inputs)
    np.testing.assert_array_equal(masked.inputs[:, :, -1], plain.wear)
    np.testing.assert_array_equal(curves(masked).values, curves(plain).values)
    assert prepare(masked, 0).batch(np.arange(2)).inputs.shape[2] == len(masked.features)


@pytest.mark.parametrize(
    ("parts", "blocks", "shape"),
    [
        (24, "144x1", (5, 24, 1)),
        (24, "24x60", (5, 24, 1)),
        (96, "144x1", (5, 96, 1)),
        (96, "24x60", (5, 24, 4)),
        (96, "1440x1", (5, 96, 1)),
        (288, "144x1", (5, 144, 1)),
    ],
)
def test_coarser_days_have_no_more_steps_than_they_hold(
    parts: int, blocks: str, shape: tuple[int, int, int]
) -> None:
    made = sequences(DataConfig(blocks=blocks, scale="raw"), parts)
    assert made.inputs.shape == shape
    assert made.times[-1] == 1440 - 1440 // shape[1]
    np.testing.assert_allclose(made.inputs.mean(axis=(1, 2)), days(parts).mean(axis=1), rtol=1e-5)
