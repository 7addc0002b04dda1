"""The network that translates: all its kinds against one that steps alone; padding does nothing."""

from itertools import product

import pytest
import torch
from torch import Tensor

from rnnviz.cells import CELLS
from rnnviz.config import ATTENTIONS, ModelConfig, TranslationConfig
from rnnviz.data.parallel import END, PAD, START
from rnnviz.errors import ConfigError
from rnnviz.translation.model import Translator, losses_of, true_before
from rnnviz.translation.settings import weights
from tests.plain_translator import Plain

SOURCES = [[4, 5, 6, 7], [8], [5, 4, 8]]
TARGETS = [[4, END], [5, 6, 7, END], [END]]
SIZES = {"source_size": 9, "target_size": 8}

READS = ("state", "token", "all")
SWITCHES = [  # decoder_reads, shared_weights, reversed_input, bidirectional, embedding
    *product(READS, (False,), (False, True), (False, True), (0, 5)),
    *product(READS, (True,), (False, True), (False,), (5,)),
]
KINDS = [  # every cell with every attention; the switches in turn, so that each stands there
    (cell, attention, *SWITCHES[number % len(SWITCHES)])
    for number, (cell, attention) in enumerate(product(CELLS, ATTENTIONS))
]


def network(
    cell="lstm", attention="general", reads="token", shared=False, back=False, both=False,
    embedding=5, *, layers=2, size=7, seed=3, **more,
) -> Translator:  # fmt: skip
    return Translator(
        ModelConfig(
            cell=cell,
            hidden_size=size,
            layers=layers,
            attention=attention,
            bidirectional=both,
            embedding=embedding,
            **more,
        ),
        TranslationConfig(decoder_reads=reads, shared_weights=shared, reversed_input=back),
        **SIZES,
        seed=seed,
    )


def padded(texts: list[list[int]], fill: int = PAD) -> Tensor:
    rows = torch.full((max(map(len, texts)), len(texts)), fill)
    for number, text in enumerate(texts):
        rows[: len(text), number] = torch.tensor(text)
    return rows


LENGTHS = torch.tensor([len(source) for source in SOURCES])


def said(model: Translator, sources: Tensor | None = None) -> Tensor:
    encoded = model.encode(padded(SOURCES) if sources is None else sources, LENGTHS)
    return model.decode(encoded, true_before(padded(TARGETS))).logits


def test_all_switches_are_among_the_kinds() -> None:
    assert {kind[2:] for kind in KINDS} == set(SWITCHES)
    assert {kind[:2] for kind in KINDS} == set(product(CELLS, ATTENTIONS))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind)))
def test_a_padded_batch_says_what_each_pair_says_alone_step_by_step(kind) -> None:
    model = network(*kind).double()
    plain = Plain(model.state_dict(), model.config, model.translation)
    with torch.no_grad():
        found = said(model)
        losses = losses_of(found, padded(TARGETS))
    for row, (source, target) in enumerate(zip(SOURCES, TARGETS, strict=True)):
        alone = plain.logits(source, [START, *target[:-1]])
        assert torch.allclose(found[row, : len(target)], alone, rtol=0, atol=1e-12)
        expected = torch.nn.functional.cross_entropy(alone, torch.tensor(target), reduction="none")
        assert torch.allclose(losses[row, : len(target)], expected, rtol=0, atol=1e-12)
        assert (losses[row, len(target) :] == 0).all()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("both", [False, True])
def test_what_stands_in_the_padding_changes_nothing_at_all(cell: str, both: bool) -> None:
    """Not a bit of logits and gradients; with large weights, which is the hard case."""
    grads, logits = [], []
    for fill in (PAD, 7):
        model = network(cell, "additive", "all", both=both)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                weight *= 3.0 if "rnn" in name else 1.0
        found = said(model, padded(SOURCES, fill))
        losses_of(found, padded(TARGETS)).sum().backward()
        logits.append(found)
        grads.append([weight.grad for weight in model.parameters()])
        # nobody read the token that stands for padding
        assert (model.source_embedding.weight.grad[PAD] == 0).all()
    assert (logits[0] == logits[1]).all()
    assert all((one == other).all() for one, other in zip(*grads, strict=True))


