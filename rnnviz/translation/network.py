"""An encoder and a decoder from the weights that a run keeps. NumPy in float64; no torch.

Encoder: layer l reads the layer below forward and, where it is bidirectional, backward as well;
both halves together are H numbers wide. The top layer's states are the annotations h_s.
Decoder: layer l starts from the encoder's last states of layer l. It reads the token before (as
`reads` says), and its top state d_t asks the attention after the step:

d_t = step(d_{t-1}, [E_y y_{t-1}; ...]);  c_t = sum_s alpha_ts h_s
p(y_t | y_<t, x) = softmax(W [d_t; c_t] + b)

Sources: Sutskever, Vinyals and Le (2014); Luong, Pham and Manning (2015), whose attention asks
after the step as well; Bahdanau, Cho and Bengio (2015), whose attention asks before it. The context
does not go into the next step, so a row of weights that is changed acts on later steps by way of
the token only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float, Int

from rnnviz.cells import CELLS, Cell, recur_with, split_gates
from rnnviz.config import RunConfig
from rnnviz.errors import RunError
from rnnviz.inside.steps import Weights, project
from rnnviz.translation.attention import Attention, weights_of

_IN_ONE_THREAD = 4 * 65_536  # multiplications of one product: OpenBLAS' own bound

States = tuple[Float[np.ndarray, "_ _"], ...]  # of one layer, [N H]: h, and what else is carried
Arrays = Mapping[str, Float[np.ndarray, "..."]]


class Encoded(NamedTuple):
    """What the decoder has of N sources."""

    annotations: Float[np.ndarray, "N S H"]  # h_s in the source's order; 0 where there is padding
    keyed: Float[np.ndarray, "N S H"]  # what attention compares a query with
    allowed: Bool[np.ndarray, "N S"]  # where there is a token
    last: tuple[States, ...]  # of each layer the states after the last token that was read

    def take(self, rows: Int[np.ndarray, " M"]) -> "Encoded":
        """Some of the sources, each as often as it is named."""
        last = tuple(tuple(state[rows] for state in layer) for layer in self.last)
        return Encoded(self.annotations[rows], self.keyed[rows], self.allowed[rows], last)


class Step(NamedTuple):
    """One step of the decoder for N outputs in the making; no attention leaves its parts None."""

    states: tuple[States, ...]  # of each layer after the step
    query: Float[np.ndarray, "N H"]  # d_t
    scores: Float[np.ndarray, "N S"] | None  # before the softmax; -inf at padding
    computed: Float[np.ndarray, "N S"] | None  # after it
    weights: Float[np.ndarray, "N S"] | None  # that made the context: the computed or given ones
    context: Float[np.ndarray, "N H"] | None
    logits: Float[np.ndarray, "N V"]
    log_probabilities: Float[np.ndarray, "N V"]


class Head(NamedTuple):
    """From [d_t; c_t], or d_t alone, to a number for each token."""

    weights: Float[np.ndarray, "V _"]
    bias: Float[np.ndarray, " V"]


@dataclass(frozen=True, kw_only=True)
class Network:
    """The weights, and how they are used.

    Attributes:
        encoder: of each layer its directions, the forward one first.
        embeddings: of source and target; None is one-hot.
        reads: key of DECODER_READS.
        backwards: whether the encoder's first direction begins at the source's end.
    """

    cell: Cell
    encoder: tuple[tuple[Weights, ...], ...]
    decoder: tuple[Weights, ...]
    embeddings: tuple[Float[np.ndarray, "_ E"] | None, Float[np.ndarray, "_ E"] | None]
    attention: Attention | None
    head: Head
    source_tokens: int
    reads: str
    backwards: bool

    @classmethod
    def of(cls, arrays: Arrays, config: RunConfig, source_tokens: int) -> Self:
        """A run's network.

        Args:
            arrays: weights by the names of the torch modules.
            source_tokens: how many different tokens a source may hold.

        Raises:
            RunError: an array is missing, or its shape is not that of the settings.
        """
        exact = {name: np.asarray(array, dtype=np.float64) for name, array in arrays.items()}
        model, ways = config.model, 2 if config.model.bidirectional else 1
        cell = CELLS[model.cell]
        if config.translation.shared_weights:  # they may stand under either name
            _under_both_names(exact)
        try:
            encoder = tuple(
                tuple(_weights(cell, exact, f"encoder.{level}.{way}") for way in range(ways))
                for level in range(model.layers)
            )
            decoder = tuple(
                _weights(cell, exact, f"decoder.{level}") for level in range(model.layers)
            )
            head = Head(exact["head.weight"], exact["head.bias"])
        except (KeyError, ValueError) as wrong:
            raise RunError(f"this run's weights cannot be read ({wrong}); train it again") from None
        return cls(
            cell=cell,
            encoder=encoder,
            decoder=decoder,
            embeddings=(
                exact.get("source_embedding.weight"),
                exact.get("target_embedding.weight"),
            ),
            attention=Attention.of(model.attention, exact),
            head=head,
            source_tokens=source_tokens,
            reads=config.translation.decoder_reads,
            backwards=config.translation.reversed_input,
        )

    @property
    def target_tokens(self) -> int:
        """How many different tokens it can write."""
        return len(self.head.bias)

    @property
    def rows_at_once(self) -> int:
        """Outputs in the making that are best taken one step together.

        In larger products BLAS begins threads of its own, which wait for each other for as long as
        something else, such as a training, keeps the cores busy.
        """
        return max(4, _IN_ONE_THREAD // self.decoder[-1].recurrent.size)

    # -- the encoder -------------------------------------------------------------------------------

    def source_vectors(self, tokens: Int[np.ndarray, "*rows"]) -> Float[np.ndarray, "*rows E"]:
        """What stands for each token of a source."""
        return _vectors(self.embeddings[0], tokens, self.source_tokens)

    def target_vectors(self, tokens: Int[np.ndarray, "*rows"]) -> Float[np.ndarray, "*rows E"]:
        """What stands for each token that was written."""
        return _vectors(self.embeddings[1], tokens, self.target_tokens)

    def encode(self, tokens: Int[np.ndarray, "N S"], lengths: Int[np.ndarray, " N"]) -> Encoded:
        """Read N sources."""
        return self.encode_vectors(self.source_vectors(tokens), lengths)

    def encode_vectors(
        self, vectors: Float[np.ndarray, "N S E"], lengths: Int[np.ndarray, " N"]
    ) -> Encoded:
        """The same where somebody has changed what stands for the tokens."""
        below, last = vectors, []
        for ways in self.encoder:
            halves = [
                _read(self.cell, weights, below, lengths, backwards=self.reads_backwards(way))
                for way, weights in enumerate(ways)
            ]
            below = np.concatenate([states for states, _ in halves], axis=2)
            ends = zip(*(end for _, end in halves), strict=True)
            last.append(tuple(np.concatenate(parts, axis=1) for parts in ends))
        keyed = below if self.attention is None else self.attention.keyed(below)
        allowed = np.arange(vectors.shape[1]) < lengths[:, None]
        return Encoded(below, keyed, allowed, tuple(last))

    def reads_backwards(self, way: int) -> bool:
        """Whether a direction of the encoder begins at the source's end."""
        return (way == 1) != self.backwards

    # -- the decoder -------------------------------------------------------------------------------

    def decoder_inputs(
        self, tokens: Int[np.ndarray, " N"], told: Float[np.ndarray, "N H"]
    ) -> Float[np.ndarray, "N I"]:
        """What the lowest layer reads.

        Args:
            tokens: that were written last; START at first.
            told: the encoder's last top state.
        """
        vectors = self.target_vectors(tokens)
        if self.reads == "state":
            vectors = np.zeros_like(vectors)
        return np.concatenate([vectors, told], axis=1) if self.reads == "all" else vectors

    def step(
        self,
        encoded: Encoded,
        states: tuple[States, ...],
        tokens: Int[np.ndarray, " N"],
        row: Float[np.ndarray, " S"] | None = None,
    ) -> Step:
        """The next token's distribution for N outputs in the making.

        Args:
            encoded: of each its source.
            states: of each layer; encoded.last before the first step.
            tokens: that were written last; START at first.
            row: attention weights that replace the computed ones.
        """
        below = self.decoder_inputs(tokens, encoded.last[-1][0])
        after = []
        for weights, before in zip(self.decoder, states, strict=True):
            after.append(advance(self.cell, weights, below, before))
            below = after[-1][0]
        attended = self._attend(below, encoded, row)
        parts = [below] if attended[-1] is None else [below, attended[-1]]
        logits = np.concatenate(parts, axis=1) @ self.head.weights.T + self.head.bias
        return Step(tuple(after), below, *attended, logits, log_softmax(logits))

    def _attend(
        self,
        queries: Float[np.ndarray, "N H"],
        encoded: Encoded,
        row: Float[np.ndarray, " S"] | None,
    ) -> tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None, np.ndarray | None]:
        """Scores, computed weights, weights, context."""
        if self.attention is None:
            return None, None, None, None
        scores = self.attention.scores(queries, encoded.keyed, encoded.allowed)
        computed = weights_of(scores)
        weights = computed if row is None else np.broadcast_to(row, computed.shape)
        return scores, computed, weights, np.einsum("ns,nsh->nh", weights, encoded.annotations)


