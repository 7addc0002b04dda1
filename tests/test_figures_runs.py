"""Pictures of runs, predictions and data: values, units, windows, sentences where nothing is."""

import dataclasses

import numpy as np
import pytest
from figures_samples import BMI, days, run, survey, text
from test_figures_views import hollow

from rnnviz.data.dataset import Variable, split_by_id
from rnnviz.errors import DataError
from rnnviz.events import RunView
from rnnviz.figures.clock import Clock
from rnnviz.figures.data import (
    activity,
    day_curve,
    mean_day,
    target_histogram,
    token_frequencies,
    wear_by_hour,
)
from rnnviz.figures.frame import LEFT, RIGHT
from rnnviz.figures.history import (
    baselines_of,
    confusion,
    gradient_norms,
    loss_curve,
    loss_window,
    scatter,
)
from rnnviz.trace import Survey

DARK = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


# ---- loss -------------------------------------------------------------------------------------


@DARK
def test_the_loss_curve_shows_the_runs_numbers(dark):
    view = run(epochs=6, batches=16)
    batch, train, validation = loss_curve(view, dark=dark).data
    np.testing.assert_allclose(batch.y, [b.loss for b in view.batches])
    np.testing.assert_allclose(train.y, [e.train_loss for e in view.epochs])
    np.testing.assert_allclose(validation.y, [e.validation.metrics["mse"] for e in view.epochs])
    assert list(train.x) == [1, 2, 3, 4, 5, 6]
    assert batch.x[0] == 1 / 16


def test_the_axis_has_its_unit_and_is_linear():
    axis = loss_curve(run(epochs=3)).layout.yaxis
    assert axis.title.text == "MSE [(kg/m²)²]"
    assert axis.type != "log"


@pytest.mark.parametrize("first", [1e2, 1e4, 1e9])
def test_an_exploding_start_does_not_flatten_the_rest(first):
    view = run(epochs=12, first=first)
    low, high = loss_curve(view).layout.yaxis.range
    assert high < 60
    assert low < 35.6
    last = view.epochs[-1]
    assert low < last.train_loss < last.validation.metrics["mse"] < high


def test_a_young_run_is_shown_too():
    low, high = loss_window(np.array([800.0]), np.zeros(0), np.array([37.0, 36.0]))
    assert low < 36 < 37 < high
    assert loss_window(np.zeros(0), np.zeros(0), np.zeros(0)) == (0.0, 1.0)
    low, high = loss_window(np.array([2.0]), np.zeros(0), np.zeros(0))
    assert low < 2 < high


def test_baselines_are_named_dashed_lines_of_the_right_part():
    view = run(epochs=3)
    figure = loss_curve(view)
    levels = [s.y0 for s in figure.layout.shapes if s.y0 == s.y1]
    assert sorted(levels) == [35.6, 36.2, 37.12]
    names = [a.text for a in figure.layout.annotations]
    assert {"mean 37.12", "ridge 36.2", "covariates only 35.6"} <= set(names)
    dashes = {s.line.dash for s in figure.layout.shapes if s.y0 == s.y1}
    assert len(dashes) == 3


def test_without_validation_baselines_those_of_the_test_part_stand_in():
    view = run(epochs=2)
    only = tuple(b for b in view.started.baselines if b.part == "test")
    view = dataclasses.replace(view, started=dataclasses.replace(view.started, baselines=only))
    assert baselines_of(view, "validation") == baselines_of(view, "test") != {}


def test_names_of_close_baselines_do_not_overlap():
    figure = loss_curve(run(epochs=6))
    low, high = figure.layout.yaxis.range
    margin = figure.layout.margin
    pixels = figure.layout.height - margin.t - margin.b
    named = [a for a in figure.layout.annotations if a.xanchor == "left" and a.x == 1]
    places = sorted((a.y - low) / (high - low) * pixels + a.yshift for a in named)
    assert len(places) == 3
    assert np.diff(places).min() >= 16 - 1e-6


def test_a_baseline_beyond_the_window_is_named_with_an_arrow():
    view = run(epochs=6)
    wild = dataclasses.replace(view.started.baselines[1], metrics={"mse": 9310.0})
    started = dataclasses.replace(view.started, baselines=(view.started.baselines[0], wild))
    figure = loss_curve(dataclasses.replace(view, started=started))
    assert "ridge 9,310 ↑" in [a.text for a in figure.layout.annotations]
    assert figure.layout.yaxis.range[1] < 100


