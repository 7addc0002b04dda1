"""Every page, driven as a visitor drives it, without a browser; training runs in the page."""

import dataclasses
import io
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import files_server
import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from rnnviz.config import SOURCES, SUGGESTED, WORLD_NAMES, TrainingConfig
from rnnviz.data import fetched
from rnnviz.data.dataset import MappingType
from rnnviz.data.sandbox import Sandbox
from rnnviz.data.worlds import WORLDS
from rnnviz.events import RateChanged
from rnnviz.runs.run import Run
from rnnviz.trace import Trace
from rnnviz.ui import common, controls, given, server
from rnnviz.ui.mappings import SHOWN_BY
from rnnviz.ui.moving import rate_at
from rnnviz.ui.words import number

PAGES = ("train", "data", "unrolled", "gates", "attention", "whatif", "models")
INSIDE = ("unrolled", "gates", "attention", "whatif")
DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
SMALL = {"people": "60", "epochs": "2", "hidden_size": "8", "batch_size": "16"}
TOKENS = {"source": "Text", "epochs": "1", "hidden_size": "8", "batch_size": "64", "window": "24"}
NAMES = {  # a choice stands in the address by the words that people see
    "24x60": "24 steps of 60 minutes",
    "1440x1": "1440 steps of 1 minute",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example:
    """Settings as they stand in the address, and the file to upload first, if any."""

    settings: Mapping[str, str]
    file: Callable[[], tuple[str, bytes]] | None = None


def days(rows: int, seed: int = 0) -> pd.DataFrame:
    """Persons with a day of counts each, a target in classes and one in numbers."""
    rng = np.random.default_rng(seed)
    minutes = rng.poisson(200, size=(rows, 1440)) * (rng.random((rows, 1440)) < 0.6)
    frame = pd.DataFrame(minutes, columns=[f"MIN{k}" for k in range(1, 1441)])
    frame.insert(0, "sleeper", np.where(minutes.sum(axis=1) > np.median(minutes.sum(1)), "a", "b"))
    frame.insert(1, "BMI", rng.normal(27, 4, rows).round(1))
    return frame


def sales(rows: int) -> pd.DataFrame:
    """A series with a season."""
    months = pd.date_range("2001-01-01", periods=rows, freq="MS")
    sold = np.sin(np.arange(rows) * np.pi / 6) + np.arange(rows) / 100
    return pd.DataFrame({"month": months.strftime("%Y-%m-%d"), "sold": sold})


def reviews(rows: int) -> pd.DataFrame:
    """Texts of different lengths, some with a separator, a quote or a line end in them."""
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 2, rows)
    filler = np.array(["the plot,", 'a "star"', "we\nsaw", "film", "tonight", "<b>and</b>"])
    texts = [
        " ".join([*rng.choice(filler, rng.integers(4, 30)), ("awful", "lovely")[kind], f"no{k}"])
        for k, kind in enumerate(kinds)
    ]
    return pd.DataFrame({"review": texts, "sentiment": np.array(["neg", "pos"])[kinds]})


def tsv(frame: pd.DataFrame) -> bytes:
    out = io.StringIO()
    frame.to_csv(out, index=False, sep="\t")
    return out.getvalue().encode()


def csv(frame: pd.DataFrame) -> bytes:
    out = io.StringIO()
    frame.to_csv(out, index=False)
    return out.getvalue().encode()


def study_file() -> tuple[str, bytes]:
    path = DATA / "nhanes" / "MINdata_oneday.rda"
    if not path.is_file():
        pytest.skip("the real data are not here")
    return path.name, path.read_bytes()


