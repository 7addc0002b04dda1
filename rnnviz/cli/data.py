"""rnnviz data: what is recognised in a file."""

import argparse
import dataclasses
import json
import tempfile
from pathlib import Path

from rnnviz.cli.options import option, sandbox, setting_of, stored
from rnnviz.config import DataConfig

HELP = "look at data in this terminal"
OF_A_TABLE = (
    *("table", "layout", "person", "target", "covariate_columns"),
    *("missing", "saturation"),
)


def add(parser: argparse.ArgumentParser) -> None:
    """Its actions."""
    actions = parser.add_subparsers(dest="action", required=True)
    show = actions.add_parser("show", help="say what is recognised in a file")
    show.add_argument("path", metavar="FILE", help="an R file, a table, or either in an archive")
    show.add_argument("--json", action="store_true", help="as JSON instead of words")
    show.add_argument("--join", default="", metavar="FILE", help=setting_of("join").rule.help)
    for name in OF_A_TABLE:
        show.add_argument("--" + name.replace("_", "-"), dest=name, **option(setting_of(name)))


def _show(given: argparse.Namespace) -> int:
    from rnnviz.data.show import show

    values = {name: getattr(given, name) for name in OF_A_TABLE}
    with tempfile.TemporaryDirectory() as folder, sandbox() as running:
        here = Path(folder)
        ids = [stored(p, here, running) if p else "" for p in (given.path, given.join)]
        config = DataConfig(source="file", file=ids[0], join=ids[1], **values)
        summary, shown = show(config, here)
    if given.json:
        print(json.dumps(dataclasses.asdict(shown), ensure_ascii=False))
        return 0
    print(summary)
    objects = [f"{o['name']}: {o['kind']}, {o['rows']} x {o['columns']}" for o in shown.objects]
    skipped = [f"left out: {s['name']} {s['why']}" for s in shown.skipped]
    for line in (f"read by {shown.reader}", *objects, *skipped, *shown.notes):
        print(f"  {line}")
    return 0


def run(given: argparse.Namespace) -> int:
    """Does what is asked for."""
    return _show(given)
