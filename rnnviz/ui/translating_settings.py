"""The settings of the Translate page: pairs, the network with its five switches, training."""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.config import (
    CELL_NAMES,
    PARALLEL_NAMES,
    DataConfig,
    ModelConfig,
    RunConfig,
    Setting,
    TrainingConfig,
    TranslationConfig,
    settings_of,
)
from rnnviz.data.forms import endings
from rnnviz.data.pairs import Pairs
from rnnviz.data.parallel import PARALLEL
from rnnviz.data.uploads import open_upload, prune, store
from rnnviz.errors import DataError, RnnvizError
from rnnviz.translation.settings import check_cost, cost, settings, suggested
from rnnviz.ui import common, controls, given, widgets
from rnnviz.ui import translating_kept as kept
from rnnviz.ui.data_settings import kind_of
from rnnviz.ui.words import amount

PREFIX = "translate_"  # of settings that the Train page has as well, with values of its own
_SWITCHES = ("shared_weights", "decoder_reads", "layers", "bidirectional", "reversed_input")
_NETWORK = ("cell", "hidden_size", "attention", "embedding", "dropout")
_TRAINING = ("epochs", "learning_rate", "batch_size", "clip_norm", "seed", "teacher_forcing")
_LABELS = {"layers": "Layers (deep)", "bidirectional": "Encoder in both directions"}
_KNOWN: Mapping[str, Setting] = {
    setting.name: setting
    for part in (DataConfig, ModelConfig, TrainingConfig, TranslationConfig)
    for setting in settings_of(part)
}
_OWN = {setting.name for setting in settings_of(TranslationConfig)}


def key_of(name: str) -> str:
    """The key of a setting's widget on this page."""
    return name if name in _OWN else PREFIX + name


