"""Token by token is the whole sequence at once; draws are the seed's; a branch keeps its past."""

import itertools

import numpy as np
import pytest
from speaking_samples import T, V, language_model, recorded, sequence, speaker

from rnnviz.cells import CELLS
from rnnviz.config import ATTENTIONS
from rnnviz.data.dataset import Task
from rnnviz.errors import ConfigError, TraceError
from rnnviz.inside import branching
from rnnviz.inside.network import Network
from rnnviz.inside.sampling import EVERY, Forced, Plan, speak
from rnnviz.inside.shaping import Shaping, choice, draw, luck, nucleus, tempered, top_k, top_p
from rnnviz.inside.speaking import Speaker

TOKENS = np.random.default_rng(0).integers(V, size=14)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_token_by_token_is_the_run_of_the_whole_sequence(cell, layers, attention):
    one = speaker(cell, layers=layers, attention=attention)
    stream = one.begin()
    found = [stream.read(int(token)) for token in TOKENS]
    whole = one.network.run(sequence(TOKENS)).read.outputs
    np.testing.assert_allclose(found, whole, atol=1e-9)


def test_a_step_without_input_is_an_input_of_zeros():
    one = speaker("gru", layers=2, attention="dot")
    stream = one.begin()
    found = [stream.read(None if t == 3 else int(token)) for t, token in enumerate(TOKENS)]
    whole = one.network.run(sequence(TOKENS, blank=[3])).read.outputs
    np.testing.assert_allclose(found, whole, atol=1e-9)


def test_an_embedding_is_part_of_the_input_weights():
    model = language_model(embedding=3)
    trace = recorded(model, TOKENS[:T])
    stream = Speaker.of(Network.of(trace)).begin()
    shown = np.stack([np.exp(s := stream.read(int(t))) / np.exp(s).sum() for t in TOKENS[:T]])
    np.testing.assert_allclose(shown, trace.outputs[0], atol=1e-9)


@pytest.mark.parametrize("attention", ATTENTIONS)
def test_a_mark_stays_as_it_was_whatever_is_read_later(attention):
    one = speaker("gru-before", layers=2, attention=attention)
    stream = one.begin()
    for token in TOKENS[:5]:
        stream.read(int(token))
    mark = stream.mark()
    for token in TOKENS:
        stream.read(int(token))
    again, other = one.begin(mark), one.begin(mark)
    other.read(0)
    found = [again.read(int(token)) for token in TOKENS[5:]]
    whole = one.network.run(sequence(TOKENS)).read.outputs
    np.testing.assert_allclose(found, whole[5:], atol=1e-9)


def test_attention_makes_room_for_long_texts():
    one, tokens = speaker(attention="additive"), np.arange(300) % V
    stream = one.begin()
    for token in tokens[:-1]:
        stream.read(int(token))
    whole = one.network.run(sequence(tokens)).read.outputs
    np.testing.assert_allclose(stream.read(int(tokens[-1])), whole[-1], atol=1e-9)


def test_networks_that_cannot_speak_say_why():
    from test_record import make_batch, make_model, traced

    for settings in ({"task": Task.REGRESSION}, {"task": Task.TAGGING, "bidirectional": True}):
        model = make_model(outputs=2, **settings)
        with pytest.raises(TraceError, match="does not say what comes next at each step"):
            Speaker.of(Network.of(traced(model, make_batch(model, outputs=2))))
    model = make_model(task=Task.TRACKING)
    with pytest.raises(TraceError, match="does not predict the tokens that it reads"):
        Speaker.of(Network.of(traced(model, make_batch(model))))


# -- shaping, against a plain reimplementation -----------------------------------------------------


def plainly(scores, temperature, k, share):
    """The same with loops and Python's numbers; softmax first, then sorted pairs."""
    if temperature == 0:
        scores, temperature = [1e9 * (s == max(scores)) for s in scores], 1.0
        scores = [s if t == scores.index(max(scores)) else 0 for t, s in enumerate(scores)]
    raised = [float(np.exp((s - max(scores)) / temperature)) for s in scores]
    pairs = sorted(((r / sum(raised), -t) for t, r in enumerate(raised)), reverse=True)
    pairs = pairs[: k or None]
    total, kept = sum(p for p, _ in pairs), []
    for p, t in pairs:
        if kept and sum(q for q, _ in kept) >= share * total - 1e-12 and share < 1:
            break
        kept.append((p, t))
    return {-t: p / sum(q for q, _ in kept) for p, t in kept}


