"""The one type that every source is turned into, its split by person, and its scaling.

NumPy only: no files, no pandas, no torch.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float, Int

from rnnviz.data.quality import Quality
from rnnviz.errors import DataError


class Task(StrEnum):
    """What is predicted."""

    REGRESSION = "regression"  # a number at the end of the sequence
    CLASSIFICATION = "classification"  # a class at the end of the sequence
    NEXT_TOKEN = "next token"  # at every step the token that follows
    TAGGING = "tagging"  # a class at every step
    TRACKING = "tracking"  # a number at every step

    @property
    def every_step(self) -> bool:
        """Whether something is said at every step, and not at the end only."""
        return self in (Task.NEXT_TOKEN, Task.TAGGING, Task.TRACKING)

    @property
    def numeric(self) -> bool:
        """Whether numbers are predicted; otherwise classes or tokens."""
        return self in (Task.REGRESSION, Task.TRACKING)

    @property
    def names_classes(self) -> bool:
        """Whether one of the data set's `classes` is predicted."""
        return self in (Task.CLASSIFICATION, Task.TAGGING)

    @property
    def reference(self) -> str:
        """The predictor that knows no inputs, by its name in the scores."""
        if self.numeric:
            return "mean"
        return "class shares" if self.names_classes else "unigram"


class MappingType(StrEnum):
    """The five types of sequence mapping, by the steps that are read and those that are said."""

    ONE_TO_ONE = "one-to-one"
    ONE_TO_MANY = "one-to-many"
    MANY_TO_ONE = "many-to-one"
    MANY_TO_MANY = "many-to-many, Tx = Ty"
    TRANSLATION = "many-to-many, Tx ≠ Ty"


class Variable(NamedTuple):
    """A column's name and its unit ("" where it has none)."""

    name: str
    unit: str = ""


