"""The curves of two networks in lockstep, by their data."""

import numpy as np
import pytest

from rnnviz.figures.scratch import accuracies, losses
from rnnviz.figures.theme import palette

CURVES = {
    name: {part: np.linspace(0.5, 1.0, 11) / k for part in ("train", "test")}
    for k, name in enumerate(("corrected", "published"), 1)
}


@pytest.mark.parametrize("dark", [False, True])
def test_every_network_and_part_has_its_line(dark: bool) -> None:
    figure = losses(CURVES, epochs=40, dark=dark)
    names = ["corrected, train", "corrected, test", "as published, train", "as published, test"]
    assert [line.name for line in figure.data] == names
    for line, (name, part) in zip(
        figure.data, [(n, p) for n in CURVES for p in CURVES[n]], strict=True
    ):
        np.testing.assert_array_equal(line.y, CURVES[name][part])
        assert line.line.color == palette(dark).role(name)
        assert line.line.dash == ("dot" if part == "test" else "solid")
    assert figure.layout.xaxis.range == (0, 40)
    assert figure.layout.yaxis.title.text == "cross-entropy [nats]"


def test_accuracy_is_in_percent_under_a_line_at_100() -> None:
    figure = accuracies(CURVES, epochs=10)
    assert figure.data[0].y[-1] == 100
    assert figure.data[2].y[-1] == 50
    assert [shape.y0 for shape in figure.layout.shapes] == [100]
    assert figure.layout.yaxis.title.text == "accuracy [%]"


def test_before_the_first_epoch_a_sentence_stands_there() -> None:
    young = {name: {"test": np.array([0.7])} for name in CURVES}
    for draw in (losses, accuracies):
        figure = draw(young, epochs=10)
        assert not figure.data
        assert figure.layout.annotations[0].text == "The curves begin with the first epoch."
