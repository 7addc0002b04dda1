"""One drawing in place, in a real browser, on a small page of its own."""

import csv
import math
import re
import shutil
import sys
from pathlib import Path

import pytest
from driving import by_and_by
from playwright.sync_api import Page, expect

ROOT = Path(__file__).resolve().parents[2]
LAUNCHER = f"""
import sys

sys.path.insert(0, {str(ROOT)!r})
import streamlit as st

from rnnviz.ui import server

app = st.App("bench.py", routes=server.routes(), middleware=server.middleware())
"""
BENCH = """
import numpy as np
import plotly.graph_objects as go
import streamlit as st

from rnnviz.ui.components.plot import plot

NAME = "<img src=x onerror=alert(1)>"


def again():
    st.session_state["n"] += 1


n = st.session_state.setdefault("n", 0)
st.text(f"theme {st.context.theme.type}")
st.text(f"told {st.session_state.get('told')}")
st.button("Other figure", on_click=again)
st.button("Same figure")
first, second = st.tabs(["First", "Second"])
with first:
    wave = go.Scatter(y=np.sin(np.arange(100) / 10 + n), name=NAME)
    line = go.Figure(wave, {"title": NAME, "hovermode": "x"})
    seen = plot(line, key="line", on_click=lambda point: st.session_state.update(told=point.point))
    st.text(f"seen {seen}")
with second:
    heat = go.Figure(go.Heatmap(z=np.arange(6, dtype="int8").reshape(2, 3)), {"title": "Heat"})
    st.text(f"cell {plot(heat, key='heat', height=240, clickable=True)}")


@st.fragment(run_every=0.2)
def live():
    tick = st.session_state["tick"] = st.session_state.get("tick", 0) + 1
    plot(go.Figure(go.Scatter(y=np.sin(np.arange(50) + tick)), {"title": "Live"}), key="live")


if "live" in st.query_params:
    live()
if file := st.file_uploader("A file"):
    st.text(f"{len(file.getvalue())} bytes came")
    st.download_button("Take it", file.getvalue(), "back.bin")
"""
LINE, HEAT, LIVE = (f".st-key-{key} .rnnviz-plot" for key in ("line", "heat", "live"))
REMEMBER = "it => { it.querySelector('.main-svg').remembered = true }"
REMEMBERED = "it => it.querySelector('.main-svg').remembered === true"


@pytest.fixture(scope="module")
def bench(serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bench")
    (folder / "app.py").write_text(LAUNCHER)
    (folder / "bench.py").write_text(BENCH)
    shutil.copytree(ROOT / ".streamlit", folder / ".streamlit")
    with serve([sys.executable, "-m", "streamlit", "run", "app.py"], folder) as running:
        yield running


def drawn(page: Page, where: str, at_least: int = 1) -> int:
    """Waits for so many drawings; returns how many there were."""
    box = page.locator(where)
    expect(box).to_have_attribute("aria-busy", "false", timeout=30_000)
    pattern = re.compile("|".join(str(n) for n in range(at_least, at_least + 200)))
    expect(box).to_have_attribute("data-drawn", pattern, timeout=15_000)
    return int(box.get_attribute("data-drawn"))


def ticks(page: Page, where: str) -> list[str]:
    return sorted(page.locator(f"{where} .xtick text").all_text_contents())


def zoom(page: Page, where: str) -> None:
    area = page.locator(f"{where} .nsewdrag")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=5)
    page.mouse.up()


def test_a_new_figure_is_drawn_in_place_and_the_zoom_stays(page, bench):
    page.goto(bench.url)
    assert drawn(page, LINE) == 1
    zoom(page, LINE)
    expect(page.locator(f"{LINE} .xtick text").first).not_to_have_text("0")
    zoomed = ticks(page, LINE)
    curve = page.locator(f"{LINE} path.js-line").get_attribute("d")
    page.locator(LINE).evaluate(REMEMBER)
    page.get_by_role("button", name="Other figure").click()
    drawn(page, LINE, at_least=2)
    expect(page.locator(f"{LINE} path.js-line")).not_to_have_attribute("d", curve)
    assert page.locator(LINE).evaluate(REMEMBERED)
    assert ticks(page, LINE) == zoomed


def test_an_unchanged_figure_is_not_drawn_again(page, bench):
    page.goto(bench.url)
    drawn(page, LINE)
    page.get_by_role("button", name="Other figure").click()
    count = drawn(page, LINE, at_least=2)
    page.get_by_role("button", name="Same figure").click()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    assert drawn(page, LINE) == count


def test_a_figure_that_comes_before_the_library_is_drawn(page, bench):
    held = []
    page.route("**/*plotly*", lambda route: held.append(route))
    page.goto(bench.url)
    by_and_by(page, lambda: len(held), lambda count: count == 1)
    page.get_by_role("button", name="Other figure").click()
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")
    held[0].continue_()
    drawn(page, LINE)
    first = f"() => document.querySelector('{LINE} .js-plotly-plot').data[0].y[0]"
    assert page.evaluate(first) == pytest.approx(math.sin(1))


