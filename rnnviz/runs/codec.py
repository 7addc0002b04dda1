"""Events as lines of JSON, and back without a loss. No files.

JSON knows no NaN and no infinity: they are written as texts and come back as numbers, because a
loss that became NaN is just what the reader of a failed run wants to see.
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from functools import cache
from numbers import Integral, Real
from types import NoneType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

from rnnviz import events
from rnnviz.events import Event

KINDS: Mapping[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        events.Started,
        events.BatchEnded,
        events.EpochEnded,
        events.Sampled,
        events.Traced,
        events.Found,
        events.Snapshot,
        events.RateChanged,
        events.ForcingChanged,
        events.Checkpointed,
        events.Paused,
        events.Resumed,
        events.Finished,
        events.Failed,
    )
}
PLAIN = frozenset({float, int, str})
BESIDE: Mapping[str, Any] = {
    "trace": None,
    "survey": None,
    "state": b"",
    "arrays": events.NO_ARRAYS,
}  # not in the line


class NumberedEvent(NamedTuple):
    """An event and its place in the run's log; the first is 1."""

    n: int
    event: Event


def encode(event: Event, n: int) -> bytes:
    """One line, its end included. The type comes first, so that a reader can pass lines over."""
    fields = {
        f.name: _plain(getattr(event, f.name))
        for f in dataclasses.fields(event)
        if f.name not in BESIDE
    }
    record = {"type": type(event).__name__, "n": n, **fields}
    return json.dumps(record, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> NumberedEvent | None:
    """The event of a line; None where this version knows no such event."""
    try:
        record = json.loads(line)
        kind: Any = KINDS[record["type"]]
        values = {
            name: BESIDE[name] if name in BESIDE else _typed(hint, record[name])
            for name, hint in _hints(kind).items()
        }
        return NumberedEvent(int(record["n"]), kind(**values))
    except (KeyError, TypeError, ValueError):
        return None  # a newer version's event, or a damaged line: the fold does without


def _plain(value: Any) -> Any:
    if type(value) in (int, str) or (type(value) is float and math.isfinite(value)):
        return value  # what most values are, without a further question
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, bool | str | NoneType):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return number if math.isfinite(number) else repr(number)
    raise TypeError(f"an event cannot hold a {type(value).__name__}")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _typed(hint: Any, value: Any) -> Any:
    if hint in PLAIN:
        return hint(value)
    origin = get_origin(hint)
    if origin is tuple:
        return tuple(_typed(get_args(hint)[0], item) for item in value)
    if origin is not None and issubclass(origin, Mapping):
        return {key: _typed(get_args(hint)[1], item) for key, item in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        # what an earlier version did not write yet has a default
        known = {name: h for name, h in _hints(hint).items() if name in value}
        return hint(**{name: _typed(h, value[name]) for name, h in known.items()})
    raise TypeError(f"an event's field cannot be a {hint}")
