"""Moves that the browser tests share: open a page, train, read what is drawn and what is kept."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import BrowserContext, Locator, Page, expect

from rnnviz.runs.run import Run

WAIT = 60_000  # for whatever has to happen at last, on a busy computer [ms]
Seen = TypeVar("Seen")


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A finished run, with the cookies of the visitor that it belongs to."""

    run: Run
    cookies: list

    def visit(self, context: BrowserContext, page: Page, name: str) -> None:
        """Opens a page of the app on this run, at its first step."""
        context.add_cookies(self.cookies)
        arrive(page, f"/{name}?run={self.run.id}&t=1")


def arrive(page: Page, address: str) -> None:
    """Opens a page and waits until its script has run to the end."""
    page.goto(address)
    expect(page.get_by_test_id("stMainBlockContainer")).to_be_visible(timeout=WAIT)
    settled(page)


def settled(page: Page) -> None:
    """No script is running, and none has stumbled."""
    state = page.get_by_test_id("stApp")
    expect(state).to_have_attribute("data-test-script-state", "notRunning", timeout=WAIT)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def turn_to(page: Page, name: str) -> None:
    """Goes to another page by its link, within the same session."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    path = {"Train": "", "Inside": "unrolled"}.get(name, name.lower())
    address = re.compile(rf"/{path}(\?|$)")
    expect(page).to_have_url(address, timeout=WAIT)
    settled(page)


def button(page: Page, name: str) -> Locator:
    return page.get_by_test_id("stMain").get_by_role("button", name=name, exact=True)


def says(page: Page, words: str | re.Pattern[str]) -> None:
    """The main part of the page shows these words by and by."""
    shown = page.get_by_test_id("stMain").get_by_text(words).first
    expect(shown).to_be_visible(timeout=WAIT)


def verdict(page: Page) -> str:
    """The sentence that says whether the network beats the mean."""
    words = re.compile(r"^The network (beats|does not beat) .+\.$")
    says(page, words)
    return page.get_by_test_id("stMain").get_by_text(words).first.inner_text()


def slider(page: Page, name: str) -> Locator:
    """A slider of the sidebar, by the beginning of its label."""
    sidebar = page.get_by_test_id("stSidebar")
    return sidebar.get_by_role("slider", name=re.compile(f"^{name}"))


def selected(page: Page, **places: int) -> None:
    """The sidebar shows these places; they count from 1."""
    for name, place in places.items():
        expect(slider(page, name.capitalize())).to_have_value(str(place), timeout=WAIT)


def plotted(page: Page, key: str, name: str) -> list[float]:
    """The values of one curve as Plotly draws them; empty while there is none."""
    drawn = page.locator(f".st-key-{key} .js-plotly-plot")
    values = "(it, name) => Array.from(it.data?.find((c) => c.name === name)?.y ?? [])"
    return drawn.first.evaluate(values, name) if drawn.count() else []


def by_and_by(page: Page, read: Callable[[], Seen], wanted: Callable[[Seen], bool]) -> Seen:
    """Reads until what was read is what is wanted; what is no locator cannot be expected."""
    deadline = time.monotonic() + WAIT / 1000
    while not wanted(seen := read()):
        assert time.monotonic() < deadline, f"in vain; last seen was {seen!r}"
        page.wait_for_timeout(50)
    return seen


def runs_in(home: Path) -> dict[str, Run]:
    """All runs that the server keeps, whoever they belong to."""
    folders = (home / "runs").glob("*/settings.json")
    return {path.parent.name: Run.open(home, path.parent.name) for path in folders}


def run_of(page: Page, home: Path) -> Run:
    """The run that the page's address names."""
    named = re.compile(r"[?&]run=([0-9a-f]{20})")
    expect(page).to_have_url(named, timeout=WAIT)
    return Run.open(home, named.search(page.url)[1])


def upload(page: Page, file: Path | dict, label: str = "") -> None:
    """Gives a file to the one uploader, or to the one whose label holds these words."""
    uploader = page.get_by_test_id("stFileUploader").filter(has_text=label)
    uploader.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(file)


def in_memory(name: str, content: bytes) -> dict:
    """A file for an uploader."""
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}
