"""R files (.rda, .RData, .rds) as Arrow tables; the only importer of rdata and pyreadr.

Both are imported inside of functions, so that only the sandbox's child loads them. The package
rdata is used for its parser alone: it gives every object of a file, whole numbers with their
gaps, and column names that occur twice, where pyreadr silently keeps the last of them, drops what
follows a function and may crash. pyreadr is the second reader, for what the first cannot parse.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pyarrow as pa

from rnnviz.data.delimited import check_names, too_many_cells
from rnnviz.data.sandbox import Skipped
from rnnviz.errors import DataError


@dataclass(frozen=True, kw_only=True)
class RTable:
    """One table of an R file."""

    name: str
    kind: str  # "data frame" or "matrix"
    table: pa.Table


@dataclass(frozen=True, kw_only=True)
class RFile:
    """The tables of an R file, and what else it holds."""

    tables: tuple[RTable, ...]
    skipped: tuple[Skipped, ...]


def read_r(path: Path, name: str, reader: str, *, most_cells: int) -> RFile:
    """Every table of an uncompressed R file.

    Args:
        path: the file.
        name: its name, for messages and for the object of an .rds file, which has none.
        reader: "rdata" or "pyreadr".
        most_cells: the most cells of a table.

    Raises:
        DataError: no object in it is a table that can be read.
        Exception: anything, where the reader cannot parse the file; try the next reader.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about names that do not fit the content
        read = {"rdata": _read_tree, "pyreadr": _read_pyreadr}[reader](path, name, most_cells)
    if not read.tables:
        found = "; ".join(f"{s.name or name} {s.why}" for s in read.skipped[:5]) or "it is empty"
        raise DataError(
            f"{name} holds no table that can be read ({found}); save a data frame with at least "
            "2 rows in R by save() or saveRDS()"
        )
    return read


def preload() -> None:
    """Imports both readers, so that a parse need not."""
    import pyreadr  # noqa: F401
    import rdata  # noqa: F401


def _nameless(name: str) -> str:
    """What the object of an .rds file is called."""
    return PurePath(name).name.split(".")[0] or "table"


# --- rdata: the tree of objects, and tables out of it -------------------------------------------


def _read_tree(path: Path, name: str, most_cells: int) -> RFile:
    import rdata

    tables: list[RTable] = []
    skipped: list[Skipped] = []
    tree = rdata.parser.parse_file(path).object
    for label, node in _objects(tree, _nameless(name)):
        try:
            kind, table, lost = _table(node, most_cells)
            tables.append(RTable(name=label, kind=kind, table=table))
            skipped += [Skipped(name=f"{label}${column}", why=_NO_COLUMN) for column in lost]
        except DataError as wrong:
            skipped.append(Skipped(name=label, why=str(wrong).strip()))
    return RFile(tables=tuple(tables), skipped=tuple(skipped))


def _objects(tree: Any, nameless: str) -> Iterator[tuple[str, Any]]:
    """Named objects at the top, and those inside of plain lists as list$name."""
    named = dict(_pairs(tree)) if tree.info.type.name == "LIST" else {nameless: tree}
    for name, node in named.items():
        yield from _inside(name, node, depth=0)


def _inside(name: str, node: Any, depth: int) -> Iterator[tuple[str, Any]]:
    attributes = _attributes(node)
    parts = node.value if node.info.type.name == "VEC" and "class" not in attributes else []
    if depth > 2 or not any(_is_table(part) for part in parts):
        yield name, node
        return
    names = _strings(attributes["names"]) if "names" in attributes else []
    for k, part in enumerate(parts):
        inner = names[k] if k < len(names) and names[k] else str(k + 1)
        yield from _inside(f"{name}${inner}", part, depth + 1)


def _is_table(node: Any) -> bool:
    return "data.frame" in _class(node) or len(_numbers(_attributes(node).get("dim"))) == 2


def _pairs(node: Any) -> Iterator[tuple[str, Any]]:
    """Tags and values of a pairlist."""
    while node is not None and node.info.type.name == "LIST":
        value, rest = node.value
        yield _symbol(node.tag), value
        node = rest


def _symbol(node: Any) -> str:
    while node is not None and node.info.type.name == "REF":
        node = node.referenced_object
    return _text(node.value) or "" if node is not None else ""


def _attributes(node: Any) -> dict[str, Any]:
    return dict(_pairs(node.attributes))


_LATIN1 = 1 << 2  # flag of a string in R's own format


