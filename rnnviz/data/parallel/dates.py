"""Dates as people write them, and as ISO 8601 has them: 3 May 1979 -> 1979-05-03."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from rnnviz.config import RunConfig
from rnnviz.data.parallel.task import Texts, by_rule
from rnnviz.errors import DataError

TITLE = "Dates"
FIRST, LAST = date(1950, 1, 1), date(2049, 12, 31)  # a hundred years: two digits name one
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NOTES = (
    "Each date is written in one of nine ways; what is wanted is year-month-day. No day occurs "
    "twice, so a day of the test part was never seen in any way of writing.",
    "A year of two digits is one of 1950 to 2049. Between slashes day or month may come first: "
    "only dates are written so that can be read in one way alone.",
)


def _ordinal(day: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{'th' if 11 <= day <= 13 else ending}"


def _day_first(day: date) -> str:
    return f"{day.day:02}/{day.month:02}/{day.year % 100:02}"


def _month_first(day: date) -> str:
    return f"{day.month:02}/{day.day:02}/{day.year % 100:02}"


def _plain(day: date) -> bool:  # noqa: ARG001  of every way
    return True


def _certain(day: date) -> bool:
    """Whether day and month cannot be taken for each other."""
    return day.day > 12 or day.day == day.month


# how a date is written, and whether it may be
WAYS: Mapping[Callable[[date], str], Callable[[date], bool]] = {
    lambda d: f"{d.day} {MONTHS[d.month - 1]} {d.year}": _plain,
    lambda d: f"{MONTHS[d.month - 1]} {d.day}, {d.year}": _plain,
    lambda d: f"{WEEKDAYS[d.weekday()]}, {d.day} {MONTHS[d.month - 1]} {d.year}": _plain,
    lambda d: f"{_ordinal(d.day)} of {MONTHS[d.month - 1]} {d.year}": _plain,
    lambda d: f"{MONTHS[d.month - 1][:3]} {d.day}, {d.year}": _plain,
    lambda d: f"{d.day}-{MONTHS[d.month - 1][:3]}-{d.year % 100:02}": _plain,
    lambda d: f"{d.day}.{d.month}.{d.year}": _plain,
    _day_first: _certain,
    _month_first: _certain,
}
EXAMPLES = ("3 May 1979", "May 3, 1979", "Thursday, 3 May 1979", "3rd of May 1979", "May 3, 1979")


def make(config: RunConfig, home: Path) -> Texts:  # noqa: ARG001  a rule needs no files
    """Pairs of different days, each in a way of writing that is drawn for it."""
    days, ways = (LAST - FIRST).days + 1, list(WAYS)
    seen: set[int] = set()

    def draw(rng: np.random.Generator) -> tuple[str, str]:
        while (offset := int(rng.integers(days))) in seen:
            pass
        day = FIRST + timedelta(days=offset)
        allowed = [way for way in ways if WAYS[way](day)]
        seen.add(offset)
        return allowed[int(rng.integers(len(allowed)))](day), day.isoformat()

    return by_rule(config, title=TITLE, tokens="characters", draw=draw, notes=NOTES)


_MONTH = rf"(?P<month>{'|'.join((*MONTHS, *(name[:3] for name in MONTHS)))})"
_YEAR = r"(?P<year>\d{4}|\d\d)"
_READ = (
    re.compile(
        rf"(?:(?P<weekday>{'|'.join(WEEKDAYS)}),? )?(?P<day>\d\d?)(?:st|nd|rd|th)?"
        rf"(?: of )?[ -]?{_MONTH}[ -]{_YEAR}"
    ),
    re.compile(rf"{_MONTH} (?P<day>\d\d?), ?{_YEAR}"),
    re.compile(rf"(?P<day>\d\d?)\.(?P<month>\d\d?)\.{_YEAR}"),
    re.compile(rf"(?P<one>\d\d?)/(?P<other>\d\d?)/{_YEAR}"),
)


def answer(text: str) -> str:
    """The date as year-month-day.

    Raises:
        DataError: it is written in another way, can be read in two, or there is no such day.
    """
    written = text.strip()
    found = next((m for pattern in _READ if (m := pattern.fullmatch(written))), None)
    if found is None:
        raise DataError(
            f"{written!r} is no date that is written in a way the network reads; write it like "
            "3 May 1979, May 3, 1979, 3.5.1979 or 25/12/79"
        )
    parts = found.groupdict("")
    year = _year(int(parts["year"]), len(parts["year"]))
    day = _day(written, year, *_month_and_day(written, parts))
    if not FIRST <= day <= LAST:
        raise DataError(f"{written!r} is not in the years {FIRST.year} to {LAST.year}; change it")
    weekday = WEEKDAYS[day.weekday()]
    if parts.get("weekday", "") not in ("", weekday):
        raise DataError(f"{day.isoformat()} is a {weekday}; change the weekday or leave it out")
    return day.isoformat()


def _year(year: int, digits: int) -> int:
    if digits == 4:
        return year
    return year + (1900 if year >= FIRST.year % 100 else 2000)


def _month_and_day(written: str, parts: Mapping[str, str]) -> tuple[int, int]:
    if "one" not in parts:
        month = parts["month"]
        number = int(month) if month.isdigit() else _month_number(month)
        return number, int(parts["day"])
    one, other = int(parts["one"]), int(parts["other"])
    if one <= 12 and other <= 12 and one != other:
        raise DataError(
            f"{written!r} can be read in two ways, as day and month or as month and day; write "
            "the month in letters, or use dots for day.month.year"
        )
    return (one, other) if other > 12 else (other, one)


def _month_number(name: str) -> int:
    return 1 + next(place for place, month in enumerate(MONTHS) if month.startswith(name))


def _day(written: str, year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise DataError(f"{written!r} is no day of the calendar; change day or month") from None
