"""The NumPy encoder and decoder against plain loops, and what attention must keep to."""

import numpy as np
import pytest
from translation_samples import SOURCES, arrays, config, network, plain_decoder, plain_encoder

from rnnviz.data.parallel.text import END, START
from rnnviz.errors import RunError
from rnnviz.translation.decoding import chances, write, write_many
from rnnviz.translation.errors import upto_end
from rnnviz.translation.network import Network

KINDS = {
    "usual": ({}, {}),
    "dot": ({"attention": "dot"}, {}),
    "general, GRU": ({"attention": "general", "cell": "gru"}, {}),
    "no attention": ({"attention": "none"}, {"decoder_reads": "all"}),
    "one-hot": ({"embedding": 0}, {}),
    "deep, both directions": ({"layers": 2, "bidirectional": True, "hidden_size": 5}, {}),
    "backwards": ({"cell": "rnn"}, {"reversed_input": True}),
    "backwards in both directions": ({"bidirectional": True}, {"reversed_input": True}),
    "state only": ({"cell": "gru"}, {"decoder_reads": "state"}),
    "told all": ({"layers": 2}, {"decoder_reads": "all"}),
    "one network": ({"layers": 2}, {"shared_weights": True, "decoder_reads": "all"}),
    "one network, one-hot": ({"embedding": 0}, {"shared_weights": True}),
}
SENTENCES = ([4, 5, 8, 3, 6, 7], [4, 4, 6], [7])


SOME = {name: KINDS[name] for name in ("usual", "no attention", "deep, both directions")}
SOME["backwards, dot"] = ({"cell": "rnn", "attention": "dot"}, {"reversed_input": True})


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def settings(request):
    return config(*request.param)


@pytest.fixture(params=SOME.values(), ids=SOME)
def some(request):
    return config(*request.param)


def padded(sentences=SENTENCES):
    lengths = np.array([len(one) for one in sentences])
    tokens = np.zeros((len(sentences), lengths.max()), dtype=int)
    for row, one in zip(tokens, sentences, strict=True):
        row[: len(one)] = one
    return tokens, lengths


def test_encoder_and_decoder_do_what_plain_loops_do(settings):
    held, net = arrays(settings), network(settings)
    encoded = net.encode(*padded())
    written = (5, 4, 6, 3, END)
    for k, sentence in enumerate(SENTENCES):
        annotations, lasts = plain_encoder(settings, held, sentence)
        np.testing.assert_allclose(encoded.annotations[k, : len(sentence)], annotations, atol=1e-12)
        for layer, last in zip(encoded.last, lasts, strict=True):
            for ours, theirs in zip(layer, last, strict=True):
                np.testing.assert_allclose(ours[k], theirs, atol=1e-12)
        one = encoded.take(np.array([k]))
        out = write(net, one, longest=9, given=written)
        assert out.tokens == written
        for t, said in enumerate(plain_decoder(settings, held, sentence, written)):
            np.testing.assert_allclose(np.exp(out.log_probabilities[t]), said["p"], atol=1e-12)
            if settings.model.attention != "none":
                n = len(sentence)
                np.testing.assert_allclose(out.scores[t, :n], said["scores"], atol=1e-12)
                np.testing.assert_allclose(out.weights[t, :n], said["weights"], atol=1e-12)
                np.testing.assert_allclose(out.steps[t].context[0], said["context"], atol=1e-12)


def test_every_row_sums_to_1_and_padding_is_never_attended(settings):
    if settings.model.attention == "none":
        return
    net = network(settings)
    tokens, lengths = padded()
    encoded = net.encode(tokens, lengths)
    step = net.step(encoded, encoded.last, np.full(len(lengths), START))
    there = np.arange(tokens.shape[1]) < lengths[:, None]
    np.testing.assert_allclose(step.weights.sum(axis=1), 1.0, atol=1e-14)
    assert (step.weights[~there] == 0).all()
    assert np.isneginf(step.scores[~there]).all()
    assert (step.weights[there] > 0).all()


def test_what_stands_in_the_padding_changes_nothing(some):
    net = network(some)
    tokens, lengths = padded()
    other = np.where(np.arange(tokens.shape[1]) < lengths[:, None], tokens, 5)
    ours, theirs = (write_many(net, net.encode(t, lengths), longest=8) for t in (tokens, other))
    np.testing.assert_array_equal(ours, theirs)


def test_many_at_once_are_written_as_one_by_one(some):
    net = network(some, scale=1.5)
    encoded = net.encode(*padded())
    together = write_many(net, encoded, longest=8)
    for k in range(len(SENTENCES)):
        alone = write(net, encoded.take(np.array([k])), longest=8)
        assert upto_end(together[k]) == alone.tokens or (
            not alone.ended and tuple(together[k]) == alone.tokens
        )
        assert list(alone.tokens) == alone.log_probabilities.argmax(axis=1).tolist()


def test_the_chance_of_an_output_is_the_sum_of_its_tokens(some):
    net = network(some)
    tokens, lengths = padded()
    targets = np.array([[4, 5, END, 0], [6, END, 0, 0], [5, 5, 5, END]])
    found = chances(net, net.encode(tokens, lengths), targets)
    for k, sentence in enumerate(SENTENCES):
        one = net.encode(np.array([sentence]), np.array([len(sentence)]))
        out = write(net, one, longest=9, given=upto_end(targets[k]))
        assert found[k] == pytest.approx(out.chosen.sum(), abs=1e-12)


def test_a_given_row_of_weights_replaces_the_computed_one_and_acts_on_what_follows():
    settings = config()
    held, net = arrays(settings), network(settings)
    source = SENTENCES[0]
    encoded = net.encode(np.array([source]), np.array([len(source)]))
    row = np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    out = write(net, encoded, longest=6, rows={1: row})
    np.testing.assert_array_equal(out.weights[1], row)
    assert (out.computed[1] != row).all()
    np.testing.assert_array_equal(out.steps[1].context[0], encoded.annotations[0, 3])
    assert set(out.rows) == {1}
    for t, said in enumerate(plain_decoder(settings, held, source, out.tokens, {1: row})):
        np.testing.assert_allclose(np.exp(out.log_probabilities[t]), said["p"], atol=1e-12)
        assert out.tokens[t] == said["p"].argmax()


def test_weights_that_are_missing_are_told_of():
    settings = config()
    held = arrays(settings)
    del held["decoder.0.rnn.bias_hh_l0"]
    with pytest.raises(RunError, match="cannot be read"):
        Network.of(held, settings, SOURCES)