WORLD = SOURCES["world"]
OF_WORLD = {"source": WORLD, "sequences": "60", "epochs": "1", "hidden_size": "6"}
HOURS = {**SMALL, "blocks": NAMES["24x60"]}
EXAMPLES = {
    "lstm with attention": Example(settings=SMALL),
    "gru of two ways": Example(
        settings={**HOURS, "cell": "GRU", "layers": "2", "bidirectional": "true"}
        | {"attention": "none"},
    ),
    "relu": Example(settings={**HOURS, "cell": "RNN (ReLU)", "attention": "general"}),
    "covariates": Example(settings={**HOURS, "covariates": "true", "days": "3", "dropout": "0.2"}),
    "characters": Example(settings={**TOKENS, "tokens": "characters"}),
    "words": Example(
        settings={**TOKENS, "tokens": "words", "cell": "GRU", "attention": "dot"},
    ),
    "pieces": Example(
        settings={**TOKENS, "tokens": "pieces (byte pairs)", "pieces": "300", "embedding": "6"}
        | {"carried": "true", "layers": "2", "window": "16"},
    ),
    "classes": Example(
        settings={**HOURS, "source": "My own file", "target": "sleeper"},
        file=lambda: ("sleep.csv", csv(days(40))),
    ),
    "random walk": Example(
        settings={"source": "A random walk (a series)", "epochs": "2", "hidden_size": "8"}
        | {"cell": "RNN (ReLU)", "attention": "dot"},
    ),
    "series of a file": Example(
        settings={"source": "My own file", "epochs": "2", "hidden_size": "8", "horizon": "3"},
        file=lambda: ("sales.csv", csv(sales(240))),
    ),
    "sentiment": Example(
        settings={**TOKENS, "source": "My own file", "attention": "dot", "batch_size": "16"},
        file=lambda: ("reviews.tsv", tsv(reviews(120))),
    ),
    "study file": Example(settings={**HOURS, "source": "My own file"}, file=study_file),
    "namaskar": Example(settings={"source": WORLD, "epochs": "2"}),
    "echo": Example(
        settings={**OF_WORLD, "world": WORLD_NAMES["echo"], "attention": "dot", "layers": "2"}
        | {"bidirectional": "true"},
    ),
    "wave": Example(settings={**OF_WORLD, "world": WORLD_NAMES["wave"]}),
    "angle": Example(settings={**OF_WORLD, "world": WORLD_NAMES["angle"]}),
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(helpers=1) as running:
        yield running


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def trained_ids() -> dict[str, str]:
    """The run of each example that is trained by now."""
    return {}


def at_home(monkeypatch: pytest.MonkeyPatch, home: Path, sandbox: Sandbox) -> None:
    """The app with its data in `home`, training inline, for one visitor."""
    st.cache_resource.clear()
    monkeypatch.setenv("RNNVIZ_RUNNER", "inline")
    monkeypatch.setenv("RNNVIZ_HOME", str(home))
    monkeypatch.setattr(common, "owner", lambda: "me")
    monkeypatch.setattr(common, "sandbox", lambda: sandbox)
    # AppTest would read through all installed packages for components; rnnviz registers its own
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", lambda *_: [])


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Path:
    at_home(monkeypatch, tmp_path, sandbox)
    return tmp_path


@pytest.fixture
def trained(
    shared_home: Path,
    trained_ids: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    sandbox: Sandbox,
) -> Callable[[str], Run]:
    """The finished run of an example, trained once for all tests, in a home of their own."""

    def of(name: str) -> Run:
        at_home(monkeypatch, shared_home, sandbox)
        if name not in trained_ids:
            trained_ids[name] = press(ready(EXAMPLES[name]), "train").query_params["run"]
        return Run.open(shared_home, trained_ids[name])

    return of


def opened(at: str = "train", *, dark: bool = False, **address: str) -> AppTest:
    """A page as it is opened by a link."""
    app = AppTest.from_file(server.MAIN, default_timeout=300)
    app.query_params.update(address)
    app.context["theme"] = "dark" if dark else "light"
    if at != "train":  # the first page
        app.switch_page(f"../../pages/{at}.py")
    return sound(app.run())


def sound(app: AppTest) -> AppTest:
    """The app, if nothing broke."""
    assert not app.exception
    return app


def page(app: AppTest, name: str) -> AppTest:
    return sound(app.switch_page(f"../../pages/{name}.py").run())


def press(app: AppTest, button: str) -> AppTest:
    return sound(app.button(key=f"do_{button}").click().run())


def upload(app: AppTest, name: str, data: bytes) -> AppTest:
    return sound(app.file_uploader[0].set_value((name, data, "")).run())


def ready(example: Example) -> AppTest:
    """The Train page with the example's settings."""
    app = opened(**example.settings)
    if example.file:
        app = upload(app, *example.file())
        app = opened(**example.settings, file=app.query_params["file"])
    assert not app.error
    return app


def read(number: str) -> float:
    """A number as the pages write it."""
    return float(number.replace("\N{MINUS SIGN}", "-"))


def words(app: AppTest) -> str:
    """All that the page says."""
    kinds = ("markdown", "caption", "text", "info", "warning", "error")
    said = [str(element.value) for kind in kinds for element in app.get(kind)]
    return "\n".join([*said, *(bar.text for bar in app.get("progress"))])


def complaints(app: AppTest) -> list[str]:
    return [element.value for element in (*app.error, *app.warning)]


def pictures(app: AppTest) -> int:
    return len(app.get("bidi_component"))


# -- without a run -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_without_a_run_every_page_opens_and_says_what_to_do(name: str) -> None:
    app = opened(name, **SMALL)
    assert complaints(app) == []
    if name in INSIDE:
        assert "no run to look into yet. Go to **Train**" in app.info[0].value
    elif name == "train":
        assert "Nothing is trained yet" in app.info[0].value
    assert "Press **Train**" in app.sidebar.caption[0].value


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


def test_pairs_of_texts_are_shown_and_nobody_can_train_on_them() -> None:
    pairs = pd.DataFrame({"fr": [f"Oui {k}." for k in range(30)]})
    pairs["en"] = [f"Yes indeed {k}." for k in range(30)]
    app = upload(opened("data", source="My own file"), "fra.tsv", tsv(pairs))
    assert complaints(app) == []
    said = words(app).replace("\\", "")
    assert "30 pairs; source fr 6.7 characters on average, target en 13.7" in said
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


def test_the_latest_epoch_is_where_the_slider_begins_at_every_drawing() -> None:
    """A browser may get to see only the second of two drawings that follow each other at once."""
    app = press(opened(**SMALL), "train")
    for _ in range(2):
        slider = app.sidebar.select_slider(key="epoch")
        assert slider.value == "latest"
        assert list(slider.proto.default) == [len(slider.options) - 1]
        app = sound(app.run())


@pytest.mark.parametrize("level", ["cell", "gate"])
def test_the_levels_open_in_the_session_that_has_just_trained(level: str) -> None:
    """The settings of the Train page come along to every other page."""
    app = page(press(opened(**SMALL), "train"), "unrolled")
    app.session_state["_level"] = level
    assert not app.run().exception


def test_a_text_is_coloured_up_to_its_end(trained: Callable[[str], Run]) -> None:
    run = trained("sentiment")
    started = run.view().started
    assert baselines_of(run) == {"class shares", "bag of words"}
    assert started is not None
    assert sum(started.sizes.values()) == 120
    app = page(opened(run=run.id), "attention")
    assert "Weights when sentiment is predicted." in words(app)


def test_persistence_stands_beside_the_network(trained: Callable[[str], Run]) -> None:
    app = opened(run=trained("random walk").id)
    assert "ersistence, the last value once more" in words(app)
    assert "persistence" in app.table[0].value.index


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
    assert "This type comes with the page on sequences to sequences" in said
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


def test_the_limits_of_a_world_stand_in_its_verdict_and_its_scores(
    trained: Callable[[str], Run],
) -> None:
    app = opened(run=trained("namaskar").id, **OF_WORLD)
    assert "the memoryless limit, 0.4708" in words(app)
    table = app.table[0].value
    assert {"memoryless limit", "entropy floor"} <= set(table.index)
    assert table.loc["memoryless limit", "accuracy"] == "0.7143"
    drawn = opened(run=trained("wave").id, **OF_WORLD).table[0].value
    assert drawn.loc["noise floor"].tolist() == ["0", "–", "–", "–"]


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


def test_settings_of_a_link_hold_on_every_page() -> None:
    app = page(opened(**HOURS), "data")
    assert "60 people, 24 steps of 60 values" in words(app)
    app = page(page(app, "gates"), "train")
    assert "60 people, 24 steps of 60 values" in words(app)
    assert app.number_input(key="hidden_size").value == 8


def test_another_source_begins_with_what_suits_it() -> None:
    app = opened(people="60")
    app = sound(app.selectbox(key="source").set_value("text").run())
    begun = (app.number_input(key="epochs").value, app.selectbox(key="attention").value)
    assert begun == (SUGGESTED["text"]["epochs"], SUGGESTED["text"]["attention"])
    app = sound(app.selectbox(key="source").set_value("nhanes").run())
    assert app.number_input(key="epochs").value == TrainingConfig().epochs


def test_another_source_and_another_world_begin_anew_after_a_link() -> None:
    app = opened(source="Text", epochs="1")
    app = sound(app.selectbox(key="source").set_value("series").run())
    assert app.number_input(key="epochs").value == SUGGESTED["series"]["epochs"]
    app = opened(**OF_WORLD, world=WORLD_NAMES["echo"], delay="3")
    assert app.number_input(key="delay").value == 3
    app = sound(app.selectbox(key="world").set_value("names").run())
    assert app.number_input(key="delay").value == WORLDS["names"].suggested["delay"]
    assert complaints(app) == []


# -- training ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_run_trains_to_its_end_and_every_page_draws_it(
    name: str, trained: Callable[[str], Run]
) -> None:
    run = trained(name)
    app = opened(run=run.id)
    assert "**finished** · All epochs are done\\." in words(app)
    assert "The network " in words(app)
    labels = [button.label for button in app.main.button]
    assert labels == ["Train", "Pause", "One batch", "One epoch", "Stop"]
    for table in app.table:
        assert list(table.value.index[:1]) == ["network"]
        assert set(table.value.index) == {"network", *baselines_of(run)}
    for at in PAGES:
        app = page(app, at)
        assert complaints(app) == [], at
        simulated = run.config.data.source == "nhanes" and at in INSIDE
        assert ("Simulated people" in words(app)) == simulated
        if at == "attention" and run.config.model.attention == "none":
            assert "This network has no attention" in app.info[0].value
        elif at in INSIDE:
            assert not app.info, at
            assert pictures(app) >= 1


