"""The study as its R script has it, up to the network: codes, split, scaling, reshape. NumPy only.

Nothing here is mended. What is wrong with it is counted, in Findings.
"""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float, Int

from rnnviz.data.days import Days
from rnnviz.data.rrandom import RRandom
from rnnviz.errors import DataError
from rnnviz.events import Found

SEED = 0  # of the split, as the script sets it
SHARES = (0.7, 0.3)  # of train and test rows
VALIDATION_SHARE = 0.2  # of the train rows, from their end
UNITS, DENSE = 256, 4
EPOCHS, BATCH_SIZE, LEARNING_RATE = 10, 32, 1e-3
ABOUT = "the data"  # of the event that holds the Findings
WEIGHTS = "the weights"  # of the event that says how many of them moved
SAVED = "the saved network"  # of the event that tells what came back from its file


@dataclass(frozen=True, kw_only=True)
class Table:
    """The data frame as the script has it once factors are codes."""

    values: Float[np.ndarray, "N P"]  # minutes first, then the covariates
    names: tuple[str, ...]
    target: Float[np.ndarray, " N"]
    ids: tuple[str, ...]
    levels: int  # of the factor that has most


def coded(days: Days) -> Table:
    """Factors as the number of their level, 1, 2, ...: race becomes an ordered 1 to 5.

    A row without a level is NaN, as NA is in R. What comes as numbers stays as it is.
    """
    columns: dict[str, list[int]] = {}
    for place, (name, _) in enumerate(days.covariate_names):
        columns.setdefault(name.partition(": ")[0], []).append(place)
    extra = [_codes(days.covariates[:, places]) for places in columns.values()]
    covariates = np.stack(extra, axis=1) if extra else np.zeros((len(days.ids), 0))
    minutes = [f"MIN{k + 1}" for k in range(days.minutes.shape[1])]
    return Table(
        values=np.concatenate((days.minutes, covariates), axis=1, dtype=np.float32),
        names=(*minutes, *columns),
        target=days.target.astype(np.float64),
        ids=days.ids,
        levels=max((len(p) for p in columns.values() if len(p) > 1), default=0),
    )


def _codes(one_hot: Float[np.ndarray, "N L"]) -> Float[np.ndarray, " N"]:
    if one_hot.shape[1] == 1:
        return one_hot[:, 0]
    return np.where(one_hot.any(axis=1), one_hot.argmax(axis=1) + 1.0, np.nan)


def drawn(rows: int) -> Bool[np.ndarray, " {rows}"]:
    """The rows for training: set.seed(0); sample(2, rows, replace = TRUE, prob = c(.7, .3)) == 1.

    Each row is drawn for itself, whoever it belongs to.
    """
    return RRandom(SEED).sample_weighted(rows, SHARES) == 1


class Scaled(NamedTuple):
    """Train and test part, scaled by the train part."""

    train: Float[np.ndarray, "A P"]
    test: Float[np.ndarray, "B P"]
    constant: Bool[np.ndarray, " P"]  # columns that do not vary in training, which became NaN


def scaled(values: Float[np.ndarray, "N P"], train: Bool[np.ndarray, " N"]) -> Scaled:
    """(x - mean) / sd by the train rows, sd with n - 1 as in R; 0 / 0 is NaN."""
    fitted = values[train]
    mean, sd = fitted.mean(axis=0, dtype=np.float64), fitted.std(axis=0, ddof=1, dtype=np.float64)
    constant = np.ptp(fitted, axis=0) == 0
    # rounding must not hide a 0; R divides by it and goes on
    sd = np.where(constant, np.nan, sd).astype(np.float32)
    mean = mean.astype(np.float32)
    return Scaled((fitted - mean) / sd, (values[~train] - mean) / sd, constant)


