"""Texts on the Data and Train pages: vocabulary, merges, a line cut live, what a network writes."""

import json

import pytest
from driven import TOKENS, complaints, opened, sound, words

from rnnviz.config import DataConfig
from rnnviz.data import installed
from rnnviz.data.text import encode, load

PIECES = {"source": "Text", "tokens": "pieces (byte pairs)", "pieces": "300"}


def sent(app, key):
    """What a component of ours was sent, by its key."""
    (found,) = [part for part in app.get("bidi_component") if key in part.proto.id]
    return json.loads(found.proto.bytes)


def test_pieces_are_shown_with_their_merges():
    app = opened("data", **PIECES)
    dataset = load(DataConfig(source="text", tokens="pieces", pieces=300))
    table, merges = (frame.value for frame in app.dataframe)
    assert table["count"].sum() == dataset.inputs.size
    assert table["share"].sum() == pytest.approx(100)
    assert sorted(table["id"]) == list(range(300))
    assert [repr(dataset.vocabulary[k]) for k in table["id"]] == table["token"].tolist()
    assert merges["merge"].tolist() == list(range(1, len(dataset.merges) + 1))
    row = merges.iloc[0]
    assert (row["left"] + row["right"]).replace("''", "") == row["piece"]
    told = words(app).replace("\\", "")
    assert "300 pieces: the 256 bytes, and 44 by merges" in told
    assert app.number_input(key="pieces").value == 300


@pytest.mark.parametrize("tokens", ["characters", "words", "pieces (byte pairs)"])
def test_a_line_of_ones_own_is_cut_as_the_network_reads_it(tokens):
    app = opened("data", **{**PIECES, "tokens": tokens})
    line = "the keeper of the light"
    app = sound(app.text_input(key="own_line").set_value(line).run())
    kind = tokens.split()[0]
    dataset = load(DataConfig(source="text", tokens=kind, pieces=300))
    found = encode(line, dataset)
    assert f"23 characters are {len(found)} {kind}" in words(app)
    assert ", ".join(str(k) for k in found[:60]) in words(app)


def test_a_line_that_was_never_seen_is_told_and_pieces_take_it():
    strange = "<b>\u202e\U0001f600</b>"
    app = opened("data", source="Text")
    app = sound(app.text_input(key="own_line").set_value(strange).run())
    assert "the network never saw" in words(app)
    app = opened("data", **PIECES)
    app = sound(app.text_input(key="own_line").set_value(strange).run())
    assert f"{len(strange)} characters are " in words(app)


@pytest.mark.parametrize("tokens", ["characters", "words", "pieces (byte pairs)"])
def test_a_text_file_is_taken(tokens):
    app = opened("data", which_text="My own", **{**TOKENS, **PIECES, "tokens": tokens})
    text = "to be or not to be, that is the question\r\n" * 60
    app = sound(app.file_uploader[0].set_value(("hamlet.txt", text.encode(), "")).run())
    assert complaints(app) == []
    assert "Your own text" in words(app)
    assert app.query_params["text"]


def test_a_text_file_that_is_too_long_or_no_text_is_told():
    app = opened("data", which_text="My own", **TOKENS)
    app = sound(app.file_uploader[0].set_value(("a.txt", b"ab " * 700_000, "")).run())
    assert any("at most 2 MB are kept" in said for said in [*complaints(app), words(app)])
    app = sound(app.file_uploader[0].set_value(("b.txt", b"\xff\xfe\x00" * 500, "")).run())
    assert "Your own text" in words(app)


def test_where_python_came_without_its_texts_one_sentence_says_so(monkeypatch):
    monkeypatch.setattr(installed, "MODULES", ("no_such_module",))
    app = opened("data", source="Text", sample="Python's library, 400,000 characters")
    assert "this installation of Python has no library source to read" in str(
        [*complaints(app), words(app)]
    )


def test_a_network_of_embedded_pieces_is_trained_and_what_it_writes_is_shown(trained):
    run = trained("pieces")
    view = run.view()
    assert [one.epoch for one in view.samples] == [0, 1]
    app = opened(run=run.id)
    assert "What it writes" in words(app)
    shown = sent(app, "written")
    assert [one["title"] for one in shown] == ["after epoch 1", "before training"]
    assert [one["text"] for one in shown] == [one.text for one in view.samples[::-1]]
    assert {"unigram", "bigram", "trigram", "window model"} <= set(app.table[0].value.index)


def test_attention_and_a_state_that_is_carried_on_are_refused():
    app = opened(source="Text", carried="true", attention="dot")
    assert "dot attention sees one window only" in app.error[0].value.replace("\\", "")
    assert app.button(key="do_train").disabled


def test_numbers_are_not_embedded():
    app = opened(people="60", embedding="8")
    assert "these data are numbers and no tokens" in app.error[0].value.replace("\\", "")
    assert app.button(key="do_train").disabled
