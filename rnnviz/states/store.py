"""Where states are kept: one file for each direction of a layer, unit by unit, mapped into memory.

It is h or the memory c that is kept, each under a name of its own. float16, as h lies in [-1, 1]
for most cells and a picture shows three digits: 10,000 sequences of 1,440 steps and 64 units take
1.84 GB. One unit's states of all sequences lie together, because that is what a search reads. What
is kept can be made again at any time. No torch.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float16, Int

from rnnviz.config import DataConfig
from rnnviz.errors import RunError

VERSION = 1  # of what is kept: raise it whenever the same model gives other bytes
MOST_BYTES = 2_000_000_000  # of one model's states
MOST_KEPT = 4_000_000_000  # of all together
_META = "states.json"


class WayShape(NamedTuple):
    """One direction of one layer."""

    layer: int
    reverse: bool
    units: int


@dataclass(frozen=True, kw_only=True)
class States:
    """What is kept of one model on one data set."""

    rows: Int[np.ndarray, " N"]  # of the data set, ascending
    ways: tuple[WayShape, ...]
    # of the state that is kept one a way, on real time, zero after each length
    h: tuple[Float16[np.ndarray, "H N T"], ...]
    lengths: Int[np.ndarray, " N"]

    def way(self, layer: int, *, reverse: bool) -> int:
        """The place of a direction."""
        return next(
            k for k, way in enumerate(self.ways) if (way.layer, way.reverse) == (layer, reverse)
        )

    def place(self, row: int) -> int | None:
        """Where a row of the data set stands; None where it was left out."""
        found = int(np.searchsorted(self.rows, row))
        return found if found < len(self.rows) and self.rows[found] == row else None


def digest(model: bytes, data: DataConfig, state: str = "h") -> str:
    """The name under which a state of a model on a data set is kept."""
    of_state = [] if state == "h" else [state]
    text = json.dumps([VERSION, asdict(data), *of_state], sort_keys=True).encode()
    return hashlib.sha256(text + model).hexdigest()[:32]


def fitting(rows: int, steps: int, units: int) -> int:
    """How many of the rows have room, when each holds so many steps of so many units."""
    return max(1, min(rows, MOST_BYTES // (2 * steps * units)))


def open_states(home: Path, name: str) -> States | None:
    """What is kept under a digest, None where there is nothing whole."""
    folder = _folder(home, name)
    try:
        meta = json.loads((folder / _META).read_text("utf-8"))
        os.utime(folder / _META)  # what is used is removed last
        ways = tuple(WayShape(*way) for way in meta["ways"])
        rows = np.load(folder / "rows.npy", allow_pickle=False)
        lengths = np.load(folder / "lengths.npy", allow_pickle=False)
        h = tuple(
            np.memmap(
                folder / f"h-{k}.f16",
                dtype=np.float16,
                mode="r",
                shape=(way.units, len(rows), meta["steps"]),
            )
            for k, way in enumerate(ways)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return States(rows=rows, ways=ways, h=h, lengths=lengths)


class Writing(NamedTuple):
    """Files that are being filled."""

    h: tuple[Float16[np.ndarray, "H N T"], ...]


@contextlib.contextmanager
def writing(
    home: Path,
    name: str,
    *,
    rows: Int[np.ndarray, " N"],
    lengths: Int[np.ndarray, " N"],
    ways: tuple[WayShape, ...],
    steps: int,
) -> Iterator[Writing]:
    """Maps to fill; at the end all is put in place at once, unless something was raised.

    Raises:
        RunError: there is no room on the disk.
    """
    final = _folder(home, name)
    final.parent.mkdir(parents=True, exist_ok=True)
    need = sum(2 * way.units for way in ways) * len(rows) * steps
    _make_room(final.parent, need)
    if need > shutil.disk_usage(final.parent).free * 0.9:
        raise RunError(
            f"the states take {need / 1e9:.1f} GB, and the server's disk has less; make room on "
            "it, or train with fewer units or sequences"
        )
    draft = Path(tempfile.mkdtemp(dir=final.parent, suffix=".part"))
    try:
        np.save(draft / "rows.npy", rows)
        np.save(draft / "lengths.npy", lengths)
        yield Writing(
            tuple(
                np.memmap(
                    draft / f"h-{k}.f16",
                    dtype=np.float16,
                    mode="w+",
                    shape=(way.units, len(rows), steps),
                )
                for k, way in enumerate(ways)
            )
        )
        (draft / _META).write_text(json.dumps({"ways": ways, "steps": steps}), "utf-8")
        shutil.rmtree(final, ignore_errors=True)
        draft.replace(final)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _folder(home: Path, name: str) -> Path:
    return home / "states" / name


def _make_room(folder: Path, need: int) -> None:
    """Removes what was not used for longest; who has it mapped keeps it."""
    known = sorted(folder.glob(f"*/{_META}"), key=lambda path: path.stat().st_mtime, reverse=True)
    total = need
    for meta in known:
        total += sum(file.stat().st_size for file in meta.parent.iterdir())
        if total > MOST_KEPT:
            shutil.rmtree(meta.parent, ignore_errors=True)
