"""Whatever a file does to its reader, this process lives on and says one sentence."""

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from rnnviz.data.frames import read_frame
from rnnviz.data.sandbox import LIMITS, Limits, Parsed, Sandbox, _environment
from rnnviz.errors import DataError

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
GOOD = b"a,b\n1,x\n2,y\n3,\n"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


def parse(sandbox: Sandbox, tmp_path: Path, data: bytes, name: str) -> Parsed:
    path, into = tmp_path / "file", tmp_path / "into"
    path.write_bytes(data)
    into.mkdir(exist_ok=True)
    return sandbox.parse(path, name, into)


def frame_of(sandbox: Sandbox, tmp_path: Path, data: bytes, name: str) -> pd.DataFrame:
    return read_frame(parse(sandbox, tmp_path, data, name).tables[0].path)


def test_a_text_table_is_read_to_its_values(sandbox: Sandbox, tmp_path: Path) -> None:
    parsed = parse(sandbox, tmp_path, GOOD, "good.csv")
    table = parsed.tables[0]
    assert (parsed.reader, table.name, table.rows, table.columns) == ("csv", "good", 3, 2)
    assert parsed.notes == ("read as comma-separated text, UTF-8",)
    frame = read_frame(table.path)
    assert frame["a"].tolist() == [1, 2, 3]
    assert frame["b"].tolist()[:2] == ["x", "y"]
    assert frame["b"].isna().tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a;b\n1,5;2\n2,5;3\n", {"a": [1.5, 2.5], "b": [2, 3]}),
        (b"a\tb\n1\t2\n3\t4\n", {"a": [1, 3], "b": [2, 4]}),
        (b"a|b\n1|2\n3|4\n", {"a": [1, 3], "b": [2, 4]}),
        (b"\xef\xbb\xbfa,b\n1,2\n3,4\n", {"a": [1, 3], "b": [2, 4]}),
        (b"a,b\r1,2\r3,4\r", {"a": [1, 3], "b": [2, 4]}),
        ("a,b\n1,é\n2,ü\n".encode("latin-1"), {"a": [1, 2], "b": ["é", "ü"]}),
        ("a,b\n1,é\n2,ü\n".encode("utf-16"), {"a": [1, 2], "b": ["é", "ü"]}),
        (b'a,b\r\n1,"x\r\ny"\r\n\r\n2,"z""z"', {"a": [1, 2], "b": ["x\r\ny", 'z"z']}),
        (b'"",b\n"1",2\n"2",4\n', {"column 1": [1, 2], "b": [2, 4]}),
    ],
    ids=["decimal", "tab", "bar", "mark", "cr", "latin", "utf16", "quoted", "rownames"],
)
def test_delimiter_encoding_and_quotes_are_told(
    sandbox: Sandbox, tmp_path: Path, data: bytes, expected: dict[str, list[object]]
) -> None:
    assert frame_of(sandbox, tmp_path, data, "t.csv").to_dict("list") == expected


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"", "t.csv", "is empty"),
        (b"a,b\n", "t.csv", "no rows below its header"),
        (b"a,b\n1,2\n", "t.csv", "one row below its header"),
        (b"a,b,a\n1,2,3\n1,2,3\n", "t.csv", "more than one column named 'a'"),
        (b"a,b\n1,2\n3\n4,5\n", "t.csv", "ragged: row 2 holds 1 fields and the header 2"),
        (b"a,b\n1,2,3\n4,5,6\n", "t.csv", "ragged: row 1 holds 3 fields"),
        (b'a,b\n1,"x\n2,3\n4,5\n', "t.csv", "never closed"),
        (b'a,b\n1,5" x\n2,6" x\n3,x\n', "t.csv", "quotation marks inside"),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), "t.csv", "looks like a PNG picture"),
        (b"PK\x03\x04" + bytes(50), "t.csv", "looks like a ZIP archive, as Excel"),
        (b"\x00\x01\x02\x03" * 9, "t.csv", "unknown binary content"),
        (gzip.compress(gzip.compress(GOOD, mtime=0), mtime=0), "t.csv.gz", "compressed twice"),
        (gzip.compress(GOOD * 999, mtime=0)[:40], "t.csv.gz", "cut off or damaged"),
        (gzip.compress(b"", mtime=0), "t.csv.gz", "empty inside its compression"),
        (b"RDX3\nX\n", "t.csv", "named as text but is an R file"),
        (GOOD, "t.rda", "named as an R file but holds plain text"),
        (GOOD, "t.exe", "endings that are read are .rda"),
        (b"RDX3\nX\n\x00\x00", "t.rda", "cut off or damaged"),
        (b"\n\n\n", "t.csv", "no line of column names"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(
    sandbox: Sandbox, tmp_path: Path, data: bytes, name: str, message: str
) -> None:
    with pytest.raises(DataError, match=message) as caught:
        parse(sandbox, tmp_path, data, name)
    text = str(caught.value)
    assert text.startswith(name)
    assert "\n" not in text
    assert "Traceback" not in text


def test_limits_hold_and_name_their_numbers(tmp_path: Path) -> None:
    small = replace(LIMITS, cells=5, unpacked_bytes=100_000)
    with Sandbox(limits=small, helpers=1) as sandbox:
        with pytest.raises(DataError, match=r"3 rows x 2 columns = .* million cells"):
            parse(sandbox, tmp_path, GOOD, "t.csv")
        with pytest.raises(DataError, match="unpacks to more than 0 MB"):
            parse(
                sandbox, tmp_path, gzip.compress(b"a,b\n" + b"1,2\n" * 50_000, mtime=0), "t.csv.gz"
            )
        with pytest.raises(DataError, match="unpacks to more than 0 MB"):
            parse(sandbox, tmp_path, b"a,b\n" + b"1,2\n" * 50_000, "t.csv")


@pytest.mark.slow
def test_a_table_of_the_study_s_true_size_is_read(tmp_path: Path) -> None:
    """13,859 days of 1,445 columns in 187 MB, within 15 s of computing and 1 GB of memory."""
    rng = np.random.default_rng(0)
    rows = [",".join(f"{v:.7f}" for v in rng.random(1440) * 9) for _ in range(97)]
    path, into = tmp_path / "study.csv", tmp_path / "into"
    with path.open("w") as file:
        file.write(f"SEQN,BMI,Age,Gender,Race,{','.join(f'MIN{k}' for k in range(1, 1441))}\n")
        file.writelines(f"{k},27.5,50,Male,White,{rows[k % 97]}\n" for k in range(13_859))
    assert path.stat().st_size > 187_000_000
    into.mkdir()
    # The helper itself takes a tenth of the gigabyte.
    with Sandbox(limits=replace(LIMITS, memory_bytes=900_000_000, cpu_seconds=15)) as sandbox:
        table = sandbox.parse(path, path.name, into).tables[0]
    assert (table.rows, table.columns) == (13_859, 1445)
    assert read_frame(table.path)["MIN1440"].iloc[97] == float(rows[0].split(",")[-1])


def test_a_small_file_that_unpacks_to_much_is_stopped(sandbox: Sandbox, tmp_path: Path) -> None:
    member = gzip.compress(b"a,b\n" * 250_000, 9, mtime=0)
    with pytest.raises(DataError, match="unpacks to more than 500 MB"):
        parse(sandbox, tmp_path, member * 600, "bomb.csv.gz")
    assert frame_of(sandbox, tmp_path, GOOD, "good.csv").shape == (3, 2)


def test_a_file_that_never_ends_is_given_up(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "into").mkdir()
    with Sandbox(limits=replace(LIMITS, wall_seconds=0.5), helpers=1) as sandbox:
        with pytest.raises(DataError, match=r"takes longer than 0.5 s"):
            sandbox.parse(pipe, "slow.csv", tmp_path / "into")
        before = sandbox.pids()
        assert frame_of(sandbox, tmp_path, GOOD, "good.csv").shape == (3, 2)
        assert sandbox.pids() == before


# A helper whose parse runs the code that it is given in place of a path.
_HARM = """
import ctypes, os, time
from rnnviz.data import sandbox_child
sandbox_child._parse = lambda path, *rest: exec(str(path))
sandbox_child.main()
"""


@pytest.fixture(scope="module")
def harmed() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", _HARM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=_environment(),
    ) as helper:
        assert helper.stdout is not None
        assert helper.stdout.readline() == b"ready\n"
        yield helper
        assert helper.poll() is None  # it outlives everything that its forks did
        assert helper.stdin is not None
        helper.stdin.close()


