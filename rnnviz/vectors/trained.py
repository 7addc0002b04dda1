"""The vectors that a recurrent network learned for its tokens, out of a trace. No torch."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from rnnviz.trace import Trace


class Learned(NamedTuple):
    """One vector a token, and what it is."""

    vectors: Float[np.ndarray, "V D"]
    said: str


def vectors_in(trace: Trace, tokens: int) -> Learned | None:
    """What stands for each token; None where the network reads no tokens.

    Args:
        trace: of the network.
        tokens: in its vocabulary.
    """
    if trace.embedding is not None:
        d = trace.embedding.shape[1]
        said = f"A token's vector is its row of this network's embedding: {d} numbers."
        return Learned(trace.embedding, said)
    first = [layer for layer in trace.layers if layer.layer == 0]
    if not tokens or any(layer.input_weights.shape[2] != tokens for layer in first):
        return None
    vectors = np.concatenate([layer.input_weights.reshape(-1, tokens) for layer in first]).T
    ways = "both directions" if len(first) > 1 else "one direction"
    gates = len(first[0].gate_names)
    return Learned(
        vectors,
        "This network has no embedding layer: it reads one-hot tokens, so W x picks a column of "
        f"its first layer's input weights. A token's vector is that column: {gates} "
        f"{'gates' if gates > 1 else 'gate'} of {first[0].states.shape[-1]} units, {ways}. "
        "Set an embedding on the Train page to have it learn one.",
    )
