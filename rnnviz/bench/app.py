"""What a person waits for: the real server, in a real browser, with the clock inside the page.

Needs playwright and Chromium; where one is missing a row says so and nothing fails.
"""

import importlib.util
import os
import shutil
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import psutil

from rnnviz.bench.core import PACKAGES, Row
from rnnviz.config import DataConfig
from rnnviz.data import sources
from rnnviz.errors import RunError
from rnnviz.ui import server

if TYPE_CHECKING:  # playwright is for those who develop
    from playwright.sync_api import Browser, Page

TIMES = 5  # starts, and presses of Train
CLICKS = 24
PATIENCE = 60.0  # for anything to happen [s]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TRAIN = ".st-key-do_train button:enabled"
STOP = ".st-key-do_stop button:enabled"
MORE_UNITS = ".st-key-hidden_size [data-testid=stNumberInputStepUp]"
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
DRAWN = ".rnnviz-plot[aria-busy=false]"

# From the next click until a text that fits is new on the page and its frame is due, in
# milliseconds. `where` chooses elements, `pattern` what their text has to hold.
WATCH = """({ where, pattern, patience }) => {
  const texts = () => [...document.querySelectorAll(where)]
    .map((it) => it.textContent.match(pattern)?.[0]).filter(Boolean).join("|");
  const before = texts();
  let clicked = null;
  const note = (event) => { clicked = event.timeStamp; };
  addEventListener("click", note, { capture: true, once: true });
  window.answered = new Promise((resolve, reject) => {
    const observer = new MutationObserver(() => {
      const now = texts();
      if (clicked === null || now === before || now === "") return;
      observer.disconnect();
      requestAnimationFrame(() => resolve(performance.now() - clicked));
    });
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    setTimeout(() => reject(new Error("no answer came")), patience);
  });
}"""
VERDICT = {"where": "[data-testid=stMarkdown]", "pattern": "^The network .*"}
WEIGHTS = {"where": "[data-testid=stCaptionContainer]", "pattern": "[0-9,]+ weights"}


@dataclass(frozen=True, kw_only=True)
class Serving:
    """A server that has just been started, and when [s, time.perf_counter]."""

    url: str
    process: psutil.Popen
    began: float

    def megabytes(self) -> float:
        """Resident memory of the server alone."""
        return self.process.memory_info().rss / 1e6

    def workers(self) -> list[float]:
        """Resident memory of each process that it started [MB]."""
        return [child.memory_info().rss / 1e6 for child in self.process.children(recursive=True)]


@contextmanager
def serving(home: Path) -> Iterator[Serving]:
    """The app on a free port; ends with all its workers.

    Raises:
        RunError: the server did not come up.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--server.headless=true", f"--server.port={port}", "--server.address=127.0.0.1"]
    path = os.pathsep.join(filter(None, [str(PACKAGES), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "RNNVIZ_HOME": str(home), "PYTHONPATH": path}
    log = home / "server.log"
    with log.open("wb") as output:
        began = time.perf_counter()
        process = psutil.Popen(
            server.command(*options), cwd=home, env=environment, stdout=output, stderr=output
        )
        try:
            _wait_for(port, process, log)
            yield Serving(url=f"http://127.0.0.1:{port}", process=process, began=began)
        finally:
            _end(process)


def _wait_for(port: int, process: psutil.Popen, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)  # nothing tells when a port opens
    raise RunError(f"the server did not come up: {log.read_text()[-2000:]}")


def _end(process: psutil.Popen) -> None:
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    process.terminate()
    _, alive = psutil.wait_procs(family, timeout=5)
    for left in alive:
        left.kill()


@contextmanager
def stage() -> Iterator[tuple["Browser", Path]]:
    """A browser, and a home in which the default data lie ready."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        sources.load(DataConfig(), home)
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        try:
            yield browser, home
        finally:
            browser.close()


def chromium() -> str | None:
    """Where Chromium is; RNNVIZ_CHROMIUM names another one."""
    named = os.environ.get("RNNVIZ_CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser")


def missing() -> str:
    """What is missing here to measure in a browser, or ""."""
    if importlib.util.find_spec("playwright") is None:
        return "playwright is not installed"
    return "" if chromium() else "no Chromium"


