"""What a file is by its content, and its bytes without their compression, within bounds.

Called in the sandbox's child only: decompressors meet here what strangers send.
"""

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import IO, Any, NamedTuple

import pyarrow as pa

from rnnviz.data.forms import FORMS, form_by_name
from rnnviz.errors import DataError


class Compression(NamedTuple):
    """How a compressed file begins, and what opens it."""

    magic: bytes
    open: Callable[[Path], Any]  # gives a readable binary file


def _open_zstd(path: Path) -> pa.NativeFile:
    return pa.input_stream(str(path), compression="zstd")


COMPRESSIONS: Mapping[str, Compression] = {
    "gzip": Compression(b"\x1f\x8b", gzip.GzipFile),
    "bzip2": Compression(b"BZh", bz2.BZ2File),
    "xz": Compression(b"\xfd7zXZ\x00", lzma.LZMAFile),
    "zstd": Compression(b"\x28\xb5\x2f\xfd", _open_zstd),
}

R_MAGIC = tuple(b"RD%c%c\n" % (form, version) for form in b"XAB" for version in b"23")
RDS_MAGIC = (
    *(b"X\n\x00\x00\x00\x02", b"X\n\x00\x00\x00\x03", b"A\n2\n", b"A\n3\n"),
    *(b"A\r\n2", b"A\r\n3", b"B\n\x02\x00\x00\x00", b"B\n\x03\x00\x00\x00"),
)

# (offset, first bytes, what it is); the first that fits counts.
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"%PDF-", "a PDF document"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Word document"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (0, b"SQLite format 3\x00", "an SQLite database"),
    (0, b"PAR1", "parquet"),
    (0, b"ARROW1", "an Arrow file"),
    (0, b"HEADER RECORD*******LIB", "sas"),
    (0, b"<stata_dta>", "a Stata file"),
    (0, b"$FL2", "an SPSS file"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"\x93NUMPY", "a NumPy file"),
    (257, b"ustar", "a tar archive"),
)
MEMBER = "member"
_HEAD = 4096
_PIECE = 1 << 20


def describe(head: bytes) -> str:
    """What the first bytes of an uncompressed file look like: a key of FORMS, or words."""
    if head.startswith(R_MAGIC + RDS_MAGIC):
        return "R"
    for offset, magic, words in SIGNATURES:
        if head[offset : offset + len(magic)] == magic:
            return words
    if any(head.startswith(c.magic) for c in COMPRESSIONS.values()):
        return "a file that was compressed twice"
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html", b"<?xml")):
        return "a web page"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16 with its mark
        return "text"
    if utf16_without_mark(head):
        return "text"
    control = sum(byte < 32 and byte not in b"\t\n\r\f" for byte in head)
    return "text" if control == 0 else "unknown binary content"


def utf16_without_mark(head: bytes) -> str:
    """The encoding's name, or "": Latin letters leave every other byte zero, as R writes them."""
    even, odd = head[::2], head[1::2]
    for name, zeros, letters in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if len(zeros) >= 8 and zeros.count(0) > 0.9 * len(zeros) and letters.count(0) == 0:
            return name
    return ""


def check_form(head: bytes, name: str) -> None:
    """Raises DataError where the content is not what the name promises."""
    promised, found = form_by_name(name), describe(head)
    if found == promised:
        return
    if found == "text":
        raise DataError(
            f"{name} is named as {FORMS[promised].one} but holds plain text such as CSV; "
            "rename it to end in .csv, or save it in R with save() or saveRDS()"
        )
    if found == "zip":
        raise DataError(
            f"{name} looks like a ZIP archive, as Excel workbooks are; save a workbook as CSV, or "
            "rename an archive to end in .zip"
        )
    if found in FORMS:
        named = "text" if promised == "text" else FORMS[promised].one
        raise DataError(
            f"{name} is named as {named} but is {FORMS[found].one}; rename it to end in "
            f"{FORMS[found].endings[0]}"
        )
    raise DataError(
        f"{name} looks like {found}; only R files (.rda, .RData, .rds), text tables (.csv, .tsv), "
        "SAS transport files (.xpt) and Parquet files are read, so export it as one of these"
    )


