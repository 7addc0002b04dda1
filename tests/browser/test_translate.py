"""Translate, by hand: the date model is trained, a token gone through, attention overwritten."""

import re
from pathlib import Path

import numpy as np
import pytest
from driving import WAIT, arrive, button, by_and_by, runs_in, says, settled
from playwright.sync_api import BrowserContext, Page, expect

from rnnviz.data.parallel import load
from rnnviz.runs.run import Run
from rnnviz.translation.beam import search
from rnnviz.translation.decoding import write
from rnnviz.translation.network import Network
from rnnviz.translation.settings import TITLE
from rnnviz.ui.server import OWNER_COOKIE
from rnnviz.ui.translating_kept import MORE
from rnnviz.ui.translating_sentence import telling

OWNER = "browser-tests-" + "t" * 29  # 43 letters, as the server makes them
SMALL = "pairs=1200&translate_epochs=4"
STEP = 3  # the output token that is looked at, from 1


class Core:
    """The same sentence without the page."""

    def __init__(self, run: Run, home: Path) -> None:
        self.text = load(run.config, home)
        self.network = Network.of(run.arrays(4), run.config, len(self.text.source_vocabulary))
        rows = self.text.split(run.config.training.seed).test
        row = int(rows[telling(self.text.source_lengths[rows])])
        length = self.text.source_lengths[row : row + 1]
        self.source = self.text.sources[row : row + 1, : length[0]]
        self.encoded = self.network.encode(self.source, length)
        self.longest = self.text.targets.shape[1] + MORE

    def written(self, **hands):
        return write(self.network, self.encoded, longest=self.longest, **hands)

    def said(self, out) -> str:
        return self.text.decode(out.tokens)


@pytest.fixture(autouse=True)
def visitor(context: BrowserContext, base_url: str) -> None:
    context.add_cookies([{"name": OWNER_COOKIE, "value": OWNER, "url": base_url}])


@pytest.fixture(scope="module")
def known() -> dict[str, Run]:
    return {}


@pytest.fixture
def run(known: dict[str, Run], page: Page, server) -> Run:
    """The date model, trained once by a press of the button."""
    if "run" not in known:
        arrive(page, f"/translate?{SMALL}")
        button(page, "Train the dates model").click()
        says(page, re.compile("All epochs are done"))
        found = [run for run in runs_in(server.home).values() if run.title == TITLE]
        (known["run"],) = [run for run in found if run.owner == OWNER]
    return known["run"]


def visit(page: Page, run: Run, view: str, more: str = "") -> None:
    view = view.replace(" ", "+")
    arrive(page, f"/translate?{SMALL}&translate={run.id}&translate_view={view}{more}")


def shown(page: Page, place: int) -> str:
    """One of the texts in frames: what was written, the true answer, ..."""
    return page.get_by_test_id("stMain").get_by_test_id("stCode").nth(place).inner_text().strip()


def test_the_date_model_is_trained_and_one_token_gone_through_by_its_numbers(page, run, server):
    core = Core(run, server.home)
    out = core.written()
    visit(page, run, "Step by step", f"&translate_t={STEP}")
    drawing = page.locator(".rnnviz-attending-drawing")
    expect(drawing).to_be_visible(timeout=WAIT)
    by_and_by(page, lambda: shown(page, 0), lambda seen: seen == core.said(out))
    weights = out.weights[STEP - 1]
    texts = drawing.locator("text.value").all_text_contents()
    count = core.source.shape[1]
    drawn = [0.0 if "<" in text else float(text) for text in texts[count : 2 * count]]
    assert drawn == pytest.approx(weights.tolist(), abs=6e-4)
    scores = [float(text.replace("−", "-")) for text in texts[:count]]
    assert scores == pytest.approx(out.scores[STEP - 1].tolist(), rel=6e-3)
    expect(drawing.locator("text.sum")).to_have_text("sum 1.000")
    caption = page.locator(".rnnviz-attending .rnnviz-stages-caption")
    page.locator(".rnnviz-attending").get_by_role("button", name="Softmax").click()
    expect(caption).to_contain_text(f"= {weights.max():.3f}")
    page.keyboard.press("ArrowRight")
    expect(caption).to_contain_text("multiplied by its weight")
    page.keyboard.press("ArrowRight")
    expect(caption).to_contain_text("The context is the sum over the source")
    page.keyboard.press("ArrowDown")  # the next output token
    says(page, re.compile(rf"place {STEP + 1}"))
    expect(page).to_have_url(re.compile(rf"translate_t={STEP + 1}"))


