"""Where the first look into a run begins: at the step at which the state changes most."""

import dataclasses

import numpy as np
import pytest
from test_unrolled import network

from rnnviz.cells import CELLS
from rnnviz.trace import telling_step


def layer_of(change_at: int, *, reverse: bool = False, steps: int = 9):
    """Random small states over so many steps, and one jump."""
    rng = np.random.default_rng(4)
    trace = network(rng.normal(size=(2, steps, 1)), cell="gru", size=3)
    h = np.full((2, steps, 1, 3), 0.5, np.float32)
    h[1] = np.cumsum(rng.normal(0, 0.01, (steps, 1, 3)), axis=0)
    jumped = slice(None, change_at + 1) if reverse else slice(change_at, None)
    h[1, jumped] += [0.4, 0.0, -0.3]
    return dataclasses.replace(trace.layers[0], states=h, reverse=reverse)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("at", [1, 4, 7])
def test_it_is_where_the_state_jumps_in_the_order_of_reading(at, reverse):
    assert telling_step(layer_of(at, reverse=reverse), sequence=1, length=9) == at


def test_the_step_that_is_read_first_does_not_count():
    # of sequence 0 all states are 0.5: the only change is that from the zeros before
    forward, backward = layer_of(3), layer_of(3, reverse=True)
    assert telling_step(forward, sequence=0, length=9) == 1
    assert telling_step(backward, sequence=0, length=9) == 0


def test_what_lies_beyond_a_sequence_is_not_looked_at():
    layer = layer_of(7)
    assert telling_step(layer, sequence=1, length=6) < 6
    assert telling_step(layer, sequence=1, length=1) == 0


@pytest.mark.parametrize("cell", CELLS)
def test_of_every_cell_it_is_the_largest_difference_of_h(cell):
    trace = network(np.random.default_rng(1).normal(size=(1, 30, 2)), cell=cell, both=True)
    for layer in trace.layers:
        h = layer.state("h")[0].astype(np.float64)
        far = np.linalg.norm(np.diff(h, axis=0), axis=1)  # between steps t and t + 1
        expected = int(far.argmax()) + (0 if layer.reverse else 1)
        assert telling_step(layer, sequence=0, length=30) == expected
