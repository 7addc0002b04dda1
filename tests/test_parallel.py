"""Pairs by rules: every rule says what it made, and refuses what it cannot read."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from rnnviz.config import PARALLEL_NAMES, DataConfig, RunConfig, TranslationConfig
from rnnviz.data.dataset import Source
from rnnviz.data.parallel import END, PAD, PARALLEL, SPECIAL, UNKNOWN, ParallelText, dates, load
from rnnviz.data.parallel.numbers import words
from rnnviz.data.parallel.phrases import NOUNS, answer
from rnnviz.data.parallel.task import Texts
from rnnviz.data.parallel.text import LONGEST, parallel_text
from rnnviz.data.sandbox import Sandbox
from rnnviz.data.uploads import store
from rnnviz.errors import DataError

RULES = [name for name in PARALLEL if name != "file"]
NOWHERE = Path("nowhere")


def pairs_of(name: str, count: int = 300) -> ParallelText:
    config = RunConfig(translation=TranslationConfig(parallel=name, pairs=count))
    return load(config, NOWHERE)


@pytest.fixture(scope="module", params=RULES)
def task(request: pytest.FixtureRequest) -> tuple[str, ParallelText]:
    return request.param, pairs_of(request.param)


def test_every_task_has_a_label() -> None:
    assert set(PARALLEL) == set(PARALLEL_NAMES)


def test_the_rule_says_of_every_source_what_stands_beside_it(task) -> None:
    name, pairs = task
    assert len(pairs.source_texts) == len(set(pairs.source_texts)) == 300
    told = tuple(PARALLEL[name].answer(text) for text in pairs.source_texts)
    assert told == pairs.target_texts
    assert PARALLEL[name].answer(PARALLEL[name].example)


def test_the_same_pairs_come_each_time_and_fewer_are_the_first_of_them(task) -> None:
    name, pairs = task
    assert pairs_of(name, 100).source_texts == pairs.source_texts[:100]


def test_tokens_are_the_texts_padded_and_targets_end(task) -> None:
    _, pairs = task
    assert pairs.source_vocabulary[:4] == pairs.target_vocabulary[:4] == SPECIAL
    for row in range(0, 300, 37):
        n, m = pairs.source_lengths[row], pairs.target_lengths[row]
        assert (pairs.sources[row, :n] > UNKNOWN).all()
        assert (pairs.sources[row, n:] == PAD).all()
        assert (pairs.targets[row, : m - 1] > UNKNOWN).all()
        assert pairs.targets[row, m - 1] == END
        assert (pairs.targets[row, m:] == PAD).all()
        assert (pairs.encode(pairs.source_texts[row]) == pairs.sources[row, :n]).all()
        assert pairs.decode(pairs.targets[row]) == pairs.target_texts[row]
    assert pairs.source_lengths.max() == pairs.sources.shape[1]
    assert pairs.target_lengths.max() == pairs.targets.shape[1]


def test_no_source_stands_in_two_parts(task) -> None:
    _, pairs = task
    twice = replace(
        pairs,
        **{
            name: np.concatenate((getattr(pairs, name), getattr(pairs, name)))
            for name in ("sources", "targets", "source_lengths", "target_lengths")
        },
        source_texts=pairs.source_texts * 2,
        target_texts=pairs.target_texts * 2,
    )
    split = twice.split(7)
    parts = [{twice.source_texts[i] for i in part} for part in vars(split).values()]
    assert [len(part) for part in parts] == [192, 48, 60]
    assert len(set.union(*parts)) == 300
    assert (twice.split(7).test == split.test).all()
    assert (twice.split(8).test != split.test).any()


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize(
    "text", ["", "   ", "<b>&", "a" * 500, "\n\n", "ﬁrst of may", "<pad>", "1e9", "½"]
)
def test_a_rule_refuses_what_it_cannot_read(name: str, text: str) -> None:
    with pytest.raises(DataError, match=r"\w+ .*"):
        PARALLEL[name].answer(text)


# --- dates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *("3 May 1979", "May 3, 1979", "Thursday, 3 May 1979", "3rd of May 1979", "3-May-79"),
        *("3.5.1979", "3 May 79", "03.05.1979", " 3 May 1979 "),
    ],
)
def test_a_date_in_any_way_of_writing(text: str) -> None:
    assert PARALLEL["dates"].answer(text) == "1979-05-03"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("03/05/79", "two ways"),
        ("5/3/1979", "two ways"),
        ("29 February 2023", "no day of the calendar"),
        ("31.4.2000", "no day of the calendar"),
        ("13/13/2000", "no day of the calendar"),
        ("3 May 1949", "years 1950 to 2049"),
        ("Friday, 3 May 1979", "1979-05-03 is a Thursday"),
        ("3 Mai 1979", "write it like"),
    ],
)
def test_a_date_that_is_none_or_two(text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        PARALLEL["dates"].answer(text)


def test_between_slashes_only_what_can_be_read_in_one_way() -> None:
    answer = PARALLEL["dates"].answer
    assert answer("25/12/79") == answer("12/25/79") == "1979-12-25"
    assert answer("07/07/50") == "1950-07-07"
    assert answer("31/12/49") == "2049-12-31"


def test_every_day_comes_back_from_every_way_it_may_be_written_in() -> None:
    days = [dates.FIRST + timedelta(days=n) for n in range(0, 36_000, 97)]
    for way, allowed in dates.WAYS.items():
        for day in filter(allowed, days):
            assert dates.answer(way(day)) == day.isoformat()
    assert not all(allowed(date(2001, 2, 3)) for allowed in dates.WAYS.values())


def test_no_day_is_written_twice() -> None:
    targets = pairs_of("dates", 2000).target_texts
    assert len(set(targets)) == 2000


# --- numbers, letters -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((0, "zero"), (13, "thirteen"), (40, "forty"), (99, "ninety-nine"), (100, "one hundred")),
        *((312, "three hundred and twelve"), (1005, "one thousand and five"), (7000, "")),
        (80_210, "eighty thousand two hundred and ten"),
    ],
)
def test_numbers_in_words(number: int, text: str) -> None:
    assert words(number) == (text or "seven thousand")
    assert PARALLEL["numbers"].answer(words(number).upper()) == str(number)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("three hundred twelve", "'three hundred and twelve' here"),
        ("twelve hundred", "'one thousand two hundred' here"),
        ("one hundred thousand", "from zero to"),
        ("dozen", "no number in words"),
        ("two two", "'four' here"),
    ],
)
def test_numbers_in_other_words(text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        PARALLEL["numbers"].answer(text)


def test_letters_turned_and_sorted_at_lengths_never_seen() -> None:
    assert PARALLEL["reversal"].answer("abc" * 10) == "cba" * 10
    assert PARALLEL["sorting"].answer("cab" * 10) == "a" * 10 + "b" * 10 + "c" * 10
    with pytest.raises(DataError, match="letters a to l"):
        PARALLEL["sorting"].answer("xyz")


def test_more_pairs_than_there_are_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from rnnviz.data.parallel import letters

    monkeypatch.setattr(letters, "LONGEST_DRAWN", 2)
    monkeypatch.setattr(letters, "SHORTEST", 2)
    with pytest.raises(DataError, match="has no 300 different sources; choose at most 144"):
        pairs_of("sorting", 300)


# --- Marish ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("english", "marish"),
    [
        ("a bird sees a boat", "velk marun okhan"),
        ("the small red bird sees my boat", "velk karmi tibi ti marun meu okhan"),
        ("now a wolf does not know every child", "rakko nivel omnu nu konan ne"),
        (
            "often the old sailor paints the dark house near a white tree",
            "toskan orni ti ulmet lumu apu hadom zuru tu saje kolvan",
        ),
    ],
)
def test_marish_turns_the_order_and_agrees(english: str, marish: str) -> None:
    assert answer(english) == marish
    assert answer(english.upper()) == marish


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("the cat sees a bird", "no word for cat; use only: often, today"),
        ("bird sees boat", "order of these phrases"),
        ("the bird see a boat", "order of these phrases"),
        ("the bird does not sees a boat", "order of these phrases"),
        ("the red small old bird sees a boat", "order of these phrases"),
        ("a bird sees a boat near", "order of these phrases"),
        ("a bird sees a boat near a tree again", "order of these phrases"),
    ],
)
def test_marish_has_one_grammar(text: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        answer(text)


def test_no_word_of_marish_stands_for_two_english_ones() -> None:
    assert len({noun.word for noun in NOUNS.values()}) == len(NOUNS)
    assert {noun.ending for noun in NOUNS.values()} == {"i", "u"}


# --- people's own pairs ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(helpers=1) as running:
        yield running


def own(text: str, home: Path, sandbox: Sandbox, **data) -> ParallelText:
    id = store(text.encode(), "mine.csv", home, sandbox).id
    config = RunConfig(
        data=DataConfig(source="file", file=id, **data),
        translation=TranslationConfig(parallel="file"),
    )
    return load(config, home)


def table(rows: int, source: str = "say {k} now", target: str = "di {k}!") -> str:
    lines = [f"{source.format(k=k)},{target.format(k=k)}" for k in range(rows)]
    return "\n".join(("english,spanish", *lines))


def test_a_table_of_pairs_is_cut_into_what_the_settings_say(tmp_path, sandbox) -> None:
    pairs = own(table(40), tmp_path, sandbox, tokens="words")
    assert (pairs.source_texts[3], pairs.target_texts[3]) == ("say 3 now", "di 3!")
    assert pairs.source_lengths.tolist() == [3] * 40
    assert pairs.decode(pairs.targets[3]) == "di 3 !"
    letters = own(table(40), tmp_path, sandbox, target="english")
    assert (letters.tokens, letters.source_texts[3]) == ("characters", "di 3!")


def test_markup_and_special_tokens_in_a_file_are_texts(tmp_path, sandbox) -> None:
    text = table(40, source="<pad> <script>{k}", target="<end>{k}")
    pairs = own(text, tmp_path, sandbox)
    assert (pairs.sources[:, 0] > UNKNOWN).all()
    assert pairs.decode(pairs.targets[7]) == "<end>7"
    assert (pairs.encode("<unk>") > UNKNOWN).tolist() == [True, False, False, False, True]


def test_pairs_that_are_too_long_are_left_out_and_counted(tmp_path, sandbox) -> None:
    long = "y" * LONGEST["characters"]
    pairs = own(f"{table(40)}\nx,{long}\n{long}z,x", tmp_path, sandbox)
    assert len(pairs.source_texts) == 40
    assert any("2 pairs with more than 120 characters" in note for note in pairs.notes)


def test_what_holds_no_pairs_is_refused(tmp_path, sandbox) -> None:
    with pytest.raises(DataError, match="upload a table with two columns of texts"):
        load(RunConfig(translation=TranslationConfig(parallel="file")), tmp_path)
    series = "\n".join(("t,x", *(f"{k},{k * k % 17}" for k in range(60))))
    with pytest.raises(DataError, match="holds no pairs of texts"):
        own(series, tmp_path, sandbox)


def test_one_source_over_and_over_cannot_be_split() -> None:
    texts = Texts(("the same",) * 40, ("other",) * 40, Source(title="mine"), "words")
    pairs = parallel_text(texts)
    with pytest.raises(DataError, match="hold 1 different source; at least 5"):
        pairs.split(0)
