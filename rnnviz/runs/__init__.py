"""A run is a directory; here is where and how its stream of events is pumped into it.

Knows neither torch nor Streamlit: the program of a run is reached by its name, in a worker.
"""

from collections.abc import Mapping

from rnnviz.runs.base import Runner
from rnnviz.runs.inline import InlineRunner
from rnnviz.runs.local import LocalRunner

RUNNERS: Mapping[str, type[Runner]] = {"local": LocalRunner, "inline": InlineRunner}
