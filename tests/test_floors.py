"""Imports point down only, and the server's process does not load torch."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINT = (
    "from importlinter.cli import lint_imports_command as lint; lint(['--no-cache', '--no-logo'])"
)
# Streamlit runs these from top to bottom, so a test may take over their imports only.
SCRIPTS = [ROOT / "rnnviz" / "ui" / "main.py", *sorted((ROOT / "pages").glob("*.py"))]


def python(program: str, *words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_imports_point_down_only():
    done = python(LINT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("figures/__init__.py", "import torch", "What runs in the server does not load torch"),
        ("data/dataset.py", "import streamlit", "Only rnnviz.ui knows Streamlit"),
        ("data/dataset.py", "import pyreadr", "Only rnnviz.data.rdata reads R files"),
        ("data/dataset.py", "import plotly", "Only rnnviz.figures and rnnviz.ui know Plotly"),
        ("config.py", "from rnnviz import events", "Imports point down only"),
        ("runs/__init__.py", "from rnnviz import figures", "Imports point down only"),
        ("newcomer.py", "", "are not listed as layers: - rnnviz.newcomer"),
    ],
)
def test_an_import_that_points_up_is_found(tmp_path, module, line, broken):
    shutil.copytree(ROOT / "rnnviz", tmp_path / "rnnviz")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "rnnviz" / module).open("a") as file:
        file.write(f"\n{line}\n")
    done = python(LINT, cwd=tmp_path)
    assert done.returncode == 1
    said = re.sub(r"(?m)^.* KEPT.*$", "", done.stdout)  # where names stand that are not broken
    assert broken in " ".join(said.split()), done.stdout


def server_modules() -> list[str]:
    """What may not load torch, as pyproject.toml has it, with all that lies inside."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    packages = next(c["source_modules"] for c in contracts if c["id"] == "torch")
    found = []
    for name in packages:
        place = ROOT.joinpath(*name.split("."))
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
        found += [file for file in files if file not in SCRIPTS]
    names = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in found]
    return [name.removesuffix(".__init__") for name in names]


def imports_of(script: Path) -> str:
    tree = ast.parse(script.read_text())
    tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return ast.unparse(tree)


def test_the_server_does_not_load_torch():
    modules = server_modules()
    assert "rnnviz.ui" in modules
    program = (
        "import importlib, json, sys\n"
        "for name in json.loads(sys.argv[1]): importlib.import_module(name)\n"
        "for imports in json.loads(sys.argv[2]): exec(imports)\n"
        "print('torch' in sys.modules, 'streamlit' in sys.modules)\n"
    )
    scripts = [imports_of(script) for script in SCRIPTS]
    done = python(program, json.dumps(modules), json.dumps(scripts))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["False", "True"]
