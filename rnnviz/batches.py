"""A data set made ready for a network: split, scaled by its training part, as tensors."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from rnnviz.data.dataset import Scaler, SequenceDataset, Split, split_of
from rnnviz.model import Batch


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Targets as tensors, inputs by the batch; every scaler has seen the training part only."""

    dataset: SequenceDataset
    split: Split
    covariates: Float[Tensor, "N C"]
    targets: Float[Tensor, "N K"] | Int[Tensor, " N"] | Int[Tensor, "N T"] | Float[Tensor, "N T K"]
    counted: Bool[Tensor, "N T"] | None  # None: all steps have a target
    lengths: Int[Tensor, " N"] | None  # None: all are T long
    target_scaler: Scaler
    input_scaler: Scaler  # the identity where the data are not standardised
    covariate_scaler: Scaler

    def batch(self, rows: Int[np.ndarray, " B"]) -> Batch:
        """The sequences of some rows of the dataset."""
        index = torch.from_numpy(rows)
        return Batch(
            _time_first(self.inputs(rows)),
            None if self.lengths is None else self.lengths[index],
            self.covariates[index],
            self.targets[index],
            None if self.counted is None else self.counted[index],
        )

    def inputs(self, rows: Int[np.ndarray, " B"]) -> np.ndarray:
        """What the network reads of some rows, batch first.

        Scaled here and not beforehand: the data set may be larger than what memory has room for.
        """
        values = self.dataset.inputs[rows]
        if not self.input_scaler.changes:
            return values
        inside = np.arange(self.dataset.steps) < self.dataset.read[rows][:, None]
        return self.input_scaler(values) * inside[:, :, None].astype(np.float32)

    @property
    def scaled(self) -> Scaler | None:
        """What the inputs go through; None where they stay as they are."""
        return self.input_scaler if self.input_scaler.changes else None

    @cached_property
    def constant(self) -> Float[np.ndarray, " K"]:
        """What is said best without inputs, by the targets of the training part.

        Their means in their unit; or the share of each class or token, smoothed by adding one.
        """
        dataset, train = self.dataset, self.split.train
        targets = dataset.targets[train]
        if dataset.task.every_step:
            targets = targets[dataset.judged[train]]
        if dataset.task.numeric:
            return targets.mean(axis=0, dtype=np.float64)
        counts = np.bincount(targets, minlength=dataset.output_size) + 1.0
        return counts / counts.sum()

    def part(self, name: str) -> Int[np.ndarray, " M"]:
        """Rows of "train", "validation" or "test"."""
        return getattr(self.split, name)


class Scalers(NamedTuple):
    """Scalers of a model that is trained already; None is fitted to the training part."""

    input: Scaler | None = None
    covariate: Scaler | None = None
    target: Scaler | None = None


def prepare(dataset: SequenceDataset, seed: int, scalers: Scalers | None = None) -> Prepared:
    """Split and scale.

    Args:
        scalers: those of a model that is trained already.

    Raises:
        DataError: fewer than 5 people.
    """
    split = split_of(dataset, seed)
    train = split.train
    given = scalers or Scalers()
    numeric = dataset.task.numeric
    target_scaler = given.target or _target_scaler(dataset, train)
    targets = target_scaler(dataset.targets) if numeric else dataset.targets.astype(np.int64)
    covariates = dataset.covariates
    covariate_scaler = Scaler.identity(covariates.shape[1])
    if covariates.shape[1]:
        covariate_scaler = given.covariate or Scaler.fit(covariates[train])
        covariates = covariate_scaler(covariates)
    input_scaler = given.input or _input_scaler(dataset, train)
    whole = bool((dataset.lengths == dataset.steps).all())
    return Prepared(
        dataset=dataset,
        split=split,
        covariates=_tensor(covariates),
        targets=_tensor(targets),
        counted=None if dataset.counted is None else _tensor(dataset.counted),
        lengths=None if whole else _tensor(dataset.lengths.astype(np.int64)),
        target_scaler=target_scaler,
        input_scaler=input_scaler,
        covariate_scaler=covariate_scaler,
    )


def _target_scaler(dataset: SequenceDataset, train: Int[np.ndarray, " M"]) -> Scaler:
    if not dataset.task.numeric:
        return Scaler.identity(1)
    targets = dataset.targets[train]
    return Scaler.fit(targets[dataset.judged[train]] if dataset.task.every_step else targets)


def _input_scaler(dataset: SequenceDataset, train: Int[np.ndarray, " M"]) -> Scaler:
    if dataset.vocabulary or not dataset.standardise:
        return Scaler.identity(dataset.input_size)
    return Scaler.fit_rows(dataset.inputs, train, dataset.read)


def _time_first(inputs: np.ndarray) -> Tensor:
    kind = np.int64 if np.issubdtype(inputs.dtype, np.integer) else np.float32
    return torch.from_numpy(np.ascontiguousarray(inputs.swapaxes(0, 1).astype(kind)))


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(values))  # a copy: the dataset's arrays are read-only
