"""The NHANES study, run by a visitor: its numbers are the core's, and it can be photographed."""

import re

import pandas as pd
import pytest
from driving import WAIT, arrive, by_and_by, plotted, runs_in, settled, upload
from playwright.sync_api import Page, expect

from rnnviz.data import nhanes
from rnnviz.study import script, tables
from rnnviz.study.attributed import account, attributed
from rnnviz.study.settings import AS_WRITTEN, CORRECTED
from rnnviz.study.verdict import sentence, splits_of
from rnnviz.study.written import SAVED

SMALL = "study_people=60&study_days=2&splits=2&epochs_written=3&epochs_corrected=6"
UNIT = "(kg/m²)²"


def rows_of(page: Page, number: int) -> list[list[str]]:
    """The cells of a table of the page, row by row, without the head."""
    table = page.get_by_test_id("stTable").nth(number)
    rows = "it => [...it.querySelectorAll('tbody tr')].map(r => [...r.cells].map(c => c.innerText))"
    unbroken = str.maketrans("\N{NO-BREAK SPACE}", " ")
    return [[cell.translate(unbroken) for cell in row] for row in table.evaluate(rows)]


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
    saved = script.told_about(views[AS_WRITTEN], SAVED)
    expect(main.get_by_text(script.saved(views[AS_WRITTEN]))).to_be_visible()
    known = attributed(views[CORRECTED])
    person = next(about for about in known if about.startswith("person "))
    for about in ("mean over all", person):  # those that are shown first
        expect(main.get_by_text(account(known[about], "kg/m²"))).to_be_visible()
    for key, about in (("group", "mean over all"), ("person", person)):
        drawn = plotted(page, f"study_{key}_hours", "integrated gradients")
        assert drawn == pytest.approx(known[about].hours.tolist(), abs=1e-6)
    page.get_by_role("button", name="Prepare study.h5").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download study.h5").click(timeout=4 * WAIT)
    assert download.value.path().stat().st_size == saved.numbers["bytes"]
    photograph = tmp_path / "study.png"
    page.screenshot(path=photograph, full_page=True)
    assert photograph.stat().st_size > 50_000


def test_a_file_is_studied_where_it_is_dropped(page, server):
    frame = nhanes.simulate(40, 1, seed=5)
    days = pd.DataFrame(frame.minutes, columns=[f"MIN{k}" for k in range(1, 1441)])
    days = days.assign(SEQN=frame.ids, BMI=frame.target, waist=3 * frame.target)
    arrive(page, "/study?study_source=my+own+file&epochs_written=1")
    again = page.locator(".st-key-do_study_written button")
    expect(again).to_be_disabled()
    upload(page, {"name": "broken.rda", "mimeType": "", "buffer": b"RDX2 and no more"})
    expect(page.get_by_test_id("stAlert").first).to_contain_text("broken.rda")
    # the page gives an empty uploader in place of the one that holds the broken file
    expect(page.get_by_test_id("stFileUploaderDropzoneInput")).to_have_count(1, timeout=WAIT)
    settled(page)
    sent = days.to_csv(index=False).encode()
    upload(page, {"name": "days.csv", "mimeType": "text/csv", "buffer": sent})
    expect(page.get_by_text("40 people × 1440 minutes")).to_be_visible(timeout=WAIT)
    page.locator(".st-key-target").get_by_role("combobox").click()
    page.get_by_role("option", name="waist").click()
    expect(page).to_have_url(re.compile("target=waist"))
    settled(page)
    page.get_by_role("button", name="Run as written").click()
    settled(page)
    expect(page.locator(".st-key-do_study_written button:enabled")).to_be_visible(timeout=4 * WAIT)
    expect(page.get_by_text("Each person has one row here")).to_be_visible()
    run_id = re.search(r"written=([0-9a-f]{20})", page.url)[1]
    run = runs_in(server.home)[run_id]
    assert (run.config.data.target, run.config.training.epochs) == ("waist", 1)
