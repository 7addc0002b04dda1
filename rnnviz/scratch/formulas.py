"""Every formula of the way back with its numbers put in, and what a finite difference says.

Pure: no pages, no files, no torch.
"""

from collections.abc import Callable, Mapping, Sequence

from rnnviz.scratch import check
from rnnviz.scratch.gradients import BACKPROPS
from rnnviz.scratch.network import Weights
from rnnviz.scratch.worked import Formula, Passed, Place, Vector, products, short, sub


def formulas(seen: Passed, place: Place) -> tuple[Formula, ...]:
    """From the loss back to the step before the chosen one, then what is summed over steps."""
    return (*_of_output(seen, place), *_of_step(seen, place), *_of_sums(seen, place))


def _of_output(seen: Passed, place: Place) -> tuple[Formula, ...]:
    _, i, _ = place
    c, units = seen.label, seen.h.shape[1]
    p, dy, last = seen.forward.p[0, 0], seen.back.y[0, 0], seen.h[-1]
    return (
        Formula(
            latex=r"\dfrac{\partial L}{\partial y} = p - \mathrm{onehot}(c)",
            shapes="2",
            number=f"dL/dy[{c + 1}]",
            worked=f"{short(p[c])} − 1",
            value=float(dy[c]),
            source="y",
        ),
        Formula(
            latex=r"\dfrac{\partial L}{\partial W_{hy}} = "
            r"\dfrac{\partial L}{\partial y}\, h_n^\top",
            shapes=f"(2 × 1) (1 × {units}) → 2 × {units}",
            number=f"dL/dWhy[{c + 1}, {i + 1}]",
            worked=f"{short(dy[c])} · {short(last[i])}",
            value=float(seen.back.weights.Why[0, c, i]),
            source="Why",
        ),
        Formula(
            latex=r"\dfrac{\partial L}{\partial b_y} = \dfrac{\partial L}{\partial y}",
            shapes="2",
            number=f"dL/dby[{c + 1}]",
            worked=short(dy[c]),
            value=float(seen.back.weights.by[0, c]),
            source="by",
        ),
        _of_last_state(seen, i),
    )


def _of_last_state(seen: Passed, i: int) -> Formula:
    why, dy, units = seen.weights.Why[0], seen.back.y[0, 0], seen.h.shape[1]
    return Formula(
        latex=r"\dfrac{\partial L}{\partial h_n} = W_{hy}^\top\, \dfrac{\partial L}{\partial y}",
        shapes=f"({units} × 2) (2 × 1) → {units}",
        number=f"dL/dh{sub(seen.steps)}[{i + 1}]",
        worked=" + ".join(f"{short(why[k, i])} · {short(dy[k])}" for k in range(len(dy))),
        value=float(seen.dh[-1, i]),
        source="last",
    )


def _of_step(seen: Passed, place: Place) -> tuple[Formula, ...]:
    t, i, j = place
    units, temp = seen.h.shape[1], seen.temp(t)
    sign = "" if seen.backprop == "published" else r"^\top"
    matrix = BACKPROPS[seen.backprop](seen.weights.Whh)[0]
    return (
        Formula(
            latex=rf"\mathrm{{temp}} = (1 - h_{{{t}}}^2) \odot \dfrac{{\partial L}}"
            rf"{{\partial h_{{{t}}}}}",
            shapes=f"{units}",
            number=f"temp{sub(t)}[{i + 1}]",
            worked=f"(1 − {short(seen.h[t, i])}²) · {short(seen.dh[t, i])}",
            value=float(temp[i]),
            source="z",
        ),
        Formula(
            latex=rf"\dfrac{{\partial L}}{{\partial h_{{{t - 1}}}}} = W_{{hh}}{sign}\, "
            r"\mathrm{temp}",
            shapes=f"({units} × {units}) ({units} × 1) → {units}",
            number=f"dL/dh{sub(t - 1)}[{j + 1}]",
            worked=products(matrix[j], temp),
            value=float(seen.dh[t - 1, j]),
            source="before",
            marked=True,
        ),
    )


def _of_sums(seen: Passed, place: Place) -> tuple[Formula, ...]:
    t, i, j = place
    units, size = seen.h.shape[1], seen.weights.Wxh.shape[2]
    word, steps = int(seen.words[t - 1]), range(1, seen.steps + 1)
    temps = [seen.temp(s)[i] for s in steps]
    read = [temp for temp, w in zip(temps, seen.words, strict=True) if w == word]
    each = " + ".join(f"{short(temps[s - 1])} · {short(seen.h[s - 1, j])}" for s in steps)
    back = seen.back.weights
    return (
        Formula(
            latex=r"\dfrac{\partial L}{\partial W_{hh}} = \sum_t \mathrm{temp}_t\, h_{t-1}^\top",
            shapes=f"({units} × 1) (1 × {units}) → {units} × {units}",
            number=f"dL/dWhh[{i + 1}, {j + 1}]",
            worked=each,
            value=float(back.Whh[0, i, j]),
            source="Whh",
        ),
        Formula(
            latex=r"\dfrac{\partial L}{\partial W_{xh}} = \sum_t \mathrm{temp}_t\, x_t^\top",
            shapes=f"({units} × 1) (1 × {size}) → {units} × {size}",
            number=f"dL/dWxh[{i + 1}, {word + 1}]",
            worked=" + ".join(f"{short(temp)} · 1" for temp in read),
            value=float(back.Wxh[0, i, word]),
            source="Wxh",
        ),
        Formula(
            latex=r"\dfrac{\partial L}{\partial b_h} = \sum_t \mathrm{temp}_t",
            shapes=f"{units}",
            number=f"dL/dbh[{i + 1}]",
            worked=" + ".join(map(short, temps)),
            value=float(back.bh[0, i]),
            source="bh",
        ),
    )


# -- the proof -------------------------------------------------------------------------------------

Pick = Callable[[Passed, Place, Weights], float]


def _state(seen: Passed, t: int, name: str = "h") -> Vector:
    return check.numerical_state(seen.weights, seen.words, seen.label, t, name=name)


# What is moved, by the source of a formula; the third argument: the differences of all weights.
SOURCES: Mapping[str, Pick] = {
    "y": lambda s, _p, _w: check.numerical_scores(s.weights, s.words, s.label)[s.label],
    "last": lambda s, p, _w: _state(s, s.steps)[p.i],
    "z": lambda s, p, _w: _state(s, p.t, "z")[p.i],
    "before": lambda s, p, _w: _state(s, p.t - 1)[p.j],
    "Why": lambda s, p, w: w.Why[0, s.label, p.i],
    "by": lambda s, _p, w: w.by[0, s.label],
    "Whh": lambda _s, p, w: w.Whh[0, p.i, p.j],
    "Wxh": lambda s, p, w: w.Wxh[0, p.i, s.words[p.t - 1]],
    "bh": lambda _s, p, w: w.bh[0, p.i],
}


def differences(
    seen: Passed, place: Place, found: Sequence[Formula], of_weights: Weights
) -> tuple[float, ...]:
    """The finite difference of each formula's number.

    Args:
        of_weights: what check.numerical gives for this network and phrase.
    """
    return tuple(float(SOURCES[one.source](seen, place, of_weights)) for one in found)
