"""A translator's run: scores, determinism, resuming, live teacher forcing, what it keeps."""

import io
import math
import time
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
import torch

from rnnviz.bench import translating
from rnnviz.config import RunConfig
from rnnviz.data.dataset import Source
from rnnviz.data.parallel import END, PAD, ParallelText, load
from rnnviz.data.parallel.task import Texts
from rnnviz.data.parallel.text import parallel_text
from rnnviz.errors import ConfigError, DataError
from rnnviz.events import (
    BatchEnded,
    Checkpointed,
    EpochEnded,
    Event,
    Failed,
    Finished,
    ForcingChanged,
    RateChanged,
    RunView,
    Snapshot,
    Started,
)
from rnnviz.runs.inline import InlineRunner
from rnnviz.runs.run import Run
from rnnviz.translation.batches import batch_of
from rnnviz.translation.learning import Learner
from rnnviz.translation.model import Translator
from rnnviz.translation.run import fit
from rnnviz.translation.scores import score
from rnnviz.translation.settings import (
    KEPT_BYTES,
    MOST_KEPT,
    MOST_WEIGHTS,
    PROGRAMS,
    TITLE,
    check_cost,
    cost,
    settings,
    stride,
)
from rnnviz.wishes import Wishes
from tests.plain_translator import Plain

SMALL = settings(
    "dates", pairs=120, epochs=3, hidden_size=10, embedding=5, dropout=0.2, teacher_forcing=0.5,
    batch_size=32, seed=4,
)  # fmt: skip
PAIRS = load(SMALL, Path("nowhere"))


def events_of(
    config: RunConfig = SMALL,
    pairs: ParallelText = PAIRS,
    state: bytes | None = None,
    wishes: dict[int, Wishes] | None = None,
    until: int | None = None,
) -> list[Event]:
    """All events; wishes are sent after the batches of these steps."""
    stream = fit(config, pairs, state, clock=lambda: 0.0)
    events, sent = [], None
    while True:
        try:
            event = stream.send(sent)
        except StopIteration:
            return events
        events.append(event)
        sent = wishes.get(event.step) if wishes and isinstance(event, BatchEnded) else None
        if until is not None and isinstance(event, Checkpointed) and event.step >= until:
            stream.close()
            return events


def told(events: list[Event]) -> list[Event]:
    return [event for event in events if not isinstance(event, Checkpointed | Snapshot)]


def kept(events: list[Event]) -> list[Snapshot]:
    return [event for event in events if isinstance(event, Snapshot)]


@pytest.fixture(scope="module")
def whole() -> list[Event]:
    return events_of()


def test_a_run_tells_all_that_a_page_needs(whole: list[Event]) -> None:
    started, view = whole[0], reduce(RunView.after, whole, RunView())
    assert isinstance(started, Started)
    assert started.parameters == sum(a.size for a in kept(whole)[0].arrays.values())
    assert started.sizes == {"train": 77, "validation": 19, "test": 24}
    assert (started.batches, started.metric, started.unit) == (3, "loss", "nats")
    assert view.status == "finished"
    assert view.snapshots == (0, 1, 2, 3)
    assert {score.part for score in view.scorecard} == {"train", "validation", "test"}
    assert [event.step for event in view.epochs] == [3, 6, 9]
    for epoch in view.epochs:
        assert set(epoch.test.metrics) == {"loss", "perplexity", "tokens", "exact"}
        assert epoch.test.metrics["perplexity"] == math.exp(epoch.test.metrics["loss"])


def test_the_same_settings_give_the_same_events_and_another_seed_others(whole) -> None:
    again = events_of()
    assert told(again) == told(whole)
    for one, other in zip(kept(again), kept(whole), strict=True):
        assert all((one.arrays[name] == other.arrays[name]).all() for name in other.arrays)
    other = settings("dates", **{**VALUES, "seed": 5})
    assert told(events_of(other))[-1] != told(whole)[-1]


