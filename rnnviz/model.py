"""SequenceModel: stacked recurrent layers, attention over time, a head. Torch; no data, no files.

Inside, time comes first ([T B H]): torch's recurrent kernels are faster that way.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from rnnviz.attention import Attended, Attention
from rnnviz.cells import CELLS, Cell, split_gates
from rnnviz.config import Dense, ModelConfig
from rnnviz.data.dataset import Task
from rnnviz.errors import ConfigError

CHUNK = 240  # steps handed to a kernel at once: its workspace stays in the cache


SQUASHES: Mapping[str, Callable[[Tensor], Tensor]] = {  # by the names of ACTIVATIONS
    "linear": lambda z: z,
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}


class Batch(NamedTuple):
    """Sequences, time first."""

    inputs: Float[Tensor, "T B F"] | Int[Tensor, "T B"]
    lengths: Int[Tensor, " B"] | None  # None: all are T long
    covariates: Float[Tensor, "B C"]
    targets: Float[Tensor, "B K"] | Int[Tensor, " B"] | Int[Tensor, "B T"] | Float[Tensor, "B T K"]
    counted: Bool[Tensor, "B T"] | None = None  # steps with a target; None: all are


States = tuple[Float[Tensor, "_ _"], ...]  # [B H] of a direction, in its cell's order; h first


class Readout(NamedTuple):
    """What the head says, how attention came to it, and where the state stands."""

    outputs: Float[Tensor, "B Q K"]
    attended: Attended | None
    after: tuple[States, ...] = ()  # of each layer after the last step, where they are carried on


class StepLoop(nn.Module):
    """A cell run step by step under autograd, for cells without a fused kernel."""

    def __init__(self, cell: Cell, inputs: int, size: int) -> None:
        super().__init__()
        self.cell, rows = cell, len(cell.gates) * size
        self.weight_ih_l0 = nn.Parameter(torch.empty(rows, inputs))
        self.weight_hh_l0 = nn.Parameter(torch.empty(rows, size))
        self.bias_ih_l0 = nn.Parameter(torch.empty(rows))
        self.bias_hh_l0 = nn.Parameter(torch.empty(rows))

    def forward(
        self, x: Float[Tensor, "T B I"], before: States | None = None
    ) -> tuple[Float[Tensor, "T B H"], States]:
        """The state h after every step, and all states after the last; None: from zero states."""
        gates, size = len(self.cell.gates), self.weight_hh_l0.shape[1]
        states = before or tuple(x.new_zeros(x.shape[1], size) for _ in self.cell.states)
        hidden = []
        # unbind: indexing projected[t] would make the backward pass quadratic in T
        for step in nn.functional.linear(x, self.weight_ih_l0, self.bias_ih_l0).unbind(0):
            values = self.cell.activate(split_gates(step, gates), self.recur, states).values
            states = self.cell.advance(values, states)
            hidden.append(states[0])
        return torch.stack(hidden), states

    def recur(self, state: Float[Tensor, "*batch H"]) -> tuple[Tensor, ...]:
        """U_k s + b_k of every gate."""
        projected = nn.functional.linear(state, self.weight_hh_l0, self.bias_hh_l0)
        return split_gates(projected, len(self.cell.gates))


class Direction(nn.Module):
    """One direction of one layer; outputs stand on real time for both directions."""

    def __init__(self, cell: Cell, inputs: int, size: int, *, reverse: bool) -> None:
        super().__init__()
        self.cell, self.reverse = cell, reverse
        if cell.fused is None:
            self.rnn: nn.Module = StepLoop(cell, inputs, size)
        else:
            extra = {"nonlinearity": cell.nonlinearity} if cell.nonlinearity else {}
            self.rnn = getattr(nn, cell.fused)(inputs, size, **extra)

    def forward(
        self, x: Float[Tensor, "T B I"], lengths: Int[Tensor, " B"] | None
    ) -> Float[Tensor, "T B H"]:
        """The state h after every step; a backward direction reads from each sequence's end."""
        if not self.reverse:
            return self._run(x)[0]
        return flip_time(self._run(flip_time(x, lengths))[0], lengths)

    def go_on(
        self, x: Float[Tensor, "T B I"], before: States
    ) -> tuple[Float[Tensor, "T B H"], States]:
        """The state h after every step, from these states on, and all states after the last."""
        if self.cell.fused is None:
            return self._run(x, before)
        several = len(before) > 1  # the fused kernels count layers too, and take one state bare
        stacked = tuple(state[None].contiguous() for state in before)
        outputs, after = self._run(x, stacked if several else stacked[0])
        return outputs, tuple(state[0] for state in (after if several else (after,)))

    def _run(self, x: Float[Tensor, "T B I"], state: Any = None) -> tuple[Tensor, Any]:
        if self.cell.fused is None or len(x) <= CHUNK * 3 // 2:
            return self.rnn(x, state)
        outputs = []
        for chunk in x.split(CHUNK):
            output, state = self.rnn(chunk, state)
            outputs.append(output)
        return torch.cat(outputs), state