@pytest.mark.parametrize("name", ["lstm with attention", "characters"])
def test_every_page_draws_in_the_dark(name: str, trained: Callable[[str], Run]) -> None:
    app = opened(run=trained(name).id, dark=True)
    for at in PAGES:
        assert complaints(page(app, at)) == [], at


def test_a_link_chooses_table_and_target(trained: Callable[[str], Run]) -> None:
    config = trained("classes").config.data
    assert (config.source, config.table, config.target) == ("file", "sleep", "sleeper")


def baselines_of(run: Run) -> set[str]:
    started = run.view().started
    assert started is not None
    return {score.predictor for score in started.baselines}


def test_the_scores_are_those_of_the_run(trained: Callable[[str], Run]) -> None:
    run = trained("lstm with attention")
    assert baselines_of(run) == {"mean", "ridge", "covariates only"}
    app, view = opened(run=run.id), run.view()
    for table, part in zip(app.table, ("test", "validation", "train"), strict=True):
        scores = {score.predictor: score for score in view.scores if score.part == part}
        assert list(table.value.index) == list(scores)
        assert list(table.value.columns) == ["MSE [(kg/m²)²]", "MAE", "R²", "r"]
        for predictor, row in table.value.iterrows():
            expected = [number(v) for v in scores[str(predictor)].metrics.values()]
            assert [value.replace("\\", "") for value in row] == expected


