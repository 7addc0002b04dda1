"""Our own views inside the real app: keys, players, and names that would like to be markup."""

import base64
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from driving import (
    WAIT,
    arrive,
    button,
    by_and_by,
    says,
    selected,
    settled,
    slider,
    turn_to,
    upload,
)
from playwright.sync_api import Page, expect

from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.runs import RUNNERS
from rnnviz.runs.run import Run
from rnnviz.ui.server import OWNER_COOKIE

OWNER = "browser-tests-" + "o" * 29  # 43 letters, as the server makes them
EVIL = "<img src=x onerror=alert(1)>"
SCRIPT = "<script>alert(2)</script>"
BOX = ".rnnviz-unrolled"
STRIP = ".rnnviz-unrolled-strip"
LABEL = ".rnnviz-unrolled-label"
TOKEN = ".rnnviz-tokens-token"
SVG = "{http://www.w3.org/2000/svg}"
CHOSEN = ".rnnviz-tokens-chosen"


@pytest.fixture
def page(page: Page, context, base_url) -> Page:
    """A visitor who owns what `trained` makes."""
    context.add_cookies([{"name": OWNER_COOKIE, "value": OWNER, "url": base_url}])
    return page


def trained(home, data: DataConfig) -> Run:
    """One epoch, pumped in this process: these tests look at what comes after."""
    config = RunConfig(
        data=data, model=ModelConfig(hidden_size=4), training=TrainingConfig(epochs=1)
    )
    run = Run.create(home, config, owner=OWNER, now=0.0)
    RUNNERS["inline"](home).submit(run)
    assert run.view().status == "finished"
    return run


@pytest.fixture(scope="module")
def wave(server) -> Run:
    return trained(server.home, DataConfig(source="world", world="wave", window=9, sequences=60))


@pytest.fixture(scope="module")
def echo(server) -> Run:
    data = DataConfig(source="world", world="echo", window=9, sequences=60, delay=2)
    return trained(server.home, data)


@pytest.fixture(scope="module")
def days(server) -> Run:
    return trained(server.home, DataConfig(people=30, blocks="24x60"))


@pytest.fixture(scope="module")
def text(server) -> Run:
    return trained(server.home, DataConfig(source="text", window=32))


def at(page: Page, step: int, steps: int) -> None:
    expect(page.locator(LABEL)).to_contain_text(f"step {step} of {steps}", timeout=WAIT)


KEYS = {
    "End": 24,
    "End ArrowLeft": 23,
    "End ArrowRight": 24,
    "End PageUp": 22,
    "End Home": 1,
    "ArrowLeft": 1,
    "Shift+ArrowRight": 11,
    "PageDown PageDown": 5,
}


def test_keys_move_the_unrolled_network(page, days):
    arrive(page, f"/unrolled?run={days.id}&t=1")
    at(page, 1, 24)
    page.locator(BOX).focus()
    for keys, step in KEYS.items():
        for key in ("Home", *keys.split()):
            page.keyboard.press(key)
        at(page, step, 24)
        expect(page.locator(STRIP)).to_have_attribute("aria-valuenow", str(step))
    selected(page, step=5)


def test_space_plays_and_pauses(page, days):
    arrive(page, f"/unrolled?run={days.id}&t=1")
    at(page, 1, 24)
    page.locator(BOX).focus()
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="pause (space)")).to_be_visible()
    expect(page.locator(LABEL)).to_contain_text(re.compile("step [4-9] of 24"), timeout=WAIT)
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="play (space)")).to_be_visible()
    shown = re.search(r"step (\d+)", page.locator(LABEL).inner_text())[1]
    selected(page, step=int(shown))
    at(page, int(shown), 24)


def test_playing_ends_at_the_last_step_and_the_page_follows(page, days):
    arrive(page, f"/unrolled?run={days.id}&t=1")
    at(page, 1, 24)
    page.get_by_label("speed").select_option("10")
    page.get_by_role("button", name="play (space)").click()
    at(page, 24, 24)
    expect(page.get_by_role("button", name="play (space)")).to_be_visible(timeout=WAIT)
    selected(page, step=24)
    says(page, "at step 24: all gates")


def test_a_unit_is_chosen_in_the_drawing(page, days):
    arrive(page, f"/unrolled?run={days.id}&t=1")
    at(page, 1, 24)
    cell = page.locator(f"{BOX} svg .column").nth(2)
    box = cell.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 8)
    at(page, 3, 24)
    selected(page, step=3)


