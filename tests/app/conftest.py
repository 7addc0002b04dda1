"""The app without a browser: a home of its own, and runs that are trained once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driven import EXAMPLES, at_home, press, ready

from rnnviz.data.sandbox import Sandbox
from rnnviz.runs.run import Run


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(helpers=1) as running:
        yield running


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def trained_ids() -> dict[str, str]:
    """The run of each example that is trained by now."""
    return {}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Path:
    at_home(monkeypatch, tmp_path, sandbox)
    return tmp_path


@pytest.fixture
def trained(
    shared_home: Path,
    trained_ids: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    sandbox: Sandbox,
) -> Callable[[str], Run]:
    """The finished run of an example, trained once for all tests, in a home of their own."""

    def of(name: str) -> Run:
        at_home(monkeypatch, shared_home, sandbox)
        if name not in trained_ids:
            trained_ids[name] = press(ready(EXAMPLES[name]), "train").query_params["run"]
        return Run.open(shared_home, trained_ids[name])

    return of