def test_one_batch_one_epoch_resume_and_the_rate(home: Path) -> None:
    app = press(opened(**SMALL, cell="GRU"), "one_batch")
    run = Run.open(home, app.query_params["run"])
    assert (run.view().status, run.view().step) == ("paused", 1)
    assert "**paused** · Step 1 is done" in words(app)
    assert [b.label for b in app.main.button] == [
        "Train",
        "Resume",
        "One batch",
        "One epoch",
        "Stop",
        "New run",
    ]
    press(app, "one_batch")
    assert run.view().step == 2
    sound(app.number_input(key=f"rate_{run.id}").set_value(0.0125).run())
    press(app, "one_epoch")
    assert (run.view().status, len(run.view().epochs)) == ("paused", 1)
    assert [rate.learning_rate for rate in run.view().rates] == [0.0125]
    press(app, "resume")
    assert "**finished** · All epochs are done\\." in words(app)
    assert (run.view().status, len(run.view().epochs)) == ("finished", 2)
    assert run.view().epochs[-1].learning_rate == 0.0125


def test_stop_ends_a_run_for_good(home: Path) -> None:
    app = press(opened(**SMALL), "one_epoch")
    press(app, "stop")
    assert "Stopped by hand" in words(app)
    assert "The network " in words(app)  # by the scores after the last epoch
    assert app.button(key="do_train").disabled is False
    assert Run.open(home, app.query_params["run"]).view().ended


