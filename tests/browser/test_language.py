"""The Language page, by hand: draw token by token, choose another one, and follow the link."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from driving import WAIT, arrive, button, by_and_by, settled
from playwright.sync_api import Page, expect

from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.data.text import encode, load
from rnnviz.inside.network import Network
from rnnviz.inside.sampling import Forced, Plan, speak
from rnnviz.inside.shaping import Shaping
from rnnviz.inside.speaking import Speaker
from rnnviz.runs import RUNNERS
from rnnviz.runs.run import Run
from rnnviz.ui.server import OWNER_COOKIE

OWNER = "browser-tests-" + "l" * 29  # 43 letters, as the server makes them
PREFIX, LENGTH, SEED = "The lamp", 40, 4
SHAPING = Shaping(temperature=0.8, top_k=6)
ASKED = f"say_prefix=The+lamp&say_length={LENGTH}&say_seed={SEED}&say_temperature=0.8&say_top_k=6"
TOKEN = ".rnnviz-speak-text .rnnviz-tokens-token"
LABEL = ".rnnviz-speak-label"
ROW = ".rnnviz-speak-row"


@pytest.fixture(scope="module")
def text(server) -> Run:
    """Two epochs, trained in this process: enough for what is read to matter."""
    config = RunConfig(
        data=DataConfig(source="text", window=24),
        model=ModelConfig(cell="gru", hidden_size=12, attention="none"),
        training=TrainingConfig(epochs=2, learning_rate=0.03, batch_size=4),
    )
    run = Run.create(server.home, config, owner=OWNER, now=0.0)
    RUNNERS["inline"](server.home).submit(run)
    return run


@pytest.fixture
def page(page: Page, context, base_url) -> Page:
    context.add_cookies([{"name": OWNER_COOKIE, "value": OWNER, "url": base_url}])
    return page


def spoken(run: Run, forced: tuple[Forced, ...] = ()) -> list[str]:
    """The tokens of the text, by way of the core alone, their white space as signs."""
    data = load(run.config.data)
    plan = Plan(
        prefix=tuple(encode(PREFIX, data).tolist()),
        length=LENGTH,
        shaping=SHAPING,
        seed=SEED,
        forced=forced,
    )
    found = speak(Speaker.of(Network.of(run.trace(2)[0])), plan)
    signs = {" ": "·", "\n": "↵"}
    return [signs.get(name := data.vocabulary[t], name) for t in found.tokens]


def shown(page: Page) -> list[str]:
    """The tokens that are to be seen."""
    every = page.locator(TOKEN)
    return every.evaluate_all(
        "(all) => all.filter((it) => !it.parentElement.hidden).map((it) => it.textContent)"
    )


def reads(page: Page, wanted: list[str]) -> None:
    by_and_by(page, lambda: shown(page), lambda seen: seen == wanted)


def test_a_text_is_drawn_branched_and_found_again_by_its_link(page, text):
    first = spoken(text)
    arrive(page, f"/language?run={text.id}&{ASKED}")
    reads(page, first)

    # token by token
    button(page, "the prefix alone (Home)").click()
    reads(page, first[:8])
    for _ in range(2):
        button(page, "Next token").click()
    reads(page, first[:10])
    expect(page.locator(LABEL)).to_contain_text("token 10 of 48", timeout=WAIT)
    page.get_by_label("speed").select_option("50")
    button(page, "Play").click()
    reads(page, first)

    # another token at a place
    page.locator(TOKEN).nth(19).click()
    expect(page.locator(LABEL)).to_contain_text("token 20 of 48")
    stands = page.locator(".rnnviz-speak-stands .rnnviz-speak-token")
    expect(stands).to_have_text(first[19])
    rows = page.locator(f"{ROW}[role=button]")
    cut = page.locator(f"{ROW}.rnnviz-speak-cut")
    expect(cut).to_have_count(9)  # of the 15 that are shown, 6 are kept
    expect(cut.first).to_contain_text("top-k")
    chosen = rows.nth(2).locator(".rnnviz-speak-token").text_content()
    rows.nth(2).click()
    expect(page).to_have_url(re.compile(r"[?&]said=12\.\d+(&|$)"), timeout=WAIT)
    token = int(parse_qs(urlsplit(page.url).query)["said"][0].split(".")[1]) - 1
    branch = spoken(text, (Forced(11, token),))
    reads(page, branch)
    assert branch[:19] == first[:19]
    assert branch[19] == chosen != first[19]
    assert branch[20:] != first[20:]
    expect(page.locator(".rnnviz-speak-text .rnnviz-speak-forced")).to_have_text(chosen)

    page.reload()
    settled(page)
    reads(page, branch)
    button(page, "Undo").click()
    reads(page, first)
    assert "said=" not in page.url


def test_keys_move_choose_and_ask_for_more(page, text):
    first = spoken(text)
    arrive(page, f"/language?run={text.id}&{ASKED}")
    reads(page, first)
    page.locator(TOKEN).nth(30).click()
    page.locator(".rnnviz-speak-text").press("ArrowLeft")
    expect(page.locator(LABEL)).to_contain_text("token 30 of 48")
    # the server hears of the place when nobody moves any more
    expect(page).to_have_url(re.compile(r"[?&]say_at=30(&|$)"), timeout=WAIT)
    expect(page.get_by_text("Explain, at token 30")).to_be_visible(timeout=WAIT)
    page.locator(f"{ROW}[role=button]").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"[?&]said=22\.\d+(&|$)"), timeout=WAIT)
    by_and_by(page, lambda: shown(page), lambda seen: seen[:29] == first[:29] and seen != first)
    page.locator(".rnnviz-speak-text").press("n")
    expect(page.locator(LABEL)).to_contain_text("token 49 of 49", timeout=WAIT)
