"""The script that Streamlit runs at every interaction: navigation, sidebar, then one page."""

import streamlit as st

from rnnviz.errors import RnnvizError
from rnnviz.ui import common, controls, data_settings, layout, server, session, sidebar, widgets

st.set_page_config(page_title="rnnviz", page_icon="🔁", layout="wide")

layout.style()
common.runner()  # its worker gets warm while the first page is read

SECTIONS = {  # the pages by what one does there
    "Begin": (
        ("data", "Data", ":material/bar_chart:"),
        ("train", "Train", ":material/play_circle:"),
    ),
    "Look inside": (
        ("unrolled", "Inside", ":material/linear_scale:"),
        ("gates", "Gates", ":material/grid_on:"),
        ("gradients", "Back through time", ":material/history:"),
        ("attention", "Attention", ":material/visibility:"),
        ("whatif", "What if", ":material/tune:"),
        ("match", "Select and match", ":material/join_inner:"),
        ("units", "What units tell", ":material/format_color_text:"),
    ),
    "Language": (
        ("language", "Language model", ":material/chat:"),
        ("sentiment", "Sentiment", ":material/sentiment_satisfied:"),
        ("translate", "Translate", ":material/translate:"),
        ("vectors", "Word vectors", ":material/scatter_plot:"),
    ),
    "More": (
        ("scratch", "From scratch", ":material/function:"),
        ("models", "Models", ":material/save:"),
        ("study", "NHANES study", ":material/monitor_heart:"),
    ),
}
folder = server.home() / "pages"
page = st.navigation(
    {
        section: [
            st.Page(folder / f"{name}.py", title=title, icon=icon, default=name == "train")
            for name, title, icon in pages
        ]
        for section, pages in SECTIONS.items()
    },
    expanded=True,
)
widgets.carry_over(page.title, (*controls.LABELS, *data_settings.OF_COLUMNS))
try:
    sidebar.draw(page.title)
    if said := widgets.notice():
        st.warning(controls.escaped(said))
    page.run()
except RnnvizError as wrong:
    st.error(controls.escaped(str(wrong)))
common.settled(page.title, session.current() is not None)
