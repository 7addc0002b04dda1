"""The way forward with its numbers put in, one step and the output. Pure: no pages, no torch."""

import numpy as np

from rnnviz.data.phrases import vocabulary
from rnnviz.scratch.network import cross_entropy
from rnnviz.scratch.worked import Formula, Passed, Place, products, short, sub


def reading(seen: Passed, place: Place) -> tuple[Formula, ...]:
    """The chosen unit at the chosen step, then scores, probability and loss."""
    return (*_of_step(seen, place), *_of_output(seen))


def _of_step(seen: Passed, place: Place) -> tuple[Formula, ...]:
    t, i, _ = place
    weights, before, h = seen.weights, seen.h[t - 1], float(seen.h[t, i])
    units, size = weights.Wxh.shape[1:]
    word = int(seen.words[t - 1])
    read, bias = float(weights.Wxh[0, i, word]), float(weights.bh[0, i])
    recurrent = float(weights.Whh[0, i] @ before)
    return (
        Formula(
            latex=rf"W_{{xh}}\, x_{{{t}}}",
            shapes=f"({units} × {size}) ({size} × 1) → {units}",
            number=f"(Wxh x{sub(t)})[{i + 1}]",
            worked=f"{short(read)} · 1: x{sub(t)} is 1 at word {word + 1}, "
            f"{vocabulary()[word]}, and 0 elsewhere",
            value=read,
        ),
        Formula(
            latex=rf"W_{{hh}}\, h_{{{t - 1}}}",
            shapes=f"({units} × {units}) ({units} × 1) → {units}",
            number=f"(Whh h{sub(t - 1)})[{i + 1}]",
            worked=products(weights.Whh[0, i], before) if t > 1 else "0: there is no step before",
            value=recurrent,
        ),
        Formula(
            latex=rf"h_{{{t}}} = \tanh(W_{{xh}}\, x_{{{t}}} + W_{{hh}}\, h_{{{t - 1}}} + b_h)",
            shapes=f"{units}",
            number=f"h{sub(t)}[{i + 1}]",
            worked=f"tanh({short(read)} + {short(recurrent)} + {short(bias)})",
            value=h,
        ),
    )


def _of_output(seen: Passed) -> tuple[Formula, ...]:
    c, units = seen.label, seen.h.shape[1]
    y, p = seen.forward.y[0, 0], seen.forward.p[0, 0]
    scores = [short(value).strip("()") for value in y]
    loss = float(cross_entropy(seen.forward.y, np.array([[c]]))[0, 0])
    return (
        Formula(
            latex=r"y = W_{hy}\, h_n + b_y",
            shapes=f"(2 × {units}) ({units} × 1) → 2",
            number=f"y[{c + 1}]",
            worked=f"{products(seen.weights.Why[0, c], seen.h[-1])} + "
            f"{short(seen.weights.by[0, c])}",
            value=float(y[c]),
        ),
        Formula(
            latex=r"p = \mathrm{softmax}(y)",
            shapes="2",
            number=f"p[{c + 1}]",
            worked=f"exp({scores[c]}) / (exp({scores[0]}) + exp({scores[1]}))",
            value=float(p[c]),
        ),
        Formula(
            latex=r"L = -\ln p_c",
            shapes="1",
            number="L [nats]",
            worked=f"−ln {short(p[c])}",
            value=loss,
        ),
    )
