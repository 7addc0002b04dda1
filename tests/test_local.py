"""The local runner: its queue, its limits, and what it does when a worker dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import runs_fakes as fakes
from runs_checks import SOON, a_small_disk, fill, gone, reasons, until

from rnnviz.errors import RunError
from rnnviz.events import Checkpointed, EpochEnded, Finished, Resumed
from rnnviz.runs import RUNNERS, InlineRunner, LocalRunner, Runner
from rnnviz.runs.local import STILLBORN, Limits
from rnnviz.runs.pump import TRIES
from rnnviz.runs.run import Run

Start = Callable[..., LocalRunner]


def make(home: Path, owner: str = "ann", **asked: object) -> Run:
    """A run of the fake program."""
    config = fakes.settings(**asked)
    return Run.create(home, config, owner=owner, now=time.time(), program=fakes.PROGRAM)


def endless(home: Path, owner: str = "ann") -> Run:
    """A run that does not end by itself while a test lasts."""
    return make(home, owner, epochs=10_000, does="slow")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Makes runners with workers for the fake program; closes them after the test."""
    runners = []

    def begin(slots: int = 1, hold: float = 0.0, **limits: int) -> LocalRunner:
        runner = LocalRunner(
            tmp_path, limits=Limits(slots=slots, **limits), hold=hold, modules=["runs_fakes"]
        )
        runners.append(runner)
        return runner

    yield begin
    for runner in runners:
        runner.close()


def ended(run: Run) -> dict:
    """What the program said of epochs and at the end, without what a crash repeats."""
    return {
        (type(e).__name__, e.epoch): e
        for _, e in run.events()
        if isinstance(e, EpochEnded | Finished)
    }


# What every runner does


def test_every_runner_is_in_the_table():
    assert set(RUNNERS.values()) == set(Runner.__subclasses__())


@pytest.fixture(params=RUNNERS)
def runner(request: pytest.FixtureRequest, start: Start) -> Runner:
    """Each runner."""
    return start() if request.param == "local" else InlineRunner()


def test_every_runner_gives_the_same_run(runner: Runner, tmp_path: Path):
    run, other = make(tmp_path), make(tmp_path)
    runner.warm()
    runner.submit(run)
    until(lambda: run.view().ended)
    InlineRunner().submit(other)
    assert ended(run) == ended(other)
    assert run.checkpoint() == other.checkpoint()


def test_every_runner_steps_and_stops_and_may_be_told_twice(runner: Runner, tmp_path: Path):
    run = endless(tmp_path)
    for step in (2, 2, 3):
        run.step_to(step)
        runner.submit(run)
        runner.submit(run)
        until(lambda s=step: run.view().step == s and run.view().status == "paused")
        until(lambda: runner.place(run) is None)
    for _ in range(2):
        run.stop()
        runner.submit(run)
    until(lambda: run.view().ended)
    assert (run.view().status, run.view().message) == ("finished", "stopped by hand")
    assert run.view().step == 3


def test_every_runner_passes_a_failure_on(runner: Runner, tmp_path: Path):
    run = make(tmp_path, does="mistake=3")
    runner.submit(run)
    until(lambda: run.view().ended)
    assert run.view().message == fakes.MISTAKE
    runner.close()


