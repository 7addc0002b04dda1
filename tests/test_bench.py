"""What the measurements compare is the same on both sides. No test here judges a time."""

import re
import shutil

import numpy as np
import pytest
import torch

from rnnviz import bench
from rnnviz.bench import app, core, language
from rnnviz.config import DataConfig, ModelConfig
from rnnviz.data.dataset import Task
from rnnviz.data.text import load
from rnnviz.errors import ConfigError
from rnnviz.model import SequenceModel
from rnnviz.record import record

LINE = re.compile(r"\|( [^|]+ \|){2}( [^|]* \|){2}")


def test_the_table_is_markdown_and_the_heat_map_is_small_enough():
    header, rule, row = bench.table("heat map")
    assert LINE.fullmatch(header)
    assert rule == "|---|---|---|---|"
    assert LINE.fullmatch(row)
    assert row.endswith("| less than 400 KB | yes |")


def test_a_row_that_is_unknown_is_named():
    with pytest.raises(ConfigError, match="no measurement is called 'warp'; choose a part of: fit"):
        next(bench.table("warp"))


@pytest.mark.parametrize(("met", "word"), [(True, "yes"), (False, "**no**"), (None, "")])
def test_a_row_says_whether_its_target_is_met(met, word):
    row = bench.Row(name="a", value="1 s", target="less than 2 s", met=met)
    assert str(row) == f"| a | 1 s | less than 2 s | {word} |"


@pytest.mark.parametrize(("least", "met"), [(2.9, True), (3.1, False)])
def test_pairs_are_judged_by_their_median_ratio(least, met):
    row = core.Pairs([1.0, 2.0, 1.0], [2.0, 6.0, 9.0]).row("a", least, "so many")
    assert row.value == "3.00 times as fast (half of 3 pairs 2.50 to 6.00); so many"
    assert row.met is met


@pytest.mark.parametrize("gradients", [False, True])
def test_the_step_loop_keeps_what_record_keeps(gradients):
    model, cell, head, batch = core.one_sequence()
    batch = batch._replace(inputs=batch.inputs[:60])
    layer = record(model, batch, np.zeros(1, np.int64), gradients=gradients).layers[0]
    with torch.set_grad_enabled(gradients):
        steps = core.step_loop(cell, head, batch, gradients=gradients)
    np.testing.assert_allclose(steps.gates.numpy()[:, 0], layer.gates[0], atol=1e-5)
    np.testing.assert_allclose(steps.states.numpy()[:, 0], layer.states[0], atol=1e-5)
    assert (steps.grads is None) is not gradients
    if steps.grads is not None:
        np.testing.assert_allclose(steps.grads.numpy()[:, 0], layer.state_grads[0], atol=1e-5)


def test_the_bare_loop_trains_a_network_of_the_same_size():
    config = ModelConfig(hidden_size=core.HIDDEN, attention="none")
    ours = SequenceModel(config, inputs=1, outputs=1, covariates=0, task=Task.REGRESSION)
    sizes = [sum(weight.numel() for weight in m.parameters()) for m in (ours, core.Plain())]
    assert sizes[0] == sizes[1]


def test_the_bare_loop_learns():
    data = core.noise(64, 4)
    loop = core.plain_loop(torch.tensor(data.inputs), torch.tensor(data.targets), 0.01)
    losses = [next(loop) for _ in range(80)]
    assert np.mean(losses[-10:]) < 0.5 * np.mean(losses[:10])


def test_fit_and_the_bare_loop_take_turns_within_a_run_of_the_app():
    row = core.training("a", "144x1", people=600, epochs=2, least=0)  # 12 batches, turns of 6
    assert re.fullmatch(r"[\d.]+ times as fast \(half of 2 pairs .* samples/s", row.value)
    assert row.met


def test_a_measurement_that_breaks_is_a_row_that_says_so(monkeypatch):
    monkeypatch.setattr(core.sys, "executable", shutil.which("false"))
    row = bench.Row(name="a", value="failed with status 1; see above", met=False)
    assert core.alone("a") == row


@pytest.mark.parametrize("name", app.IN_BROWSER)
def test_without_a_browser_a_row_says_that_it_was_not_measured(monkeypatch, name):
    monkeypatch.setattr(app, "chromium", lambda: None)
    assert app.in_browser(name) == bench.Row(name=name, value="not measured: no Chromium")


# -- language --------------------------------------------------------------------------------------


@pytest.mark.parametrize("carried", [False, True])
def test_a_char_model_and_its_bare_loop_take_turns_and_learn_alike(monkeypatch, carried):
    monkeypatch.setattr(language, "UNITS", 8)
    monkeypatch.setattr(language, "SAMPLE", "lighthouse")
    monkeypatch.setattr(language, "EPOCHS", 2)
    monkeypatch.setattr(language, "TURN", 2)
    row = language.training("a", carried=carried)
    assert re.fullmatch(r"[\d.]+ times as fast \(half of 2 pairs .* characters/s", row.value)


def test_the_bare_char_model_is_of_the_same_size_and_learns():
    dataset = load(DataConfig(source="text", carried=True, window=16))
    size = len(dataset.vocabulary)
    config = ModelConfig(hidden_size=language.UNITS, attention="none")
    ours = SequenceModel(config, inputs=size, outputs=size, covariates=0, task=Task.NEXT_TOKEN)
    theirs = language.Plain(size)
    assert len({sum(w.numel() for w in model.parameters()) for model in (ours, theirs)}) == 1
    loop = language.plain_loop(dataset, 0.01)
    losses = [next(loop) for _ in range(40)]
    assert np.mean(losses[-5:]) < 0.75 * losses[0]


def test_how_fast_a_text_is_cut_is_told(monkeypatch):
    monkeypatch.setattr(language, "CHARACTERS", 20_000)
    row = language.cutting("a")
    numbers = r"characters [\d.]+, words [\d.]+, pieces [\d.]+ million characters/s"
    assert re.fullmatch(rf"{numbers}; 512 pieces learned in [\d.]+ s", row.value)
    assert row.met is None
