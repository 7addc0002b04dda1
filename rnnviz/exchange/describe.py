"""A Stored in words and in plain values, for pages and for the command line. No torch, no files."""

from dataclasses import asdict, dataclass
from typing import Any

from rnnviz.config import CELL_NAMES
from rnnviz.data.dataset import Task
from rnnviz.exchange.stored import Stored


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of a model: what it is, how many numbers it reads and gives, and its weights."""

    name: str
    kind: str
    reads: int
    gives: int
    weights: int


PREDICTS = {
    Task.REGRESSION: ("{} number after the last step", "{} numbers after the last step"),
    Task.CLASSIFICATION: ("one of {} class", "one of {} classes"),
    Task.NEXT_TOKEN: ("at every step one of {} token", "at every step one of {} tokens"),
    Task.TAGGING: ("at every step one of {} class", "at every step one of {} classes"),
    Task.TRACKING: ("{} number at every step", "{} numbers at every step"),
}


def parts(stored: Stored) -> tuple[Part, ...]:
    """The parts from input to output."""
    config, ways = stored.config, 2 if stored.config.bidirectional else 1
    found, width = [], stored.inputs
    if stored.config.embedding:
        name, size = "embedding", stored.config.embedding
        count = _count(stored, "embedding.")
        found.append(Part(name=name, kind="table", reads=width, gives=size, weights=count))
        width = size
    for k, size in enumerate(stored.sizes):
        kind = CELL_NAMES[config.cell] + (", both ways" if ways == 2 else "")
        count = _count(stored, f"layers.{k}.")
        found.append(
            Part(name=f"layer {k + 1}", kind=kind, reads=width, gives=size * ways, weights=count)
        )
        width = size * ways
    if config.attention != "none":
        count = _count(stored, "attention.")
        found.append(
            Part(name="attention", kind=config.attention, reads=width, gives=width, weights=count)
        )
        width *= 2  # the context beside the state that asked
    width += stored.covariates
    for k, dense in enumerate(stored.dense):
        count = _count(stored, f"dense.{k}.")
        kind = f"dense, {dense.activation}"
        found.append(
            Part(name=f"dense {k + 1}", kind=kind, reads=width, gives=dense.units, weights=count)
        )
        width = dense.units
    kind = "dense, " + ("linear" if stored.task.numeric else "softmax")
    count = _count(stored, "head.")
    return (
        *found,
        Part(name="head", kind=kind, reads=width, gives=stored.outputs, weights=count),
    )


def keras_weights(stored: Stored) -> int:
    """How many weights Keras counts: one bias where torch has two, but for the GRU of both."""
    if stored.config.cell == "gru":
        return stored.parameters
    second = sum(a.size for name, a in stored.weights.items() if name.endswith("bias_hh_l0"))
    return stored.parameters - second


def predicts(stored: Stored) -> str:
    """What comes out, such as "1 number after the last step: BMI [kg/m²]"."""
    one, more = PREDICTS[stored.task]
    text = (one if stored.outputs == 1 else more).format(stored.outputs)
    meaning = stored.meaning
    if meaning.classes:
        return f"{text}: {_some(meaning.classes)}"
    if meaning.outputs and stored.task.numeric:
        named = tuple(f"{v.name} [{v.unit}]" if v.unit else v.name for v in meaning.outputs)
        return f"{text}: {_some(named)}"
    return text


def lines(stored: Stored) -> tuple[str, ...]:
    """The model in a few lines of text."""
    found = parts(stored)
    names = max(len(part.name) for part in found)
    kinds = max(len(part.kind) for part in found)
    body = tuple(
        f"{part.name:<{names}}  {part.kind:<{kinds}}  {part.reads:>5} -> {part.gives:<5} "
        f"{part.weights:>11,} weights"
        for part in found
    )
    total = f"{stored.parameters:,} weights"
    if (fewer := keras_weights(stored)) != stored.parameters:
        total += f"; {fewer:,} as Keras counts, which has one bias where torch has two"
    return (f"from {stored.origin}", *body, total, f"predicts {predicts(stored)}", *stored.notes)


def to_dict(stored: Stored) -> dict[str, Any]:
    """Plain values, ready for JSON."""
    return {
        "origin": stored.origin,
        "cell": stored.config.cell,
        "task": str(stored.task),
        "inputs": stored.inputs,
        "outputs": stored.outputs,
        "covariates": stored.covariates,
        "sizes": list(stored.sizes),
        "bidirectional": stored.config.bidirectional,
        "attention": stored.config.attention,
        "parts": [asdict(part) for part in parts(stored)],
        "weights": stored.parameters,
        "weights_keras": keras_weights(stored),
        "features": [v.name for v in stored.meaning.features],
        "targets": [v.name for v in stored.meaning.outputs],
        "classes": list(stored.meaning.classes),
        "vocabulary": list(stored.meaning.vocabulary),
        "notes": list(stored.notes),
    }


def _count(stored: Stored, start: str) -> int:
    return sum(array.size for name, array in stored.weights.items() if name.startswith(start))


def _some(names: tuple[str, ...], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
