"""The button that fetches the real NHANES, against files of the CDC on this computer."""

import re
from collections.abc import Iterator

import pytest
from driving import WAIT, arrive, button, by_and_by, says, settled
from files_server import PLACE, Site, serving, with_both_cycles
from playwright.sync_api import Page, expect

from rnnviz.data import fetched
from rnnviz.data.cdc import DAYS_OBJECT
from rnnviz.data.uploads import open_upload, read_table
from rnnviz.ui import server as app_server

CUT = 300_000  # bytes of an answer, after which the line is dead


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as made:
        yield with_both_cycles(made)


@pytest.fixture
def fresh(serve, tmp_path):
    """A server that has fetched nothing."""
    with serve(app_server.command(), tmp_path) as running:
        yield running


def ask(page: Page, address: str) -> None:
    """Opens the offer and asks for the files of an address."""
    page.get_by_test_id("stMain").get_by_text(f"Get {fetched.NAME} itself").click()
    page.get_by_role("textbox", name="Address").fill(address)
    button(page, "Fetch").click()  # straight from the field, as people do


def shows_what_came(page: Page, home) -> None:
    """The data are chosen, and are those that the server's files hold."""
    upload_id = by_and_by(page, lambda: fetched.status_of(home).upload, bool)
    expect(page).to_have_url(re.compile(f"file={upload_id}"), timeout=WAIT)
    days = read_table(open_upload(home, upload_id), DAYS_OBJECT)
    people = days.SEQN.nunique()
    assert people >= 5
    says(page, re.compile(rf"{len(days)} days of {people} people, 144 steps of 1 value"))
    settled(page)


def test_what_is_fetched_is_shown_and_found_again(page, fresh, site):
    arrive(page, f"{fresh.url}/data?source=My+own+file")
    ask(page, site.url)
    shows_what_came(page, fresh.home)
    assert len({path for path, _ in site.asked}) == 6
    arrive(page, f"{fresh.url}/data?source=My+own+file")
    page.get_by_test_id("stMain").get_by_text(f"Get {fetched.NAME} itself").click()
    button(page, "Use what was fetched").click()
    shows_what_came(page, fresh.home)


def test_a_fetch_that_is_cut_off_says_so_and_goes_on_from_there(page, fresh, site):
    first = PLACE + "BMX_C.xpt"
    arrive(page, f"{fresh.url}/data?source=My+own+file")
    site.slow_after = CUT
    ask(page, site.url)
    says(page, "downloading BMX_C.xpt: 0 of 3 MB")
    site.status, site.slow_after = 503, None
    site.going_on.set()  # the server hangs up, and is out of order from then on
    alert = page.get_by_test_id("stMain").get_by_test_id("stAlert").filter(has_text="answered 503")
    expect(alert).to_be_visible(timeout=WAIT)
    have = (fetched.folder_of(fresh.home) / "BMX_C.xpt.part").stat().st_size
    assert 0 < have <= CUT
    site.status = 200
    expect(page.get_by_role("textbox", name="Address")).to_have_value(site.url)
    button(page, "Fetch").click()
    shows_what_came(page, fresh.home)
    ranges = [asked for path, asked in site.asked if path == first]
    assert (ranges[0], ranges[-1]) == ("", f"bytes={have}-")
