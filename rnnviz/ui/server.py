"""Between the network and Streamlit: our own routes, the security headers, the visitor's cookie.

No page, no widget, no session state: what is here happens before Streamlit sees a request.
"""

import base64
import gzip
import hashlib
import os
import re
import secrets
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import plotly
import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rnnviz.errors import ConfigError

MAIN = Path(__file__).with_name("main.py")
PLOTLY_PATH = f"rnnviz/plotly-{plotly.__version__}.js"
FIRST_PAGE = "train"  # the default page of main.py
OWNER_COOKIE = "rnnviz_owner"
YEAR = 365 * 24 * 60 * 60  # [s]
_OWNER = re.compile(r"[A-Za-z0-9_-]{43}")
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_FRAME_SOURCE = re.compile(r"'none'|'self'|https?://[A-Za-z0-9.:*\[\]-]+")


def home() -> Path:
    """The folder with app.py, pages/ and .streamlit/: the checkout's root, or a wheel's _app."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_app"
    return installed if installed.is_dir() else package.parent


def command(*options: str) -> list[str]:
    """The command line that serves the app; `options` are those of `streamlit run`."""
    return [sys.executable, "-m", "streamlit", "run", str(home() / "app.py"), *options]


def make_app(script: Path = MAIN) -> st.App:
    """The whole app around a main script.

    Raises:
        ConfigError: RNNVIZ_FRAME_ANCESTORS is no list of origins.
    """
    return st.App(script, routes=routes(), middleware=middleware())


def routes() -> list[BaseRoute]:
    """What we serve besides Streamlit: plotly.js, and the first page under its own name as well."""
    # Streamlit's server.baseUrlPath is not known here, so any prefix is taken.
    return [
        Route(f"/{{prefix:path}}{PLOTLY_PATH}", PlotlyScript().respond),
        Route(f"/{FIRST_PAGE}", to_first_page),
        Route(f"/{{prefix:path}}/{FIRST_PAGE}", to_first_page),
    ]


async def to_first_page(request: Request) -> Response:
    """Streamlit shows its default page at the root only, and says "not found" at its name."""
    query = f"?{request.url.query}" if request.url.query else ""
    return Response(status_code=307, headers={"Location": f"./{query}"})


def middleware() -> list[Middleware]:
    """What every request passes on its way to Streamlit.

    Raises:
        ConfigError: RNNVIZ_FRAME_ANCESTORS is no list of origins.
    """
    policy = content_policy(os.environ.get("RNNVIZ_FRAME_ANCESTORS") or "'none'")
    return [Middleware(SecurityHeaders, policy=policy), Middleware(OwnerCookie)]


def owner(cookies: Mapping[str, str]) -> str | None:
    """The visitor's secret name, from st.context.cookies; None where there is no valid one."""
    value = cookies.get(OWNER_COOKIE, "")
    return value if _OWNER.fullmatch(value) else None


class PlotlyScript:
    """plotly.js as the plotly package carries it, so that no page needs the Internet."""

    @cached_property
    def plain(self) -> bytes:
        """The file's bytes."""
        return (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_bytes()

    @cached_property
    def gzipped(self) -> bytes:
        """The same at a third of the size; takes 0.2 s, once."""
        return gzip.compress(self.plain, compresslevel=6, mtime=0)

    async def respond(self, request: Request) -> Response:
        """The script, for a year: its address changes with its version."""
        headers = {
            "Cache-Control": f"public, max-age={YEAR}, immutable",
            "Vary": "Accept-Encoding",
        }
        if _takes_gzip(request.headers.get("accept-encoding", "")):
            headers["Content-Encoding"] = "gzip"
            body = await run_in_threadpool(lambda: self.gzipped)
        else:
            body = await run_in_threadpool(lambda: self.plain)
        return Response(body, media_type="text/javascript", headers=headers)


def _takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header allows gzip."""
    codings = (coding.replace(" ", "").lower().partition(";") for coding in accepted.split(","))
    return any(
        name in ("gzip", "*") and not re.fullmatch(r"q=0(\.0*)?", weight)
        for name, _, weight in codings
    )


def content_policy(frame_ancestors: str) -> str:
    """The Content-Security-Policy: this server and nothing else.

    frame_ancestors: who may show the app in a frame: 'none', 'self', or origins, by spaces.

    Raises:
        ConfigError: frame_ancestors is something else.
    """
    frames = frame_ancestors.split()
    if not frames or not all(_FRAME_SOURCE.fullmatch(source) for source in frames):
        raise ConfigError(
            f"RNNVIZ_FRAME_ANCESTORS is {frame_ancestors!r}; it must be 'none', 'self' or web "
            "origins such as https://school.example, divided by spaces"
        )
    allowed = {
        "default-src": ["'self'"],
        "script-src": ["'self'", *_inline_scripts()],
        # Streamlit and Plotly make their style sheets in the page.
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "media-src": ["'self'", "blob:"],
        "worker-src": ["'self'", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": frames,
    }
    return "; ".join(" ".join([name, *sources]) for name, sources in allowed.items())


def _inline_scripts() -> list[str]:
    """Hashes of the scripts inside Streamlit's own index.html, which a strict policy must name."""
    page = (Path(st.__file__).parent / "static" / "index.html").read_bytes()
    digests = (hashlib.sha256(script).digest() for script in _INLINE_SCRIPT.findall(page))
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


class SecurityHeaders:
    """Adds the headers that keep a page from reaching, or being reached by, other sites."""

    def __init__(self, app: ASGIApp, *, policy: str) -> None:
        self.app = app
        self.headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; answer over HTTP with the headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self.headers)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class OwnerCookie:
    """Gives every browser a secret name of its own, so that runs and uploads have an owner.

    A script cannot read the cookie; Python finds it in st.context.cookies (see `owner`), because
    the browser sends it with the WebSocket that the page opens.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; answer a browser's first page with the cookie."""
        if not _opens_page(scope) or owner(Request(scope).cookies) is not None:
            await self.app(scope, receive, send)
            return
        cookie = _new_cookie(secure=scope["scheme"] == "https")

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("Set-Cookie", cookie)
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def _opens_page(scope: Scope) -> bool:
    """Whether a browser asks for a page, and not for a part of one."""
    # Judged by the request: an answer 304 has no content type, and must set the cookie as well.
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and "text/html" in Headers(scope=scope).get("accept", "")
    )


def _new_cookie(*, secure: bool) -> str:
    """A Set-Cookie header with a fresh token."""
    attributes = f"Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax"
    token = secrets.token_urlsafe(32)
    return f"{OWNER_COOKIE}={token}; {attributes}" + ("; Secure" if secure else "")
