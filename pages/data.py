"""Data: what the sequences look like, before anything is trained."""

import streamlit as st

from rnnviz.ui import mappings, overview
from rnnviz.ui.data_settings import choose_source, settings_of_source

left, right = st.columns([3, 8], gap="medium")
with left:
    config = settings_of_source(choose_source())
if config is not None:
    with right:
        overview.described(config)
        overview.pictures(config)
mappings.gallery(config)
