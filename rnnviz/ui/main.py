"""The script that Streamlit runs at every interaction: navigation, sidebar, then one page."""

import streamlit as st

from rnnviz.errors import RnnvizError
from rnnviz.ui import server, session, sidebar

st.set_page_config(page_title="rnnviz", page_icon="🔁", layout="wide")

# Room for pictures: Streamlit leaves six lines above a page and as much beside it.
st.html(
    "<style>[data-testid=stMainBlockContainer]"
    "{padding: 2.5rem 2rem 3rem; max-width: 1900px}</style>"
)

PAGES = (
    ("data", "Data", ":material/bar_chart:"),
    ("train", "Train", ":material/play_circle:"),
    ("unrolled", "Unrolled", ":material/linear_scale:"),
    ("gates", "Gates", ":material/grid_on:"),
    ("attention", "Attention", ":material/visibility:"),
)
folder = server.home() / "pages"
page = st.navigation(
    [
        st.Page(folder / f"{name}.py", title=title, icon=icon, default=name == "train")
        for name, title, icon in PAGES
    ]
)
try:
    sidebar.draw(page.title)
    if said := session.notice():
        st.warning(said)
    page.run()
except RnnvizError as wrong:
    st.error(str(wrong))
