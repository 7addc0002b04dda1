"""DATASETS: every source of data by name. A source is one line in the table."""

from collections.abc import Callable, Mapping
from pathlib import Path

from rnnviz.config import DataConfig
from rnnviz.data import (
    kinds,
    nhanes,
    phrases,
    reading,
    reviews,
    series,
    stored,
    text,
    uploads,
    worlds,
)
from rnnviz.data.dataset import SequenceDataset
from rnnviz.data.days import as_sequences


def _nhanes(config: DataConfig, home: Path) -> SequenceDataset:
    return as_sequences(nhanes.load(config, home / "cache"), config)


def _text(config: DataConfig, home: Path) -> SequenceDataset:
    return text.load(config, uploads.read_text(home, config.file) if config.file else None)


def _file(config: DataConfig, home: Path) -> SequenceDataset:
    folder = uploads.folder_of(home, config.file)
    return stored.kept(folder, config, lambda: _of_file(config, home))


def _of_file(config: DataConfig, home: Path) -> SequenceDataset:
    found = kinds.find(config, home)
    if found is not None:
        return found.as_sequences(config)
    return as_sequences(reading.load(config, home), config)


def _series(config: DataConfig, _home: Path) -> SequenceDataset:
    return series.windows(series.random_walk(), config)


GRAMMARS: Mapping[str, Callable[[DataConfig], SequenceDataset]] = {
    "small": phrases.dataset,
    "reviews": reviews.dataset,
}


def _phrases(config: DataConfig, _home: Path) -> SequenceDataset:
    return GRAMMARS[config.grammar](config)


def _world(config: DataConfig, _home: Path) -> SequenceDataset:
    return worlds.load(config)


DATASETS: Mapping[str, Callable[[DataConfig, Path], SequenceDataset]] = {
    "nhanes": _nhanes,
    "text": _text,
    "series": _series,
    "phrases": _phrases,
    "world": _world,
    "file": _file,
}


def load(config: DataConfig, home: Path) -> SequenceDataset:
    """The data set that the settings name; `home` holds the caches and what was uploaded.

    Raises:
        DataError: it cannot be made from what is there.
    """
    return DATASETS[config.source](config, home)
