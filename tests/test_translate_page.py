"""The Translate page, driven as a visitor drives it; training runs in the page."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from rnnviz.data.parallel import load
from rnnviz.runs.run import Run
from rnnviz.translation import bleu
from rnnviz.translation.beam import search
from rnnviz.translation.decoding import write
from rnnviz.translation.errors import counted, judged
from rnnviz.translation.network import Network
from rnnviz.ui import common, server, session, translating_settings
from rnnviz.ui import translating_kept as kept
from rnnviz.ui.translating_sentence import telling
from rnnviz.ui.translating_views import VIEWS
from rnnviz.ui.words import number

SMALL = {
    "pairs": "300",
    "translate_hidden_size": "12",
    "translate_embedding": "6",
    "translate_epochs": "2",
}


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def home(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    st.cache_resource.clear()
    monkeypatch.setenv("RNNVIZ_RUNNER", "inline")
    monkeypatch.setenv("RNNVIZ_HOME", str(shared_home))
    monkeypatch.setattr(common, "owner", lambda: "me")
    # AppTest would read through all installed packages for components; rnnviz registers its own
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", lambda *_: [])
    return shared_home


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


def opened(**address: str) -> AppTest:
    app = AppTest.from_file(server.MAIN, default_timeout=120)
    app.query_params.update(address)
    app.switch_page("../../pages/translate.py")
    return app.run()


@pytest.fixture(scope="module")
def ids() -> dict[str, str]:
    return {}


@pytest.fixture
def trained(ids: dict[str, str]) -> Run:
    """A short run that the page started."""
    if not ids:
        app = sound(opened(**SMALL))
        app = sound(app.button(key="do_study_translate").click().run())
        ids["translate"] = app.query_params["translate"]
    return Run.open(common.home(), ids["translate"])


def at(run: Run, **address: str) -> AppTest:
    return opened(**SMALL, translate=run.id, **address)


def words(app: AppTest) -> str:
    kinds = ("markdown", "caption", "text", "code", "info", "latex", "warning", "badge")
    said = [str(element.value) for kind in kinds for element in app.get(kind)]
    return "\n".join([*said, *(bar.text for bar in app.get("progress"))]).replace("\\", "")


def plain(cell: object) -> str:
    return str(cell).replace("\\", "")


def core(run: Run, epoch: int = 2) -> tuple[Network, kept.HeldOut]:
    """The run's network and its held-out sentences, without the page."""
    text = load(run.config, common.home())
    network = Network.of(run.arrays(epoch), run.config, len(text.source_vocabulary))
    return network, kept.held_out(run)


def shown_first(run: Run) -> int:
    """The place of the held-out sentence that the page begins with."""
    return telling(kept.held_out(run).pairs.source_lengths)


def first(run: Run):
    """The network, and the source that the page begins with as it is encoded."""
    network, held = core(run)
    row = shown_first(run)
    source = held.pairs.sources[row : row + 1, : held.pairs.source_lengths[row]]
    return network, network.encode(source, held.pairs.source_lengths[row : row + 1])


def test_before_anything_is_trained_the_page_says_what_to_do() -> None:
    app = sound(opened(**SMALL, translate="0" * 20))
    said = words(app)
    assert "**Train the dates model** takes" in said
    assert "For example **3 May 1979 → 1979-05-03**" in said
    assert "192 pairs to learn from, 48 to validate, 60 held out" in said
    assert [button.label for button in app.main.button] == ["Train the dates model"]
    assert not app.table
    # another task begins with the settings that suit it
    app = sound(app.selectbox(key="parallel").set_value("phrases").run())
    assert app.number_input(key="translate_hidden_size").value != 12
    assert "Marish" in words(app)
    assert app.main.button[0].label == "Train the phrases model"


def test_settings_that_do_not_go_together_are_said() -> None:
    app = opened(shared_weights="true", translate_bidirectional="true")
    assert not app.exception
    assert "makes encoder and decoder one network" in app.error[0].value
    assert app.button(key="do_study_translate").disabled


def test_own_pairs_ask_for_a_file() -> None:
    app = opened(parallel="my own pairs")
    assert not app.exception
    assert "no pairs are given" in app.error[0].value


