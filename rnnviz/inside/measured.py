"""Between what was measured and what a network reads of it. NumPy only."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float

from rnnviz.data.dataset import MASK, SequenceDataset
from rnnviz.trace import Trace


@dataclass(frozen=True, kw_only=True)
class Measured:
    """How inputs follow from measured values x: (log(1 + x) - mean) / sd, or (x - mean) / sd."""

    mean: Float[np.ndarray, " F"]
    sd: Float[np.ndarray, " F"]
    logged: int = 0  # the first so many features are logarithms
    worn: int | None = None  # the feature that says when the device was worn
    lowest: float = -np.inf  # no measured value lies below
    nothing: Float[np.ndarray, " F"]  # what is measured where nothing is: in masked steps
    tokens: bool = False  # inputs are one-hot

    @classmethod
    def of(cls, trace: Trace, dataset: SequenceDataset) -> Self:
        """Of the sequences of a trace.

        A masked step of a day holds no counts and is not worn; of other numbers it holds the mean
        of the training part (0 where they are not standardised); of a text it holds no token.
        """
        features = trace.inputs.shape[2]
        scaling, days = trace.scaling, dataset.time_unit == "min"
        mean = np.zeros(features) if scaling is None else scaling.mean.astype(np.float64)
        has_mask = bool(dataset.features) and dataset.features[-1] == MASK
        return cls(
            mean=mean,
            sd=np.ones(features) if scaling is None else scaling.sd.astype(np.float64),
            logged=len(dataset.logged),
            worn=features - 1 if has_mask else None,
            lowest=0.0 if days else -np.inf,
            nothing=np.zeros(features) if days else mean,
            tokens=bool(dataset.vocabulary),
        )

    @classmethod
    def as_read(cls, features: int) -> Self:
        """Where inputs are what was measured."""
        return cls(mean=np.zeros(features), sd=np.ones(features), nothing=np.zeros(features))

    @property
    def features(self) -> int:
        """Features that were measured: all but the one that says when the device was worn."""
        return len(self.mean) - (self.worn is not None)

    def values(self, inputs: Float[np.ndarray, "*steps F"]) -> Float[np.ndarray, "*steps F"]:
        """What was measured, from what the network reads."""
        found = inputs * self.sd + self.mean
        found[..., : self.logged] = np.expm1(found[..., : self.logged])
        return found

    def inputs(self, values: Float[np.ndarray, "*steps F"]) -> Float[np.ndarray, "*steps F"]:
        """What the network reads, from what was measured."""
        read = values.astype(np.float64)
        read[..., : self.features] = np.maximum(read[..., : self.features], self.lowest)
        read[..., : self.logged] = np.log1p(read[..., : self.logged])
        return (read - self.mean) / self.sd
