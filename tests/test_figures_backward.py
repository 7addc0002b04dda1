"""Pictures of what goes back through time show the numbers of the core, in fixed ranges."""

import numpy as np
import pytest
from test_inside_back import looked_at
from test_record import F, T

from rnnviz.data.dataset import Task
from rnnviz.figures import backward, backward_weights
from rnnviz.figures.clock import Clock
from rnnviz.figures.theme import DECADES, Quantity, colour_scale
from rnnviz.figures.wall import PATHS, loss_surface, path_words
from rnnviz.inside import wall
from rnnviz.inside.jacobians import products
from rnnviz.inside.matrix import loss_matrix
from rnnviz.inside.truncated import Truncated, truncations

DARK = pytest.mark.parametrize("dark", [False, True])


@pytest.fixture(scope="module")
def seen():
    *_, network, sequence, done = looked_at("lstm", Task.REGRESSION, 1, {"layers": 2})
    return network, sequence, done


def exponents(norms, low):
    return np.log10(np.maximum(norms, 10.0**low))


@DARK
@pytest.mark.parametrize("state", [0, 1])
def test_the_matrix_is_drawn_in_decades_below_its_largest(seen, state, dark):
    found = loss_matrix(*seen)
    figure = backward.matrix_heatmap(
        found, 1, state, name="hc"[state], clock=Clock.steps(T), step=3, loss=8, dark=dark
    )
    (heat,) = figure.data
    assert heat.zmax - heat.zmin == DECADES
    assert heat.zmax >= np.log10(found.norms[1][state].max()) > heat.zmax - 1
    expected = exponents(found.norms[1][state], heat.zmin)
    np.testing.assert_allclose(heat.z, expected, rtol=1e-6)
    assert [list(stop) for stop in heat.colorscale] == colour_scale(Quantity.GRADIENT, dark)
    assert [(shape.x0, shape.y0) for shape in figure.layout.shapes] == [(4, 0), (0, 9)]


def test_some_losses_have_rows_around_their_steps(seen):
    found = loss_matrix(*seen, most=3)
    (heat,) = backward.matrix_heatmap(found, 0, 0, name="h", clock=Clock.steps(T)).data
    assert found.losses.tolist() == [0, 4, 8]
    assert list(heat.y) == [-1, 3, 7, 11]


def test_a_matrix_of_zeros_says_so(seen):
    found = loss_matrix(*seen)
    norms = tuple(tuple(0 * one for one in way) for way in found.norms)
    figure = backward.matrix_heatmap(
        type(found)(losses=found.losses, values=found.values, norms=norms),
        0, 0, name="h", clock=Clock.steps(T),
    )  # fmt: skip
    assert figure.layout.annotations[0].text == "Every gradient is zero."


def test_epochs_are_rows_from_the_top():
    norms, epochs = np.logspace(-6, 0, 12).reshape(3, 4), np.array([0, 5, 9])
    figure = backward.epochs_heatmap(norms, epochs, name="h", clock=Clock.steps(4), epoch=5, step=1)
    np.testing.assert_allclose(figure.data[0].z, np.log10(norms), rtol=1e-6)
    assert list(figure.layout.yaxis.ticktext) == ["0", "5", "9"]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
    assert (figure.layout.shapes[1].y0, figure.layout.shapes[1].y1) == (0.5, 1.5)


@pytest.mark.parametrize(("cell", "gate"), [("lstm", "f"), ("gru", "z"), ("rnn", "")])
def test_products_and_their_bounds_are_lines_over_distance(cell, gate):
    *_, network, _, done = looked_at(cell, Task.REGRESSION, 1, {})
    way = network.ways[0]
    found = products(way.cell, way.weights, done.steps[0], T - 1)
    figure = backward.product_lines(found, step=T - 1, distance=4)
    lines = {line.name: line for line in figure.data}
    np.testing.assert_allclose(lines["norm of the product"].y, found.norm)
    np.testing.assert_allclose(lines["product of the norms (bound)"].y, found.bound)
    assert any(f"product of {gate}," in name for name in lines) == bool(gate)
    assert any("‖U‖" in name for name in lines) == (not gate)
    assert figure.layout.shapes[0].x0 == 4


