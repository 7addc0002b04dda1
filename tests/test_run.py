"""A run's directory: what is written comes back, whatever happens to the writer."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import runs_fakes as fakes

from rnnviz.config import RunConfig
from rnnviz.errors import ConfigError, RunError
from rnnviz.events import (
    NO_ARRAYS,
    BatchEnded,
    Checkpointed,
    EpochEnded,
    Event,
    Failed,
    Finished,
    ForcingChanged,
    Found,
    Paused,
    RateChanged,
    Resumed,
    RunView,
    Sampled,
    Score,
    Snapshot,
    Started,
    Traced,
)
from rnnviz.runs.codec import KINDS, NumberedEvent, decode, encode
from rnnviz.runs.control import BY_HAND, Control
from rnnviz.runs.files import replace_file, sweep
from rnnviz.runs.index import delete, list_runs, prune
from rnnviz.runs.lock import is_taken, taken
from rnnviz.runs.log import Cursor, EventLog, Reading
from rnnviz.runs.run import Run, title_of

NOW = 1_000_000.0
SCORE = Score(
    predictor="network",
    part="test",
    metrics={"mse": 0.1 + 0.2, "r2": -math.inf},
    errors={"mean": math.inf, "persistence": 0.7},
)
EVENTS: tuple[Event, ...] = (
    Started(
        step=0,
        epoch=1,
        parameters=7,
        sizes={"train": 5},
        people={"train": 4},
        batches=2,
        epochs=3,
        metric="mse",
        unit="(kg/m²)²",
        baselines=(SCORE, SCORE),
        trace_stride=1,
    ),
    BatchEnded(step=1, epoch=1, loss=1 / 3, gradient_norm=math.inf, seconds=1e-300),
    EpochEnded(
        step=2,
        epoch=1,
        train_loss=-math.inf,
        validation=SCORE,
        test=SCORE,
        gradient_norm=5e-324,
        clipped=2,
        learning_rate=0.1,
        seconds=2.0,
    ),
    Traced(step=2, epoch=1, trace=None, survey=None),
    RateChanged(step=2, epoch=1, learning_rate=0.003),
    Checkpointed(step=2, epoch=1, state=b""),
    Paused(step=2, epoch=1, reason='a "quoted"\nline and \ud800'),
    Resumed(step=2, epoch=1, attempt=3),
    Finished(step=2, epoch=1, reason="done", scorecard=(SCORE,)),
    Failed(step=2, epoch=1, message="ünïcode", where="layer 1"),
    Found(step=2, epoch=1, about="split 1", numbers={"rows": 7.0}, scores=(SCORE,)),
    Snapshot(step=2, epoch=1, arrays=NO_ARRAYS),
    ForcingChanged(step=2, epoch=1, teacher_forcing=0.5),
    Sampled(step=2, epoch=1, prefix="the ", text="lamp\n", temperature=0.8, seed=3),
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A fresh run."""
    return Run.create(tmp_path, RunConfig(), owner="ann", now=NOW)


def batch(step: int, loss: float = 0.5) -> BatchEnded:
    """A batch."""
    return BatchEnded(step=step, epoch=1, loss=loss, gradient_norm=1.0, seconds=0.0)


# Events as lines


def test_every_event_is_in_the_table():
    assert set(KINDS.values()) == {type(event) for event in EVENTS}
    assert set(KINDS.values()) == set(Event.__subclasses__())


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_as_it_was(event: Event):
    line = encode(event, 7)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == NumberedEvent(7, event)


def test_a_score_of_an_earlier_version_has_no_errors():
    record = json.loads(encode(EVENTS[2], 7))
    for name in ("validation", "test"):
        del record[name]["errors"]
    event = decode(json.dumps(record).encode()).event
    assert event.test == replace(SCORE, errors={})
    del record["test"]["part"]  # which has never been missing
    assert decode(json.dumps(record).encode()) is None


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf, -0.0, 0.1, 5e-324])
def test_every_float_comes_back_bit_for_bit(loss: float):
    back = decode(encode(batch(1, loss), 1)).event.loss
    assert np.float64(back).tobytes() == np.float64(loss).tobytes()


@pytest.mark.parametrize(
    "line",
    [b'{"type":"Invented","n":3,"step":1}', b'{"type":"Paused","n":3}', b"\x00\xff", b"[]", b""],
)
def test_an_unknown_line_is_no_event(line: bytes):
    assert decode(line) is None


