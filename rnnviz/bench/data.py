"""What reading people's files costs at the study's true size: time, and the most memory."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.csv
import pyreadr

from rnnviz.bench.core import Row
from rnnviz.data.sandbox import Sandbox
from rnnviz.data.simulator import MINUTES, races, simulate_days

ROWS = 13_859  # person-days of the study
MOST_SECONDS, MOST_MEGABYTES = 15.0, 1000.0
LOOK = 0.02  # between two looks at the reader's memory [s]


def study_table() -> pd.DataFrame:
    """As many rows as the study has, with its columns; simulated, as long as means of 7 days."""
    made = simulate_days(-(-ROWS // 7), 7, seed=0)
    names = [f"MIN{k}" for k in range(1, MINUTES + 1)]
    minutes = pd.DataFrame(made.counts[:ROWS] / 7, columns=names)
    first = pd.DataFrame({"SEQN": np.arange(ROWS) // 7 + 21_005})
    last = pd.DataFrame(
        {
            "Race": np.array(races())[made.race[:ROWS]],
            "Gender": np.where(made.female[:ROWS], "Female", "Male"),
            "Age": made.age[:ROWS],
            "BMI": made.bmi[:ROWS].round(2),
        }
    )
    return pd.concat([first, minutes, last], axis=1)


def _csv(table: pd.DataFrame, path: Path) -> None:
    pyarrow.csv.write_csv(pa.Table.from_pandas(table, preserve_index=False), path)


def _rda(table: pd.DataFrame, path: Path) -> None:
    pyreadr.write_rdata(str(path), table, df_name="MINdata_1440", compress="gzip")


@dataclass
class Peak:
    """The most that any fork of a sandbox's helpers had in memory [MB]."""

    most: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)

    def watch(self, sandbox: Sandbox) -> None:
        """Looks again and again; the system keeps each process's own peak for us."""
        while not self.over.wait(LOOK):
            for helper in sandbox.pids():
                for fork in psutil.Process(helper).children():
                    self.most = max(self.most, _high_water(fork.pid))


def _high_water(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it has just ended
        return 0.0
    return next((int(li.split()[1]) / 1e3 for li in lines if li.startswith("VmHWM")), 0.0)


@contextmanager
def peak_of(sandbox: Sandbox) -> Iterator[Peak]:
    """Watches the sandbox's processes meanwhile."""
    peak = Peak()
    thread = threading.Thread(target=peak.watch, args=(sandbox,))
    thread.start()
    try:
        yield peak
    finally:
        peak.over.set()
        thread.join()


FORMS: Mapping[str, tuple[str, Callable[[pd.DataFrame, Path], None]]] = {
    "data: a CSV of the study's size, read": ("study.csv", _csv),
    "data: an R file of the study's size, read": ("study.rda", _rda),
}


def reading(name: str) -> Row:
    """One of FORMS: written once, then read in a warm sandbox."""
    file, write = FORMS[name]
    with tempfile.TemporaryDirectory() as folder, Sandbox(helpers=1) as sandbox:
        path, into = Path(folder) / file, Path(folder) / "read"
        into.mkdir()
        write(study_table(), path)
        sandbox.start()
        with peak_of(sandbox) as peak:
            began = time.perf_counter()
            parsed = sandbox.parse(path, file, into)
            seconds = time.perf_counter() - began
        (table,) = parsed.tables
        size = path.stat().st_size / 1e6
    return Row(
        name=name,
        value=f"{table.rows:,} x {table.columns:,}, {size:.0f} MB: {seconds:.1f} s, "
        f"at most {peak.most:.0f} MB of memory, by {parsed.reader}",
        target=f"less than {MOST_SECONDS:g} s and {MOST_MEGABYTES:g} MB",
        met=seconds < MOST_SECONDS and peak.most < MOST_MEGABYTES,
    )