@pytest.mark.parametrize(
    ("deed", "wall", "message"),
    [
        ("ctypes.string_at(0)", 30.0, "makes its reader crash"),
        ("os.abort()", 30.0, "makes its reader crash"),
        ("os._exit(0)", 30.0, "makes its reader crash"),
        ("bytearray(200 << 20)", 30.0, "needs more memory than the 100 MiB"),
        ("while True: pass", 30.0, "takes more than 1 s of computing"),
        ("time.sleep(60)", 0.5, "takes longer than 0.5 s"),
        ("1 / 0", 30.0, "cut off or damaged"),
        ("[os.open('/dev/null', 0) for _ in range(100)]", 30.0, "cut off or damaged"),
        ("open('big', 'wb').write(bytes(2 << 20))", 30.0, "cut off or damaged"),
        ("os.write(1, b'ready'); raise SystemExit", 30.0, "cut off or damaged"),
    ],
)
def test_each_limit_ends_the_fork_and_nothing_else(
    harmed: subprocess.Popen[bytes], tmp_path: Path, deed: str, wall: float, message: str
) -> None:
    limits = Limits(memory_bytes=100 << 20, cpu_seconds=1, wall_seconds=wall, file_bytes=1 << 20)
    deed = deed.replace("'big'", repr(str(tmp_path / "big")))
    request = {"path": deed, "name": "t.csv", "into": str(tmp_path), "limits": asdict(limits)}
    assert harmed.stdin is not None
    assert harmed.stdout is not None
    harmed.stdin.write(json.dumps(request).encode() + b"\n")
    harmed.stdin.flush()
    assert message in json.loads(harmed.stdout.readline())["error"]


