"""The copy task (Hochreiter and Schmidhuber 1997; as in Arjovsky et al. 2016): symbols, blanks, a
marker, and then the symbols once more, from memory.

Only the steps of the answer count. Over all S + T + S steps, blanks counted, whoever remembers
nothing has S ln 8 / (T + 2 S) nats; over those that count here it is ln 8.
"""

import math

import numpy as np

from rnnviz.config import DataConfig
from rnnviz.data.dataset import SequenceDataset, Task, Variable
from rnnviz.data.worlds.world import ENTROPY_FLOOR, MEMORYLESS, SEED, everywhere, made

SYMBOLS = tuple("abcdefgh")
BLANK, MARKER = "_", ">"
LENGTH = 4  # S, symbols to be copied


def load(config: DataConfig, seed: int = SEED) -> SequenceDataset:
    """LENGTH symbols, `config.delay` steps whose last is the marker, LENGTH steps of answer."""
    n, delay = config.sequences, config.delay
    rng = np.random.default_rng(seed)
    steps = LENGTH + delay + LENGTH
    symbols = rng.integers(0, len(SYMBOLS), (n, LENGTH))
    vocabulary = (*SYMBOLS, BLANK, MARKER)
    inputs = np.full((n, steps), vocabulary.index(BLANK))
    inputs[:, :LENGTH] = symbols
    inputs[:, LENGTH + delay - 1] = vocabulary.index(MARKER)
    targets = np.zeros((n, steps), dtype=np.int64)
    targets[:, -LENGTH:] = symbols
    limit = math.log(len(SYMBOLS))
    over_all = LENGTH * limit / steps
    return made(
        title="The copy task",
        inputs=inputs,
        targets=targets,
        counted=np.broadcast_to(np.arange(steps) >= steps - LENGTH, (n, steps)).copy(),
        task=Task.TAGGING,
        whose="sequences",
        features=(Variable("symbol", "symbol"),),
        outputs=(Variable("symbol to be copied"),),
        vocabulary=vocabulary,
        classes=SYMBOLS,
        known=(
            everywhere(MEMORYLESS, n, limit, accuracy=1 / len(SYMBOLS)),
            everywhere(ENTROPY_FLOOR, n, 0.0, accuracy=1.0, floor=True),
        ),
        notes=(
            f"{LENGTH} symbols, then blanks ({BLANK}), and after the marker ({MARKER}) the symbols "
            "are to be said in their order. Only these last steps count.",
            f"Without a memory of them the cross-entropy is ln 8 = {limit:.4f} nats (over all "
            f"{steps} steps, blanks counted as in the literature, {over_all:.4f}); with one it can "
            "be 0.",
        ),
    )
