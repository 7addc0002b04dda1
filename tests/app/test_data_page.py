"""The Data page and all that can be given to it, driven without a browser."""

import shutil
from collections.abc import Callable
from pathlib import Path

import files_server
import numpy as np
import pandas as pd
import pytest
import streamlit as st
from driven import (
    DATA,
    EXAMPLES,
    HOURS,
    OF_WORLD,
    PAGES,
    SMALL,
    TOKENS,
    complaints,
    csv,
    days,
    opened,
    page,
    pictures,
    press,
    ready,
    reviews,
    sales,
    sound,
    tsv,
    upload,
    words,
)
from streamlit.testing.v1 import AppTest

from rnnviz.config import WORLD_NAMES
from rnnviz.data import fetched
from rnnviz.data.dataset import MappingType
from rnnviz.data.worlds import WORLDS
from rnnviz.runs.run import Run
from rnnviz.ui import given
from rnnviz.ui.mappings import SHOWN_BY


def test_data_shows_pictures_and_says_that_people_are_simulated() -> None:
    app = opened("data", **SMALL)
    assert ":orange-badge[simulated]" in words(app)
    assert "These people do not exist" in words(app)
    assert "60 people, 144 steps of 1 value" in words(app)
    assert pictures(app) == 4  # a day, targets, wear, the mean day
    assert "S00060" in words(sound(app.slider(key="row").set_value(60).run()))


def test_a_row_beyond_smaller_data_does_no_harm() -> None:
    app = opened("data", **SMALL)
    app = sound(app.slider(key="row").set_value(60).run())
    app = sound(app.number_input(key="people").set_value(30).run())
    assert 1 <= app.slider(key="row").value <= 30
    assert "30 people" in words(app)


def test_data_shows_an_uploaded_file() -> None:
    example = EXAMPLES["classes"]
    address = ready(example).query_params
    app = opened("data", **{**example.settings, "file": address["file"]})
    assert complaints(app) == []
    assert "40 people, 24 steps of 60 values; sleeper is predicted" in words(app)
    assert "simulated" not in words(app)
    assert pictures(app) == 4


def test_data_shows_a_series_and_its_parts_in_time() -> None:
    app = opened("data", source="A random walk (a series)")
    assert complaints(app) == []
    assert "162 windows, 20 steps of 1 value; position 1 step later is predicted" in words(app)
    assert "40 windows that would straddle two parts are left out" in words(app)
    assert pictures(app) == 4  # a window, the target, its parts over time, the mean window
    app = sound(app.selectbox(key="foretold").set_value("difference").run())
    assert "change of position in 1 step is predicted" in words(app)
    app = sound(app.number_input(key="window").set_value(64).run())
    assert "set the window to at most 35" in complaints(app)[0]


def test_a_file_of_a_series_is_recognised_and_its_window_fits() -> None:
    app = upload(opened("data", source="My own file"), "sales.csv", csv(sales(100)))
    assert complaints(app) == []
    assert "a series of 100 values of sold" in words(app).replace("\\", "")
    assert app.number_input(key="window").value == 15
    app = sound(app.selectbox(key="layout").set_value("wide").run())
    assert "cannot be read as wide" in complaints(app)[0]


def test_a_file_of_labelled_texts_is_shown_text_by_text() -> None:
    app = upload(opened("data", source="My own file"), "reviews.tsv", tsv(reviews(120)))
    assert complaints(app) == []
    said = words(app).replace("\\", "")
    assert "120 texts in review, label sentiment" in said
    assert "120 texts of up to 64 words" in said
    assert pictures(app) == 2  # the tokens, the labels
    app = sound(app.slider(key="row").set_value(7).run())
    assert "text 7, sentiment " in words(app).replace("\\", "")
    app = sound(app.number_input(key="window").set_value(10).run())
    assert "the first 10 words are read" in words(app).replace("\\", "")
    app = sound(app.selectbox(key="tokens").set_value("characters").run())
    assert "120 texts of up to 10 characters" in words(app)


def test_pairs_of_texts_are_shown_and_lead_to_the_page_that_trains_on_them() -> None:
    pairs = pd.DataFrame({"fr": [f"Oui {k}." for k in range(30)]})
    pairs["en"] = [f"Yes indeed {k}." for k in range(30)]
    app = upload(opened("data", source="My own file"), "fra.tsv", tsv(pairs))
    assert complaints(app) == []
    said = words(app).replace("\\", "")
    assert "30 pairs; source fr 6.7 characters on average, target en 13.7" in said
    assert [link.proto.label for link in app.get("page_link")] == [
        "Train a network that translates on these pairs",
        "Show: dates → 1979-05-03",
    ]
    assert pictures(app) == 1
    app = sound(app.slider(key="row").set_value(7).run())
    rows = [[cell.replace("\\", "") for cell in row] for row in app.table[0].value.to_numpy()]
    assert rows == [[f"Oui {k}.", f"Yes indeed {k}."] for k in (6, 7, 8)]
    app = sound(app.selectbox(key="target").set_value("fr").run())
    assert "source en 13.7 characters on average, target fr 6.7" in words(app).replace("\\", "")
    app = page(app, "train")
    assert len(complaints(app)) == 1
    assert "which take a sequence-to-sequence network" in complaints(app)[0].replace("\\", "")
    assert app.button(key="do_train").disabled
    for name in ("models", "unrolled", "gates", "attention", "study"):
        assert not page(app, name).exception