def test_a_killed_helper_is_replaced(tmp_path: Path) -> None:
    with Sandbox(helpers=1) as sandbox:
        sandbox.start()
        (first,) = sandbox.pids()
        os.kill(first, signal.SIGKILL)
        assert frame_of(sandbox, tmp_path, GOOD, "good.csv").shape == (3, 2)
        assert sandbox.pids() != (first,)


def test_the_helper_has_one_thread_and_ends_when_closed(tmp_path: Path) -> None:
    with Sandbox(helpers=1) as sandbox:
        assert sandbox.pids() == ()  # nothing starts before it is needed
        parse(sandbox, tmp_path, GOOD, "good.csv")
        helper = psutil.Process(sandbox.pids()[0])
        assert helper.num_threads() == 1
        assert helper.children() == []
    assert not helper.is_running()


def test_the_helper_ends_when_its_server_is_killed() -> None:
    code = (
        "from rnnviz.data.sandbox import Sandbox\n"
        "import os, time\n"
        "s = Sandbox(helpers=1); s.start(); print(s.pids()[0], flush=True); time.sleep(60)\n"
    )
    server = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert server.stdout is not None
    helper = psutil.Process(int(server.stdout.readline()))
    server.kill()
    server.wait()
    server.stdout.close()
    psutil.wait_procs([helper], timeout=10)
    assert not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE


def test_threads_share_a_sandbox(sandbox: Sandbox, tmp_path: Path) -> None:
    shapes: list[tuple[int, int]] = []

    def work(k: int) -> None:
        folder = tmp_path / str(k)
        folder.mkdir()
        data = b"a,b\n" + b"1,2\n" * (k + 2)
        shapes.append(frame_of(sandbox, folder, data, "t.csv").shape)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(shapes) == [(k + 2, 2) for k in range(8)]
    assert len(sandbox.pids()) <= 2


def test_the_server_never_loads_the_readers() -> None:
    code = (
        "import sys, rnnviz.data.uploads, rnnviz.data.sandbox\n"
        "print({'pyreadr', 'rdata', 'xarray', 'torch', 'multiprocessing'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "set()"


def test_every_hostile_file_leaves_the_next_parse_alone(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = DATA / "rda"
    if not folder.is_dir():
        pytest.skip("the R files for tests are not here")
    me = os.getpid()
    names = ["truncated_gzip", "truncated_none", "empty", "random_bytes", "csv_named_rda"]
    for name in [*names, "zero_rows", "bomb_zeros_20000x1442"]:
        with pytest.raises(DataError, match=rf"^{name}\.rda "):
            parse(sandbox, tmp_path, (folder / f"{name}.rda").read_bytes(), f"{name}.rda")
        assert frame_of(sandbox, tmp_path, GOOD, "good.csv").shape == (3, 2)
    assert os.getpid() == me
