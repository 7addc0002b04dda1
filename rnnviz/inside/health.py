"""Gradient health: what is wrong with a layer, by a number, and what to try. Pure.

Every threshold is a field of Limits, with its reason. A remedy is a change of settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from rnnviz.cells import CELLS
from rnnviz.config import ModelConfig, RunConfig
from rnnviz.inside.matrix import go_back
from rnnviz.inside.network import Network, sequence_of
from rnnviz.trace import LayerTrace, Trace


class Limits(NamedTuple):
    """Beyond which number something is called ill."""

    dead: float = 0.2  # of the units; one or two may rest, a fifth is width that was paid for
    saturated: float = 0.5  # of the gate values: most of them hardly learn
    edge: float = 0.05  # to an end: the sigmoid's slope is under a fifth of its largest there
    vanishing: float = 1e-4  # ten thousand times less: one step's noise hides it
    exploding: float = 1e3  # a thousand times more: the first steps decide alone
    jump: float = 100.0  # one step as long as a hundred usual ones undoes them


LIMITS = Limits()
WHOLE = "the whole run"
SLOWER = 1 / 3  # of the learning rate


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One number about one layer, or about the whole run."""

    kind: str  # dead, saturated, vanishing, exploding, NaN
    where: str
    number: float  # nan: there is nothing to measure
    limit: float  # ill beyond it
    ill: bool
    sentence: str
    remedy: Mapping[str, Any] = field(default_factory=dict)  # settings by name; none where well
    advice: str = ""  # the remedy in words


def diagnose(
    trace: Trace, config: RunConfig, norms: Float[np.ndarray, " N"], failed: str = ""
) -> tuple[Finding, ...]:
    """Every layer's findings, then those of the whole run.

    Args:
        norms: the gradient's recorded norms before clipping.
        failed: where a number first stopped being finite, if the run ended so.

    Raises:
        TraceError: the trace is of an earlier version.
    """
    found: list[Finding | None] = []
    with np.errstate(over="ignore", invalid="ignore"):  # a run that diverged is looked at as it is
        ratios = _ratios(trace).tolist()
    for layer, ratio in zip(trace.layers, ratios, strict=True):
        found += [
            _dead(layer, trace),
            _saturated(layer, trace, config),
            _vanishing(layer, ratio, config),
            _exploding(layer, ratio, config),
            _not_finite(layer, config),
        ]
    found += [_jumps(norms, config), _failed(failed, config)]
    return tuple(one for one in found if one is not None)


def _real(layer: LayerTrace, trace: Trace, gate: int) -> Float[np.ndarray, "N H"]:
    """A gate's values at all steps of all sequences, up to their lengths."""
    parts = zip(layer.gates[:, :, gate], trace.lengths, strict=True)
    return np.concatenate([values[:length] for values, length in parts])


def _dead(layer: LayerTrace, trace: Trace) -> Finding | None:
    cell = CELLS[layer.cell]
    open_ended = [k for k, gate in enumerate(cell.gates) if gate.low == 0 and np.isinf(gate.high)]
    if not open_ended:
        return None  # no ReLU, nothing to die
    silent = (_real(layer, trace, open_ended[0]) == 0).all(axis=0)
    share, symbol = float(silent.mean()), cell.gates[open_ended[0]].symbol
    remedy = {"cell": "lstm" if "c" in cell.states else "rnn"}
    return _finding(
        "dead",
        layer.title,
        share,
        LIMITS.dead,
        share > LIMITS.dead,
        f"{share:.0%} of the units have {symbol} = 0 at every step of all {len(trace.lengths)} "
        "sequences: ReLU gives them no gradient, so they cannot come back.",
        remedy,
        "Take a cell with tanh",
    )


def _saturated(layer: LayerTrace, trace: Trace, config: RunConfig) -> Finding | None:
    shares = {}
    for k, gate in enumerate(CELLS[layer.cell].gates):
        if np.isfinite([gate.low, gate.high]).all():
            values = _real(layer, trace, k)
            ends = (values < gate.low + LIMITS.edge) | (values > gate.high - LIMITS.edge)
            shares[gate.symbol] = float(ends.mean())
    if not shares:
        return None
    share, worst = float(np.mean(list(shares.values()))), max(shares, key=shares.__getitem__)
    return _finding(
        "saturated",
        layer.title,
        share,
        LIMITS.saturated,
        share > LIMITS.saturated,
        f"{share:.0%} of the gate values lie within {LIMITS.edge:g} of an end (most of gate "
        f"{worst}: {shares[worst]:.0%}), where the squash is flat. A gate may well be shut or "
        "open for good; when most are, little is learned.",
        {"learning_rate": _slower(config)},
        f"Learn at {_slower(config):g}",
    )


def _ratios(trace: Trace) -> Float[np.ndarray, " W"]:
    """Of each direction the loss's gradient at the first step that it reads, by that at the last:
    the middle one of the sequences; nan where there is nothing to compare.
    """
    found = np.array([_of_row(trace, row) for row in range(len(trace.lengths))])
    known = [column[~np.isnan(column)] for column in found.T]
    return np.array([np.median(some) if len(some) else np.nan for some in known])


