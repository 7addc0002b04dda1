"""The command `rnnviz`: the app, trainings without a browser, models' files, measurements."""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

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
from rnnviz.errors import ConfigError, DataError, RnnvizError

PARTS = {"data": DataConfig, "model": ModelConfig, "training": TrainingConfig}
MOST_SEEDS = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 is success, 2 a mistake of the person, told in one sentence."""
    parser = argparse.ArgumentParser(prog="rnnviz", description=__doc__)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)
    app = commands.add_parser("app", help="open the app in the browser")
    app.add_argument("options", nargs="*", help="options of `streamlit run`, after --")
    _add_train(commands.add_parser("train", help="train a network in this terminal"))
    _add_model(commands.add_parser("model", help="show a model's file, or turn it into another"))
    _add_study(commands.add_parser("study", help="the NHANES study, as written and corrected"))
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
    """A path given as --file is read and stored as an upload; the settings hold its id."""
    given = values["data"]["file"]
    path = Path(given)
    if not given or (not path.exists() and re.fullmatch(r"[0-9a-f]{20}", given)):
        return values  # nothing, or what the app has stored already
    if not path.is_file():
        raise DataError(f"there is no file {given}; give the path of an R file, a table or a text")
    from rnnviz.data.sandbox import Sandbox
    from rnnviz.data.uploads import store, store_text

    if values["data"]["source"] == "text":
        upload = store_text(path.read_text("utf-8", errors="replace"), home())
    else:
        with Sandbox() as sandbox:
            upload = store(path.read_bytes(), path.name, home(), sandbox).id
        values["data"]["source"] = "file"
    return {**values, "data": {**values["data"], "file": upload}}


# -- model -----------------------------------------------------------------------------------------


def _add_model(parser: argparse.ArgumentParser) -> None:
    tasks = parser.add_subparsers(dest="task", required=True)
    show = tasks.add_parser("show", help="say what a model's file holds")
    show.add_argument("file", type=Path, help="a .safetensors, .h5, .keras or .pt file")
    show.add_argument("--json", action="store_true", help="as JSON")
    convert = tasks.add_parser("convert", help="write the model of one file as another kind")
    convert.add_argument("file", type=Path, help="a .safetensors, .h5, .keras or .pt file")
    save = tasks.add_parser("save", help="write the model of a run of the app")
    save.add_argument("run", help="the run's id, as in the address of its page")
    for task in (convert, save):
        task.add_argument("out", type=Path, help="a new file; its ending says the kind")


def _model(given: argparse.Namespace) -> int:
    from rnnviz.exchange.describe import lines, to_dict
    from rnnviz.exchange.reading import model_sandbox, read_model
    from rnnviz.exchange.writing import WRITERS, write_model

    if given.task == "save":
        stored = _of_run(given.run)
    elif given.file.is_file():
        with model_sandbox() as sandbox:
            stored = read_model(given.file, given.file.name, sandbox)
    else:
        raise DataError(f"there is no file {given.file}; give the path of a model's file")
    if given.task != "show":
        write_model(stored, given.out, {**WRITERS, ".pt": _as_pt})
        print(f"wrote {given.out}, {given.out.stat().st_size:,} bytes")
    elif given.json:
        print(json.dumps(to_dict(stored), ensure_ascii=False))
        return 0
    print("\n".join(lines(stored)))
    return 0


def _of_run(id: str) -> Any:
    from rnnviz.applying import stored_of  # torch takes two seconds to import
    from rnnviz.runs.run import Run

    return stored_of(Run.open(home(), id))


def _as_pt(stored: Any) -> bytes:
    from rnnviz.exchange.torch_files import write_pt  # torch takes two seconds to import

    return write_pt(stored)


# -- bench -----------------------------------------------------------------------------------------


# -- study -----------------------------------------------------------------------------------------


def _add_study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--file", default="", help="an R file or a table of days by the minute")
    parser.add_argument(
        "--seeds", type=int, default=5, help="splits by person of the corrected one (default: 5)"
    )
    for name, default in (("people", 300), ("days", 7)):
        known = next(setting for setting in settings_of(DataConfig) if setting.name == name)
        text = f"{known.rule.help} Without a file (default: {default})"
        parser.add_argument(f"--{name}", type=int, default=default, help=text)


def _study(given: argparse.Namespace) -> int:
    if not 1 <= given.seeds <= MOST_SEEDS:
        raise ConfigError(f"seeds is {given.seeds}; it must lie in [1, {MOST_SEEDS}]")
    data = DataConfig(file=given.file, people=given.people, days=given.days)
    config = RunConfig.from_dict(_with_file(RunConfig(data=data).to_dict()))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from rnnviz.study.terminal import told

    for line in told(config.data, home(), given.seeds):
        print(line, flush=True)
    return 0


def _bench(given: argparse.Namespace) -> int:
    from rnnviz.bench import table  # torch takes two seconds to import

    began = time.perf_counter()
    for line in table(given.only):
        print(line, flush=True)
    print(f"\nmeasured in {time.perf_counter() - began:.0f} s")
    return 0


COMMANDS = {
    "app": _app,
    "train": _train,
    "study": _study,
    "model": _model,
    "bench": _bench,
}
