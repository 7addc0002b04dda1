"""The five types of sequence mapping, each with what shows it live: four worlds and a page."""

from collections.abc import Mapping

import streamlit as st

from rnnviz.config import PARALLEL_NAMES, WORLD_NAMES, DataConfig
from rnnviz.data.dataset import MappingType
from rnnviz.figures.mappings import WIDTH, wiring
from rnnviz.ui import common, server, widgets
from rnnviz.ui.data_settings import enter

SHOWN_BY: Mapping[MappingType, str] = {
    MappingType.ONE_TO_ONE: "angle",
    MappingType.ONE_TO_MANY: "wave",
    MappingType.MANY_TO_ONE: "names",
    MappingType.MANY_TO_MANY: "entities",
}
WORDS: Mapping[MappingType, str] = {
    MappingType.ONE_TO_ONE: "One step is read and one answer said: no time at all.",
    MappingType.ONE_TO_MANY: "One step is read, and something is said at every step, as in music.",
    MappingType.MANY_TO_ONE: "All steps are read, and the end is judged, as in sentiment.",
    MappingType.MANY_TO_MANY: "At every step something is read and said, as in naming entities.",
    MappingType.TRANSLATION: "First all is read, then all is said, as in translation.",
}


def gallery(config: DataConfig | None) -> None:
    """A card for each type; it leads to the world that shows it, or to the page."""
    now = None if config is None else common.dataset(config).mapping
    st.markdown("##### The five types of sequence mapping")
    row = st.container(horizontal=True, key="row_types")
    for mapping in MappingType:
        with row.container(border=True):
            st.markdown(f"**{mapping}**" + (" :blue-badge[these data]" if mapping is now else ""))
            st.image(wiring(mapping, dark=widgets.dark()), width=WIDTH)
            st.caption(WORDS[mapping])
            world = SHOWN_BY.get(mapping)
            if world:
                st.button(
                    f"Show: {WORLD_NAMES[world]}",
                    key=f"show_{world}",
                    on_click=enter,
                    args=(world,),
                    width="stretch",
                )
            else:
                to_translate("dates", label=f"Show: {PARALLEL_NAMES['dates']}")


def to_translate(parallel: str, *, label: str) -> None:
    """A link to the page where networks are trained on pairs, with these chosen."""
    page = server.home() / "pages" / "translate.py"
    chosen = {"parallel": PARALLEL_NAMES[parallel]}  # an address holds what people see
    st.page_link(page, label=label, icon=":material/translate:", query_params=chosen)
