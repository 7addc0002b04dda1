"""The main job, as a visitor does it: open the app, train, look inside, bring a file, come back."""

import re

import numpy as np
import pytest
from driving import (
    WAIT,
    Trained,
    arrive,
    button,
    by_and_by,
    plotted,
    run_of,
    runs_in,
    says,
    selected,
    settled,
    slider,
    turn_to,
    upload,
    verdict,
)
from playwright.sync_api import Page, expect

from rnnviz.ui.words import number

DONE = "All epochs are done."
SMALL = "people=100&hidden_size=8"  # 2 batches an epoch
LONG = "people=100&epochs=200"  # 400 steps: time to interfere
ENDLESS = "people=100&epochs=9000"  # for those who stop it
OWN_FILE = "source=My+own+file"
STRIP = ".rnnviz-unrolled-strip"
LABEL = ".rnnviz-unrolled-label"


@pytest.fixture(autouse=True)
def free_trainer(server):
    """Ends what a test leaves unfinished, since one trainer serves them all."""
    yield
    for run in runs_in(server.home).values():
        if not run.view().ended:
            run.stop()


@pytest.fixture(scope="module")
def trained(browser, browser_context_args, server) -> Trained:
    """A network with attention, trained by a visitor; tests come back to it with the cookie."""
    context = browser.new_context(**browser_context_args)
    page = context.new_page()
    arrive(page, "/?people=100&epochs=2")
    button(page, "Train").click()
    says(page, DONE)
    made = Trained(run=run_of(page, server.home), cookies=context.cookies())
    context.close()
    return made


# -- training --------------------------------------------------------------------------------------


def test_training_lowers_the_loss_and_ends_in_a_verdict(page, server):
    arrive(page, "/?epochs=4")
    says(page, "Nothing is trained yet.")
    button(page, "Train").click()
    says(page, DONE)
    losses = by_and_by(page, lambda: plotted(page, "loss", "train"), lambda y: len(y) == 4)
    assert losses[-1] < losses[0]
    view = run_of(page, server.home).view()
    assert losses == pytest.approx([epoch.train_loss for epoch in view.epochs])
    validation = plotted(page, "loss", "validation")
    assert validation == pytest.approx([e.validation.metrics["mse"] for e in view.epochs])
    said = verdict(page)
    scores = {(s.predictor, s.part): s.metrics["mse"] for s in view.scores}
    for predictor in ("network", "mean"):
        assert number(scores[predictor, "test"]) in said
    table = page.get_by_test_id("stTable").first
    expect(table.get_by_role("row").filter(has_text="network")).to_contain_text(
        number(scores["network", "test"])
    )


def test_a_run_that_explodes_says_so_in_a_sentence(page, server):
    arrive(page, "/?cell=RNN+%28ReLU%29&scale=raw&learning_rate=10&clip_norm=0&people=100")
    button(page, "Train").click()
    expect(page.get_by_test_id("stSidebar").get_by_text("failed")).to_be_visible(timeout=WAIT)
    view = run_of(page, server.home).view()
    alert = page.get_by_test_id("stMain").get_by_test_id("stAlert")
    expect(alert).to_have_text(view.message)
    assert re.search(r"lower|smaller|scale|clip", view.message)
    expect(button(page, "Train")).to_be_enabled()


def test_pausing_holds_one_batch_goes_one_step_and_resuming_reaches_the_end(page, server):
    arrive(page, f"/?{LONG}")
    button(page, "Train").click()
    says(page, re.compile(r"Epoch \d+ of \d+, step \d+"))
    run = run_of(page, server.home)
    button(page, "Pause").click()
    says(page, "Paused by hand; press Resume to go on")
    held = run.view().step
    assert 0 < held < 400
    turn_to(page, "Data")  # takes longer than many steps
    turn_to(page, "Train")
    assert run.view().step == held
    for step in (held + 1, held + 2):
        button(page, "One batch").click()
        says(page, f"Step {step} is done")
        assert run.view().step == step
    button(page, "Resume").click()
    says(page, DONE)
    assert run.view().step == 400


def click_fast(page: Page, name: str, times: int) -> None:
    """As a mouse does it, that waits for nothing."""
    button(page, name).click(trial=True)  # the page has come to rest under the mouse
    box = button(page, name).bounding_box()
    for _ in range(times):
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_every_click_on_one_batch_counts_once_at_most(page, server):
    arrive(page, f"/?{SMALL}&epochs=200")
    button(page, "One batch").click()
    says(page, "Step 1 is done")
    run = run_of(page, server.home)
    expect(button(page, "One batch")).to_be_enabled(timeout=WAIT)
    click_fast(page, "One batch", 40)
    says(page, re.compile(r"Step ([2-9]|\d\d) is done"))
    expect(button(page, "One batch")).to_be_enabled(timeout=WAIT)
    settled(page)
    reached = run.view().step
    assert 2 <= reached <= 41
    button(page, "One batch").click()
    says(page, f"Step {reached + 1} is done")
    assert run.view().step == reached + 1