def test_there_is_room_for_whoever_has_not_enough_going_on_while_a_slot_is_free(
    start: Start, tmp_path: Path
):
    runner = start(slots=2)
    assert runner.has_room("ann")
    runs = [endless(tmp_path, "ann"), endless(tmp_path, "bob")]
    for run, then in zip(runs, ((False, True), (False, False)), strict=True):
        runner.submit(run)
        until(lambda run=run: runner.place(run) == 0)
        assert (runner.has_room("ann"), runner.has_room("bob")) == then


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with little room."""
    with a_small_disk(tmp_path / "small") as folder:
        yield folder


def test_every_runner_passes_on_what_cannot_be_written(runner: Runner, small_disk: Path):
    run = make(small_disk, epochs=1)
    (run.directory / "reserve").unlink()
    (run.directory / "lock").unlink()
    stuffing = fill(small_disk)
    assert runner.trouble(run) == ""
    runner.submit(run)
    until(lambda: runner.trouble(run) != "")
    assert runner.trouble(run).startswith("the disk is full; make room, then press Resume")
    stuffing.unlink()
    runner.submit(run)
    until(lambda: run.view().ended)
    assert run.view().status == "finished"
    assert runner.trouble(run) == ""
    runner.close()


# Places and limits


def test_runs_queue_in_order_and_the_place_is_known(start: Start, tmp_path: Path):
    runner = start(slots=1)
    owners = ["ann", "bob", "cyd"]
    runs = [endless(tmp_path, owner) for owner in owners]
    for run in runs:
        runner.submit(run)
        runner.submit(run)
    until(lambda: runner.place(runs[0]) == 0)
    assert [runner.place(run) for run in runs] == [0, 1, 2]
    assert runner.load() == (1, 2, 1)
    runs[0].stop()
    until(lambda: runner.place(runs[1]) == 0)
    assert [runner.place(run) for run in runs] == [None, 0, 1]
    runs[2].stop()
    runner.submit(runs[2])  # while it waits
    assert (runner.place(runs[2]), runs[2].view().status) == (None, "finished")


def test_a_slot_stays_free_for_others(start: Start, tmp_path: Path):
    runner = start(slots=2)
    first, second, others = endless(tmp_path), endless(tmp_path), endless(tmp_path, "bob")
    for run in (first, second, others):
        runner.submit(run)
    until(lambda: runner.place(first) == 0 and runner.place(others) == 0)
    assert runner.place(second) == 1


def test_an_owner_has_one_run_going_and_three_waiting(start: Start, tmp_path: Path):
    runner = start()
    for _ in range(4):
        runner.submit(endless(tmp_path))
    with pytest.raises(RunError, match=r"4 of your runs .* no more than 4 may; stop one of them"):
        runner.submit(endless(tmp_path))
    runner.submit(endless(tmp_path, "bob"))


def test_past_the_bound_the_runner_is_busy(start: Start, tmp_path: Path):
    runner = start(queued=2)
    first = endless(tmp_path, "ann")
    runner.submit(first)
    until(lambda: runner.place(first) == 0)
    for owner in ("bob", "cyd"):
        runner.submit(endless(tmp_path, owner))
    with pytest.raises(RunError, match=r"rnnviz is busy: 2 runs wait, .*; try again in a few"):
        runner.submit(endless(tmp_path, "dan"))


def test_a_paused_run_gives_its_slot_away_and_gets_one_again(start: Start, tmp_path: Path):
    runner = start(hold=0.1)
    first, second = endless(tmp_path, "ann"), endless(tmp_path, "bob")
    runner.submit(first)
    until(lambda: first.view().step > 1)
    runner.submit(second)
    first.pause()
    until(lambda: second.view().step > 1)
    assert runner.place(first) is None
    step = first.view().step
    first.resume()
    runner.submit(first)
    assert runner.place(first) == 1
    second.stop()
    until(lambda: first.view().step > step)


def test_a_resume_while_the_worker_lets_go_is_not_lost(start: Start, tmp_path: Path):
    runner = start(hold=0.0)
    run = endless(tmp_path)
    for step in range(1, 30):  # each wish comes as soon as the one before shows
        run.step_to(step)
        runner.submit(run)
        until(lambda s=step: run.view().step >= s)
    assert run.view().step == 29


# Workers that die


def test_a_killed_worker_is_replaced_and_its_run_goes_on(start: Start, tmp_path: Path):
    runner = start()
    asked = {"epochs": 80, "batches": 5, "does": "slow"}
    run, whole = make(tmp_path, **asked), make(tmp_path, epochs=80, batches=5)
    InlineRunner().submit(whole)
    runner.submit(run)
    for goal in (40, 250):
        until(lambda g=goal: run.view().step > g and run.worked_on_by())
        worker = run.worked_on_by()
        os.kill(worker, signal.SIGKILL)
        until(lambda w=worker: not psutil.pid_exists(w))  # noticed and buried
        assert runner.place(run) in (0, 1)
    until(lambda: run.view().ended)
    assert ended(run) == ended(whole)
    assert max(e.attempt for _, e in run.events() if isinstance(e, Resumed)) >= 1


def test_a_run_that_kills_its_workers_fails_after_four(start: Start, tmp_path: Path):
    runner = start()
    run, other = make(tmp_path, does="segv=3"), make(tmp_path, "bob")
    runner.submit(run)
    runner.submit(other)
    until(lambda: run.view().ended)
    assert run.view().status == "failed"
    assert run.view().message.startswith(f"the worker process died {TRIES} times")
    assert "Segmentation fault" in (run.directory / "worker.log").read_text()
    until(lambda: other.view().status == "finished")


def test_workers_that_cannot_start_fail_the_runs_that_wait(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    runner = start()
    run = make(tmp_path)
    runner.submit(run)
    until(lambda: run.view().ended)
    assert "cannot be started on this computer" in run.view().message
    assert "workers.log" in run.view().message
    assert STILLBORN > 1


def test_closing_ends_all_workers_after_a_checkpoint(start: Start, tmp_path: Path):
    others = psutil.Process().children()  # such as the server of other tests
    runner = start(slots=2)
    running, waiting = endless(tmp_path), endless(tmp_path)
    for run in (running, waiting):
        runner.submit(run)
    until(lambda: running.view().step > 2)
    workers = [child for child in psutil.Process().children() if child not in others]
    began = time.monotonic()
    runner.close()
    runner.close()
    assert time.monotonic() - began < SOON
    assert workers
    assert not any(worker.is_running() for worker in workers)
    assert reasons(running) == ["rnnviz was closed; press Resume to go on"]
    assert any(isinstance(e, Checkpointed) for _, e in running.events())
    with pytest.raises(RunError, match="rnnviz is closing"):
        runner.submit(running)


SERVER = """
import sys, threading
from pathlib import Path
from rnnviz.runs import LocalRunner
from rnnviz.runs.run import Run
home = Path(sys.argv[1])
runner = LocalRunner(home, modules=["runs_fakes"])
for id in sys.argv[2:]:
    runner.submit(Run.open(home, id))
threading.Event().wait()
"""


def test_a_killed_server_leaves_no_worker_and_no_loss(start: Start, tmp_path: Path):
    asked = {"epochs": 40, "batches": 5, "does": "slow"}
    run, whole = make(tmp_path, **asked), make(tmp_path, epochs=40, batches=5)
    InlineRunner().submit(whole)
    path = os.pathsep.join(entry for entry in sys.path if entry)
    command = [sys.executable, "-c", SERVER, tmp_path, run.id]
    with subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}) as server:
        until(lambda: run.view().step > 20)
        worker = run.worked_on_by()
        server.kill()
    until(lambda: gone(worker), within=SOON)
    before = run.events()
    start().submit(Run.open(tmp_path, run.id, owner="ann"))
    until(lambda: run.view().ended)
    assert run.events()[: len(before)] == before
    assert ended(run) == ended(whole)
