"""Tagged sentences: what can be known from the left, from both sides, and from the word alone."""

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
from test_worlds import config, known, run_config, test_score, trained

from rnnviz.data.dataset import Task, split_of
from rnnviz.data.worlds import entities
from rnnviz.data.worlds.world import MEMORYLESS, ONE_WAY, memoryless
from rnnviz.ui.answers import answers, leak

RULES = entities.grammar()


def inside(written: entities.Written) -> np.ndarray:
    return np.arange(written.words.shape[1]) < written.lengths[:, None]


@pytest.fixture(scope="module")
def written() -> entities.Written:
    return entities.write(RULES, np.random.default_rng(3), 1500)


def test_tags_are_whole_entities(written: entities.Written) -> None:
    """I goes on with a B or an I of its kind; every kind is met."""
    for row, length in zip(written.tags, written.lengths, strict=True):
        named = ["O", *(entities.TAGS[tag] for tag in row[:length])]
        for before, now in itertools.pairwise(named):
            assert not now.startswith("I-") or before in (f"B-{now[2:]}", now)
    assert set(written.tags[inside(written)]) == set(range(len(entities.TAGS)))


def test_words_stand_where_their_pattern_allows_them_and_padding_is_empty(
    written: entities.Written,
) -> None:
    for row in range(60):
        length = written.lengths[row]
        assert any(
            RULES.lengths[p] == length
            and RULES.allowed[p, np.arange(length), written.words[row, :length]].all()
            and (RULES.tags[p, :length] == written.tags[row, :length]).all()
            for p in range(len(entities.PATTERNS))
        )
    assert not written.words[~inside(written)].any()
    assert not written.tags[~inside(written)].any()


def test_who_has_read_all_knows_every_tag(written: entities.Written) -> None:
    unsure, likeliest = entities.believed(RULES, written, whole=True)
    assert np.abs(unsure[inside(written)]).max() < 1e-12
    assert likeliest[inside(written)].min() == pytest.approx(1)


def test_what_is_believed_from_the_left_is_what_is_counted_over_all_sentences() -> None:
    """By writing out every sentence of two patterns that begin alike."""
    kept = [k for k, it in enumerate(entities.PATTERNS) if it.startswith(("PERSON c", "FIRM f"))]
    few = RULES._replace(
        allowed=RULES.allowed[kept], tags=RULES.tags[kept], lengths=RULES.lengths[kept]
    )
    counted: dict[tuple, np.ndarray] = defaultdict(lambda: np.zeros(len(entities.TAGS)))
    for p, length in enumerate(few.lengths):
        options = [np.flatnonzero(few.allowed[p, t]) for t in range(length)]
        share = 1 / math.prod(len(words) for words in options)
        for words in itertools.product(*options):
            for t in range(length):
                counted[words[: t + 1]][few.tags[p, t]] += share
    sentences = entities.write(few, np.random.default_rng(0), 200)
    unsure, likeliest = entities.believed(few, sentences, whole=False)
    for row, t in zip(*np.nonzero(inside(sentences)), strict=True):
        shares = counted[tuple(sentences.words[row, : t + 1].tolist())]
        shares = shares[shares > 0] / shares.sum()
        assert unsure[row, t] == pytest.approx(-(shares * np.log(shares)).sum(), abs=1e-12)
        assert likeliest[row, t] == pytest.approx(shares.max())


def test_the_joint_of_word_and_tag_is_what_is_drawn(written: entities.Written) -> None:
    counted = np.zeros((len(RULES.vocabulary), len(entities.TAGS)))
    some = inside(written)
    np.add.at(counted, (written.words[some], written.tags[some]), 1)
    exact = entities.joint(RULES)
    assert exact.sum() == pytest.approx(1)
    assert np.abs(counted / counted.sum() - exact).max() < 0.01
    assert memoryless(counted)[0] == pytest.approx(memoryless(exact)[0], abs=0.02)


def test_the_limits_are_in_order_and_are_told() -> None:
    data = entities.load(config("entities", sequences=600))
    assert data.task is Task.TAGGING
    assert len(np.unique(data.lengths)) > 3
    assert 0.03 < known(data, ONE_WAY) < 0.2 < known(data, MEMORYLESS)
    assert "reads from the left and knows every pattern, 96" in data.notes[1]


def test_a_network_of_both_directions_is_below_what_one_direction_can_know() -> None:
    data = entities.load(run_config("entities", sequences=1200).data)
    split, losses, said = split_of(data, 0), {}, {}
    for both in (False, True):
        view = trained(
            "entities", data, bidirectional=both, sequences=1200, epochs=8, hidden_size=24
        )
        losses[both] = test_score(view, "loss")
        said[both] = answers(view, data, split)
        assert leak(view, data, split) == ""
    limit = float(np.average(
        next(k for k in data.known if k.name == ONE_WAY).expected[split.test],
        weights=data.lengths[split.test],
    ))  # fmt: skip
    assert losses[True] < 0.5 * limit < 0.9 * limit < losses[False]
    assert "clearly below the left-to-right limit" in said[True]
    assert "it uses what comes after" in said[True]
    assert "not clearly below the left-to-right limit" in said[False]
    assert "clearly below the memoryless limit" in said[False]