def reshaped(values: Float[np.ndarray, "N P"]) -> Float[np.ndarray, "N 1 1"]:
    """R's array(x, dim = c(n, 1, 1)): the first n values, column by column.

    R does not mind that most are left over. The first n values are the first column.
    """
    n = len(values)
    return values.ravel(order="F")[:n].reshape(n, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What the network of the script gets."""

    inputs: Float[np.ndarray, "N 1 1"]  # of every row, scaled
    targets: Float[np.ndarray, " N"]
    fitted: Int[np.ndarray, " A"]  # rows; the first four fifths of the train rows
    validation: Int[np.ndarray, " B"]  # the last fifth
    test: Int[np.ndarray, " C"]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What can be known of the script before anything is trained. Units are the target's."""

    rows: int
    people: int
    columns: int  # that the script prepares
    levels: int  # of the factor that has most; 0 where there is none
    columns_read: int  # that are left after the reshape
    constant_columns: int  # that scaling makes NaN
    train_rows: int
    validation_rows: int  # of the train rows, at their end
    test_rows: int
    known_rows: int  # test rows of people who are also in training
    equal_rows: int  # known rows whose target is that of the person's first train row
    mean_mse: float  # of predicting the mean of the train rows for every test row
    copy_mse: float  # of copying it on the known rows, and that mean on the others
    copy_r: float
    minute_r: float  # of the one column that is read with the target, over the test rows

    @classmethod
    def of(cls, found: Found) -> Self:
        """The findings as the run's log has them."""
        numbers: dict[str, Any] = {
            field.name: int(value) if field.type is int else value
            for field in fields(cls)
            for value in (found.numbers[field.name],)
        }
        return cls(**numbers)

    def to_event(self) -> Found:
        """As the run's log has them."""
        numbers = {name: float(value) for name, value in asdict(self).items()}
        return Found(step=0, epoch=0, about=ABOUT, numbers=numbers, scores=())


def prepare(days: Days) -> tuple[Prepared, Findings]:
    """All steps up to the network.

    Raises:
        DataError: a part is empty, or the one column that is left is NaN.
    """
    table = coded(days)
    train = drawn(len(table.ids))
    rows, test = np.flatnonzero(train), np.flatnonzero(~train)
    held_out = len(rows) - math.floor(len(rows) * (1 - VALIDATION_SHARE))
    if len(rows) - held_out < 2 or not held_out or len(test) < 2:
        raise DataError(f"{len(table.ids)} rows are too few for the study; give at least 20")
    parts = scaled(table.values, train)
    inputs = np.empty((len(table.ids), 1, 1), dtype=np.float32)
    inputs[rows], inputs[test] = reshaped(parts.train), reshaped(parts.test)
    if not np.isfinite(inputs).all():
        raise DataError(
            f"{table.names[0]}, the one column that the script's reshape keeps, is not a number in "
            "every row after scaling (a column that does not vary among the train rows has a "
            "standard deviation of 0), and the network as written would predict NaN; run the "
            "corrected study"
        )
    prepared = Prepared(
        inputs=inputs,
        targets=table.target,
        fitted=rows[:-held_out],
        validation=rows[-held_out:],
        test=test,
    )
    return prepared, _findings(table, train, parts.constant, prepared)


class Copied(NamedTuple):
    """What copying says of the test rows."""

    values: Float[np.ndarray, " B"]
    known: Bool[np.ndarray, " B"]  # whether the person has a train row


def copied(
    ids: tuple[str, ...], target: Float[np.ndarray, " N"], train: Bool[np.ndarray, " N"]
) -> Copied:
    """For every test row the target of its person's first train row, or the train rows' mean."""
    of_person: dict[str, float] = {}
    for row in np.flatnonzero(train):
        of_person.setdefault(ids[row], float(target[row]))
    people, mean = [ids[row] for row in np.flatnonzero(~train)], float(target[train].mean())
    values = np.array([of_person.get(person, mean) for person in people])
    return Copied(values, np.array([person in of_person for person in people]))


def _findings(
    table: Table,
    train: Bool[np.ndarray, " N"],
    constant: Bool[np.ndarray, " P"],
    prepared: Prepared,
) -> Findings:
    true = table.target[~train]
    copies, known = copied(table.ids, table.target, train)
    return Findings(
        rows=len(table.ids),
        people=len(set(table.ids)),
        columns=len(table.names),
        levels=table.levels,
        columns_read=int(np.prod(prepared.inputs.shape[1:])),
        constant_columns=int(constant.sum()),
        train_rows=int(train.sum()),
        validation_rows=len(prepared.validation),
        test_rows=len(true),
        known_rows=int(known.sum()),
        equal_rows=int((copies == true)[known].sum()),
        mean_mse=float(np.mean((true - table.target[train].mean()) ** 2)),
        copy_mse=float(np.mean((copies - true) ** 2)),
        copy_r=correlation(copies, true),
        minute_r=correlation(prepared.inputs[prepared.test, 0, 0], true),
    )


def correlation(a: Float[np.ndarray, " N"], b: Float[np.ndarray, " N"]) -> float:
    """Pearson's r; NaN where a side does not vary."""
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return math.nan
    return float(np.corrcoef(a, b)[0, 1])


class Layer(NamedTuple):
    """One line of Keras' summary."""

    name: str
    kind: str
    shape: str
    parameters: int


def layers(inputs: int = 1) -> tuple[Layer, ...]:
    """The network of the script, as Keras describes it. An LSTM of Keras has one bias."""
    return (
        Layer("lstm", "LSTM", f"(None, {UNITS})", 4 * UNITS * (inputs + UNITS + 1)),
        Layer("dense", "Dense", f"(None, {DENSE})", (UNITS + 1) * DENSE),
        Layer("dense_1", "Dense", "(None, 1)", DENSE + 1),
    )


def summary() -> str:
    """The network as Keras' summary() prints it."""
    lines = [
        f"{f'{layer.name} ({layer.kind})':<20}{layer.shape:<16}{layer.parameters:>10,}"
        for layer in layers()
    ]
    total = sum(layer.parameters for layer in layers())
    head = f"{'Layer (type)':<20}{'Output Shape':<16}{'Param #':>10}"
    return "\n".join((head, "-" * len(head), *lines, "-" * len(head), f"Total params: {total:,}"))
