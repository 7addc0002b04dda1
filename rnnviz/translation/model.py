"""Translator: an encoder, a decoder that begins where the encoder ended, attention, a head. Torch.

Cho et al. (2014) and Sutskever et al. (2014), with the attention of Luong et al. (2015): the
decoder's state after a step is the query, and what is attended to goes to the head alone. So the
decoder never waits for its attention, and all steps of a known target run at once.

    x_s = E_src[source_s]                       y_t = E_tgt[target_t-1], target_0 = <start>
    a_1 .. a_S = encoder(x)                     d_t = decoder(y_t or [y_t; a_S] or 0, d_t-1)
    context_t = sum_s alpha_ts a_s              p_t = softmax(W_o [d_t; context_t] + b_o)

No files, no data sets. Time comes first inside ([T B H]).
"""

from collections.abc import Iterable
from typing import NamedTuple, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from rnnviz.attention import Attended, Attention
from rnnviz.cells import CELLS
from rnnviz.config import ModelConfig, TranslationConfig
from rnnviz.data.parallel.text import END, PAD, START
from rnnviz.model import Direction, joined
from rnnviz.translation.settings import check
from rnnviz.translation.stepping import States, run

READS_TOKEN = ("token", "all")  # of decoder_reads, where the token before is read
READS_LAST = "all"  # where the encoder's last state is read as well


class Encoded(NamedTuple):
    """What the encoder leaves behind."""

    annotations: Float[Tensor, "B S H"]  # of the top layer, in the source's order; 0 beyond
    allowed: Bool[Tensor, "B 1 S"]  # which of them there are
    finals: tuple[States, ...]  # of each layer h, and c where the cell has one [B H]

    @property
    def last(self) -> Float[Tensor, "B H"]:
        """a_S: the top layer's final h, of both directions beside each other."""
        return self.finals[-1][0]


class Decoded(NamedTuple):
    """What the decoder says at some steps, and its states after the last of them."""

    logits: Float[Tensor, "B T V"]
    attended: Attended | None
    states: tuple[States, ...]  # of each layer


