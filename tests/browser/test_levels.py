"""From the network to one product and up again, by clicks and by keys, in the real app."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from driving import WAIT, arrive, by_and_by, selected, settled, slider
from playwright.sync_api import Locator, Page, expect
from test_components import OWNER, trained

from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.figures.currents import evaluate
from rnnviz.figures.equations import equations
from rnnviz.figures.wiring import GRAPHS
from rnnviz.runs import RUNNERS
from rnnviz.runs.run import Run
from rnnviz.ui.server import OWNER_COOKIE

BOX = ".rnnviz-unrolled"
CRUMB = ".rnnviz-levels-crumb"
CARD = ".rnnviz-gate-card"
CELLS = ("lstm", "gru", "gru-before", "rnn-relu")


@pytest.fixture
def page(page: Page, context, base_url) -> Page:
    """A visitor who owns what `made` makes."""
    context.add_cookies([{"name": OWNER_COOKIE, "value": OWNER, "url": base_url}])
    return page


@pytest.fixture(scope="module")
def made(server) -> dict[str, Run]:
    """One epoch of some cells with 6 units, on 24 hours of one value each."""
    runs = {}
    for cell in CELLS:
        config = RunConfig(
            data=DataConfig(people=30, blocks="144x1"),
            model=ModelConfig(cell=cell, hidden_size=6),
            training=TrainingConfig(epochs=1),
        )
        run = Run.create(server.home, config, owner=OWNER, now=0.0)
        RUNNERS["inline"](server.home).submit(run)
        runs[cell] = run
    return runs


@pytest.fixture(scope="module")
def text(server) -> Run:
    return trained(server.home, DataConfig(source="text", window=32))


def read(shown: str) -> float:
    """A number as the page shows it."""
    return float(shown.replace("\N{MINUS SIGN}", "-").replace("+", ""))


def level(page: Page, *names: str) -> None:
    """The way down, from the network to where one is."""
    for name, crumb in zip(names, page.locator(CRUMB).all(), strict=False):
        expect(crumb).to_have_text(name, timeout=WAIT)
    expect(page.locator(f"{CRUMB}[aria-current]")).to_have_text(names[-1], timeout=WAIT)


def products(card: Locator) -> list[float]:
    """The products in a card's table, in the order in which they stand there."""
    return [read(cell.inner_text()) for cell in card.locator("tbody .product").all()]


def sums(page: Page) -> list[float]:
    """What stands in the line of the sum: its parts, the total, what the squash makes of it."""
    return [read(one) for one in page.locator(".rnnviz-gate-sum b").all_inner_texts()]


def test_three_levels_down_by_clicks_to_products_that_add_up(page, made):
    run = made["lstm"]
    arrive(page, f"/unrolled?run={run.id}&t=1")
    level(page, "Network")
    page.locator(".rnnviz-unrolled-stage .cell").first.wait_for()
    strip = page.locator(".rnnviz-unrolled-strip")
    box = strip.bounding_box()
    strip.click(position={"x": box["width"] * 56.5 / 144, "y": box["height"] / 2})
    selected(page, step=57)
    drawn = page.locator(".rnnviz-unrolled-stage .chosen")
    page.mouse.click(*centre(drawn))  # into the cell of the chosen unit
    level(page, "Network", "Cell: layer 1, step 57 (09:20)")
    page.get_by_role("button", name=re.compile("^forget gate: ")).click()
    level(page, "Network", "Cell: layer 1, step 57 (09:20)", "Gate f, unit 1")
    expect(page).to_have_url(re.compile("level=gate&gate=f"), timeout=WAIT)
    trace, _ = run.trace(1)
    layer = trace.layers[0]
    told = equations(layer, sequence=0, t=56, unit=0)[1]
    cards = page.locator(f"{CARD}:not(.total)")
    shown = [products(cards.nth(k)) for k in range(3)]
    assert [len(one) for one in shown] == [1, 6, 2]
    expected = [term.product for term in told.terms]
    assert [*shown[0], shown[2][0], *shown[1], shown[2][1]] == pytest.approx(expected, abs=6e-6)
    *parts, total, value = sums(page)
    for one, part in zip(shown, parts, strict=True):
        assert sum(one) == pytest.approx(part, abs=6e-6 * (1 + len(one)))
    assert sum(sum(one) for one in shown) == pytest.approx(total, abs=6e-5)
    assert total == pytest.approx(float(layer.preactivations[0, 56, 1, 0]), abs=6e-6)
    assert value == pytest.approx(float(layer.gate("f")[0, 56, 0]), abs=6e-6)