def member_of(path: Path, name: str, into: Path, *, most_bytes: int, most_ratio: int) -> str:
    """The name of the one table in a ZIP archive, which is written into a folder as MEMBER.

    Raises:
        DataError: there is none, or several, or it is a workbook, locked, damaged or too large.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            info = _only_member(archive, name)
            most = min(most_bytes, max(100_000_000, most_ratio * path.stat().st_size))
            target = into / MEMBER
            with archive.open(info) as packed, target.open("wb") as out:
                written = _pour(packed, out, most)
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, zlib.error):
        raise DataError(
            f"{name} is a ZIP archive that is cut off or damaged; make it anew"
        ) from None
    except RuntimeError:  # zipfile's way of asking for a password
        raise DataError(f"{name} is locked with a password; make it anew without one") from None
    if written > most:
        raise DataError(_too_large(name, most))
    return PurePath(info.filename).name


def _only_member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """The file in the archive that has a name of a kind that is read."""
    infos = [i for i in archive.infolist() if not i.is_dir() and _is_content(i.filename)]
    if any(i.filename == "[Content_Types].xml" for i in infos):
        raise DataError(f"{name} is a workbook of Excel; save its sheet as CSV and give that")
    tables = [i for i in infos if _has_form(i.filename)]
    if len(tables) == 1:
        return tables[0]
    shown = ", ".join(PurePath(i.filename).name for i in (tables or infos)[:5])
    what = f"{len(tables)} tables ({shown})" if tables else f"no table ({shown or 'it is empty'})"
    raise DataError(f"{name} holds {what}; give an archive with one table in it")


def _is_content(filename: str) -> bool:
    parts = PurePath(filename).parts
    return bool(parts) and parts[0] != "__MACOSX" and not parts[-1].startswith(".")


def _has_form(filename: str) -> bool:
    try:
        return form_by_name(filename) != "zip"
    except DataError:
        return False


def unpack(path: Path, name: str, into: Path, *, most_bytes: int, most_ratio: int) -> Path:
    """The file without its compression: the file itself, or a new one inside `into`.

    Args:
        path: what was uploaded.
        name: its name, for messages and for what it promises to be.
        into: a folder to write to.
        most_bytes: where unpacking stops [bytes].
        most_ratio: how many times its own size a file may unpack to, once past 100 MB.

    Raises:
        DataError: empty, cut off, damaged, too large unpacked, or not what its name says.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise DataError(f"{name} is empty (0 bytes); check the file and upload it again")
    kind = next((k for k in COMPRESSIONS.values() if head.startswith(k.magic)), None)
    size = path.stat().st_size
    if kind is None:
        if size > most_bytes:
            raise DataError(_too_large(name, most_bytes))
        check_form(head, name)
        return path
    target = into / "unpacked"
    most = min(most_bytes, max(100_000_000, most_ratio * size))
    try:
        with kind.open(path) as packed, target.open("wb") as out:
            written = _copy(packed, out, name, most)
    except (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError):
        raise DataError(
            f"{name} is cut off or damaged: its compressed content ends too early or does not "
            "match its checksum; copy or save it again"
        ) from None
    if written > most:
        if most < most_bytes:
            raise DataError(
                f"{name} holds {size:,} bytes that unpack to more than {most_ratio} times as many; "
                f"at most {most_ratio} times is read, so save it without compression if it is "
                "meant to be so"
            )
        raise DataError(_too_large(name, most_bytes))
    return target


def _copy(packed: IO[bytes], out: IO[bytes], name: str, most: int) -> int:
    """Copies until the end or past `most`; gives the bytes written."""
    head = packed.read(_HEAD)
    if head:
        check_form(head, name)
    written = out.write(head)
    written += _pour(packed, out, most - written)
    if not written:
        raise DataError(f"{name} is empty inside its compression; check the file")
    return written


def _pour(packed: IO[bytes], out: IO[bytes], most: int) -> int:
    written = 0
    while written <= most and (piece := packed.read(_PIECE)):
        written += out.write(piece)
    return written


def _too_large(name: str, most: int) -> str:
    return (
        f"{name} unpacks to more than {most / 1e6:,.0f} MB; that is the most that is read, "
        "so keep only the rows and columns that are needed"
    )
