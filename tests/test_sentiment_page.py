"""The Sentiment page, driven as a visitor drives it, without a browser."""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from rnnviz.calibration import brier, interval, reliability
from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.data import sources
from rnnviz.data.text import tokens_of
from rnnviz.inside.network import Network, Sequence
from rnnviz.runs import RUNNERS
from rnnviz.runs.run import Run
from rnnviz.spans import by_entity
from rnnviz.ui import attributing, beginning, common, server
from rnnviz.ui.sentences import one_hot
from rnnviz.ui.words import number

REVIEWS = DataConfig(source="phrases", grammar="reviews", sequences=400)
TAGGED = DataConfig(source="world", world="entities", sequences=150)


def settings(data: DataConfig, epochs: int = 2, **model: object) -> RunConfig:
    small = {"hidden_size": 8, "attention": "none", **model}
    training = TrainingConfig(epochs=epochs, learning_rate=0.02)
    return RunConfig(data=data, model=ModelConfig(**small), training=training)


RUNS = {
    "reviews": settings(REVIEWS, attention="additive"),
    "plain": settings(DataConfig(source="phrases"), cell="rnn"),
    "stories": settings(DataConfig(source="world", world="names", sequences=60)),
    "entities": settings(TAGGED, bidirectional=True),
    "attending": settings(TAGGED, epochs=1, attention="dot"),
    "depth": settings(DataConfig(source="world", world="depth", sequences=60, window=12)),
    "days": settings(DataConfig(people=30), epochs=1),
}


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def known() -> dict[str, str]:
    return {}


