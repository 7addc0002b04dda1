"""The whole way without a browser: real data, the real trainer in a worker, killed and resumed."""

import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress

import numpy as np
import pytest

from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.data.sandbox import Sandbox
from rnnviz.data.sources import load
from rnnviz.data.uploads import store
from rnnviz.events import BatchEnded, EpochEnded, Finished, Started
from rnnviz.runs import InlineRunner
from rnnviz.runs.run import Run
from rnnviz.train import fit_stored

SMALL = RunConfig(
    data=DataConfig(people=60),
    model=ModelConfig(hidden_size=8, dropout=0.2),
    training=TrainingConfig(epochs=6, batch_size=4),
)


def start(home, config=SMALL):
    return Run.create(home, config, owner="me", now=time.time(), program="rnnviz.train:fit_stored")


def outcome(run):
    """What an unbroken and a broken run must agree on; times differ."""
    epochs = [
        dataclasses.replace(e.event, seconds=0.0)
        for e in run.events()
        if isinstance(e.event, EpochEnded)
    ]
    once = {event.epoch: event for event in epochs}  # a crash may tell an epoch twice
    return list(once.values()), run.view().scorecard


def worker(run):
    environment = os.environ | {"PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "rnnviz.runs.worker", str(run.directory)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )


def wait_for_step(run, step, process):
    deadline = time.monotonic() + 60
    while run.view().step < step and process.poll() is None:
        assert time.monotonic() < deadline, "the worker takes no steps"
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.02)


def test_killed_at_random_steps_and_resumed_the_run_ends_the_same(tmp_path):
    whole = start(tmp_path)
    InlineRunner().submit(whole)
    assert whole.view().status == "finished"
    broken = start(tmp_path)
    for at in sorted(random.sample(range(2, 50), 2)):
        with worker(broken) as process:
            wait_for_step(broken, at, process)
            process.send_signal(signal.SIGKILL)
            process.wait()
    with worker(broken) as process:
        process.wait(timeout=120)
    assert broken.view().status == "finished"
    assert outcome(broken) == outcome(whole)


@pytest.fixture(scope="module")
def study(shared, tmp_path_factory):
    """The real averages of 292 people, as the app stores an upload."""
    home = tmp_path_factory.mktemp("home")
    file = shared / "data" / "nhanes" / "MINdata.rda"
    with Sandbox() as sandbox:
        upload = store(file.read_bytes(), file.name, home, sandbox)
    return home, DataConfig(source="file", file=upload.id)


def test_the_real_file_becomes_days_of_people(study):
    home, config = study
    data = load(config, home)
    assert data.inputs.shape == (292, 144, 1)
    assert data.outputs[0].name == "BMI"
    assert len(set(data.ids)) == 292
    assert not data.source.simulated


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_on_real_people_no_network_is_far_below_the_mean(study, seed):
    """A test MSE far below the mean predictor's would be a leak (R2 is .05 to .11 at best)."""
    home, data = study
    config = RunConfig(
        data=data,
        model=ModelConfig(hidden_size=16),
        training=TrainingConfig(epochs=6, seed=seed),
    )
    events = list(fit_stored(config, home))
    started, finished = events[0], events[-1]
    assert isinstance(started, Started)
    assert isinstance(finished, Finished)
    test = {s.predictor: s.metrics["mse"] for s in started.baselines if s.part == "test"}
    network = finished.scorecard[2].metrics["mse"]
    assert 42 <= test["mean"] <= 62
    assert 0.8 * test["mean"] <= network <= 1.25 * test["mean"]
    assert all(np.isfinite(event.loss) for event in events if isinstance(event, BatchEnded))


def test_the_default_run_is_told_in_full(tmp_path):
    config = dataclasses.replace(SMALL, training=TrainingConfig(epochs=2))
    run = start(tmp_path, config)
    InlineRunner().submit(run)
    view = run.view()
    assert (view.status, view.epoch, view.traced) == ("finished", 2, (0, 1, 2))
    trace, survey = run.trace(2)
    assert trace.attention.sum(axis=2) == pytest.approx(1, abs=1e-5)
    assert len(survey.predictions) == view.started.sizes["test"]
