"""Tables as Arrow files whose many alike columns lie in one block, and back to data frames.

A day by the minute has 1,440 columns; as one block they are written and read in a few
milliseconds. No network, no file formats of others.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from rnnviz.errors import DataError

_CELLS_AT_ONCE = 2_000_000  # of all columns: 16 MB, and as much again while they are packed
_MOST_ROWS = 4096
_WIDE = 16  # alike columns from which a block pays
_META = b"rnnviz"


def write_table(table: pa.Table, path: Path) -> None:
    """Writes the table with its alike numeric columns packed into blocks.

    A whole-number column with gaps becomes floating point with NaN, as in pandas.
    """
    groups: dict[pa.DataType, list[str]] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if (kind := _kept_as(column)) is not None:
            groups.setdefault(kind, []).append(name)
    blocks = {kind: names for kind, names in groups.items() if len(names) >= _WIDE}
    packed = {name for names in blocks.values() for name in names}
    rest = [name for name in table.column_names if name not in packed]
    meta = {"order": table.column_names, "blocks": list(blocks.values()), "rest": rest}
    writer = None
    with pa.OSFile(str(path), "wb") as sink:
        for batch in _batches(table, blocks, rest):
            if writer is None:
                schema = batch.schema.with_metadata({_META: json.dumps(meta).encode()})
                options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
                writer = pa.ipc.new_file(sink, schema, options=options)
            writer.write_batch(batch.replace_schema_metadata({_META: json.dumps(meta).encode()}))
        assert writer is not None
        writer.close()


def _kept_as(column: pa.ChunkedArray) -> pa.DataType | None:
    """The type of a column of numbers as it is read back; None of others."""
    if pa.types.is_null(column.type):
        return pa.float64()
    if pa.types.is_integer(column.type):
        return pa.float64() if column.null_count else column.type
    return column.type if pa.types.is_floating(column.type) else None


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as it is read back: no gaps in numbers but NaN."""
    kind = _kept_as(column)
    if kind is None:
        return column
    values = np.full(len(column), np.nan)
    if not pa.types.is_null(column.type):
        values = column.to_numpy().astype(kind.to_pandas_dtype())
    return pa.chunked_array([pa.array(_with_plain_gaps(values))])


def _with_plain_gaps(values: np.ndarray) -> np.ndarray:
    """R marks NA by a signalling NaN, of which any later arithmetic would warn."""
    if np.issubdtype(values.dtype, np.floating):
        values[np.isnan(values)] = np.nan
    return values


def _batches(
    table: pa.Table, blocks: Mapping[pa.DataType, list[str]], rest: list[str]
) -> Iterator[pa.RecordBatch]:
    """Rows in portions, so that a large table is never in memory twice."""
    others = pa.table({name: _plain(table.column(name)) for name in rest}).unify_dictionaries()
    names = [f"block {k}" for k in range(len(blocks))]
    names += [f"column {k}" for k in range(len(rest))]
    rows = min(_MOST_ROWS, max(1, _CELLS_AT_ONCE // max(1, table.num_columns)))
    packed = [table.select(of_block) for of_block in blocks.values()]
    for start in range(0, max(1, table.num_rows), rows):
        arrays = [_block(t.slice(start, rows), k) for t, k in zip(packed, blocks, strict=True)]
        arrays += [_whole(column) for column in others.slice(start, rows).columns]
        yield pa.record_batch(arrays, names=names)
        del arrays  # else they would stay while the next ones are made


def _whole(column: pa.ChunkedArray) -> pa.Array:
    found = column.combine_chunks()
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _block(part: pa.Table, kind: pa.DataType) -> pa.Array:
    """The columns side by side, row after row."""
    values = np.empty((part.num_rows, part.num_columns), dtype=kind.to_pandas_dtype())
    for k, column in enumerate(part.columns):
        values[:, k] = np.nan if pa.types.is_null(column.type) else column.to_numpy()
    flat = _with_plain_gaps(values).ravel()
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), part.num_columns)


def read_frame(path: Path) -> pd.DataFrame:
    """The table that write_table wrote, its columns in their first order.

    Raises:
        DataError: the file is gone or is not one of ours.
    """
    try:
        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_file(source).read_all()
        # It was written by a process that had read a stranger's file.
        table.validate(full=True)
        meta = json.loads(table.schema.metadata[_META])
        blocks, rest = list(meta["blocks"]), list(meta["rest"])
        table = table.rename_columns([*_labels("block", blocks), *_labels("column", rest)])
        parts = [
            pd.DataFrame(_unblock(table.column(k), len(names)), columns=names, copy=False)
            for k, names in enumerate(blocks)
        ]
        if rest:
            parts.append(_to_pandas(table.select(_labels("column", rest)), rest))
        frame = parts[0] if len(parts) == 1 else pd.concat(parts, axis=1)
        order = list(meta["order"])
        return frame if list(frame.columns) == order else frame[order]
    except (OSError, KeyError, TypeError, ValueError, pa.ArrowException):
        raise DataError(
            "the stored table cannot be read; a file is kept only for a while, so upload it again"
        ) from None


def _labels(word: str, items: list[Any]) -> list[str]:
    return [f"{word} {k}" for k in range(len(items))]


def _unblock(column: pa.ChunkedArray, width: int) -> np.ndarray:
    dtype = column.type.value_type.to_pandas_dtype()
    values = np.empty((len(column), width), dtype=dtype)
    row = 0
    for chunk in column.chunks:
        values[row : row + len(chunk)] = chunk.flatten().to_numpy().reshape(len(chunk), width)
        row += len(chunk)
    return values


def _to_pandas(table: pa.Table, names: list[str]) -> pd.DataFrame:
    nullable = {pa.bool_(): pd.BooleanDtype()}
    frame = table.to_pandas(types_mapper=nullable.get, use_threads=False)
    frame.columns = names
    return frame


def describe_types(table: pa.Table) -> str:
    """The kinds of columns in words, such as "1442 numbers, 2 factors"."""
    counts: dict[str, int] = {}
    for field in table.schema:
        kind = _kind(field.type)
        counts[kind] = counts.get(kind, 0) + 1
    return ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in counts.items())


def _kind(type_: pa.DataType) -> str:
    if pa.types.is_dictionary(type_):
        return "factor"
    if pa.types.is_boolean(type_):
        return "yes/no column"
    if pa.types.is_temporal(type_):
        return "date or time column"
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return "text column"
    return "number column"
