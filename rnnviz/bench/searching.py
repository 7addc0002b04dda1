"""What a search in the states of all sequences costs, at the size that is promised."""

import tempfile
import time
from pathlib import Path

import numpy as np

from rnnviz.bench.core import Row
from rnnviz.states.match import find_spans, units_on
from rnnviz.states.store import WayShape, open_states, writing

SEQUENCES, STEPS, UNITS = 10_000, 1_440, 64
SOUGHT = 8  # units at once; the others' states lie there and are never read
MOST_SECONDS = 2.0
TURNS = 5

MATCHED = "inside: select and match in 10,000 x 1440 steps x 64 units"


def matched(name: str) -> Row:
    """From a marked span to every span of all sequences, once the states are kept."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        _fill(home)
        states = open_states(home, "bench")
        assert states is not None
        h, seconds, total = states.h[0], [], 0
        for turn in range(TURNS):
            began = time.perf_counter()
            on = units_on(np.asarray(h[:, turn]), STEPS // 2, STEPS // 2 + 3, 0.3)
            assert on, "random walks are on somewhere"
            units = tuple((one.unit, one.sign) for one in on[:SOUGHT])
            found = find_spans(h, states.lengths, units, 0.3, least=max(1, len(units) - 1), like=3)
            seconds.append(time.perf_counter() - began)
            total = found.total
    middle = float(np.median(seconds))
    return Row(
        name=name,
        value=f"{middle:.2f} s (median of {TURNS}) for up to {SOUGHT} units; {total:,} spans",
        target=f"less than {MOST_SECONDS:g} s",
        met=middle < MOST_SECONDS,
    )


def _fill(home: Path) -> None:
    """Slow random walks in the units that are sought, zeros in all others."""
    rng = np.random.default_rng(0)
    rows, lengths = np.arange(SEQUENCES), np.full(SEQUENCES, STEPS)
    way = (WayShape(0, False, UNITS),)
    with writing(home, "bench", rows=rows, lengths=lengths, ways=way, steps=STEPS) as files:
        for unit in range(SOUGHT):
            for start in range(0, SEQUENCES, 1000):
                walk = np.cumsum(rng.normal(0, 0.2, (1000, STEPS)), axis=1)
                files.h[0][unit, start : start + 1000] = np.tanh(walk).astype(np.float16)
