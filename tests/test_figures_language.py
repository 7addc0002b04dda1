"""What is expected at each step of a text: the likeliest, and the one that came."""

import numpy as np
import pytest

from rnnviz.figures.language import LIKELIEST, read_along
from rnnviz.figures.theme import Quantity, colour_scale

NAMES = ("a", " ", "<b>", "\n", "e", "f", "g")


def some(steps=6, tokens=7):
    p = np.random.default_rng(0).dirichlet(np.full(tokens, 0.5), steps)
    return p, np.arange(steps) % tokens


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_likeliest_tokens_stand_in_order_above_the_one_that_came(dark):
    p, targets = some()
    figure = read_along(p, ["a"] * 6, targets, NAMES, first=12, step=14, dark=dark)
    drawn = figure.data[0]
    order = np.argsort(-p, axis=1)[:, :LIKELIEST]
    z = np.asarray(drawn.z)
    np.testing.assert_allclose(z[:-1].T, np.take_along_axis(p, order, axis=1), rtol=1e-6)
    np.testing.assert_allclose(z[-1], p[np.arange(6), targets], rtol=1e-6)
    assert (drawn.zmin, drawn.zmax) == (0, 1)
    assert [list(stop) for stop in drawn.colorscale] == colour_scale(Quantity.ATTENTION, dark)
    assert list(drawn.x) == [13, 14, 15, 16, 17, 18]
    shape = figure.layout.shapes[0]
    assert (shape.x0, shape.x1) == (14.5, 15.5)


def test_the_one_that_came_is_bold_and_no_token_is_markup():
    p, targets = some()
    drawn = read_along(p, ["<i>"] * 6, targets, NAMES).data[0]
    assert all(cell.startswith("<b>") for cell in drawn.text[-1])
    assert drawn.text[-1][2] == "<b>&lt;b&gt;</b>"
    assert drawn.text[-1][1] == "<b>␣</b>"
    for step, target in enumerate(targets):
        bold = [row[step].startswith("<b>") for row in drawn.text[:-1]]
        order = np.argsort(-p[step])[:LIKELIEST].tolist()
        assert bold == [token == target for token in order]


def test_few_tokens_make_few_rows():
    p, targets = some(steps=4, tokens=3)
    figure = read_along(p, ["a"] * 4, targets, NAMES[:3])
    assert np.asarray(figure.data[0].z).shape == (4, 4)
    assert not figure.layout.shapes
