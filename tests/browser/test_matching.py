"""Select and match, by hand: read all sequences, mark a span, read the matches."""

import re
from pathlib import Path

import numpy as np
import pytest
from driving import WAIT, arrive, says, settled, turn_to
from playwright.sync_api import Page, expect

from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.data.sources import load
from rnnviz.exchange import own
from rnnviz.runs import RUNNERS
from rnnviz.runs.run import Run
from rnnviz.states.asked import stored_of_trace
from rnnviz.states.match import find_spans, units_on
from rnnviz.states.store import States, digest, open_states
from rnnviz.ui.server import OWNER_COOKIE

OWNER = "browser-tests-" + "m" * 29  # 43 letters, as the server makes them
MAP = ".st-key-heat"
THRESHOLD = 0.05  # so low that a young network has units on


@pytest.fixture(scope="module")
def day(server) -> Run:
    """One epoch on days of 10 minutes, trained in this process."""
    config = RunConfig(
        data=DataConfig(people=30),
        model=ModelConfig(hidden_size=8, attention="none"),
        training=TrainingConfig(epochs=1),
    )
    run = Run.create(server.home, config, owner=OWNER, now=0.0)
    RUNNERS["inline"](server.home).submit(run)
    assert run.view().status == "finished"
    return run


@pytest.fixture
def page(page: Page, context, base_url) -> Page:
    context.add_cookies([{"name": OWNER_COOKIE, "value": OWNER, "url": base_url}])
    return page


def kept(run: Run, home: Path) -> tuple[States, int]:
    """The states that the page had read, and where its sequence stands among them."""
    trace, _ = run.trace(1)
    dataset = load(run.config.data, home)
    model = own.save(stored_of_trace(trace, run.config.model, dataset))
    states = open_states(home, digest(model, run.config.data))
    assert states is not None
    return states, states.place(int(trace.sequences[0]))


def matches(states: States, place: int, start: int, stop: int) -> str:
    """What the page has to say, by way of the core alone."""
    h = states.h[0][:, place]
    on = units_on(np.asarray(h), start, stop, THRESHOLD)[:4]
    assert on, "the threshold is so low that some unit is on"
    signed = tuple((one.unit, one.sign) for one in on)
    found = find_spans(
        states.h[0],
        states.lengths,
        signed,
        THRESHOLD,
        least=len(signed),
        like=stop - start,
        without=place,
    )
    others = len(states.rows) - 1
    return f"{found.total:,} spans in {len(found.within):,} of {others:,} other sequences"


def drag(page: Page, begin: float, end: float) -> None:
    """Over the map of all units, between two hours."""
    area = page.locator(f"{MAP} .nsewdrag").first
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    x = [box["x"] + box["width"] * hour / 24 for hour in (begin, (begin + end) / 2, end)]
    page.mouse.move(x[0], box["y"] + 20)
    page.mouse.down()
    for place in x[1:]:
        page.mouse.move(place, box["y"] + 40, steps=4)
    page.mouse.up()


def test_a_span_is_marked_and_its_matches_are_read(page, day, server):
    arrive(page, f"/match?run={day.id}&match_threshold={THRESHOLD}")
    page.get_by_role("button", name="Read all 30 sequences").click()
    says(page, "Drag over the map to mark a span.")
    settled(page)
    states, place = kept(day, server.home)
    threshold = page.get_by_role("slider", name=re.compile("Threshold"))
    threshold.focus()
    page.keyboard.press("Home")
    expect(threshold).to_have_value(str(THRESHOLD), timeout=WAIT)
    expect(page.locator(f"{MAP} .rnnviz-plot")).to_have_attribute(
        "aria-busy", "false", timeout=WAIT
    )
    drag(page, 9.08, 10.92)  # in the middle of a step of 10 minutes
    says(page, "From 09:00 to before 11:00.")
    says(page, matches(states, place, 54, 66))
    says(page, "Who they are")
    drag(page, 20.08, 20.92)
    says(page, "From 20:00 to before 21:00.")
    says(page, matches(states, place, 120, 126))


def test_what_a_unit_tells_of_the_hour(page, day):
    arrive(page, f"/units?run={day.id}")
    reads = page.get_by_role("button", name="Read all 30 sequences")
    if reads.count():
        reads.click()
    says(page, re.compile("tells most: .* of the entropy of “hour of the day”"))
    turn_to(page, "Gates")  # and the page is left as any other
