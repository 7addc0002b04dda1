"""What the files around the code promise: pins, commands, texts, and what a wheel holds."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import rnnviz

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BUILD_TOOL = "hatchling"
PIN = re.compile(r"([A-Za-z0-9._-]+)==(\S+)")


def tracked() -> list[Path]:
    """The project's files: those that git knows of, or all where this is no git checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    files = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [f for f in folders if f in (".ci", ".streamlit") or f[0] not in "._"]
        files += [Path(folder, name) for name in names if not name.endswith(".pyc")]
    return files


def python_files(*folders: str) -> list[Path]:
    return [f for name in folders for f in sorted(ROOT.glob(f"{name}/**/*.py"))]


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text().splitlines()
    wanted = [line for line in lines if line and not line.startswith(("#", "-"))]
    matches = [PIN.fullmatch(line) for line in wanted]
    assert all(matches), f"{name} pins every package with =="
    return {m[1].lower().replace("_", "-"): m[2] for m in matches if m}


def test_requirements_pin_what_the_project_names():
    named = dict(PIN.fullmatch(line).groups() for line in PROJECT["project"]["dependencies"])
    pinned = pins("requirements.txt")
    build_tool = pinned.pop(BUILD_TOOL)
    assert named == pinned
    assert PROJECT["build-system"]["requires"] == [f"{BUILD_TOOL}=={build_tool}"]
    assert pinned["torch"] == "2.13.0"


def test_no_package_is_pinned_twice():
    names = ("requirements.txt", "requirements-dev.txt", "constraints.txt")
    everything = [package for name in names for package in pins(name)]
    assert len(everything) == len(set(everything))


def test_every_package_that_is_imported_is_pinned():
    owners = packages_distributions()
    imported = set()
    for file in [*python_files("rnnviz", "pages"), ROOT / "app.py"]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported.add(node.module.split(".")[0])
    # `rnnviz bench` measures in a browser where the tools of the tests are installed
    foreign = imported - set(sys.stdlib_module_names) - {"rnnviz", "playwright"}
    wanted = {owners.get(name, [name])[0].lower().replace("_", "-") for name in foreign}
    assert "numpy" in wanted
    assert wanted <= set(pins("requirements.txt"))


def test_no_file_names_a_machine_or_a_package_registry():
    # Put together here, so that this file names none either.
    hosts = [
        "py" + "pi.org",
        "python" + "hosted",
        "download.py" + "torch",
        "npm" + "js.",
        "deb." + "debian",
    ]
    folders = ["work", "root", "home", "opt", "tmp"]
    found = re.compile(
        "|".join(map(re.escape, hosts)) + rf"|(?<![\w.}}])/(?:{'|'.join(folders)})/[\w.]"
    )
    files = tracked()
    assert ROOT / "Makefile" in files
    guilty = []
    for file in files:
        text = file.read_bytes().decode("utf-8", "ignore")
        guilty += [f"{file.relative_to(ROOT)}: {m[0]}" for m in found.finditer(text)]
    assert guilty == []


def test_every_module_says_what_it_is_for():
    files = [*python_files("rnnviz", "pages", "tests"), ROOT / "app.py"]
    assert len(files) > 20
    silent = [f.relative_to(ROOT) for f in files if not ast.get_docstring(ast.parse(f.read_text()))]
    assert silent == []


def test_the_commands_of_the_readme_exist():
    readme = (ROOT / "README.md").read_text()
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    code = "\n".join(re.findall(r"```.*?```|`[^`]+`", readme, re.DOTALL))
    commands = set(re.findall(r"\bmake ([a-z-]+)", code))
    assert {"app", "test"} <= commands <= set(targets)
    assert set(re.findall(r"\]\((?!https?:|#)([^)#]+)", readme)) <= {
        str(file.relative_to(ROOT)) for file in tracked()
    }


def test_the_changelog_knows_this_version():
    assert f"## {rnnviz.__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_a_wheel_holds_all_that_the_app_needs(tmp_path):
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")
    build = "from hatchling.build import build_wheel; import sys; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, check=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {f.relative_to(ROOT) for f in tracked() if f.is_relative_to(ROOT / "rnnviz")}
    assert {path.as_posix() for path in package} <= names
    pages = {f"rnnviz/_app/pages/{f.name}" for f in (ROOT / "pages").glob("*.py")}
    assert pages | {"rnnviz/_app/app.py", "rnnviz/_app/.streamlit/config.toml"} <= names
    scripts = next(name for name in names if name.endswith("entry_points.txt"))
    assert b"rnnviz = rnnviz.cli:main" in zipfile.ZipFile(wheel).read(scripts)