def first_of(states: tuple[States, ...], count: int) -> tuple[States, ...]:
    """The states of the first sequences of a batch."""
    return tuple(tuple(state[:count] for state in layer) for layer in states)


def joined(parts: Sequence[Float[Tensor, "*batch _"]]) -> Float[Tensor, "*batch D"]:
    """Parts beside each other on the last axis; a single one is not copied."""
    return parts[0] if len(parts) == 1 else torch.cat(tuple(parts), dim=-1)


def flip_time(
    x: Float[Tensor, "T B I"], lengths: Int[Tensor, " B"] | None
) -> Float[Tensor, "T B I"]:
    """Each sequence back to front within its length; what is beyond stays where it is."""
    if lengths is None:
        return x.flip(0)
    steps = torch.arange(len(x), device=x.device)[:, None]
    index = torch.where(steps < lengths, lengths - 1 - steps, steps)
    return x.gather(0, index[:, :, None].expand_as(x))


class SequenceModel(nn.Module):
    """Layers -> (attention) -> (dense) -> head.

    Many-to-one: the head reads the last state (of both directions), joined by the attention's
    context with that state as its query, and by the covariates. Many-to-many: the same at every
    step, with attention over the steps that its state has seen. Models of other programs may have
    `sizes`, the units of each layer, and `dense` layers before the head.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        inputs: int,
        outputs: int,
        covariates: int,
        task: Task,
        seed: int = 0,
        sizes: tuple[int, ...] = (),
        dense: tuple[Dense, ...] = (),
    ) -> None:
        super().__init__()
        if task is Task.NEXT_TOKEN and config.bidirectional:
            raise ConfigError(
                "bidirectional is on, but a backward network has read the next token already; "
                "switch it off to predict the next token"
            )
        self.config, self.task, self.input_size = config, task, inputs
        self.covariates = covariates if config.covariates else 0
        self.sizes, self.dense_layers = sizes or (config.hidden_size,) * config.layers, dense
        with torch.random.fork_rng(devices=[]):  # torch's modules draw weights of their own
            self._build(CELLS[config.cell], outputs)
        self._start(seed)

    def _build(self, cell: Cell, outputs: int) -> None:
        config = self.config
        ways = (False, True) if config.bidirectional else (False,)
        size = config.embedding
        self.embedding = nn.Embedding(self.input_size, size) if size else None
        widths = (size or self.input_size, *(units * len(ways) for units in self.sizes))
        self.layers = nn.ModuleList(
            nn.ModuleList(Direction(cell, reads, units, reverse=way) for way in ways)
            for reads, units in zip(widths, self.sizes, strict=False)
        )
        attends = config.attention != "none"
        self.attention = Attention(config.attention, widths[-1]) if attends else None
        joined_width = widths[-1] * (2 if attends else 1) + self.covariates
        steps = (joined_width, *(layer.units for layer in self.dense_layers))
        self.dense = nn.ModuleList(nn.Linear(reads, gives) for reads, gives in pairwise(steps))
        self.head = nn.Linear(steps[-1], outputs)

    def _start(self, seed: int) -> None:
        # torch's own scheme, from a generator of our own: the global one stays untouched
        generator = torch.Generator().manual_seed(seed)
        recurrent = self.config.hidden_size**-0.5
        with torch.no_grad():
            for name, weights in self.named_parameters():
                owner = self.get_submodule(name.rpartition(".")[0])
                if isinstance(owner, nn.Embedding):
                    weights.normal_(generator=generator)
                    continue
                bound = owner.in_features**-0.5 if isinstance(owner, nn.Linear) else recurrent
                weights.uniform_(-bound, bound, generator=generator)
            if self.config.recurrent_start == "identity":
                self._start_from_identity()

    def _start_from_identity(self) -> None:
        """U = I and biases 0, after Le, Jaitly and Hinton (2015); for cells of a single gate."""
        for layer in range(len(self.layers)):
            for way in self.ways(layer):
                if len(way.cell.gates) == 1:
                    nn.init.eye_(way.rnn.get_parameter("weight_hh_l0"))
                    nn.init.zeros_(way.rnn.get_parameter("bias_ih_l0"))
                    nn.init.zeros_(way.rnn.get_parameter("bias_hh_l0"))

    def ways(self, layer: int) -> tuple[Direction, ...]:
        """The directions of a layer, forward first."""
        return tuple(cast(Iterable[Direction], self.layers[layer]))

    def encode(self, inputs: Float[Tensor, "T B F"] | Int[Tensor, "T B"]) -> Tensor:
        """What the first layer reads: of a token its row of the embedding, or its one-hot vector
        where there is none; of a mixture of tokens that mixture of rows; values as they are."""
        if self.embedding is None:
            return self.one_hot(inputs)
        if inputs.is_floating_point():
            return inputs @ self.embedding.weight
        return self.embedding(inputs)

    def one_hot(self, inputs: Float[Tensor, "T B F"] | Int[Tensor, "T B"]) -> Tensor:
        """Tokens as one-hot vectors; values as they are."""
        if inputs.is_floating_point():
            return inputs
        dtype = self.head.weight.dtype
        return nn.functional.one_hot(inputs.long(), self.input_size).to(dtype)

    def zeros(self, batch: int) -> tuple[States, ...]:
        """What each layer's states begin with."""
        like = self.head.weight
        states = len(CELLS[self.config.cell].states)
        return tuple(
            tuple(like.new_zeros(batch, units) for _ in range(states)) for units in self.sizes
        )

    def run_layer(
        self, layer: int, x: Float[Tensor, "T B I"], lengths: Int[Tensor, " B"] | None
    ) -> tuple[Float[Tensor, "T B H"], ...]:
        """The states of one layer's directions; steps beyond a length hold zeros."""
        outputs = tuple(way(x, lengths) for way in self.ways(layer))
        if lengths is None:
            return outputs
        inside = torch.arange(len(x), device=x.device)[:, None, None] < lengths[:, None]
        return tuple(output * inside for output in outputs)

    def forward(
        self,
        batch: Batch,
        dropout: torch.Generator | None = None,
        before: tuple[States, ...] | None = None,
    ) -> Readout:
        """Outputs of the head.

        Args:
            batch: what is read.
            dropout: a generator switches it on: training.
            before: each layer's states to go on from, forward networks only; the readout then
                holds those after the last step. None: from zero states.
        """
        x, after = self.encode(batch.inputs), []
        for layer in range(len(self.layers)):
            if before is None:
                x = joined(self.run_layer(layer, x, batch.lengths))
            else:
                x, now = self.ways(layer)[0].go_on(x, before[layer])
                after.append(now)
            if dropout is not None and self.config.dropout > 0:
                keep = 1.0 - self.config.dropout
                x = x * (torch.empty_like(x).bernoulli_(keep, generator=dropout) / keep)
        return self.read(x, batch)._replace(after=tuple(after))

    def read(self, top: Float[Tensor, "T B D"], batch: Batch) -> Readout:
        """From the top layer's states to the outputs."""
        states = top.transpose(0, 1)  # [B T D]
        every_step = self.task.every_step
        queries = states if every_step else self._last(top, batch.lengths)[:, None]
        parts = [queries]
        attended = None
        if self.attention is not None:
            causal = every_step and not self.config.bidirectional
            allowed = self._allowed(states, batch.lengths, causal)
            attended = self.attention(queries, states, allowed)
            parts.append(attended.context)
        if self.covariates:
            parts.append(batch.covariates[:, None].expand(-1, queries.shape[1], -1))
        return Readout(self.say(joined(parts)), attended)

    def say(self, said: Float[Tensor, "B Q D"]) -> Float[Tensor, "B Q K"]:
        """What the dense layers and the head make of all that is joined before them."""
        for layer, form in zip(self.dense, self.dense_layers, strict=True):
            said = SQUASHES[form.activation](layer(said))
        return self.head(said)

    def _last(
        self, top: Float[Tensor, "T B D"], lengths: Int[Tensor, " B"] | None
    ) -> Float[Tensor, "B D"]:
        size = self.sizes[-1]
        if lengths is None:
            forward = top[-1, :, :size]
        else:
            forward = top[lengths - 1, torch.arange(top.shape[1]), :size]
        if not self.config.bidirectional:
            return forward
        return torch.cat((forward, top[0, :, size:]), dim=-1)

    def _allowed(
        self, states: Float[Tensor, "B T D"], lengths: Int[Tensor, " B"] | None, causal: bool
    ) -> Tensor:
        b, t, _ = states.shape
        steps = torch.arange(t, device=states.device)
        allowed = steps <= steps[:, None] if causal else torch.ones(1, t, dtype=torch.bool)
        allowed = allowed[None].expand(b, -1, -1)
        if lengths is None:
            return allowed
        # a query beyond the length sees the first step, so that its softmax stays defined
        return allowed & ((steps < lengths[:, None]) | (steps == 0))[:, None]


def loss_of(outputs: Float[Tensor, "B Q K"], batch: Batch, task: Task) -> Float[Tensor, " B"]:
    """Loss of each sequence: mean squared error (scaled targets), or mean cross-entropy [nats].

    At every step: the mean over the steps that count.
    """
    targets = batch.targets if task.every_step else batch.targets[:, None]
    if task.numeric:
        losses = ((outputs - targets) ** 2).mean(dim=2)
    else:
        losses = nn.functional.cross_entropy(outputs.transpose(1, 2), targets, reduction="none")
    judged = judged_steps(batch) if task.every_step else None
    if judged is None:
        return losses.mean(dim=1)
    return (losses * judged).sum(dim=1) / judged.sum(dim=1)


def judged_steps(batch: Batch) -> Bool[Tensor, "B T"] | None:
    """The steps within each length that have a target; None: all are."""
    if batch.lengths is None:
        return batch.counted
    inside = torch.arange(len(batch.inputs)) < batch.lengths[:, None]
    return inside if batch.counted is None else inside & batch.counted