def centre(drawn: Locator) -> tuple[float, float]:
    expect(drawn).to_be_visible(timeout=WAIT)
    box = drawn.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_keys_go_down_and_up_and_along(page, made):
    arrive(page, f"/unrolled?run={made['lstm'].id}&t=1")
    page.locator(BOX).focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    level(page, "Network", "Cell: layer 1, step 3 (00:20)")
    selected(page, step=3, unit=2)
    settled(page)
    expect(page.locator(BOX)).to_be_focused(timeout=WAIT)
    for key in ("ArrowLeft", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    level(page, "Network", "Cell: layer 1, step 2 (00:10)", "State h, unit 3")
    selected(page, step=2, unit=3)
    page.keyboard.press("Escape")
    level(page, "Network", "Cell: layer 1, step 2 (00:10)")
    page.keyboard.press("Escape")
    level(page, "Network")
    expect(page).not_to_have_url(re.compile("level="), timeout=WAIT)
    selected(page, step=2, unit=3)


def test_the_sidebar_and_the_cell_move_each_other(page, made):
    arrive(page, f"/unrolled?run={made['gru'].id}&t=1&level=cell")
    level(page, "Network", "Cell: layer 1, step 1 (00:00)")
    slider(page, "Step").focus()
    page.keyboard.press("ArrowRight")
    level(page, "Network", "Cell: layer 1, step 2 (00:10)")
    page.locator(BOX).focus()
    page.keyboard.press("End")
    selected(page, step=144)


def test_space_plays_the_cell_without_the_server(page, made):
    arrive(page, f"/unrolled?run={made['lstm'].id}&t=1&level=cell")
    label = page.locator(".rnnviz-unrolled-label")
    expect(label).to_contain_text("step 1 of 144", timeout=WAIT)
    page.locator(BOX).focus()
    page.keyboard.press(" ")
    expect(label).to_contain_text(re.compile("step ([4-9]|1\\d) of 144"), timeout=WAIT)
    page.keyboard.press(" ")
    shown = int(re.search(r"step (\d+)", label.inner_text())[1])
    selected(page, step=shown)


@pytest.mark.parametrize("cell", CELLS)
def test_wires_carry_the_numbers_of_the_trace(cell, page, made):
    run = made[cell]
    arrive(page, f"/unrolled?run={run.id}&t=1&level=cell")
    page.locator(BOX).focus()
    for key in ("End", "ArrowDown"):
        page.keyboard.press(key)
    selected(page, step=144, unit=2)
    trace, _ = run.trace(1)
    layer = trace.layers[0]
    for kind, names in (("gate", layer.gate_names), ("state", layer.state_names)):
        boxes = page.locator(f".rnnviz-cell-stage .node.{kind}")
        assert boxes.count() == len(names)
        for box in boxes.all():
            symbol = box.locator(".symbol").text_content()
            kept = layer.gate(symbol) if kind == "gate" else layer.state(symbol)
            said = box.locator(".value").text_content().split("= ")[-1]
            assert near(said, float(kept[0, 143, 1])), (symbol, said)
    found, graph = evaluate(layer, sequence=0, length=144), GRAPHS[cell]
    labels = page.locator(".rnnviz-cell-stage .label").all()
    assert len(labels) == sum(wire.label >= 0 for wire in graph.wires)
    ids = {f"{node.symbol}: 6": node.id for node in graph.nodes}
    for label in labels:
        said, shape = (label.locator(part).text_content() for part in (".value", ".shape"))
        assert near(said, float(found.values[ids[shape]][143, 1])), (shape, said)


def near(said: str, value: float) -> bool:
    """Whether three digits say this number."""
    if "≈" in said:
        return abs(value) < 5e-4
    return abs(read(said) - value) <= max(6e-4, 6e-3 * abs(value))


def test_what_a_gate_depends_on_is_left_and_all_else_is_dimmed(page, made):
    arrive(page, f"/unrolled?run={made['gru'].id}&t=1&level=cell")
    page.get_by_role("button", name="What it depends on (D)").click()
    gate = page.get_by_role("button", name=re.compile("^reset gate: "))
    gate.hover()
    bright = page.locator(".rnnviz-cell-stage .node:not(.dim)")
    expect(bright).to_have_count(3, timeout=WAIT)  # r, x and h of the step before
    page.get_by_role("button", name=re.compile("^new content: ")).hover()
    expect(bright).to_have_count(6, timeout=WAIT)  # n, r, both, U h + b, and their product


@pytest.mark.parametrize("cell", CELLS)
def test_every_gate_and_state_adds_up_to_the_trace(cell, page, made):
    run = made[cell]
    arrive(page, f"/unrolled?run={run.id}&t=1&level=gate")
    page.locator(BOX).focus()
    page.keyboard.press("End")
    selected(page, step=144)
    trace, _ = run.trace(1)
    told = {one.symbol: one for one in equations(trace.layers[0], sequence=0, t=143, unit=0)}
    for symbol, equation in told.items():
        page.locator(".rnnviz-gate-tab").filter(has_text=re.compile(f"^{symbol}")).click()
        expect(page.locator(f"{CRUMB}[aria-current]")).to_have_text(
            re.compile(f" {symbol}, unit 1$"), timeout=WAIT
        )
        shown = [one for card in page.locator(CARD).all() for one in products(card)]
        expected = sorted(term.product for term in equation.terms)
        assert sorted(shown) == pytest.approx(expected, abs=6e-6), symbol
        line = sums(page)
        assert line[-1] == pytest.approx(equation.recorded, abs=6e-6)
        if equation.squash:
            assert line[-2] == pytest.approx(equation.total, abs=6e-6)
        checked = page.locator(".rnnviz-gate-check").inner_text()
        off = [
            float(one.replace("\N{MINUS SIGN}", "-"))
            for one in re.findall(r"by (\S+e\S\d)", checked)
        ]
        assert max(off, default=0.0) < 1e-5


def test_largest_first_keeps_the_sum(page, made):
    arrive(page, f"/unrolled?run={made['lstm'].id}&t=1&level=gate&gate=o")
    page.locator(BOX).focus()
    page.keyboard.press("End")
    selected(page, step=144)
    card = page.locator(CARD).nth(2)
    before, total = products(card), card.locator("b").last.inner_text()
    page.get_by_role("button", name="Largest first").click()
    by_size = by_and_by(page, lambda: products(card), lambda seen: seen != before)
    assert list(np.abs(by_size)) == sorted(np.abs(before), reverse=True)
    assert sorted(by_size) == sorted(before)
    assert card.locator("b").last.inner_text() == total


def test_a_token_has_one_product(page, text):
    arrive(page, f"/unrolled?run={text.id}&t=1&level=gate&gate=i")
    card = page.locator(CARD).nth(1)
    expect(card).to_contain_text("inputs are 0, and so are their products", timeout=WAIT)
    trace, _ = text.trace(1)
    token = int(trace.inputs[0, 0].argmax())
    weight = float(trace.layers[0].input_weights[0, 0, token])
    assert products(card) == pytest.approx([weight], abs=6e-6)


def test_vectors_are_pinned_compared_and_taken_off(page, made):
    run = made["lstm"]
    arrive(page, f"/unrolled?run={run.id}&t=1&level=gate&gate=f")
    page.locator(BOX).focus()
    page.keyboard.press("p")
    expect(page).to_have_url(re.compile(r"pins=1\.1\.1\.f\.1$"), timeout=WAIT)
    settled(page)
    page.locator(BOX).focus()
    page.keyboard.press("End")
    page.get_by_role("button", name="Pin f at step 144").click()
    expect(page).to_have_url(re.compile(r"pins=1\.1\.1\.f\.1_1\.1\.1\.f\.144$"), timeout=WAIT)
    settled(page)
    row = page.get_by_test_id("stTable").nth(1).get_by_role("row").last.inner_text().split("\t")
    trace, _ = run.trace(1)
    first, last = (trace.layers[0].gate("f")[0, t].astype(float) for t in (0, 143))
    cosine = first @ last / np.linalg.norm(first) / np.linalg.norm(last)
    assert [read(one) for one in row[1:3]] == pytest.approx(
        [cosine, np.linalg.norm(last - first)], rel=1e-3
    )
    page.get_by_test_id("stMain").get_by_role("button", name="Remove").first.click()
    expect(page).to_have_url(re.compile(r"pins=1\.1\.1\.f\.144$"), timeout=WAIT)


def test_the_drawing_is_saved_as_it_stands(page, made):
    run = made["lstm"]
    arrive(page, f"/unrolled?run={run.id}&t=1&level=cell")
    stage = page.locator(".rnnviz-cell-stage svg").first
    stage.wait_for()
    with page.expect_download(timeout=WAIT) as saved:
        page.get_by_role("button", name="SVG").click()
    assert saved.value.suggested_filename == "layer-1-step-1-unit-1.svg"
    drawing = ElementTree.parse(saved.value.path()).getroot()
    texts = [part.text for part in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert "forget gate" in texts
    shown = page.locator(".rnnviz-cell-stage .node.gate .value").all()
    assert {one.text_content() for one in shown} < set(texts)
    assert "var(" not in saved.value.path().read_text()
    with page.expect_download(timeout=WAIT) as saved:
        page.get_by_role("button", name="PNG").click()
    content = saved.value.path().read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    width = stage.evaluate("it => it.clientWidth")
    assert int.from_bytes(content[16:20], "big") == 2 * width
