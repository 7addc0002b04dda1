"""Pairs of texts are recognised however their columns are named, and read as they stand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnnviz.cli import main
from rnnviz.config import DataConfig
from rnnviz.data import kinds
from rnnviz.data.pairs import Pairs, find_pairs
from rnnviz.data.sandbox import Sandbox
from rnnviz.data.sources import load
from rnnviz.data.uploads import store
from rnnviz.errors import DataError
from rnnviz.figures.pairs import pair_lengths

AUTO = DataConfig(source="file")


def sentences(rows: int = 60) -> pd.DataFrame:
    """Texts of 9 or 10 characters, and targets of twice the length."""
    given = [f"Say no {k}." for k in range(rows)]
    return pd.DataFrame({"source": given, "target": [f"{text}{text}" for text in given]})


def found(frame: pd.DataFrame, config: DataConfig = AUTO) -> Pairs:
    pairs = find_pairs(frame, config, "t.csv")
    assert pairs is not None
    return pairs


# --- which columns --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "given", "target"),
    [
        (("source", "target"), "source", "target"),
        (("Target", "Source"), "Source", "Target"),
        (("English", "French"), "English", "French"),
        (("text_fr", "text_en"), "text_fr", "text_en"),
        (("question", "answer"), "question", "answer"),
        (("one", "other"), "one", "other"),
    ],
)
def test_both_sides_are_found_by_their_names_or_as_the_only_two(names, given, target) -> None:
    pairs = found(sentences().set_axis(names, axis=1))
    assert (pairs.given, pairs.target) == (given, target)
    assert pairs.source_texts == tuple(sentences().set_axis(names, axis=1)[given])
    assert pairs.rows == 60
    assert pairs.notes == ()


def test_either_column_can_be_the_target() -> None:
    pairs = found(sentences(), DataConfig(source="file", target="source"))
    assert (pairs.given, pairs.target) == ("target", "source")
    assert pairs.target_texts == found(sentences()).source_texts
    assert set(pairs.targets) == {"source", "target"}
    with pytest.raises(DataError, match="age cannot be the target: choose one of source, target"):
        found(sentences(), DataConfig(source="file", target="age"))


def test_other_columns_beside_named_ones_are_left_out_and_told() -> None:
    pairs = found(sentences().assign(score=0.5, who=[f"by {k}" for k in range(60)]))
    assert pairs.notes == ("Not read: score, who.",)


def test_a_first_line_that_is_no_header_is_a_pair() -> None:
    frame = sentences().set_axis(["Go.", "Va !"], axis=1)
    pairs = found(frame)
    assert (pairs.source_texts[0], pairs.target_texts[0]) == ("Go.", "Va !")
    assert (pairs.rows, pairs.targets) == (61, ("column 2", "column 1"))
    assert pairs.notes == ("There is no line of column names: the first line is a pair as well.",)
    with_authors = frame.assign(**{"CC-BY 2.0 (Tom) #1.": [f"CC-BY 2.0 {k}" for k in range(60)]})
    assert found(with_authors).source_texts == pairs.source_texts


@pytest.mark.parametrize(
    "frame",
    [
        sentences(19),
        sentences().assign(target=["good", "bad"] * 30),
        sentences()[["source"]],
        pd.DataFrame({"id": [f"P{k}" for k in range(60)], "city": [f"c{k}" for k in range(60)]}),
        pd.DataFrame({"source": np.arange(60.0), "other": np.arange(60.0)}),
        pd.DataFrame({"when": [f"2020-01-{k:02}" for k in range(60)], "what": ["a b"] * 60}),
    ],
    ids=["few", "labels", "one", "names", "numbers", "dates"],
)
def test_other_tables_are_no_pairs(frame: pd.DataFrame) -> None:
    assert find_pairs(frame, AUTO, "t.csv") is None


def test_numbers_and_dates_beside_their_words_are_read_as_words() -> None:
    dates = pd.date_range("2020-01-01", periods=60)
    frame = pd.DataFrame({"source": dates.strftime("%d %B %Y"), "target": dates})
    assert found(frame).target_texts[:2] == ("2020-01-01", "2020-01-02")
    sums = pd.DataFrame({"input": [f"{k}+1" for k in range(60)], "output": np.arange(60) + 1.0})
    assert found(sums).target_texts[:2] == ("1", "2")


# --- what is told ---------------------------------------------------------------------------------


def test_the_summary_counts_characters_and_shows_examples() -> None:
    pairs = found(sentences(10), DataConfig(source="file", layout="pairs"))
    assert pairs.summary == (
        "10 pairs; source source 9.0 characters on average, target target 18.0"
    )
    assert pairs.examples[0] == "Say no 0. → Say no 0.Say no 0."
    assert len(pairs.examples) == 3


def test_missing_sides_repeats_and_several_targets_are_counted() -> None:
    frame = sentences()
    frame.loc[3, "target"] = None
    frame.loc[4, "source"] = "  "
    frame.loc[6] = frame.loc[5]
    frame.loc[7, "source"] = frame.loc[8, "source"]
    pairs = found(frame)
    assert (pairs.rows, pairs.missing) == (58, 2)
    assert pairs.notes == (
        "2 rows without source or target left out.",
        "1 pairs repeat an earlier one.",
        "1 sources have more than one target.",
    )


def test_the_picture_shows_all_lengths() -> None:
    pairs = found(sentences())
    for trace, texts in zip(
        pair_lengths(pairs).data, (pairs.source_texts, pairs.target_texts), strict=True
    ):
        assert sum(trace.y) == pytest.approx(1)
        mean = np.dot(trace.x, trace.y)
        assert mean == pytest.approx(np.mean([len(text) for text in texts]))


# --- files ----------------------------------------------------------------------------------------

CORPUS = ["Go.\tVa !", 'He said "no".\tIl dit "non".', '"Stop!" he said.\t"Arrête !" dit-il.']


def corpus(folder: Path) -> Path:
    """As parallel corpora come: no header, marks as they are, and one without its other half."""
    lines = [*CORPUS, *(f"Line {k}, yes.\tLigne {k}, oui." for k in range(30)), 'An " inch.\tUn ".']
    path = folder / "fra.txt"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture
def kept(tmp_path: Path) -> tuple[DataConfig, Path]:
    with Sandbox(helpers=1) as sandbox:
        upload = store(corpus(tmp_path).read_bytes(), "fra.txt", tmp_path, sandbox)
    return DataConfig(source="file", file=upload.id), tmp_path


def test_a_corpus_is_read_with_its_quotation_marks(kept: tuple[DataConfig, Path]) -> None:
    pairs = kinds.find(*kept)
    assert isinstance(pairs, Pairs)
    read = [f"{a}\t{b}" for a, b in zip(pairs.source_texts, pairs.target_texts, strict=True)]
    assert read[:3] == CORPUS
    assert read[-1] == 'An " inch.\tUn ".'
    assert pairs.rows == 34


def test_quoted_fields_of_a_tab_separated_table_are_still_unquoted(tmp_path: Path) -> None:
    lines = ["source\ttarget", *(f'"a ""{k}"" b"\t"c\nd {k}"' for k in range(30))]
    with Sandbox(helpers=1) as sandbox:
        upload = store("\n".join(lines).encode(), "q.tsv", tmp_path, sandbox)
    pairs = kinds.find(DataConfig(source="file", file=upload.id), tmp_path)
    assert isinstance(pairs, Pairs)
    assert (pairs.source_texts[0], pairs.target_texts[0]) == ('a "0" b', "c\nd 0")


def test_training_on_pairs_is_refused_in_a_sentence(kept: tuple[DataConfig, Path]) -> None:
    with pytest.raises(DataError, match=r"fra\.txt holds pairs of texts, which take a sequence-to"):
        load(*kept)


def test_the_commands_show_pairs_and_do_not_train_on_them(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("RNNVIZ_HOME", str(tmp_path / "home"))
    path = str(corpus(tmp_path))
    assert main(["data", "show", path]) == 0
    said = capsys.readouterr().out
    assert said.startswith("34 pairs; source column 1 ")
    assert "  Go. → Va !" in said
    assert main(["train", "--file", path]) == 2
    assert "sequence-to-sequence network" in capsys.readouterr().err
