"""A server of files on this computer, which can hang up, refuse, or change its mind."""

import hashlib
import io
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

TABLES = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "tables"
PLACE = "/2003/DataFiles/"
RAW = "PAXRAW_C_3subjects.XPT"


@dataclass
class Site:
    """What the server gives, and how it fails."""

    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: dict[str, int] = field(default_factory=dict)  # bytes of one answer, then it hangs up
    slow_after: int | None = None  # bytes of an answer, after which it stands still
    status: int = 200
    ranges: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list)  # path, Range
    going_on: threading.Event = field(default_factory=threading.Event)
    url: str = ""


def handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            site.asked.append((self.path, wanted))
            content = site.files.get(self.path)
            if content is None or site.status != 200:
                self.send_error(site.status if content is not None else 404)
                return
            tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            fresh = self.headers.get("If-Range", tag) == tag
            start = int(re.findall(r"\d+", wanted)[0]) if wanted and fresh and site.ranges else 0
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("ETag", tag)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            if site.slow_after is not None:
                self.wfile.write(content[start : start + site.slow_after])
                self.wfile.flush()
                site.going_on.wait(30)
                return
            self.wfile.write(content[start : start + site.cut_after.get(self.path, 1 << 40)])

    return Handler


@contextmanager
def serving() -> Iterator[Site]:
    """A site that is up."""
    made = Site()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(made)) as server:
        made.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.going_on.set()
        server.shutdown()
        thread.join()


def zipped(content: bytes, name: str = "paxraw_c.xpt") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


LATER = 31128 - 21005  # from the first number of 2003-2004 to that of 2005-2006
ALIKE = 8  # times that the three people were asked in 2005-2006, as far as the tests go


def renumbered(path: Path, *shifts: int) -> bytes:
    """A transport file with its rows once for each shift of SEQN.

    SEQN stands at the head of each row as IBM's floating point: 0x44 and the number itself.
    """
    with pd.read_sas(path, format="xport", iterator=True) as reader:
        start, length, rows = reader.record_start, reader.record_length, reader.nobs
        assert reader.columns[0] == "SEQN"
    content = np.fromfile(path, dtype=np.uint8)
    records = content[start : start + rows * length].reshape(rows, length)
    assert (records[:, 0] == 0x44).all()
    parts = [content[:start].tobytes()]
    for shift in shifts:
        numbers = records[:, 1] * np.uint16(256) + records[:, 2] + np.uint16(shift)
        copy = records.copy()
        copy[:, 1], copy[:, 2] = numbers >> 8, numbers & 255
        parts.append(copy.tobytes())
    whole = b"".join(parts)
    return whole + b" " * (-len(whole) % 80)


def with_both_cycles(site: Site) -> Site:
    """The same, and files of 2005-2006 in which these three stand again and again as others."""
    with_cdc_files(site)
    place = PLACE.replace("2003", "2005")
    raw = renumbered(TABLES / RAW, *(LATER + 3 * k for k in range(ALIKE)))
    site.files |= {
        place + "PAXRAW_D.zip": zipped(raw, "paxraw_d.xpt"),
        place + "BMX_D.xpt": renumbered(TABLES / "BMX_C.XPT", LATER),
        place + "DEMO_D.xpt": renumbered(TABLES / "DEMO_C.XPT", LATER),
    }
    return site


def with_cdc_files(site: Site) -> Site:
    """The site with the CDC's files of three people."""
    if not (TABLES / RAW).is_file():
        pytest.skip(f"the real files are not here: there is no {TABLES / RAW}")
    site.files = {
        PLACE + "PAXRAW_C.zip": zipped((TABLES / RAW).read_bytes()),
        PLACE + "BMX_C.xpt": (TABLES / "BMX_C.XPT").read_bytes(),
        PLACE + "DEMO_C.xpt": (TABLES / "DEMO_C.XPT").read_bytes(),
    }
    return site
