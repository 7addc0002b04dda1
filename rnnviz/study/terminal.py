"""Both studies in a terminal, line by line. Torch."""

from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from statistics import fmean

from rnnviz.config import DataConfig
from rnnviz.data.days import Days
from rnnviz.errors import DataError, RunError
from rnnviz.events import EpochEnded, Failed, Found, RunView
from rnnviz.study import as_written, corrected, script, tables
from rnnviz.study.attributed import HOURS, PERSON, attributed, checked
from rnnviz.study.days import load_days
from rnnviz.study.settings import as_written_on, corrected_on
from rnnviz.study.verdict import SPLIT, sentence, splits_of
from rnnviz.study.written import summary


def told(data: DataConfig, home: Path, splits: int) -> Iterator[str]:
    """Both studies on these data.

    Args:
        splits: how many splits by person the corrected one takes.

    Raises:
        RnnvizError: the data cannot be used, or training breaks off.
    """
    days = load_days(data, home)
    people = len(set(days.ids))
    yield f"{days.source.title}: {len(days.ids):,} rows of {people:,} people"
    yield from _as_written(data, days)
    yield from _corrected(data, days, splits)


def _as_written(data: DataConfig, days: Days) -> Iterator[str]:
    yield from ("", "As written", "")
    events = []
    try:
        for event in as_written.fit(as_written_on(data), days):
            events.append(event)
            if isinstance(event, EpochEnded):
                validation = event.validation.metrics["mse"]
                yield (
                    f"epoch {event.epoch}: train MSE {tables.shown(event.train_loss, 2)}, "
                    f"validation MSE {tables.shown(validation, 2)}"
                )
    except DataError as wrong:  # the corrected study may still be possible
        yield str(wrong)
        return
    view = reduce(RunView.after, events, RunView())
    found, unit = script.known(view), _unit(days)
    assert found is not None  # it is the first thing that is told
    yield from ("", *summary().splitlines(), "")
    yield from tables.lines(tables.written_scores(view))
    yield ""
    yield tables.against_mean(view, found, unit)
    yield from tables.findings(found, script.moved(view), unit)
    yield script.saved(view)


def _corrected(data: DataConfig, days: Days, splits: int) -> Iterator[str]:
    yield from ("", "Corrected", "")
    view = RunView()
    for event in corrected.fit(corrected_on(data), days, splits=splits):
        view = view.after(event)
        if isinstance(event, Failed):
            raise RunError(event.message)
        if isinstance(event, Found) and event.about.startswith(SPLIT):
            yield f"{SPLIT}{len(splits_of(view))} of {splits} is done"
    found = splits_of(view)
    yield ""
    yield from tables.lines(tables.scorecard(found))
    yield ""
    yield from tables.lines(tables.by_group(found))
    yield ""
    yield sentence(found, _unit(days))
    yield ""
    yield from _hours(view, days.target_name.unit)


def _hours(view: RunView, unit: str) -> Iterator[str]:
    """The mean over all people that were taken apart, hour by hour."""
    known = attributed(view)
    people = [day for about, day in known.items() if about.startswith(PERSON)]
    size = tables.Table(
        ("mean size of an hour's effect", "gradients", "occlusion", "attention"),
        tuple(
            (
                f"{hour:02d}:00",
                tables.shown(fmean(abs(day.hours[hour]) for day in people), 3),
                tables.shown(fmean(abs(day.occluded[hour]) for day in people), 3),
                tables.shown(100 * fmean(day.attention[hour] for day in people), 1) + " %",
            )
            for hour in range(HOURS)
        ),
    )
    yield from tables.lines(size)
    yield checked(people, unit)


def _unit(days: Days) -> str:
    return f"({days.target_name.unit})²" if days.target_name.unit else ""
