"""Models that people gave, kept by content and name as files of our own kind. No torch.

Ids are made here, and nothing that a person names becomes part of a path.
"""

import hashlib
import os
import re
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rnnviz.data.sandbox import Sandbox
from rnnviz.data.uploads import clean_name
from rnnviz.errors import DataError
from rnnviz.exchange import own
from rnnviz.exchange.reading import read_model
from rnnviz.exchange.stored import Stored

MOST_GIVEN = 100_000_000  # of a file that is sent through a browser
MOST_KEPT = 2_000_000_000  # of all of them together

_ID = re.compile(r"[0-9a-f]{20}")
_PART = ".new-"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A model, and the name of the file that it came in."""

    id: str
    name: str  # for people; no path
    stored: Stored


def keep(data: bytes, name: str, home: Path, sandbox: Sandbox) -> str:
    """Reads a model's file in the sandbox and keeps the model; gives its id.

    Args:
        data: the file's bytes.
        name: the name that it came with.
        home: the folder of this product's data.
        sandbox: one of reading.model_sandbox.

    Raises:
        DataError: too large, no model that is known, or no room to keep it.
    """
    shown = clean_name(name)
    if len(data) > MOST_GIVEN:
        raise DataError(
            f"{shown} holds {len(data) / 1e6:,.0f} MB; models of up to {MOST_GIVEN / 1e6:.0f} MB "
            "can be given here, so take a smaller one"
        )
    # With the name: its ending decides how bytes are read, and nobody is shown another one's name.
    model_id = hashlib.sha256(data + shown.encode()).hexdigest()[:20]
    try:
        with tempfile.TemporaryDirectory() as folder:
            raw = Path(folder) / "raw"
            raw.write_bytes(data)
            stored = read_model(raw, shown, sandbox)
        _write(_path(home, model_id), shown.encode() + b"\n" + own.save(stored))
    except OSError as wrong:
        raise DataError(
            f"{shown} cannot be kept ({wrong.strerror}); make room on the server's disk"
        ) from None
    prune(home)
    return model_id


def open_kept(home: Path, model_id: str) -> Kept:
    """A model that was kept.

    Raises:
        DataError: there is none with this id.
    """
    path = _path(home, model_id)
    try:
        name, _, data = path.read_bytes().partition(b"\n")
        os.utime(path)  # what is used is removed last
    except OSError:
        raise _gone() from None
    shown = name.decode("utf-8", errors="replace")
    return Kept(id=model_id, name=shown, stored=own.load(data, shown))


def prune(home: Path, most_bytes: int = MOST_KEPT) -> None:
    """Removes the models that were not used for longest until the rest fits."""
    found = []
    for path in (home / "models").iterdir():
        with suppress(OSError):  # another process removes it at the same time
            stat = path.stat()
            found.append((stat.st_mtime_ns, stat.st_size, path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= most_bytes:
            break
        path.unlink(missing_ok=True)
        total -= size


def _write(path: Path, data: bytes) -> None:
    """At once: a reader finds all of it or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{_PART}{secrets.token_hex(8)}")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _path(home: Path, model_id: str) -> Path:
    if not _ID.fullmatch(model_id):
        raise _gone()
    return home / "models" / model_id


def _gone() -> DataError:
    return DataError(
        "the model is not here (any more): models are kept for a while only; give its file again"
    )
