"""Large files over HTTP: resumed after a break, looked at, kept with size and checksum.

Knows nothing of what is in the files, and keeps nothing that did not arrive whole.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from rnnviz.errors import DataError

TRIES = 5  # connections in a row that bring nothing new
PATIENCE = (10.0, 60.0)  # for a connection, and for its next bytes [s]
_BLOCK = 1 << 18  # [bytes]
_SPARE = 50_000_000  # that a download leaves free on the disk [bytes]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a job is."""

    what: str  # for people: "downloading PAXRAW_C.zip"
    done: int
    total: int  # 0: not known
    unit: str  # "bytes", "people"


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What is known of a file that arrived whole."""

    url: str
    size: int  # [bytes]
    sha256: str


def receipt(path: Path) -> Receipt | None:
    """The receipt of a file, None where the file is not here as it arrived."""
    try:
        known = Receipt(**json.loads(_beside(path, "json").read_text("utf-8")))
        return known if path.stat().st_size == known.size else None
    except (OSError, ValueError, TypeError):
        return None


def fetch(url: str, path: Path, *, begins: bytes) -> Iterator[Progress]:
    """Downloads a file unless it is here; a broken download goes on where it broke off.

    Args:
        url: of the file.
        path: where it is put once it is whole; what has come so far lies beside it as .part.
        begins: the first bytes of every file of its kind.

    Yields:
        Bytes that are here, several times a second.

    Raises:
        DataError: it cannot be reached, is something else, or the disk is full; what has come so
            far is kept.
    """
    known = receipt(path)
    if known is not None and known.url == url:
        yield _progress(path, known.size, known.size)
        return
    part, idle, total = _beside(path, "part"), 0, 0
    path.parent.mkdir(parents=True, exist_ok=True)
    while not total or _size(part) < total:
        before = _size(part)
        try:
            for total in _connect(url, part, begins):
                yield _progress(path, _size(part), total)
        except requests.RequestException as wrong:
            idle = 0 if _size(part) > before else idle + 1
            if idle >= TRIES or before == _size(part) == 0:
                raise _unreached(url, part, total, wrong) from None
        except OSError as wrong:
            raise DataError(
                f"{path.name} cannot be written to {path.parent} ({wrong.strerror}); make room "
                "there and start again: what has come is kept"
            ) from None
    _keep(url, part, path)


def _connect(url: str, part: Path, begins: bytes) -> Iterator[int]:
    """One connection: writes what it brings; yields the size of the whole file [bytes]."""
    have, mark = _size(part), _mark(part)
    headers = {"Accept-Encoding": "identity"}
    if have and mark:
        headers |= {"Range": f"bytes={have}-", "If-Range": mark}
    with requests.get(url, stream=True, headers=headers, timeout=PATIENCE) as answer:
        if answer.status_code == 416:  # what is here is no beginning of what is there
            part.unlink()
            return
        if answer.status_code not in (200, 206):
            raise DataError(
                f"{_host(url)} answered {answer.status_code} {answer.reason} to {url}; look "
                "whether the address is right, or try again later"
            )
        goes_on = answer.status_code == 206
        have = have if goes_on else 0
        total = have + int(answer.headers.get("Content-Length", 0))
        if shutil.disk_usage(part.parent).free < total - have + _SPARE:
            raise DataError(
                f"{part.stem} needs {(total - have) / 1e6:,.0f} MB in {part.parent}; make room"
            )
        _beside(part, "mark").write_text(_validator(answer), "utf-8")
        with part.open("ab" if goes_on else "wb", buffering=0) as file:
            for block in answer.iter_content(_BLOCK):
                if file.tell() == 0 and not block.startswith(begins):
                    raise _another_kind(url, answer)
                file.write(block)
                yield total
        if not total:  # the server did not say, and came to its end in order
            yield _size(part)


def _another_kind(url: str, answer: requests.Response) -> DataError:
    kind = answer.headers.get("Content-Type", "something else").partition(";")[0]
    return DataError(
        f"{url} is not the file that its name says but {kind}; look whether the address is right"
    )


def _unreached(url: str, part: Path, total: int, wrong: Exception) -> DataError:
    if not _size(part):
        return DataError(
            f"{_host(url)} cannot be reached ({type(wrong).__name__}); look whether this computer "
            "is on the Internet, or give another address"
        )
    of = f" of {total / 1e6:,.0f}" if total else ""
    return DataError(
        f"the connection to {_host(url)} broke off after {_size(part) / 1e6:,.0f}{of} MB of "
        f"{part.stem}; start again to go on from there"
    )


def _keep(url: str, part: Path, path: Path) -> None:
    """Makes the file that has come the file itself."""
    digest = hashlib.sha256()
    with part.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
        os.fsync(file.fileno())
    told = Receipt(url=url, size=_size(part), sha256=digest.hexdigest())
    os.replace(part, path)
    _beside(path, "json").write_text(json.dumps(asdict(told)), "utf-8")
    with suppress(OSError):
        _beside(part, "mark").unlink()


def _validator(answer: requests.Response) -> str:
    """What tells whether the file is still the same when the download goes on."""
    tag = answer.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")


def _mark(part: Path) -> str:
    try:
        return _beside(part, "mark").read_text("utf-8")
    except OSError:
        return ""


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}.{suffix}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _host(url: str) -> str:
    return urlsplit(url).hostname or url


def _progress(path: Path, done: int, total: int) -> Progress:
    return Progress(what=f"downloading {path.name}", done=done, total=total, unit="bytes")
