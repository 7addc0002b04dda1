"""rnnviz vectors: word vectors in the terminal."""

import argparse
import os
from pathlib import Path

from rnnviz.cli.options import home, option
from rnnviz.config import VectorsConfig, settings_of
from rnnviz.errors import DataError

HELP = "learn word vectors: skip-gram, CBOW or GloVe"


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    for setting in settings_of(VectorsConfig):
        parser.add_argument(f"--{setting.name.replace('_', '-')}", **option(setting))
    parser.add_argument("--file", type=Path, help="a text of your own, in UTF-8")
    parser.add_argument("--epochs", type=int, default=0, help="default: what suits the method")
    parser.add_argument("--rate", type=float, default=0.0, help="default: what suits the method")
    parser.add_argument("--seed", type=int, default=0, help="of all draws (default: 0)")
    parser.add_argument("--word", help="at the end, its neighbours are told")


def run(given: argparse.Namespace) -> int:
    """Prints each epoch's loss and analogies, then the neighbours of a word."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from rnnviz.vectors.settings import settings
    from rnnviz.vectors.terminal import told

    values = {s.name: getattr(given, s.name) for s in settings_of(VectorsConfig)}
    file = ""
    if given.file is not None:
        values["corpus"], file = "own", _stored(given.file)
    config = settings(
        VectorsConfig(**values), seed=given.seed, epochs=given.epochs, rate=given.rate, file=file
    )
    for line in told(config, home(), given.word or ""):
        print(line, flush=True)
    return 0


def _stored(path: Path) -> str:
    from rnnviz.data.uploads import store_text

    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        raise DataError(f"there is no text {path} that can be read; give its path") from None
    return store_text(text, home())
