"""Tables as Arrow files whose many alike columns lie in one block, and back to data frames.

A day by the minute has 1,440 columns; as one block they are written and read in a few
milliseconds. No network, no file formats of others.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from rnnviz.errors import DataError

_ROWS_AT_ONCE = 4096
_WIDE = 16  # alike columns from which a block pays
_META = b"rnnviz"


def write_table(table: pa.Table, path: Path) -> None:
    """Writes the table with its alike numeric columns packed into blocks.

    A whole-number column with gaps becomes floating point with NaN, as in pandas.
    """
    table = pa.table({name: _plain(table.column(i)) for i, name in enumerate(table.column_names)})
    groups: dict[str, list[str]] = {}
    for field in table.schema:
        if pa.types.is_floating(field.type) or pa.types.is_integer(field.type):
            groups.setdefault(str(field.type), []).append(field.name)
    blocks = [names for names in groups.values() if len(names) >= _WIDE]
    packed = {name for names in blocks for name in names}
    rest = [name for name in table.column_names if name not in packed]
    meta = {"order": table.column_names, "blocks": blocks, "rest": rest}
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


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """One of the types that are read back: no gaps in whole numbers, no column of nothing."""
    if pa.types.is_null(column.type):
        return pa.chunked_array([pa.array(np.full(len(column), np.nan))])
    if pa.types.is_integer(column.type) and column.null_count:
        column = column.cast(pa.float64(), safe=False)
    if pa.types.is_floating(column.type):
        values = column.to_numpy()
        gaps = np.isnan(values)
        if gaps.any():
            # R marks NA by a signalling NaN, of which any later arithmetic would warn.
            return pa.chunked_array([pa.array(np.where(gaps, np.nan, values))])
    return column


def _batches(table: pa.Table, blocks: list[list[str]], rest: list[str]) -> Iterator[pa.RecordBatch]:
    """Rows in portions, so that a large table is never in memory twice."""
    rest_table = table.select(rest).unify_dictionaries()
    for start in range(0, max(1, table.num_rows), _ROWS_AT_ONCE):
        part = table.slice(start, _ROWS_AT_ONCE)
        arrays: list[pa.Array] = [_block(part, names) for names in blocks]
        arrays += [c.combine_chunks() for c in rest_table.slice(start, _ROWS_AT_ONCE).columns]
        flat = [a.combine_chunks() if isinstance(a, pa.ChunkedArray) else a for a in arrays]
        names = [f"block {k}" for k in range(len(blocks))]
        names += [f"column {k}" for k in range(len(rest))]
        yield pa.record_batch(flat, names=names)


def _block(part: pa.Table, names: list[str]) -> pa.Array:
    """The columns side by side, row after row."""
    dtype = part.schema.field(names[0]).type.to_pandas_dtype()
    values = np.empty((part.num_rows, len(names)), dtype=dtype)
    for k, name in enumerate(names):
        values[:, k] = part.column(name).to_numpy()
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), len(names))


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