def test_a_new_run_leaves_the_old_one_in_the_list(home: Path) -> None:
    app = press(opened(**SMALL), "one_batch")
    first = app.query_params["run"]
    press(app, "new_run")
    second = app.query_params["run"]
    assert first != second
    st.cache_resource.clear()  # the list may be 10 s old
    app = sound(app.run())
    app = sound(app.button(key=f"open_{first}").click().run())
    assert app.query_params["run"] == first
    assert "**paused**" in words(app)
    assert Run.open(home, second).view().status == "finished"


def test_a_run_that_breaks_off_says_where_and_what_to_do() -> None:
    wild = {"cell": "RNN (ReLU)", "scale": "raw", "optimiser": "SGD", "clip_norm": "0"}
    app = press(opened(**HOURS, **wild, learning_rate="10"), "train")
    assert "**failed**" in words(app)
    assert len(app.error) == 1
    assert "lower the learning rate" in app.error[0].value
    for name in PAGES:
        page(app, name)


# -- the selection -----------------------------------------------------------------------------


def select(app: AppTest) -> AppTest:
    """Sequence 2, unit 3, step 31 after epoch 1, all in the sidebar."""
    app.sidebar.select_slider(key="epoch").set_value("1")
    app.sidebar.selectbox(key="sequence").set_value(2)
    app.sidebar.slider(key="unit").set_value(3)
    app.sidebar.slider(key="t").set_value(31)
    return sound(app.run())


def selected(app: AppTest) -> tuple[str, int, int, int]:
    side = app.sidebar
    epoch = side.select_slider(key="epoch").value
    return (
        epoch,
        side.selectbox(key="sequence").value,
        *(side.slider(key=key).value for key in ("unit", "t")),
    )


def trace_of(run: Run, epoch: int) -> Trace:
    trace, _ = run.trace(epoch)
    assert trace is not None
    return trace


def test_all_pages_share_one_selection(trained: Callable[[str], Run]) -> None:
    app = select(opened("gates", run=trained("lstm with attention").id))
    for name in (*PAGES, "gates"):
        assert selected(page(app, name)) == ("1", 2, 3, 31)


