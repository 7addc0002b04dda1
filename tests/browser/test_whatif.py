"""What if, by hand: force a gate, read the changed prediction, undo it; drag a part of a day."""

import re
from pathlib import Path

import pytest
from driving import WAIT, arrive, button, by_and_by, settled
from playwright.sync_api import Page, expect

from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.inside.interventions import apply, read
from rnnviz.inside.network import Network, sequence_of
from rnnviz.runs import RUNNERS
from rnnviz.runs.run import Run
from rnnviz.ui.server import OWNER_COOKIE
from rnnviz.ui.whatif import signed
from rnnviz.ui.words import number

OWNER = "browser-tests-" + "w" * 29  # 43 letters, as the server makes them
INPUT = ".st-key-whatif_inputs"


def trained(home: Path, data: DataConfig) -> Run:
    """One epoch, trained in this process."""
    model, training = ModelConfig(hidden_size=8), TrainingConfig(epochs=1)
    config = RunConfig(data=data, model=model, training=training)
    run = Run.create(home, config, owner=OWNER, now=0.0)
    RUNNERS["inline"](home).submit(run)
    assert run.view().status == "finished"
    return run


@pytest.fixture(scope="module")
def day(server) -> Run:
    """On days of 10 minutes."""
    return trained(server.home, DataConfig(people=30))


@pytest.fixture(scope="module")
def text(server) -> Run:
    return trained(server.home, DataConfig(source="text", window=32))


@pytest.fixture
def page(page: Page, context, base_url) -> Page:
    context.add_cookies([{"name": OWNER_COOKIE, "value": OWNER, "url": base_url}])
    return page


def metric(page: Page, label: str):
    return page.get_by_test_id("stMetric").filter(has_text=label).get_by_test_id("stMetricValue")


def predicted(run: Run, text: str = "") -> float:
    """By way of the core alone; no input is edited, so inputs need no scales."""
    trace, _ = run.trace(1)
    done = apply(Network.of(trace), sequence_of(trace, 0), read(text))
    return float(done.network.run(done.sequence, done.hands).outputs[0, 0])


def drag(page: Page, begin: float, end: float, *, over: str = INPUT, of: float = 24) -> None:
    """Over a picture, between two places on its axis of so much."""
    area = page.locator(f"{over} .nsewdrag").first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    x = [box["x"] + box["width"] * place / of for place in (begin, (begin + end) / 2, end)]
    page.mouse.move(x[0], box["y"] + 30)
    page.mouse.down()
    for place in x[1:]:
        page.mouse.move(place, box["y"] + 60, steps=4)
    page.mouse.up()


def test_a_gate_is_forced_the_prediction_read_and_undone(page, day):
    before, held = predicted(day), "hold_1_f_all_73-108_0"
    after = predicted(day, held)
    arrive(page, f"/whatif?run={day.id}")
    expect(metric(page, "Before")).to_have_text(number(before), timeout=WAIT)
    expect(metric(page, "Difference")).to_have_text("0")
    page.locator(".st-key-whatif_gate").get_by_role("radio", name="f", exact=True).click()
    expect(page.get_by_text("Forget gate f", exact=True)).to_be_visible(timeout=WAIT)
    button(page, "Add").click()
    expect(metric(page, "Difference")).to_have_text(signed(after - before), timeout=WAIT)
    expect(metric(page, "After")).to_have_text(number(after))
    expect(page).to_have_url(re.compile(rf"[?&]whatif={held}(&|$)"))
    page.reload()
    settled(page)
    expect(metric(page, "Difference")).to_have_text(signed(after - before), timeout=WAIT)
    button(page, "Undo last").click()
    expect(metric(page, "Difference")).to_have_text("0", timeout=WAIT)
    expect(metric(page, "After")).to_have_text(number(before))
    assert "whatif=" not in page.url


def test_a_part_of_a_day_is_dragged_and_masked(page, day):
    arrive(page, f"/whatif?run={day.id}&whatif_kind=Mask+a+part")
    expect(page.locator(f"{INPUT} .rnnviz-plot")).to_have_attribute(
        "aria-busy", "false", timeout=WAIT
    )
    drag(page, 6.02, 9.98)
    expect(page.get_by_text("Part: from 06:00 to 10:00")).to_be_visible(timeout=WAIT)
    # what was dragged is shaded by us, and Plotly's own outline is gone
    shapes = f"{INPUT} .selectionlayer path"
    by_and_by(page, lambda: page.locator(shapes).count(), lambda count: count == 0)
    button(page, "Add").click()
    expect(page.get_by_text("The part from 06:00 to 10:00 is masked")).to_be_visible(timeout=WAIT)
    drag(page, 20.98, 18.02)  # from right to left
    expect(page.get_by_text("Part: from 18:00 to 21:00")).to_be_visible(timeout=WAIT)


def test_a_part_of_a_text_is_dragged_over_the_lines_of_a_unit(page, text):
    arrive(page, f"/whatif?run={text.id}&whatif_kind=Mask+a+part")
    lines = ".st-key-whatif_unit"
    expect(page.locator(f"{lines} .rnnviz-plot")).to_have_attribute(
        "aria-busy", "false", timeout=WAIT
    )
    drag(page, 4.2, 8.8, over=lines, of=32)
    expect(page.get_by_text("Part: at steps 5 to 9")).to_be_visible(timeout=WAIT)
    button(page, "Add").click()
    expect(page.get_by_text("The part at steps 5 to 9 is masked")).to_be_visible(timeout=WAIT)
    expect(page.locator(".rnnviz-tokens-token").nth(4)).to_have_text("∅", timeout=WAIT)
