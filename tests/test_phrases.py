"""The phrases of the network from scratch: as many as in the article, and true to their label."""

import numpy as np
import pytest

from rnnviz.config import DataConfig, RunConfig
from rnnviz.data import phrases as grammar
from rnnviz.data.dataset import Task, split_of
from rnnviz.data.phrases import CLASSES, Phrase, phrases, vocabulary
from rnnviz.data.sources import DATASETS, load
from rnnviz.ui.words import summary

EVERY = phrases()
PARTS = {part: [p for p in EVERY if p.test is (part == "test")] for part in ("train", "test")}


def meaning(text: str) -> bool:
    """Read again without the grammar: `not` turns the next word, and the one after an `or`."""
    good, turned, said = {"warm", "bright"}, False, []
    for word in text.split():
        if word == "not":
            turned = True
        elif word == "and":
            turned = False
        elif word in {"warm", "bright", "cold", "grim"}:
            said.append((word in good) is not turned)
    assert len(set(said)) == 1, f"{text} says two things"
    return said[0]


def test_there_are_as_many_as_in_the_article() -> None:
    assert {part: len(found) for part, found in PARTS.items()} == {"train": 58, "test": 20}
    assert len(vocabulary()) == 18
    assert len({phrase.text for phrase in EVERY}) == 78  # so none is in both parts


@pytest.mark.parametrize("part", PARTS)
def test_half_of_each_part_is_good(part: str) -> None:
    assert 2 * sum(phrase.good for phrase in PARTS[part]) == len(PARTS[part])


def test_every_word_can_be_learned() -> None:
    assert {word for phrase in PARTS["train"] for word in phrase.text.split()} == {*vocabulary()}


@pytest.mark.parametrize("phrase", EVERY, ids=lambda phrase: phrase.text)
def test_a_phrase_says_its_label(phrase: Phrase) -> None:
    assert meaning(phrase.text) is phrase.good
    assert CLASSES[phrase.label] == ("good" if phrase.good else "bad")


def test_the_draw_alone_decides_the_test_part(monkeypatch: pytest.MonkeyPatch) -> None:
    assert phrases() == EVERY
    monkeypatch.setattr(grammar, "SEED", 7)
    assert phrases() != EVERY
    assert {phrase.text for phrase in phrases()} == {phrase.text for phrase in EVERY}


def test_they_are_a_source_of_data_with_the_same_test_part(tmp_path) -> None:
    assert "phrases" in DATASETS
    config = DataConfig(source="phrases")
    data = load(config, tmp_path)
    assert (data.task, data.classes, data.vocabulary) == (
        Task.CLASSIFICATION,
        CLASSES,
        tuple(sorted(vocabulary())),
    )
    split = split_of(data, seed=3)
    read = {
        " ".join(data.vocabulary[k] for k in data.inputs[row, : data.lengths[row]])
        for row in split.test
    }
    assert read == {phrase.text for phrase in PARTS["test"]}
    assert len(split.train) + len(split.validation) == 58
    for rows in (split.train, split.validation, split.test):
        assert set(np.unique(data.targets[rows])) == {0, 1}
    assert summary(RunConfig(data=config), data) == (
        "78 phrases of up to 7 words, 18 different ones; feeling is predicted"
    )