def test_the_output_is_that_of_the_run_s_weights(trained: Run) -> None:
    app = sound(at(trained))
    view = trained.view()
    assert (view.status, view.epoch, view.snapshots) == ("finished", 2, (0, 1, 2))
    text = kept.pairs(trained.config)
    network, encoded = first(trained)
    out = write(network, encoded, longest=kept.longest(text))
    held = kept.held_out(trained).rows[shown_first(trained)]
    shown = [element.value for element in app.get("code")][:2]
    assert shown == [text.decode(out.tokens) or "(nothing)", text.target_texts[held]]
    said = words(app)
    assert f"ln P(y | x) = {number(float(out.chosen.sum()), 4)}" in said
    exact = view.epochs[-1].test.metrics["exact"]
    assert f"held out: **{exact:.1%}** of the outputs right" in said


def test_the_exact_match_is_the_one_that_training_measured(trained: Run) -> None:
    right = kept.right(trained, 2)
    assert right.mean() == pytest.approx(trained.view().epochs[-1].test.metrics["exact"])


OTHERS = [name for name in VIEWS if name not in ("Beam search", "Errors and BLEU", "By length")]


@pytest.mark.parametrize("view", OTHERS)  # the others have tests of their own
def test_every_view_is_drawn_and_says_what_it_is(trained: Run, view: str) -> None:
    app = sound(at(trained, translate_view=view))
    assert f"**{VIEWS[view].question}**" in words(app)
    labels = [expander.label for expander in app.expander]
    assert "About this view: equations and sources" in labels


def test_another_token_is_written_and_it_goes_on_from_there(trained: Run) -> None:
    app = sound(at(trained, translate_t="2"))
    network, encoded = first(trained)
    text = kept.pairs(trained.config)
    before = write(network, encoded, longest=kept.longest(text))
    other = app.selectbox(key="translate_other").options
    app.selectbox(key="translate_other").select_index(len(other) - 1)
    app = sound(app.run())
    token = app.selectbox(key="translate_other").value
    app = sound(app.button(key="do_translate_write").click().run())
    after = write(
        network, encoded, longest=kept.longest(text), given=(before.tokens[0], int(token))
    )
    assert app.get("code")[0].value == (text.decode(after.tokens) or "(nothing)")
    assert "the first 2 tokens are given" in words(app).lower()
    assert app.query_params["translate_given"] == f"{before.tokens[0] + 1}-{int(token) + 1}"
    app = sound(app.button(key="do_translate_none").click().run())
    assert app.get("code")[0].value == (text.decode(before.tokens) or "(nothing)")


def test_a_row_of_weights_is_changed_kept_in_the_address_and_undone(trained: Run) -> None:
    app = sound(at(trained, translate_view="Change weights", translate_t="3"))
    app = sound(app.selectbox(key="translate_place").set_value(2).run())
    app = sound(app.button(key="do_translate_all").click().run())
    assert app.query_params["translate_rows"] == "3_2.1000"
    network, encoded = first(trained)
    text, row = kept.pairs(trained.config), np.eye(encoded.allowed.shape[1])[1]
    before, after = (
        write(network, encoded, longest=kept.longest(text), rows=rows) for rows in ({}, {2: row})
    )
    shown = [element.value for element in app.get("code")]
    assert shown[-2:] == [text.decode(out.tokens) or "(nothing)" for out in (before, after)]
    p = [float(np.exp(out.log_probabilities[2, before.tokens[2]])) for out in (before, after)]
    assert f"was **{p[0]:.1%}** and is now **{p[1]:.1%}**" in words(app)
    app = sound(app.button(key="do_translate_undo").click().run())
    assert "translate_rows" not in app.query_params
    assert "Nothing is changed yet" in words(app)


def test_a_link_that_does_not_fit_is_left_out_and_said(trained: Run) -> None:
    app = sound(at(trained, translate_rows="1_99.1000", translate_given="5"))
    assert "What the link would do is left out" in app.warning[0].value.replace("\\", "")
    assert not {"translate_rows", "translate_given"} & set(app.query_params)


