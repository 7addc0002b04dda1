"""What is shown can be proved: finite differences, the clipping wall, the plane, and health."""

import numpy as np
import pytest
import torch
from test_inside import FORMS, one
from test_inside_back import ONE_WAY, ROW, looked_at
from test_record import F, H, T

from rnnviz.cells import CELLS
from rnnviz.config import ModelConfig, RunConfig, TrainingConfig
from rnnviz.data.dataset import Task
from rnnviz.inside import wall
from rnnviz.inside.health import LIMITS, diagnose
from rnnviz.inside.matrix import loss_matrix
from rnnviz.inside.network import Network, sequence_of
from rnnviz.inside.plane import Plane, plane_losses, plane_of, plane_surface, points_for
from rnnviz.inside.prove import (
    Spot,
    differ,
    prove_norm,
    prove_product,
    prove_state,
    prove_weight,
)

SMOOTH = [name for name in CELLS if "relu" not in name and "hard" not in name]  # no kink to hit


@pytest.mark.parametrize("cell", ["lstm", "gru-before"])
@FORMS
def test_a_difference_shows_what_is_shown(cell, task, outputs, settings):
    *_, network, sequence, _done = looked_at(cell, task, outputs, settings)
    for place, way in enumerate(network.ways):
        for state in range(len(way.cell.states)):
            proof = prove_state(network, sequence, Spot(place=place, state=state, t=4), unit=2)
            assert proof.error < 1e-5 or not proof.conclusive
            norm = prove_norm(network, sequence, Spot(place=place, state=state, t=4))
            assert norm.conclusive
            assert norm.error < 1e-5
        for kind, index in (
            ("input", (0, 1, 0)),
            ("recurrent", (len(way.cell.gates) - 1, 3, 2)),
            ("recurrent_bias", (0, 1)),
        ):
            proof = prove_weight(network, sequence, place, kind, index)
            assert proof.error < 1e-5 or not proof.conclusive


@pytest.mark.parametrize("cell", ["lstm", "gru-before"])
@ONE_WAY
def test_a_cell_of_the_matrix_can_be_proved(cell, task, outputs, settings):
    *_, network, sequence, _done = looked_at(cell, task, outputs, settings)
    for s, t in ((T - 1, 2), (5, 5), (3, 6)):
        proof = prove_norm(network, sequence, Spot(place=0, state=0, t=t), loss_step=s)
        if t > s:
            assert (proof.shown, proof.difference) == (0.0, 0.0)
        else:
            assert proof.conclusive
            assert proof.error < 1e-5


@pytest.mark.parametrize("cell", SMOOTH)
def test_a_product_of_jacobians_can_be_proved(cell):
    *_, network, sequence, _ = looked_at(cell, Task.REGRESSION, 1, {"layers": 2})
    proof = prove_product(network, sequence, 1, 3, T - 1)
    assert proof.conclusive
    assert proof.error < 1e-4


def test_a_wrong_gradient_is_not_proved():
    assert differ(lambda by: 3.0 + 2.0 * by, 2.0).error < 1e-9
    wrong = differ(lambda by: 3.0 + 2.0 * by, 2.2)
    assert wrong.conclusive
    assert wrong.error == pytest.approx(0.2 / 2.2, rel=1e-6)


def test_what_is_smaller_than_rounding_proves_nothing():
    assert not differ(lambda _: 1.0, 1e-20).conclusive


# -- the wall --------------------------------------------------------------------------------------


def test_the_units_slope_equals_autograd():
    w, b = np.array([4.0, 5.2, 6.5]), np.array([-2.4, -2.6, -3.2])
    leaves = [torch.tensor(part, requires_grad=True) for part in (w, b)]
    x = torch.full((3,), wall.FIRST, dtype=torch.double)
    for _ in range(wall.STEPS):
        x = leaves[0] * torch.sigmoid(x) + leaves[1]
    loss = (torch.sigmoid(x) - wall.TARGET) ** 2
    loss.sum().backward()
    np.testing.assert_allclose(wall.unit_loss(w, b), loss.detach().numpy(), atol=1e-12)
    for mine, leaf in zip(wall.unit_slope(w, b), leaves, strict=True):
        np.testing.assert_allclose(mine, leaf.grad.numpy(), atol=1e-9, rtol=1e-9)


def test_clipping_keeps_the_direction_and_bounds_the_step():
    path = wall.descend(lambda p: 100 * p, (3.0, 4.0), rate=0.1, clip=2.0, steps=1)
    assert path.clipped == 1
    assert path.lengths.tolist() == [500.0]
    np.testing.assert_allclose(path.points[1], [3.0 - 0.12, 4.0 - 0.16])


def test_a_descent_that_leaves_the_numbers_ends():
    path = wall.descend(lambda p: p * 1e200, (1.0, 1.0), rate=1e200, clip=0, steps=5)
    assert path.fell_off
    assert len(path.points) < 6


# -- the plane -------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", CELLS)
@FORMS
def test_the_plane_in_one_batch_equals_each_network_by_itself(cell, task, outputs, settings):
    *_, network, sequence, done = looked_at(cell, task, outputs, settings)
    plane = plane_of(network, sequence, seed=3)
    x, y = np.array([0.0, 0.3, -0.2]), np.array([0.0, -0.1, 0.4])
    found = plane_losses(plane, sequence, x, y)
    alone = [plane.at(np.array(p)).run(sequence).loss for p in zip(x, y, strict=True)]
    np.testing.assert_allclose(found, alone, atol=1e-12)
    assert found[0] == pytest.approx(done.loss, abs=1e-12)