# The log


def test_numbers_count_from_one_and_go_on_when_the_log_is_opened_again(run: Run):
    for event in EVENTS[:3]:
        run.append(event)
    with EventLog(run.log) as log:
        assert log.append(EVENTS[4]).n == 4
    assert [e.n for e in run.events()] == [1, 2, 3, 4]
    assert [e.n for e in run.events(after=2)] == [3, 4]


def test_a_reader_gets_each_event_once(run: Run):
    cursor, seen = Cursor(), []
    for step in range(1, 6):
        run.append(batch(step))
        events, cursor = run.read(cursor)
        seen += [event.step for _, event in events]
    assert seen == [1, 2, 3, 4, 5]
    assert run.read(cursor) == ((), cursor)


@pytest.mark.parametrize("cut", [1, 2, 30])
def test_a_torn_last_line_does_not_exist_and_is_cut_off(run: Run, cut: int):
    run.append(batch(1))
    run.append(batch(2))
    os.truncate(run.log, run.log.stat().st_size - cut)
    events, cursor = run.read(Cursor())
    assert [event.step for _, event in events] == [1]
    assert run.append(batch(3)).n == 2
    assert [event.step for _, event in run.read(cursor)[0]] == [3]
    assert run.log.read_bytes().count(b"\n") == 2


def test_a_full_disk_leaves_the_log_as_it_was(run: Run, monkeypatch: pytest.MonkeyPatch):
    run.append(batch(1))
    before = run.log.read_bytes()
    write = os.write
    with EventLog(run.log) as log:
        monkeypatch.setattr(os, "write", lambda file, line: write(file, line[:20]))
        with pytest.raises(OSError, match="No space left"):
            log.append(batch(2))
        assert run.log.read_bytes() == before
        monkeypatch.undo()
        assert log.append(batch(2)).n == 2


def test_repeated_events_change_no_fold(run: Run):
    once = [*EVENTS[:5], EVENTS[10], batch(2), batch(3)]
    for event in [*once, *once]:
        run.append(event)
    view = run.view()
    assert [b.step for b in view.batches] == [1, 2, 3]
    assert (len(view.epochs), view.traced, len(view.rates)) == (1, (1,), 1)
    assert view.found == (EVENTS[10],)


def test_following_gives_the_fold_and_the_same_object_without_news(run: Run):
    first = run.follow(Reading())
    assert first.view == RunView()
    for event in EVENTS[:3]:
        run.append(event)
    second = run.follow(first)
    assert second.view == run.view()
    assert second.view.status == "running"
    assert run.follow(second) is second


# Traces


def _same(a: object, b: object) -> bool:
    if is_dataclass(a):
        return type(a) is type(b) and all(
            _same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a)
        )
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return a == b and type(a) is type(b)


def test_a_trace_comes_back_bit_for_bit_and_read_only(run: Run):
    trace, survey = fakes.trace(3), fakes.survey()
    run.append(Traced(step=9, epoch=3, trace=trace, survey=survey))
    back, back_survey = run.trace(3)
    assert _same(back, trace)
    assert _same(back_survey, survey)
    assert not back.layers[0].gates.flags.writeable
    assert run.view().traced == (3,)


def test_a_survey_comes_back_without_a_trace(run: Run):
    run.append(Traced(step=9, epoch=0, trace=None, survey=fakes.survey()))
    trace, survey = run.trace(0)
    assert trace is None
    assert _same(survey, fakes.survey())


def test_arrays_come_back_bit_for_bit_and_read_only_beside_a_trace(run: Run):
    arrays = {"W": np.array([[0.1, -0.0], [np.inf, 5e-324]]), "n": np.arange(3)}
    run.append(Traced(step=9, epoch=3, trace=None, survey=fakes.survey()))
    run.append(Snapshot(step=9, epoch=3, arrays=arrays))
    back = run.arrays(3)
    assert {name: (a.tobytes(), a.dtype) for name, a in back.items()} == {
        name: (a.tobytes(), a.dtype) for name, a in arrays.items()
    }
    assert not any(array.flags.writeable for array in back.values())
    assert run.view().snapshots == (3,)
    assert run.trace(3)[1] is not None
    with pytest.raises(RunError, match="no trace of epoch 4 is kept; choose another"):
        run.arrays(4)