def log_softmax(logits: Float[np.ndarray, "*rows V"]) -> Float[np.ndarray, "*rows V"]:
    """ln softmax over the last axis [nats]."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def padded(x: Float[np.ndarray, "*rows I"], weights: Weights) -> Float[np.ndarray, "*rows J"]:
    """Zeros behind what is read where weights that encoder and decoder share are wider than it."""
    missing = weights.input.shape[2] - x.shape[-1]
    if missing == 0:
        return x
    return np.concatenate([x, np.zeros((*x.shape[:-1], missing))], axis=-1)


def advance(
    cell: Cell, weights: Weights, x: Float[np.ndarray, "N I"], before: States
) -> tuple[Float[np.ndarray, "N H"], ...]:
    """The states of one layer after one step."""
    projected = project(weights, padded(x, weights)[None])[0]
    recur = recur_with(weights.recurrent, weights.recurrent_bias)
    gates = cell.activate(split_gates(projected, len(cell.gates)), recur, before)
    return cell.advance(gates.values, before)


def reading_order(
    lengths: Int[np.ndarray, " N"], steps: int, *, backwards: bool
) -> Int[np.ndarray, "N S"]:
    """Which place is read at each step; padding stays last. Its own inverse."""
    order = np.broadcast_to(np.arange(steps), (len(lengths), steps))
    turned = lengths[:, None] - 1 - order
    return np.where((turned >= 0) & backwards, turned, order)


def _read(
    cell: Cell,
    weights: Weights,
    x: Float[np.ndarray, "N S I"],
    lengths: Int[np.ndarray, " N"],
    *,
    backwards: bool,
) -> tuple[Float[np.ndarray, "N S h"], tuple[Float[np.ndarray, "N h"], ...]]:
    """One direction of one layer: h at every place, and the states after the last token."""
    rows, steps = x.shape[:2]
    order = reading_order(lengths, steps, backwards=backwards)
    read = np.take_along_axis(x, order[:, :, None], axis=1)
    projected = project(weights, padded(read, weights))
    recur = recur_with(weights.recurrent, weights.recurrent_bias)
    size = weights.recurrent.shape[2]
    now = tuple(np.zeros((rows, size)) for _ in cell.states)
    kept = np.zeros((rows, steps, size))
    for t in range(steps):
        gates = cell.activate(split_gates(projected[:, t], len(cell.gates)), recur, now)
        after, there = cell.advance(gates.values, now), (t < lengths)[:, None]
        now = tuple(np.where(there, new, old) for new, old in zip(after, now, strict=True))
        kept[:, t] = np.where(there, now[0], 0.0)
    return np.take_along_axis(kept, order[:, :, None], axis=1), now


def _vectors(
    embedding: Float[np.ndarray, "V E"] | None, tokens: Int[np.ndarray, "*rows"], size: int
) -> Float[np.ndarray, "*rows E"]:
    if embedding is not None:
        return embedding[tokens]
    found = np.zeros((*tokens.shape, size))
    np.put_along_axis(found, tokens[..., None], 1.0, axis=-1)
    return found


def _under_both_names(arrays: dict[str, Float[np.ndarray, "..."]]) -> None:
    for name, array in list(arrays.items()):
        if found := re.fullmatch(r"encoder\.(\d+)\.0(\..+)", name):
            arrays["decoder.{}{}".format(*found.groups())] = array
        elif found := re.fullmatch(r"decoder\.(\d+)(\..+)", name):
            arrays["encoder.{}.0{}".format(*found.groups())] = array


def _weights(cell: Cell, arrays: Arrays, name: str) -> Weights:
    """One direction's weights, in blocks of gates."""
    read, recurrent, bias, more = (
        arrays[f"{name}.rnn.{part}_l0"] for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    gates, size = len(cell.gates), recurrent.shape[1]
    return Weights(
        read.reshape(gates, size, -1),
        recurrent.reshape(gates, size, size),
        bias.reshape(gates, size),
        more.reshape(gates, size),
    )