class Translator(nn.Module):
    """Encoder and decoder.

    A bidirectional encoder has ceil(H / 2) units forward and floor(H / 2) backward, so that both
    together are as wide as the decoder that begins with their final states.
    """

    def __init__(
        self,
        model: ModelConfig,
        translation: TranslationConfig,
        *,
        source_size: int,
        target_size: int,
        seed: int = 0,
    ) -> None:
        """Args: source_size, target_size: tokens of both vocabularies.

        Raises:
            ConfigError: the settings do not go together.
        """
        super().__init__()
        check(model, translation)
        self.config, self.translation = model, translation
        self.source_size, self.target_size = source_size, target_size
        with torch.random.fork_rng(devices=[]):  # torch's modules draw weights of their own
            self._build()
        self._start(seed)

    def _build(self) -> None:
        config, size = self.config, self.config.hidden_size
        if config.embedding:
            self.source_embedding = nn.Embedding(self.source_size, config.embedding)
            self.target_embedding = nn.Embedding(self.target_size, config.embedding)
        reads = config.embedding or self.target_size
        reads += size if self.translation.decoder_reads == READS_LAST else 0
        widths = (reads, *(size for _ in range(config.layers - 1)))
        cell = CELLS[config.cell]
        self.decoder = nn.ModuleList(Direction(cell, w, size, reverse=False) for w in widths)
        if self.translation.shared_weights:
            self.encoder = nn.ModuleList(nn.ModuleList((layer,)) for layer in self.decoder)
        else:
            self.encoder = nn.ModuleList(self._encoder_layer(n) for n in range(config.layers))
        self.attention = None if config.attention == "none" else Attention(config.attention, size)
        self.head = nn.Linear(size * (1 if self.attention is None else 2), self.target_size)

    def _encoder_layer(self, number: int) -> nn.ModuleList:
        config, size = self.config, self.config.hidden_size
        reads = (config.embedding or self.source_size) if number == 0 else size
        units = (size - size // 2, size // 2) if config.bidirectional else (size,)
        cell = CELLS[config.cell]
        return nn.ModuleList(
            Direction(cell, reads, part, reverse=bool(way)) for way, part in enumerate(units)
        )

    def _start(self, seed: int) -> None:
        """Torch's own scheme, from a generator of our own: the global one stays untouched."""
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, weights in self.named_parameters():
                owner = self.get_submodule(name.rpartition(".")[0])
                if isinstance(owner, nn.Embedding):
                    weights.normal_(generator=generator)
                    continue
                wide = owner.in_features if isinstance(owner, nn.Linear) else _units(owner)
                weights.uniform_(-(wide**-0.5), wide**-0.5, generator=generator)
            if self.config.recurrent_start == "identity":
                self._start_from_identity()

    def _start_from_identity(self) -> None:
        """U = I and biases 0, after Le, Jaitly and Hinton (2015); for cells of a single gate."""
        for way in self.modules():
            if isinstance(way, Direction) and len(way.cell.gates) == 1:
                nn.init.eye_(way.rnn.get_parameter("weight_hh_l0"))
                nn.init.zeros_(way.rnn.get_parameter("bias_ih_l0"))
                nn.init.zeros_(way.rnn.get_parameter("bias_hh_l0"))

    def ways(self, layer: int) -> tuple[Direction, ...]:
        """The directions of a layer of the encoder."""
        return tuple(cast(Iterable[Direction], self.encoder[layer]))

    # -- the encoder -----------------------------------------------------------------------------

    def encode(
        self,
        sources: Int[Tensor, "S B"],
        lengths: Int[Tensor, " B"],
        dropout: torch.Generator | None = None,
    ) -> Encoded:
        """Reads each source up to its length, as if it stood alone.

        Args:
            dropout: a generator switches dropout on: training.
        """
        x = self._source_input(sources)
        back, finals = self.translation.reversed_input, []
        for layer in range(self.config.layers):
            # read backwards, the first direction begins at the end, and the other at the start
            ways = [
                run(way, x, lengths=lengths, reverse=bool(number) is not back)
                for number, way in enumerate(self.ways(layer))
            ]
            x = self._dropped(joined([out for out, _ in ways]), dropout)
            both = zip(*(states for _, states in ways), strict=True)
            finals.append(tuple(joined(parts) for parts in both))
        steps = torch.arange(len(sources), device=sources.device)
        allowed = (steps < lengths[:, None])[:, None]
        return Encoded(x.transpose(0, 1), allowed, tuple(finals))

    def _source_input(self, sources: Int[Tensor, "S B"]) -> Float[Tensor, "S B E"]:
        if not self.config.embedding:
            return self._one_hot(sources, self.source_size)
        x = self.source_embedding(sources)
        missing = self._decoder_width - x.shape[-1] if self.translation.shared_weights else 0
        return nn.functional.pad(x, (0, missing)) if missing else x

    # -- the decoder -----------------------------------------------------------------------------

    def decode(
        self,
        encoded: Encoded,
        read: Int[Tensor, "T B"],
        states: tuple[States, ...] | None = None,
        dropout: torch.Generator | None = None,
    ) -> Decoded:
        """Says what follows after each token that is read.

        Args:
            read: the tokens before, the first of them START; their number counts even where the
                decoder does not read them.
            states: of each layer before the first step; None is where the encoder ended.
        """
        x = self._target_input(read, encoded)
        after = []
        for layer, before in zip(self.decoder, states or encoded.finals, strict=True):
            x, now = run(cast(Direction, layer), x, before)
            after.append(now)
            x = self._dropped(x, dropout)
        top, attended = x.transpose(0, 1), None
        if self.attention is not None:
            attended = self.attention(top, encoded.annotations, encoded.allowed)
            top = torch.cat((top, attended.context), dim=-1)
        return Decoded(self.head(top), attended, tuple(after))

    @property
    def _decoder_width(self) -> int:
        width = self.config.embedding or self.target_size
        both = self.translation.decoder_reads == READS_LAST
        return width + (self.config.hidden_size if both else 0)

    def _target_input(self, read: Int[Tensor, "T B"], encoded: Encoded) -> Float[Tensor, "T B I"]:
        reads = self.translation.decoder_reads
        if reads not in READS_TOKEN:
            return encoded.last.new_zeros(*read.shape, self._decoder_width)
        if self.config.embedding:
            x = self.target_embedding(read)
        else:
            x = self._one_hot(read, self.target_size)
        if reads != READS_LAST:
            return x
        return torch.cat((x, encoded.last.expand(len(read), -1, -1)), dim=-1)

    def _one_hot(self, tokens: Int[Tensor, "T B"], size: int) -> Float[Tensor, "T B V"]:
        return nn.functional.one_hot(tokens, size).to(self.head.weight.dtype)

    def _dropped(
        self, x: Float[Tensor, "T B H"], dropout: torch.Generator | None
    ) -> Float[Tensor, "T B H"]:
        if dropout is None or not self.config.dropout:
            return x
        keep = 1.0 - self.config.dropout
        return x * (torch.empty_like(x).bernoulli_(keep, generator=dropout) / keep)

    # -- on its own ------------------------------------------------------------------------------

    @torch.no_grad()
    def greedy(self, encoded: Encoded, steps: int) -> Int[Tensor, "T B"]:
        """The likeliest token again and again, up to END; then PAD. At most `steps` tokens."""
        token = torch.full((1, len(encoded.last)), START, device=encoded.last.device)
        states, said, ended = encoded.finals, [], torch.zeros_like(token, dtype=torch.bool)
        for _ in range(steps):
            step = self.decode(encoded, token, states)
            states = step.states
            token = step.logits[:, 0].argmax(dim=-1)[None]
            said.append(token.masked_fill(ended, PAD))
            ended = ended | (token == END)
            if ended.all():
                break
        return torch.cat(said)

    @torch.no_grad()
    def reads(
        self,
        encoded: Encoded,
        targets: Int[Tensor, "T B"],
        forced: Bool[Tensor, "T B"],
    ) -> Int[Tensor, "T B"]:
        """What the decoder reads at each step: the true token before, or else its own.

        Its own is the likeliest after what it has read so far, without dropout.

        Args:
            forced: whether the true token is read before each step; the first reads START.
        """
        before = true_before(targets)
        if forced[1:].all():
            return before
        own, states, read = before[0], encoded.finals, []
        for t in range(len(targets)):
            token = torch.where(forced[t], before[t], own)[None]
            read.append(token)
            step = self.decode(encoded, token, states)
            states, own = step.states, step.logits[:, 0].argmax(dim=-1)
        return torch.cat(read)


def _units(recurrent: nn.Module) -> int:
    return recurrent.get_parameter("weight_hh_l0").shape[1]


def true_before(targets: Int[Tensor, "T B"]) -> Int[Tensor, "T B"]:
    """The true token before each: START, and then the targets but the last."""
    return torch.cat((torch.full_like(targets[:1], START), targets[:-1]))


def losses_of(logits: Float[Tensor, "B T V"], targets: Int[Tensor, "T B"]) -> Float[Tensor, "B T"]:
    """Cross-entropy of each token [nats]; 0 where the target is padding."""
    each = nn.functional.cross_entropy(
        logits.flatten(0, 1), targets.T.flatten(), ignore_index=PAD, reduction="none"
    )
    return each.view(logits.shape[:2])
