"""Moves that the tests of pages share: settings to train with, pages opened, what they say."""

import dataclasses
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from rnnviz.config import SOURCES, WORLD_NAMES
from rnnviz.data.sandbox import Sandbox
from rnnviz.runs.run import Run
from rnnviz.trace import Trace
from rnnviz.ui import common, server

PAGES = ("train", "data", "unrolled", "gates", "attention", "whatif", "models")
INSIDE = ("unrolled", "gates", "attention", "whatif")
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
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


def at_home(monkeypatch: pytest.MonkeyPatch, home: Path, sandbox: Sandbox) -> None:
    """The app with its data in `home`, training inline, for one visitor."""
    st.cache_resource.clear()
    monkeypatch.setenv("RNNVIZ_RUNNER", "inline")
    monkeypatch.setenv("RNNVIZ_HOME", str(home))
    monkeypatch.setattr(common, "owner", lambda: "me")
    monkeypatch.setattr(common, "sandbox", lambda: sandbox)
    # AppTest would read through all installed packages for components; rnnviz registers its own
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", lambda *_: [])


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


def baselines_of(run: Run) -> set[str]:
    started = run.view().started
    assert started is not None
    return {score.predictor for score in started.baselines}


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
