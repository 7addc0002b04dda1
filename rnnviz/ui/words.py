"""What the pages say about a run, as plain text. Pure: no widgets, no clock, no files."""

import math
from dataclasses import dataclass

from rnnviz.config import RunConfig
from rnnviz.data.dataset import SequenceDataset, Task
from rnnviz.events import RunView, Score

METRICS = {
    "mse": "MSE",
    "mae": "MAE",
    "r2": "R²",
    "r": "r",
    "loss": "cross-entropy",
    "accuracy": "accuracy",
    "perplexity": "perplexity",
}


@dataclass(frozen=True, kw_only=True)
class State:
    """How a run stands: a kind that decides colours and buttons, and a sentence."""

    kind: str  # queued, starting, running, paused, interrupted, finished, failed
    text: str
    active: bool  # more may come without anybody doing anything
    done: float  # share of all steps


def state_of(
    view: RunView, place: int | None, *, worked_on: bool, free: bool, trouble: str = ""
) -> State:
    """How a run stands.

    Args:
        view: what its events say.
        place: in the queue, None where it is not with the runner.
        worked_on: whether any process works on it.
        free: whether the runner has room for it at once.
        trouble: what could not be written to the run itself.
    """
    started = view.started
    total = started.batches * started.epochs if started else 0
    done = min(1.0, view.step / total) if total else 0.0

    def state(kind: str, text: str, *, active: bool = False) -> State:
        share = 1.0 if view.scorecard else done  # one that was stopped early by hand has none
        return State(kind=kind, text=text, active=active, done=share)

    if view.status == "failed":
        return state("failed", view.message)
    if view.status == "finished":
        return state("finished", view.message[:1].upper() + view.message[1:])
    if place is not None and place > 0 and free:
        return state("starting", "Starting: the trainer is warming up …", active=True)
    if place is not None and place > 0:
        text = f"Queued: {place} in line. It starts by itself as soon as a place is free."
        return state("queued", text, active=True)
    if view.status == "paused":
        held = view.message[:1].upper() + view.message[1:]
        return state("paused", held, active=place is not None)
    if place is None and not worked_on and trouble:
        return state("interrupted", f"Interrupted: {trouble}")
    if place is None and not worked_on:
        return state("interrupted", "Interrupted: nothing is lost. Press Resume to go on.")
    if started is None:
        return state(
            "starting", "Starting: reading the data and fitting the baselines …", active=True
        )
    if not started.epochs:
        return state("running", "Applying the model and recording what it does …", active=True)
    epoch = min(view.epoch, started.epochs) or 1
    text = f"Epoch {epoch} of {started.epochs}, step {view.step} of {total}"
    return state("running", text + time_left(view), active=True)


