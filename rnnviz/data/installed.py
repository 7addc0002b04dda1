"""Real texts that come with every full Python: its documentation topics, and library source.

Source is read as text and never run; the topics are a module of one dictionary of strings, which
is imported. What is read depends on Python's version alone, which the source names. Some systems
leave these files out; then one sentence says so.
"""

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from rnnviz.data.dataset import Source
from rnnviz.errors import DataError

CHARACTERS = 400_000  # at most, of each text
MODULES = (  # of the library, in this order; plain ones, with long comments and few tables
    *("textwrap", "heapq", "bisect", "statistics", "fractions", "random", "calendar", "shlex"),
    *("csv", "difflib", "pprint", "copy", "functools", "queue", "sched", "string", "contextlib"),
    *("dataclasses", "enum"),
)
VERSION = ".".join(map(str, sys.version_info[:3]))


def source(what: str) -> Source:
    """Whose such a text is."""
    return Source(
        title=f"Python {VERSION}: {what}",
        authors="Python Software Foundation and contributors",
        url="https://docs.python.org/3/license.html",
        licence="PSF License Version 2, read from this installation",
    )


def topics() -> str:
    """Python's documentation topics in the order of their names, up to CHARACTERS.

    Raises:
        DataError: this installation has none.
    """
    try:
        from pydoc_data import topics as found

        texts = [found.topics[name] for name in sorted(found.topics)]
    except (ImportError, AttributeError):
        texts = []
    return _whole("\n\n".join(texts), "documentation topics (pydoc_data)")


def library(folder: Path | None = None) -> str:
    """The source of MODULES one after the other, up to CHARACTERS; those that are there.

    Args:
        folder: where they lie; None: this installation's.

    Raises:
        DataError: this installation has none.
    """
    place = Path(sysconfig.get_path("stdlib")) if folder is None else folder
    return _whole("\n\n".join(_sources(place)), "library source")


def _sources(folder: Path) -> Iterator[str]:
    for name in MODULES:
        try:
            yield (folder / f"{name}.py").read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue


def _whole(text: str, what: str) -> str:
    if not text:
        raise DataError(
            f"this installation of Python has no {what} to read; choose another built-in text, or "
            "give one of your own"
        )
    return text[:CHARACTERS]