def test_a_trace_that_was_not_kept_is_said_so(run: Run):
    with pytest.raises(RunError, match="no trace of epoch 2 is kept; choose another"):
        run.trace(2)


@pytest.mark.parametrize("keep", [0, 10, 500])
def test_a_damaged_trace_is_said_so(run: Run, keep: int):
    run.append(Traced(step=9, epoch=3, trace=fakes.trace(3), survey=None))
    os.truncate(run.traces / "3.npz", keep)
    with pytest.raises(RunError, match="epoch 3 cannot be read"):
        run.trace(3)


# Settings and ids


def test_a_run_is_found_again_with_all_it_was_made_of(run: Run):
    assert Run.open(run.home, run.id) == run
    assert Run.at(run.directory) == replace(run, home=run.home.resolve())


@pytest.mark.parametrize(
    "bad",
    [
        "",
        ".",
        "..",
        "../x",
        "/etc",
        "a" * 19,
        "a" * 21,
        "A" * 20,
        "g" * 20,
        "0" * 20,
        "0" * 20 + "\n",
    ],
)
def test_no_other_id_opens_anything(run: Run, bad: str):
    with pytest.raises(RunError, match="there is no such run"):
        Run.open(run.home, bad)


def test_another_owners_run_does_not_exist(run: Run):
    assert Run.open(run.home, run.id, owner="ann") == run
    with pytest.raises(RunError, match="there is no such run"):
        Run.open(run.home, run.id, owner="bob")


def test_a_home_that_cannot_be_written_is_said_so(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match=r"cannot be written to .*another folder"):
        Run.create(tmp_path / "file", RunConfig(), owner="ann", now=NOW)


def test_a_title_says_what_the_run_is():
    assert title_of(RunConfig()) == (
        "LSTM, 32 units, additive attention: NHANES activity (simulated)"
    )


# What is wanted

WISHES = {
    "pause": (lambda run: run.pause(), {"wanted": "pause", "reason": BY_HAND}),
    "resume": (lambda run: run.resume(), {"wanted": "run"}),
    "step": (lambda run: run.step_to(17), {"wanted": "run", "until_step": 17}),
    "epoch": (lambda run: run.epoch_to(3), {"wanted": "run", "until_epoch": 3}),
    "stop": (lambda run: run.stop(), {"wanted": "stop"}),
    "rate": (lambda run: run.set_learning_rate(0.5), {"learning_rate": 0.5}),
}


@pytest.mark.parametrize(("wish", "wanted"), WISHES.values(), ids=WISHES)
def test_a_wish_that_arrives_twice_is_one(run: Run, wish, wanted):
    first = wish(run)
    assert wish(run) == first == run.control()
    assert replace(first, number=0) == Control(**wanted)


def test_a_later_wish_replaces_the_bound_of_an_earlier(run: Run):
    run.step_to(17)
    assert run.epoch_to(2).until_step is None
    assert run.resume().until_epoch is None
    assert run.control().number == 3


def test_a_stop_is_final(run: Run):
    run.stop()
    assert run.resume().wanted == run.pause().wanted == "stop"


def test_a_wish_that_came_too_late_changes_nothing(run: Run):
    seen = run.control().number
    run.step_to(5)
    assert run.pause("lonely", expected=seen).wanted == "run"


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, 11.0])
def test_a_rate_out_of_range_is_refused(run: Run, rate: float):
    with pytest.raises(ConfigError, match=r"learning_rate is .* must lie in"):
        run.set_learning_rate(rate)
    assert run.control() == Control()


@pytest.mark.parametrize(
    ("held", "where"),
    [
        (False, {"step": 16, "epochs": 9}),
        (True, {"step": 17, "epochs": 0}),
        (True, {"step": 18, "epochs": 0}),
    ],
)
def test_a_run_holds_from_the_named_step_on(held: bool, where: dict):
    assert bool(Control(until_step=17).hold(**where)) is held


def test_looking_and_steering_count_as_looks(run: Run):
    now = time.time()
    assert run.unwatched_for(NOW + 5) == 5
    run.watch(NOW + 5)
    assert run.unwatched_for(NOW + 5) == 0
    run.watch(now - 100)
    assert run.unwatched_for(now) == pytest.approx(100, abs=1)
    run.step_to(1)
    assert run.unwatched_for(now) < 1


# Who works on it


