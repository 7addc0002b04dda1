"""The data part of the settings, as every page that needs it shows it."""

from typing import Any

import streamlit as st

from rnnviz.config import SUGGESTED, DataConfig
from rnnviz.data.days import MINUTES
from rnnviz.data.table import Layout, recognise
from rnnviz.data.uploads import (
    PREFERRED,
    Upload,
    open_upload,
    prune,
    read_table,
    store,
    store_text,
)
from rnnviz.errors import DataError
from rnnviz.ui import controls, session

FILE_TYPES = ["rda", "rdata", "rds", "csv", "tsv", "txt", "gz"]
OF_A_DAY = ("blocks", "scale")


def choose_source() -> str:
    """Where the sequences come from. Another source begins with the settings that suit it."""
    setting = controls.named(DataConfig)["source"]
    return controls.widget(setting, on_change=session.forget, args=(sorted(_suggested()),))


def _suggested() -> set[str]:
    return {name for settings in SUGGESTED.values() for name in settings}


def settings_of_source(source: str) -> DataConfig | None:
    """The widgets of a source; None while something is still missing, which is said.

    Raises:
        DataError: what was given cannot be used.
    """
    settings = controls.named(DataConfig)
    values: dict[str, Any] = {"source": source}
    if source == "file":
        found = _file()
        if found is None:
            return None
        values |= found
    elif source == "text":
        values["file"] = _text()
    names = {
        "nhanes": ("people", "days", *OF_A_DAY),
        "file": OF_A_DAY,
        "text": ("tokens", "window"),
    }
    for name in names[source]:
        values[name] = controls.widget(settings[name])
    return DataConfig(**values)


def _file() -> dict[str, str] | None:
    sent = st.file_uploader(
        "An R file (.rda, .RData, .rds) or a table (.csv, .tsv, also .gz)",
        type=FILE_TYPES,
        key=f"upload_{session.uploads()}",
        help="One row per person or day: 1440 minute columns such as MIN1 … MIN1440, and a column "
        "to predict such as BMI. The file is parsed in a process of its own and stays on this "
        "computer.",
    )
    if sent is not None:
        _take(sent.name, sent.getvalue())
    upload_id = session.upload_id("file")
    if not upload_id:
        st.info("Give a file to go on: one row per person or day, with its 1440 minutes.")
        return None
    upload = open_upload(session.home(), upload_id)
    st.caption(f"**{controls.escaped(upload.name)}**, read by {upload.reader}")
    return {"file": upload.id, **_columns(upload)}


def _take(name: str, data: bytes) -> None:
    """Keep the parsed file, forget the bytes."""
    try:
        with st.spinner("Reading the file …"):
            upload = store(data, name, session.home(), session.sandbox())
            prune(session.home())
    except DataError as wrong:
        session.notice(str(wrong))
    else:
        session.uploaded("file", upload.id)
    session.next_upload()
    st.rerun()


def _columns(upload: Upload) -> dict[str, str]:
    names = [table.name for table in upload.tables]
    table = names[0]
    if len(names) > 1:
        session.forget_unless("table", names)
        table = st.selectbox(
            "Table",
            names,
            names.index(_likely(upload)),
            key="table",
            bind="query-params",
            format_func=lambda name: _described(upload, name),
        )
    for skipped in upload.skipped:
        st.caption(controls.escaped(f"Left out: {skipped.name} ({skipped.why})"))
    layout = recognise(read_table(upload, table))
    st.caption(controls.escaped(layout.summary))
    return {"table": table, "target": _target(upload, layout)}


def _likely(upload: Upload) -> str:
    """The table that probably holds the days."""
    wide = [table.name for table in upload.tables if table.columns >= MINUTES]
    return PREFERRED if PREFERRED in wide else (wide or [upload.tables[0].name])[0]


def _described(upload: Upload, name: str) -> str:
    table = next(t for t in upload.tables if t.name == name)
    return f"{name}: {table.rows} × {table.columns}"


def _target(upload: Upload, layout: Layout) -> str:
    if not layout.targets:
        raise DataError(
            f"{upload.name} has no column to predict; add one beside the minutes, such as BMI"
        )
    options = list(layout.targets)
    start = options.index(layout.target) if layout.target in options else 0
    session.forget_unless("target", options)
    return st.selectbox("Predict", options, start, key="target", bind="query-params")


def _text() -> str:
    choice = st.radio(
        "Text",
        ["built-in", "own"],
        format_func={"built-in": "The lighthouse (built in)", "own": "My own"}.__getitem__,
        key="which_text",
        bind="query-params",
        horizontal=True,
    )
    if choice == "built-in":
        return ""
    pasted = st.text_area("Paste a text", key="pasted", height=160, persist_state="session")
    if pasted.strip():
        session.uploaded("text", store_text(pasted, session.home()))
    text_id = session.upload_id("text")
    if not text_id:
        raise DataError("the text is empty; paste at least a few hundred characters")
    return text_id
