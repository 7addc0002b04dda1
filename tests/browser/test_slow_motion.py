"""One update in slow motion in the real app: stages by keys and buttons, numbers as in the core."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from driving import WAIT, arrive, settled, slider
from playwright.sync_api import Page, expect
from test_components import OWNER
from test_levels import near, read

from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.inside.network import Network, sequence_of
from rnnviz.inside.update import Update, updated
from rnnviz.runs import RUNNERS
from rnnviz.runs.run import Run
from rnnviz.ui.server import OWNER_COOKIE

BOX = ".rnnviz-motion"
STAGE = f"{BOX} .rnnviz-stages-stage"
LABEL = f"{BOX} .rnnviz-unrolled-label"
CAPTION = f"{BOX} .rnnviz-stages-caption"
NAMES = ("Forward", "Loss", "Backward", "Clip", "Step")
CLIP = 0.05  # below any gradient of a network that has hardly learned


@pytest.fixture
def page(page: Page, context, base_url) -> Page:
    """A visitor who owns what `runs` makes."""
    context.add_cookies([{"name": OWNER_COOKIE, "value": OWNER, "url": base_url}])
    return page


@pytest.fixture(scope="module")
def runs(server) -> dict[str, Run]:
    """A few epochs of each."""
    made = {}
    for name, data, cell in (
        ("word", DataConfig(source="world", world="namaskar"), "rnn"),
        ("day", DataConfig(people=30, blocks="144x1"), "lstm"),
    ):
        config = RunConfig(
            data=data,
            model=ModelConfig(cell=cell, hidden_size=6, attention="none"),
            training=TrainingConfig(epochs=2, learning_rate=0.5, clip_norm=CLIP),
        )
        run = Run.create(server.home, config, owner=OWNER, now=0.0)
        RUNNERS["inline"](server.home).submit(run)
        made[name] = run
    return made


def core(run: Run) -> Update:
    """The update of the first sequence after the last epoch."""
    trace, _ = run.trace(2)
    return updated(Network.of(trace), sequence_of(trace, 0), rate=0.5, threshold=CLIP)


def opened(page: Page, run: Run) -> None:
    arrive(page, f"/unrolled?run={run.id}&motion=true")
    page.locator(f"{BOX} .rnnviz-unrolled-stage .cell").first.wait_for()
    settled(page)


def stage(page: Page, name: str) -> None:
    expect(page.locator(f"{STAGE}[aria-current=step]")).to_contain_text(name, timeout=WAIT)


def figure(page: Page, name: str) -> str:
    return page.locator(f"dd[data-name={name}]").inner_text()


@pytest.mark.parametrize("name", ["word", "day"])
def test_the_numbers_are_the_cores(name, page, runs):
    opened(page, runs[name])
    found = core(runs[name])
    assert [figure(page, one) for one in ("loss", "norm", "factor", "after")] == ["…"] * 4
    page.get_by_role("button", name="4 Clip", exact=True).click()
    stage(page, "Clip")
    assert found.factor < 1
    assert read(figure(page, "factor")) == pytest.approx(found.factor, rel=1e-4)
    assert read(figure(page, "norm")) == pytest.approx(found.norm, rel=1e-4)
    assert figure(page, "threshold") == str(CLIP)
    assert figure(page, "after") == "…"
    page.get_by_role("button", name="5 Step", exact=True).click()
    stage(page, "Step")
    assert read(figure(page, "after")) == pytest.approx(found.after.loss, rel=1e-4)
    assert read(figure(page, "loss")) == pytest.approx(found.before.loss, rel=1e-4)
    rows = page.locator(".rnnviz-motion-list tbody tr")
    assert rows.count() == len(found.matrices)
    for row, matrix in zip(rows.all(), found.matrices, strict=True):
        cells = row.locator("td").all_inner_texts()
        assert cells[0] == f"{matrix.symbol}, {matrix.part}"
        assert near(cells[2], matrix.gradient)
        assert read(cells[3]) == pytest.approx(matrix.change, rel=1e-3)


def test_stages_are_reached_by_keys_and_by_buttons(page, runs):
    opened(page, runs["word"])
    stage(page, "Forward")
    expect(page.locator(LABEL)).to_have_text("step 1 of 7")
    page.locator(BOX).focus()
    for name in NAMES[1:]:
        page.keyboard.press("ArrowRight")
        stage(page, name)
    page.keyboard.press("ArrowRight")
    stage(page, "Step")
    page.keyboard.press("3")
    stage(page, "Backward")
    expect(page.locator(LABEL)).to_have_text("step 1 of 7")  # it ends with the first step
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Shift+ArrowLeft")
    expect(page.locator(LABEL)).to_have_text("step 2 of 7")
    page.get_by_role("button", name="previous stage (←)").click()
    stage(page, "Loss")
    expect(page.locator(CAPTION)).to_contain_text("The loss is the mean over 7 steps")
    page.keyboard.press("Home")
    stage(page, "Forward")
    page.get_by_role("button", name="next stage (→)").click()
    stage(page, "Loss")


def test_space_plays_all_stages_to_the_loss_after(page, runs):
    opened(page, runs["word"])
    page.get_by_label("speed").select_option("4")
    page.locator(BOX).focus()
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="pause (space)")).to_be_visible()
    expect(page.locator(LABEL)).to_have_text(re.compile("step [3-7] of 7"), timeout=WAIT)
    for name in NAMES[1:]:
        stage(page, name)
    expect(page.get_by_role("button", name="play (space)")).to_be_visible(timeout=WAIT)
    assert read(figure(page, "after")) == pytest.approx(core(runs["word"]).after.loss, rel=1e-4)


def test_who_wants_no_motion_sees_whole_stages(page, runs):
    page.emulate_media(reduced_motion="reduce")
    opened(page, runs["word"])
    page.get_by_label("speed").select_option("4")
    page.locator(BOX).focus()
    page.keyboard.press(" ")
    expect(page.locator(LABEL)).to_have_text("step 7 of 7")  # all states at once
    stage(page, "Loss")
    assert read(figure(page, "loss")) == pytest.approx(core(runs["word"]).before.loss, rel=1e-4)


def test_a_unit_chosen_in_the_sidebar_is_framed_at_the_same_stage(page, runs):
    opened(page, runs["word"])
    page.locator(BOX).focus()
    page.keyboard.press("3")
    frame = page.locator(f"{BOX} .rnnviz-unrolled-stage .chosen")
    before = float(frame.get_attribute("y"))
    slider(page, "Unit").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        "([frame, before]) => Number(frame.getAttribute('y')) > before",
        arg=[frame.element_handle(), before],
    )
    stage(page, "Backward")


def test_nodes_are_gradients_on_the_way_back_and_edges_changes_in_the_end(page, runs):
    opened(page, runs["word"])
    legend = page.locator(f"{BOX} .rnnviz-unrolled-legend")
    expect(legend).to_contain_text("weights U_a")
    page.locator(BOX).focus()
    page.keyboard.press("3")
    expect(legend).to_contain_text("log10 |dL/dh|")
    page.locator(f"{BOX} .rnnviz-unrolled-stage .cell").last.hover()
    tip = page.locator(f"{BOX} .rnnviz-unrolled-tip")
    expect(tip).to_contain_text("|dL/dh| of unit 6, step 7")
    last = core(runs["word"]).gradients.ways[0].states[0][6, 0, 5]
    assert read(tip.locator("strong").inner_text()) == pytest.approx(abs(last), rel=1e-3)
    page.keyboard.press("5")
    expect(legend).to_contain_text("change of U_a")


def test_a_stage_is_saved_as_it_stands(page, runs):
    opened(page, runs["day"])
    page.locator(BOX).focus()
    page.keyboard.press("3")
    stage(page, "Backward")
    for form, check in CHECKS.items():
        with page.expect_download(timeout=WAIT) as got:
            page.locator(BOX).get_by_role("button", name=form, exact=True).click()
        assert got.value.suggested_filename == f"update_backward.{form.lower()}"
        check(got.value.path(), runs["day"])


def gradients_as_svg(path: Path, _run: Run) -> None:
    texts = [text.strip() for text in ElementTree.parse(path).getroot().itertext()]
    assert "log10 |dL/dh|" in " ".join(texts)
    assert "layer 1" in texts


def gradients_as_png(path: Path, _run: Run) -> None:
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(content) > 10_000


def gradients_as_csv(path: Path, run: Run) -> None:
    table = pd.read_csv(path)
    told = table[table.quantity == "|dL/dh|"].pivot(index="step", columns="unit", values="value")
    found = core(run).gradients.ways[0].states[0]
    assert told.to_numpy() == pytest.approx(np.abs(found[:, 0]), rel=1e-5)


CHECKS = {"SVG": gradients_as_svg, "PNG": gradients_as_png, "CSV": gradients_as_csv}
