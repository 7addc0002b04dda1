"""Select and match, as LSTMVis has it (Strobelt et al. 2018): which units are on in a span and off
elsewhere, and where else the same ones are on. Arrays in, spans out; no files.

A unit is on where sign * h >= threshold, with the sign that it has in the span. float16 numbers of
one sign are ordered like the integers that their bits spell, so whole maps are compared as int16,
which is exact and ten times as fast.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float16, Int

from rnnviz.errors import TraceError

MOST_UNITS = 16  # that are searched for together
MOST_SPANS = 200  # that come back


@dataclass(frozen=True, kw_only=True)
class OnUnit:
    """A unit that is on at every step of a span."""

    unit: int
    sign: int  # 1 or -1
    elsewhere: float  # share of the sequence's other steps at which it is on as well
    mean: float  # of h over the span


@dataclass(frozen=True, kw_only=True)
class Spans:
    """Where units are on together, closest in length to the marked span first."""

    places: Int[np.ndarray, " M"]  # of sequences, in the store's order
    starts: Int[np.ndarray, " M"]
    stops: Int[np.ndarray, " M"]  # the step after the last
    total: int  # spans that there are
    within: Int[np.ndarray, " S"]  # places of all sequences that have at least one, ascending
    beginning: Int[np.ndarray, " T"]  # how many of all spans begin at each step


def units_on(
    h: Float16[np.ndarray, "H T"], start: int, stop: int, threshold: float
) -> tuple[OnUnit, ...]:
    """The units that are on throughout a span of one sequence, the most selective first.

    Raises:
        TraceError: the span or the threshold is none.
    """
    steps = h.shape[1]
    if not 0 <= start < stop <= steps:
        raise TraceError(
            f"the span {start + 1} to {stop} is none of this sequence; mark steps from 1 to {steps}"
        )
    _check(threshold)
    outside = np.ones(steps, bool)
    outside[start:stop] = False
    found = []
    for sign in (1, -1):
        on = is_on(h, sign, threshold)
        for unit in np.flatnonzero(on[:, start:stop].all(axis=1)):
            rest = on[unit, outside]
            found.append(
                OnUnit(
                    unit=int(unit),
                    sign=sign,
                    elsewhere=float(rest.mean()) if len(rest) else 0.0,
                    mean=float(h[unit, start:stop].astype(np.float64).mean()),
                )
            )
    return tuple(sorted(found, key=lambda one: (one.elsewhere, -abs(one.mean))))


def is_on(h: Float16[np.ndarray, "*any"], sign: int, threshold: float) -> Bool[np.ndarray, "*any"]:
    """Where sign * h >= threshold, for a threshold above zero, both rounded to float16."""
    bits = int(np.float16(threshold).view(np.uint16))
    if sign > 0:
        return np.asarray(h).view(np.int16) >= np.int16(bits)
    return np.asarray(h).view(np.uint16) >= np.uint16(0x8000 | bits)


def find_spans(
    h: Float16[np.ndarray, "H N T"],
    lengths: Int[np.ndarray, " N"],
    units: tuple[tuple[int, int], ...],
    threshold: float,
    *,
    least: int,
    like: int,
    without: int | None = None,
) -> Spans:
    """All maximal spans in which at least so many of the units are on at once.

    Args:
        units: with the sign of each.
        least: how many of them; len(units) for all.
        like: the marked span's length [steps]; nearest to it comes first.
        without: a sequence that is left out, such as the marked one.

    Raises:
        TraceError: there are no units, or too many, or the threshold is none.
    """
    _check(threshold)
    if not 1 <= len(units) <= MOST_UNITS:
        raise TraceError(
            f"{len(units)} units are to be matched; choose 1 to {MOST_UNITS}: mark another span, "
            "or change the threshold"
        )
    steps = h.shape[2]
    count = np.zeros(h.shape[1:], np.uint8)
    for unit, sign in units:
        count += is_on(h[unit], sign, threshold)
    on = count >= least
    on &= np.arange(steps) < lengths[:, None]
    if without is not None:
        on[without] = False
    places, starts, stops = runs_of(on)
    nearest = np.abs(stops - starts - like)
    order = np.argsort(nearest, kind="stable")[:MOST_SPANS]
    return Spans(
        places=places[order],
        starts=starts[order],
        stops=stops[order],
        total=len(places),
        within=np.unique(places),
        beginning=np.bincount(starts, minlength=steps),
    )


def runs_of(
    on: Bool[np.ndarray, "N T"],
) -> tuple[Int[np.ndarray, " M"], Int[np.ndarray, " M"], Int[np.ndarray, " M"]]:
    """Row, first step, and step after the last, of every maximal run of True."""
    edges = np.zeros((len(on), on.shape[1] + 1), np.int8)
    edges[:, :-1] = on
    edges[:, 1:] -= on.astype(np.int8)
    flat = np.flatnonzero(edges)
    rows, steps = np.divmod(flat, edges.shape[1])
    # along a row a run's start and its end take turns
    return rows[::2], steps[::2], steps[1::2]


def strength(
    h: Float16[np.ndarray, "H N T"], units: tuple[tuple[int, int], ...], spans: Spans
) -> Float[np.ndarray, " M"]:
    """Mean of sign * h over the units and steps of each span."""
    found = np.zeros(len(spans.places))
    for unit, sign in units:
        for k, (row, a, b) in enumerate(zip(spans.places, spans.starts, spans.stops, strict=True)):
            found[k] += sign * float(h[unit, row, a:b].astype(np.float64).mean())
    return found / len(units)


def _check(threshold: float) -> None:
    if not 0.0 < threshold <= 1000.0:
        raise TraceError(f"the threshold is {threshold:g}; it must lie above 0, up to 1000")
