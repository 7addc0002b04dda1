"""What people upload, kept parsed and by its content: the same bytes are stored once.

An upload is a folder of Arrow files with a description; the raw file is not kept. Ids are made
here from the content, and nothing that a person names becomes part of a path.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from rnnviz.data.forms import FORMS, form_by_name
from rnnviz.data.frames import describe_types, read_frame, write_table
from rnnviz.data.sandbox import Parsed, ParsedTable, Sandbox, Skipped
from rnnviz.errors import DataError

MOST_TEXT = 2_000_000
MOST_KEPT = 2_000_000_000

_ID = re.compile(r"[0-9a-f]{20}")
_META, _TEXT = "upload.json", "text.txt"
_LONGEST_NAME = 120
_ABANDONED_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A stored file."""

    id: str
    name: str  # for people; no path
    reader: str
    tables: tuple[ParsedTable, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]


def store(data: bytes, name: str, home: Path, sandbox: Sandbox) -> Upload:
    """Parses an uploaded file in the sandbox and keeps its tables.

    Args:
        data: the file's bytes.
        name: the name that it came with.
        home: the folder of this product's data.
        sandbox: where it is parsed.

    Raises:
        DataError: too large, or not a file that can be read.
    """
    shown = clean_name(name)
    form = FORMS[form_by_name(shown)]
    if len(data) > form.most_bytes:
        raise DataError(
            f"{shown} holds {len(data) / 1e6:,.0f} MB; {form.many} of up to "
            f"{form.most_bytes / 1e6:.0f} MB are read, so keep only the rows and columns that "
            "are needed"
        )
    # The same bytes under another ending are another upload: the ending decides how they are read.
    suffix = "".join(Path(shown).suffixes[-2:]).lower()
    upload_id = _id_of(data, suffix)

    def build(folder: Path) -> None:
        raw = folder / "raw"
        raw.write_bytes(data)
        parsed = sandbox.parse(raw, shown, folder)
        raw.unlink()
        meta = {"name": shown, "parsed": parsed.to_dict()}
        (folder / _META).write_text(json.dumps(meta), "utf-8")

    _keep(home, upload_id, build)
    upload = open_upload(home, upload_id)
    prune(home)
    return upload


def keep_tables(
    tables: Mapping[str, pd.DataFrame],
    name: str,
    home: Path,
    *,
    mark: bytes,
    notes: tuple[str, ...] = (),
) -> Upload:
    """Keeps tables that were made here as if they had come in a file.

    Args:
        mark: what decides the tables: the same mark keeps them once.

    Raises:
        DataError: they cannot be kept.
    """
    upload_id = _id_of(mark, ".made")

    def build(folder: Path) -> None:
        kept = []
        for k, (title, frame) in enumerate(tables.items()):
            table = pa.Table.from_pandas(frame, preserve_index=False)
            target = folder / f"{k}.arrow"
            write_table(table, target)
            kept.append(
                ParsedTable(
                    name=title,
                    kind="data frame",
                    rows=len(frame),
                    columns=len(frame.columns),
                    types=describe_types(table),
                    path=target,
                )
            )
        parsed = Parsed(reader="rnnviz", tables=tuple(kept), skipped=(), notes=notes)
        (folder / _META).write_text(json.dumps({"name": name, "parsed": parsed.to_dict()}), "utf-8")

    try:
        _keep(home, upload_id, build)
    except OSError as wrong:
        raise DataError(f"{name} cannot be kept ({wrong.strerror}); make room") from None
    return open_upload(home, upload_id)


def clean_name(name: str) -> str:
    """The last part of a file's name, without control characters, at most 120 characters."""
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(c for c in last if c.isprintable()).strip()
    return plain[-_LONGEST_NAME:] or "file"


def open_upload(home: Path, upload_id: str) -> Upload:
    """A stored file's description.

    Raises:
        DataError: there is none with this id.
    """
    folder = _folder(home, upload_id)
    try:
        meta = json.loads((folder / _META).read_text("utf-8"))
        parsed = Parsed.from_dict(meta["parsed"], folder)
        os.utime(folder)  # what is used is removed last
    except (OSError, KeyError, TypeError, ValueError):
        raise _gone("file") from None
    return Upload(
        id=upload_id,
        name=str(meta["name"]),
        reader=parsed.reader,
        tables=parsed.tables,
        skipped=parsed.skipped,
        notes=parsed.notes,
    )


