"""Folding and unfolding in the real app, by keys and by the player."""

from xml.etree import ElementTree

import pytest
from driving import WAIT, arrive, settled
from playwright.sync_api import Locator, Page, expect
from test_components import OWNER

from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.runs import RUNNERS
from rnnviz.runs.run import Run
from rnnviz.ui.server import OWNER_COOKIE

BOX = ".rnnviz-folding"
STAGE = f"{BOX} .rnnviz-stages-stage"
UNTIED = 7 * (8 * 6 + 2 * 8) + 6 * 8 * 8  # seven layers of 8 units for 6 letters
TIED = 8 * 6 + 2 * 8 + 8 * 8


@pytest.fixture
def page(page: Page, context, base_url) -> Page:
    """A visitor who owns what `word` makes."""
    context.add_cookies([{"name": OWNER_COOKIE, "value": OWNER, "url": base_url}])
    return page


@pytest.fixture(scope="module")
def word(server) -> Run:
    config = RunConfig(
        data=DataConfig(source="world", world="namaskar"),
        model=ModelConfig(cell="rnn", hidden_size=8, attention="none"),
        training=TrainingConfig(epochs=1),
    )
    run = Run.create(server.home, config, owner=OWNER, now=0.0)
    RUNNERS["inline"](server.home).submit(run)
    return run


def opened(page: Page, run: Run) -> None:
    arrive(page, f"/unrolled?run={run.id}")
    page.get_by_text("Fold and unfold").click()
    expect(page.locator(".rnnviz-fold")).to_be_visible(timeout=WAIT)
    settled(page)


def seen(page: Page, kind: str) -> list[str]:
    """The texts of one kind that are not faded out."""
    columns = page.locator(".rnnviz-fold .column[opacity='1']").all()
    return [column.locator(kind).first.text_content() for column in columns]


def label(page: Page) -> Locator:
    return page.locator(f"{BOX} .rnnviz-unrolled-label")


def test_keys_go_from_feed_forward_to_unrolled(page, word):
    opened(page, word)
    page.locator(BOX).focus()
    page.keyboard.press("1")
    expect(label(page)).to_have_text(f"{UNTIED} weights in 7 layers")
    assert seen(page, ".step") == [f"layer {k + 1}" for k in range(7)]
    shown = [column.locator("g.weight text").first.text_content() for column in columns(page)]
    assert shown == [f"W{chr(0x2081 + k)}" for k in range(7)]
    page.keyboard.press("ArrowRight")
    expect(label(page)).to_have_text(f"{TIED} weights left")
    shown = [column.locator("g.weight text").first.text_content() for column in columns(page)]
    assert shown == ["W"] * 7
    page.keyboard.press("ArrowRight")
    expect(label(page)).to_have_text(f"{TIED} weights in the recurrent layer")
    expect(page.locator(".rnnviz-fold .column[opacity='1']")).to_have_count(1)
    expect(page.locator(".rnnviz-fold")).to_contain_text("U, one step later")
    page.keyboard.press("ArrowRight")
    assert seen(page, ".step") == [f"step {k + 1}" for k in range(7)]
    letters = [column.locator(".glyph").first.text_content() for column in columns(page)]
    assert "".join(letters) == "namaska"
    expect(page.locator(f"{STAGE}[aria-current=step]")).to_contain_text("Unrolled")


def columns(page: Page) -> list[Locator]:
    return page.locator(".rnnviz-fold .column[opacity='1']").all()


# What stands under the one layer that is left, from now on.
WATCH = """(label) => {
  window.passed = [];
  new MutationObserver(() => window.passed.push(label.textContent))
    .observe(label, { childList: true, characterData: true, subtree: true });
}"""


def test_the_player_folds_and_the_letters_pass_one_by_one(page, word):
    opened(page, word)
    page.locator(BOX).focus()
    page.keyboard.press("3")
    page.locator(".rnnviz-fold .column .step").first.evaluate(WATCH)
    page.keyboard.press(" ")
    current = page.locator(f"{STAGE}[aria-current=step]")
    expect(current).to_contain_text("Unrolled", timeout=WAIT)
    expect(page.locator(BOX).get_by_role("button", name="play (space)")).to_be_visible(timeout=WAIT)
    steps = [text for text in page.evaluate("window.passed") if text.startswith("step ")]
    passed = steps[: steps.index("step 7") + 1]
    assert list(dict.fromkeys(passed)) == [f"step {k + 1}" for k in range(7)]
    expect(page.locator(".rnnviz-fold .column[opacity='1']")).to_have_count(7)


def test_a_stage_is_saved_as_a_drawing(page, word):
    opened(page, word)
    page.locator(BOX).focus()
    page.keyboard.press("4")
    with page.expect_download() as got:
        page.locator(BOX).get_by_role("button", name="SVG", exact=True).click()
    assert got.value.suggested_filename == "fold_unrolled.svg"
    texts = ElementTree.parse(got.value.path()).getroot().itertext()
    assert [text for text in texts if text.startswith("step ")] == [
        f"step {k + 1}" for k in range(7)
    ]


def test_who_wants_no_motion_sees_whole_stages(page, word):
    page.emulate_media(reduced_motion="reduce")
    opened(page, word)
    expect(label(page)).to_have_text(f"{UNTIED} weights in 7 layers")
    expect(page.locator(".rnnviz-fold .column[opacity='1']")).to_have_count(7)
