"""Damaged model files, drawn from a seed: each is read, or refused in one sentence in good time."""

from dataclasses import replace

import numpy as np
import pytest
from model_files import make_model

from rnnviz.data.sandbox import LIMITS, Sandbox
from rnnviz.errors import DataError
from rnnviz.exchange.build import stored_of
from rnnviz.exchange.reading import PROGRAM, read_model
from rnnviz.exchange.torch_files import write_pt
from rnnviz.exchange.writing import WRITERS, written

FILES = 40  # of each kind
STORED = stored_of(make_model(hidden_size=4, layers=2, bidirectional=True))


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """The file with bytes changed, cut out, or put in; most changes hit its first 4 KB."""
    found = bytearray(data)
    for _ in range(rng.integers(1, 6)):
        near = rng.random() < 0.7
        at = int(rng.integers(0, min(len(found), 4096) if near else len(found)))
        length = int(rng.integers(1, 32))
        kind = rng.integers(0, 4)
        if kind == 0:
            found[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            found[at : at + length] = rng.bytes(length)
        elif kind == 2:
            found[at : at + length] = b"\xff" * length
        else:
            del found[at : at + (length if rng.random() < 0.8 else len(found))]
        found = found or bytearray(b"\x00")
    return bytes(found)


@pytest.mark.parametrize("ending", [*WRITERS, ".pt"])
def test_damaged_files_are_read_or_refused(tmp_path, ending):
    good = written(STORED, f"m{ending}", {**WRITERS, ".pt": write_pt})
    rng = np.random.default_rng([7, *ending.encode()])
    refused = 0
    limits = replace(LIMITS, wall_seconds=10.0)
    with Sandbox(helpers=1, program=PROGRAM, limits=limits) as sandbox:
        sandbox.start()
        before = sandbox.pids()
        for k in range(FILES):
            path = tmp_path / f"{k}{ending}"
            path.write_bytes(damaged(good, rng))
            try:
                read_model(path, path.name, sandbox)
            except DataError as wrong:
                refused += 1
                text = str(wrong)
                assert text.startswith(path.name)
                assert "\n" not in text
                assert "takes longer" not in text
        assert sandbox.pids() == before
    assert refused > FILES / 2
