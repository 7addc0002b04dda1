"""The Language page, driven as a visitor drives it, without a browser."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import orjson
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.data.text import encode
from rnnviz.inside.contributing import (
    Asked,
    gradient_times_input,
    rivals,
    with_others,
    without_each,
)
from rnnviz.inside.network import Network
from rnnviz.inside.sampling import Forced, Plan, Spoken, speak
from rnnviz.inside.shaping import Shaping
from rnnviz.inside.speaking import Speaker
from rnnviz.runs import RUNNERS
from rnnviz.runs.run import Run
from rnnviz.ui import common, epochs, server, speaking
from rnnviz.ui.words import number

LENGTH = 20


def settings(data: DataConfig, **model: object) -> RunConfig:
    small = {"hidden_size": 8, "attention": "none", **model}
    return RunConfig(data=data, model=ModelConfig(**small), training=TrainingConfig(epochs=2))


RUNS = {
    "characters": settings(DataConfig(source="text", window=24)),
    "words": settings(
        DataConfig(source="text", window=12, tokens="words"), cell="gru", attention="dot"
    ),
    "pieces": settings(
        DataConfig(source="text", tokens="pieces", pieces=300, window=12), embedding=4
    ),
    "namaskar": settings(DataConfig(source="world"), layers=2),
    "brackets": settings(DataConfig(source="world", world="brackets", sequences=50, window=12)),
    "days": settings(DataConfig(people=30, blocks="24x60")),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Run]]:
    """The app with one home and one cache for all tests here; trains a run when it is asked for."""
    home, known = tmp_path_factory.mktemp("home"), dict[str, str]()
    st.cache_resource.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNNVIZ_RUNNER", "inline")
        patch.setenv("RNNVIZ_HOME", str(home))
        patch.setattr(common, "owner", lambda: "me")
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda *_: [])

        def of(name: str) -> Run:
            if name not in known:
                made = Run.create(home, RUNS[name], owner="me", now=time.time())
                RUNNERS["inline"](home).submit(made)
                known[name] = made.id
            return Run.open(home, known[name])

        yield of
    st.cache_resource.clear()


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    return app


def opened(run: Run | None = None, **address: str) -> AppTest:
    app = AppTest.from_file(server.MAIN, default_timeout=120)
    app.query_params.update({**({"run": run.id} if run else {}), **address})
    app.switch_page("../../pages/language.py")
    return sound(app.run())


def shown(app: AppTest) -> dict:
    """What the view of the text was told."""
    for it in app.get("bidi_component"):
        data = it.proto.bytes
        if b'"stretch"' in data:
            length = int.from_bytes(data[:4], "little")
            return orjson.loads(data[4 : 4 + length])
    raise AssertionError("no text is shown")


def text_of(app: AppTest) -> str:
    return "".join(shown(app)["tokens"])


def coloured(app: AppTest, name: str) -> dict:
    """A text that is coloured by something whose name begins so."""
    sent = [it.proto.bytes for it in app.get("bidi_component")]
    found = [orjson.loads(data) for data in sent if data.startswith(b'{"tokens"')]
    return next(one for one in found if one["name"].startswith(name))


def words(app: AppTest) -> str:
    kinds = ("markdown", "caption", "info", "warning", "error")
    return "\n".join(str(it.value) for kind in kinds for it in app.main.get(kind)).replace("\\", "")


def address(app: AppTest, name: str) -> str:
    found = app.query_params.get(name, "")
    return found if isinstance(found, str) else found[0]


def model(run: Run, epoch: int = 2) -> Speaker:
    return Speaker.of(Network.of(run.trace(epoch)[0]))


def plan(run: Run, prefix: str, **more: object) -> Plan:
    data = common.dataset(run.config.data)
    usual = {"length": LENGTH, "shaping": Shaping(), "seed": 0}
    return Plan(prefix=tuple(encode(prefix, data).tolist()), **{**usual, **more})


def spelled(run: Run, spoken: Spoken) -> str:
    names = common.dataset(run.config.data).vocabulary
    return "".join(names[token] for token in spoken.tokens)


SHORT = {"say_length": str(LENGTH)}


def test_the_text_is_what_the_network_says(run):
    one = run("characters")
    app = opened(one, **SHORT, say_prefix="The lamp", say_temperature="0.5", say_seed="3")
    wanted = speak(model(one), plan(one, "The lamp", shaping=Shaping(temperature=0.5), seed=3))
    assert text_of(app) == spelled(one, wanted)
    assert shown(app)["given"] == 8
    assert f"log-probability {number(wanted.total)} nats" in words(app)
    assert f"perplexity {number(wanted.perplexity)}" in words(app)
    app = sound(app.slider(key="say_temperature").set_value(0.0).run())
    greedy = speak(model(one), plan(one, "The lamp", shaping=Shaping(temperature=0), seed=3))
    assert text_of(app) == spelled(one, greedy)


def test_a_prefix_that_cannot_be_read_says_what_to_do(run):
    app = opened(run("characters"), **SHORT, say_prefix="caf\u00e9 \u96ea")
    assert "the network never saw" in words(app)
    assert "Perplexity" in words(app)  # the rest of the page is there
    app = sound(app.text_area(key="say_prefix").set_value("").run())
    assert "needs at least one token" in words(app)
    app = sound(app.text_area(key="say_prefix").set_value("on the").run())
    assert text_of(app).startswith("on the")
    assert not app.error


def test_a_branch_changes_what_follows_only_and_travels_in_the_link(run):
    one = run("characters")
    app = opened(one, **SHORT, say_prefix="The lamp", say_at="15")
    first = text_of(app)
    box = app.selectbox(key="say_token_14")
    assert box.label.startswith("At token 15,")
    names = common.dataset(one.config.data).vocabulary
    other = next(t for t, name in enumerate(names) if name == "W")
    app = sound(box.set_value(other).run())
    app = sound(app.button(key="do_branch").click().run())
    assert address(app, "said") == f"7.{other + 1}"
    assert address(app, "say_at") == "15"
    forced = (Forced(6, other),)
    wanted = spelled(one, speak(model(one), plan(one, "The lamp", forced=forced)))
    assert text_of(app) == wanted != first
    assert wanted[:14] == first[:14]
    assert shown(app)["forced"] == [14]
    again = opened(one, **SHORT, say_prefix="The lamp", say_at="15", said=address(app, "said"))
    assert text_of(again) == wanted
    labels = [button.label.replace("\\", "") for button in app.main.button]
    assert f"15: 'W' for {first[14]!r}" in [label.strip() for label in labels]

    # what the draw would have put there is no choice: back to the trunk, the branch is kept
    drawn = names.index(first[14])
    app = sound(app.selectbox(key="say_token_14").set_value(drawn).run())
    app = sound(app.button(key="do_branch").click().run())
    assert text_of(app) == first
    assert address(app, "said") == f"~7.{other + 1}"
    app = sound(app.button(key="branch_1").click().run())
    assert text_of(app) == wanted
    app = sound(app.button(key="do_unbranch").click().run())
    assert text_of(app) == first
    assert address(app, "said") == ""


def test_a_prefix_is_not_branched_off(run):
    app = opened(run("characters"), **SHORT, say_prefix="The lamp", say_at="3")
    assert "belongs to the prefix" in words(app)
    assert "do_branch" not in [button.key for button in app.main.button]
    app = opened(run("characters"), **SHORT, say_prefix="The lamp", say_at="1")
    assert "The first token is given" in words(app)


ODD = {
    "say_top_k": "1e9",
    "say_top_p": "nan",
    "say_temperature": "inf",
    "say_seed": "-1",
    "say_removed": "everything",
}


@pytest.mark.parametrize(
    ("link", "says"),
    [
        ({"said": "<img src=x>", "say_at": "99999", **ODD}, "cannot be read"),
        ({"said": "1.99999", "say_at": "-3"}, "beyond the"),
        ({"said": "300.1", "say_at": "\u0663"}, ""),  # beyond this text, not beyond any
    ],
)
def test_a_link_that_somebody_wrote_does_no_harm(run, link, says):
    app = opened(run("characters"), **{**SHORT, **link})
    assert says in words(app)
    assert len(app.warning) == (1 if says else 0)
    assert len(shown(app)["tokens"]) == LENGTH + 12


def test_a_prefix_of_a_link_has_a_bound(run):
    app = opened(run("characters"), **SHORT, say_prefix="e" * 5000)
    assert shown(app)["given"] == 400


def test_what_is_asked_for_is_there_after_another_page(run):
    one = run("characters")
    app = opened(one, say_length="12", say_prefix="The lamp", say_top_k="4", said="3.5")
    first = text_of(app)
    app = sound(app.switch_page("../../pages/gates.py").run())
    app = sound(app.switch_page("../../pages/language.py").run())
    assert text_of(app) == first
    assert [address(app, name) for name in ("say_prefix", "say_top_k", "said")] == [
        "The lamp",
        "4",
        "3.5",
    ]


def test_a_network_with_other_tokens_begins_anew(run):
    app = opened(run("characters"), **SHORT, say_prefix="The lamp", said="3.5", say_top_k="60")
    app.session_state["_run"] = run("namaskar").id
    app = sound(app.run())
    assert not app.error
    assert not app.warning
    assert set(text_of(app)) <= set("namskr")
    assert address(app, "said") == ""


@pytest.mark.parametrize("name", ["words", "pieces", "namaskar", "brackets"])
def test_every_kind_of_token_speaks(run, name):
    app = opened(run(name), **SHORT)
    assert not app.error
    told = shown(app)
    data = common.dataset(run(name).config.data)
    row = run(name).trace(2)[0].sequences[0]
    begun = [data.vocabulary[t] for t in data.inputs[row, : told["given"]]]
    assert told["tokens"][: told["given"]] == begun
    assert len(told["tokens"]) == told["given"] + LENGTH


def test_why_shows_both_methods_of_the_core(run):
    one = run("words")
    app = opened(one, **SHORT, say_at="12")
    text = speak(model(one), Plan(**{**vars(default(one)), "length": LENGTH}))
    asked = Asked(text.tokens[:11], int(text.tokens[11]))
    slope = gradient_times_input(model(one).network, asked) / np.log(2)
    removed = without_each(model(one), asked) / np.log(2)
    for key, values in (("slope", slope), ("removed", removed)):
        drawn = [coloured_at(app, k) for k in range(2)][key == "removed"]
        np.testing.assert_allclose(drawn["values"], values, atol=1e-5)
    app = sound(app.segmented_control(key="say_removed").set_value("rival").run())
    others = rivals(model(one), asked.tokens)
    wanted = with_others(model(one), asked, others) / np.log(2)
    np.testing.assert_allclose(coloured_at(app, 1)["values"], wanted, atol=1e-5)
    assert "Both can differ" in words(app)


def default(run: Run) -> Plan:
    """Of the page as it opens: the beginning of the first traced sequence."""
    data = common.dataset(run.config.data)
    row = run.trace(2)[0].sequences[0]
    prefix = tuple(int(t) for t in data.inputs[row, :4])
    return Plan(prefix=prefix, length=LENGTH, shaping=Shaping(), seed=0)


def coloured_at(app: AppTest, k: int) -> dict:
    sent = [it.proto.bytes for it in app.get("bidi_component")]
    found = [orjson.loads(data) for data in sent if data.startswith(b'{"tokens"')]
    return [one for one in found if one["name"].startswith("contribution")][k]


def test_perplexities_are_the_exponentials_of_the_scores(run):
    one = run("words")
    app = opened(one, **SHORT)
    table = app.table[0].value
    scores = one.view().scores
    for score in scores:
        name = {"network": "the network"}.get(score.predictor, score.predictor)
        wanted = number(float(np.exp(score.metrics["loss"])))
        assert table.loc[name, f"perplexity, {score.part}"] == wanted
        assert wanted == number(score.metrics["perplexity"])
    size = len(common.dataset(one.config.data).vocabulary)
    assert table.loc["uniform: all tokens alike", "perplexity, test"] == number(float(size))
    loss = next(s.metrics["loss"] for s in scores if (s.predictor, s.part) == ("network", "test"))
    bits = loss / np.log(2)
    assert table.loc["the network", "test [bits per word]"] == number(bits, 3)
    assert float(table.loc["the network", "test [bits per character]"]) < bits
    assert f"exp({number(loss)}) = **{number(float(np.exp(loss)))}**" in words(app)


def test_samples_are_those_of_each_epoch(run):
    one = run("characters")
    app = opened(one, **SHORT, say_prefix="The lamp", said="2.2")
    for epoch in ("0", "1", "2"):
        app = sound(app.select_slider(key="say_epoch").set_value(epoch).run())
        wanted = speak(model(one, int(epoch)), plan(one, "The lamp"))
        assert "".join(coloured(app, "surprise")["tokens"]) == spelled(one, wanted)
    listed = app.dataframe[0].value
    assert list(listed["epoch"]) == [0, 1, 2]
    assert listed["sample"].iloc[2] == spelled(one, wanted)[8:].replace("\n", "\u21b5")


def test_listed_epochs_stay_where_a_training_goes_on():
    assert epochs.listed((0, 1, 2, 3)) == (0, 1, 2, 3)
    assert epochs.listed(tuple(range(0, 61))) == (0, 1, 2, 4, 8, 16, 32, 60)
    assert epochs.listed((0, 5, 10, 15, 17)) == (0, 5, 10, 15, 17)


def test_without_a_run_one_is_trained_with_one_press(run, monkeypatch):
    run("days")
    assert speaking.example().data.source == "text"
    assert speaking.example().model.attention == "none"
    monkeypatch.setattr(speaking, "example", lambda: RUNS["characters"])
    app = opened(**SHORT)
    assert "There is no language model yet" in words(app)
    app = sound(app.button(key="do_train_text").click().run())
    assert shown(app)["tokens"]
    assert "Perplexity" in words(app)


def test_another_task_says_what_to_do_and_leads_to_the_settings(run):
    app = opened(run("days"))
    assert "predicts BMI, not the next token" in words(app)
    app = sound(app.button(key="do_set_up_text").click().run())
    assert app.selectbox(key="source").value == "text"
    assert app.selectbox(key="attention").value == "none"
    assert app.number_input(key="hidden_size").value == speaking.example().model.hidden_size
    assert not app.error
