"""Attention of a decoder over a source: scores, weights, context. NumPy; no torch.

The equations are those of rnnviz.attention, which has no torch-free half of its own:

dot:      e_ts = d_t . h_s
general:  e_ts = d_t . (W h_s)
additive: e_ts = v . tanh(W_d d_t + W_h h_s)
alpha_t = softmax(e_t);  c_t = sum_s alpha_ts h_s
"""

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float

from rnnviz.inside.readout import softmax


class Attention(NamedTuple):
    """Its kind and weights; what a kind has no use for is None."""

    kind: str
    keys: Float[np.ndarray, "H H"] | None = None
    queries: Float[np.ndarray, "H H"] | None = None
    score: Float[np.ndarray, " H"] | None = None

    @classmethod
    def of(cls, kind: str, arrays: Mapping[str, Float[np.ndarray, "..."]]) -> Self | None:
        """By the names of torch's modules; None where there is none."""
        if kind == "none":
            return None
        keys, queries, score = (
            arrays.get(f"attention.{name}.weight") for name in ("keys", "queries", "score")
        )
        return cls(kind, keys, queries, None if score is None else score.reshape(-1))

    def keyed(self, annotations: Float[np.ndarray, "*rows H"]) -> Float[np.ndarray, "*rows H"]:
        """What a query is compared with; the same for all queries."""
        return annotations if self.keys is None else annotations @ self.keys.T

    def bent(
        self, queries: Float[np.ndarray, "N H"], keyed: Float[np.ndarray, "N S H"]
    ) -> Float[np.ndarray, "N S H"]:
        """tanh(W_d d + W_h h) of additive attention."""
        assert self.queries is not None
        return np.tanh((queries @ self.queries.T)[:, None] + keyed)

    def scores(
        self,
        queries: Float[np.ndarray, "N H"],
        keyed: Float[np.ndarray, "N S H"],
        allowed: Bool[np.ndarray, "N S"],
    ) -> Float[np.ndarray, "N S"]:
        """Before the softmax; -inf where there is padding."""
        if self.kind == "additive":
            assert self.score is not None
            found = self.bent(queries, keyed) @ self.score
        else:
            found = np.einsum("nh,nsh->ns", queries, keyed)
        return np.where(allowed, found, -np.inf)


def weights_of(scores: Float[np.ndarray, "N S"]) -> Float[np.ndarray, "N S"]:
    """After the softmax; rows sum to 1, padding has 0."""
    return softmax(scores)
