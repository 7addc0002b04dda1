"""A real server and a real browser: Chromium visits what `streamlit run` serves.

Every test here also says that no request left this computer and that the console stayed quiet.
"""

import os
import socket
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import psutil
import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page

from rnnviz.ui import server as app_server

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START = 60.0  # a server must answer within [s]
# On a deep link Streamlit's page asks for these below the page's own address first, in vain.
EXPECTED_404 = ("/_stcore/health", "/_stcore/host-config")


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server: its address, what it printed, and where it keeps runs."""

    url: str
    log: Path
    home: Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks all tests beside this file, so that `make test` gives them the computer to themselves.

    pytest calls this with the tests of all folders.
    """
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        try:
            with urlopen(f"{url}/_stcore/health", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            pass
        try:
            process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail(f"the server did not come up:\n{log.read_text()}")


def end(process: subprocess.Popen[bytes]) -> None:
    """Ends the server and every process that it started."""
    try:
        family = [
            *psutil.Process(process.pid).children(recursive=True),
            psutil.Process(process.pid),
        ]
    except psutil.NoSuchProcess:
        return
    process.terminate()
    _, alive = psutil.wait_procs(family, timeout=5)
    for one in alive:
        one.kill()
    process.wait()


@contextmanager
def serving(command: list[str], folder: Path) -> Iterator[Server]:
    """Runs a command that serves the app, on a free port, with its files in a folder."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    options = ["--server.headless", "true", "--server.port", str(port)]
    options += ["--server.address", "127.0.0.1"]
    server = Server(url=url, log=folder / "server.log", home=folder / "home")
    environment = {**os.environ, "RNNVIZ_HOME": str(server.home)}
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            [*command, *options], cwd=folder, env=environment, stdout=log, stderr=log
        )
        try:
            wait_until_healthy(url, process, server.log)
            yield server
        finally:
            end(process)


@pytest.fixture(scope="session")
def serve(chromium):  # noqa: ARG001  without a browser no server is worth starting
    """For servers of a test's own: `with serve(command, folder) as running:`."""
    return serving


@pytest.fixture(scope="session")
def server(serve, tmp_path_factory) -> Iterator[Server]:
    """The app itself."""
    with serve(app_server.command(), tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.fixture(scope="session")
def base_url(server) -> str:
    """Where page.goto("/train") leads."""
    return server.url


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args, request):
    """Chromium as it is installed; RNNVIZ_CHROMIUM names another one."""
    path = os.environ.get("RNNVIZ_CHROMIUM") or request.getfixturevalue("chromium")
    return {**browser_type_launch_args, "executable_path": path, "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": {"width": 1280, "height": 800}}


def is_error(message: ConsoleMessage) -> bool:
    where = urlsplit(message.location["url"]).path
    expected = "404" in message.text and where.endswith(EXPECTED_404)
    return message.type == "error" and not expected


@pytest.fixture(autouse=True)
def quiet(context: BrowserContext) -> Iterator[None]:
    """Fails a test in which a request left this computer or something went wrong in a page."""
    outside: list[str] = []
    errors: list[str] = []

    def look_at(url: str) -> None:
        url = url.removeprefix("blob:")  # what a page made itself has the page's address
        if urlsplit(url).hostname not in ("127.0.0.1", "localhost") and "://" in url:
            outside.append(url)

    def watch(page: Page) -> None:
        page.on("websocket", lambda socket: look_at(socket.url))

    context.on("page", watch)
    context.on("request", lambda request: look_at(request.url))
    context.on(
        "console", lambda message: errors.append(message.text) if is_error(message) else None
    )
    context.on("weberror", lambda wrong: errors.append(str(wrong.error)))
    yield
    assert outside == [], "requests left this computer"
    assert errors == [], "the browser's console"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call) -> Generator:  # noqa: ARG001  pytest names them
    """Shows what the servers of a failed test printed."""
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Server):
                report.sections.append((f"log of {name}", value.log.read_text()[-4000:]))
    return report
