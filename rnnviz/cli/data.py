"""rnnviz data: what is recognised in a file, and the real NHANES from the CDC."""

import argparse
import dataclasses
import json
import os
import sys
import tempfile
import threading
from pathlib import Path

from rnnviz.cli.options import home, option, sandbox, setting_of, stored
from rnnviz.config import DataConfig
from rnnviz.errors import DataError

HELP = "look at data in this terminal, or fetch the real NHANES"
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
    show.set_defaults(act=_show)
    fetch = actions.add_parser("nhanes", help="fetch the study's data from the CDC (0.8 GB)")
    fetch.add_argument("--address", default="", help="where the CDC's folders by year lie")
    fetch.add_argument("--cycles", nargs="+", default=[], help="such as 2003-2004; else both")
    fetch.add_argument("--days", type=int, default=7, help="valid days of a person (default: 7)")
    fetch.add_argument("--worn", type=int, default=600, help="worn minutes of a valid day")
    fetch.add_argument("--follow", action="store_true", help=argparse.SUPPRESS)
    fetch.set_defaults(act=_nhanes)


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


def _nhanes(given: argparse.Namespace) -> int:
    from rnnviz.data import cdc, fetched
    from rnnviz.data.paxraw import Filters

    if given.follow:
        threading.Thread(target=_end_with_server, daemon=True).start()
    told = fetched.Status()
    try:
        for status in fetched.fetch(
            home(),
            address=given.address or cdc.ADDRESS,
            cycles=tuple(given.cycles) or tuple(cdc.CYCLES),
            filters=Filters(days=given.days, worn_minutes=given.worn),
        ):
            if (status.what, int(100 * status.share)) != (told.what, int(100 * told.share)):
                fetched.tell(home(), status)
                print(status if not status.upload else "done", flush=True)
                told = status
    except DataError as wrong:
        fetched.tell(home(), fetched.Status(trouble=str(wrong)))
        raise
    print(f"train on it: rnnviz train --file {told.upload}")
    return 0


def _end_with_server() -> None:
    """Whoever follows holds the other end of standard input."""
    sys.stdin.buffer.read()
    os._exit(1)


def run(given: argparse.Namespace) -> int:
    """Does what is asked for."""
    return given.act(given)
