"""Settings as rules, as widgets and as text: every field has all three, and breaks none of them."""

import dataclasses
import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from rnnviz.config import (
    SOURCES,
    SUGGESTED,
    Choice,
    DataConfig,
    Knob,
    ModelConfig,
    RunConfig,
    Setting,
    StudyConfig,
    Switch,
    Text,
    TrainingConfig,
    TranslationConfig,
    VectorsConfig,
    settings_of,
)
from rnnviz.errors import ConfigError
from rnnviz.ui import controls
from rnnviz.ui.controls import LABELS, STEPS, escaped, named
from rnnviz.ui.training import MODEL, TRAINING

ROOT = Path(__file__).resolve().parents[1]
PARTS = {
    "data": DataConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
    "study": StudyConfig,
    "translation": TranslationConfig,
    "vectors": VectorsConfig,
}
ALL = [(part, setting) for part, cls in PARTS.items() for setting in settings_of(cls)]
WITHOUT_WIDGET = {"file", "table", "target", "person", "join", "covariate_columns"}  # of a file
SHOWN = [(part, setting) for part, setting in ALL if setting.name not in WITHOUT_WIDGET]


def name_of(case: Any) -> str:
    return case.name if isinstance(case, Setting) else str(case)


def wrong_values(setting: Setting) -> list[Any]:
    """Values that break the rule, of the right type and of others."""
    rule = setting.rule
    if isinstance(rule, Choice):
        return ["nonsense", "", None]
    if isinstance(rule, Switch):
        return [1, "yes", None]
    if isinstance(rule, Text):
        return ["x" * (rule.longest + 1), 5, None]
    nearest = 1 if setting.type is int else 1e-9
    bad = [rule.low - nearest, rule.high + nearest, math.nan, math.inf, "1", None]
    return bad + ([rule.low + 0.5] if setting.type is int else [])


def allowed(setting: Setting) -> str:
    """What has to be said of a wrong value, as a pattern."""
    rule = setting.rule
    if isinstance(rule, Choice):
        return "choose one of " + ", ".join(f"'{re.escape(option)}'" for option in rule.options)
    if isinstance(rule, Switch):
        return "it must be true or false"
    if isinstance(rule, Text):
        return f"must be a text of at most {rule.longest} characters"
    kind = "a whole number" if setting.type is int else "a number"
    return rf"it must lie in \[(?P<low>.*), (?P<high>.*)\] and be {kind}"


def right_values(setting: Setting) -> list[Any]:
    """Values at the ends of the rule, and the default."""
    rule = setting.rule
    if isinstance(rule, Choice):
        return list(rule.options)
    if isinstance(rule, Switch):
        return [False, True]
    if isinstance(rule, Text):
        return ["", "x" * rule.longest, "naïve <b>|*\n"]
    return [setting.type(rule.low), setting.type(rule.high), setting.default]


# In an interpreter of its own: under pytest, beartype would refuse wrong types before rnnviz does.
REFUSALS = """
import json, sys
from rnnviz.config import RunConfig
from rnnviz.errors import ConfigError
for part, name, value in json.load(sys.stdin):
    try:
        print(json.dumps(repr(RunConfig.from_dict({part: {name: value}}))))
    except ConfigError as wrong:
        print(json.dumps("refused: " + str(wrong)))
"""


