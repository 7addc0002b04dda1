"""N-grams equal nltk's, perplexities are what they are called, and baselines know no more."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from nltk.lm import Laplace, WittenBellInterpolated
from nltk.lm.vocabulary import Vocabulary
from training_samples import make_dataset

from rnnviz.batches import prepare
from rnnviz.config import ModelConfig
from rnnviz.data.dataset import PARTS, Task
from rnnviz.evaluate import baselines, evaluate
from rnnviz.metrics import class_metrics
from rnnviz.model import SequenceModel
from rnnviz.ngrams import NOTHING, Bigram, Trigram, Unigram
from rnnviz.stepwise import READS
from rnnviz.windowed import Pairs, train_window_model

TEXT = "the cat sat on the mat and the dog sat on the cat while the cat ate a rat on a mat"
READ_WORDS = TEXT.split()
UNKNOWN = "<UNK>"  # which nltk counts as a word of every vocabulary
WORDS = sorted({*READ_WORDS, "never", "seen", UNKNOWN})
SIZE = len(WORDS)
READ = np.array([WORDS.index(word) for word in READ_WORDS])


def contexts_of(tokens):
    """Two before each token; the second token has one."""
    first = np.r_[NOTHING, tokens[:-2]]
    return np.stack((first, tokens[:-1]), axis=1), tokens[1:]


@pytest.fixture(scope="module")
def ours():
    contexts, targets = contexts_of(READ)
    one = Unigram(targets, SIZE)
    two = Bigram(one, contexts, targets)
    return {1: one, 2: two, 3: Trigram(two, contexts, targets)}


@pytest.fixture(scope="module")
def theirs():
    """nltk's, fed the same n-grams; below the bigram stands nltk's Laplace in place of shares."""
    vocabulary = Vocabulary([word for word in WORDS if word != UNKNOWN], unk_cutoff=1)
    assert len(vocabulary) == SIZE
    contexts, targets = contexts_of(READ)
    grams = []
    for (first, second), target in zip(contexts, targets, strict=True):
        one, two = (WORDS[target],), (WORDS[second], WORDS[target])
        three = () if first == NOTHING else ((WORDS[first], *two),)
        grams.append([one, two, *three])
    low = Laplace(1, vocabulary=vocabulary)
    model = WittenBellInterpolated(3, vocabulary=vocabulary)
    low.fit([[g for g in some if len(g) == 1] for some in grams])
    model.fit(grams)
    model.estimator.unigram_score = low.unmasked_score
    return low, model


def test_shares_equal_nltks(ours, theirs):
    low, model = theirs
    checked = 0
    for w, word in enumerate(WORDS):
        assert told(ours[1], (0, 0), w) == pytest.approx(low.unmasked_score(word), rel=1e-12)
        for b, before in enumerate(WORDS):
            expected = model.unmasked_score(word, (before,))
            assert told(ours[2], (NOTHING, b), w) == pytest.approx(expected, rel=1e-12)
            for a in range(SIZE):
                expected = model.unmasked_score(word, (WORDS[a], before))
                assert told(ours[3], (a, b), w) == pytest.approx(expected, rel=1e-12)
                checked += 1
    assert checked == SIZE**3


def told(model, context, target):
    return float(model.tell(np.array([context]), np.array([target])).shares[0])


@pytest.mark.parametrize("order", [1, 2, 3])
def test_shares_sum_to_one_and_the_likeliest_is_the_largest(ours, order):
    targets = np.arange(SIZE)
    for a in [NOTHING, *range(SIZE)]:
        for b in range(SIZE):
            found = ours[order].tell(np.tile((a, b), (SIZE, 1)), targets)
            assert found.shares.sum() == pytest.approx(1, abs=1e-12)
            assert set(found.likeliest) == {int(found.shares.argmax())} or (
                found.shares[found.likeliest[0]] == pytest.approx(found.shares.max(), rel=1e-12)
            )


def test_a_trigram_of_texts_of_one_token_is_the_bigram(ours):
    empty = Trigram(ours[2], np.array([[NOTHING, 3]]), np.array([1]))
    contexts, targets = contexts_of(READ)
    np.testing.assert_array_equal(
        empty.tell(contexts, targets).shares, ours[2].tell(contexts, targets).shares
    )


# -- perplexity ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [2, 7, 500])
def test_a_uniform_model_has_a_perplexity_of_the_vocabulary(size):
    true = np.random.default_rng(0).integers(0, size, 200)
    found = class_metrics(true, np.full((200, size), 1 / size))
    assert found["perplexity"] == pytest.approx(size, rel=1e-6)


def untrained(dataset):
    config = ModelConfig(hidden_size=4, attention="none")
    size = len(dataset.vocabulary)
    return SequenceModel(config, inputs=size, outputs=size, covariates=0, task=Task.NEXT_TOKEN)


@pytest.mark.parametrize("carried", [False, True])
def test_a_network_that_says_nothing_has_a_perplexity_of_the_vocabulary(carried):
    prepared = prepare(text(carried), seed=0)
    model = untrained(prepared.dataset)
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.fill_(3.0)
    for part in PARTS:
        metrics = evaluate(model, prepared, part)[0].metrics
        assert metrics["perplexity"] == pytest.approx(5, rel=1e-6)
        assert metrics["loss"] == pytest.approx(math.log(5), rel=1e-6)


def test_perplexity_is_exp_of_the_mean_loss_whoever_predicts():
    prepared = prepare(text(True), seed=0)
    scores = [*baselines(prepared), evaluate(untrained(prepared.dataset), prepared, "test")[0]]
    assert {s.predictor for s in scores} >= {"unigram", "bigram", "trigram", "window model"}
    for score in scores:
        assert score.metrics["perplexity"] == pytest.approx(math.exp(score.metrics["loss"]))


def text(carried=False, n=60):
    dataset = make_dataset(Task.NEXT_TOKEN, n=n)
    if not carried:
        return dataset
    parts = ("train",) * (n - 22) + ("validation",) * 10 + ("test",) * 12
    return replace(dataset, parts=parts, carried=True)


# -- on data sets ----------------------------------------------------------------------------------


@pytest.mark.parametrize("carried", [False, True])
def test_every_predictor_is_scored_on_every_part_as_by_hand(carried):
    prepared = prepare(text(carried), seed=0)
    scores = {(s.predictor, s.part): s.metrics for s in baselines(prepared)}
    names = ("unigram", "bigram", "trigram", "window model")
    assert set(scores) == {(name, part) for name in names for part in PARTS}
    read = {part: by_hand(prepared, part) for part in PARTS}
    contexts, targets = read["train"]
    one = Unigram(targets, 5)
    two = Bigram(one, contexts[:, -2:], targets)
    three = Trigram(two, contexts[:, -2:], targets)
    for name, model in {"unigram": one, "bigram": two, "trigram": three}.items():
        for part, (seen, true) in read.items():
            shares = model.tell(seen[:, -2:], true).shares
            assert scores[name, part]["loss"] == pytest.approx(-np.log(shares).mean(), rel=1e-9)


def by_hand(prepared, part):
    """The READS tokens up to each step, and its target, row by row."""
    dataset, rows = prepared.dataset, prepared.part(part)
    contexts, targets = [], []
    for k, row in enumerate(rows):
        known = [NOTHING] * (READS - 1)
        if dataset.carried and k:
            known = dataset.inputs[rows[k - 1]].tolist()
        for t in range(dataset.steps):
            known.append(int(dataset.inputs[row, t]))
            contexts.append(known[-READS:])
            targets.append(int(dataset.targets[row, t]))
    return np.array(contexts), np.array(targets)


def test_more_memory_does_better_where_it_helps():
    """Each token is the sum of the two before, mod 5: a trigram knows, a bigram cannot."""
    tokens = [1, 2]
    rng = np.random.default_rng(2)
    for _ in range(1200):
        noise = int(rng.random() < 0.1)
        tokens.append((tokens[-1] + tokens[-2] + noise) % 5)
    tokens = np.array(tokens[:1201])
    dataset = replace(
        make_dataset(Task.NEXT_TOKEN, n=100),
        inputs=tokens[:-1].reshape(100, 12),
        targets=tokens[1:].reshape(100, 12),
    )
    scores = {(s.predictor, s.part): s.metrics["loss"] for s in baselines(prepare(dataset, 0))}
    assert scores["bigram", "test"] > 1.2
    assert scores["trigram", "test"] < 0.65
    assert scores["window model", "test"] < 0.75


def test_the_window_model_is_the_same_each_time_and_keeps_its_best_epoch():
    contexts, targets = by_hand(prepare(text(), seed=0), "train")
    before = torch.from_numpy(np.where(contexts == NOTHING, 5, contexts))
    pairs = Pairs(before, torch.from_numpy(targets))
    held_out = Pairs(*(values[:60] for values in pairs))
    models = [train_window_model(pairs, held_out, 5) for _ in range(2)]
    shares = [torch.cat(list(model.shares(pairs[0]))) for model in models]
    assert torch.equal(*shares)
    assert shares[0].sum(dim=1) == pytest.approx(np.ones(len(targets)), abs=1e-6)
    # of what is held out here no epoch but the first can be the best
    wrong = Pairs(held_out.contexts, (held_out.targets + 2) % 5)
    early = train_window_model(pairs, wrong, 5)
    longer = torch.cat(list(models[0].shares(wrong[0])))
    first = torch.cat(list(early.shares(wrong[0])))
    assert loss_of(first, wrong[1]) < loss_of(longer, wrong[1])


def loss_of(shares, true):
    return -shares.gather(1, true[:, None]).log().mean().item()
