"""The command `rnnviz`: the app, and in the terminal data, trainings, models and measurements."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType

from rnnviz import __version__
from rnnviz.cli import app, bench, data, model, scratch, study, train, translate, vectors
from rnnviz.errors import RnnvizError

# Each has HELP, add(parser) and run(given) -> exit status.
COMMANDS: Mapping[str, ModuleType] = {
    "app": app,
    "data": data,
    "train": train,
    "translate": translate,
    "study": study,
    "scratch": scratch,
    "vectors": vectors,
    "model": model,
    "bench": bench,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 is success, 2 a mistake of the person, told in one sentence."""
    parser = argparse.ArgumentParser(prog="rnnviz", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        command.add(commands.add_parser(name, help=command.HELP))
    given = parser.parse_args(arguments)
    try:
        return COMMANDS[given.command].run(given)
    except RnnvizError as wrong:
        print(f"rnnviz: {wrong}", file=sys.stderr)
        return 2
