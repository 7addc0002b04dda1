"""The process that reads tables of strangers: python -m rnnviz.data.sandbox_child, by a Sandbox."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from rnnviz.data import frames, rdata
from rnnviz.data.columnar import read_parquet, read_sas
from rnnviz.data.delimited import read_delimited
from rnnviz.data.forms import FORMS, form_by_name
from rnnviz.data.sandbox import RESULT, Limits, Parsed, ParsedTable, Skipped
from rnnviz.data.sandbox_serve import Task, serve
from rnnviz.data.unpack import member_of, unpack


def main() -> None:
    """Reads tables."""
    rdata.preload()
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    serve(Task(readers=_readers, parse=_parse, causes=CAUSES))


def _readers(name: str) -> tuple[str, ...]:
    form = form_by_name(name)
    return tuple(JOBS) if form == "zip" else FORMS[form].readers


# Why a reader came to no verdict, the most telling first.
CAUSES = {
    "disk": "{name} cannot be kept now: the server's disk is full; try again later",
    "wall": "{name} takes longer than {wall_seconds:g} s to read, the most that is allowed; keep "
    "only the rows and columns that are needed and save it again",
    "memory": "{name} needs more memory than the {memory} that reading a file may use; keep only "
    "the rows and columns that are needed and save it again",
    "cpu": "{name} takes more than {cpu_seconds} s of computing to read, the most that is allowed; "
    "keep only the rows and columns that are needed and save it again",
    "crash": "{name} makes its reader crash, so it is damaged or made to do harm; save it again "
    "and upload the new file",
    "damage": "{name} is cut off or damaged, or holds what no reader knows; save it again and "
    "upload the new file",
}


class Content(NamedTuple):
    """What a reader found."""

    tables: tuple[rdata.RTable, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


def _read_r(path: Path, _: Path, name: str, reader: str, limits: Limits) -> Content:
    found = rdata.read_r(path, name, reader, most_cells=limits.cells)
    return Content(found.tables, found.skipped)


def _read_text(path: Path, into: Path, name: str, _: str, limits: Limits) -> Content:
    read = read_delimited(path, name, into, most_cells=limits.cells)
    return Content(_named(name, "text table", read.table), notes=read.notes)


def _read_sas(path: Path, _: Path, name: str, __: str, limits: Limits) -> Content:
    return Content(_named(name, "SAS table", read_sas(path, name, most_cells=limits.cells)))


def _read_parquet(path: Path, _: Path, name: str, __: str, limits: Limits) -> Content:
    found = read_parquet(path, name, most_cells=limits.cells)
    why = "is a column of a kind that cannot be read"
    skipped = tuple(Skipped(name=column, why=why) for column in found.lost)
    return Content(_named(name, "Parquet table", found.table), skipped)


def _named(name: str, kind: str, table: pa.Table) -> tuple[rdata.RTable, ...]:
    return (rdata.RTable(name=name.split(".")[0] or "table", kind=kind, table=table),)


READERS: Mapping[str, Callable[[Path, Path, str, str, Limits], Content]] = {
    "rdata": _read_r,
    "pyreadr": _read_r,
    "csv": _read_text,
    "pandas": _read_sas,
    "pyarrow": _read_parquet,
}


def _unzip(path: Path, into: Path, name: str, _: str, limits: Limits) -> dict[str, str]:
    """Takes the one table out of an archive; the next fork reads it."""
    bounds = {"most_bytes": limits.unpacked_bytes, "most_ratio": limits.unpack_ratio}
    return {"member": member_of(path, name, into, **bounds)}


JOBS: Mapping[str, Callable[[Path, Path, str, str, Limits], dict[str, str]]] = {"unzip": _unzip}


def _parse(path: Path, into: Path, name: str, reader: str, limits: Limits) -> dict[str, str]:
    """Reads the file and writes its tables and the list of them, or takes it out of its archive."""
    if reader in JOBS:
        return JOBS[reader](path, into, name, reader, limits)
    plain = unpack(
        path, name, into, most_bytes=limits.unpacked_bytes, most_ratio=limits.unpack_ratio
    )
    found = READERS[reader](plain, into, name, reader, limits)
    tables = []
    for k, item in enumerate(found.tables):
        target = into / f"{k}.arrow"
        frames.write_table(item.table, target)
        tables.append(
            ParsedTable(
                name=item.name,
                kind=item.kind,
                rows=item.table.num_rows,
                columns=item.table.num_columns,
                types=frames.describe_types(item.table),
                path=target,
            )
        )
    parsed = Parsed(reader=reader, tables=tuple(tables), skipped=found.skipped, notes=found.notes)
    (into / RESULT).write_text(json.dumps(parsed.to_dict()), "utf-8")
    for leftover in ("unpacked", "recoded"):
        (into / leftover).unlink(missing_ok=True)
    return {}


if __name__ == "__main__":
    main()
