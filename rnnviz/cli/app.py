"""rnnviz app: the app in the browser."""

import argparse
import subprocess

HELP = "open the app in the browser"


def add(parser: argparse.ArgumentParser) -> None:
    """Its options."""
    parser.add_argument("options", nargs="*", help="options of `streamlit run`, after --")


def run(given: argparse.Namespace) -> int:
    """Serves until it is stopped."""
    from rnnviz.ui import server  # Streamlit takes a second to import

    return subprocess.call(server.command(*given.options))
