"""Facts about folding and unfolding: the steps, sizes and weights are those of the trace."""

import json

import numpy as np
import pytest
from test_unrolled import names, network, text_trace, values

from rnnviz.cells import CELLS
from rnnviz.errors import TraceError
from rnnviz.figures.fold import MOST_STEPS, MOST_UNITS, fold
from rnnviz.figures.unrolled import scene
from rnnviz.trace import Trace
from rnnviz.ui.components.fold import message


def folded(trace: Trace, **change: object):
    drawn = scene(trace, sequence=0, quantity="h", naming=names(trace, **change))
    return drawn, fold(drawn, trace.layers[0], outputs=trace.outputs.shape[2])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("steps", [2, 5, 30])
def test_as_many_weights_as_the_layer_has_and_as_layers_of_their_own_would_have(cell, steps):
    trace = network(values(steps, features=3), cell=cell, size=12)
    layer = trace.layers[0]
    _, found = folded(trace)
    own = layer.input_weights.size + layer.input_bias.size + layer.recurrent_bias.size
    assert found.tied == own + layer.recurrent_weights.size
    count = min(steps, MOST_STEPS)
    assert found.untied == count * own + (count - 1) * layer.recurrent_weights.size
    assert (len(found.steps), found.left_out) == (count, steps - count)
    assert (found.inputs, found.units, found.outputs) == (3, 12, 1)


def test_states_are_those_after_the_first_steps():
    trace = network(values(30), size=12)
    drawn, found = folded(trace)
    assert found.states.shape == (MOST_STEPS, MOST_UNITS)
    units = list(drawn.rows[0].units[:MOST_UNITS])
    np.testing.assert_array_equal(found.states, trace.layers[0].state("h")[0, :MOST_STEPS, units].T)


def test_tokens_and_the_most_probable_next_ones():
    trace = text_trace(steps=6)
    _, found = folded(trace, tokens=True, probabilities=True)
    assert found.read == tuple(f"x{k}" for k in trace.inputs[0].argmax(axis=1))
    assert found.said == tuple(f"y{k}" for k in trace.outputs[0].argmax(axis=1))
    assert (found.tokens, found.every_step) == (True, True)


def test_numbers_and_one_output_with_its_unit():
    trace = network(values(12))
    _, found = folded(trace, output_unit="kg/m²")
    assert found.said == ("27.3 kg/m²",)
    for text, value in zip(found.read, trace.inputs[0, :, 0], strict=False):
        assert float(text.replace("\N{MINUS SIGN}", "-")) == pytest.approx(value, abs=0.05)


def test_a_step_without_an_input_reads_nothing():
    _, found = folded(network(values(6)), given=1)
    assert [bool(text) for text in found.read] == [True] + [False] * 5


def test_one_step_is_nothing_to_fold():
    with pytest.raises(TraceError, match="one step only, so there is nothing to fold"):
        folded(network(values(1)))


def test_the_message_is_small_and_says_what_there_is():
    _, found = folded(network(values(1440), size=64))
    sent = message(found, "fold", dark=False)
    assert len(sent) < 6000
    header = json.loads(sent[4 : 4 + int.from_bytes(sent[:4], "little")])
    assert (header["untied"], header["tied"]) == (found.untied, found.tied)
    assert header["cell"] == "LSTM"
