"""Text becomes windows whose targets are the inputs shifted by one, and nothing is lost unsaid."""

import re

import numpy as np
import pytest

from rnnviz.config import DataConfig
from rnnviz.data import logbook
from rnnviz.data.dataset import Task, split_by_id
from rnnviz.data.text import SAMPLES, decode, encode, load, tokenise
from rnnviz.errors import DataError

PANGRAM = "The quick brown fox jumps over the lazy dog, and the dog says nothing.\n" * 20


def config(tokens: str = "characters", window: int = 16) -> DataConfig:
    return DataConfig(source="text", tokens=tokens, window=window)


def stretched(count: int, times: int, first: int = 0x4E00) -> str:
    """A text of `count` different characters, each `times` times."""
    return "".join(chr(first + k) for k in range(count)) * times


@pytest.mark.parametrize("text", [None, PANGRAM, "a\tb \u00e9\u4e2d\U0001f600\n" * 40])
def test_characters_decode_to_the_text_they_came_from(text):
    dataset = load(config(), text)
    whole = SAMPLES["lighthouse"].text() if text is None else text
    covered = dataset.inputs.size
    assert decode(dataset.inputs.ravel(), dataset) == whole[:covered]
    assert decode(dataset.targets.ravel(), dataset) == whole[1 : covered + 1]
    assert decode(encode(whole, dataset), dataset) == whole


@pytest.mark.parametrize("tokens", ["characters", "words"])
@pytest.mark.parametrize("window", [8, 13, 64])
def test_windows_cover_every_place_once_and_targets_are_shifted_by_one(tokens, window):
    dataset = load(config(tokens, window))
    places = tokenise(SAMPLES["lighthouse"].text(), tokens)
    n = (len(places) - 1) // window
    assert dataset.inputs.shape == dataset.targets.shape == (n, window)
    known = [dataset.vocabulary[index] for index in dataset.inputs.ravel()]
    assert known == places[: n * window]
    following = [dataset.vocabulary[index] for index in dataset.targets.ravel()]
    assert following == places[1 : n * window + 1]
    rest = len(places) - 1 - n * window
    assert any(f"The last {rest} " in note for note in dataset.notes) == (rest > 0)


def test_a_dataset_of_text_says_what_it_is():
    dataset = load(config("words", 8))
    assert dataset.task is Task.NEXT_TOKEN
    assert dataset.inputs.dtype == dataset.targets.dtype == np.int64
    assert dataset.input_size == dataset.output_size == len(dataset.vocabulary)
    assert dataset.covariates.shape == (len(dataset.ids), 0)
    assert (dataset.lengths == 8).all()
    assert dataset.times.tolist() == list(range(8))
    assert dataset.source.title == "The Lighthouse Notebook"
    assert not dataset.source.simulated
    assert load(config(), PANGRAM).source.title == "Your own text"


def test_a_split_leaks_no_target():
    dataset = load(config(window=8))
    places = 1 + np.arange(dataset.targets.size).reshape(dataset.targets.shape)
    split = split_by_id(dataset.ids, seed=3)
    parts = [set(places[rows].ravel()) for rows in (split.train, split.validation, split.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == dataset.targets.size


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"Don\'t (ever)!"', ['"', "Don't", "(", "ever", ")", "!", '"']),
        ("line\r\nline\rline", ["line", "\n", "line", "\n", "line"]),
        ("\ufeffat 18:05, 3.5 m", ["at", "18", ":", "05", ",", "3", ".", "5", "m"]),
        ("na\u00efve \u4e2d\u6587 'so'", ["na\u00efve", "\u4e2d\u6587", "'", "so", "'"]),
    ],
)
def test_words_are_cut_at_blanks_and_stops(text, words):
    assert tokenise(text, "words") == words


@pytest.mark.parametrize(
    "line", ['He said (twice): "So be it." I wait.', "One, two; three? Four!\nFive [and six]."]
)
def test_words_join_as_english_sets_them(line):
    dataset = load(config("words", 8), f"{line}\n" * 20)
    assert decode(encode(line, dataset), dataset) == line


@pytest.mark.parametrize(("different", "size"), [(255, 255), (256, 256), (257, 256), (400, 256)])
def test_characters_are_capped_at_256(different, size):
    dataset = load(config(window=8), stretched(different, 3))
    assert len(dataset.vocabulary) == size
    capped = different > 256
    assert ("\ufffd" in dataset.vocabulary) == capped
    note = f"The {different - 255} rarest of {different} different characters stand as '\ufffd'"
    assert any(note in text for text in dataset.notes) == capped