@contextmanager
def visit(browser: "Browser", url: str, **settings: int) -> Iterator["Page"]:
    """A new visitor on the Train page, as soon as Train can be pressed."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(1e3 * PATIENCE)
    try:
        page = context.new_page()
        page.goto(f"{url}/?{urlencode(settings)}", wait_until="commit")
        page.wait_for_selector(TRAIN)
        yield page
    finally:
        context.close()


def run_to_its_end(page: "Page") -> None:
    """Press Train and wait until it can be pressed again."""
    page.click(TRAIN)
    page.wait_for_selector(STOP)
    page.wait_for_selector(TRAIN)
    page.wait_for_selector(IDLE)


def answered(page: "Page", press: str, sign: Mapping[str, str]) -> float:
    """Seconds from a click on `press` until the sign of its answer is on the page."""
    page.wait_for_selector(press)
    page.evaluate(WATCH, {**sign, "patience": 1e3 * PATIENCE})
    page.click(press)
    return page.evaluate("() => window.answered") / 1e3


# -- the rows --------------------------------------------------------------------------------------


def first_paint(name: str) -> Row:
    """From the start of the server until Train can be pressed; and memory."""
    seconds, empty, visited, after, workers = [], [], [], [], []
    with stage() as (browser, home):
        for _ in range(TIMES):
            with serving(home) as app:
                empty.append(app.megabytes())
                with visit(browser, app.url, epochs=3) as page:
                    seconds.append(time.perf_counter() - app.began)
                    page.wait_for_selector(IDLE)
                    visited.append(app.megabytes())
                    run_to_its_end(page)
                    after.append(app.megabytes())
                    workers += app.workers()
    memory = [f"{statistics.median(sizes):.0f}" for sizes in (empty, visited, after, workers)]
    return Row(
        name=name,
        value=f"{_spread(seconds)}; {memory[0]} MB before the first visit, {memory[1]} MB after "
        f"it, {memory[2]} MB after a run; a worker has {memory[3]} MB",
    )


def first_epoch(name: str) -> Row:
    """Of new visitors, while the worker is warm."""
    with stage() as (browser, home), serving(home) as app:
        with visit(browser, app.url, epochs=1) as page:
            run_to_its_end(page)
        seconds = []
        for _ in range(TIMES):
            with visit(browser, app.url, epochs=100) as page:
                page.wait_for_selector(DRAWN)
                page.wait_for_selector(IDLE)
                seconds.append(answered(page, TRAIN, VERDICT))
                page.click(STOP)
                page.wait_for_selector(TRAIN)
    return _judged(name, seconds, 1.5)


def click(name: str) -> Row:
    """One more unit is asked for; the number of weights that the page then names is the answer."""
    seconds = []
    with (
        stage() as (browser, home),
        serving(home) as app,
        visit(browser, app.url, epochs=10_000) as page,
    ):
        page.get_by_role("tab", name="Network").click()
        answered(page, TRAIN, VERDICT)
        for number in range(CLICKS):
            page.wait_for_timeout(300 + 70 * (number % 5))  # a person's pace, out of step
            seconds.append(answered(page, MORE_UNITS, WEIGHTS))
        page.click(STOP)
        page.wait_for_selector(TRAIN)
    return _judged(name, seconds, 0.25)


def _judged(name: str, seconds: list[float], most: float) -> Row:
    met = statistics.median(seconds) < most
    limit = f"{most:g} s" if most >= 1 else f"{1e3 * most:g} ms"
    return Row(name=name, value=_spread(seconds), target=f"median less than {limit}", met=met)


def _spread(seconds: list[float]) -> str:
    middle = statistics.median(seconds)
    if middle >= 1:
        said = f"{middle:.1f} s", f"{min(seconds):.1f} to {max(seconds):.1f}"
    else:
        said = f"{1e3 * middle:.0f} ms", f"{1e3 * min(seconds):.0f} to {1e3 * max(seconds):.0f}"
    return f"{said[0]} (median of {len(seconds)}; {said[1]})"


IN_BROWSER: Mapping[str, Callable[[str], Row]] = {
    "start of the server to the Train page; memory": first_paint,
    "Train pressed to the first epoch on screen, worker warm": first_epoch,
    "a click answered while a run trains": click,
}


def in_browser(name: str) -> Row:
    """Measures one of IN_BROWSER, or says what is missing for that, or what went wrong."""
    if lacks := missing():
        return Row(name=name, value=f"not measured: {lacks}")
    from playwright.sync_api import Error

    try:
        return IN_BROWSER[name](name)
    except Error as wrong:
        return Row(name=name, value=f"failed: {wrong.message.splitlines()[0]}", met=False)
