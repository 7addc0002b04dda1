"""The pump obeys what is wanted, and no death of a worker changes what a run says."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import runs_fakes as fakes
from runs_checks import SOON, a_small_disk, fill, reasons, told, until

from rnnviz.errors import RunError
from rnnviz.events import (
    BatchEnded,
    Checkpointed,
    EpochEnded,
    Failed,
    Finished,
    Paused,
    RateChanged,
    Resumed,
)
from rnnviz.runs import InlineRunner
from rnnviz.runs.pump import TRIES, Outcome, pump
from rnnviz.runs.run import Run


def make(home: Path, **asked: object) -> Run:
    """A run of the fake program."""
    config = fakes.settings(**asked)
    return Run.create(home, config, owner="ann", now=time.time(), program=fakes.PROGRAM)


def pumped(run: Run) -> Outcome:
    """Pumps in this process, without a lease, until the run ends or holds."""
    return pump(run, clock=time.time)


def kinds(run: Run) -> list[str]:
    """The types of all events but batches."""
    return [type(e).__name__ for _, e in run.events() if not isinstance(e, BatchEnded)]


@pytest.fixture
def in_thread() -> Iterator:
    """Pumps a run in a thread; ends it when the test does."""
    closing, threads, outcomes = threading.Event(), [], []

    def start(run: Run, **options: object) -> list[Outcome]:
        def work() -> None:
            outcomes.append(pump(run, clock=time.time, closing=closing, **options))

        threads.append(threading.Thread(target=work))
        threads[-1].start()
        return outcomes

    yield start
    closing.set()
    for thread in threads:
        thread.join()


# A run without trouble


def test_a_run_goes_to_its_end_and_keeps_everything(tmp_path: Path):
    run = make(tmp_path, epochs=4, batches=5)
    assert pumped(run).kind == "finished"
    view = run.view()
    assert (view.status, view.step, view.epoch, view.message) == ("finished", 20, 4, "done")
    assert [e.epoch for e in view.epochs] == [1, 2, 3, 4]
    assert view.traced == (2, 4)
    assert run.trace(4)[0].epoch == 4
    assert json.loads(run.checkpoint())["step"] == 20
    assert not list(run.directory.glob(".new-*"))


def test_an_ended_run_is_left_alone(tmp_path: Path):
    run = make(tmp_path)
    pumped(run)
    before = run.log.read_bytes()
    assert pumped(run).kind == "finished"
    assert run.log.read_bytes() == before


def test_batches_are_published_ten_times_a_second_at_most_and_never_late(tmp_path: Path):
    run = make(tmp_path, epochs=2, batches=60, does="slow")
    start = time.monotonic()
    pumped(run)
    took = time.monotonic() - start
    events = [event for _, event in run.events()]
    assert sum(isinstance(e, BatchEnded) for e in events) <= 10 * took + 4
    for before, event in pairwise(events):
        assert event.step >= before.step
        if isinstance(event, EpochEnded):
            assert isinstance(before, BatchEnded)
            assert before.step == event.step


# What is wanted


def test_a_run_steps_to_a_named_step_and_no_further(tmp_path: Path):
    run = make(tmp_path)
    for step in (3, 3, 4, 5, 6, 20):
        run.step_to(step)
        assert pumped(run).kind == "paused"
        view = run.view()
        assert (view.status, view.step) == ("paused", step)
        assert view.batches[-1].step == step
        assert view.message == f"step {step} is done"
        assert json.loads(run.checkpoint())["step"] == step
    run.resume()
    assert pumped(run).kind == "finished"
    assert len(reasons(run)) == 5  # the second step_to(3) said nothing new


def test_step_zero_is_before_the_first_batch(tmp_path: Path):
    run = make(tmp_path)
    run.step_to(0)
    pumped(run)
    assert run.view().status == "paused"
    assert run.view().batches == ()


def test_a_run_goes_to_the_end_of_a_named_epoch(tmp_path: Path):
    run = make(tmp_path)
    run.epoch_to(2)
    pumped(run)
    view = run.view()
    assert (view.step, len(view.epochs), view.traced) == (10, 2, (2,))
    assert view.message == "epoch 2 is done"


@pytest.mark.parametrize("steps", [(1,), (5,), (3, 10, 11), tuple(range(1, 20))])
def test_a_run_with_pauses_says_what_one_without_says(tmp_path: Path, steps: tuple[int, ...]):
    whole, broken = make(tmp_path), make(tmp_path)
    pumped(whole)
    for step in steps:
        broken.step_to(step)
        pumped(broken)
    broken.resume()
    pumped(broken)
    assert ended(broken) == ended(whole)


def ended(run: Run) -> dict:
    """What was told but for batches, of which not all are written."""
    return {key: event for key, event in told(run).items() if key[0] != "BatchEnded"}


def test_a_pause_before_the_start_starts_nothing(tmp_path: Path):
    run = make(tmp_path)
    run.pause()
    pumped(run)
    assert kinds(run) == ["Paused"]
    run.resume()
    pumped(run)
    assert kinds(run)[:3] == ["Paused", "Resumed", "Started"]
    assert run.view().status == "finished"


def test_a_held_run_goes_on_at_once_and_pauses_with_a_checkpoint(tmp_path: Path, in_thread):
    run = make(tmp_path, epochs=1000, does="slow")
    outcomes = in_thread(run, hold=60.0)
    until(lambda: run.view().step > 3)
    run.pause()
    until(lambda: run.view().status == "paused")
    step = run.view().step
    assert json.loads(run.checkpoint())["step"] == step
    assert run.view().batches[-1].step == step
    run.step_to(step + 1)
    run.step_to(step + 1)
    until(lambda: run.view().step == step + 1 and run.view().status == "paused")
    run.stop()
    until(lambda: run.view().ended)
    until(lambda: outcomes)
    assert outcomes == [Outcome(kind="finished", seen=3)]
    assert run.view().step == step + 1
    assert kinds(run).count("Paused") == 2


def test_a_stop_ends_a_run_where_it_is(tmp_path: Path, in_thread):
    run = make(tmp_path, epochs=1000, does="slow")
    in_thread(run)
    until(lambda: run.view().step > 3)
    run.stop()
    until(lambda: run.view().ended)
    last = run.events()[-1].event
    assert last == Finished(
        step=run.view().step, epoch=last.epoch, reason="stopped by hand", scorecard=()
    )
    assert json.loads(run.checkpoint())["step"] == last.step


def test_a_stop_before_the_start_starts_nothing(tmp_path: Path):
    run = make(tmp_path)
    run.stop()
    assert pumped(run).kind == "finished"
    assert kinds(run) == ["Finished"]


def test_a_new_rate_holds_from_the_next_step_on_and_is_kept(tmp_path: Path):
    run = make(tmp_path)
    run.step_to(7)
    pumped(run)
    run.set_learning_rate(0.5)
    for step in (8, 20):
        run.step_to(step)
        pumped(run)
    (change,) = [e for _, e in run.events() if isinstance(e, RateChanged)]
    assert change == RateChanged(step=7, epoch=2, learning_rate=0.5)
    before, after = [e for _, e in run.events() if isinstance(e, EpochEnded)][:2]
    assert (before.learning_rate, after.learning_rate) == (0.003, 0.5)
    saved = [e.step for _, e in run.events() if isinstance(e, Checkpointed)]
    assert saved.count(7) == 2  # to hold, and for the new rate


def test_a_run_that_nobody_looks_at_pauses_itself(tmp_path: Path, in_thread):
    asked = fakes.settings(epochs=1000, does="slow")
    run = Run.create(tmp_path, asked, owner="ann", now=0.0, program=fakes.PROGRAM)
    run.watch(time.time())
    outcomes = in_thread(run, lease=60.0)
    until(lambda: run.view().step > 3)
    run.watch(time.time() - 61)
    until(lambda: outcomes)
    assert outcomes[0].kind == "paused"
    assert reasons(run) == ["nobody has looked at this run for 60 s; press Resume to go on"]
    assert json.loads(run.checkpoint())["step"] == run.view().step
    run.step_to(run.view().step + 1)
    assert pump(run, clock=time.time, lease=60.0).kind == "paused"
    assert len(reasons(run)) == 2  # whoever steers a run looks at it


# Programs in trouble

TROUBLES = {
    "mistake=7": fakes.MISTAKE,
    "fault=7": r"a fault in rnnviz \(KeyError\); please report it with the file worker.log of run",
    "memory=7": "the memory was too small; choose fewer units",
}


@pytest.mark.parametrize(("does", "message"), TROUBLES.items(), ids=TROUBLES)
def test_a_program_that_breaks_off_says_why(tmp_path: Path, does: str, message: str):
    run = make(tmp_path, does=does)
    assert pumped(run).kind == "failed"
    last = run.events()[-1].event
    assert isinstance(last, Failed)
    assert last.step == 6
    with pytest.raises(RunError, match=message):
        raise RunError(last.message)
    assert json.loads(run.checkpoint())["step"] == 5  # the last good weights


def test_a_fault_is_told_in_full_only_in_the_log(tmp_path: Path):
    run = make(tmp_path, does="fault=2")
    pumped(run)
    assert "secret detail" in (run.directory / "worker.log").read_text()
    assert "secret detail" not in run.view().message


def test_a_program_that_does_not_exist_fails(tmp_path: Path):
    config = fakes.settings()
    run = Run.create(tmp_path, config, owner="ann", now=time.time(), program="no.such:thing")
    assert pumped(run).kind == "failed"
    assert "ModuleNotFoundError" in run.view().message


def test_a_nan_reaches_the_reader(tmp_path: Path):
    run = make(tmp_path, does="nan=1", batches=1, epochs=1)
    pumped(run)
    assert run.view().batches[0].loss != run.view().batches[0].loss


def test_a_second_pump_is_refused(tmp_path: Path, in_thread):
    run = make(tmp_path, epochs=1000, does="slow")
    in_thread(run)
    until(lambda: run.view().step > 1)
    with pytest.raises(RunError, match="another process works on this run already"):
        pumped(run)
    with pytest.raises(RunError, match="another process works on this run already"):
        InlineRunner().submit(run)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with little room."""
    with a_small_disk(tmp_path / "small") as folder:
        yield folder


