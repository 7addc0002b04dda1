"""What the known answers of a small world say about a run. Pure: no widgets, no files."""

import numpy as np

from rnnviz.data.dataset import Known, SequenceDataset, Split
from rnnviz.data.worlds import adding
from rnnviz.data.worlds.world import CHANCE, MEMORYLESS, ONE_WAY
from rnnviz.events import RunView
from rnnviz.ui.words import METRICS, network_on, number, of_part

CLEARLY = 0.9  # of a limit: a loss below this share of it is no accident
ERRORS = 3.0  # standard errors beyond which a loss below a floor is no chance
MEANS = {  # a limit in words, and what it says to be below it
    MEMORYLESS: ("the memoryless limit", "it uses what came before"),
    ONE_WAY: ("the left-to-right limit", "it uses what comes after"),
    CHANCE: ("chance", "it has learned something"),
    adding.ALWAYS_ONE: ("always saying 1", "it keeps what was marked"),
}


def answers(view: RunView, dataset: SequenceDataset, split: Split) -> str:
    """Where the network stands beside the limits that are known; "" where none are."""
    return " ".join(
        said
        for known in dataset.known
        if (said := _of_limit(view, known) or _near(view, known, split))
    )


def leak(view: RunView, dataset: SequenceDataset, split: Split) -> str:
    """A sentence where the test loss is lower than anybody's can be; else ""."""
    for known in dataset.known:
        ours, floor = _pair(view, known)
        if ours is None or floor is None or not known.floor:
            continue
        error = floor_error(known, split)
        if ours < floor - ERRORS * error:
            return (
                f"The test {METRICS[known.metric]} of {number(ours)} lies below the {known.name} "
                f"of {number(floor)} by more than chance allows ({ERRORS:g} standard errors: "
                f"{number(ERRORS * error, 2)}). Nobody can do that who does not know the answers, "
                "so they have leaked: look for them among the inputs and in the training part."
            )
    return ""


def floor_error(known: Known, split: Split) -> float:
    """Standard error of what the floor comes to on the test part as drawn; 0 where it is exact."""
    if known.realised is None or len(split.test) < 2:
        return 0.0
    off = (known.realised - known.expected)[split.test]
    return float(off.std(ddof=1) / np.sqrt(len(off)))


def _pair(view: RunView, known: Known) -> tuple[float | None, float | None]:
    """The network's test loss, and the one that is known."""
    network = network_on(view, "test")
    base = of_part(view.started.baselines, known.name, "test") if view.started else None
    if network is None or base is None:
        return None, None
    return network.metrics[known.metric], base.metrics[known.metric]


def _of_limit(view: RunView, known: Known) -> str:
    ours, limit = _pair(view, known)
    if ours is None or limit is None or known.name not in MEANS:
        return ""
    name, so = MEANS[known.name]
    right = _right(view, known)
    if ours < CLEARLY * limit:
        return f"It is clearly below {name}, {number(limit)}{right}: {so}."
    return f"It is not clearly below {name}, {number(limit)}{right}."


def _right(view: RunView, known: Known) -> str:
    """Shares of right answers beside each other, where they are known."""
    network = network_on(view, "test")
    if network is None or "accuracy" not in known.others or "accuracy" not in network.metrics:
        return ""
    ours, theirs = network.metrics["accuracy"], known.others["accuracy"]
    return f" ({ours:.1%} right against {theirs:.1%})"


def _near(view: RunView, known: Known, split: Split) -> str:
    """How far above a floor it is, where the floor is not 0."""
    ours, floor = _pair(view, known)
    if ours is None or not floor or not known.floor:
        return ""
    error = floor_error(known, split)
    if abs(ours - floor) <= ERRORS * error:
        return (
            f"It stands at the {known.name}, {number(floor)}: the difference of "
            f"{number(ours - floor, 2)} is within {ERRORS:g} standard errors."
        )
    if ours < floor:
        return ""  # which is told as a leak
    return f"It is {number(ours - floor, 2)} above the {known.name}, {number(floor)}."