@pytest.mark.parametrize("attention", [kind for kind in ATTENTIONS if kind != "none"])
def test_padding_is_never_attended(attention: str) -> None:
    model = network(attention=attention)
    encoded = model.encode(padded(SOURCES), LENGTHS)
    attended = model.decode(encoded, true_before(padded(TARGETS))).attended
    for row, length in enumerate(LENGTHS):
        assert (attended.weights[row, :, length:] == 0).all()
        assert (attended.scores[row, :, length:] == -torch.inf).all()
        assert torch.allclose(attended.weights[row].sum(dim=-1), torch.ones(4))
        assert (encoded.annotations[row, length:] == 0).all()


@pytest.mark.parametrize("cell", CELLS)
def test_a_memory_that_is_held_is_the_very_one(cell: str) -> None:
    """Final states in a padded batch are bit for bit those of the text in a batch as long as it."""
    model = network(cell, layers=1)
    encoded = model.encode(padded(SOURCES), LENGTHS)
    short = padded([SOURCES[1]] * 3)
    alone = model.encode(short, torch.ones(3, dtype=torch.int64))
    for held, whole in zip(encoded.finals[0], alone.finals[0], strict=True):
        assert torch.allclose(held[1], whole[1], rtol=0, atol=1e-7)


def test_shared_weights_are_one_set_under_two_names() -> None:
    shared, apart = network(shared=True, reads="all"), network(reads="all")
    state = shared.state_dict()
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"):
        assert state[f"encoder.1.0.rnn.{name}"] is not None
        both = (state[f"{place}.0.rnn.{name}"] for place in ("encoder.0", "decoder"))
        one, other = both
        assert one.data_ptr() == other.data_ptr()
    assert set(state) == set(apart.state_dict())


def test_greedy_is_the_plain_argmax_until_the_end() -> None:
    model = network(seed=11).double()
    with torch.no_grad():  # so that they end at different steps
        model.head.bias[END] += 1.5
        model.head.weight *= 12
    plain = Plain(model.state_dict(), model.config, model.translation)
    found = model.greedy(model.encode(padded(SOURCES), LENGTHS), 6).T
    lengths = []
    for row, source in enumerate(SOURCES):
        read, told = [START], []
        while len(told) < 6 and END not in told:
            told.append(int(plain.logits(source, read)[-1].argmax()))
            read.append(told[-1])
        lengths.append(len(told))
        row_said = found[row].tolist()
        assert row_said[: len(told)] == told
        assert set(row_said[len(told) :]) <= {PAD}
    assert lengths == [4, 1, 1]


def test_without_forcing_the_decoder_reads_what_it_says_itself() -> None:
    model = network().double()
    targets = padded(TARGETS)
    encoded = model.encode(padded(SOURCES), LENGTHS)
    none = model.reads(encoded, targets, torch.zeros(4, 3, dtype=torch.bool))
    own = model.decode(encoded, none).logits.argmax(dim=-1).T
    assert (none[0] == START).all()
    assert (none[1:] == own[:-1]).all()
    coins = torch.tensor([[1, 1, 1], [0, 1, 0], [1, 0, 0], [0, 1, 1]], dtype=torch.bool)
    mixed = model.reads(encoded, targets, coins)
    own = model.decode(encoded, mixed).logits.argmax(dim=-1).T
    assert (mixed[1:] == torch.where(coins[1:], targets[:-1], own[:-1])).all()
    assert (model.reads(encoded, targets, coins | True) == true_before(targets)).all()


def test_weights_begin_alike_whatever_was_drawn_before() -> None:
    first = network(seed=5).state_dict()
    before = torch.get_rng_state()
    again = network(seed=5).state_dict()
    assert (torch.get_rng_state() == before).all()
    assert all((first[name] == again[name]).all() for name in first)
    assert (first["head.weight"] != network(seed=6).state_dict()["head.weight"]).any()
    identity = network("rnn-relu", recurrent_start="identity").state_dict()
    assert (identity["decoder.1.rnn.weight_hh_l0"] == torch.eye(7)).all()
    assert (identity["encoder.0.0.rnn.bias_ih_l0"] == 0).all()


@pytest.mark.parametrize("kind", KINDS[:: len(KINDS) // 12], ids=str)
def test_weights_are_counted_before_anything_is_built(kind) -> None:
    model = network(*kind)
    counted = weights(model.config, model.translation, **SIZES)
    assert counted == sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"shared": True, "both": True}, "but bidirectional is on"),
        ({"shared": True, "embedding": 0}, r"but embedding is 0 \(one-hot\)"),
        ({"both": True, "size": 1}, "two directions need at least 2 units"),
    ],
)
def test_what_does_not_go_together_is_refused(settings, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        network(**settings)