@pytest.mark.parametrize(("name", "times"), [("Train", 2), ("Train", 5), ("One epoch", 2)])
def test_impatient_clicks_start_one_run(page, server, name, times):
    before = runs_in(server.home)
    arrive(page, f"/?{ENDLESS}")
    click_fast(page, name, times)
    says(page, re.compile(r"Epoch \d+ of \d+, step|Paused|is done"))
    settled(page)
    assert len(runs_in(server.home).keys() - before.keys()) == 1


# -- coming back, and other visitors ---------------------------------------------------------------


def test_a_reload_finds_the_run_and_a_stranger_does_not(page, browser, server):
    arrive(page, f"/?{LONG}")
    button(page, "Train").click()
    says(page, re.compile(r"Epoch \d+ of \d+, step"))
    run = run_of(page, server.home)
    page.reload()
    expect(button(page, "Pause")).to_be_visible(timeout=WAIT)
    assert run_of(page, server.home).id == run.id
    address = page.url
    with browser.new_context() as strange:
        stranger = strange.new_page()
        arrive(stranger, address)
        says(stranger, "Nothing is trained yet.")
        expect(stranger).not_to_have_url(re.compile(run.id))
        expect(stranger.get_by_text(run.title)).to_have_count(0)
    says(page, DONE)
    assert run.view().step == 400
    verdict(page)


def test_two_tabs_show_and_steer_the_same_run(page, context, server):
    arrive(page, f"/?{ENDLESS}")
    button(page, "Train").click()
    says(page, re.compile(r"Epoch \d+ of \d+, step"))
    other = context.new_page()
    arrive(other, f"/?run={run_of(page, server.home).id}")
    button(other, "Pause").click()
    for tab in (other, page):
        says(tab, "Paused by hand")
        expect(button(tab, "Resume")).to_be_enabled()
    button(page, "Stop").click()
    for tab in (page, other):
        says(tab, re.compile("stopped by hand", re.IGNORECASE))


def test_a_second_run_waits_for_the_first_and_starts_by_itself(page, server):
    arrive(page, f"/?{ENDLESS}")
    button(page, "Train").click()
    says(page, re.compile(r"Epoch \d+ of \d+, step"))
    first = run_of(page, server.home)
    button(page, "New run").click()
    expect(page).not_to_have_url(re.compile(first.id), timeout=WAIT)
    says(page, re.compile(r"Queued"))
    assert not first.view().ended
    first.stop()
    says(page, re.compile(r"Epoch \d+ of \d+, step"))
    page.get_by_test_id("stSidebar").get_by_role("button", name="Other runs").click()
    page.get_by_role("button", name=re.compile(re.escape(first.title))).click()
    says(page, re.compile("stopped by hand", re.IGNORECASE))


# -- looking inside --------------------------------------------------------------------------------


def shown_state(page: Page) -> str:
    """h of the chosen unit at the chosen step, in the last line of all gates."""
    table = page.get_by_test_id("stMain").get_by_test_id("stTable").first
    symbol, *_, recorded = table.get_by_role("row").last.inner_text().split("\t")
    assert symbol.strip() == "h"
    return recorded.strip()


def stands_at(page: Page, trained: Trained, step: int, unit: int = 1) -> None:
    """The drawing, the sidebar and the list of gates agree on a step; all count from 1."""
    expect(page.locator(LABEL)).to_contain_text(f"step {step} of 144", timeout=WAIT)
    selected(page, step=step)
    says(page, f"Unit {unit} of layer 1 at step {step}: all gates")
    settled(page)
    trace, _ = trained.run.trace(2)
    expected = number(float(trace.layers[0].state("h")[0, step - 1, unit - 1]), 5)
    assert by_and_by(page, lambda: shown_state(page), lambda h: h == expected)


def test_the_player_the_strip_and_the_sidebar_move_one_step(page, context, trained):
    trained.visit(context, page, "unrolled")
    stands_at(page, trained, 1)
    page.get_by_role("button", name="next step (→)").click()
    stands_at(page, trained, 2)
    page.locator(STRIP).focus()
    page.keyboard.press("ArrowRight")
    stands_at(page, trained, 3)
    box = page.locator(STRIP).bounding_box()
    page.mouse.click(box["x"] + box["width"] * 72.5 / 144, box["y"] + box["height"] / 2)
    stands_at(page, trained, 73)
    slider(page, "Step").focus()
    page.keyboard.press("ArrowRight")
    stands_at(page, trained, 74)


