"""Names that number the parts of a day: minutes, quarters of an hour, hours. Text only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

DAY = 1440  # [min]
PARTS: Mapping[int, str] = {  # how many parts a day may come in, and what one part is called
    1440: "minutes",
    720: "2-minute steps",
    288: "5-minute steps",
    144: "10-minute steps",
    96: "quarter-hours",
    48: "half-hours",
    24: "hours",
}

_CLOCK = re.compile(
    r"(?P<stem>.*?)(?P<h>[01]?\d|2[0-4])(?P<sep>[:.h])(?P<m>[0-5]\d)(?:[:.]00)?", re.IGNORECASE
)
_NUMBERED = re.compile(r"(?P<stem>.*?)[ ._-]?(?P<n>\d+)")
_STEM_OF_R = ("", "x")  # R puts an X before names that begin with a digit, and . for the colons


@dataclass(frozen=True, kw_only=True)
class Series:
    """Names that number all parts of one day, in time's order."""

    stem: str  # what stands before the number, in lower case
    names: tuple[str, ...]

    @property
    def parts(self) -> str:
        """What one part is: minutes, hours, ..."""
        return PARTS[len(self.names)]


def find_series(names: list[str]) -> tuple[Series, ...]:
    """Every whole day that is numbered in the names, the finest first."""
    found = []
    for stem, numbered in _candidates(names).items():
        order = _day_order(numbered)
        if order:
            found.append(Series(stem=stem[1], names=order))
    return tuple(sorted(found, key=lambda series: -len(series.names)))


def alike(names: list[str], least: int) -> tuple[str, ...]:
    """All names in runs of so many numbered ones, whole day or not."""
    runs = (run.values() for run in _candidates(names).values() if len(run) >= least)
    return tuple(name for run in runs for name in run)


def longest(names: list[str]) -> tuple[str, ...]:
    """The longest run of numbered names, whole day or not, by number."""
    numbered = max(_candidates(names).values(), key=len, default={})
    return tuple(numbered[k] for k in sorted(numbered))


def _candidates(names: list[str]) -> dict[tuple[str, str], dict[int, str]]:
    """Numbers and their names by kind ("clock" or "number") and stem."""
    found: dict[tuple[str, str], dict[int, str]] = {}
    for name in names:
        clock = _CLOCK.fullmatch(name)
        if clock and (clock["sep"] != "." or clock["stem"].lower() in _STEM_OF_R):
            key = ("clock", clock["stem"].lower().rstrip(" ._-"))
            found.setdefault(key, {})[int(clock["h"]) * 60 + int(clock["m"])] = name
        elif match := _NUMBERED.fullmatch(name):
            found.setdefault(("number", match["stem"].lower()), {})[int(match["n"])] = name
    return found


def _day_order(numbered: dict[int, str]) -> tuple[str, ...]:
    """The names in time's order if they number a whole day, or ()."""
    count, numbers = len(numbered), sorted(numbered)
    if count not in PARTS:
        return ()
    width = DAY // count
    clocks = [width * k for k in range(count)]
    whole = (
        list(range(count)),
        list(range(1, count + 1)),
        clocks,  # 0, 15, 30, ... minutes
        [1 + k for k in clocks],
        [width + k for k in clocks],
        [k // 60 * 100 + k % 60 for k in clocks],  # 0000, 0015, ... 2345
    )
    return tuple(numbered[k] for k in numbers) if numbers in whole else ()
