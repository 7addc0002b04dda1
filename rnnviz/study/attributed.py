"""What each hour of a day did to a prediction, as the run's log has it. No torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float

from rnnviz.events import Found, RunView

HOURS = 24
PERSON, GROUP = "person ", "mean over "  # how the events begin
_COVARIATE = "covariate "
_BY_HOUR = ("hours", "occluded", "attention")  # fields with a number for each hour


@dataclass(frozen=True, kw_only=True)
class Attributed:
    """One person's day, or the mean over a group; everything in the target's unit.

    The mean day of the training part, with the mean of the covariates, is the point that is
    compared with: hours and covariates together lead from its prediction to this one.
    """

    about: str  # of the event
    people: int  # 1, or how many the mean is over
    true: float
    predicted: float
    reference: float  # what is predicted for the mean day
    error: float  # of completeness: |sum of all shares - (predicted - reference)|, the largest
    hours: Float[np.ndarray, " 24"]  # integrated gradients, summed over the hour's steps
    occluded: Float[np.ndarray, " 24"]  # predicted, less what is with the mean day's hour
    attention: Float[np.ndarray, " 24"]  # share of the attention, summed over the hour's steps
    covariates: dict[str, float]  # integrated gradients

    @classmethod
    def of(cls, found: Found) -> Self:
        """As the run's log has it."""
        numbers = found.numbers
        return cls(
            about=found.about,
            people=int(numbers["people"]),
            true=numbers["true"],
            predicted=numbers["predicted"],
            reference=numbers["reference"],
            error=numbers["error"],
            **{
                name: np.array([numbers[f"{name} {hour}"] for hour in range(HOURS)])
                for name in _BY_HOUR
            },
            covariates={
                name.removeprefix(_COVARIATE): value
                for name, value in numbers.items()
                if name.startswith(_COVARIATE)
            },
        )

    def to_event(self, step: int, epoch: int) -> Found:
        """For the run's log."""
        numbers = {
            "people": float(self.people),
            "true": self.true,
            "predicted": self.predicted,
            "reference": self.reference,
            "error": self.error,
            **{
                f"{name} {hour}": float(value)
                for name in _BY_HOUR
                for hour, value in enumerate(getattr(self, name))
            },
            **{f"{_COVARIATE}{name}": value for name, value in self.covariates.items()},
        }
        return Found(step=step, epoch=epoch, about=self.about, numbers=numbers, scores=())


def attributed(view: RunView) -> dict[str, Attributed]:
    """All that a run has looked at, groups first."""
    found = [Attributed.of(f) for f in view.found if f.about.startswith((PERSON, GROUP))]
    found.sort(key=lambda one: one.about.startswith(PERSON))
    return {one.about: one for one in found}


def mean_of(about: str, people: Sequence[Attributed]) -> Attributed:
    """The mean over a group; of the errors, the largest."""
    return Attributed(
        about=about,
        people=len(people),
        true=_mean([one.true for one in people]),
        predicted=_mean([one.predicted for one in people]),
        reference=_mean([one.reference for one in people]),
        error=max(one.error for one in people),
        **{name: np.mean([getattr(one, name) for one in people], axis=0) for name in _BY_HOUR},
        covariates={
            name: _mean([one.covariates[name] for one in people]) for name in people[0].covariates
        },
    )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def agreement(people: Sequence[Attributed]) -> float:
    """Pearson's r of the hours by integrated gradients and by occlusion, over all of them."""
    a = np.concatenate([one.hours for one in people]) if people else np.zeros(0)
    b = np.concatenate([one.occluded for one in people]) if people else np.zeros(0)
    return float(np.corrcoef(a, b)[0, 1]) if len(a) and np.ptp(a) and np.ptp(b) else math.nan


def checked(people: Sequence[Attributed], unit: str) -> str:
    """How far the shares fail to add up, and whether occlusion says the same, in one sentence."""
    error, r = max(one.error for one in people), agreement(people)
    told = (
        f"Integrated gradients of {len(people)} test people, from the mean day of the training "
        f"part: completeness error at most {error:.1e} {unit}".rstrip()
        + f"; the hours correlate with occlusion by r = {r:.3f}."
    )
    return told.replace("e-", "e−").replace("= -", "= −").replace("nan", "–")


def account(one: Attributed, unit: str) -> str:
    """How the shares add up, in one sentence."""
    hours, person = float(one.hours.sum()), sum(one.covariates.values())
    whose = f"Mean of {one.people} people: from" if one.people > 1 else "From"
    told = (
        f"{whose} the mean day's {one.reference:.2f} to {one.predicted:.2f} {unit}".rstrip()
        + f" (true: {one.true:.2f}): activity {hours:+.2f}, covariates {person:+.2f}; "
        f"completeness error {one.error:.1e}."
    )
    return told.replace("-", "−")
