"""What scores over several splits by person support: intervals, and one sentence. No torch.

The splits share most of their people, so their scores are no independent draws: an interval is
Student's, with the variance of Nadeau and Bengio (2003), 1/splits + test rows / train rows.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from rnnviz.events import Found, RunView

SPLIT = "split "  # how the events begin that hold a split's scores
TEST = "test"
FEWEST = 5  # people of a group in the test part, for it to be scored
MEAN = "mean"
RIDGE_MINUTES = "ridge on 1440 minutes"
RIDGE_HOURS, BOOSTING_HOURS = "ridge on hourly means", "boosting on hourly means"
RIDGE_PERSON, BOOSTING_PERSON = "ridge on covariates", "boosting on covariates"
RIDGE_BOTH = "ridge on covariates and hourly means"
BOOSTING_BOTH = "boosting on covariates and hourly means"
LSTM = "LSTM on the day, covariates joined"

# two-sided 95 % of Student's t, for 1, 2, ... degrees of freedom; beyond, the normal's
_T = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160),
    *(2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056),
    *(2.052, 2.048, 2.045, 2.042),
)
_NORMAL = 1.960


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean over splits with the half width of its 95 % interval; infinite for one split."""

    mean: float
    half: float

    @property
    def low(self) -> float:
        """The lower end."""
        return self.mean - self.half

    @property
    def high(self) -> float:
        """The upper end."""
        return self.mean + self.half


def interval(values: Sequence[float], ratio: float) -> Interval:
    """The mean of one value per split, with its interval.

    Args:
        values: NaN where any is.
        ratio: test rows for each train row.
    """
    n = len(values)
    if n < 2:
        return Interval(mean=values[0] if n else math.nan, half=math.inf)
    t = _T[n - 2] if n - 2 < len(_T) else _NORMAL
    spread = math.nan if any(math.isnan(value) for value in values) else variance(values)
    return Interval(mean=fmean(values), half=t * math.sqrt(spread * (1 / n + ratio)))


def splits_of(view: RunView) -> tuple[Found, ...]:
    """The splits that a run has scored so far."""
    return tuple(found for found in view.found if found.about.startswith(SPLIT))


def predictors(splits: Sequence[Found]) -> tuple[str, ...]:
    """Who was scored, in the table's order."""
    return tuple(dict.fromkeys(score.predictor for score in splits[0].scores)) if splits else ()


def parts(splits: Sequence[Found]) -> tuple[str, ...]:
    """The test part and its groups, as far as any split has them, in order."""
    known = dict.fromkeys(score.part for split in splits for score in split.scores)
    return (TEST, *sorted((part for part in known if part != TEST), key=place)) if known else ()


def place(part: str) -> tuple[str, int, str]:
    """By grouping, then by the number that a label begins with: 6-11 before 12-19."""
    group, _, label = part.partition(": ")
    number = re.match(r"\d+", label)
    return group, int(number[0]) if number else 1000, label


def values(
    splits: Sequence[Found], predictor: str, metric: str, part: str = TEST
) -> tuple[float, ...]:
    """One value per split that has it."""
    return tuple(
        score.metrics[metric]
        for split in splits
        for score in split.scores
        if (score.predictor, score.part) == (predictor, part)
    )


def ratio_of(splits: Sequence[Found]) -> float:
    """Test rows for each train row."""
    return fmean(split.numbers["test rows"] / split.numbers["train rows"] for split in splits)


def estimate(splits: Sequence[Found], predictor: str, metric: str, part: str = TEST) -> Interval:
    """A predictor's metric over the splits."""
    return interval(values(splits, predictor, metric, part), ratio_of(splits))


def difference(splits: Sequence[Found], ours: str, theirs: str) -> Interval:
    """The MSE of ours less that of theirs, split by split: below 0, ours is better."""
    pairs = zip(values(splits, ours, "mse"), values(splits, theirs, "mse"), strict=True)
    return interval([a - b for a, b in pairs], ratio_of(splits))


def best(splits: Sequence[Found], among: Sequence[str]) -> str | None:
    """The one with the lowest mean MSE of those that were scored."""
    known = [name for name in among if name in predictors(splits)]
    return min(known, key=lambda name: fmean(values(splits, name, "mse")), default=None)


def sentence(splits: Sequence[Found], unit: str) -> str:
    """What the scores support, and no more.

    The LSTM's rival without activity is the better one on the test part: the choice favours the
    rival, never the LSTM.
    """
    if not splits:
        return ""
    if len(splits) == 1:
        return "One split cannot tell a difference from chance; run at least two."
    claims = [f"the LSTM {_compared(splits, LSTM, MEAN, unit)}"]
    without = best(splits, (RIDGE_PERSON, BOOSTING_PERSON))
    if without is not None:
        claims.append(f"it {_compared(splits, LSTM, without, unit)}")
        both = RIDGE_BOTH if without == RIDGE_PERSON else BOOSTING_BOTH
        claims.append(f"adding activity to the latter {_added(splits, both, without)}")
    told = "; ".join(claims)
    return f"Over {len(splits)} splits by person, {told}."


def _compared(splits: Sequence[Found], ours: str, theirs: str, unit: str) -> str:
    found = difference(splits, ours, theirs)
    pair = [fmean(values(splits, name, "mse")) for name in (ours, theirs)]
    told = f"test MSE {pair[0]:.2f} against {pair[1]:.2f} {unit}".rstrip()
    name = "the mean predictor" if theirs == MEAN else f"{theirs} without any activity"
    verdict = _chosen(found, f"beats {name}", f"does worse than {name}", f"does not beat {name}")
    return f"{verdict} ({told}, {_shown(found)})"


def _added(splits: Sequence[Found], ours: str, theirs: str) -> str:
    found = difference(splits, ours, theirs)
    verdict = _chosen(found, "lowers the error", "raises the error", "does not lower the error")
    return f"{verdict} ({_shown(found)})"


def _chosen(found: Interval, better: str, worse: str, neither: str) -> str:
    if found.high < 0:
        return better
    return worse if found.low > 0 else f"{neither} beyond chance"


def _shown(found: Interval) -> str:
    told = f"difference {found.mean:.2f}, 95 % interval {found.low:.2f} to {found.high:.2f}"
    return told.replace("-", "−")
