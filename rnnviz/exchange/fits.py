"""Which data a model can be used on; known before anything is started. No torch."""

from collections.abc import Mapping
from typing import Any

from rnnviz.data.dataset import SequenceDataset, Task
from rnnviz.errors import DataError
from rnnviz.exchange.stored import Stored

VALUES = {"144x1": 1, "1440x1": 1, "24x60": 60}  # at each step, by the keys of BLOCKS


def suggested(stored: Stored, blocks: str) -> Mapping[str, Any]:
    """Settings of the data that a model can read, as far as its widths and its file tell.

    Args:
        stored: the model.
        blocks: the ones that are set; kept where they fit.
    """
    if stored.task is Task.NEXT_TOKEN:
        return {"source": "text"}
    found: dict[str, Any] = {}
    fitting = [
        (b, mask) for b, n in VALUES.items() for mask in (False, True) if n + mask == stored.inputs
    ]
    if fitting:
        found["blocks"], found["mask"] = min(fitting, key=lambda fit: fit[0] != blocks)
    if stored.meaning.input_scaler is not None:
        found["scale"] = stored.meaning.scale
    return found


def check_fits(stored: Stored, dataset: SequenceDataset, scale: str) -> None:
    """Whether a model can read these data and predict what they ask for.

    Raises:
        DataError: it cannot; the sentence says what differs.
    """
    meaning = stored.meaning
    wanted = {
        "predicts a": (str(stored.task), str(dataset.task)),
        "reads at each step": (stored.inputs, dataset.input_size),
        "gives": (stored.outputs, dataset.output_size),
        "reads covariates:": (stored.covariates, dataset.covariates.shape[1]),
    }
    if not stored.config.covariates:
        del wanted["reads covariates:"]
    if meaning.input_scaler is not None:
        wanted["was trained on values scaled as"] = (meaning.scale, scale)
    for what, (has, asked) in wanted.items():
        if has != asked:
            raise DataError(
                f"the model {what} {has} and the data ask for {asked}; choose other data settings, "
                "or another model"
            )
    for name, ours in (("vocabulary", dataset.vocabulary), ("classes", dataset.classes)):
        theirs = getattr(meaning, name)
        if theirs and theirs != ours:
            raise DataError(
                f"the model's {name} and those of the data differ, such as "
                f"{_first_difference(theirs, ours)}; choose the data that it was trained on"
            )


def _first_difference(theirs: tuple[str, ...], ours: tuple[str, ...]) -> str:
    pairs = zip(theirs, ours, strict=True)
    return next(f"{a!r} and {b!r}" for a, b in pairs if a != b)
