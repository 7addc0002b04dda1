"""`rnnviz translate`: the settings of the task but for what is given, and texts of one's own."""

from pathlib import Path

import pytest

from rnnviz.bench import ROWS, translating
from rnnviz.cli import main
from rnnviz.config import PARALLEL_NAMES, RunConfig
from rnnviz.data.parallel import PARALLEL, load
from rnnviz.errors import ConfigError
from rnnviz.translation.settings import check_cost, settings, suggested

TINY = ("--pairs", "100", "--epochs", "1", "--hidden-size", "6", "--embedding", "4")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RNNVIZ_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], str]:
    status = main(("translate", *arguments))
    out, err = capsys.readouterr()
    return status, out.splitlines(), err


def test_it_trains_and_translates_what_is_held_out_and_what_is_asked(capsys) -> None:
    status, lines, err = said(capsys, "reversal", *TINY, "--say", "abc", "--say", "été")
    assert (status, err) == (0, "")
    assert lines[0].endswith("weights; pairs: 64 train, 16 validation, 20 test")
    assert lines[1].startswith("  unigram, without the source: 3.")
    assert lines[3].startswith("epoch 1: train 3.")
    assert ", exact 0.00%, " in lines[3]
    assert len(lines) == 4 + 1 + 3 + 2
    assert lines[-2].startswith("  abc → ")
    assert lines[-2].endswith(" (wrong: cba)")
    assert lines[-1].startswith("  été → ")
    assert "wrong" not in lines[-1]  # the rule knows no such letters


def test_a_file_of_pairs(capsys, tmp_path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("english,french\n" + "\n".join(f"say {k} now,dis {k} ici" for k in range(60)))
    tiny = (*TINY[2:], "--tokens", "words", "--target", "english")
    status, lines, err = said(capsys, "--file", str(path), *tiny, "--say", "dis 3 ici")
    assert (status, err) == (0, "")
    assert lines[0].endswith("pairs: 38 train, 10 validation, 12 test")
    assert lines[-1].startswith("  dis 3 ici → ")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--pairs", "5"), "pairs is 5; it must lie in"),
        (("file",), "no pairs are given; upload a table"),
        (("--file", "no.csv"), "there is no file no.csv"),
        (("--shared-weights", "--bidirectional"), "shared_weights makes encoder and decoder one"),
        (("--say", ""), "the text holds 0 characters; give a text of 1 to 120"),
    ],
)
def test_a_mistake_is_one_sentence(capsys, arguments, sentence: str) -> None:
    status, lines, err = said(capsys, *arguments)
    assert (status, lines) == (2, [])
    assert err.startswith(f"rnnviz: {sentence}")


@pytest.mark.parametrize("task", PARALLEL_NAMES)
def test_what_a_task_begins_with_can_be_used(task: str) -> None:
    config = settings(task)
    assert config.translation.parallel == task
    for name, value in suggested(task).items():
        parts = (config.model, config.training, config.translation, config.data)
        assert value in [getattr(part, name) for part in parts if hasattr(part, name)]
    assert RunConfig.from_dict(config.to_dict()) == config
    if PARALLEL[task].answer:
        small = settings(task, pairs=100)
        check_cost(small, load(small, Path("nowhere")))


def test_the_bench_says_when_all_dates_were_right(monkeypatch: pytest.MonkeyPatch) -> None:
    laps = [
        translating.Lap(1, 20.0, 0.5, 1600),
        translating.Lap(2, 40.0, 1.0, 1600),
        translating.Lap(3, 60.0, 0.9995, 1600),
    ]
    monkeypatch.setattr(translating, "laps", lambda: iter(laps))
    row = ROWS[translating.TRANSLATED](translating.TRANSLATED)
    assert row.value == "all right after 40 s (epoch 2); 99.95% of 1,600 after 60 s (1 core)"
    assert row.met is True
    monkeypatch.setattr(translating, "laps", lambda: iter(laps[:1]))
    row = ROWS[translating.TRANSLATED](translating.TRANSLATED)
    assert (row.value, row.met) == ("never all; 50.00% of 1,600 after 20 s (1 core)", False)


def test_unknown_settings_are_named() -> None:
    with pytest.raises(ConfigError, match="there is no setting colour, smell"):
        settings("dates", smell=1, colour=2)
