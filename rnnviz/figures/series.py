"""A dataset's rows as curves over time, whatever its blocks. NumPy only."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rnnviz.data.dataset import MASK, SequenceDataset, Variable
from rnnviz.errors import DataError
from rnnviz.figures.clock import Clock
from rnnviz.figures.theme import plain


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Every row as one curve on a clock that may be finer than the dataset's steps."""

    values: Float[np.ndarray, "N V"]
    clock: Clock  # of V steps
    label: str  # for an axis: name and unit


def _folded(dataset: SequenceDataset) -> bool:
    """Whether a step's features are its own equal parts in time, such as an hour's 60 minutes."""
    features = len(_measured(dataset))
    return (
        features > 1
        and dataset.time_unit == "min"
        and dataset.steps * features == 1440
        and len({variable.unit for variable in _measured(dataset)}) == 1
    )


def _measured(dataset: SequenceDataset) -> tuple[Variable, ...]:
    """The features without the mask, which is no part of the curve."""
    return tuple(variable for variable in dataset.features if variable != MASK)


def checked_row(dataset: SequenceDataset, row: int) -> int:
    """The row's number.

    Raises:
        DataError: there is no such row.
    """
    if not 0 <= row < len(dataset.ids):
        raise DataError(f"there is no row {row + 1}; choose one from 1 to {len(dataset.ids)}")
    return row


def curves(dataset: SequenceDataset, rows: "np.ndarray | slice" = slice(None)) -> Curves:
    """The chosen rows' values over time; of several features that are no parts of a step, the mean.

    Raises:
        DataError: the sequences are tokens, which have no curve.
    """
    if dataset.vocabulary:
        raise DataError("a text has no curve over time; look at its token frequencies")
    inputs = dataset.inputs[rows][:, :, : len(_measured(dataset))]
    first = dataset.features[0]
    unit = f" [{plain(first.unit)}]" if first.unit else ""
    if _folded(dataset):
        width = 1440 / (dataset.steps * inputs.shape[2])
        times = np.arange(dataset.steps * inputs.shape[2], dtype=np.float64) * width
        label = first.name.replace("minute 1", "activity by the minute")
        clock = Clock(times=times + dataset.times[0], unit="min")
        return Curves(
            values=inputs.reshape(len(inputs), -1), clock=clock, label=plain(label) + unit
        )
    many = inputs.shape[2] > 1
    label = f"mean of {inputs.shape[2]} inputs" if many else plain(first.name)
    return Curves(values=inputs.mean(axis=2), clock=Clock.of(dataset), label=label + unit)


def groups_of(dataset: SequenceDataset, by: str) -> tuple[str, ...]:
    """The label of each row.

    Raises:
        DataError: the dataset has no such grouping.
    """
    if by not in dataset.groups:
        known = ", ".join(dataset.groups) or "none"
        raise DataError(f"there is no grouping {by!r}; choose one of: {known}")
    return dataset.groups[by]