def _text(char: Any) -> str | None:
    if char.value is None:
        return None
    if char.info.gp & _LATIN1:
        return char.value.decode("latin-1")
    try:
        return char.value.decode("utf-8")
    except UnicodeDecodeError:
        return char.value.decode("latin-1")


def _strings(node: Any) -> list[str]:
    return [_text(char) or "" for char in node.value]


def _numbers(node: Any) -> list[int]:
    return [] if node is None else [int(v) for v in np.asarray(node.value)]


def _class(node: Any) -> list[str]:
    attributes = _attributes(node)
    return _strings(attributes["class"]) if "class" in attributes else []


_NO_COLUMN = "is a column of a kind that cannot be read"
_WORDS = {
    "CLO": "is a function",
    "SPECIAL": "is a function",
    "BUILTIN": "is a function",
    "ENV": "is an environment",
    "VEC": "is a list without data frames",
    "LIST": "is a list without data frames",
    "S4": "is an S4 object",
    "LANG": "is an expression",
    "EXPR": "is an expression",
    "NILVALUE": "is NULL",
}


def _table(node: Any, most_cells: int) -> tuple[str, pa.Table, list[str]]:
    """The object's kind, its table, and the columns that could not be read.

    Raises:
        DataError: it is no table; the text continues the object's name.
    """
    lost: list[str] = []
    if "data.frame" in _class(node):
        kind = "data frame"
        columns, lost = _frame_columns(node)
    elif _is_table(node) and isinstance(node.value, np.ndarray):
        kind, columns = "matrix", _matrix_columns("", node)
    else:
        raise DataError(_what(node))
    lengths = {len(values) for _, values in columns}
    rows = max(lengths, default=0)
    if len(lengths) > 1:
        raise DataError("has columns of unequal length, so the file is cut off or damaged")
    if rows < 2:
        raise DataError("has no rows" if rows == 0 else "has only one row")
    if (cells := rows * len(columns)) > most_cells:
        raise DataError(too_many_cells("", rows, len(columns), cells, most_cells))
    names = [name for name, _ in columns]
    check_names(names, "")
    return kind, pa.table([values for _, values in columns], names=names), lost


def _what(node: Any) -> str:
    """What an object is that is no table."""
    kind, classes = node.info.type.name, _class(node)
    if classes and kind in ("VEC", "S4"):
        return f"is an object of class {classes[0]}"
    size = len(node.value) if isinstance(node.value, list | np.ndarray) else 0
    return _WORDS.get(kind, f"is a vector of {size:,} values")


Columns = list[tuple[str, pa.Array]]


def _frame_columns(node: Any) -> tuple[Columns, list[str]]:
    """A data frame's columns, and the names of those that could not be read."""
    attributes = _attributes(node)
    names = _strings(attributes["names"]) if "names" in attributes else []
    columns: Columns = []
    lost: list[str] = []
    for name, column in zip(names, node.value, strict=True):
        found = _column(name, column)
        columns += found
        lost += [] if found else [name]
    return columns, lost


def _column(name: str, node: Any) -> Columns:
    """What one column of a data frame becomes: one column, several, or none."""
    if "data.frame" in _class(node):
        return [(f"{name}.{inner}", values) for inner, values in _frame_columns(node)[0]]
    if len(_numbers(_attributes(node).get("dim"))) == 2:
        return _matrix_columns(name, node)
    if node.info.type.name == "VEC":
        return _list_columns(name, node)
    values = _vector(node)
    return [] if values is None else [(name, values)]


def _matrix_columns(name: str, node: Any) -> Columns:
    """A matrix's columns under their own names, or numbered from 1 after the matrix's name."""
    rows, width = _numbers(_attributes(node)["dim"])
    values = node.value
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fib":
        raise DataError("is a matrix that does not hold numbers")
    if values.size != rows * width:
        raise DataError("is shorter than its own header says, so the file is cut off or damaged")
    labels: list[str] = []
    dimnames = _attributes(node).get("dimnames")
    if dimnames is not None and dimnames.value[1].info.type.name == "STR":
        labels = _strings(dimnames.value[1])
    stem = f"{name}." if name else "V"
    labels = labels or [f"{stem}{k + 1}" for k in range(width)]
    by_column = values.reshape(width, rows)  # R stores one column after the other
    return [(label, _to_arrow(column)) for label, column in zip(labels, by_column, strict=True)]


