"""Text tables (CSV, TSV) as Arrow tables: what is read is what the file holds, or it is refused.

Called in the sandbox's child only.
"""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from rnnviz.data.steps import alike
from rnnviz.data.unpack import utf16_without_mark
from rnnviz.errors import DataError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MISSING = ["NA", "", "NaN", "nan", "<NA>", "N/A", "#N/A", "NULL", "null", "."]
_HEAD = 4096
_PIECE = 1 << 22
_SAMPLE = 1 << 20
_QUOTE, _LF, _CR = 34, 10, 13
_FEWEST_ALIKE = 24  # columns of one name with numbers, such as hours, that must hold numbers
_MOST_PREAMBLE = 40  # rows above the header
_NUMBER = re.compile(r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?")
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
_AFTER_QUOTE = re.compile(rb'(?:^|\t)"(?:[^"]|"")*"[^\t\r\n"]')


@dataclass(frozen=True, kw_only=True)
class Delimited:
    """A text table with how it was read."""

    table: pa.Table
    delimiter: str
    encoding: str
    decimal: str
    preamble: int = 0  # records above the header, which are not read

    @property
    def notes(self) -> tuple[str, ...]:
        """How it was read, in words for people."""
        comma = ", decimal comma" if self.decimal == "," else ""
        read = f"read as {DELIMITERS[self.delimiter]}-separated text, {self.encoding}{comma}"
        n = self.preamble
        above = (f"{n} line{'s' * (n > 1)} above the column names left out",) if n else ()
        return (read, *above)


def read_delimited(path: Path, name: str, into: Path, *, most_cells: int) -> Delimited:
    """The whole text table of an uncompressed file.

    Raises:
        DataError: no rows, one row, ragged rows, an unclosed quote, columns of one name, too many
            cells, or records lost in reading.
    """
    path, encoding = _as_utf8(path, into)
    with path.open("rb") as file:
        sample = file.read(_SAMPLE).decode("utf-8-sig", errors="ignore")
    delimiter = _delimiter(sample)
    quoting = delimiter != "\t" or not _quotes_are_text(path)
    header = _header(sample, delimiter, name, quoting=quoting)
    records = _count_records(path, name, quoting=quoting) - header.records_above
    if records < 3:
        raise DataError(
            f"{name} holds {'one row' if records == 2 else 'no rows'} below its header; at least 2 "
            "rows are needed, so check that the file was saved whole"
        )
    if (cells := (records - 1) * len(header.names)) > most_cells:
        raise DataError(too_many_cells(name, records - 1, len(header.names), cells, most_cells))
    decimal = _decimal(sample, delimiter)
    table = _read(path, name, header, _Marks(delimiter, decimal, quoting))
    if table.num_rows != records - 1:
        raise DataError(
            f"{name} has quotation marks inside of fields, so its rows are uncertain "
            f"({records - 1:,} or {table.num_rows:,}); remove them or save it again as CSV"
        )
    return Delimited(
        table=table,
        delimiter=delimiter,
        encoding=encoding,
        decimal=decimal,
        preamble=header.records_above,
    )


def too_many_cells(name: str, rows: int, columns: int, cells: int, most: int) -> str:
    """What is said of a table that is too large."""
    return (
        f"{name} holds {rows:,} rows x {columns:,} columns = {cells / 1e6:.1f} million cells; at "
        f"most {most / 1e6:g} million are read, so keep only the rows and columns that are needed"
    )


def _as_utf8(path: Path, into: Path) -> tuple[Path, str]:
    """The file in UTF-8 and the encoding it was in."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    mark = head[:3]
    if mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _recode(path, into, "utf-16"), "UTF-16"
    if unmarked := utf16_without_mark(head):
        return _recode(path, into, unmarked), "UTF-16 without a byte-order mark"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _recode(path, into, "latin-1"), "Latin-1"
    return path, "UTF-8 with a byte-order mark" if mark == codecs.BOM_UTF8 else "UTF-8"


def _recode(path: Path, into: Path, encoding: str) -> Path:
    target = into / "recoded"
    with (
        path.open(encoding=encoding, errors="replace", newline="") as old,
        target.open("w", encoding="utf-8", newline="") as new,
    ):
        while piece := old.read(_PIECE):
            new.write(piece)
    return target


def _delimiter(sample: str) -> str:
    """The delimiter that cuts the first lines into the most fields, equally many in each."""
    lines = [line for line in re.split(r"\r\n|\n|\r", sample) if line.strip()][:20]
    if len(lines) > 1 and len(sample) >= _SAMPLE - 4:
        lines.pop()  # the last line of a sample may be cut off
    best, score = ",", (0, 0)
    for delimiter in DELIMITERS:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        usual = max(widths, key=widths.count, default=0)
        if usual > 1:
            found = (widths.count(usual), usual)
            best, score = (delimiter, found) if found > score else (best, score)
    return best


class _Header(NamedTuple):
    """The line of column names."""

    names: list[str]
    records_above: int
    lines: int  # down to and with this one, as an editor counts them; 0 where nothing is above


def _quotes_are_text(path: Path) -> bool:
    """Whether quotation marks of a tab-separated file are what they are, as corpora have them.

    They are where text stands after a closing mark, or the number of marks is odd.
    """
    marks = 0
    with path.open("rb") as file:
        for line in file:
            if b'"' in line:
                marks += line.count(b'"')
                if _AFTER_QUOTE.search(line):
                    return True
    return marks % 2 == 1


def _header(sample: str, delimiter: str, name: str, *, quoting: bool) -> _Header:
    """The first line, unless it is no header and one below it is.

    A nameless column, as R writes for row names, gets a name.
    """
    lines = csv.reader(
        io.StringIO(sample, newline=None),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quoting else csv.QUOTE_NONE,
    )
    rows: list[tuple[list[str], int]] = []
    try:
        for row in lines:
            if row:
                rows.append((row, lines.line_num))
            if len(rows) > _MOST_PREAMBLE + 2:
                break
    except csv.Error:
        rows = rows[:1]
    if not rows:
        raise DataError(f"{name} has no line of column names at its top; add one and save it again")
    above = _records_above([row for row, _ in rows])
    names = [field.strip() or f"column {k + 1}" for k, field in enumerate(rows[above][0])]
    check_names(names, name)
    return _Header(names, above, rows[above][1] if above else 0)


def _records_above(rows: list[list[str]]) -> int:
    """How many rows come before the header.

    The first row is the header unless it lacks fields or names; then the first full row of names
    is it below which a number stands.
    """
    widths = [len(row) for row in rows]
    usual = max(widths, key=widths.count)
    first = rows[0]
    if len(first) == usual and sum(not field.strip() for field in first) <= 1:
        return 0
    for k in range(1, len(rows) - 1):
        names, below = [f.strip() for f in rows[k]], rows[k + 1]
        whole = len(names) == len(below) == usual and all(names) and len(set(names)) == usual
        if whole and not any(map(_is_number, names)) and any(map(_is_number, below)):
            return k
    return 0


def _is_number(field: str) -> bool:
    return _NUMBER.fullmatch(field.strip()) is not None


def check_names(names: list[str], owner: str) -> None:
    """Raises DataError where two columns have the same name."""
    twice = [name for name, n in Counter(names).items() if n > 1]
    if twice:
        shown = ", ".join(repr(n) for n in twice[:3]) + (", ..." if len(twice) > 3 else "")
        raise DataError(
            f"{owner} has more than one column named {shown}; every column needs a name of its "
            "own in the first line, so rename them"
        )


def _decimal(sample: str, delimiter: str) -> str:
    """ "," where a table without comma delimiters writes 1,5 for one and a half."""
    if delimiter == ",":
        return "."
    fields = [f.strip('" ') for f in re.split(rf"[\r\n{re.escape(delimiter)}]", sample[:200_000])]
    commas = sum(_DECIMAL_COMMA.fullmatch(f) is not None for f in fields)
    points = sum(re.fullmatch(r"-?\d+\.\d+", f) is not None for f in fields)
    return "," if commas > points else "."


def _count_records(path: Path, name: str, *, quoting: bool) -> int:
    """Lines that are not blank, not counting line ends inside quotes where those quote.

    Raises:
        DataError: a quotation mark is not closed.
    """
    records, quoted, after_end = 0, False, True
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            data = np.frombuffer(piece, dtype=np.uint8)
            ends = (data == _LF) | (data == _CR)
            marks = (data == _QUOTE) & quoting
            if quoted or marks.any():
                inside = np.logical_xor.accumulate(marks) ^ quoted
                ends &= ~inside
                quoted = bool(inside[-1])
            before = np.concatenate(([after_end], ends[:-1]))
            records += int(np.count_nonzero(~ends & before))
            after_end = bool(ends[-1])
    if quoted:
        raise DataError(
            f"{name} has a quotation mark that is never closed, so rows after it would be lost; "
            'close or remove it (a " inside of a text is written "")'
        )
    return records


class _Marks(NamedTuple):
    """What the characters between the values mean."""

    delimiter: str
    decimal: str
    quoting: bool


def _read(path: Path, name: str, header: _Header, marks: _Marks) -> pa.Table:
    """The table, its many alike columns read as numbers from the first row on where they are.

    Arrow keeps the text of a column until it knows the type, which for days by the minute is more
    memory than one file may take.
    """
    numbered = alike(header.names, _FEWEST_ALIKE)
    if numbered:
        try:
            types = dict.fromkeys(numbered, pa.float64())
            return _parse(path, name, header, marks, types)
        except pa.ArrowInvalid:
            pass  # words among the numbers: read as what they are, and refused by their name later
    try:
        return _parse(path, name, header, marks, {})
    except pa.ArrowInvalid as wrong:
        raise DataError(
            f"{name} cannot be read as a text table ({str(wrong).splitlines()[0][:120]}); "
            "save it again as CSV"
        ) from None


def _parse(
    path: Path,
    name: str,
    header: _Header,
    marks: _Marks,
    types: dict[str, pa.DataType],
) -> pa.Table:
    """The table with the types that are given and those that Arrow finds.

    Raises:
        DataError: rows are ragged.
        pa.ArrowInvalid: a value has not its column's type, or this is no text table.
    """
    ragged: list[pa_csv.InvalidRow] = []

    def note(row: pa_csv.InvalidRow) -> str:
        ragged.append(row)
        return "error"

    try:
        return pa_csv.read_csv(path, **_options(header, marks, types, note))
    except pa.ArrowInvalid:
        if not ragged:
            raise
        row = ragged[0]
        where = f"row {row.number - max(1, header.lines)}" if row.number else "a row"
        raise DataError(
            f"{name} is ragged: {where} holds {row.actual_columns} fields and the header "
            f"{row.expected_columns}; every row needs one field for each column name"
        ) from None


def _options(
    header: _Header,
    marks: _Marks,
    types: dict[str, pa.DataType],
    note: Callable[[pa_csv.InvalidRow], str],
) -> dict[str, Any]:
    """How Arrow is to read; `note` is told of the first row that is ragged."""
    return {
        "read_options": pa_csv.ReadOptions(
            use_threads=False,
            block_size=_PIECE,
            column_names=header.names,
            skip_rows=header.lines,
            skip_rows_after_names=0 if header.lines else 1,
        ),
        "parse_options": pa_csv.ParseOptions(
            delimiter=marks.delimiter,
            quote_char='"' if marks.quoting else False,
            newlines_in_values=marks.quoting,
            invalid_row_handler=note,
        ),
        "convert_options": pa_csv.ConvertOptions(
            column_types=types,
            null_values=MISSING,
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
            decimal_point=marks.decimal,
        ),
    }