def test_a_changed_rate_is_marked_where_it_was_changed():
    figure = loss_curve(run(epochs=6))
    (mark,) = [a for a in figure.layout.annotations if a.text.startswith("rate")]
    assert (mark.x, mark.text) == (3, "rate 0.001")


def test_a_loss_that_is_no_number_leaks_nowhere():
    view = run(epochs=3)
    broken = dataclasses.replace(view.batches[5], loss=float("nan"), gradient_norm=float("inf"))
    view = dataclasses.replace(view, batches=(*view.batches[:5], broken, *view.batches[6:]))
    assert hollow(loss_curve(view)) == []
    assert hollow(gradient_norms(view, 1.0)) == []
    assert np.isfinite(loss_curve(view).layout.yaxis.range).all()


def test_before_the_first_step_a_sentence_stands():
    for figure in (loss_curve(RunView()), gradient_norms(RunView(), 1.0)):
        assert figure.layout.annotations[0].text == "The curve begins with the first step."


def test_gradient_norms_are_logarithmic_with_the_clip_line():
    view = run(epochs=4)
    figure = gradient_norms(view, 1.0)
    norms = np.array([b.gradient_norm for b in view.batches])
    np.testing.assert_allclose(figure.data[0].y, norms)
    assert figure.layout.yaxis.type == "log"
    assert figure.layout.shapes[0].y0 == 1.0
    share = sum(epoch.clipped for epoch in view.epochs) / (4 * view.started.batches)
    assert f": {share:.0%} of {4 * view.started.batches} steps" in figure.layout.title.text
    assert not gradient_norms(view, 0.0).layout.shapes


# ---- predictions ------------------------------------------------------------------------------


def test_the_scatter_has_identity_and_mean():
    found = survey(days(30))
    figure = scatter(found, Variable("BMI", "kg/m²"), 0.31)
    points, ideal, mean = figure.data
    np.testing.assert_allclose(points.x, found.targets, rtol=1e-6)
    np.testing.assert_allclose(points.y, found.predictions, rtol=1e-6)
    np.testing.assert_array_equal(ideal.x, ideal.y)
    assert set(np.asarray(mean.y).tolist()) == {found.targets.mean()}
    assert figure.layout.xaxis.title.text == "true BMI [kg/m²]"
    assert "r = 0.31" in figure.layout.title.text


def test_a_large_scatter_says_how_many_are_drawn():
    n = 5000
    many = Survey(
        sequences=np.arange(n), targets=np.arange(n) * 1.0, predictions=np.ones(n), attention=None
    )
    figure = scatter(many, Variable("y"), None)
    assert len(figure.data[0].x) == 2000
    assert "(2,000 of 5,000 drawn)" in figure.layout.title.text


def test_a_targets_name_is_shown_and_not_run():
    figure = scatter(survey(days(9)), Variable("<img src=x>", "%{x}"), None)
    assert "<img" not in figure.to_json().replace("\\u003c", "<").replace("&lt;", "")


@DARK
def test_confusion_counts(dark):
    found = Survey(
        sequences=np.arange(6),
        targets=np.array([0, 0, 0, 1, 1, 2.0]),
        predictions=np.array([0, 0, 1, 1, 0, 2.0]),
        attention=None,
    )
    heat = confusion(found, ("a", "b", "c"), dark=dark).data[0]
    assert np.asarray(heat.customdata).tolist() == [[2, 1, 0], [1, 1, 0], [0, 0, 1]]
    np.testing.assert_allclose(np.asarray(heat.z).sum(axis=1), 1, rtol=1e-6)
    assert (heat.zmin, heat.zmax) == (0, 1)


def test_a_class_that_never_occurs_is_no_division_by_zero():
    found = Survey(
        sequences=np.arange(1), targets=np.zeros(1), predictions=np.zeros(1), attention=None
    )
    assert hollow(confusion(found, BMI)) == []


# ---- data -------------------------------------------------------------------------------------

PICTURES = {
    "day": lambda d, dark: day_curve(d, 1, dark=dark),
    "strip": lambda d, dark: activity(d, 1, step=3, dark=dark),
    "mean": lambda d, dark: mean_day(d, dark=dark),
    "groups": lambda d, dark: mean_day(d, "BMI class", dark=dark),
    "target": lambda d, dark: target_histogram(d, split_by_id(d.ids, 0), dark=dark),
    "wear": lambda d, dark: wear_by_hour(d, dark=dark),
}
DATASETS = {
    "minutes": lambda: days(20, steps=1440),
    "10 min": lambda: days(20),
    "hours of minutes": lambda: days(20, steps=24, features=60),
}


