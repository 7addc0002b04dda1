"""Attention over time: scores, their softmax, and the weighted sum of the states."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class Attended(NamedTuple):
    """What attention did: scores before the softmax, weights after it, the weighted sum."""

    scores: Float[Tensor, "B Q T"]  # -inf where masked
    weights: Float[Tensor, "B Q T"]  # rows sum to 1
    context: Float[Tensor, "B Q D"]


class Attention(nn.Module):
    """Scores of Luong et al. (2015) and Bahdanau et al. (2015), by kind.

    dot:      e_qt = s_q . h_t
    general:  e_qt = s_q . (W h_t)
    additive: e_qt = v . tanh(W_s s_q + W_h h_t)
    alpha_q = softmax(e_q);  context_q = sum_t alpha_qt h_t
    """

    def __init__(self, kind: str, size: int) -> None:
        super().__init__()
        self.kind = kind
        if kind == "general":
            self.keys = nn.Linear(size, size, bias=False)
        elif kind == "additive":
            self.keys = nn.Linear(size, size, bias=False)
            self.queries = nn.Linear(size, size, bias=False)
            self.score = nn.Linear(size, 1, bias=False)

    def forward(
        self,
        queries: Float[Tensor, "B Q D"],
        states: Float[Tensor, "B T D"],
        allowed: Bool[Tensor, "B #Q T"],
    ) -> Attended:
        """Every query over the states that it is allowed to see (at least one each)."""
        if self.kind == "dot":
            scores = queries @ states.transpose(1, 2)
        elif self.kind == "general":
            scores = queries @ self.keys(states).transpose(1, 2)
        else:
            both = self.queries(queries)[:, :, None] + self.keys(states)[:, None]
            scores = self.score(torch.tanh(both)).squeeze(-1)
        scores = scores.masked_fill(~allowed, -torch.inf)
        weights = torch.softmax(scores, dim=-1)
        return Attended(scores, weights, weights @ states)
