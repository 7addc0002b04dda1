"""The command `rnnviz`: the app, and data, a training and measurements without a browser."""

import argparse
import contextlib
import dataclasses
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from rnnviz import __version__
from rnnviz.config import (
    Choice,
    DataConfig,
    Knob,
    ModelConfig,
    RunConfig,
    Setting,
    Switch,
    TrainingConfig,
    settings_of,
)
from rnnviz.errors import DataError, RnnvizError

if TYPE_CHECKING:
    from rnnviz.data.sandbox import Sandbox

PARTS = {"data": DataConfig, "model": ModelConfig, "training": TrainingConfig}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 is success, 2 a mistake of the person, told in one sentence."""
    parser = argparse.ArgumentParser(prog="rnnviz", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    app = commands.add_parser("app", help="open the app in the browser")
    app.add_argument("options", nargs="*", help="options of `streamlit run`, after --")
    _add_train(commands.add_parser("train", help="train a network in this terminal"))
    _add_data(commands.add_parser("data", help="look at data in this terminal"))
    bench = commands.add_parser("bench", help="measure speed, as ratios within this run")
    bench.add_argument("--only", default="", help="measure only what has this in its name")
    given = parser.parse_args(arguments)
    try:
        return COMMANDS[given.command](given)
    except RnnvizError as wrong:
        print(f"rnnviz: {wrong}", file=sys.stderr)
        return 2


def home() -> Path:
    """Where runs, uploads and caches are kept: RNNVIZ_HOME, or the user's data folder."""
    return Path(os.environ.get("RNNVIZ_HOME") or platformdirs.user_data_dir("rnnviz"))


def _app(given: argparse.Namespace) -> int:
    from rnnviz.ui import server  # Streamlit takes a second to import

    return subprocess.call(server.command(*given.options))


# -- data ------------------------------------------------------------------------------------------

OF_A_TABLE = (
    *("table", "layout", "person", "target", "covariate_columns"),
    *("missing", "saturation"),
)


def _add_data(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    show = actions.add_parser("show", help="say what is recognised in a file")
    show.add_argument("path", metavar="FILE", help="an R file, a table, or either in an archive")
    show.add_argument("--json", action="store_true", help="as JSON instead of words")
    show.add_argument("--join", default="", metavar="FILE", help=_setting("join").rule.help)
    for name in OF_A_TABLE:
        show.add_argument("--" + name.replace("_", "-"), dest=name, **_option(_setting(name)))


def _setting(name: str) -> Setting:
    return next(setting for setting in settings_of(DataConfig) if setting.name == name)


def _data(given: argparse.Namespace) -> int:
    from rnnviz.data.show import show

    values = {name: getattr(given, name) for name in OF_A_TABLE}
    with tempfile.TemporaryDirectory() as folder, _sandbox() as sandbox:
        here = Path(folder)
        ids = [_stored(p, here, sandbox) if p else "" for p in (given.path, given.join)]
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


def _sandbox() -> contextlib.AbstractContextManager["Sandbox"]:
    from rnnviz.data.sandbox import Sandbox  # pandas and Arrow take a second to import

    return Sandbox(helpers=1)


def _stored(given: str, home: Path, sandbox: "Sandbox") -> str:
    """The id of a file on this machine, once it is read and kept."""
    from rnnviz.data.uploads import store

    path = Path(given)
    try:
        data = path.read_bytes()
    except OSError:
        raise DataError(
            f"there is no file {given} that can be read; give the path of an R file or a table"
        ) from None
    return store(data, path.name, home, sandbox).id


# -- train -----------------------------------------------------------------------------------------


def _add_train(parser: argparse.ArgumentParser) -> None:
    for part in PARTS.values():
        for setting in settings_of(part):
            name = "--" + setting.name.replace("_", "-")
            parser.add_argument(name, dest=setting.name, **_option(setting))


def _option(setting: Setting) -> dict[str, Any]:
    rule = setting.rule
    text = rule.help.replace("%", "%%")
    shared = {"default": setting.default, "help": f"{text} (default: {setting.default!r})"}
    if isinstance(rule, Switch):
        return {**shared, "action": argparse.BooleanOptionalAction}
    if isinstance(rule, Choice):
        return {**shared, "choices": list(rule.options)}
    return {**shared, "type": setting.type if isinstance(rule, Knob) else str}


def _train(given: argparse.Namespace) -> int:
    values = {
        name: {setting.name: getattr(given, setting.name) for setting in settings_of(part)}
        for name, part in PARTS.items()
    }
    config = RunConfig.from_dict(_with_file(values))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from rnnviz.events import EpochEnded, Failed, Finished, Started
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


def _with_file(values: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Paths given as --file and --join are read and stored as uploads; the settings hold ids."""
    data = values["data"]
    given = {name: data[name] for name in ("file", "join") if _is_path(data[name])}
    if not given:
        return values
    for path in given.values():
        if not Path(path).is_file():
            raise DataError(
                f"there is no file {path}; give the path of an R file, a table or a text"
            )
    from rnnviz.data.uploads import store_text

    if data["source"] == "text" and "file" in given:
        text = Path(data["file"]).read_text("utf-8", errors="replace")
        return {**values, "data": {**data, "file": store_text(text, home())}}
    with _sandbox() as sandbox:
        ids = {name: _stored(path, home(), sandbox) for name, path in given.items()}
    return {**values, "data": {**data, **ids, "source": "file"}}


def _is_path(given: str) -> bool:
    """Not nothing, and not what the app has stored already."""
    return bool(given) and (Path(given).exists() or not re.fullmatch(r"[0-9a-f]{20}", given))


def _bench(given: argparse.Namespace) -> int:
    from rnnviz.bench import table  # torch takes two seconds to import

    began = time.perf_counter()
    for line in table(given.only):
        print(line, flush=True)
    print(f"\nmeasured in {time.perf_counter() - began:.0f} s")
    return 0


COMMANDS = {"app": _app, "data": _data, "train": _train, "bench": _bench}
