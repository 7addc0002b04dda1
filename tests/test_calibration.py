"""Calibration and spans: by hand, and beside scikit-learn where it has the same."""

import math

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, precision_recall_fscore_support

from rnnviz.calibration import brier, interval, reliability, worst
from rnnviz.spans import Span, are_bio, by_entity, by_tag, spans

RNG = np.random.default_rng(0)


def draws(n: int, k: int, *, honest: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities, and classes that are drawn with them; or with others."""
    z = RNG.normal(size=(n, k)) * 2
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    q = p if honest else np.sqrt(p) / np.sqrt(p).sum(axis=1, keepdims=True)
    return p, (RNG.random((n, 1)) > q.cumsum(axis=1)).sum(axis=1).clip(max=k - 1)


def test_bins_hold_what_they_hold() -> None:
    sure = np.array([0.5, 0.55, 0.6, 0.95, 1.0])
    found = reliability(np.stack((1 - sure, sure), axis=1), np.array([0, 1, 1, 1, 0]))
    assert found.counts.tolist() == [0, 0, 0, 0, 0, 2, 1, 0, 0, 2]
    np.testing.assert_allclose(found.confidence[[5, 6, 9]], [0.525, 0.6, 0.975])
    np.testing.assert_allclose(found.accuracy[[5, 6, 9]], [1.0, 1.0, 0.5])  # 0.5 is a tie: class 0
    assert np.isnan(found.accuracy[0])
    assert found.error == pytest.approx((2 * 0.475 + 0.4 + 2 * 0.475) / 5)
    assert len(found.edges) == 11


@pytest.mark.parametrize("classes", [2, 5])
def test_bins_are_those_of_scikit_learn(classes: int) -> None:
    p, true = draws(500, classes)
    found = reliability(p, true)
    right = p.argmax(axis=1) == true
    accuracy, confidence = calibration_curve(right, p.max(axis=1), n_bins=10)
    some = found.counts > 0
    np.testing.assert_allclose(found.accuracy[some], accuracy)
    np.testing.assert_allclose(found.confidence[some], confidence)


@pytest.mark.parametrize("classes", [2, 5])
def test_the_brier_score_is_scikit_learns(classes: int) -> None:
    p, true = draws(300, classes)
    theirs = brier_score_loss(true, p, scale_by_half=False, labels=range(classes))
    assert brier(p, true) == pytest.approx(theirs)
    assert brier(np.eye(classes)[true], true) == 0


def test_who_says_how_sure_he_is_has_a_small_error_and_who_boasts_a_large_one() -> None:
    honest = reliability(*draws(20_000, 3)).error
    boasting = reliability(*draws(20_000, 3, honest=False)).error
    assert honest < 0.02 < 0.1 < boasting


def test_the_interval_is_the_one_in_the_books() -> None:
    low, high = interval(81, 263)  # Newcombe (1998), table I, method 3
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    low, high = interval(0, 20)
    assert (round(low, 4), round(high, 4)) == (0.0, 0.1611)
    assert interval(20, 20)[1] == 1.0
    assert interval(0, 0) == (0.0, 1.0)


def test_the_worst_mistake_is_the_surest() -> None:
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.05, 0.95]])
    assert worst(p, np.array([0, 0, 0, 0]), 10).tolist() == [3, 1, 2]
    assert worst(p, np.array([0, 0, 0, 0]), 1).tolist() == [3]
    assert worst(p, p.argmax(axis=1), 10).tolist() == []


# --- spans ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ("O O", []),
        ("B-PER O B-LOC", [("PER", 0, 1), ("LOC", 2, 3)]),
        ("B-PER I-PER I-PER", [("PER", 0, 3)]),
        ("B-PER B-PER I-PER", [("PER", 0, 1), ("PER", 1, 3)]),
        ("B-PER I-LOC I-LOC", [("PER", 0, 1), ("LOC", 1, 3)]),
        ("I-PER I-PER O I-PER", [("PER", 0, 2), ("PER", 3, 4)]),
        ("O B-DATE", [("DATE", 1, 2)]),
    ],
)
def test_spans_are_those_that_tags_mark(tags: str, wanted: list[tuple]) -> None:
    assert spans(tags.split()) == tuple(Span(*one) for one in wanted)


def test_only_bio_tags_mark_entities() -> None:
    assert are_bio(("O", "B-PER", "I-PER"))
    assert not are_bio(("0", "1", "2"))
    assert not are_bio(("B-PER", "I-PER"))
    assert not are_bio(("O",))
    assert not are_bio(("O", "B-PER", "other"))


CLASSES = ("O", "B-A", "I-A", "B-B", "I-B")


def test_an_entity_is_right_with_its_whole_span_and_its_type() -> None:
    true = np.array([1, 2, 0, 3, 0, 1, 2, 0])
    said = np.array([1, 2, 0, 1, 0, 1, 0, 0])  # right; of another type; too short
    a, b, total = by_entity(said, true, np.zeros(8, int), CLASSES)
    assert (a.right, a.said, a.true) == (1, 3, 2)
    assert (b.right, b.said, b.true) == (0, 0, 1)
    assert math.isnan(b.precision)
    assert b.recall == 0
    assert (total.name, total.f1) == ("all", pytest.approx(2 / 6))
    cut = by_entity(true, true, np.array([0, 1, 1, 1, 1, 1, 1, 1]), CLASSES)[-1]
    assert cut.true == 4  # what two sentences hold is two entities
    assert cut.f1 == 1


def test_tags_have_the_precision_and_recall_of_scikit_learn() -> None:
    true, said = RNG.integers(0, 5, (2, 400))
    theirs = precision_recall_fscore_support(true, said, labels=range(5))
    for k, mine in enumerate(by_tag(said, true, CLASSES)):
        assert mine.name == CLASSES[k]
        np.testing.assert_allclose(
            (mine.precision, mine.recall, mine.f1), [r[k] for r in theirs[:3]]
        )
        assert mine.true == theirs[3][k]
