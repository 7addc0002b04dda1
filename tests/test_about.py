"""Every network that can be chosen has its equations and their source."""

import ast
from pathlib import Path

import pytest

from rnnviz.cells import CELLS
from rnnviz.config import ATTENTIONS
from rnnviz.ui import about

UI = Path(about.__file__).parent


@pytest.mark.parametrize("name", CELLS)
def test_every_gate_and_state_of_a_cell_has_an_equation(name):
    cell, said = CELLS[name], about.CELLS[name]
    for symbol in (*(gate.symbol for gate in cell.gates), *cell.states):
        assert sum(line.startswith(f"{symbol}_t = ") for line in said.latex) == 1
    assert any(year in said.words for year in ("1990", "1997", "2014", "Keras"))


def test_nothing_else_has_one():
    assert set(about.CELLS) == set(CELLS)
    assert set(about.ATTENTIONS) == set(ATTENTIONS) - {"none"}


@pytest.mark.parametrize("name", [name for name, cell in CELLS.items() if len(cell.gates) == 3])
def test_where_the_reset_acts_is_said_and_written(name):
    said = " ".join(about.CELLS[name].latex)
    before = CELLS[name].resets is not None
    assert ("(r_t \\odot h_{t-1})" in said) is before
    assert ("before" if before else "after") in about.CELLS[name].words


def texts_of(file):
    """All texts of a module."""
    found = ast.walk(ast.parse(file.read_text()))
    return [n.value for n in found if isinstance(n, ast.Constant) and isinstance(n.value, str)]


@pytest.mark.parametrize("file", sorted(UI.glob("*.py")), ids=lambda file: file.stem)
def test_a_formula_of_several_lines_stands_between_lines_of_its_own(file):
    """Markdown takes what follows an opening $$ on its line for a name, and drops it."""
    for text in texts_of(file):
        for line in text.splitlines():
            assert line.count("$$") != 1 or line.strip() == "$$", line