def folder_of(home: Path, upload_id: str) -> Path:
    """Where a stored file lies, for what is made of it.

    Raises:
        DataError: there is none with this id.
    """
    open_upload(home, upload_id)
    return _folder(home, upload_id)


def read_table(upload: Upload, name: str) -> pd.DataFrame:
    """One table of a stored file.

    Raises:
        DataError: there is none of this name, or the file is gone.
    """
    table = next((t for t in upload.tables if t.name == name), None)
    if table is None:
        names = ", ".join(t.name for t in upload.tables)
        raise DataError(f"{upload.name} holds no table named {name}; choose one of {names}")
    return read_frame(table.path)


def store_text(text: str, home: Path) -> str:
    """Keeps a pasted text; gives its id.

    Raises:
        DataError: it is empty, too long, or not text.
    """
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError:
        raise DataError(
            "the text holds characters that UTF-8 cannot write; paste it again from its source"
        ) from None
    if not text.strip():
        raise DataError("the text is empty; paste at least a few sentences")
    if len(data) > MOST_TEXT:
        raise DataError(
            f"the text holds {len(data) / 1e6:.1f} MB; at most {MOST_TEXT / 1e6:g} MB are kept, so "
            "paste a part of it"
        )
    text_id = _id_of(data, ".text")
    _keep(home, text_id, lambda folder: _write(folder / _TEXT, data))
    read_text(home, text_id)  # marks it as used now
    prune(home)
    return text_id


def read_text(home: Path, text_id: str) -> str:
    """A pasted text.

    Raises:
        DataError: there is none with this id.
    """
    folder = _folder(home, text_id)
    try:
        text = (folder / _TEXT).read_bytes().decode("utf-8")
        os.utime(folder)
    except (OSError, UnicodeDecodeError):
        raise _gone("text") from None
    return text


def prune(home: Path, most_bytes: int = MOST_KEPT) -> int:
    """Removes the uploads that were not used for longest until the rest fits; gives how many.

    Args:
        home: the folder of this product's data.
        most_bytes: what all uploads together may take [bytes].
    """
    found = []
    for folder in _root(home).glob("*"):
        try:
            size = sum(file.stat().st_size for file in folder.iterdir())
            found.append((folder.stat().st_mtime_ns, size, folder))
        except OSError:  # another process removes it at the same time
            continue
    total, removed = sum(size for _, size, _ in found), 0
    for _, size, folder in sorted(found):
        if total <= most_bytes:
            break
        _discard(home, folder)
        total -= size
        removed += 1
    return removed


def _discard(home: Path, folder: Path) -> None:
    """Removes a folder so that nobody ever sees half of it."""
    aside = Path(tempfile.mkdtemp(dir=_aside(home)))
    with contextlib.suppress(OSError):  # another process was faster
        os.replace(folder, aside)
    shutil.rmtree(aside, ignore_errors=True)


def _aside(home: Path) -> Path:
    """Where folders are built and taken apart; what a crash left there is removed in time."""
    aside = home / "uploads.tmp"
    aside.mkdir(parents=True, exist_ok=True)
    for folder in aside.iterdir():
        try:
            if time.time() - folder.stat().st_mtime > _ABANDONED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
    return aside


def _root(home: Path) -> Path:
    return home / "uploads"


def _id_of(data: bytes, suffix: str) -> str:
    return hashlib.sha256(data + suffix.encode()).hexdigest()[:20]


def _folder(home: Path, upload_id: str) -> Path:
    if not _ID.fullmatch(upload_id):
        raise _gone("file")
    return _root(home) / upload_id


def _gone(what: str) -> DataError:
    return DataError(
        f"the {what} is not here (any more): uploads are kept for a while only; upload it again"
    )


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _keep(home: Path, upload_id: str, build: Callable[[Path], None]) -> None:
    """Builds the upload's folder aside and moves it into place whole, unless it is there."""
    folder = _folder(home, upload_id)
    if folder.exists():
        return
    temporary = Path(tempfile.mkdtemp(dir=_aside(home)))
    folder.parent.mkdir(exist_ok=True)
    try:
        build(temporary)
        try:
            os.replace(temporary, folder)
        except OSError:
            if not folder.exists():  # else another session has just stored the same
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
