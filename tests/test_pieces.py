"""Byte pairs: nothing is lost, the same text gives the same pieces, and they learn on a prefix."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from test_labelled import films

from rnnviz.config import DataConfig
from rnnviz.data import pieces
from rnnviz.data.dataset import split_of
from rnnviz.data.labelled import find_labelled
from rnnviz.data.stored import kept
from rnnviz.data.text import LEARNED, SAMPLES, decode, encode, load
from rnnviz.errors import DataError

ROOT = Path(__file__).resolve().parents[1]
LIGHTHOUSE = SAMPLES["lighthouse"].text()
MERGES = pieces.learn(LIGHTHOUSE, 400)


def config(**values):
    return DataConfig(source="text", tokens="pieces", **{"pieces": 300, "window": 16, **values})


def any_text(seed: int, length: int = 300) -> str:
    """Characters from everywhere but the surrogates."""
    rng = np.random.default_rng(seed)
    points = rng.choice([128, 0x800, 0xD800, 0x10FFFF - 0x800], length)
    drawn = rng.integers(0, points)
    return "".join(chr(point if point < 0xD800 else point + 0x800) for point in drawn)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "\n\n\t ", "the keeper", LIGHTHOUSE, "\x00\x1b[31m", "\ufeffa", "\u00e9\u0301"),
        *("\u202ehidden\u200d", "\U0001f469\u200d\U0001f680 <b>|*", "\r\n\r"),
        *(any_text(seed) for seed in range(20)),
    ],
)
def test_a_text_comes_back_as_it_was_from_its_pieces(text):
    found = pieces.cut(text, MERGES)
    assert pieces.joined(found, MERGES) == text
    assert b"".join(pieces.bytes_of(MERGES)[k] for k in found) == text.encode()


def test_merges_are_applied_in_their_order():
    """By hand: in each word the earliest merge that fits is done, again and again."""
    raw = pieces.bytes_of(MERGES)
    place = {piece: number for number, piece in enumerate(raw)}
    rank = {(raw[a], raw[b]): k for k, (a, b) in reversed(list(enumerate(MERGES)))}
    for word in ("the", " keeper", " lamp", " lighthouse", " quarrelsome", "\n"):
        parts = [bytes([byte]) for byte in word.encode()]
        while pairs := [(rank[pair], k) for k, pair in enumerate(pairwise(parts)) if pair in rank]:
            _, k = min(pairs)
            parts[k : k + 2] = [parts[k] + parts[k + 1]]
        assert pieces.cut(word, MERGES).tolist() == [place[part] for part in parts]


def test_the_first_merge_is_of_the_commonest_pair():
    first = pieces.learn("xyxyxyxyxy zz", 257)
    assert first == ((ord("x"), ord("y")),)
    assert pieces.names_of(first)[256] == "xy"


def test_there_are_as_many_pieces_as_were_asked_for_or_as_there_can_be():
    for size in (256, 257, 300, 400):
        assert len(pieces.bytes_of(pieces.learn(LIGHTHOUSE, size))) == size
    assert len(pieces.bytes_of(pieces.learn("abab", 400))) == 257


def test_names_are_texts_where_they_can_be_and_no_two_are_alike():
    by_hand = ((ord("["), ord("E")), (256, ord("2")), (257, ord("]")), (0xE2, 0x80))
    merges = pieces.learn("\u201cso\u201d \u201cso\u201d " * 20, 300)
    names, by_text = pieces.names_of(by_hand), pieces.names_of(merges)
    assert len(set(by_text)) == len(by_text) == len(pieces.bytes_of(merges))
    assert names[ord("a")] == "a"
    assert names[0xE2] == "[E2]"
    assert names[256:] == ("[E", "[E2", "[[E2]]", "[E2 80]")  # the third is a text's own
    assert "\u201c" in by_text


def test_another_process_learns_the_same_pieces():
    code = (
        "from rnnviz.data import pieces; from rnnviz.data.text import SAMPLES;"
        "print(pieces.learn(SAMPLES['lighthouse'].text(), 400))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == str(MERGES)


# -- as sequences ----------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [None, "a\tb \u00e9\u4e2d\U0001f600\n" * 200])
def test_windows_decode_to_the_text(text):
    dataset = load(config(window=8), text)
    whole = LIGHTHOUSE if text is None else text
    given = decode(dataset.inputs.ravel(), dataset)
    assert whole.startswith(given.rstrip("\ufffd"))  # the last piece may be half a character
    np.testing.assert_array_equal(dataset.targets.ravel()[:-1], dataset.inputs.ravel()[1:])
    assert decode(encode(whole, dataset), dataset) == whole
    assert dataset.vocabulary == pieces.names_of(dataset.merges)
    assert dataset.features[0].unit == "piece"


def test_pieces_are_learned_from_the_training_part_alone():
    dataset = load(config())
    split = split_of(dataset, seed=5)
    first = LIGHTHOUSE[: round(LEARNED * len(LIGHTHOUSE))]
    assert dataset.merges == pieces.learn(first, 300)
    trained = decode(dataset.inputs[split.train].ravel(), dataset)
    assert trained.startswith(first)
    order = np.concatenate([split.train, split.validation, split.test])
    np.testing.assert_array_equal(order, np.arange(len(dataset.ids)))
    assert len(split.test) / len(order) == pytest.approx(0.2, abs=0.03)
    assert any("follow each other in the text" in note for note in dataset.notes)


def test_what_was_never_seen_can_be_read_all_the_same():
    dataset = load(config(), "plain words and nothing else " * 80)
    strange = "\u4e2d\u6587 \U0001f600"
    assert decode(encode(strange, dataset), dataset) == strange


def test_too_short_a_text_is_refused_with_a_way_out():
    with pytest.raises(DataError, match=r"holds \d+ pieces; 8 windows of 64 need at least 513"):
        load(config(window=64), "ab cd ef " * 40)
    with pytest.raises(DataError, match="fit the rest of it so well that no window is left"):
        load(config(window=8), "".join(chr(0x4E00 + k) for k in range(200)) + "a" * 300)


def test_too_few_pairs_are_told():
    dataset = load(config(pieces=2000), "ab cd ef gh " * 60)
    assert len(dataset.vocabulary) < 300
    assert any("often enough to make 2,000 pieces" in note for note in dataset.notes)


def test_labelled_texts_are_cut_and_kept_in_pieces(tmp_path):
    settings = DataConfig(source="file", tokens="pieces", pieces=300, window=8)
    labelled = find_labelled(films(), settings, "films.tsv")
    dataset = labelled.as_sequences(settings)
    row = int(np.argmax(dataset.lengths))
    read = decode(dataset.inputs[row, : dataset.lengths[row]], dataset)
    assert labelled.texts[row].startswith(read)
    assert any("Of " in note and "8 pieces are read" in note for note in dataset.notes)
    again = kept(tmp_path, settings, lambda: dataset)
    assert kept(tmp_path, settings, lambda: 1 / 0).merges == again.merges == dataset.merges
