"""Figures of the Translate page, by their data."""

import numpy as np
import pytest

from rnnviz.events import EpochEnded, ForcingChanged, RunView, Score, Started
from rnnviz.figures.alignment import Panel, Tokens, alignment, compared, forming
from rnnviz.figures.translation import Share, by_length, chances, shares
from rnnviz.figures.values import difference_range

RNG = np.random.default_rng(0)
WEIGHTS = RNG.dirichlet(np.ones(4), 3)
TOKENS = Tokens(source=("3", " ", "<i>", "y"), output=("1", "9", "END"))


@pytest.fixture(params=[False, True], ids=["light", "dark"])
def dark(request):
    return request.param


def test_an_alignment_holds_every_weight_between_0_and_1(dark):
    figure = alignment(WEIGHTS, TOKENS, title="t", symbol="weight", step=1, dark=dark)
    heat = figure.data[0]
    np.testing.assert_allclose(heat.z, WEIGHTS, atol=1e-6)
    assert (heat.zmin, heat.zmax) == (0, 1)
    assert heat.customdata[0, 2].tolist() == ["1. 1", "3. &lt;i&gt;"]
    assert list(figure.layout.xaxis.ticktext)[1] == "␣"
    assert list(figure.layout.yaxis.range) == [3.5, 0.5]  # the first output token on top
    assert (figure.layout.shapes[0].y0, figure.layout.shapes[0].y1) == (1.5, 2.5)


def test_attributions_are_coloured_around_zero():
    values = RNG.normal(size=(3, 4))
    figure = alignment(values, TOKENS, title="t", symbol="s", span=difference_range(values))
    assert figure.data[0].zmin == -figure.data[0].zmax
    assert figure.data[0].zmax >= np.abs(values).max()


def test_three_ways_are_compared_as_shares_of_their_largest():
    figure = compared({"attention": WEIGHTS[0], "other": -5 * WEIGHTS[1]}, TOKENS.source, title="t")
    assert [max(abs(v) for v in bar.y) for bar in figure.data] == [1, 1]
    assert figure.data[1].y[0] == pytest.approx(-WEIGHTS[1][0] / WEIGHTS[1].max())


def test_each_epoch_has_a_panel_of_its_own(dark):
    panels = [Panel(title=f"epoch {k}", weights=WEIGHTS, chosen=k == 4) for k in range(5)]
    figure = forming(panels, TOKENS, dark=dark)
    assert [heat.name for heat in figure.data] == [p.title for p in panels]
    assert len({heat.xaxis for heat in figure.data}) == 5
    assert figure.layout.coloraxis.cmax == 1
    assert not forming([], TOKENS).data


def view(epochs=3):
    started = Started(
        step=0, epoch=0, parameters=1, sizes={}, people={}, batches=10, epochs=epochs,
        metric="loss", unit="nats", baselines=(), trace_stride=1,
    )  # fmt: skip

    def ended(k):
        metrics = {"loss": 1 / k, "perplexity": 1.0, "exact": k / 10, "tokens": k / 5}
        score = Score(predictor="network", part="validation", metrics=metrics)
        return EpochEnded(
            step=10 * k, epoch=k, train_loss=1.0, validation=score, test=score,
            gradient_norm=1.0, clipped=0, learning_rate=0.1, seconds=1.0,
        )  # fmt: skip

    forced = ForcingChanged(step=15, epoch=2, teacher_forcing=0.5)
    every = tuple(ended(k) for k in range(1, epochs + 1))
    return RunView(started=started, epochs=every, forcings=(forced,))


def test_shares_of_right_outputs_in_percent_and_where_forcing_changed(dark):
    figure = shares(view(), dark=dark)
    assert list(figure.data[0].y) == pytest.approx([10, 20, 30])
    assert list(figure.data[1].y) == pytest.approx([20, 40, 60])
    assert figure.layout.shapes[0].x0 == 1.5
    assert figure.layout.annotations[0].text == "forcing 0.5"
    assert not shares(RunView()).data


def test_lengths_of_both_runs_with_their_intervals():
    some = [Share(3, 3, 10, 0.9, 0.6, 0.98), Share(4, 6, 20, 0.5, 0.3, 0.7)]
    figure = by_length({"one": some, "other": some[:1]}, "characters")
    assert list(figure.data[0].x) == [3, 5]
    assert list(figure.data[0].y) == pytest.approx([90, 50])
    assert list(figure.data[0].error_y.array) == pytest.approx([8, 20])
    assert list(figure.data[0].error_y.arrayminus) == pytest.approx([30, 20])
    assert [tuple(row) for row in figure.data[0].customdata] == [("3", 10), ("4–6", 20)]
    assert not by_length({"one": []}, "words").data


def test_the_written_token_stands_out(dark):
    figure = chances({"a": 0.7, "b": 0.3}, "b", "t", dark=dark)
    assert list(figure.data[0].x) == pytest.approx([70, 30])
    assert len(set(figure.data[0].marker.color)) == 2
