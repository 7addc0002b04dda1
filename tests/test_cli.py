"""The command line trains as the app does, and tells mistakes in one sentence."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnnviz import __version__
from rnnviz.cli import main
from rnnviz.cli.train import PARTS, chosen
from rnnviz.config import SOURCES, SUGGESTED, settings_of
from rnnviz.data.worlds import WORLDS

TINY = ("--people", "40", "--epochs", "2", "--hidden-size", "4", "--batch-size", "16")
STUDY = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "nhanes" / "MINdata.rda"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RNNVIZ_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Status, output, complaints."""
    try:
        status = main(arguments)
    except SystemExit as ended:  # argparse's way
        status = int(ended.code or 0)
    out, err = capsys.readouterr()
    return status, out, err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--version") == (0, f"{__version__}\n", "")


@pytest.mark.parametrize("arguments", [(), ("bake",), ("train", "--salt", "1")])
def test_unknown_words_are_refused(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = said(capsys, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("usage: rnnviz")


def test_every_setting_has_an_option_with_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "train", "--help")
    assert status == 0
    for option in ("--hidden-size", "--no-bidirectional", "--learning-rate", "--blocks", "--seed"):
        assert option in out
    assert "64 %" not in out  # help texts go through argparse's own percent signs
    assert "(default: 'lstm'; phrases: 'rnn')" in " ".join(out.split())


def test_training_prints_baselines_epochs_and_scores(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = said(capsys, "train", *TINY)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].endswith("weights, {'train': 26, 'validation': 6, 'test': 8} sequences")
    assert [line.split(":")[0].strip() for line in lines[1:4]] == [
        "mean",
        "ridge",
        "covariates only",
    ]
    assert all("(kg/m²)²" in line for line in lines[1:4])
    epochs = [line for line in lines if line.startswith("epoch ")]
    assert [line.split(":")[0] for line in epochs] == ["epoch 1", "epoch 2"]
    assert "All epochs are done." in lines
    assert [line.split(":")[0].strip() for line in lines[-3:]] == ["train", "validation", "test"]
    assert all(name in lines[-1] for name in ("mse ", "mae ", "r2 ", "r "))


def test_the_same_settings_give_the_same_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    def scores() -> list[str]:
        return said(capsys, "train", *TINY, "--cell", "gru")[1].splitlines()[-3:]

    assert scores() == scores()


def test_text_is_trained_on_tokens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("the quick brown fox jumps over the lazy dog. " * 40, "utf-8")
    options = ("--source", "text", "--file", str(text), "--attention", "none", "--epochs", "1")
    status, out, _ = said(capsys, "train", *options)
    assert status == 0
    assert "unigram: test loss" in out
    assert "perplexity" in out


def test_a_built_in_text_is_trained_on_in_pieces_and_each_epoch_writes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ("--sample", "lighthouse", "--tokens", "pieces", "--pieces", "300", "--carried")
    small = ("--window", "16", "--epochs", "1", "--hidden-size", "4", "--embedding", "3")
    status, out, err = said(capsys, "train", "--source", "text", *options, *small)
    assert (status, err) == (0, "")
    for name in ("unigram", "bigram", "trigram", "window model"):
        assert f"  {name}: test loss" in out
    assert out.count("  writes: ") == 2  # before training, and after the epoch
    assert all(line.isprintable() for line in out.splitlines())


@pytest.mark.skipif(not STUDY.is_file(), reason="the real data are not here")
def test_a_file_is_trained_on_without_a_word_about_the_source(
    capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    options = ("--epochs", "1", "--hidden-size", "4", "--blocks", "24x60", "--attention", "none")
    status, out, err = said(capsys, "train", "--file", str(STUDY), *options)
    assert (status, err) == (0, "")
    assert "{'train': 187, 'validation': 47, 'test': 58} sequences" in out
    assert len(list((home / "uploads").iterdir())) == 1


@pytest.mark.skipif(not STUDY.is_file(), reason="the real data are not here")
def test_a_second_file_is_joined_for_training(capsys: pytest.CaptureFixture[str]) -> None:
    tables = STUDY.parents[1] / "tables"
    files = ("--file", str(tables / "two_file_accel.csv"))
    files += ("--join", str(tables / "two_file_covar_with_preamble.csv"))
    options = ("--epochs", "1", "--hidden-size", "4", "--blocks", "24x60", "--mask")
    status, out, err = said(capsys, "train", *files, *options, "--covariates")
    assert (status, err) == (0, "")
    assert "{'train': 26, 'validation': 6, 'test': 8} sequences" in out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--hidden-size", "0"), "hidden_size is 0; it must lie in [1, 512]"),
        (("--learning-rate", "nan"), "learning_rate is nan; it must lie in [1e-06, 10]"),
        (("--target", "x" * 201), "target must be a text of at most 200 characters"),
        (("--file", "nowhere.csv"), "nowhere.csv"),
        (("--source", "file"), "the file is not here"),
        (("--source", "text", "--file", "nowhere.txt"), "nowhere.txt"),
        (("--source", "text", "--bidirectional"), "bidirectional"),
        (("--source", "text", "--join", "nowhere.csv"), "nowhere.csv"),
        (("--file", "nowhere.csv", "--missing", "drop"), "nowhere.csv"),
    ],
)
def test_a_mistake_is_told_in_one_sentence(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = said(capsys, "train", *TINY, *arguments)
    assert (status, out) == (2, "")
    assert err.startswith("rnnviz: ")
    assert sentence in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--cell", "transformer"), "invalid choice: 'transformer'"),
        (("--epochs", "many"), "invalid int value: 'many'"),
    ],
)
def test_what_is_no_value_at_all_is_refused_by_the_option(
    arguments: tuple[str, ...], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = said(capsys, "train", *arguments)
    assert (status, out) == (2, "")
    assert complaint in err


def test_a_file_that_cannot_be_used_is_told_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "few.csv").write_text("a,b\n1,2\n3,4\n", "utf-8")
    status, out, err = said(capsys, "train", "--file", str(tmp_path / "few.csv"))
    assert (status, out) == (2, "")
    assert "exactly 1440" in err
    assert err.count("\n") == 1