@pytest.mark.parametrize("world", WORLDS)
def test_every_world_is_shown_before_and_beside_its_training(world: str) -> None:
    app = opened("data", **OF_WORLD, world=WORLD_NAMES[world])
    assert complaints(app) == []
    assert f"({WORLDS[world].mapping})" in words(app)
    assert words(app).count("these data") == 1
    assert pictures(app) in (1, 2)
    app = page(app, "train")
    assert complaints(app) == []
    assert pictures(app) == 1
    begun = {k: v for k, v in WORLDS[world].suggested.items() if k == "learning_rate"}
    assert app.number_input(key="learning_rate").value == begun["learning_rate"]


def test_the_five_mappings_lead_to_worlds_that_show_them() -> None:
    app = opened("data", **SMALL)
    said = words(app)
    for mapping in MappingType:
        assert f"**{mapping}**" in said
    assert "**many-to-one** :blue-badge[these data]" in said
    (link,) = app.get("page_link")
    assert link.proto.label == "Show: dates → 1979-05-03"
    assert link.proto.page.endswith("translate")
    assert {b.key for b in app.main.button} == {f"show_{world}" for world in SHOWN_BY.values()}
    for mapping, world in SHOWN_BY.items():
        app = sound(app.button(key=f"show_{world}").click().run())
        assert app.selectbox(key="world").value == world
        assert f"**{mapping}** :blue-badge[these data]" in words(app)
    assert app.query_params["world"] == WORLD_NAMES[world]
    app = page(app, "train")
    assert app.number_input(key="epochs").value == WORLDS[world].suggested["epochs"]
    app = sound(app.selectbox(key="world").set_value("namaskar").run())
    assert app.selectbox(key="cell").value == "rnn"


def test_how_a_table_is_read_can_be_corrected() -> None:
    example = EXAMPLES["classes"]
    address = ready(example).query_params
    app = opened("data", **{**example.settings, "file": address["file"]})
    assert "each row its own person, 1 covariate" in words(app)
    app = sound(app.multiselect(key="left_out").set_value(["BMI"]).run())
    assert "each row its own person, 0 covariates" in words(app)
    assert app.query_params["left_out"] == "BMI"
    app = sound(app.selectbox(key="person").set_value("BMI").run())
    assert "id BMI, 0 covariates" in words(app)
    app = sound(app.selectbox(key="missing").set_value("drop").run())
    assert complaints(app) == []
    app = sound(app.selectbox(key="layout").set_value("long").run())
    assert "cannot be read as long" in complaints(app)[0]
    app = sound(app.selectbox(key="layout").set_value("auto").run())
    assert complaints(app) == []


