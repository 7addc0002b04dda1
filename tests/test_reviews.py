"""The reviews say what the rule makes of their words, and a bag of words does not know the rule."""

from pathlib import Path

import numpy as np
import pytest

from rnnviz.batches import prepare
from rnnviz.cli.train import chosen
from rnnviz.config import GRAMMARS, OF_GRAMMAR, DataConfig, source_name
from rnnviz.data import sources
from rnnviz.data.reviews import (
    CLASSES,
    GOOD,
    KINDS,
    STRONGER,
    TURNING,
    TURNS,
    although_first,
    although_last,
    both,
    but,
    clause,
    meaning,
    opinion,
    reviews,
)
from rnnviz.evaluate import baselines
from rnnviz.events import EpochEnded
from rnnviz.train import fit

BY_HAND = {  # by the rule as it is stated, not by the code
    "the film was good": True,
    "the film was dull": False,
    "the film was very good": True,
    "the film was really awful": False,
    "the film was not good": False,
    "the film was not bad": True,
    "the film was not very bad": True,
    "the film was never clever": False,
    "the film was barely warm": False,
    "the film was hardly dull": True,
    "the film was not at all good": False,
    "the film was not from first to last awful": True,
    "nobody would say that the plot was fresh": False,
    "nobody would say that the plot was not fresh": True,
    "it is not true that the plot was scarcely cold": False,
    "the plot was good , but the cast was bad": False,
    "the plot was bad , but the cast was not bad": True,
    "although the plot was good , the cast was dull": False,
    "the plot was good , although the cast was dull": True,
    "although nobody would say that the plot was dull , the cast was never good": False,
    "the plot was good , and the cast was hardly bad": True,
    "the plot was": None,
    "the plot was good , and the cast was bad": None,
    "": None,
    "although good": None,
}


@pytest.mark.parametrize(("text", "good"), BY_HAND.items(), ids=lambda it: str(it) or "nothing")
def test_the_rule_reads_what_a_person_reads(text: str, good: bool | None) -> None:
    assert meaning(text) is good


def test_what_the_grammar_computes_of_the_parts_is_what_the_rule_reads_off_the_words() -> None:
    made = reviews(3000)
    assert len({said.text for said in made}) == 3000
    assert [meaning(said.text) for said in made] == [said.good for said in made]
    assert sum(said.good for said in made) == 1500


@pytest.mark.parametrize("good", [False, True])
def test_parts_give_their_meaning_to_the_whole(good: bool) -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        main, aside, same = clause(rng, good), clause(rng, not good), clause(rng, good)
        assert (main.good, aside.good) == (good, not good)
        for whole in (
            but(aside, main),
            although_first(aside, main),
            although_last(main, aside),
            both(main, same),
        ):
            assert whole.good is good
            assert meaning(whole.text) is good
        word = opinion(rng, main._replace(text="good"), turned=True)
        assert word.good is not good


def test_they_hold_all_that_the_rule_speaks_of() -> None:
    texts = [said.text for said in reviews(2000)]
    words = {word for text in texts for word in text.split()}
    assert {*GOOD, *TURNING, *STRONGER, "but", "although", "and"} <= words
    assert any(text.split().index("although") == 0 for text in texts if "although" in text.split())
    distant = "not from first to last"
    assert any(distant in text for text in texts)
    turns = [sum(word in TURNING for word in text.split()) for text in texts if "," not in text]
    found = np.bincount(turns, minlength=3) / len(turns)
    np.testing.assert_allclose(found, TURNS, atol=0.06)
    assert sum(KINDS.values()) == pytest.approx(1)


def test_the_draw_is_the_same_each_time_and_a_smaller_one_its_beginning() -> None:
    assert reviews(300)[:100] == reviews(100)


def test_they_are_a_grammar_of_the_source_of_phrases(tmp_path: Path) -> None:
    assert set(sources.GRAMMARS) == set(GRAMMARS) == set(OF_GRAMMAR)
    config = DataConfig(source="phrases", grammar="reviews", sequences=200)
    data = sources.load(config, tmp_path)
    assert (len(data.ids), data.classes, data.whose) == (200, CLASSES, "reviews")
    assert len(np.unique(data.lengths)) > 5  # padded, so that padding is met everywhere
    assert source_name(config) == "Reviews, good or bad"
    plain = sources.load(DataConfig(source="phrases"), tmp_path)
    assert (len(plain.ids), plain.whose) == (78, "phrases")
    assert source_name(DataConfig(source="phrases")) == "Phrases, good or bad"


def test_a_network_learns_what_a_bag_of_words_cannot(tmp_path: Path) -> None:
    """The suggested settings, with half of the epochs."""
    config = chosen({"source": "phrases", "grammar": "reviews", "epochs": 6, "sequences": 2000})
    assert (config.training.learning_rate, config.model.attention) == (0.01, "additive")
    data = sources.load(config.data, tmp_path)
    scores = baselines(prepare(data, seed=0))
    (bag,) = [s for s in scores if (s.predictor, s.part) == ("bag of words", "test")]
    assert bag.metrics["accuracy"] < 0.65
    *_, ended = (event for event in fit(config, data) if isinstance(event, EpochEnded))
    assert ended.test.metrics["accuracy"] > 0.95
