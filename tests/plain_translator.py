"""The same network once more, plainly: one pair alone, one step after the other."""

from collections.abc import Mapping

import torch
from torch import Tensor

from rnnviz.cells import CELLS, split_gates
from rnnviz.config import ModelConfig, TranslationConfig


class Plain:
    """From a Translator's weights by name; float64."""

    def __init__(
        self, weights: Mapping[str, Tensor], model: ModelConfig, translation: TranslationConfig
    ) -> None:
        self.w = {name: value.detach().double() for name, value in weights.items()}
        self.model, self.translation, self.cell = model, translation, CELLS[model.cell]
        self.targets = len(self.w["head.bias"])

    def step(self, place: str, x: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        gates, w = len(self.cell.gates), self.w

        def recur(s: Tensor) -> tuple[Tensor, ...]:
            u = w[f"{place}.weight_hh_l0"] @ s + w[f"{place}.bias_hh_l0"]
            return split_gates(u, gates)

        read = split_gates(w[f"{place}.weight_ih_l0"] @ x + w[f"{place}.bias_ih_l0"], gates)
        return self.cell.advance(self.cell.activate(read, recur, states).values, states)

    def vector(self, side: str, token: int) -> Tensor:
        if self.model.embedding:
            return self.w[f"{side}_embedding.weight"][token]
        first = self.w["encoder.0.0.rnn.weight_ih_l0"].shape[1]
        size = first if side == "source" else self.targets
        return torch.eye(size, dtype=torch.float64)[token]

    def encode(self, source: list[int]) -> tuple[Tensor, list[tuple[Tensor, ...]]]:
        """Annotations [S H] and each layer's final states."""
        x, finals = [self.vector("source", token) for token in source], []
        turned = self.translation.reversed_input
        for layer in range(self.model.layers):
            ways = [
                self._one_way(f"encoder.{layer}.{way}.rnn", x, back=bool(way) is not turned)
                for way in range(2 if self.model.bidirectional else 1)
            ]
            x = [torch.cat([h[s] for h, _ in ways]) for s in range(len(source))]
            states = [f for _, f in ways]
            finals.append(tuple(torch.cat(parts) for parts in zip(*states, strict=True)))
        return torch.stack(x), finals

    def _one_way(self, place: str, x: list[Tensor], *, back: bool):
        units = self.w[f"{place}.weight_hh_l0"].shape[1]
        width = self.w[f"{place}.weight_ih_l0"].shape[1]
        states = tuple(torch.zeros(units, dtype=torch.float64) for _ in self.cell.states)
        h: list[Tensor] = [states[0]] * len(x)
        for s in reversed(range(len(x))) if back else range(len(x)):
            padded = torch.nn.functional.pad(x[s], (0, width - len(x[s])))
            states = self.step(place, padded, states)
            h[s] = states[0]
        return h, states

    def logits(self, source: list[int], read: list[int]) -> Tensor:
        """What is said after each token that the decoder reads, [T V]."""
        annotations, states = self.encode(source)
        last, said = states[-1][0], []
        for token in read:
            x = self.vector("target", token)
            if self.translation.decoder_reads == "state":
                x = torch.zeros_like(x)
            elif self.translation.decoder_reads == "all":
                x = torch.cat((x, last))
            for layer in range(self.model.layers):
                states[layer] = self.step(f"decoder.{layer}.rnn", x, states[layer])
                x = states[layer][0]
            if self.model.attention != "none":
                x = torch.cat((x, self.attend(x, annotations) @ annotations))
            said.append(self.w["head.weight"] @ x + self.w["head.bias"])
        return torch.stack(said)

    def attend(self, query: Tensor, annotations: Tensor) -> Tensor:
        scores = []
        for a in annotations:
            if self.model.attention == "dot":
                scores.append(query @ a)
            elif self.model.attention == "general":
                scores.append(query @ (self.w["attention.keys.weight"] @ a))
            else:
                both = self.w["attention.queries.weight"] @ query
                both = both + self.w["attention.keys.weight"] @ a
                scores.append(self.w["attention.score.weight"][0] @ torch.tanh(both))
        return torch.softmax(torch.stack(scores), dim=0)
