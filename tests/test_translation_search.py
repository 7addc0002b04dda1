"""Beam search, BLEU and the errors' causes, each against the plain way to the same number."""

import numpy as np
import pytest
from sacrebleu.metrics import BLEU
from translation_samples import TARGETS, config, every_output, network

from rnnviz.data.parallel.text import END, START
from rnnviz.translation import bleu
from rnnviz.translation.beam import CUT, ENDED, KEPT, normalised, search
from rnnviz.translation.decoding import chances, write
from rnnviz.translation.errors import MODEL, RIGHT, SEARCH, Pairs, counted, judged, within
from rnnviz.translation.lengths import by_length, edges_of, right_of

SOURCE = (4, 5, 8, 3, 6)
SEEDS = range(3)


def encoded(net, source=SOURCE):
    return net.encode(np.array([source]), np.array([len(source)]))


def chance_of(net, output, source=SOURCE):
    """ln P from the start, whatever the output."""
    return write(net, encoded(net, source), longest=len(output), given=output).chosen.sum()


def sharp(seed, **more):
    return network(config(**more), seed=seed, scale=1.2, brief=2.0)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_beam_of_1_is_greedy(seed):
    net = sharp(seed)
    out = write(net, encoded(net), longest=8)
    (tree,) = search(net, encoded(net), width=1, longest=8, cut=3)
    best = tree.ranking(0.7)[0]
    assert best.tokens == out.tokens
    assert best.log_probability == pytest.approx(out.chosen.sum(), abs=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_beam_that_is_wide_enough_finds_what_trying_everything_finds(seed, alpha):
    tokens, longest = 4, 4
    net = network(config(), targets=tokens, seed=seed, scale=1.2)
    every = every_output(tokens, longest)
    rows = np.zeros((len(every), longest), dtype=int)
    for row, output in zip(rows, every, strict=True):
        row[: len(output)] = output
    many = encoded(net).take(np.zeros(len(every), dtype=int))
    found = chances(net, many, rows)
    scores = {o: normalised(c, len(o), alpha) for o, c in zip(every, found, strict=True)}
    (tree,) = search(net, encoded(net), width=len(every), longest=longest)
    ranking = tree.ranking(alpha)
    assert {one.tokens: one.score for one in ranking} == pytest.approx(scores, abs=1e-12)
    ended = {output: score for output, score in scores.items() if output[-1] == END}
    assert ranking[0].tokens == max(ended, key=ended.__getitem__)
    assert [one.score for one in ranking if one.ended] == pytest.approx(
        sorted(ended.values(), reverse=True)
    )


def test_the_steps_of_a_tree_keep_the_best_of_all_their_candidates():
    width, longest = 3, 5
    net = sharp(1)
    (tree,) = search(net, encoded(net), width=width, longest=longest, cut=50)
    left, live = width, [()]
    for step in range(1, tree.steps + 1):
        nodes = [(place, n) for place, n in enumerate(tree.nodes) if n.step == step]
        every = [(*before, token) for before in live for token in range(TARGETS)]
        totals = {one: chance_of(net, one) for one in every}
        kept = {tree.tokens(place) for place, node in nodes if node.fate != CUT}
        assert kept == set(sorted(totals, key=totals.__getitem__, reverse=True)[:left])
        for place, node in nodes:
            assert node.total == pytest.approx(totals[tree.tokens(place)], abs=1e-12)
            if node.parent:
                assert node.total == pytest.approx(
                    tree.nodes[node.parent].total + node.log_probability, abs=1e-12
                )
            assert (node.fate == ENDED) == (node.token == END and tree.tokens(place) in kept)
        live = [one for one in kept if one[-1] != END]
        left -= sum(one[-1] == END for one in kept)
    assert left == 0 or tree.steps == longest


def test_a_source_among_others_is_searched_as_if_it_were_alone():
    net = sharp(2)
    sources = np.array([[4, 5, 8, 3, 6], [7, 4, 0, 0, 0], [6, 6, 3, 0, 0]])
    lengths = np.array([5, 2, 3])
    together = search(net, net.encode(sources, lengths), width=4, longest=6, cut=2)
    for tree, source, length in zip(together, sources, lengths, strict=True):
        (alone,) = search(net, encoded(net, tuple(source[:length])), width=4, longest=6, cut=2)
        assert [n[:2] + n[4:] for n in tree.nodes] == [n[:2] + n[4:] for n in alone.nodes]
        np.testing.assert_allclose(
            [n.total for n in tree.nodes], [n.total for n in alone.nodes], atol=1e-12
        )


def test_what_is_given_begins_every_output_and_its_tokens_count():
    net = sharp(0)
    (tree,) = search(net, encoded(net), width=3, longest=6, given=(5, 3))
    for one in tree.ranking(0.0):
        assert one.tokens[:2] == (5, 3)
        assert one.log_probability == pytest.approx(chance_of(net, one.tokens), abs=1e-12)


def test_alpha_ranks_anew_without_a_search():
    net = sharp(1)
    (tree,) = search(net, encoded(net), width=8, longest=8)
    short, long = tree.ranking(0.0), tree.ranking(2.0)
    assert {one.tokens for one in short} == {one.tokens for one in long}
    assert len(long[0].tokens) > len(short[0].tokens)  # ln P is below 0: a quotient rises


def test_what_is_alive_is_kept_or_has_ended():
    net = sharp(1)
    (tree,) = search(net, encoded(net), width=3, longest=6, cut=3)
    for step in range(tree.steps + 1):
        alive = tree.alive(step)
        ends = {
            place
            for place, n in enumerate(tree.nodes)
            if (n.fate == KEPT and n.step == step) or (n.fate == ENDED and n.step <= step)
        }
        assert ends <= alive
        assert all(tree.nodes[place].fate != CUT for place in alive)
        assert all(
            tree.nodes[tree.nodes[place].parent].token == START or tree.nodes[place].parent in alive
            for place in alive
            if place
        )


# -- whose fault -----------------------------------------------------------------------------------


def some_pairs(net, count=16, seed=0):
    rng = np.random.default_rng(seed)
    lengths, ends = rng.integers(2, 6, count), rng.integers(1, 4, count)
    sources, targets = rng.integers(3, 9, (count, 5)), rng.integers(3, TARGETS, (count, 4))
    sources[np.arange(5) >= lengths[:, None]] = 0
    targets[np.arange(4) == ends[:, None]] = END
    targets[np.arange(4) > ends[:, None]] = 0
    for k in range(0, count, 2):  # half of them the network itself would say
        alone = net.encode(sources[k : k + 1, : lengths[k]], lengths[k : k + 1])
        said = write(net, alone, longest=4).tokens
        if said[-1] == END:
            targets[k], ends[k] = 0, len(said) - 1
            targets[k, : len(said)] = said
    return Pairs(sources, lengths, targets, ends + 1)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_each_wrong_output_is_the_search_s_fault_or_the_network_s(alpha):
    net = sharp(5)
    pairs = some_pairs(net)
    found = [one for part in judged(net, pairs, width=1, alpha=alpha, longest=6) for one in part]
    assert [one.row for one in found] == list(range(16))
    for one in found:
        source = pairs.sources[one.row, : pairs.source_lengths[one.row]]
        answer = pairs.answer(one.row)
        out = write(net, encoded(net, tuple(source)), longest=6)
        assert one.beam == one.greedy == out.tokens
        true = chance_of(net, answer, tuple(source))
        p_found, p_true = out.chosen.sum() / len(out.tokens) ** alpha, true / len(answer) ** alpha
        assert one.true_score == pytest.approx(p_true, abs=1e-12)
        assert one.found_score == pytest.approx(p_found, abs=1e-12)
        wanted = RIGHT if out.tokens == answer else SEARCH if p_true > p_found else MODEL
        assert one.fault == wanted
    counts = counted(found)
    assert counts.right + counts.search + counts.model == counts.sentences == 16
    assert min(counts.right, counts.model) > 0
    assert (counts.right, counts.won, counts.lost) == (counts.greedy, 0, 0)


def test_what_a_wide_beam_finds_a_narrow_one_misses_by_its_own_fault():
    net = sharp(0)
    pairs = some_pairs(net, 24, seed=1)
    trees = search(net, net.encode(*pairs[:2]), width=10, longest=6)
    best = [tree.ranking(0.0)[0].tokens for tree in trees]
    targets = np.array([[*one, *[0] * (6 - len(one))] for one in best])
    pairs = Pairs(*pairs[:2], targets, np.array([len(one) for one in best]))
    wide, narrow = (
        counted(
            [one for part in judged(net, pairs, width=width, alpha=0.0, longest=6) for one in part]
        )
        for width in (10, 1)
    )
    assert (wide.right, wide.search, wide.model) == (24, 0, 0)
    assert narrow.search == 24 - narrow.right > 0
    assert wide.won == narrow.search
    assert wide.lost == 0


def test_counting_stops_when_the_time_is_up():
    net = sharp(0)
    parts = judged(net, some_pairs(net, 8), width=net.rows_at_once // 2, alpha=0.0, longest=2)
    times = iter([0.0, 0.5, 1.5])
    assert len(within(parts, 1.0, clock=lambda: next(times))) == 4


def test_shares_by_length_count_each_sentence_once():
    net = sharp(5)
    pairs = some_pairs(net)
    right = right_of(net, pairs, longest=6)
    assert right.tolist() == [
        one.greedy_right
        for part in judged(net, pairs, width=1, alpha=0.0, longest=6)
        for one in part
    ]
    bins = by_length(pairs.source_lengths, right, edges_of(pairs.source_lengths))
    assert sum(one.sentences for one in bins) == 16
    assert sum(one.right for one in bins) == right.sum()
    for one in bins:
        low, high = one.interval
        assert 0 <= low <= one.share <= high <= 1


def test_many_lengths_share_bins():
    lengths = np.arange(5, 105)
    bins = by_length(lengths, lengths > 50, edges_of(lengths))
    assert len(bins) == 8
    assert (bins[0].low, bins[-1].high) == (5, 104)
    assert sum(one.right for one in bins) == 54


# -- BLEU ------------------------------------------------------------------------------------------

SENTENCES = [
    ("the cat sat on the mat", "the cat is on the mat"),
    ("the the the the the the the", "the cat is on the mat"),
    ("la", "la grande maison"),
    ("a b c d e f", "a b c d e f"),
    ("x y z", "p q r"),
    ("a b c d e f g h i", "a b c d e"),
]


@pytest.mark.parametrize(("written", "reference"), SENTENCES)
def test_bleu_of_a_sentence_is_sacrebleu_s(written, reference):
    found = bleu.of_sentence(written.split(), reference.split())
    theirs = BLEU(tokenize="none", effective_order=True).sentence_score(written, [reference])
    assert found.score == theirs.score
    assert found.penalty == theirs.bp
    assert [one.matches for one in found.orders] == theirs.counts[: len(found.orders)]
    assert "tok:none" in found.signature
    assert "smooth:exp" in found.signature
    for order in found.orders:  # what is shown adds up to what sacrebleu counted
        assert sum(gram.counted for gram in order.grams) == order.matches
        assert sum(gram.written for gram in order.grams) == order.total


def test_bleu_of_a_set_is_sacrebleu_s():
    written, references = ([a.split() for a in side] for side in zip(*SENTENCES, strict=True))
    found = bleu.of_set(written, references)
    theirs = BLEU(tokenize="none", smooth_method="none").corpus_score(
        [w for w, _ in SENTENCES], [[r for _, r in SENTENCES]]
    )
    assert found.score == theirs.score
    assert 0 < found.score < 100


def test_a_clipped_precision_counts_a_word_no_more_often_than_the_reference_has_it():
    found = bleu.of_sentence(["the"] * 7, ["the", "cat", "is", "on", "the", "mat"])
    assert (found.orders[0].matches, found.orders[0].total) == (2, 7)  # as in the paper
    assert found.orders[0].grams == ((("the",), 7, 2),)


def test_the_score_is_exp_of_the_mean_logarithm_times_the_penalty():
    found = bleu.of_sentence(["a", "b", "c", "d"], ["a", "b", "c", "d", "e", "f"])
    assert found.penalty == pytest.approx(np.exp(1 - 6 / 4))
    mean = np.mean([np.log(order.precision / 100) for order in found.orders])
    assert found.score == pytest.approx(100 * found.penalty * np.exp(mean))


def test_tokens_that_hold_blanks_stay_one_token():
    found = bleu.of_sentence(["a", " ", "b"], ["a", " ", "b"])
    assert (found.score, found.written) == (pytest.approx(100), 3)
    assert bleu.of_sentence([], ["a"]).score == 0
