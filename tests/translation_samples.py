"""Sequence-to-sequence networks of random weights, and the same done by plain loops."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from rnnviz.cells import CELLS
from rnnviz.config import ModelConfig, RunConfig, TranslationConfig
from rnnviz.data.parallel.text import END, START
from rnnviz.translation.network import Network

SOURCES, TARGETS = 9, 7  # tokens of each vocabulary


def config(
    model: dict[str, Any] | None = None, translation: dict[str, Any] | None = None
) -> RunConfig:
    usual = {"cell": "lstm", "hidden_size": 6, "embedding": 5, "attention": "additive"}
    return RunConfig(
        model=ModelConfig(**{**usual, **(model or {})}),
        translation=TranslationConfig(**(translation or {})),
    )


def arrays(
    settings: RunConfig,
    *,
    sources: int = SOURCES,
    targets: int = TARGETS,
    seed: int = 0,
    scale: float = 0.6,
    brief: float = 0.0,
) -> dict[str, np.ndarray]:
    """Random weights by the names of the torch modules; brief makes END likelier."""
    rng = np.random.default_rng(seed)
    model, translation = settings.model, settings.translation
    size, gates = model.hidden_size, len(CELLS[model.cell].gates)
    read, written = model.embedding or sources, model.embedding or targets
    told = written + (size if translation.decoder_reads == "all" else 0)
    found: dict[str, np.ndarray] = {}

    def make(name: str, *shape: int) -> None:
        found[name] = rng.normal(0, scale, shape).astype(np.float32)

    def rnn(name: str, inputs: int, units: int) -> None:
        make(f"{name}.rnn.weight_ih_l0", gates * units, inputs)
        make(f"{name}.rnn.weight_hh_l0", gates * units, units)
        make(f"{name}.rnn.bias_ih_l0", gates * units)
        make(f"{name}.rnn.bias_hh_l0", gates * units)

    if model.embedding:
        make("source_embedding.weight", sources, model.embedding)
        make("target_embedding.weight", targets, model.embedding)
    for level in range(model.layers):
        halves = [(size + 1) // 2, size // 2] if model.bidirectional else [size]
        width = max(read, told) if translation.shared_weights else read
        for way, units in enumerate(halves):
            rnn(f"encoder.{level}.{way}", size if level else width, units)
        if not translation.shared_weights:
            rnn(f"decoder.{level}", size if level else told, size)
    if model.attention in ("general", "additive"):
        make("attention.keys.weight", size, size)
    if model.attention == "additive":
        make("attention.queries.weight", size, size)
        make("attention.score.weight", 1, size)
    make("head.weight", targets, size if model.attention == "none" else 2 * size)
    make("head.bias", targets)
    found["head.bias"][END] += brief
    return found


def network(settings: RunConfig, **more: Any) -> Network:
    return Network.of(arrays(settings, **more), settings, more.get("sources", SOURCES))


# -- the same by plain loops, one sentence ---------------------------------------------------------


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def _cell(name: str, held: dict, key: str, x: np.ndarray, states: tuple) -> tuple:
    wide = held[f"{key}.rnn.weight_ih_l0"].shape[1]
    x = np.concatenate([x, np.zeros(wide - len(x))])
    a = held[f"{key}.rnn.weight_ih_l0"] @ x + held[f"{key}.rnn.bias_ih_l0"]
    b = held[f"{key}.rnn.weight_hh_l0"] @ states[0] + held[f"{key}.rnn.bias_hh_l0"]
    n = len(states[0])
    if name == "lstm":
        i, f, g, o = ((a + b)[k * n : (k + 1) * n] for k in range(4))
        c = _sigmoid(f) * states[1] + _sigmoid(i) * np.tanh(g)
        return _sigmoid(o) * np.tanh(c), c
    if name == "gru":
        r, z = _sigmoid((a + b)[:n]), _sigmoid((a + b)[n : 2 * n])
        new = np.tanh(a[2 * n :] + r * b[2 * n :])
        return ((1 - z) * new + z * states[0],)
    assert name == "rnn"
    return (np.tanh(a + b),)


def _zeros(name: str, units: int) -> tuple:
    return (np.zeros(units),) * (2 if name == "lstm" else 1)


def _onehot(size: int, token: int) -> np.ndarray:
    return np.eye(size)[token]


def plain_encoder(
    settings: RunConfig, held: dict, source: Sequence[int]
) -> tuple[np.ndarray, list[tuple]]:
    """Annotations, and of each layer the last states."""
    model = settings.model
    held = {name: array.astype(np.float64) for name, array in held.items()}
    embed = held.get("source_embedding.weight")
    below = [_onehot(SOURCES, k) if embed is None else embed[k] for k in source]
    lasts = []
    for level in range(model.layers):
        halves, ends = [], []
        for way in range(2 if model.bidirectional else 1):
            key = f"encoder.{level}.{way}"
            states = _zeros(model.cell, held[f"{key}.rnn.weight_hh_l0"].shape[1])
            places = list(range(len(source)))
            if (way == 1) != settings.translation.reversed_input:
                places.reverse()
            kept = {}
            for place in places:
                states = _cell(model.cell, held, key, below[place], states)
                kept[place] = states[0]
            halves.append([kept[place] for place in range(len(source))])
            ends.append(states)
        below = [np.concatenate(parts) for parts in zip(*halves, strict=True)]
        lasts.append(tuple(np.concatenate(parts) for parts in zip(*ends, strict=True)))
    return np.array(below), lasts


def plain_scores(kind: str, held: dict, query: np.ndarray, annotations: np.ndarray) -> np.ndarray:
    if kind == "dot":
        return np.array([query @ h for h in annotations])
    keys = held["attention.keys.weight"].astype(np.float64)
    if kind == "general":
        return np.array([query @ (keys @ h) for h in annotations])
    ask, score = held["attention.queries.weight"], held["attention.score.weight"][0]
    return np.array([score @ np.tanh(ask @ query + keys @ h) for h in annotations])


def plain_decoder(
    settings: RunConfig,
    held: dict,
    source: Sequence[int],
    tokens: Sequence[int],
    rows: dict[int, np.ndarray] | None = None,
) -> list[dict[str, np.ndarray]]:
    """Of each given token what the decoder says before it."""
    model, translation = settings.model, settings.translation
    annotations, lasts = plain_encoder(settings, held, source)
    held = {name: array.astype(np.float64) for name, array in held.items()}
    embed, told, states = held.get("target_embedding.weight"), lasts[-1][0], list(lasts)
    found = []
    for t, before in enumerate([START, *tokens[:-1]]):
        x = _onehot(TARGETS, before) if embed is None else embed[before]
        if translation.decoder_reads == "state":
            x = np.zeros_like(x)
        if translation.decoder_reads == "all":
            x = np.concatenate([x, told])
        for level in range(model.layers):
            key = f"encoder.{level}.0" if translation.shared_weights else f"decoder.{level}"
            states[level] = _cell(model.cell, held, key, x, states[level])
            x = states[level][0]
        said = {}
        if model.attention != "none":
            said["scores"] = plain_scores(model.attention, held, x, annotations)
            raised = np.exp(said["scores"])
            said["weights"] = raised / raised.sum()
            if rows and t in rows:
                said["weights"] = rows[t]
            said["context"] = sum(w * h for w, h in zip(said["weights"], annotations, strict=True))
            x = np.concatenate([x, said["context"]])
        logits = held["head.weight"] @ x + held["head.bias"]
        said["p"] = np.exp(logits) / np.exp(logits).sum()
        found.append(said)
    return found


def every_output(vocabulary: int, longest: int) -> list[tuple[int, ...]]:
    """All outputs: END last, or cut at the length."""
    others = [token for token in range(vocabulary) if token != END]
    ended = [
        (*some, END)
        for length in range(longest)
        for some in itertools.product(others, repeat=length)
    ]
    return [*ended, *itertools.product(others, repeat=longest)]
