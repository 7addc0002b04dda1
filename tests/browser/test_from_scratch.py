"""The network from scratch, trained and proved by a visitor in a real browser."""

import re

from driving import WAIT, arrive, by_and_by, plotted, runs_in, says, settled
from playwright.sync_api import Page, expect

from rnnviz.scratch.run import curve, first_perfect
from rnnviz.scratch.settings import TITLE

CHECK = re.compile(r"corrected (\d\.\de−\d+|\d+\.\d+), as published (\d\.\de−\d+|\d+\.\d+)\.")


def errors(page: Page) -> tuple[float, float]:
    """Both numbers of the gradient check, as they stand on the page."""
    said = page.get_by_test_id("stMain").get_by_text(CHECK)
    expect(said).to_be_visible(timeout=WAIT)
    corrected, published = CHECK.search(said.inner_text()).groups()
    return float(corrected.replace("−", "-")), float(published.replace("−", "-"))


def signs(page: Page) -> list[str]:
    """Of the table of gradients, whether each agrees with its finite difference."""
    last = "it => [...it.querySelectorAll('tbody tr')].map(r => r.cells[r.cells.length - 1])"
    table = page.get_by_test_id("stTable").nth(1)
    return table.evaluate(f"it => ({last})(it).map(c => c.innerText.trim()[0])")


def test_it_learns_in_view_and_the_check_tells_the_two_apart(page, server, tmp_path):
    arrive(page, "/scratch")
    page.get_by_role("button", name="Train both").click()
    says(page, re.compile(r"^Corrected, every test phrase is right after epoch \d+"))
    expect(page.get_by_test_id("stMain").get_by_text("All epochs are done.")).to_be_visible(
        timeout=2 * WAIT
    )
    settled(page)
    (run,) = [run for run in runs_in(server.home).values() if run.title == TITLE]
    view = run.view()
    epoch = first_perfect(view, "corrected")
    assert epoch is not None
    says(page, re.compile(rf"right after epoch {epoch} for the first time \(after epoch 400: 100%"))
    accuracy = by_and_by(
        page,
        lambda: plotted(page, "scratch_accuracy", "corrected, test"),
        lambda seen: len(seen) == 401,
    )
    assert accuracy[-1] == 100
    assert accuracy == [100 * share for share in curve(view, "corrected", "test", "accuracy")]
    page.get_by_text("Prove it", exact=True).click()
    corrected, published = errors(page)
    assert corrected < 1e-9
    assert 0.1 < published < 10
    by_and_by(page, lambda: signs(page), lambda seen: seen == ["✓"] * 9)
    page.get_by_role("radio", name="as published").click()
    says(page, "the network trained as published says")
    by_and_by(page, lambda: signs(page), lambda seen: "✗" in seen)
    corrected, published = errors(page)
    assert corrected < 1e-9
    assert 0.1 < published < 10
    page.locator(".st-key-scratch_states .nsewdrag").first.click(position={"x": 20, "y": 20})
    says(page, re.compile(r"^temp₁"))  # the first word, by a click in the picture
    photograph = tmp_path / "scratch.png"
    page.screenshot(path=photograph, full_page=True)
    assert photograph.stat().st_size > 50_000
