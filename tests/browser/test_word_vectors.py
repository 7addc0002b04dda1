"""Word vectors, trained and read by a visitor in a real browser."""

from driving import WAIT, arrive, by_and_by, plotted, runs_in, says, settled
from playwright.sync_api import Page, expect

from rnnviz.vectors.settings import TITLE, corpus_of
from rnnviz.vectors.told import curve, space_of

SMALL = "text_words=6000&dimensions=8&min_count=6&vectors_epochs=3"


def marks(page: Page) -> list[float]:
    """Where the points of the map are, as Plotly has them."""
    drawn = page.locator(".st-key-vectors_word_map .js-plotly-plot")
    read = "it => it.data?.flatMap(c => c.name === 'chosen' ? [] : Array.from(c.x)) ?? []"
    return drawn.first.evaluate(read) if drawn.count() else []


def choose(page: Page, key: str, word: str) -> None:
    """Types a word into a box and takes it."""
    page.locator(f".st-key-{key}").get_by_role("combobox").click()
    page.keyboard.type(word)
    page.get_by_role("option", name=word, exact=True).click()
    settled(page)


def test_vectors_are_learned_in_view_read_and_scrubbed(page, server):
    arrive(page, f"/vectors?{SMALL}&vectors_view_here=Neighbours")
    page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_test_id("stMain").get_by_text("All epochs are done.")).to_be_visible(
        timeout=2 * WAIT
    )
    settled(page)
    (run,) = [run for run in runs_in(server.home).values() if run.title == TITLE]
    losses = by_and_by(
        page, lambda: plotted(page, "vectors_loss", "epoch"), lambda seen: len(seen) == 3
    )
    assert losses == curve(run.view(), "loss")[1]
    corpus = corpus_of(run.config, server.home)
    space, word = space_of(corpus, run.arrays(3), "skipgram"), corpus.words[11]
    choose(page, "vectors_word", word)
    nearest = space.neighbours(word, 1)[0]
    rays = "it => it.data.filter(c => c.line?.width === 2).map(c => c.name)"
    picture = page.locator(".st-key-vectors_angles .js-plotly-plot").first
    by_and_by(page, lambda: picture.evaluate(rays), lambda seen: seen[0:2] == [word, nearest.word])
    page.get_by_role("radio", name="Map", exact=True).click()
    says(page, "Point at a mark to read its word")
    last = by_and_by(page, lambda: marks(page), lambda seen: len(seen) == len(corpus.words))
    slider = page.get_by_test_id("stMain").get_by_role("slider", name="Vectors after epoch")
    slider.press("Home")
    settled(page)
    first = by_and_by(page, lambda: marks(page), lambda seen: seen != last)
    assert sorted(first) == sorted(run.arrays(0)["tsne"][:, 0].astype(float).tolist())
    assert sorted(last) == sorted(run.arrays(3)["tsne"][:, 0].astype(float).tolist())
