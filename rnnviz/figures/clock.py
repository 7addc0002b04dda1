"""The time axis that all pictures of a sequence share, so that they line up."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from jaxtyping import Float

from rnnviz.data.dataset import SequenceDataset
from rnnviz.errors import TraceError
from rnnviz.figures.theme import plain, visible

_MINUTE = 60_000.0  # [ms]
_DAY = 1440.0  # [min]
_FEW_STEPS = 6
_MOST_LABELS = 40  # tokens under an axis; more are numbered only


@dataclass(frozen=True, kw_only=True)
class Clock:
    """When each step happens.

    A step lasts from its time to the next one's; it is drawn at its middle.
    """

    times: Float[np.ndarray, " T"]  # [unit]
    unit: str  # "min" from midnight, "step", or any other, which is shown as it is
    labels: tuple[str, ...] = ()  # tokens, one a step

    @classmethod
    def of(cls, dataset: SequenceDataset, row: int | None = None) -> Self:
        """A dataset's clock; for tokens with those of one row, where one is named."""
        labels: tuple[str, ...] = ()
        if dataset.vocabulary and row is not None:
            labels = tuple(dataset.vocabulary[int(token)] for token in dataset.inputs[row])
        return cls(times=dataset.times.astype(np.float64), unit=dataset.time_unit, labels=labels)

    @classmethod
    def steps(cls, count: int) -> Self:
        """Steps that are only numbered, from 1."""
        return cls(times=np.arange(count, dtype=np.float64), unit="step")

    def first(self, count: int) -> "Clock":
        """The clock of the first steps.

        Raises:
            TraceError: there are fewer.
        """
        if count > len(self.times):
            raise TraceError(
                f"the clock has {len(self.times)} steps and the sequence {count}; "
                "use the clock of the dataset that the trace is from"
            )
        return Clock(times=self.times[:count], unit=self.unit, labels=self.labels[:count])

    @property
    def edges(self) -> Float[np.ndarray, " E"]:
        """Where the T steps begin and the last one ends, as the axis counts [ms, step or unit]."""
        if self.unit == "step":
            return np.arange(len(self.times) + 1) + 0.5
        last = self.times[-1] - self.times[-2] if len(self.times) > 1 else 1.0
        edges = np.append(self.times, self.times[-1] + last)
        return edges * _MINUTE if self.unit == "min" else edges

    @property
    def middles(self) -> Float[np.ndarray, " T"]:
        """Where steps are drawn, as the axis counts."""
        edges = self.edges
        return (edges[1:] + edges[:-1]) / 2

    @property
    def hover(self) -> str:
        """How a hover text names the time."""
        if self.unit == "min":
            return "%{x|%H:%M}"
        return "step %{x:.0f}" if self.unit == "step" else f"%{{x:.4~g}} {plain(self.unit)}"

    def step_at(self, x: float | str) -> int:
        """The step, from 0, at a place on the axis as a click reports it.

        Raises:
            TraceError: x is no place on a time axis.
        """
        inside = np.searchsorted(self.edges, self._place(x), side="right") - 1
        return int(np.clip(inside, 0, len(self.times) - 1))

    def steps_between(self, one: float | str, other: float | str) -> tuple[int, int]:
        """First and last step, from 0, whose middles lie in a dragged range; at least one step.

        Raises:
            TraceError: an end is no place on a time axis.
        """
        low, high = sorted((self._place(one), self._place(other)))
        first, after = np.searchsorted(self.middles, (low, high))
        if first >= after:  # a range within one step, or beyond the ends
            return (self.step_at(one),) * 2
        return int(first), int(after - 1)

    def _place(self, x: float | str) -> float:
        try:
            if self.unit == "min" and isinstance(x, str):
                moment = np.datetime64(x.strip().replace(" ", "T"), "us")
                place = float("nan") if np.isnat(moment) else float(moment.astype("int64")) / 1000
            else:
                place = float(x)
        except ValueError:
            place = float("nan")
        if not np.isfinite(place):
            raise TraceError(f"{str(x)[:40]!r} is no place on the time axis; click inside the plot")
        return place


def clock_axis(clock: Clock) -> dict[str, Any]:
    """The settings of a horizontal axis: 00:00, 06:00, ... for days, step numbers otherwise."""
    edges = clock.edges
    shared = {
        "range": [float(edges[0]), float(edges[-1])],
        "autorange": False,
        "unifiedhovertitle": {"text": clock.hover},
    }
    if clock.unit == "min":
        days = edges[-1] - edges[0] > _DAY * _MINUTE
        form = "day %-j<br>%H:%M" if days else "%H:%M"
        # six ticks at most: every 6 hours of a day, and finer ones once zoomed in
        ticks = {"type": "date", "tickformat": form, "hoverformat": "%H:%M", "nticks": 6}
        return {**shared, **ticks, "title": {"text": "time of day"}}
    if clock.labels and len(clock.labels) <= _MOST_LABELS:
        texts = [visible(label) for label in clock.labels]
        ticks = {"tickvals": clock.middles.tolist(), "ticktext": texts, "tickangle": 0}
        return {**shared, **ticks, "title": {"text": "token"}}
    title = "step" if clock.unit == "step" else f"time [{plain(clock.unit)}]"
    few = clock.unit == "step" and len(clock.times) <= _FEW_STEPS  # no ticks between two steps
    ticks = {"dtick": 1} if few else {"nticks": 12}
    return {**shared, "title": {"text": title}, "minallowed": float(edges[0]), **ticks}
