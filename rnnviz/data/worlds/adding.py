"""The adding problem (Hochreiter and Schmidhuber 1997): the sum of two marked numbers.

At every step a number from U(0, 1) and a mark; two steps are marked, one in each half. Always
saying 1, the mean, has a mean squared error of 2/12 = 1/6, the variance of the sum.
"""

import numpy as np

from rnnviz.config import DataConfig
from rnnviz.data.dataset import SequenceDataset, Task, Variable
from rnnviz.data.worlds.world import NOISE_FLOOR, SEED, everywhere, made

ALWAYS_ONE = "always 1"
VARIANCE = 1 / 6  # of the sum of two numbers from U(0, 1)


def load(config: DataConfig, seed: int = SEED) -> SequenceDataset:
    """Sequences of `config.window` steps."""
    n, steps = config.sequences, config.window
    rng = np.random.default_rng(seed)
    inputs = np.zeros((n, steps, 2), dtype=np.float32)
    inputs[:, :, 0] = rng.random((n, steps))
    rows, half = np.arange(n), steps // 2
    first, second = rng.integers(0, half, n), rng.integers(half, steps, n)
    inputs[rows, first, 1] = inputs[rows, second, 1] = 1.0
    total = inputs[rows, first, 0] + inputs[rows, second, 0]
    return made(
        title="The adding problem",
        inputs=inputs,
        targets=total[:, None],
        task=Task.REGRESSION,
        whose="sequences",
        features=(Variable("number"), Variable("mark")),
        outputs=(Variable("sum"),),
        known=(
            everywhere(ALWAYS_ONE, n, VARIANCE, metric="mse"),
            everywhere(NOISE_FLOOR, n, 0.0, metric="mse", floor=True),
        ),
        notes=(
            "At every step a number between 0 and 1, and a mark that is 1 at two of the steps. The "
            "sum of the two marked numbers is asked for at the end.",
            f"Always saying 1 has a mean squared error of 1/6 = {VARIANCE:.4f}: a network below "
            "that has learned what to keep. The longer the sequence, the harder.",
        ),
    )