def test_the_directions_have_length_one_and_stand_at_right_angles():
    *_, network, sequence, done = looked_at("gru", Task.REGRESSION, 1, {"layers": 2})
    plane: Plane = plane_of(network, sequence, seed=1)

    def flat(ways):
        return np.concatenate([part.ravel() for way in ways for part in way])

    first, second = flat(plane.first), flat(plane.second)
    assert [first @ first, second @ second] == pytest.approx([1, 1])
    assert first @ second == pytest.approx(0, abs=1e-12)
    gradient = flat(network.gradients(done, sequence.targets).weights)
    slope = plane.slope(sequence, np.zeros(2))
    assert slope == pytest.approx([np.linalg.norm(gradient), 0], abs=1e-12)
    nudge = 1e-5
    ends = plane_losses(plane, sequence, np.array([nudge, -nudge]), np.zeros(2))
    assert (ends[0] - ends[1]) / (2 * nudge) == pytest.approx(slope[0], rel=1e-5)


def test_a_large_network_gets_a_coarse_grid():
    *_, network, sequence, _ = looked_at("lstm", Task.REGRESSION, 1, {})
    assert points_for(network, T) == 25
    assert points_for(network, 10**7) == 5
    surface = plane_surface(plane_of(network, sequence, 0), sequence, 0.5, 5)
    assert surface.loss.shape == (5, 5)
    assert surface.loss[2, 2] == pytest.approx(network.run(sequence).loss)


# -- health ----------------------------------------------------------------------------------------


def healthy(cell="lstm", task=Task.REGRESSION, outputs=1, norms=(), failed="", **settings):
    _, _, trace, _ = one(cell, task, outputs, {"layers": 2, **settings}, b=ROW)
    config = RunConfig(model=ModelConfig(cell=cell, attention="none"))
    return trace, diagnose(trace, config, np.array(norms, dtype=float), failed)


@pytest.mark.parametrize("cell", CELLS)
def test_every_layer_is_looked_at(cell):
    _, found = healthy(cell)
    kinds = {"saturated", "vanishing", "exploding", "NaN"}
    kinds = (kinds - {"saturated"}) | {"dead"} if cell == "rnn-relu" else kinds
    kinds = kinds | {"dead"} if "lstm-relu" in cell else kinds
    for title in ("layer 1", "layer 2"):
        assert {one.kind for one in found if one.where == title} == kinds
    assert all(one.remedy and one.advice for one in found if one.ill)
    assert not any(one.remedy for one in found if not one.ill)


def test_remedies_are_settings():
    ill = [one for one in healthy(norms=[1.0] * 20 + [1e4], failed="layer 2")[1] if one.ill]
    assert {one.kind for one in ill} >= {"exploding", "NaN"}
    for each in ill:
        model = {k: v for k, v in each.remedy.items() if k in ModelConfig.__dataclass_fields__}
        rest = {k: v for k, v in each.remedy.items() if k not in model}
        ModelConfig(**model), TrainingConfig(**rest)


def changed(trace, **parts):
    import dataclasses

    return dataclasses.replace(
        trace, layers=tuple(dataclasses.replace(layer, **parts) for layer in trace.layers)
    )


def only(found, kind):
    return next(one for one in found if one.kind == kind)


@pytest.mark.parametrize(("by", "kind"), [(1e-9, "vanishing"), (30.0, "exploding")])
def test_the_gradients_ratio_is_told(by, kind):
    trace, _ = healthy("rnn-relu", layers=1)
    weights = by * np.eye(H)[None]
    always_on = np.ones((1, H))
    far = changed(trace, recurrent_weights=weights, recurrent_bias=always_on)
    found = only(diagnose(far, RunConfig(), np.zeros(0)), kind)
    assert found.ill
    assert found.number == pytest.approx(by ** (T - 1), rel=1e-6)


def test_dead_and_saturated_units_are_counted():
    trace, _ = healthy("rnn-relu")
    gates = np.ones_like(trace.layers[0].gates)
    gates[..., :2] = 0
    found = only(diagnose(changed(trace, gates=gates), RunConfig(), np.zeros(0)), "dead")
    assert (found.number, found.ill) == (2 / H, LIMITS.dead < 2 / H)
    trace, _ = healthy("gru")
    gates = np.full_like(trace.layers[0].gates, 0.5)
    gates[:, :, 0] = 0.99
    found = only(diagnose(changed(trace, gates=gates), RunConfig(), np.zeros(0)), "saturated")
    assert found.number == pytest.approx(1 / 3)


def test_numbers_that_are_none_are_counted():
    trace, _ = healthy("gru")
    weights = trace.layers[0].recurrent_weights.copy()
    weights[0, 0, :3] = np.nan
    found = only(
        diagnose(changed(trace, recurrent_weights=weights), RunConfig(), np.zeros(0)), "NaN"
    )
    assert (found.number, found.ill) == (3, True)


def test_where_every_step_has_a_loss_the_last_one_is_followed():
    trace, found = healthy("gru", Task.NEXT_TOKEN, F)
    network, ratios = Network.of(trace), []
    for row in range(len(trace.lengths)):
        sequence = sequence_of(trace, row)
        matrix = loss_matrix(network, sequence, network.run(sequence))
        norms = matrix.norms[0][0][-1]
        ratios.append(norms[0] / norms[matrix.losses[-1]])
    assert only(found, "vanishing").number == pytest.approx(np.median(ratios))
