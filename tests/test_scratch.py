"""The network in NumPy against autograd, against finite differences, and on 20 seeds."""

import math
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import reduce

import numpy as np
import pytest
import torch
from jaxtyping import Int

from rnnviz.data.phrases import phrases
from rnnviz.events import Checkpointed, Finished, Found, RunView, Score, Snapshot, Started
from rnnviz.figures.equations import equations
from rnnviz.scratch import check, terminal
from rnnviz.scratch.formulas import differences, formulas
from rnnviz.scratch.gradients import BACKPROPS, backward
from rnnviz.scratch.lockstep import CLIP, after_epoch, encoded, scores
from rnnviz.scratch.network import NOTHING, Weights, cross_entropy, forward
from rnnviz.scratch.reading import reading
from rnnviz.scratch.run import curve, first_perfect, fit, of_snapshot, told
from rnnviz.scratch.settings import BACKPROP_NAMES, MOST_EPOCHS, MOST_KEPT, RATE, settings, stride
from rnnviz.scratch.traced import as_layer
from rnnviz.scratch.worked import Passed, Place, passed
from rnnviz.wishes import Wishes

DATA = encoded()
LENGTHS = (DATA.words != NOTHING).sum(axis=1)
ROWS = [int(np.flatnonzero(length == LENGTHS)[0]) for length in range(1, 8) if length in LENGTHS]


def weights_of(seed: int = 0, *, hidden: int = 12) -> Weights:
    """One network whose gradients really go back: what is inside the tanh is about 1."""
    rng = np.random.default_rng(seed)
    first = Weights.first([seed], hidden=hidden, words=18)
    return Weights(
        **{n: rng.standard_normal(a.shape) / math.sqrt(hidden) for n, a in first.arrays().items()}
    )


def words_of(row: int) -> Int[np.ndarray, " T"]:
    return DATA.words[row][DATA.words[row] != NOTHING]


def seen_on(row: int, backprop: str, weights: Weights | None = None) -> Passed:
    return passed(weights or weights_of(), words_of(row), int(DATA.labels[row]), backprop)


def by_autograd(weights: Weights, row: int, *, published: bool = False) -> dict[str, np.ndarray]:
    """All gradients from torch; published: with what the article's code does in place of Whh^T."""
    w = {n: torch.tensor(a[0], requires_grad=True) for n, a in weights.arrays().items()}
    states = [torch.zeros(len(w["bh"]), dtype=torch.float64, requires_grad=True)]
    for word in words_of(row):
        h = states[-1]
        recurrent = w["Whh"] @ h
        if published:  # the same value, whose gradient goes to h by the matrix itself
            swapped = w["Whh"].detach().T @ h
            recurrent = w["Whh"] @ h.detach() + swapped - swapped.detach()
        states.append(torch.tanh(w["Wxh"][:, int(word)] + recurrent + w["bh"]))
        states[-1].retain_grad()
    y = w["Why"] @ states[-1] + w["by"]
    loss = torch.nn.functional.cross_entropy(y[None], torch.tensor([int(DATA.labels[row])]))
    loss.backward()
    grads = {name: each.grad.numpy() for name, each in w.items()}
    return {**grads, "h": np.stack([h.grad.numpy() for h in states]), "loss": loss.item()}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{LENGTHS[row]} words")
