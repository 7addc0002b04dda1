"""What a file is by its content, and its bytes without their compression, within bounds.

Called in the sandbox's child only: decompressors meet here what strangers send.
"""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import IO, Any, NamedTuple

import pyarrow as pa

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
    (0, b"PK\x03\x04", "a ZIP archive, as Excel workbooks are"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Word document"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (0, b"SQLite format 3\x00", "an SQLite database"),
    (0, b"PAR1", "a Parquet file"),
    (0, b"ARROW1", "an Arrow file"),
    (0, b"HEADER RECORD*******LIB", "a SAS transport (XPT) file"),
    (0, b"<stata_dta>", "a Stata file"),
    (0, b"$FL2", "an SPSS file"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"\x93NUMPY", "a NumPy file"),
    (257, b"ustar", "a tar archive"),
)
_HEAD = 4096
_PIECE = 1 << 20

R_ENDINGS = (".rda", ".rdata", ".rds")
TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".tab")
_PACKED_ENDINGS = (".gz", ".bz2", ".xz", ".zst")


def form_by_name(name: str) -> str:
    """What the name promises: "R" or "text".

    Raises:
        DataError: the name has no known ending.
    """
    path = PurePath(name.lower())
    if path.suffix in _PACKED_ENDINGS:
        path = PurePath(path.stem)
    if path.suffix in R_ENDINGS:
        return "R"
    if path.suffix in TEXT_ENDINGS:
        return "text"
    raise DataError(
        f"{name} has an unknown kind of name; the endings that are read are .rda, .RData, .rds, "
        ".csv, .tsv and .txt, also with .gz, so rename the file or save it as one of these"
    )


def describe(head: bytes) -> str:
    """What the first bytes of an uncompressed file look like; "R" and "text" are those we read."""
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
    control = sum(byte < 32 and byte not in b"\t\n\r\f" for byte in head)
    return "text" if control == 0 else "unknown binary content"


def check_form(head: bytes, name: str) -> None:
    """Raises DataError where the content is not what the name promises."""
    promised, found = form_by_name(name), describe(head)
    if found == promised:
        return
    if found == "text":
        raise DataError(
            f"{name} is named as an R file but holds plain text such as CSV; "
            "rename it to end in .csv, or save it in R with save() or saveRDS()"
        )
    if found == "R":
        raise DataError(f"{name} is named as text but is an R file; rename it to end in .rda")
    raise DataError(
        f"{name} looks like {found}; only R files (.rda, .RData, .rds) and text tables "
        "(.csv, .tsv) are read, so export it as one of these"
    )


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
    written = 0
    while piece := packed.read(_PIECE):
        if not written:
            check_form(piece[:_HEAD], name)
        written += out.write(piece)
        if written > most:
            break
    if not written:
        raise DataError(f"{name} is empty inside its compression; check the file")
    return written


def _too_large(name: str, most: int) -> str:
    return (
        f"{name} unpacks to more than {most / 1e6:,.0f} MB; that is the most that is read, "
        "so keep only the rows and columns that are needed"
    )
