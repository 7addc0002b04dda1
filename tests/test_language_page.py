"""The Language page, driven as a visitor drives it, without a browser."""

import time
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from rnnviz.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from rnnviz.data.text import decode, encode
from rnnviz.inside.network import Network
from rnnviz.inside.sampling import Forced, Plan, speak
from rnnviz.inside.shaping import Shaping
from rnnviz.inside.speaking import Speaker
from rnnviz.runs import RUNNERS
from rnnviz.runs.run import Run
from rnnviz.ui import common, server


def settings(data: DataConfig, **model: object) -> RunConfig:
    small = {"hidden_size": 8, "attention": "none", **model}
    return RunConfig(data=data, model=ModelConfig(**small), training=TrainingConfig(epochs=2))


RUNS = {
    "characters": settings(DataConfig(source="text", window=24)),
    "words": settings(
        DataConfig(source="text", window=12, tokens="words"), cell="gru", attention="dot"
    ),
    "namaskar": settings(DataConfig(source="world"), layers=2),
    "brackets": settings(DataConfig(source="world", world="brackets", sequences=50, window=12)),
    "days": settings(DataConfig(people=30, blocks="24x60")),
}


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def known() -> dict[str, str]:
    return {}


@pytest.fixture
def run(
    homes: Path, known: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Run]:
    st.cache_resource.clear()
    monkeypatch.setenv("RNNVIZ_RUNNER", "inline")
    monkeypatch.setenv("RNNVIZ_HOME", str(homes))
    monkeypatch.setattr(common, "owner", lambda: "me")
    monkeypatch.setattr(manifest_scanner, "scan_component_manifests", lambda *_: [])

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


def opened(run: Run | None = None, **address: str) -> AppTest:
    app = AppTest.from_file(server.MAIN, default_timeout=120)
    app.query_params.update({**({"run": run.id} if run else {}), **address})
    app.switch_page("../../pages/language.py")
    return sound(app.run())


def text_of(app: AppTest) -> str:
    """The text that the view shows."""
    for it in app.get("bidi_component"):
        data = it.proto.bytes
        if len(data) > 4 and b'"stretch"' in data:
            length = int.from_bytes(data[:4], "little")
            return orjson.loads(data[4 : 4 + length])["tokens"]
    raise AssertionError("no text is shown")


def test_a_text_is_shown(run):
    app = opened(run("characters"), say_length="20")
    print(app.main)
    assert text_of(app)