MASK = Variable("share worn")  # the last feature, where the network reads when it was worn


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where the data come from, as it is shown beside every picture of them."""

    title: str
    authors: str = ""
    year: str = ""
    url: str = ""
    licence: str = ""
    simulated: bool = False


PARTS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class Known:
    """An answer that is known beforehand, because the rule is that makes the data.

    Such as the loss of whoever knows the rule, or of whoever has no memory.
    """

    name: str  # such as "entropy floor"
    metric: str  # "loss" [nats] or "mse"
    expected: Float[np.ndarray, " N"]  # of every row, the mean over its counted steps
    others: Mapping[str, float] = field(default_factory=dict)  # such as "accuracy"
    floor: bool = False  # whether nobody is below it but by chance
    realised: Float[np.ndarray, " N"] | None = None  # what it came to on the row as it was drawn


@dataclass(frozen=True, kw_only=True)
class SequenceDataset:
    """N sequences with their targets, read-only.

    For tokens the inputs are indices into `vocabulary`, shaped N x T.
    """

    name: str
    inputs: Float[np.ndarray, "N T F"] | Int[np.ndarray, "N T"]  # zero after each length
    targets: (
        Float[np.ndarray, "N K"]
        | Int[np.ndarray, " N"]
        | Int[np.ndarray, "N T"]
        | Float[np.ndarray, "N T K"]
    )
    lengths: Int[np.ndarray, " N"]
    counted: Bool[np.ndarray, "N T"] | None = None  # steps with a target; None: all are
    given: int | None = None  # the first steps, which carry an input; None: all do
    times: Float[np.ndarray, " T"]
    time_unit: str  # "min" from midnight, or "step"
    features: tuple[Variable, ...]
    outputs: tuple[Variable, ...]  # K numbers, or one variable whose classes are `classes`
    classes: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    merges: tuple[tuple[int, int], ...] = ()  # of byte pairs (data.pieces), where tokens are these
    ids: tuple[str, ...]  # a split never cuts through an id
    whose: str = "people"  # what ids name, in the plural
    parts: tuple[str, ...] = ()  # of each row one of PARTS, where time and not chance decides it
    carried: bool = False  # each row goes on where the one before it in its part has ended
    persistence: Float[np.ndarray, "N K"] | None = None  # what the last value, once more, predicts
    covariates: Float[np.ndarray, "N C"]
    covariate_names: tuple[Variable, ...] = ()
    groups: dict[str, tuple[str, ...]]  # label of each sequence, by grouping: "BMI class", ...
    wear: Float[np.ndarray, "N T"] | None = None  # share of each step in which it was worn
    standardise: bool = False  # whether the network sees standardised values
    known: tuple[Known, ...] = ()  # of data that are made by a rule
    logged: tuple[Variable, ...] = ()  # what the first features are log(1 + x) of; none: they are x
    task: Task
    source: Source
    quality: Quality | None = None  # what was counted in a file of days
    notes: tuple[str, ...] = ()  # what was noticed and done, one sentence each

    def __post_init__(self) -> None:
        n = len(self.inputs)
        for name in ("targets", "lengths", "ids", "covariates"):
            if len(getattr(self, name)) != n:
                raise DataError(f"{name} holds {len(getattr(self, name))} rows, the inputs {n}")
        if self.counted is not None and not self.judged.any(axis=1).all():
            raise DataError("a sequence has no step with a target; each needs at least one")
        if self.carried and not (self.parts and (self.lengths == self.steps).all()):
            raise DataError("rows that go on where others end need parts, and one length for all")
        arrays = (self.inputs, self.targets, self.lengths, self.times, self.covariates)
        for array in (*arrays, *(() if self.counted is None else (self.counted,))):
            array.flags.writeable = False

    @property
    def judged(self) -> Bool[np.ndarray, "N T"]:
        """The steps within each sequence's length whose prediction is compared with a target."""
        inside = np.arange(self.steps) < self.lengths[:, None]
        return inside if self.counted is None else inside & self.counted

    @cached_property
    def independent(self) -> Int[np.ndarray, " N"]:
        """Whose each row is: rows with equal numbers are no evidence of their own.

        Those of one id; of windows over a series those that share values with one another.
        """
        if self.whose == "windows":
            return np.arange(len(self.ids)) // self.steps
        return np.unique(self.ids, return_inverse=True)[1]

    @property
    def read(self) -> Int[np.ndarray, " N"]:
        """How many steps of each sequence carry an input."""
        return self.lengths if self.given is None else np.minimum(self.lengths, self.given)

    @property
    def mapping(self) -> MappingType:
        """The type of sequence mapping."""
        if self.steps == 1:
            return MappingType.ONE_TO_ONE
        if self.task.every_step:
            return MappingType.ONE_TO_MANY if self.given == 1 else MappingType.MANY_TO_MANY
        return MappingType.MANY_TO_ONE

    @property
    def writable(self) -> bool:
        """Whether a network that learns from it can write more of the kind, token by token.

        Not so where only some steps have a target, or an input, or where more is known of a row.
        """
        whole = self.counted is None and self.given is None and not self.covariates.shape[1]
        return self.task is Task.NEXT_TOKEN and whole

    @property
    def steps(self) -> int:
        """Time steps of the longest sequence."""
        return self.inputs.shape[1]

    @property
    def input_size(self) -> int:
        """Values that the network reads at each step."""
        return len(self.vocabulary) if self.vocabulary else self.inputs.shape[2]

    @property
    def output_size(self) -> int:
        """Numbers that the head gives."""
        if self.task is Task.NEXT_TOKEN:
            return len(self.vocabulary)
        return len(self.classes) or len(self.outputs)


@dataclass(frozen=True, kw_only=True)
class Split:
    """Rows of the three parts, ascending; no id stands in two of them."""

    train: Int[np.ndarray, " A"]
    validation: Int[np.ndarray, " B"]
    test: Int[np.ndarray, " C"]


_ROWS_AT_ONCE = 1024  # of a large data set
VALIDATION_SHARE = 0.16
TEST_SHARE = 0.20


def split_by_id(ids: tuple[str, ...], seed: int) -> Split:
    """People at random into 64 % train, 16 % validation, 20 % test; all rows of one go together.

    Raises:
        DataError: fewer than 5 people.
    """
    people, person_of = np.unique(np.asarray(ids), return_inverse=True)
    n = len(people)
    if n < 5:
        raise DataError(
            f"the data hold {n} {'person' if n == 1 else 'people'}; "
            "at least 5 are needed to train, validate and test on different ones"
        )
    order = np.random.default_rng(seed).permutation(n)
    tests = max(1, round(n * TEST_SHARE))
    validations = max(1, round(n * VALIDATION_SHARE))
    part = np.zeros(n, dtype=np.int8)
    part[order[:tests]] = 2
    part[order[tests : tests + validations]] = 1
    of_row = part[person_of]
    return Split(
        train=np.flatnonzero(of_row == 0),
        validation=np.flatnonzero(of_row == 1),
        test=np.flatnonzero(of_row == 2),
    )