@pytest.mark.parametrize("name", ["lstm with attention", "relu"])
def test_all_gates_are_those_of_the_selected_step(name: str, trained: Callable[[str], Run]) -> None:
    run = trained(name)
    app = opened("unrolled", run=run.id)
    step = min(31, trace_of(run, 1).inputs.shape[1])
    app.sidebar.slider(key="t").set_value(step)
    app.sidebar.slider(key="unit").set_value(3)
    app.sidebar.selectbox(key="sequence").set_value(2)
    app = sound(app.sidebar.select_slider(key="epoch").set_value("1").run())
    layer = trace_of(run, 1).layers[0]
    lines = app.table[0].value
    names = (*layer.gate_names, *layer.state_names[::-1])
    values = [*layer.gates[1, step - 1, :, 2], *layer.states[1, step - 1, ::-1, 2]]
    assert list(lines.index) == list(names)
    assert list(lines["in the trace"]) == [number(float(value), 5) for value in values]
    sums = [number(float(value), 5) for value in layer.preactivations[1, step - 1, :, 2]]
    assert all(told for told in lines["what"])
    for told, value in zip(lines["sum"], sums, strict=False):
        assert read(told) == pytest.approx(read(value), rel=1e-3, abs=1e-6)
    assert f"Unit 3 of layer 1 at step {step}: all gates" in words(app)


def test_the_backward_layer_can_be_chosen(trained: Callable[[str], Run]) -> None:
    run = trained("gru of two ways")
    app = opened("unrolled", run=run.id)
    assert app.sidebar.selectbox(key="layer").options == [
        "layer 1",
        "layer 1, backward",
        "layer 2",
        "layer 2, backward",
    ]
    app = sound(app.sidebar.selectbox(key="layer").set_value(4).run())
    layer = trace_of(run, 2).layers[3]
    last = float(layer.states[0, 0, 0, 0])
    assert app.table[0].value["in the trace"]["h"] == number(last, 5)


@pytest.mark.parametrize("name", INSIDE)
def test_selections_from_a_link_that_are_out_of_range_do_no_harm(
    name: str, trained: Callable[[str], Run]
) -> None:
    run = trained("lstm with attention").id
    wild = {"t": "99999", "unit": "-3", "epoch": "77", "sequence": "x", "layer": "9"}
    app = opened(name, run=run, **wild, quantity="q", node_colour="q", stage="q", attention_by="q")
    _, sequence, unit, t = selected(app)
    assert 1 <= sequence <= 4
    assert 1 <= unit <= 8
    assert 1 <= t <= 144
    assert complaints(app) == []


@pytest.mark.parametrize(
    ("key", "wanted", "got"),
    [
        *(("t", 99999, 144), ("t", 0, 1), ("unit", -3, 1), ("unit", 9, 8)),
        *(("sequence", 50, 4), ("sequence", "x", 1), ("layer", 9, 1), ("epoch", "77", "latest")),
    ],
)
def test_a_selection_is_brought_inside_of_the_trace(
    key: str, wanted: int | str, got: int | str, trained: Callable[[str], Run]
) -> None:
    run = trained("lstm with attention")
    app = AppTest.from_file(server.MAIN, default_timeout=300)
    app.query_params["run"] = run.id
    app.session_state[key] = wanted  # as another run may have left it
    assert sound(app.run()).session_state[key] == got
    assert complaints(page(app, "unrolled")) == []


def test_a_selection_fits_the_next_run_as_well(trained: Callable[[str], Run]) -> None:
    app = select(opened("unrolled", run=trained("lstm with attention").id))
    other = trained("relu").id
    app.session_state["_run"] = other
    app = sound(app.run())
    assert selected(app) == ("1", 2, 3, 24)  # of 24 steps
    assert app.query_params["run"] == other


# -- links, reloads, other people --------------------------------------------------------------


def test_a_reload_finds_the_run_again(trained: Callable[[str], Run]) -> None:
    run = trained("relu")
    app = opened(run=run.id)
    assert app.query_params["run"] == run.id
    assert controls.escaped(run.title) in [caption.value for caption in app.sidebar.caption]


