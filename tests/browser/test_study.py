"""The NHANES study, run by a visitor: its numbers are the core's, and it can be photographed."""

import re

from driving import WAIT, arrive, by_and_by, runs_in, settled
from playwright.sync_api import Page, expect

from rnnviz.study import tables
from rnnviz.study.settings import AS_WRITTEN, CORRECTED
from rnnviz.study.verdict import sentence, splits_of

SMALL = "study_people=60&study_days=2"
UNIT = "(kg/m²)²"


def rows_of(page: Page, number: int) -> list[list[str]]:
    """The cells of a table of the page, row by row, without the head."""
    table = page.get_by_test_id("stTable").nth(number)
    rows = "it => [...it.querySelectorAll('tbody tr')].map(r => [...r.cells].map(c => c.innerText))"
    return table.evaluate(rows)


def test_both_halves_show_the_numbers_of_the_core(page, server, tmp_path):
    before = runs_in(server.home).keys()
    arrive(page, f"/study?{SMALL}")
    for name in ("Run as written", "Run corrected"):
        page.get_by_role("button", name=name).click()
        settled(page)
    for key in ("written", "corrected"):
        again = page.locator(f".st-key-do_study_{key} button:enabled")
        expect(again).to_be_visible(timeout=4 * WAIT)
    settled(page)
    made = [run for id, run in runs_in(server.home).items() if id not in before]
    views = {run.title: run.view() for run in made}
    assert set(views) == {AS_WRITTEN, CORRECTED}
    splits = splits_of(views[CORRECTED])
    expected = [
        tables.written_scores(views[AS_WRITTEN]),
        tables.scorecard(splits),
        tables.by_group(splits),
    ]
    for number, table in enumerate(expected):
        wanted = [list(row) for row in table.rows]
        by_and_by(page, lambda n=number: rows_of(page, n), lambda seen, w=wanted: seen == w)
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text(sentence(splits, UNIT))).to_be_visible()
    expect(main.get_by_text(re.compile(r"265,225"))).not_to_have_count(0)
    photograph = tmp_path / "study.png"
    page.screenshot(path=photograph, full_page=True)
    assert photograph.stat().st_size > 50_000
