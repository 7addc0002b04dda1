"""Select and match against brute force."""

import numpy as np
import pytest

from rnnviz.errors import TraceError
from rnnviz.states.match import find_spans, is_on, runs_of, strength, units_on

H, N, T = 5, 7, 23


def some_states(seed=0):
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0, 0.35, (H, N, T)), axis=2)
    return np.tanh(walk).astype(np.float16)


def brute_spans(h, lengths, units, threshold, least, without):
    found = []
    for n in range(N):
        if n == without:
            continue
        run = None
        for t in range(T + 1):
            on = t < lengths[n] and (
                sum(float(s * h[u, n, t]) >= float(np.float16(threshold)) for u, s in units)
                >= least
            )
            if on and run is None:
                run = t
            if not on and run is not None:
                found.append((n, run, t))
                run = None
    return found


@pytest.mark.parametrize("threshold", [0.001, 0.3, 0.5, 0.97, 1.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_comparing_bits_equals_comparing_numbers(threshold, sign):
    rng = np.random.default_rng(1)
    h = np.concatenate(
        [
            rng.uniform(-1.5, 1.5, 5000).astype(np.float16),
            np.array([0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, 65504, -65504], np.float16),
            np.float16([threshold, -threshold]),
        ]
    )
    expected = sign * h.astype(np.float64) >= float(np.float16(threshold))
    np.testing.assert_array_equal(is_on(h, sign, threshold), expected)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("least", [1, 2, 3])
@pytest.mark.parametrize("without", [None, 2])
def test_spans_equal_brute_force(seed, least, without):
    h = some_states(seed)
    lengths = np.random.default_rng(seed).integers(1, T + 1, N)
    units = ((0, 1), (3, -1), (4, 1))
    spans = find_spans(h, lengths, units, 0.3, least=least, like=4, without=without)
    expected = brute_spans(h, lengths, units, 0.3, least, without)
    mine = set(zip(spans.places.tolist(), spans.starts.tolist(), spans.stops.tolist(), strict=True))
    assert mine == set(expected)
    assert spans.total == len(expected)
    assert set(spans.within) == {n for n, _, _ in expected}
    assert spans.beginning.tolist() == [sum(a == t for _, a, _ in expected) for t in range(T)]
    off = np.abs(spans.stops - spans.starts - 4)
    assert (np.diff(off) >= 0).all()


@pytest.mark.parametrize("seed", range(6))
def test_units_that_are_on_equal_brute_force(seed):
    h = some_states(seed)[:, 0]
    start, stop, threshold = 5, 9, 0.2
    expected = {}
    for unit in range(H):
        for sign in (1, -1):
            on = [float(sign * v) >= float(np.float16(threshold)) for v in h[unit]]
            if all(on[start:stop]):
                expected[unit, sign] = np.mean(on[:start] + on[stop:])
    found = units_on(h, start, stop, threshold)
    assert {(one.unit, one.sign): one.elsewhere for one in found} == pytest.approx(expected)
    shares = [one.elsewhere for one in found]
    assert shares == sorted(shares)


def test_runs_touch_both_ends():
    on = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 1, 0]], bool)
    rows, starts, stops = runs_of(on)
    assert list(zip(rows, starts, stops, strict=True)) == [
        (0, 0, 2),
        (0, 3, 4),
        (2, 0, 4),
        (3, 1, 3),
    ]


def test_strength_is_the_mean_over_units_and_steps():
    h = some_states(3)
    units = ((1, 1), (2, -1))
    spans = find_spans(h, np.full(N, T), units, 0.1, least=1, like=3)
    for value, n, a, b in zip(
        strength(h, units, spans), spans.places, spans.starts, spans.stops, strict=True
    ):
        expected = (h[1, n, a:b].astype(float).mean() - h[2, n, a:b].astype(float).mean()) / 2
        assert value == pytest.approx(expected)


def test_mistakes_are_said():
    h = some_states()
    with pytest.raises(TraceError, match="mark steps from 1 to 23"):
        units_on(h[:, 0], 4, 4, 0.5)
    with pytest.raises(TraceError, match="must lie above 0"):
        units_on(h[:, 0], 4, 6, 0.0)
    with pytest.raises(TraceError, match="choose 1 to 16"):
        find_spans(h, np.full(N, T), (), 0.5, least=1, like=1)
