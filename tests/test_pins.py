"""Facts about pinned vectors: their text in an address, and how they are compared."""

import numpy as np
import pytest
from test_unrolled import network, values

from rnnviz.figures.pins import (
    MOST_PINS,
    Pin,
    common_range,
    pairs,
    pinned,
    read_pins,
    strips,
    write_pins,
)
from rnnviz.figures.theme import Quantity

PINS = (Pin(0, 0, 0, "h", 0), Pin(20, 3, 1, "f", 1439))


def named(t: int) -> str:
    return f"step {t + 1}"


def test_an_address_holds_what_was_pinned():
    assert write_pins(PINS) == "0.1.1.h.1_20.4.2.f.1440"
    assert read_pins(write_pins(PINS)) == PINS
    assert read_pins("") == ()


@pytest.mark.parametrize(
    "text",
    ["x", "1.1.1.h", "1.0.1.h.1", "1.1.1.hh.1", "1.1.1.h.-1", "1.1.1.<.1", "1" * 99, "1.1.1.h.0"],
)
def test_nonsense_in_an_address_is_passed_over(text):
    assert read_pins(f"{text}_1.1.1.h.57") == (Pin(1, 0, 0, "h", 56),)


def test_no_more_pins_than_can_be_compared_and_none_twice():
    many = "_".join(f"1.1.1.h.{t}" for t in (1, 1, 2, 3, 4, 5, 6, 7))
    assert [pin.t for pin in read_pins(many)] == list(range(MOST_PINS))


def test_a_pin_is_the_vector_of_its_step():
    trace = network(values(9), layers=2)
    found = pinned(Pin(1, 1, 1, "f", 6), trace, named)
    np.testing.assert_array_equal(found.values, trace.layers[1].gate("f")[1, 6])
    assert found.title == "f of layer 2, step 7, sequence 2, epoch 1"


@pytest.mark.parametrize(
    "pin",
    [
        Pin(1, 9, 0, "h", 0),
        Pin(1, 0, 9, "h", 0),
        Pin(1, 0, 0, "q", 0),
        Pin(1, 0, 0, "h", 4),  # beyond this sequence's end
    ],
)
def test_a_pin_that_the_trace_does_not_have_is_none(pin):
    trace = network(values(9), lengths=np.array([4, 9]))
    assert pinned(pin, trace, named) is None
    assert pinned(Pin(1, 0, 0, "h", 3), None, named) is None


def test_pairs_by_hand():
    u, v, w = np.array([3.0, 4.0]), np.array([-4.0, 3.0]), np.array([6.0, 8.0])
    first, second, third = pairs([u, v, w])
    assert (first.cosine, first.distance) == pytest.approx((0.0, np.sqrt(50)))
    assert (first.unit, first.difference) == (0, -7.0)
    assert (second.cosine, second.distance) == pytest.approx((1.0, 5.0))
    assert (third.first, third.second) == (1, 2)


def test_a_zero_vector_has_no_direction_and_other_sizes_are_no_pair():
    (pair,) = pairs([np.zeros(3), np.ones(3)])
    assert np.isnan(pair.cosine)
    assert pair.distance == pytest.approx(np.sqrt(3))
    assert pairs([np.ones(3), np.ones(4)]) == ()


def test_strips_share_one_scale_that_suits_them_all():
    trace = network(values(9), size=12)
    gates = [pinned(Pin(1, 0, 0, symbol, 2), trace, named) for symbol in "fi"]
    assert common_range(gates).quantity is Quantity.GATE
    mixed = [*gates, pinned(Pin(1, 0, 0, "c", 2), trace, named)]
    span = common_range(mixed)
    assert (span.quantity, span.low) == (Quantity.STATE, -span.high)
    assert span.high >= max(np.abs(one.values).max() for one in mixed)
    heat = strips(mixed, unit=3, dark=False).data[0]
    np.testing.assert_allclose(heat.z, np.stack([one.values for one in mixed]), rtol=1e-6)
    assert (heat.zmin, heat.zmax) == (span.low, span.high)
