"""The data part of the settings, as every page that needs it shows it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from rnnviz.config import (
    GRAMMARS,
    NOBODY,
    OF_GRAMMAR,
    SOURCES,
    SUGGESTED,
    WORLD_NAMES,
    DataConfig,
    ModelConfig,
    Setting,
    TrainingConfig,
    suggested_for,
)
from rnnviz.data import kinds
from rnnviz.data.arranged import Arranged
from rnnviz.data.days import MINUTES
from rnnviz.data.forms import endings
from rnnviz.data.kinds import Recognised
from rnnviz.data.layout import BETWEEN, Layout
from rnnviz.data.pairs import Pairs
from rnnviz.data.reading import PREFERRED
from rnnviz.data.uploads import Upload, open_upload, prune, store, store_text
from rnnviz.data.worlds import WORLDS
from rnnviz.errors import DataError
from rnnviz.ui import common, controls, fetching, given, widgets

OF_A_DAY = ("blocks", "scale", "mask")
OF_SOURCE = {  # widgets that need nothing but a source
    "nhanes": ("people", "days", *OF_A_DAY),
    "text": ("tokens", "window", "carried"),
    "series": ("window", "horizon", "foretold"),
    "phrases": (),  # those of its grammar
    "world": (),
    "file": (),
}
OF_GRAMMAR_SETTINGS = {"small": (), "reviews": ("sequences",)}
OF_COLUMNS = ("table", "target", "person", "left_out")  # widgets whose options a file gives
OF_A_TABLE = (
    *("table", "layout", "join", "person", "target"),
    *("covariate_columns", "missing", "saturation"),
)


def choose_source() -> str:
    """Where the sequences come from. Another source begins with the settings that suit it."""
    settings = controls.named(DataConfig)
    source = controls.widget(settings["source"], on_change=_begin)
    if source == "world":
        controls.widget(settings["world"], on_change=_begin)
    elif source == "phrases":
        controls.widget(settings["grammar"], on_change=_begin)
    return source


def enter(world: str) -> None:
    """Choose a small world with the settings that suit it, in a callback."""
    widgets.say("source", "world", SOURCES["world"])
    widgets.say("world", world, WORLD_NAMES[world])
    _begin()


def enter_grammar(grammar: str) -> None:
    """Choose a grammar of phrases likewise."""
    widgets.say("source", "phrases", SOURCES["phrases"])
    widgets.say("grammar", grammar, GRAMMARS[grammar])
    _begin()


def suggested(source: str) -> Mapping[str, Any]:
    """The settings that a source, or the small world that is chosen, begins with."""
    if source == "world":
        return WORLDS[widgets.world()].suggested
    return suggested_for(source, widgets.grammar())


def _begin() -> None:
    """Set what depends on the source or the world to what suits it, whatever a link said."""
    of_worlds = (world.suggested for world in WORLDS.values())
    every = (*SUGGESTED.values(), *OF_GRAMMAR.values(), *of_worlds)
    known: dict[str, Setting] = {}
    for part in (DataConfig, ModelConfig, TrainingConfig):
        known |= controls.named(part)
    usual = {name: known[name].default for settings in every for name in settings}
    wanted = usual | dict(suggested(widgets.source()))
    widgets.suggest({name: known[name].type(value) for name, value in wanted.items()})


def settings_of_source(
    source: str,
    of_a_day: tuple[str, ...] = OF_A_DAY,
    choices: DeltaGenerator | None = None,
) -> DataConfig | None:
    """The widgets of a source; None while something is still missing, which is said.

    Args:
        of_a_day: which settings a file's days get, of how they become sequences.
        choices: where it stands what is done about remarkable values; None: with how the table
            is read.

    Raises:
        DataError: what was given cannot be used.
    """
    settings = controls.named(DataConfig)
    values: dict[str, Any] = {"source": source}
    if source == "file":
        found = _file(of_a_day, choices)
        if found is None:
            return None
        values |= found
    elif source == "text":
        values |= _text()
    begin, names = suggested(source), OF_SOURCE[source]
    if source == "world":
        values["world"] = widgets.world()
        names = WORLDS[values["world"]].settings
    elif source == "phrases":
        values["grammar"] = widgets.grammar()
        names = OF_GRAMMAR_SETTINGS[values["grammar"]]
    for name in names:
        values[name] = controls.widget(settings[name], default=begin.get(name))
        if values[name] == "pieces":
            values["pieces"] = controls.widget(settings["pieces"])
    return DataConfig(**values)


def _file(of_a_day: tuple[str, ...], choices: DeltaGenerator | None) -> dict[str, Any] | None:
    sent = st.file_uploader(
        "An R file (.rda, .RData, .rds), a table (.csv, .tsv), SAS (.xpt) or Parquet",
        type=list(endings()),
        key=f"upload_{given.uploads()}",
        help="One row per person or day: 1440 minute columns such as MIN1 … MIN1440, and a column "
        "to predict such as BMI. Other layouts are recognised as well, and so are a column of "
        "numbers in the order of time, texts with labels, and pairs of texts such as sentences "
        "with their translations. The file may be compressed; "
        "it is parsed in a process of its own and stays on this computer.",
    )
    if sent is not None:
        _take("file", sent.name, sent.getvalue())
    upload_id = given.upload_id("file")
    if not upload_id:
        st.info("Give a file to go on: one row per person or day, with its 1440 minutes.")
        fetching.offer()
        return None
    upload = open_upload(common.home(), upload_id)
    st.caption(f"**{controls.escaped(upload.name)}**, read by {upload.reader}")
    return {"file": upload.id, **_columns(upload, of_a_day, choices)}


def _take(kind: str, name: str, data: bytes) -> None:
    """Keep the parsed file, forget the bytes."""
    try:
        with st.spinner("Reading the file …"):
            upload = store(data, name, common.home(), common.sandbox())
            prune(common.home())
    except DataError as wrong:
        widgets.notice(str(wrong))
    else:
        given.uploaded(kind, upload.id)
        if kind == "file" and given.upload_id("join"):
            given.uploaded("join", "")  # it belonged to the file before
    given.next_upload()
    st.rerun()


def _columns(
    upload: Upload, names: tuple[str, ...], choices: DeltaGenerator | None
) -> dict[str, Any]:
    """Which table, how it is read, and what is predicted from it."""
    table = _table(upload)
    for skipped in upload.skipped:
        st.caption(controls.escaped(f"Left out: {skipped.name} ({skipped.why})"))
    place = st.container()
    how = st.expander("How the table is read")
    with how:
        layout = controls.widget(controls.named(DataConfig)["layout"])
        join = _join()
    config = DataConfig(source="file", file=upload.id, table=table, layout=layout, join=join)
    if kind_of(config) is not None:
        with place:
            return {"table": table, "layout": layout, **_of_kind(config)}
    read = common.opened(config)
    with how:
        config = replace(config, person=_person(read.table, read.layout(config)))
    with place:
        config = replace(config, target=_target(upload, read.layout(config)))
    with how:
        config = replace(config, covariate_columns=_covariates(read.layout(config)))
    with choices or how:
        for name in ("missing", "saturation"):
            config = replace(config, **{name: controls.widget(controls.named(DataConfig)[name])})
    place.caption(controls.escaped(read.layout(config).summary))
    of_days = {name: controls.widget(controls.named(DataConfig)[name]) for name in names}
    return {name: getattr(config, name) for name in OF_A_TABLE} | of_days


@st.cache_resource(show_spinner="Reading the table …", max_entries=3)
def kind_of(config: DataConfig) -> Recognised | None:
    """What a file's table is besides days, None where it is days."""
    return kinds.find(config, common.home())