def split_of(dataset: SequenceDataset, seed: int) -> Split:
    """The data's own parts, or else split_by_id.

    Raises:
        DataError: fewer than 5 people.
    """
    if not dataset.parts:
        return split_by_id(dataset.ids, seed)
    of_row = np.asarray(dataset.parts)
    return Split(**{name: np.flatnonzero(of_row == name) for name in PARTS})


@dataclass(frozen=True, kw_only=True)
class Scaler:
    """x -> (x - mean) / sd, per column; a column that does not vary becomes 0, never NaN."""

    mean: Float[np.ndarray, " F"]
    sd: Float[np.ndarray, " F"]  # 1 where the column does not vary

    @classmethod
    def fit(cls, values: Float[np.ndarray, "*rows F"]) -> Self:
        """Mean and standard deviation (ddof 0) of every column over all other axes, in float64."""
        axes = tuple(range(values.ndim - 1))
        mean = values.mean(axis=axes, dtype=np.float64)
        sd = values.std(axis=axes, dtype=np.float64)
        return cls(mean=mean, sd=np.where(sd > 1e-8 * np.maximum(1.0, np.abs(mean)), sd, 1.0))

    @classmethod
    def fit_rows(
        cls,
        values: Float[np.ndarray, "N T F"],
        rows: Int[np.ndarray, " M"],
        lengths: Int[np.ndarray, " N"],
    ) -> Self:
        """The same of some rows up to their lengths, without a copy of all of them at once."""
        count, total = 0, np.zeros(values.shape[2])
        for part in _portions(values, rows, lengths):
            count += len(part)
            total += part.sum(axis=0, dtype=np.float64)
        mean = total / count
        square = sum(((part - mean) ** 2).sum(axis=0) for part in _portions(values, rows, lengths))
        sd = np.sqrt(square / count)
        return cls(mean=mean, sd=np.where(sd > 1e-8 * np.maximum(1.0, np.abs(mean)), sd, 1.0))

    @classmethod
    def identity(cls, columns: int) -> Self:
        """Leaves values as they are."""
        return cls(mean=np.zeros(columns), sd=np.ones(columns))

    @property
    def changes(self) -> bool:
        """Whether it does anything at all."""
        return bool((self.mean != 0).any() or (self.sd != 1).any())

    def __call__(self, values: Float[np.ndarray, "*rows F"]) -> Float[np.ndarray, "*rows F"]:
        """Scaled values, float32."""
        return ((values - self.mean) / self.sd).astype(np.float32)

    def invert(self, values: Float[np.ndarray, "*rows F"]) -> Float[np.ndarray, "*rows F"]:
        """Back to the original unit."""
        return values * self.sd + self.mean


def _portions(
    values: Float[np.ndarray, "N T F"], rows: Int[np.ndarray, " M"], lengths: Int[np.ndarray, " N"]
) -> Iterator[Float[np.ndarray, "P F"]]:
    """The steps of some rows that lie within their lengths, a few thousand rows at a time."""
    steps = np.arange(values.shape[1])
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = rows[start : start + _ROWS_AT_ONCE]
        yield values[some][steps < lengths[some][:, None]]


def subset(dataset: SequenceDataset, rows: Int[np.ndarray, " M"]) -> SequenceDataset:
    """The dataset of the given rows."""
    return replace(
        dataset,
        inputs=dataset.inputs[rows],
        targets=dataset.targets[rows],
        lengths=dataset.lengths[rows],
        ids=tuple(dataset.ids[row] for row in rows),
        parts=tuple(dataset.parts[row] for row in rows) if dataset.parts else (),
        persistence=None if dataset.persistence is None else dataset.persistence[rows],
        counted=None if dataset.counted is None else dataset.counted[rows],
        known=tuple(_of_rows(known, rows) for known in dataset.known),
        covariates=dataset.covariates[rows],
        groups={k: tuple(labels[row] for row in rows) for k, labels in dataset.groups.items()},
        wear=None if dataset.wear is None else dataset.wear[rows],
    )


def _of_rows(known: Known, rows: Int[np.ndarray, " M"]) -> Known:
    realised = None if known.realised is None else known.realised[rows]
    return replace(known, expected=known.expected[rows], realised=realised)