def time_left(view: RunView) -> str:
    """Such as ', 12 s left', from the pace of the last batches; "" while it is unknown."""
    started, last = view.started, view.batches[-20:]
    if started is None or not last:
        return ""
    pace = sorted(batch.seconds for batch in last)[len(last) // 2] * 1.25
    left = pace * max(0, started.batches * started.epochs - view.step)
    return f", about {duration(left)} left"


def duration(seconds: float) -> str:
    """Such as '8 s', '3 min', '2.5 h'."""
    if seconds < 90:
        return f"{seconds:.0f} s" if seconds >= 1 else f"{max(seconds, 0.1):.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def amount(count: float) -> str:
    """Bytes as kB, MB or GB."""
    if count < 1e6:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e6:.0f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"


def number(value: float, digits: int = 4) -> str:
    """A number with so many significant digits, and a true minus sign; '–' for none."""
    if value != value:
        return "–"
    if abs(value) < 1e-9:
        return "0"
    return f"{value:.{digits}g}".replace("-", "−")


def of_part(scores: tuple[Score, ...], predictor: str, part: str) -> Score | None:
    """One predictor's score on one part."""
    found = (s for s in scores if (s.predictor, s.part) == (predictor, part))
    return next(found, None)


def network_on(view: RunView, part: str) -> Score | None:
    """The network's score at the end, or after the last epoch; of a model from a file as well."""
    last = view.epochs[-1:]
    scores = view.scorecard or tuple(s for epoch in last for s in (epoch.validation, epoch.test))
    return of_part(scores, "network", part)


REFERENCE_WORDS = {
    "mean": "the mean predictor",
    "class shares": "predicting the class shares",
    "unigram": "the frequencies of single tokens",
}


def verdict(view: RunView, task: Task, whose: str = "people") -> str:
    """Whether the network beats the predictor that knows no inputs, on the test part.

    A lower loss counts beyond two standard errors of the difference, where they are known: runs of
    earlier versions hold none. They are infinite where all rows hang together.

    Args:
        whose: what the rows are of, in the plural.
    """
    started = view.started
    if started is None:
        return ""
    network = network_on(view, "test")
    base = of_part(started.baselines, task.reference, "test")
    if network is None or base is None:
        return ""
    ours, theirs = network.metrics[started.metric], base.metrics[started.metric]
    name, unit = METRICS[started.metric], f" {started.unit}" if started.unit else ""
    rival = REFERENCE_WORDS[base.predictor]
    facts = f"test {name} {number(ours)} against {number(theirs)}{unit}"
    people = started.people["test"] if task is not Task.NEXT_TOKEN else 0
    of_whom = f", {people} {whose}" if people else ""
    more = _persistence(view, network) + _counts(view, network)
    difference, error = theirs - ours, network.errors.get(base.predictor)
    if error is not None and difference > 0 and math.isinf(error):
        return (
            f"Whether the network beats {rival} cannot be told from so small a test part: "
            f"{facts}{of_whom}.{more}"
        )
    if error is not None and 0 < difference < 2 * error:
        noise = f"the difference of {number(difference, 3)} is within two standard errors "
        return (
            f"The network does not beat {rival} beyond chance: {facts}; "
            f"{noise}({number(2 * error, 3)}{of_whom}).{more}"
        )
    if difference > 0:
        share = 100 * difference / theirs if theirs else 0.0
        return f"The network beats {rival}: {facts}, {share:.0f} % lower{of_whom}.{more}"
    return f"The network does not beat {rival}: {facts}{of_whom}.{more}"


COUNTS = ("bigram", "trigram", "window model")  # of tokens: what knows those just before


def _counts(view: RunView, network: Score) -> str:
    """Who has a lower loss though it knows the last few tokens only."""
    started = view.started
    scores = [of_part(started.baselines, name, "test") for name in COUNTS] if started else []
    known = {s.predictor: s.metrics["loss"] for s in scores if s is not None}
    if not known or "loss" not in network.metrics:
        return ""
    best = min(known, key=known.__getitem__)
    facts = f"test {METRICS['loss']} {number(known[best])}"
    if known[best] < network.metrics["loss"]:
        return f" The {best}, which reads the last few tokens only, is lower: {facts}."
    return f" It is also below the best that reads the last few tokens only, the {best}: {facts}."


def _persistence(view: RunView, network: Score) -> str:
    """How the last value once more does beside the network; lower is not yet better."""
    started = view.started
    base = of_part(started.baselines, "persistence", "test") if started else None
    if started is None or base is None:
        return ""
    ours, theirs = network.metrics[started.metric], base.metrics[started.metric]
    error = network.errors.get("persistence")
    facts = f"test {METRICS[started.metric]} {number(theirs)}"
    if ours >= theirs:
        return f" It does not beat persistence, the last value once more: {facts}."
    if error is not None and theirs - ours > 3 * error:
        share = 100 * (theirs - ours) / theirs
        return (
            f" It is {share:.0f} % below persistence, the last value once more: {facts}, more than "
            f"three standard errors ({number(3 * error, 3)}) away."
        )
    return (
        f" Persistence, the last value once more, has {facts}; one test part cannot tell whether "
        "the network's lower error is more than chance."
    )


def target_words(data: SequenceDataset, target: float) -> str:
    """What is to be predicted of one sequence, such as 'BMI 27.3'."""
    said = data.classes[int(target)] if data.task.names_classes else number(target, 3)
    return f"{data.outputs[0].name} {said}"


def summary(config: RunConfig, data: SequenceDataset) -> str:
    """What goes in and what comes out, in one line."""
    predicted = f"{data.outputs[0].name} is predicted" + " at every step" * data.task.every_step
    if data.vocabulary:
        unit = data.features[0].unit
        tokens = f"{unit}s" if unit else config.data.tokens
        whose = "sequences" if data.whose == "people" else data.whose
        if data.task is Task.NEXT_TOKEN:
            predicted = "the next one is predicted at every step"
        whole = data.task.every_step and bool((data.lengths == data.steps).all())
        upto = "" if whole else "up to "
        return (
            f"{len(data.ids)} {whose} of {upto}{data.steps} {tokens}, "
            f"{len(data.vocabulary)} different ones; {predicted}"
        )
    size = data.input_size
    values = "value" if size == 1 else "values"
    if data.given is not None:
        return (
            f"{len(data.ids)} {data.whose}, {data.steps} steps of which the first reads {size} "
            f"{values}; {predicted}"
        )
    steps = "1 step" if data.steps == 1 else f"{data.steps} steps"
    if data.whose != "people":
        return f"{len(data.ids)} {data.whose}, {steps} of {size} {values}; {predicted}"
    people = len(set(data.ids))
    rows = (
        f"{people} people"
        if people == len(data.ids)
        else f"{len(data.ids)} days of {people} people"
    )
    return f"{rows}, {steps} of {size} {values}; {predicted}"