def pairs_of(config: DataConfig) -> Pairs | None:
    """The pairs of texts that the settings name; None where they name sequences.

    Raises:
        DataError: the file is gone, or is not what the settings call it.
    """
    found = kind_of(config) if config.source == "file" else None
    return found if isinstance(found, Pairs) else None


def _of_kind(config: DataConfig) -> dict[str, Any]:
    """What is predicted, and the settings that matter for such a table."""
    found = kind_of(config)
    assert found is not None
    options = list(found.targets)
    widgets.forget_unless("target", options)
    values: dict[str, Any] = {}
    if len(options) > 1:
        start = options.index(found.target)
        chosen = st.selectbox("Predict", options, start, key="target", bind="query-params")
        values["target"] = chosen
        found = kind_of(replace(config, target=chosen)) or found
    st.caption(controls.escaped(found.summary))
    settings = controls.named(DataConfig)
    for name, begin in found.settings.items():
        values[name] = controls.widget(settings[name], default=begin)
        if values[name] == "pieces":
            values["pieces"] = controls.widget(settings["pieces"])
    return values


def _table(upload: Upload) -> str:
    names = [table.name for table in upload.tables]
    if len(names) == 1:
        return names[0]
    widgets.forget_unless("table", names)
    return st.selectbox(
        "Table",
        names,
        names.index(_likely(upload)),
        key="table",
        bind="query-params",
        format_func=lambda name: _described(upload, name),
    )


