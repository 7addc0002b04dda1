"""Small worlds: the rule that makes each, the answers that follow from it, and who meets them."""

import dataclasses
import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from rnnviz.batches import prepare
from rnnviz.config import WORLD_NAMES, DataConfig, RunConfig, settings_of
from rnnviz.data.dataset import MappingType, SequenceDataset, Task, split_of
from rnnviz.data.sources import load
from rnnviz.data.worlds import WORLDS, adding, brackets, copying, echo, namaskar, names, waves
from rnnviz.data.worlds.world import CHANCE, ENTROPY_FLOOR, MEMORYLESS, NOISE_FLOOR, memoryless
from rnnviz.errors import DataError
from rnnviz.evaluate import baselines
from rnnviz.events import Finished, RunView, Traced
from rnnviz.train import fit
from rnnviz.ui.answers import answers, floor_error, leak


def config(world: str, **settings: object) -> DataConfig:
    return DataConfig(source="world", world=world, **settings)


def run_config(world: str, **settings: object) -> RunConfig:
    """What the Train page begins with for a world, but for what is said."""
    wanted = {**WORLDS[world].suggested, **settings, "source": "world", "world": world}
    default = RunConfig()
    parts = {"data": default.data, "model": default.model, "training": default.training}
    return RunConfig(
        **{
            name: dataclasses.replace(
                part,
                **{s.name: wanted[s.name] for s in settings_of(type(part)) if s.name in wanted},
            )
            for name, part in parts.items()
        }
    )


def trained(world: str, dataset: SequenceDataset | None = None, **settings: object) -> RunView:
    setup = run_config(world, **settings)
    made = WORLDS[world].make(setup.data) if dataset is None else dataset
    view = RunView()
    for event in fit(setup, made):
        view = view.after(event)
    return view


def test_score(view: RunView, metric: str) -> float:
    return next(s for s in view.scorecard if s.part == "test").metrics[metric]


test_score.__test__ = False  # a helper, whatever its name


def known(dataset: SequenceDataset, name: str) -> float:
    (found,) = [each for each in dataset.known if each.name == name]
    return float(found.expected.mean())


# --- all of them ----------------------------------------------------------------------------------


def test_every_world_has_a_name_and_every_name_a_world() -> None:
    assert set(WORLDS) == set(WORLD_NAMES)