@pytest.fixture(scope="module")
def refusals() -> dict[tuple[str, str], str]:
    """What is said of every wrong value of every setting, read from JSON as a run's are."""
    wrong = [(part, each.name, value) for part, each in ALL for value in wrong_values(each)]
    command = [sys.executable, "-c", REFUSALS]
    done = subprocess.run(
        command, input=json.dumps(wrong), cwd=ROOT, capture_output=True, text=True, check=True
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return {(name, repr(value)): text for (_, name, value), text in zip(wrong, said, strict=True)}


@pytest.mark.parametrize(
    ("setting", "value"),
    [(setting, value) for _, setting in ALL for value in wrong_values(setting)],
    ids=name_of,
)
def test_a_wrong_value_is_refused_with_what_is_allowed(
    refusals: dict[tuple[str, str], str], setting: Setting, value: Any
) -> None:
    said = refusals[setting.name, repr(value)]
    assert said.startswith(f"refused: {setting.name} ")
    found = re.search(f"{allowed(setting)}$", said)
    assert found, said
    if isinstance(setting.rule, Knob):
        assert float(found["low"]) == pytest.approx(setting.rule.low, rel=1e-5)
        assert float(found["high"]) == pytest.approx(setting.rule.high, rel=1e-5)


@pytest.mark.parametrize(
    ("part", "setting", "value"),
    [(part, setting, value) for part, setting in ALL for value in right_values(setting)],
    ids=name_of,
)
def test_every_allowed_value_comes_back_through_json(
    part: str, setting: Setting, value: Any
) -> None:
    config = RunConfig.from_dict({part: {setting.name: value}})
    assert getattr(getattr(config, part), setting.name) == value
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize(
    "values",
    [{"cooking": {}}, {"model": {"salt": 1}}],
)
def test_settings_of_something_else_are_refused(values: dict) -> None:
    with pytest.raises(ConfigError, match="these settings are not rnnviz's"):
        RunConfig.from_dict(values)


@pytest.mark.parametrize("cls", PARTS.values())
def test_every_field_has_a_rule_and_a_help_text(cls: type) -> None:
    known = named(cls)
    assert list(known) == [field.name for field in dataclasses.fields(cls)]
    for setting in known.values():
        assert setting.rule.help.endswith(".")
        assert type(setting.default) is setting.type


def test_names_of_settings_are_unique_over_the_parts() -> None:
    names = [setting.name for _, setting in ALL]  # they share the address and the command line
    assert len(set(names)) == len(names)


def test_every_setting_that_is_shown_has_a_label_and_nothing_else_has() -> None:
    assert set(LABELS) == {setting.name for _, setting in SHOWN}
    assert len(set(LABELS.values())) == len(LABELS)
    assert set(STEPS) <= set(LABELS)


def test_the_train_page_shows_the_whole_network_and_training() -> None:
    assert set(MODEL) == set(named(ModelConfig))
    assert set(TRAINING) == set(named(TrainingConfig))


@pytest.mark.parametrize("source", SUGGESTED)
def test_suggested_settings_are_allowed(source: str) -> None:
    assert source in SOURCES
    part_of = {setting.name: part for part, setting in ALL}
    for name, value in SUGGESTED[source].items():
        config = RunConfig.from_dict({part_of[name]: {name: value}})
        assert getattr(getattr(config, part_of[name]), name) == value


def all_widgets() -> None:
    import streamlit as st

    from rnnviz.config import (
        DataConfig,
        ModelConfig,
        StudyConfig,
        TrainingConfig,
        TranslationConfig,
        VectorsConfig,
    )
    from rnnviz.ui import controls

    parts = (DataConfig, ModelConfig, TrainingConfig, StudyConfig, TranslationConfig, VectorsConfig)
    for cls in parts:
        for name, setting in controls.named(cls).items():
            if name in controls.LABELS:
                st.session_state[f"given_{name}"] = controls.widget(setting)


def opened(**address: str) -> AppTest:
    app = AppTest.from_function(all_widgets, default_timeout=30)
    for name, value in address.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def test_widgets_begin_with_the_defaults_and_leave_the_address_alone() -> None:
    app = opened()
    for _, setting in SHOWN:
        assert app.session_state[f"given_{setting.name}"] == setting.default
    assert app.query_params == {}


@pytest.mark.parametrize("last", [False, True], ids=["first", "last"])
def test_widgets_take_the_ends_of_their_ranges_from_the_address(last: bool) -> None:
    wanted = {}
    for _, setting in SHOWN:
        ends = right_values(setting)[:2] if isinstance(setting.rule, Knob) else None
        wanted[setting.name] = (ends or right_values(setting))[-1 if last else 0]
    labels = {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in wanted.items()
    }
    for _, setting in SHOWN:
        if isinstance(setting.rule, Choice):  # the address holds what people see
            labels[setting.name] = setting.rule.options[wanted[setting.name]]
    app = opened(**labels)
    assert {name: app.session_state[f"given_{name}"] for name in wanted} == wanted


def test_what_the_address_may_not_say_falls_back_to_the_default() -> None:
    app = opened(**{setting.name: "nonsense" for _, setting in SHOWN})
    for _, setting in SHOWN:
        assert app.session_state[f"given_{setting.name}"] == setting.default
    assert app.query_params == {}


@pytest.mark.parametrize(
    "value", ["-1", "0", "100000000000", "nan", "inf", "-inf", "1e999", "1e9", "", "0x20", "1;2"]
)
def test_numbers_out_of_range_fall_back(value: str) -> None:
    names = ("hidden_size", "epochs", "people", "learning_rate")
    app = opened(**dict.fromkeys(names, value))
    assert [app.session_state[f"given_{name}"] for name in names] == [32, 20, 800, 0.003]
    assert app.query_params == {}


# Everything that Markdown, as Streamlit reads it, takes for something else.
@pytest.mark.parametrize("character", "\\`*_{}[]()#+-.!|<>~$:&")
def test_markdown_is_escaped_character_by_character(character: str) -> None:
    assert escaped(f"a{character}b") == f"a\\{character}b"


@pytest.mark.parametrize("text", ["BMI", "naïve café 🙂 १२", "a b/c, d; e = f % g @ h ' \"", ""])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert escaped(text) == text


@pytest.mark.parametrize(
    "text",
    ["![x](http://evil.test/x.png)", "<img src=x onerror=alert(1)>", ":material/delete:", "$x^2$"],
)
def test_escaped_text_is_the_text_with_backslashes_and_nothing_lost(text: str) -> None:
    assert escaped(text).replace("\\", "") == text
    assert "](" not in escaped(text)
    assert "<img" not in escaped(text).replace("\\<img", "")


def test_no_view_has_the_key_of_a_setting() -> None:
    """A setting is carried from page to page under its name: whatever else had it would get it."""
    found = []
    for path in sorted((Path(controls.__file__).parent).rglob("*.py")):
        for key in re.findall(r'\bkey="(\w+)"', path.read_text("utf-8")):
            if key in LABELS:
                found.append(f"{path.name}: {key}")
    assert found == []