@pytest.mark.parametrize("name", PAGES)
def test_another_visitor_does_not_see_it(
    name: str, trained: Callable[[str], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained("relu")
    monkeypatch.setattr(common, "owner", lambda: "somebody else")
    app = opened(name, run=run.id, **SMALL)
    assert "No run yet" in app.sidebar.caption[0].value
    assert run.title not in words(app).replace("\\", "")
    assert "run" not in app.query_params


@pytest.mark.parametrize("run", ["../../../etc/passwd", "0" * 20, "x", "%00", "<b>"])
def test_a_run_that_is_not_there_is_no_run(run: str) -> None:
    app = opened(run=run, **SMALL)
    assert "No run yet" in app.sidebar.caption[0].value
    assert "run" not in app.query_params


def test_settings_out_of_range_in_a_link_fall_back() -> None:
    app = opened(hidden_size="-1", epochs="1000000", cell="transformer", people="7", seed="x")
    numbers = [app.number_input(key=key).value for key in ("hidden_size", "epochs", "seed")]
    assert numbers == [32, 20, 0]
    assert app.selectbox(key="cell").value == "lstm"
    assert app.query_params == {}
    assert app.button(key="do_train").disabled is False


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


# -- what cannot be used -----------------------------------------------------------------------


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


def test_a_network_too_large_for_the_memory_is_refused_with_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    free = SimpleNamespace(available=2 * 2**30)
    monkeypatch.setattr("rnnviz.estimate.psutil.virtual_memory", lambda: free)
    huge = {"hidden_size": "512", "layers": "4", "blocks": NAMES["1440x1"]}
    app = opened(**{**SMALL, "batch_size": "1024", **huge})
    assert len(app.error) == 1
    assert "GiB of memory; a run may take 1\\.0 GiB here" in app.error[0].value
    assert app.button(key="do_train").disabled
    app = sound(app.number_input(key="hidden_size").set_value(4).run())
    assert not app.error
    assert app.button(key="do_train").disabled is False


def test_both_directions_cannot_predict_the_next_token() -> None:
    app = opened(source="Text", bidirectional="true")
    assert "has read the next token already" in app.error[0].value
    assert app.button(key="do_train").disabled


def test_own_text_can_be_pasted_and_is_found_after_a_reload() -> None:
    app = opened(**TOKENS, which_text="My own")
    assert "the text is empty" in complaints(app)[0]
    app = sound(app.text_area(key="pasted").set_value("to be or not to be\n" * 40).run())
    assert complaints(app) == []
    assert "31 sequences of 24 characters, 8 different ones" in words(app)
    again = opened(**TOKENS, which_text="My own", text=app.query_params["text"])
    assert "31 sequences of 24 characters, 8 different ones" in words(again)


# -- the real NHANES -------------------------------------------------------------------------------


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


# -- three levels, and pins ------------------------------------------------------------------------


def component(app: AppTest, name: str) -> list:
    return [part for part in app.get("bidi_component") if name in part.proto.component_name]


@pytest.mark.parametrize("name", ["lstm with attention", "gru of two ways", "characters"])
@pytest.mark.parametrize(
    ("level", "drawn"),
    [("network", "unrolled"), ("cell", "cell"), ("gate", "cell"), ("x", "unrolled")],
)
def test_a_link_opens_a_level(
    name: str, level: str, drawn: str, trained: Callable[[str], Run]
) -> None:
    app = opened("unrolled", run=trained(name).id, level=level, gate="z")
    assert complaints(app) == []
    assert len(component(app, f"rnnviz.{drawn}")) == 1
    assert len(component(app, "rnnviz.unrolled")) + len(component(app, "rnnviz.cell")) == 1
    assert app.query_params.get("level", "network") == (level if level != "x" else "network")


def test_the_level_stays_when_one_comes_back(trained: Callable[[str], Run]) -> None:
    app = opened("unrolled", run=trained("relu").id, level="gate", gate="a")
    app = page(page(app, "gates"), "unrolled")
    assert (app.query_params["level"], app.query_params["gate"]) == ("gate", "a")
    assert len(component(app, "rnnviz.cell")) == 1


def test_the_colour_of_the_nodes_stays_while_one_is_further_down(
    trained: Callable[[str], Run],
) -> None:
    app = opened("unrolled", run=trained("relu").id, node_colour="a")
    for level in ("cell", ""):
        app.session_state["_level"] = level
        app = sound(app.run())
        assert app.query_params.get("level", "") == level
    assert app.button_group(key="node_colour").value == "a"


# -- one update in slow motion ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lstm with attention", "gru of two ways", "characters", "relu"])
def test_one_update_is_played_in_place_of_the_drawing(
    name: str, trained: Callable[[str], Run]
) -> None:
    run = trained(name)
    app = opened("unrolled", run=run.id)
    assert component(app, "rnnviz.motion") == []
    app = sound(app.toggle(key="motion").set_value(True).run())
    assert complaints(app) == []
    assert len(component(app, "rnnviz.motion")) == 1
    assert component(app, "rnnviz.unrolled") == []
    told = words(app)
    assert "A plain step on this one test sequence" in told
    assert ("The run learns by Adam" in told) == (run.config.training.optimiser == "adam")
    other = opened("unrolled", run=run.id, motion="true")
    assert len(component(other, "rnnviz.motion")) == 1


@pytest.mark.parametrize("name", ["lstm with attention", "gru of two ways", "characters"])
def test_every_network_that_reads_steps_is_folded(name: str, trained: Callable[[str], Run]) -> None:
    assert component(opened("unrolled", run=trained(name).id), "rnnviz.fold") == []
    app = opened("unrolled", run=trained(name).id, fold="true")
    assert len(component(app, "rnnviz.fold")) == 1
    assert ("Drawn is the lowest layer" in words(app)) == (name == "gru of two ways")


def test_the_step_has_the_rate_of_its_time(trained: Callable[[str], Run]) -> None:
    run = trained("lstm with attention")
    trace = trace_of(run, 1)
    view = run.view()
    later, before = (
        RateChanged(step=trace.step + moved, epoch=1, learning_rate=rate)
        for moved, rate in ((1, 0.5), (0, 0.25))
    )
    rates = {(): run.config.training.learning_rate, (before,): 0.25, (before, later): 0.25}
    for changed, expected in rates.items():
        assert rate_at(dataclasses.replace(view, rates=changed), trace.step, run.config) == expected


def test_pins_of_a_link_are_compared_and_can_be_removed(trained: Callable[[str], Run]) -> None:
    run = trained("lstm with attention")
    app = opened("unrolled", run=run.id, pins="1.1.1.h.57_2.2.1.f.100_2.1.1.h.999_x")
    assert app.query_params["pins"] == "1.1.1.h.57_2.2.1.f.100"
    first = trace_of(run, 1).layers[0].state("h")[0, 56].astype(float)
    second = trace_of(run, 2).layers[0].gate("f")[1, 99].astype(float)
    (line,) = app.table[1].value.itertuples(index=False)
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    assert read(line[0]) == pytest.approx(cosine, rel=1e-3)
    assert read(line[1]) == pytest.approx(np.linalg.norm(first - second), rel=1e-3)
    told = words(app).replace("\\", "")
    assert "A**: h of layer 1, step 57 (09:20), sequence 1, epoch 1" in told
    app = sound(app.button(key="pin_go_A").click().run())
    assert selected(app)[:2] == ("1", 1)
    assert selected(app)[3] == 57
    app = sound(app.button(key="pin_off_A").click().run())
    assert app.query_params["pins"] == "2.2.1.f.100"
    app = sound(app.button(key="pin_off_A").click().run())
    assert "pins" not in app.query_params
    assert "Nothing is pinned" in words(app)


def test_pins_are_of_one_run(trained: Callable[[str], Run]) -> None:
    first, second = trained("lstm with attention"), trained("relu")
    app = opened("unrolled", run=first.id, pins="1.1.1.h.57")
    assert "pin_off_A" in [button.key for button in app.button]
    st.cache_resource.clear()  # the list may be 10 s old
    app = sound(sound(app.run()).button(key=f"open_{second.id}").click().run())
    assert "Nothing is pinned" in words(app)
