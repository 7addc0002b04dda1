"""A network that translates in a terminal: each epoch, then texts of one's own. Torch to train."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from rnnviz.config import RunConfig
from rnnviz.data.parallel import PARALLEL, ParallelText, load
from rnnviz.errors import DataError, RunError
from rnnviz.events import EpochEnded, Event, Failed, Finished, Score, Snapshot, Started
from rnnviz.translation.decoding import write_many
from rnnviz.translation.network import Network
from rnnviz.translation.run import fit

EXAMPLES = 3  # held-out pairs that are shown at the end


def told(config: RunConfig, home: Path, texts: Sequence[str]) -> Iterator[str]:
    """Trains, then translates some held-out sources and the texts.

    Raises:
        RnnvizError: the settings or the pairs cannot be used, or training diverged.
    """
    pairs = load(config, home)
    asked = [pairs.encode(text) for text in texts]  # a mistake in them is told before the training
    arrays: Mapping[str, np.ndarray] = {}
    for event in fit(config, pairs):
        if isinstance(event, Snapshot):
            arrays = event.arrays
        if isinstance(event, Failed):
            raise RunError(event.message)
        yield from _lines(event)
    network = Network.of(arrays, config, len(pairs.source_vocabulary))
    test = pairs.split(config.training.seed).test[:EXAMPLES]
    rows = [pairs.sources[row, : pairs.source_lengths[row]] for row in test]
    wanted = [pairs.target_texts[row] for row in test]
    given = [*(pairs.source_texts[row] for row in test), *texts]
    wanted += [_answer(config, text) for text in texts]
    for text, answer, said in zip(given, wanted, _said(network, pairs, rows + asked), strict=True):
        verdict = "" if not answer else " (right)" if said == answer else f" (wrong: {answer})"
        yield f"  {text} → {said}{verdict}"


def _lines(event: Event) -> Iterator[str]:
    match event:
        case Started():
            parts = ", ".join(f"{count:,} {part}" for part, count in event.sizes.items())
            yield f"{event.parameters:,} weights; pairs: {parts}"
            for score in event.baselines:
                if score.part == "test":
                    yield f"  {score.predictor}, without the source: {_told(score)}"
        case EpochEnded():
            yield (
                f"epoch {event.epoch}: train {event.train_loss:.4g} nats, held out "
                f"{_told(event.test)}, {event.seconds:.1f} s"
            )
        case Finished():
            yield event.reason


def _told(score: Score) -> str:
    found = score.metrics
    exact = f", exact {found['exact']:.2%}" if "exact" in found else ""
    return f"{found['loss']:.4g} nats, tokens {found['tokens']:.2%}{exact}"


def _said(network: Network, pairs: ParallelText, rows: list[np.ndarray]) -> list[str]:
    """What the network writes of some sources, the likeliest token each time."""
    lengths = np.array([len(row) for row in rows])
    tokens = np.zeros((len(rows), int(lengths.max())), dtype=np.int64)
    for place, row in zip(tokens, rows, strict=True):
        place[: len(row)] = row
    longest = 2 * pairs.targets.shape[1]  # a text of one's own may take more than any that is known
    return [
        pairs.decode(said)
        for said in write_many(network, network.encode(tokens, lengths), longest=longest)
    ]


def _answer(config: RunConfig, text: str) -> str:
    """What the rule says of it; "" where it is unknown."""
    rule = PARALLEL[config.translation.parallel].answer
    try:
        return rule(text) if rule else ""
    except DataError:
        return ""
