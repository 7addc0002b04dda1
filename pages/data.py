"""Data: what the sequences look like, before anything is trained."""

import streamlit as st

from rnnviz.ui import overview
from rnnviz.ui.data_settings import choose_source, settings_of_source

left, right = st.columns([3, 8], gap="medium")
with right:
    head, choices, rest = st.container(), st.container(), st.container()
with left:
    config = settings_of_source(
        choose_source(), choices=choices.container(horizontal=True, width=560)
    )
if config is not None:
    with head:
        overview.described(config)
    with choices:
        overview.counted(config)
    with rest:
        overview.pictures(config)