@pytest.mark.parametrize(
    ("exponent", "text"),
    [(0.0, "1"), (-2.0, "0.01"), (-400.3, "5.0 · 10⁻⁴⁰¹"), (-np.inf, "0"), (np.inf, "∞")],
)
def test_a_norm_is_told_by_its_exponent(exponent, text):
    assert backward.told(exponent) == text


def test_bars_are_the_norms_of_each_gates_weights(seen):
    network, sequence, done = seen
    gradients = network.gradients(done, sequence.targets).weights[0]
    (bars,) = backward_weights.gate_norms(gradients, tuple("ifgo")).data
    assert list(bars.x[1][:3]) == ["W<sub>i</sub>", "U<sub>i</sub>", "b<sub>i</sub>"]
    expected = [
        np.linalg.norm(part[gate])
        for gate in range(4)
        for part in (gradients.input, gradients.recurrent, gradients.input_bias)
    ]
    np.testing.assert_allclose(bars.y, expected)


@pytest.mark.parametrize("part", ["input", "recurrent"])
def test_weight_gradients_share_one_range_of_colours(seen, part):
    network, sequence, done = seen
    gradients = network.gradients(done, sequence.targets).weights[0]
    span = backward_weights.weight_span(gradients)
    figure = backward_weights.weight_heatmap(gradients, part, 2, symbol="g", at=(1, 0))
    heat = figure.data[0]
    assert (heat.zmin, heat.zmax) == (span.low, span.high)
    expected = exponents(np.abs(getattr(gradients, part)[2]), span.low)
    np.testing.assert_allclose(heat.z, expected, rtol=1e-5)
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].y0) == (0.5, 1.5)


def test_truncation_is_shown_beside_the_full_gradient(seen):
    network, sequence, done = seen
    found = truncations(network, done, sequence.targets)
    norm, cosine = backward_weights.truncation(found, 3).data
    np.testing.assert_allclose(norm.y, found.norms / found.norms[-1])
    np.testing.assert_allclose(cosine.y, found.cosines)
    none = Truncated(lengths=(1,), norms=np.zeros(1), cosines=np.zeros(1))
    assert backward_weights.truncation(none, 1).layout.annotations


def test_the_share_of_clipped_steps_falls_from_all_to_none():
    figure = backward_weights.clipping(np.array([1.0, 4.0, 2.0, np.nan, 0.0]), 3.0)
    assert list(figure.data[0].x) == [1, 1, 2, 4]
    np.testing.assert_allclose(figure.data[0].y, [1, 2 / 3, 1 / 3, 0])
    assert figure.layout.shapes[0].x0 == 3


@DARK
def test_the_wall_has_both_paths(dark):
    paths = {
        name: wall.descend(wall.unit_gradient, (4.8, -2.2), rate=0.1, clip=clip, steps=100)
        for name, clip in zip(PATHS, (0.0, 0.5), strict=True)
    }
    surface = wall.unit_surface((3.6, 6.0), (-3.0, -1.0), count=21)
    figure = loss_surface(surface, paths, title="wall", axes=("w", "b"), dark=dark)
    heat, without, clipped = figure.data
    np.testing.assert_allclose(heat.z, surface.loss, rtol=1e-6)
    assert (without.name, clipped.name) == PATHS
    far = [np.linalg.norm(np.diff(paths[name].points, axis=0), axis=1).max() for name in PATHS]
    assert far[0] > 1 > 0.0501 > far[1]
    assert tuple(figure.layout.xaxis.range) == (3.6, 6.0)  # paths may leave the picture
    assert "14 of 100 steps shortened" in path_words("clipped", paths[PATHS[1]], 0.1)


def test_one_step_is_enough_for_a_row():
    assert backward.between(np.array([4.0])).tolist() == [3.5, 4.5]
    assert F > 0
