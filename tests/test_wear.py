"""Wear time: the rule of Troiano et al. (2008) on days made by hand."""

import numpy as np
import pytest

from rnnviz.data.wear import worn

BUSY = 500.0


def day(*stretches: tuple[int, int, float]) -> np.ndarray:
    """One busy day with the given stretches [begin, end) set to a value."""
    minutes = np.full((1, 1440), BUSY)
    for begin, end, value in stretches:
        minutes[0, begin:end] = value
    return minutes


NAN = float("nan")
CASES = {
    "nothing but zeros": (day((0, 1440, 0)), [(0, 1440)]),
    "never still": (day(), []),
    "60 zeros": (day((600, 660, 0)), [(600, 660)]),
    "59 zeros": (day((600, 659, 0)), []),
    "60 zeros from midnight": (day((0, 60, 0)), [(0, 60)]),
    "60 zeros to midnight": (day((1380, 1440, 0)), [(1380, 1440)]),
    "2 minutes up to 100 do not interrupt": (
        day((600, 660, 0), (620, 622, 100)),
        [(600, 660)],
    ),
    "3 in a row do": (day((600, 660, 0), (620, 623, 1)), []),
    "1 minute of 101 does": (day((600, 660, 0), (620, 621, 101)), []),
    "a pair of 100 and 101 does": (
        day((600, 660, 0), (620, 621, 100), (621, 622, 101)),
        [],
    ),
    "any number of single minutes": (
        day((600, 700, 0), *((m, m + 1, 50) for m in range(605, 700, 10))),
        [(600, 700)],
    ),
    "interruptions at the ends belong to wear": (
        day((598, 600, 50), (600, 659, 0), (659, 661, 50)),
        [],
    ),
    "low minutes before the first zero of the day": (day((0, 2, 50), (2, 62, 0)), [(2, 62)]),
    "low minutes after the last zero of the day": (
        day((1378, 1438, 0), (1438, 1440, 50)),
        [(1378, 1438)],
    ),
    "both halves count, each by itself": (
        day((100, 170, 0), (170, 173, 50), (173, 233, 0)),
        [(100, 170), (173, 233)],
    ),
    "a missing minute is not worn": (day((600, 601, NAN)), [(600, 601)]),
    "a missing minute counts as zero in a stretch": (
        day((600, 660, 0), (630, 640, NAN)),
        [(600, 660)],
    ),
}


@pytest.mark.parametrize(("minutes", "nonwear"), CASES.values(), ids=CASES)
def test_hand_made_day(minutes: np.ndarray, nonwear: list[tuple[int, int]]) -> None:
    expected = np.ones((1, 1440), dtype=bool)
    for begin, end in nonwear:
        expected[0, begin:end] = False
    np.testing.assert_array_equal(worn(minutes), expected)


def test_days_do_not_run_into_each_other() -> None:
    evening, morning = day((1410, 1440, 0)), day((0, 30, 0))
    assert worn(np.concatenate([evening, morning])).all()


def test_all_cases_at_once_equal_one_by_one() -> None:
    days = np.concatenate([minutes for minutes, _ in CASES.values()] * 40)
    together = worn(days)
    assert len(days) > 512  # more than one chunk
    np.testing.assert_array_equal(together, np.concatenate([worn(d[None]) for d in days]))


def test_no_day_gives_no_row() -> None:
    assert worn(np.empty((0, 1440))).shape == (0, 1440)


def by_the_book(counts: np.ndarray) -> np.ndarray:
    """The rule minute by minute, as the sentence reads, for one day without missing minutes."""
    result, begin = np.ones(counts.size, dtype=bool), 0
    while begin < counts.size:
        last, low, at = begin - 1, 0, begin
        while counts[begin] == 0 and at < counts.size and counts[at] <= 100 and low <= 2:
            last, low = (at, 0) if counts[at] == 0 else (last, low + 1)
            at += 1
        if last - begin + 1 >= 60:
            result[begin : last + 1] = False
        begin = max(last, begin) + 1
    return result


def test_equals_the_rule_read_minute_by_minute() -> None:
    rng = np.random.default_rng(0)
    still = rng.random((60, 1440)) < rng.uniform(0.9, 0.999, (60, 1))
    counts = np.where(still, 0, rng.choice([1, 60, 100, 101, 2000], size=still.shape))
    expected = np.stack([by_the_book(row) for row in counts])
    assert 0.05 < expected.mean() < 0.95
    np.testing.assert_array_equal(worn(counts.astype(float)), expected)
