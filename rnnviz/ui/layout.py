"""How pages share their width. The style is ours alone; nothing that people bring gets into it."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

NARROWEST = 470  # a picture's least width, before two stand above each other [px]
_STYLE = f"""<style>
[data-testid=stMainBlockContainer] {{ padding: 2.5rem 2rem 3rem; max-width: 1900px; }}
[class*=st-key-pair_] {{ flex-wrap: wrap; }}
[class*=st-key-pair_] > * {{ flex: 1 1 {NARROWEST}px; width: auto; min-width: 0; }}
</style>"""


def style() -> None:
    """Room for pictures: Streamlit leaves six lines above a page and as much beside it."""
    st.html(_STYLE)


def pair(key: str) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Two places beside each other where there is room, else above each other."""
    row = st.container(horizontal=True, key=f"pair_{key}")
    return row.container(), row.container()