def test_what_is_remarkable_stands_in_a_table_beside_its_choices() -> None:
    frame = days(40).assign(id=[k // 2 for k in range(40)])
    minutes = [name for name in frame if str(name).lower().startswith("min")]
    frame.loc[0, minutes[:6]] = np.nan
    frame.loc[3, minutes[10:12]] = 32_767
    app = upload(opened("data", source="My own file"), "d.csv", csv(frame))

    def counted(app: AppTest) -> dict[str, list[str]]:
        (table,) = app.table
        rows = zip(table.value.index, table.value.to_numpy().tolist(), strict=True)
        return {
            name: [str(cell).replace("\\", "").replace("\xa0", " ") for cell in row]
            for name, row in rows
        }

    found = counted(app)
    assert found["minutes without a value"] == ["6", "< 0.1 %", "taken as 0, marked as not worn"]
    assert found["counts of 32767"] == ["2", "< 0.1 %", "kept"]
    assert found["people on several rows"] == ["20", "100.0 %", "never split apart"]
    assert found["rows that repeat another"] == ["0", "–", "–"]
    said = words(app)
    assert "6 of all minutes missing" not in said  # the table says it
    app = sound(app.selectbox(key="saturation").set_value("missing").run())
    app = sound(app.selectbox(key="missing").set_value("interpolate").run())
    found = counted(app)
    assert found["minutes without a value"][0] == "8"
    assert found["minutes without a value"][2].startswith("interpolated")
    assert not opened("data").table  # what is simulated has nothing to tell


def test_a_second_file_is_joined_and_taken_away_again() -> None:
    frame = days(40).assign(id=range(40))
    people = pd.DataFrame({"id": range(40), "height": np.arange(40) + 150.0})
    app = upload(opened("data", source="My own file"), "d.csv", csv(frame))
    file = app.query_params["file"]
    app = opened("data", source="My own file", file=file)
    app = sound(app.file_uploader[1].set_value(("p.csv", csv(people), "")).run())
    assert "id id, 2 covariates" in words(app)
    assert "40 of 40 people found in p" in words(app)
    joined = app.query_params["join"]
    another = sound(app.file_uploader[0].set_value(("e.csv", csv(frame.assign(id=5)), "")).run())
    assert "Joined" not in words(another)
    app = opened("data", **{**dict(SMALL), "source": "My own file", "file": file, "join": joined})
    (remove,) = [button for button in app.button if button.label == "Remove the joined file"]
    app = sound(remove.click().run())
    assert "id id, 1 covariate" in words(app)


@pytest.mark.parametrize("tokens", ["characters", "words"])
def test_data_shows_text_as_it_is(tokens: str) -> None:
    app = opened("data", source="Text", tokens=tokens)
    assert "simulated" not in words(app)
    assert "the next one is predicted at every step" in words(app)
    assert pictures(app) == 1


def test_an_upload_that_is_gone_leaves_the_app_usable(home: Path) -> None:
    app = press(ready(EXAMPLES["classes"]), "one_batch")
    address = {key: app.query_params[key] for key in ("run", "file", "source")}
    shutil.rmtree(home / "uploads" / address["file"])
    st.cache_resource.clear()
    for name in PAGES:
        assert "upload it again" in complaints(opened(name, **address))[0]
    app = opened(run=address["run"], **SMALL)  # the study's data are chosen instead
    press(app, "new_run")
    assert "**finished**" in words(app)
    assert complaints(app) == []


def named_twice() -> bytes:
    return csv(days(6)).replace(b"MIN2,", b"MIN1,", 1)


BAD = {
    "picture": ("p.csv", lambda: b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\xff\xfe", ""),
    "cut off": ("d.rda", lambda: (DATA / "rda" / "truncated_gzip.rda").read_bytes(), ""),
    "empty": ("e.csv", lambda: b"", "empty"),
    "no numbers": ("w.csv", lambda: b"a,b\nx,y\nz,w\n", "exactly 1440"),
    "no target": (
        "t.csv",
        lambda: csv(days(6).drop(columns=["sleeper", "BMI"])),
        "no column to predict",
    ),
    "same names": ("n.csv", named_twice, "MIN1"),
    "one row": ("o.csv", lambda: csv(days(1)), "one row"),
    "four people": ("f.csv", lambda: csv(days(4)), "5"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_told_in_one_sentence_and_costs_nothing(
    case: str, trained: Callable[[str], Run]
) -> None:
    name, data, said = BAD[case]
    if case == "cut off" and not DATA.is_dir():
        pytest.skip("the real data are not here")
    run = trained("relu")
    app = opened(run=run.id, source="My own file")
    assert "Give a file to go on" in words(app)
    assert app.button(key="do_train").disabled
    app = upload(app, name, data())
    told = complaints(app)
    assert len(told) == 1, told
    assert said in told[0].replace("\\", "")
    assert "\n" not in told[0]
    assert app.button(key="do_train").disabled
    assert app.query_params["run"] == run.id
    assert "**finished**" in words(app)


def test_markup_in_a_file_stays_text() -> None:
    frame = days(12).rename(columns={"sleeper": "<img src=x onerror=alert(1)>![i](http://e.test)"})
    app = upload(opened(**HOURS, source="My own file"), "<b>[a](b).csv", csv(frame))
    assert complaints(app) == []
    app = opened("data", file=app.query_params["file"], source="My own file")
    assert r"\<b\>\[a\]\(b\)\.csv" in words(app)
    for element in (*app.markdown, *app.caption):
        assert "<img" not in element.value.replace(r"\<img", "")
        assert "](" not in element.value
        assert not element.allow_html


def test_own_text_can_be_pasted_and_is_found_after_a_reload() -> None:
    app = opened(**TOKENS, which_text="My own")
    assert "the text is empty" in complaints(app)[0]
    app = sound(app.text_area(key="pasted").set_value("to be or not to be\n" * 40).run())
    assert complaints(app) == []
    assert "31 sequences of 24 characters, 8 different ones" in words(app)
    again = opened(**TOKENS, which_text="My own", text=app.query_params["text"])
    assert "31 sequences of 24 characters, 8 different ones" in words(again)


def test_a_fetch_that_fails_says_why_and_can_be_tried_again() -> None:
    with files_server.serving() as empty:
        app = opened("data", source="My own file")
        sound(app.text_input(key="fetch_address").set_value(empty.url).run())
        press(app, "fetch")
        assert app.button(key="do_fetch_stop").label == "Stop"
        job = given.fetching()
        assert job is not None
        job.wait(60)
        sound(app.run())
    assert "answered 404 Not Found" in words(app)
    assert app.button(key="do_fetch").label == "Fetch"
    assert given.fetching() is None


def test_what_was_fetched_becomes_the_file(home: Path) -> None:
    with files_server.serving() as site:
        files_server.with_cdc_files(site)
        for status in fetched.fetch(home, address=site.url, cycles=("2003-2004",)):
            fetched.tell(home, status)
    app = press(opened("data", source="My own file"), "fetch_use")
    assert app.query_params["file"] == fetched.status_of(home).upload
    assert "NHANES 2003\\-2006" in words(app)
