"""From an uploaded file and the settings to days: the table, its layout, what is joined to it."""

from dataclasses import dataclass
from pathlib import Path

from rnnviz.config import DataConfig
from rnnviz.data.arranged import Arranged
from rnnviz.data.days import Days
from rnnviz.data.join import join
from rnnviz.data.layout import Layout, recognise
from rnnviz.data.layouts import arrange
from rnnviz.data.table import to_days
from rnnviz.data.uploads import Upload, open_upload, read_table
from rnnviz.errors import DataError

PREFERRED = "MINdata_1440"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """One table of an upload as it will be used."""

    upload: Upload
    name: str  # of the table
    table: Arranged

    def layout(self, config: DataConfig) -> Layout:
        """What its columns are, by the settings.

        Raises:
            DataError: a column that is chosen cannot serve.
        """
        return recognise(self.table, config)


def load(config: DataConfig, home: Path) -> Days:
    """The days of an uploaded file, by the settings.

    Raises:
        DataError: the file is gone, no table in it has minutes or several have, or its content
            cannot be used.
    """
    read = read_upload(config, home)
    return to_days(read.table, read.layout(config), config, name=f"{read.upload.name}: {read.name}")


def read_upload(config: DataConfig, home: Path) -> Opened:
    """The settings' table of the settings' file, with what is joined to it.

    Raises:
        DataError: as of load, but for what the columns are.
    """
    upload = open_upload(home, config.file)
    name, table = _chosen_table(upload, config)
    if config.join:
        table = _joined(table, upload, config, home)
    return Opened(upload=upload, name=name, table=table)


def _joined(table: Arranged, upload: Upload, config: DataConfig, home: Path) -> Arranged:
    """The days of either file with what the other one knows of people."""
    second = open_upload(home, config.join)
    names = [t.name for t in second.tables]
    if len(names) > 1:
        raise DataError(
            f"{second.name} holds {len(names)} tables ({', '.join(names)}); save the one that is "
            "to be joined alone"
        )
    other = arrange(read_table(second, names[0]))
    if table.layout == "people" and other.layout != "people":
        return join(other, table, upload.name, config.person)
    return join(table, other, second.name, config.person)


def _chosen_table(upload: Upload, config: DataConfig) -> tuple[str, Arranged]:
    """The settings' table, or the one that has minutes.

    Raises:
        DataError: none has, or several have and none is named as in the study's files.
    """
    if config.table or len(upload.tables) == 1:
        name = config.table or upload.tables[0].name
        return name, arrange(read_table(upload, name), config.layout)
    fitting = tables_of_days(upload, config.layout)
    names = ", ".join(fitting or [t.name for t in upload.tables])
    if PREFERRED in fitting:
        return PREFERRED, fitting[PREFERRED]
    if len(fitting) == 1:
        return next(iter(fitting.items()))
    if fitting:
        raise DataError(
            f"{upload.name} holds {len(fitting)} tables of minutes ({names}); choose one"
        )
    raise DataError(
        f"{upload.name} holds {len(upload.tables)} tables ({names}), but none with 1440 minute "
        "columns; give one row per person or day with columns such as MIN1 to MIN1440"
    )


def tables_of_days(upload: Upload, layout: str = "auto") -> dict[str, Arranged]:
    """Every table of the file that holds days."""
    found = {}
    for each in upload.tables:
        try:
            table = arrange(read_table(upload, each.name), layout)
        except DataError:
            continue
        if table.values.shape[1]:
            found[each.name] = table
    return found
