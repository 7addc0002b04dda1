"""Own routes, headers and the visitor's cookie, spoken to as a web server does (ASGI)."""

import asyncio
import gzip
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import plotly
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from streamlit import config
from streamlit.web.server.app_discovery import discover_asgi_app

from rnnviz.errors import ConfigError
from rnnviz.ui import server

ROOT = Path(__file__).resolve().parents[1]
TOKEN = "A" * 43


async def page(request):
    return PlainTextResponse(f"hello {server.owner(request.cookies)}")


async def socket(websocket):
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


@pytest.fixture
def app(monkeypatch):
    monkeypatch.delenv("RNNVIZ_FRAME_ANCESTORS", raising=False)
    routes = [*server.routes(), WebSocketRoute("/socket", socket), Route("/{path:path}", page)]
    return Starlette(routes=routes, middleware=server.middleware())


def talk(app, path, *, kind="http", scheme="http", query="", **headers):
    """Sends one request; returns the status, the headers (name, value) and the body."""
    said = []
    incoming = {
        "http": {"type": "http.request", "body": b""},
        "websocket": {"type": "websocket.connect"},
    }

    async def receive():
        return incoming[kind]

    async def send(message):
        said.append(message)

    scope = {
        "type": kind,
        "method": "GET",
        "scheme": scheme,
        "path": path,
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()],
        "subprotocols": [],
    }
    # In a thread of its own: after a browser test, Playwright's loop still runs in this one.
    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(asyncio.run, app(scope, receive, send)).result()
    if kind == "websocket":
        return said
    start, *bodies = said
    pairs = [(name.decode(), value.decode()) for name, value in start["headers"]]
    return start["status"], pairs, b"".join(message.get("body", b"") for message in bodies)


