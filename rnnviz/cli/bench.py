"""rnnviz bench: speed, as ratios within one run."""

import argparse
import time

HELP = "measure speed, as ratios within this run"


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("part", nargs="?", default="", help="only what has this in its name")


def run(given: argparse.Namespace) -> int:
    """Prints the table line by line."""
    from rnnviz.bench import table  # torch takes two seconds to import

    began = time.perf_counter()
    for line in table(given.part):
        print(line, flush=True)
    print(f"\nmeasured in {time.perf_counter() - began:.0f} s")
    return 0
