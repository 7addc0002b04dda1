"""Small stories: who came in last, and whom does the first one greet? After the case in cs224d.

"Jane walked into the room . John came in . ... Jane said hi to", and the answer, John, was met a
fixed number of words before. All words are drawn; only that name decides.
"""

import math

import numpy as np

from rnnviz.config import DataConfig
from rnnviz.data.dataset import SequenceDataset, Task, Variable
from rnnviz.data.worlds.world import CHANCE, ENTROPY_FLOOR, SEED, everywhere, made
from rnnviz.errors import DataError

NAMES = ("Jane", "John", "Anna", "Paul", "Mary", "Mark", "Lucy", "Tom")
WAYS = ("walked", "came", "ran", "looked")
PLACES = ("room", "house", "garden", "hall")
GREETINGS = ("hi", "hello", "welcome")
FILLERS = (  # by their lengths
    ("then",),
    ("later", "on"),
    ("it", "rained", "."),
    ("time", "went", "by", "."),
    ("the", "clock", "struck", "nine", "."),
    ("it", "was", "late", "in", "the", "day", "."),
    ("nobody", "had", "anything", "to", "say", "."),
)
NEAREST = 8  # words from the name to the answer, where nothing stands between


def load(config: DataConfig, seed: int = SEED) -> SequenceDataset:
    """Stories in which the name was met `config.delay` words before the answer.

    Raises:
        DataError: the name would be nearer than the sentences allow.
    """
    n, delay = config.sequences, config.delay
    if delay < NEAREST:
        raise DataError(
            f"the name cannot be met {delay} words before the answer; the sentences between need "
            f"at least {NEAREST}: raise the delay"
        )
    rng = np.random.default_rng(seed)
    stories = [story(rng, delay) for _ in range(n)]
    vocabulary = tuple(sorted({word for words, _ in stories for word in words} | set(NAMES)))
    place = {word: index for index, word in enumerate(vocabulary)}
    return made(
        title="Jane said hi to John",
        inputs=np.array([[place[word] for word in words] for words, _ in stories]),
        targets=np.array([NAMES.index(answer) for _, answer in stories]),
        task=Task.CLASSIFICATION,
        whose="stories",
        features=(Variable("word", "word"),),
        outputs=(Variable("name"),),
        vocabulary=vocabulary,
        classes=NAMES,
        known=(
            everywhere(CHANCE, n, math.log(len(NAMES)), accuracy=1 / len(NAMES)),
            everywhere(ENTROPY_FLOOR, n, 0.0, accuracy=1.0, floor=True),
        ),
        notes=(
            "The first one who came in greets the second. The second one's name is asked for, and "
            f"was met {delay} words before.",
            f"One of {len(NAMES)} names by chance: ln {len(NAMES)} = {math.log(len(NAMES)):.4f} "
            "nats. A bag of words sees both names, but not who came first.",
        ),
    )


def story(rng: np.random.Generator, delay: int) -> tuple[tuple[str, ...], str]:
    """The words up to the answer, and the answer."""
    first, second = rng.choice(len(NAMES), 2, replace=False)
    words = [NAMES[first], _one(rng, WAYS), "into", "the", _one(rng, PLACES), "."]
    words += [NAMES[second], _one(rng, WAYS), "in", ".", *_filler(rng, delay - NEAREST)]
    words += [NAMES[first], "said", _one(rng, GREETINGS), "to"]
    return tuple(words), NAMES[second]


def _filler(rng: np.random.Generator, length: int) -> list[str]:
    """So many words: whole sentences, and before the end one or two that open the next."""
    words: list[str] = []
    while (left := length - len(words)) > 0:
        sentences = [filler for filler in FILLERS if 3 <= len(filler) <= left]
        opening = next((filler for filler in FILLERS if len(filler) == left), ())
        words += sentences[rng.integers(len(sentences))] if sentences else opening
    return words


def _one(rng: np.random.Generator, words: tuple[str, ...]) -> str:
    return words[rng.integers(len(words))]
