"""Our own views inside the real app: keys, players, and names that would like to be markup."""

import re

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
    arrive(page, f"/unrolled?run={days.id}")
    at(page, 1, 24)
    page.locator(BOX).focus()
    for keys, step in KEYS.items():
        for key in ("Home", *keys.split()):
            page.keyboard.press(key)
        at(page, step, 24)
        expect(page.locator(STRIP)).to_have_attribute("aria-valuenow", str(step))
    selected(page, step=5)


def test_space_plays_and_pauses(page, days):
    arrive(page, f"/unrolled?run={days.id}")
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
    arrive(page, f"/unrolled?run={days.id}")
    at(page, 1, 24)
    page.get_by_label("speed").select_option("10")
    page.get_by_role("button", name="play (space)").click()
    at(page, 24, 24)
    expect(page.get_by_role("button", name="play (space)")).to_be_visible(timeout=WAIT)
    selected(page, step=24)
    says(page, "at step 24: the arithmetic")


def test_a_unit_is_chosen_in_the_drawing(page, days):
    arrive(page, f"/unrolled?run={days.id}")
    at(page, 1, 24)
    cell = page.locator(f"{BOX} svg .column").nth(2)
    box = cell.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 8)
    at(page, 3, 24)
    selected(page, step=3)


def test_keys_and_clicks_choose_a_token(page, text):
    arrive(page, f"/gates?run={text.id}")
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
    arrive(page, f"/gates?run={text.id}")
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
    for place in ("Train", "Data", "Unrolled", "Gates", "Attention"):
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
    arrive(page, f"/unrolled?run={wave.id}")
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
    arrive(page, f"/unrolled?run={echo.id}")
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