@DARK
@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("picture", PICTURES)
def test_every_picture_of_the_data_draws(picture, dataset, dark):
    figure = PICTURES[picture](DATASETS[dataset](), dark)
    assert figure.data
    assert hollow(figure) == []
    assert "simulated" in figure.layout.title.text


@pytest.mark.parametrize("dataset", ["minutes", "10 min"])
def test_a_day_is_the_datas_row(dataset):
    found = DATASETS[dataset]()
    curve = day_curve(found, 3).data[-1]
    np.testing.assert_array_equal(curve.y, found.inputs[3, :, 0])


def test_an_hour_of_60_values_is_unfolded_into_minutes():
    found = DATASETS["hours of minutes"]()
    curve = day_curve(found, 3).data[-1]
    np.testing.assert_array_equal(curve.y, found.inputs[3].reshape(-1))
    assert curve.x[61] == 61.5 * 60_000


def test_the_strip_lines_up_with_what_stands_below():
    found = days(5)
    strip = activity(found, 2, step=36)
    margin = strip.layout.margin
    assert (margin.l, margin.r, margin.autoexpand) == (LEFT, RIGHT, False)
    assert strip.layout.xaxis.range == (0, 86_400_000)
    assert strip.layout.shapes[0].x0 == Clock.of(found).middles[36]


def test_time_without_the_device_is_grey():
    found = days(10)
    area = next(part for part in day_curve(found, 1).data if part.name == "not worn")
    np.testing.assert_allclose(np.asarray(area.y)[::2], 1 - found.wear[1])
    assert [p.name for p in day_curve(days(10, wear=False), 1).data] == ["value"]


def test_the_mean_day_of_a_group_is_its_mean():
    found = days(60)
    labels = np.array(found.groups["BMI class"])
    figure = mean_day(found, "BMI class")
    lines = {line.name: line for line in figure.data if line.name}
    for group in set(labels.tolist()):
        members = found.inputs[labels == group, :, 0]
        line = lines[f"{group} (n = {len(members)})"]
        np.testing.assert_allclose(line.y, members.mean(axis=0), rtol=1e-4, atol=1e-6)


def test_the_target_is_shown_by_part_in_one_set_of_bins():
    found = days(100)
    figure = target_histogram(found, split_by_id(found.ids, 0))
    assert [p.name.split(" ")[0] for p in figure.data] == ["train", "validation", "test"]
    for part in figure.data:
        assert np.sum(part.y) == pytest.approx(1)
        np.testing.assert_array_equal(part.x, figure.data[0].x)
    assert figure.layout.xaxis.title.text == "BMI [kg/m²]"


def test_classes_are_counted():
    found = days(30)
    codes = np.arange(30) % 4
    found = dataclasses.replace(found, targets=codes, classes=BMI)
    (bars,) = target_histogram(found).data
    np.testing.assert_allclose(bars.y, np.bincount(codes) / 30)


def test_wear_is_a_share_of_every_hour():
    (bars,) = wear_by_hour(days(40)).data
    assert len(bars.y) == 24
    assert (bars.y[9], bars.y[10], bars.y[23]) == (1.0, 0.5, 0.0)


def test_tokens_are_counted():
    found = text("namaskar namaskar ", window=8)
    (bars,) = token_frequencies(found).data
    counts = np.bincount(found.inputs.reshape(-1))
    assert sorted(np.asarray(bars.customdata).tolist()) == sorted(counts.tolist())
    assert bars.text[0] == "a"
    assert np.sum(bars.y) == pytest.approx(1)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: day_curve(days(5), 5), "no row 6; choose one from 1 to 5"),
        (lambda: mean_day(days(5), "age"), "no grouping 'age'; choose one of: BMI class"),
        (lambda: wear_by_hour(days(5, wear=False)), "do not say when the device was worn"),
        (lambda: token_frequencies(days(5)), "are no text"),
        (lambda: mean_day(text()), "a text has no curve over time"),
        (lambda: target_histogram(text()), "a text has no single target"),
    ],
)
def test_what_the_data_lack_is_said(draw, message):
    with pytest.raises(DataError, match=message):
        draw()