def choose() -> RunConfig | None:
    """All settings, and what they cost; None where they cannot be used, which is said."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row:
        task = controls.widget(_KNOWN["parallel"], on_change=_begin)
    begin = suggested(task)
    values: dict[str, Any] = {}
    try:
        if task == "file":
            values |= _file()
        else:
            values["pairs"] = _one("pairs", begin, row)
        said = _example(task)
        values |= _network(begin)
        config = settings(task, **values)
        text = kept.pairs(config)
        check_cost(config, text)
    except RnnvizError as wrong:
        st.error(controls.escaped(str(wrong)))
        return None
    parts = text.split(config.training.seed)
    needed = cost(config, text)
    st.caption(
        f"{said}{len(parts.train):,} pairs to learn from, {len(parts.validation):,} to validate, "
        f"{len(parts.test):,} held out, no source in two of them; {len(text.source_vocabulary)} "
        f"different source tokens and {len(text.target_vocabulary)} target tokens, 4 special ones "
        f"with each; {needed.weights:,} weights, {amount(needed.bytes)} of memory."
    )
    if text.notes:
        st.caption(controls.escaped(" ".join(text.notes)))
    return config


def _begin() -> None:
    """Another task begins with the settings that suit it, whatever a link said."""
    task = str(st.session_state["parallel"])
    usual = {name: _KNOWN[name].default for name in (*_SWITCHES, *_NETWORK, *_TRAINING, "pairs")}
    wanted = {**usual, **suggested(task)}
    widgets.suggest(
        {key_of(name): _KNOWN[name].type(value) for name, value in wanted.items() if name in usual}
    )


def take(config: RunConfig) -> None:
    """Choose the settings of a run, in a callback."""
    parts = config.to_dict()
    held = {**parts["model"], **parts["training"], **parts["translation"]}
    names = (*_SWITCHES, *_NETWORK, *_TRAINING, "pairs", "parallel")
    widgets.suggest({key_of(name): held[name] for name in names})
    if config.data.file:
        given.uploaded("file", config.data.file)
        of_file = {"tokens": config.data.tokens, "target": config.data.target}
        widgets.suggest({key_of(name): value for name, value in of_file.items()})


def named(config: RunConfig) -> str:
    """What a run learned, and with what: one line."""
    model, translation = config.model, config.translation
    layers = f"{model.layers} layers of " if model.layers > 1 else ""
    ways = ", encoder in both directions" if model.bidirectional else ""
    back = ", source read backwards" if translation.reversed_input else ""
    one = ", one network for both" if translation.shared_weights else ""
    attention = "no attention" if model.attention == "none" else f"{model.attention} attention"
    made = "" if translation.parallel == "file" else f", {translation.pairs:,} pairs"
    return (
        f"{PARALLEL_NAMES[translation.parallel]}{made}: "
        f"{CELL_NAMES[model.cell]}, {layers}{model.hidden_size} units{ways}{back}{one}, "
        f"{attention}, {config.training.epochs} epochs"
    )


def _one(name: str, begin: Mapping[str, Any], place: DeltaGenerator) -> Any:
    """The widget of one setting."""
    setting, more = _KNOWN[name], {}
    if name not in _OWN:
        setting, more = setting._replace(name=key_of(name)), {"persist_state": "session"}
    label = _LABELS.get(name) or controls.LABELS[name]
    with place:
        return controls.widget(setting, default=begin.get(name), label=label, **more)


def _network(begin: Mapping[str, Any]) -> dict[str, Any]:
    """The five switches, then what is folded away."""
    values: dict[str, Any] = {}
    with st.expander("Network and training"):
        st.caption(
            "The five switches change the plain encoder and decoder as the cs224d notes list it: "
            "weights of their own for both, what the decoder is told, depth, both directions, and "
            "the source read backwards."
        )
        for title, names in (
            ("Five switches", _SWITCHES),
            ("Network", _NETWORK),
            ("Training", _TRAINING),
        ):
            st.markdown(f"**{title}**")
            row = st.container(
                horizontal=True, vertical_alignment="bottom", key=f"row_types_{title}"
            )
            values |= {name: _one(name, begin, row) for name in names}
    return values


def _example(task: str) -> str:
    line = PARALLEL[task]
    if line.answer is None:
        return ""
    said = controls.escaped(f"{line.example} → {line.answer(line.example)}")
    return f"For example **{said}**. "


def _file() -> dict[str, Any]:
    """What an own file adds to the settings.

    Raises:
        DataError: there is none yet, or it holds no pairs.
    """
    sent = st.file_uploader(
        "A table with two columns of texts",
        type=list(endings()),
        key=f"upload_{given.uploads()}",
        help="A sentence and its translation in each row, such as a CSV with the columns source "
        "and target. It is parsed in a process of its own and stays on this computer.",
    )
    if sent is not None:
        _take(sent.name, sent.getvalue())
    upload_id = given.upload_id("file")
    if not upload_id:
        raise DataError("no pairs are given; upload a table with two columns of texts")
    upload = open_upload(common.home(), upload_id)
    found = kind_of(DataConfig(source="file", file=upload_id, layout="pairs"))
    if not isinstance(found, Pairs):
        raise DataError(f"{upload.name} holds no pairs of texts; upload two columns of texts")
    st.caption(controls.escaped(f"{upload.name}: {found.summary}"))
    options = list(found.targets)
    widgets.forget_unless("translate_target", options)
    row = st.container(horizontal=True, vertical_alignment="bottom")
    target = row.selectbox(
        "Translate into", options, key="translate_target", bind="query-params",
        persist_state="session",
    )  # fmt: skip
    tokens = _one("tokens", {"tokens": "words"}, row)
    return {"file": upload_id, "layout": "pairs", "target": target, "tokens": tokens}


def _take(name: str, data: bytes) -> None:
    """Keep the parsed file, forget the bytes."""
    try:
        with st.spinner("Reading the file …"):
            upload = store(data, name, common.home(), common.sandbox())
            prune(common.home())
    except DataError as wrong:
        widgets.notice(str(wrong))
    else:
        given.uploaded("file", upload.id)
    given.next_upload()
    st.rerun()
