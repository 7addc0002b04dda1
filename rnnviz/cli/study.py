"""rnnviz study: the NHANES study as its script has it, and corrected."""

import argparse
import os

from rnnviz.cli.options import home, option, setting_of, with_files
from rnnviz.config import DataConfig, RunConfig
from rnnviz.errors import ConfigError

HELP = "the NHANES study, as written and corrected"
MOST_SEEDS = 100


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("--file", default="", help="an R file or a table of days by the minute")
    for name in ("table", "target"):
        parser.add_argument(f"--{name}", **option(setting_of(name)))
    parser.add_argument(
        "--seeds", type=int, default=5, help="splits by person of the corrected one (default: 5)"
    )
    for name, default in (("people", 300), ("days", 7)):
        known = setting_of(name)
        text = f"{known.rule.help} Without a file (default: {default})"
        parser.add_argument(f"--{name}", type=int, default=default, help=text)


def run(given: argparse.Namespace) -> int:
    """Prints both halves as tables."""
    if not 1 <= given.seeds <= MOST_SEEDS:
        raise ConfigError(f"seeds is {given.seeds}; it must lie in [1, {MOST_SEEDS}]")
    data = DataConfig(
        file=given.file,
        table=given.table,
        target=given.target,
        people=given.people,
        days=given.days,
    )
    config = RunConfig.from_dict(with_files(RunConfig(data=data).to_dict()))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from rnnviz.study.terminal import told

    for line in told(config.data, home(), given.seeds):
        print(line, flush=True)
    return 0