def _list_columns(name: str, node: Any) -> Columns:
    """A column that holds one series of numbers per row, all of one length."""
    series = [part.value for part in node.value]
    alike = series and all(
        isinstance(s, np.ndarray) and s.dtype.kind in "fi" and len(s) == len(series[0])
        for s in series
    )
    if not alike or _class(node) not in ([], ["AsIs"]):
        return []
    block: np.ndarray = np.ma.filled(
        np.ma.stack([np.ma.asarray(s, dtype=float) for s in series]), np.nan
    )
    return [(f"{name}.{k + 1}", pa.array(block[:, k])) for k in range(block.shape[1])]


def _to_arrow(values: np.ndarray) -> pa.Array:
    if isinstance(values, np.ma.MaskedArray):
        return pa.array(values.data, mask=np.ma.getmaskarray(values))
    return pa.array(values)


def _vector(node: Any) -> pa.Array | None:
    """One column's values; None for kinds that are no column of numbers, text or dates."""
    if node.info.type.name == "STR":
        return pa.array([_text(char) for char in node.value], type=pa.string())
    if not isinstance(node.value, np.ndarray) or node.value.dtype.kind not in "fib":
        return None
    for name, convert in CLASSES.items():
        if name in _class(node):
            return convert(node)
    return _to_arrow(node.value)


def _factor(node: Any) -> pa.Array:
    """Codes from 1 into the levels; a gap has no level."""
    levels = _strings(_attributes(node)["levels"])
    codes = np.ma.filled(np.ma.asarray(node.value), 0).astype(np.int32)
    if codes.size and not (codes.min() >= 0 and codes.max() <= len(levels)):
        raise DataError("has a factor whose codes are not among its levels, so it is damaged")
    index = pa.array(codes - 1, mask=codes == 0)
    return pa.DictionaryArray.from_arrays(index, pa.array(levels, type=pa.string()))


def _instant(node: Any, unit: int) -> pa.Array:
    """Days or seconds since 1970 as microseconds; `unit` is their length [us]."""
    values: np.ndarray = np.ma.filled(np.ma.asarray(node.value, dtype=float), np.nan)
    known = np.isfinite(values)
    known &= np.abs(np.where(known, values, 0)) * unit < 2.0**62
    whole = np.where(known, np.round(np.where(known, values, 0) * unit), 0).astype(np.int64)
    return pa.array(whole, mask=~known).cast(pa.timestamp("us"))


def _integer64(node: Any) -> pa.Array:
    """Whole numbers that the package bit64 keeps in the bits of doubles."""
    values = node.value.view(np.int64)
    return pa.array(values, mask=values == np.iinfo(np.int64).min)


def _labelled(node: Any) -> pa.Array:
    """What haven reads from SAS, SPSS and Stata: words where every value has its label."""
    labels = _attributes(node).get("labels")
    if not isinstance(node.value, np.ndarray) or labels is None:
        return _to_arrow(node.value)
    names = _strings(_attributes(labels)["names"])
    values: np.ndarray = np.ma.filled(np.ma.asarray(node.value, dtype=float), np.nan)
    same = values[:, None] == np.asarray(labels.value, dtype=float)
    known = ~np.isnan(values)
    if len(set(names)) < len(names) or not (same.any(axis=1) == known).all():
        return _to_arrow(node.value)
    index = pa.array(same.argmax(axis=1).astype(np.int32), mask=~known)
    return pa.DictionaryArray.from_arrays(index, pa.array(names, type=pa.string()))


CLASSES: Mapping[str, Callable[[Any], pa.Array]] = {
    "factor": _factor,
    "Date": lambda node: _instant(node, 86_400_000_000),
    "POSIXct": lambda node: _instant(node, 1_000_000),
    "integer64": _integer64,
    "haven_labelled": _labelled,
}


# --- pyreadr ------------------------------------------------------------------------------------


def _read_pyreadr(path: Path, name: str, most_cells: int) -> RFile:
    import pyreadr

    tables: list[RTable] = []
    skipped: list[Skipped] = []
    for key, frame in pyreadr.read_r(str(path)).items():
        label = key or _nameless(name)
        rows, columns = frame.shape
        if rows < 2:
            skipped.append(Skipped(name=label, why="has fewer than 2 rows"))
            continue
        if rows * columns > most_cells:
            why = too_many_cells("", rows, columns, rows * columns, most_cells).strip()
            skipped.append(Skipped(name=label, why=why))
            continue
        frame.columns = [str(c) for c in frame.columns]
        # Whole numbers and yes/no with gaps come as objects.
        loose = frame.select_dtypes(object).columns
        frame[loose] = frame[loose].convert_dtypes()
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
        tables.append(RTable(name=label, kind="data frame", table=table))
    return RFile(tables=tuple(tables), skipped=tuple(skipped))
