"""Built-in texts: a program that would parse, and what comes with Python, where it does."""

import ast
import sys

import pytest

from rnnviz.config import SAMPLES as LABELS
from rnnviz.config import DataConfig
from rnnviz.data import installed, program
from rnnviz.data.text import SAMPLES, load
from rnnviz.errors import DataError


def test_every_text_has_a_label_and_every_label_a_text():
    assert set(SAMPLES) == set(LABELS)


def test_the_program_is_written_alike_each_time_and_could_be_run():
    text = program.write(20_000)
    assert len(text) == 20_000
    assert text == program.write(30_000)[:20_000] != program.write(20_000, seed=1)
    whole = text[: text.rindex("\n\n\ndef ")]
    tree = ast.parse(whole)  # it would raise
    assert len(tree.body) > 20
    assert all(isinstance(node, ast.FunctionDef) for node in tree.body)
    depths = {(len(line) - len(line.lstrip(" "))) / 4 for line in whole.splitlines() if line}
    assert depths == {0, 1, 2, 3, 4}
    assert {"([", "[[", "{"} & {whole[k : k + 2] for k in range(len(whole))}


def test_library_source_is_read_in_its_order_and_cut(tmp_path, monkeypatch):
    for name in ("b", "a", "d"):
        (tmp_path / f"{name}.py").write_text(f"# {name} \u00e9\n" * 3, "utf-8")
    (tmp_path / "c.py").write_bytes(b"\xff\xfe no text")
    monkeypatch.setattr(installed, "MODULES", ("a", "b", "c", "gone", "d"))
    expected = "\n\n".join(f"# {name} \u00e9\n" * 3 for name in "abd")
    assert installed.library(tmp_path) == expected
    monkeypatch.setattr(installed, "CHARACTERS", 10)
    assert installed.library(tmp_path) == expected[:10]


@pytest.mark.parametrize(
    ("name", "what"), [("topics", "documentation topics"), ("library", "libr")]
)
def test_where_a_text_is_missing_one_sentence_says_so(name, what, monkeypatch):
    monkeypatch.setitem(sys.modules, "pydoc_data", None)  # importing it fails
    monkeypatch.setattr(installed, "MODULES", ("no_such_module",))
    with pytest.raises(DataError, match=f"has no {what}.* to read; choose another built-in text"):
        load(DataConfig(source="text", sample=name))


@pytest.mark.parametrize("name", ["topics", "library"])
def test_texts_of_python_name_their_version_and_licence(name):
    source = SAMPLES[name].source
    assert source.title.startswith(f"Python {sys.version_info[0]}.{sys.version_info[1]}.")
    assert source.licence.startswith("PSF License")
    try:
        text = SAMPLES[name].text()
    except DataError:
        pytest.skip("this Python came without it")
    assert text == SAMPLES[name].text()
    assert len(text) <= installed.CHARACTERS