def test_live_updates_keep_the_drawing_on_a_slow_computer(page, context, bench):
    page.goto(f"{bench.url}/?live=1")
    count = drawn(page, LIVE)
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.locator(LIVE).evaluate(REMEMBER)
    drawn(page, LIVE, at_least=count + 5)
    assert page.locator(LIVE).evaluate(REMEMBERED)


def test_a_click_comes_back_as_a_point(page, bench):
    page.goto(bench.url)
    drawn(page, LINE)
    area = page.locator(f"{LINE} .nsewdrag")
    area.hover()
    expect(page.locator(f"{LINE} .hovertext")).not_to_have_count(0)
    box = area.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    seen = page.get_by_text("seen Clicked(")
    expect(seen).to_be_visible()
    point = re.search(r"curve=0, point=(\(\d+,\))", seen.inner_text())[1]
    expect(page.get_by_text(f"told {point}")).to_be_visible()


def test_a_heat_map_in_a_hidden_tab_is_drawn_when_it_shows_and_can_be_clicked(page, bench):
    page.goto(bench.url)
    drawn(page, LINE)
    assert page.locator(HEAT).get_attribute("data-drawn") is None
    page.get_by_role("tab", name="Second").click()
    drawn(page, HEAT)
    assert page.locator(HEAT).bounding_box()["height"] == 240
    box = page.locator(f"{HEAT} .nsewdrag").bounding_box()
    spot = (box["x"] + box["width"] * 5 / 6, box["y"] + box["height"] / 4)
    page.mouse.move(*spot)
    expect(page.locator(f"{HEAT} .hovertext")).not_to_have_count(0)
    page.mouse.click(*spot)
    expect(page.get_by_text("cell Clicked(x=2, y=1, curve=0, point=(1, 2))")).to_be_visible()


def test_the_drawing_follows_the_width_of_its_place(page, bench):
    page.goto(bench.url)
    drawn(page, LINE)
    page.set_viewport_size({"width": 700, "height": 800})
    drawn(page, LINE, at_least=2)
    widths = "it => [it.clientWidth, it.querySelector('.main-svg').clientWidth]"
    place, drawing = page.locator(LINE).evaluate(widths)
    assert place == drawing < 700


def test_names_that_people_bring_are_shown_and_never_run(page, bench):
    page.goto(bench.url)
    drawn(page, LINE)
    assert page.locator(f"{LINE} img").count() == 0
    expect(page.locator(f"{LINE} [role=img]")).to_have_attribute("aria-label", "Figure")


def test_colours_follow_when_the_system_turns_dark(page, bench):
    page.goto(bench.url)
    drawn(page, LINE)
    expect(page.get_by_text("theme light")).to_be_visible()
    page.emulate_media(color_scheme="dark")
    expect(page.get_by_text("theme dark")).to_be_visible(timeout=10_000)
    letters = page.locator(f"{LINE} .xtick text").first
    assert letters.evaluate("it => getComputedStyle(it).fill") != "rgb(42, 63, 95)"


def test_files_go_up_and_come_down_under_the_security_policy(page, bench):
    page.goto(bench.url)
    drawn(page, LINE)
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": "x.bin", "mimeType": "application/octet-stream", "buffer": b"\x00\x01" * 500}
    )
    expect(page.get_by_text("1000 bytes came")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Take it").click()
    assert download.value.path().read_bytes() == b"\x00\x01" * 500


def taken(page: Page, where: str, what: str) -> bytes:
    """The file that a button of the drawing's bar gives."""
    page.locator(f"{where} .nsewdrag").hover()
    with page.expect_download() as download:
        page.locator(f'{where} [data-title="{what}"]').click()
    return Path(download.value.path()).read_bytes()


def test_a_figure_is_taken_as_picture_and_as_numbers(page, bench):
    page.goto(bench.url)
    drawn(page, LINE)
    svg = taken(page, LINE, "Download as SVG").decode()
    assert svg.startswith("<svg")
    assert "js-line" in svg
    assert taken(page, LINE, "Download as PNG").startswith(b"\x89PNG")
    table = list(csv.reader(taken(page, LINE, "Download the numbers as CSV").decode().splitlines()))
    assert table[0] == ["series", "x", "x_end", "y", "y_end", "value"]
    assert [float(row[3]) for row in table[1:]] == pytest.approx(
        [math.sin(k / 10) for k in range(100)]
    )
    page.get_by_role("tab", name="Second").click()
    drawn(page, HEAT)
    cells = taken(page, HEAT, "Download the numbers as CSV").decode().splitlines()[1:]
    assert [float(line.rpartition(",")[2]) for line in cells] == [0, 1, 2, 3, 4, 5]