def plotly_file() -> bytes:
    return (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_bytes()


@pytest.mark.parametrize("base", ["", "/class", "/a/b"])
def test_plotly_is_served_under_any_base_path(app, base):
    status, headers, body = talk(app, f"{base}/{server.PLOTLY_PATH}")
    assert status == 200
    assert body == plotly_file()
    assert dict(headers)["content-type"].startswith("text/javascript")


def test_the_address_of_plotly_changes_with_its_version(app):
    _, headers, _ = talk(app, f"/{server.PLOTLY_PATH}")
    assert plotly.__version__ in server.PLOTLY_PATH
    assert dict(headers)["cache-control"] == "public, max-age=31536000, immutable"
    assert dict(headers)["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("accepted", "small"),
    [
        ("gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, GZIP; q=0.5", True),
        ("*", True),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.00", False),
        ("identity, gzip;q=0.001", True),
    ],
)
def test_plotly_is_packed_for_those_who_can_unpack(app, accepted, small):
    _, headers, body = talk(app, f"/{server.PLOTLY_PATH}", accept_encoding=accepted)
    assert (dict(headers).get("content-encoding") == "gzip") is small
    assert (gzip.decompress(body) if small else body) == plotly_file()
    assert (len(body) < 0.4 * len(plotly_file())) is small


@pytest.mark.parametrize("address", ["/train", "/class/train"])
@pytest.mark.parametrize("query", ["", "hidden=32&run=a"])
def test_the_first_page_is_found_under_its_name_too(app, address, query):
    status, headers, _ = talk(app, address, query=query)
    assert status == 307
    assert dict(headers)["location"] == (f"./?{query}" if query else "./")


def test_no_other_page_is_sent_elsewhere(app):
    assert [talk(app, path)[0] for path in ("/", "/gates", "/untrain", "/train/x")] == [200] * 4


def test_every_answer_has_the_security_headers(app):
    for path in ("/", f"/{server.PLOTLY_PATH}"):
        headers = dict(talk(app, path)[1])
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'self'"
        assert "'unsafe" not in policy["script-src"]
        assert "http" not in headers["content-security-policy"]
        assert policy["frame-ancestors"] == "'none'"
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("text", ["'self'", "https://lms.example", "'self' https://*.example:8443"])
def test_another_site_may_be_allowed_to_frame_the_app(text):
    assert server.content_policy(text).endswith(f"frame-ancestors {text}")


@pytest.mark.parametrize("text", ["*", "https://a.example; script-src *", "a.example", "'none',"])
def test_anything_else_is_refused_as_a_frame(monkeypatch, text):
    monkeypatch.setenv("RNNVIZ_FRAME_ANCESTORS", text)
    with pytest.raises(
        ConfigError, match=r"RNNVIZ_FRAME_ANCESTORS is .*; it must be 'none', 'self'"
    ):
        server.middleware()


def cookies(headers) -> list[str]:
    return [value for name, value in headers if name == "set-cookie"]


def test_a_browser_without_a_name_gets_one(app):
    _, headers, body = talk(app, "/gates", accept="text/html,*/*")
    (cookie,) = cookies(headers)
    name, *attributes = cookie.split("; ")
    assert server.owner(dict([name.split("=", 1)])) is not None
    assert set(attributes) == {"Path=/", "Max-Age=31536000", "HttpOnly", "SameSite=Lax"}
    assert body == b"hello None"


def test_no_two_names_are_the_same(app):
    given = {cookies(talk(app, "/", accept="text/html")[1])[0] for _ in range(20)}
    assert len(given) == 20


def test_over_tls_the_cookie_stays_on_tls(app):
    (cookie,) = cookies(talk(app, "/", scheme="https", accept="text/html")[1])
    assert cookie.endswith("; Secure")


def test_a_known_browser_keeps_its_name(app):
    cookie = f"{server.OWNER_COOKIE}={TOKEN}"
    _, headers, body = talk(app, "/", accept="text/html", cookie=cookie)
    assert cookies(headers) == []
    assert body == f"hello {TOKEN}".encode()


@pytest.mark.parametrize("value", ["", "short", TOKEN + "A", "../" + TOKEN[3:], "ä" * 43])
def test_a_name_that_we_did_not_make_is_no_name(value):
    assert server.owner({server.OWNER_COOKIE: value}) is None
    assert server.owner({}) is None


def test_a_broken_name_is_replaced(app):
    made_up = f"{server.OWNER_COOKIE}=admin"
    assert len(cookies(talk(app, "/", accept="text/html", cookie=made_up)[1])) == 1


def test_parts_of_a_page_set_no_cookie(app):
    assert cookies(talk(app, "/static/js/x.js", accept="*/*")[1]) == []
    assert cookies(talk(app, f"/{server.PLOTLY_PATH}", accept="*/*")[1]) == []


def test_sockets_pass_untouched(app):
    said = talk(app, "/socket", kind="websocket", accept="text/html")
    assert [m["type"] for m in said] == ["websocket.accept", "websocket.send", "websocket.close"]
    assert said[1]["text"] == "hello"


def test_the_command_serves_the_launcher_beside_the_pages():
    command = server.command("--server.port", "8600")
    assert command[:4] == [sys.executable, "-m", "streamlit", "run"]
    assert Path(command[4]) == ROOT / "app.py"
    assert command[5:] == ["--server.port", "8600"]
    assert (server.home() / ".streamlit" / "config.toml").is_file()


def test_streamlit_recognises_the_launcher():
    assert discover_asgi_app(ROOT / "app.py").import_string == "app:app"


def flat(table, prefix=""):
    for name, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def test_streamlit_knows_every_setting():
    chosen = dict(flat(tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())))
    assert set(chosen) <= set(config.get_config_options())
    for theme in ("light", "dark"):
        assert len(chosen[f"theme.{theme}.chartCategoricalColors"]) >= 10
        assert len(chosen[f"theme.{theme}.chartSequentialColors"]) == 10
        assert len(chosen[f"theme.{theme}.chartDivergingColors"]) == 10
