"""How pages share their width. The style is ours alone; nothing that people bring gets into it."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

PICTURE, CARD, TYPE = 470, 390, 220  # least widths, before two stand above each other [px]
_STYLE = f"""<style>
[data-testid=stMainBlockContainer] {{ padding: 2.5rem 2rem 3rem; max-width: 1900px; }}
[class*=st-key-row_] {{ flex-wrap: wrap; }}
[class*=st-key-row_] > * {{ flex: 1 1 {PICTURE}px; width: auto; min-width: 0; }}
[class*=st-key-row_types] > * {{ flex: 1 1 {TYPE}px; }}
[class*=st-key-row_cards] > *, [class*=st-key-row_study] > * {{ flex: 1 1 {CARD}px; }}
</style>"""


def style() -> None:
    """Room for pictures: Streamlit leaves six lines above a page and as much beside it."""
    st.html(_STYLE)


def pair(key: str) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Two places for pictures, beside each other where there is room."""
    row = st.container(horizontal=True, key=f"row_{key}")
    return row.container(), row.container()


def cards(count: int) -> list[DeltaGenerator]:
    """Framed places for a few lines each, as many in a row as there is room for."""
    row = st.container(horizontal=True, key="row_cards")
    return [row.container(border=True) for _ in range(count)]
