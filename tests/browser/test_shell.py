"""What holds on every page: addresses work, headers are there, nothing comes from outside."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from rnnviz.ui import server as app_server

PAGES = ("data", "train", "unrolled", "gates", "attention", "whatif", "models")
SCRIPT = f"/{app_server.PLOTLY_PATH}"


def arrive(page: Page, address: str) -> None:
    """Opens a page and waits until its script has run to the end."""
    page.goto(address)
    main = page.get_by_test_id("stMainBlockContainer")
    expect(main).to_be_visible(timeout=30_000)
    state = page.get_by_test_id("stApp")
    expect(state).to_have_attribute("data-test-script-state", "notRunning", timeout=60_000)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(main).to_have_text(re.compile(r"\w{3}"))


def test_the_first_visitor_may_come_by_a_deep_link(page, serve, tmp_path):
    with serve(app_server.command(), tmp_path) as fresh:
        arrive(page, f"{fresh.url}/unrolled")
        assert page.url.startswith(f"{fresh.url}/unrolled")
        expect(page.get_by_text("Page not found")).to_have_count(0)
        for name in PAGES:
            links = page.locator(f"a[href$='/{name}'], a[href*='/{name}?']")
            expect(
                links if name != "train" else page.get_by_role("link", name="Train")
            ).not_to_have_count(0)


def test_browser_tests_are_marked_as_such(request):
    assert request.node.get_closest_marker("browser") is not None


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_an_address(page, name):
    arrive(page, f"/{name}")
    expect(page.get_by_text("Page not found")).to_have_count(0)


@pytest.mark.browser_context_args(viewport={"width": 1920, "height": 1080}, color_scheme="dark")
def test_a_dark_system_gets_a_dark_page(page):
    arrive(page, "/")
    ground = page.get_by_test_id("stApp").evaluate("it => getComputedStyle(it).backgroundColor")
    assert max(map(int, re.findall(r"\d+", ground)[:3])) < 40
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_pages_and_their_parts_carry_the_security_headers(page):
    for path in ("/train", "/_stcore/health", SCRIPT):
        headers = page.request.get(path).headers
        assert "script-src 'self' 'sha256-" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"


def test_plotly_comes_from_here_once(page):
    arrive(page, "/")
    headers = page.request.get(SCRIPT).headers
    assert headers["content-encoding"] == "gzip"
    assert "immutable" in headers["cache-control"]
    page.add_script_tag(url=SCRIPT)
    assert page.evaluate("typeof Plotly.react") == "function"
    page.goto("/data")
    page.add_script_tag(url=SCRIPT)
    sizes = "name => performance.getEntriesByName(location.origin + name).map(e => e.transferSize)"
    assert set(page.evaluate(sizes, SCRIPT)) == {0}


def test_a_visitor_gets_a_name_that_the_first_socket_already_carries(page, context):
    handshakes = []
    protocol = context.new_cdp_session(page)
    protocol.send("Network.enable")
    protocol.on(
        "Network.webSocketWillSendHandshakeRequest",
        lambda sent: handshakes.append(sent["request"]["headers"].get("Cookie", "")),
    )
    arrive(page, "/")
    cookie = owner_cookie(context)
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert cookie["path"] == "/"
    assert app_server.owner({app_server.OWNER_COOKIE: cookie["value"]}) is not None
    assert f"{app_server.OWNER_COOKIE}={cookie['value']}" in handshakes[0]


def test_a_visitor_keeps_the_name(page, context):
    arrive(page, "/")
    first = owner_cookie(context)["value"]
    arrive(page, "/gates")
    assert owner_cookie(context)["value"] == first


def owner_cookie(context: BrowserContext) -> dict:
    (cookie,) = [c for c in context.cookies() if c["name"] == app_server.OWNER_COOKIE]
    return cookie