def test_a_run_has_one_worker_and_anybody_sees_it(run: Run):
    assert not is_taken(run.directory)
    with taken(run.directory) as killed:
        assert not killed
        assert run.worked_on_by() == os.getpid()
        with (
            pytest.raises(RunError, match="another process works on this run"),
            taken(run.directory),
        ):
            pass
    assert run.worked_on_by() is None
    with taken(run.directory) as killed:
        assert not killed


def test_a_killed_worker_leaves_a_mark_and_no_lock(run: Run):
    code = (
        "import os, signal, sys; from pathlib import Path; from rnnviz.runs.lock import taken\n"
        "with taken(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", code, run.directory], env=_environment())
    assert ended.returncode == -signal.SIGKILL
    assert not is_taken(run.directory)
    with taken(run.directory) as killed:
        assert killed


# Crashes while saving


def _save_for_ever(path: Path, saved: int) -> None:
    """Saves one state after the other, each of one byte's value; in a child that is killed."""
    try:
        for n in range(10**9):
            sweep(path.parent)
            replace_file(path, bytes([n % 251]) * 500_000, durable=True)
            os.write(saved, b".")
    finally:
        os._exit(1)


def test_no_kill_while_saving_leaves_an_unreadable_checkpoint(run: Run):
    path = run.directory / "checkpoint.bin"
    wait = np.random.default_rng(0)
    for _ in range(100):
        saves, saved = os.pipe()
        child = os.fork()
        if child == 0:
            _save_for_ever(path, saved)
        os.read(saves, 1)
        time.sleep(wait.uniform(0, 0.01))  # a random moment, not a condition
        os.kill(child, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        os.close(saves)
        os.close(saved)
        state = run.checkpoint()
        assert len(state) == 500_000
        assert len(set(state)) == 1


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}


# The list


def _ended(home: Path, owner: str, created: float) -> Run:
    run = Run.create(home, RunConfig(), owner=owner, now=created)
    for event in (EVENTS[0], batch(1), EVENTS[2], EVENTS[8]):
        run.append(event)
    return run


def test_the_list_holds_an_owners_runs_newest_first(tmp_path: Path):
    old, new = _ended(tmp_path, "ann", 1.0), _ended(tmp_path, "ann", 2.0)
    _ended(tmp_path, "bob", 3.0)
    waiting = Run.create(tmp_path, RunConfig(), owner="ann", now=4.0)
    (tmp_path / "runs" / "stray").mkdir()
    (tmp_path / "runs" / ("0" * 20)).mkdir()
    found = list_runs(tmp_path, "ann")
    assert [summary.id for summary in found] == [waiting.id, new.id, old.id]
    assert (found[0].status, found[0].score, found[0].epochs) == ("waiting", None, 20)
    assert (found[1].status, found[1].step, found[1].epoch) == ("finished", 2, 1)
    assert found[1].score == SCORE
    assert not found[1].worked_on


def test_an_empty_home_has_no_runs(tmp_path: Path):
    assert list_runs(tmp_path / "nothing", "ann") == ()


def test_a_summary_says_what_the_whole_fold_says(run: Run):
    for event in (*EVENTS[:7], batch(3), batch(4)):
        run.append(event)
    (summary,) = list_runs(run.home, "ann")
    view = run.view()
    assert (summary.status, summary.step, summary.epoch) == (view.status, view.step, view.epoch)


def test_a_deleted_run_is_gone_and_one_at_work_is_not_deleted(run: Run):
    with taken(run.directory), pytest.raises(RunError, match="another process"):
        delete(run)
    delete(run)
    assert list((run.home / "runs").iterdir()) == []
    with pytest.raises(RunError, match="was deleted"):
        run.pause()


def test_pruning_takes_the_oldest_that_ended_until_the_rest_fits(tmp_path: Path):
    alive = Run.create(tmp_path, RunConfig(), owner="ann", now=0.5)
    ended = [_ended(tmp_path, "ann", float(k)) for k in (1, 2, 3)]
    sizes = {summary.id: summary.bytes for summary in list_runs(tmp_path, "ann")}
    keep = sum(sizes.values()) - sizes[ended[0].id] - 1
    assert prune(tmp_path, now=10.0, keep_bytes=keep) == (ended[0].id, ended[1].id)
    assert {s.id for s in list_runs(tmp_path, "ann")} == {alive.id, ended[2].id}
    assert prune(tmp_path, now=31 * 86_400.0, keep_bytes=0) == (alive.id, ended[2].id)