def test_keys_and_clicks_choose_a_token(page, text):
    arrive(page, f"/gates?run={text.id}&t=1")
    tokens = page.locator(TOKEN)
    expect(tokens).to_have_count(32, timeout=WAIT)
    tokens.nth(4).click()
    selected(page, step=5)
    page.keyboard.press("ArrowRight")
    expect(tokens.nth(5)).to_have_class(re.compile(CHOSEN[1:]))
    selected(page, step=6)
    page.keyboard.press("End")
    selected(page, step=32)
    slider(page, "Step").focus()
    page.keyboard.press("ArrowLeft")
    expect(tokens.nth(30)).to_have_class(re.compile(CHOSEN[1:]), timeout=WAIT)
    expect(page.locator(CHOSEN)).to_have_count(1)


def test_the_colours_of_tokens_are_the_gates_values(page, text):
    arrive(page, f"/gates?run={text.id}&t=1")
    tokens = page.locator(TOKEN)
    expect(tokens).to_have_count(32, timeout=WAIT)
    trace, _ = text.trace(1)
    gate = trace.layers[0].gate("f")[0, :, 0]
    darkest = "all => all.map((it) => getComputedStyle(it).backgroundColor)"
    sums = [sum(map(int, re.findall(r"\d+", c)[:3])) for c in tokens.evaluate_all(darkest)]
    order = np.argsort(gate)
    assert sums[order[-1]] < sums[order[0]]  # on a light page a larger value is darker
    tokens.nth(int(order[-1])).hover()
    tip = page.locator(".rnnviz-tokens-tip")
    said = float(re.search(r"unit 1 ([\d.]+)", tip.inner_text())[1])
    assert said == pytest.approx(float(gate[order[-1]]), rel=1e-3)


# -- markup stays text -----------------------------------------------------------------------------


def evil_table() -> bytes:
    """30 people by the minute, whose names, groups and target column are markup."""
    rng = np.random.default_rng(0)
    minutes = pd.DataFrame(
        rng.integers(0, 900, (30, 1440)), columns=[f"MIN{k}" for k in range(1, 1441)]
    )
    minutes.insert(0, "id", [f"{k}{SCRIPT}" for k in range(30)])
    minutes.insert(1, EVIL, rng.normal(25, 4, 30).round(1))
    minutes.insert(2, "<b onclick=alert(3)>group</b>", [f"{EVIL}{k % 2}" for k in range(30)])
    return minutes.to_csv(index=False).encode()


def test_markup_in_names_is_shown_and_never_run(page):
    dialogs, asked = [], []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    arrive(page, "/?source=My+own+file&epochs=1&hidden_size=4")
    name = f"{EVIL}.csv"
    upload(page, {"name": name, "mimeType": "text/csv", "buffer": evil_table()})
    says(page, re.compile("30 people"))
    says(page, re.compile(re.escape(name)))
    settled(page)
    target = page.get_by_test_id("stSelectbox").filter(has_text="Predict")
    target.get_by_role("combobox").click()
    page.get_by_role("option", name=EVIL, exact=True).click()
    settled(page)
    button(page, "Train").click()
    says(page, "All epochs are done.")
    for place in ("Train", "Data", "Inside", "Gates", "Attention"):
        turn_to(page, place)
        drawn = page.locator(".rnnviz-plot, .rnnviz-unrolled")
        expect(drawn.first).to_be_visible(timeout=WAIT)
        by_and_by(page, lambda: page.locator("[aria-busy=true]").count(), lambda n: n == 0)
        assert page.locator("img[src=x], script:text('alert'), [onclick]").count() == 0
    sidebar = page.get_by_test_id("stSidebar")
    chosen = sidebar.get_by_role("combobox", name=re.compile("^Sequence"))
    expect(chosen).to_have_value(re.compile(rf"{re.escape(SCRIPT)}, {re.escape(EVIL)} "))
    assert dialogs == []
    assert [url for url in asked if url.endswith("/x")] == []


def test_markup_in_a_text_is_shown_as_tokens(page):
    arrive(page, "/?source=Text&which_text=My+own&epochs=1&hidden_size=4&window=96")
    box = page.get_by_label("Paste a text")
    box.fill((f"one {EVIL} two {SCRIPT} three ") * 200)
    box.press("Control+Enter")
    expect(button(page, "Train")).to_be_enabled(timeout=WAIT)
    button(page, "Train").click()
    says(page, "All epochs are done.")
    turn_to(page, "Gates")
    expect(page.locator(TOKEN).first).to_be_visible(timeout=WAIT)
    shown = "".join(page.locator(TOKEN).all_inner_texts())
    assert "<img·src=x" in shown
    assert page.locator("img[src=x], script:text('alert')").count() == 0