def _of_row(trace: Trace, row: int) -> Float[np.ndarray, " W"]:
    """In float64: what a trace keeps in float32 ends at 1e-45."""
    network, sequence = Network.of(trace), sequence_of(trace, row)
    done = network.run(sequence)
    if network.causal:  # the last loss alone: the others enter on the way
        last = int(np.flatnonzero(done.shares)[-1])
        backs = go_back(network, sequence, done, np.array([last])).ways
    else:
        backs = network.gradients(done, sequence.targets).ways
    with np.errstate(divide="ignore", invalid="ignore"):
        norms = [np.linalg.norm(back.states[0][:, 0], axis=1) for back in backs]
        ratios = np.array([of[0] / of[-1] for of in norms])
    return np.where([len(of) > 1 and of[-1] > 0 for of in norms], ratios, np.nan)


def _vanishing(layer: LayerTrace, ratio: float, config: RunConfig) -> Finding:
    ill = ratio < LIMITS.vanishing
    remedy, advice = _longer_memory(config)
    return _finding(
        "vanishing",
        layer.title,
        ratio,
        LIMITS.vanishing,
        bool(ill),
        "There is no gradient at the last step to compare with."
        if np.isnan(ratio)
        else f"Of the gradient at the last step that is read, {ratio:.2g} times as much arrives at "
        "the first" + (": what happened there cannot be learned." if ill else "."),
        remedy,
        advice,
    )


def _longer_memory(config: RunConfig) -> tuple[dict[str, Any], str]:
    model: ModelConfig = config.model
    if model.cell.startswith("rnn"):
        return {"cell": "lstm"}, "Take the LSTM, whose memory has a straight way back"
    if model.attention == "none":
        return {"attention": "additive"}, "Add attention, which reaches every step directly"
    return {"learning_rate": _slower(config)}, f"Learn at {_slower(config):g}"


def _exploding(layer: LayerTrace, ratio: float, config: RunConfig) -> Finding:
    ill = ratio > LIMITS.exploding
    remedy, advice = _shorter_steps(config)
    return _finding(
        "exploding",
        layer.title,
        ratio,
        LIMITS.exploding,
        bool(ill),
        "There is no gradient at the last step to compare with."
        if np.isnan(ratio)
        else f"The gradient is {ratio:.2g} times as long at the first step as at the last"
        + (": it grows on its way back." if ill else "."),
        remedy,
        advice,
    )


def _shorter_steps(config: RunConfig) -> tuple[dict[str, Any], str]:
    if config.training.clip_norm == 0 or config.training.clip_norm > 1:
        return {"clip_norm": 1.0}, "Clip gradients at norm 1"
    return {"learning_rate": _slower(config)}, f"Learn at {_slower(config):g}"


def _not_finite(layer: LayerTrace, config: RunConfig) -> Finding:
    parts = {
        "weights": (layer.input_weights, layer.recurrent_weights),
        "states": (layer.states,),
        "gradients": () if layer.state_grads is None else (layer.state_grads,),
    }
    counts = {
        name: sum(int((~np.isfinite(part)).sum()) for part in found)
        for name, found in parts.items()
    }
    count = sum(counts.values())
    said = ", ".join(f"{n:,} of the {name}" for name, n in counts.items() if n)
    return _finding(
        "NaN",
        layer.title,
        float(count),
        0.0,
        count > 0,
        f"Not finite: {said}." if count else "Every weight, state and gradient is finite.",
        {"clip_norm": 1.0, "learning_rate": _slower(config)},
        f"Clip at norm 1 and learn at {_slower(config):g}",
    )


def _jumps(norms: Float[np.ndarray, " N"], config: RunConfig) -> Finding | None:
    norms = norms[np.isfinite(norms) & (norms > 0)]
    if len(norms) < 10:
        return None  # the middle of so few says nothing
    ratio = float(norms.max() / np.median(norms))
    ill = ratio > LIMITS.jump
    remedy, advice = _shorter_steps(config)
    clip = config.training.clip_norm
    return _finding(
        "exploding",
        WHOLE,
        ratio,
        LIMITS.jump,
        bool(ill),
        f"The longest recorded gradient ({norms.max():.2g} before clipping) is {ratio:.2g} times "
        "the middle one" + (f"; the clip norm is {clip:g}." if clip else "; clipping is off."),
        remedy,
        advice,
    )


def _failed(where: str, config: RunConfig) -> Finding | None:
    if not where:
        return None
    return _finding(
        "NaN",
        where,
        float("nan"),
        0.0,
        True,
        "Here a number first stopped being finite, and the run ended.",
        {"clip_norm": 1.0, "learning_rate": _slower(config)},
        f"Clip at norm 1 and learn at {_slower(config):g}",
    )


def _slower(config: RunConfig) -> float:
    return max(1e-6, float(f"{config.training.learning_rate * SLOWER:.2g}"))


def _finding(
    kind: str,
    where: str,
    number: float,
    limit: float,
    ill: bool,
    sentence: str,
    remedy: Mapping[str, Any],
    advice: str,
) -> Finding:
    return Finding(
        kind=kind,
        where=where,
        number=number,
        limit=limit,
        ill=ill,
        sentence=sentence,
        remedy=remedy if ill else {},
        advice=advice if ill else "",
    )