@pytest.mark.parametrize("step", [0, 2, 3, 7])
def test_a_resumed_run_equals_an_unbroken_one_bit_for_bit(whole, step: int) -> None:
    wish = {step: Wishes(checkpoint=True)}
    first = events_of(wishes=wish, until=step) if step else events_of(until=0, wishes={})
    state = next(e.state for e in reversed(first) if isinstance(e, Checkpointed))
    rest = told(events_of(state=state))
    assert rest == told(whole)[-len(rest) :]
    final = kept(events_of(state=state))[-1].arrays
    assert all((final[name] == array).all() for name, array in kept(whole)[-1].arrays.items())


def test_teacher_forcing_is_changed_at_a_known_step_and_kept(whole) -> None:
    wish = {4: Wishes(teacher_forcing=1.0)}
    changed = told(events_of(wishes=wish))
    number = next(n for n, event in enumerate(changed) if isinstance(event, ForcingChanged))
    assert changed[number] == ForcingChanged(step=4, epoch=2, teacher_forcing=1.0)
    assert changed[:number] == told(whole)[:number]
    assert changed[number + 1] != told(whole)[number]  # the step after it
    state = [e.state for e in events_of(wishes=wish) if isinstance(e, Checkpointed)][1]
    assert told(events_of(state=state))[-1] == changed[-1]  # not the share of the settings
    view = reduce(RunView.after, changed, RunView())
    assert [event.teacher_forcing for event in view.forcings] == [1.0]


def test_a_wish_for_what_is_so_already_changes_nothing(whole) -> None:
    wish = Wishes(teacher_forcing=0.5, learning_rate=SMALL.training.learning_rate)
    assert told(events_of(wishes={4: wish})) == told(whole)


def test_rate_and_forcing_may_change_at_once() -> None:
    wish = {2: Wishes(teacher_forcing=0.0, learning_rate=0.1)}
    kinds = [type(event) for event in events_of(wishes=wish)]
    place = kinds.index(RateChanged)
    assert kinds[place : place + 2] == [RateChanged, ForcingChanged]


def test_a_run_on_disk_takes_the_wish(tmp_path: Path) -> None:
    run = Run.create(
        tmp_path, SMALL, owner="ann", now=time.time(), program=PROGRAMS[TITLE], title=TITLE
    )
    run.step_to(4)
    InlineRunner().submit(run)
    assert run.view().status == "paused"
    run.set_teacher_forcing(0.25)
    run.resume()
    InlineRunner().submit(run)
    view = run.view()
    assert (view.status, view.forcings[0].step) == ("finished", 4)
    assert view.forcings[0].teacher_forcing == 0.25
    assert set(run.arrays(3)) == set(kept(events_of())[0].arrays)
    with pytest.raises(ConfigError, match=r"teacher_forcing is 2.*must lie in \[0, 1\]"):
        run.set_teacher_forcing(2)


def test_training_lowers_the_loss_with_and_without_forcing() -> None:
    for share in (1.0, 0.3):
        config = settings("reversal", pairs=400, epochs=3, teacher_forcing=share)
        pairs = load(config, Path("nowhere"))
        epochs = [e for e in events_of(config, pairs) if isinstance(e, EpochEnded)]
        assert epochs[-1].test.metrics["loss"] < 0.9 * epochs[0].test.metrics["loss"]


# --- loss and scores ------------------------------------------------------------------------------


def learner(**values) -> Learner:
    config = settings("dates", **{**VALUES, **values})
    model = Translator(
        config.model,
        config.translation,
        source_size=len(PAIRS.source_vocabulary),
        target_size=len(PAIRS.target_vocabulary),
    )
    return Learner(config, model)


VALUES = {
    **{"pairs": 120, "epochs": 3, "hidden_size": 10, "embedding": 5, "dropout": 0.2, "seed": 4},
    **{"teacher_forcing": 0.5, "batch_size": 32},
}


