"""CELLS: every recurrent cell by name. A cell knows its equations, not its weights."""

from collections.abc import Mapping

from rnnviz.cells.base import (
    Cell,
    Force,
    Gate,
    Gates,
    Local,
    Parts,
    Recur,
    Slopes,
    States,
    as_it_is,
    recur_with,
    split_gates,
)
from rnnviz.cells.gru import Gru
from rnnviz.cells.lstm import Lstm
from rnnviz.cells.rnn import Rnn

CELLS: Mapping[str, Cell] = {
    cell.name: cell
    for cell in (
        Lstm(),
        Gru(reset_after=True),
        Rnn("tanh"),
        Rnn("relu"),
        Gru(reset_after=False),
        Lstm("relu", "hard sigmoid"),
        Lstm("relu"),
        Lstm("tanh", "hard sigmoid"),
        Gru(reset_after=False, hard=True),
    )
}

__all__ = [
    "CELLS",
    "Cell",
    "Force",
    "Gate",
    "Gates",
    "Local",
    "Parts",
    "Recur",
    "Slopes",
    "States",
    "as_it_is",
    "recur_with",
    "split_gates",
]
