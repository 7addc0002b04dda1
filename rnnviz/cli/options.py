"""What commands share: where things are kept, settings as options, files given by their paths."""

import argparse
import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from rnnviz.config import SUGGESTED, Choice, DataConfig, Knob, Setting, Switch, settings_of
from rnnviz.errors import DataError

if TYPE_CHECKING:
    from rnnviz.data.sandbox import Sandbox


def home() -> Path:
    """Where runs, uploads and caches are kept: RNNVIZ_HOME, or the user's data folder."""
    return Path(os.environ.get("RNNVIZ_HOME") or platformdirs.user_data_dir("rnnviz"))


def option(setting: Setting, *, by_source: bool = False) -> dict[str, Any]:
    """What argparse is to know of a setting.

    by_source: nothing is put in where it is not given, as another source begins with another value.
    """
    rule = setting.rule
    text, default = rule.help.replace("%", "%%"), f"default: {setting.default!r}"
    if by_source:
        others = (
            (s, begin[setting.name]) for s, begin in SUGGESTED.items() if setting.name in begin
        )
        default += "".join(f"; {source}: {value!r}" for source, value in others)
    shared = {
        "default": argparse.SUPPRESS if by_source else setting.default,
        "help": f"{text} ({default})",
    }
    if isinstance(rule, Switch):
        return {**shared, "action": argparse.BooleanOptionalAction}
    if isinstance(rule, Choice):
        return {**shared, "choices": list(rule.options)}
    return {**shared, "type": setting.type if isinstance(rule, Knob) else str}


def setting_of(name: str) -> Setting:
    """A setting of the data by its name."""
    return next(setting for setting in settings_of(DataConfig) if setting.name == name)


def sandbox() -> contextlib.AbstractContextManager["Sandbox"]:
    """Where files are parsed; one at a time."""
    from rnnviz.data.sandbox import Sandbox  # pandas and Arrow take a second to import

    return Sandbox(helpers=1)


def stored(given: str, home: Path, sandbox: "Sandbox") -> str:
    """The id of a file on this machine, once it is read and kept."""
    from rnnviz.data.uploads import store

    path = Path(given)
    try:
        data = path.read_bytes()
    except OSError:
        raise DataError(
            f"there is no file {given} that can be read; give the path of an R file or a table"
        ) from None
    return store(data, path.name, home, sandbox).id


def with_files(values: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Paths given as --file and --join are read and stored as uploads; the settings hold ids."""
    data = values["data"]
    given = {name: data[name] for name in ("file", "join") if _is_path(data[name])}
    if not given:
        return values
    for path in given.values():
        if not Path(path).is_file():
            raise DataError(
                f"there is no file {path}; give the path of an R file, a table or a text"
            )
    from rnnviz.data.uploads import store_text

    if data["source"] == "text" and "file" in given:
        text = Path(data["file"]).read_text("utf-8", errors="replace")
        return {**values, "data": {**data, "file": store_text(text, home())}}
    with sandbox() as running:
        ids = {name: stored(path, home(), running) for name, path in given.items()}
    return {**values, "data": {**data, **ids, "source": "file"}}


def _is_path(given: str) -> bool:
    """Not nothing, and not what the app has stored already."""
    return bool(given) and (Path(given).exists() or not re.fullmatch(r"[0-9a-f]{20}", given))