def test_the_loss_is_the_mean_over_target_tokens_with_their_ends() -> None:
    one = learner(dropout=0.0, teacher_forcing=1.0)
    one.model.double()
    plain = Plain(one.model.state_dict(), one.config.model, one.config.translation)
    rows = np.arange(5)
    total = tokens = 0.0
    for row in rows:
        source = PAIRS.sources[row, : PAIRS.source_lengths[row]].tolist()
        target = PAIRS.targets[row, : PAIRS.target_lengths[row]].tolist()
        said = plain.logits(source, [1, *target[:-1]])
        total += torch.nn.functional.cross_entropy(said, torch.tensor(target), reduction="sum")
        tokens += len(target)
    loss, _ = one.learn(batch_of(PAIRS, rows), 0)
    assert loss == pytest.approx(float(total) / tokens, abs=1e-12)


def test_a_share_of_forcing_is_a_share_of_the_tokens_and_follows_the_step() -> None:
    half = learner(teacher_forcing=0.25)
    batch = batch_of(PAIRS, np.arange(100))
    coins = torch.stack([half._forced(batch, step) for step in range(20)])
    assert float(coins.double().mean()) == pytest.approx(0.25, abs=0.01)
    assert (half._forced(batch, 3) == coins[3]).all()
    assert (coins[3] != coins[4]).any()


def test_scores_count_tokens_and_whole_targets() -> None:
    """Of a network that always says 1 and ends where each date does."""
    one = learner().model
    with torch.no_grad():
        for weight in one.parameters():
            weight.zero_()
        one.head.bias[PAIRS.target_vocabulary.index("1")] = 50.0
    found = score(one, PAIRS, np.arange(100), "test").metrics
    ones = (PAIRS.targets[:100] == PAIRS.target_vocabulary.index("1")).sum()
    assert found["tokens"] == pytest.approx(ones / 1100)
    assert found["loss"] == pytest.approx(50.0 * (1 - ones / 1100), rel=1e-5)
    assert found["exact"] == 0.0


def test_exact_means_exact_to_the_end() -> None:
    """A network of which all that is learned is one single target."""
    texts = Texts(tuple("abcdefgh"), ("no",) * 7 + ("nono",), Source(title="t"), "characters")
    pairs = parallel_text(texts)
    config = settings("dates", hidden_size=8, embedding=4, learning_rate=0.05)
    model = Translator(config.model, config.translation, source_size=12, target_size=6)
    taught = Learner(config, model)
    for step in range(60):
        taught.learn(batch_of(pairs, np.arange(7)), step)
    assert score(model, pairs, np.arange(7), "test").metrics["exact"] == 1.0
    assert score(model, pairs, np.array([7]), "test").metrics["exact"] == 0.0
    assert score(model, pairs, np.arange(8), "test").metrics["exact"] == 7 / 8
    said = model.greedy(model.encode(*batch_of(pairs, np.array([7]))[:2]), 9)[:, 0].tolist()
    assert said[2:] == [END]
    assert pairs.decode([*said, PAD, PAD]) == "no"


def test_who_never_reads_the_source_is_scored_beside_it(whole) -> None:
    baselines = {(s.predictor, s.part): s.metrics for s in whole[0].baselines}
    assert {name for name, _ in baselines} == {"unigram", "bigram"}
    for part in ("validation", "test"):
        one, two = baselines["unigram", part], baselines["bigram", part]
        assert two["loss"] < one["loss"] < math.log(len(PAIRS.target_vocabulary))
        assert one["perplexity"] == math.exp(one["loss"])
    # of the training part the unigram's loss is the entropy of its counts, but for the smoothing
    rows = PAIRS.split(4).train
    counts = np.bincount(PAIRS.targets[rows].ravel())[2:]
    shares = counts[counts > 0] / counts.sum()
    entropy = -(shares * np.log(shares)).sum()
    assert baselines["unigram", "train"]["loss"] == pytest.approx(entropy, rel=5e-3)


# --- bad ends, and what it costs ------------------------------------------------------------------