@pytest.mark.parametrize(("different", "size"), [(2_000, 2_000), (2_001, 2_000), (2_500, 2_000)])
def test_words_are_capped_at_2000_and_the_commonest_stay(different, size):
    text = "common " * 50 + " ".join(f"word{k}" for k in range(different - 1))
    dataset = load(config("words", 8), text)
    assert len(dataset.vocabulary) == size
    read = [dataset.vocabulary[index] for index in encode(text, dataset)]
    assert read.count("common") == 50
    lost = different - 1_999 if different > 2_000 else 0
    assert read.count("<unk>") == lost
    note = f"({lost:,} of {49 + different:,} places)"
    assert any(note in text for text in dataset.notes) == (lost > 0)


def test_a_replacement_character_of_the_text_itself_stands_for_all_others():
    dataset = load(config(window=8), "ab\ufffdz" * 50)
    assert decode(encode("a?z", dataset), dataset) == "a\ufffdz"


def test_half_characters_become_replacement_characters():
    assert tokenise("a\ud800b", "characters") == ["a", "\ufffd", "b"]


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        (
            "",
            config(),
            r"holds 0 characters; 5 windows of 16 need at least 81; give a longer text$",
        ),
        ("a", config(), r"holds 1 character;"),
        (" \t ", config("words"), r"holds 0 words; 5 windows"),
        ("ab" * 40, config(), r"holds 80 characters; .* or set the window to at most 15$"),
        ("ab " * 60, config("words", 64), r"holds 60 words; .* at least 321; .* at most 11$"),
        ("a" * 500, config(), r"is 'a' over and over; at least 2 different characters"),
        ("so " * 500, config("words"), r"is 'so' over and over; at least 2 different words"),
        ("\u00e9" * 1_000_001, config(), r"2,000,002 bytes long; at most 2,000,000 .*a part of it"),
    ],
)
def test_what_cannot_be_learned_from_is_refused_with_a_way_out(text, settings, message):
    with pytest.raises(DataError, match=message):
        load(settings, text)


def test_the_window_that_a_refusal_offers_is_accepted():
    assert load(config(window=15), "ab" * 40).inputs.shape == (5, 15)


def test_what_the_network_never_saw_is_refused():
    dataset = load(config(), PANGRAM)
    with pytest.raises(DataError, match=r"never saw '#', '\+'; use only the 31 characters"):
        encode("a+#", dataset)


def test_the_sample_is_written_for_inside_and_outside():
    text = SAMPLES["lighthouse"].text()
    assert text.isascii()
    assert 6_000 <= len(text) <= 8_000
    for entry in text.split("\n\n"):
        assert entry.count('"') % 2 == 0
        assert deepest(entry) is not None
    assert max(deepest(entry) for entry in text.split("\n\n")) == 2
    inside = sum(map(len, text.split('"')[1::2]))
    assert 0.15 < inside / len(text) < 0.5


def deepest(text: str) -> int | None:
    """Depth of the brackets; None where one does not match."""
    pairs = {")": "(", "]": "["}
    open_brackets: list[str] = []
    depth = 0
    for character in text:
        if character in "([":
            open_brackets.append(character)
            depth = max(depth, len(open_brackets))
        elif character in pairs and (not open_brackets or open_brackets.pop() != pairs[character]):
            return None
    return None if open_brackets else depth


def test_the_log_is_written_alike_each_time_and_closes_what_it_opens():
    log = SAMPLES["log"].text()
    assert len(log) == 60_000
    assert log == logbook.write() != logbook.write(seed=1)
    assert log.startswith(logbook.write(500))
    whole = log[: log.rindex("\n\n")]
    assert whole.count('"') % 2 == 0
    assert whole.count("(") == whole.count(")") > 200
    assert whole.replace("\n", "").isprintable()


def test_in_the_log_quotes_hold_capitals_and_brackets_figures():
    log = SAMPLES["log"].text()
    for quoted in log.split('"')[1:-1:2]:
        assert quoted.isupper()
    for outside in log.split('"')[0::2]:
        assert not any(letter.isupper() for letter in outside)
    for bracketed in re.findall(r"\(([^)]*)\)", log):
        assert set(bracketed) <= set("0123456789 ")


@pytest.mark.parametrize("name", SAMPLES)
def test_every_built_in_text_can_be_learned_from(name):
    try:
        SAMPLES[name].text()
    except DataError:
        pytest.skip("this Python came without it")
    dataset = load(DataConfig(source="text", sample=name))
    assert dataset.source.title == SAMPLES[name].title
    assert len(dataset.inputs) * dataset.steps <= len(SAMPLES[name].text())
