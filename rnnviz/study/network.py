"""The network of the R script, with Keras' initialisation. Torch; no data, no files."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rnnviz.cells import Parts, split_gates
from rnnviz.cells.lstm import Lstm
from rnnviz.study.written import DENSE, UNITS

CELL = Lstm("relu", "hard sigmoid of Keras 2")  # which the script ran on, in 2020
FORGET = 1  # place of the forget gate among the cell's gates


class WrittenNet(nn.Module):
    """LSTM(256, relu, recurrent hard sigmoid) -> Dense 4 -> Dense 1, both linear.

    The cell's equations are those of rnnviz.cells, with Keras 2's hard sigmoid, clip(z/5 + 1/2).
    One bias, as in Keras; torch's cells have two.
    """

    def __init__(self, seed: int, *, inputs: int = 1, units: int = UNITS) -> None:
        super().__init__()
        rows = len(CELL.gates) * units
        self.kernel = nn.Parameter(torch.empty(rows, inputs))
        self.recurrent = nn.Parameter(torch.empty(rows, units))
        self.bias = nn.Parameter(torch.zeros(rows))
        with torch.random.fork_rng(devices=[]):  # torch's modules draw weights of their own
            self.dense, self.dense_1 = nn.Linear(units, DENSE), nn.Linear(DENSE, 1)
        self._start(torch.Generator().manual_seed(seed))

    def _start(self, draws: torch.Generator) -> None:
        """Glorot uniform kernels, an orthogonal recurrent kernel, biases 0, forget bias 1."""
        units = self.recurrent.shape[1]
        with torch.no_grad():
            for weights in (self.kernel, self.dense.weight, self.dense_1.weight):
                bound = math.sqrt(6.0 / sum(weights.shape))
                weights.uniform_(-bound, bound, generator=draws)
            nn.init.orthogonal_(self.recurrent, generator=draws)
            for bias in (self.dense.bias, self.dense_1.bias):
                bias.zero_()
            self.bias[FORGET * units : (FORGET + 1) * units] = 1.0

    def forward(self, inputs: Float[Tensor, "B T F"]) -> Float[Tensor, " B"]:
        """Predictions in the target's unit, from zero states."""
        units = self.recurrent.shape[1]
        states = tuple(inputs.new_zeros(len(inputs), units) for _ in CELL.states)
        for step in nn.functional.linear(inputs, self.kernel, self.bias).unbind(1):
            values = CELL.activate(split_gates(step, len(CELL.gates)), self._recur, states).values
            states = CELL.advance(values, states)
        return self.dense_1(self.dense(states[0]))[:, 0]

    def _recur(self, state: Float[Tensor, "B H"]) -> Parts:
        return split_gates(nn.functional.linear(state, self.recurrent), len(CELL.gates))