def test_a_run_that_diverges_keeps_the_last_good_weights() -> None:
    config = settings("dates", **{**VALUES, "optimiser": "sgd", "clip_norm": 0.0, "dropout": 0.0})
    events = events_of(config, wishes={2: Wishes(learning_rate=1e38)})
    checkpoint, failed = events[-2:]
    assert isinstance(failed, Failed)
    assert isinstance(checkpoint, Checkpointed)
    assert (failed.step, failed.epoch) == (3, 2)
    assert "In step 4 (epoch 2) the loss became inf" in failed.message
    assert "the weights of step 2 are kept. Lower the learning rate (now 1e+38)" in failed.message
    assert failed.where == "the decoder or the head"
    # the steps of the very same numbers, but without the wish
    calm = events_of(config, until=2, wishes={2: Wishes(checkpoint=True)})
    kept_weights, calm_weights = (
        torch.load(io.BytesIO(event.state), weights_only=True)["model"]
        for event in (checkpoint, calm[-1])
    )
    assert all((kept_weights[name] == calm_weights[name]).all() for name in calm_weights)


def test_patience_ends_a_run_with_its_best_weights() -> None:
    config = settings("dates", **{**VALUES, "learning_rate": 1e-6, "patience": 1, "epochs": 9,
                                  "optimiser": "sgd", "teacher_forcing": 0.0})  # fmt: skip
    config_up = settings("dates", **{**VALUES, "learning_rate": 3.0, "patience": 1, "epochs": 9})
    for each in (config, config_up):
        events = events_of(each)
        epochs = [event for event in events if isinstance(event, EpochEnded)]
        losses = [event.validation.metrics["loss"] for event in epochs]
        assert isinstance(events[-1], Finished)
        last = events[-1].scorecard[1].metrics["loss"]
        assert last == pytest.approx(min(losses))


def test_all_that_is_kept_stays_in_bounds() -> None:
    for count in (100, 10_000, 1_000_000, 4_000_000, MOST_WEIGHTS):
        for epochs in (1, 7, 50, 999, 10_000):
            every = stride(epochs, count)
            snapshots = {0, epochs, *range(every, epochs + 1, every)}
            assert len(snapshots) <= MOST_KEPT + 2
            assert len(snapshots) * count * 4 <= KEPT_BYTES


def test_giant_settings_are_refused_with_their_number() -> None:
    huge = {"hidden_size": 512, "layers": 4, "embedding": 512, "bidirectional": False}
    giant = settings("dates", **{**VALUES, **huge})
    with pytest.raises(ConfigError, match=r"make 1\d,\d{3},\d{3} weights; at most"):
        check_cost(giant, PAIRS)
    wide = settings("dates", **{**VALUES, "hidden_size": 512, "attention": "additive"})
    assert cost(wide, PAIRS).bytes > 5 * cost(SMALL, PAIRS).bytes
    with pytest.raises(ConfigError, match="there is no setting colour"):
        settings("dates", colour="red")


def test_what_is_planned_covers_what_a_batch_really_keeps() -> None:
    """Memory of the activations that autograd saves, against the estimate."""
    config = settings("dates", **{**VALUES, "attention": "additive", "hidden_size": 32})
    saved: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    model = Translator(
        config.model,
        config.translation,
        source_size=len(PAIRS.source_vocabulary),
        target_size=len(PAIRS.target_vocabulary),
    )
    one = Learner(config, model)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        one.learn(batch_of(PAIRS, np.arange(32)), 0)
    planned = cost(config, PAIRS).bytes
    assert 0.3 * planned < sum(saved.values()) < planned


def test_too_few_sources_are_refused() -> None:
    texts = Texts(("a", "b", "c"), ("x", "y", "z"), Source(title="t"), "characters")
    with pytest.raises(DataError, match="hold 3 different sources"):
        next(fit(SMALL, parallel_text(texts)))


@pytest.mark.slow
def test_every_held_out_date_is_right_to_the_last_token() -> None:
    """As the Translate page begins it; about 20 s on one core, of 6 epochs mostly 3 or 4."""
    perfect = next((lap for lap in translating.laps() if lap.exact == 1.0), None)
    assert perfect is not None
    assert perfect.held_out == 1600
