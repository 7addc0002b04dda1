"""rnnviz train: one training in the terminal."""

import argparse
import os
import sys
from collections.abc import Mapping
from typing import Any

from rnnviz.cli.options import home, option, with_files
from rnnviz.config import (
    DataConfig,
    ModelConfig,
    RunConfig,
    TrainingConfig,
    settings_of,
    suggested_for,
)

HELP = "train a network in this terminal"
SHOWN = 80  # characters of each epoch's sample
PARTS = {"data": DataConfig, "model": ModelConfig, "training": TrainingConfig}


def add(parser: argparse.ArgumentParser) -> None:
    """Every setting is an option."""
    for part in PARTS.values():
        for setting in settings_of(part):
            name = "--" + setting.name.replace("_", "-")
            parser.add_argument(name, dest=setting.name, **option(setting, by_source=True))


def chosen(given: Mapping[str, Any]) -> RunConfig:
    """The settings as they are given, and for all others what suits the source or the file.

    Raises:
        RnnvizError: a setting is out of range, or the file cannot be read.
    """
    values = with_files(_whole({**_suiting(given), **given}))
    if values["data"]["source"] == "file":
        from rnnviz.data import kinds  # pandas takes a second to import

        found = kinds.find(DataConfig(**values["data"]), home())
        begin = {} if found is None else found.settings
        values["data"] |= {name: begin[name] for name in begin if name not in given}
    return RunConfig.from_dict(values)


def _suiting(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings that the source begins with, or the small world."""
    source = given.get("source", "")
    if source != "world":
        return suggested_for(source, given.get("grammar", DataConfig().grammar))
    from rnnviz.data.worlds import WORLDS

    return WORLDS[given.get("world", DataConfig().world)].suggested


def _whole(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Every setting, by its part."""
    return {
        name: {s.name: values.get(s.name, s.default) for s in settings_of(part)}
        for name, part in PARTS.items()
    }


def run(given: argparse.Namespace) -> int:
    """Prints the baselines, each epoch, and the scores at the end."""
    config = chosen(vars(given))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from rnnviz.events import EpochEnded, Failed, Finished, Sampled, Started
    from rnnviz.train import fit_stored

    for event in fit_stored(config, home()):
        match event:
            case Started():
                metric, unit = event.metric, event.unit
                print(f"{event.parameters:,} weights, {event.sizes} sequences")
                for score in event.baselines:
                    if score.part == "test":
                        print(
                            f"  {score.predictor}: test {metric} {score.metrics[metric]:.4g} {unit}"
                        )
            case EpochEnded():
                print(
                    f"epoch {event.epoch}: train {event.train_loss:.4g}, "
                    f"validation {event.validation.metrics[metric]:.4g}, "
                    f"test {event.test.metrics[metric]:.4g} {unit}, {event.seconds:.1f} s",
                    flush=True,
                )
            case Sampled():  # repr, as a terminal takes some characters for orders
                print(f"  writes: {event.prefix + event.text[:SHOWN]!r}", flush=True)
            case Finished():
                print(event.reason)
                for score in event.scorecard:
                    found = ", ".join(
                        f"{name} {value:.4g}" for name, value in score.metrics.items()
                    )
                    print(f"  {score.part}: {found}")
            case Failed():
                print(f"rnnviz: {event.message}", file=sys.stderr)
                return 2
    return 0
