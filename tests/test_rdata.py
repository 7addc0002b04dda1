"""Every R file that is whole reads to the values that R wrote; nothing else is taken for one."""

import struct
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnnviz.config import DataConfig
from rnnviz.data.frames import read_frame
from rnnviz.data.sandbox import Parsed, Sandbox
from rnnviz.data.show import show
from rnnviz.data.uploads import store
from rnnviz.errors import DataError

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the R files for tests are not here")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(helpers=1) as running:
        yield running


@pytest.fixture(scope="module")
def base() -> pd.DataFrame:
    return pd.read_csv(DATA / "rda" / "base.csv")


def parse(sandbox: Sandbox, tmp_path: Path, file: str) -> Parsed:
    (tmp_path / "into").mkdir()
    return sandbox.parse(DATA / "rda" / file, file, tmp_path / "into")


def read(sandbox: Sandbox, tmp_path: Path, file: str) -> pd.DataFrame:
    return read_frame(parse(sandbox, tmp_path, file).tables[0].path)


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Equal names, numbers to the last digit that R printed, words as words."""
    assert list(found.columns) == list(expected.columns)
    numbers = expected.select_dtypes("number").columns
    np.testing.assert_allclose(
        found[numbers].to_numpy(float), expected[numbers].to_numpy(float), rtol=1e-14, atol=0
    )
    for name in expected.columns.difference(numbers):
        assert found[name].astype(str).tolist() == expected[name].tolist()


WHOLE = {  # and the reader that reads it
    **dict.fromkeys(
        (
            *("rda_v2_ascii.rda", "rda_v2_gzip.rda", "rda_v2_none.rda", "rda_v2_xz.rda"),
            *("rda_v3_bzip2.rda", "rda_v3_gzip.rda", "rda_v3_none.rda", "rda_v3_xz.rda"),
            *("rds_v2_bzip2.rds", "rds_v2_gzip.rds", "rds_v2_none.rds", "rds_v2_xz.rds"),
            *("rds_v3_ascii.rds", "rds_v3_bzip2.rds", "rds_v3_gzip.rds", "rds_v3_none.rds"),
            *("uppercase_RData.RData", "rda_named_as_rds.rds", "rds_named_as_rda.rda"),
            *("tibble.rda", "data_table.rda", "rownames_chr.rda", "multi_df_env.rda"),
            *("multi_df_function.rda", "multi_df_list.rda", "multi_df_vec.rda"),
            "multi_function_first.rda",
        ),
        "rdata",
    ),
    "base.csv": "csv",
}
PARTS = {  # what holds more or less than base.csv: reader, rows, steps, covariates
    "altrep_seq.rda": ("rdata", 60, 1440, ["Age", "Gender", "Race"]),
    "altrep_deferred_string.rda": ("rdata", 60, 1440, ["Age", "Gender", "Race"]),
    "posix_na.rda": ("rdata", 60, 1440, ["Age", "Gender", "Race"]),
    "factors_dates_na.rda": ("rdata", 60, 1440, None),
    "asis_matrix_column.rda": ("rdata", 60, 1440, ["Age", "Gender", "Race"]),
    "list_column.rds": ("rdata", 60, 1440, ["Age", "Gender"]),
    "list_of_df.rda": ("rdata", 60, 1440, []),
    "matrix_dimnames.rda": ("rdata", 60, 1440, []),
    "matrix_nodimnames.rda": ("rdata", 60, 1440, []),
    "rownames_int_gaps.rda": ("rdata", 32, 1440, ["Age", "Gender", "Race"]),
    "haven_labelled.rda": ("rdata", 60, 0, None),
    "haven_labelled.rds": ("rdata", 60, 0, None),
}
BROKEN = {
    "truncated_gzip.rda": "is cut off or damaged",
    "truncated_none.rda": "is cut off or damaged",
    "empty.rda": "is empty",
    "random_bytes.rda": "unknown binary content",
    "csv_named_rda.rda": "rename it to end in .csv",
    "zero_rows.rda": "MINdata_1440 has no rows",
    "lm_model.rda": "is an object of class lm",
}
BOMB = "bomb_zeros_20000x1442.rda"


@needs_data
def test_every_file_is_in_one_of_the_tables() -> None:
    tables = {*WHOLE, *PARTS, *BROKEN, BOMB}
    assert {path.name for path in (DATA / "rda").iterdir()} == tables


@needs_data
@pytest.mark.parametrize(("file", "reader"), WHOLE.items())
def test_every_way_of_writing_reads_to_the_same_values(
    sandbox: Sandbox, tmp_path: Path, base: pd.DataFrame, file: str, reader: str
) -> None:
    parsed = parse(sandbox, tmp_path, file)
    assert parsed.reader == reader
    assert (parsed.tables[0].rows, parsed.tables[0].columns) == (60, 1445)
    same(read_frame(parsed.tables[0].path), base)


@needs_data
@pytest.mark.parametrize("file", PARTS)
def test_what_holds_more_or_less_is_recognised(
    sandbox: Sandbox, tmp_path: Path, base: pd.DataFrame, file: str
) -> None:
    reader, rows, steps, covariates = PARTS[file]
    upload = store((DATA / "rda" / file).read_bytes(), file, tmp_path, sandbox)
    found = show(DataConfig(source="file", file=upload.id), tmp_path)[1]
    assert (found.reader, found.rows, found.steps) == (reader, rows, steps)
    assert covariates is None or list(found.covariates) == covariates
    if steps and file != "factors_dates_na.rda":  # which marks some minutes as missing
        minutes = base.filter(like="MIN")
        if rows < 60:
            minutes = minutes[base["SEQN"].isin(read_frame(upload.tables[0].path)["SEQN"])]
        assert found.mean == pytest.approx(minutes.to_numpy().mean(), rel=1e-6)
        assert found.missing == 0


@needs_data
@pytest.mark.parametrize("file", ["haven_labelled.rda", "haven_labelled.rds"])
def test_labels_are_words_where_every_value_has_one(
    sandbox: Sandbox, tmp_path: Path, base: pd.DataFrame, file: str
) -> None:
    found = read(sandbox, tmp_path, file)
    assert found["RIAGENDR"].astype(str).tolist() == base["Gender"].tolist()
    assert found["RIDRETH1"].dtype == np.float64  # labels for 1 and 2 only, and values up to 5
    np.testing.assert_array_equal(found["BMI"], base["BMI"])


@needs_data
@pytest.mark.parametrize(
    ("file", "columns"),
    [
        ("matrix_dimnames.rda", ["SEQN", "BMI", *(f"MIN{k}" for k in range(1, 1441))]),
        ("altrep_deferred_string.rda", None),
        ("posix_na.rda", None),
        ("altrep_seq.rda", ["BMI", *(f"MIN{k}" for k in range(1, 1441)), "Age", "Gender"]),
    ],
)
def test_more_or_fewer_columns_keep_the_values_of_the_rest(
    sandbox: Sandbox, tmp_path: Path, base: pd.DataFrame, file: str, columns: list[str] | None
) -> None:
    columns = columns or list(base.columns)
    same(read(sandbox, tmp_path, file)[columns], base[columns])


@needs_data
def test_a_sequence_that_r_keeps_by_its_ends_is_whole(sandbox: Sandbox, tmp_path: Path) -> None:
    assert read(sandbox, tmp_path, "altrep_seq.rda")["SEQN"].tolist() == list(range(1, 61))


@needs_data
@pytest.mark.parametrize("file", ["asis_matrix_column.rda", "list_column.rds"])
def test_a_column_that_holds_a_day_becomes_1440_columns(
    sandbox: Sandbox, tmp_path: Path, base: pd.DataFrame, file: str
) -> None:
    found = read(sandbox, tmp_path, file)
    minutes = base.filter(like="MIN")
    np.testing.assert_allclose(found.iloc[:, -1440:].to_numpy(float), minutes, rtol=1e-14)
    assert found["BMI"].tolist() == base["BMI"].tolist()


@needs_data
def test_a_matrix_without_names_gets_numbered_columns(
    sandbox: Sandbox, tmp_path: Path, base: pd.DataFrame
) -> None:
    found = read(sandbox, tmp_path, "matrix_nodimnames.rda")
    assert list(found.columns) == [f"V{k}" for k in range(1, 1441)]
    np.testing.assert_allclose(found.to_numpy(), base.filter(like="MIN"), rtol=1e-14)


@needs_data
def test_rows_left_out_in_r_are_left_out_here(
    sandbox: Sandbox, tmp_path: Path, base: pd.DataFrame
) -> None:
    found = read(sandbox, tmp_path, "rownames_int_gaps.rda")
    expected = base[base["SEQN"].isin(found["SEQN"])].reset_index(drop=True)
    assert len(found) == 32
    same(found, expected)


@needs_data
def test_gaps_factors_and_dates(sandbox: Sandbox, tmp_path: Path) -> None:
    """Against pyreadr, the other reader, where that keeps the type."""
    import pyreadr

    found = read(sandbox, tmp_path, "factors_dates_na.rda")
    other = pyreadr.read_r(str(DATA / "rda" / "factors_dates_na.rda"))["MINdata_1440"]
    assert list(found.columns) == list(other.columns)
    for name in other:
        assert found[name].isna().tolist() == other[name].isna().tolist(), name
        if isinstance(other[name].dtype, pd.CategoricalDtype):
            known = other[name].notna()
            assert found[name][known].astype(str).tolist() == other[name][known].tolist()
        elif name == "POSIX" or other[name].dtype.kind == "M":
            known = other[name].notna()
            assert (found[name][known] == other[name][known]).all()
    assert found["IntNA"].dtype == np.float64


@needs_data
@pytest.mark.parametrize(
    ("file", "tables", "skipped"),
    [
        ("multi_df_vec.rda", ["MINdata_1440", "MINdata"], {"vec": "is a vector of 10 values"}),
        ("multi_df_function.rda", ["MINdata_1440"], {"f": "is a function"}),
        ("multi_df_env.rda", ["MINdata_1440"], {"e": "is an environment"}),
        ("multi_df_list.rda", ["MINdata_1440"], {"params": "is a list without data frames"}),
        ("list_of_df.rda", ["data$count", "data$wear"], {}),
        ("rds_v3_gzip.rds", ["rds_v3_gzip"], {}),
    ],
)
def test_tables_are_named_and_the_rest_is_told(
    sandbox: Sandbox, tmp_path: Path, file: str, tables: list[str], skipped: dict[str, str]
) -> None:
    parsed = parse(sandbox, tmp_path, file)
    assert [t.name for t in parsed.tables] == tables
    assert {s.name: s.why for s in parsed.skipped} == skipped


@needs_data
@pytest.mark.parametrize(("file", "message"), BROKEN.items())
def test_what_is_broken_is_said_at_once(
    sandbox: Sandbox, tmp_path: Path, file: str, message: str
) -> None:
    sandbox.start()
    took = []
    for k in range(3):  # the fastest, as other processes may take the machine
        folder = tmp_path / str(k)
        folder.mkdir()
        began = time.perf_counter()
        with pytest.raises(DataError, match=f"^{file}.*{message}"):
            parse(sandbox, folder, file)
        took.append(time.perf_counter() - began)
    assert min(took) < 1


@needs_data
def test_the_bomb_is_stopped_by_the_limit(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="34,408 bytes that unpack to more than 1000 times"):
        parse(sandbox, tmp_path, BOMB)


# --- files made here, in R's own format ---------------------------------------------------------


def integer(value: int) -> bytes:
    return struct.pack(">i", value)


def char(text: str) -> bytes:
    return integer(9 | 64 << 12) + integer(len(text)) + text.encode()


def strings(texts: list[str]) -> bytes:
    return integer(16) + integer(len(texts)) + b"".join(char(t) for t in texts)


def doubles(values: list[float]) -> bytes:
    return integer(14) + integer(len(values)) + struct.pack(f">{len(values)}d", *values)


def pair(name: str, value: bytes) -> bytes:
    return integer(2 | 1 << 10) + integer(1) + char(name) + value


END = integer(254)


def data_frame(names: list[str], columns: list[bytes], rows: int) -> bytes:
    attributes = pair("names", strings(names)) + pair("class", strings(["data.frame"]))
    numbers = integer(13) + integer(2) + integer(-(2**31)) + integer(-rows)
    attributes += pair("row.names", numbers) + END
    kind = integer(19 | 1 << 8 | 1 << 9)
    return kind + integer(len(columns)) + b"".join(columns) + attributes


def rda(objects: dict[str, bytes]) -> bytes:
    head = b"RDX2\nX\n" + integer(2) + integer(0x040200) + integer(0x020300)
    return head + b"".join(pair(name, value) for name, value in objects.items()) + END


def parse_bytes(sandbox: Sandbox, tmp_path: Path, data: bytes) -> Parsed:
    path, into = tmp_path / "made.rda", tmp_path / "into"
    path.write_bytes(data)
    into.mkdir()
    return sandbox.parse(path, "made.rda", into)


def test_a_frame_made_by_hand(sandbox: Sandbox, tmp_path: Path) -> None:
    columns = [doubles([1.5, 2.5]), strings(["=1+1", "<b>"])]
    parsed = parse_bytes(sandbox, tmp_path, rda({"d": data_frame(["x", "y"], columns, 2)}))
    frame = read_frame(parsed.tables[0].path)
    assert frame.to_dict("list") == {"x": [1.5, 2.5], "y": ["=1+1", "<b>"]}
    assert parsed.reader == "rdata"


def test_two_columns_of_one_name_are_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    frame = data_frame(["x", "x"], [doubles([1, 2]), doubles([3, 4])], 2)
    with pytest.raises(DataError, match="d has more than one column named 'x'"):
        parse_bytes(sandbox, tmp_path, rda({"d": frame}))


def test_columns_of_unequal_length_are_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    frame = data_frame(["x", "y"], [doubles([1, 2]), doubles([3, 4, 5])], 2)
    with pytest.raises(DataError, match="d has columns of unequal length"):
        parse_bytes(sandbox, tmp_path, rda({"d": frame}))


def test_one_row_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="d has only one row"):
        parse_bytes(sandbox, tmp_path, rda({"d": data_frame(["x"], [doubles([1])], 1)}))


def test_a_good_frame_beside_a_bad_one_is_kept(sandbox: Sandbox, tmp_path: Path) -> None:
    good = data_frame(["x"], [doubles([1, 2])], 2)
    bad = data_frame(["x", "x"], [doubles([1, 2]), doubles([3, 4])], 2)
    parsed = parse_bytes(sandbox, tmp_path, rda({"bad": bad, "good": good}))
    assert [t.name for t in parsed.tables] == ["good"]
    assert [s.name for s in parsed.skipped] == ["bad"]


def test_lists_in_lists_without_end_are_survived(sandbox: Sandbox, tmp_path: Path) -> None:
    """The depth ends the first reader with an exception and the second one with a crash."""
    nested = (integer(19) + integer(1)) * 100_000 + END
    with pytest.raises(DataError, match=r"^made\.rda (makes its reader crash|is cut off)"):
        parse_bytes(sandbox, tmp_path, rda({"deep": nested}))
    before = sandbox.pids()
    (tmp_path / "next").mkdir()
    good = tmp_path / "good.csv"
    good.write_bytes(b"a,b\n1,2\n3,4\n")
    assert sandbox.parse(good, "good.csv", tmp_path / "next").tables[0].rows == 2
    assert sandbox.pids() == before


def test_a_vector_longer_than_its_file_is_refused(sandbox: Sandbox, tmp_path: Path) -> None:
    short = integer(14) + integer(2_000_000_000) + bytes(80)
    with pytest.raises(DataError, match=r"^made\.rda "):
        parse_bytes(sandbox, tmp_path, rda({"d": short}))


def test_damaged_bytes_give_a_table_or_a_sentence(sandbox: Sandbox, tmp_path: Path) -> None:
    """Forty files of one to eight random bytes each changed, and then a whole one again."""
    rng, said = np.random.default_rng(0), []
    columns = [doubles([1.5, 2.5, 3.5]), strings(["a", "b", "c"])]
    whole = rda({"d": data_frame(["x", "y"], columns, 3)})
    for k in range(40):
        data = np.frombuffer(whole, dtype=np.uint8).copy()
        places = rng.integers(7, len(data), rng.integers(1, 9))
        data[places] = rng.integers(0, 256, len(places))
        folder = tmp_path / str(k)
        folder.mkdir()
        try:
            tables = parse_bytes(sandbox, folder, data.tobytes()).tables
        except DataError as wrong:
            said.append(str(wrong))
        else:
            assert all(len(read_frame(t.path)) == t.rows for t in tables)
    assert len(said) > 5
    assert all(text.startswith("made.rda ") for text in said)
    assert parse_bytes(sandbox, tmp_path, whole).tables[0].rows == 3


def test_both_readers_give_the_same_numbers(base: pd.DataFrame) -> None:
    if not DATA.is_dir():
        pytest.skip("the R files for tests are not here")
    from rnnviz.data.rdata import read_r

    path = DATA / "rda" / "rda_v3_none.rda"
    first, second = (
        read_r(path, path.name, reader, most_cells=10**8).tables[0].table
        for reader in ("rdata", "pyreadr")
    )
    assert first.column_names == second.column_names == list(base.columns)
    numbers = list(base.select_dtypes("number").columns)
    np.testing.assert_array_equal(
        np.stack([first[name].to_numpy() for name in numbers]),
        np.stack([second[name].to_numpy() for name in numbers]),
    )
    assert first["Race"].to_pylist() == second["Race"].to_pylist()
