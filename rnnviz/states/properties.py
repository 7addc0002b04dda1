"""What the steps of a data set are, as classes that units can be asked for. No torch, no files."""

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Int

from rnnviz.data.dataset import SequenceDataset
from rnnviz.states.units import Property

_OPENS, _CLOSES = "([{", ")]}"
_NO_YES = ("no", "yes")
_LINE = 10  # characters of one class of places in a line
_LINES_END = 80


def properties_of(dataset: SequenceDataset, rows: Int[np.ndarray, " N"]) -> tuple[Property, ...]:
    """Every property of the steps of some rows, in the rows' order.

    Only those that at least two classes of occur.
    """
    found = _of_text(dataset, rows) if dataset.vocabulary else _of_numbers(dataset, rows)
    found += _of_groups(dataset, rows)
    return tuple(one for one in found if _varies(one.values))


def _varies(values: Int[np.ndarray, "N T"]) -> bool:
    counted = values[values >= 0]
    return len(counted) > 0 and bool((counted != counted[0]).any())


# -- text ------------------------------------------------------------------------------------------


def inside_quotes(tokens: list[str]) -> Int[np.ndarray, " n"]:
    """1 after an opening quote, up to and without the closing one; a paragraph ends all quotes."""
    inside, found, before = 0, np.zeros(len(tokens), np.int64), ""
    for k, token in enumerate(tokens):
        if token == '"':
            inside = 1 - inside
        elif token in "\u201c\u201d":
            inside = int(token == "\u201c")
        elif token == before == "\n":
            inside = 0
        found[k], before = inside, token
    return found


def inside_brackets(tokens: list[str]) -> Int[np.ndarray, " n"]:
    """1 after an opening bracket of any kind, until as many were closed."""
    depth, found = 0, np.zeros(len(tokens), np.int64)
    for k, token in enumerate(tokens):
        depth += (token in _OPENS) - (token in _CLOSES)
        depth = max(depth, 0)
        found[k] = depth > 0
    return found


def place_in_line(tokens: list[str]) -> Int[np.ndarray, " n"]:
    """Tens of characters since the line's beginning; from 80 on all the same."""
    place, found = 0, np.zeros(len(tokens), np.int64)
    for k, token in enumerate(tokens):
        found[k] = min(place, _LINES_END) // _LINE
        place = 0 if token == "\n" else place + len(token)
    return found


def _each(test: Callable[[str], bool]) -> Callable[[list[str]], Int[np.ndarray, " n"]]:
    return lambda tokens: np.array([test(token) for token in tokens], np.int64)


_PLACES = (*(f"{k}–{k + _LINE - 1}" for k in range(0, _LINES_END, _LINE)), f"{_LINES_END} on")
_TEXT: Mapping[str, tuple[tuple[str, ...], Callable[[list[str]], Int[np.ndarray, " n"]]]] = {
    "inside quotes": (_NO_YES, inside_quotes),
    "inside brackets": (_NO_YES, inside_brackets),
    "place in the line": (_PLACES, place_in_line),
    "digit": (_NO_YES, _each(lambda token: token.isdigit())),
    "capital": (_NO_YES, _each(lambda token: token[:1].isupper())),
    "blank or line end": (_NO_YES, _each(str.isspace)),
    "punctuation": (_NO_YES, _each(lambda token: not token.isspace() and not token[:1].isalnum())),
}


def follows_on(dataset: SequenceDataset) -> bool:
    """Whether each sequence goes on where the one before ended, as windows of one text do."""
    targets = dataset.targets
    if not dataset.vocabulary or targets.ndim != 2 or len(targets) < 2:
        return False
    whole = bool((dataset.lengths == dataset.steps).all())
    return whole and bool((targets[:-1, -1] == dataset.inputs[1:, 0]).all())


def _of_text(dataset: SequenceDataset, rows: Int[np.ndarray, " N"]) -> list[Property]:
    words = np.array(dataset.vocabulary, dtype=object)
    one_text = follows_on(dataset)
    note = "counted from the beginning of the text" if one_text else ""
    read = [dataset.inputs] if one_text else [dataset.inputs[row][None] for row in rows]
    found = []
    for name, (classes, rule) in _TEXT.items():
        parts = [rule(list(words[some.ravel()])).reshape(some.shape) for some in read]
        values = parts[0][rows] if one_text else np.concatenate(parts)
        found.append(Property(name=name, classes=classes, values=values, note=note))
    return found


# -- numbers ---------------------------------------------------------------------------------------


def _of_numbers(dataset: SequenceDataset, rows: Int[np.ndarray, " N"]) -> list[Property]:
    shape = (len(rows), dataset.steps)
    found = []
    if dataset.time_unit == "min":
        hours = (dataset.times // 60 % 24).astype(np.int64)
        found.append(
            Property(
                name="hour of the day",
                classes=tuple(f"{hour:02d}:00" for hour in range(24)),
                values=np.broadcast_to(hours, shape),
            )
        )
    values = dataset.inputs[rows, :, 0]
    inside = np.arange(dataset.steps) < dataset.lengths[rows][:, None]
    edges = np.quantile(values[inside], (1 / 3, 2 / 3)) if inside.any() else np.zeros(2)
    thirds = np.where(inside, np.searchsorted(edges, values, side="right"), -1)
    found.append(
        Property(
            name=f"{dataset.features[0].name} at this step",
            classes=("lowest third", "middle third", "highest third"),
            values=thirds.astype(np.int64),
        )
    )
    return found


def _of_groups(dataset: SequenceDataset, rows: Int[np.ndarray, " N"]) -> list[Property]:
    """Each grouping of the sequences: the same at all steps of one."""
    found = []
    for name, labels in dataset.groups.items():
        classes = tuple(sorted({labels[row] for row in rows}))
        place = {label: k for k, label in enumerate(classes)}
        of_row = np.array([place[labels[row]] for row in rows], np.int64)
        shape = (len(rows), dataset.steps)
        found.append(
            Property(name=name, classes=classes, values=np.broadcast_to(of_row[:, None], shape))
        )
    return found
