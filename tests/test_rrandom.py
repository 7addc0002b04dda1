"""Seeds draw what real R draws: every number here was printed by R 4.2.2, by the line above it."""

import numpy as np
import pytest

from rnnviz.data.rrandom import RRandom

UNIFORM = {
    # set.seed(0); print(runif(5), digits = 15)
    0: [0.896697200136259, 0.2655086631421, 0.37212389963679, 0.572853363351896, 0.908207789994776],
    # set.seed(-7); print(runif(3), digits = 15)
    -7: [0.326494855573401, 0.539861117023975, 0.254736220929772],
}


@pytest.mark.parametrize("seed", UNIFORM)
def test_uniform_numbers_are_those_of_r(seed: int) -> None:
    expected = UNIFORM[seed]
    assert RRandom(seed).runif(len(expected)) == pytest.approx(expected, rel=1e-14)


def test_uniform_numbers_between_other_ends() -> None:
    # set.seed(42); print(runif(3, -1, 2), digits = 15)
    expected = [1.74441813048907, 1.81122623989359, -0.141581395640969]
    assert RRandom(42).runif(3, -1, 2) == pytest.approx(expected, rel=1e-13)


def test_the_state_turns_over_as_in_r() -> None:
    # set.seed(0); print(runif(2000)[c(624, 625, 1248, 1249, 2000)], digits = 15)
    expected = [
        0.768248430453241,
        0.136487586190924,
        0.961099177366123,
        0.792595364153385,
        0.24280183785595,
    ]
    found = RRandom(0).runif(2000)[[623, 624, 1247, 1248, 1999]]
    assert found == pytest.approx(expected, rel=1e-14)


def test_one_draw_after_the_other_is_one_long_draw() -> None:
    random = RRandom(0)
    parts = [random.runif(3), random.runif(700), random.runif(1)]
    assert np.array_equal(np.concatenate(parts), RRandom(0).runif(704))


def test_the_split_of_the_study_is_that_of_r() -> None:
    # set.seed(0); s <- sample(2, 13859, replace = TRUE, prob = c(.7, .3))
    # s[1:30]; sum(s == 1); tail(s, 10); sum(which(s == 2))
    found = RRandom(0).sample_weighted(13_859, [0.7, 0.3])
    first = "2 1 1 1 2 1 2 2 1 1 1 1 1 1 1 2 1 2 2 1 2 2 1 1 1 1 1 1 1 2"
    assert found[:30].tolist() == [int(word) for word in first.split()]
    assert (found == 1).sum() == 9688
    assert found[-10:].tolist() == [1, 1, 1, 1, 1, 1, 1, 2, 2, 1]
    assert (np.flatnonzero(found == 2) + 1).sum() == 28_687_980


WEIGHTED = {
    # set.seed(1); sample(3, 20, replace = TRUE, prob = c(.2, .5, .3))
    "three": (1, [0.2, 0.5, 0.3], "2 2 3 1 2 1 1 3 3 2 2 2 3 2 3 2 3 1 2 3"),
    # set.seed(2); sample(9, 30, replace = TRUE, prob = c(1, 1, 2, 2, 1, 1, 2, 2, 1))
    "equal chances": (
        2,
        [1, 1, 2, 2, 1, 1, 2, 2, 1],
        "3 5 8 3 1 1 7 9 8 8 8 3 5 3 4 2 1 3 4 7 6 4 9 7 4 8 7 4 1 7",
    ),
    # set.seed(2); sample(13, 30, replace = TRUE, prob = rep(1, 13))
    "all alike": (
        2,
        [1] * 13,
        "4 11 9 4 1 1 3 12 8 9 9 5 11 4 7 13 1 4 7 2 10 7 12 3 6 8 3 6 1 3",
    ),
    # set.seed(3); sample(300, 20, replace = TRUE, prob = 1:300)
    "by aliases": (
        3,
        list(range(1, 301)),
        "206 140 283 216 183 277 136 108 261 165 256 274 295 290 70 293 263 131 127 247",
    ),
    # set.seed(3); sample(200, 10, replace = TRUE, prob = rep(1:2, 100))
    "200 likely ones": (3, [1, 2] * 100, "118 181 112 130 46 46 170 144 44 48"),
    # set.seed(3); sample(201, 10, replace = TRUE, prob = rep(1, 201))
    "201 likely ones": (3, [1] * 201, "5 140 36 107 136 74 168 104 37 157"),
    # set.seed(3); sample(250, 10, replace = TRUE, prob = c(rep(1, 20), rep(1e-5, 230)))
    "250, of which 20 likely": (3, [1] * 20 + [1e-5] * 230, "8 3 11 1 13 13 9 18 7 13"),
}


@pytest.mark.parametrize("case", WEIGHTED)
def test_weighted_samples_are_those_of_r(case: str) -> None:
    seed, prob, expected = WEIGHTED[case]
    numbers = [int(word) for word in expected.split()]
    assert RRandom(seed).sample_weighted(len(numbers), prob).tolist() == numbers


def test_ten_thousand_draws_by_aliases_sum_to_what_r_has() -> None:
    # set.seed(3); sum(sample(300, 10000, replace = TRUE, prob = (1:300)^2))
    prob = [float(k * k) for k in range(1, 301)]
    assert RRandom(3).sample_weighted(10_000, prob).sum() == 2_246_688


PLAIN = {
    # set.seed(4); sample(10, 15, replace = TRUE)
    (10, 15, True): "8 3 3 7 3 6 5 10 3 8 6 2 8 1 4",
    # set.seed(4); sample(100000, 8, replace = TRUE)
    (100_000, 8, True): "66123 18179 17068 59382 4794 18744 95362 65315",
    # set.seed(4); sample(65536, 5, replace = TRUE)
    (65_536, 5, True): "587 18179 17068 59382 4794",
    # set.seed(4); sample(1, 3, replace = TRUE)
    (1, 3, True): "1 1 1",
    # set.seed(4); sample(12)
    (12, 12, False): "8 11 3 10 7 4 9 5 2 6 12 1",
}


@pytest.mark.parametrize("case", PLAIN, ids=str)
def test_samples_by_rejection_are_those_of_r(case: tuple[int, int, bool]) -> None:
    values, size, replace = case
    numbers = [int(word) for word in PLAIN[case].split()]
    assert RRandom(4).sample(values, size, replace=replace).tolist() == numbers


def test_more_than_there_are_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="4 of 3 values"):
        RRandom(0).sample(3, 4)


@pytest.mark.parametrize("prob", [[0.0, 0.0], [-0.1, 1.1], [float("nan"), 1.0]])
def test_impossible_chances_are_refused(prob: list[float]) -> None:
    with pytest.raises(ValueError, match="probabilities must be finite"):
        RRandom(0).sample_weighted(3, prob)
