"""The word namaskar, letter by letter: after an a comes an m, an s or an r.

Seven next letters are predicted. Whoever sees the present letter only must treat the three a's
alike, gets at most 5 of 7 right and has a cross-entropy of at least (3/7) ln 3 = .4708 nats.
"""

import numpy as np

from rnnviz.config import DataConfig
from rnnviz.data.dataset import PARTS, SequenceDataset, Task, Variable
from rnnviz.data.worlds.world import ENTROPY_FLOOR, MEMORYLESS, everywhere, made, memoryless

WORD = "namaskar"
LETTERS = ("n", "a", "m", "s", "k", "r")


def load(_config: DataConfig) -> SequenceDataset:
    """The word three times: there is only one, so validation and test read it as well."""
    indices = np.array([LETTERS.index(letter) for letter in WORD], dtype=np.int64)
    inputs = np.tile(indices[:-1], (len(PARTS), 1))
    targets = np.tile(indices[1:], (len(PARTS), 1))
    pairs = np.zeros((len(LETTERS), len(LETTERS)))
    np.add.at(pairs, (indices[:-1], indices[1:]), 1)
    loss, accuracy = memoryless(pairs)
    return made(
        title="The word namaskar",
        inputs=inputs,
        targets=targets,
        task=Task.NEXT_TOKEN,
        whose="words",
        ids=tuple(f"{WORD} ({part})" for part in PARTS),
        parts=PARTS,
        features=(Variable("letter", "letter"),),
        outputs=(Variable("next letter", "letter"),),
        vocabulary=LETTERS,
        known=(
            everywhere(MEMORYLESS, len(PARTS), loss, accuracy=accuracy),
            everywhere(ENTROPY_FLOOR, len(PARTS), 0.0, accuracy=1.0, floor=True),
        ),
        notes=(
            "There is only one word, so nothing is held out: training, validation and test read "
            "the same seven letters. What is asked is whether it can be remembered at all.",
            "After an a comes an m, an s or an r. Without a memory of what came before, at most 5 "
            f"of the 7 next letters are right, with a cross-entropy of at least {loss:.4f} nats; "
            "with a memory all 7 are, and the three a's must have three different states.",
        ),
    )