def _likely(upload: Upload) -> str:
    """The table that probably holds the days."""
    wide = [table.name for table in upload.tables if table.columns >= MINUTES]
    return PREFERRED if PREFERRED in wide else (wide or [upload.tables[0].name])[0]


def _described(upload: Upload, name: str) -> str:
    table = next(t for t in upload.tables if t.name == name)
    return f"{name}: {table.rows} × {table.columns}"


def _join() -> str:
    """The second file's id, or ""."""
    joined = given.upload_id("join")
    if joined:
        # The button first, as it is the way out where the file is gone.
        st.button("Remove the joined file", on_click=given.uploaded, args=("join", ""))
        st.caption("Joined: " + controls.escaped(open_upload(common.home(), joined).name))
        return joined
    sent = st.file_uploader(
        "A second file with what is known of people",
        type=list(endings()),
        key=f"join_{given.uploads()}",
        help="One row per person, with the same column that names them, such as SEQN.",
    )
    if sent is not None:
        _take("join", sent.name, sent.getvalue())
    return ""


def _person(table: Arranged, found: Layout) -> str:
    columns = [str(c) for c in table.others.columns]
    options = ["", NOBODY, *columns]
    widgets.forget_unless("person", options)
    words = {"": f"recognised: {found.person or 'each row its own'}", NOBODY: "each row its own"}
    return st.selectbox(
        "Person",
        options,
        key="person",
        bind="query-params",
        format_func=lambda name: words.get(name, name),
        help="All rows of one person go into the same part of the data.",
    )


def _target(upload: Upload, layout: Layout) -> str:
    if not layout.targets:
        raise DataError(
            f"{upload.name} has no column to predict; add one beside the minutes, such as BMI"
        )
    options = list(layout.targets)
    start = options.index(layout.target) if layout.target in options else 0
    widgets.forget_unless("target", options)
    return st.selectbox("Predict", options, start, key="target", bind="query-params")


def _covariates(layout: Layout) -> str:
    """What the setting says; "" where all that can serve do."""
    options = list(layout.covariates)
    widgets.keep_among("left_out", options)
    left_out = st.multiselect(
        "Leave out of the covariates",
        options,
        key="left_out",
        bind="query-params",
        help="A covariate is what is known of a person beside the minutes. The network reads it "
        "where its covariates are switched on; a baseline always does.",
    )
    kept = [name for name in options if name not in left_out]
    return (BETWEEN.join(kept) or NOBODY) if left_out else ""


def _text() -> dict[str, str]:
    """A built-in text, or one that is given."""
    choice = st.radio(
        "Text",
        ["built-in", "own"],
        format_func={"built-in": "Built in", "own": "My own"}.__getitem__,
        key="which_text",
        bind="query-params",
        horizontal=True,
    )
    if choice == "built-in":
        return {"sample": controls.widget(controls.named(DataConfig)["sample"])}
    pasted = st.text_area("Paste a text", key="pasted", height=160, persist_state="session")
    if pasted.strip():
        given.uploaded("text", store_text(pasted, common.home()))
    else:
        _text_file()
    text_id = given.upload_id("text")
    if not text_id:
        raise DataError("the text is empty; paste at least a few hundred characters")
    return {"file": text_id}


def _text_file() -> None:
    """A text that somebody sends as a file: any plain one, taken as UTF-8."""
    sent = st.file_uploader(
        "Or give a text file",
        type=["txt", "md", "py", "r", "js", "html", "tex", "log"],
        key=f"text_{given.uploads()}",
        help="Plain text of at most 2 MB in UTF-8; what is no UTF-8 becomes a sign for unknown.",
    )
    if sent is None:
        return
    try:
        given.uploaded(
            "text", store_text(sent.getvalue().decode("utf-8", "replace"), common.home())
        )
    except DataError as wrong:
        widgets.notice(str(wrong))
    given.next_upload()
    st.rerun()
