"""Inside the networks of the From scratch page: one phrase, every number, and their proof."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from rnnviz.data.phrases import CLASSES, Phrase, phrases, vocabulary
from rnnviz.events import RunView
from rnnviz.figures.clock import Clock
from rnnviz.figures.gates import gate_heatmap
from rnnviz.runs.run import Run
from rnnviz.scratch import check
from rnnviz.scratch.formulas import differences, formulas
from rnnviz.scratch.network import Weights
from rnnviz.scratch.reading import reading
from rnnviz.scratch.run import of_snapshot
from rnnviz.scratch.settings import BACKPROP_NAMES
from rnnviz.scratch.traced import as_layer
from rnnviz.scratch.worked import Formula, Passed, Place, passed
from rnnviz.ui import common, controls, widgets
from rnnviz.ui.components.plot import Clicked, plot
from rnnviz.ui.layout import pair
from rnnviz.ui.words import number

LABELS = {"corrected": "corrected", "published": "as published"}
AGREE = 1e-6  # a formula's number and its difference, as a share of the larger one
NOISE = 1e-11  # of a finite difference, whatever its size
CODE = """
dy = p.copy(); dy[c] -= 1
dWhy, dby = np.outer(dy, h[n]), dy
dh = Why.T @ dy
for t in range(n, 0, -1):
    temp = (1 - h[t] ** 2) * dh
    dWhh += np.outer(temp, h[t - 1])
    dWxh += np.outer(temp, x[t])
    dbh += temp
    dh = {back} @ temp{said}
