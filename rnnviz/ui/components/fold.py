"""A recurrent layer folded and unfolded, stage by stage; played in the browser."""

from typing import Any

from rnnviz.config import CELL_NAMES
from rnnviz.figures.fold import Fold
from rnnviz.figures.theme import palette
from rnnviz.ui.components import mount
from rnnviz.ui.components.packing import Packing, scale
from rnnviz.ui.components.places import Order

_NOWHERE = Order(t=0, unit=0, layer=0, reverse=False, number=0, answered=False)


def folded(fold: Fold, *, key: str, dark: bool) -> None:
    """Show how a feed-forward network becomes this recurrent one, and how that is unrolled.

    Args:
        fold: what to show.
        key: names the view within its page.
        dark: for a dark page.
    """
    mount("fold", css=True, key=key, data=message(fold, key, dark))


def message(fold: Fold, key: str, dark: bool) -> bytes:
    """What travels to the browser."""
    packing = Packing()
    return packing.message(_picture(fold, dark, packing), _NOWHERE, key)


def _picture(fold: Fold, dark: bool, packing: Packing) -> dict[str, Any]:
    inks = palette(dark)
    return {
        "dark": dark,
        "cell": CELL_NAMES[fold.cell],
        "units": fold.units,
        "inputs": fold.inputs,
        "outputs": fold.outputs,
        "steps": fold.steps,
        "leftOut": fold.left_out,
        "tokens": fold.tokens,
        "read": fold.read,
        "said": fold.said,
        "everyStep": fold.every_step,
        "states": packing.aside(fold.states),
        "scale": scale(fold.range, dark),
        "ofStep": fold.of_step,
        "ofState": fold.of_state,
        "untied": fold.untied,
        "tied": fold.tied,
        "own": inks.groups[1:],  # a colour for each set of weights; the first is like the shared
        "shared": inks.roles["network"],
    }