@pytest.mark.parametrize("temperature", [0, 0.05, 0.7, 1.0, 2.5])
@pytest.mark.parametrize("k", [0, 1, 3, V, 50])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999, 1.0])
def test_temperature_then_top_k_then_top_p(temperature, k, share):
    rng = np.random.default_rng(1)
    for scores in (rng.normal(0, 2, V), rng.integers(0, 3, V) * 1.0, np.zeros(V)):
        shaping = Shaping(temperature=temperature, top_k=k, top_p=share)
        found = choice(scores, shaping)
        step_by_step = top_p(top_k(tempered(scores, temperature), k), share)
        wanted = np.zeros(V)
        for token, p in plainly(list(scores), temperature, k, share).items():
            wanted[token] = p
        np.testing.assert_allclose(found.shaped, wanted, atol=1e-12)
        np.testing.assert_allclose(step_by_step, wanted, atol=1e-12)
        assert found.shaped.sum() == pytest.approx(1)
        cut = found.order[found.after_p :]
        assert (found.shaped[cut] == 0).all()
        np.testing.assert_allclose(found.plain, np.exp(scores) / np.exp(scores).sum())


def test_the_nucleus_is_the_fewest_that_hold_the_share():
    falling = np.array([0.5, 0.3, 0.1, 0.1])
    counts = [nucleus(falling, share) for share in (0.0, 0.5, 0.50001, 0.8, 0.9, 0.99, 1.0)]
    assert counts == [1, 1, 2, 2, 3, 4, 4]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("temperature", -0.1), ("temperature", float("nan")), ("top_k", -1), ("top_p", 1.5)],
)
def test_what_cannot_be_is_refused(setting, value):
    with pytest.raises(ConfigError, match=f"{setting} is .*; it must lie in"):
        Shaping(**{setting: value})


def test_a_draw_follows_the_probabilities_and_never_takes_what_is_cut():
    scores = np.random.default_rng(2).normal(0, 1, V)
    one = choice(scores, Shaping(temperature=1.3, top_k=5, top_p=0.9))
    drawn = np.array([draw(one, u) for u in luck(0, 8_000)])
    shares = np.bincount(drawn, minlength=V) / len(drawn)
    assert np.abs(shares - one.shaped).max() < 4 * np.sqrt(0.25 / len(drawn))
    assert (shares[one.shaped == 0] == 0).all()
    assert draw(one, np.nextafter(1.0, 0.0)) in one.order[: one.after_p]
    assert draw(one, 0.0) == scores.argmax()


def test_luck_is_a_function_of_seed_and_position():
    np.testing.assert_array_equal(luck(3, 500)[:20], luck(3, 20))
    assert not np.array_equal(luck(3, 20), luck(4, 20))


# -- texts and branches ----------------------------------------------------------------------------


def plan(**more):
    usual = {"prefix": (1, 4, 2), "length": 50, "shaping": Shaping(temperature=1.2), "seed": 5}
    return Plan(**{**usual, **more})


def test_the_same_seed_gives_the_same_text_and_another_another():
    one = speaker(layers=2, attention="general")
    texts = [speak(one, plan(seed=seed)).tokens.tolist() for seed in (5, 5, 6)]
    assert texts[0] == texts[1] != texts[2]
    assert texts[0][:3] == [1, 4, 2]
    longer = speak(one, plan(length=80)).tokens.tolist()
    assert longer[:53] == texts[0]