def test_a_click_on_the_heat_map_chooses_and_the_choice_goes_along(page, context, trained):
    trained.visit(context, page, "gates")
    heat = page.locator(".st-key-heat .nsewdrag")
    heat.scroll_into_view_if_needed()
    box = heat.bounding_box()
    spot = (box["x"] + box["width"] * 99.5 / 144, box["y"] + box["height"] * 8.5 / 32)
    page.mouse.move(*spot)
    expect(page.locator(".st-key-heat .hovertext")).not_to_have_count(0, timeout=WAIT)
    page.mouse.click(*spot)
    selected(page, unit=9, step=100)
    turn_to(page, "Inside")
    stands_at(page, trained, 100, unit=9)
    turn_to(page, "Attention")
    selected(page, unit=9, step=100)
    turn_to(page, "Train")
    turn_to(page, "Gates")
    selected(page, unit=9, step=100)
    says(page, "Unit 9, layer 1")


def test_the_attention_page_shows_the_weights_of_the_trace(page, context, trained):
    trained.visit(context, page, "attention")
    drawn = by_and_by(page, lambda: plotted(page, "weights", "attention"), len)
    trace, _ = trained.run.trace(2)
    np.testing.assert_allclose(drawn, trace.attention[0, 0], rtol=1e-5)
    assert sum(drawn) == pytest.approx(1, abs=1e-5)
    says(page, "weights to 1.0000")
    page.get_by_test_id("stMain").get_by_text("2. Softmax: the weights").click()
    expect(page).to_have_url(re.compile("stage="), timeout=WAIT)


# -- own data --------------------------------------------------------------------------------------


def test_an_uploaded_r_file_is_read_and_trained_on(page, shared):
    file = shared / "data/nhanes/MINdata_oneday.rda"
    if not file.exists():
        pytest.skip(f"the real data are not here: there is no {file}")
    arrive(page, f"/?{OWN_FILE}&epochs=2")
    expect(button(page, "Train")).to_be_disabled()
    upload(page, file)
    says(page, re.compile("292 people"))
    button(page, "Train").click()
    says(page, DONE)
    assert "people" in verdict(page)


BROKEN = {
    "random.rda": (bytes(range(256)) * 8, "random.rda looks like unknown binary content"),
    "empty.csv": (b"", "empty.csv is empty"),
    "ragged.csv": (b"id,BMI\n1,20\n2,21,22,23\n", "ragged.csv is ragged: row 2 holds 4 fields"),
    "text.rds": (b"this is no R file at all", "text.rds is named as an R file but holds"),
    "words.csv": (b"name,age\nAda,36\nAlan,41\n", "the table has no minute columns"),
}


def test_broken_files_are_answered_with_a_sentence_each(page, context, trained):
    trained.visit(context, page, "")
    says(page, DONE)
    arrive(page, f"/?{OWN_FILE}&run={trained.run.id}")
    for name, (content, words) in BROKEN.items():
        upload(page, {"name": name, "mimeType": "application/octet-stream", "buffer": content})
        alert = page.get_by_test_id("stMain").get_by_test_id("stAlert").filter(has_text=words)
        expect(alert).to_have_count(1, timeout=WAIT)
        assert "Traceback" not in alert.inner_text()
        assert len(alert.inner_text()) < 300
        settled(page)
        says(page, DONE)  # the run of before is still there
        expect(button(page, "Train")).to_be_disabled()


def test_text_is_learned_and_its_characters_can_be_chosen(page):
    arrive(page, "/?source=Text&epochs=2&attention=additive")
    button(page, "Train").click()
    says(page, DONE)
    verdict(page)
    turn_to(page, "Gates")
    tokens = page.locator(".rnnviz-tokens-token")
    expect(tokens).to_have_count(64, timeout=WAIT)
    ground = "all => all.map((it) => getComputedStyle(it).backgroundColor)"
    assert len(set(tokens.evaluate_all(ground))) > 3
    tokens.nth(9).click()
    selected(page, step=10)
    expect(page.locator(".rnnviz-tokens-chosen")).to_have_text(tokens.nth(9).inner_text())
    turn_to(page, "Attention")
    says(page, re.compile("after step 10 is predicted"))
    for name in ("Data", "Train"):  # the same source is chosen there, and its words are read
        turn_to(page, name)
        says(page, re.compile("characters, 68 different ones"))
