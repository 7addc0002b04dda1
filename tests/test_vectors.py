"""Words as vectors: gradients against autograd, what is drawn, and what is learned."""

import dataclasses
import math
import re
from collections import Counter
from collections.abc import Iterator
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.manifold import trustworthiness

from rnnviz.bench import vectors as bench
from rnnviz.cli import main
from rnnviz.config import SAMPLES, VectorsConfig
from rnnviz.data import text as texts
from rnnviz.data.uploads import store_text
from rnnviz.errors import DataError, RunError
from rnnviz.events import BatchEnded, Checkpointed, Event, Finished, Found, RunView, Snapshot
from rnnviz.vectors import grammar, maps, objectives, training, worked
from rnnviz.vectors.corpus import Corpus, keep_shares, noise, read
from rnnviz.vectors.objectives import Learned
from rnnviz.vectors.run import fit, fit_stored
from rnnviz.vectors.settings import (
    MOST_BYTES,
    MOST_KEPT,
    bytes_of,
    corpus_of,
    settings,
    stride,
)
from rnnviz.vectors.space import Space, answered, principal, turned, unit
from rnnviz.vectors.told import SOLVED, curve, curves, reach, solved, space_of
from rnnviz.vectors.training import SQUARES, first_weights, lesson, rate_at, vectors_of
from rnnviz.vectors.windows import (
    NOBODY,
    Kept,
    cooccurrences,
    kept_words,
    negatives,
    neighbours,
)
from rnnviz.wishes import Wishes

V, D, B, K, X_MAX = 7, 5, 12, 4, 3.0
METHODS = ("skipgram", "cbow", "glove")
SMALL = VectorsConfig(text_words=4_000, dimensions=6, negatives=3, min_count=6)


