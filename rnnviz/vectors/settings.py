"""Word vectors as settings of a run, and the text they are of. No torch."""

from collections.abc import Mapping
from pathlib import Path

from rnnviz.config import DataConfig, RunConfig, TrainingConfig, VectorsConfig
from rnnviz.data.builtin import SAMPLES
from rnnviz.data.uploads import read_text
from rnnviz.vectors import grammar
from rnnviz.vectors.corpus import Corpus, read

TITLE = "Word vectors"  # of the runs
PROGRAMS = {TITLE: "rnnviz.vectors.run:fit_stored"}

RATES: Mapping[str, float] = {"skipgram": 0.05, "cbow": 0.1, "glove": 0.1}  # to begin with
EPOCHS: Mapping[str, int] = {"skipgram": 10, "cbow": 10, "glove": 30}
MOST_EPOCHS = 200
BATCH = 256  # pairs, words with their context, or entries
MOST_MAPPED = 400  # words on a map: the most frequent ones
MOST_KEPT = 20  # epochs whose vectors are kept, beside those before training
MOST_BYTES = 64_000_000  # of all that one run keeps of them


def settings(
    vectors: VectorsConfig, *, seed: int = 0, epochs: int = 0, rate: float = 0.0, file: str = ""
) -> RunConfig:
    """A run's settings.

    Args:
        vectors: the text and the method.
        seed: of first weights and every draw.
        epochs: passes over the text; 0 is what suits the method.
        rate: of the steps; 0 likewise.
        file: the id of a text that was given.
    """
    return RunConfig(
        data=DataConfig(source="text", tokens="words", file=file),
        training=TrainingConfig(
            optimiser="sgd",
            learning_rate=rate or RATES[vectors.method],
            batch_size=BATCH,
            epochs=epochs or EPOCHS[vectors.method],
            clip_norm=0.0,
            seed=seed,
        ),
        vectors=vectors,
    )


def corpus_of(config: RunConfig, home: Path) -> Corpus:
    """The words of the text that the settings name.

    Raises:
        DataError: it is gone, or too short.
    """
    return read(_text(config, home), min_count=config.vectors.min_count)


def _text(config: RunConfig, home: Path) -> str:
    name = config.vectors.corpus
    if name == "own":
        return read_text(home, config.data.file)
    return grammar.text(config.vectors.text_words) if name == "grammar" else SAMPLES[name].text()


def stride(config: RunConfig, words: int) -> int:
    """Vectors are kept after every so many epochs, so that a run stays within its bound."""
    kept = min(MOST_KEPT, max(1, MOST_BYTES // bytes_of(config.vectors, words) - 2))
    return -(-config.training.epochs // kept)


def bytes_of(vectors: VectorsConfig, words: int) -> int:
    """What is kept of one epoch: both vectors of each word, with GloVe's biases and squares."""
    of_word = vectors.dimensions + 1
    arrays = 4 if vectors.method == "glove" else 2
    return 4 * arrays * words * of_word + 4 * 4 * MOST_MAPPED