def test_the_ranking_is_that_of_the_search_and_a_beam_of_1_is_greedy(trained: Run) -> None:
    network, encoded = first(trained)
    text = kept.pairs(trained.config)
    for width, alpha in ((4, 1.0), (1, 0.7)):
        app = sound(
            at(
                trained, translate_view="Beam search", translate_width=str(width),
                translate_alpha=str(alpha),
            )
        )  # fmt: skip
        (tree,) = search(network, encoded, width=width, longest=kept.longest(text))
        table: pd.DataFrame = app.table[0].value
        ranking = tree.ranking(alpha)
        assert [plain(cell) for cell in table["output"]] == [
            text.decode(one.tokens) or "(nothing)" for one in ranking
        ]
        assert list(table["ln P / Tyᵅ"]) == [number(one.score, 4) for one in ranking]
    assert "With **B = 1** the search is greedy: it finds the same output" in words(app)


def test_errors_are_counted_to_the_end_and_bleu_is_sacrebleu_s(trained: Run) -> None:
    network, held = core(trained)
    text = kept.pairs(trained.config)
    every = [
        one
        for part in judged(network, held.pairs, width=2, alpha=0.0, longest=kept.longest(text))
        for one in part
    ]
    app = sound(
        at(trained, translate_view="Errors and BLEU", translate_width="2", translate_alpha="0")
    )
    for _ in range(40):
        if f"{len(every)} of {len(every)} held-out sentences" in words(app):
            break
        app = sound(app.run())
    counts = counted(every)
    faults, both = app.table[0].value, app.table[1].value
    assert list(faults["sentences"]) == [counts.search, counts.model]
    assert both.loc["together", "together"] == str(counts.sentences)
    truths = [text.target_texts[row] for row in held.rows]
    score = bleu.of_set([list(text.decode(one.greedy)) for one in every], [*map(list, truths)])
    assert f"**{score.score:.2f}** by greedy" in words(app)


def test_a_second_run_without_attention_is_beside_this_one(trained: Run) -> None:
    app = sound(at(trained, translate_view="By length"))
    app = sound(app.button(key="do_study_translate_other_run").click().run())
    other = Run.open(common.home(), app.query_params["translate_other_run"])
    assert other.config.model.attention == "none"
    assert other.config.training == trained.config.training
    said = words(app)
    assert f"Shown: {translating_settings.named(trained.config)}." in said
    total = len(kept.held_out(trained).rows)
    for run, name in ((trained, trained.config.model.attention), (other, "no")):
        right = int(kept.right(run, 2).sum())
        assert f"{name} attention, epoch 2: {right} of {total} right" in said
    lonely = sound(opened(**SMALL, translate=other.id))
    assert "This network has no attention" in words(lonely)
    assert "no attention, 2 epochs. These are other settings" in words(lonely)
    taken = sound(lonely.button(key="do_translate_take").click().run())
    assert taken.selectbox(key="translate_attention").value == "none"
    assert "These are other settings" not in words(taken)


def test_a_text_of_one_s_own_is_translated_and_judged_by_the_rule(trained: Run) -> None:
    own = {"translate_whose": "my own"}
    app = sound(at(trained, **own, translate_text="17 March 1990"))
    assert app.get("code")[1].value == "1990-03-17"
    app = sound(at(trained, **own, translate_text="<script>alert(1)</script> ☃"))
    assert "The rule has no answer" in words(app)
    assert "has never seen" in words(app)
    empty = at(trained, **own, translate_text=" ")
    assert not empty.exception
    assert "give a text of 1 to" in empty.error[0].value


def test_another_sentence_forgets_what_was_done_to_the_one_before(trained: Run) -> None:
    app = sound(at(trained, translate_given="5", translate_t="2"))
    assert "run" not in app.query_params
    app = sound(app.selectbox(key="translate_pick").set_value(3).run())
    assert "translate_given" not in app.query_params
    assert app.number_input(key="translate_t").value == 1


def test_a_run_of_another_owner_is_not_shown(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not session.my_runs()  # nor does it become a current run of its owner
    monkeypatch.setattr(common, "owner", lambda: "somebody else")
    assert "**Train the dates model** takes" in words(sound(at(trained)))
