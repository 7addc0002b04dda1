"""A network that translates as settings of a run, and what they cost. No torch, quick to load."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

from rnnviz.cells import CELLS
from rnnviz.config import (
    DataConfig,
    ModelConfig,
    RunConfig,
    TrainingConfig,
    TranslationConfig,
    settings_of,
)
from rnnviz.data.parallel import PARALLEL, ParallelText
from rnnviz.errors import ConfigError
from rnnviz.estimate import FLOAT, SHARE_OF_MEMORY

TITLE = "Translate"  # of the runs
PROGRAMS = {TITLE: "rnnviz.translation.run:fit_stored"}

MOST_KEPT = 50  # epochs whose weights a run keeps, beside those before training
KEPT_BYTES = 128 * 2**20  # of all of them together
MOST_WEIGHTS = KEPT_BYTES // 2 // FLOAT  # those before training and after it are always kept

PARTS = {
    "data": DataConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
    "translation": TranslationConfig,
}
COMMON: Mapping[str, Any] = {  # where a task says nothing else
    "hidden_size": 64,
    "embedding": 32,
    "bidirectional": True,  # so that an annotation knows what stands on both of its sides
    "attention": "dot",
    "pairs": 8000,
    "batch_size": 16,
    "epochs": 6,
    "learning_rate": 0.003,
}


def suggested(parallel: str) -> Mapping[str, Any]:
    """What a task begins with, by the names of settings."""
    return {**COMMON, **PARALLEL[parallel].suggested}


def settings(parallel: str = "dates", **given: Any) -> RunConfig:
    """A task's settings, but for what is given by name.

    Raises:
        ConfigError: a setting is unknown or out of its range, or they do not go together.
    """
    values = {**suggested(parallel), **given, "parallel": parallel}
    if parallel == "file":
        values["source"] = "file"
    names = {part: {s.name for s in settings_of(cls)} for part, cls in PARTS.items()}
    strange = set(values).difference(*names.values())
    if strange:
        raise ConfigError(f"there is no setting {', '.join(sorted(strange))}")
    parts = {part: {name: values[name] for name in values if name in names[part]} for part in PARTS}
    config = RunConfig.from_dict(parts)
    check(config.model, config.translation)
    return config


def check(model: ModelConfig, translation: TranslationConfig) -> None:
    """Refuses what does not go together.

    Raises:
        ConfigError: shared weights with both directions or without an embedding, or one unit for
            two directions.
    """
    if translation.shared_weights and (model.bidirectional or not model.embedding):
        what = "bidirectional is on" if model.bidirectional else "embedding is 0 (one-hot)"
        raise ConfigError(
            f"shared_weights makes encoder and decoder one network, but {what}, so that they "
            "differ in shape; switch one of both off, or set an embedding"
        )
    if model.bidirectional and model.hidden_size < 2:
        raise ConfigError("hidden_size is 1; two directions need at least 2 units to share")


def stride(epochs: int, weights: int) -> int:
    """Weights are kept after every so many epochs, and after the last; within KEPT_BYTES."""
    most = min(MOST_KEPT, max(1, KEPT_BYTES // (weights * FLOAT) - 2))
    return -(-epochs // most)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What one run will need."""

    weights: int
    bytes: int  # weights, optimiser, and the activations of one batch


def weights(
    model: ModelConfig, translation: TranslationConfig, *, source_size: int, target_size: int
) -> int:
    """Weights of the network, both biases of torch's cells counted; those that are shared once."""
    size, embedding = model.hidden_size, model.embedding
    reads = embedding or target_size
    reads += size if translation.decoder_reads == "all" else 0
    total = embedding * (source_size + target_size)
    total += _layers(model, reads, (size,))
    if not translation.shared_weights:
        units = (size - size // 2, size // 2) if model.bidirectional else (size,)
        total += _layers(model, embedding or source_size, units)
    total += {"none": 0, "dot": 0, "general": size**2, "additive": 2 * size**2 + size}[
        model.attention
    ]
    return total + ((1 if model.attention == "none" else 2) * size + 1) * target_size


def _layers(model: ModelConfig, reads: int, units: tuple[int, ...]) -> int:
    gates, size = len(CELLS[model.cell].gates), model.hidden_size
    first = sum(gates * part * (reads + part + 2) for part in units)
    above = sum(gates * part * (size + part + 2) for part in units)
    return first + (model.layers - 1) * above


def cost(config: RunConfig, pairs: ParallelText) -> Cost:
    """What training these settings on these pairs will need."""
    model, size = config.model, config.model.hidden_size
    count = weights(
        model,
        config.translation,
        source_size=len(pairs.source_vocabulary),
        target_size=len(pairs.target_vocabulary),
    )
    s, t = pairs.sources.shape[1], pairs.targets.shape[1]
    per_step = model.layers * size * (3 * len(CELLS[model.cell].gates) + 4)
    wide = model.embedding or max(len(pairs.source_vocabulary), len(pairs.target_vocabulary))
    inner = {"none": 0, "dot": 3, "general": 3, "additive": 3 * size}[model.attention]
    of_pair = (s + t) * (per_step + wide + size) + t * s * inner
    of_pair += 4 * t * len(pairs.target_vocabulary)
    return Cost(
        weights=count,
        bytes=FLOAT * (6 * count + min(config.training.batch_size, len(pairs.sources)) * of_pair),
    )


def check_cost(config: RunConfig, pairs: ParallelText) -> None:
    """Refuses what cannot fit.

    Raises:
        ConfigError: there are more weights than a run can keep before and after training, or it
            would need more than half of the memory that is free.
    """
    needed = cost(config, pairs)
    if needed.weights > MOST_WEIGHTS:
        raise ConfigError(
            f"these settings make {needed.weights:,} weights; at most {MOST_WEIGHTS:,} are "
            "allowed. Lower hidden_size, layers or embedding"
        )
    allowed = int(psutil.virtual_memory().available * SHARE_OF_MEMORY)
    if needed.bytes > allowed:
        raise ConfigError(
            f"these settings need about {needed.bytes / 2**30:.1f} GiB of memory; a run may take "
            f"{allowed / 2**30:.1f} GiB here. Lower hidden_size, layers, batch_size or the length "
            "of the texts"
        )
