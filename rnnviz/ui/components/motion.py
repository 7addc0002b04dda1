"""One update in slow motion over the drawing of the unrolled network; played in the browser.

Everything is handed over at once, so that playing needs no server.
"""

from dataclasses import asdict
from typing import Any

from rnnviz.figures.motion import Motion, RowMotion
from rnnviz.figures.unrolled import Scene
from rnnviz.ui.components import mount
from rnnviz.ui.components.packing import Packing, scale
from rnnviz.ui.components.places import Order, Place, clamped
from rnnviz.ui.components.unrolled import picture_of, weights_scale


def motion(scene: Scene, played: Motion, *, place: Place, key: str, dark: bool) -> None:
    """Show one update, stage by stage.

    Args:
        scene: the drawing; its lanes are states.
        played: the update, of the same rows and units.
        place: whose unit is framed to begin with.
        key: names the view within its page.
        dark: for a dark page.
    """
    mount("motion", css=True, key=key, data=message(scene, played, place, key, dark))


def message(scene: Scene, played: Motion, place: Place, key: str, dark: bool) -> bytes:
    """What travels to the browser; its id follows the update and not the place."""
    packing = Packing()
    picture = picture_of(scene, dark, packing)
    placed = Order(**asdict(clamped(place, scene)), number=0, answered=False)
    return packing.message({**picture, "motion": _motion(played, dark, packing)}, placed, key)


def _motion(played: Motion, dark: bool, packing: Packing) -> dict[str, Any]:
    def row(row: RowMotion) -> dict[str, Any]:
        return {
            "gradients": [packing.aside(values) for values in row.gradients],
            "recurrent": packing.aside(row.recurrent),
            "inputs": packing.aside(row.inputs),
        }

    return {
        "rows": [row(one) for one in played.rows],
        "gradientScale": scale(played.gradient_range, dark),
        "recurrentWeights": weights_scale(played.heaviest_recurrent, dark),
        "inputWeights": weights_scale(played.heaviest_input, dark),
        "loss": {
            "name": played.loss_name,
            "unit": played.loss_unit,
            "each": packing.aside(played.losses),
            "shares": packing.aside(played.shares),
            "before": played.loss_before,
            "after": played.loss_after,  # null where it is not finite
        },
        "said": [asdict(one) for one in played.said],
        "norm": played.norm,
        "threshold": played.threshold,
        "factor": played.factor,
        "rate": played.rate,
        "matrices": [asdict(one) for one in played.matrices],
    }