# -- the types of sequence mapping -------------------------------------------------------------

# of every column from the left: whether what it reads is drawn, and whether what it says is
ENDS = """svg => {
  const shown = (node) => node.parentNode.style.display !== "none";
  const at = (kind) => [...svg.querySelectorAll("rect")].filter((r) => r.place && kind(r.place));
  const columns = (found) => [...new Set(found.filter(shown).map((r) => r.place.column))].sort();
  const boxes = [...svg.querySelectorAll(".head rect.box")];
  return {
    read: columns(at((place) => place.input !== undefined)),
    said: boxes.flatMap((box, column) => (shown(box) ? [column] : [])),
    steps: [...svg.querySelectorAll("text.step")].map((text) => text.textContent),
  };
}"""


def ends(page: Page) -> dict:
    svg = page.locator(f"{BOX}-stage svg")
    expect(svg).to_be_visible(timeout=WAIT)
    return svg.evaluate(ENDS)


def test_a_wave_is_read_at_its_first_step_and_said_at_all(page, wave):
    arrive(page, f"/unrolled?run={wave.id}&t=1")
    drawn = by_and_by(page, lambda: ends(page), lambda seen: len(seen["said"]) > 3)
    assert drawn["read"] == [0]
    assert drawn["said"] == list(range(len(drawn["said"])))
    expect(page.get_by_text("first step only")).to_be_visible()
    page.locator(STRIP).focus()
    page.keyboard.press("End")
    expect(page.locator(LABEL)).to_contain_text("step 9 of 9")
    moved = ends(page)
    assert moved["read"] == ([0] if moved["steps"][0] == "1" else [])


def test_an_echo_is_said_from_its_delay_on(page, echo):
    arrive(page, f"/unrolled?run={echo.id}&t=1")
    drawn = by_and_by(page, lambda: ends(page), lambda seen: len(seen["read"]) > 3)
    columns = len(drawn["read"])
    assert drawn["read"] == list(range(columns))
    assert drawn["said"] == list(range(2, columns))
    expect(page.get_by_text("where asked for")).to_be_visible()


def test_a_card_of_the_gallery_chooses_its_world(page):
    arrive(page, "/data?people=30")
    button(page, "Show: a sine from its angle").click()
    says(page, "An angle and its sine")
    expect(page).to_have_url(re.compile(r"world=a\+sine\+from\+its\+angle"))
    settled(page)
    turn_to(page, "Train")
    says(page, "1000 angles, 1 step of 1 value")


def saved(page: Page, bar: str, form: str) -> tuple[str, Path]:
    """The name and the content of the file that a button of a bar gives."""
    with page.expect_download(timeout=WAIT) as download:
        page.locator(bar).get_by_role("button", name=form, exact=True).click()
    return download.value.suggested_filename, download.value.path()


def test_the_network_is_saved_as_a_drawing_with_what_is_on_canvases(page, days):
    arrive(page, f"/unrolled?run={days.id}&t=1")
    stage = page.locator(".rnnviz-unrolled-stage")
    stage.locator(".cell").first.wait_for()
    page.locator(BOX).focus()
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    selected(page, step=5)
    at(page, 5, 24)
    name, path = saved(page, ".rnnviz-levels", "SVG")
    assert name == "network_step_5.svg"
    text = path.read_text(encoding="utf-8")
    assert "var(" not in text
    drawing = ElementTree.fromstring(text)
    texts = {part.text for part in drawing.iter(f"{SVG}text")}
    shown = {one.text_content() for one in stage.locator("text").all() if one.is_visible()}
    assert {"04:00", "layer 1", "4 units"} < shown <= texts
    assert "weights U_g, from the step before" in texts  # the legend
    columns = stage.locator(".column").count()
    folds = [one for one in shown if re.fullmatch(r"\d+ steps?", one)]
    pictures = [
        base64.b64decode(one.get("href").partition(",")[2]) for one in drawing.iter(f"{SVG}image")
    ]
    assert len(pictures) == 2 * len(folds) > 0  # h and inputs of the steps that are folded
    assert all(one.startswith(b"\x89PNG") and len(one) > 200 for one in pictures)
    heads = [one for one in drawing.iter(f"{SVG}path") if one.get("opacity") == "0.75"]
    assert len(heads) == 2 * (columns + 1)  # lines and tips: between columns, and at both ends
    name, path = saved(page, ".rnnviz-levels", "PNG")
    content = path.read_bytes()
    assert (name, content[:4]) == ("network_step_5.png", b"\x89PNG")
    assert int.from_bytes(content[16:20], "big") == 2 * stage.evaluate("it => it.clientWidth")


