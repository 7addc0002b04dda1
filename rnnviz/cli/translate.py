"""rnnviz translate: a network that translates, in this terminal."""

import argparse
import os
from typing import Any

from rnnviz.cli.options import home, option, setting_of, with_files
from rnnviz.config import (
    PARALLEL_NAMES,
    ModelConfig,
    RunConfig,
    TrainingConfig,
    TranslationConfig,
    settings_of,
)

HELP = "train a network that translates, such as dates or your own pairs"
OF_DATA = ("file", "table", "target", "tokens")  # of people's own pairs
_LATER = {"default": argparse.SUPPRESS}  # what is not given is what suits the task


def add(parser: argparse.ArgumentParser) -> None:
    """The task, and every setting that matters for it."""
    parser.add_argument(
        "task", nargs="?", choices=list(PARALLEL_NAMES), default="dates", help="(default: dates)"
    )
    parser.add_argument("--say", action="append", default=[], help="a text to translate at the end")
    for part in (TranslationConfig, ModelConfig, TrainingConfig):
        for setting in settings_of(part):
            if setting.name not in ("parallel", "covariates"):
                name = "--" + setting.name.replace("_", "-")
                parser.add_argument(name, dest=setting.name, **_option(option(setting)))
    for name in OF_DATA:
        parser.add_argument(f"--{name}", **_option(option(setting_of(name))))


def _option(known: dict[str, Any]) -> dict[str, Any]:
    """Its help says no default, as that is the task's."""
    return {**known, **_LATER, "help": str(known["help"]).rpartition(" (default")[0]}


def chosen(given: argparse.Namespace) -> RunConfig:
    """The settings as they are given, and for all others what suits the task.

    Raises:
        RnnvizError: a setting is out of range, or the file cannot be read.
    """
    from rnnviz.translation.settings import settings  # pandas takes a second to import

    values = {
        name: value for name, value in vars(given).items() if name not in ("command", "task", "say")
    }
    task = "file" if values.get("file") else given.task
    config = settings(task, **values)
    return RunConfig.from_dict(with_files(config.to_dict()))


def run(given: argparse.Namespace) -> int:
    """Prints the baselines, each epoch, and what the network makes of a few texts."""
    config = chosen(given)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from rnnviz.translation.terminal import told

    for line in told(config, home(), given.say):
        print(line, flush=True)
    return 0
