"""FORMS: the kinds of files that are read, by what their names promise. Standard library only."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import NamedTuple

from rnnviz.errors import DataError


class Form(NamedTuple):
    """One kind of file."""

    one: str  # such as "an R file"
    many: str
    endings: tuple[str, ...]
    readers: tuple[str, ...]  # in the order in which they are tried (sandbox_child.READERS)
    most_bytes: int  # of an upload


FORMS: Mapping[str, Form] = {
    "R": Form(
        "an R file", "R files", (".rda", ".rdata", ".rds"), ("rdata", "pyreadr"), 100_000_000
    ),
    "text": Form(
        "a text table", "text tables", (".csv", ".tsv", ".txt", ".tab"), ("csv",), 200_000_000
    ),
    "sas": Form("a SAS transport file", "SAS transport files", (".xpt",), ("pandas",), 200_000_000),
    "parquet": Form(
        "a Parquet file", "Parquet files", (".parquet", ".pq"), ("pyarrow",), 200_000_000
    ),
    "zip": Form("a ZIP archive", "ZIP archives", (".zip",), (), 200_000_000),
}
PACKED = (".gz", ".bz2", ".xz", ".zst")


def form_by_name(name: str) -> str:
    """What the name promises: a key of FORMS.

    Raises:
        DataError: the name has no known ending.
    """
    path = PurePath(name.lower())
    if path.suffix in PACKED:
        path = PurePath(path.stem)
    for key, form in FORMS.items():
        if path.suffix in form.endings:
            return key
    raise DataError(
        f"{name} has an unknown kind of name; the endings that are read are .rda, .RData, .rds, "
        ".csv, .tsv, .txt, .xpt, .parquet and .zip, also with .gz, .bz2 or .xz, so rename the file "
        "or save it as one of these"
    )


def endings() -> tuple[str, ...]:
    """Every ending that an upload may have, without dots."""
    own = (ending for form in FORMS.values() for ending in form.endings)
    return tuple(ending.removeprefix(".") for ending in (*own, *PACKED))