def test_every_token_is_drawn_from_what_the_network_said_there():
    one = speaker("gru", attention="dot")
    shaping = Shaping(temperature=0.8, top_k=4, top_p=0.95)
    text = speak(one, plan(shaping=shaping, forced=(Forced(7, 3),)))
    whole = one.network.run(sequence(text.tokens)).outputs
    lucky = luck(5, 50)
    for place in range(1, len(text.tokens)):
        p = whole[place - 1]
        assert text.log_p[place] == pytest.approx(np.log(p[text.tokens[place]]), abs=1e-9)
        if place < 3 or place == 10:
            continue
        wanted = draw(choice(np.log(p), shaping), lucky[place - 3])
        assert text.tokens[place] == wanted
    assert text.tokens[10] == 3
    assert np.isnan(text.log_p[0])
    assert text.total == pytest.approx(text.log_p[3:].sum())
    assert text.perplexity == pytest.approx(np.exp(-text.log_p[3:].mean()))
    np.testing.assert_allclose(text.bits[1:], -np.log2(np.exp(text.log_p[1:])))


def test_without_temperature_the_likeliest_is_taken():
    one = speaker()
    text = speak(one, plan(shaping=Shaping(temperature=0.0)))
    whole = one.network.run(sequence(text.tokens)).outputs
    assert text.tokens[3:].tolist() == whole[2:-1].argmax(axis=1).tolist()


@pytest.mark.parametrize("attention", ["none", "additive"])
def test_a_branch_leaves_what_was_before_untouched(attention):
    one = speaker(attention=attention)
    first = speak(one, plan())
    for position, token in itertools.product((0, 20, 49), (0, 6)):
        other = speak(one, plan(forced=(Forced(position, token),)))
        place = 3 + position
        np.testing.assert_array_equal(other.tokens[:place], first.tokens[:place])
        np.testing.assert_array_equal(other.log_p[1:place], first.log_p[1:place])
        assert other.tokens[place] == token
    same = speak(one, plan(forced=(Forced(20, int(first.tokens[23])),)))
    np.testing.assert_array_equal(same.tokens, first.tokens)


@pytest.mark.parametrize("attention", ["none", "general"])
def test_the_state_at_any_place_comes_from_at_most_so_many_steps(attention):
    text = speak(speaker(attention=attention), plan())
    whole = text.speaker.network.run(sequence(text.tokens)).read.outputs
    for place, found in enumerate(text.choices(), start=1):
        scores = text.scores_at(place)
        np.testing.assert_allclose(scores, whole[place - 1], atol=1e-9)
        np.testing.assert_allclose(found.plain, choice(scores, plan().shaping).plain, atol=1e-9)
        stream = text.at(place)
        assert stream.seen == place
    assert len(text.marks) == -(-(len(text.tokens) - 1) // EVERY)


@pytest.mark.parametrize(("setting", "value"), [("prefix", ()), ("length", 0), ("length", 601)])
def test_a_plan_has_bounds(setting, value):
    with pytest.raises(ConfigError, match="it must"):
        plan(**{setting: value})


def test_branches_are_a_tree_and_a_text():
    two, three = ((), (Forced(3, 2),)), (Forced(3, 2), Forced(9, 0))
    found = branching.chosen(two[::-1], 9, 0)
    assert found == (three, two[1], ())
    assert branching.written(found) == "4.3_10.1~4.3"
    assert branching.read(branching.written(found)) == found
    assert [node.depth for node in branching.tree(found)] == [0, 1, 2]
    assert branching.undone(found) == (two[1], ())
    assert branching.undone(branching.undone(found)) == ((),)
    assert branching.written(((), two[1])) == "~4.3"
    assert branching.read("~4.3") == ((), two[1])
    assert branching.read("") == ((),)
    again = branching.chosen(found, 4, 5)  # what was forced later is of no more use
    assert again[0] == (Forced(3, 2), Forced(4, 5))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1.0", "has to look like"),
        ("1.2_", "has to look like"),
        ("٣.٣", "has to look like"),
        ("<b>", "has to look like"),
        ("3.1_3.2", "do not ascend"),
        ("601.1", "beyond the 600 tokens"),
        ("~".join(f"{k}.1" for k in range(1, 14)), "at most 12 are allowed"),
        ("_".join(f"{k}.1" for k in range(1, 27)), "forces more than 24"),
        ("1.1" * 600, "at most 1,500 are allowed"),
    ],
)
def test_other_texts_are_refused(text, says):
    with pytest.raises(TraceError, match=says):
        branching.read(text)
