"""What searching costs: beam search over 12 tokens with its tree, and with its drawing."""

import time
from collections.abc import Callable, Mapping

import numpy as np
import torch

from rnnviz.bench.core import Row
from rnnviz.data.parallel.text import END
from rnnviz.translation.attribution import gradients, occlusions
from rnnviz.translation.beam import Tree, search
from rnnviz.translation.decoding import write
from rnnviz.translation.model import Translator
from rnnviz.translation.network import Encoded, Network
from rnnviz.translation.settings import settings
from rnnviz.ui.components.tree import message

WIDTH, TOKENS, SOURCE = 5, 12, 20  # outputs in the making, and lengths in tokens
HIDDEN, VOCABULARY = 64, 40
CUT = 5  # candidates that are cut and drawn
MOST = 0.150  # of one search with its tree [s]
TURNS = 15


def _network() -> tuple[Network, Encoded, np.ndarray]:
    """Random weights that never write END, so that all 12 tokens are searched."""
    config = settings("dates", hidden_size=HIDDEN, attention="additive")
    sizes = {"source_size": VOCABULARY, "target_size": VOCABULARY}
    made = Translator(config.model, config.translation, **sizes)
    with torch.no_grad():
        made.head.bias[END] = -50.0
    arrays = {name: weights.detach().numpy() for name, weights in made.named_parameters()}
    network = Network.of(arrays, config, VOCABULARY)
    source = np.random.default_rng(0).integers(4, VOCABULARY, SOURCE)
    return network, network.encode(source[None], np.array([SOURCE])), source


def _tree(network: Network, encoded: Encoded) -> Tree:
    (found,) = search(network, encoded, width=WIDTH, longest=TOKENS, cut=CUT)
    return found


def beam(name: str) -> Row:
    """The search, and the message that draws its tree."""
    network, encoded, _ = _network()
    words = tuple(f"w{k}" for k in range(VOCABULARY))
    searched, drawn = [], []
    for _ in range(TURNS):
        began = time.perf_counter()
        found = _tree(network, encoded)
        between = time.perf_counter()
        message(found, words, winner=len(found.nodes) - 1, given=0, dark=False)
        searched.append(between - began)
        drawn.append(time.perf_counter() - between)
    assert found.steps == TOKENS
    seconds = float(np.median(np.add(searched, drawn)))
    return Row(
        name=name,
        value=f"{1000 * seconds:.0f} ms ({1000 * float(np.median(drawn)):.1f} ms of it for the "
        f"drawing of {len(found.nodes)} nodes)",
        target=f"less than {1000 * MOST:.0f} ms",
        met=seconds < MOST,
    )


def other(name: str) -> Row:
    """One of OTHERS in milliseconds."""
    network, encoded, source = _network()
    tokens, seconds = write(network, encoded, longest=TOKENS).tokens, []
    for _ in range(TURNS):
        began = time.perf_counter()
        OTHERS[name](network, encoded, source, tokens)
        seconds.append(time.perf_counter() - began)
    return Row(name=name, value=f"{1000 * float(np.median(seconds)):.1f} ms")


def _greedy(
    network: Network, encoded: Encoded, _source: np.ndarray, _tokens: tuple[int, ...]
) -> object:
    return write(network, encoded, longest=TOKENS)


def _gradients(
    network: Network, _encoded: Encoded, source: np.ndarray, tokens: tuple[int, ...]
) -> object:
    return gradients(network, source, tokens)


def _occlusions(
    network: Network, _encoded: Encoded, source: np.ndarray, tokens: tuple[int, ...]
) -> object:
    return occlusions(network, source, tokens)


BEAM = f"language: beam search, B = {WIDTH}, over {TOKENS} tokens with its tree"
OTHERS: Mapping[str, Callable[..., object]] = {
    f"language: {TOKENS} tokens written greedily": _greedy,
    f"language: gradient × input of {TOKENS} tokens by {SOURCE}": _gradients,
    f"language: occlusions of {SOURCE} tokens": _occlusions,
}
DECODED: Mapping[str, Callable[[str], Row]] = {BEAM: beam, **dict.fromkeys(OTHERS, other)}
