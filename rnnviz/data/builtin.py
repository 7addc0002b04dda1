"""SAMPLES: the built-in texts; ours by grammars and by hand, and those that come with Python."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.resources import files
from typing import NamedTuple

from rnnviz.data import installed, logbook, program
from rnnviz.data.dataset import Source


class Sample(NamedTuple):
    """A built-in text, and whose it is; making it may raise DataError."""

    text: Callable[[], str]
    source: Source

    @property
    def title(self) -> str:
        """What it is called."""
        return self.source.title


def _lighthouse() -> str:
    return files("rnnviz.data").joinpath("samples", "lighthouse.txt").read_text(encoding="ascii")


_ours = partial(Source, authors="the rnnviz authors", year="2026", licence="MIT")

SAMPLES: Mapping[str, Sample] = {  # their labels: SAMPLES in rnnviz.config
    # a story, dense in quotes
    "lighthouse": Sample(_lighthouse, _ours(title="The Lighthouse Notebook")),
    "log": Sample(logbook.write, _ours(title="A signal station's log")),
    "program": Sample(program.write, _ours(title="A made-up program")),
    "topics": Sample(installed.topics, installed.source("its documentation topics")),
    "library": Sample(installed.library, installed.source("source of its library")),
}
