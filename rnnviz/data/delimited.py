"""Text tables (CSV, TSV) as Arrow tables: what is read is what the file holds, or it is refused.

Called in the sandbox's child only.
"""

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from rnnviz.errors import DataError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
MISSING = ["NA", "", "NaN"]
_PIECE = 1 << 22
_SAMPLE = 1 << 20
_QUOTE, _LF, _CR = 34, 10, 13
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")


@dataclass(frozen=True, kw_only=True)
class Delimited:
    """A text table with how it was read."""

    table: pa.Table
    delimiter: str
    encoding: str
    decimal: str

    @property
    def notes(self) -> tuple[str, ...]:
        """How it was read, in words for people."""
        comma = ", decimal comma" if self.decimal == "," else ""
        return (f"read as {DELIMITERS[self.delimiter]}-separated text, {self.encoding}{comma}",)


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
    header = _header(sample, delimiter, name)
    records = _count_records(path, name)
    if records < 3:
        raise DataError(
            f"{name} holds {'one row' if records == 2 else 'no rows'} below its header; at least 2 "
            "rows are needed, so check that the file was saved whole"
        )
    if (cells := (records - 1) * len(header)) > most_cells:
        raise DataError(too_many_cells(name, records - 1, len(header), cells, most_cells))
    decimal = _decimal(sample, delimiter)
    table = _read(path, name, header, delimiter, decimal)
    if table.num_rows != records - 1:
        raise DataError(
            f"{name} has quotation marks inside of fields, so its rows are uncertain "
            f"({records - 1:,} or {table.num_rows:,}); remove them or save it again as CSV"
        )
    return Delimited(table=table, delimiter=delimiter, encoding=encoding, decimal=decimal)


def too_many_cells(name: str, rows: int, columns: int, cells: int, most: int) -> str:
    """What is said of a table that is too large."""
    return (
        f"{name} holds {rows:,} rows x {columns:,} columns = {cells / 1e6:.1f} million cells; at "
        f"most {most / 1e6:g} million are read, so keep only the rows and columns that are needed"
    )


def _as_utf8(path: Path, into: Path) -> tuple[Path, str]:
    """The file in UTF-8 and the encoding it was in."""
    with path.open("rb") as file:
        mark = file.read(3)
    if mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _recode(path, into, "utf-16"), "UTF-16"
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
        if widths and widths[0] > 1:
            found = (sum(w == widths[0] for w in widths), widths[0])
            best, score = (delimiter, found) if found > score else (best, score)
    return best


def _header(sample: str, delimiter: str, name: str) -> list[str]:
    """Column names; a nameless column, as R writes for row names, gets a name."""
    try:
        row = next(
            r for r in csv.reader(io.StringIO(sample, newline=None), delimiter=delimiter) if r
        )
    except (StopIteration, csv.Error):
        raise DataError(
            f"{name} has no line of column names at its top; add one and save it again"
        ) from None
    names = [field.strip() or f"column {k + 1}" for k, field in enumerate(row)]
    check_names(names, name)
    return names


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


def _count_records(path: Path, name: str) -> int:
    """Lines that are not blank, not counting line ends inside quotes.

    Raises:
        DataError: a quotation mark is not closed.
    """
    records, quoted, after_end = 0, False, True
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            data = np.frombuffer(piece, dtype=np.uint8)
            ends = (data == _LF) | (data == _CR)
            marks = data == _QUOTE
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


def _read(path: Path, name: str, header: list[str], delimiter: str, decimal: str) -> pa.Table:
    ragged: list[pa_csv.InvalidRow] = []

    def note(row: pa_csv.InvalidRow) -> str:
        ragged.append(row)
        return "error"

    try:
        return pa_csv.read_csv(
            path,
            read_options=pa_csv.ReadOptions(
                use_threads=False, column_names=header, skip_rows_after_names=1
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note
            ),
            convert_options=pa_csv.ConvertOptions(
                null_values=MISSING,
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                decimal_point=decimal,
            ),
        )
    except pa.ArrowInvalid as wrong:
        if ragged:
            row = ragged[0]
            where = f"row {row.number - 1}" if row.number else "a row"
            raise DataError(
                f"{name} is ragged: {where} holds {row.actual_columns} fields and the header "
                f"{row.expected_columns}; every row needs one field for each column name"
            ) from None
        raise DataError(
            f"{name} cannot be read as a text table ({str(wrong).splitlines()[0][:120]}); "
            "save it again as CSV"
        ) from None
