"""2,000 files damaged on purpose, drawn from one seed: each gives its tables or one sentence."""

import gzip
import io
import itertools
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnnviz.data.sandbox import Limits, Sandbox
from rnnviz.errors import DataError

FILES = 2_000
DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
LIMITS = Limits(cpu_seconds=4, wall_seconds=8.0)
R_FILES = (
    *("rda_v2_gzip.rda", "rda_v2_xz.rda", "rda_v3_bzip2.rda", "rda_v3_none.rda"),
    *("rda_v2_ascii.rda", "rds_v3_gzip.rds", "rds_v2_none.rds", "altrep_seq.rda"),
    *("factors_dates_na.rda", "list_of_df.rda", "multi_function_first.rda", "tibble.rda"),
)

Damage = Callable[[np.random.Generator, bytes], bytes]


def other_bytes(rng: np.random.Generator, whole: bytes) -> bytes:
    data = bytearray(whole)
    for place in rng.integers(0, len(data), rng.integers(1, 9)):
        data[place] = rng.integers(0, 256)
    return bytes(data)


def cut_off(rng: np.random.Generator, whole: bytes) -> bytes:
    return whole[: rng.integers(0, len(whole))]


def a_piece_twice(rng: np.random.Generator, whole: bytes) -> bytes:
    start, end = sorted(rng.integers(0, len(whole) + 1, 2))
    return whole[:end] + whole[start:]


def a_piece_of_noise(rng: np.random.Generator, whole: bytes) -> bytes:
    place = int(rng.integers(0, len(whole)))
    return whole[:place] + rng.bytes(int(rng.integers(1, 64))) + whole[place:]


def a_large_number(rng: np.random.Generator, whole: bytes) -> bytes:
    """Where a length may stand."""
    place = int(rng.integers(0, max(1, len(whole) - 4)))
    return whole[:place] + b"\x7f\xff\xff\xff" + whole[place + 4 :]


DAMAGES: tuple[Damage, ...] = (
    other_bytes,
    cut_off,
    a_piece_twice,
    a_piece_of_noise,
    a_large_number,
)


def whole_files() -> dict[str, bytes]:
    """Small files of every form."""
    frame = pd.DataFrame(np.arange(240).reshape(10, 24), columns=[f"h{k}" for k in range(24)])
    frame = frame.assign(id=range(10), BMI=range(20, 30), sex=["a", "b"] * 5)
    text, parquet, archive = frame.to_csv(index=False).encode(), io.BytesIO(), io.BytesIO()
    frame.to_parquet(parquet)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("t.csv", text)
    files = {
        "t.csv": text,
        "t.csv.gz": gzip.compress(text, mtime=0),
        "t.zip": archive.getvalue(),
        "t.parquet": parquet.getvalue(),
    }
    sample = DATA / "tables" / "PAXRAW_C_3subjects.XPT"
    if sample.is_file():
        files["t.xpt"] = sample.read_bytes()[: 80 * 60]
    found = (DATA / "rda" / name for name in R_FILES)
    return files | {path.name: path.read_bytes() for path in found if path.is_file()}


def damaged() -> Iterator[tuple[str, bytes]]:
    """Each form in turn, each kind of damage in turn."""
    rng = np.random.default_rng(20_031)
    kinds = itertools.cycle(DAMAGES)
    for (name, whole), _ in zip(itertools.cycle(whole_files().items()), range(FILES), strict=False):
        yield name, next(kinds)(rng, whole)


def said_of(sandbox: Sandbox, name: str, data: bytes, folder: Path) -> str:
    """The sentence that refuses a file, "" where it was read."""
    into = folder / "into"
    into.mkdir(parents=True)
    (folder / "raw").write_bytes(data)
    try:
        tables = sandbox.parse(folder / "raw", name, into).tables
    except DataError as wrong:
        return str(wrong)
    assert all(table.path.is_file() for table in tables)
    return ""


@pytest.mark.slow
def test_damaged_files_give_tables_or_one_sentence_and_harm_nobody(tmp_path: Path):
    with Sandbox(helpers=2, limits=LIMITS) as sandbox, ThreadPoolExecutor(2) as threads:
        jobs = [
            threads.submit(said_of, sandbox, name, data, tmp_path / str(number))
            for number, (name, data) in enumerate(damaged())
        ]
        sentences = [job.result() for job in jobs]
        refused = [sentence for sentence in sentences if sentence]
        assert len(sentences) == FILES
        assert FILES / 20 < len(refused) < FILES * 19 / 20
        for sentence in refused:
            assert 20 < len(sentence) < 1000
            assert "\n" not in sentence
            assert "Traceback" not in sentence
        assert said_of(sandbox, "t.csv", whole_files()["t.csv"], tmp_path / "last") == ""