def test_a_training_that_breaks_off_says_where(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the units do, a step multiplies the error of the head's bias by 1 - 2 rate or more:
    here by 19, so that within 52 steps the squared error overflows.
    """
    wild = ("--optimiser", "sgd", "--clip-norm", "0", "--learning-rate", "10", "--batch-size", "1")
    status, out, err = said(capsys, "train", *TINY, *wild)
    assert status == 2
    assert "weights, {'train': 26" in out
    assert err.startswith("rnnviz: In step ")
    assert "lower the learning rate" in err


def test_the_study_is_told_twice(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--people", "40", "--days", "2", "--seeds", "2")
    status, out, err = said(capsys, "study", *options)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "NHANES-like activity: 80 rows of 40 people"
    assert lines.index("As written") < lines.index("Corrected")
    assert "Total params: 265,225" in lines
    assert any(line.startswith("epoch 10: train MSE") for line in lines)
    assert any(
        "The network that was loaded from it predicts the same on " in line for line in lines
    )
    assert "split 2 of 2 is done" in lines
    assert sum(line.startswith("ridge on 1440 minutes") for line in lines) == 1
    assert any(line.startswith("Over 2 splits by person, the LSTM ") for line in lines)
    assert lines[-1].startswith("Integrated gradients of 8 test people, from the mean day")


def days(rows: int) -> pd.DataFrame:
    """Days with a number and a word to predict."""
    minutes = np.random.default_rng(0).integers(1, 900, (rows, 1440))
    frame = pd.DataFrame(minutes, columns=[f"MIN{k}" for k in range(1, 1441)])
    return frame.assign(BMI=np.arange(rows) / 2 + 20, level=["low", "high"] * (rows // 2))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--seeds", "0"), "seeds is 0; it must lie in [1, 100]"),
        (("--people", "3"), "people is 3; it must lie in"),
        (("--file", "nowhere.rda"), "there is no file nowhere.rda"),
        (
            ("--file", "days.csv", "--target", "level"),
            "level holds classes, and the study predicts",
        ),
        (("--file", "days.csv", "--target", "weight"), "weight"),
        (("--file", "days.csv", "--table", "other"), "other"),
    ],
)
def test_a_mistake_about_the_study_is_told_in_one_sentence(
    arguments: tuple[str, ...],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    if "days.csv" in arguments:
        days(40).to_csv("days.csv", index=False)
    status, out, err = said(capsys, "study", *arguments)
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("source", [name for name in SOURCES if name not in ("file", "world")])
def test_a_source_begins_with_the_settings_that_suit_it(source: str) -> None:
    config, begin = chosen({"source": source}), SUGGESTED.get(source, {})
    for name, part in PARTS.items():
        for setting in settings_of(part):
            wanted = source if setting.name == "source" else setting.default
            value = getattr(getattr(config, name), setting.name)
            assert value == begin.get(setting.name, wanted), setting.name
    assert chosen({"source": source, "window": 9, "epochs": 3}).data.window == 9


def test_a_small_world_begins_with_the_settings_that_suit_it() -> None:
    for name, world in WORLDS.items():
        config = chosen({"source": "world", "world": name})
        for setting, value in world.suggested.items():
            assert any(getattr(part, setting, None) == value for part in
                       (config.data, config.model, config.training)), (name, setting)  # fmt: skip
    assert chosen({"source": "world", "world": "echo", "epochs": 2}).training.epochs == 2


def test_a_series_is_learned_without_more_ado(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = said(capsys, "train", "--source", "series", "--epochs", "1")
    assert (status, err) == (0, "")
    assert "  persistence: test mse" in out


def test_a_file_begins_with_the_settings_that_suit_what_is_in_it(tmp_path: Path) -> None:
    series, texts = tmp_path / "walk.csv", tmp_path / "texts.csv"
    series.write_text("level\n" + "\n".join(str(k % 7) for k in range(200)))
    rows = [f"this is text number {k} of many,{k % 2}" for k in range(60)]
    texts.write_text("\n".join(["text,label", *rows]))
    assert chosen({"file": str(series)}).data.window == 20
    found = chosen({"file": str(texts)}).data
    assert (found.tokens, found.window) == ("words", 64)
    assert chosen({"file": str(texts), "tokens": "characters"}).data.tokens == "characters"


def test_the_network_from_scratch_is_trained_and_checked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ("--hidden", "8", "--epochs", "3", "--backprop", "published")
    status, out, err = said(capsys, "scratch", *options)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[1] == "234 weights, 1 seed"
    assert lines[2].startswith("epoch 3, published: train loss 0.69")
    assert lines[-3].startswith("gradient check, largest relative error over all weights")
    assert [line.split(":")[0] for line in lines[-2:]] == ["  corrected", "  published"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--seeds", "0"), "seeds is 0; it must lie in [1, 100]"),
        (("--hidden", "1"), "hidden is 1; it must lie in [2, 128]"),
        (("--epochs", "1001"), "epochs is 1001; it must lie in [1, 1000]"),
    ],
)
def test_a_mistake_about_the_network_from_scratch_is_told_in_one_sentence(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = said(capsys, "scratch", *arguments)
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
