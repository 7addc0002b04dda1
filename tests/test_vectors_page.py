"""The page of word vectors, driven as a visitor drives it; training runs in the page."""

from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from rnnviz.figures.wordmap import Group
from rnnviz.runs.run import Run
from rnnviz.ui import common, server, session, vectors_reading, vectors_subject, widgets
from rnnviz.ui.components.plot import Clicked
from rnnviz.ui.words import number
from rnnviz.vectors import grammar, maps, worked
from rnnviz.vectors.space import principal
from rnnviz.vectors.told import space_of
from rnnviz.vectors.trained import vectors_in

SMALL = {
    "text_words": "5000",
    "dimensions": "8",
    "min_count": "5",
    "negatives": "3",
    "vectors_epochs": "2",
}
NETWORK = {"source": "Phrases, good or bad", "epochs": "2", "hidden_size": "6"}


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def home(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    st.cache_resource.clear()
    monkeypatch.setenv("RNNVIZ_RUNNER", "inline")
    monkeypatch.setenv("RNNVIZ_HOME", str(shared_home))
    monkeypatch.setattr(common, "owner", lambda: "me")
    monkeypatch.setattr(maps, "FIRST", 250)  # the fewest steps that t-SNE takes
    monkeypatch.setattr(maps, "NEXT", 250)
    # AppTest would read through all installed packages for components; rnnviz registers its own
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", lambda *_: [])
    return shared_home


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def opened(page: str = "vectors", **address: str) -> AppTest:
    app = AppTest.from_file(server.MAIN, default_timeout=120)
    app.query_params.update(address)
    app.switch_page(f"../../pages/{page}.py")
    return sound(app.run())


@pytest.fixture(scope="module")
def ids() -> dict[str, str]:
    return {}


def trained(ids: dict[str, str], method: str = "skip-gram", **address: str) -> AppTest:
    """The page with a short run."""
    if method not in ids:
        app = opened(**SMALL, method=method)
        app = sound(app.button(key="do_study_vectors").click().run())
        ids[method] = app.query_params["vectors"]
    return opened(**SMALL, method=method, vectors=ids[method], **address)


def words(app: AppTest) -> str:
    kinds = ("markdown", "caption", "text", "info", "latex")
    said = [str(element.value) for kind in kinds for element in app.get(kind)]
    return "\n".join([*said, *(bar.text for bar in app.get("progress"))]).replace("\\", "")


def run_of(ids: dict[str, str], method: str = "skip-gram") -> Run:
    return Run.open(common.home(), ids[method])


def test_before_anything_is_trained_the_page_says_what_to_do() -> None:
    app = opened()
    assert "**Train** takes half a minute" in words(app)
    assert "There are no vectors yet: press **Train** above." in words(app)
    assert app.number_input(key="vectors_rate").value == 0.05


def test_another_method_begins_with_what_suits_it() -> None:
    app = sound(opened().selectbox(key="method").set_value("glove").run())
    assert app.number_input(key="vectors_epochs").value == 30
    assert app.number_input(key="vectors_rate").value == 0.1
    assert app.number_input(key="x_max").value == 10
    with pytest.raises(KeyError):
        app.number_input(key="negatives")


def test_an_own_text_is_asked_for_and_learned_from() -> None:
    app = opened(corpus="My own text", dimensions="4", vectors_epochs="1")
    assert "Paste a text to go on" in words(app)
    assert app.button(key="do_study_vectors").disabled
    text = "the cat *sat* on the mat and the dog sat by the cat\n\n" * 20
    app = sound(app.text_area(key="vectors_pasted").set_value(text).run())
    app = sound(app.button(key="do_study_vectors").click().run())
    assert "words with a vector each, after epoch 1." in words(app)
    assert app.selectbox(key="vectors_word").options[0] == "the"


def test_the_nearest_words_are_those_of_the_vectors(ids: dict[str, str]) -> None:
    app = trained(ids, vectors_view_here="Neighbours")
    run = run_of(ids)
    assert run.view().status == "finished"
    corpus = vectors_subject.corpus(run.config)
    word = corpus.words[7]
    app = sound(app.selectbox(key="vectors_word").set_value(word).run())
    for epoch in ("latest", "1"):
        app = sound(app.select_slider(key="vectors_epoch").set_value(epoch).run())
        arrays = run.arrays(2 if epoch == "latest" else int(epoch))
        wanted = space_of(corpus, arrays, "skipgram").neighbours(word, 10)
        rows = app.dataframe[0].value
        assert list(rows["word"]) == [n.word for n in wanted]
        np.testing.assert_allclose(rows["angle [°]"], [n.angle for n in wanted])


def test_a_step_shows_the_numbers_of_the_epoch_that_is_chosen(ids: dict[str, str]) -> None:
    app = trained(ids, vectors_view_here="One step")
    run = run_of(ids)
    learn = vectors_subject.learned_from(run.config)
    word = learn.corpus.words[5]
    app = sound(app.selectbox(key="vectors_word").set_value(word).run())
    app = sound(app.select_slider(key="vectors_epoch").set_value("1").run())
    places = worked.occurrences(learn.corpus, word)
    drawn = learn.drawn(2, 0)
    shown = next(
        k
        for k, p in enumerate(places)
        if any(w.role == "neighbour" for w in worked.around(learn.corpus, drawn, int(p)))
    )
    app = sound(app.number_input(key="vectors_place").set_value(shown + 1).run())
    near = [
        w for w in worked.around(learn.corpus, drawn, int(places[shown])) if w.role == "neighbour"
    ]
    step = worked.step(run.arrays(1), learn, drawn, near[0].example, 0.025)
    table = app.table[0].value
    assert [str(w).replace("\\", "") for w in table.index] == [row.word for row in step.rows]
    assert [v.replace("\\", "") for v in table["score v · u"]] == [
        number(row.dot) for row in step.rows
    ]
    assert number(step.loss).replace("−", "-") in words(app).replace("−", "-")


@pytest.mark.parametrize("method", ["CBOW", "GloVe"])
def test_every_view_can_be_seen_of_every_method(ids: dict[str, str], method: str) -> None:
    app = trained(ids, method)
    for view in ("Lookup", "One step", "Neighbours", "Analogies", "Map"):
        app = sound(app.get("button_group")[1].set_value(view).run())
        assert "About this view" in "".join(e.label for e in app.expander)


def test_a_question_of_the_list_is_put_into_the_widgets(ids: dict[str, str]) -> None:
    app = trained(ids, vectors_view_here="Analogies")
    listed = app.selectbox(key="vectors_listed")
    assert listed.options[0] == "choose"
    space = space_of(vectors_subject.corpus(run_of(ids).config), run_of(ids).arrays(2), "skipgram")
    asked = sum(len(q) for q in grammar.questions(space.places).values())
    assert f"The list asks {asked:,} questions" in words(app)
    app = sound(listed.set_value(listed.options[1]).run())
    a, b, c, _ = listed.options[1].replace(" :: ", " : ").split(" : ")
    chosen = [app.selectbox(key=f"vectors_{name}").value for name in ("minus", "plus", "also")]
    assert chosen == [a, b, c]
    best = space.nearest(space.analogy(b, a, c), 5, without=(a, b, c))
    assert list(app.dataframe[0].value["word"]) == [n.word for n in best]


def test_the_list_knows_an_analogy_read_either_way() -> None:
    answer = vectors_reading._answer_of
    assert answer("man", "woman", "king") == "queen"
    assert answer("man", "king", "woman") == "queen"
    assert answer("queen", "king", "woman") == "man"
    assert answer("man", "woman", "paris") == ""
    assert answer("man", "woman", "queen") == ""
    assert answer("man", "woman", "throne") == ""


def test_a_click_on_the_map_chooses_the_nearest_word(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, str] = {}
    monkeypatch.setattr(widgets, "suggest", asked.update)
    space = vectors_subject.Space(("a", "b"), np.eye(2))
    subject = vectors_subject.Subject(
        space=space, counts=np.ones(2, dtype=np.int64), epoch=0, mark=(), what="",
        groups={"a": Group(title="x")}, maps={},
    )  # fmt: skip
    places = np.array([[0.0, 0], [1, 1]])
    vectors_reading._clicked(subject, places, Clicked(x=0.9, y=0.8, curve=0, point=(0,)))
    assert asked == {"vectors_word": "b"}


def test_a_link_finds_the_run_and_says_where_its_settings_differ(ids: dict[str, str]) -> None:
    trained(ids)
    app = opened(vectors=ids["skip-gram"])
    assert "other settings: skip-gram, 8 dimensions" in words(app)
    assert "No run yet" in words(app)  # it does not become the current one
    assert not session.my_runs()


def test_the_network_of_the_current_run_shows_its_tokens_vectors() -> None:
    of_network = {"vectors_of": "of the current run's network"}
    app = opened(**of_network)
    assert "There are no vectors yet" not in words(app)
    assert "There is no current run." in words(app)
    app = sound(opened("train", **NETWORK).button(key="do_train").click().run())
    run = Run.open(common.home(), app.query_params["run"])
    trace, _ = run.trace(2)
    dataset = common.dataset(run.config.data)
    learned = vectors_in(trace, len(dataset.vocabulary))
    assert learned is not None
    layer = trace.layers[0]
    np.testing.assert_array_equal(learned.vectors, layer.input_weights[0].T)
    app = opened(run=run.id, vectors_view_network="Neighbours", **of_network)
    app = sound(app.selectbox(key="vectors_word").set_value("warm").run())
    place = dataset.vocabulary.index("warm")
    units = learned.vectors / np.linalg.norm(learned.vectors, axis=1, keepdims=True)
    cosines = units @ units[place]
    order = [k for k in np.argsort(-cosines) if k != place][:10]
    assert list(app.dataframe[0].value["word"]) == [dataset.vocabulary[k] for k in order]
    assert "it reads one-hot tokens" in words(app)
    for view in ("Lookup", "Analogies", "Map"):
        sound(opened(run=run.id, vectors_view_network=view, **of_network))


def test_a_network_s_embedding_is_taken_where_it_has_one() -> None:
    app = sound(opened("train", **NETWORK, embedding="3").button(key="do_train").click().run())
    run = Run.open(common.home(), app.query_params["run"])
    table = run.trace(2)[0].embedding
    app = opened(run=run.id, vectors_of="of the current run's network")
    assert "its row of this network's embedding: 3 numbers" in words(app)
    tokens = len(common.dataset(run.config.data).vocabulary)
    learned = vectors_in(run.trace(2)[0], tokens)
    assert learned is not None
    np.testing.assert_array_equal(learned.vectors, table)
    assert table.shape == (tokens, 3)


def test_a_network_without_tokens_is_told() -> None:
    small = {"people": "60", "epochs": "1", "hidden_size": "4"}
    app = sound(opened("train", **small).button(key="do_train").click().run())
    run = app.query_params["run"]
    app = opened(run=run, vectors_of="of the current run's network")
    assert "reads no tokens" in words(app)


def test_the_share_of_a_plane_is_told_on_the_map(ids: dict[str, str]) -> None:
    trained(ids)
    run = run_of(ids)
    arrays = run.arrays(2)
    share = principal(arrays["word"][:400]).share
    assert float(arrays["share"]) == pytest.approx(share, rel=1e-5)