@pytest.fixture(params=WORLDS)
def world(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def dataset(world: str) -> SequenceDataset:
    return WORLDS[world].make(run_config(world, sequences=300).data)


def test_a_world_is_the_same_each_time_and_of_its_mapping(
    world: str, dataset: SequenceDataset, tmp_path: Path
) -> None:
    again = load(run_config(world, sequences=300).data, tmp_path)
    np.testing.assert_array_equal(dataset.inputs, again.inputs)
    np.testing.assert_array_equal(dataset.targets, again.targets)
    assert dataset.mapping is WORLDS[world].mapping
    assert dataset.known
    assert dataset.notes


def test_the_worlds_show_four_of_the_five_mappings() -> None:
    shown = {world.mapping for world in WORLDS.values()}
    assert set(MappingType) - shown == {MappingType.TRANSLATION}


def test_the_settings_of_a_world_are_those_that_change_it(world: str) -> None:
    base = run_config(world, sequences=100).data
    first = WORLDS[world].make(base)
    for name in ("sequences", "window", "delay", "horizon"):
        other = WORLDS[world].make(dataclasses.replace(base, **{name: getattr(base, name) + 1}))
        same = first.inputs.shape == other.inputs.shape and np.array_equal(
            first.targets, other.targets
        )
        assert same == (name not in WORLDS[world].settings), name


def test_no_test_sequence_is_trained_on_where_there_is_more_than_one(
    world: str, dataset: SequenceDataset
) -> None:
    split = split_of(dataset, seed=0)
    rows = {
        part: {dataset.inputs[row].tobytes() for row in getattr(split, part)}
        for part in ("train", "validation", "test")
    }
    if world == "namaskar":
        assert rows["test"] == rows["train"]
        assert "nothing is held out" in dataset.notes[0]
    else:
        assert not rows["test"] & (rows["train"] | rows["validation"])


def test_known_answers_stand_among_the_baselines(dataset: SequenceDataset) -> None:
    scores = baselines(prepare(dataset, seed=0))
    for each in dataset.known:
        rows = split_of(dataset, 0).test
        (score,) = [s for s in scores if (s.predictor, s.part) == (each.name, "test")]
        # over all steps that count, as a network's score is
        steps = dataset.judged[rows].sum(axis=1) if dataset.task.every_step else None
        pooled = np.average(each.expected[rows], weights=steps)
        assert score.metrics[each.metric] == pytest.approx(pooled)
    floors = [
        s for s in scores if s.predictor in (ENTROPY_FLOOR, NOISE_FLOOR) and s.part == "train"
    ]
    metric = dataset.known[0].metric
    for score in scores:  # nobody who was fitted is below a floor by more than noise
        assert score.metrics[metric] > floors[0].metrics[metric] - 0.01


# --- namaskar -------------------------------------------------------------------------------------


def test_without_memory_at_most_five_of_seven_letters_are_right() -> None:
    dataset = namaskar.load(config("namaskar"))
    inputs, targets = dataset.inputs[0], dataset.targets[0]
    letters = range(len(namaskar.LETTERS))
    read = sorted(set(inputs))
    hits = [
        sum(answer[read.index(x)] == y for x, y in zip(inputs, targets, strict=True))
        for answer in itertools.product(letters, repeat=len(read))
    ]
    assert max(hits) == 5
    assert dataset.known[0].others["accuracy"] == pytest.approx(5 / 7)
    assert known(dataset, MEMORYLESS) == pytest.approx(3 / 7 * math.log(3))
    assert round(known(dataset, MEMORYLESS), 4) == 0.4708
    rng = np.random.default_rng(0)
    for _ in range(200):  # no table of letters given letters has less
        table = rng.dirichlet(np.full(6, 0.3), size=6) + 1e-12
        assert -np.log(table[inputs, targets]).mean() > known(dataset, MEMORYLESS)


def test_a_network_gets_seven_of_seven_by_three_states_at_the_three_a() -> None:
    setup = run_config("namaskar", epochs=60)
    dataset = namaskar.load(setup.data)
    events = list(fit(setup, dataset))
    trace = next(e for e in reversed(events) if isinstance(e, Traced)).trace
    assert (trace.outputs[0].argmax(axis=1) == dataset.targets[0]).all()
    states = trace.layers[-1].state("h")[0][dataset.inputs[0] == namaskar.LETTERS.index("a")]
    apart = [np.abs(a - b).max() for a, b in itertools.combinations(states, 2)]
    assert len(apart) == 3
    assert min(apart) > 0.3
    (finished,) = [e for e in events if isinstance(e, Finished)]
    assert all(score.metrics["accuracy"] == 1 for score in finished.scorecard)
    view = RunView()
    for event in events:
        view = view.after(event)
    said = answers(view, dataset, split_of(dataset, 0))
    assert "clearly below the memoryless limit, 0.4708 (100.0% right against 71.4%)" in said


# --- adding, echo, copy ---------------------------------------------------------------------------


def test_the_sum_of_the_marked_numbers_has_a_variance_of_a_sixth() -> None:
    dataset = adding.load(config("adding", window=12, sequences=20_000))
    numbers, marks = dataset.inputs[:, :, 0], dataset.inputs[:, :, 1]
    assert (marks[:, :6].sum(axis=1) == 1).all()
    assert (marks[:, 6:].sum(axis=1) == 1).all()
    np.testing.assert_allclose((numbers * marks).sum(axis=1), dataset.targets[:, 0], rtol=1e-6)
    errors = (dataset.targets[:, 0].astype(np.float64) - 1) ** 2
    assert errors.mean() == pytest.approx(1 / 6, abs=4 * errors.std() / math.sqrt(len(errors)))
    assert known(dataset, adding.ALWAYS_ONE) == pytest.approx(1 / 6)


def test_a_network_adds_better_than_always_saying_one() -> None:
    view = trained("adding", window=10, sequences=1000, epochs=8, batch_size=16)
    assert test_score(view, "mse") < 0.25 / 6


@pytest.mark.parametrize("delay", [1, 4, 11])
def test_an_echo_says_what_was_read_so_many_steps_before(delay: int) -> None:
    dataset = echo.load(config("echo", window=12, delay=delay, sequences=50))
    for t in range(12):
        assert (dataset.counted[:, t] == (t >= delay)).all()
        if t >= delay:
            np.testing.assert_array_equal(dataset.targets[:, t], dataset.inputs[:, t - delay])


def test_an_echo_longer_than_its_sequence_is_refused() -> None:
    with pytest.raises(DataError, match="a delay of 12 needs sequences of more than 12 steps"):
        echo.load(config("echo", window=12, delay=12))


def test_over_all_bits_the_present_one_tells_nothing_of_the_echo() -> None:
    joint = np.zeros((2, 2))
    for bits in itertools.product((0, 1), repeat=6):
        for t in range(2, 6):
            joint[bits[t], bits[t - 2]] += 1
    loss, accuracy = memoryless(joint)
    assert loss == pytest.approx(math.log(2))
    assert accuracy == 0.5


def test_a_network_echoes() -> None:
    view = trained("echo", epochs=8)
    assert test_score(view, "accuracy") > 0.99
    assert test_score(view, "loss") < 0.1 * math.log(2)


def test_what_is_to_be_copied_stands_before_the_blanks() -> None:
    dataset = copying.load(config("copy", delay=6, sequences=80))
    s = copying.LENGTH
    assert dataset.steps == 2 * s + 6
    np.testing.assert_array_equal(dataset.targets[:, -s:], dataset.inputs[:, :s])
    assert (dataset.judged.nonzero()[1] >= s + 6).all()
    assert dataset.judged.sum() == 80 * s
    marker = dataset.vocabulary.index(copying.MARKER)
    assert (dataset.inputs == marker).sum(axis=1).tolist() == [1] * 80
    over_all = s * math.log(8) / dataset.steps
    assert f"{over_all:.4f}" in dataset.notes[1]


# --- brackets -------------------------------------------------------------------------------------


def strings(length: int) -> list[tuple[tuple[int, ...], float]]:
    """Every string that the grammar can write, with its probability."""
    found = [((), (), 1.0)]
    for _ in range(length):
        found = [
            ((*symbols, k), brackets.after(stack, k), share * p)
            for symbols, stack, share in found
            for k, p in enumerate(brackets.distribution(stack))
            if p
        ]
    return [(symbols, share) for symbols, _, share in found]


def stack_of(symbols: tuple[int, ...]) -> tuple[int, ...]:
    stack: tuple[int, ...] = ()
    for symbol in symbols:
        stack = brackets.after(stack, symbol)
    return stack


def test_every_rule_of_the_grammar_is_a_distribution_that_closes_the_innermost() -> None:
    for depth in range(brackets.DEEPEST + 1):
        for stack in itertools.product(range(2), repeat=depth):
            shares = brackets.distribution(stack)
            assert shares.sum() == pytest.approx(1)
            closing = shares[2:4]
            assert (closing > 0).tolist() == [bool(stack) and stack[-1] == k for k in range(2)]
            assert (shares[:2].sum() == 0) == (depth == brackets.DEEPEST)


def test_conditional_entropies_add_up_to_the_entropy_of_all_strings() -> None:
    length = 4
    shares = np.array([share for _, share in strings(length)])
    assert shares.sum() == pytest.approx(1)
    whole = -(shares * np.log(shares)).sum()
    steps = [
        sum(p * brackets.entropy(brackets.distribution(stack_of(s))) for s, p in strings(t))
        for t in range(length)
    ]
    assert whole == pytest.approx(sum(steps))


def test_the_floor_is_what_the_writers_own_probabilities_come_to() -> None:
    dataset = brackets.load(config("brackets", window=24, sequences=2000))
    (floor,) = dataset.known
    off = floor.realised - floor.expected
    error = off.std(ddof=1) / math.sqrt(len(off))
    assert abs(off.mean()) < 4 * error
    assert error < 0.01
    first = floor.expected[:3]
    by_hand = [
        np.mean(
            [
                brackets.entropy(
                    brackets.distribution(stack_of(tuple(dataset.inputs[row, : t + 1].tolist())))
                )
                for t in range(24)
            ]
        )
        for row in range(3)
    ]
    np.testing.assert_allclose(first, by_hand)
    np.testing.assert_array_equal(dataset.inputs[:, 1:], dataset.targets[:, :-1])


def test_the_joint_of_symbol_and_depth_is_that_of_all_strings() -> None:
    length = 4
    counted = np.zeros((len(brackets.SYMBOLS), brackets.DEEPEST + 1))
    for symbols, share in strings(length):
        for t in range(length):
            counted[symbols[t], len(stack_of(symbols[: t + 1]))] += share / length
    np.testing.assert_allclose(brackets.joint(length), counted, atol=1e-12)


def test_depths_count_the_open_brackets() -> None:
    dataset = brackets.depth(config("depth", window=16, sequences=60))
    opened = np.isin(dataset.inputs, (0, 1)).cumsum(axis=1)
    closed = np.isin(dataset.inputs, (2, 3)).cumsum(axis=1)
    np.testing.assert_array_equal(dataset.targets, opened - closed)
    assert dataset.targets.max() <= brackets.DEEPEST


def test_a_network_comes_near_the_floor_of_the_brackets_and_not_below() -> None:
    view = trained("brackets", sequences=1200, window=24, epochs=8)
    dataset = brackets.load(config("brackets", window=24, sequences=1200))
    split = split_of(dataset, 0)
    floor = float(dataset.known[0].expected[split.test].mean())
    loss = test_score(view, "loss")
    error = floor_error(dataset.known[0], split)
    assert floor - 3 * error < loss < floor + 0.12
    assert leak(view, dataset, split) == ""
    assert "entropy floor" in answers(view, dataset, split)


def test_answers_that_stand_among_the_inputs_are_told_as_a_leak() -> None:
    honest = brackets.load(config("brackets", window=12, sequences=200))
    leaking = dataclasses.replace(honest, inputs=honest.targets.copy())
    view = trained("brackets", leaking, epochs=10, learning_rate=0.05)
    split = split_of(leaking, 0)
    assert "lies below the entropy floor" in leak(view, leaking, split)
    assert leak(RunView(), leaking, split) == ""


# --- names and waves ------------------------------------------------------------------------------


@pytest.mark.parametrize("delay", [*range(8, 20), 25, 60])
def test_the_name_was_met_so_many_words_before(delay: int) -> None:
    dataset = names.load(config("names", delay=delay, sequences=60))
    words = np.array(dataset.vocabulary)[dataset.inputs]
    answer = np.array(names.NAMES)[dataset.targets]
    assert dataset.steps == delay + 6
    np.testing.assert_array_equal(words[:, -delay], answer)
    np.testing.assert_array_equal(words[:, 0], words[:, -4])  # who greets came in first
    assert ((words == answer[:, None]).sum(axis=1) == 1).all()
    assert known(dataset, CHANCE) == pytest.approx(math.log(8))


def test_a_name_that_is_too_near_is_refused() -> None:
    with pytest.raises(DataError, match="cannot be met 7 words before"):
        names.load(config("names", delay=7))


def test_a_network_remembers_whom_to_greet() -> None:
    view = trained("names", epochs=12)
    assert test_score(view, "accuracy") > 0.9


def test_noise_is_all_that_is_left_of_a_wave_that_is_known() -> None:
    for make in (waves.forecast, waves.one_value):
        dataset = make(config("sines", window=16, sequences=4000))
        (floor,) = dataset.known
        error = floor.realised.std() / math.sqrt(4000)
        assert floor.realised.mean() == pytest.approx(waves.NOISE**2, abs=4 * error)
    angles = dataset.inputs[:, 0, 0].astype(np.float64)
    left = (dataset.targets[:, 0] - np.sin(angles)) ** 2
    np.testing.assert_allclose(left, floor.realised, atol=1e-6)


def test_a_horizon_moves_the_target_and_not_the_window() -> None:
    near = waves.forecast(config("sines", window=16, horizon=1, sequences=60))
    far = waves.forecast(config("sines", window=16, horizon=9, sequences=60))
    np.testing.assert_array_equal(near.inputs, far.inputs)
    np.testing.assert_array_equal(near.persistence[:, 0], near.inputs[:, -1, 0])
    assert not np.array_equal(near.targets, far.targets)


def test_a_wave_is_given_at_its_first_step_only_and_scaled_there_only() -> None:
    dataset = waves.drawing(config("wave", window=10, sequences=60))
    assert dataset.task is Task.TRACKING
    assert not dataset.inputs[:, 1:].any()
    frequency, sine, cosine = dataset.inputs[:, 0].astype(np.float64).T
    steps = np.arange(10)
    turned = 2 * np.pi * frequency[:, None] * steps
    wave = np.sin(turned) * cosine[:, None] + np.cos(turned) * sine[:, None]
    np.testing.assert_allclose(dataset.targets[:, :, 0], wave, atol=1e-5)
    prepared = prepare(dataset, seed=0)
    batch = prepared.batch(prepared.split.train).inputs.numpy()
    assert not batch[1:].any()
    np.testing.assert_allclose(batch[0].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(batch[0].std(axis=0), 1, atol=1e-4)


def test_a_network_draws_waves() -> None:
    view = trained("wave", sequences=600, window=12, epochs=20)
    assert test_score(view, "r2") > 0.9
