"""`make app` and `make test` install once, and again only when something changed.

A stand-in for Python takes the place of the real one: it notes what it is asked to do.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
WANTED = ["requirements.txt", "requirements-dev.txt", "constraints.txt", "pyproject.toml"]
STAND_IN = """#!/bin/sh
case "$1" in
  -c) exit ${TOO_OLD:-0} ;;
  --version) echo "Python 3.11.0"; exit ;;
esac
echo "$@" >> "$NOTES"
if [ "$2" = venv ]; then
  mkdir -p .venv/bin
  cp "$0" .venv/bin/python
fi
if [ "$2" = pip ]; then exit ${PIP_FAILS:-0}; fi
"""


class Folder:
    """A copy of what the commands need, and what the stand-in was asked since the last look."""

    def __init__(self, place: Path, stand_in: Path) -> None:
        self.place = place
        self.stand_in = stand_in
        self.notes = stand_in.with_name("notes")

    def make(self, target: str, **settings: str) -> subprocess.CompletedProcess[str]:
        settings = {"PYTHON": str(self.stand_in), "NOTES": str(self.notes), **settings}
        return subprocess.run(
            ["make", "-C", str(self.place), target, *(f"{k}={v}" for k, v in settings.items())],
            env={"PATH": os.environ["PATH"]} | settings,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def asked(self, target: str, **settings: str) -> list[str]:
        self.notes.write_text("")
        done = self.make(target, **settings)
        assert done.returncode == 0, done.stderr
        return self.notes.read_text().replace("--disable-pip-version-check ", "").splitlines()


FOR_APP = "-m pip install -r requirements.txt"
FOR_TESTS = "-m pip install -r requirements-dev.txt"
ITSELF = "-m pip install --quiet --no-deps --no-build-isolation --editable ."
VENV = "-m venv .venv"
HALVES = ["-m pytest -n auto -m not browser", "-m pytest -m browser"]


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "a folder with blanks"
    (place / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "environment", place / "tools")
    for name in ["Makefile", *WANTED]:
        shutil.copy(ROOT / name, place)
    stand_in = tmp_path / "python"
    stand_in.write_text(STAND_IN)
    stand_in.chmod(0o755)
    return Folder(place, stand_in)


def test_a_first_start_installs_and_a_second_does_not(folder):
    assert folder.asked("app") == [VENV, FOR_APP, ITSELF, "-m streamlit run app.py"]
    assert folder.asked("app") == ["-m streamlit run app.py"]


def test_what_the_tests_need_holds_what_the_app_needs_but_not_the_reverse(folder):
    folder.asked("setup")
    assert folder.asked("test") == [VENV, FOR_TESTS, ITSELF, *HALVES]
    assert folder.asked("setup") == []


@pytest.mark.parametrize("name", WANTED)
def test_a_changed_pin_is_installed(folder, name):
    folder.asked("setup")
    (folder.place / name).write_text((folder.place / name).read_text() + "# changed\n")
    assert FOR_APP in folder.asked("setup")
    assert folder.asked("setup") == []


def test_newer_dates_alone_install_nothing(folder):
    folder.asked("setup")
    for name in WANTED:
        (folder.place / name).touch()
    assert folder.asked("setup") == []


def test_a_moved_folder_gets_a_new_environment(folder):
    folder.asked("setup")
    (folder.place / ".venv" / "old").touch()
    folder.place = folder.place.rename(folder.place.with_name("moved"))
    assert folder.asked("setup") == [VENV, FOR_APP, ITSELF]
    assert not (folder.place / ".venv" / "old").exists()


def test_an_installation_that_failed_is_begun_anew(folder):
    assert folder.make("setup", PIP_FAILS="1").returncode != 0
    assert not list((folder.place / ".venv").glob("stamp*"))
    (folder.place / ".venv" / "old").touch()
    assert folder.asked("setup") == [VENV, FOR_APP, ITSELF]
    assert not (folder.place / ".venv" / "old").exists()


def test_an_update_that_failed_does_not_leave_the_old_stamp(folder):
    folder.asked("setup")
    (folder.place / "constraints.txt").write_text("# none\n")
    assert folder.make("setup", PIP_FAILS="1").returncode != 0
    assert folder.asked("setup") == [VENV, FOR_APP, ITSELF]


def test_an_environment_made_by_hand_is_kept(folder):
    (folder.place / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(folder.stand_in, folder.place / ".venv" / "bin" / "python")
    (folder.place / ".venv" / "mine").touch()
    assert FOR_APP in folder.asked("setup")
    assert (folder.place / ".venv" / "mine").exists()


def test_a_further_index_is_looked_at_where_one_is_named(folder):
    index = "https://wheels.example/cpu"
    assert f"-m pip install --extra-index-url {index} -r requirements.txt" in folder.asked(
        "setup", TORCH_INDEX=index
    )


def test_an_old_python_is_refused_in_one_sentence(folder, tmp_path):
    for name in ("python3", "python3.13", "python3.12", "python3.11", "python"):
        old = tmp_path / "old" / name
        old.parent.mkdir(exist_ok=True)
        shutil.copy(folder.stand_in, old)
    path = f"{tmp_path / 'old'}:{os.environ['PATH']}"
    done = folder.make("app", PYTHON="", TOO_OLD="1", PATH=path)
    assert done.returncode != 0
    assert "rnnviz needs Python 3.11 or newer, and none was found; install one" in done.stderr
    assert not (folder.place / ".venv").exists()


def test_make_alone_says_what_there_is(folder):
    done = folder.make("help")
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("make ")] == [
        "app",
        "test",
        "check",
        "clean",
    ]
