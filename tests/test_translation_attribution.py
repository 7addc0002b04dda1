"""Gradients back to the source in closed form, against finite differences, and occlusions."""

import numpy as np
import pytest
from test_translation_network import KINDS
from translation_samples import config, network

from rnnviz.data.parallel.text import END, START
from rnnviz.translation.attribution import forward, gradients, occlusions
from rnnviz.translation.decoding import write

SOURCE = np.array([4, 5, 8, 3, 6])
WRITTEN = (5, 4, 6, END)
MOVE = 1e-5


def given(net, vectors, rows):
    """ln p of each written token, step by step, of many sources at once: [N T]."""
    count = len(vectors)
    encoded = net.encode_vectors(vectors, np.full(count, vectors.shape[1]))
    states, last, found = encoded.last, START, []
    for t, token in enumerate(WRITTEN):
        step = net.step(encoded, states, np.full(count, last), rows.get(t))
        states, last = step.states, token
        found.append(step.log_probabilities[:, token])
    return np.stack(found, axis=1)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_gradients_are_those_of_finite_differences(kind):
    net = network(config(*kind))
    rows = {2: np.array([0.1, 0.2, 0.3, 0.4, 0.0])} if net.attention else {}
    vectors = net.source_vectors(SOURCE)
    found = gradients(net, SOURCE, WRITTEN, rows)
    places = list(np.ndindex(vectors.shape))
    nudged = np.repeat(vectors[None], 2 * len(places), axis=0)
    for k, (s, e) in enumerate(places):
        nudged[2 * k, s, e] += MOVE
        nudged[2 * k + 1, s, e] -= MOVE
    chances = given(net, nudged, rows)
    moved = ((chances[::2] - chances[1::2]) / (2 * MOVE)).T.reshape(found.vectors.shape)
    np.testing.assert_allclose(found.vectors, moved, atol=1e-9)
    np.testing.assert_allclose(found.gradient, (moved * vectors).sum(axis=2), atol=1e-9)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_all_steps_at_once_equal_step_by_step(kind):
    net = network(config(*kind))
    encoded = net.encode(SOURCE[None], np.array([len(SOURCE)]))
    rows = {1: np.array([0.0, 0.0, 1.0, 0.0, 0.0])} if net.attention else {}
    out = write(net, encoded, longest=9, given=WRITTEN, rows=rows)
    done = forward(net, net.source_vectors(SOURCE), WRITTEN, rows)
    steps = np.concatenate([step.logits for step in out.steps])
    np.testing.assert_allclose(done.logits, steps, atol=1e-12)
    if net.attention:
        np.testing.assert_allclose(done.weights, out.weights, atol=1e-12)


def test_an_occlusion_is_the_fall_of_a_run_without_the_token():
    net = network(config())
    vectors = net.source_vectors(SOURCE)
    found = occlusions(net, SOURCE, WRITTEN)
    for s in range(len(SOURCE)):
        without = vectors.copy()
        without[s] = 0.0
        before, after = given(net, np.stack([vectors, without]), {})
        np.testing.assert_allclose(found[:, s], before - after, atol=1e-12)
