"""Sentiment by hand: click a word, negate it, read the changed score; type others; use a link."""

import re
from pathlib import Path

import numpy as np
import pytest
from driving import WAIT, arrive, button, settled
from playwright.sync_api import Page, expect

from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.data import sources
from rnnviz.inside.network import Network, Sequence
from rnnviz.runs import RUNNERS
from rnnviz.runs.run import Run
from rnnviz.ui.sentences import one_hot
from rnnviz.ui.server import OWNER_COOKIE
from rnnviz.ui.words import number

OWNER = "browser-tests-" + "s" * 29  # 43 letters, as the server makes them
WORDS = ".st-key-by_gradients .rnnviz-tokens-token"
BEFORE, AFTER = "the film was very good", "the film was not very good"


def trained(home: Path, data: DataConfig, **model: object) -> Run:
    """Two epochs, trained in this process."""
    config = RunConfig(
        data=data,
        model=ModelConfig(hidden_size=12, **model),
        training=TrainingConfig(epochs=2, learning_rate=0.02),
    )
    run = Run.create(home, config, owner=OWNER, now=0.0)
    RUNNERS["inline"](home).submit(run)
    assert run.view().status == "finished"
    return run


@pytest.fixture(scope="module")
def reviews(server) -> Run:
    return trained(server.home, DataConfig(source="phrases", grammar="reviews", sequences=600))


@pytest.fixture
def page(page: Page, context, base_url) -> Page:
    context.add_cookies([{"name": OWNER_COOKIE, "value": OWNER, "url": base_url}])
    return page


def score(run: Run, text: str) -> float:
    """The log-odds of good, by way of the core alone."""
    trace, _ = run.trace(2)
    data = sources.load(run.config.data, run.home)
    place = {word: k for k, word in enumerate(data.vocabulary)}
    inputs = one_hot(np.array([place[word] for word in text.split()]), data)
    one = Sequence(inputs=inputs, covariates=np.zeros(0), targets=np.zeros(1, dtype=np.int64))
    z = Network.of(trace).run(one).read.outputs[0]
    return float(z[1] - z[0])


def metric(page: Page, label: str):
    return page.get_by_test_id("stMetric").filter(has_text=label)


def shows(page: Page, text: str, value: float) -> None:
    """The field holds the sentence, and the score is the core's."""
    expect(page.get_by_label("As it stands now")).to_have_value(text, timeout=WAIT)
    said = metric(page, "Log-odds of good").get_by_test_id("stMetricValue")
    expect(said).to_have_text(number(value, 3), timeout=WAIT)


def test_a_word_is_negated_and_the_score_changes(page, reviews):
    arrive(page, f"/sentiment?run={reviews.id}&edited={BEFORE.replace(' ', '+')}")
    shows(page, BEFORE, score(reviews, BEFORE))
    expect(page.locator(WORDS)).to_have_count(5, timeout=WAIT)
    page.locator(WORDS).nth(3).click()
    expect(page.get_by_text("Word 4 of 5")).to_be_visible(timeout=WAIT)
    button(page, "“not” before it").click()
    after = score(reviews, AFTER)
    shows(page, AFTER, after)
    expect(page.locator(WORDS)).to_have_text(AFTER.split(), timeout=WAIT)
    expect(metric(page, "True verdict")).to_contain_text("bad by the rule")
    original = page.get_by_test_id("stMetric").filter(has_text="Said before")
    expect(original).to_be_visible()
    expect(page).to_have_url(re.compile(r"[?&]edited=the\+film\+was\+not\+very\+good(&|$)"))
    page.reload()
    settled(page)
    shows(page, AFTER, after)
    # another word, and several in its place, by keyboard
    page.locator(WORDS).nth(5).click()
    chooser = page.locator(".st-key-word_instead").get_by_role("combobox")
    expect(page.get_by_text("Word 6 of 6")).to_be_visible(timeout=WAIT)
    chooser.fill("at all dull")
    chooser.press("Enter")
    typed = "the film was not very at all dull"
    shows(page, typed, score(reviews, typed))
    field = page.get_by_label("As it stands now")
    field.fill("the film was splendid")
    field.press("Enter")
    never = page.get_by_text("the network never saw 'splendid'")
    expect(never).to_be_visible(timeout=WAIT)
    button(page, "Back to the sentence of the data").click()
    expect(metric(page, "Says")).to_have_count(1, timeout=WAIT)
    assert "edited=" not in page.url


def test_a_tagged_word_is_clicked_and_explained(page, server):
    data = DataConfig(source="world", world="entities", sequences=300)
    run = trained(server.home, data, attention="none", bidirectional=True)
    address = "/sentiment?edited=Jordan+Bank+hired+Anna+on+3+May+1990+."
    arrive(page, f"{address}&run={run.id}")
    words = page.locator(".rnnviz-tags-word")
    expect(words).to_have_count(9, timeout=WAIT)
    words.nth(6).click()
    expect(page.get_by_text(re.compile("Why “May” is "))).to_be_visible(timeout=WAIT)
    expect(words.nth(6)).to_have_class(re.compile("rnnviz-tags-chosen"))
    page.locator(".rnnviz-tags-text").press("ArrowLeft")
    expect(page.get_by_text(re.compile("Why “3” is "))).to_be_visible(timeout=WAIT)