"""
BACK = {
    "corrected": ("Whh.T", "    # <- corrected"),
    "published": ("Whh", "      # <- as published: the transpose is missing"),
}


class Chosen(NamedTuple):
    """What of the run is looked at."""

    run: Run
    epoch: int
    phrase: int
    backprop: str

    @property
    def said(self) -> Phrase:
        """The phrase."""
        return phrases()[self.phrase]


@st.cache_resource(show_spinner="Moving every weight a little …", max_entries=12)
def _numerical(run_id: str, epoch: int, backprop: str, phrase: int) -> Weights:
    weights = of_snapshot(common.arrays(run_id, epoch))[backprop]
    said = phrases()[phrase]
    return check.numerical(weights, _words(said), said.label)


def _words(phrase: Phrase) -> np.ndarray:
    place = {word: k for k, word in enumerate(vocabulary())}
    return np.array([place[word] for word in phrase.text.split()])


def _passed(chosen: Chosen, *, by: str = "") -> Passed:
    """The chosen network, going back by its own formulas or by others."""
    weights = of_snapshot(common.arrays(chosen.run.id, chosen.epoch))[chosen.backprop]
    return passed(weights, _words(chosen.said), chosen.said.label, by or chosen.backprop)


def inside(run: Run, view: RunView) -> None:
    """A phrase, forward and back."""
    st.markdown("#### Inside: one phrase, every number")
    chosen = _choose(run, view)
    seen = _passed(chosen)
    st.markdown(_outcome(chosen, seen))
    place = _place(chosen, seen)
    _pictures(chosen, seen, place)
    st.caption("Click a picture to choose a step and a unit.")
    st.markdown("##### Forward")
    _table(_rows(reading(seen, place)))
    st.caption(
        "All places count from 1. c is the class of the phrase: "
        + ", ".join(f"{k} is {name}" for k, name in enumerate(CLASSES, 1))
        + "."
    )
    st.markdown("##### Back through time")
    _backward(chosen, seen, place)


def _choose(run: Run, view: RunView) -> Chosen:
    every = phrases()
    epochs = [*reversed(view.snapshots)]
    widgets.forget_unless("scratch_epoch", ["latest", *map(str, epochs)])
    row = st.container(horizontal=True, vertical_alignment="bottom")
    phrase = row.selectbox(
        "Phrase",
        range(len(every)),
        index=_first(every),
        key="scratch_phrase",
        format_func=lambda k: _named(every[k]),
        bind="query-params",
    )
    epoch = row.selectbox(
        f"Weights after epoch (latest: {epochs[0]})",
        ["latest", *map(str, epochs)],
        key="scratch_epoch",
        bind="query-params",
        help="Weights are kept after some epochs only; 0 is before training.",
    )
    backprop = row.segmented_control(
        "Network and backpropagation",
        BACKPROP_NAMES,
        default=BACKPROP_NAMES[0],
        required=True,
        key="scratch_backprop",
        format_func=LABELS.__getitem__,
        bind="query-params",
    )
    return Chosen(
        run=run,
        epoch=epochs[0] if epoch == "latest" else int(epoch),
        phrase=int(phrase),
        backprop=str(backprop),
    )


def _first(every: Sequence[Phrase]) -> int:
    """What is shown to begin with: of the test phrases a long one that is turned by its `not`."""
    turned = [k for k, phrase in enumerate(every) if phrase.test and " not " in phrase.text]
    return max(turned, key=lambda k: len(every[k].text.split()))


def _named(phrase: Phrase) -> str:
    return f"{phrase.text} · {CLASSES[phrase.label]} · {'test' if phrase.test else 'train'}"


def _outcome(chosen: Chosen, seen: Passed) -> str:
    p, label = seen.forward.p[0, 0], seen.label
    said = int(p.argmax())
    verdict = "right" if said == label else "wrong"
    shares = ", ".join(f"{name} {p[k]:.1%}" for k, name in enumerate(CLASSES))
    return (
        f"After epoch {chosen.epoch} the network trained {LABELS[chosen.backprop]} says "
        f"**{CLASSES[said]}** ({shares}), which is {verdict}."
    )


def _place(chosen: Chosen, seen: Passed) -> Place:
    words, units = chosen.said.text.split(), seen.h.shape[1]
    steps = list(range(1, seen.steps + 1))
    widgets.forget_unless("scratch_t", steps)
    row = st.container(horizontal=True)
    t = row.selectbox(
        "Step",
        steps,
        index=len(steps) - 1,
        key="scratch_t",
        format_func=lambda t: f"{t}: {words[t - 1]}",
        bind="query-params",
    )
    i, j = (
        row.number_input(label, 1, units, min(begin, units), key=key, bind="query-params")
        for label, key, begin in (
            ("Unit i", "scratch_i", 1),
            ("Unit j of the step before", "scratch_j", 2),
        )
    )
    return Place(int(t), int(i) - 1, int(j) - 1)


def _pictures(chosen: Chosen, seen: Passed, place: Place) -> None:
    words = tuple(chosen.said.text.split())
    clock = Clock(times=np.arange(len(words), dtype=np.float64), unit="step", labels=words)
    layer = as_layer(seen)
    drawn = (("h", "scratch_states"), ("dL/dh", "scratch_gradients"))
    for where, (name, key) in zip(pair("scratch_inside"), drawn, strict=True):
        with where:
            figure = gate_heatmap(
                layer, name, clock=clock, step=place.t - 1, unit=place.i, dark=widgets.dark()
            )
            plot(figure, key=key, on_click=partial(_clicked, clock, seen.h.shape[1]))


def _clicked(clock: Clock, units: int, at: Clicked) -> None:
    """Choose the step and the unit that were clicked; both count from 1."""
    if not isinstance(at.y, str):
        unit = min(max(int(at.y), 1), units)
        widgets.suggest({"scratch_t": clock.step_at(at.x) + 1, "scratch_i": unit})


# -- the way back ----------------------------------------------------------------------------------


def _backward(chosen: Chosen, seen: Passed, place: Place) -> None:
    prove = st.toggle(
        "Prove it",
        key="scratch_prove",
        bind="query-params",
        help="Moves each number a little up and down, runs the network forward, and compares how "
        "the loss changes with what the formula says.",
    )
    found = formulas(seen, place)
    rows = _rows(found)
    exact = pd.DataFrame({"number": [f.number for f in found], "value": [f.value for f in found]})
    if prove:
        every = _numerical(chosen.run.id, chosen.epoch, chosen.backprop, chosen.phrase)
        moved = differences(seen, place, found, every)
        _add_proof(rows, found, moved)
        exact["finite difference"] = moved
    _table(rows)
    st.caption(
        "➜ marks the line where the transpose matters: everything that is read from an earlier "
        "step depends on it. Of each array one number is shown; its formula gives all of them."
        + (" ✓: value and finite difference agree; ✗: they do not." if prove else "")
    )
    st.download_button("Numbers as CSV", exact.to_csv(index=False), "gradients.csv", "text/csv")
    back, said = BACK[chosen.backprop]
    st.code(CODE.format(back=back, said=said).strip(), language="python")
    if prove:
        _whole(chosen, every)


def _rows(found: Sequence[Formula]) -> pd.DataFrame:
    """One formula a row; its LaTeX is ours, everything else is plain text."""
    plain = controls.escaped
    return pd.DataFrame(
        {
            "formula": [("➜ " if one.marked else "") + f"${{{one.latex}}}$" for one in found],
            "shapes": [_unbroken(plain(one.shapes)) for one in found],
            "number": [_unbroken(plain(one.number)) for one in found],
            "worked out": [plain(one.worked) for one in found],
            "value": [plain(number(one.value)) for one in found],
        }
    )


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}").replace("\\[", "\N{WORD JOINER}\\[")


def _add_proof(rows: pd.DataFrame, found: Sequence[Formula], moved: Sequence[float]) -> None:
    pairs = [(one.value, m) for one, m in zip(found, moved, strict=True)]
    rows["finite difference"] = [controls.escaped(number(m)) for _, m in pairs]
    rows["relative error"] = [
        _unbroken(("✓ " if _agree(value, m) else "✗ ") + controls.escaped(_error(value, m)))
        for value, m in pairs
    ]


def _agree(value: float, moved: float) -> bool:
    return abs(value - moved) <= AGREE * max(abs(value), abs(moved)) + NOISE


def _error(value: float, moved: float) -> str:
    return _exponent(check.relative_error(np.array([value]), np.array([moved])))


def _exponent(value: float) -> str:
    return f"{value:.1e}".replace("-", "−") if value < 0.01 else f"{value:.2f}"


def _table(rows: pd.DataFrame) -> None:
    st.table(rows.set_index("formula"))


def _whole(chosen: Chosen, every: Weights) -> None:
    """Every weight at once, by both formulas on the same weights."""
    st.markdown("##### Every weight at once")
    errors = {
        by: {
            name: check.relative_error(shown, every.arrays()[name])
            for name, shown in _passed(chosen, by=by).back.weights.arrays().items()
        }
        for by in BACKPROP_NAMES
    }
    worst = {by: max(each.values()) for by, each in errors.items()}
    st.markdown(
        f"The gradient check moves each of the {every.count:,} weights. Largest relative error: "
        f"**corrected {controls.escaped(_exponent(worst['corrected']))}**, "
        f"**as published {controls.escaped(_exponent(worst['published']))}**."
    )
    arrays = every.arrays()
    table = {
        "shape": [" × ".join(map(str, array.shape[1:])) for array in arrays.values()],
        "largest difference quotient": [
            controls.escaped(number(float(np.abs(array).max()))) for array in arrays.values()
        ],
        **{
            f"error, {LABELS[by]}": [controls.escaped(_exponent(each[name])) for name in arrays]
            for by, each in errors.items()
        },
    }
    st.table(pd.DataFrame(table, index=[f"dL/d{name}" for name in arrays]))
    st.caption(
        f"Both formulas on the same weights: those trained {LABELS[chosen.backprop]}, after epoch "
        f"{chosen.epoch}. The error is the largest disagreement in an array as a share of its "
        "largest value. The quotient is (8 (L(w + ε) − L(w − ε)) − (L(w + 2ε) − L(w − 2ε))) / 12ε "
        f"with ε = {check.MOVE:g}. Close to the first weights, which are about 0.001, hardly "
        "anything goes back through Whh, so the missing transpose shows less there."
    )
