"""Back through time: gradient health, layer by layer, with what to try."""

import math
from dataclasses import asdict

import pandas as pd
import streamlit as st

from rnnviz.config import RunConfig
from rnnviz.inside.health import WHOLE, Finding
from rnnviz.runs.run import Run
from rnnviz.ui import backward_kept as kept
from rnnviz.ui import controls, server, widgets
from rnnviz.ui.backward_about import about
from rnnviz.ui.looking import Looking

KINDS = {  # the columns: what is counted
    "dead": "dead: units that are always 0",
    "saturated": "saturated: gate values near an end",
    "vanishing": "first step's gradient / last step's",
    "NaN": "not finite",
}


def health(seen: Looking) -> None:
    """The table, then what is wrong with its remedy."""
    found = kept.health(seen)
    st.table(table(found))
    for one in found:
        if not one.ill and one.where == WHOLE:
            st.caption(one.sentence)
    ill = [one for one in found if one.ill]
    if not ill:
        st.success("Every number lies within its limits.")
    for place, one in enumerate(ill):
        _remedy(seen.run, one, place)
    about("health")


def table(found: tuple[Finding, ...]) -> pd.DataFrame:
    """One row a layer; an ill number has a warning sign."""
    places = list(dict.fromkeys(one.where for one in found if one.where.startswith("layer")))
    rows = [[_cell(found, where, kind) for kind in KINDS] for where in places]
    return pd.DataFrame(rows, index=places, columns=list(KINDS.values()))


def _cell(found: tuple[Finding, ...], where: str, kind: str) -> str:
    kinds = (kind, "exploding") if kind == "vanishing" else (kind,)  # one ratio, two limits
    here = [one for one in found if one.where == where and one.kind in kinds]
    if not here:
        return "no ReLU" if kind == "dead" else "no such gate"
    return told(here[0]) + (" ⚠️" if any(one.ill for one in here) else "")


def told(one: Finding) -> str:
    """The number as people read it."""
    if math.isnan(one.number):
        return "–"
    if one.kind in ("dead", "saturated"):
        return f"{one.number:.0%}"
    return f"{one.number:,.0f}" if one.kind == "NaN" else f"{one.number:.2g}"


def _remedy(run: Run, one: Finding, place: int) -> None:
    with st.container(border=True):
        st.markdown(
            f":orange-badge[{one.kind}] **{controls.escaped(one.where)}** · "
            + controls.escaped(one.sentence)
        )
        if st.button(f"{one.advice}: set it on the Train page", key=f"do_remedy_{place}"):
            widgets.suggest({**as_widgets(run.config), **one.remedy})
            # with parameters given, the address is emptied of what is bound on this page
            st.switch_page(server.home() / "pages" / "train.py", query_params={"run": run.id})


def as_widgets(config: RunConfig) -> dict[str, object]:
    """A run's settings as the values of the widgets that have them."""
    parts = (config.data, config.model, config.training)
    settings = {name: value for part in parts for name, value in asdict(part).items()}
    return {name: value for name, value in settings.items() if name in controls.LABELS}
