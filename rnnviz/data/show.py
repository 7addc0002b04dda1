"""What is recognised in a file, as `rnnviz data show` says it."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from rnnviz.config import DataConfig
from rnnviz.data import kinds
from rnnviz.data.layout import Layout
from rnnviz.data.quality import clean
from rnnviz.data.reading import Opened, read_upload, tables_of_days
from rnnviz.data.table import ids_of, kept_rows
from rnnviz.data.uploads import Upload, open_upload
from rnnviz.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One file in a few numbers; the fields are the keys of the JSON."""

    rows: int  # people, days, values of a series
    steps: int  # of a day; 0 where the table holds no days
    id: str | None
    target: str | None
    covariates: tuple[str, ...]
    mean: float | None  # of all values of all steps, missing ones left out
    missing: int  # values of steps, or of a series
    layout: str
    reader: str
    objects: tuple[dict[str, Any], ...]  # name, kind, rows, columns, types
    skipped: tuple[dict[str, Any], ...]  # name, why
    notes: tuple[str, ...]


def show(config: DataConfig, home: Path) -> tuple[str, Shown]:
    """One sentence and the numbers.

    Of several tables with minutes the first is shown, and a note says so.

    Raises:
        DataError: the file cannot be read, or nothing that is known is in it.
    """
    found = kinds.find(config, home)
    if found is not None:
        return found.summary, _shown_kind(found, open_upload(home, config.file))
    config, notes = _with_table(config, home)
    read = read_upload(config, home)
    return read.layout(config).summary, _shown(read, config, notes)


def _shown_kind(found: kinds.Recognised, upload: Upload) -> Shown:
    return Shown(
        rows=found.rows,
        steps=0,
        id=None,
        target=found.target,
        covariates=(),
        mean=found.mean,
        missing=found.missing,
        layout=found.layout,
        notes=(*upload.notes, *found.notes, *found.examples),
        **_of_upload(upload),
    )


def _of_upload(upload: Upload) -> dict[str, Any]:
    """What the fields of the same names say of the file."""
    return {
        "reader": upload.reader,
        "objects": tuple(
            {"name": t.name, "kind": t.kind, "rows": t.rows, "columns": t.columns, "types": t.types}
            for t in upload.tables
        ),
        "skipped": tuple(asdict(s) for s in upload.skipped),
    }


def _with_table(config: DataConfig, home: Path) -> tuple[DataConfig, tuple[str, ...]]:
    """The settings with a table chosen where several would serve."""
    upload = open_upload(home, config.file)
    if config.table or len(upload.tables) == 1:
        return config, ()
    fitting = tuple(tables_of_days(upload, config.layout))
    try:
        return replace(config, table=read_upload(config, home).name), ()
    except DataError:
        if len(fitting) < 2:
            raise
    note = f"{len(fitting)} tables hold minutes ({', '.join(fitting)}); this is the first"
    return replace(config, table=fitting[0]), (note,)


def _shown(read: Opened, config: DataConfig, notes: tuple[str, ...]) -> Shown:
    values, layout, upload = read.table.values, read.layout(config), read.upload
    missing = int(np.isnan(values).sum())
    known = values.size > missing
    return Shown(
        rows=layout.rows,
        steps=values.shape[1],
        id=layout.person,
        target=layout.target or None,
        covariates=layout.covariates,
        mean=float(np.nanmean(values, dtype=np.float64)) if known else None,
        missing=missing,
        layout=layout.name,
        notes=(*notes, *upload.notes, *_counted(read, layout, config), *layout.left_out),
        **_of_upload(upload),
    )


def _counted(read: Opened, layout: Layout, config: DataConfig) -> tuple[str, ...]:
    """What is remarkable about the values, and about how they were laid out."""
    table = read.table
    if not table.values.shape[1]:
        return table.notes
    quality = clean(table.values, table.wear, ids_of(table.others, layout.person), config).quality
    unused = kept_rows(table, layout, layout.target)[1]
    return (*unused, *quality.notes(config), *table.notes)