def test_a_full_disk_pauses_the_run_and_loses_nothing(small_disk: Path, tmp_path: Path):
    run, whole = make(small_disk), make(tmp_path)
    pumped(whole)
    run.step_to(7)
    pumped(run)
    before = len(run.events())
    run.resume()
    stuffing = fill(small_disk)
    outcome = pumped(run)
    assert outcome.kind == "paused"
    assert outcome.message.startswith("the disk is full; make room")
    assert run.view().status == "paused"
    assert run.view().message == outcome.message
    assert len(run.events()) > before
    stuffing.unlink()
    run.resume()
    assert pumped(run).kind == "finished"
    assert ended(run) == ended(whole)


# Workers in trouble


def worker(*arguments: object, **options: object) -> subprocess.Popen:
    """A worker process."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    command = [sys.executable, "-m", "rnnviz.runs.worker", *map(str, arguments)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, **options)


def test_a_worker_with_a_directory_pumps_that_run(tmp_path: Path):
    run = make(tmp_path)
    with worker(run.directory, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.read() == "finished\n"
    assert process.returncode == 0
    assert run.view().status == "finished"


def test_no_kill_of_a_worker_changes_what_a_run_says(tmp_path: Path):
    asked = {"epochs": 60, "batches": 5, "does": "slow"}
    run, whole = make(tmp_path, **asked), make(tmp_path, epochs=60, batches=5)
    pumped(whole)
    chance = random.Random(0)
    kills = 0
    while not run.view().ended:
        step = run.view().step
        goal = step + chance.randint(50, 120)
        with worker(run.directory, stdout=subprocess.DEVNULL) as process:
            until(lambda p=process, g=goal: p.poll() is not None or run.view().step >= g)
            process.kill()
        kills += process.returncode == -signal.SIGKILL
    assert kills >= 2
    assert any(isinstance(e, Resumed) and e.attempt >= 1 for _, e in run.events())
    assert ended(run) == ended(whole)
    assert run.checkpoint() == whole.checkpoint()


def test_a_worker_that_always_dies_is_tried_four_times(tmp_path: Path):
    run = make(tmp_path, epochs=60, does="segv=7")
    codes = []
    while not run.view().ended:
        with worker(run.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            pass
        codes.append(process.returncode)
    assert codes == [-signal.SIGSEGV] * TRIES + [1]
    assert [e.attempt for _, e in run.events() if isinstance(e, Resumed)] == [1, 2, 3]
    assert run.view().message.startswith("the worker process died 4 times after step")


def _order(process: subprocess.Popen, run: Run) -> None:
    process.stdin.write(json.dumps({"run": str(run.directory)}).encode() + b"\n")
    process.stdin.flush()


def test_a_warm_worker_takes_one_run_after_the_other(tmp_path: Path):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    first, second = make(tmp_path), make(tmp_path)
    with worker("--warm", "runs_fakes", "no_such_module", **pipes) as process:
        assert json.loads(process.stdout.readline()) == {"ready": process.pid}
        for run in (first, second):
            _order(process, run)
            answer = json.loads(process.stdout.readline())
            assert (answer["done"], answer["kind"]) == (str(run.directory), "finished")
        assert os.getpriority(os.PRIO_PROCESS, process.pid) >= 10
        process.stdin.close()
        assert process.wait(SOON) == 0
    assert first.view().ended
    assert second.view().ended


@pytest.mark.parametrize(
    ("does", "why"),
    [("slow", ["rnnviz was closed; press Resume to go on"]), ("slow glacial=60", [])],
    ids=["between steps", "in a step"],
)
def test_a_worker_ends_within_two_seconds_of_its_server(tmp_path: Path, does: str, why: list[str]):
    run = make(tmp_path, epochs=1000, does=does)
    with worker(stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        _order(process, run)
        until(lambda: run.view().step >= 20)
        until(lambda: "glacial" not in does or (tmp_path / "asleep").exists())
        process.stdin.close()
        process.wait(SOON)
    assert run.worked_on_by() is None
    assert reasons(run) == why
    step = run.view().step
    run.step_to(step + 1 if does == "slow" else 59)
    assert pumped(run).kind == "paused"
    assert run.view().step > step
    assert [e.attempt for _, e in run.events() if isinstance(e, Resumed)] == [0]  # no crash


def test_a_terminated_worker_leaves_a_checkpoint(tmp_path: Path):
    run = make(tmp_path, epochs=1000, does="slow")
    with worker(run.directory, stdout=subprocess.PIPE, text=True) as process:
        until(lambda: run.view().step > 3)
        process.terminate()
        assert process.stdout.read() == "closed\n"
    assert json.loads(run.checkpoint())["step"] == run.view().step
    assert isinstance(run.events()[-1].event, Paused)