def test_the_numbers_of_the_network_are_those_of_the_trace(page, days):
    arrive(page, f"/unrolled?run={days.id}&t=1")
    page.locator(".rnnviz-unrolled-stage .cell").first.wait_for()
    _, path = saved(page, ".rnnviz-levels", "CSV")
    table = pd.read_csv(path)
    trace, _ = days.trace(1)
    layer = trace.layers[0]
    for state in layer.state_names:
        told = table[table.quantity == state].pivot(index="step", columns="unit", values="value")
        assert told.to_numpy() == pytest.approx(layer.state(state)[0], rel=1e-6)
    block = layer.gate_names.index("g")
    told = table[table.quantity == "U_g"].value.to_numpy().reshape(4, 4)
    assert told == pytest.approx(layer.recurrent_weights[block], rel=1e-6)
    said = table[table["where"] == "output"].set_index("quantity").value
    assert said["said"] == pytest.approx(trace.outputs[0, 0, 0], rel=1e-6)
    assert said["true"] == pytest.approx(trace.targets[0, 0, 0], rel=1e-6)


# The same moves by a canvas and by the pen that stands for it in files; both as pixels.
DRAWN_TWICE = """async () => {
  const loaded = performance.getEntriesByType("resource").map(({ name }) => name);
  const { Pen } = await import(loaded.find((name) => name.includes("/svg_pen.js")));
  const size = 200;
  const moves = (pen) => {
    pen.strokeStyle = pen.fillStyle = "rgb(20,40,160)";
    const corners = [[30, 30], [90, 30], [90, 90], [30, 90]];
    for (const order of [[0, 1, 2, 3], [3, 2, 1, 0], [1, 2, 3, 0], [2, 1, 0, 3]]) {
      pen.save();
      pen.lineWidth = 3;
      pen.beginPath();
      pen.moveTo(...corners[order[0]]);
      pen.arcTo(...corners[order[1]], ...corners[order[2]], 17);
      pen.arcTo(...corners[order[2]], ...corners[order[3]], 17);
      pen.lineTo(...corners[order[3]]);
      pen.stroke();
      pen.restore();
      pen.translate(order[0] % 2 ? -50 : 70, 30);
    }
    pen.globalAlpha = 0.5;
    pen.beginPath();
    pen.arc(20, 20, 14, 0, 7);
    pen.fill();
    const image = document.createElement("canvas");
    image.width = image.height = 2;
    const inner = image.getContext("2d");
    inner.fillStyle = "rgb(200,30,30)";
    inner.fillRect(0, 0, 1, 1);
    pen.globalAlpha = 1;
    pen.imageSmoothingEnabled = false;
    pen.drawImage(image, 0, 0, 2, 2, 0, 50, 40, 30);
  };
  const sheet = () => {
    const made = document.createElement("canvas");
    return Object.assign(made, { width: size, height: size }).getContext("2d");
  };
  const one = sheet();
  moves(one);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const name of ["width", "height"]) svg.setAttribute(name, size);
  moves(new Pen(svg));
  const picture = new Image();
  const text = new XMLSerializer().serializeToString(svg);
  picture.src = `data:image/svg+xml,${encodeURIComponent(text)}`;
  await picture.decode();
  const two = sheet();
  two.drawImage(picture, 0, 0);
  return [one, two].map((it) => Array.from(it.getImageData(0, 0, size, size).data));
}"""


def test_a_canvas_and_its_pen_for_files_draw_the_same(page, days):
    arrive(page, f"/unrolled?run={days.id}&t=1")
    page.locator(".rnnviz-unrolled-stage .cell").first.wait_for()
    by_canvas, by_pen = np.array(page.evaluate(DRAWN_TWICE)).reshape(2, 200, 200, 4)
    ink = by_canvas[..., 3] > 0
    assert ink.sum() > 2000
    assert (np.abs(by_canvas - by_pen).max(axis=2) > 40).sum() < 0.01 * ink.sum()