def weights_of(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = {"word": (V, D), "context": (V, D), "word_bias": (V,), "context_bias": (V,)}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


def dense(learned: Learned, like: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    found = {name: np.zeros_like(values) for name, values in like.items()}
    for name, (rows, values) in learned.gradients.items():
        assert (np.diff(rows) > 0).all()
        found[name][rows] = values
    return found


def drawn_examples(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres, contexts of different lengths, and targets; some negatives are the true word."""
    rng = np.random.default_rng(seed)
    contexts = rng.integers(0, V, (B, 6))
    contexts[rng.random(contexts.shape) < 0.4] = NOBODY
    contexts[:, 0] = rng.integers(0, V, B)
    targets = rng.integers(0, V, (B, 1 + K))
    targets[0, 2] = targets[0, 0]
    assert (targets[:, 1:] == targets[:, :1]).sum() > 1
    return rng.integers(0, V, B), contexts, targets


def loss_of_scores(vectors: torch.Tensor, w: dict, targets: np.ndarray) -> torch.Tensor:
    """The mean-free loss of negative sampling, written out with torch's own logsigmoid."""
    scores = (vectors[:, None] * w["context"][torch.tensor(targets)]).sum(-1)
    true = torch.nn.functional.logsigmoid(scores[:, 0])
    counts = torch.tensor(targets[:, 1:] != targets[:, :1])
    drawn = (torch.nn.functional.logsigmoid(-scores[:, 1:]) * counts).sum(-1)
    return -(true + drawn)


def by_autograd(method: str, weights: dict, seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    centres, contexts, targets = drawn_examples(seed)
    w = {name: torch.tensor(values, requires_grad=True) for name, values in weights.items()}
    if method == "skipgram":
        losses = loss_of_scores(w["word"][torch.tensor(centres)], w, targets)
    elif method == "cbow":
        means = [w["word"][torch.tensor(row[row != NOBODY])].mean(0) for row in contexts]
        losses = loss_of_scores(torch.stack(means), w, targets)
    else:
        i, j = torch.tensor(centres), torch.tensor(targets[:, 0])
        x = torch.tensor(counts_of(seed))
        inner = (w["word"][i] * w["context"][j]).sum(-1) + w["word_bias"][i] + w["context_bias"][j]
        losses = torch.clamp((x / X_MAX) ** 0.75, max=1.0) * (inner - torch.log(x)) ** 2
    losses.sum().backward()
    grads = {n: np.zeros(p.shape) if p.grad is None else p.grad.numpy() for n, p in w.items()}
    return losses.detach().numpy(), grads


def counts_of(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.2, 2 * X_MAX, B)


def in_closed_form(method: str, weights: dict, seed: int) -> Learned:
    centres, contexts, targets = drawn_examples(seed)
    if method == "skipgram":
        return objectives.skip_gram(weights, centres, targets)
    if method == "cbow":
        return objectives.cbow(weights, contexts, targets)
    return objectives.glove(weights, centres, targets[:, 0], counts_of(seed), X_MAX)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("method", METHODS)
def test_losses_and_gradients_equal_autograd(method: str, seed: int) -> None:
    weights = weights_of(seed)
    losses, grads = by_autograd(method, weights, seed)
    learned = in_closed_form(method, weights, seed)
    np.testing.assert_allclose(learned.losses, losses, rtol=1e-9, atol=1e-12)
    found = dense(learned, weights)
    for name, wanted in grads.items():
        np.testing.assert_allclose(found[name], wanted, rtol=1e-9, atol=1e-12, err_msg=name)
    assert np.abs(grads["word"]).max() > 0.01


def test_scores_far_from_zero_neither_overflow_nor_lose_their_gradient() -> None:
    x = np.array([-800.0, -30.0, 0.0, 30.0, 800.0])
    np.testing.assert_allclose(objectives.softplus(x), np.logaddexp(0, x), rtol=1e-12)
    np.testing.assert_allclose(objectives.sigmoid(x), 1 / (1 + np.exp(-x.clip(-700))), atol=1e-15)


def test_a_score_of_zero_costs_a_bit_for_every_word_that_is_told_apart() -> None:
    weights = {"word": np.zeros((V, D)), "context": np.zeros((V, D))}
    targets = np.array([[0, 1, 2, 3, 4]])
    learned = objectives.skip_gram(weights, np.array([5]), targets)
    assert learned.losses[0] == pytest.approx(5 * math.log(2), rel=1e-12)


# -- the text and what is drawn from it ------------------------------------------------------------


def corpus_from(text: str, min_count: int = 1) -> Corpus:
    return read(text * 10, min_count=min_count)


def test_words_are_counted_lower_case_without_signs() -> None:
    corpus = corpus_from('The cat, the dog: "a cat\'s CAT!" It is 7.\n\n')
    assert corpus.words[:2] == ("cat", "the")
    assert "cat's" in corpus.words
    assert corpus.counts.tolist() == sorted(corpus.counts, reverse=True)
    assert (corpus.counts.sum(), corpus.read, corpus.different) == (100, 100, 8)
    again = [corpus.words[token] for token in corpus.tokens[:5]]
    assert again == ["the", "cat", "the", "dog", "a"]
    assert corpus.paragraphs[[0, 9, 10]].tolist() == [0, 0, 1]


def test_rare_words_are_taken_out_before_windows_are() -> None:
    corpus = read("a b c d e\n" * 20 + "a rare b\n", min_count=2)
    assert "rare" not in corpus.words
    assert [corpus.words[t] for t in corpus.tokens[-2:]] == ["a", "b"]
    assert (corpus.read, len(corpus.tokens), corpus.different) == (103, 102, 6)


@pytest.mark.parametrize("text", ["", "one two three", "a a a a a a\n" * 100, "?! . ," * 100])
def test_too_short_a_text_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="give a longer text, or a smaller least count"):
        read(text)


def test_a_word_without_a_vector_is_told() -> None:
    with pytest.raises(DataError, match="'wolf' has no vector"):
        corpus_from("a b c d e f\n").place("wolf")


def test_the_noise_is_the_counts_to_the_power_of_three_quarters() -> None:
    counts = np.array([1000, 100, 10, 1])
    wanted = counts**0.75 / (counts**0.75).sum()
    np.testing.assert_allclose(noise(counts), wanted, rtol=1e-12)
    rng, n = np.random.default_rng(0), 200_000
    drawn = np.bincount(negatives(np.cumsum(noise(counts)), (n,), rng), minlength=4)
    expected = n * wanted
    chi_square = ((drawn - expected) ** 2 / expected).sum()
    assert chi_square < 16.3  # 3 degrees of freedom, p = .001
    as_counted = n * counts / counts.sum()
    assert ((drawn - as_counted) ** 2 / as_counted).sum() > 1000  # and not as the words are


def test_a_sum_of_shares_that_ends_below_one_still_gives_a_word() -> None:
    drawn = negatives(np.array([0.0, 0.5]), (100,), np.random.default_rng(0))
    assert set(drawn.tolist()) == {1}


def test_frequent_words_are_kept_by_the_root_of_their_share() -> None:
    counts = np.array([8000, 1990, 10])
    np.testing.assert_allclose(
        keep_shares(counts, 1e-3), [math.sqrt(1e-3 / 0.8), math.sqrt(1e-3 / 0.199), 1.0]
    )
    assert keep_shares(counts, 0.0).tolist() == [1, 1, 1]
    corpus = dataclasses.replace(
        corpus_from("a b c d e f\n"),
        counts=counts,
        tokens=np.repeat(np.arange(3), counts),
        paragraphs=np.zeros(10_000, dtype=np.int64),
    )
    rng = np.random.default_rng(1)
    kept = kept_words(corpus, slice(0, 10_000), window=4, subsample=1e-3, rng=rng)
    share = np.bincount(kept.tokens, minlength=3) / counts
    for found, wanted, n in zip(share, keep_shares(counts, 1e-3), counts, strict=True):
        assert abs(found - wanted) <= 4 * math.sqrt(wanted * (1 - wanted) / n)
    reach_share = np.bincount(kept.reach, minlength=5)[1:] / len(kept.reach)
    np.testing.assert_allclose(reach_share, 0.25, atol=4 * math.sqrt(0.1875 / len(kept.reach)))


def test_a_window_is_what_brute_force_finds() -> None:
    rng, n, window = np.random.default_rng(0), 60, 4
    kept = Kept(
        np.arange(n),
        rng.integers(0, 9, n),
        np.sort(rng.integers(0, 6, n)),
        rng.integers(1, window + 1, n),
    )
    found = neighbours(kept, window)
    for i in range(n):
        wanted = Counter(
            int(kept.tokens[j])
            for j in range(max(0, i - kept.reach[i]), min(n, i + kept.reach[i] + 1))
            if j != i and kept.paragraphs[j] == kept.paragraphs[i]
        )
        assert Counter(found[i][found[i] != NOBODY].tolist()) == wanted


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_window_may_be_longer_than_the_text(n: int) -> None:
    few = np.arange(n)
    found = neighbours(Kept(few, few, np.zeros(n, dtype=np.int64), np.full(n, 5)), 5)
    assert (found != NOBODY).sum() == n * (n - 1)


def test_co_occurrences_are_what_brute_force_finds() -> None:
    corpus = corpus_from("a b c a d\ne f a b\n\n")
    wanted = np.zeros((len(corpus.words),) * 2)
    for i, one in enumerate(corpus.tokens):
        for j, other in enumerate(corpus.tokens):
            if 0 < abs(i - j) <= 3 and corpus.paragraphs[i] == corpus.paragraphs[j]:
                wanted[one, other] += 1 / abs(i - j)
    found = cooccurrences(corpus, 3)
    dense_counts = np.zeros_like(wanted)
    dense_counts[found.words, found.contexts] = found.counts
    np.testing.assert_allclose(dense_counts, wanted, rtol=1e-12)
    assert (found.counts > 0).all()
    np.testing.assert_allclose(dense_counts, dense_counts.T)


# -- the invented text -----------------------------------------------------------------------------


def test_the_invented_text_is_the_same_for_everybody_and_begins_alike() -> None:
    short, long = grammar.text(500), grammar.text(2_000)
    assert long.startswith(short[: short.rindex("\n")])
    assert 2_000 <= len(long.replace(" .", "").split()) < 2_020
    most = settings(VectorsConfig(text_words=300_000)).vectors.text_words
    assert len(short) / 500 * most < texts.MOST_BYTES


def test_every_pair_stands_in_one_relation_only_and_asks_every_other_one() -> None:
    words = [p.side(s) for r in grammar.RELATIONS.values() for p in r.pairs for s in (0, 1)]
    assert len(words) == len(set(words)) == len(grammar.groups())
    places = {word: k for k, word in enumerate(words)}
    asked = grammar.questions(places)
    assert {name: len(q) for name, q in asked.items()} == dict.fromkeys(grammar.RELATIONS, 132)
    a, b, c, d = (words[k] for k in asked["people"][0])
    assert (a, b, c, d) == ("king", "queen", "prince", "princess")
    del places["king"]
    assert len(grammar.questions(places)["people"]) == 110


def test_every_word_has_the_vector_of_a_text_of_usual_length() -> None:
    corpus = corpus_of(settings(VectorsConfig(text_words=20_000)), Path())
    assert set(grammar.groups()) <= set(corpus.words)
    assert len(corpus.words) <= 400  # so that the map holds them all


# -- learning --------------------------------------------------------------------------------------


def learned_space(method: str, words: int, epochs: int) -> tuple[Space, Corpus]:
    config = settings(VectorsConfig(method=method, text_words=words, dimensions=24), epochs=epochs)
    corpus = corpus_of(config, Path())
    learn = lesson(corpus, config.vectors, seed=0, size=config.training.batch_size)
    weights = first_weights(len(corpus.words), config.vectors, 0)
    for epoch in range(epochs):
        rate = rate_at(config.training.learning_rate, epoch / epochs, method)
        for part in range(learn.parts):
            training.after_part(weights, learn, epoch + 1, part, rate)
    return Space(corpus.words, vectors_of(weights, method)), corpus


@pytest.mark.parametrize(
    ("method", "words", "epochs", "least"),
    [("skipgram", 40_000, 4, 0.3), ("cbow", 40_000, 8, 0.2), ("glove", 40_000, 20, 0.15)],
)
def test_a_short_text_already_solves_analogies_far_above_chance(
    method: str, words: int, epochs: int, least: float
) -> None:
    space, corpus = learned_space(method, words, epochs)
    asked = np.concatenate(list(grammar.questions(space.places).values()))
    share = float(answered(space, asked).mean())
    assert share > least
    assert share > 40 / (len(corpus.words) - 3)  # chance is 1 in as many
    assert share > 2 * float(answered(space, asked, offset=False).mean())


def test_parts_of_a_text_are_of_one_length_and_leave_nothing_out() -> None:
    config = settings(VectorsConfig(text_words=20_003, subsample=0.0, min_count=1))
    corpus = corpus_of(config, Path())
    learn = lesson(corpus, config.vectors, seed=0, size=64)
    assert isinstance(learn, training.Windows)
    positions = [learn.drawn(1, part).kept.positions for part in range(learn.parts)]
    assert np.concatenate(positions).tolist() == list(range(len(corpus.tokens)))
    lengths = [len(each) for each in positions]
    assert max(lengths) <= training.PART
    assert max(lengths) - min(lengths) < learn.parts
    assert [learn.part_of(int(each[0])) for each in positions] == list(range(learn.parts))


def test_rates_fall_in_a_line_to_a_ten_thousandth_but_for_glove() -> None:
    rates = [rate_at(0.05, done, "skipgram") for done in (0.0, 0.5, 1.0)]
    assert rates == pytest.approx([0.05, 0.025, 0.05e-4])
    assert rate_at(0.1, 0.9, "glove") == 0.1


def test_adagrad_divides_by_the_root_of_all_squares_so_far() -> None:
    weights = {"word": np.zeros((3, 2)), SQUARES + "word": np.ones((3, 2))}
    gradient = np.array([[3.0, -4.0]])
    step = Learned(np.zeros(1), {"word": objectives.Rows(np.array([1]), gradient)})
    training.after_step(weights, step, 0.1)
    np.testing.assert_allclose(weights["word"][1], -0.1 * gradient[0] / np.sqrt([10, 17]))
    training.after_step(weights, step, 0.1)
    np.testing.assert_allclose(weights[SQUARES + "word"][1], [19, 33])
    assert (weights["word"][[0, 2]] == 0).all()


def test_first_weights_are_those_of_the_published_programs() -> None:
    both = first_weights(50, VectorsConfig(dimensions=10), 3)
    assert np.abs(both["word"]).max() <= 0.05
    assert np.abs(both["word"]).max() > 0.045
    assert not both["context"].any()
    four = first_weights(50, VectorsConfig(dimensions=10, method="glove"), 3)
    assert np.abs(four["word_bias"]).max() <= 0.5 / 11
    assert (four[SQUARES + "context"] == 1).all()


# -- as a run --------------------------------------------------------------------------------------


CONFIG = settings(SMALL)


def events_of(method: str, **more: int) -> list[Event]:
    config = settings(dataclasses.replace(SMALL, method=method), epochs=3, **more)
    return list(fit_stored(config, Path()))


@pytest.fixture(scope="module", autouse=True)
def quick_maps() -> Iterator[None]:
    """The fewest steps that t-SNE takes: whether its maps are good is not asked here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maps, "FIRST", 250)
        patch.setattr(maps, "NEXT", 250)
        yield


@pytest.fixture(scope="module", params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def events(method: str) -> list[Event]:
    return events_of(method)


def view_of(events: list[Event]) -> RunView:
    return reduce(RunView.after, events, RunView())


def snapshots(events: list[Event]) -> dict[int, dict[str, np.ndarray]]:
    return {e.epoch: dict(e.arrays) for e in events if isinstance(e, Snapshot)}


def same(one: dict[int, dict[str, np.ndarray]], other: dict[int, dict[str, np.ndarray]]) -> bool:
    return one.keys() == other.keys() and all(
        one[epoch].keys() == other[epoch].keys()
        and all(np.array_equal(one[epoch][name], other[epoch][name]) for name in one[epoch])
        for epoch in one
    )


def test_a_run_tells_losses_that_fall_and_keeps_every_epoch(method: str, events: list) -> None:
    view = view_of(events)
    assert (view.status, view.snapshots) == ("finished", (0, 1, 2, 3))
    epochs, losses = curve(view, "loss")
    assert epochs == [1, 2, 3]
    assert losses[2] < losses[1] < losses[0]
    assert view.scorecard[0].metrics["loss"] == losses[-1]
    known = grammar.questions({word: 0 for word in corpus_of(CONFIG, Path()).words})
    names = {name for name, asked in known.items() if len(asked)}
    assert set(curves(view, SOLVED)) == names != set()
    assert all(curve(view, SOLVED + name)[0] == [0, 1, 2, 3] for name in names)
    assert all(0 <= share <= 1 for share in solved(view, 3).values())
    started = view.started
    assert started is not None
    assert started.batches * 3 == view.step == len([e for e in events if isinstance(e, BatchEnded)])
    if method != "glove":
        assert losses[0] < (SMALL.negatives + 1) * math.log(2)


def test_the_numbers_of_an_epoch_are_those_of_its_vectors(method: str, events: list) -> None:
    config = settings(dataclasses.replace(SMALL, method=method), epochs=3)
    corpus, view = corpus_of(config, Path()), view_of(events)
    for epoch, arrays in snapshots(events).items():
        space = space_of(corpus, arrays, method)
        asked = grammar.questions(space.places)
        for name, share in solved(view, epoch).items():
            assert share == float(answered(space, asked[name]).mean())
        assert arrays["tsne"].shape == arrays["pca"].shape == (len(corpus.words), 2)
        for name in ("pca", "tsne"):
            assert np.abs(arrays[name]).max() <= reach(view, name)
        flat = principal(space.vectors[:400])
        np.testing.assert_allclose(  # turned, so that only distances can be compared
            np.linalg.norm(arrays["pca"], axis=1),
            np.linalg.norm(flat.places, axis=1),
            rtol=1e-4,
            atol=1e-6,
        )
        assert float(arrays["share"]) == pytest.approx(flat.share, rel=1e-6)


def test_the_same_seed_gives_the_same_vectors_and_another_one_others(
    method: str, events: list
) -> None:
    assert same(snapshots(events_of(method)), snapshots(events))
    assert not same(snapshots(events_of(method, seed=1)), snapshots(events))


@pytest.mark.parametrize("stop", ["amid an epoch", "between snapshot and numbers"])
def test_a_resumed_run_equals_an_unbroken_one_bit_for_bit(method: str, stop: str) -> None:
    vectors = dataclasses.replace(SMALL, method=method, text_words=12_000, min_count=25)
    config = settings(vectors, epochs=2)
    whole, run = list(fit_stored(config, Path())), fit_stored(config, Path())
    wanted = BatchEnded if stop.startswith("amid") else Snapshot
    before = [next(run)]
    while not (isinstance(before[-1], wanted) and before[-1].epoch == 1 and before[-1].step > 0):
        before.append(next(run))
    held = run.send(Wishes(checkpoint=True))
    assert isinstance(held, Checkpointed)
    after = list(fit_stored(config, Path(), held.state))
    assert isinstance(after[0], Checkpointed)
    resumed = {**snapshots(before), **snapshots(after)}
    assert same(resumed, snapshots(whole))
    known = view_of([*before, *after])
    assert known.found == view_of(whole).found
    assert [b.loss for b in known.batches] == [b.loss for b in view_of(whole).batches]


def test_vectors_that_leave_the_numbers_are_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = settings(SMALL, epochs=3)
    corpus = corpus_of(config, Path())
    run = fit(config, corpus)
    while not isinstance(event := next(run), BatchEnded):
        pass
    assert math.isfinite(event.loss)
    monkeypatch.setattr("rnnviz.vectors.run.after_part", lambda *_: (math.inf, 10, 1.0))
    with pytest.raises(RunError, match="left the numbers in epoch 2; choose a smaller"):
        list(run)


def test_what_a_run_keeps_stays_within_its_bound() -> None:
    for method in METHODS:
        largest = VectorsConfig(method=method, dimensions=128)
        for epochs in (1, 7, 200):
            every = stride(settings(largest, epochs=epochs), 2_000)
            kept = epochs // every + 2
            assert kept <= MOST_KEPT + 2
            assert kept * bytes_of(largest, 2_000) <= MOST_BYTES


def test_a_snapshot_is_as_large_as_it_is_said_to_be(method: str, events: list) -> None:
    arrays = snapshots(events)[3]
    words = len(arrays["word"])
    vectors = dataclasses.replace(SMALL, method=method)
    assert sum(a.nbytes for a in arrays.values()) <= bytes_of(vectors, words)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_built_in_text_has_words_with_vectors(name: str) -> None:
    config = settings(VectorsConfig(corpus=name))
    assert len(corpus_of(config, Path()).words) >= 30


def test_an_own_text_is_learned_from(tmp_path: Path) -> None:
    file = store_text("the cat sat on the mat and the dog sat by the cat\n\n" * 20, tmp_path)
    config = settings(VectorsConfig(corpus="own", dimensions=3), epochs=1, file=file)
    last = list(fit_stored(config, tmp_path))
    assert isinstance(last[-1], Finished)
    found = [e for e in last if isinstance(e, Found)][-1]
    assert not any(name.startswith(SOLVED) for name in found.numbers)
    with pytest.raises(DataError, match="not here"):
        list(fit_stored(settings(VectorsConfig(corpus="own")), tmp_path))


# -- what is read off vectors ----------------------------------------------------------------------

PLANE = Space(
    ("east", "north", "west", "northeast", "far"),
    np.array([[1.0, 0], [0, 2], [-3, 0], [2, 2], [10, 1]]),
)


def test_neighbours_are_sorted_by_the_angle_whatever_the_lengths() -> None:
    found = PLANE.neighbours("east", 4)
    assert [n.word for n in found] == ["far", "northeast", "north", "west"]
    angles = [math.degrees(math.atan2(1, 10)), 45, 90, 180]
    assert [n.angle for n in found] == pytest.approx(angles)
    assert PLANE.cosine("north", "northeast") == pytest.approx(math.sqrt(0.5))
    assert len(PLANE.neighbours("east", 99)) == 4


def test_an_analogy_is_the_sum_of_vectors_at_length_one() -> None:
    wanted = PLANE.analogy("north", "east", "west")
    np.testing.assert_allclose(wanted, [-2, 1])
    best = PLANE.nearest(wanted, 2, without=("north", "east", "west"))
    assert best[0].word == "northeast"
    assert best[0].cosine == pytest.approx(-1 / math.sqrt(10))


def test_a_vector_of_zeros_lies_at_right_angles_to_all() -> None:
    space = Space(("a", "b", "c"), np.array([[0.0, 0], [1, 0], [0, 1]]))
    assert [n.angle for n in space.neighbours("a", 2)] == [90, 90]
    assert not np.isnan(unit(space.vectors)).any()


def test_answers_are_counted_as_one_by_one() -> None:
    rng = np.random.default_rng(0)
    words = tuple(f"w{k}" for k in range(12))
    space = Space(words, rng.standard_normal((12, 4)))
    asked = np.array([rng.permutation(12)[:4] for _ in range(40)])
    one_by_one = []
    for a, b, c, d in asked:
        without = [words[k] for k in (a, b, c)]
        wanted = space.analogy(words[b], words[a], words[c])
        one_by_one.append(space.nearest(wanted, 1, without)[0].word == words[d])
    assert answered(space, asked).tolist() == one_by_one
    assert 0 < sum(one_by_one) < 40


def test_a_map_that_was_turned_and_mirrored_is_turned_back() -> None:
    rng = np.random.default_rng(0)
    before = rng.standard_normal((30, 2))
    angle = 2.0
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    mirrored = before @ turn * [1, -1]
    np.testing.assert_allclose(turned(mirrored, before), before, atol=1e-12)
    assert turned(before, None) is before


def test_the_principal_plane_holds_what_it_says() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((50, 4)) * [5, 3, 1, 0.5] + 7
    found = principal(vectors)
    variances = np.linalg.eigvalsh(np.cov(vectors.T))[::-1]
    assert found.share == pytest.approx(variances[:2].sum() / variances.sum())
    np.testing.assert_allclose(found.places.var(axis=0, ddof=1), variances[:2])
    assert principal(np.ones((5, 1))).share == 0


# -- one step with its numbers ---------------------------------------------------------------------


def stepped(method: str) -> tuple[Corpus, training.Windows, training.Drawn, dict[str, np.ndarray]]:
    config = settings(dataclasses.replace(SMALL, method=method), epochs=3)
    corpus = corpus_of(config, Path())
    learn = lesson(corpus, config.vectors, seed=0, size=64)
    assert isinstance(learn, training.Windows)
    rng = np.random.default_rng(0)
    shape = (len(corpus.words), SMALL.dimensions)
    weights = {name: rng.standard_normal(shape).astype(np.float32) for name in ("word", "context")}
    return corpus, learn, learn.drawn(2, 0), weights


@pytest.mark.parametrize("method", ["skipgram", "cbow"])
def test_a_step_shows_the_examples_that_the_epoch_learns(method: str) -> None:
    corpus, _, drawn, _ = stepped(method)
    seen = 0
    for position in range(300):
        words = worked.around(corpus, drawn, position)
        if position not in drawn.kept.positions:
            assert words == ()
            continue
        centre = corpus.words[corpus.tokens[position]]
        assert [w.text for w in words if w.role == "centre"] == [centre]
        near = [w for w in words if w.role == "neighbour"]
        for word in near:
            given, target = drawn.given[word.example], drawn.targets[word.example, 0]
            if method == "skipgram":
                assert (corpus.words[given], corpus.words[target]) == (centre, word.text)
            else:
                assert corpus.words[target] == centre
                told = Counter(corpus.words[k] for k in given if k != NOBODY)
                assert told == Counter(w.text for w in near)
            seen += 1
        assert len(near) <= 2 * SMALL.context
    assert seen > 200


@pytest.mark.parametrize("method", ["skipgram", "cbow"])
def test_a_step_s_numbers_are_those_of_training(method: str) -> None:
    corpus, learn, drawn, weights = stepped(method)
    example = 5
    step = worked.step(weights, learn, drawn, example, 0.1)
    targets = drawn.targets[example]
    assert [row.word for row in step.rows] == [corpus.words[k] for k in targets]
    others = weights["context"][targets].astype(np.float64)
    np.testing.assert_allclose([row.dot for row in step.rows], others @ step.vector)
    for row in step.rows:
        assert row.sigmoid == pytest.approx(1 / (1 + math.exp(-row.dot)))
        assert row.gradient == pytest.approx(0 if row.skipped else row.sigmoid - row.label)
    wanted = sum(row.gradient * u for row, u in zip(step.rows, others, strict=True))
    np.testing.assert_allclose(step.gradient, wanted)
    assert step.loss == pytest.approx(sum(row.loss for row in step.rows))
    assert step.after < step.loss


def test_a_step_of_glove_shows_its_entry() -> None:
    config = settings(dataclasses.replace(SMALL, method="glove"), epochs=3)
    corpus = corpus_of(config, Path())
    learn = lesson(corpus, config.vectors, seed=0, size=64)
    assert isinstance(learn, training.Entries)
    weights = first_weights(len(corpus.words), config.vectors, 0)
    place = corpus.place(corpus.words[9])
    beside = worked.entries_of(learn, place)
    assert list(beside.values()) == sorted(beside.values(), reverse=True)
    context, count = next(iter(beside.items()))
    step = worked.fitted(weights, learn, (place, context), 0.1)
    assert step.count == count
    assert step.away == pytest.approx(step.dot + sum(step.biases) - math.log(count))
    assert step.weight == pytest.approx(min(1, (count / 10) ** 0.75))
    assert step.loss == pytest.approx(step.weight * step.away**2)
    u = weights["context"][context].astype(np.float64)
    np.testing.assert_allclose(step.gradient, 2 * step.weight * step.away * u)
    np.testing.assert_allclose(
        step.step, -0.1 * step.gradient / np.sqrt(1 + step.gradient**2), rtol=1e-9
    )
    assert step.after < step.loss


@pytest.mark.parametrize("method", METHODS)
def test_the_loop_that_speed_is_measured_against_learns_the_same(method: str) -> None:
    config = settings(dataclasses.replace(SMALL, method=method), epochs=1)
    corpus = corpus_of(config, Path())
    learn = lesson(corpus, config.vectors, seed=0, size=256)
    ours = first_weights(len(corpus.words), config.vectors, 0)
    theirs, optimiser = bench._rival(ours, method)
    training.after_part(ours, learn, 1, 0, config.training.learning_rate)
    bench._by_torch(theirs, learn, optimiser)
    for name, values in theirs.items():
        wanted = values.detach().numpy().reshape(ours[name].shape)
        np.testing.assert_allclose(ours[name], wanted, rtol=2e-3, atol=2e-5, err_msg=name)
    assert np.abs(ours["context"]).max() > 0.01


def test_the_terminal_tells_each_epoch_and_a_word_s_neighbours(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RNNVIZ_HOME", str(tmp_path))
    small = ["--text-words", "4000", "--dimensions", "6", "--min-count", "5", "--epochs", "2"]
    assert main(["vectors", *small, "--word", "the"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"4,\d{3} words, \d+ different ones; \d+ get a vector", lines[0])
    assert re.match(r"epoch 2: loss \d\.\d{4}; analogies solved \d+% \(", lines[2])
    assert len(lines) == 3 + 10
    assert re.fullmatch(r"\w+: cosine -?\d\.\d{3}, \d+\.\d°", lines[3])
    assert main(["vectors", *small, "--word", "unheard"]) == 2
    assert "'unheard' has no vector" in capsys.readouterr().err
    assert main(["vectors", "--file", str(tmp_path / "none.txt")]) == 2
    assert "there is no text" in capsys.readouterr().err


def test_a_map_goes_on_from_the_one_before_and_keeps_neighbours_together() -> None:
    rng = np.random.default_rng(0)
    middles = np.repeat(rng.standard_normal((3, 8)), 20, axis=0)
    vectors = middles + 0.05 * rng.standard_normal((60, 8))
    first = maps.tsne(vectors, None, 0)
    after = maps.tsne(vectors + 0.01 * rng.standard_normal((60, 8)), first, 0)
    wide = np.linalg.norm(first - first.mean(axis=0), axis=1).mean()
    assert np.linalg.norm(after - first, axis=1).mean() < 0.5 * wide
    for places in (first, after):
        distances = np.linalg.norm(places[:, None] - places, axis=2)
        np.fill_diagonal(distances, np.inf)
        # a straggler is no fault of a map, and which one depends on the last bits
        assert (distances.argmin(axis=1) // 20 == np.arange(60) // 20).mean() > 0.9
        assert trustworthiness(vectors, places) > 0.8  # of places at random about a half
