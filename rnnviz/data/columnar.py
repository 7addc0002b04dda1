"""SAS transport (.xpt) and Parquet files as Arrow tables. Called in the sandbox's child only."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from rnnviz.data.delimited import check_names, too_many_cells
from rnnviz.errors import DataError

_INDEX = "__index_level_0__"  # of pandas, which numbers the rows
_ZERO = 1e-70  # a SAS zero comes as 5.4e-79, and no smaller number can stand in a SAS file


def read_sas(path: Path, name: str, *, most_cells: int) -> pa.Table:
    """The table of a SAS transport file, version 5, which is what the CDC gives.

    Raises:
        DataError: no rows, or too many cells.
        Exception: anything, where it is damaged.
    """
    with pd.read_sas(path, format="xport", iterator=True) as reader:
        _check(name, list(reader.columns), reader.nobs, most_cells)
        frame = reader.read()
    for column in frame.columns:
        values = frame[column]
        if pd.api.types.is_float_dtype(values):
            frame[column] = np.where(np.abs(values) < _ZERO, 0.0, values)
        else:
            frame[column] = [_text(v) for v in values]
    table = pa.Table.from_pandas(frame, preserve_index=False)
    return table.replace_schema_metadata()


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace") if _is_utf8(value) else value.decode("latin-1")
    text = str(value).strip() if isinstance(value, str) else ""
    return text or None


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class ParquetTable(NamedTuple):
    """A table, and the columns that could not be read."""

    table: pa.Table
    lost: tuple[str, ...]


def read_parquet(path: Path, name: str, *, most_cells: int) -> ParquetTable:
    """The columns of a Parquet file that hold numbers, text, dates or yes/no.

    Raises:
        DataError: no rows, no such columns, columns of one name, or too many cells.
        Exception: anything, where it is damaged.
    """
    with pq.ParquetFile(path, memory_map=True) as file:
        schema = file.schema_arrow
        _check(name, schema.names, file.metadata.num_rows, most_cells)
        kept = [f.name for f in schema if _is_plain(f.type) and f.name != _INDEX]
        table = file.read(columns=kept, use_threads=False)
    if not kept:
        raise DataError(f"{name} holds no columns of numbers or text; save a table of them")
    named = dict(zip(kept, map(_simple, table.columns), strict=True))
    lost = tuple(n for n in schema.names if n not in named and n != _INDEX)
    return ParquetTable(pa.table(named), lost)


def _check(name: str, columns: list[str], rows: int, most_cells: int) -> None:
    check_names(columns, name)
    if rows < 2:
        raise DataError(
            f"{name} holds {'one row' if rows == 1 else 'no rows'}; at least 2 rows are needed, so "
            "check that the file was saved whole"
        )
    if (cells := rows * len(columns)) > most_cells:
        raise DataError(too_many_cells(name, rows, len(columns), cells, most_cells))


def _is_plain(kind: pa.DataType) -> bool:
    types = pa.types
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_dictionary(kind)
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    return text or number or types.is_boolean(kind) or types.is_temporal(kind)


def _simple(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """One of the types that text tables have as well."""
    kind = column.type
    if pa.types.is_decimal(kind) or pa.types.is_float16(kind):
        return column.cast(pa.float64())
    if pa.types.is_large_string(kind):
        return column.cast(pa.string())
    return column
