"""rnnviz model: what a model's file holds, the same as another kind, and the model of a run."""

import argparse
import json
from pathlib import Path
from typing import Any

from rnnviz.cli.options import home
from rnnviz.errors import DataError

HELP = "show a model's file, or turn it into another"


def add(parser: argparse.ArgumentParser) -> None:
    """Its three tasks."""
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


def run(given: argparse.Namespace) -> int:
    """Shows, converts or saves."""
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
    from rnnviz import applying  # torch takes two seconds to import
    from rnnviz.runs.run import Run
    from rnnviz.study import saved
    from rnnviz.study.settings import AS_WRITTEN, PROGRAMS

    opened = Run.open(home(), id)
    of_study = opened.program == PROGRAMS[AS_WRITTEN]
    return saved.stored_of_run(opened) if of_study else applying.stored_of(opened)


def _as_pt(stored: Any) -> bytes:
    from rnnviz.exchange.torch_files import write_pt  # torch takes two seconds to import

    return write_pt(stored)
