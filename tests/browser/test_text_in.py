"""A text of one's own in the real app: cut into pieces live, learned, and written anew as text."""

import re

from driving import WAIT, arrive, button, says, settled
from playwright.sync_api import Page, expect

HOSTILE = "<img src=x onerror=alert(1)> 'so' said the keeper, [light] the lamp.\n"
PIECES = "which_text=My+own&source=Text&tokens=pieces+(byte+pairs)&pieces=300&window=16"


def test_a_pasted_text_is_cut_and_a_network_writes_more_of_it(page: Page) -> None:
    arrive(page, f"/data?{PIECES}")
    page.get_by_role("textbox", name="Paste a text").fill(HOSTILE * 30)
    page.keyboard.press("Control+Enter")
    says(page, re.compile(r"^The vocabulary: \d+ pieces$"))
    line = page.get_by_role("textbox", name="A line of your own")
    line.fill("<img src=y> the lamp")
    line.press("Enter")
    tokens = page.locator(".rnnviz-tokens-token")
    expect(tokens.first).to_have_text("<", timeout=WAIT)
    expect(page.locator(".rnnviz-tokens img")).to_have_count(0)
    said = "".join(tokens.all_inner_texts()).replace("·", " ")
    assert said == "<img src=y> the lamp"

    text = re.search(r"[?&]text=(\w+)", page.url)[1]
    arrive(page, f"/?{PIECES}&text={text}&epochs=3&hidden_size=12&carried=true&embedding=6")
    button(page, "Train").click()
    titles = page.locator(".rnnviz-samples-title")
    wanted = ["after epoch 3", "after epoch 2", "after epoch 1", "before training"]
    expect(titles).to_have_text(wanted, timeout=WAIT)
    settled(page)
    expect(page.locator(".rnnviz-samples-prefix").first).to_contain_text(re.compile(r"\S"))
    assert len(page.locator(".rnnviz-samples-text").first.inner_text()) > 100
    expect(page.locator(".rnnviz-samples img")).to_have_count(0)