@pytest.mark.parametrize("backprop", BACKPROPS)
def test_every_gradient_equals_autograd(backprop: str, row: int) -> None:
    weights = weights_of(row)
    seen = seen_on(row, backprop, weights)
    wanted = by_autograd(weights, row, published=backprop == "published")
    for name, array in seen.back.weights.arrays().items():
        np.testing.assert_allclose(array[0], wanted[name], rtol=1e-9, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(seen.dh, wanted["h"], rtol=1e-9, atol=1e-12)
    loss = cross_entropy(seen.forward.y, np.array([[seen.label]]))[0, 0]
    assert loss == pytest.approx(wanted["loss"], rel=1e-12)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{LENGTHS[row]} words")
def test_the_published_way_is_wrong_from_the_step_before_the_last_on(row: int) -> None:
    right, wrong = (seen_on(row, name) for name in ("corrected", "published"))
    np.testing.assert_array_equal(wrong.dh[-1], right.dh[-1])
    for name in ("Why", "by"):
        ours, theirs = (getattr(s.back.weights, name) for s in (right, wrong))
        np.testing.assert_array_equal(ours, theirs)
    assert all(check.relative_error(wrong.dh[t], right.dh[t]) > 0.1 for t in range(LENGTHS[row]))
    same = check.relative_error(wrong.back.weights.Whh, right.back.weights.Whh) == 0
    assert same == (LENGTHS[row] <= 2)  # h_0 is 0, so two words have one product in dL/dWhh


def test_a_symmetric_matrix_hides_the_mistake() -> None:
    arrays = weights_of().arrays()
    arrays["Whh"] = arrays["Whh"] + arrays["Whh"].swapaxes(1, 2)
    both = [seen_on(ROWS[-1], name, Weights(**arrays)).back.weights for name in BACKPROPS]
    for name, array in both[0].arrays().items():
        np.testing.assert_allclose(array, both[1].arrays()[name], rtol=1e-12)


# -- finite differences ----------------------------------------------------------------------------


def loss_at(weights: Weights, row: int) -> float:
    found = forward(weights, words_of(row)[None, None])
    return float(cross_entropy(found.y, DATA.labels[row][None, None])[0, 0])


@pytest.mark.parametrize("name", Weights.first([0], hidden=2, words=2).arrays())
def test_a_finite_difference_is_that_of_the_whole_network(name: str) -> None:
    weights, row = weights_of(5), ROWS[-1]
    found = check.numerical(weights, words_of(row), int(DATA.labels[row])).arrays()[name]
    rng = np.random.default_rng(1)
    for at in rng.permutation(found.size)[:12]:
        total = 0.0
        for times, factor in check.STENCIL:
            moved = {each: array.copy() for each, array in weights.arrays().items()}
            moved[name].flat[at] += times * check.MOVE
            total += factor * loss_at(Weights(**moved), row)
        quotient = total / (check.DIVISOR * check.MOVE)
        assert found.flat[at] == pytest.approx(quotient, rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{LENGTHS[row]} words")
def test_the_check_tells_the_two_apart(row: int) -> None:
    weights = weights_of(row, hidden=64)
    moved = check.numerical(weights, words_of(row), int(DATA.labels[row])).arrays()
    worst = {}
    for name in BACKPROP_NAMES:
        shown = seen_on(row, name, weights).back.weights.arrays()
        worst[name] = max(check.relative_error(shown[n], moved[n]) for n in shown)
    assert worst["corrected"] < 1e-9
    assert (worst["published"] < 1e-9) == (LENGTHS[row] == 1)
    if LENGTHS[row] > 2:
        assert 0.3 < worst["published"] < 30


def test_states_inside_and_scores_have_their_differences_too() -> None:
    seen = seen_on(ROWS[-1], "corrected")
    args = (seen.weights, seen.words, seen.label)
    for t in range(seen.steps + 1):
        moved = check.numerical_state(*args, t)
        np.testing.assert_allclose(moved, seen.dh[t], rtol=1e-7, atol=1e-11)
    for t in range(1, seen.steps + 1):
        moved = check.numerical_state(*args, t, name="z")
        np.testing.assert_allclose(moved, seen.temp(t), rtol=1e-7, atol=1e-11)
    moved = check.numerical_scores(*args)
    np.testing.assert_allclose(moved, seen.back.y[0, 0], rtol=1e-9, atol=1e-12)


# -- the formulas ----------------------------------------------------------------------------------

PLACES = [Place(t, i, j) for t, i, j in ((1, 0, 3), (2, 5, 0), (4, 11, 7), (7, 2, 2))]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("backprop", BACKPROPS)
def test_each_formula_agrees_with_its_difference_unless_it_is_wrong(
    backprop: str, place: Place
) -> None:
    seen = seen_on(ROWS[-1], backprop)
    every = check.numerical(seen.weights, seen.words, seen.label)
    found = formulas(seen, place)
    moved = differences(seen, place, found, every)
    values = np.array([one.value for one in found])
    agree = np.isclose(values, moved, rtol=1e-7, atol=1e-11)
    if backprop == "corrected":
        assert agree.all()
        return
    right = {"y", "Why", "by", "last"} | ({"z", "Wxh"} if place.t == seen.steps else set())
    assert {one.source for one, same in zip(found, agree, strict=True) if same} == right
    assert [one.source for one in found if one.marked] == ["before"]


MATHS = {"tanh": math.tanh, "exp": math.exp}


def result_of(worked: str) -> float:
    """What the numbers on the page add up to."""
    text = re.sub(r" \(the other \d+\)", "", worked).replace("−", "-")
    return eval(text.replace("·", "*").replace("²", "**2"), {"__builtins__": {}}, MATHS)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("backprop", BACKPROPS)
def test_the_numbers_put_in_give_the_value(backprop: str, place: Place) -> None:
    seen = seen_on(ROWS[-1], backprop)
    size = float(np.abs(seen.dh).max())
    for one in formulas(seen, place):
        assert result_of(one.worked) == pytest.approx(one.value, rel=0.02, abs=0.02 * size)
    for one in reading(seen, place)[1:5]:
        if "no step before" not in one.worked:
            assert result_of(one.worked) == pytest.approx(one.value, rel=0.02, abs=0.02)


def test_the_pictures_of_other_networks_show_it() -> None:
    seen = seen_on(ROWS[-1], "corrected")
    for t in range(seen.steps):
        for one in equations(as_layer(seen), sequence=0, t=t, unit=3):
            assert one.value == pytest.approx(one.recorded, rel=1e-12)
            assert one.recorded == seen.h[t + 1, 3]


# -- training --------------------------------------------------------------------------------------


def test_it_begins_as_in_the_article() -> None:
    weights = Weights.first(range(20), hidden=64, words=18)
    assert weights.count == 5442
    drawn = np.concatenate([getattr(weights, n).ravel() for n in ("Wxh", "Whh", "Why")])
    assert drawn.std() == pytest.approx(1e-3, rel=0.01)
    assert not weights.bh.any()
    assert not weights.by.any()
    assert CLIP == 1.0


def test_a_batch_reads_phrases_of_any_length_as_each_alone() -> None:
    weights = weights_of()
    every = forward(weights, DATA.words[None])
    backs = backward(weights, every, DATA.labels[None], ("corrected",)).weights.arrays()
    sums = {name: np.zeros_like(array) for name, array in backs.items()}
    for row in range(len(DATA.words)):
        alone = seen_on(row, "corrected")
        np.testing.assert_allclose(every.y[0, row], alone.forward.y[0, 0], rtol=1e-12)
        for name, array in alone.back.weights.arrays().items():
            sums[name] += array
    for name, array in backs.items():
        np.testing.assert_allclose(array, sums[name], rtol=1e-9, atol=1e-12)


def trained(seeds: Sequence[int], backprops: Sequence[str], epochs: int) -> Weights:
    weights = Weights.first(seeds, hidden=16, words=18)
    for epoch in range(1, epochs + 1):
        weights = after_epoch(
            weights, DATA, seeds=seeds, backprops=backprops, epoch=epoch, rate=RATE
        )
    return weights


def test_networks_in_lockstep_learn_as_each_would_alone() -> None:
    seeds, ways = (3, 3, 8), ("corrected", "published", "corrected")
    together = trained(seeds, ways, 3)
    for n, (seed, way) in enumerate(zip(seeds, ways, strict=True)):
        alone = trained([seed], [way], 3)
        for name, array in alone.arrays().items():
            np.testing.assert_allclose(together.one(n).arrays()[name], array, rtol=1e-9)


def test_one_step_is_plain_descent_with_every_gradient_clipped() -> None:
    far = {name: 3 * array for name, array in weights_of(2).arrays().items()}
    far["by"] = np.array([[40.0, -40.0]])  # sure of what is wrong: gradients beyond the clip
    before = Weights(**far)
    data = encoded([next(p for p in phrases() if p.good and len(p.text.split()) == 6)])
    after = after_epoch(
        before, data, seeds=[0], backprops=["corrected"], epoch=1, rate=0.5
    ).arrays()
    words = data.words[0]
    gradient = passed(before, words, 1, "corrected").back.weights.arrays()
    assert max(np.abs(g).max() for g in gradient.values()) > 1
    for name, array in before.arrays().items():
        step = 0.5 * np.clip(gradient[name], -1, 1)
        np.testing.assert_allclose(after[name], array - step, rtol=1e-12)


def right_after(epochs: int, backprop: str, seeds: int) -> int:
    """How many seeds have every test phrase right, told by a process that checks no shapes."""
    command = [sys.executable, "-m", "rnnviz", "scratch", "--backprop", backprop]
    command += ["--epochs", str(epochs), "--seeds", str(seeds)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(rf"^epoch {epochs}, .* all right in (\d+) of {seeds}$", out, re.MULTILINE)
    assert found
    return int(found[1])


@pytest.mark.slow
def test_corrected_20_of_20_seeds_are_right_before_epoch_400_and_published_not() -> None:
    assert right_after(300, "corrected", 20) == 20
    assert right_after(300, "published", 4) < 4


# -- the run ---------------------------------------------------------------------------------------

SHORT = settings(seed=4, hidden=8, epochs=12)


@pytest.fixture(scope="module")
def events() -> list:
    return list(fit(SHORT))


@pytest.mark.parametrize("epochs", [1, 12, 50, 51, 99, 400, MOST_EPOCHS])
def test_few_weights_are_kept_however_long_a_run_is(epochs: int) -> None:
    kept = {*range(0, epochs + 1, stride(epochs)), epochs}
    assert len(kept) <= MOST_KEPT + 1


def view_of(events: Sequence) -> RunView:
    return reduce(RunView.after, events, RunView())


def test_a_run_tells_every_epoch_and_keeps_few_weights(events: list) -> None:
    view = view_of(events)
    assert isinstance(events[0], Started)
    assert (view.started.sizes["train"], view.started.sizes["test"]) == (58, 20)
    assert isinstance(events[-1], Finished)
    assert view.snapshots == tuple(range(13))
    for name in BACKPROP_NAMES:
        for part in ("train", "test"):
            for metric in ("loss", "accuracy"):
                assert len(curve(view, name, part, metric)) == 13
    assert curve(view, "corrected", "train", "loss")[0] == pytest.approx(math.log(2), abs=1e-3)


def test_the_kept_weights_give_the_told_scores(events: list) -> None:
    view = view_of(events)
    snapshot = [event for event in events if isinstance(event, Snapshot)][-2]
    for name, weights in of_snapshot(snapshot.arrays).items():
        found = scores(weights, DATA)
        for part in ("train", "test"):
            told_of = curve(view, name, part, "loss")[snapshot.epoch]
            assert found[part].loss[0] == pytest.approx(told_of, rel=1e-12)


def test_a_resumed_run_equals_an_unbroken_one_bit_for_bit(events: list) -> None:
    run = fit(SHORT)
    before = [next(run)]
    while not (isinstance(before[-1], Found) and before[-1].epoch == 5):
        before.append(next(run))
    held = run.send(Wishes(checkpoint=True))
    assert isinstance(held, Checkpointed)
    after = list(fit(SHORT, held.state))
    view, whole = view_of([*before, *after]), view_of(events)
    assert [f.scores for f in view.found] == [f.scores for f in whole.found]
    assert view.snapshots == whole.snapshots
    last, wanted = (
        [e for e in each if isinstance(e, Snapshot)][-1].arrays for each in (after, events)
    )
    assert all(np.array_equal(last[name], wanted[name]) for name in wanted)


def with_accuracy(*test: float) -> RunView:
    return view_of(
        [
            Found(
                step=e,
                epoch=e,
                about=f"epoch {e}",
                numbers={},
                scores=tuple(
                    Score(predictor=name, part="test", metrics={"accuracy": value})
                    for name in BACKPROP_NAMES
                ),
            )
            for e, value in enumerate(test)
        ]
    )


def test_the_sentences_name_the_first_epoch_that_is_all_right() -> None:
    assert told(with_accuracy(0.5)) == ()
    assert first_perfect(with_accuracy(0.5, 0.9), "corrected") is None
    assert told(with_accuracy(0.5, 0.9)) == (
        "Corrected, no epoch so far has every test phrase right (after epoch 1: 90%).",
        "As published, no epoch so far has every test phrase right (after epoch 1: 90%).",
    )
    assert told(with_accuracy(0.5, 1.0, 0.95))[0] == (
        "Corrected, every test phrase is right after epoch 1 for the first time "
        "(after epoch 2: 95%)."
    )


def test_the_terminal_tells_both_and_checks_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "TELL", 5)
    lines = list(terminal.told([0, 1], BACKPROP_NAMES, hidden=8, epochs=6))
    assert lines[:2] == ["58 phrases to learn from, 20 to test, 18 words", "234 weights, 2 seeds"]
    assert sum("all right in" in line for line in lines) == 4  # two networks after 5 and 6
    errors = {line.split(":")[0].strip(): float(line.split(":")[1]) for line in lines[-2:]}
    assert errors["corrected"] < 1e-6 < 1e-3 < errors["published"]  # young weights: see the page
