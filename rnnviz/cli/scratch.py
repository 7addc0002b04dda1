"""rnnviz scratch: the recurrent network in NumPy, as published and corrected."""

import argparse
import os

from rnnviz.errors import ConfigError
from rnnviz.scratch.settings import (
    BACKPROP_NAMES,
    EPOCHS,
    HIDDEN,
    MOST_EPOCHS,
    MOST_HIDDEN,
)

HELP = "a recurrent network in NumPy, from scratch, and its gradient check"
MOST_SEEDS = 100
# option, least, to begin with, most, help
NUMBERS = (
    ("seed", 0, 0, 2**31 - 1, "the first seed"),
    ("seeds", 1, 1, MOST_SEEDS, "how many seeds learn side by side"),
    ("hidden", 2, HIDDEN, MOST_HIDDEN, "units"),
    ("epochs", 1, EPOCHS, MOST_EPOCHS, "passes over the phrases"),
)


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    for name, least, begin, most, text in NUMBERS:
        told = f"{text}, {least} to {most} (default: {begin})"
        parser.add_argument(f"--{name}", type=int, default=begin, help=told)
    parser.add_argument(
        "--backprop",
        choices=("both", *BACKPROP_NAMES),
        default="both",
        help="how gradients go back through time (default: both)",
    )


def run(given: argparse.Namespace) -> int:
    """Prints loss and accuracy, then the gradient check."""
    for name, least, _, most, _ in NUMBERS:
        value = getattr(given, name)
        if not least <= value <= most:
            raise ConfigError(f"{name} is {value}; it must lie in [{least}, {most}]")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from rnnviz.scratch.terminal import told

    backprops = BACKPROP_NAMES if given.backprop == "both" else (given.backprop,)
    seeds = range(given.seed, given.seed + given.seeds)
    for line in told(seeds, backprops, hidden=given.hidden, epochs=given.epochs):
        print(line, flush=True)
    return 0
