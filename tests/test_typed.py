"""Typed sentences become the tokens of a data set, or one sentence says why they cannot."""

from pathlib import Path

import numpy as np
import pytest

from rnnviz.config import DataConfig
from rnnviz.data import sources
from rnnviz.data.dataset import SequenceDataset, Source
from rnnviz.data.labelled import Labelled, sequences
from rnnviz.data.text import tokens_of
from rnnviz.data.typed import MOST_TOKENS, as_text, read_typed
from rnnviz.errors import DataError

KINDS = {
    "reviews": DataConfig(source="phrases", grammar="reviews", sequences=60),
    "phrases": DataConfig(source="phrases"),
    "entities": DataConfig(source="world", world="entities", sequences=60),
    "names": DataConfig(source="world", world="names", sequences=60),
}


def made(kind: str) -> SequenceDataset:
    return sources.load(KINDS[kind], Path())


def in_pieces() -> SequenceDataset:
    texts = tuple(f"It's a naïve <b>café{k % 7}</b>,\n\N{OK HAND SIGN} {k}!" for k in range(60))
    labelled = Labelled(
        texts=texts,
        labels=np.arange(60) % 2,
        classes=("a", "b"),
        text="text",
        target="label",
        targets=("label",),
        source=Source(title="pieces"),
    )
    return sequences(labelled, DataConfig(tokens="pieces", window=128, pieces=300))


def test_pieces_are_read_again_and_need_no_stand_in() -> None:
    data = in_pieces()
    for row in (0, 30, 59):
        tokens = tokens_of(data, row)
        text = as_text(tokens, data)
        assert "\n" not in text
        assert "café" in text
        found = read_typed(text, data)
        assert found.tokens == tokens
        np.testing.assert_array_equal(found.indices, data.inputs[row, : data.lengths[row]])
    new = read_typed("Ünseen \N{SNOWMAN}", data)
    assert new.strange == ()
    assert as_text(new.tokens, data) == "Ünseen \N{SNOWMAN}"
    begun = read_typed("It's a naïve ", data).tokens
    assert "a naïve typed by hand" in as_text((*begun, "typed by hand"), data)


def with_stand_in(tokens: str = "words") -> SequenceDataset:
    """Of more different words than a vocabulary holds."""
    texts = tuple(f"It's a <b>word{k}</b>,\n{k}!" for k in range(2100))
    labelled = Labelled(
        texts=texts,
        labels=np.arange(2100) % 2,
        classes=("a", "b"),
        text="text",
        target="label",
        targets=("label",),
        source=Source(title="many words"),
    )
    return sequences(labelled, DataConfig(tokens=tokens, window=64))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_shown_of_a_sentence_is_read_as_the_same_again(kind: str) -> None:
    data = made(kind)
    for row in range(40):
        tokens = tokens_of(data, row)
        found = read_typed(as_text(tokens, data), data)
        assert found.tokens == tokens
        assert found.strange == ()
        np.testing.assert_array_equal(found.indices, data.inputs[row, : data.lengths[row]])


@pytest.mark.parametrize("tokens", ["words", "characters"])
def test_a_stand_in_is_read_again_as_well(tokens: str) -> None:
    data = with_stand_in(tokens)
    assert ("<unk>" in data.vocabulary) is (tokens == "words")
    for row in (0, 2050, 2099):
        read = tokens_of(data, row)
        assert "\n" in read
        assert "\n" not in as_text(read, data)  # which has to fit into one line
        found = read_typed(as_text(read, data), data)
        assert found.tokens == read
        np.testing.assert_array_equal(found.indices, data.inputs[row, : data.lengths[row]])


def test_capitals_and_stops_do_no_harm() -> None:
    found = read_typed("The FILM was  Good,but the plot was not!".replace("!", ""), made("reviews"))
    assert " ".join(found.tokens) == "the film was good , but the plot was not"
    assert read_typed("jordan called ANNA.", made("entities")).tokens == (
        *("Jordan", "called", "Anna", "."),
    )


def test_a_word_that_was_never_seen_is_named_and_refused() -> None:
    with pytest.raises(DataError, match=r"never saw 'splendid', '<', 'b'.*; use only its"):
        read_typed("the film was splendid <b>", made("reviews"))


def test_or_it_is_read_as_the_stand_in_and_named() -> None:
    data = with_stand_in()
    found = read_typed("it's splendid , splendid , really", data)
    assert found.tokens == ("it's", "splendid", ",", "splendid", ",", "really")
    assert found.strange == ("splendid", "really")
    assert [data.vocabulary[k] for k in found.indices[[1, 3, 5]]] == ["<unk>"] * 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the sentence is empty; type at least one of the"),
        (" \n\t ", "the sentence is empty"),
        ("good " * (MOST_TOKENS + 1), "has 513 words; at most 512 are read; shorten it"),
    ],
)
def test_no_word_and_too_many_are_refused(text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_typed(text, made("reviews"))
    assert len(read_typed("good " * MOST_TOKENS, made("reviews")).indices) == MOST_TOKENS