@pytest.fixture(autouse=True)
def at_home(homes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    st.cache_resource.clear()
    monkeypatch.setenv("RNNVIZ_RUNNER", "inline")
    monkeypatch.setenv("RNNVIZ_HOME", str(homes))
    monkeypatch.setattr(common, "owner", lambda: "me")
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", lambda *_: [])


@pytest.fixture
def run(homes: Path, known: dict[str, str]) -> Callable[[str], Run]:
    def of(name: str) -> Run:
        if name not in known:
            made = Run.create(homes, RUNS[name], owner="me", now=time.time())
            RUNNERS["inline"](homes).submit(made)
            known[name] = made.id
        return Run.open(homes, known[name])

    return of


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def opened(run: Run | None = None, at: str = "sentiment", **address: str) -> AppTest:
    app = AppTest.from_file(server.MAIN, default_timeout=120)
    app.query_params.update({**({"run": run.id} if run else {}), **address})
    app.switch_page(f"../../pages/{at}.py")
    return sound(app.run())


def words(app: AppTest) -> str:
    kinds = ("markdown", "caption", "text", "info", "warning", "error")
    said = [str(element.value) for kind in kinds for element in app.get(kind)]
    return "\n".join(said).replace("\\", "")


def metrics(app: AppTest) -> dict[str, str]:
    return {m.label.replace("\\", ""): m.value.replace("\\", "") for m in app.metric}


def press(app: AppTest, key: str) -> AppTest:
    return sound(app.button(key=f"do_{key}").click().run())


def typed(app: AppTest, text: str) -> AppTest:
    return sound(app.text_input(key="sentence_text").set_value(text).run())


def sent(app: AppTest) -> list[dict[str, Any]]:
    """What travels to the components."""
    return [orjson.loads(it.proto.bytes) for it in app.get("bidi_component") if it.proto.bytes]


def coloured(app: AppTest, name: str) -> dict[str, Any]:
    """A coloured text, by the beginning of what its values are."""
    return next(it for it in sent(app) if it.get("name", "").startswith(name))


def said_of(run: Run, text: str) -> np.ndarray:
    """Probabilities by way of the core alone."""
    trace, _ = run.trace(run.config.training.epochs)
    data = sources.load(run.config.data, run.home)
    place = {word: k for k, word in enumerate(data.vocabulary)}
    inputs = one_hot(np.array([place[word] for word in text.split()]), data)
    return (
        Network.of(trace)
        .run(Sequence(inputs=inputs, covariates=np.zeros(0), targets=np.zeros(1, dtype=np.int64)))
        .outputs[0]
    )


# --- nothing to show ------------------------------------------------------------------------------


def test_without_a_run_two_trainings_are_offered_and_begin(monkeypatch, homes) -> None:
    config = settings(DataConfig(source="phrases", grammar="reviews", sequences=60), epochs=1)
    offered = beginning.BEGINNINGS["reviews"]
    assert offered.config.data.grammar == "reviews"
    assert beginning.BEGINNINGS["entities"].config.model.bidirectional
    monkeypatch.setitem(beginning.BEGINNINGS, "reviews", offered._replace(config=config))
    app = opened()
    assert "There is no run to look into yet" in app.info[0].value
    app = press(app, "begin_reviews")
    assert "All test sentences" in words(app)
    started = Run.open(homes, app.query_params["run"])
    assert started.config == config
    app = sound(app.switch_page("../../pages/train.py").run())
    assert app.selectbox(key="grammar").value == "reviews"
    assert app.selectbox(key="source").value == "phrases"


def test_a_run_of_another_task_says_so_and_offers_the_same(run) -> None:
    app = opened(run("days"))
    assert "does not tell classes of words" in app.info[0].value
    assert {"do_begin_reviews", "do_begin_entities"} <= {b.key for b in app.button}
    assert not app.get("bidi_component")


def test_the_grammar_decides_which_settings_a_visitor_begins_with() -> None:
    app = opened(at="train", source="Phrases, good or bad")
    assert app.selectbox(key="cell").value == "rnn"
    assert "sequences" not in {it.key for it in app.number_input}
    app = sound(app.selectbox(key="grammar").set_value("reviews").run())
    assert (app.selectbox(key="cell").value, app.selectbox(key="attention").value) == (
        "lstm",
        "additive",
    )
    assert app.number_input(key="sequences").value == 2000
    assert "2000 reviews of up to 28 words" in words(app)
    app = sound(app.selectbox(key="source").set_value("nhanes").run())
    assert app.number_input(key="epochs").value == TrainingConfig().epochs


# --- a sentence -----------------------------------------------------------------------------------


def test_what_is_shown_of_a_sentence_is_what_the_core_says(run) -> None:
    one = run("reviews")
    data = sources.load(one.config.data, one.home)
    trace, survey = one.trace(2)
    app = opened(one)
    text = app.text_input(key="sentence_text").value
    assert text == " ".join(tokens_of(data, int(trace.sequences[0])))
    p = said_of(one, text)
    np.testing.assert_allclose(p, trace.outputs[0, 0], atol=1e-6)
    told = metrics(app)
    assert told["Says"] == f"{data.classes[p.argmax()]} {p.max():.1%}"
    assert told["Log-odds of good [nats]"] == number(np.log(p[1] / p[0]), 3)
    assert told["True verdict"] == data.classes[trace.targets[0, 0]]
    weights = coloured(app, "weight α")["values"]
    np.testing.assert_allclose(weights, trace.attention[0, 0, : len(weights)], atol=1e-6)
    shares = coloured(app, "share in the log-odds of good")
    assert shares["low"] == -shares["high"]
    baseline = np.log(p[1] / p[0]) - sum(shares["values"])
    assert f"{number(baseline, 4)} nats for as many empty steps" in words(app)
    assert "They can differ" in words(app)
    assert survey.probabilities.shape == (len(survey.sequences), 2)


def test_a_typed_negation_changes_what_is_said_and_stands_in_the_address(run) -> None:
    one = run("reviews")
    app = opened(one)
    before = metrics(app)["Says"]
    app = typed(app, "the plot was not good")
    told, p = metrics(app), said_of(one, "the plot was not good")
    assert told["Says now"] == f"{('bad', 'good')[p.argmax()]} {p.max():.1%}"
    assert told["Said before"] == before
    assert told["True verdict"] == "bad by the rule"
    assert app.query_params["edited"] == "the plot was not good"
    again = opened(one, edited="the plot was not good", word="4")
    assert metrics(again)["Says now"] == told["Says now"]
    assert coloured(again, "share in")["selected"] == 3
    app = press(again, "leave_out")
    assert app.text_input(key="sentence_text").value == "the plot was good"
    assert metrics(app)["True verdict"] == "good by the rule"
    app = press(app, "negate")  # before the word that took its place
    assert app.text_input(key="sentence_text").value == "the plot was not good"
    app = press(app, "back")
    assert "edited" not in app.query_params
    assert metrics(app)["Says"] == before


def test_a_word_is_replaced_by_another(run) -> None:
    app = opened(run("reviews"), edited="the plot was good", word="4")
    app = sound(app.selectbox(key="word_instead").set_value("dull").run())
    assert app.text_input(key="sentence_text").value == "the plot was dull"
    assert app.selectbox(key="word_instead").value == "dull"
    assert metrics(app)["True verdict"] == "bad by the rule"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("the plot was splendid", "the network never saw 'splendid'; use only its"),
        ("<script>alert(1)</script>", "the network never saw '<', 'script', '>'"),
        ("   ", "the sentence is empty; type at least one of the"),
        ("good " * 600, "has 600 words; at most 512 are read"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(run, text: str, why: str) -> None:
    app = opened(run("reviews"), edited=text)
    assert why in app.warning[0].value.replace("\\", "")
    assert "All test sentences" in words(app)
    assert app.button(key="do_back")


def test_an_address_that_leads_nowhere_does_no_harm(run) -> None:
    one = run("plain")
    usual = metrics(opened(one))
    assert metrics(opened(one, sentence="99999", word="-3")) == usual
    assert metrics(opened(one, sentence="x²", word="9" * 30)) == usual


def test_a_long_sentence_is_not_run_for_each_of_its_words(run, monkeypatch) -> None:
    monkeypatch.setattr(attributing, "MOST_RUN", 3)
    app = opened(run("plain"), edited="it feels not warm")
    assert "are not run once more for each of their words" in words(app)
    assert list(app.dataframe[0].value.columns) == ["word", "integrated gradients"]
    app = opened(run("plain"), edited="warm")
    assert "There is one word only" in words(app)
    assert "This network has no attention" in words(app)


def test_the_table_holds_every_number(run) -> None:
    one = run("reviews")
    app = opened(one, edited="the plot was not good")
    table = app.dataframe[0].value
    shown = coloured(app, "share in")["values"]
    np.testing.assert_allclose(table["integrated gradients"], shown, atol=1e-5)
    assert table["weight α"].sum() == pytest.approx(1)
    soft = np.exp(table["score e"] - table["score e"].max())
    np.testing.assert_allclose(soft / soft.sum(), table["weight α"])
    for k, text in enumerate(["the", "the plot", "the plot was", "the plot was not"]):
        assert table["P(good) up to it"][k] == pytest.approx(said_of(one, text)[1])
    p = said_of(one, "the plot was good")
    assert table["log-odds without it"][3] == pytest.approx(np.log(p[1] / p[0]))


def test_of_more_than_two_classes_any_can_be_explained(run) -> None:
    app = opened(run("stories"))
    options = app.selectbox(key="score_of").options
    assert options[0].startswith("what is predicted (")
    app = sound(app.selectbox(key="score_of").set_value("Paul").run())
    assert coloured(app, "share in the log-odds of Paul")
    assert coloured(opened(run("stories"), score_of="Lucy"), "share in the log-odds of Lucy")


def test_the_sidebars_sequence_is_followed(run) -> None:
    one = run("reviews")
    trace, _ = one.trace(2)
    data = sources.load(one.config.data, one.home)
    app = typed(opened(one), "the plot was good")
    app = sound(app.sidebar.selectbox(key="sequence").set_value(2).run())
    text = " ".join(tokens_of(data, int(trace.sequences[1])))
    assert app.text_input(key="sentence_text").value == text
    assert "edited" not in app.query_params


# --- all sentences --------------------------------------------------------------------------------


def test_accuracy_calibration_and_mistakes_are_those_of_the_survey(run) -> None:
    one = run("reviews")
    _, survey = one.trace(2)
    app = opened(one)
    said, true = words(app), survey.targets.astype(int)
    right = int((survey.predictions == survey.targets).sum())
    low, high = interval(right, len(true))
    assert f"**{right / len(true):.1%} right**: {right} of {len(true)} test reviews" in said
    assert f"interval {low:.1%} to {high:.1%}" in said
    assert f"error {reliability(survey.probabilities, true).error:.2%} over 10 bins" in said
    assert f"Brier score {number(brier(survey.probabilities, true), 3)}" in said
    wrong = np.flatnonzero(survey.predictions != survey.targets)
    sure = survey.probabilities.max(axis=1)
    worst = wrong[sure[wrong].argmax()]
    row = int(survey.sequences[worst])
    app = press(app, f"open_{row}")
    assert app.query_params["sentence"] == str(row)
    assert app.selectbox(key="sentence_chosen").value == row
    data = sources.load(one.config.data, one.home)
    assert metrics(app)["Says"].endswith(f"{sure[worst]:.1%}")
    assert metrics(app)["True verdict"] == data.classes[true[worst]]
    app = sound(app.selectbox(key="sentence_chosen").set_value(int(survey.sequences[0])).run())
    assert app.query_params["sentence"] == str(survey.sequences[0])


def test_a_run_of_an_earlier_version_has_no_calibration(run, monkeypatch) -> None:
    one = run("reviews")
    kept = common.trace

    def earlier(run_id: str, epoch: int):
        trace, survey = kept(run_id, epoch)
        return trace, dataclasses.replace(survey, probabilities=None)

    monkeypatch.setattr(common, "trace", earlier)
    app = opened(one)
    assert "made by an earlier version, which kept no probabilities" in words(app)
    assert not [b for b in app.button if b.key.startswith("do_open_")]


# --- tags -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["entities", "attending"])
def test_words_have_the_tags_that_the_core_says(run, name: str) -> None:
    one = run(name)
    epochs = one.config.training.epochs
    trace, _ = one.trace(epochs)
    data = sources.load(one.config.data, one.home)
    app = opened(one)
    shown = next(it for it in sent(app) if "kinds" in it)
    length = int(trace.lengths[0])
    tags = [data.classes[k] for k in trace.outputs[0, :length].argmax(axis=1)]
    assert [it["tag"] or "O" for it in shown["words"]] == tags
    truth = [data.classes[k] for k in trace.targets[0, :length]]
    wrong = [a != b for a, b in zip(tags, truth, strict=True)]
    assert [it["wrong"] for it in shown["words"]] == wrong
    assert all(f"true: {t}" in it["hint"] for it, t in zip(shown["words"], truth, strict=True))
    assert [it["name"] for it in shown["kinds"]] == ["outside", "PER", "LOC", "ORG", "DATE"]
    assert ("weight α" in str([it.get("name") for it in sent(app)])) is (name == "attending")
    if name == "attending":
        return
    app = opened(one, word="3")
    assert f"Why “{tokens_of(data, int(trace.sequences[0]))[2]}” is {tags[2]}" in words(app)


def test_a_changed_neighbour_may_change_a_tag_and_nobody_knows_the_truth(run) -> None:
    app = opened(run("entities"), edited="Jordan Bank hired Anna on 3 May 1990 .")
    assert "nobody says which tags are true now" in words(app)
    shown = next(it for it in sent(app) if "kinds" in it)
    assert not any(it["wrong"] for it in shown["words"])
    assert len(shown["words"]) == 9
    app = press(app, "leave_out")
    assert len(app.text_input(key="sentence_text").value.split()) == 8


def test_tags_and_entities_are_counted(run) -> None:
    one = run("entities")
    _, survey = one.trace(2)
    data = sources.load(one.config.data, one.home)
    app = opened(one)
    tables = {frame.value.columns[0]: frame.value for frame in app.dataframe}
    true, said = survey.targets.astype(int), survey.predictions.astype(int)
    found = by_entity(said, true, survey.sequences, data.classes)
    assert tables["type"]["F1"].iloc[-1] == pytest.approx(found[-1].f1)
    assert tables["tag"]["true words"].sum() == len(true)
    assert f"{(true == said).mean():.2%} of {len(true):,} tags right" in words(app)


def test_other_tags_than_entities_have_no_spans(run) -> None:
    app = opened(run("depth"))
    assert "By tag" in words(app)
    assert "By entity" not in words(app)


# --- beside attention -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["reviews", "attending"])
def test_the_attention_page_has_gradients_beside_it(run, name: str) -> None:
    app = opened(run(name), at="attention")
    assert "Beside it: integrated gradients" in words(app)
    assert "They can differ" in words(app)
    shares = coloured(app, "share in the log-odds of")
    assert shares["low"] == -shares["high"]


def test_of_days_too(homes) -> None:
    config = settings(DataConfig(people=30), epochs=1, attention="dot")
    made = Run.create(homes, config, owner="me", now=time.time())
    RUNNERS["inline"](homes).submit(made)
    app = opened(made, at="attention")
    said = words(app)
    assert "the predicted BMI is" in said
    assert "for as many empty steps" in said
    assert any(
        it["figure"]["layout"]["title"]["text"].startswith("Share of each step")
        for it in sent(app)
        if "figure" in it
    )