def test_an_attention_row_is_overwritten_and_the_changed_output_read(page, run, server):
    core = Core(run, server.home)
    visit(page, run, "Change weights", f"&translate_t={STEP}")
    sources = page.locator(".rnnviz-links-drawing .token.source")
    expect(sources).to_have_count(core.source.shape[1], timeout=WAIT)
    changes = [
        (s, core.written(rows={STEP - 1: np.eye(core.source.shape[1])[s]}))
        for s in range(core.source.shape[1])
    ]
    place, after = next((s, out) for s, out in changes if out.tokens != core.written().tokens)
    sources.nth(place).click()
    by_and_by(page, lambda: shown(page, 0), lambda seen: seen == core.said(after))
    expect(page).to_have_url(re.compile(rf"translate_rows={STEP}_{place + 1}\.1000(&|$)"))
    page.reload()
    settled(page)
    by_and_by(page, lambda: shown(page, 3), lambda seen: seen == core.said(after))
    assert shown(page, 2) == core.said(core.written())
    button(page, "Undo last row").click()
    by_and_by(page, lambda: shown(page, 0), lambda seen: seen == core.said(core.written()))
    assert "translate_rows" not in page.url


def test_a_beam_tree_grows_and_its_best_branch_is_the_ranking_s_first(page, run, server):
    core = Core(run, server.home)
    visit(page, run, "Beam search", "&translate_width=4")
    (tree,) = search(core.network, core.encoded, width=4, longest=core.longest, cut=5)
    nodes = page.locator(".rnnviz-tree-drawing .node")
    expect(nodes).to_have_count(len(tree.nodes), timeout=WAIT)
    there = page.locator(".rnnviz-tree-drawing .node:visible")
    page.get_by_role("button", name="from the beginning (Home)").click()
    expect(there).to_have_count(1)
    for step in (1, 2):
        page.get_by_role("button", name="next stage (→)").click()
        expect(there).to_have_count(sum(node.step <= step for node in tree.nodes))
    page.locator(".rnnviz-tree .rnnviz-stages").press("End")
    best = tree.ranking(0.7)[0]
    expect(page.locator(".rnnviz-tree-drawing .node.winner")).to_have_count(len(best.tokens) + 1)
    table = page.get_by_test_id("stTable").first
    expect(table.locator("tbody tr").first).to_contain_text(core.text.decode(best.tokens))
    cut = next(k for k, n in enumerate(tree.nodes) if n.fate == "cut" and n.step == 1)
    nodes.nth(cut).click()  # and on from a branch that was cut
    after = core.written(given=tree.tokens(cut))
    by_and_by(page, lambda: shown(page, 0), lambda seen: seen == (core.said(after) or "(nothing)"))


def test_the_rest_of_the_page_is_drawn_and_photographed(page, run, tmp_path):
    pictures = {
        "Alignment": "alignment",
        "While it learned": "forming",
        "Why this token": "occlusion",
    }
    for view, key in pictures.items():
        visit(page, run, view)
        picture = page.locator(f".st-key-translate_{key} .rnnviz-plot")
        expect(picture).to_have_attribute("aria-busy", "false", timeout=WAIT)
    photograph = tmp_path / "translate.png"
    page.screenshot(path=photograph, full_page=True)
    assert photograph.stat().st_size > 50_000
