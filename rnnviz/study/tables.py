"""What the studies found as tables of words, for a terminal and a page alike. No torch."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from rnnviz.events import Found, RunView, Score
from rnnviz.study.verdict import (
    BOOSTING_BOTH,
    BOOSTING_PERSON,
    LSTM,
    MEAN,
    TEST,
    Interval,
    estimate,
    parts,
    predictors,
    values,
)
from rnnviz.study.written import Findings

METRICS: Mapping[str, str] = {"mse": "MSE", "mae": "MAE", "r2": "R²", "r": "r"}
_DIGITS: Mapping[str, int] = {"mse": 2, "mae": 2, "r2": 3, "r": 3}
IN_GROUPS = (MEAN, BOOSTING_PERSON, BOOSTING_BOTH, LSTM)  # whose scores are shown group by group


FAR = 1.5  # times the mean predictor's error: a network that has not got that far yet
NEAR = 2.0  # per cent of its error: no difference that anybody would notice


class Table(NamedTuple):
    """Words in rows under a head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def shown(value: float, digits: int) -> str:
    """A number with so many decimals and a true minus sign, none before 0; '–' for no number."""
    return "–" if math.isnan(value) else f"{value:z,.{digits}f}".replace("-", "−")


def shown_tiny(value: float) -> str:
    """A rounding error, such as '2.4e−07'; '0' for none at all."""
    return f"{value:.1e}".replace("-", "−") if value else "0"


def unit_of_target(view: RunView) -> str:
    """As far as a run tells it."""
    unit = view.started.unit if view.started else ""
    return unit.removeprefix("(").removesuffix(")²")


def shown_interval(found: Interval, digits: int) -> str:
    """Such as '45.31 ± 2.10'; without the half where a single split gives none."""
    mean = shown(found.mean, digits)
    return f"{mean} ± {shown(found.half, digits)}" if math.isfinite(found.half) else mean


def written_scores(view: RunView) -> Table:
    """The network as written and what it should be compared with, on the test rows."""
    started = view.started
    scores = [*view.scorecard, *(started.baselines if started else ())]
    rows = [_score_row(score) for score in scores if score.part == TEST]
    return Table(("on the test rows", *METRICS.values()), tuple(rows))


def _score_row(score: Score) -> tuple[str, ...]:
    numbers = (shown(score.metrics[metric], _DIGITS[metric]) for metric in METRICS)
    return (score.predictor, *numbers)


def scorecard(splits: Sequence[Found]) -> Table:
    """Every predictor on the test part: the mean over the splits and its 95 % interval."""
    rows = [
        (
            name,
            *(shown_interval(estimate(splits, name, m), _DIGITS[m]) for m in METRICS),
        )
        for name in predictors(splits)
    ]
    return Table(("on people not seen", *METRICS.values()), tuple(rows))


def by_group(splits: Sequence[Found], metric: str = "mse") -> Table:
    """One metric of a few predictors on each group, with how many test people it has in a split."""
    names = [name for name in IN_GROUPS if name in predictors(splits)]
    rows = []
    for part in parts(splits):
        if part == TEST:
            continue
        having = [split for split in splits if f"people, {part}" in split.numbers]
        people = fmean(split.numbers[f"people, {part}"] for split in having)
        cells = [
            shown_interval(estimate(having, name, metric, part), _DIGITS[metric])
            if len(having) == len(splits)
            else shown(fmean(values(having, name, metric, part)), _DIGITS[metric])
            for name in names
        ]
        rows.append((part, f"{people:.0f}", *cells))
    return Table((f"{METRICS[metric]} by group", "people", *names), tuple(rows))


def lines(table: Table) -> list[str]:
    """The table for a terminal: the first column to the left, the others to the right."""
    every = (table.head, *table.rows)
    widths = [max(len(row[k]) for row in every) for k in range(len(table.head))]
    first, rest = widths[0], widths[1:]
    return [
        "  ".join((row[0].ljust(first), *(c.rjust(w) for c, w in zip(row[1:], rest, strict=True))))
        for row in every
    ]


def findings(found: Findings, moved: Found | None, unit: str) -> tuple[str, ...]:
    """What is wrong with the study as written, one counted sentence each."""
    of = f"{found.columns:,}"
    told = [
        f"The network reads {found.columns_read} number of each row, the minute from midnight; "
        f"{found.columns - found.columns_read:,} of {of} prepared columns are dropped by the "
        f"reshape without a word. On the test rows that minute correlates with the target by "
        f"r = {shown(found.minute_r, 3)}.",
        f"{found.known_rows:,} of {found.test_rows:,} test rows "
        f"({100 * found.known_rows / found.test_rows:.1f} %) belong to people who are also in "
        "training.",
    ]
    told.append(_copying(found, unit))
    if found.constant_columns:
        told.append(
            f"{found.constant_columns:,} columns do not vary among the train rows: scaling divides "
            "by a standard deviation of 0 and makes them NaN."
        )
    if moved is not None:
        told.append(
            f"{moved.numbers['moved']:,.0f} of {moved.numbers['all']:,.0f} weights moved in "
            "training: with one step from a state of 0 the recurrent kernel and the forget gate "
            "have no gradient."
        )
    return tuple(told)


def _copying(found: Findings, unit: str) -> str:
    """What a person's other rows give away."""
    if not found.known_rows:
        alone = (
            "Each person has one row here"
            if found.rows == found.people
            else "Nobody has rows on both sides here"
        )
        return (
            f"{alone}, so there is nothing to copy from training. With several days of each "
            "person, as the script's own data have, there is: choose simulated people with more "
            "days to see it."
        )
    others = found.test_rows - found.known_rows
    rest = f", and the mean for the other {others:,}," if others else ""
    told = (
        f"Copying the target from a train row of the same person{rest} would score "
        f"r = {shown(found.copy_r, 3)}, with an MSE of {shown(found.copy_mse, 2)} {unit}".rstrip()
        + ", without reading any activity"
    )
    if found.equal_rows == found.known_rows:
        return (
            f"{told}: all rows of a person have the same target, so each of the "
            f"{found.known_rows:,} copies is the answer itself."
        )
    return f"{told}; {found.equal_rows:,} of the copies are the answer itself."


def against_mean(view: RunView, found: Findings, unit: str) -> str:
    """How the network as written compares with predicting the mean of the train rows."""
    score = next((s for s in view.scorecard if s.part == TEST), None)
    if score is None:
        return ""
    ours, theirs = score.metrics["mse"], found.mean_mse
    pair = f"test MSE {shown(ours, 2)} against {shown(theirs, 2)} {unit}".rstrip()
    r = f"r = {shown(score.metrics['r'], 3)}"
    if ours > FAR * theirs:
        return (
            f"Its error is {ours / theirs:.1f} times that of predicting the mean ({pair}; {r}): "
            f"{view.step:,} steps were too few to learn even the mean."
        )
    change = 100 * (ours / theirs - 1)
    away = f"{shown(abs(change), 1)} % {'above' if change > 0 else 'below'}"
    name = "It is the mean predictor" if abs(change) < NEAR else "It is not the mean predictor"
    return f"{name}: its error is {away} that of predicting the mean ({pair}; {r})."
