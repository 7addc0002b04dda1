"""The delayed echo: at every step, the bit that was read `delay` steps before.

Bits are fair coins, so whoever remembers fewer steps knows nothing: ln 2 nats at each step.
"""

import math

import numpy as np

from rnnviz.config import DataConfig
from rnnviz.data.dataset import SequenceDataset, Task, Variable
from rnnviz.data.worlds.world import ENTROPY_FLOOR, MEMORYLESS, SEED, everywhere, made
from rnnviz.errors import DataError

BITS = ("0", "1")


def load(config: DataConfig, seed: int = SEED) -> SequenceDataset:
    """Sequences of `config.window` bits; the first `config.delay` steps have no target.

    Raises:
        DataError: the sequence is not longer than the delay.
    """
    n, steps, delay = config.sequences, config.window, config.delay
    if delay >= steps:
        raise DataError(
            f"a delay of {delay} needs sequences of more than {delay} steps; there are {steps}: "
            "make the sequence longer or the delay shorter"
        )
    bits = np.random.default_rng(seed).integers(0, 2, (n, steps))
    targets = np.zeros_like(bits)
    targets[:, delay:] = bits[:, :-delay]
    return made(
        title="The delayed echo",
        inputs=bits,
        targets=targets,
        counted=np.broadcast_to(np.arange(steps) >= delay, (n, steps)).copy(),
        task=Task.TAGGING,
        whose="sequences",
        features=(Variable("bit", "bit"),),
        outputs=(Variable(f"bit {delay} step{'s' if delay > 1 else ''} before"),),
        vocabulary=BITS,
        classes=BITS,
        known=(
            everywhere(MEMORYLESS, n, math.log(2), accuracy=0.5),
            everywhere(ENTROPY_FLOOR, n, 0.0, accuracy=1.0, floor=True),
        ),
        notes=(
            f"Every bit is a fair coin, and has to be said again {delay} steps later; the first "
            f"{delay} steps have nothing to say yet and do not count.",
            f"Without a memory the cross-entropy is ln 2 = {math.log(2):.4f} nats and half of the "
            "answers are right; with one it can be 0.",
        ),
    )
