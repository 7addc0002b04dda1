"""A run is a directory; here is where and how its stream of events is pumped into it.

Knows neither torch nor Streamlit: the program of a run is reached by its name, in a worker.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from rnnviz.runs.base import Runner
from rnnviz.runs.inline import InlineRunner
from rnnviz.runs.local import LocalRunner

RUNNERS: Mapping[str, Callable[[Path], Runner]] = {"local": LocalRunner, "inline": InlineRunner}

__all__ = ["RUNNERS", "InlineRunner", "LocalRunner", "Runner"]
